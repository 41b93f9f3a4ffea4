/*-------------------------------------------------------------------------
 *
 * sw_sync_window.h
 *	  Windows of incremental sync: which rows lie between two captures.
 *
 * An incremental window has the rows that became visible after its first
 * capture and until its second.  Those whose cursor is older than its bound
 * are left to the sweep, so that an index on the cursor finds the others; a
 * sweep has what all windows since the last one have left.  A source without
 * row versions (a view, a foreign table) is asked for rows by cursor alone.
 *
 * What a window is follows from its row: it can be continued by anybody.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SYNC_WINDOW_H
#define SW_SYNC_WINDOW_H

#include "source/sw_capture.h"
#include "sync/sw_run.h"

/*
 * Take a capture and open the next window, with its chunks, for a run that
 * is prepared.  It is a sweep where what the cursor means has changed since
 * the last: the rows that were left by then are brought first.  In one
 * transaction of its own.  Throws.
 */
extern SwSyncWindow *sw_sync_window_open(const SwRun *run);

/*
 * Aim a plan at what a window that is opened now, after that capture, would
 * have; nothing is put on record.  In a transaction.
 */
extern void sw_sync_window_aim_at_now(SwPlan *plan, const SwCapture *from);

/*
 * An incremental window whose cursor was another expression when it was opened
 * is read by that; after some failures, since it may name a column that is
 * gone, by the present one, unless part of it is staged, or cut by it.  In a
 * transaction.
 */
extern void sw_sync_window_mend(const SwRun *run, SwSyncWindow *window);

/* Open a sweep; NULL when there is nothing to look for. */
extern SwSyncWindow *sw_sync_window_open_sweep(const SwRun *run);

/* Its chunks are done.  In a transaction of its own. */
extern void sw_sync_window_finish(const SwRun *run,
								  const SwSyncWindow *window);

#endif							/* SW_SYNC_WINDOW_H */
