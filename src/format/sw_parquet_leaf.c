/*-------------------------------------------------------------------------
 *
 * sw_parquet_leaf.c
 *	  Which columns a Parquet file has for a column of ours: its leaves.
 *
 * Pure.
 *
 * A nullable leaf is optional, all else is required, except the repeated
 * group in the middle of a list or a map:
 *
 *	  array: required group (LIST) { repeated group list { element } }
 *	  map:	 required group (MAP) { repeated group key_value { key, value } }
 *	  tuple: required group { fields }
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_parquet.h"

bool
sw_parquet_is_too_deep(const SwColumnSpec *spec, int depth)
{
	int			i;

	if (!sw_type_is_container(spec->type))
		return false;
	if (depth >= SW_PARQUET_MAX_DEPTH)
		return true;
	for (i = 0; i < spec->n_children; i++)
		if (sw_parquet_is_too_deep(&spec->children[i], depth + 1))
			return true;
	return false;
}

int
sw_parquet_count_leaves(const SwColumnSpec *specs, int n_specs)
{
	int			n_leaves = 0;
	int			i;

	for (i = 0; i < n_specs; i++)
		n_leaves += sw_type_is_container(specs[i].type) ?
			sw_parquet_count_leaves(specs[i].children, specs[i].n_children) :
			1;
	return n_leaves;
}

static void
sw_parquet_set_kind(SwParquetLeaf *leaf, SwParquetKind kind,
					int physical_type, int width)
{
	leaf->kind = kind;
	leaf->physical_type = physical_type;
	leaf->width = width;
}

/* The leaf's own part: its type. */
static void
sw_parquet_describe_leaf(const SwColumnSpec *spec, SwParquetLeaf *leaf)
{
	int			width = sw_type_width(spec->type, spec->precision);

	leaf->spec = spec;
	switch (spec->type)
	{
		case SW_TYPE_STRING:
		case SW_TYPE_JSON:
		case SW_TYPE_ENUM:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_STRING,
								SW_PARQUET_TYPE_BYTE_ARRAY, 0);
			break;
		case SW_TYPE_BYTES:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_BYTES,
								SW_PARQUET_TYPE_BYTE_ARRAY, 0);
			break;
		case SW_TYPE_BOOL:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_BOOL,
								SW_PARQUET_TYPE_BOOLEAN, 0);
			break;
		case SW_TYPE_INT16:
		case SW_TYPE_INT32:
		case SW_TYPE_DATE:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_INTEGER,
								SW_PARQUET_TYPE_INT32, 4);
			break;
		case SW_TYPE_UINT32:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_UNSIGNED,
								SW_PARQUET_TYPE_INT32, 4);
			break;
		case SW_TYPE_INT64:
		case SW_TYPE_TIME_US:
		case SW_TYPE_TIMESTAMP_MS:
		case SW_TYPE_TIMESTAMP_US:
		case SW_TYPE_DATETIME_US:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_INTEGER,
								SW_PARQUET_TYPE_INT64, 8);
			break;
		case SW_TYPE_FLOAT32:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_FLOAT,
								SW_PARQUET_TYPE_FLOAT, width);
			break;
		case SW_TYPE_FLOAT64:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_FLOAT,
								SW_PARQUET_TYPE_DOUBLE, width);
			break;
		case SW_TYPE_DECIMAL:
			if (width <= 8)
				sw_parquet_set_kind(leaf, SW_PARQUET_KIND_INTEGER,
									width == 4 ? SW_PARQUET_TYPE_INT32 :
									SW_PARQUET_TYPE_INT64, width);
			else
				sw_parquet_set_kind(leaf, SW_PARQUET_KIND_DECIMAL,
									SW_PARQUET_TYPE_FIXED, width);
			break;
		case SW_TYPE_UUID:
			sw_parquet_set_kind(leaf, SW_PARQUET_KIND_FIXED,
								SW_PARQUET_TYPE_FIXED, width);
			break;
		case SW_TYPE_ARRAY:
		case SW_TYPE_MAP:
		case SW_TYPE_TUPLE:
			Assert(false);		/* they have leaves, and are none */
			break;
	}
}

/* above describes the way to spec. */
static int
sw_parquet_descend(const SwColumnSpec *spec, const SwParquetLeaf *above,
				   SwParquetLeaf *leaves)
{
	SwParquetLeaf way = *above;
	int			n_leaves = 0;
	int			i;

	if (!sw_type_is_container(spec->type))
	{
		way.max_definition += spec->is_nullable ? 1 : 0;
		sw_parquet_describe_leaf(spec, &way);
		*leaves = way;
		return 1;
	}
	if (spec->type != SW_TYPE_TUPLE)
	{
		way.max_definition++;
		way.max_repetition++;
	}
	way.n_steps++;
	for (i = 0; i < spec->n_children; i++)
	{
		way.steps[way.n_steps - 1] = i;
		n_leaves += sw_parquet_descend(&spec->children[i], &way,
									   leaves + n_leaves);
	}
	return n_leaves;
}

int
sw_parquet_describe_leaves(const SwColumnSpec *spec, SwParquetLeaf *leaves)
{
	SwParquetLeaf start;

	memset(&start, 0, sizeof(start));
	return sw_parquet_descend(spec, &start, leaves);
}
