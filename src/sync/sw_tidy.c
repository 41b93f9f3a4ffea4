/*-------------------------------------------------------------------------
 *
 * sw_tidy.c
 *	  An errand that is told to end removes what it has at a peer first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "sync/sw_attempt.h"
#include "sync/sw_tidy.h"

/*
 * What tidying may take of a process told to terminate.  DROP DATABASE ...
 * WITH (FORCE) gives up after 5 seconds.
 */
#define TERMINATED_LIMIT_MS 3000
#define TICK_MS 250

static volatile sig_atomic_t is_terminated = false;
static volatile sig_atomic_t is_tidying = false;

/* Ticks of tidying after SIGTERM. */
static volatile sig_atomic_t n_ticks = 0;

static void
cancel(void)
{
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

static void
handle_terminate(SIGNAL_ARGS)
{
	int			saved_errno = errno;

	is_terminated = true;
	if (!is_tidying)
		cancel();
	errno = saved_errno;
}

/* Beyond the limit each tick cancels what is waited for then. */
static void
handle_tick(void)
{
	if (is_terminated && ++n_ticks >= TERMINATED_LIMIT_MS / TICK_MS)
		cancel();
}

void
sw_tidy_defer_termination(void)
{
	pqsignal(SIGTERM, handle_terminate);
	CHECK_FOR_INTERRUPTS();
}

bool
sw_tidy_is_terminated(void)
{
	return is_terminated;
}

void
sw_tidy_begin(void)
{
	TimeoutId	timeout = RegisterTimeout(USER_TIMEOUT, handle_tick);

	is_tidying = true;
	pqsignal(SIGINT, SIG_IGN);
	QueryCancelPending = false;
	enable_timeout_every(timeout,
						 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK_MS),
						 TICK_MS);
}

void
sw_tidy_attempt(void (*work) (void *arg), void *arg, const char *what)
{
	SwFailure	failure;

	if (sw_attempt(work, arg, &failure))
		return;
	/* Reporting looks for interrupts, too. */
	HOLD_CANCEL_INTERRUPTS();
	sw_attempt_log(&failure, what);
	RESUME_CANCEL_INTERRUPTS();
}

void
sw_tidy_end(void)
{
	disable_all_timeouts(false);
	is_tidying = false;
	QueryCancelPending = false;
	pqsignal(SIGTERM, die);
	if (is_terminated)
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating sensorswave_export errand due to administrator command")));
}
