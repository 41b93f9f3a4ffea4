/*-------------------------------------------------------------------------
 *
 * sw_run.h
 *	  What all runs have in common: begun, read, sent, loaded, ended.
 *
 * A run is on record before it does anything, its objects before a byte
 * leaves, its loads before they begin: what a dead worker leaves follows from
 * rows.  README in this folder tells what is durable when.
 *
 * The steps are called in the order of this header.  All throw; none needs a
 * transaction, each has its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_RUN_H
#define SW_RUN_H

#include "catalog/sw_catalog.h"
#include "sync/sw_connect.h"
#include "sync/sw_plan.h"
#include "sync/sw_stage.h"

typedef struct SwRun
{
	/* the caller's */
	const SwPipeline *pipeline;
	const SwWindow *window;		/* of a backfill; NULL = incremental sync */
	bool		allow_shrink;
	SwChunk    *chunk;			/* of a sync window, that is delivered now */

	int64		run_id;			/* set as soon as the run is recorded */
	SwStage    *stage;			/* what it stages; NULL = nothing so far */
	SwConnect  *connect;
	SwStore    *store;
	SwPlan	   *plan;
} SwRun;

/*
 * Record the run of a backfill's window, and prepare it.  All belongs to
 * context.
 */
extern void sw_run_begin(SwRun *run, const char *kind, const char *what,
						 MemoryContext context);

/* Read the definition of the pipeline of a run that is on record. */
extern void sw_run_prepare(SwRun *run, MemoryContext context);

/* Nothing is staged, as yet. */
extern void sw_run_create_stage(SwRun *run, MemoryContext context);

/* One line of its log, in a transaction of its own. */
extern void sw_run_log(const SwRun *run, const char *level, const char *text);

/*
 * Log in at the warehouse and have the target table there, ours.  The caller
 * closes the target.
 */
extern SwTarget *sw_run_open_target(const SwRun *run);

/*
 * Rows of a day of the target, or of all of it with day = NULL; false when we
 * may not look.
 */
extern bool sw_run_count(const SwRun *run, SwTarget *target, const char *day,
						 uint64 *n_rows);
extern bool sw_run_count_days(const SwRun *run, SwTarget *target,
							  const char *first_day, const char *last_day,
							  uint64 *n_rows);

/* Read the rows; send what can be sent while it lasts; send the rest. */
extern void sw_run_read(SwRun *run);
extern void sw_run_upload(SwRun *run);

/* What a load is to read; url and stage_table are the caller's to set. */
extern SwLoadSource sw_run_load_source(const SwRun *run);

/* An id for a load, palloc'd. */
extern char *sw_run_make_query_id(void);

/* Put a load on record, with the stage table that it may leave, or NULL. */
extern void sw_run_record_load(const SwRun *run, const char *query_id,
							   const char *stage_table);

/*
 * Rows that the warehouse says it has loaded, where they cannot be counted.
 * Throws when it says nothing and some were expected.
 */
extern uint64 sw_run_get_told(const SwRun *run, const SwLoadResult *result);

/* Delete what was staged, record the success. */
extern void sw_run_finish(SwRun *run, const char *what, int64 n_rows);

/*
 * After a failure, while the memory that the run has used is still there:
 * put on record which uploads it leaves unfinished.
 */
extern void sw_run_break_off(const SwRun *run);

/* Delete what the run has staged, good or bad. */
extern void sw_run_clean(const SwRun *run);

#endif							/* SW_RUN_H */
