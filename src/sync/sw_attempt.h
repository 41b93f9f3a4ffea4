/*-------------------------------------------------------------------------
 *
 * sw_attempt.h
 *	  Do something that may throw, and get the error as a value.
 *
 * The only place in the workers that catches errors: what fails is recorded
 * and the worker goes on.  FATAL (termination) is not caught; what it
 * leaves behind is found by recovery.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_ATTEMPT_H
#define SW_ATTEMPT_H

#include "common/sw_status.h"

typedef struct SwFailure
{
	char		sqlstate[6];
	SwRetry		retry;			/* what a repeat may hope for */
	char	   *message;
	char	   *detail;			/* or NULL */
	char	   *hint;			/* or NULL */
} SwFailure;

/*
 * Call work(arg).  Returns true when it came back; on an error, after the
 * transaction (if any) was aborted, false with *failure_out filled, palloc'd
 * in the current context.  No transaction may be open at the call.
 */
extern bool sw_attempt(void (*work) (void *arg), void *arg,
					   SwFailure *failure_out);

/* Write a failure to the server's log; what says of what. */
extern void sw_attempt_log(const SwFailure *failure, const char *what);

#endif							/* SW_ATTEMPT_H */
