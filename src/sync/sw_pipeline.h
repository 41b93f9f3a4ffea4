/*-------------------------------------------------------------------------
 *
 * sw_pipeline.h
 *	  Pipelines as a DBA writes them, and what can be asked of them.
 *
 * Contacts nobody: the work is done after commit by a worker, which the
 * caller wakes (sync/sw_board.h).  All functions throw, run in the caller's
 * transaction, and check the caller's rights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PIPELINE_H
#define SW_PIPELINE_H

#include "catalog/sw_catalog.h"

/*
 * Both complete row (ids, defaults, times, owner).  seen is the row that the
 * edit started from; throws when somebody else has changed it since.
 */
extern void sw_pipeline_create(SwPipeline *row);
extern void sw_pipeline_alter(const SwPipeline *seen, SwPipeline *row);
extern void sw_pipeline_drop(const char *name);

/* A pipeline of the current user's, as it is; throws when there is none. */
extern SwPipeline *sw_pipeline_look_up(const char *name);

/*
 * A pipeline of the current user's, locked until the transaction ends.
 * Throws when it is somebody else's, and get when there is none; find
 * returns NULL then.
 */
extern SwPipeline *sw_pipeline_find_own(const char *name);
extern SwPipeline *sw_pipeline_get_own(const char *name);

/* As get, but locked against changes only: others may do so, too. */
extern SwPipeline *sw_pipeline_share_own(const char *name);

/*
 * Make the pipeline (old is NULL), change it, or find that there is nothing
 * to change; "created", "changed" or "unchanged".
 */
extern const char *sw_pipeline_put(SwPipeline *row, const SwPipeline *old);

#endif							/* SW_PIPELINE_H */
