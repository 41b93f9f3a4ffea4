/*-------------------------------------------------------------------------
 *
 * sw_check.c
 *	  The check when a pipeline is saved: can its target be what it must be?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "net/sw_report.h"
#include "net/sw_wait.h"
#include "sync/sw_attempt.h"
#include "sync/sw_check.h"
#include "sync/sw_fence.h"
#include "sync/sw_columns.h"
#include "sync/sw_connect.h"
#include "sync/sw_marker.h"
#include "sync/sw_plan.h"
#include "sync/sw_tx.h"

/* A suspended virtual warehouse may take its time to wake. */
#define CHECK_LIMIT_MS (3 * 60 * 1000)

typedef struct CheckState
{
	const SwDestination *destination;
	const SwPipeline *pipeline;
	MemoryContext context;		/* of the result */
	char	   *marker;			/* that is on the table, or NULL */
	char	   *shown;			/* the same without secrets */
	bool		has_no_time;	/* the warehouse, for columns that need it */
} CheckState;

/* Name of the reply that says so. */
#define TIME_IS_TEXT "times of day are text"

/*
 * Times of day become text where the server has no type for them, or does not
 * let this login use it.
 */
static void
look_for_time(CheckState *state, SwPipeline *pipeline, SwTarget *target)
{
	Jsonb	   *columns;
	bool		has_time;
	SwError		err;

	if (pipeline->target_columns == NULL)
		return;
	columns = sw_columns_without_time((Jsonb *) pipeline->target_columns);
	if (columns == NULL)
		return;
	if (sw_target_ask_for_time(target, &has_time, &err) != SW_OK)
		sw_report(ERROR, &err);
	if (has_time)
		return;
	pipeline->target_columns = (struct varlena *) columns;
	state->has_no_time = true;
}

static void
look_at_target(void *arg)
{
	CheckState *state = arg;
	SwPipeline	pipeline = *state->pipeline;
	SwConnect  *connect;
	SwTarget   *target;
	SwPlan	   *plan;
	bool		exists;
	SwError		err;

	sw_tx_begin("reading a destination");
	connect = sw_connect_prepare(state->destination, CurrentMemoryContext);
	sw_tx_commit();
	connect->target_options.statement_timeout_ms =
		Min(connect->target_options.statement_timeout_ms, CHECK_LIMIT_MS);
	target = sw_connect_target(connect, CurrentMemoryContext);
	look_for_time(state, &pipeline, target);
	plan = sw_plan_create(&pipeline);
	sw_plan_aim(plan, state->destination);
	if (sw_target_check_table(target, &plan->table, &exists, &err) != SW_OK)
		sw_report(ERROR, &err);
	if (exists)
	{
		MemoryContext saved = MemoryContextSwitchTo(state->context);

		state->marker = sw_marker_read(target, &plan->table, &state->shown);
		MemoryContextSwitchTo(saved);
	}
	sw_target_close(target);
}

static void
create_current_view(void *arg)
{
	CheckState *state = arg;
	SwConnect  *connect;
	SwTarget   *target;
	SwPlan	   *plan;
	SwError		err;

	sw_tx_begin("reading a destination");
	connect = sw_connect_prepare(state->destination, CurrentMemoryContext);
	sw_tx_commit();
	plan = sw_plan_create(state->pipeline);
	sw_plan_aim(plan, state->destination);
	target = sw_connect_target(connect, CurrentMemoryContext);
	if (sw_target_create_current_view(target, &plan->table, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_target_close(target);
}

/* In the worker: do it, and reply if there is something to say. */
static void
run(void (*piece) (void *arg), const SwDestination *destination,
	const SwPipeline *pipeline, SwJobChannel *channel)
{
	CheckState	state = {
		.destination = destination,
		.pipeline = pipeline,
		.context = CurrentMemoryContext
	};
	SwFailure	failure;

	if (!sw_attempt(piece, &state, &failure))
	{
		SwJobReply	reply = {
			.status = "failed",
			.sqlstate = failure.sqlstate,
			.message = failure.message,
			.detail = failure.detail,
			.hint = failure.hint
		};

		sw_job_reply(channel, &reply);
	}
	else if (state.marker != NULL || state.has_no_time)
	{
		SwJobReply	reply = {
			.name = state.has_no_time ? TIME_IS_TEXT : NULL,
			.status = "ok",
			.message = state.shown,
			.detail = state.marker
		};

		sw_job_reply(channel, &reply);
	}
}

void
sw_check_run(const SwJobRequest *request, SwJobChannel *channel)
{
	run(request->kind == SW_JOB_CHECK_TARGET ? look_at_target : create_current_view,
		request->destination, request->pipeline, channel);
}

/*
 * In the session: have it done, and throw its failure.  Returns what else
 * the worker has to say, or NULL.
 */
static SwJobReply *
have_done(SwJobRequest *request, const char *last_hint)
{
	SwJob	   *job = sw_job_start(request);
	bool		was_lost = false;
	SwJobReply *reply = sw_job_receive(job, sw_wait_deadline(CHECK_LIMIT_MS),
									   &was_lost);

	if (reply != NULL && strcmp(reply->status, "failed") == 0)
		ereport(ERROR,
				(errcode(sw_job_sqlstate(reply)),
				 errmsg("%s", reply->message),
				 reply->detail ? errdetail_internal("%s", reply->detail) : 0,
				 reply->hint ? errhint("%s", reply->hint) :
				 last_hint ? errhint("%s", last_hint) : 0));
	if (was_lost)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the worker that talks to the warehouse has ended"),
				 errhint("See the server's log, then try again.")));
	sw_job_end(job);
	return reply;
}

void
sw_check_target(SwDestination *destination, SwPipeline *pipeline)
{
	SwJobRequest request = {SW_JOB_CHECK_TARGET, destination, pipeline};

	SwJobReply *found = have_done(&request,
								  "To save without this check, set sensorswave_export.check_on_save to off.");

	if (found != NULL && found->name != NULL)
		pipeline->target_columns = (struct varlena *)
			sw_columns_without_time((Jsonb *) pipeline->target_columns);

	/* Here, not in the worker: this transaction may have stopped its owner. */
	if (found != NULL && found->detail != NULL)
		sw_marker_judge(&sw_plan_create(pipeline)->table, found->detail,
						found->message);
}

char *
sw_check_create_current_view(SwPipeline *pipeline)
{
	SwJobRequest request = {SW_JOB_CREATE_CURRENT_VIEW, NULL, pipeline};

	if (strcmp(pipeline->mode, "upsert") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("pipeline \"%s\" does not upsert", pipeline->name),
				 errdetail("A table that only grows needs no view of its newest rows.")));
	sw_fence_require(pipeline);
	request.destination = sw_cat_destination_get(pipeline->destination_id);
	(void) have_done(&request, NULL);
	return psprintf("%s_current", pipeline->target_table);
}
