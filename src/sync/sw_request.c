/*-------------------------------------------------------------------------
 *
 * sw_request.c
 *	  What a pipeline can be asked to do: a run, a backfill.
 *
 * Contract: sw_request.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "catalog/sw_settings.h"
#include "net/sw_clock.h"
#include "sync/sw_destination.h"
#include "sync/sw_fence.h"
#include "sync/sw_pipeline.h"
#include "sync/sw_request.h"
#include "sync/sw_shape.h"

/* Day partitions are 16-bit days. */
#define FIRST_DAY (UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE)
#define LAST_DAY (FIRST_DAY + 65535)

/* Is the pipeline one that can be asked for anything now? */
static void
check_state(const SwPipeline *pipeline)
{
	SwSyncState *state;

	sw_settings_require_preload();
	(void) sw_destination_find_usable(pipeline->destination, pipeline->owner);
	if (strcmp(pipeline->status, "stopped") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is stopped", pipeline->name),
				 errhint("Stopping cannot be undone; make another pipeline.")));
	sw_fence_require(pipeline);
	state = sw_cat_sync_get(pipeline->pipeline_id);
	if (strcmp(pipeline->status, "paused") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is paused", pipeline->name),
				 state->pause_reason != NULL ?
				 errdetail("The reason: %s.", state->pause_reason) : 0,
				 errhint("Call sw_resume first.")));
}

int64
sw_request_sync(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_share_own(name);
	int64		backfill_id;

	check_state(pipeline);
	backfill_id = sw_cat_backfill_find_active(pipeline->pipeline_id);
	if (backfill_id != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("pipeline \"%s\" has a backfill going on", name),
				 errdetail("Sync goes on by itself when backfill " INT64_FORMAT " has ended.",
						   backfill_id),
				 errhint("Wait for it with sw_wait_backfill(" INT64_FORMAT ").",
						 backfill_id)));
	return sw_cat_sync_request(pipeline);
}

/* The pipeline of that name, if it may be asked for a backfill. */
static SwPipeline *
get_for_backfill(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_get_own(name);

	check_state(pipeline);
	return pipeline;
}

int64
sw_request_copy(const char *name, bool allow_shrink)
{
	SwPipeline *pipeline = get_for_backfill(name);

	if (sw_shape_get_model(pipeline->data_source)->is_partitioned)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("pipeline \"%s\" cannot be copied as a whole", name),
				 errdetail("A target of data source \"%s\" is replaced day by day.",
						   pipeline->data_source),
				 errhint("Give the days: sw_backfill(pipeline, \"from\", \"to\").")));
	return sw_cat_backfill_insert_copy(pipeline, allow_shrink);
}

static int64
insert_backfill(const SwPipeline *pipeline, DateADT from, DateADT to,
				bool allow_shrink)
{
	if (!sw_shape_get_model(pipeline->data_source)->is_partitioned)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("backfills of days of data source \"%s\" are not supported yet",
						pipeline->data_source),
				 errhint("Copy all of it: sw_backfill(pipeline).")));
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

int64
sw_request_backfill(const char *name, DateADT from, DateADT to,
					bool allow_shrink)
{
	return insert_backfill(get_for_backfill(name), from, to, allow_shrink);
}

/* The day that it is in the zone. */
static DateADT
today_in(const char *timezone)
{
	pg_tz	   *zone = pg_tzset(timezone);
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	const char *abbreviation;

	if (zone == NULL ||
		timestamp2tm(sw_clock_now(), &offset, &tm, &fsec, &abbreviation, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" does not exist", timezone)));
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

int64
sw_request_backfill_days(const char *name, int32 n_days, bool allow_shrink)
{
	SwPipeline *pipeline = get_for_backfill(name);
	DateADT		today = today_in(pipeline->system_timezone);

	if (n_days < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of days must be at least 1"),
				 errhint("They are counted back from yesterday, in time zone \"%s\".",
						 pipeline->system_timezone)));
	n_days = Min(n_days, today - FIRST_DAY + 1);
	return insert_backfill(pipeline, today - n_days, today - 1, allow_shrink);
}
