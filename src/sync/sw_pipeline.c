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
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "catalog/sw_settings.h"
#include "port/sw_compat.h"
#include "sync/sw_pipeline.h"
#include "sync/sw_plan.h"

/* Day partitions are 16-bit days. */
#define FIRST_DAY (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE)
#define LAST_DAY (FIRST_DAY + 65535)

static void
require(bool is_given, const char *column)
{
	if (!is_given)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s of a pipeline is missing", column)));
}

static void
set_defaults(SwPipeline *row)
{
	const SwShape *shape;
	const char *timezone;

	require(row->name != NULL && row->name[0], "name");
	require(row->destination != NULL, "destination");
	require(row->data_source != NULL, "data_source");
	require(OidIsValid(row->source), "source");
	shape = sw_shape_get(row->data_source);
	if (row->target_table == NULL)
		row->target_table = pstrdup(shape->default_target);
	if (row->mode == NULL)
		row->mode = pstrdup(shape->mode);
	if (row->columns == NULL)
		row->columns = (struct varlena *)
			DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
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

static void
check_row(const SwPipeline *row)
{
	const SwShape *shape = sw_shape_get(row->data_source);
	char		relkind = get_rel_relkind(row->source);

	check_names(row);
	if (strcmp(row->mode, shape->mode) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode \"%s\" does not fit data source \"%s\"",
						row->mode, row->data_source),
				 errhint("Use \"%s\".", shape->mode)));
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
	sw_plan_check(sw_plan_create(row));
}

static SwDestination *
find_usable_destination(const char *name, Oid owner)
{
	SwDestination *destination = sw_cat_destination_find(name);

	if (destination == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("destination \"%s\" does not exist", name),
				 errhint("See sw_destinations.")));
	if (!sw_cat_destination_is_usable(destination, owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for destination \"%s\"", name),
				 errhint("Ask its owner to list role \"%s\" in usable_by.",
						 GetUserNameFromId(owner, false))));
	return destination;
}

static void
refuse_duplicate(const char *name)
{
	if (sw_cat_pipeline_find(name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("pipeline \"%s\" already exists", name)));
}

void
sw_pipeline_create(SwPipeline *row)
{
	SwDestination *destination;

	sw_settings_require_preload();
	set_defaults(row);
	destination = find_usable_destination(row->destination, row->owner);
	row->destination_id = destination->destination_id;
	check_row(row);
	refuse_duplicate(row->name);
	sw_cat_pipeline_check_target(destination, 0, row->target_table);
	sw_cat_pipeline_insert(row);
}

static SwPipeline *
find_own(const char *name)
{
	SwPipeline *found = sw_cat_pipeline_lock(name);

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pipeline \"%s\" does not exist", name),
				 errhint("See sw_pipelines.")));
	if (!sw_cat_may_use_role(found->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of pipeline \"%s\"", name)));
	return found;
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
	SwPipeline *old = find_own(seen->name);

	sw_settings_require_preload();
	set_defaults(row);
	refuse_change(strcmp(row->destination, old->destination) != 0, "destination");
	refuse_change(strcmp(row->data_source, old->data_source) != 0, "data_source");
	refuse_change(row->source != old->source, "source");
	refuse_change(strcmp(row->target_table, old->target_table) != 0, "target_table");
	refuse_change(strcmp(row->mode, old->mode) != 0, "mode");
	refuse_change(strcmp(row->system_timezone, old->system_timezone) != 0,
				  "system_timezone");
	if (row->status == NULL || strcmp(row->status, seen->status) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("status of a pipeline cannot be written"),
				 errhint("Use sw_stop().")));
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
	(void) find_usable_destination(row->destination, row->owner);
	check_row(row);
	sw_cat_pipeline_update(row);
}

void
sw_pipeline_drop(const char *name)
{
	SwPipeline *pipeline = find_own(name);

	if (strcmp(pipeline->status, "stopped") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is not stopped", name),
				 errhint("Call sw_stop first; the target table is kept.")));
	if (sw_cat_pipeline_is_busy(pipeline->pipeline_id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("pipeline \"%s\" is still being wound up", name),
				 errdetail("Its last run has not ended, or its staged objects are not deleted yet."),
				 errhint("Try again later; sw_run_logs tells if the store refuses.")));
	sw_cat_pipeline_delete(pipeline);
}

void
sw_pipeline_stop(const char *name)
{
	SwPipeline *pipeline = find_own(name);

	if (strcmp(pipeline->status, "stopped") != 0)
		sw_cat_pipeline_set_status(pipeline->pipeline_id, "stopped");
	ereport(NOTICE,
			(errmsg("pipeline \"%s\" is stopped for good", name),
			 errdetail("Its history and its target table are kept.")));
}

int64
sw_pipeline_request_backfill(const char *name, DateADT from, DateADT to,
							 bool allow_shrink)
{
	SwPipeline *pipeline = find_own(name);

	sw_settings_require_preload();
	(void) find_usable_destination(pipeline->destination, pipeline->owner);
	if (strcmp(pipeline->status, "stopped") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is stopped", name),
				 errhint("Stopping cannot be undone; make another pipeline.")));
	if (from > to)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the first day lies after the last"),
				 errhint("Both days are included; give the earlier one first.")));
	if (from < FIRST_DAY || to > LAST_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("days of a backfill must lie between 1970-01-01 and 2149-06-06")));
	return sw_cat_backfill_insert(pipeline, from, to, allow_shrink);
}
