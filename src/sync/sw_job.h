/*-------------------------------------------------------------------------
 *
 * sw_job.h
 *	  Short errands to a peer on behalf of a session that waits for them.
 *
 * A session never talks to a peer itself: it hands the definition of a
 * destination (and a pipeline), which may not be committed yet, to a worker
 * of its own through shared memory, and relays the worker's answers.
 * Secrets travel sealed.
 *
 *	   session							worker
 *	   sw_job_start  -- request -->		sw_job_take_request
 *	   sw_job_receive <-- reply ---		sw_job_reply, any number of times
 *	   ... end of replies				it leaves
 *
 * When the session gives up (cancel, error, exit), the worker is cancelled,
 * tidies up what it has at the peers, and leaves; the session does not wait
 * for that.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JOB_H
#define SW_JOB_H

#include "catalog/sw_catalog.h"

typedef enum SwJobKind
{
	SW_JOB_TEST_CONNECTION,		/* replies: a step each (sync/sw_test.h) */
	SW_JOB_CHECK_TARGET,		/* replies: at most one, the failure, or what
								 * was found: a mark (sync/sw_marker.h) as
								 * detail, and as message without secrets; a
								 * name where times of day are text */
	SW_JOB_CREATE_CURRENT_VIEW	/* replies: at most one, the failure */
} SwJobKind;

typedef struct SwJobRequest
{
	SwJobKind	kind;
	SwDestination *destination;
	SwPipeline *pipeline;		/* NULL unless the kind needs one */
} SwJobRequest;

/* What a worker tells: a step of a test that has ended, or a failure. */
typedef struct SwJobReply
{
	int32		step;			/* 1..7, or 0 for a failure of the job */
	char	   *name;			/* of a step, or NULL */
	char	   *status;			/* ok, failed, skipped */
	int64		elapsed_us;
	char	   *sqlstate;		/* of a failure, or NULL */
	char	   *message;		/* of a failure, or NULL */
	char	   *detail;			/* or NULL */
	char	   *hint;			/* or NULL */
} SwJobReply;

typedef struct SwJob SwJob;

/* ---- session ---- */

/*
 * Start a worker for the request; the job belongs to the current context
 * and transaction.  Throws when there is no room for a worker.
 */
extern SwJob *sw_job_start(const SwJobRequest *request);

/*
 * Wait for the next reply; NULL when there is none any more.  *was_lost_out
 * says then whether the worker died instead of finishing.  Throws 57014
 * at deadline_ms (net/sw_wait.h).
 */
extern SwJobReply *sw_job_receive(SwJob *job, int64 deadline_ms,
								  bool *was_lost_out);
extern void sw_job_end(SwJob *job);

/* SQLSTATE of a failure, as packed by MAKE_SQLSTATE. */
extern int	sw_job_sqlstate(const SwJobReply *reply);

/* ---- worker ---- */

typedef struct SwJobChannel SwJobChannel;

/*
 * Attach to the job that main_arg of a job worker names, and return what is
 * asked for; NULL when the session has left already.
 */
extern SwJobChannel *sw_job_attach(Datum main_arg);

/* The database of the session; the worker connects to it. */
extern Oid	sw_job_database(const SwJobChannel *channel);

/* To be called once the worker can be cancelled. */
extern SwJobRequest *sw_job_take_request(SwJobChannel *channel);

/* Quietly ignored when the session has left. */
extern void sw_job_reply(SwJobChannel *channel, const SwJobReply *reply);

/* All replies are given. */
extern void sw_job_finish(SwJobChannel *channel);

#endif							/* SW_JOB_H */
