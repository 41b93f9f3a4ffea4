/*-------------------------------------------------------------------------
 *
 * sw_store_retry.c
 *	  Attempts at a request to an object store until one ends it.
 *
 * Most operations can be repeated without harm: a put of the same bytes under
 * the same key or number, a delete, a question.  So a reply that was lost
 * needs no question, it is simply tried again; where that is not so, the
 * caller looks at may_be_done.
 *
 * How long: request_timeout_ms from the beginning, where the time that an
 * attempt spent moving bytes is given back (a large object on a slow line
 * still has its repeats), and at most SW_STORE_MAX_ATTEMPTS.  An attempt that
 * stands still is given up after a third of that time, so that one connection
 * gone dead is not the end.  The caller has a back-off of its own, in minutes;
 * this one is for what passes in seconds.
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

/* Longest pause of those who have patience. */
#define SW_STORE_PATIENT_DELAY_MS 60000

/* A late attempt still gets this long for its reply. */
#define SW_STORE_MIN_TIMEOUT_MS 1000

/* One that stands still leaves time for this many in all. */
#define SW_STORE_SILENT_ATTEMPTS 3

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
sw_store_add_attempts(SwError *err, const SwStoreRetry *retry,
					  int64 retry_after_ms)
{
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfoString(&detail, err->detail);
	if (retry->n_attempts > 1)
		appendStringInfo(&detail, " Tried %d times in %.1f s.",
						 retry->n_attempts,
						 (sw_wait_now_ms() - retry->started_ms) / 1000.0);
	if (retry_after_ms > 0)
		appendStringInfo(&detail, " The store asked to wait %lld s.",
						 (long long) (retry_after_ms / 1000));
	sw_error_set_detail(err, "%s", detail.data[0] == ' ' ? detail.data + 1 :
						detail.data);
	pfree(detail.data);
}

void
sw_store_retry_init(SwStoreRetry *retry, const SwStore *store)
{
	memset(retry, 0, sizeof(SwStoreRetry));
	retry->timeout_ms = store->options.request_timeout_ms;
	retry->started_ms = sw_wait_now_ms();
	retry->give_up_ms = retry->started_ms + retry->timeout_ms;
	retry->next_ms = retry->started_ms;
}

int
sw_store_retry_begin(SwStoreRetry *retry)
{
	int64		left_ms;

	retry->n_attempts++;
	retry->attempt_ms = sw_wait_now_ms();
	left_ms = Min(retry->give_up_ms - retry->attempt_ms,
				  retry->timeout_ms / SW_STORE_SILENT_ATTEMPTS);
	left_ms = Max(left_ms, SW_STORE_MIN_TIMEOUT_MS);
	return (int) Min(left_ms, retry->timeout_ms);
}

/* Pause before the attempt after this one. */
static int64
sw_store_choose_delay(const SwStoreRetry *retry,
					  const SwStoreAttempt *attempt)
{
	int			max_ms = retry->n_attempts > SW_STORE_MAX_ATTEMPTS ?
	SW_STORE_PATIENT_DELAY_MS : SW_STORE_MAX_DELAY_MS;
	int64		delay_ms;

	delay_ms = sw_backoff_delay_ms(retry->n_attempts, SW_STORE_FIRST_DELAY_MS,
								   max_ms,
								   pg_prng_uint32(&pg_global_prng_state));
	return Max(delay_ms, attempt->retry_after_ms);
}

/* Did the store see the request, and not refuse it out of hand? */
static bool
sw_store_may_have_done(const SwError *err)
{
	if (err->remote_code >= 400 && err->remote_code < 500)
		return err->remote_code == 408;
	return err->remote_code != 0 || err->retry == SW_RETRY_UNKNOWN;
}

bool
sw_store_retry_goes_on(SwStoreRetry *retry, const SwStoreAttempt *attempt,
					   bool has_patience, SwError *err)
{
	int64		now_ms = sw_wait_now_ms();
	int64		delay_ms;

	if (sw_store_may_have_done(err))
		retry->may_be_done = true;
	if (err->retry == SW_RETRY_NEVER)
		return false;

	/* time in which bytes moved is given back */
	if (attempt->n_sent > 0 && err->status != SW_ERR_TIMEOUT)
		retry->give_up_ms += now_ms - retry->attempt_ms;
	delay_ms = sw_store_choose_delay(retry, attempt);
	if (!has_patience && (retry->n_attempts >= SW_STORE_MAX_ATTEMPTS ||
						  now_ms + delay_ms >= retry->give_up_ms))
	{
		/* whatever became of it, doing it once more is right */
		err->retry = SW_RETRY_LATER;
		sw_store_add_attempts(err, retry, attempt->retry_after_ms);
		return false;
	}
	sw_store_log_repeat(err, retry->n_attempts, delay_ms);
	retry->next_ms = now_ms + delay_ms;
	if (has_patience)
		retry->give_up_ms = retry->next_ms + retry->timeout_ms;
	return true;
}

static void
sw_store_pause(int64 until_ms)
{
	while (sw_wait(PGINVALID_SOCKET, false, false, until_ms,
				   SW_WAIT_EVENT_STORE) != SW_WAIT_DEADLINE)
		continue;
}

SwStatus
sw_store_perform(SwStore *store, SwStoreRequest *request,
				 SwStoreResult *result, SwError *err)
{
	SwStoreRetry retry;

	sw_store_retry_init(&retry, store);
	for (;;)
	{
		int			idle_timeout_ms = sw_store_retry_begin(&retry);
		SwStoreAttempt attempt;
		SwStatus	status = sw_store_attempt(store, request,
											  idle_timeout_ms, &attempt,
											  result, err);

		if (status == SW_OK ||
			!sw_store_retry_goes_on(&retry, &attempt, false, err))
			return status;
		sw_store_pause(retry.next_ms);
	}
}
