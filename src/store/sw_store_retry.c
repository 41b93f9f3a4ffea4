/*-------------------------------------------------------------------------
 *
 * sw_store_retry.c
 *	  Attempts at a request to an object store until one ends it.
 *
 * Both operations there are can be repeated without harm: a put of the same
 * bytes under the same key, and a delete.  So a reply that was lost needs no
 * question, it is simply tried again.
 *
 * How long: request_timeout_ms from the beginning, where the time that an
 * attempt spent moving bytes is given back (a large object on a slow line
 * still has its repeats), and at most SW_STORE_MAX_ATTEMPTS.  The caller has
 * a back-off of its own, in minutes; this one is for what passes in seconds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"

#include "common/sw_backoff.h"
#include "net/sw_report.h"
#include "net/sw_wait.h"
#include "store/sw_store_kind.h"

#define SW_STORE_MAX_ATTEMPTS 6
#define SW_STORE_FIRST_DELAY_MS 200
#define SW_STORE_MAX_DELAY_MS 10000

/* A late attempt still gets this long for its reply. */
#define SW_STORE_MIN_TIMEOUT_MS 1000

/* Pause before the attempt after this one. */
static int64
sw_store_choose_delay(int n_attempts, const SwStoreAttempt *attempt)
{
	int64		delay_ms;

	delay_ms = sw_backoff_delay_ms(n_attempts, SW_STORE_FIRST_DELAY_MS,
								   SW_STORE_MAX_DELAY_MS,
								   pg_prng_uint32(&pg_global_prng_state));
	return Max(delay_ms, attempt->retry_after_ms);
}

static void
sw_store_pause(int64 delay_ms)
{
	int64		deadline_ms = sw_wait_deadline(delay_ms);

	while (sw_wait(PGINVALID_SOCKET, false, false, deadline_ms,
				   SW_WAIT_EVENT_STORE) != SW_WAIT_DEADLINE)
		continue;
}

/* A repeat is news for the administrator, though not yet a failure. */
static void
sw_store_log_repeat(const SwError *err, int n_attempts, int64 delay_ms)
{
	ereport(LOG,
			(errcode(sw_report_sqlstate(err->status, err->retry)),
			 errmsg("%s", err->message),
			 err->detail[0] != '\0' ? errdetail("%s", err->detail) : 0,
			 errcontext("attempt %d at a request, next in %lld ms",
						n_attempts, (long long) delay_ms)));
}

/* Say in the detail how often it was tried, and what the store asked for. */
static void
sw_store_add_attempts(SwError *err, int n_attempts, int64 started_ms,
					  int64 retry_after_ms)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, err->detail);
	if (n_attempts > 1)
		appendStringInfo(&detail, " Tried %d times in %.1f s.", n_attempts,
						 (sw_wait_now_ms() - started_ms) / 1000.0);
	if (retry_after_ms > 0)
		appendStringInfo(&detail, " The store asked to wait %lld s.",
						 (long long) (retry_after_ms / 1000));
	sw_error_set_detail(err, "%s", detail.data[0] == ' ' ? detail.data + 1 :
						detail.data);
	pfree(detail.data);
}

SwStatus
sw_store_perform(SwStore *store, const SwStoreRequest *request, SwError *err)
{
	int			request_timeout_ms = store->options.request_timeout_ms;
	int64		started_ms = sw_wait_now_ms();
	int64		give_up_ms = sw_wait_deadline(request_timeout_ms);

	for (int n_attempts = 1;; n_attempts++)
	{
		int64		attempt_ms = sw_wait_now_ms();
		int64		left_ms = Max(give_up_ms - attempt_ms,
								  SW_STORE_MIN_TIMEOUT_MS);
		int64		delay_ms;
		SwStoreAttempt attempt;
		SwStatus	status;

		status = sw_store_attempt(store, request,
								  (int) Min(left_ms, request_timeout_ms),
								  &attempt, err);
		if (status == SW_OK || err->retry == SW_RETRY_NEVER)
			return status;

		if (attempt.n_sent > 0 && status != SW_ERR_TIMEOUT)
			give_up_ms += sw_wait_now_ms() - attempt_ms;
		delay_ms = sw_store_choose_delay(n_attempts, &attempt);
		if (n_attempts == SW_STORE_MAX_ATTEMPTS ||
			sw_wait_now_ms() + delay_ms >= give_up_ms)
		{
			/* whatever became of it, doing it once more is right */
			err->retry = SW_RETRY_LATER;
			sw_store_add_attempts(err, n_attempts, started_ms,
								  attempt.retry_after_ms);
			return status;
		}
		sw_store_log_repeat(err, n_attempts, delay_ms);
		sw_store_pause(delay_ms);
	}
}
