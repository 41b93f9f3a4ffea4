/*-------------------------------------------------------------------------
 *
 * sw_plan.c
 *	  A pipeline's definition made ready: what to read, and into what table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "net/sw_report.h"
#include "port/sw_compat.h"
#include "source/sw_identity.h"
#include "source/sw_read.h"
#include "sync/sw_cursor.h"
#include "sync/sw_derive.h"
#include "sync/sw_mapping.h"
#include "sync/sw_marker.h"
#include "sync/sw_options.h"
#include "sync/sw_plan.h"
#include "sync/sw_texts.h"
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
refuse_type(const SwPlan *plan, const SwColumnSpec *spec)
{
	if (!plan->shape->is_of_source)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mapping of column \"%s\" gives a type, but the types of this data source are fixed",
						spec->name),
				 errhint("Give an SQL expression as text, e.g. {\"%s\": \"upper(name)\"}.",
						 spec->name)));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("type of column \"%s\" cannot be changed", spec->name),
			 spec->target_type != NULL ?
			 errhint("The mapping must give type \"%s\", as when the pipeline was made.",
					 spec->target_type) :
			 errhint("The pipeline was made without a type for this column.")));
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
resolve_column(const SwPlan *plan, const SwMapping *mapping,
			   const SwColumnSpec *spec, SwSourceColumn *column)
{
	const char *type = mapping == NULL ? NULL : mapping->type;

	if (mapping != NULL && mapping->is_left_out)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mapping leaves out column \"%s\", which the target has",
						spec->name)));
	if (!is_same_text(type, spec->target_type))
		refuse_type(plan, spec);
	if (mapping != NULL)
		column->expression = mapping->expression;
}

/* What is mapped must be there; what is left out need not. */
static void
check_mapped(const SwShape *shape, const SwMapping *mapping)
{
	int			i;

	for (i = 0; i < shape->n_columns; i++)
		if (strcmp(shape->columns[i].name, mapping->column) == 0)
			return;
	if (shape->is_of_source && mapping->is_left_out)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 shape->is_of_source ?
			 errmsg("the target has no column \"%s\"", mapping->column) :
			 errmsg("data source \"%s\" has no column \"%s\"",
					shape->data_source, mapping->column),
			 errdetail("Its columns are %s.", comma_list(shape)),
			 shape->is_of_source ?
			 errhint("They were fixed when the pipeline was made; stop it and make another one.") : 0));
}

static void
resolve_columns(SwPlan *plan)
{
	const SwShape *shape = plan->shape;
	SwSourceColumn *columns = palloc0(Max(shape->n_columns, 1) *
									  sizeof(SwSourceColumn));
	List	   *mappings = sw_mapping_parse((Jsonb *) plan->pipeline->columns);
	ListCell   *cell;
	int			i;

	foreach(cell, mappings)
		check_mapped(shape, lfirst(cell));
	for (i = 0; i < shape->n_columns; i++)
	{
		const char *name = shape->columns[i].name;

		columns[i].on_null = shape->on_null[i];
		columns[i].is_raw = shape->is_of_source;
		columns[i].is_key = sw_texts_have(shape->key_columns,
										  shape->n_key_columns, name);
		resolve_column(plan, sw_mapping_find(mappings, name),
					   &shape->columns[i], &columns[i]);
	}
	plan->query.columns = columns;
}

static void
resolve_event_filter(SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	SwSourceQuery *query = &plan->query;

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
	query->event_names = sw_texts_get(pipeline->event_names, "event_names",
									  &query->n_event_names);
}

/* What becomes of values that the target cannot hold, and of some in JSON. */
static void
resolve_values(SwPlan *plan)
{
	static const char *const policies[] = {
		[SW_POLICY_ERROR] = "error",
		[SW_POLICY_NULL] = "null",
		[SW_POLICY_CLAMP] = "clamp",
		[SW_POLICY_TEXT] = "text",
		[SW_POLICY_SKIP] = "skip"
	};
	const SwPipeline *pipeline = plan->pipeline;
	SwSourceQuery *query = &plan->query;
	int			i;

	for (i = 0; i < (int) lengthof(policies); i++)
		if (strcmp(policies[i], pipeline->on_unrepresentable) == 0)
			break;
	if (i == (int) lengthof(policies))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown on_unrepresentable \"%s\"",
						pipeline->on_unrepresentable),
				 errhint("Use \"error\", \"null\", \"clamp\", \"text\" or \"skip\".")));
	query->policy = (SwPolicy) i;
	query->datetime_paths = sw_texts_get(pipeline->datetime_properties,
										 "datetime_properties",
										 &query->n_datetime_paths);
	query->array_paths = sw_texts_get(pipeline->array_properties,
									  "array_properties",
									  &query->n_array_paths);
}

SwPlan *
sw_plan_create(const SwPipeline *pipeline)
{
	const SwShape *shape = sw_shape_get(pipeline);
	SwPlan	   *plan = palloc0(sizeof(SwPlan));

	plan->pipeline = pipeline;
	plan->shape = shape;

	plan->query.relation = pipeline->source;
	plan->query.specs = shape->columns;
	plan->query.n_columns = shape->n_columns;
	plan->query.time_column = shape->time_column;
	plan->query.cursor_column = sw_cursor_find_column(shape, pipeline->cursor_column);
	plan->query.cursor_bound = DT_NOBEGIN;
	plan->query.event_column = shape->event_column;
	plan->query.window_start = DT_NOBEGIN;
	plan->query.window_end = DT_NOEND;
	plan->query.row_filter = pipeline->row_filter;
	resolve_columns(plan);
	resolve_event_filter(plan);
	resolve_values(plan);

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

void
sw_plan_aim(SwPlan *plan, const SwDestination *destination)
{
	plan->table.database = destination->database;
	plan->query.json_limits =
		sw_target_get_json_limits(destination->kind, &plan->table);
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

char *
sw_plan_build_query(const SwPlan *plan)
{
	check_missing(plan);
	sw_derive_check(&plan->query);
	return sw_query_build(&plan->query);
}

void
sw_plan_check(const SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	SwIdentity	identity;

	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	sw_read_check(&plan->query, sw_plan_build_query(plan));
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
