/*-------------------------------------------------------------------------
 *
 * sw_column.h
 *	  Columns of values in memory: what source fills and writers encode.
 *
 * A batch is a set of columns of equal length.  Each column is the classic
 * triple: validity bytes, offsets, data.  Containers keep no data of their
 * own: their members are columns again, of as many rows as there are
 * members.  The append functions are inline: they are the hot path of every
 * export.
 *
 *					offsets				data			children
 *	  fixed width	-					values			-
 *	  STRING, BYTES,
 *	  JSON			ends, in data		bytes			-
 *	  ENUM			-					uint32 codes	labels
 *	  ARRAY			ends, in elements	-				elements
 *	  MAP			ends, in entries	-				keys, values
 *	  TUPLE			-					-				fields
 *
 * All memory is palloc'd in the context that is current when sw_batch_init
 * runs; growth happens in place (repalloc keeps the chunk's context), so
 * a batch may be filled under any current context.
 *
 * Rows are appended column by column: append one value (or null) to every
 * column, then call sw_batch_end_row; or sw_batch_abandon_row, which forgets
 * what the row has put into any column so far.  A container's value is
 * ended, after its members, by sw_column_end_container.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_COLUMN_H
#define SW_COLUMN_H

#include "lib/stringinfo.h"

/*
 * Logical type of one exported column.  source coerces to it, format
 * decides how it is stored, target decides its DDL type and how the load
 * statement converts it.  Values are kept in host byte order.
 */
typedef enum SwType
{
	SW_TYPE_STRING,				/* UTF-8, no terminator */
	SW_TYPE_BYTES,				/* any bytes */
	SW_TYPE_JSON,				/* UTF-8 JSON text */
	SW_TYPE_BOOL,				/* 1 byte, 0 or 1 */
	SW_TYPE_INT16,
	SW_TYPE_INT32,
	SW_TYPE_INT64,
	SW_TYPE_UINT32,
	SW_TYPE_FLOAT32,
	SW_TYPE_FLOAT64,
	SW_TYPE_DECIMAL,			/* precision, scale: an integer of 4, 8, 16 or
								 * 32 bytes, two's complement, least
								 * significant byte first */
	SW_TYPE_UUID,				/* 16 bytes, in the order they are written */
	SW_TYPE_DATE,				/* int32, days since 1970-01-01 */
	SW_TYPE_TIME_US,			/* int64, microseconds since midnight */
	SW_TYPE_TIMESTAMP_MS,		/* int64, milliseconds since 1970-01-01 UTC */
	SW_TYPE_TIMESTAMP_US,		/* int64, microseconds since then */
	SW_TYPE_DATETIME_US,		/* the same of a wall clock without zone */
	SW_TYPE_ENUM,				/* one of few strings */
	SW_TYPE_ARRAY,
	SW_TYPE_MAP,
	SW_TYPE_TUPLE
} SwType;

/*
 * Nullable: only types that are no container.  A null array or map is an
 * empty one, and a null tuple has null fields: no warehouse holds anything
 * else.
 */
typedef struct SwColumnSpec
{
	const char *name;			/* column at the target, field of a tuple */
	SwType		type;
	bool		is_nullable;	/* may hold nulls */
	int			precision;		/* DECIMAL: digits, 1 .. 76 */
	int			scale;			/* DECIMAL: of them after the point, 0 ..
								 * precision */
	const struct SwColumnSpec *children;	/* ARRAY: 1, MAP: 2, TUPLE: all */
	int			n_children;
	const char *target_type;	/* what the user wants the target's column to
								 * be, in the warehouse's words; NULL = what
								 * the type says */
} SwColumnSpec;

#define SW_DECIMAL_MAX_PRECISION 76

typedef struct SwColumn
{
	SwType		type;
	bool		is_nullable;
	bool		has_offsets;	/* STRING, BYTES, JSON, ARRAY, MAP */
	uint8		width;			/* bytes of a value in data; 0 = they vary, or
								 * there are none */
	uint8		row_bytes;		/* of a row in validity and offsets */
	uint64		n_rows;
	uint64		n_nulls;
	uint8	   *validity;		/* one byte a row, 1 = value; NULL unless
								 * is_nullable */
	uint64	   *offsets;		/* end of row i; has_offsets only */
	char	   *data;			/* NULL for containers */
	Size		data_bytes;		/* used part of data */
	uint64		rows_allocated;
	Size		data_allocated;
	struct SwColumn *children;	/* ENUM: its labels, a STRING column */
	int			n_children;
} SwColumn;

typedef struct SwBatch
{
	int			n_columns;
	SwColumn   *columns;
	uint64		n_rows;
} SwBatch;

/* Make an empty batch of the given shape; specs are not kept. */
extern void sw_batch_init(SwBatch *batch, const SwColumnSpec *specs,
						  int n_columns);

/*
 * Forget all rows, keep the memory; but give back what columns have beyond
 * max_column_bytes each, so that one huge value does not stay for ever.  The
 * labels of enums stay, and so do their codes.
 */
extern void sw_batch_reset(SwBatch *batch, Size max_column_bytes);

/* Forget what was appended since the last sw_batch_end_row. */
extern void sw_batch_abandon_row(SwBatch *batch);

/* Is this the shape of the batch, and are its columns equally long? */
extern bool sw_batch_fits(const SwBatch *batch, const SwColumnSpec *specs,
						  int n_columns);

/*
 * What a column is in a staged file, in the warehouse's words: times are
 * Int64, dates Int32, a UUID its bytes, a boolean UInt8.
 */
extern void sw_column_append_file_type(StringInfo text,
									   const SwColumnSpec *spec);

/* Bytes held by the values of the batch (used, not allocated). */
extern Size sw_batch_bytes(const SwBatch *batch);

/* Bytes of memory that the batch has allocated for values. */
extern Size sw_batch_allocated(const SwBatch *batch);

/* Make room for one more row and n_bytes of data; amortised doubling. */
extern void sw_column_grow(SwColumn *column, Size n_bytes);

static inline void
sw_column_reserve(SwColumn *column, Size n_bytes)
{
	if (unlikely(column->n_rows >= column->rows_allocated ||
				 n_bytes > column->data_allocated - column->data_bytes))
		sw_column_grow(column, n_bytes);
}

static inline void
sw_column_end_value(SwColumn *column)
{
	if (column->is_nullable)
		column->validity[column->n_rows] = 1;
	column->n_rows++;
}

/* Of a type of that width; bytes need no alignment. */
static inline void
sw_column_append_fixed(SwColumn *column, const void *bytes, Size width)
{
	Assert(column->width == width);
	sw_column_reserve(column, width);
	memcpy(column->data + column->data_bytes, bytes, width);
	column->data_bytes += width;
	sw_column_end_value(column);
}

static inline void
sw_column_append_bool(SwColumn *column, bool value)
{
	uint8		byte = value ? 1 : 0;

	sw_column_append_fixed(column, &byte, sizeof(byte));
}

static inline void
sw_column_append_int16(SwColumn *column, int16 value)
{
	sw_column_append_fixed(column, &value, sizeof(value));
}

static inline void
sw_column_append_int32(SwColumn *column, int32 value)
{
	sw_column_append_fixed(column, &value, sizeof(value));
}

static inline void
sw_column_append_int64(SwColumn *column, int64 value)
{
	sw_column_append_fixed(column, &value, sizeof(value));
}

static inline void
sw_column_append_float32(SwColumn *column, float value)
{
	sw_column_append_fixed(column, &value, sizeof(value));
}

static inline void
sw_column_append_float64(SwColumn *column, double value)
{
	sw_column_append_fixed(column, &value, sizeof(value));
}

static inline void
sw_column_append_bytes(SwColumn *column, const char *bytes, Size n_bytes)
{
	sw_column_reserve(column, n_bytes);
	memcpy(column->data + column->data_bytes, bytes, n_bytes);
	column->data_bytes += n_bytes;
	column->offsets[column->n_rows] = column->data_bytes;
	sw_column_end_value(column);
}

/*
 * To write a value in place: room for n_bytes of it, and then, once it is
 * there, how long it became (at most n_bytes).
 */
static inline char *
sw_column_begin_bytes(SwColumn *column, Size n_bytes)
{
	sw_column_reserve(column, n_bytes);
	return column->data + column->data_bytes;
}

static inline void
sw_column_end_bytes(SwColumn *column, Size n_bytes)
{
	column->data_bytes += n_bytes;
	column->offsets[column->n_rows] = column->data_bytes;
	sw_column_end_value(column);
}

/*
 * The code of a label, which is added when it is new.  To be looked up once
 * per label, not per row: it compares with each of them.
 */
extern uint32 sw_column_get_code(SwColumn *column, const char *label,
								 Size n_bytes);

static inline void
sw_column_append_code(SwColumn *column, uint32 code)
{
	sw_column_append_fixed(column, &code, sizeof(code));
}

/*
 * The members of the value have been appended to the children: for an array
 * or a map as many as there are, for a tuple one to each.
 */
static inline void
sw_column_end_container(SwColumn *column)
{
	sw_column_reserve(column, 0);
	if (column->has_offsets)
		column->offsets[column->n_rows] = column->children[0].n_rows;
	column->n_rows++;
}

/*
 * A nullable column gets a null (and a filler); an array or a map gets an
 * empty value, a tuple one of nulls.
 */
extern void sw_column_append_null(SwColumn *column);

/* Every column has got its value: the row counts. */
static inline void
sw_batch_end_row(SwBatch *batch)
{
	batch->n_rows++;
}

/* Where row i of a column with offsets begins, in bytes or members. */
static inline uint64
sw_column_get_start(const SwColumn *column, uint64 row)
{
	return row == 0 ? 0 : column->offsets[row - 1];
}

/* First byte and length of row i of a STRING, BYTES or JSON column. */
static inline const char *
sw_column_get_bytes(const SwColumn *column, uint64 row, Size *n_bytes)
{
	uint64		start = sw_column_get_start(column, row);

	*n_bytes = (Size) (column->offsets[row] - start);
	return column->data + start;
}

/* Row i of a column of fixed width. */
static inline const char *
sw_column_get_fixed(const SwColumn *column, uint64 row)
{
	return column->data + row * column->width;
}

static inline int64
sw_column_get_int64(const SwColumn *column, uint64 row)
{
	int64		value;

	memcpy(&value, sw_column_get_fixed(column, row), sizeof(value));
	return value;
}

static inline uint32
sw_column_get_code_at(const SwColumn *column, uint64 row)
{
	uint32		code;

	memcpy(&code, sw_column_get_fixed(column, row), sizeof(code));
	return code;
}

/* Is it made of other columns, so that it cannot be null? */
static inline bool
sw_type_is_container(SwType type)
{
	return type == SW_TYPE_ARRAY || type == SW_TYPE_MAP ||
		type == SW_TYPE_TUPLE;
}

/* Is a value a string of bytes? */
static inline bool
sw_type_is_string(SwType type)
{
	return type == SW_TYPE_STRING || type == SW_TYPE_BYTES ||
		type == SW_TYPE_JSON;
}

/* Bytes of a value; 0 for strings and containers. */
extern int	sw_type_width(SwType type, int precision);

#endif							/* SW_COLUMN_H */
