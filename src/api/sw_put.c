/*-------------------------------------------------------------------------
 *
 * sw_put.c
 *	  Rows given as JSON: what sw_put_destination and sw_put_pipeline share.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "api/sw_put.h"
#include "port/sw_compat.h"

char *
sw_put_get_name(Jsonb *definition)
{
	JsonbValue	buf;
	JsonbValue *name = NULL;

	if (JB_ROOT_IS_OBJECT(definition))
		name = getKeyJsonValueFromContainer(&definition->root, "name", 4, &buf);
	if (name == NULL || name->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("definition is not a JSON object with a name"),
				 errhint("Give column names and values, e.g. {\"name\": \"warehouse\"}.")));
	return pnstrdup(name->val.string.val, name->val.string.len);
}

SW_NORETURN static void
refuse_value(const char *column, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("value of \"%s\" in the definition is not %s", column,
					expected)));
}

/* The text of a string, number or boolean. */
static char *
scalar_text(const char *column, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return value->val.boolean ? "true" : "false";
		default:
			refuse_value(column, "a string, number or boolean");
	}
}

/* An array of strings as text[] or name[]. */
static Datum
array_datum(const SwField *field, const JsonbValue *value)
{
	Oid			element_type = get_element_type(field->sql_type);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	ArrayBuildState *build;

	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		refuse_value(field->column, "an array of strings");
	build = initArrayResult(element_type, CurrentMemoryContext, false);
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		char	   *text;

		if (token != WJB_ELEM)
			continue;
		if (item.type != jbvString)
			refuse_value(field->column, "an array of strings");
		text = pnstrdup(item.val.string.val, item.val.string.len);
		build = accumArrayResult(build,
								 element_type == NAMEOID ?
								 DirectFunctionCall1(namein, CStringGetDatum(text)) :
								 CStringGetTextDatum(text),
								 false, element_type, CurrentMemoryContext);
	}
	return makeArrayResult(build, CurrentMemoryContext);
}

static Datum
value_datum(const SwField *field, JsonbValue *value)
{
	Oid			input;
	Oid			parameter;

	if (field->sql_type == JSONBOID)
		return JsonbPGetDatum(JsonbValueToJsonb(value));
	if (OidIsValid(get_element_type(field->sql_type)))
		return array_datum(field, value);
	getTypeInputInfo(field->sql_type, &input, &parameter);
	return OidInputFunctionCall(input, scalar_text(field->column, value),
								parameter, -1);
}

void
sw_put_apply(Jsonb *definition, const SwField *fields, int n_fields,
			 void *record)
{
	JsonbIterator *iterator = JsonbIteratorInit(&definition->root);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonbValue	value;
		char	   *name;
		bool		isnull;
		int			i;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		for (i = 0; i < n_fields; i++)
			if (strcmp(fields[i].column, name) == 0)
				break;
		if (i == n_fields)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("definition has an unknown key \"%s\"", name),
					 errhint("The keys are the columns of the view.")));
		isnull = value.type == jbvNull;
		sw_field_set(&fields[i], record,
					 isnull ? (Datum) 0 : value_datum(&fields[i], &value),
					 isnull);
	}
}
