/*-------------------------------------------------------------------------
 *
 * sw_cat_run.c
 *	  Runs, their log lines and their staged objects in the catalog.
 *
 * A run is written as running before work starts and corrected after: a
 * crash is deduced from what was never corrected.  An object is written
 * before its first byte leaves and stays until its deletion is confirmed.
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
				" VALUES ($1, $2, $3, $4, $5, $6) RETURNING run_id");
	run_id = sw_spi_get_int64(&spi, 0, "run_id");
	sw_spi_end(&spi);
	return run_id;
}

void
sw_cat_run_set_staged(int64 run_id, int32 n_files, int64 n_bytes)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int32(&spi, n_files);
	sw_spi_arg_int64(&spi, n_bytes);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET files = $2,"
				" bytes_staged = $3 WHERE run_id = $1");
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
sw_cat_run_set_load(int64 run_id, const char *query_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, query_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET load_query_id = $2"
				" WHERE run_id = $1");
	sw_spi_end(&spi);
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

int64
sw_cat_run_close_interrupted(int64 pipeline_id, int backoff_ms,
							 int backoff_max_ms, int max_interruptions)
{
	SwSpi		spi;
	int64		n_closed;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "WITH closed AS ("
				" UPDATE _sensorswave.run SET status = 'failed',"
				" error = 'interrupted', sqlstate = '57P01',"
				" detail = 'The worker ended before the run did.',"
				" hint = 'Nothing needs to be done: the work is taken up again.',"
				" finished_at = clock_timestamp()"
				" WHERE pipeline_id = $1 AND status = 'running' RETURNING run_id),"
				" logged AS (INSERT INTO _sensorswave.run_log (run_id, level, message)"
				" SELECT run_id, 'warning', 'found interrupted; staged objects are removed and the work is taken up again'"
				" FROM closed),"
				" requeued AS (UPDATE _sensorswave.backfill_window w SET status = 'queued'"
				" FROM closed WHERE w.run_id = closed.run_id AND w.status = 'running')"
				" SELECT count(*) AS n FROM closed");
	n_closed = sw_spi_get_int64(&spi, 0, "n");
	if (n_closed > 0)
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

int64
sw_cat_object_insert(int64 run_id, const SwDestination *destination,
					 const char *key, int64 n_rows, int64 n_bytes)
{
	SwSpi		spi;
	int64		object_id;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, destination->stage_endpoint);
	sw_spi_arg_text(&spi, destination->stage_region);
	sw_spi_arg_text(&spi, destination->stage_bucket);
	sw_spi_arg_text(&spi, key);
	sw_spi_arg_int64(&spi, n_rows);
	sw_spi_arg_int64(&spi, n_bytes);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.staged_object"
				" (run_id, endpoint, region, bucket, object_key, n_rows, n_bytes)"
				" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING object_id");
	object_id = sw_spi_get_int64(&spi, 0, "object_id");
	sw_spi_end(&spi);
	return object_id;
}

static List *
read_objects(SwSpi *spi)
{
	List	   *objects = NIL;
	uint64		i;

	for (i = 0; i < spi->n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi->result_context);
		SwStagedObject *object = palloc0(sizeof(SwStagedObject));

		object->object_id = sw_spi_get_int64(spi, i, "object_id");
		object->run_id = sw_spi_get_int64(spi, i, "run_id");
		object->endpoint = sw_spi_get_text(spi, i, "endpoint");
		object->region = sw_spi_get_text(spi, i, "region");
		object->bucket = sw_spi_get_text(spi, i, "bucket");
		object->key = sw_spi_get_text(spi, i, "object_key");
		objects = lappend(objects, object);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(spi);
	return objects;
}

List *
sw_cat_object_list_due(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT object_id, run_id, endpoint, region, bucket, object_key"
				" FROM _sensorswave.staged_object"
				" JOIN _sensorswave.run USING (run_id)"
				" WHERE pipeline_id = $1 AND NOT is_deleted"
				" AND run.status <> 'running' AND delete_after <= clock_timestamp()"
				" ORDER BY object_id");
	return read_objects(&spi);
}

List *
sw_cat_object_list_run(int64 run_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_exec(&spi, "SELECT object_id, run_id, endpoint, region, bucket, object_key"
				" FROM _sensorswave.staged_object"
				" WHERE run_id = $1 AND NOT is_deleted ORDER BY object_id");
	return read_objects(&spi);
}

void
sw_cat_object_set_deleted(int64 object_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, object_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.staged_object SET is_deleted = true"
				" WHERE object_id = $1");
	sw_spi_end(&spi);
}

#define POSTPONE_OBJECTS \
	"UPDATE _sensorswave.staged_object o" \
	" SET delete_attempts = delete_attempts + 1," \
	" delete_after = clock_timestamp() + least(interval '1 day'," \
	" interval '30 seconds' * 2 ^ least(delete_attempts, 12))"

void
sw_cat_object_postpone(int64 object_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, object_id);
	sw_spi_exec(&spi, POSTPONE_OBJECTS " WHERE object_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_object_postpone_due(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, POSTPONE_OBJECTS " FROM _sensorswave.run r"
				" WHERE r.run_id = o.run_id AND r.pipeline_id = $1"
				" AND NOT o.is_deleted AND o.delete_after <= clock_timestamp()");
	sw_spi_end(&spi);
}
