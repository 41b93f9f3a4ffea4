/*-------------------------------------------------------------------------
 *
 * sw_window.h
 *	  One run of a backfill: a calendar day of the target is replaced.
 *
 * See README in this folder for what is durable when.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_WINDOW_H
#define SW_WINDOW_H

#include "catalog/sw_catalog.h"

typedef struct SwWindowRun
{
	const SwPipeline *pipeline;
	const SwWindow *window;
	bool		allow_shrink;
	int64		run_id;			/* set as soon as the run is recorded */
	struct SwStage *stage;		/* what it stages; NULL = nothing so far */
} SwWindowRun;

/*
 * Record a run, do its work, record its success.  Throws when it fails; the
 * caller records that (run_id says of which run) and what comes next.
 * Repeating it is always right: the day is overwritten as a whole.
 */
extern void sw_window_run(SwWindowRun *run);

/*
 * After a failure, while the memory that the run has used is still there:
 * put on record which uploads it leaves unfinished.  May throw.
 */
extern void sw_window_break_off(const SwWindowRun *run);

/* Delete what the run has staged, good or bad.  May throw. */
extern void sw_window_clean(const SwWindowRun *run);

#endif							/* SW_WINDOW_H */
