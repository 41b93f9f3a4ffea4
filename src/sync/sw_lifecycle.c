/*-------------------------------------------------------------------------
 *
 * sw_lifecycle.c
 *	  Stopping a pipeline, pausing it, and letting it go on.
 *
 * Contract: sw_lifecycle.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "catalog/sw_settings.h"
#include "sync/sw_fence.h"
#include "sync/sw_lifecycle.h"
#include "sync/sw_pipeline.h"

void
sw_lifecycle_stop(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_get_own(name);

	/* Once more: what failed in the winding up is tried again. */
	sw_cat_pipeline_set_status(pipeline->pipeline_id, "stopped");
	sw_cat_sync_cancel_request(pipeline->pipeline_id,
							   "the pipeline was stopped",
							   "Stopping cannot be undone; make another pipeline.");
	sw_cat_object_expire(pipeline->pipeline_id);
	ereport(NOTICE,
			(errmsg("pipeline \"%s\" is stopped for good", name),
			 errdetail("Its history and its target table are kept.")));
}

static void
refuse_stopped(const SwPipeline *pipeline)
{
	if (strcmp(pipeline->status, "stopped") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is stopped", pipeline->name),
				 errhint("Stopping cannot be undone; make another pipeline.")));
}

void
sw_lifecycle_pause(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_get_own(name);

	refuse_stopped(pipeline);
	if (strcmp(pipeline->status, "paused") == 0)
	{
		ereport(NOTICE,
				(errmsg("pipeline \"%s\" is paused already", name)));
		return;
	}
	sw_fence_require(pipeline);
	sw_cat_pipeline_set_status(pipeline->pipeline_id, "paused");
	sw_cat_sync_set_pause(pipeline->pipeline_id,
						  psprintf("paused by %s",
								   GetUserNameFromId(GetUserId(), false)));
	sw_cat_sync_cancel_request(pipeline->pipeline_id,
							   "the pipeline was paused",
							   "Call sw_resume, then sw_sync again.");
	ereport(NOTICE,
			(errmsg("pipeline \"%s\" is paused", name),
			 errdetail("A window that is under way is finished first."),
			 errhint("Nothing is lost: sw_resume goes on from there.")));
}

void
sw_lifecycle_resume(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_get_own(name);
	SwSyncState *state = sw_cat_sync_get(pipeline->pipeline_id);

	sw_settings_require_preload();
	refuse_stopped(pipeline);
	if (strcmp(pipeline->status, "paused") != 0)
	{
		ereport(NOTICE, (errmsg("pipeline \"%s\" is not paused", name)));
		return;
	}
	sw_fence_require(pipeline);

	/* Paused before its target was made, it is still new. */
	sw_cat_pipeline_set_status(pipeline->pipeline_id,
							   state->last_success_at != DT_NOBEGIN ||
							   sw_cat_target_is_held(pipeline->pipeline_id) ?
							   "running" : "new");
	sw_cat_sync_set_pause(pipeline->pipeline_id, NULL);
	ereport(NOTICE,
			(errmsg("pipeline \"%s\" goes on", name),
			 errdetail("It takes up where it was paused.")));
}
