/*-------------------------------------------------------------------------
 *
 * sw_work.h
 *	  All that is due for one pipeline, one thing after another.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_WORK_H
#define SW_WORK_H

/*
 * Take up what a worker before us has left, then do what is due: create the
 * target table, run the windows of a backfill, delete staged objects.
 * Failures are recorded with the time of the next attempt and do not throw.
 *
 * Does nothing when somebody else works on the pipeline (sw_lock.h).  No
 * transaction may be open.
 */
extern void sw_work_run(int64 pipeline_id);

#endif							/* SW_WORK_H */
