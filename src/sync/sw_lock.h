/*-------------------------------------------------------------------------
 *
 * sw_lock.h
 *	  The lock that says that somebody works on a pipeline.
 *
 * Liveness is this lock, not a pid: the server releases it whatever way a
 * process ends.  It is not an advisory lock, since a user's expression, run
 * while a source is read, could release those (pg_advisory_unlock_all).
 *
 * It outlives commits, but an abort releases it like all locks, so a worker
 * takes it again before each piece of work.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_LOCK_H
#define SW_LOCK_H

/*
 * Take the pipeline's lock, or make sure that it is still held.  Returns
 * false when somebody else has it.  Released when the process ends.  No
 * transaction may be open.
 */
extern bool sw_lock_hold(int64 pipeline_id);

#endif							/* SW_LOCK_H */
