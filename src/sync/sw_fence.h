/*-------------------------------------------------------------------------
 *
 * sw_fence.h
 *	  May this instance work on a pipeline?
 *
 * A pipeline is bound to the instance that it was made on, or that has taken
 * it over.  Everywhere else its fence is closed: it is paused, and nothing
 * that the ledger names at the store or the warehouse is touched, since it
 * is the original's.  sw_adopt opens it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_FENCE_H
#define SW_FENCE_H

#include "catalog/sw_catalog.h"
#include "sync/sw_instance.h"

/*
 * For a worker, before anything else is done for the pipeline: false when
 * nothing may be.  Closes the fence of a copy; takes the pipelines of a
 * promoted standby over where sensorswave_export.failover says so; marks the
 * target and writes the lease of one that is being taken over, and records a
 * failure of that with the time of the next attempt.  The caller holds the pipeline's lock; no
 * transaction may be open.
 */
extern bool sw_fence_pass(const SwPipeline *pipeline);

/*
 * For a worker, at its end: delete the lease of a pipeline that is stopped
 * and has nothing left to do.  Failures are recorded and do not throw.
 */
extern void sw_fence_wind_up(const SwPipeline *pipeline);

/* For a session: throw unless this instance may work on it. */
extern void sw_fence_require(const SwPipeline *pipeline);

/*
 * Why this instance may not, palloc'd, or NULL when it may.  *relation_out
 * is how it differs from the one on record, *is_recorded_out whether there
 * is one.  In a transaction.
 */
extern char *sw_fence_find_reason(int64 pipeline_id,
								  const SwInstance *present,
								  SwInstanceRelation *relation_out,
								  bool *is_recorded_out);

/*
 * Bind the pipeline to the present instance and open its fence; the next
 * worker takes the lease over.  In a transaction.
 */
extern void sw_fence_bind(int64 pipeline_id, const SwInstance *present,
						  bool is_asked);

#endif							/* SW_FENCE_H */
