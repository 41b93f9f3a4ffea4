/*-------------------------------------------------------------------------
 *
 * sw_type_map.c
 *	  Which column a value of the server becomes.
 *
 * Plain types are found in a table; what is made of other types is looked up
 * in the catalogs, and its members are mapped in turn.
 *
 * Contract: sw_type_map.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "source/sw_expr.h"
#include "source/sw_type_map.h"
#include "source/sw_type_wish.h"

/* Containers within containers; no file can hold more. */
#define MAX_DEPTH 32

/*
 * Columns of a file that one of the source may become: a few types that hold
 * each other twice would be millions.
 */
#define MAX_MEMBERS 2000

typedef struct TypeRow
{
	Oid			server_type;
	SwType		type;
} TypeRow;

/* All others become text, but see sw_type_map_fill. */
static const TypeRow type_rows[] = {
	{BOOLOID, SW_TYPE_BOOL},
	{INT2OID, SW_TYPE_INT16},
	{INT4OID, SW_TYPE_INT32},
	{INT8OID, SW_TYPE_INT64},
	{OIDOID, SW_TYPE_UINT32},
	{XIDOID, SW_TYPE_UINT32},
	{CIDOID, SW_TYPE_UINT32},
	{FLOAT4OID, SW_TYPE_FLOAT32},
	{FLOAT8OID, SW_TYPE_FLOAT64},
	{BYTEAOID, SW_TYPE_BYTES},
	{UUIDOID, SW_TYPE_UUID},
	{DATEOID, SW_TYPE_DATE},
	{TIMEOID, SW_TYPE_TIME_US},
	{TIMESTAMPOID, SW_TYPE_DATETIME_US},
	{TIMESTAMPTZOID, SW_TYPE_TIMESTAMP_US},
	{JSONOID, SW_TYPE_JSON},
	{JSONBOID, SW_TYPE_JSON}
};

static const SwSourceType key_source = {.type = TEXTOID,.typmod = -1,.is_not_null = true};
static const SwSourceType value_source = {.type = TEXTOID,.typmod = -1};

/* ---- specs ---- */

/* What a type is to be made for: the wish is for this one, not its members. */
typedef struct FillState
{
	const char *column;			/* that it belongs to */
	bool		has_time;
	const char *target_type;	/* or NULL */
	int			depth;
} FillState;

static void sw_type_map_fill(SwColumnSpec *spec, const char *name,
							 const SwSourceType *source,
							 const FillState *state);

static SwColumnSpec *
sw_type_map_add_children(SwColumnSpec *spec, SwType type, int n_children)
{
	SwColumnSpec *children = palloc0(sizeof(SwColumnSpec) * n_children);

	spec->type = type;
	spec->is_nullable = false;
	spec->children = children;
	spec->n_children = n_children;
	return children;
}

static int
sw_type_map_count_members(const SwColumnSpec *spec)
{
	int			n_members = 1;
	int			i;

	for (i = 0; i < spec->n_children; i++)
		n_members += sw_type_map_count_members(&spec->children[i]);
	return n_members;
}

/*
 * Make the members of a container, whose names are set where they have some,
 * of what the wish says of each.
 */
static void
sw_type_map_fill_children(SwColumnSpec *spec, Oid type,
						  const SwSourceType *sources, const FillState *state)
{
	SwColumnSpec *children = (SwColumnSpec *) spec->children;
	char	  **wishes = NULL;
	FillState	inner = *state;
	int			n_members = 0;
	int			i;

	inner.depth++;
	inner.target_type = NULL;
	if (state->target_type != NULL)
	{
		wishes = sw_type_wish_split(spec, type, state->target_type,
									state->column);
		spec->target_type = state->target_type;
	}
	for (i = 0; i < spec->n_children; i++)
	{
		if (wishes != NULL)
			inner.target_type = wishes[i];
		sw_type_map_fill(&children[i], children[i].name, &sources[i], &inner);
		n_members += sw_type_map_count_members(&children[i]);
		if (n_members > MAX_MEMBERS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("cannot export type %s: it has more than %d members",
							format_type_be(type), MAX_MEMBERS),
					 errdetail("Those of the types that it is made of count."),
					 errhint("Map the column to an expression, such as to_jsonb(...).")));
	}
}

/* A numeric: of a precision that the target has, or text. */
static void
sw_type_map_fill_numeric(SwColumnSpec *spec, int32 typmod)
{
	int			precision;
	int			scale;

	spec->type = SW_TYPE_STRING;
	if (typmod < (int32) VARHDRSZ)
		return;

	/* The scale is a number of 11 bits, from -1000 to 1000. */
	precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	scale = (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
	if (scale < 0)
	{
		precision -= scale;
		scale = 0;
	}
	precision = Max(precision, scale);
	if (precision > SW_DECIMAL_MAX_PRECISION)
		return;
	spec->type = SW_TYPE_DECIMAL;
	spec->precision = precision;
	spec->scale = scale;
}

static void
sw_type_map_fill_tuple(SwColumnSpec *spec, Oid type, const FillState *state)
{
	TupleDesc	row_type = lookup_rowtype_tupdesc_copy(type, -1);
	SwSourceType *sources = palloc0(sizeof(SwSourceType) * (row_type->natts + 1));
	SwColumnSpec *fields;
	int			n_fields = 0;
	int			i;

	for (i = 0; i < row_type->natts; i++)
		n_fields += TupleDescAttr(row_type, i)->attisdropped ? 0 : 1;
	if (n_fields == 0)
	{
		spec->type = SW_TYPE_STRING;
		return;
	}
	fields = sw_type_map_add_children(spec, SW_TYPE_TUPLE, n_fields);
	n_fields = 0;
	for (i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);

		if (attribute->attisdropped)
			continue;
		fields[n_fields].name = pstrdup(NameStr(attribute->attname));
		sources[n_fields].type = attribute->atttypid;
		sources[n_fields].typmod = attribute->atttypmod;
		sources[n_fields].n_dimensions = attribute->attndims;
		n_fields++;
	}
	FreeTupleDesc(row_type);
	sw_type_map_fill_children(spec, type, sources, state);
}

/* Dimensions that the domain declares, where its base is an array. */
static int
sw_type_map_get_dimensions(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	int			n_dimensions = 0;

	if (HeapTupleIsValid(tuple))
	{
		n_dimensions = ((Form_pg_type) GETSTRUCT(tuple))->typndims;
		ReleaseSysCache(tuple);
	}
	return n_dimensions;
}

static void
sw_type_map_fill_array(SwColumnSpec *spec, const SwSourceType *source,
					   Oid element_type, const FillState *state)
{
	SwSourceType element = {.type = element_type,.typmod = source->typmod};
	SwColumnSpec *child;

	/* No type of a target holds members of differing depth. */
	if (source->n_dimensions > 1)
	{
		spec->type = SW_TYPE_STRING;
		return;
	}
	child = sw_type_map_add_children(spec, SW_TYPE_ARRAY, 1);
	child->name = "element";
	sw_type_map_fill_children(spec, source->type, &element, state);
}

static void
sw_type_map_fill_map(SwColumnSpec *spec, Oid type, const FillState *state)
{
	SwColumnSpec *members = sw_type_map_add_children(spec, SW_TYPE_MAP, 2);
	SwSourceType sources[2];

	members[0].name = "key";
	members[1].name = "value";
	sources[0] = key_source;
	sources[1] = value_source;
	sw_type_map_fill_children(spec, type, sources, state);
}

static SwType
sw_type_map_find(Oid server_type)
{
	int			i;

	for (i = 0; i < (int) lengthof(type_rows); i++)
		if (type_rows[i].server_type == server_type)
			return type_rows[i].type;
	return SW_TYPE_STRING;
}

static void
sw_type_map_fill(SwColumnSpec *spec, const char *name,
				 const SwSourceType *source, const FillState *state)
{
	SwSourceType base = *source;
	Oid			element_type;

	check_stack_depth();
	if (state->depth > MAX_DEPTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot export type %s: it is nested too deeply",
						format_type_be(source->type)),
				 errdetail("Arrays and composite types are exported up to %d levels deep.",
						   MAX_DEPTH),
				 errhint("Map the column to an expression, such as to_jsonb(...).")));

	memset(spec, 0, sizeof(*spec));
	spec->name = name;
	spec->is_nullable = !source->is_not_null;

	if (base.n_dimensions == 0)
		base.n_dimensions = sw_type_map_get_dimensions(base.type);
	base.type = getBaseTypeAndTypmod(base.type, &base.typmod);
	element_type = get_element_type(base.type);

	if (OidIsValid(element_type))
		sw_type_map_fill_array(spec, &base, element_type, state);
	else if (base.type == NUMERICOID)
		sw_type_map_fill_numeric(spec, base.typmod);
	else if (get_typtype(base.type) == TYPTYPE_COMPOSITE)
		sw_type_map_fill_tuple(spec, base.type, state);
	else if (type_is_enum(base.type))
		spec->type = SW_TYPE_ENUM;
	else if (sw_type_map_is_hstore(base.type))
		sw_type_map_fill_map(spec, base.type, state);
	else
		spec->type = sw_type_map_find(base.type);

	if (spec->type == SW_TYPE_TIME_US && !state->has_time)
		spec->type = SW_TYPE_STRING;
	if (state->target_type != NULL && !sw_type_is_container(spec->type))
		sw_type_wish_apply(spec, base.type, state->target_type, state->column);
}

void
sw_type_map_make_spec(SwColumnSpec *spec, const char *name,
					  const SwSourceType *source, const SwTypeWish *wish)
{
	SwSourceType wanted = *source;
	FillState	state = {
		.column = name,
		.has_time = wish->has_time,
		.target_type = wish->target_type
	};

	if (wish->target_type != NULL)
		sw_type_wish_check(name, wish->target_type);
	wanted.is_not_null = source->is_not_null || wish->is_key;
	sw_type_map_fill(spec, name, &wanted, &state);
}

SwOnNull
sw_type_map_get_on_null(const SwColumnSpec *spec)
{
	return spec->is_nullable || sw_type_is_container(spec->type) ?
		SW_ON_NULL_NULL : SW_ON_NULL_ERROR;
}

bool
sw_type_map_is_hstore(Oid type)
{
	HeapTuple	tuple;
	bool		is_named_so;
	Oid			extension;

	if (type < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return false;
	is_named_so = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname),
						 "hstore") == 0;
	ReleaseSysCache(tuple);
	if (!is_named_so)
		return false;
	extension = getExtensionOfObject(TypeRelationId, type);
	return OidIsValid(extension) &&
		extension == get_extension_oid("hstore", true);
}

/* ---- the source ---- */

void
sw_type_map_resolve(Oid relation, const char *column, const char *expression,
					SwSourceType *source)
{
	const char *text = expression != NULL ? expression : quote_identifier(column);
	AttrNumber	number;
	HeapTuple	tuple;
	Form_pg_attribute attribute;

	memset(source, 0, sizeof(*source));
	source->type = sw_expr_get_type(relation, column, text, &source->typmod);
	number = sw_expr_get_attribute(relation, column, text);
	if (number == InvalidAttrNumber)
		return;

	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation),
							Int16GetDatum(number));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for attribute %d of relation %u",
			 number, relation);
	attribute = (Form_pg_attribute) GETSTRUCT(tuple);
	source->is_not_null = attribute->attnotnull;
	source->n_dimensions = attribute->attndims;
	if (source->n_dimensions == 0)
		source->n_dimensions = sw_type_map_get_dimensions(attribute->atttypid);
	ReleaseSysCache(tuple);
}
