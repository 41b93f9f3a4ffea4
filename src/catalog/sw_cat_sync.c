/*-------------------------------------------------------------------------
 *
 * sw_cat_sync.c
 *	  When incremental sync is due, in the catalog: ticks, attempts after a
 *	  failure, sweeps, runs that somebody asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_field.h"
#include "catalog/sw_spi.h"

#define FIELD(column, type, sql_type) \
	{#column, type, sql_type, offsetof(SwSyncState, column)}

/* The first entry identifies the row. */
static const SwField fields[] = {
	FIELD(pipeline_id, SW_FIELD_INT64, INT8OID),
	FIELD(next_tick_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	FIELD(next_attempt_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	FIELD(next_sweep_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	FIELD(consecutive_failures, SW_FIELD_INT32, INT4OID),
	FIELD(last_error, SW_FIELD_TEXT, TEXTOID),
	FIELD(last_hint, SW_FIELD_TEXT, TEXTOID),
	FIELD(last_success_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	FIELD(pause_reason, SW_FIELD_TEXT, TEXTOID)
};

void
sw_cat_sync_insert(const SwPipeline *pipeline, TimestampTz next_tick_at,
				   TimestampTz now, const SwInstance *instance)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_arg_time(&spi, next_tick_at);
	sw_spi_arg_time(&spi, now);
	sw_spi_arg_int64(&spi, (int64) instance->system_identifier);
	sw_spi_arg(&spi, OIDOID, ObjectIdGetDatum(instance->database_oid), false);
	sw_spi_arg_text(&spi, instance->host);
	sw_spi_arg_text(&spi, instance->data_directory);
	sw_spi_arg_int64(&spi, instance->timeline);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.sync_state (pipeline_id,"
				" next_tick_at, next_sweep_at, system_identifier, database_oid,"
				" host, data_directory, timeline)"
				" SELECT pipeline_id, $2, $3 + sweep_every, $4, $5, $6, $7, $8"
				" FROM _sensorswave.pipeline WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

SwSyncState *
sw_cat_sync_get(int64 pipeline_id)
{
	SwSpi		spi;
	SwSyncState *state = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT pipeline_id, next_tick_at,"
				" coalesce(next_attempt_at, 'infinity') AS next_attempt_at,"
				" next_sweep_at, consecutive_failures, last_error, last_hint,"
				" coalesce(last_success_at, '-infinity') AS last_success_at,"
				" pause_reason FROM _sensorswave.sync_state WHERE pipeline_id = $1");
	if (spi.n_rows > 0)
	{
		TupleDesc	tupdesc;
		HeapTuple	row = sw_spi_row(&spi, 0, &tupdesc);
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);

		state = palloc0(sizeof(SwSyncState));
		sw_field_read_row(fields, lengthof(fields), row, tupdesc, state);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return state;
}

/* ---- what is due ---- */

void
sw_cat_sync_set_tick(int64 pipeline_id, TimestampTz next_tick_at)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, next_tick_at);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state SET next_tick_at = $2"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

/* The next sweep is one sweep_every after that time. */
static void
set_sweep(int64 pipeline_id, TimestampTz after)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, after);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state s"
				" SET next_sweep_at = $2 + p.sweep_every"
				" FROM _sensorswave.pipeline p"
				" WHERE s.pipeline_id = $1 AND p.pipeline_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_sync_set_sweep(int64 pipeline_id, TimestampTz now)
{
	set_sweep(pipeline_id, now);
}

void
sw_cat_sync_record_swept(int64 pipeline_id, TimestampTz swept_at)
{
	set_sweep(pipeline_id, swept_at);
}

bool
sw_cat_sync_is_due(int64 pipeline_id, TimestampTz now)
{
	SwSpi		spi;
	bool		is_due;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT FROM _sensorswave.run r"
				" WHERE pipeline_id = $1 AND status = 'queued'"
				" AND EXISTS (SELECT FROM _sensorswave.pipeline p"
				" JOIN _sensorswave.sync_state USING (pipeline_id)"
				" WHERE p.pipeline_id = $1 AND p.status = 'running')"
				" AND NOT EXISTS (SELECT FROM _sensorswave.backfill b"
				" WHERE b.pipeline_id = $1 AND b.status IN ('queued', 'running'))"
				" FOR NO KEY UPDATE OF r SKIP LOCKED");
	is_due = spi.n_rows > 0;
	if (!is_due)
	{
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_arg_time(&spi, now);
		sw_spi_exec(&spi, "SELECT FROM _sensorswave.pipeline p"
					" JOIN _sensorswave.sync_state s USING (pipeline_id)"
					" WHERE pipeline_id = $1 AND p.status = 'running'"
					" AND NOT EXISTS (SELECT FROM _sensorswave.backfill b"
					" WHERE b.pipeline_id = $1 AND b.status IN ('queued', 'running'))"
					" AND CASE WHEN s.next_attempt_at IS NOT NULL"
					" THEN s.next_attempt_at <= clock_timestamp()"
					" ELSE s.next_tick_at <= $2"
					" OR EXISTS (SELECT FROM _sensorswave.sync_window w"
					" WHERE w.pipeline_id = $1 AND (w.status = 'open'"
					" OR w.bound IS NOT NULL AND p.schedule <> 'manual'"
					" AND s.next_sweep_at <= $2)) END");
		is_due = spi.n_rows > 0;
	}
	sw_spi_end(&spi);
	return is_due;
}

/* ---- what came of it ---- */

void
sw_cat_sync_record_success(int64 pipeline_id, TimestampTz seen_tick_at,
						   TimestampTz next_tick_at)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, seen_tick_at);
	sw_spi_arg_time(&spi, next_tick_at);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state SET next_tick_at ="
				" CASE WHEN next_tick_at = $2 THEN $3 ELSE next_tick_at END,"
				" next_attempt_at = NULL, consecutive_failures = 0,"
				" last_error = NULL, last_hint = NULL,"
				" last_success_at = clock_timestamp() WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_sync_record_failure(int64 pipeline_id, TimestampTz next_attempt_at,
						   const char *error, const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, next_attempt_at);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state SET next_attempt_at = $2,"
				" consecutive_failures = consecutive_failures + 1,"
				" last_error = $3, last_hint = $4 WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

/* ---- what somebody asked for ---- */

int64
sw_cat_sync_request(const SwPipeline *pipeline)
{
	SwSpi		spi;
	int64		run_id;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_arg_int32(&spi, pipeline->settings_version);
	/* Who shares one holds it back until he has committed. */
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.run"
				" (pipeline_id, kind, status, settings_version)"
				" VALUES ($1, 'incremental', 'queued', $2)"
				" ON CONFLICT (pipeline_id) WHERE status = 'queued'"
				" DO UPDATE SET settings_version = excluded.settings_version"
				" RETURNING run_id");
	run_id = sw_spi_get_int64(&spi, 0, "run_id");
	sw_spi_end(&spi);
	return run_id;
}

int64
sw_cat_sync_take_request(const SwPipeline *pipeline)
{
	SwSpi		spi;
	int64		run_id = 0;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_arg_int32(&spi, pipeline->settings_version);
	sw_spi_exec(&spi, "WITH request AS (SELECT run_id FROM _sensorswave.run"
				" WHERE pipeline_id = $1 AND status = 'queued'"
				" FOR NO KEY UPDATE SKIP LOCKED)"
				" UPDATE _sensorswave.run r SET status = 'running',"
				" started_at = clock_timestamp(), settings_version = $2"
				" FROM request WHERE r.run_id = request.run_id RETURNING r.run_id");
	if (spi.n_rows > 0)
		run_id = sw_spi_get_int64(&spi, 0, "run_id");
	sw_spi_end(&spi);
	return run_id;
}

void
sw_cat_sync_cancel_request(int64 pipeline_id, const char *error,
						   const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "UPDATE _sensorswave.run SET status = 'cancelled',"
				" finished_at = clock_timestamp(), sqlstate = '57014',"
				" error = $2, hint = $3"
				" WHERE pipeline_id = $1 AND status = 'queued'");
	sw_spi_end(&spi);
}

void
sw_cat_sync_set_pause(int64 pipeline_id, const char *reason)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, reason);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state SET pause_reason = $2,"
				" next_attempt_at = CASE WHEN $2 IS NOT NULL THEN next_attempt_at"
				" WHEN next_attempt_at IS NOT NULL THEN clock_timestamp() END"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}
