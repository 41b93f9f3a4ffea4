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

/*
 * Room for rows grows in larger steps up to SW_COLUMN_USUAL_ROWS: all columns
 * grow at the same time, so none uses what another one gives back.
 */
#define SW_COLUMN_INITIAL_ROWS 64
#define SW_COLUMN_USUAL_ROWS 1024
#define SW_COLUMN_INITIAL_BYTES (SW_COLUMN_INITIAL_ROWS * sizeof(int64))

static const SwColumnSpec label_spec = {
	.name = "label",.type = SW_TYPE_STRING
};

int
sw_type_width(SwType type, int precision)
{
	switch (type)
	{
		case SW_TYPE_STRING:
		case SW_TYPE_BYTES:
		case SW_TYPE_JSON:
		case SW_TYPE_ARRAY:
		case SW_TYPE_MAP:
		case SW_TYPE_TUPLE:
			return 0;
		case SW_TYPE_BOOL:
			return 1;
		case SW_TYPE_INT16:
			return 2;
		case SW_TYPE_INT32:
		case SW_TYPE_UINT32:
		case SW_TYPE_FLOAT32:
		case SW_TYPE_DATE:
		case SW_TYPE_ENUM:
			return 4;
		case SW_TYPE_INT64:
		case SW_TYPE_FLOAT64:
		case SW_TYPE_TIME_US:
		case SW_TYPE_TIMESTAMP_MS:
		case SW_TYPE_TIMESTAMP_US:
		case SW_TYPE_DATETIME_US:
			return 8;
		case SW_TYPE_UUID:
			return 16;
		case SW_TYPE_DECIMAL:
			if (precision <= 9)
				return 4;
			if (precision <= 18)
				return 8;
			return precision <= 38 ? 16 : 32;
	}
	return 0;
}

/* ---- making ---- */

static void
sw_column_init(SwColumn *column, const SwColumnSpec *spec)
{
	int			i;

	memset(column, 0, sizeof(*column));
	column->type = spec->type;
	column->is_nullable = spec->is_nullable;
	column->width = sw_type_width(spec->type, spec->precision);
	column->has_offsets = column->width == 0 && spec->type != SW_TYPE_TUPLE;
	column->row_bytes = (column->is_nullable ? sizeof(uint8) : 0) +
		(column->has_offsets ? sizeof(uint64) : 0);

	column->rows_allocated = SW_COLUMN_INITIAL_ROWS;
	if (column->is_nullable)
		column->validity = palloc(SW_COLUMN_INITIAL_ROWS);
	if (column->has_offsets)
		column->offsets = palloc(SW_COLUMN_INITIAL_ROWS * sizeof(uint64));
	if (!sw_type_is_container(spec->type))
	{
		column->data_allocated = SW_COLUMN_INITIAL_BYTES;
		column->data = palloc(SW_COLUMN_INITIAL_BYTES);
	}

	column->n_children = spec->type == SW_TYPE_ENUM ? 1 : spec->n_children;
	if (column->n_children > 0)
		column->children = palloc(sizeof(SwColumn) * column->n_children);
	for (i = 0; i < column->n_children; i++)
		sw_column_init(&column->children[i],
					   spec->type == SW_TYPE_ENUM ? &label_spec :
					   &spec->children[i]);
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

static bool
sw_column_fits(const SwColumn *column, const SwColumnSpec *spec)
{
	int			i;

	if (column->type != spec->type ||
		column->is_nullable != spec->is_nullable ||
		column->width != sw_type_width(spec->type, spec->precision))
		return false;
	if (!sw_type_is_container(spec->type))
		return true;
	if (column->n_children != spec->n_children)
		return false;
	for (i = 0; i < spec->n_children; i++)
		if (!sw_column_fits(&column->children[i], &spec->children[i]))
			return false;
	return true;
}

bool
sw_batch_fits(const SwBatch *batch, const SwColumnSpec *specs, int n_columns)
{
	int			i;

	if (batch->n_columns != n_columns)
		return false;
	for (i = 0; i < n_columns; i++)
		if (batch->columns[i].n_rows != batch->n_rows ||
			!sw_column_fits(&batch->columns[i], &specs[i]))
			return false;
	return true;
}

/* ---- emptying ---- */

/* Children that hold the column's values; the labels of an enum do not. */
static int
sw_column_count_members(const SwColumn *column)
{
	return column->type == SW_TYPE_ENUM ? 0 : column->n_children;
}

static void
sw_column_shrink(SwColumn *column, Size max_bytes)
{
	Size		n_bytes = Max(max_bytes, SW_COLUMN_INITIAL_BYTES);

	if (column->data_allocated > n_bytes)
	{
		column->data = sw_repalloc_huge(column->data, n_bytes);
		column->data_allocated = n_bytes;
	}
}

static void
sw_column_reset(SwColumn *column, Size max_bytes)
{
	int			i;

	column->n_rows = 0;
	column->n_nulls = 0;
	column->data_bytes = 0;
	sw_column_shrink(column, max_bytes);
	for (i = 0; i < sw_column_count_members(column); i++)
		sw_column_reset(&column->children[i], max_bytes);
}

void
sw_batch_reset(SwBatch *batch, Size max_column_bytes)
{
	int			i;

	batch->n_rows = 0;
	for (i = 0; i < batch->n_columns; i++)
		sw_column_reset(&batch->columns[i], max_column_bytes);
}

/* Cut the column back to its first n_rows values. */
static void
sw_column_truncate(SwColumn *column, uint64 n_rows)
{
	int			i;

	if (column->validity != NULL)
	{
		uint64		row;

		for (row = n_rows; row < column->n_rows; row++)
			column->n_nulls -= column->validity[row] == 0 ? 1 : 0;
	}
	column->n_rows = Min(column->n_rows, n_rows);

	/* Members are cut too where a value was begun and not ended. */
	if (column->width > 0)
		column->data_bytes = column->n_rows * column->width;
	else if (column->data != NULL)
		column->data_bytes = sw_column_get_start(column, column->n_rows);
	for (i = 0; i < sw_column_count_members(column); i++)
		sw_column_truncate(&column->children[i],
						   column->type == SW_TYPE_TUPLE ? column->n_rows :
						   sw_column_get_start(column, column->n_rows));
}

void
sw_batch_abandon_row(SwBatch *batch)
{
	int			i;

	for (i = 0; i < batch->n_columns; i++)
		sw_column_truncate(&batch->columns[i], batch->n_rows);
}

/* ---- accounting ---- */

static Size
sw_column_bytes(const SwColumn *column)
{
	Size		n_bytes = column->data_bytes + column->n_rows * column->row_bytes;
	int			i;

	for (i = 0; i < column->n_children; i++)
		n_bytes += sw_column_bytes(&column->children[i]);
	return n_bytes;
}

static Size
sw_column_allocated(const SwColumn *column)
{
	Size		n_bytes = column->data_allocated +
	column->rows_allocated * column->row_bytes;
	int			i;

	for (i = 0; i < column->n_children; i++)
		n_bytes += sw_column_allocated(&column->children[i]);
	return n_bytes;
}

Size
sw_batch_bytes(const SwBatch *batch)
{
	Size		n_bytes = 0;
	int			i;

	for (i = 0; i < batch->n_columns; i++)
		n_bytes += sw_column_bytes(&batch->columns[i]);
	return n_bytes;
}

Size
sw_batch_allocated(const SwBatch *batch)
{
	Size		n_bytes = 0;
	int			i;

	for (i = 0; i < batch->n_columns; i++)
		n_bytes += sw_column_allocated(&batch->columns[i]);
	return n_bytes;
}

/* ---- growing ---- */

void
sw_column_grow(SwColumn *column, Size n_bytes)
{
	if (column->n_rows >= column->rows_allocated)
	{
		column->rows_allocated *=
			column->rows_allocated < SW_COLUMN_USUAL_ROWS ? 4 : 2;
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

/* ---- values ---- */

uint32
sw_column_get_code(SwColumn *column, const char *label, Size n_bytes)
{
	SwColumn   *labels = &column->children[0];
	uint64		code;

	for (code = 0; code < labels->n_rows; code++)
	{
		Size		n_known;
		const char *known = sw_column_get_bytes(labels, code, &n_known);

		if (n_known == n_bytes && memcmp(known, label, n_bytes) == 0)
			return (uint32) code;
	}
	sw_column_append_bytes(labels, label, n_bytes);
	return (uint32) code;
}

void
sw_column_append_null(SwColumn *column)
{
	static const char filler[32] = {0};
	int			i;

	if (sw_type_is_container(column->type))
	{
		if (column->type == SW_TYPE_TUPLE)
		{
			for (i = 0; i < column->n_children; i++)
				sw_column_append_null(&column->children[i]);
		}
		sw_column_end_container(column);
		return;
	}

	Assert(column->is_nullable);
	if (column->width > 0)
		sw_column_append_fixed(column, filler, column->width);
	else
		sw_column_append_bytes(column, "", 0);
	column->validity[column->n_rows - 1] = 0;
	column->n_nulls++;
}
