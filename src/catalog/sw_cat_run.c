/*-------------------------------------------------------------------------
 *
 * sw_cat_run.c
 *	  Runs and their log lines in the catalog.
 *
 * A run is written as running before work starts and corrected after: a
 * crash is deduced from what was never corrected.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

int64
sw_cat_run_insert(const SwPipeline *pipeline, const char *kind,
				  TimestampTz range_start, TimestampTz range_end,
				  int32 attempt)
{
	SwSpi		spi;
	int64		run_id;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_arg_text(&spi, kind);
	sw_spi_arg_time(&spi, range_start);
	sw_spi_arg_time(&spi, range_end);
	sw_spi_arg_int32(&spi, attempt);
	sw_spi_arg_int32(&spi, pipeline->settings_version);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.run (pipeline_id, kind,"
				" range_start, range_end, attempt, settings_version)"
				" VALUES ($1, $2, nullif($3, '-infinity'), nullif($4, 'infinity'),"
				" $5, $6) RETURNING run_id");
	run_id = sw_spi_get_int64(&spi, 0, "run_id");
	sw_spi_end(&spi);
	return run_id;
}

int32
sw_cat_run_last_files(int64 pipeline_id)
{
	SwSpi		spi;
	int32		n_files;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT coalesce((SELECT files FROM _sensorswave.run"
				" WHERE pipeline_id = $1 AND files > 0"
				" ORDER BY run_id DESC LIMIT 1), 0) AS n");
	n_files = sw_spi_get_int32(&spi, 0, "n");
	sw_spi_end(&spi);
	return n_files;
}

void
sw_cat_run_set_window(int64 run_id, const SwSyncWindow *window)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int64(&spi, window->window_id);
	sw_spi_arg_text(&spi, window->kind);
	sw_spi_arg_int32(&spi, window->attempt + 1);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET window_id = $2, kind = $3,"
				" attempt = greatest(attempt, $4) WHERE run_id = $1");
	sw_spi_end(&spi);
}

int64
sw_cat_run_count_windowless(const SwPipeline *pipeline)
{
	SwSpi		spi;
	int64		n_runs;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_arg_int32(&spi, pipeline->settings_version);
	sw_spi_exec(&spi, "SELECT count(*) AS n FROM _sensorswave.run"
				" WHERE pipeline_id = $1 AND settings_version = $2"
				" AND status = 'failed' AND window_id IS NULL"
				" AND kind IN ('incremental', 'sweep') AND error <> 'interrupted'");
	n_runs = sw_spi_get_int64(&spi, 0, "n");
	sw_spi_end(&spi);
	return n_runs;
}

void
sw_cat_run_sum_chunk(int64 run_id, const SwChunk *chunk)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run r"
				" SET rows_exported = r.rows_exported + c.n_rows,"
				" range_start = least(r.range_start, c.cursor_min),"
				" range_end = greatest(r.range_end, c.cursor_max)"
				" FROM _sensorswave.chunk c"
				" WHERE r.run_id = $1 AND c.chunk_id = $2");
	sw_spi_end(&spi);
}

void
sw_cat_run_add_staged(int64 run_id, int32 n_files, int64 n_bytes)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int32(&spi, n_files);
	sw_spi_arg_int64(&spi, n_bytes);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET files = files + $2,"
				" bytes_staged = bytes_staged + $3 WHERE run_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_run_set_rows(int64 run_id, int64 n_rows)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int64(&spi, n_rows);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET rows_exported = $2"
				" WHERE run_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_run_set_load(int64 run_id, const char *query_id, int64 n_rows)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, query_id);
	sw_spi_arg_int64(&spi, n_rows);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET load_query_id = $2,"
				" load_rows = $3 WHERE run_id = $1");
	sw_spi_end(&spi);
}

SwLoad *
sw_cat_run_last_load(int64 backfill_id)
{
	SwSpi		spi;
	SwLoad	   *load = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_exec(&spi, "SELECT r.run_id, r.status, r.load_query_id, r.load_rows,"
				" r.started_at >= b.requested_at AS is_of_backfill"
				" FROM _sensorswave.backfill b"
				" JOIN _sensorswave.run r USING (pipeline_id)"
				" WHERE b.backfill_id = $1 AND r.kind = 'copy'"
				" AND (r.status = 'success'"
				" OR r.status = 'failed' AND r.load_query_id IS NOT NULL)"
				" ORDER BY r.run_id DESC LIMIT 1");
	if (spi.n_rows > 0 &&
		strcmp(sw_spi_get_text(&spi, 0, "status"), "failed") == 0)
	{
		load = MemoryContextAllocZero(spi.result_context, sizeof(SwLoad));
		load->run_id = sw_spi_get_int64(&spi, 0, "run_id");
		load->is_of_backfill = sw_spi_get_bool(&spi, 0, "is_of_backfill");
		load->query_id = sw_spi_get_text(&spi, 0, "load_query_id");
		load->n_rows = sw_spi_get_int64(&spi, 0, "load_rows");
	}
	sw_spi_end(&spi);
	return load;
}

void
sw_cat_run_finish(int64 run_id, const char *status, const char *sqlstate,
				  const char *error, const char *detail, const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, status);
	sw_spi_arg_text(&spi, sqlstate);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, detail);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET status = $2, sqlstate = $3,"
				" error = $4, detail = $5, hint = $6,"
				" finished_at = clock_timestamp() WHERE run_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_run_log(int64 run_id, const char *level, const char *fmt,...)
{
	SwSpi		spi;
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, fmt);
		needed = appendStringInfoVA(&message, fmt, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, level);
	sw_spi_arg_text(&spi, message.data);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.run_log (run_id, level, message)"
				" VALUES ($1, $2, $3)");
	sw_spi_end(&spi);
	pfree(message.data);
}

/*
 * The pipeline's sync is due again: at once, but later and later for a window
 * in which workers die again and again.
 */
static void
postpone_sync(SwSpi *spi, int64 pipeline_id, int backoff_ms,
			  int backoff_max_ms)
{
	sw_spi_arg_int64(spi, pipeline_id);
	sw_spi_exec(spi, "UPDATE _sensorswave.sync_window SET attempt = attempt + 1"
				" WHERE pipeline_id = $1 AND status = 'open'");
	sw_spi_arg_int64(spi, pipeline_id);
	sw_spi_arg_int32(spi, backoff_ms);
	sw_spi_arg_int32(spi, backoff_max_ms);
	sw_spi_exec(spi, "UPDATE _sensorswave.sync_state s"
				" SET next_attempt_at = clock_timestamp() + interval '1 millisecond'"
				" * CASE WHEN n < 2 THEN 0 ELSE least($3, $2 * 2.0 ^ least(n - 2, 20)) END"
				" FROM (SELECT coalesce(max(attempt), 0) AS n FROM _sensorswave.sync_window"
				" WHERE pipeline_id = $1 AND status = 'open') w"
				" WHERE s.pipeline_id = $1");
}

int64
sw_cat_run_close_interrupted(int64 pipeline_id, int backoff_ms,
							 int backoff_max_ms, int max_interruptions)
{
	SwSpi		spi;
	int64		n_closed;
	int64		n_syncs;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "WITH closed AS ("
				" UPDATE _sensorswave.run SET status = 'failed',"
				" error = 'interrupted', sqlstate = '57P01',"
				" detail = 'The worker ended before the run did.',"
				" hint = 'Nothing needs to be done: the work is taken up again.',"
				" finished_at = clock_timestamp()"
				" WHERE pipeline_id = $1 AND status = 'running' RETURNING run_id, kind),"
				" logged AS (INSERT INTO _sensorswave.run_log (run_id, level, message)"
				" SELECT run_id, 'warning', 'found interrupted; staged objects are removed and the work is taken up again'"
				" FROM closed),"
				" requeued AS (UPDATE _sensorswave.backfill_window w SET status = 'queued'"
				" FROM closed WHERE w.run_id = closed.run_id AND w.status = 'running')"
				" SELECT count(*) AS n, count(*) FILTER (WHERE kind IN ('incremental', 'sweep')) AS n_syncs"
				" FROM closed");
	n_closed = sw_spi_get_int64(&spi, 0, "n");
	n_syncs = sw_spi_get_int64(&spi, 0, "n_syncs");
	if (n_syncs > 0)
		postpone_sync(&spi, pipeline_id, backoff_ms, backoff_max_ms);
	if (n_closed > n_syncs)
	{
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_arg_int32(&spi, backoff_ms);
		sw_spi_arg_int32(&spi, backoff_max_ms);
		sw_spi_exec(&spi, "UPDATE _sensorswave.backfill SET"
					" interruptions = interruptions + 1,"
					" next_attempt_at = CASE WHEN interruptions = 0 THEN next_attempt_at"
					" ELSE clock_timestamp() + interval '1 millisecond'"
					" * least($3, $2 * 2.0 ^ least(interruptions - 1, 20)) END"
					" WHERE pipeline_id = $1 AND status IN ('queued', 'running')");
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_arg_int32(&spi, max_interruptions);
		sw_spi_exec(&spi, "WITH given_up AS ("
					" UPDATE _sensorswave.backfill SET status = 'failed',"
					" finished_at = clock_timestamp(),"
					" error = format('interrupted %s times in one window', interruptions),"
					" hint = 'See the server''s log for what ended the workers.'"
					" WHERE pipeline_id = $1 AND status IN ('queued', 'running')"
					" AND interruptions > $2 RETURNING backfill_id)"
					" UPDATE _sensorswave.backfill_window w SET status = 'cancelled'"
					" FROM given_up WHERE w.backfill_id = given_up.backfill_id"
					" AND w.status IN ('queued', 'running')");
	}
	sw_spi_end(&spi);
	return n_closed;
}
