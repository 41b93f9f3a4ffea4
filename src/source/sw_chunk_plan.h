/*-------------------------------------------------------------------------
 *
 * sw_chunk_plan.h
 *	  Cut what a query gives into parts that are read one by one.
 *
 * Called inside sw_identity_enter(), in a transaction with an active
 * snapshot; results are palloc'd in the current context.  Throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CHUNK_PLAN_H
#define SW_CHUNK_PLAN_H

#include "source/sw_query.h"

/* As many as a plan has at most. */
#define SW_CHUNK_PLAN_MAX 1000

/*
 * Parts (SwSourceRange *) of query, at least one, that share no row and have
 * together all that are there now (as those of a window are), of about rows_per_chunk rows each by the planner's
 * estimate.  query->range is not looked at.
 *
 * Where the cursor has a bound and an index, the parts are slices of time from
 * the bound to now; else they are runs of blocks of its leaves, if it has any.
 * A run of blocks means what it meant only as long as the leaf's file is the
 * same (SwLeaf): sw_leaf_hold tells the transaction that reads.
 */
extern List *sw_chunk_plan(const SwSourceQuery *query, TimestampTz now,
						   double rows_per_chunk);

#endif							/* SW_CHUNK_PLAN_H */
