/*-------------------------------------------------------------------------
 *
 * sw_parquet_shred.c
 *	  From nested columns to values with levels, a leaf at a time.
 *
 * Pure: throws only when memory runs out.
 *
 * Walking down from a row, each array or map that has members adds one to
 * the definition level, and one to the repetition level of all its members
 * but the first, which carries on that of the container.  One without
 * members is a single entry without a value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_parquet.h"

typedef struct Shred
{
	SwParquetColumn *column;
	SwParquetPager *pager;
	SwError    *err;
} Shred;

/*
 * Row of values, which lies step containers below the column.  depth counts
 * the arrays and maps on the way, which all have members.
 */
static SwStatus
sw_parquet_shred_value(const Shred *shred, const SwColumn *values, uint64 row,
					   int step, int repetition, int depth)
{
	SwParquetColumn *column = shred->column;
	const SwColumn *member;
	uint64		start;
	uint64		end;
	uint64		i;

	if (step == column->leaf.n_steps)
	{
		bool		is_null = values->is_nullable && values->validity[row] == 0;

		return sw_parquet_column_add_value(column, values, row, repetition,
										   is_null ? depth :
										   column->leaf.max_definition,
										   shred->pager, shred->err);
	}

	member = &values->children[column->leaf.steps[step]];
	if (values->type == SW_TYPE_TUPLE)
		return sw_parquet_shred_value(shred, member, row, step + 1,
									  repetition, depth);

	start = sw_column_get_start(values, row);
	end = values->offsets[row];
	if (start == end)
		return sw_parquet_column_add_value(column, NULL, 0, repetition, depth,
										   shred->pager, shred->err);
	for (i = start; i < end; i++)
		SW_TRY(sw_parquet_shred_value(shred, member, i, step + 1,
									  i == start ? repetition : depth + 1,
									  depth + 1));
	return SW_OK;
}

SwStatus
sw_parquet_shred(SwParquetColumn *column, const SwColumn *values,
				 SwParquetPager *pager, SwError *err)
{
	Shred		shred = {column, pager, err};
	uint64		row;

	if (column->leaf.n_steps == 0)
		return sw_parquet_column_add(column, values, pager, err);
	for (row = 0; row < values->n_rows; row++)
		SW_TRY(sw_parquet_shred_value(&shred, values, row, 0, 0, 0));
	return SW_OK;
}
