/*-------------------------------------------------------------------------
 *
 * sw_plan.c
 *	  A pipeline's definition made ready: what to read, and into what table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "net/sw_report.h"
#include "port/sw_compat.h"
#include "source/sw_identity.h"
#include "source/sw_read.h"
#include "sync/sw_marker.h"
#include "sync/sw_options.h"
#include "sync/sw_plan.h"
#include "sync/sw_tx.h"

static char *
comma_list(const SwShape *shape)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < shape->n_columns; i++)
		appendStringInfo(&buf, "%s%s", i ? ", " : "", shape->columns[i].name);
	return buf.data;
}

SW_NORETURN static void
refuse_mapping(const char *column, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("mapping of column \"%s\" %s", column, what),
			 errhint("Give an SQL expression as text, e.g. {\"%s\": \"upper(name)\"}.",
					 column)));
}

/* The expression in a mapping: "text" or {"expr": "text"}. */
static char *
get_expression(const char *column, const JsonbValue *value)
{
	JsonbValue	buf;
	JsonbValue *expr;

	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		refuse_mapping(column, "is neither text nor an object");
	expr = getKeyJsonValueFromContainer(value->val.binary.data, "type", 4, &buf);
	if (expr != NULL)
		refuse_mapping(column, "gives a type, but the types of this data source are fixed");
	expr = getKeyJsonValueFromContainer(value->val.binary.data, "expr", 4, &buf);
	if (expr == NULL || expr->type != jbvString)
		refuse_mapping(column, "has no text under \"expr\"");
	return pnstrdup(expr->val.string.val, expr->val.string.len);
}

static void
resolve_columns(SwPlan *plan)
{
	const SwShape *shape = plan->shape;
	SwSourceColumn *columns = palloc0(shape->n_columns * sizeof(SwSourceColumn));
	Jsonb	   *mapping = (Jsonb *) plan->pipeline->columns;
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbIteratorToken token;
	int			i;

	for (i = 0; i < shape->n_columns; i++)
		columns[i].on_null = shape->on_null[i];
	plan->query.columns = columns;
	if (mapping == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(mapping))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns is not a JSON object"),
				 errhint("Map target columns to SQL expressions, e.g. {\"event\": \"kind\"}.")));

	iterator = JsonbIteratorInit(&mapping->root);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		JsonbValue	value;
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(key.val.string.val, key.val.string.len);
		(void) JsonbIteratorNext(&iterator, &value, true);
		for (i = 0; i < shape->n_columns; i++)
			if (strcmp(shape->columns[i].name, name) == 0)
				break;
		if (i == shape->n_columns)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("data source \"%s\" has no column \"%s\"",
							shape->data_source, name),
					 errdetail("Its columns are %s.", comma_list(shape))));
		columns[i].expression = get_expression(name, &value);
	}
}

static void
resolve_event_filter(SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	SwSourceQuery *query = &plan->query;
	Datum	   *names;
	bool	   *nulls;
	const char **list;
	int			i;

	if (pipeline->event_filter == NULL && pipeline->event_names == NULL)
		return;
	if (query->event_column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("data source \"%s\" has no events to filter",
						pipeline->data_source),
				 errhint("Use row_filter.")));
	if (pipeline->event_filter == NULL || pipeline->event_names == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event_filter and event_names go together"),
				 errhint("Set both, or neither.")));
	if (strcmp(pipeline->event_filter, "include") == 0)
		query->event_filter = SW_EVENT_FILTER_INCLUDE;
	else if (strcmp(pipeline->event_filter, "exclude") == 0)
		query->event_filter = SW_EVENT_FILTER_EXCLUDE;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown event_filter \"%s\"", pipeline->event_filter),
				 errhint("Use \"include\" or \"exclude\".")));

	deconstruct_array((ArrayType *) pipeline->event_names, TEXTOID, -1, false,
					  TYPALIGN_INT, &names, &nulls, &query->n_event_names);
	list = palloc0(Max(query->n_event_names, 1) * sizeof(char *));
	for (i = 0; i < query->n_event_names; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("event_names contains a null")));
		list[i] = TextDatumGetCString(names[i]);
	}
	query->event_names = list;
}

SwPlan *
sw_plan_create(const SwPipeline *pipeline)
{
	const SwShape *shape = sw_shape_get(pipeline->data_source);
	SwPlan	   *plan = palloc0(sizeof(SwPlan));

	plan->pipeline = pipeline;
	plan->shape = shape;

	plan->query.relation = pipeline->source;
	plan->query.specs = shape->columns;
	plan->query.n_columns = shape->n_columns;
	plan->query.time_column = shape->time_column;
	plan->query.event_column = shape->event_column;
	plan->query.window_start = DT_NOBEGIN;
	plan->query.window_end = DT_NOEND;
	plan->query.row_filter = pipeline->row_filter;
	resolve_columns(plan);
	resolve_event_filter(plan);

	plan->table.name = pipeline->target_table;
	plan->table.columns = shape->columns;
	plan->table.n_columns = shape->n_columns;
	plan->table.timezone = pipeline->system_timezone;
	if (shape->is_partitioned)
		plan->table.day_column = shape->columns[shape->time_column].name;
	plan->table.order_by = shape->order_by;
	plan->table.n_order_by = shape->n_order_by;
	plan->table.key_columns = shape->key_columns;
	plan->table.n_key_columns = shape->n_key_columns;
	plan->table.version_column = shape->version_column;
	plan->table.json_type = pipeline->json_type;
	sw_options_parse((Jsonb *) pipeline->target_options, shape,
					 &plan->table.options);
	plan->table.marker = sw_marker_create(pipeline);
	return plan;
}

static void
check_missing(const SwPlan *plan)
{
	List	   *missing = sw_query_find_missing(&plan->query);
	StringInfoData names;
	ListCell   *cell;

	if (missing == NIL)
		return;
	initStringInfo(&names);
	foreach(cell, missing)
		appendStringInfo(&names, "%s%s", names.len ? ", " : "",
						 (char *) lfirst(cell));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the source has no columns for some target columns"),
			 errdetail("Missing: %s.", names.data),
			 errhint("Map each to an SQL expression in columns, e.g. {\"%s\": \"some_column\"}.",
					 (char *) linitial(missing))));
}

void
sw_plan_check(const SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	SwIdentity	identity;
	char	   *sql;

	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	check_missing(plan);
	sql = sw_query_build(&plan->query);
	sw_read_check(&plan->query, sql);
	sw_identity_leave(&identity);
}

/*
 * Before the warehouse can have our mark: who comes after us has to know that
 * it may be there.  Returns false if that was known.
 */
static bool
record_mark(const SwPlan *plan, const SwDestination *destination)
{
	SwDestination *now;
	bool		is_new;

	sw_tx_begin("recording the mark of a target table");
	now = sw_cat_destination_get(destination->destination_id);
	if (now == NULL || !sw_cat_destination_is_same_place(now, destination))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("destination \"%s\" was moved just now", destination->name),
				 errhint("It is tried again where it is now.")));
	is_new = sw_cat_target_hold(plan->pipeline->pipeline_id);
	sw_tx_commit();
	return is_new;
}

bool
sw_plan_prepare_target(const SwPlan *plan, const SwDestination *destination,
					   SwTarget *target)
{
	bool		exists;
	bool		is_new;
	bool		is_marked;
	SwError		err;

	if (sw_target_check_table(target, &plan->table, &exists, &err) != SW_OK)
		sw_report(ERROR, &err);
	is_new = record_mark(plan, destination);
	if (!exists &&
		sw_target_create_table(target, &plan->table, &err) != SW_OK)
		sw_report(ERROR, &err);
	is_marked = sw_marker_claim(target, &plan->table);
	if (!is_marked && is_new)
	{
		sw_tx_begin("recording that a target table has no mark");
		sw_cat_target_let_go(plan->pipeline->pipeline_id);
		sw_tx_commit();
	}
	return is_marked;
}
