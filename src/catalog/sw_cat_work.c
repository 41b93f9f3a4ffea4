/*-------------------------------------------------------------------------
 *
 * sw_cat_work.c
 *	  What there is to do in this database, and from when on.
 *
 * Everything follows from rows alone, so a scheduler needs no memory: a
 * target to create or to release, a backfill, a run that died, an object or
 * a stage table left behind.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/extension.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

bool
sw_cat_is_installed(void)
{
	return OidIsValid(get_extension_oid("sensorswave_export", true));
}

List *
sw_cat_work_list(void)
{
	SwSpi		spi;
	List	   *works = NIL;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_exec(&spi, "SELECT pipeline_id, min(due_at) AS due_at FROM ("
				"SELECT pipeline_id, next_attempt_at AS due_at"
				" FROM _sensorswave.pipeline"
				" JOIN _sensorswave.pipeline_state USING (pipeline_id)"
				" WHERE status = 'new' OR status = 'stopped' AND holds_target"
				" AND next_attempt_at < 'infinity'"
				" UNION ALL "
				"SELECT pipeline_id, next_attempt_at FROM _sensorswave.former_target"
				" WHERE next_attempt_at < 'infinity'"
				" UNION ALL "
				"SELECT pipeline_id, next_attempt_at FROM _sensorswave.backfill"
				" WHERE status IN ('queued', 'running')"
				" UNION ALL "
				"SELECT pipeline_id, started_at FROM _sensorswave.run"
				" WHERE status = 'running'"
				" UNION ALL "
				"SELECT pipeline_id, delete_after FROM _sensorswave.staged_object"
				" JOIN _sensorswave.run USING (run_id)"
				" WHERE NOT is_deleted AND run.status <> 'running'"
				" UNION ALL "
				"SELECT pipeline_id, drop_after FROM _sensorswave.stage_table"
				" JOIN _sensorswave.run USING (run_id)"
				" WHERE run.status <> 'running'"
				") work GROUP BY pipeline_id ORDER BY 2, 1");
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
