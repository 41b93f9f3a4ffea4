/*-------------------------------------------------------------------------
 *
 * sw_adopt.c
 *	  To take over pipelines of another instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "utils/builtins.h"

#include "catalog/sw_cat_fence.h"
#include "catalog/sw_settings.h"
#include "source/sw_capture.h"
#include "sync/sw_adopt.h"
#include "sync/sw_fence.h"
#include "sync/sw_pipeline.h"
#include "sync/sw_shape.h"
#include "sync/sw_tick.h"

/*
 * Does sync go on where it was?  Row versions can be told apart if the
 * transaction ids of its last capture are those of this database: that holds
 * for every physical copy, and after pg_upgrade.
 */
static bool
has_history(int64 pipeline_id)
{
	SwCaptureRecord *last = sw_cat_capture_last(pipeline_id);
	SwCapture  *capture;

	if (last == NULL)
		return false;
	capture = sw_capture_unpack(last->content, last->captured_at);
	return capture->xmax <=
		U64FromFullTransactionId(ReadNextFullTransactionId());
}

static void
begin_history(const SwPipeline *pipeline)
{
	SwCapture  *capture = sw_capture_take(pipeline->source, NULL);

	sw_cat_fence_forget_history(pipeline->pipeline_id);
	(void) sw_cat_capture_insert(pipeline->pipeline_id, capture->captured_at,
								 sw_capture_pack(capture));
}

static char *
describe_backfill(const SwPipeline *pipeline)
{
	return psprintf(sw_shape_get_model(pipeline->data_source)->is_partitioned ?
					"sw_backfill(%s, \"from\", \"to\")" : "sw_backfill(%s)",
					quote_literal_cstr(pipeline->name));
}

/* Returns whether there was anything to take over. */
static bool
adopt(const SwPipeline *pipeline, const SwInstance *present)
{
	SwInstanceRelation relation;
	bool		is_recorded;
	bool		is_stopped = strcmp(pipeline->status, "stopped") == 0;
	bool		goes_on;
	char	   *reason = sw_fence_find_reason(pipeline->pipeline_id, present,
											  &relation, &is_recorded);

	/* A stopped one is wound up, where there is anything to wind up. */
	if (reason == NULL || (is_stopped && !is_recorded))
		return false;
	if (!is_recorded)
		sw_tick_begin(pipeline);
	sw_fence_bind(pipeline->pipeline_id, present, true);
	goes_on = is_stopped || has_history(pipeline->pipeline_id);
	if (!goes_on)
		begin_history(pipeline);
	ereport(NOTICE,
			(errmsg("pipeline \"%s\" is taken over by this instance",
					pipeline->name),
			 errdetail("It was held because: %s.", reason),
			 goes_on ?
			 errhint("Stop the other instance: what it has delivered since this copy was made may be delivered again.") :
			 errhint("Sync begins now. Rows that came before, and are not at the target yet, need a backfill: %s.",
					 describe_backfill(pipeline))));
	return true;
}

int
sw_adopt_pipelines(const char *name)
{
	const SwInstance *present;
	int			n_adopted = 0;

	sw_settings_require_preload();
	present = sw_instance_get();
	if (name != NULL)
	{
		SwPipeline *pipeline = sw_pipeline_get_own(name);

		if (adopt(pipeline, present))
			return 1;
		ereport(NOTICE,
				(errmsg("there is nothing to take over of pipeline \"%s\"", name)));
		return 0;
	}
	else
	{
		ListCell   *cell;

		foreach(cell, sw_cat_fence_list_pipelines())
		{
			const int64 *id = lfirst(cell);
			SwPipeline *pipeline = sw_cat_pipeline_get(*id);

			if (pipeline == NULL || !sw_cat_may_use_role(pipeline->owner))
				continue;
			/* Locked, as it is by now. */
			pipeline = sw_pipeline_find_own(pipeline->name);
			if (pipeline != NULL && adopt(pipeline, present))
				n_adopted++;
		}
	}
	return n_adopted;
}
