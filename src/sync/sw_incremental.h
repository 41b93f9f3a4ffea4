/*-------------------------------------------------------------------------
 *
 * sw_incremental.h
 *	  A run of incremental sync: its windows, chunk by chunk.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_INCREMENTAL_H
#define SW_INCREMENTAL_H

#include "sync/sw_run.h"

/*
 * One run of the pipeline run->pipeline: the window that is open, or else a
 * new one, and a sweep if that is due.  Only what is left of an open window
 * is brought with only_open: nothing new is looked for.
 *
 * run->run_id is set as soon as the run is on record.  No transaction may be
 * open.  Throws; what has been done by then is on record.
 */
extern void sw_incremental_run(SwRun *run, bool only_open);

#endif							/* SW_INCREMENTAL_H */
