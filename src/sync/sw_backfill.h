/*-------------------------------------------------------------------------
 *
 * sw_backfill.h
 *	  Waiting for a backfill that a worker does.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_BACKFILL_H
#define SW_BACKFILL_H

/*
 * Wait until the backfill has ended and return its status.  Looks with
 * fresh snapshots, whatever the caller's isolation level.  Throws 57014 when
 * timeout_ms (negative: none) has passed, and refuses a backfill made by the
 * caller's own transaction, which nobody can see yet.
 */
extern char *sw_backfill_wait(int64 backfill_id, int64 timeout_ms);

#endif							/* SW_BACKFILL_H */
