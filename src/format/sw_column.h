/*-------------------------------------------------------------------------
 *
 * sw_column.h
 *	  Columns of values in memory: what source fills and writers encode.
 *
 * A batch is a set of columns of equal length.  Each column is the classic
 * triple: validity bytes, offsets (variable-length types only), data.  The
 * append functions are inline: they are the hot path of every export.
 *
 * All memory is palloc'd in the context that is current when sw_batch_init
 * runs; growth happens in place (repalloc keeps the chunk's context), so
 * a batch may be filled under any current context.
 *
 * Rows are appended column by column: append one value (or null) to every
 * column, then call sw_batch_end_row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_COLUMN_H
#define SW_COLUMN_H

/*
 * Logical type of one exported column.  source coerces to it, format
 * decides how it is stored, target decides its DDL type and how the load
 * statement converts it.
 */
typedef enum SwType
{
	SW_TYPE_STRING,				/* UTF-8 bytes, no terminator */
	SW_TYPE_INT64,
	SW_TYPE_TIMESTAMP_MS,		/* int64, milliseconds since 1970-01-01 UTC */
	SW_TYPE_JSON				/* UTF-8 JSON text */
} SwType;

typedef struct SwColumnSpec
{
	const char *name;			/* column name at the target */
	SwType		type;
	bool		is_nullable;	/* may hold nulls */
} SwColumnSpec;

typedef struct SwColumn
{
	SwType		type;
	bool		is_nullable;
	bool		is_variable;	/* offsets in use: STRING and JSON */
	uint64		n_rows;
	uint64		n_nulls;
	uint8	   *validity;		/* one byte a row, 1 = value; NULL unless
								 * is_nullable */
	uint64	   *offsets;		/* end of row i in data; is_variable only */
	char	   *data;			/* int64 values in host order, or bytes */
	Size		data_bytes;		/* used part of data */
	uint64		rows_allocated;
	Size		data_allocated;
} SwColumn;

typedef struct SwBatch
{
	int			n_columns;
	SwColumn   *columns;
	uint64		n_rows;
} SwBatch;

/* Make an empty batch of the given shape; specs are copied. */
extern void sw_batch_init(SwBatch *batch, const SwColumnSpec *specs,
						  int n_columns);

/* Forget all rows, keep the memory. */
extern void sw_batch_reset(SwBatch *batch);

/* Bytes held by the values of the batch (used, not allocated). */
extern Size sw_batch_bytes(const SwBatch *batch);

/* Make room for one more row and n_bytes of data; amortised doubling. */
extern void sw_column_grow(SwColumn *column, Size n_bytes);

static inline void
sw_column_reserve(SwColumn *column, Size n_bytes)
{
	if (unlikely(column->n_rows >= column->rows_allocated ||
				 column->data_bytes + n_bytes > column->data_allocated))
		sw_column_grow(column, n_bytes);
}

static inline void
sw_column_append_int64(SwColumn *column, int64 value)
{
	sw_column_reserve(column, sizeof(int64));
	memcpy(column->data + column->data_bytes, &value, sizeof(int64));
	column->data_bytes += sizeof(int64);
	if (column->is_nullable)
		column->validity[column->n_rows] = 1;
	column->n_rows++;
}

static inline void
sw_column_append_bytes(SwColumn *column, const char *bytes, Size n_bytes)
{
	sw_column_reserve(column, n_bytes);
	memcpy(column->data + column->data_bytes, bytes, n_bytes);
	column->data_bytes += n_bytes;
	column->offsets[column->n_rows] = column->data_bytes;
	if (column->is_nullable)
		column->validity[column->n_rows] = 1;
	column->n_rows++;
}

/* Only for nullable columns.  Fixed-width columns store a zero as filler. */
extern void sw_column_append_null(SwColumn *column);

/* Every column has got its value: the row counts. */
static inline void
sw_batch_end_row(SwBatch *batch)
{
	batch->n_rows++;
}

/* First byte and length of row i of a variable-length column. */
static inline const char *
sw_column_get_bytes(const SwColumn *column, uint64 row, Size *n_bytes)
{
	uint64		start = row == 0 ? 0 : column->offsets[row - 1];

	*n_bytes = (Size) (column->offsets[row] - start);
	return column->data + start;
}

static inline int64
sw_column_get_int64(const SwColumn *column, uint64 row)
{
	int64		value;

	memcpy(&value, column->data + row * sizeof(int64), sizeof(int64));
	return value;
}

#endif							/* SW_COLUMN_H */
