/*-------------------------------------------------------------------------
 *
 * sw_run.c
 *	  What all runs have in common: begun, read, sent, loaded, ended.
 *
 * Contract: sw_run.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "net/sw_report.h"
#include "sync/sw_aim.h"
#include "sync/sw_cleanup.h"
#include "sync/sw_run.h"
#include "sync/sw_tx.h"

/* Files that a pipeline without history may send while it reads. */
#define FIRST_CLAIM 16

void
sw_run_log(const SwRun *run, const char *level, const char *text)
{
	sw_tx_begin("writing a run's log");
	sw_cat_run_log(run->run_id, level, "%s", text);
	sw_tx_commit();
}

/* ---- the beginning ---- */

void
sw_run_begin(SwRun *run, const char *kind, const char *what,
			 MemoryContext context)
{
	const SwWindow *window = run->window;
	int64		run_id;

	sw_tx_begin("beginning a run");
	run_id = sw_cat_run_insert(run->pipeline, kind, window->window_start,
							   window->window_end, window->last_attempt + 1);
	sw_cat_backfill_begin_window(window, run_id);
	sw_cat_run_log(run_id, "info", "%s begins", what);
	sw_tx_commit();
	run->run_id = run_id;

	sw_run_prepare(run, context);
	run->plan->query.window_start = window->window_start;
	run->plan->query.window_end = window->window_end;
	sw_run_create_stage(run, context);
}

void
sw_run_prepare(SwRun *run, MemoryContext context)
{
	sw_tx_begin("reading a pipeline's definition");
	run->connect = sw_connect_load(run->pipeline->destination_id, context);
	sw_connect_check_right(run->connect, run->pipeline);
	sw_tx_commit();

	run->plan = sw_plan_create(run->pipeline);
	sw_plan_aim(run->plan, run->connect->destination);
	run->store = sw_connect_store(run->connect, context);
}

void
sw_run_create_stage(SwRun *run, MemoryContext context)
{
	run->stage = sw_stage_create(run->connect->destination, run->store,
								 run->pipeline->pipeline_id, run->run_id,
								 context);
}

SwTarget *
sw_run_open_target(const SwRun *run)
{
	SwTarget   *target = sw_connect_target(run->connect, CurrentMemoryContext);
	bool		is_marked;

	is_marked = sw_plan_prepare_target(run->plan, run->connect->destination,
									   target);
	if (strcmp(run->pipeline->status, "new") == 0)
	{
		sw_tx_begin("recording a target table");
		sw_cat_target_record_created(run->pipeline->pipeline_id);
		sw_tx_commit();
	}
	if (!is_marked)
		sw_run_log(run, "warning",
				   "the target's comment cannot be altered: that no other instance writes to it is not checked");
	return target;
}

bool
sw_run_count(const SwRun *run, SwTarget *target, const char *day,
			 uint64 *n_rows)
{
	return sw_run_count_days(run, target, day, day, n_rows);
}

bool
sw_run_count_days(const SwRun *run, SwTarget *target, const char *first_day,
				  const char *last_day, uint64 *n_rows)
{
	SwError		err;
	SwStatus	status = sw_target_count_days(target, &run->plan->table,
											  first_day, last_day, n_rows,
											  &err);

	if (status == SW_ERR_DENIED)
		return false;
	if (status != SW_OK)
		sw_report(ERROR, &err);
	return true;
}

/* ---- rows to files, files to the store ---- */

static SwObjectOwner
get_owner(const SwRun *run)
{
	SwObjectOwner owner = {
		.run_id = run->run_id,
		.chunk_id = run->chunk == NULL ? 0 : run->chunk->chunk_id
	};

	return owner;
}

static void
record_upload_ids(const SwRun *run)
{
	const char *key;
	const char *upload_id;

	while ((key = sw_stage_next_upload(run->stage, &upload_id)) != NULL)
		sw_cat_object_set_upload(run->run_id, key, upload_id);
}

static void
claim_keys(SwRun *run)
{
	SwObjectOwner owner = get_owner(run);
	int32		n_last;

	sw_tx_begin("claiming the keys of staged objects");
	n_last = sw_cat_run_last_files(run->pipeline->pipeline_id);
	sw_cat_object_claim(&owner, run->connect->destination,
						sw_stage_claim(run->stage,
									   Max(FIRST_CLAIM, n_last + n_last / 4)));
	sw_tx_commit();
}

/* What the policy did to values that the target cannot hold. */
static void
log_problems(const SwRun *run)
{
	const SwReadReport *report = &run->stage->report;
	int			i;

	if (report->n_skipped > 0)
		sw_cat_run_log(run->run_id, "warning",
					   UINT64_FORMAT " rows could not be exported and were left out",
					   report->n_skipped);
	for (i = 0; i < report->n_columns; i++)
	{
		const SwProblemCount *count = &report->columns[i];

		if (count->example != NULL)
			sw_cat_run_log(run->run_id, "warning",
						   "column \"%s\": " UINT64_FORMAT " values became null, "
						   UINT64_FORMAT " the nearest that fits, "
						   UINT64_FORMAT " text; " UINT64_FORMAT " rows were left out; %s",
						   run->plan->query.specs[i].name, count->n_nulled,
						   count->n_clamped, count->n_as_text,
						   count->n_skipped, count->example);
	}
}

/*
 * An UPDATE of a row that is at an append target already: the target has both
 * versions then, until the day is backfilled.
 */
static void
record_updates(const SwRun *run)
{
	const SwReadReport *report = &run->stage->report;

	if (report->n_updated == 0 || run->plan->shape->n_key_columns > 0)
		return;
	sw_cat_run_log(run->run_id, "warning",
				   UINT64_FORMAT " rows are new versions of updated ones, which the target may have, too",
				   report->n_updated);
	if (run->plan->shape->is_partitioned)
		sw_cat_day_mark(run->pipeline->pipeline_id, report->updated_days,
						report->n_updated_days, "rows were updated");
}

static void
record_files(const SwRun *run)
{
	SwObjectOwner owner = get_owner(run);
	ListCell   *cell;

	foreach(cell, run->stage->files)
	{
		SwStagedFile *file = lfirst(cell);

		sw_cat_object_record(&owner, run->connect->destination, file->key,
							 (int64) file->n_rows, file->n_bytes);
	}
	if (run->stage->n_claimed > 0)
		sw_cat_object_unclaim(&owner);
}

/*
 * A table was rewritten while it was being read, so that its blocks are
 * others.  Rows of those that have been read may lie in the rest now.
 */
static void
plan_again(const SwRun *run)
{
	sw_cat_chunk_merge_leaf(run->chunk);
	sw_cat_run_log(run->run_id, "warning",
				   "a table was rewritten while it was being read, some of its rows may arrive twice or need a backfill");
	sw_tx_commit();
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("a table was rewritten while it was being read")));
}

/*
 * A chunk is small, so its files wait until it is read: a window without rows
 * leaves no trace of claims.
 */
void
sw_run_read(SwRun *run)
{
	SwStage    *stage = run->stage;
	int			n_files;

	if (run->chunk == NULL)
		claim_keys(run);
	sw_tx_begin("reading the rows of a window");
	if (run->chunk == NULL)
		sw_aim_lock(run->plan);
	else if (!sw_aim_hold(run->plan, run->chunk))
		plan_again(run);
	/* To an older snapshot, a table that was rewritten looks empty. */
	PushActiveSnapshot(GetLatestSnapshot());
	sw_stage_read(stage, run->plan);
	PopActiveSnapshot();
	n_files = list_length(stage->files);
	record_files(run);
	record_upload_ids(run);
	if (run->chunk != NULL)
	{
		sw_cat_chunk_set_read(run->chunk, run->run_id, (int64) stage->n_rows,
							  &stage->span, run->pipeline->system_timezone);
		record_updates(run);
	}
	if (run->chunk == NULL || stage->n_rows > 0)
		sw_cat_run_log(run->run_id, "info",
					   "read " UINT64_FORMAT " rows into %d %s of " INT64_FORMAT " bytes",
					   stage->n_rows, n_files, n_files == 1 ? "file" : "files",
					   stage->n_bytes);
	log_problems(run);
	sw_tx_commit();
}

void
sw_run_upload(SwRun *run)
{
	SwStage    *stage = run->stage;
	SwObjectOwner owner = get_owner(run);
	SwStatus	status;
	SwError		err;

	if (stage->files == NIL)
		return;
	while (sw_stage_upload(stage, &status, &err))
	{
		/* Recovery can abort what it knows of. */
		sw_tx_begin("recording uploads");
		record_upload_ids(run);
		sw_tx_commit();
		if (status != SW_OK)
			sw_report(ERROR, &err);
	}
	sw_tx_begin("recording an upload");
	sw_cat_object_set_staged(&owner);
	if (run->chunk != NULL)
		sw_cat_chunk_set_staged(run->chunk, run->connect->destination);
	sw_cat_run_add_staged(run->run_id, list_length(stage->files),
						  stage->n_bytes);
	sw_cat_run_log(run->run_id, "info",
				   "uploaded " INT64_FORMAT " bytes", stage->n_bytes);
	sw_tx_commit();
}

/* ---- loads ---- */

SwLoadSource
sw_run_load_source(const SwRun *run)
{
	const SwWriterOps *ops = run->stage->writer_ops;
	SwLoadSource source = {
		.format = ops->format_name,
		.compression = ops->compression,
		.access_key = run->connect->store_options.access_key,
		.secret_key = run->connect->store_options.secret_key,
		.n_rows = run->stage->n_rows
	};

	return source;
}

char *
sw_run_make_query_id(void)
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

void
sw_run_record_load(const SwRun *run, const char *query_id,
				   const char *stage_table)
{
	sw_tx_begin("recording a load");
	sw_cat_run_set_load(run->run_id, query_id, (int64) run->stage->n_rows);
	if (stage_table != NULL)
		sw_cat_stage_insert(run->run_id, run->connect->destination,
							stage_table);
	sw_cat_run_log(run->run_id, "info", "load begins, query id %s", query_id);
	sw_tx_commit();
}

uint64
sw_run_get_told(const SwRun *run, const SwLoadResult *result)
{
	uint64		told = result->written_rows > 0 ? result->written_rows :
	result->read_rows;

	if (told == 0 && run->stage->n_rows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the warehouse does not tell how many rows it loaded"),
				 errdetail("It may have found none of the staged files."),
				 errhint("Grant the warehouse user SELECT on the target, so that a load can be checked, then repeat the backfill.")));
	return told;
}

/* ---- the end ---- */

void
sw_run_finish(SwRun *run, const char *what, int64 n_rows)
{
	sw_store_close(run->store);
	sw_run_clean(run);
	sw_tx_begin("finishing a run");
	sw_cat_run_set_rows(run->run_id, n_rows);
	sw_cat_run_log(run->run_id, "info",
				   "%s ends: " INT64_FORMAT " rows at the target", what,
				   n_rows);
	sw_cat_run_finish(run->run_id, "success", NULL, NULL, NULL, NULL);
	sw_cat_backfill_finish_window(run->window, "success", n_rows);
	if (run->window->day != NULL)
		sw_cat_day_unmark(run->pipeline->pipeline_id, run->window->day);
	sw_tx_commit();
	run->stage = NULL;
}

void
sw_run_break_off(const SwRun *run)
{
	if (run->stage == NULL)
		return;
	sw_stage_retell_uploads(run->stage);
	sw_tx_begin("recording uploads");
	record_upload_ids(run);
	sw_tx_commit();
}

void
sw_run_clean(const SwRun *run)
{
	sw_cleanup_run(run->pipeline, run->run_id);
}
