/*-------------------------------------------------------------------------
 *
 * sw_board.h
 *	  The notice board in shared memory: which databases have something due,
 *	  and which workers are at work.
 *
 * It holds no truth, only hints: everything on it can be found again from
 * the rows of each database (catalog/sw_cat_work.c), and it starts empty
 * after a crash.  No pointers, no fds; processes are known by pid and a
 * dead one is noticed by whoever looks.
 *
 * Databases: somebody posts "due at T"; the launcher starts a scheduler
 * there at T; the scheduler takes the notice down when it starts and posts
 * the next one before it leaves.
 *
 * Workers: a scheduler claims a place for a pipeline, the worker that it
 * starts occupies it and gives it up when it exits.  The number of places
 * is sensorswave_export.max_workers.  A scheduler that found none waits, and
 * those of other databases leave the next one to it if its work is due longer
 * than theirs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_BOARD_H
#define SW_BOARD_H

#include "datatype/timestamp.h"

/* Nothing is due. */
#define SW_NEVER	DT_NOEND

/* Ask for shared memory; from _PG_init, while the server starts. */
extern void sw_board_request(void);

/* ---- anybody ---- */

/*
 * Post that this database has something due as soon as the transaction
 * commits.  The transaction cannot be prepared for two-phase commit then.
 */
extern void sw_board_wake_at_commit(void);

/* ---- launcher ---- */

extern void sw_board_register_launcher(void);

/* Post that a database has something due at that time, or earlier. */
extern void sw_board_post(Oid database, TimestampTz due_at);

/*
 * A database with something due by now and no live scheduler, or
 * InvalidOid; then *next_due_out says when the next one will be.
 */
extern Oid	sw_board_next_database(TimestampTz now,
								   TimestampTz *next_due_out);

/*
 * The launcher is about to start a scheduler there: whatever is posted, no
 * other is started until that time, unless the scheduler arrives and leaves.
 */
extern void sw_board_put_off(Oid database, TimestampTz until);

/* The database is gone. */
extern void sw_board_forget(Oid database);


/* ---- scheduler ---- */

/* False: the database has a scheduler, and this one is to leave. */
extern bool sw_board_register_scheduler(void);

/* Is a notice up for this database?  Take it down. */
extern bool sw_board_take_notice(void);

/* Leave: the database's next work is due at that time (SW_NEVER: none). */
extern void sw_board_leave(TimestampTz next_due);

/*
 * Leave for good: the extension is not installed.  Returns false when a
 * notice has come up in the meantime: look again.
 */
extern bool sw_board_leave_for_good(void);

/*
 * Claim a place for a pipeline of this database that has been due since then.
 * Returns its number, or -1 when there is none for it (*is_busy_out false;
 * the caller tries again within two seconds or so) or somebody works on the
 * pipeline already (*is_busy_out true).
 */
extern int	sw_board_claim_worker(int64 pipeline_id, TimestampTz due_at,
								  bool *is_busy_out);

/* The worker could not be started. */
extern void sw_board_unclaim_worker(int place);

/* Does somebody work on that pipeline of this database? */
extern bool sw_board_has_worker(int64 pipeline_id);

/* Workers of this database. */
extern int	sw_board_count_workers(void);

/* ---- worker ---- */

/*
 * Occupy a claimed place until this process exits; returns the pipeline it
 * is for.  The process is connected to its database.
 */
extern int64 sw_board_occupy(int place);

#endif							/* SW_BOARD_H */
