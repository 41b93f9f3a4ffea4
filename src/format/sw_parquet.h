/*-------------------------------------------------------------------------
 *
 * sw_parquet.h
 *	  What the files of the Parquet writer share.  Others use sw_writer.h.
 *
 * A value goes batch -> page (raw, about 1 MiB) -> chunk (finished pages
 * of one column of one row group, compressed) -> sink, when the row group
 * closes.  A chunk's dictionary page goes in front of its pages.
 *
 * Memory: all of it is allocated when the writer is opened, and grows in
 * place, so it stays in the opener's context.  A buffer grows by doubling, so
 * those of a row group take up to twice its bytes; what they keep for the
 * next one is no more.
 *
 * Source of truth: the Apache Parquet format (parquet.thrift, Encodings).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PARQUET_H
#define SW_PARQUET_H

#include "common/sw_bytes.h"
#include "common/sw_status.h"
#include "format/sw_codec.h"
#include "format/sw_column.h"
#include "format/sw_dictionary.h"
#include "format/sw_writer.h"

/* A page is closed before it gets larger than this (one value may be). */
#define SW_PARQUET_PAGE_BYTES (1024 * 1024)
/*
 * With a dictionary a page is small whatever it stands for; this is what it
 * may stand for, and so the most that it can grow to when the dictionary is
 * given up.
 */
#define SW_PARQUET_DICTIONARY_PAGE_BYTES (8 * 1024 * 1024)
/* A page is closed when it has this many values, nulls included. */
#define SW_PARQUET_PAGE_VALUES (128 * 1024)
/* Memory of page buffers that is kept from page to page. */
#define SW_PARQUET_KEPT_BYTES (4 * SW_PARQUET_PAGE_BYTES)
/*
 * Room for the levels of a page in front of its values: those of one large
 * value fit, so that it need not be copied to where they are.
 */
#define SW_PARQUET_HEADROOM 64
/* Largest value; a page's sizes are signed 32-bit. */
#define SW_PARQUET_MAX_VALUE_BYTES ((Size) 1 << 30)

/* Bytes of a string that statistics keep. */
#define SW_PARQUET_BOUND_BYTES 64

/* Codes of parquet.thrift */
#define SW_PARQUET_TYPE_BOOLEAN 0
#define SW_PARQUET_TYPE_INT32 1
#define SW_PARQUET_TYPE_INT64 2
#define SW_PARQUET_TYPE_FLOAT 4
#define SW_PARQUET_TYPE_DOUBLE 5
#define SW_PARQUET_TYPE_BYTE_ARRAY 6
#define SW_PARQUET_TYPE_FIXED 7
#define SW_PARQUET_REPETITION_REQUIRED 0
#define SW_PARQUET_REPETITION_OPTIONAL 1
#define SW_PARQUET_REPETITION_REPEATED 2
#define SW_PARQUET_CONVERTED_UTF8 0
#define SW_PARQUET_CONVERTED_MAP 1
#define SW_PARQUET_CONVERTED_LIST 3
#define SW_PARQUET_CONVERTED_DECIMAL 5
#define SW_PARQUET_CONVERTED_UINT_32 13
#define SW_PARQUET_CONVERTED_INT_16 16
#define SW_PARQUET_LOGICAL_STRING 1
#define SW_PARQUET_LOGICAL_MAP 2
#define SW_PARQUET_LOGICAL_LIST 3
#define SW_PARQUET_LOGICAL_UUID 14
#define SW_PARQUET_ENCODING_PLAIN 0
#define SW_PARQUET_ENCODING_RLE 3
#define SW_PARQUET_ENCODING_RLE_DICTIONARY 8
#define SW_PARQUET_PAGE_DATA 0
#define SW_PARQUET_PAGE_DICTIONARY 2

/* ---- sw_parquet_encode.c ---- */

/* Bits needed for values up to max_value, at least 1. */
extern int	sw_parquet_bit_width(uint32 max_value);

/*
 * Append n values of bit_width bits in the RLE / bit-packing hybrid, without
 * a length in front.
 */
extern void sw_parquet_encode_hybrid(SwBuffer *out, const uint16 *values,
									 uint32 n, int bit_width);

/* Append one BYTE_ARRAY: 32-bit length, bytes. */
extern void sw_parquet_encode_bytes(SwBuffer *out, const char *bytes, Size n);

/* ---- sw_parquet_leaf.c ---- */

/* Containers within containers, at most. */
#define SW_PARQUET_MAX_DEPTH 32

/* How the values of a leaf are kept and compared. */
typedef enum SwParquetKind
{
	SW_PARQUET_KIND_STRING,		/* BYTE_ARRAY of UTF-8; enums too */
	SW_PARQUET_KIND_BYTES,		/* BYTE_ARRAY of anything */
	SW_PARQUET_KIND_BOOL,
	SW_PARQUET_KIND_INTEGER,	/* of 2 (kept in 4), 4 or 8 bytes */
	SW_PARQUET_KIND_UNSIGNED,	/* of 4 bytes */
	SW_PARQUET_KIND_FLOAT,		/* of 4 or 8 bytes */
	SW_PARQUET_KIND_DECIMAL,	/* FIXED, signed, highest byte first */
	SW_PARQUET_KIND_FIXED		/* FIXED, compared as unsigned bytes */
} SwParquetKind;

/*
 * A column of the file: something in the tree of a column that has values
 * of its own.  A value's definition level says how many of the optional and
 * repeated nodes above it, itself included, are there; its repetition level,
 * which of the repeated ones goes on.
 */
typedef struct SwParquetLeaf
{
	const SwColumnSpec *spec;
	SwParquetKind kind;
	int			physical_type;
	int			width;			/* bytes of a PLAIN value; 0 = they vary, or
								 * it is a bit */
	int			max_definition;
	int			max_repetition;
	int			n_steps;		/* child to take at each container on the way */
	int			steps[SW_PARQUET_MAX_DEPTH];
} SwParquetLeaf;

/* How many leaves the columns have in all. */
extern int	sw_parquet_count_leaves(const SwColumnSpec *specs, int n_specs);

/*
 * Describe the leaves of one column, in the order of the schema; returns how
 * many.  SW_PARQUET_MAX_DEPTH has been checked.
 */
extern int	sw_parquet_describe_leaves(const SwColumnSpec *spec,
									   SwParquetLeaf *leaves);

/* Refuse trees that are deeper than SW_PARQUET_MAX_DEPTH. */
extern bool sw_parquet_is_too_deep(const SwColumnSpec *spec, int depth);

/* ---- sw_parquet_statistics.c ---- */

/* The first bytes of the least or greatest string, or a FIXED value. */
typedef struct SwParquetBound
{
	char		bytes[SW_PARQUET_BOUND_BYTES];
	Size		n_bytes;
	bool		is_cut;			/* the string is longer */
} SwParquetBound;

/* Of the values of one chunk.  No bounds are known while n_values is 0. */
typedef struct SwParquetStatistics
{
	uint64		n_values;		/* that compare: no nulls, no NaNs; repeats
								 * may be left out */
	uint64		n_nulls;
	bool		has_nan;		/* so that there are no bounds */
	int64		min_int64;
	int64		max_int64;
	double		min_double;
	double		max_double;
	SwParquetBound min_bytes;
	SwParquetBound max_bytes;
} SwParquetStatistics;

extern void sw_parquet_statistics_reset(SwParquetStatistics *statistics);
extern void sw_parquet_statistics_add_double(SwParquetStatistics *statistics,
											 double value);
extern void sw_parquet_statistics_add_bytes(SwParquetStatistics *statistics,
											const char *bytes, Size n);

/* n bytes, at most SW_PARQUET_BOUND_BYTES, that compare as a signed number. */
extern void sw_parquet_statistics_add_signed(SwParquetStatistics *statistics,
											 const char *bytes, Size n);

static inline void
sw_parquet_statistics_add_int64(SwParquetStatistics *statistics, int64 value)
{
	if (statistics->n_values++ == 0)
	{
		statistics->min_int64 = value;
		statistics->max_int64 = value;
	}
	else
	{
		statistics->min_int64 = Min(statistics->min_int64, value);
		statistics->max_int64 = Max(statistics->max_int64, value);
	}
}

/*
 * Turn a bound of strings into what the file says: cut, where it is text at
 * a character boundary, and for the upper one raised so that it is still a
 * bound.  False when there is no such string.
 */
extern bool sw_parquet_bound_finish(const SwParquetBound *bound,
									SwParquetKind kind, bool is_upper,
									SwParquetBound *out);

/*
 * What the file says of a leaf's values: bounds in their PLAIN form.  False
 * when there is nothing to say.
 */
extern bool sw_parquet_statistics_finish(const SwParquetStatistics *statistics,
										 const SwParquetLeaf *leaf,
										 SwParquetBound *lower,
										 SwParquetBound *upper);

/* ---- sw_parquet_page.c ---- */

/* Levels, or entry numbers of a dictionary: both are less than 65,536. */
typedef struct SwParquetNumbers
{
	uint16	   *values;
	uint32		n;
	uint32		allocated;
} SwParquetNumbers;

/* One leaf: the page being filled, and the chunk being collected. */
typedef struct SwParquetColumn
{
	SwParquetLeaf leaf;
	bool		tries_dictionary;	/* false once it clearly did not pay */

	/* the page */
	bool		in_dictionary;	/* values go to indices, not to values */
	Size		plain_bytes;	/* size of the page's values as PLAIN */
	uint32		n_values;		/* nulls and empty containers included */
	SwParquetNumbers indices;
	SwParquetNumbers definitions;	/* where max_definition > 0 */
	SwParquetNumbers repetitions;	/* where max_repetition > 0 */
	SwBuffer	values;			/* SW_PARQUET_HEADROOM bytes, then PLAIN; of
								 * booleans a byte each */

	/* the chunk */
	SwDictionary *dictionary;	/* NULL unless BYTE_ARRAY */
	SwParquetStatistics statistics;
	uint64		n_chunk_values;
	bool		has_plain_pages;
	bool		has_dictionary_pages;
	uint64		pages_raw_bytes;	/* headers included, as in the metadata */
	SwBuffer	pages;			/* finished, headers included */
} SwParquetColumn;

static inline Size
sw_parquet_column_get_value_bytes(const SwParquetColumn *column)
{
	return column->values.len - SW_PARQUET_HEADROOM;
}

/* What all columns of a file share while they make pages. */
typedef struct SwParquetPager
{
	SwCodec		codec;
	SwBuffer	body;			/* a page before compression */
	SwBuffer	compressed;		/* and after it */
} SwParquetPager;

extern void sw_parquet_column_init(SwParquetColumn *column,
								   const SwParquetLeaf *leaf);

/* Begin a new chunk; give back what buffers have beyond kept_bytes each. */
extern void sw_parquet_column_reset(SwParquetColumn *column, Size kept_bytes);

/* Bytes of memory that the column has allocated. */
extern Size sw_parquet_column_allocated(const SwParquetColumn *column);

/* Add all values of a batch's column that is a leaf itself. */
extern SwStatus sw_parquet_column_add(SwParquetColumn *column,
									  const SwColumn *values,
									  SwParquetPager *pager, SwError *err);

/*
 * Add one value with its levels, or what stands for an absent one: row is
 * looked at only where definition says that the value is there.
 */
extern SwStatus sw_parquet_column_add_value(SwParquetColumn *column,
											const SwColumn *values, uint64 row,
											int repetition, int definition,
											SwParquetPager *pager,
											SwError *err);

/* Finish the page being filled, if it has values. */
extern SwStatus sw_parquet_column_end_page(SwParquetColumn *column,
										   SwParquetPager *pager,
										   SwError *err);

/*
 * Append the chunk's dictionary page with its header to out; *raw_bytes is
 * the size it counts for in the metadata.
 */
extern SwStatus sw_parquet_column_build_dictionary_page(SwParquetColumn *column,
														SwParquetPager *pager,
														SwBuffer *out,
														uint64 *raw_bytes,
														SwError *err);

/* ---- sw_parquet_shred.c ---- */

/* Add all rows of a batch's column to the leaf that lies in its tree. */
extern SwStatus sw_parquet_shred(SwParquetColumn *column,
								 const SwColumn *values,
								 SwParquetPager *pager, SwError *err);

/* ---- sw_parquet_schema.c ---- */

/* Where the chunk of a column lies in the file, for the metadata. */
typedef struct SwParquetChunk
{
	int64		dictionary_offset;	/* -1 = no dictionary page */
	int64		data_offset;
	uint64		raw_bytes;
	uint64		compressed_bytes;
} SwParquetChunk;

/*
 * Append the RowGroup structure of a row group that has been written; roots
 * are the columns in which the leaves lie, codec is the pages'.
 */
extern void sw_parquet_build_row_group(SwBuffer *out,
									   const SwParquetColumn *columns,
									   const SwParquetChunk *chunks,
									   const SwColumnSpec *const *roots,
									   int n_leaves, uint64 n_rows,
									   int codec);

/*
 * Append the parts of the FileMetaData structure before and behind its
 * RowGroup structures.
 */
extern void sw_parquet_build_metadata(SwBuffer *head, SwBuffer *tail,
									  const SwColumnSpec *specs,
									  int n_columns, int n_leaves,
									  uint64 n_rows, uint32 n_row_groups,
									  const char *created_by);

#endif							/* SW_PARQUET_H */
