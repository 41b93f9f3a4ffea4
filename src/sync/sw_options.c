/*-------------------------------------------------------------------------
 *
 * sw_options.c
 *	  Wishes for the table at the warehouse: target_options of a pipeline.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "port/sw_compat.h"
#include "sync/sw_options.h"

SW_NORETURN static void
refuse(const char *key, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" in target_options %s", key, what),
			 errhint("The keys are order_by, partition_by, ttl, engine, settings, cluster, buckets, comments and at_least_once.")));
}

static char *
get_text(const char *key, const JsonbValue *value)
{
	if (value->type != jbvString)
		refuse(key, "is not text");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Scalars as the warehouse writes them. */
static char *
get_scalar(const char *key, const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value->val.numeric)));
	if (value->type == jbvBool)
		return value->val.boolean ? "1" : "0";
	return get_text(key, value);
}

static JsonbIterator *
open_object(const char *key, const JsonbValue *value, int *n_pairs)
{
	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		refuse(key, "is not an object");
	*n_pairs = JsonContainerSize(value->val.binary.data);
	return JsonbIteratorInit(value->val.binary.data);
}

/* The next key and value of an object; NULL at its end. */
static char *
next_pair(JsonbIterator **iterator, JsonbValue *value)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, value, true)) != WJB_DONE)
		if (token == WJB_KEY)
		{
			char	   *key = pnstrdup(value->val.string.val,
									   value->val.string.len);

			(void) JsonbIteratorNext(iterator, value, true);
			return key;
		}
	return NULL;
}

static void
parse_settings(const JsonbValue *object, SwTableOptions *options)
{
	int			n_pairs;
	JsonbIterator *iterator = open_object("settings", object, &n_pairs);
	SwTableSetting *settings = palloc0(Max(n_pairs, 1) * sizeof(SwTableSetting));
	JsonbValue	value;
	char	   *name;

	while ((name = next_pair(&iterator, &value)) != NULL)
	{
		settings[options->n_settings].name = name;
		settings[options->n_settings].value = get_scalar(name, &value);
		options->n_settings++;
	}
	options->settings = settings;
}

static void
parse_comments(const JsonbValue *object, const SwShape *shape,
			   SwTableOptions *options)
{
	int			n_pairs;
	JsonbIterator *iterator = open_object("comments", object, &n_pairs);
	const char **comments = palloc0(shape->n_columns * sizeof(char *));
	JsonbValue	value;
	char	   *name;

	while ((name = next_pair(&iterator, &value)) != NULL)
	{
		int			i;

		if (name[0] == '\0')
		{
			options->comment = get_text("comments", &value);
			continue;
		}
		for (i = 0; i < shape->n_columns; i++)
			if (strcmp(shape->columns[i].name, name) == 0)
				break;
		if (i == shape->n_columns)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("\"comments\" in target_options names column \"%s\", which the target does not have",
							name)));
		comments[i] = get_text("comments", &value);
	}
	options->column_comments = comments;
}

static void
parse_option(const char *key, const JsonbValue *value, const SwShape *shape,
			 SwTableOptions *options)
{
	if (strcmp(key, "order_by") == 0)
		options->order_by = get_text(key, value);
	else if (strcmp(key, "partition_by") == 0)
		options->partition_by = get_text(key, value);
	else if (strcmp(key, "ttl") == 0)
		options->ttl = get_text(key, value);
	else if (strcmp(key, "engine") == 0)
		options->engine = get_text(key, value);
	else if (strcmp(key, "cluster") == 0)
		options->cluster = get_text(key, value);
	else if (strcmp(key, "settings") == 0)
		parse_settings(value, options);
	else if (strcmp(key, "comments") == 0)
		parse_comments(value, shape, options);
	else if (strcmp(key, "buckets") == 0)
	{
		if (value->type != jbvNumeric)
			refuse(key, "is not a number");
		options->buckets =
			DatumGetInt32(DirectFunctionCall1(numeric_int4,
											  NumericGetDatum(value->val.numeric)));
		if (options->buckets < 1)
			refuse(key, "is not positive");
	}
	else if (strcmp(key, "at_least_once") == 0)
	{
		if (value->type != jbvBool)
			refuse(key, "is neither true nor false");
		options->at_least_once = value->val.boolean;
	}
	else
		refuse(key, "is not known");
}

void
sw_options_parse(Jsonb *json, const SwShape *shape, SwTableOptions *options)
{
	JsonbIterator *iterator;
	JsonbValue	value;
	char	   *key;

	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target_options is not a JSON object")));
	iterator = JsonbIteratorInit(&json->root);
	while ((key = next_pair(&iterator, &value)) != NULL)
		parse_option(key, &value, shape, options);
}
