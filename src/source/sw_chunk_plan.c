/*-------------------------------------------------------------------------
 *
 * sw_chunk_plan.c
 *	  Cut what a query gives into parts that are read one by one.
 *
 * Contract: sw_chunk_plan.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/relation.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "source/sw_chunk_plan.h"
#include "source/sw_leaf.h"
#include "source/sw_read.h"
#include "source/sw_relation.h"

static List *
add_range(List *ranges, const SwSourceRange *range)
{
	SwSourceRange *copy = palloc(sizeof(SwSourceRange));

	*copy = *range;
	return lappend(ranges, copy);
}

/* All of the query. */
static SwSourceRange
make_range(void)
{
	SwSourceRange range = {
		.leaf = InvalidOid,
		.end_block = -1,
		.cursor_from = DT_NOBEGIN,
		.cursor_to = DT_NOEND,
		.cursor_nulls = true
	};

	return range;
}

static bool
is_cut_by_time(const SwSourceQuery *query, TimestampTz now)
{
	const SwColumnSpec *spec;
	const char *expression = query->cursor_expression;

	if (query->cursor_column < 0 || TIMESTAMP_NOT_FINITE(query->cursor_bound) ||
		now <= query->cursor_bound)
		return false;
	spec = &query->specs[query->cursor_column];
	if (expression == NULL)
		expression = query->columns[query->cursor_column].expression;
	if (expression == NULL)
		expression = quote_identifier(spec->name);
	return sw_relation_has_index(query->relation, spec->name, expression);
}

/*
 * Slices of the same length.  The first has no lower side but the bound and
 * takes rows without a cursor, the last has no upper side.
 */
static List *
cut_by_time(const SwSourceQuery *query, TimestampTz now, int n_slices)
{
	List	   *ranges = NIL;
	double		step = (double) (now - query->cursor_bound) / n_slices;
	TimestampTz from = DT_NOBEGIN;
	int			i;

	for (i = 1; i <= n_slices; i++)
	{
		SwSourceRange range = make_range();

		range.cursor_from = from;
		if (i < n_slices)
			range.cursor_to = query->cursor_bound + (int64) (step * i);
		range.cursor_nulls = TIMESTAMP_IS_NOBEGIN(from);
		/* a slice of less than a microsecond is none */
		if (range.cursor_to <= from)
			continue;
		ranges = add_range(ranges, &range);
		from = range.cursor_to;
	}
	return ranges;
}

static BlockNumber
count_blocks(Oid leaf)
{
	Relation	rel = try_relation_open(leaf, AccessShareLock);
	BlockNumber n_blocks;

	if (rel == NULL)
		return 0;
	n_blocks = RelationGetNumberOfBlocks(rel);
	relation_close(rel, NoLock);
	return n_blocks;
}

static List *
cut_leaf(List *ranges, Oid leaf, BlockNumber n_blocks,
		 BlockNumber blocks_per_range)
{
	SwSourceRange range = make_range();

	range.leaf = leaf;
	while (n_blocks - range.first_block > blocks_per_range)
	{
		range.end_block = range.first_block + blocks_per_range;
		ranges = add_range(ranges, &range);
		range.first_block = range.end_block;
	}
	range.end_block = -1;
	return add_range(ranges, &range);
}

/* NIL where there are too many leaves, or all are empty. */
static List *
cut_by_blocks(const SwLeaf *leaves, uint32 n_leaves, int n_parts)
{
	BlockNumber *n_blocks = palloc(sizeof(BlockNumber) * n_leaves);
	List	   *ranges = NIL;
	double		total = 0;
	int			n_filled = 0;
	BlockNumber blocks_per_range;
	uint32		i;

	for (i = 0; i < n_leaves; i++)
	{
		n_blocks[i] = count_blocks(leaves[i].relid);
		total += n_blocks[i];
		n_filled += n_blocks[i] > 0;
	}
	if (n_filled >= SW_CHUNK_PLAN_MAX)
		return NIL;
	/* each leaf has one part that is not full */
	n_parts = Max(Min(n_parts, SW_CHUNK_PLAN_MAX - n_filled), 1);
	blocks_per_range = (BlockNumber) Max(ceil(total / n_parts), 1);
	for (i = 0; i < n_leaves; i++)
		if (n_blocks[i] > 0)
			ranges = cut_leaf(ranges, leaves[i].relid, n_blocks[i],
							  blocks_per_range);
	return ranges;
}

List *
sw_chunk_plan(const SwSourceQuery *query, TimestampTz now,
			  double rows_per_chunk)
{
	SwSourceQuery whole = *query;
	SwSourceRange everything = make_range();
	List	   *ranges = NIL;
	SwLeaf	   *leaves;
	uint32		n_leaves;
	double		n_rows;
	int			n_parts;

	whole.range = NULL;
	n_rows = sw_read_estimate(&whole, sw_query_build(&whole));
	n_parts = (int) Min(ceil(n_rows / rows_per_chunk), SW_CHUNK_PLAN_MAX);
	if (n_parts <= 1)
		return add_range(NIL, &everything);
	if (is_cut_by_time(query, now))
		return cut_by_time(query, now, n_parts);
	leaves = sw_leaf_list(query->relation, &n_leaves);
	if (n_leaves > 0)
		ranges = cut_by_blocks(leaves, n_leaves, n_parts);
	return ranges != NIL ? ranges : add_range(NIL, &everything);
}
