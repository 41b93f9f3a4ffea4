/*-------------------------------------------------------------------------
 *
 * sw_wait.c
 *	  The one wait primitive: latch + at most one fd + deadline + interrupts.
 *
 * A wait set is made for each wait on a socket.  That costs three system
 * calls, and what we wait for is a peer's answer, so it does not show; in
 * return there is no state to keep in step with sockets that come and go.
 *
 * Called by everything that may have to wait, in any memory context,
 * outside critical sections and with no LWLock held.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/latch.h"

#include "net/sw_wait.h"
#include "port/sw_compat.h"

static const char *const sw_wait_event_names[] = {
	[SW_WAIT_EVENT_MAIN] = "SensorswaveExportMain",
	[SW_WAIT_EVENT_WAREHOUSE] = "SensorswaveExportWarehouse",
	[SW_WAIT_EVENT_STORE] = "SensorswaveExportStore",
	[SW_WAIT_EVENT_RUN] = "SensorswaveExportRun"
};

/* Numbers the server gave to the names above; 0 = not asked yet. */
static uint32 sw_wait_event_numbers[lengthof(sw_wait_event_names)];

static uint32
sw_wait_event_number(SwWaitEvent event)
{
	if (sw_wait_event_numbers[event] == 0)
		sw_wait_event_numbers[event] =
			sw_compat_wait_event(sw_wait_event_names[event]);
	return sw_wait_event_numbers[event];
}

int64
sw_wait_now_ms(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) (INSTR_TIME_GET_MICROSEC(now) / 1000);
}

int64
sw_wait_deadline(int64 timeout_ms)
{
	int64		now_ms = sw_wait_now_ms();

	if (timeout_ms < 0 || timeout_ms > SW_NO_DEADLINE - now_ms)
		return SW_NO_DEADLINE;
	return now_ms + timeout_ms;
}

SwWaitResult
sw_wait(pgsocket fd, bool want_read, bool want_write, int64 deadline_ms,
		SwWaitEvent event)
{
	uint32		event_number = sw_wait_event_number(event);
	bool		wait_fd = fd != PGINVALID_SOCKET && (want_read || want_write);

	for (;;)
	{
		int			wake_events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
		int64		remaining_ms = 0;
		int			occurred;

		CHECK_FOR_INTERRUPTS();

		if (deadline_ms != SW_NO_DEADLINE)
		{
			/* One turn is bounded by what WaitLatch can count. */
			remaining_ms = deadline_ms - sw_wait_now_ms();
			remaining_ms = Max(remaining_ms, 0);
			remaining_ms = Min(remaining_ms, PG_INT32_MAX);
			wake_events |= WL_TIMEOUT;
		}
		if (wait_fd && want_read)
			wake_events |= WL_SOCKET_READABLE;
		if (wait_fd && want_write)
			wake_events |= WL_SOCKET_WRITEABLE;

		if (wait_fd)
			occurred = WaitLatchOrSocket(MyLatch, wake_events, fd,
										 (long) remaining_ms, event_number);
		else
			occurred = WaitLatch(MyLatch, wake_events, (long) remaining_ms,
								 event_number);

		if (occurred & WL_LATCH_SET)
			ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();

		if (occurred & (WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE))
			return SW_WAIT_FD;
		if (occurred & WL_LATCH_SET)
			return SW_WAIT_LATCH;
		if (deadline_ms != SW_NO_DEADLINE && sw_wait_now_ms() >= deadline_ms)
			return SW_WAIT_DEADLINE;
	}
}
