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

#include "sync/sw_run.h"

/*
 * Record a run, do its work, record its success.  Throws when it fails; the
 * caller records that (run_id says of which run) and what comes next.
 * Repeating it is always right: the day is overwritten as a whole.
 */
extern void sw_window_run(SwRun *run);

#endif							/* SW_WINDOW_H */
