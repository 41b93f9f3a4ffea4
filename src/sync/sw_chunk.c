/*-------------------------------------------------------------------------
 *
 * sw_chunk.c
 *	  The unit of delivery: part of a window, read, staged, loaded once.
 *
 * A load whose outcome is not known is ended first, so that nothing of it
 * can come any more.  Then, if rows
 *
 *	   have a key			it is repeated: they take their own places
 *	   go by file, in		it is repeated with the same tokens, by which
 *	   Native format		the warehouse knows what is there already
 *	   are appended, by a	the rows of the days that it is about are counted:
 *	   warehouse that		as many as before, then it is repeated; more by
 *	   shows all or none	as many as it has, then it is done; else a person
 *	   of a load			has to look
 *
 * Contract: sw_chunk.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "net/sw_point.h"
#include "net/sw_report.h"
#include "sync/sw_chunk.h"
#include "sync/sw_cleanup.h"
#include "sync/sw_lease.h"
#include "sync/sw_tx.h"

/*
 * Parts that a load may make at most: half of what the warehouse remembers
 * the tokens of.
 */
#define MAX_PARTS 5000

/* How a repeated load is kept from doubling rows. */
typedef enum Repeat
{
	REPEAT_BY_KEY,
	REPEAT_BY_TOKEN,
	REPEAT_BY_COUNT,
	REPEAT_DOUBLES				/* the pipeline says that it may */
} Repeat;

typedef struct ChunkWork
{
	SwRun	   *run;
	SwChunk    *chunk;
	SwTarget   *target;
	SwStore    *store;			/* that the files are in */
	List	   *files;			/* SwStagedObject */
	Repeat		repeat;
	bool		can_count;		/* SELECT on the target is granted */
} ChunkWork;

static Repeat
choose_repeat(const SwRun *run, const SwChunk *chunk)
{
	const SwTargetTable *table = &run->plan->table;
	const SwDestination *destination = run->connect->destination;
	const char *format = chunk->stage_format != NULL ? chunk->stage_format :
	destination->stage_format;

	if (strcmp(run->pipeline->mode, "upsert") == 0)
		return REPEAT_BY_KEY;
	if (sw_target_knows_repeats(destination->kind, table))
	{
		/* The destination's format may have been changed. */
		if (strcmp(format, "native") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("rows cannot be appended exactly once from files of format \"%s\"",
							format),
					 errhint("Set stage_format of destination \"%s\" to \"native\", or say {\"at_least_once\": true} in target_options of the pipeline.",
							 destination->name)));
		return REPEAT_BY_TOKEN;
	}
	return table->options.at_least_once ? REPEAT_DOUBLES : REPEAT_BY_COUNT;
}

/* ---- rows to files, files to the store ---- */

static void
stage_chunk(ChunkWork *work, MemoryContext context)
{
	SwRun	   *run = work->run;

	sw_run_create_stage(run, context);
	if (work->repeat == REPEAT_BY_TOKEN)
		run->stage->max_parts = MAX_PARTS;
	sw_point("chunk.begun");
	sw_run_read(run);
	sw_point("chunk.read");
	if (run->stage->n_rows > 0)
	{
		sw_run_upload(run);
		sw_point("chunk.staged");
	}
}

/* ---- what came of a load that was begun ---- */

static void
end_load(const ChunkWork *work)
{
	SwError		err;
	SwStatus	status = sw_target_end_load(work->target,
											work->chunk->load_query_id, &err);

	if (status == SW_OK)
		return;
	if (status != SW_ERR_DENIED || work->repeat != REPEAT_BY_KEY)
		sw_report(ERROR, &err);
	sw_run_log(work->run, "warning",
			   psprintf("load %s may be under way and could not be ended: %s",
						work->chunk->load_query_id, err.message));
}

/* The rows in the days that the chunk is about; false when we may not look. */
static bool
count_rows(ChunkWork *work, uint64 *n_rows)
{
	if (work->can_count)
		work->can_count = sw_run_count_days(work->run, work->target,
											work->chunk->first_day,
											work->chunk->last_day, n_rows);
	return work->can_count;
}

/*
 * Nobody can say what the target has of the chunk.  Sync goes on if a
 * backfill of its days can make that good, or a person has to.
 */
static void
give_up(const ChunkWork *work, const char *problem)
{
	const SwChunk *chunk = work->chunk;
	bool		has_days;

	sw_tx_begin("marking the days of a load");
	has_days = sw_cat_chunk_mark_days(work->run->pipeline, chunk,
									  "rows of a load may be missing, or there twice");
	if (has_days)
		sw_cat_run_log(work->run->run_id, "warning",
					   "%s; the days from %s to %s need a backfill",
					   problem, chunk->first_day, chunk->last_day);
	sw_tx_commit();
	if (!has_days)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("%s", problem),
				 errhint("Find out what else writes to that table.  Empty it and call sw_backfill to copy all again.")));
}

/* Did the load that has been ended bring the rows? */
static bool
is_loaded(ChunkWork *work)
{
	const SwChunk *chunk = work->chunk;
	uint64		before = (uint64) chunk->target_rows_before;
	uint64		now;

	if (work->repeat != REPEAT_BY_COUNT)
		return false;
	if (chunk->target_rows_before < 0 || !count_rows(work, &now))
	{
		sw_run_log(work->run, "warning",
				   "the warehouse user may not SELECT from the target: what became of a load is not known, its rows may be there twice");
		return false;
	}
	if (now == before)
		return false;
	if (now == before + chunk->n_rows)
	{
		sw_run_log(work->run, "info",
				   psprintf("load %s, of unknown outcome, has brought its rows",
							chunk->load_query_id));
		return true;
	}
	give_up(work, psprintf("what became of load %s cannot be found out: the target had " UINT64_FORMAT " rows in its days and now has " UINT64_FORMAT,
						   chunk->load_query_id, before, now));
	return true;
}

/* ---- loads ---- */

/* One key, or a glob over the folder that the chunk's files have. */
static char *
get_load_key(const ChunkWork *work)
{
	const char *first = ((const SwStagedObject *) linitial(work->files))->key;
	const char *slash = strrchr(first, '/');
	const char *dot = strrchr(first, '.');

	if (list_length(work->files) == 1)
		return pstrdup(first);
	return psprintf("%.*s/part-*%s", (int) (slash - first), first, dot);
}

/* The load is on record before it begins. */
static void
record_load(const ChunkWork *work, const char *query_id, int64 rows_before,
			int n_files_loaded)
{
	const SwRun *run = work->run;

	sw_tx_begin("recording a load");
	sw_cat_chunk_set_loading(work->chunk, query_id, rows_before,
							 n_files_loaded);
	sw_cat_run_set_load(run->run_id, query_id, work->chunk->n_rows);
	sw_cat_run_log(run->run_id, "info", "load begins, query id %s", query_id);
	sw_tx_commit();
	sw_point("chunk.intent");
}

static void
load_source(const ChunkWork *work, SwLoadSource *source, const char *key,
			int64 rows_before, int n_files_loaded, SwLoadResult *sum)
{
	const SwRun *run = work->run;
	char	   *query_id = sw_run_make_query_id();
	SwLoadResult result = {0};
	SwError		err;

	source->url = sw_store_load_url(work->store, key);
	record_load(work, query_id, rows_before, n_files_loaded);
	if (sw_target_load(work->target, &run->plan->table, source, query_id,
					   &result, &err) != SW_OK)
		sw_report(ERROR, &err);
	sum->read_rows += result.read_rows;
	sum->written_rows += result.written_rows;
}

/*
 * What the warehouse says of a load.  Of a repeated one with tokens it may
 * leave out all; one that is silent is asked whether there are rows at all.
 */
static void
check_told(ChunkWork *work, uint64 expected, const SwLoadResult *result)
{
	uint64		told = Max(result->written_rows, result->read_rows);
	uint64		now;

	if (told >= expected || (told > 0 && work->repeat == REPEAT_BY_TOKEN))
		return;
	if (told == 0 && work->repeat == REPEAT_BY_KEY &&
		count_rows(work, &now) && now > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the warehouse says it has loaded " UINT64_FORMAT " rows of " UINT64_FORMAT,
					told, expected),
			 errdetail("It may not have found all staged files."),
			 errhint("Find out whether anything else deletes objects under the destination's stage_prefix.")));
}

static void
check_count(ChunkWork *work, uint64 before, const SwLoadResult *result)
{
	uint64		expected = work->chunk->n_rows;
	uint64		now;

	if (!count_rows(work, &now))
	{
		check_told(work, expected, result);
		return;
	}
	if (now != before + expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the target has " UINT64_FORMAT " rows in the days of a load instead of " UINT64_FORMAT,
						now, before + expected),
				 errdetail("They were counted after the load."),
				 errhint("Find out whether anything else writes to that table.")));
}

static void
load_once(ChunkWork *work, SwLoadSource *source)
{
	SwLoadResult result = {0};
	uint64		before = 0;
	bool		is_counted = work->repeat == REPEAT_BY_COUNT &&
	count_rows(work, &before);

	if (work->repeat == REPEAT_BY_COUNT && !is_counted)
		sw_run_log(work->run, "warning",
				   "the warehouse user may not SELECT from the target: rows arrive at least once");
	load_source(work, source, get_load_key(work),
				is_counted ? (int64) before : -1, 0, &result);
	sw_point("chunk.loaded");
	if (is_counted)
		check_count(work, before, &result);
	else
		check_told(work, work->chunk->n_rows, &result);
}

/*
 * A statement per file, with a token of its own.  Those before the one whose
 * outcome is not known are done, and the warehouse may have forgotten theirs.
 */
static void
load_files(ChunkWork *work, SwLoadSource *source)
{
	SwLoadResult result = {0};
	int			n_done = work->chunk->n_files_loaded;
	uint64		expected = 0;
	int			i;

	for (i = n_done; i < list_length(work->files); i++)
	{
		const SwStagedObject *file = list_nth(work->files, i);

		source->token = file->key;
		source->n_rows = file->n_rows;
		load_source(work, source, file->key, -1, i, &result);
		expected += file->n_rows;
	}
	sw_point("chunk.loaded");
	check_told(work, expected, &result);
}

static SwLoadSource
describe_source(const ChunkWork *work)
{
	const SwRun *run = work->run;
	const SwWriterOps *ops = sw_writer_find(work->chunk->stage_format,
											work->chunk->stage_compression);
	SwLoadSource source = {
		.format = ops->format_name,
		.compression = ops->compression,
		.access_key = run->connect->store_options.access_key,
		.secret_key = run->connect->store_options.secret_key,
		.n_rows = work->chunk->n_rows
	};

	return source;
}

/* The destination may have been given another bucket or format since. */
static void
find_files(ChunkWork *work)
{
	sw_tx_begin("looking for the files of a chunk");
	work->files = sw_cat_object_list_chunk(work->chunk);
	sw_tx_commit();
	if (work->files == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the files of chunk " INT64_FORMAT " are not on record",
						work->chunk->chunk_id)));
	work->store = sw_connect_store_at(work->run->connect,
									  linitial(work->files),
									  CurrentMemoryContext);
}

/* Are all files of a chunk that was staged earlier still there? */
static bool
has_files(const ChunkWork *work)
{
	SwStoreObject object;
	SwStatus	status;
	SwError		err;
	ListCell   *cell;

	foreach(cell, work->files)
	{
		status = sw_store_head(work->store,
							   ((const SwStagedObject *) lfirst(cell))->key,
							   &object, &err);
		if (status == SW_ERR_MISSING)
			return false;
		if (status != SW_OK)
			sw_report(ERROR, &err);
	}
	return true;
}

/*
 * Somebody has deleted files that were to be loaded.  What is known not to be
 * at the target is read again; true then.
 */
static bool
replace_files(ChunkWork *work)
{
	bool		is_unloaded = strcmp(work->chunk->status, "staged") == 0 ||
	work->repeat == REPEAT_BY_KEY;

	if (!is_unloaded && work->repeat == REPEAT_BY_COUNT)
	{
		work->target = sw_run_open_target(work->run);
		end_load(work);
		is_unloaded = !is_loaded(work);
		sw_target_close(work->target);
	}
	else if (!is_unloaded)
		give_up(work, "staged files of a load that was under way are gone");
	if (!is_unloaded)
		return false;
	sw_tx_begin("planning a chunk again");
	sw_cat_chunk_set_planned(work->chunk);
	sw_cat_run_log(work->run->run_id, "warning",
				   "staged files are gone from the bucket: the rows are read again");
	sw_tx_commit();
	return true;
}

static void
load_chunk(ChunkWork *work)
{
	SwRun	   *run = work->run;
	SwLoadSource source = describe_source(work);
	bool		is_done = false;

	work->target = sw_run_open_target(run);
	sw_lease_raise(run->pipeline, run->connect, run->store);
	sw_point("chunk.leased");
	if (strcmp(work->chunk->status, "loading") == 0)
	{
		end_load(work);
		is_done = is_loaded(work);
	}
	if (!is_done && work->repeat == REPEAT_BY_TOKEN)
		load_files(work, &source);
	else if (!is_done)
		load_once(work, &source);
	sw_target_close(work->target);
	sw_point("chunk.verified");
}

static void
record_done(const ChunkWork *work)
{
	sw_tx_begin("recording a chunk");
	sw_cat_chunk_set_done(work->chunk);
	sw_cat_run_sum_chunk(work->run->run_id, work->chunk);
	sw_tx_commit();
	sw_point("chunk.done");
}

void
sw_chunk_deliver(SwRun *run, SwChunk *chunk, MemoryContext context)
{
	ChunkWork	work = {
		.run = run,
		.chunk = chunk,
		.repeat = choose_repeat(run, chunk),
		.can_count = true
	};
	bool		is_settled = false;

	run->chunk = chunk;
	if (strcmp(chunk->status, "planned") != 0)
	{
		find_files(&work);
		is_settled = !has_files(&work) && !replace_files(&work);
	}
	if (strcmp(chunk->status, "planned") == 0)
	{
		stage_chunk(&work, context);
		if (chunk->n_rows > 0)
			find_files(&work);
	}
	if (chunk->n_rows > 0 && !is_settled)
		load_chunk(&work);
	record_done(&work);
	run->stage = NULL;
	if (chunk->n_rows > 0)
	{
		sw_cleanup_run(run->pipeline, chunk->run_id);
		sw_point("chunk.cleaned");
	}
	run->chunk = NULL;
}
