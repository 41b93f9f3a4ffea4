/*-------------------------------------------------------------------------
 *
 * sw_leaf.c
 *	  The tables that a relation's rows lie in, and what becomes of them.
 *
 * What replaced a leaf's file also changed its row in pg_class, and most of
 * what rewrites rows changes a row in pg_attribute.  Later changes of either
 * (GRANT, DROP DEFAULT) hide the id, and who copies rows and then swaps files
 * (pg_repack) does so in two transactions.  Then the rows tell: what rewrites
 * a table leaves none in it that is older.
 *
 * Contract: sw_leaf.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/bufmgr.h"
#include "storage/lockdefs.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "source/sw_capture.h"
#include "source/sw_relation.h"

/* So many blocks of a leaf are looked at. */
#define BLOCKS_LOOKED_AT 32

static int
compare_leaves(const void *a, const void *b)
{
	Oid			one = ((const SwLeaf *) a)->relid;
	Oid			other = ((const SwLeaf *) b)->relid;

	return one < other ? -1 : one > other;
}

static SwLeaf *
list_leaves(Oid relation, LOCKMODE lock, uint32 *n_leaves)
{
	List	   *relids;
	SwLeaf	   *leaves;
	ListCell   *cell;
	uint32		n = 0;

	relids = find_all_inheritors(relation, lock, NULL);
	leaves = palloc(sizeof(SwLeaf) * list_length(relids));
	foreach(cell, relids)
	{
		HeapTuple	tuple = SearchSysCache1(RELOID,
											ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_class form;

		/* dropped just now */
		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_class) GETSTRUCT(tuple);
		if (form->relkind == RELKIND_RELATION)
		{
			leaves[n].relid = lfirst_oid(cell);
			leaves[n].file = form->relfilenode;
			n++;
		}
		ReleaseSysCache(tuple);
	}
	qsort(leaves, n, sizeof(SwLeaf), compare_leaves);
	*n_leaves = n;
	return leaves;
}

SwLeaf *
sw_leaf_list(Oid relation, uint32 *n_leaves)
{
	*n_leaves = 0;
	if (!sw_relation_has_versions(relation))
		return NULL;
	return list_leaves(relation, NoLock, n_leaves);
}

SwLeafChange *
sw_leaf_compare(const SwLeaf *before, uint32 n_before,
				const SwLeaf *after, uint32 n_after, uint32 *n_changes)
{
	SwLeafChange *changes = palloc(sizeof(SwLeafChange) * (n_after + 1));
	uint32		n = 0;
	uint32		i;
	uint32		k = 0;

	for (i = 0; i < n_after; i++)
	{
		bool		is_known;

		while (k < n_before && before[k].relid < after[i].relid)
			k++;
		is_known = k < n_before && before[k].relid == after[i].relid;
		if (is_known && before[k].file == after[i].file)
			continue;
		changes[n].relid = after[i].relid;
		changes[n].is_attached = !is_known;
		n++;
	}
	*n_changes = n;
	return changes;
}

static void
add_writer(SwRewrite *rewrites, uint32 *n_rewrites, Oid relid, uint64 xid)
{
	uint32		i;

	for (i = *n_rewrites; i > 0 && rewrites[i - 1].relid == relid; i--)
		if (rewrites[i - 1].xid == xid)
			return;
	rewrites[*n_rewrites].relid = relid;
	rewrites[*n_rewrites].xid = xid;
	(*n_rewrites)++;
}

/* Who wrote a row of a catalog. */
static uint64
get_writer(HeapTuple tuple, FullTransactionId next)
{
	return sw_capture_widen(HeapTupleHeaderGetRawXmin(tuple->t_data), next);
}

/*
 * Who wrote the oldest of the rows that now are in some blocks of a leaf,
 * which lie all over it; 0 where there are none.
 */
static uint64
find_oldest_writer(Relation rel, FullTransactionId next)
{
	BlockNumber n_blocks = RelationGetNumberOfBlocks(rel);
	BlockNumber step = Max(n_blocks / BLOCKS_LOOKED_AT, 1);
	BlockNumber n_left = Min(n_blocks, BLOCKS_LOOKED_AT);
	BlockNumber block = 0;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan_strat(rel, snapshot, 0, NULL, true,
											   false);
	uint64		oldest = 0;

	for (; n_left > 0; n_left--, block += step)
	{
		HeapTuple	tuple;

		CHECK_FOR_INTERRUPTS();
		table_rescan(scan, NULL);
		heap_setscanlimits(scan, block, 1);
		while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
		{
			uint64		writer = get_writer(tuple, next);

			if (oldest == 0 || writer < oldest)
				oldest = writer;
		}
	}
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	return oldest;
}

/* Of a leaf that is locked.  Room for all ids is there. */
static void
add_rewrites(SwRewrite *rewrites, uint32 *n_rewrites, Relation rel,
			 uint64 oldest, FullTransactionId next)
{
	Oid			relid = RelationGetRelid(rel);
	int			n_columns = RelationGetNumberOfAttributes(rel);
	HeapTuple	tuple;
	uint64		class_writer;
	uint64		row_writer;
	int			i;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return;
	class_writer = get_writer(tuple, next);
	ReleaseSysCache(tuple);
	add_writer(rewrites, n_rewrites, relid, class_writer);
	for (i = 1; i <= n_columns; i++)
	{
		tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
								Int16GetDatum(i));
		if (!HeapTupleIsValid(tuple))
			continue;
		if (get_writer(tuple, next) >= oldest)
			add_writer(rewrites, n_rewrites, relid, get_writer(tuple, next));
		ReleaseSysCache(tuple);
	}
	row_writer = find_oldest_writer(rel, next);
	/* later than that: what fills a table after a TRUNCATE */
	if (row_writer >= oldest && row_writer < class_writer)
		add_writer(rewrites, n_rewrites, relid, row_writer);
}

SwRewrite *
sw_leaf_find_rewrites(const SwLeafChange *changes, uint32 n_changes,
					  uint64 oldest, uint32 *n_rewrites)
{
	FullTransactionId next;
	SwRewrite  *rewrites = palloc(sizeof(SwRewrite));
	uint32		n = 0;
	uint32		i;

	for (i = 0; i < n_changes; i++)
	{
		Relation	rel;

		if (changes[i].is_attached)
			continue;
		rel = try_relation_open(changes[i].relid, AccessShareLock);
		/* dropped just now */
		if (rel == NULL)
			continue;
		next = ReadNextFullTransactionId();
		rewrites = repalloc(rewrites, sizeof(SwRewrite) *
							(n + RelationGetNumberOfAttributes(rel) + 2));
		/* any other has no rows that are asked for their xmin */
		if (rel->rd_rel->relkind == RELKIND_RELATION &&
			rel->rd_rel->relam == HEAP_TABLE_AM_OID)
			add_rewrites(rewrites, &n, rel, oldest, next);
		relation_close(rel, NoLock);
	}
	*n_rewrites = n;
	return rewrites;
}

SwLeafChange *
sw_leaf_hold(Oid relation, const SwLeaf *leaves, uint32 n_leaves,
			 uint32 *n_changes)
{
	uint32		n_now;
	SwLeaf	   *now;

	LockRelationOid(relation, AccessShareLock);
	/* One that is gone is reported by who reads it (sw_identity_enter). */
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)))
	{
		*n_changes = 0;
		return NULL;
	}
	now = list_leaves(relation, AccessShareLock, &n_now);
	return sw_leaf_compare(leaves, n_leaves, now, n_now, n_changes);
}
