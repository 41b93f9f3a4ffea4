/*-------------------------------------------------------------------------
 *
 * sw_column.c
 *	  Columns of values in memory: making, growing and emptying them.
 *
 * Pure: throws only when memory runs out.  See sw_column.h for the
 * contract; the append functions of the hot path live there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_bytes.h"
#include "format/sw_column.h"

#define SW_COLUMN_INITIAL_ROWS 256
#define SW_COLUMN_INITIAL_BYTES (SW_COLUMN_INITIAL_ROWS * sizeof(int64))

static void
sw_column_init(SwColumn *column, const SwColumnSpec *spec)
{
	memset(column, 0, sizeof(*column));
	column->type = spec->type;
	column->is_nullable = spec->is_nullable;
	column->is_variable = spec->type == SW_TYPE_STRING ||
		spec->type == SW_TYPE_JSON;

	column->rows_allocated = SW_COLUMN_INITIAL_ROWS;
	if (column->is_nullable)
		column->validity = palloc(SW_COLUMN_INITIAL_ROWS);
	if (column->is_variable)
		column->offsets = palloc(SW_COLUMN_INITIAL_ROWS * sizeof(uint64));
	column->data_allocated = SW_COLUMN_INITIAL_BYTES;
	column->data = palloc(SW_COLUMN_INITIAL_BYTES);
}

void
sw_batch_init(SwBatch *batch, const SwColumnSpec *specs, int n_columns)
{
	int			i;

	batch->n_columns = n_columns;
	batch->n_rows = 0;
	batch->columns = palloc(sizeof(SwColumn) * Max(n_columns, 1));
	for (i = 0; i < n_columns; i++)
		sw_column_init(&batch->columns[i], &specs[i]);
}

void
sw_batch_reset(SwBatch *batch)
{
	int			i;

	batch->n_rows = 0;
	for (i = 0; i < batch->n_columns; i++)
	{
		batch->columns[i].n_rows = 0;
		batch->columns[i].n_nulls = 0;
		batch->columns[i].data_bytes = 0;
	}
}

Size
sw_batch_bytes(const SwBatch *batch)
{
	Size		n_bytes = 0;
	int			i;

	for (i = 0; i < batch->n_columns; i++)
	{
		const SwColumn *column = &batch->columns[i];

		n_bytes += column->data_bytes;
		if (column->is_nullable)
			n_bytes += column->n_rows;
		if (column->is_variable)
			n_bytes += column->n_rows * sizeof(uint64);
	}
	return n_bytes;
}

void
sw_column_grow(SwColumn *column, Size n_bytes)
{
	if (column->n_rows >= column->rows_allocated)
	{
		column->rows_allocated *= 2;
		if (column->validity != NULL)
			column->validity = sw_repalloc_huge(column->validity,
												column->rows_allocated);
		if (column->offsets != NULL)
			column->offsets = sw_repalloc_huge(column->offsets,
											   column->rows_allocated *
											   sizeof(uint64));
	}
	if (n_bytes > column->data_allocated - column->data_bytes)
	{
		Size		wanted = column->data_bytes + n_bytes;

		/* A request that wraps around is one no allocator can serve. */
		if (wanted < n_bytes)
			wanted = SIZE_MAX;
		column->data_allocated = Max(wanted, column->data_allocated * 2);
		column->data = sw_repalloc_huge(column->data, column->data_allocated);
	}
}

void
sw_column_append_null(SwColumn *column)
{
	Assert(column->is_nullable);

	if (column->is_variable)
		sw_column_append_bytes(column, "", 0);
	else
		sw_column_append_int64(column, 0);
	column->validity[column->n_rows - 1] = 0;
	column->n_nulls++;
}
