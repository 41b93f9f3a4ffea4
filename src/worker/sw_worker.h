/*-------------------------------------------------------------------------
 *
 * sw_worker.h
 *	  The background workers.
 *
 *	  launcher (one per cluster, static)
 *		knows which databases have something due (sync/sw_board.h) and
 *		starts a scheduler there; connected to no database
 *	  scheduler (one per database, while something is due there)
 *		finds pipelines with work and starts a run worker for each, within
 *		max_workers; leaves when nothing is due, so that DROP DATABASE and
 *		the like are not held up
 *	  run worker (one per pipeline with work)
 *		does all that is due for it (sync/sw_work.h), and leaves
 *	  errand worker (one per session that waits for one)
 *		tests a connection or checks a target (sync/sw_job.h), and leaves
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_WORKER_H
#define SW_WORKER_H

#include "postmaster/bgworker.h"

#include "port/sw_compat.h"

/* Register the launcher; from _PG_init, while the server starts. */
extern void sw_worker_register_launcher(void);

/*
 * Connect to a database, with the settings pinned that could make our own
 * statements fail.
 */
extern void sw_worker_connect(Oid database);

/*
 * Fill what all our dynamic workers have in common.  role is the middle of
 * the entry point's name and the end of the worker's.
 */
extern void sw_worker_describe(BackgroundWorker *worker, const char *role,
							   const char *function);

SW_NORETURN extern PGDLLEXPORT void sw_launcher_main(Datum arg);
SW_NORETURN extern PGDLLEXPORT void sw_scheduler_main(Datum arg);
SW_NORETURN extern PGDLLEXPORT void sw_run_worker_main(Datum arg);
SW_NORETURN extern PGDLLEXPORT void sw_job_worker_main(Datum arg);

#endif							/* SW_WORKER_H */
