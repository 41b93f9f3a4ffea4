/*-------------------------------------------------------------------------
 *
 * sw_leaf.c
 *	  The tables that a relation's rows lie in, and what becomes of them.
 *
 * What replaced a leaf's file also changed its row in pg_class, and most of
 * what rewrites rows changes a row in pg_attribute.  Later changes of the
 * former (GRANT) hide the id only from that one.
 *
 * Contract: sw_leaf.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/syscache.h"

#include "source/sw_capture.h"
#include "source/sw_relation.h"

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

	*n_leaves = 0;
	if (!sw_relation_has_versions(relation))
		return NULL;
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

SwRewrite *
sw_leaf_find_rewrites(const SwLeafChange *changes, uint32 n_changes,
					  uint64 oldest, uint32 *n_rewrites)
{
	FullTransactionId next = ReadNextFullTransactionId();
	SwRewrite  *rewrites = palloc(sizeof(SwRewrite));
	uint32		n = 0;
	uint32		i;
	int			k;

	for (i = 0; i < n_changes; i++)
	{
		Oid			relid = changes[i].relid;
		HeapTuple	tuple;
		int			n_columns;

		if (changes[i].is_attached)
			continue;
		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
		if (!HeapTupleIsValid(tuple))
			continue;
		n_columns = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
		rewrites = repalloc(rewrites, sizeof(SwRewrite) * (n + n_columns + 1));
		add_writer(rewrites, &n, relid, get_writer(tuple, next));
		ReleaseSysCache(tuple);
		for (k = 1; k <= n_columns; k++)
		{
			tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
									Int16GetDatum(k));
			if (!HeapTupleIsValid(tuple))
				continue;
			if (get_writer(tuple, next) >= oldest)
				add_writer(rewrites, &n, relid, get_writer(tuple, next));
			ReleaseSysCache(tuple);
		}
	}
	*n_rewrites = n;
	return rewrites;
}

SwLeafChange *
sw_leaf_hold(Oid relation, const SwLeaf *leaves, uint32 n_leaves,
			 uint32 *n_changes)
{
	uint32		n_now;
	SwLeaf	   *now = list_leaves(relation, AccessShareLock, &n_now);

	return sw_leaf_compare(leaves, n_leaves, now, n_now, n_changes);
}
