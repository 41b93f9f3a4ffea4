/*-------------------------------------------------------------------------
 *
 * sw_fence.c
 *	  May this instance work on a pipeline?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/sw_cat_fence.h"
#include "catalog/sw_settings.h"
#include "common/sw_backoff.h"
#include "sync/sw_attempt.h"
#include "sync/sw_connect.h"
#include "sync/sw_fence.h"
#include "sync/sw_lease.h"
#include "sync/sw_lock.h"
#include "sync/sw_plan.h"
#include "sync/sw_tx.h"

/* How often the lease of a stopped pipeline is tried to be deleted. */
#define RELEASE_ATTEMPTS 10

typedef struct LeaseWork
{
	const SwPipeline *pipeline;
	bool		is_taken;
} LeaseWork;

/* ---- who may ---- */

char *
sw_fence_find_reason(int64 pipeline_id, const SwInstance *present,
					 SwInstanceRelation *relation_out, bool *is_recorded_out)
{
	SwInstance *recorded = sw_cat_fence_get_instance(pipeline_id);
	char	   *difference = NULL;
	char	   *reason;

	*is_recorded_out = recorded != NULL;
	*relation_out = SW_INSTANCE_OTHER;
	if (recorded != NULL)
		*relation_out = sw_instance_compare(recorded, present, &difference);
	reason = sw_cat_fence_get_reason(pipeline_id);
	if (reason != NULL)
		return reason;
	if (recorded == NULL)
		return "restored from a dump; sw_adopt takes the pipeline over";
	if (*relation_out == SW_INSTANCE_SAME)
		return NULL;
	return psprintf("the pipeline belongs to another instance: %s; sw_adopt takes it over",
					difference);
}

void
sw_fence_bind(int64 pipeline_id, const SwInstance *present, bool is_asked)
{
	sw_cat_fence_set_instance(pipeline_id, present);
	sw_cat_lease_begin_takeover(pipeline_id,
								is_asked ? SW_TAKEOVER_ASKED : SW_TAKEOVER_AUTOMATIC,
								sw_lease_make_token());
	sw_cat_fence_open(pipeline_id);
}

void
sw_fence_require(const SwPipeline *pipeline)
{
	SwInstanceRelation relation;
	bool		is_recorded;
	char	   *reason = sw_fence_find_reason(pipeline->pipeline_id,
											  sw_instance_get(), &relation,
											  &is_recorded);

	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pipeline \"%s\" is not worked on here", pipeline->name),
				 errdetail("The reason: %s.", reason),
				 errhint("Call sw_adopt to take it over.")));
}

/* ---- in a worker ---- */

/* Close the fence, or adopt, as the case may be; true when it is open. */
static bool
check_instance(const SwPipeline *pipeline)
{
	int64		pipeline_id = pipeline->pipeline_id;
	const SwInstance *present = sw_instance_get();
	SwInstanceRelation relation;
	bool		is_recorded;
	char	   *reason = sw_fence_find_reason(pipeline_id, present, &relation,
											  &is_recorded);
	bool		was_closed = sw_cat_fence_get_reason(pipeline_id) != NULL;

	if (reason == NULL)
		return true;
	if (!was_closed && relation == SW_INSTANCE_PROMOTED &&
		sw_failover == SW_FAILOVER_ADOPT)
	{
		ereport(LOG,
				(errmsg("pipeline \"%s\" is adopted after a promotion to timeline %u",
						pipeline->name, present->timeline)));
		sw_fence_bind(pipeline_id, present, false);
		return true;
	}
	/* Once more where somebody has only corrected the status. */
	sw_cat_fence_close(pipeline_id, reason);
	if (!was_closed)
		ereport(LOG,
				(errmsg("pipeline \"%s\" is paused: %s", pipeline->name, reason)));
	return false;
}

/*
 * The target first, which may be somebody else's by now: then the lease is
 * left to that one.
 */
static void
claim_target(const SwPipeline *pipeline, const SwConnect *connect)
{
	SwPlan	   *plan = sw_plan_create(pipeline);
	SwTarget   *target;

	sw_plan_aim(plan, connect->destination);
	target = sw_connect_target(connect, CurrentMemoryContext);
	(void) sw_plan_prepare_target(plan, connect->destination, target);
	sw_target_close(target);
}

static void
take_over(void *arg)
{
	LeaseWork  *work = arg;
	const SwPipeline *pipeline = work->pipeline;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "SwTakeover",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext saved = MemoryContextSwitchTo(context);
	SwConnect  *connect;

	sw_tx_begin("reading a pipeline's definition");
	connect = sw_connect_load(pipeline->destination_id, context);
	sw_connect_check_right(connect, pipeline);
	sw_tx_commit();
	if (strcmp(pipeline->status, "stopped") != 0)
		claim_target(pipeline, connect);
	work->is_taken = sw_lease_take_over(pipeline, connect);
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}

static void
release(void *arg)
{
	LeaseWork  *work = arg;

	sw_lease_release(work->pipeline);
}

static void
record_failure(const SwPipeline *pipeline, const SwFailure *failure,
			   int n_failures, bool is_final)
{
	TimestampTz next = DT_NOEND;
	uint32		random = 0;

	(void) pg_strong_random(&random, sizeof(random));
	if (!is_final)
		next = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										   sw_backoff_delay_ms(failure->retry == SW_RETRY_NEVER ?
															   INT_MAX : n_failures,
															   sw_retry_backoff_ms,
															   sw_retry_backoff_max_ms,
															   random));
	sw_tx_begin("recording a failure");
	sw_cat_lease_record_failure(pipeline->pipeline_id, next, failure->message,
								failure->hint);
	sw_tx_commit();
}

static bool
attempt(void (*piece) (void *arg), LeaseWork *work, const char *what,
		SwFailure *failure)
{
	if (sw_attempt(piece, work, failure))
		return true;
	sw_attempt_log(failure, psprintf("pipeline \"%s\": %s",
									 work->pipeline->name, what));
	return false;
}

bool
sw_fence_pass(const SwPipeline *pipeline)
{
	LeaseWork	work = {.pipeline = pipeline};
	SwFailure	failure;
	SwLease    *lease = NULL;
	bool		is_open;

	sw_tx_begin("looking whose a pipeline is");
	is_open = check_instance(pipeline);
	if (is_open)
		lease = sw_cat_lease_get(pipeline->pipeline_id);
	sw_tx_commit();
	if (lease == NULL || lease->takeover == SW_TAKEOVER_NONE)
		return is_open;
	if (!lease->is_due)
		return false;
	if (!attempt(take_over, &work, "taking over the lease", &failure))
		/* The abort has released the pipeline's lock. */
		if (sw_lock_hold(pipeline->pipeline_id))
			record_failure(pipeline, &failure, lease->n_failures + 1, false);
	return work.is_taken;
}

void
sw_fence_wind_up(const SwPipeline *pipeline)
{
	LeaseWork	work = {.pipeline = pipeline};
	SwFailure	failure;
	SwLease    *lease;
	bool		is_over;
	int			n_failures;

	sw_tx_begin("looking for a lease to delete");
	lease = sw_cat_lease_get(pipeline->pipeline_id);
	is_over = sw_cat_pipeline_is_over(pipeline->pipeline_id);
	sw_tx_commit();
	if (!is_over || lease == NULL || lease->number == 0 || !lease->is_due)
		return;
	if (attempt(release, &work, "deleting the lease", &failure) ||
		!sw_lock_hold(pipeline->pipeline_id))
		return;
	n_failures = lease->n_failures + 1;
	record_failure(pipeline, &failure, n_failures,
				   failure.retry == SW_RETRY_NEVER ||
				   n_failures >= RELEASE_ATTEMPTS);
}
