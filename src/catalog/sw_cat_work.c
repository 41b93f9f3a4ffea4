/*-------------------------------------------------------------------------
 *
 * sw_cat_work.c
 *	  What there is to do in this database, and from when on.
 *
 * Everything follows from rows alone, so a scheduler needs no memory: a
 * target to create or to release, a tick, a backfill, a run that was asked for
 * or that died, an object or a stage table left behind.  Nothing is for a
 * pipeline behind a fence, and nothing before its lease is taken over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

bool
sw_cat_is_installed(void)
{
	return OidIsValid(get_extension_oid("sensorswave_export", true));
}

/* Creating or releasing target tables. */
#define TARGETS \
	"SELECT pipeline_id, next_attempt_at AS due_at" \
	" FROM _sensorswave.pipeline" \
	" JOIN _sensorswave.pipeline_state USING (pipeline_id)" \
	" WHERE status = 'new' OR status = 'stopped' AND holds_target" \
	" AND next_attempt_at < 'infinity'" \
	" UNION ALL " \
	"SELECT pipeline_id, next_attempt_at FROM _sensorswave.former_target"

#define RUNS \
	"SELECT pipeline_id, next_attempt_at FROM _sensorswave.backfill b" \
	" JOIN _sensorswave.pipeline p USING (pipeline_id)" \
	" WHERE b.status IN ('queued', 'running') AND p.status <> 'paused'" \
	" UNION ALL " \
	"SELECT pipeline_id, started_at FROM _sensorswave.run" \
	" WHERE status = 'running'"

#define LEFTOVERS \
	"SELECT pipeline_id, delete_after FROM _sensorswave.staged_object" \
	" JOIN _sensorswave.run USING (run_id)" \
	" WHERE NOT is_deleted AND run.status <> 'running'" \
	" AND " SW_CAT_OBJECT_IS_FREE \
	" UNION ALL " \
	"SELECT pipeline_id, drop_after FROM _sensorswave.stage_table" \
	" JOIN _sensorswave.run USING (run_id)" \
	" WHERE run.status <> 'running'"

/*
 * A lease to delete, or to take over; a pipeline of another instance than this
 * one ($3 to $7), or out of a dump, to be put behind its fence.
 */
#define FENCE \
	"SELECT pipeline_id, coalesce(lease_attempt_at, updated_at)" \
	" FROM _sensorswave.pipeline" \
	" JOIN _sensorswave.sync_state USING (pipeline_id)" \
	" WHERE status = 'stopped' AND lease_number > 0" \
	" OR lease_takeover IS NOT NULL" \
	" UNION ALL " \
	"SELECT pipeline_id, updated_at FROM _sensorswave.pipeline" \
	" LEFT JOIN _sensorswave.sync_state USING (pipeline_id)" \
	" WHERE status <> 'stopped'" \
	" AND (system_identifier, database_oid, host, data_directory, timeline)" \
	" IS DISTINCT FROM ($3, $4, $5, $6, $7)"

/*
 * As sw_cat_sync_is_due has it.  $1 is the clock that schedules go by, $2 how
 * far the server's is ahead of it.  Sweeps that have something to sweep are
 * looked for only once they are due: there may be many windows.
 */
#define SYNC \
	"SELECT p.pipeline_id, least(q.started_at," \
	" CASE WHEN s.next_attempt_at IS NOT NULL THEN s.next_attempt_at" \
	" ELSE least(s.next_tick_at + $2, c.captured_at," \
	" CASE WHEN p.schedule <> 'manual' AND (s.next_sweep_at > $1 OR EXISTS (" \
	" SELECT FROM _sensorswave.sync_window u" \
	" WHERE u.pipeline_id = p.pipeline_id AND u.bound IS NOT NULL))" \
	" THEN s.next_sweep_at + $2 END) END)" \
	" FROM _sensorswave.pipeline p" \
	" JOIN _sensorswave.sync_state s USING (pipeline_id)" \
	" LEFT JOIN _sensorswave.run q" \
	" ON q.pipeline_id = p.pipeline_id AND q.status = 'queued'" \
	" LEFT JOIN _sensorswave.sync_window w" \
	" ON w.pipeline_id = p.pipeline_id AND w.status = 'open'" \
	" LEFT JOIN _sensorswave.capture c ON c.capture_id = w.to_capture" \
	" WHERE p.status = 'running' AND NOT EXISTS (" \
	" SELECT FROM _sensorswave.backfill b" \
	" WHERE b.pipeline_id = p.pipeline_id AND b.status IN ('queued', 'running'))"

List *
sw_cat_work_list(TimestampTz now, TimestampTz real_now,
				 const SwInstance *present)
{
	Interval	ahead = {.time = real_now - now};
	SwSpi		spi;
	List	   *works = NIL;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_arg_time(&spi, now);
	sw_spi_arg(&spi, INTERVALOID, IntervalPGetDatum(&ahead), false);
	sw_spi_arg_int64(&spi, (int64) present->system_identifier);
	sw_spi_arg(&spi, OIDOID, ObjectIdGetDatum(present->database_oid), false);
	sw_spi_arg_text(&spi, present->host);
	sw_spi_arg_text(&spi, present->data_directory);
	sw_spi_arg_int64(&spi, present->timeline);
	sw_spi_exec(&spi, "SELECT work.pipeline_id, min(greatest(due_at,"
				" CASE WHEN lease_takeover IS NOT NULL THEN lease_attempt_at END))"
				" AS due_at FROM ("
				TARGETS " UNION ALL " RUNS " UNION ALL " LEFTOVERS
				" UNION ALL " FENCE " UNION ALL " SYNC
				") work LEFT JOIN _sensorswave.sync_state USING (pipeline_id)"
				" WHERE due_at < 'infinity' AND NOT EXISTS ("
				" SELECT FROM _sensorswave.fence f"
				" WHERE f.pipeline_id = work.pipeline_id)"
				" GROUP BY 1 ORDER BY 2, 1");
	for (i = 0; i < spi.n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);
		SwWork	   *work = palloc0(sizeof(SwWork));

		work->pipeline_id = sw_spi_get_int64(&spi, i, "pipeline_id");
		work->due_at = sw_spi_get_int64(&spi, i, "due_at");
		works = lappend(works, work);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return works;
}
