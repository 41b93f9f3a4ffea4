/*-------------------------------------------------------------------------
 *
 * sw_pipeline.c
 *	  Pipelines as a DBA writes them, and what can be asked of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "catalog/sw_settings.h"
#include "net/sw_report.h"
#include "port/sw_compat.h"
#include "source/sw_capture.h"
#include "sync/sw_check.h"
#include "sync/sw_connect.h"
#include "sync/sw_cursor.h"
#include "sync/sw_derive.h"
#include "sync/sw_destination.h"
#include "sync/sw_lease.h"
#include "sync/sw_marker.h"
#include "sync/sw_pipeline.h"
#include "sync/sw_plan.h"
#include "sync/sw_schedule.h"
#include "sync/sw_texts.h"
#include "sync/sw_tick.h"

static void
require(bool is_given, const char *column)
{
	if (!is_given)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s of a pipeline is missing", column)));
}

static struct varlena *
empty_object(void)
{
	return (struct varlena *)
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

static bool
is_same_varlena(const struct varlena *a, const struct varlena *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The data models of events and users say how, and which columns are the key. */
static void
take_model(SwPipeline *row, const SwShape *model)
{
	struct varlena *key = NULL;

	if (row->target_table == NULL)
		row->target_table = pstrdup(model->default_target);
	if (row->mode == NULL)
		row->mode = pstrdup(model->mode);
	if (strcmp(row->mode, model->mode) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"%s\" does not fit data source \"%s\"",
						row->mode, row->data_source),
				 errhint("Use \"%s\".", model->mode)));
	if (model->n_key_columns > 0)
		key = sw_texts_make(model->key_columns, model->n_key_columns);
	if (row->key_columns == NULL)
		row->key_columns = key;
	if (!is_same_varlena(row->key_columns, key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key_columns of data source \"%s\" are fixed",
						row->data_source),
				 errhint("Leave key_columns NULL.")));
}

/* What NULL leaves as it was. */
static void
keep_old(SwPipeline *row, const SwPipeline *old)
{
	if (row->cursor_column == NULL)
		row->cursor_column = old->cursor_column;
	if (row->time_column == NULL)
		row->time_column = old->time_column;
	if (row->cursor_slack == NULL)
		row->cursor_slack = old->cursor_slack;
	if (row->sweep_every == NULL)
		row->sweep_every = old->sweep_every;
	if (row->schedule == NULL)
		row->schedule = old->schedule;
}

static void
set_schedule(SwPipeline *row)
{
	SwSchedule	schedule;

	sw_schedule_parse(row->schedule != NULL ? row->schedule : "every 1 hour",
					  &schedule);
	row->schedule = schedule.text;
}

/* A row that is made, or was made as old. */
static void
set_defaults(SwPipeline *row, const SwPipeline *old)
{
	const SwShape *model;
	const char *timezone;

	if (old != NULL)
		keep_old(row, old);
	set_schedule(row);

	require(row->name != NULL && row->name[0], "name");
	require(row->destination != NULL, "destination");
	require(row->data_source != NULL, "data_source");
	require(OidIsValid(row->source), "source");
	model = sw_shape_get_model(row->data_source);
	if (!model->is_of_source)
		take_model(row, model);
	else if (row->target_table == NULL)
		row->target_table = get_rel_name(row->source);
	require(row->target_table != NULL, "target_table");
	if (old != NULL && model->is_of_source)
	{
		row->target_columns = old->target_columns;
		if (row->mode == NULL)
			row->mode = old->mode;
		if (row->key_columns == NULL)
			row->key_columns = old->key_columns;
	}
	if (row->columns == NULL)
		row->columns = empty_object();
	if (row->target_options == NULL)
		row->target_options = empty_object();
	if (row->json_type == NULL)
		row->json_type = pstrdup("string");
	if (row->on_unrepresentable == NULL)
		row->on_unrepresentable = pstrdup("error");
	if (row->system_timezone == NULL)
		row->system_timezone = pstrdup(sw_system_timezone);
	timezone = sw_settings_canonical_timezone(row->system_timezone);
	if (timezone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" does not exist", row->system_timezone),
				 errhint("See pg_timezone_names, e.g. \"Asia/Shanghai\".")));
	row->system_timezone = pstrdup(timezone);
	if (!OidIsValid(row->owner))
		row->owner = GetUserId();
}

static void
check_names(const SwPipeline *row)
{
	const char *at;

	for (at = row->name; *at; at++)
		if ((unsigned char) *at < ' ' || *at == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("name of a pipeline contains a control character")));
	for (at = row->target_table; *at; at++)
		if ((unsigned char) *at < ' ' || *at == '`' || *at == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("target_table contains a character that is not allowed"),
					 errdetail("Control characters and backquotes are not.")));
	if (row->target_table[0] == '\0' || strlen(row->target_table) > 200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("target_table must have 1 to 200 bytes")));
}

/* To be known before anything is read as the row's owner. */
static void
check_source(const SwPipeline *row)
{
	char		relkind = get_rel_relkind(row->source);

	check_names(row);
	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("source relation %u does not exist", row->source)));
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		relkind != RELKIND_VIEW && relkind != RELKIND_MATVIEW &&
		relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be the source of a pipeline",
						get_rel_name(row->source)),
				 errhint("Use a table, partitioned table, view, materialized view or foreign table.")));
	if (!sw_compat_may_set_role(GetUserId(), row->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be a member of role \"%s\"",
						GetUserNameFromId(row->owner, false))));
}

/*
 * What is appended to a target that shows half a load has to come in files
 * that are always cut into the same blocks.
 */
static void
check_format(const SwPlan *plan, const SwDestination *destination)
{
	if (strcmp(destination->stage_format, "native") == 0 ||
		!sw_target_knows_repeats(destination->kind, &plan->table))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("rows cannot be appended exactly once from files of format \"%s\"",
					destination->stage_format),
			 errhint("Set stage_format of the destination to \"native\", or say {\"at_least_once\": true} in target_options.")));
}

static void
check_row(SwPipeline *row, const SwPipeline *old,
		  const SwDestination *destination)
{
	SwPlan	   *plan;
	SwError		err;

	if (strcmp(row->json_type, "string") != 0 &&
		strcmp(row->json_type, "json") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown json_type \"%s\"", row->json_type),
				 errhint("Use \"string\" or \"json\".")));
	plan = sw_plan_create(row);
	sw_plan_aim(plan, destination);
	if (sw_target_check_definition(destination->kind, &plan->table, &err) != SW_OK)
		sw_report(ERROR, &err);
	check_format(plan, destination);
	sw_plan_check(plan);
	sw_cursor_complete(row, old, plan);
}

static void
refuse_duplicate(const char *name)
{
	if (sw_cat_pipeline_find(name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("pipeline \"%s\" already exists", name)));
}

/* What is there before this moment is a backfill's business. */
static void
take_first_capture(const SwPipeline *row)
{
	SwCapture  *capture = sw_capture_take(row->source, NULL);

	(void) sw_cat_capture_insert(row->pipeline_id, capture->captured_at,
								 sw_capture_pack(capture));
}

void
sw_pipeline_create(SwPipeline *row)
{
	SwDestination *destination;

	sw_settings_require_preload();
	set_defaults(row, NULL);
	destination = sw_destination_find_usable(row->destination, row->owner);
	row->destination_id = destination->destination_id;
	check_source(row);
	if (sw_shape_get_model(row->data_source)->is_of_source)
		sw_derive_target(row, destination->kind);
	refuse_duplicate(row->name);
	sw_cat_pipeline_check_target(destination, 0, row->target_table);
	check_row(row, NULL, destination);
	if (sw_check_on_save)
		sw_check_target(destination, row);
	sw_cat_pipeline_insert(row);
	sw_tick_begin(row);
	take_first_capture(row);
}

SwPipeline *
sw_pipeline_look_up(const char *name)
{
	SwPipeline *found = sw_cat_pipeline_find(name);

	if (found == NULL || !sw_cat_may_use_role(found->owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pipeline \"%s\" does not exist", name),
				 errhint("See sw_pipelines.")));
	return found;
}

static SwPipeline *
check_own(SwPipeline *found, const char *name)
{
	if (found != NULL && !sw_cat_may_use_role(found->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of pipeline \"%s\"", name)));
	return found;
}

static SwPipeline *
require_found(SwPipeline *found, const char *name)
{
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pipeline \"%s\" does not exist", name),
				 errhint("See sw_pipelines.")));
	return found;
}

SwPipeline *
sw_pipeline_find_own(const char *name)
{
	return check_own(sw_cat_pipeline_lock(name), name);
}

SwPipeline *
sw_pipeline_get_own(const char *name)
{
	return require_found(sw_pipeline_find_own(name), name);
}

SwPipeline *
sw_pipeline_share_own(const char *name)
{
	return require_found(check_own(sw_cat_pipeline_lock_shared(name), name),
						 name);
}

static void
refuse_change(bool is_changed, const char *column)
{
	if (is_changed)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s of a pipeline cannot be changed", column),
				 errhint("Stop the pipeline and make another one.")));
}

void
sw_pipeline_alter(const SwPipeline *seen, SwPipeline *row)
{
	SwPipeline *old = sw_pipeline_get_own(seen->name);
	SwDestination *destination;

	sw_settings_require_preload();
	set_defaults(row, old);
	refuse_change(strcmp(row->destination, old->destination) != 0, "destination");
	refuse_change(strcmp(row->data_source, old->data_source) != 0, "data_source");
	refuse_change(row->source != old->source, "source");
	refuse_change(strcmp(row->target_table, old->target_table) != 0, "target_table");
	refuse_change(strcmp(row->mode, old->mode) != 0, "mode");
	refuse_change(!is_same_varlena(row->key_columns, old->key_columns), "key_columns");
	refuse_change(!is_same_text(row->cursor_column, old->cursor_column), "cursor_column");
	refuse_change(!is_same_text(row->time_column, old->time_column), "time_column");
	refuse_change(strcmp(row->json_type, old->json_type) != 0, "json_type");
	refuse_change(strcmp(old->status, "new") != 0 &&
				  !is_same_varlena(row->target_options, old->target_options),
				  "target_options");
	refuse_change(strcmp(row->system_timezone, old->system_timezone) != 0,
				  "system_timezone");
	if (row->status == NULL || strcmp(row->status, seen->status) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("status of a pipeline cannot be written"),
				 errhint("Use sw_pause(), sw_resume() or sw_stop().")));
	if (strcmp(row->name, old->name) != 0)
		refuse_duplicate(row->name);

	if (seen->updated_at != old->updated_at)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("pipeline \"%s\" was changed by somebody else just now",
						old->name),
				 errhint("Look at it, then try again.")));
	row->status = old->status;
	row->pipeline_id = old->pipeline_id;
	row->destination_id = old->destination_id;
	row->settings_version = old->settings_version;
	row->created_at = old->created_at;
	destination = sw_destination_find_usable(row->destination, row->owner);
	check_source(row);
	check_row(row, old, destination);
	sw_cat_pipeline_update(row);
	sw_tick_follow_edit(old, row);
}

/* All but what an edit sets by itself. */
static bool
is_same_row(const SwPipeline *a, const SwPipeline *b)
{
	SwPipeline	copy = *b;
	StringInfoData first;
	StringInfoData second;

	copy.pipeline_id = a->pipeline_id;
	copy.destination_id = a->destination_id;
	copy.settings_version = a->settings_version;
	copy.created_at = a->created_at;
	copy.updated_at = a->updated_at;
	initStringInfo(&first);
	initStringInfo(&second);
	sw_cat_pipeline_pack(a, &first);
	sw_cat_pipeline_pack(&copy, &second);
	return strcmp(a->destination, b->destination) == 0 &&
		first.len == second.len &&
		memcmp(first.data, second.data, first.len) == 0;
}

const char *
sw_pipeline_put(SwPipeline *row, const SwPipeline *old)
{
	if (old == NULL)
	{
		sw_pipeline_create(row);
		return "created";
	}
	set_defaults(row, old);
	if (is_same_row(old, row))
		return "unchanged";
	sw_pipeline_alter(old, row);
	return "changed";
}

/* Marks that could not be taken off stay; nobody will know of them. */
static void
warn_of_marks(const SwPipeline *pipeline)
{
	SwTargetTable table = sw_plan_create(pipeline)->table;
	ListCell   *cell;

	if (sw_cat_target_is_held(pipeline->pipeline_id))
	{
		table.database = sw_cat_destination_get(pipeline->destination_id)->database;
		sw_marker_warn(WARNING, &table);
	}
	foreach(cell, sw_cat_target_list_former(pipeline->pipeline_id, false))
	{
		const SwFormerTarget *former = lfirst(cell);

		table.database = former->destination->database;
		sw_marker_warn(WARNING, &table);
	}
}

/* The same for objects and stage tables that could not be deleted. */
static void
warn_of_leftovers(const SwPipeline *pipeline)
{
	char	   *bucket;
	char	   *folder;
	int64		n_left = sw_cat_object_count_left(pipeline->pipeline_id, &bucket,
												  &folder);
	ListCell   *cell;

	if (n_left > 0)
		ereport(WARNING,
				(errmsg(INT64_FORMAT " staged %s of pipeline \"%s\" could not be deleted",
						n_left, n_left == 1 ? "object" : "objects",
						pipeline->name),
				 errhint("Delete what is under \"%s\" in bucket \"%s\".",
						 folder, bucket)));
	foreach(cell, sw_cat_stage_list(pipeline->pipeline_id, false))
	{
		const SwStageTable *stage = lfirst(cell);

		ereport(WARNING,
				(errmsg("stage table \"%s\".\"%s\" at %s:%d could not be dropped",
						stage->database, stage->name, stage->host,
						stage->port),
				 errhint("Drop it at the warehouse.")));
	}
}

void
sw_pipeline_drop(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_get_own(name);

	if (strcmp(pipeline->status, "stopped") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is not stopped", name),
				 errhint("Call sw_stop first; the target table is kept.")));
	/* What a copy has on record is its original's: not ours to wind up. */
	if (sw_cat_fence_get_reason(pipeline->pipeline_id) != NULL)
	{
		sw_cat_pipeline_delete(pipeline);
		return;
	}
	if (sw_cat_pipeline_is_busy(pipeline->pipeline_id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("pipeline \"%s\" is still being wound up", name),
				 errdetail("Its last run has not ended, its staged objects are not deleted yet, or its mark is not taken off the target table yet."),
				 errhint("Try again later; sw_run_logs tells if the store refuses, sw_status if the warehouse does.")));
	warn_of_marks(pipeline);
	warn_of_leftovers(pipeline);
	sw_lease_warn(pipeline);
	sw_cat_pipeline_delete(pipeline);
}
