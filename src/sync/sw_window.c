/*-------------------------------------------------------------------------
 *
 * sw_window.c
 *	  One run of a backfill: a calendar day of the target is replaced.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "net/sw_report.h"
#include "sync/sw_cleanup.h"
#include "sync/sw_connect.h"
#include "sync/sw_leftover.h"
#include "sync/sw_plan.h"
#include "sync/sw_stage.h"
#include "sync/sw_tx.h"
#include "sync/sw_window.h"

/* The shrink guard speaks up beyond both. */
#define SHRINK_ROWS 1000
#define SHRINK_SHARE 10

/* Files that a pipeline without history may send while it reads. */
#define FIRST_CLAIM 16

typedef struct WindowWork
{
	SwWindowRun *run;
	SwConnect  *connect;
	SwStore    *store;
	SwPlan	   *plan;
	SwStage    *stage;
	bool		can_count;		/* SELECT on the target is granted */
	uint64		n_rows_before;
} WindowWork;

static void
log_line(const WindowWork *work, const char *level, const char *text)
{
	sw_tx_begin("writing a run's log");
	sw_cat_run_log(work->run->run_id, level, "%s", text);
	sw_tx_commit();
}

/* ---- 1: the run is on record, and counts as crashed until it is not ---- */

static void
begin_run(WindowWork *work, MemoryContext context)
{
	SwWindowRun *run = work->run;
	const SwWindow *window = run->window;
	int64		run_id;

	sw_tx_begin("beginning a run");
	run_id = sw_cat_run_insert(run->pipeline, "backfill",
							   window->window_start, window->window_end,
							   window->last_attempt + 1);
	sw_cat_backfill_begin_window(window, run_id);
	sw_cat_run_log(run_id, "info", "backfill of %s begins", window->day);
	sw_tx_commit();
	run->run_id = run_id;

	sw_tx_begin("reading a pipeline's definition");
	work->connect = sw_connect_load(run->pipeline->destination_id, context);
	sw_connect_check_right(work->connect, run->pipeline);
	sw_tx_commit();

	work->plan = sw_plan_create(run->pipeline);
	work->plan->query.window_start = window->window_start;
	work->plan->query.window_end = window->window_end;
	work->plan->table.database = work->connect->destination->database;
	work->store = sw_connect_store(work->connect, context);
	work->stage = sw_stage_create(work->connect->destination, work->store,
								  run->pipeline->pipeline_id, run->run_id,
								  context);
	run->stage = work->stage;
}

/* Rows of the day at the target; false when we may not look. */
static bool
count_day(WindowWork *work, SwTarget *target, uint64 *n_rows)
{
	SwError		err;
	SwStatus	status = sw_target_count_day(target, &work->plan->table,
											 work->run->window->day, n_rows,
											 &err);

	if (status == SW_ERR_DENIED)
		return false;
	if (status != SW_OK)
		sw_report(ERROR, &err);
	return true;
}

/*
 * ---- 2: talk to the warehouse before any work is done for it: wrong
 * credentials should not cost a read of the source ----
 */
static void
look_at_target(WindowWork *work)
{
	SwTarget   *target = sw_connect_target(work->connect, CurrentMemoryContext);
	char	   *caveat;
	bool		is_marked;
	SwError		err;

	is_marked = sw_plan_prepare_target(work->plan, work->connect->destination,
									   target);
	work->can_count = count_day(work, target, &work->n_rows_before);
	if (sw_target_find_caveat(target, &work->plan->table, &caveat, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_target_close(target);
	if (strcmp(work->run->pipeline->status, "new") == 0)
	{
		sw_tx_begin("recording a target table");
		sw_cat_target_record_created(work->run->pipeline->pipeline_id);
		sw_tx_commit();
	}
	if (caveat != NULL)
		log_line(work, "warning", caveat);
	if (!is_marked)
		log_line(work, "warning",
				 "the target's comment cannot be altered: that no other instance writes to it is not checked");
	if (!work->can_count)
		log_line(work, "warning",
				 "the warehouse user may not SELECT from the target: the day's rows are not checked");
}

/* ---- 3: keys are on record before a byte leaves; read and send ---- */

static void
record_upload_ids(const SwWindowRun *run)
{
	const char *key;
	const char *upload_id;

	while ((key = sw_stage_next_upload(run->stage, &upload_id)) != NULL)
		sw_cat_object_set_upload(run->run_id, key, upload_id);
}

static void
claim_keys(WindowWork *work)
{
	int32		n_last;

	sw_tx_begin("claiming the keys of staged objects");
	n_last = sw_cat_run_last_files(work->run->pipeline->pipeline_id);
	sw_cat_object_claim(work->run->run_id, work->connect->destination,
						sw_stage_claim(work->stage,
									   Max(FIRST_CLAIM, n_last + n_last / 4)));
	sw_tx_commit();
}

static void
read_rows(WindowWork *work)
{
	SwStage    *stage = work->stage;
	int			n_files;
	ListCell   *cell;

	claim_keys(work);
	sw_tx_begin("reading the rows of a window");
	sw_stage_read(stage, work->plan);
	n_files = list_length(stage->files);
	foreach(cell, stage->files)
	{
		SwStagedFile *file = lfirst(cell);

		sw_cat_object_record(work->run->run_id, work->connect->destination,
							 file->key, (int64) file->n_rows, file->n_bytes);
	}
	sw_cat_object_unclaim(work->run->run_id);
	record_upload_ids(work->run);
	sw_cat_run_log(work->run->run_id, "info",
				   "read " UINT64_FORMAT " rows into %d %s of " INT64_FORMAT " bytes",
				   stage->n_rows, n_files, n_files == 1 ? "file" : "files",
				   stage->n_bytes);
	sw_tx_commit();
}

/*
 * A day that would lose many rows, or all, is left alone: its source may
 * have been purged on purpose.
 */
static void
check_shrink(const WindowWork *work)
{
	uint64		before = work->n_rows_before;
	uint64		after = work->stage->n_rows;

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

static char *
make_query_id(void)
{
	unsigned char bytes[UUID_LEN];
	char	   *text = palloc(37);
	int			i,
				at = 0;

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;	/* version 4 */
	bytes[8] = (bytes[8] & 0x3f) | 0x80;	/* variant 1 */
	for (i = 0; i < UUID_LEN; i++)
		at += snprintf(text + at, 37 - at, "%s%02x",
					   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
					   bytes[i]);
	return text;
}

/* ---- 4: the rest of the files goes to the store ---- */

static void
upload(WindowWork *work)
{
	SwStage    *stage = work->stage;
	SwStatus	status;
	SwError		err;

	if (stage->files == NIL)
		return;
	while (sw_stage_upload(stage, &status, &err))
	{
		/* Recovery can abort what it knows of. */
		sw_tx_begin("recording uploads");
		record_upload_ids(work->run);
		sw_tx_commit();
		if (status != SW_OK)
			sw_report(ERROR, &err);
	}
	sw_tx_begin("recording an upload");
	sw_cat_object_set_staged(work->run->run_id);
	sw_cat_run_set_staged(work->run->run_id, list_length(stage->files),
						  stage->n_bytes);
	sw_cat_run_log(work->run->run_id, "info",
				   "uploaded " INT64_FORMAT " bytes", stage->n_bytes);
	sw_tx_commit();
}

/* ---- 5: one statement replaces the day; then the rows are counted ---- */

static void
check_count(WindowWork *work, SwTarget *target, const SwLoadResult *result)
{
	uint64		expected = work->stage->n_rows;
	uint64		found = result->written_rows;

	if (work->can_count)
		work->can_count = count_day(work, target, &found);
	else if (found == 0)
		found = result->read_rows;
	if (!work->can_count && found == 0 && expected > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the warehouse does not tell how many rows it loaded"),
				 errdetail("It may have found none of the staged files."),
				 errhint("Grant the warehouse user SELECT on the target, so that a load can be checked, then repeat the backfill.")));
	if (found != expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the target has " UINT64_FORMAT " rows of %s instead of " UINT64_FORMAT,
						found, work->run->window->day, expected),
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
	const SwWriterOps *ops = work->stage->writer_ops;
	SwTargetOptions *options = &work->connect->target_options;
	char	   *query_id = make_query_id();
	SwLoadSource source = {
		.url = sw_store_load_url(work->store, sw_stage_load_key(work->stage)),
		.format = ops->format_name,
		.compression = ops->compression,
		.access_key = work->connect->store_options.access_key,
		.secret_key = work->connect->store_options.secret_key,
		.n_rows = work->stage->n_rows,
		.stage_table = sw_target_name_stage(options->kind, query_id)
	};
	SwError		err;
	SwStatus	status;

	sw_leftover_drop(work->run->pipeline->pipeline_id, work->connect, target);
	sw_tx_begin("recording a load");
	sw_cat_run_set_load(work->run->run_id, query_id);
	if (source.stage_table != NULL)
		sw_cat_stage_insert(work->run->run_id, work->connect->destination,
							source.stage_table);
	sw_cat_run_log(work->run->run_id, "info", "load begins, query id %s",
				   query_id);
	sw_tx_commit();

	status = sw_target_overwrite_day(target, &work->plan->table,
									 work->run->window->day, &source,
									 query_id, result, &err);
	if (source.stage_table != NULL && !result->stage_is_left)
	{
		sw_tx_begin("recording a dropped stage table");
		sw_cat_stage_delete(work->run->run_id);
		sw_tx_commit();
	}
	if (status != SW_OK)
		sw_report(ERROR, &err);
	if (result->stage_problem != NULL)
		log_line(work, "warning",
				 psprintf("could not drop stage table %s, will try again: %s",
						  source.stage_table, result->stage_problem));
}

static void
drop_day(WindowWork *work, SwTarget *target)
{
	SwError		err;

	sw_leftover_drop(work->run->pipeline->pipeline_id, work->connect, target);
	if (sw_target_drop_day(target, &work->plan->table,
						   work->run->window->day, &err) != SW_OK)
		sw_report(ERROR, &err);
}

static void
load(WindowWork *work)
{
	SwLoadResult result = {0};
	SwTarget   *target;

	if (work->stage->n_rows == 0 && work->n_rows_before == 0 &&
		(work->can_count || !work->run->allow_shrink))
	{
		if (!work->can_count)
			log_line(work, "warning",
					 "the source has no rows of that day; what the target has was left alone, since it cannot be counted");
		return;
	}
	target = sw_connect_target(work->connect, CurrentMemoryContext);
	if (work->stage->n_rows > 0)
		overwrite_day(work, target, &result);
	else
		drop_day(work, target);
	check_count(work, target, &result);
	sw_target_close(target);
}

void
sw_window_break_off(const SwWindowRun *run)
{
	if (run->stage == NULL)
		return;
	sw_stage_retell_uploads(run->stage);
	sw_tx_begin("recording uploads");
	record_upload_ids(run);
	sw_tx_commit();
}

void
sw_window_clean(const SwWindowRun *run)
{
	sw_cleanup_run(run->pipeline, run->run_id);
}

static void
finish_run(const WindowWork *work)
{
	const SwWindow *window = work->run->window;

	sw_tx_begin("finishing a run");
	sw_cat_run_set_rows(work->run->run_id, (int64) work->stage->n_rows);
	sw_cat_run_log(work->run->run_id, "info",
				   "backfill of %s ends: " UINT64_FORMAT " rows at the target",
				   window->day, work->stage->n_rows);
	sw_cat_run_finish(work->run->run_id, "success", NULL, NULL, NULL, NULL);
	sw_cat_backfill_finish_window(window, "success",
								  (int64) work->stage->n_rows);
	sw_tx_commit();
}

void
sw_window_run(SwWindowRun *run)
{
	WindowWork	work = {.run = run};
	MemoryContext context;
	MemoryContext saved;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwRun",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);

	begin_run(&work, context);
	look_at_target(&work);
	read_rows(&work);
	check_shrink(&work);
	upload(&work);
	load(&work);
	sw_store_close(work.store);
	sw_window_clean(run);
	finish_run(&work);
	run->stage = NULL;

	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}
