/*-------------------------------------------------------------------------
 *
 * sw_incremental.c
 *	  A run of incremental sync: its windows, chunk by chunk.
 *
 * What is durable when, and what is done after a crash: README in this
 * folder.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "net/sw_clock.h"
#include "net/sw_point.h"
#include "sync/sw_aim.h"
#include "sync/sw_chunk.h"
#include "sync/sw_incremental.h"
#include "sync/sw_sync_window.h"
#include "sync/sw_tick.h"
#include "sync/sw_tx.h"

typedef struct Sync
{
	SwRun	   *run;
	bool		is_synced;		/* a window of its own is done, */
	TimestampTz synced_at;		/* which was opened at that time */
	TimestampTz swept_at;		/* DT_NOBEGIN = no sweep is done */
	int64		n_rows;
} Sync;

/* The run that somebody has asked for, or one of our own. */
static void
begin_run(Sync *sync, bool only_open)
{
	SwRun	   *run = sync->run;

	sw_tx_begin("beginning a run");
	if (!only_open)
		run->run_id = sw_cat_sync_take_request(run->pipeline);
	if (run->run_id == 0)
		run->run_id = sw_cat_run_insert(run->pipeline, "incremental",
										DT_NOBEGIN, DT_NOEND, 1);
	sw_cat_run_log(run->run_id, "info", "sync begins");
	sw_tx_commit();
	sw_point("run.begun");
}

/* ---- windows ---- */

static SwSyncWindow *
take_up_window(Sync *sync)
{
	SwSyncWindow *window;

	sw_tx_begin("looking for an open window");
	window = sw_cat_window_find_open(sync->run->pipeline->pipeline_id);
	if (window != NULL)
	{
		sw_cat_run_set_window(sync->run->run_id, window);
		sw_sync_window_mend(sync->run, window);
		sw_aim_window(sync->run->plan, window);
	}
	sw_tx_commit();
	return window;
}

static bool
is_sweep_due(const Sync *sync)
{
	SwSyncState *state;

	if (sync->swept_at != DT_NOBEGIN)
		return false;
	sw_tx_begin("looking whether a sweep is due");
	state = sw_cat_sync_get(sync->run->pipeline->pipeline_id);
	sw_tx_commit();
	return state->next_sweep_at <= sync->synced_at;
}

/*
 * The next window to do; NULL when the run is done.  One that was left open
 * ends before some of the rows that the run is asked for.
 */
static SwSyncWindow *
next_window(Sync *sync)
{
	if (!sync->is_synced)
	{
		sync->synced_at = sw_clock_now();
		return sw_sync_window_open(sync->run);
	}
	if (is_sweep_due(sync))
	{
		sync->swept_at = sync->synced_at;
		return sw_sync_window_open_sweep(sync->run);
	}
	return NULL;
}

static void
deliver_chunks(Sync *sync, const SwSyncWindow *window)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "SwChunk",
												  ALLOCSET_DEFAULT_SIZES);
	List	   *chunks;
	ListCell   *cell;

	sw_tx_begin("looking for the chunks of a window");
	chunks = sw_cat_chunk_list(window->window_id);
	sw_tx_commit();
	foreach(cell, chunks)
	{
		SwChunk    *chunk = lfirst(cell);
		MemoryContext saved = MemoryContextSwitchTo(context);

		sw_aim_chunk(sync->run->plan, chunk);
		sw_chunk_deliver(sync->run, chunk, context);
		sync->n_rows += chunk->n_rows;
		MemoryContextSwitchTo(saved);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
}

/* Where versions go by the cursor, an old one loses against a newer one. */
static void
warn_of_late_rows(const Sync *sync, int64 n_rows)
{
	if (n_rows > 0 && sync->run->plan->table.version_column != NULL)
		sw_run_log(sync->run, "warning",
				   psprintf(INT64_FORMAT " changed rows have an old %s: at the target they lose against newer ones",
							n_rows, sync->run->plan->table.version_column));
}

static void
do_window(Sync *sync, const SwSyncWindow *window)
{
	int64		n_rows_before = sync->n_rows;

	deliver_chunks(sync, window);
	sw_sync_window_finish(sync->run, window);
	if (strcmp(window->kind, "sweep") == 0)
	{
		warn_of_late_rows(sync, sync->n_rows - n_rows_before);
		sync->swept_at = Max(sync->swept_at, sync->synced_at);
	}
}

static void
finish_run(Sync *sync)
{
	const SwRun *run = sync->run;
	int64		pipeline_id = run->pipeline->pipeline_id;

	sw_tx_begin("finishing a run");
	if (sync->swept_at != DT_NOBEGIN)
		sw_cat_sync_record_swept(pipeline_id, sync->swept_at);
	if (sync->is_synced)
		sw_tick_record_success(pipeline_id, sync->synced_at);
	sw_cat_run_log(run->run_id, "info",
				   "sync ends: " INT64_FORMAT " rows delivered", sync->n_rows);
	sw_cat_run_finish(run->run_id, "success", NULL, NULL, NULL, NULL);
	sw_tx_commit();
	sw_point("run.finished");
}

void
sw_incremental_run(SwRun *run, bool only_open)
{
	Sync		sync = {
		.run = run,
		.synced_at = sw_clock_now(),
		.swept_at = DT_NOBEGIN
	};
	SwSyncWindow *window;
	MemoryContext context;
	MemoryContext saved;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwRun",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);

	begin_run(&sync, only_open);
	sw_run_prepare(run, context);
	window = take_up_window(&sync);
	if (window != NULL)
		do_window(&sync, window);
	while (!only_open && (window = next_window(&sync)) != NULL)
	{
		do_window(&sync, window);
		if (strcmp(window->kind, "incremental") == 0)
			sync.is_synced = true;
	}
	sw_store_close(run->store);
	finish_run(&sync);

	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}
