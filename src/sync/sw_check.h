/*-------------------------------------------------------------------------
 *
 * sw_check.h
 *	  Errands about a target: the check when a pipeline is saved, and the
 *	  view on an upsert target.
 *
 * The check: the warehouse is reached, and a table that exists already has
 * the columns, types, partition and keys that the pipeline needs, and is
 * nobody else's.  Nothing is made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CHECK_H
#define SW_CHECK_H

#include "sync/sw_job.h"

/*
 * In the session that saves: have a worker look, and throw what it finds,
 * with the remedy.  Neither row needs to be committed.  Columns that the
 * warehouse has no type for become text in the pipeline's row.
 */
extern void sw_check_target(SwDestination *destination, SwPipeline *pipeline);

/*
 * In a session: have a worker make the view of the newest rows at the
 * warehouse, and return its name.  Throws.
 */
extern char *sw_check_create_current_view(SwPipeline *pipeline);

/* In that worker: do it, and reply if something is wrong. */
extern void sw_check_run(const SwJobRequest *request, SwJobChannel *channel);

#endif							/* SW_CHECK_H */
