/*-------------------------------------------------------------------------
 *
 * sw_await.h
 *	  Waiting for a backfill or a run that a worker does.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_AWAIT_H
#define SW_AWAIT_H

#include "catalog/sw_catalog.h"

typedef enum SwAwaitKind
{
	SW_AWAIT_BACKFILL,
	SW_AWAIT_RUN
} SwAwaitKind;

/*
 * Wait until it has ended and return how.  Looks with fresh snapshots,
 * whatever the caller's isolation level.  Throws 57014 when timeout_ms
 * (negative: none) has passed, and refuses what the caller's own transaction
 * has asked for, which nobody does before it commits.
 */
extern SwAwaited *sw_await(SwAwaitKind kind, int64 id, int64 timeout_ms);

/*
 * Throw its error, as it was when it was raised in the worker, unless it was a
 * success.
 */
extern void sw_await_raise(SwAwaitKind kind, int64 id,
						   const SwAwaited *awaited);

#endif							/* SW_AWAIT_H */
