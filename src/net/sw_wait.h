/*-------------------------------------------------------------------------
 *
 * sw_wait.h
 *	  The one wait primitive: latch + at most one fd + deadline + interrupts.
 *
 * Every sleep of this extension, for a socket, for the HTTP engine, for
 * time to pass or for another worker, goes through here, so SIGTERM, query
 * cancel, configuration reload, ProcSignal barriers and postmaster death
 * are served at once, wherever we are.
 *
 * May throw (CHECK_FOR_INTERRUPTS) and exits on postmaster death.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_WAIT_H
#define SW_WAIT_H

#include "datatype/timestamp.h"

typedef enum SwWaitResult
{
	SW_WAIT_FD,					/* the fd is ready */
	SW_WAIT_LATCH,				/* the latch was set (it is reset now) */
	SW_WAIT_DEADLINE			/* the deadline has passed */
} SwWaitResult;

typedef enum SwWaitEvent
{
	SW_WAIT_EVENT_MAIN,			/* an idle worker loop */
	SW_WAIT_EVENT_WAREHOUSE,	/* the warehouse's socket */
	SW_WAIT_EVENT_STORE,		/* the object store */
	SW_WAIT_EVENT_RUN			/* somebody else's work (sw_wait_backfill) */
} SwWaitEvent;

/* No deadline. */
#define SW_NO_DEADLINE	INT64_MAX

/* Monotonic milliseconds; only differences mean something. */
extern int64 sw_wait_now_ms(void);

/* now + timeout_ms, or SW_NO_DEADLINE for a negative timeout. */
extern int64 sw_wait_deadline(int64 timeout_ms);

/*
 * Wait until fd is ready for what is asked (want_read, want_write), the
 * process latch is set, or the deadline passes.  fd may be PGINVALID_SOCKET.
 * Interrupts are processed before and after the wait.
 */
extern SwWaitResult sw_wait(pgsocket fd, bool want_read, bool want_write,
							int64 deadline_ms, SwWaitEvent event);

#endif							/* SW_WAIT_H */
