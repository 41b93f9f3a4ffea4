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
 * place, so it stays in the opener's context.
 *
 * Source of truth: the Apache Parquet format (parquet.thrift, Encodings).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PARQUET_H
#define SW_PARQUET_H

#include "common/sw_bytes.h"
#include "common/sw_status.h"
#include "format/sw_codec_zstd.h"
#include "format/sw_column.h"
#include "format/sw_writer.h"

/* A page is closed before it gets larger than this (one value may be). */
#define SW_PARQUET_PAGE_BYTES (1024 * 1024)
/*
 * With a dictionary a page is small whatever it stands for; this is what it
 * may stand for, and so the most that it can grow to when the dictionary is
 * given up.
 */
#define SW_PARQUET_DICTIONARY_PAGE_BYTES (8 * 1024 * 1024)
/* A page never has more rows than this. */
#define SW_PARQUET_PAGE_ROWS (128 * 1024)
/* Largest value; a page's sizes are signed 32-bit. */
#define SW_PARQUET_MAX_VALUE_BYTES ((Size) 1 << 30)

/* A dictionary is given up when it gets larger than this ... */
#define SW_PARQUET_DICTIONARY_BYTES (1024 * 1024)
#define SW_PARQUET_DICTIONARY_ENTRIES (64 * 1024)
/* ... or, from this many entries on, when half the values are new. */
#define SW_PARQUET_DICTIONARY_TRIAL 1000

/* Bytes of a string that statistics keep. */
#define SW_PARQUET_BOUND_BYTES 64

/* Codes of parquet.thrift */
#define SW_PARQUET_TYPE_INT64 2
#define SW_PARQUET_TYPE_BYTE_ARRAY 6
#define SW_PARQUET_REPETITION_REQUIRED 0
#define SW_PARQUET_REPETITION_OPTIONAL 1
#define SW_PARQUET_CONVERTED_UTF8 0
#define SW_PARQUET_ENCODING_PLAIN 0
#define SW_PARQUET_ENCODING_RLE 3
#define SW_PARQUET_ENCODING_RLE_DICTIONARY 8
#define SW_PARQUET_CODEC_ZSTD 6
#define SW_PARQUET_PAGE_DATA 0
#define SW_PARQUET_PAGE_DICTIONARY 2

/* ---- sw_parquet_encode.c ---- */

/* Bits needed for values up to max_value, at least 1. */
extern int	sw_parquet_bit_width(uint32 max_value);

/*
 * Append n values of bit_width bits in the RLE / bit-packing hybrid, without
 * a length in front.
 */
extern void sw_parquet_encode_hybrid(SwBuffer *out, const uint32 *values,
									 uint32 n, int bit_width);

/* Append one BYTE_ARRAY: 32-bit length, bytes. */
extern void sw_parquet_encode_bytes(SwBuffer *out, const char *bytes, Size n);

/* ---- sw_parquet_statistics.c ---- */

/* The first bytes of the least or greatest string. */
typedef struct SwParquetBound
{
	char		bytes[SW_PARQUET_BOUND_BYTES];
	Size		n_bytes;
	bool		is_cut;			/* the string is longer */
} SwParquetBound;

/* Of the values of one chunk.  No bounds are known while n_values is 0. */
typedef struct SwParquetStatistics
{
	uint64		n_values;		/* not null; repeats may be left out */
	uint64		n_nulls;
	int64		min_int64;
	int64		max_int64;
	SwParquetBound min_bytes;
	SwParquetBound max_bytes;
} SwParquetStatistics;

extern void sw_parquet_statistics_reset(SwParquetStatistics *statistics);
extern void sw_parquet_statistics_add_int64(SwParquetStatistics *statistics,
											int64 value);
extern void sw_parquet_statistics_add_bytes(SwParquetStatistics *statistics,
											const char *bytes, Size n);

/*
 * Turn a bound into what the file says: cut at a character boundary, and
 * for the upper one raised so that it is still a bound.  False when there is
 * no such text.
 */
extern bool sw_parquet_bound_finish(const SwParquetBound *bound,
									bool is_upper, SwParquetBound *out);

/* ---- sw_parquet_dictionary.c ---- */

typedef struct SwParquetDictionary
{
	SwBuffer	values;			/* entries in order of arrival, PLAIN */
	uint32		n_entries;
	uint32		entries_allocated;
	uint32	   *hashes;			/* of each entry */
	uint32	   *positions;		/* of each entry in values */
	uint32		n_slots;		/* a power of two */
	uint32	   *slots;			/* entry number + 1, or 0 = free */
} SwParquetDictionary;

typedef enum SwParquetLookup
{
	SW_PARQUET_KNOWN,
	SW_PARQUET_ADDED,
	SW_PARQUET_FULL				/* not there, and no room for it */
} SwParquetLookup;

extern void sw_parquet_dictionary_init(SwParquetDictionary *dictionary);
extern void sw_parquet_dictionary_reset(SwParquetDictionary *dictionary);

/* Find a value or add it; *entry is set unless SW_PARQUET_FULL. */
extern SwParquetLookup sw_parquet_dictionary_find(SwParquetDictionary *dictionary,
												  const char *bytes, Size n,
												  uint32 *entry);
extern const char *sw_parquet_dictionary_get(const SwParquetDictionary *dictionary,
											 uint32 entry, Size *n);

/* ---- sw_parquet_page.c ---- */

/* One column: the page being filled, and the chunk being collected. */
typedef struct SwParquetColumn
{
	const SwColumnSpec *spec;
	bool		tries_dictionary;	/* false once it clearly did not pay */

	/* the page */
	bool		in_dictionary;	/* values go to indices, not to values */
	Size		plain_bytes;	/* size of the page's values as PLAIN */
	uint32		n_rows;			/* nulls included */
	uint32		n_indices;
	uint32	   *indices;		/* SW_PARQUET_PAGE_ROWS; NULL for int64 */
	uint32	   *levels;			/* likewise; NULL unless nullable */
	SwBuffer	values;			/* PLAIN */

	/* the chunk */
	SwParquetDictionary *dictionary;	/* NULL for int64 */
	SwParquetStatistics statistics;
	uint64		n_chunk_rows;
	uint64		n_dictionary_values;	/* not null, since the chunk began */
	bool		has_plain_pages;
	bool		has_dictionary_pages;
	uint64		pages_raw_bytes;	/* headers included, as in the metadata */
	SwBuffer	pages;			/* finished, headers included */
} SwParquetColumn;

/* What all columns of a file share while they make pages. */
typedef struct SwParquetPager
{
	SwZstdCodec codec;
	SwBuffer	body;			/* a page before compression */
	SwBuffer	compressed;		/* and after it */
} SwParquetPager;

extern void sw_parquet_column_init(SwParquetColumn *column,
								   const SwColumnSpec *spec);

/* Begin a new chunk. */
extern void sw_parquet_column_reset(SwParquetColumn *column);

/* Add all values of a batch's column. */
extern SwStatus sw_parquet_column_add(SwParquetColumn *column,
									  const SwColumn *values,
									  SwParquetPager *pager, SwError *err);

/* Finish the page being filled, if it has rows. */
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

/* ---- sw_parquet_schema.c ---- */

/* Where the chunk of a column lies in the file, for the metadata. */
typedef struct SwParquetChunk
{
	int64		dictionary_offset;	/* -1 = no dictionary page */
	int64		data_offset;
	uint64		raw_bytes;
	uint64		compressed_bytes;
} SwParquetChunk;

/* Append the RowGroup structure of a row group that has been written. */
extern void sw_parquet_build_row_group(SwBuffer *out,
									   const SwParquetColumn *columns,
									   const SwParquetChunk *chunks,
									   int n_columns, uint64 n_rows);

/* Append the FileMetaData structure. */
extern void sw_parquet_build_metadata(SwBuffer *out,
									  const SwColumnSpec *specs,
									  int n_columns, uint64 n_rows,
									  const SwBuffer *row_groups,
									  uint32 n_row_groups,
									  const char *created_by);

#endif							/* SW_PARQUET_H */
