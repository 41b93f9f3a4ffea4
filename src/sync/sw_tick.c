/*-------------------------------------------------------------------------
 *
 * sw_tick.c
 *	  The ticks of a pipeline: set when it is made, when its schedule is
 *	  edited, and when a run has succeeded.
 *
 * Contract: sw_tick.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "net/sw_clock.h"
#include "sync/sw_instance.h"
#include "sync/sw_schedule.h"
#include "sync/sw_tick.h"

static TimestampTz
next_tick(const SwPipeline *pipeline, TimestampTz after)
{
	SwSchedule	schedule;

	sw_schedule_parse(pipeline->schedule, &schedule);
	return sw_schedule_next(&schedule, pipeline->created_at, after);
}

void
sw_tick_begin(const SwPipeline *pipeline)
{
	TimestampTz now = pipeline->created_at;

	sw_cat_sync_insert(pipeline, next_tick(pipeline, now), now,
					   sw_instance_get());
}

void
sw_tick_follow_edit(const SwPipeline *old, const SwPipeline *now)
{
	if (strcmp(old->schedule, now->schedule) != 0)
		sw_cat_sync_set_tick(now->pipeline_id, next_tick(now, sw_clock_now()));
	if (memcmp(old->sweep_every, now->sweep_every, sizeof(Interval)) != 0)
		sw_cat_sync_set_sweep(now->pipeline_id, sw_clock_now());
}

void
sw_tick_record_success(int64 pipeline_id, TimestampTz captured_at)
{
	/* In this order: an edit in between is noticed by the tick it sets. */
	SwSyncState *state = sw_cat_sync_get(pipeline_id);
	SwPipeline *pipeline = sw_cat_pipeline_get(pipeline_id);

	if (state != NULL && pipeline != NULL)
		sw_cat_sync_record_success(pipeline_id, state->next_tick_at,
								   next_tick(pipeline, captured_at));
}
