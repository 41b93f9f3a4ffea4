/*-------------------------------------------------------------------------
 *
 * sw_aim.h
 *	  Have a plan's query read a window of incremental sync, or a part of it.
 *
 * What is allocated is the current context's.  All throw.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_AIM_H
#define SW_AIM_H

#include "source/sw_capture.h"
#include "sync/sw_plan.h"

/*
 * A window that is on record, or one between captures that are at hand.  The
 * first in a transaction.
 */
extern void sw_aim_window(SwPlan *plan, const SwSyncWindow *window);
extern void sw_aim_incremental(SwPlan *plan, const SwSyncWindow *window,
							   const SwCapture *from, const SwCapture *to);

/* All that had been committed by a capture. */
extern void sw_aim_copy(SwPlan *plan, const SwCapture *to);

/* A chunk of the window that the plan is aimed at. */
extern void sw_aim_chunk(SwPlan *plan, const SwChunk *chunk);

/*
 * In the transaction that reads a chunk, before it does: keep the tables that
 * the rows are in as they are, and take into account what was done to them
 * since the window was opened.  False: the chunk's blocks are others now, and
 * it has to be planned again (sw_cat_chunk_merge_leaf).
 */
extern bool sw_aim_hold(SwPlan *plan, const SwChunk *chunk);

/* The same where there is no window: keep the tables as they are. */
extern void sw_aim_lock(const SwPlan *plan);

#endif							/* SW_AIM_H */
