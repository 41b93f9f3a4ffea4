/*-------------------------------------------------------------------------
 *
 * sw_leftover.c
 *	  Stage tables that runs have left at the warehouse.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog/sw_cat_fence.h"
#include "net/sw_report.h"
#include "sync/sw_leftover.h"
#include "sync/sw_tx.h"

/* The destination may be another warehouse by now. */
static bool
is_same_place(const SwStageTable *stage, const SwDestination *destination)
{
	return pg_strcasecmp(stage->host, destination->host) == 0 &&
		stage->port == destination->port;
}

static void
drop_stage(const SwStageTable *stage, const SwConnect *connect,
		   SwTarget *target)
{
	bool		is_here = is_same_place(stage, connect->destination);
	SwTargetTable table = {.database = stage->database};
	SwError		err;

	if (is_here &&
		sw_target_drop_stage(target, &table, stage->name, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_tx_begin("recording a dropped stage table");
	if (is_here)
		sw_cat_run_log(stage->run_id, "info", "dropped stage table %s",
					   stage->name);
	else
		sw_cat_run_log(stage->run_id, "warning",
					   "stage table %s may be left in database %s at %s:%d, where the destination is no more",
					   stage->name, stage->database, stage->host, stage->port);
	sw_cat_stage_delete(stage->run_id);
	sw_tx_commit();
}

static List *
list_stages(int64 pipeline_id, bool only_due)
{
	List	   *stages = NIL;

	sw_tx_begin("looking for stage tables");
	if (sw_cat_fence_get_reason(pipeline_id) == NULL)
		stages = sw_cat_stage_list(pipeline_id, only_due);
	sw_tx_commit();
	return stages;
}

void
sw_leftover_drop(int64 pipeline_id, const SwConnect *connect, SwTarget *target)
{
	ListCell   *cell;

	foreach(cell, list_stages(pipeline_id, false))
		drop_stage(lfirst(cell), connect, target);
}

void
sw_leftover_clean(const SwPipeline *pipeline)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "SwLeftover",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext saved = MemoryContextSwitchTo(context);
	List	   *stages = list_stages(pipeline->pipeline_id, true);

	if (stages != NIL)
	{
		SwConnect  *connect;
		SwTarget   *target;
		ListCell   *cell;

		sw_tx_begin("reading a destination");
		connect = sw_connect_load(pipeline->destination_id, context);
		sw_tx_commit();
		target = sw_connect_target(connect, context);
		foreach(cell, stages)
			drop_stage(lfirst(cell), connect, target);
		sw_target_close(target);
	}
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}

void
sw_leftover_put_off(const SwPipeline *pipeline)
{
	sw_tx_begin("putting off to drop stage tables");
	sw_cat_stage_postpone_due(pipeline->pipeline_id);
	sw_tx_commit();
}
