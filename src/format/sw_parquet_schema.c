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

#include "common/sw_version.h"
#include "format/sw_parquet.h"
#include "format/sw_thrift.h"

/* Version of the format: it has the encoding RLE_DICTIONARY. */
#define SW_PARQUET_VERSION 2

/* What the file's keys say: logical types of its columns, who wrote it. */
#define SW_PARQUET_TYPES_KEY "sensorswave_export.types"
#define SW_PARQUET_VERSION_KEY "sensorswave_export.version"

static const char *
sw_parquet_type_name(SwType type)
{
	switch (type)
	{
		case SW_TYPE_STRING:
			return "string";
		case SW_TYPE_BYTES:
			return "bytes";
		case SW_TYPE_JSON:
			return "json";
		case SW_TYPE_BOOL:
			return "bool";
		case SW_TYPE_INT16:
			return "int16";
		case SW_TYPE_INT32:
			return "int32";
		case SW_TYPE_INT64:
			return "int64";
		case SW_TYPE_UINT32:
			return "uint32";
		case SW_TYPE_FLOAT32:
			return "float32";
		case SW_TYPE_FLOAT64:
			return "float64";
		case SW_TYPE_DECIMAL:
			return "decimal";
		case SW_TYPE_UUID:
			return "uuid";
		case SW_TYPE_DATE:
			return "date";
		case SW_TYPE_TIME_US:
			return "time_us";
		case SW_TYPE_TIMESTAMP_MS:
			return "timestamp_ms";
		case SW_TYPE_TIMESTAMP_US:
			return "timestamp_us";
		case SW_TYPE_DATETIME_US:
			return "datetime_us";
		case SW_TYPE_ENUM:
			return "enum";
		case SW_TYPE_ARRAY:
			return "array";
		case SW_TYPE_MAP:
			return "map";
		case SW_TYPE_TUPLE:
			return "tuple";
	}
	return "unknown";
}

/* What the groups and members of a list and of a map are called. */
static const char *
sw_parquet_group_name(const SwColumnSpec *container)
{
	return container->type == SW_TYPE_MAP ? "key_value" : "list";
}

static const char *
sw_parquet_member_name(const SwColumnSpec *container, int member)
{
	if (container->type == SW_TYPE_ARRAY)
		return "element";
	if (container->type == SW_TYPE_MAP)
		return member == 0 ? "key" : "value";
	return container->children[member].name;
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

	sw_thrift_begin_struct(thrift, 12);
	sw_thrift_write_int64(thrift, 3, (int64) statistics->n_nulls);
	if (sw_parquet_statistics_finish(statistics, &column->leaf, &lower, &upper))
	{
		sw_thrift_write_binary(thrift, 5, upper.bytes, upper.n_bytes);
		sw_thrift_write_binary(thrift, 6, lower.bytes, lower.n_bytes);
		sw_thrift_write_bool(thrift, 7, !upper.is_cut);
		sw_thrift_write_bool(thrift, 8, !lower.is_cut);
	}
	sw_thrift_end_struct(thrift);
}

static void
sw_parquet_write_path(SwThriftWriter *thrift, const SwColumnSpec *root,
					  const SwParquetLeaf *leaf)
{
	const SwColumnSpec *spec = root;
	int			step;

	sw_thrift_begin_list(thrift, 3, SW_THRIFT_BINARY,
						 1 + leaf->n_steps + leaf->max_repetition);
	sw_thrift_add_cstring(thrift, root->name);
	for (step = 0; step < leaf->n_steps; step++)
	{
		if (spec->type != SW_TYPE_TUPLE)
			sw_thrift_add_cstring(thrift, sw_parquet_group_name(spec));
		sw_thrift_add_cstring(thrift,
							  sw_parquet_member_name(spec, leaf->steps[step]));
		spec = &spec->children[leaf->steps[step]];
	}
}

static void
sw_parquet_write_chunk(SwThriftWriter *thrift, const SwParquetColumn *column,
					   const SwColumnSpec *root, const SwParquetChunk *chunk,
					   int codec)
{
	int			encodings[3];
	int			n_encodings = 0;
	int			i;

	/* The dictionary page itself is PLAIN. */
	if (column->has_plain_pages || column->has_dictionary_pages)
		encodings[n_encodings++] = SW_PARQUET_ENCODING_PLAIN;
	if (column->leaf.max_definition > 0)
		encodings[n_encodings++] = SW_PARQUET_ENCODING_RLE;
	if (column->has_dictionary_pages)
		encodings[n_encodings++] = SW_PARQUET_ENCODING_RLE_DICTIONARY;

	sw_thrift_add_struct(thrift);
	sw_thrift_write_int64(thrift, 2, 0);
	sw_thrift_begin_struct(thrift, 3);
	sw_thrift_write_int32(thrift, 1, column->leaf.physical_type);
	sw_thrift_begin_list(thrift, 2, SW_THRIFT_INT32, n_encodings);
	for (i = 0; i < n_encodings; i++)
		sw_thrift_add_int32(thrift, encodings[i]);
	sw_parquet_write_path(thrift, root, &column->leaf);
	sw_thrift_write_int32(thrift, 4, codec);
	sw_thrift_write_int64(thrift, 5, (int64) column->n_chunk_values);
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
						   const SwParquetChunk *chunks,
						   const SwColumnSpec *const *roots, int n_leaves,
						   uint64 n_rows, int codec)
{
	SwThriftWriter thrift;
	uint64		raw_bytes = 0;
	uint64		compressed_bytes = 0;
	int			i;

	sw_thrift_init(&thrift, out);
	sw_thrift_begin_list(&thrift, 1, SW_THRIFT_STRUCT, n_leaves);
	for (i = 0; i < n_leaves; i++)
	{
		sw_parquet_write_chunk(&thrift, &columns[i], roots[i], &chunks[i],
							   codec);
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

/* Nodes of the schema for a column; an array or map has one in between. */
static int
sw_parquet_count_nodes(const SwColumnSpec *spec)
{
	int			n_nodes = 1;
	int			i;

	if (!sw_type_is_container(spec->type))
		return 1;
	if (spec->type != SW_TYPE_TUPLE)
		n_nodes++;
	for (i = 0; i < spec->n_children; i++)
		n_nodes += sw_parquet_count_nodes(&spec->children[i]);
	return n_nodes;
}

/* An INTEGER or DECIMAL annotation, in its old and its new form. */
static void
sw_parquet_write_integer_type(SwThriftWriter *thrift, int converted,
							  int bit_width, bool is_signed)
{
	sw_thrift_write_int32(thrift, 6, converted);
	sw_thrift_begin_struct(thrift, 10);
	sw_thrift_begin_struct(thrift, 10);
	sw_thrift_write_int8(thrift, 1, bit_width);
	sw_thrift_write_bool(thrift, 2, is_signed);
	sw_thrift_end_struct(thrift);
	sw_thrift_end_struct(thrift);
}

static void
sw_parquet_write_decimal_type(SwThriftWriter *thrift, const SwColumnSpec *spec)
{
	sw_thrift_write_int32(thrift, 6, SW_PARQUET_CONVERTED_DECIMAL);
	sw_thrift_write_int32(thrift, 7, spec->scale);
	sw_thrift_write_int32(thrift, 8, spec->precision);
	sw_thrift_begin_struct(thrift, 10);
	sw_thrift_begin_struct(thrift, 5);
	sw_thrift_write_int32(thrift, 1, spec->scale);
	sw_thrift_write_int32(thrift, 2, spec->precision);
	sw_thrift_end_struct(thrift);
	sw_thrift_end_struct(thrift);
}

/* An annotation without parameters; field of the union LogicalType. */
static void
sw_parquet_write_logical_type(SwThriftWriter *thrift, int field)
{
	sw_thrift_begin_struct(thrift, 10);
	sw_thrift_begin_struct(thrift, field);
	sw_thrift_end_struct(thrift);
	sw_thrift_end_struct(thrift);
}

static void
sw_parquet_write_group(SwThriftWriter *thrift, const char *name,
					   int repetition, int n_children)
{
	sw_thrift_add_struct(thrift);
	sw_thrift_write_int32(thrift, 3, repetition);
	sw_thrift_write_cstring(thrift, 4, name);
	sw_thrift_write_int32(thrift, 5, n_children);
}

static void
sw_parquet_write_leaf(SwThriftWriter *thrift, const SwColumnSpec *spec,
					  const char *name)
{
	SwParquetLeaf leaf;

	(void) sw_parquet_describe_leaves(spec, &leaf);
	sw_thrift_add_struct(thrift);
	sw_thrift_write_int32(thrift, 1, leaf.physical_type);
	if (leaf.physical_type == SW_PARQUET_TYPE_FIXED)
		sw_thrift_write_int32(thrift, 2, leaf.width);
	sw_thrift_write_int32(thrift, 3, spec->is_nullable ?
						  SW_PARQUET_REPETITION_OPTIONAL :
						  SW_PARQUET_REPETITION_REQUIRED);
	sw_thrift_write_cstring(thrift, 4, name);
	if (leaf.kind == SW_PARQUET_KIND_STRING)
	{
		sw_thrift_write_int32(thrift, 6, SW_PARQUET_CONVERTED_UTF8);
		sw_parquet_write_logical_type(thrift, SW_PARQUET_LOGICAL_STRING);
	}
	else if (spec->type == SW_TYPE_INT16)
		sw_parquet_write_integer_type(thrift, SW_PARQUET_CONVERTED_INT_16, 16,
									  true);
	else if (spec->type == SW_TYPE_UINT32)
		sw_parquet_write_integer_type(thrift, SW_PARQUET_CONVERTED_UINT_32,
									  32, false);
	else if (spec->type == SW_TYPE_DECIMAL)
		sw_parquet_write_decimal_type(thrift, spec);
	else if (spec->type == SW_TYPE_UUID)
		sw_parquet_write_logical_type(thrift, SW_PARQUET_LOGICAL_UUID);
	sw_thrift_end_struct(thrift);
}

static void
sw_parquet_write_node(SwThriftWriter *thrift, const SwColumnSpec *spec,
					  const char *name)
{
	bool		is_map = spec->type == SW_TYPE_MAP;
	int			i;

	if (!sw_type_is_container(spec->type))
	{
		sw_parquet_write_leaf(thrift, spec, name);
		return;
	}
	sw_parquet_write_group(thrift, name, SW_PARQUET_REPETITION_REQUIRED,
						   spec->type == SW_TYPE_TUPLE ? spec->n_children : 1);
	if (spec->type != SW_TYPE_TUPLE)
	{
		sw_thrift_write_int32(thrift, 6, is_map ? SW_PARQUET_CONVERTED_MAP :
							  SW_PARQUET_CONVERTED_LIST);
		sw_parquet_write_logical_type(thrift, is_map ?
									  SW_PARQUET_LOGICAL_MAP :
									  SW_PARQUET_LOGICAL_LIST);
		sw_thrift_end_struct(thrift);
		sw_parquet_write_group(thrift, sw_parquet_group_name(spec),
							   SW_PARQUET_REPETITION_REPEATED,
							   spec->n_children);
	}
	sw_thrift_end_struct(thrift);
	for (i = 0; i < spec->n_children; i++)
		sw_parquet_write_node(thrift, &spec->children[i],
							  sw_parquet_member_name(spec, i));
}

static void
sw_parquet_write_schema(SwThriftWriter *thrift, const SwColumnSpec *specs,
						int n_columns)
{
	int			n_nodes = 1;
	int			i;

	for (i = 0; i < n_columns; i++)
		n_nodes += sw_parquet_count_nodes(&specs[i]);
	sw_thrift_begin_list(thrift, 2, SW_THRIFT_STRUCT, n_nodes);
	sw_thrift_add_struct(thrift);
	sw_thrift_write_cstring(thrift, 4, "schema");
	sw_thrift_write_int32(thrift, 5, n_columns);
	sw_thrift_end_struct(thrift);

	for (i = 0; i < n_columns; i++)
		sw_parquet_write_node(thrift, &specs[i], specs[i].name);
}

static void
sw_parquet_write_key(SwThriftWriter *thrift, const char *key,
					 const char *value)
{
	sw_thrift_add_struct(thrift);
	sw_thrift_write_cstring(thrift, 1, key);
	sw_thrift_write_cstring(thrift, 2, value);
	sw_thrift_end_struct(thrift);
}

static void
sw_parquet_write_keys(SwThriftWriter *thrift, const SwColumnSpec *specs,
					  int n_columns)
{
	StringInfoData types;
	int			i;

	initStringInfo(&types);
	for (i = 0; i < n_columns; i++)
		appendStringInfo(&types, "%s%s", i > 0 ? "," : "",
						 sw_parquet_type_name(specs[i].type));

	sw_thrift_begin_list(thrift, 5, SW_THRIFT_STRUCT, 2);
	sw_parquet_write_key(thrift, SW_PARQUET_TYPES_KEY, types.data);
	sw_parquet_write_key(thrift, SW_PARQUET_VERSION_KEY, SW_VERSION);
	pfree(types.data);
}

void
sw_parquet_build_metadata(SwBuffer *head, SwBuffer *tail,
						  const SwColumnSpec *specs, int n_columns,
						  int n_leaves, uint64 n_rows, uint32 n_row_groups,
						  const char *created_by)
{
	SwThriftWriter thrift;
	int			i;

	sw_thrift_init(&thrift, head);
	sw_thrift_write_int32(&thrift, 1, SW_PARQUET_VERSION);
	sw_parquet_write_schema(&thrift, specs, n_columns);
	sw_thrift_write_int64(&thrift, 3, (int64) n_rows);

	sw_thrift_begin_list(&thrift, 4, SW_THRIFT_STRUCT, n_row_groups);

	thrift.out = tail;
	sw_parquet_write_keys(&thrift, specs, n_columns);
	sw_thrift_write_cstring(&thrift, 6, created_by);

	/* Every column is ordered as its type says. */
	sw_thrift_begin_list(&thrift, 7, SW_THRIFT_STRUCT, n_leaves);
	for (i = 0; i < n_leaves; i++)
	{
		sw_thrift_add_struct(&thrift);
		sw_thrift_begin_struct(&thrift, 1);
		sw_thrift_end_struct(&thrift);
		sw_thrift_end_struct(&thrift);
	}
	sw_thrift_end_struct(&thrift);
}
