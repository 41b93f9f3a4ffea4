/*-------------------------------------------------------------------------
 *
 * sw_parquet_schema.c
 *	  Parquet metadata: schema, row groups, file.
 *
 * Pure: throws only when memory runs out.
 *
 * Field numbers are those of parquet.thrift.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "lib/stringinfo.h"

#include "format/sw_parquet.h"
#include "format/sw_thrift.h"

/* Version of the format: it has the encoding RLE_DICTIONARY. */
#define SW_PARQUET_VERSION 2

/* Key under which the file names the logical types of its columns. */
#define SW_PARQUET_TYPES_KEY "sensorswave_export.types"

static bool
sw_parquet_is_string(const SwColumnSpec *spec)
{
	return spec->type == SW_TYPE_STRING || spec->type == SW_TYPE_JSON;
}

static int
sw_parquet_physical_type(const SwColumnSpec *spec)
{
	return sw_parquet_is_string(spec) ? SW_PARQUET_TYPE_BYTE_ARRAY :
		SW_PARQUET_TYPE_INT64;
}

static const char *
sw_parquet_type_name(SwType type)
{
	switch (type)
	{
		case SW_TYPE_STRING:
			return "string";
		case SW_TYPE_INT64:
			return "int64";
		case SW_TYPE_TIMESTAMP_MS:
			return "timestamp_ms";
		case SW_TYPE_JSON:
			return "json";
	}
	return "unknown";
}

/* ---- row groups ---- */

/* Both bounds or none: few readers make use of one alone. */
static void
sw_parquet_write_statistics(SwThriftWriter *thrift,
							const SwParquetColumn *column)
{
	const SwParquetStatistics *statistics = &column->statistics;
	SwParquetBound upper;
	SwParquetBound lower;
	bool		has_bounds = statistics->n_values > 0;

	memset(&upper, 0, sizeof(upper));
	memset(&lower, 0, sizeof(lower));
	if (sw_parquet_is_string(column->spec))
	{
		has_bounds = has_bounds &&
			sw_parquet_bound_finish(&statistics->max_bytes, true, &upper) &&
			sw_parquet_bound_finish(&statistics->min_bytes, false, &lower);
	}
	else
	{
		int			i;

		upper.n_bytes = sizeof(int64);
		lower.n_bytes = sizeof(int64);
		for (i = 0; i < (int) sizeof(int64); i++)
		{
			upper.bytes[i] = (char) ((uint64) statistics->max_int64 >> (8 * i));
			lower.bytes[i] = (char) ((uint64) statistics->min_int64 >> (8 * i));
		}
	}

	sw_thrift_begin_struct(thrift, 12);
	sw_thrift_write_int64(thrift, 3, (int64) statistics->n_nulls);
	if (has_bounds)
	{
		sw_thrift_write_binary(thrift, 5, upper.bytes, upper.n_bytes);
		sw_thrift_write_binary(thrift, 6, lower.bytes, lower.n_bytes);
		sw_thrift_write_bool(thrift, 7, !upper.is_cut);
		sw_thrift_write_bool(thrift, 8, !lower.is_cut);
	}
	sw_thrift_end_struct(thrift);
}

static void
sw_parquet_write_chunk(SwThriftWriter *thrift, const SwParquetColumn *column,
					   const SwParquetChunk *chunk)
{
	int			encodings[3];
	int			n_encodings = 0;
	int			i;

	/* The dictionary page itself is PLAIN. */
	if (column->has_plain_pages || column->has_dictionary_pages)
		encodings[n_encodings++] = SW_PARQUET_ENCODING_PLAIN;
	if (column->levels != NULL)
		encodings[n_encodings++] = SW_PARQUET_ENCODING_RLE;
	if (column->has_dictionary_pages)
		encodings[n_encodings++] = SW_PARQUET_ENCODING_RLE_DICTIONARY;

	sw_thrift_add_struct(thrift);
	sw_thrift_write_int64(thrift, 2, 0);
	sw_thrift_begin_struct(thrift, 3);
	sw_thrift_write_int32(thrift, 1, sw_parquet_physical_type(column->spec));
	sw_thrift_begin_list(thrift, 2, SW_THRIFT_INT32, n_encodings);
	for (i = 0; i < n_encodings; i++)
		sw_thrift_add_int32(thrift, encodings[i]);
	sw_thrift_begin_list(thrift, 3, SW_THRIFT_BINARY, 1);
	sw_thrift_add_cstring(thrift, column->spec->name);
	sw_thrift_write_int32(thrift, 4, SW_PARQUET_CODEC_ZSTD);
	sw_thrift_write_int64(thrift, 5, (int64) column->n_chunk_rows);
	sw_thrift_write_int64(thrift, 6, (int64) chunk->raw_bytes);
	sw_thrift_write_int64(thrift, 7, (int64) chunk->compressed_bytes);
	sw_thrift_write_int64(thrift, 9, chunk->data_offset);
	if (chunk->dictionary_offset >= 0)
		sw_thrift_write_int64(thrift, 11, chunk->dictionary_offset);
	sw_parquet_write_statistics(thrift, column);
	sw_thrift_end_struct(thrift);
	sw_thrift_end_struct(thrift);
}

void
sw_parquet_build_row_group(SwBuffer *out, const SwParquetColumn *columns,
						   const SwParquetChunk *chunks, int n_columns,
						   uint64 n_rows)
{
	SwThriftWriter thrift;
	uint64		raw_bytes = 0;
	uint64		compressed_bytes = 0;
	int			i;

	sw_thrift_init(&thrift, out);
	sw_thrift_begin_list(&thrift, 1, SW_THRIFT_STRUCT, n_columns);
	for (i = 0; i < n_columns; i++)
	{
		sw_parquet_write_chunk(&thrift, &columns[i], &chunks[i]);
		raw_bytes += chunks[i].raw_bytes;
		compressed_bytes += chunks[i].compressed_bytes;
	}
	sw_thrift_write_int64(&thrift, 2, (int64) raw_bytes);
	sw_thrift_write_int64(&thrift, 3, (int64) n_rows);
	sw_thrift_write_int64(&thrift, 5, chunks[0].dictionary_offset >= 0 ?
						  chunks[0].dictionary_offset : chunks[0].data_offset);
	sw_thrift_write_int64(&thrift, 6, (int64) compressed_bytes);
	sw_thrift_end_struct(&thrift);
}

/* ---- file ---- */

static void
sw_parquet_write_schema(SwThriftWriter *thrift, const SwColumnSpec *specs,
						int n_columns)
{
	int			i;

	sw_thrift_begin_list(thrift, 2, SW_THRIFT_STRUCT, n_columns + 1);
	sw_thrift_add_struct(thrift);
	sw_thrift_write_cstring(thrift, 4, "schema");
	sw_thrift_write_int32(thrift, 5, n_columns);
	sw_thrift_end_struct(thrift);

	for (i = 0; i < n_columns; i++)
	{
		sw_thrift_add_struct(thrift);
		sw_thrift_write_int32(thrift, 1, sw_parquet_physical_type(&specs[i]));
		sw_thrift_write_int32(thrift, 3, specs[i].is_nullable ?
							  SW_PARQUET_REPETITION_OPTIONAL :
							  SW_PARQUET_REPETITION_REQUIRED);
		sw_thrift_write_cstring(thrift, 4, specs[i].name);
		if (sw_parquet_is_string(&specs[i]))
		{
			sw_thrift_write_int32(thrift, 6, SW_PARQUET_CONVERTED_UTF8);
			sw_thrift_begin_struct(thrift, 10);
			sw_thrift_begin_struct(thrift, 1);
			sw_thrift_end_struct(thrift);
			sw_thrift_end_struct(thrift);
		}
		sw_thrift_end_struct(thrift);
	}
}

static void
sw_parquet_write_types(SwThriftWriter *thrift, const SwColumnSpec *specs,
					   int n_columns)
{
	StringInfoData types;
	int			i;

	initStringInfo(&types);
	for (i = 0; i < n_columns; i++)
		appendStringInfo(&types, "%s%s", i > 0 ? "," : "",
						 sw_parquet_type_name(specs[i].type));

	sw_thrift_begin_list(thrift, 5, SW_THRIFT_STRUCT, 1);
	sw_thrift_add_struct(thrift);
	sw_thrift_write_cstring(thrift, 1, SW_PARQUET_TYPES_KEY);
	sw_thrift_write_binary(thrift, 2, types.data, types.len);
	sw_thrift_end_struct(thrift);
	pfree(types.data);
}

void
sw_parquet_build_metadata(SwBuffer *out, const SwColumnSpec *specs,
						  int n_columns, uint64 n_rows,
						  const SwBuffer *row_groups, uint32 n_row_groups,
						  const char *created_by)
{
	SwThriftWriter thrift;
	int			i;

	sw_thrift_init(&thrift, out);
	sw_thrift_write_int32(&thrift, 1, SW_PARQUET_VERSION);
	sw_parquet_write_schema(&thrift, specs, n_columns);
	sw_thrift_write_int64(&thrift, 3, (int64) n_rows);

	sw_thrift_begin_list(&thrift, 4, SW_THRIFT_STRUCT, n_row_groups);
	sw_buffer_append_bytes(out, row_groups->data, row_groups->len);

	sw_parquet_write_types(&thrift, specs, n_columns);
	sw_thrift_write_cstring(&thrift, 6, created_by);

	/* Every column is ordered as its type says. */
	sw_thrift_begin_list(&thrift, 7, SW_THRIFT_STRUCT, n_columns);
	for (i = 0; i < n_columns; i++)
	{
		sw_thrift_add_struct(&thrift);
		sw_thrift_begin_struct(&thrift, 1);
		sw_thrift_end_struct(&thrift);
		sw_thrift_end_struct(&thrift);
	}
	sw_thrift_end_struct(&thrift);
}
