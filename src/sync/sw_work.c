/*-------------------------------------------------------------------------
 *
 * sw_work.c
 *	  All that is due for one pipeline, one thing after another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_settings.h"
#include "common/sw_backoff.h"
#include "net/sw_clock.h"
#include "net/sw_report.h"
#include "sync/sw_attempt.h"
#include "sync/sw_cleanup.h"
#include "sync/sw_connect.h"
#include "sync/sw_copy.h"
#include "sync/sw_fence.h"
#include "sync/sw_incremental.h"
#include "sync/sw_leftover.h"
#include "sync/sw_lock.h"
#include "sync/sw_marker.h"
#include "sync/sw_plan.h"
#include "sync/sw_tx.h"
#include "sync/sw_window.h"
#include "sync/sw_work.h"

/* How often a mark is tried to be taken off where a target was. */
#define FORMER_ATTEMPTS 10

/* Somebody holds a lock on the source: the backfill waits as long as it takes. */
#define LOCK_NOT_AVAILABLE "55P03"

/* Who and what, for the context line of errors and the server's log. */
typedef struct WorkContext
{
	const SwPipeline *pipeline;
	const SwWindow *window;		/* or NULL */
	const SwFormerTarget *former;	/* or NULL */
	MemoryContext context;		/* of this piece of work */
	SwRun		run;
	bool		only_open;		/* incremental sync: nothing new */
} WorkContext;

static void
describe_error(void *arg)
{
	WorkContext *work = arg;

	if (work->window != NULL && work->window->day == NULL)
		errcontext("pipeline \"%s\", backfill " INT64_FORMAT,
				   work->pipeline->name, work->window->backfill_id);
	else if (work->window != NULL)
		errcontext("pipeline \"%s\", backfill " INT64_FORMAT ", day %s",
				   work->pipeline->name, work->window->backfill_id,
				   work->window->day);
	else
		errcontext("pipeline \"%s\"", work->pipeline->name);
}

/* Attempt a piece of work with its context on the error stack. */
static bool
attempt(void (*piece) (void *arg), WorkContext *work, const char *what,
		SwFailure *failure)
{
	ErrorContextCallback callback;
	bool		succeeded;

	callback.callback = describe_error;
	callback.arg = work;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	succeeded = sw_attempt(piece, work, failure);
	error_context_stack = callback.previous;

	if (!succeeded)
	{
		sw_attempt_log(failure,
					   psprintf("pipeline \"%s\": %s", work->pipeline->name, what));
		/* The abort has released the lock. */
		if (!sw_lock_hold(work->pipeline->pipeline_id))
			ereport(FATAL,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("another process has taken over pipeline \"%s\"",
							work->pipeline->name)));
	}
	return succeeded;
}

/* Attempt to delete objects; without success, not again at once. */
static void
clean_up(void (*piece) (void *arg), WorkContext *work)
{
	SwFailure	failure;

	if (!attempt(piece, work, "deleting staged objects", &failure))
		sw_cleanup_put_off(work->pipeline);
}

/*
 * When to try again what has failed n_failures times, this one included.
 * What a repeat can hardly cure is tried again slowly.
 */
static TimestampTz
next_attempt(int n_failures, SwRetry retry)
{
	uint32		random = 0;

	(void) pg_strong_random(&random, sizeof(random));
	if (retry == SW_RETRY_NEVER)
		n_failures = INT_MAX;
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									   sw_backoff_delay_ms(n_failures,
														   sw_retry_backoff_ms,
														   sw_retry_backoff_max_ms,
														   random));
}

/* ---- the target table ---- */

/* A pipeline's plan, and how to get where its target is, or was. */
static SwPlan *
find_target(WorkContext *work, SwConnect **connect_out)
{
	SwConnect  *connect;
	SwPlan	   *plan;

	sw_tx_begin("reading a pipeline's definition");
	if (work->former != NULL)
		connect = sw_connect_prepare(work->former->destination, work->context);
	else
		connect = sw_connect_load(work->pipeline->destination_id, work->context);
	sw_connect_check_right(connect, work->pipeline);
	sw_tx_commit();
	plan = sw_plan_create(work->pipeline);
	sw_plan_aim(plan, connect->destination);
	*connect_out = connect;
	return plan;
}

static void
create_target(void *arg)
{
	WorkContext *work = arg;
	MemoryContext saved = MemoryContextSwitchTo(work->context);
	SwConnect  *connect;
	SwPlan	   *plan = find_target(work, &connect);
	SwTarget   *target = sw_connect_target(connect, work->context);

	(void) sw_plan_prepare_target(plan, connect->destination, target);
	sw_target_close(target);
	sw_tx_begin("recording a target table");
	sw_cat_target_record_created(work->pipeline->pipeline_id);
	sw_tx_commit();
	MemoryContextSwitchTo(saved);
}

static void
record_release(const WorkContext *work)
{
	if (work->former != NULL)
		sw_cat_target_forget_former(work->former->former_target_id);
	else
		sw_cat_target_let_go(work->pipeline->pipeline_id);
}

/*
 * A table that has a successor in this database keeps the mark until that one
 * replaces it: others cannot come in between.
 */
static bool
leave_target_to_heir(const WorkContext *work)
{
	const SwPipeline *pipeline = work->pipeline;
	const SwDestination *destination;
	bool		has_heir;

	sw_tx_begin("looking for a successor on a target table");
	destination = work->former != NULL ? work->former->destination :
		sw_cat_destination_get(pipeline->destination_id);
	has_heir = sw_cat_target_bequeath(destination, pipeline);
	if (has_heir)
		record_release(work);
	sw_tx_commit();
	return has_heir;
}

static void
release_target(void *arg)
{
	WorkContext *work = arg;
	MemoryContext saved = MemoryContextSwitchTo(work->context);

	if (!leave_target_to_heir(work))
	{
		SwConnect  *connect;
		SwPlan	   *plan = find_target(work, &connect);
		SwTarget   *target = sw_connect_target(connect, work->context);

		sw_marker_release(target, &plan->table);
		sw_target_close(target);
		sw_tx_begin("recording the release of a target table");
		record_release(work);
		sw_tx_commit();
	}
	MemoryContextSwitchTo(saved);
}

/* Create the target of a new pipeline, release that of a stopped one. */
static void
attend_to_target(const SwPipeline *pipeline, MemoryContext context)
{
	WorkContext work = {.pipeline = pipeline,.context = context};
	SwFailure	failure;
	TimestampTz next;
	bool		is_new;
	bool		is_over;
	int			n_failures;

	sw_tx_begin("looking for a target table to create or release");
	is_new = sw_cat_target_is_creation_due(pipeline->pipeline_id);
	is_over = sw_cat_target_is_release_due(pipeline->pipeline_id);
	n_failures = sw_cat_target_count_failures(pipeline->pipeline_id);
	sw_tx_commit();
	if (is_new ? attempt(create_target, &work, "creating the target table", &failure) :
		!is_over ||
		attempt(release_target, &work, "releasing the target table", &failure))
		return;

	/* A new pipeline waits for its table; nobody waits for a release. */
	if (!is_new && failure.retry == SW_RETRY_NEVER)
		next = DT_NOEND;
	else
		next = next_attempt(n_failures + 1, failure.retry);
	sw_tx_begin("recording a failure");
	sw_cat_target_record_failure(pipeline->pipeline_id, next,
								 failure.message, failure.hint);
	sw_tx_commit();
}

/* Moved back again?  Then the mark is no longer that of a former target. */
static bool
take_back_former_target(const SwPipeline *pipeline, const SwFormerTarget *former)
{
	SwDestination *now = sw_cat_destination_get(pipeline->destination_id);

	if (!sw_cat_destination_is_same_place(now, former->destination))
		return false;
	(void) sw_cat_target_hold(pipeline->pipeline_id);
	sw_cat_target_forget_former(former->former_target_id);
	return true;
}

/* The place may be gone for good: after some attempts the mark stays. */
static void
record_former_failure(WorkContext *work, const SwFailure *failure)
{
	const SwFormerTarget *former = work->former;
	int			n_failures = former->n_failures + 1;
	bool		is_final = failure->retry == SW_RETRY_NEVER ||
	n_failures >= FORMER_ATTEMPTS;

	sw_tx_begin("recording a failure");
	sw_cat_target_postpone_former(former->former_target_id,
								  is_final ? DT_NOEND :
								  next_attempt(n_failures, failure->retry));
	sw_tx_commit();
	if (is_final)
	{
		SwTargetTable table = sw_plan_create(work->pipeline)->table;

		table.database = former->destination->database;
		sw_marker_warn(LOG, &table);
	}
}

/* Take the mark off where the target was before the destination was moved. */
static void
attend_to_former_targets(const SwPipeline *pipeline, MemoryContext context)
{
	List	   *formers;
	ListCell   *cell;

	sw_tx_begin("looking for former target tables");
	formers = sw_cat_target_list_former(pipeline->pipeline_id, true);
	sw_tx_commit();
	foreach(cell, formers)
	{
		WorkContext work = {
			.pipeline = pipeline,
			.former = lfirst(cell),
			.context = context
		};
		SwFailure	failure;
		bool		is_back;

		sw_tx_begin("looking for former target tables");
		is_back = take_back_former_target(pipeline, work.former);
		sw_tx_commit();
		if (is_back)
			continue;
		if (!attempt(release_target, &work, "releasing a former target table", &failure))
		{
			record_former_failure(&work, &failure);
			continue;
		}
		/* Another address of the same warehouse?  Then the mark is missed. */
		work.former = NULL;
		if (strcmp(pipeline->status, "running") == 0)
			(void) attempt(create_target, &work, "marking the target table", &failure);
	}
}

/* ---- runs of all kinds ---- */

static void
break_off_run(void *arg)
{
	WorkContext *work = arg;

	sw_run_break_off(&work->run);
}

static void
clean_run(void *arg)
{
	WorkContext *work = arg;
	MemoryContext saved = MemoryContextSwitchTo(work->context);

	sw_run_clean(&work->run);
	MemoryContextSwitchTo(saved);
}

/* In a transaction. */
static void
record_run_failure(const WorkContext *work, const SwFailure *failure)
{
	if (work->run.run_id == 0)
		return;
	sw_cat_run_log(work->run.run_id, "error", "%s", failure->message);
	sw_cat_run_finish(work->run.run_id, "failed", failure->sqlstate,
					  failure->message, failure->detail, failure->hint);
}

/*
 * Do a run.  If it fails, what it has under way is broken off, the failure is
 * put on record, and what it has staged is deleted; false then.
 */
static bool
do_run(void (*piece) (void *arg), WorkContext *work, const char *what,
	   void (*record_failure) (const WorkContext *work, const void *arg,
							   const SwFailure *failure), const void *arg)
{
	SwFailure	failure;
	SwFailure	another;

	if (attempt(piece, work, what, &failure))
		return true;
	(void) attempt(break_off_run, work, "breaking off uploads", &another);

	/* Close what the run has open before anything else is waited for. */
	MemoryContextDeleteChildren(work->context);
	record_failure(work, arg, &failure);
	if (work->run.run_id != 0)
		clean_up(clean_run, work);
	return false;
}

/* ---- incremental sync ---- */

static void
run_sync(void *arg)
{
	WorkContext *work = arg;
	MemoryContext saved = MemoryContextSwitchTo(work->context);

	sw_incremental_run(&work->run, work->only_open);
	MemoryContextSwitchTo(saved);
}

static void
record_sync_failure(const WorkContext *work, const void *arg,
					const SwFailure *failure)
{
	int64		pipeline_id = work->pipeline->pipeline_id;
	SwSyncWindow *window;
	int			n_failures;

	(void) arg;
	sw_tx_begin("recording a failure");
	record_run_failure(work, failure);
	window = sw_cat_window_find_open(pipeline_id);
	if (window != NULL)
		sw_cat_window_record_failure(window->window_id);
	n_failures = 1 + (window != NULL ? window->attempt :
					  sw_cat_sync_get(pipeline_id)->consecutive_failures);
	sw_cat_sync_record_failure(pipeline_id,
							   next_attempt(n_failures, failure->retry),
							   failure->message, failure->hint);
	sw_tx_commit();
}

/* only_open: what is left of an open window, and nothing new. */
static bool
sync_pipeline(const SwPipeline *pipeline, bool only_open, MemoryContext context)
{
	WorkContext work = {
		.pipeline = pipeline,
		.context = context,
		.run = {
			.pipeline = pipeline
		},
		.only_open = only_open
	};

	return do_run(run_sync, &work, "incremental sync", record_sync_failure,
				  NULL);
}

/* A run of incremental sync, if it is due. */
static void
step_sync(int64 pipeline_id, MemoryContext context)
{
	SwPipeline *pipeline;
	bool		is_due;

	sw_tx_begin("looking whether a sync is due");
	pipeline = sw_cat_pipeline_get(pipeline_id);
	is_due = strcmp(pipeline->status, "running") == 0 &&
		sw_cat_sync_is_due(pipeline_id, sw_clock_now());
	sw_tx_commit();
	if (is_due)
		(void) sync_pipeline(pipeline, false, context);
}

/*
 * Files that wait to be loaded would bring rows of a day after a backfill has
 * replaced it: they come first.  False when that fails.
 */
static bool
settle_sync(const SwPipeline *pipeline, MemoryContext context)
{
	SwSyncWindow *window;
	bool		is_staged = false;
	ListCell   *cell;

	sw_tx_begin("looking for files that wait to be loaded");
	window = sw_cat_window_find_open(pipeline->pipeline_id);
	if (window != NULL)
		foreach(cell, sw_cat_chunk_list(window->window_id))
			if (strcmp(((const SwChunk *) lfirst(cell))->status, "planned") != 0)
			is_staged = true;
	sw_tx_commit();
	return !is_staged || sync_pipeline(pipeline, true, context);
}

/* ---- backfills ---- */

static void
run_window(void *arg)
{
	WorkContext *work = arg;
	MemoryContext saved = MemoryContextSwitchTo(work->context);

	if (work->window->day == NULL)
		sw_copy_run(&work->run);
	else
		sw_window_run(&work->run);
	MemoryContextSwitchTo(saved);
}

/*
 * A window failed: what a repeat may cure is tried again, a number of
 * times; the rest, and what never got better, fails the backfill.
 */
static void
record_window_failure(const WorkContext *work, const void *arg,
					  const SwFailure *failure)
{
	const SwBackfill *backfill = arg;
	int			n_failures = backfill->attempt + 1;
	bool		is_locked = strcmp(failure->sqlstate, LOCK_NOT_AVAILABLE) == 0;
	bool		is_final = failure->retry == SW_RETRY_NEVER ||
	(n_failures >= sw_backfill_attempts && !is_locked);

	sw_tx_begin("recording a failure");
	record_run_failure(work, failure);
	sw_cat_backfill_finish_window(work->window, is_final ? "failed" : "queued", 0);
	if (is_final)
		sw_cat_backfill_finish(backfill->backfill_id, "failed",
							   failure->message, failure->hint);
	else
		sw_cat_backfill_postpone(backfill->backfill_id,
								 next_attempt(n_failures, failure->retry),
								 failure->message, failure->hint);
	sw_tx_commit();
}

/* Run one window; false when the backfill cannot go on now. */
static bool
run_backfill_window(const SwPipeline *pipeline, const SwBackfill *backfill,
					const SwWindow *window, MemoryContext context)
{
	WorkContext work = {
		.pipeline = pipeline,
		.window = window,
		.context = context,
		.run = {
			.pipeline = pipeline,
			.window = window,
			.allow_shrink = backfill->allow_shrink
		}
	};

	return do_run(run_window, &work, window->day == NULL ? "a full copy" :
				  "a backfill's window", record_window_failure, backfill);
}

/* Wait with a backfill, since something else has failed just now. */
static void
put_off_backfill(const SwBackfill *backfill)
{
	sw_tx_begin("putting off a backfill");
	sw_cat_backfill_postpone(backfill->backfill_id,
							 next_attempt(backfill->attempt + 1, SW_RETRY_LATER),
							 "files of an earlier sync could not be loaded",
							 "See sw_status for the error.");
	sw_tx_commit();
}

/* One step of a backfill that is due; false when there is none to do. */
static bool
step_backfill(int64 pipeline_id, MemoryContext context)
{
	SwPipeline *pipeline;
	SwBackfill *backfill;
	SwWindow   *window = NULL;

	sw_tx_begin("looking for a backfill");
	pipeline = sw_cat_pipeline_get(pipeline_id);
	backfill = sw_cat_backfill_find_due(pipeline_id);
	if (backfill != NULL)
	{
		if (strcmp(pipeline->status, "stopped") == 0)
			sw_cat_backfill_finish(backfill->backfill_id, "cancelled",
								   "the pipeline was stopped", NULL);
		else if ((window = sw_cat_backfill_next_window(backfill->backfill_id)) == NULL)
			sw_cat_backfill_finish(backfill->backfill_id, "success", NULL, NULL);
	}
	sw_tx_commit();
	if (window == NULL)
		return false;
	/* A copy begins with an empty target, and sync goes on from it. */
	if (!settle_sync(pipeline, context) && window->day != NULL)
	{
		put_off_backfill(backfill);
		return false;
	}
	return run_backfill_window(pipeline, backfill, window, context);
}

/* ---- all of it ---- */

static void
clean_pipeline(void *arg)
{
	WorkContext *work = arg;

	sw_cleanup_pipeline(work->pipeline);
}

static void
clean_warehouse(void *arg)
{
	WorkContext *work = arg;

	sw_leftover_clean(work->pipeline);
}

/* What is left over in the store and at the warehouse, as far as it is due. */
static void
clean_all(WorkContext *work)
{
	SwFailure	failure;

	clean_up(clean_pipeline, work);
	if (!attempt(clean_warehouse, work, "dropping stage tables", &failure))
		sw_leftover_put_off(work->pipeline);
}

/*
 * The pipeline, with what a worker before us left open closed; or NULL, also
 * where it is not this instance's.
 */
static SwPipeline *
take_up(int64 pipeline_id)
{
	SwPipeline *pipeline;

	sw_tx_begin("reading a pipeline");
	pipeline = sw_cat_pipeline_get(pipeline_id);
	sw_tx_commit();
	if (pipeline == NULL || !sw_fence_pass(pipeline))
		return NULL;
	sw_tx_begin("taking up interrupted work");
	pipeline = sw_cat_pipeline_get(pipeline_id);
	if (pipeline != NULL)
		(void) sw_cat_run_close_interrupted(pipeline_id, sw_retry_backoff_ms,
											sw_retry_backoff_max_ms,
											2 * sw_backfill_attempts);
	sw_tx_commit();
	return pipeline;
}

static void
work_through(const SwPipeline *pipeline, MemoryContext context)
{
	int64		pipeline_id = pipeline->pipeline_id;
	WorkContext work = {.pipeline = pipeline,.context = context};
	MemoryContext step = AllocSetContextCreate(context, "SwStep",
											   ALLOCSET_DEFAULT_SIZES);
	bool		again;

	/* What a run that died has staged goes before its successor begins. */
	clean_up(clean_pipeline, &work);
	if (!sw_lock_hold(pipeline_id))
		return;
	attend_to_former_targets(pipeline, step);
	attend_to_target(pipeline, step);
	do
	{
		if (!sw_lock_hold(pipeline_id))
			return;
		MemoryContextReset(step);
		MemoryContextSwitchTo(step);
		sw_settings_reload();
		again = step_backfill(pipeline_id, step);
		/* One run of it: others may have waited for this worker's place. */
		if (!again)
			step_sync(pipeline_id, step);
		MemoryContextSwitchTo(context);
	} while (again);
	if (sw_lock_hold(pipeline_id))
		clean_all(&work);
	if (sw_lock_hold(pipeline_id))
		sw_fence_wind_up(pipeline);
}

void
sw_work_run(int64 pipeline_id)
{
	MemoryContext context;
	MemoryContext saved;
	SwPipeline *pipeline;

	if (!sw_lock_hold(pipeline_id))
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "SwWork",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);
	pipeline = take_up(pipeline_id);
	if (pipeline != NULL)
		work_through(pipeline, context);
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}
