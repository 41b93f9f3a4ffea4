/*-------------------------------------------------------------------------
 *
 * sw_window.c
 *	  One run of a backfill: a calendar day of the target is replaced.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "net/sw_report.h"
#include "sync/sw_lease.h"
#include "sync/sw_leftover.h"
#include "sync/sw_tx.h"
#include "sync/sw_window.h"

/* The shrink guard speaks up beyond both. */
#define SHRINK_ROWS 1000
#define SHRINK_SHARE 10

typedef struct WindowWork
{
	SwRun	   *run;
	bool		can_count;		/* SELECT on the target is granted */
	uint64		n_rows_before;
} WindowWork;

/*
 * Talk to the warehouse before any work is done for it: wrong credentials
 * should not cost a read of the source.
 */
static void
look_at_target(WindowWork *work)
{
	const SwRun *run = work->run;
	SwTarget   *target = sw_run_open_target(run);
	char	   *caveat;
	SwError		err;

	work->can_count = sw_run_count(run, target, run->window->day,
								   &work->n_rows_before);
	if (sw_target_find_caveat(target, &run->plan->table, &caveat, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_target_close(target);
	if (caveat != NULL)
		sw_run_log(run, "warning", caveat);
	if (!work->can_count)
		sw_run_log(run, "warning",
				   "the warehouse user may not SELECT from the target: the day's rows are not checked");
}

/*
 * A day that would lose many rows, or all, is left alone: its source may
 * have been purged on purpose.
 */
static void
check_shrink(const WindowWork *work)
{
	uint64		before = work->n_rows_before;
	uint64		after = work->run->stage->n_rows;

	if (work->run->allow_shrink || !work->can_count || after >= before)
		return;
	if (after > 0 &&
		(before - after <= SHRINK_ROWS || before - after <= before / SHRINK_SHARE))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("backfill of %s would shrink the target's day",
					work->run->window->day),
			 errdetail("The target has " UINT64_FORMAT " rows of that day, the source has " UINT64_FORMAT ".",
					   before, after),
			 errhint("Call sw_backfill with allow_shrink => true if the rows are to go.")));
}

static void
check_count(WindowWork *work, SwTarget *target, const SwLoadResult *result)
{
	const SwRun *run = work->run;
	uint64		expected = run->stage->n_rows;
	uint64		found;

	if (work->can_count)
		work->can_count = sw_run_count(run, target, run->window->day, &found);
	if (!work->can_count)
		found = sw_run_get_told(run, result);
	if (found != expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the target has " UINT64_FORMAT " rows of %s instead of " UINT64_FORMAT,
						found, run->window->day, expected),
				 errdetail("They were counted after the load."),
				 errhint("Find out whether anything else writes to that table, then repeat the backfill.")));
}

/*
 * The load is on record before it begins, with the stage table that it may
 * leave; those of runs before us go first.
 */
static void
overwrite_day(WindowWork *work, SwTarget *target, SwLoadResult *result)
{
	const SwRun *run = work->run;
	SwLoadSource source = sw_run_load_source(run);
	char	   *query_id = sw_run_make_query_id();
	SwError		err;
	SwStatus	status;

	source.url = sw_store_load_url(run->store, sw_stage_load_key(run->stage));
	source.stage_table =
		sw_target_name_stage(run->connect->target_options.kind, query_id);
	sw_leftover_drop(run->pipeline->pipeline_id, run->connect, target);
	sw_run_record_load(run, query_id, source.stage_table);

	status = sw_target_overwrite_day(target, &run->plan->table,
									 run->window->day, &source, query_id,
									 result, &err);
	if (source.stage_table != NULL && !result->stage_is_left)
	{
		sw_tx_begin("recording a dropped stage table");
		sw_cat_stage_delete(run->run_id);
		sw_tx_commit();
	}
	if (status != SW_OK)
		sw_report(ERROR, &err);
	if (result->stage_problem != NULL)
		sw_run_log(run, "warning",
				   psprintf("could not drop stage table %s, will try again: %s",
							source.stage_table, result->stage_problem));
}

static void
drop_day(WindowWork *work, SwTarget *target)
{
	SwError		err;

	sw_leftover_drop(work->run->pipeline->pipeline_id, work->run->connect,
					 target);
	if (sw_target_drop_day(target, &work->run->plan->table,
						   work->run->window->day, &err) != SW_OK)
		sw_report(ERROR, &err);
}

static void
load(WindowWork *work)
{
	SwLoadResult result = {0};
	SwTarget   *target;

	if (work->run->stage->n_rows == 0 && work->n_rows_before == 0 &&
		(work->can_count || !work->run->allow_shrink))
	{
		if (!work->can_count)
			sw_run_log(work->run, "warning",
					   "the source has no rows of that day; what the target has was left alone, since it cannot be counted");
		return;
	}
	sw_lease_raise(work->run->pipeline, work->run->connect, work->run->store);
	target = sw_connect_target(work->run->connect, CurrentMemoryContext);
	if (work->run->stage->n_rows > 0)
		overwrite_day(work, target, &result);
	else
		drop_day(work, target);
	check_count(work, target, &result);
	sw_target_close(target);
}

void
sw_window_run(SwRun *run)
{
	WindowWork	work = {.run = run};
	char	   *what = psprintf("backfill of %s", run->window->day);
	MemoryContext context;
	MemoryContext saved;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwRun",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);

	sw_run_begin(run, "backfill", what, context);
	look_at_target(&work);
	sw_run_read(run);
	check_shrink(&work);
	sw_run_upload(run);
	load(&work);
	sw_run_finish(run, what, (int64) run->stage->n_rows);

	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}
