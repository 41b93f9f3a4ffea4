/*-------------------------------------------------------------------------
 *
 * sw_cat_stage.c
 *	  Stage tables at warehouses in the catalog.
 *
 * A row is written before the table is made and stays until it is known to
 * be dropped, so what a run that died has left can be found by name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

void
sw_cat_stage_insert(int64 run_id, const SwDestination *destination,
					const char *name)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, destination->host);
	sw_spi_arg_int32(&spi, destination->port);
	sw_spi_arg_text(&spi, destination->database);
	sw_spi_arg_text(&spi, name);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.stage_table"
				" (run_id, host, port, database, table_name)"
				" VALUES ($1, $2, $3, $4, $5)");
	sw_spi_end(&spi);
}

#define LIST_STAGES \
	"SELECT run_id, host, port, database, table_name" \
	" FROM _sensorswave.stage_table JOIN _sensorswave.run USING (run_id)" \
	" WHERE pipeline_id = $1"

List *
sw_cat_stage_list(int64 pipeline_id, bool only_due)
{
	List	   *stages = NIL;
	SwSpi		spi;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, only_due ? LIST_STAGES
				" AND drop_after <= clock_timestamp() ORDER BY run_id" :
				LIST_STAGES " ORDER BY run_id");
	for (i = 0; i < spi.n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);
		SwStageTable *stage = palloc0(sizeof(SwStageTable));

		stage->run_id = sw_spi_get_int64(&spi, i, "run_id");
		stage->host = sw_spi_get_text(&spi, i, "host");
		stage->port = sw_spi_get_int32(&spi, i, "port");
		stage->database = sw_spi_get_text(&spi, i, "database");
		stage->name = sw_spi_get_text(&spi, i, "table_name");
		stages = lappend(stages, stage);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return stages;
}

void
sw_cat_stage_delete(int64 run_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.stage_table WHERE run_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_stage_postpone_due(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.stage_table t"
				" SET drop_attempts = drop_attempts + 1,"
				" drop_after = clock_timestamp() + least(interval '1 day',"
				" interval '30 seconds' * 2 ^ least(drop_attempts, 12))"
				" FROM _sensorswave.run r"
				" WHERE r.run_id = t.run_id AND r.pipeline_id = $1"
				" AND t.drop_after <= clock_timestamp()");
	sw_spi_end(&spi);
}
