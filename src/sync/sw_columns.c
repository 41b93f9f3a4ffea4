/*-------------------------------------------------------------------------
 *
 * sw_columns.c
 *	  The columns of a target as the catalog keeps them.
 *
 * Contract: sw_columns.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "port/sw_compat.h"
#include "source/sw_type_wish.h"
#include "sync/sw_columns.h"

/* What is in the catalogs of people: never changed, only added to. */
static const char *const type_names[] = {
	[SW_TYPE_STRING] = "string",
	[SW_TYPE_BYTES] = "bytes",
	[SW_TYPE_JSON] = "json",
	[SW_TYPE_BOOL] = "bool",
	[SW_TYPE_INT16] = "int16",
	[SW_TYPE_INT32] = "int32",
	[SW_TYPE_INT64] = "int64",
	[SW_TYPE_UINT32] = "uint32",
	[SW_TYPE_FLOAT32] = "float32",
	[SW_TYPE_FLOAT64] = "float64",
	[SW_TYPE_DECIMAL] = "decimal",
	[SW_TYPE_UUID] = "uuid",
	[SW_TYPE_DATE] = "date",
	[SW_TYPE_TIME_US] = "time_us",
	[SW_TYPE_TIMESTAMP_MS] = "timestamp_ms",
	[SW_TYPE_TIMESTAMP_US] = "timestamp_us",
	[SW_TYPE_DATETIME_US] = "datetime_us",
	[SW_TYPE_ENUM] = "enum",
	[SW_TYPE_ARRAY] = "array",
	[SW_TYPE_MAP] = "map",
	[SW_TYPE_TUPLE] = "tuple"
};

/* ---- to JSON ---- */

static void
append_text(StringInfo json, const char *key, const char *text)
{
	appendStringInfo(json, ", \"%s\": ", key);
	escape_json(json, text);
}

static void
append_specs(StringInfo json, const SwColumnSpec *specs, int n_specs)
{
	int			i;

	check_stack_depth();
	appendStringInfoChar(json, '[');
	for (i = 0; i < n_specs; i++)
	{
		const SwColumnSpec *spec = &specs[i];

		appendStringInfoString(json, i == 0 ? "{\"name\": " : ", {\"name\": ");
		escape_json(json, spec->name);
		append_text(json, "type", type_names[spec->type]);
		if (spec->is_nullable)
			appendStringInfoString(json, ", \"nullable\": true");
		if (spec->type == SW_TYPE_DECIMAL)
			appendStringInfo(json, ", \"precision\": %d, \"scale\": %d",
							 spec->precision, spec->scale);
		if (spec->target_type != NULL)
			append_text(json, "target_type", spec->target_type);
		if (spec->n_children > 0)
		{
			appendStringInfoString(json, ", \"children\": ");
			append_specs(json, spec->children, spec->n_children);
		}
		appendStringInfoChar(json, '}');
	}
	appendStringInfoChar(json, ']');
}

Jsonb *
sw_columns_pack(const SwColumnSpec *specs, int n_specs)
{
	StringInfoData json;

	initStringInfo(&json);
	append_specs(&json, specs, n_specs);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(json.data)));
}

/* ---- from JSON ---- */

SW_NORETURN static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the columns of a pipeline's target cannot be read from the catalog")));
}

static JsonbValue *
get_value(JsonbContainer *object, const char *key, enum jbvType type,
		  JsonbValue *buf)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key),
													 buf);

	if (value != NULL && value->type != type)
		refuse();
	return value;
}

/* NULL when there is none. */
static char *
get_text(JsonbContainer *object, const char *key)
{
	JsonbValue	buf;
	JsonbValue *value = get_value(object, key, jbvString, &buf);

	return value == NULL ? NULL :
		pnstrdup(value->val.string.val, value->val.string.len);
}

/* 0 when there is none. */
static int
get_number(JsonbContainer *object, const char *key)
{
	JsonbValue	buf;
	JsonbValue *value = get_value(object, key, jbvNumeric, &buf);

	return value == NULL ? 0 :
		DatumGetInt32(DirectFunctionCall1(numeric_int4,
										  NumericGetDatum(value->val.numeric)));
}

static SwType
find_type(const char *name)
{
	int			i;

	for (i = 0; name != NULL && i < (int) lengthof(type_names); i++)
		if (strcmp(type_names[i], name) == 0)
			return (SwType) i;
	refuse();
}

static SwColumnSpec *
read_specs(JsonbContainer *array, int *n_specs_out)
{
	SwColumnSpec *specs;
	int			n_specs;
	int			i;

	check_stack_depth();
	if (!JsonContainerIsArray(array))
		refuse();
	n_specs = JsonContainerSize(array);
	specs = palloc0(Max(n_specs, 1) * sizeof(SwColumnSpec));
	for (i = 0; i < n_specs; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);
		JsonbValue	buf;
		JsonbContainer *object;

		if (value->type != jbvBinary ||
			!JsonContainerIsObject(value->val.binary.data))
			refuse();
		object = value->val.binary.data;
		specs[i].name = get_text(object, "name");
		specs[i].type = find_type(get_text(object, "type"));
		specs[i].is_nullable = get_value(object, "nullable", jbvBool, &buf) != NULL;
		specs[i].precision = get_number(object, "precision");
		specs[i].scale = get_number(object, "scale");
		specs[i].target_type = get_text(object, "target_type");
		value = get_value(object, "children", jbvBinary, &buf);
		if (value != NULL)
			specs[i].children = read_specs(value->val.binary.data,
										   &specs[i].n_children);
		if (specs[i].name == NULL ||
			sw_type_is_container(specs[i].type) != (specs[i].n_children > 0))
			refuse();
	}
	*n_specs_out = n_specs;
	return specs;
}

SwColumnSpec *
sw_columns_unpack(Jsonb *columns, int *n_specs_out)
{
	return read_specs(&columns->root, n_specs_out);
}

/* ---- for people, and for comparing ---- */

static void
describe(StringInfo text, const SwColumnSpec *spec)
{
	int			i;

	check_stack_depth();
	appendStringInfoString(text, type_names[spec->type]);
	if (spec->type == SW_TYPE_DECIMAL)
		appendStringInfo(text, "(%d, %d)", spec->precision, spec->scale);
	for (i = 0; i < spec->n_children; i++)
	{
		appendStringInfoString(text, i == 0 ? "(" : ", ");
		if (spec->type == SW_TYPE_TUPLE)
			appendStringInfo(text, "%s ", spec->children[i].name);
		describe(text, &spec->children[i]);
	}
	if (spec->n_children > 0)
		appendStringInfoChar(text, ')');
}

char *
sw_columns_describe(const SwColumnSpec *spec)
{
	StringInfoData text;

	initStringInfo(&text);
	describe(&text, spec);
	return text.data;
}

bool
sw_columns_agree(const SwColumnSpec *then, const SwColumnSpec *now)
{
	int			i;

	check_stack_depth();
	/* Where the warehouse has no times of day, they travel as text. */
	if (then->type == SW_TYPE_STRING && now->type == SW_TYPE_TIME_US)
		return true;
	if (then->type != now->type || then->precision != now->precision ||
		then->scale != now->scale || then->n_children != now->n_children)
		return false;
	for (i = 0; i < then->n_children; i++)
		if (!sw_columns_agree(&then->children[i], &now->children[i]) ||
			(then->type == SW_TYPE_TUPLE &&
			 strcmp(then->children[i].name, now->children[i].name) != 0))
			return false;
	return true;
}

/* ---- times of day ---- */

static bool
remove_time(SwColumnSpec *spec)
{
	SwColumnSpec *children = (SwColumnSpec *) spec->children;
	bool		is_changed = false;
	int			i;

	check_stack_depth();
	for (i = 0; i < spec->n_children; i++)
		is_changed = remove_time(&children[i]) || is_changed;
	if (spec->type != SW_TYPE_TIME_US || sw_type_wish_is(spec->target_type, "Time64"))
		return is_changed;
	spec->type = SW_TYPE_STRING;
	return true;
}

Jsonb *
sw_columns_without_time(Jsonb *columns)
{
	bool		is_changed = false;
	int			n_specs;
	SwColumnSpec *specs = sw_columns_unpack(columns, &n_specs);
	int			i;

	for (i = 0; i < n_specs; i++)
		is_changed = remove_time(&specs[i]) || is_changed;
	return is_changed ? sw_columns_pack(specs, n_specs) : NULL;
}
