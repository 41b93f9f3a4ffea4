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
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_WORKER_H
#define SW_WORKER_H

#include "postmaster/bgworker.h"

/* Register the launcher; from _PG_init, while the server starts. */
extern void sw_worker_register_launcher(void);

/*
 * Fill what all our dynamic workers have in common.  role is the middle of
 * the entry point's name and the end of the worker's.
 */
extern void sw_worker_describe(BackgroundWorker *worker, const char *role,
							   const char *function);

extern PGDLLEXPORT void sw_launcher_main(Datum arg) pg_attribute_noreturn();
extern PGDLLEXPORT void sw_scheduler_main(Datum arg) pg_attribute_noreturn();
extern PGDLLEXPORT void sw_run_worker_main(Datum arg) pg_attribute_noreturn();

#endif							/* SW_WORKER_H */
