/*-------------------------------------------------------------------------
 *
 * sw_copy.c
 *	  One run of a full copy: all rows of the source go into an empty target.
 *
 * Rows that are put in place of those with the same key may be loaded as
 * often as need be.  Rows that are appended may not:
 *
 *	   A warehouse that shows a load as a whole (bytehouse) gets one load.  The
 *	   run after one whose load has an unknown outcome counts the rows: none,
 *	   then it copies again; all of them, then it is done.
 *
 *	   One that shows part of a load (clickhouse) knows a repeat by its token,
 *	   as long as it is of the same file: it gets a load for each file, which
 *	   is repeated within the run.
 *
 * Where neither none nor all of them are there, nobody can say which are
 * missing, and a person has to empty the target.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/sw_settings.h"
#include "common/sw_backoff.h"
#include "net/sw_report.h"
#include "net/sw_wait.h"
#include "source/sw_relation.h"
#include "sync/sw_aim.h"
#include "sync/sw_copy.h"
#include "sync/sw_lease.h"
#include "sync/sw_tx.h"

#define WHAT "full copy"

typedef struct CopyWork
{
	SwRun	   *run;
	SwTarget   *target;			/* NULL = closed */
	bool		is_upsert;
	bool		can_count;		/* SELECT on the target is granted */
	uint64		n_rows_before;
	bool		is_done;		/* an earlier run has loaded all */
	int64		loaded_by;		/* the run that has */
	uint64		n_rows_loaded;	/* by whichever */
} CopyWork;

/* ---- what is there ---- */

/*
 * What an earlier load brings from now on would be there twice, or, older as
 * it is, in the place of what we load.  Without the right to end it, rows
 * with a key are copied all the same.
 */
static void
end_load(const CopyWork *work, const SwLoad *load)
{
	SwError		err;
	SwStatus	status = sw_target_end_load(work->target, load->query_id, &err);

	if (status == SW_OK)
		return;
	if (status != SW_ERR_DENIED || !work->is_upsert)
		sw_report(ERROR, &err);
	sw_run_log(work->run, "warning",
			   psprintf("the load of run " INT64_FORMAT " may be under way and could not be ended: %s",
						load->run_id, err.message));
}

/* An earlier run of this copy has begun to load: what came of it? */
static void
judge_load(CopyWork *work, const SwLoad *load)
{
	const SwRun *run = work->run;

	if (!work->can_count)
		sw_run_log(run, "warning",
				   "what an earlier load has brought is not known; its rows may be there twice");
	else if (work->n_rows_before == (uint64) load->n_rows)
	{
		sw_run_log(run, "info",
				   psprintf("the load of run " INT64_FORMAT " has brought all rows",
							load->run_id));
		work->is_done = true;
		work->loaded_by = load->run_id;
		work->n_rows_loaded = work->n_rows_before;
	}
	else if (work->n_rows_before > 0 &&
			 run->plan->table.options.at_least_once)
		sw_run_log(run, "warning",
				   psprintf(UINT64_FORMAT " rows that an earlier load has brought are there twice",
							work->n_rows_before));
	else if (work->n_rows_before > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the target has " UINT64_FORMAT " rows of " INT64_FORMAT " after a load that was broken off",
						work->n_rows_before, load->n_rows),
				 errdetail("Which of them are missing is not known, so they cannot be added."),
				 errhint("Empty the target table at the warehouse (TRUNCATE TABLE), then call sw_backfill again.")));
}

static void
check_empty(const CopyWork *work)
{
	if (work->n_rows_before > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("target table \"%s\" is not empty",
						work->run->pipeline->target_table),
				 errdetail("It has " UINT64_FORMAT " rows; a full copy fills an empty table.",
						   work->n_rows_before),
				 errhint("Empty it at the warehouse (TRUNCATE TABLE) if its rows may go, then call sw_backfill again.")));
}

/*
 * Talk to the warehouse before any work is done for it.  A target that is
 * not empty was filled by somebody else, or by an earlier run of this copy.
 * It is counted when no earlier load can add to it any more.
 */
static void
look_at_target(CopyWork *work)
{
	const SwRun *run = work->run;
	SwLoad	   *load;

	sw_tx_begin("looking for an earlier load");
	load = sw_cat_run_last_load(run->window->backfill_id);
	sw_tx_commit();
	work->target = sw_run_open_target(run);
	if (load != NULL)
		end_load(work, load);
	work->can_count = sw_run_count(run, work->target, NULL,
								   &work->n_rows_before);
	if (!work->can_count)
		sw_run_log(run, "warning",
				   "the warehouse user may not SELECT from the target: that it is empty, and its rows, are not checked");
	if (load == NULL || !load->is_of_backfill)
		check_empty(work);
	else if (!work->is_upsert)
		judge_load(work, load);
	sw_target_close(work->target);
	work->target = NULL;
}

/* ---- reading ---- */

/*
 * Copy what had been committed by now, and let sync go on from here: so no
 * row is brought by both.  The capture is durable before the rows are read.
 */
static void
aim_at_now(const SwRun *run)
{
	const SwPipeline *pipeline = run->pipeline;
	SwCapture  *capture;

	sw_tx_begin("capturing what a copy reads");
	if (sw_relation_has_versions(pipeline->source))
	{
		capture = sw_capture_take(pipeline->source, NULL);
		sw_cat_capture_insert_copy(pipeline->pipeline_id, run->run_id,
								   capture->captured_at,
								   sw_capture_pack(capture));
		sw_aim_copy(run->plan, capture);
	}
	sw_tx_commit();
}

static void
restart_sync(const CopyWork *work)
{
	sw_tx_begin("having sync go on from a copy");
	sw_cat_capture_restart(work->run->pipeline->pipeline_id, work->loaded_by);
	sw_tx_commit();
}

/* ---- loads ---- */

static SwStatus
load_once(CopyWork *work, const SwLoadSource *source, SwLoadResult *result,
		  char **query_id, SwError *err)
{
	const SwRun *run = work->run;

	if (work->target == NULL)
		SW_TRY(sw_target_open(&run->connect->target_options,
							  CurrentMemoryContext, &work->target, err));
	/* A repeat waits for the end of what it repeats. */
	if (*query_id != NULL)
		SW_TRY(sw_target_end_load(work->target, *query_id, err));
	*query_id = sw_run_make_query_id();
	sw_run_record_load(run, *query_id, NULL);
	return sw_target_load(work->target, &run->plan->table, source, *query_id,
						  result, err);
}

static void
pause_before_repeat(int n_failures)
{
	uint32		random = 0;
	int64		deadline;

	(void) pg_strong_random(&random, sizeof(random));
	deadline = sw_wait_deadline(sw_backoff_delay_ms(n_failures,
													sw_retry_backoff_ms,
													sw_retry_backoff_max_ms,
													random));
	while (sw_wait_now_ms() < deadline)
		(void) sw_wait(PGINVALID_SOCKET, false, false, deadline,
					   SW_WAIT_EVENT_RUN);
}

/* Load what source->url names, as often as it takes where that is harmless. */
static void
load_source(CopyWork *work, const SwLoadSource *source, bool may_repeat,
			SwLoadResult *result)
{
	char	   *query_id = NULL;
	int			n_failures = 0;
	SwError		err;

	while (load_once(work, source, result, &query_id, &err) != SW_OK)
	{
		if (!may_repeat || err.retry == SW_RETRY_NEVER ||
			++n_failures >= sw_backfill_attempts)
			sw_report(ERROR, &err);
		sw_run_log(work->run, "warning",
				   psprintf("the load is repeated after: %s", err.message));
		if (work->target != NULL)
			sw_target_close(work->target);
		work->target = NULL;
		pause_before_repeat(n_failures);
	}
}

/* One load per file, with a token of its own. */
static void
load_files(CopyWork *work, SwLoadSource *source, SwLoadResult *sum)
{
	const SwRun *run = work->run;
	ListCell   *cell;

	foreach(cell, run->stage->files)
	{
		const SwStagedFile *file = lfirst(cell);
		SwLoadResult result = {0};

		source->url = sw_store_load_url(run->store, file->key);
		source->token = file->key;
		source->n_rows = file->n_rows;
		load_source(work, source, true, &result);
		sum->read_rows += result.read_rows;
		sum->written_rows += result.written_rows;
	}
}

/* A file in Native format is cut into the same blocks by each load of it. */
static bool
knows_repeats(const SwRun *run)
{
	const SwDestination *destination = run->connect->destination;

	return strcmp(destination->stage_format, "native") == 0 &&
		sw_target_knows_repeats(destination->kind, &run->plan->table);
}

/* Rows that have a key in common count as one at the target. */
static bool
is_plausible(const CopyWork *work, uint64 found)
{
	uint64		expected = work->run->stage->n_rows;

	if (!work->is_upsert)
		return found == expected + work->n_rows_before;
	return found > 0 && (work->n_rows_before > 0 || found <= expected);
}

static void
check_count(CopyWork *work, const SwLoadResult *result)
{
	const SwRun *run = work->run;
	uint64		expected = run->stage->n_rows;
	uint64		found;

	if (work->can_count)
		work->can_count = sw_run_count(run, work->target, NULL, &found);
	if (!work->can_count)
		found = sw_run_get_told(run, result);
	if (!is_plausible(work, found))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the target has " UINT64_FORMAT " rows instead of " UINT64_FORMAT,
						found, expected),
				 errdetail("They were counted after the load."),
				 errhint("Find out whether anything else writes to that table, empty it, then call sw_backfill again.")));
	if (work->can_count && found < expected)
		sw_run_log(run, "info",
				   psprintf("the target has " UINT64_FORMAT " rows: " UINT64_FORMAT " have their key in common with another",
							found, expected - found));
}

static void
load(CopyWork *work)
{
	const SwRun *run = work->run;
	SwLoadSource source = sw_run_load_source(run);
	SwLoadResult result = {0};

	work->n_rows_loaded = run->stage->n_rows;
	if (run->stage->n_rows == 0)
		return;
	sw_lease_raise(run->pipeline, run->connect, run->store);
	if (!work->is_upsert && knows_repeats(run))
		load_files(work, &source, &result);
	else
	{
		source.url = sw_store_load_url(run->store,
									   sw_stage_load_key(run->stage));
		load_source(work, &source, work->is_upsert, &result);
	}
	check_count(work, &result);
	sw_target_close(work->target);
}

void
sw_copy_run(SwRun *run)
{
	CopyWork	work = {
		.run = run,
		.is_upsert = strcmp(run->pipeline->mode, "upsert") == 0
	};
	MemoryContext context;
	MemoryContext saved;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwRun",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);

	sw_run_begin(run, "copy", WHAT, context);
	look_at_target(&work);
	if (!work.is_done)
	{
		aim_at_now(run);
		sw_run_read(run);
		sw_run_upload(run);
		load(&work);
		work.loaded_by = run->run_id;
	}
	restart_sync(&work);
	sw_run_finish(run, WHAT, (int64) work.n_rows_loaded);

	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}
