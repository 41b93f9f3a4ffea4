/*-------------------------------------------------------------------------
 *
 * sw_cat_backfill.c
 *	  Backfills and their windows in the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

/* There is one already; it may have been committed just now. */
static void
refuse_second(SwSpi *spi, const SwPipeline *pipeline)
{
	sw_spi_arg_int64(spi, pipeline->pipeline_id);
	sw_spi_exec_snapshot(spi, "SELECT backfill_id,"
						 " coalesce(from_date || ' to ' || to_date, 'all rows') AS days"
						 " FROM _sensorswave.backfill"
						 " WHERE pipeline_id = $1 AND status IN ('queued', 'running')",
						 GetLatestSnapshot());
	if (spi->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("pipeline \"%s\" had a backfill going on until now",
						pipeline->name),
				 errhint("Try again.")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("pipeline \"%s\" already has a backfill going on",
					pipeline->name),
			 errdetail("Backfill " INT64_FORMAT " covers %s.",
					   sw_spi_get_int64(spi, 0, "backfill_id"),
					   sw_spi_get_text(spi, 0, "days")),
			 errhint("Wait for it with sw_wait_backfill(" INT64_FORMAT ").",
					 sw_spi_get_int64(spi, 0, "backfill_id"))));
}

/* from and to are dates, or both null. */
static int64
insert_backfill(SwSpi *spi, const SwPipeline *pipeline, bool has_days,
				DateADT from, DateADT to, bool allow_shrink)
{
	sw_spi_arg_int64(spi, pipeline->pipeline_id);
	sw_spi_arg(spi, DATEOID, DateADTGetDatum(from), !has_days);
	sw_spi_arg(spi, DATEOID, DateADTGetDatum(to), !has_days);
	sw_spi_arg_bool(spi, allow_shrink);
	sw_spi_exec(spi, "INSERT INTO _sensorswave.backfill"
				" (pipeline_id, from_date, to_date, allow_shrink)"
				" VALUES ($1, $2, $3, $4)"
				" ON CONFLICT (pipeline_id) WHERE status IN ('queued', 'running')"
				" DO NOTHING RETURNING backfill_id");
	if (spi->n_rows == 0)
		refuse_second(spi, pipeline);
	return sw_spi_get_int64(spi, 0, "backfill_id");
}

int64
sw_cat_backfill_insert_copy(const SwPipeline *pipeline, bool allow_shrink)
{
	SwSpi		spi;
	int64		backfill_id;

	sw_spi_begin(&spi);
	backfill_id = insert_backfill(&spi, pipeline, false, 0, 0, allow_shrink);
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.backfill_window (backfill_id)"
				" VALUES ($1)");
	sw_spi_end(&spi);
	return backfill_id;
}

int64
sw_cat_backfill_insert(const SwPipeline *pipeline, DateADT from, DateADT to,
					   bool allow_shrink)
{
	SwSpi		spi;
	int64		backfill_id;

	sw_spi_begin(&spi);
	backfill_id = insert_backfill(&spi, pipeline, true, from, to, allow_shrink);

	/* Calendar days as instants: the server's zone code knows DST days. */
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_arg_date(&spi, from);
	sw_spi_arg_date(&spi, to);
	sw_spi_arg_text(&spi, pipeline->system_timezone);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.backfill_window"
				" (backfill_id, day, window_start, window_end)"
				" SELECT $1, $2 + n, ($2 + n)::timestamp AT TIME ZONE $4,"
				" ($2 + n + 1)::timestamp AT TIME ZONE $4"
				" FROM generate_series(0, $3 - $2) n");
	sw_spi_end(&spi);
	return backfill_id;
}

SwBackfill *
sw_cat_backfill_find_due(int64 pipeline_id)
{
	SwSpi		spi;
	SwBackfill *backfill = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT backfill_id, pipeline_id, allow_shrink, status, attempt"
				" FROM _sensorswave.backfill b WHERE pipeline_id = $1"
				" AND status IN ('queued', 'running')"
				" AND next_attempt_at <= clock_timestamp()"
				" AND NOT EXISTS (SELECT FROM _sensorswave.pipeline p"
				" WHERE p.pipeline_id = b.pipeline_id AND p.status = 'paused')");
	if (spi.n_rows > 0)
	{
		backfill = MemoryContextAllocZero(spi.result_context, sizeof(SwBackfill));
		backfill->backfill_id = sw_spi_get_int64(&spi, 0, "backfill_id");
		backfill->pipeline_id = sw_spi_get_int64(&spi, 0, "pipeline_id");
		backfill->allow_shrink = sw_spi_get_bool(&spi, 0, "allow_shrink");
		backfill->status = sw_spi_get_text(&spi, 0, "status");
		backfill->attempt = sw_spi_get_int32(&spi, 0, "attempt");
	}
	sw_spi_end(&spi);
	return backfill;
}

int64
sw_cat_backfill_find_active(int64 pipeline_id)
{
	SwSpi		spi;
	int64		backfill_id;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT coalesce((SELECT backfill_id"
				" FROM _sensorswave.backfill WHERE pipeline_id = $1"
				" AND status IN ('queued', 'running')), 0) AS id");
	backfill_id = sw_spi_get_int64(&spi, 0, "id");
	sw_spi_end(&spi);
	return backfill_id;
}

SwWindow *
sw_cat_backfill_next_window(int64 backfill_id)
{
	SwSpi		spi;
	SwWindow   *window = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_exec(&spi, "SELECT to_char(w.day, 'YYYY-MM-DD') AS day,"
				" coalesce(w.window_start, '-infinity') AS window_start,"
				" coalesce(w.window_end, 'infinity') AS window_end, r.attempt"
				" FROM _sensorswave.backfill_window w"
				" LEFT JOIN _sensorswave.run r USING (run_id)"
				" WHERE w.backfill_id = $1 AND w.status <> 'success'"
				" ORDER BY w.day LIMIT 1");
	if (spi.n_rows > 0)
	{
		window = MemoryContextAllocZero(spi.result_context, sizeof(SwWindow));
		window->backfill_id = backfill_id;
		window->day = sw_spi_get_text(&spi, 0, "day");
		window->window_start = sw_spi_get_int64(&spi, 0, "window_start");
		window->window_end = sw_spi_get_int64(&spi, 0, "window_end");
		window->last_attempt = sw_spi_get_int32(&spi, 0, "attempt");
	}
	sw_spi_end(&spi);
	return window;
}

void
sw_cat_backfill_begin_window(const SwWindow *window, int64 run_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window->backfill_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill SET status = 'running',"
				" started_at = coalesce(started_at, clock_timestamp())"
				" WHERE backfill_id = $1");
	sw_spi_arg_int64(&spi, window->backfill_id);
	sw_spi_arg_text(&spi, window->day);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill_window"
				" SET status = 'running', run_id = $3"
				" WHERE backfill_id = $1 AND day IS NOT DISTINCT FROM $2::date");
	sw_spi_end(&spi);
}

void
sw_cat_backfill_finish_window(const SwWindow *window, const char *status,
							  int64 n_rows)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window->backfill_id);
	sw_spi_arg_text(&spi, window->day);
	sw_spi_arg_text(&spi, status);
	sw_spi_arg_int64(&spi, n_rows);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill_window SET status = $3,"
				" rows_exported = CASE WHEN $3 = 'success' THEN $4 END"
				" WHERE backfill_id = $1 AND day IS NOT DISTINCT FROM $2::date");
	if (strcmp(status, "success") == 0)
	{
		sw_spi_arg_int64(&spi, window->backfill_id);
		/* Others that are due longer may come before the next window. */
		sw_spi_exec(&spi, "UPDATE _sensorswave.backfill"
					" SET attempt = 0, interruptions = 0, error = NULL, hint = NULL,"
					" next_attempt_at = clock_timestamp()"
					" WHERE backfill_id = $1");
	}
	sw_spi_end(&spi);
}

void
sw_cat_backfill_postpone(int64 backfill_id, TimestampTz next_attempt_at,
						 const char *error, const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_arg_time(&spi, next_attempt_at);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill SET attempt = attempt + 1,"
				" next_attempt_at = $2, error = $3, hint = $4"
				" WHERE backfill_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_backfill_finish(int64 backfill_id, const char *status,
					   const char *error, const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_arg_text(&spi, status);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill SET status = $2, error = $3,"
				" hint = $4, finished_at = clock_timestamp()"
				" WHERE backfill_id = $1");
	sw_spi_arg_int64(&spi, backfill_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill_window"
				" SET status = 'cancelled'"
				" WHERE backfill_id = $1 AND status IN ('queued', 'running')");
	sw_spi_end(&spi);
}
