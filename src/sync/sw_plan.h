/*-------------------------------------------------------------------------
 *
 * sw_plan.h
 *	  A pipeline's definition made ready: what to read, and into what table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PLAN_H
#define SW_PLAN_H

#include "catalog/sw_catalog.h"
#include "source/sw_query.h"
#include "sync/sw_shape.h"
#include "target/sw_target.h"

typedef struct SwPlan
{
	const SwPipeline *pipeline;
	const SwShape *shape;
	SwSourceQuery query;		/* window open on both sides */
	SwTargetTable table;		/* sw_plan_aim says in which database */

	/* of a window of incremental sync (sw_sync_window.h), else NULL */
	SwRowTest  *row_test;		/* what query.row_test is */
	const SwCapture *capture;	/* that the window ends at */
	SwSourceRange range;		/* what query.range points to */
} SwPlan;

/*
 * Resolve the mapping and the filters of a pipeline; memory is the current
 * context's, and pipeline must outlive the plan.  Reads no catalog and
 * checks no expression.  Throws when the mapping names a column that the
 * data model does not have, or is not of the form of API.md.
 */
extern SwPlan *sw_plan_create(const SwPipeline *pipeline);

/* Say where the target is, and so what it can hold. */
extern void sw_plan_aim(SwPlan *plan, const SwDestination *destination);

/*
 * The text of the plan's query.  Throws when the source is no longer what the
 * target's columns were made for.  Inside sw_identity_enter().
 */
extern char *sw_plan_build_query(const SwPlan *plan);

/*
 * Check that the source can be read with this plan, as whoever will read it:
 * rights, columns, expressions, types.  Throws.  Needs a transaction with
 * an active snapshot.
 */
extern void sw_plan_check(const SwPlan *plan);

/*
 * Make the target table unless it is there; check that it is what the plan
 * needs, and that it is the pipeline's.  Returns false where the warehouse
 * does not let us mark it as ours.  What the catalog says of the mark
 * (sw_cat_target_hold) is right whatever happens.  destination is the one
 * that target was opened with.  Throws.  No transaction may be open.
 */
extern bool sw_plan_prepare_target(const SwPlan *plan,
								   const SwDestination *destination,
								   SwTarget *target);

#endif							/* SW_PLAN_H */
