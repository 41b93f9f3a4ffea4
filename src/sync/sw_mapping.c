/*-------------------------------------------------------------------------
 *
 * sw_mapping.c
 *	  The mapping of a pipeline as its row has it: target column -> where its
 *	  values come from.
 *
 * Contract: sw_mapping.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/sw_compat.h"
#include "sync/sw_mapping.h"

SW_NORETURN static void
refuse(const char *column, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("mapping of column \"%s\" %s", column, what),
			 errhint("Give an SQL expression as text, e.g. {\"%s\": \"upper(name)\"}.",
					 column)));
}

/* The text under key, or NULL. */
static char *
get_text(const char *column, JsonbContainer *object, const char *key)
{
	JsonbValue	buf;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key),
													 &buf);

	if (value == NULL)
		return NULL;
	if (value->type != jbvString)
		refuse(column, psprintf("has no text under \"%s\"", key));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
parse_object(SwMapping *mapping, JsonbContainer *object)
{
	mapping->expression = get_text(mapping->column, object, "expr");
	mapping->type = get_text(mapping->column, object, "type");
	if (mapping->expression == NULL && mapping->type == NULL)
		refuse(mapping->column, "has no text under \"expr\"");
	if (JsonContainerSize(object) == 2 ?
		mapping->expression == NULL || mapping->type == NULL :
		JsonContainerSize(object) != 1)
		refuse(mapping->column, "has other keys than \"expr\" and \"type\"");
}

static SwMapping *
parse_one(const char *column, const JsonbValue *value)
{
	SwMapping  *mapping = palloc0(sizeof(SwMapping));

	mapping->column = column;
	if (value->type == jbvNull)
		mapping->is_left_out = true;
	else if (value->type == jbvString)
		mapping->expression = pnstrdup(value->val.string.val,
									   value->val.string.len);
	else if (value->type == jbvBinary &&
			 JsonContainerIsObject(value->val.binary.data))
		parse_object(mapping, value->val.binary.data);
	else
		refuse(column, "is neither text nor an object");
	return mapping;
}

List *
sw_mapping_parse(Jsonb *columns)
{
	List	   *mappings = NIL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (columns == NULL)
		return NIL;
	if (!JB_ROOT_IS_OBJECT(columns))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns is not a JSON object"),
				 errhint("Map target columns to SQL expressions, e.g. {\"event\": \"kind\"}.")));
	iterator = JsonbIteratorInit(&columns->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonbValue	value;
		char	   *column;

		if (token != WJB_KEY)
			continue;
		column = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		mappings = lappend(mappings, parse_one(column, &value));
	}
	return mappings;
}

const SwMapping *
sw_mapping_find(const List *mappings, const char *column)
{
	ListCell   *cell;

	foreach(cell, mappings)
	{
		const SwMapping *mapping = lfirst(cell);

		if (strcmp(mapping->column, column) == 0)
			return mapping;
	}
	return NULL;
}
