/*-------------------------------------------------------------------------
 *
 * sw_cursor.h
 *	  The cursor of a pipeline: the target column by which its source is read
 *	  from a point in time on.
 *
 * All functions throw.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CURSOR_H
#define SW_CURSOR_H

#include "sync/sw_plan.h"

/*
 * Complete and check cursor_column, time_column, cursor_slack and sweep_every
 * of a row that is made (old is NULL) or was made as old; plan is the row's,
 * of before.  Warns of what makes sync slow or impossible when the row is
 * made.  Needs a transaction with an active snapshot.
 */
extern void sw_cursor_complete(SwPipeline *row, const SwPipeline *old,
							   const SwPlan *plan);

/* Index of a column in the shape, or -1; also when name is NULL. */
extern int	sw_cursor_find_column(const SwShape *shape, const char *name);

#endif							/* SW_CURSOR_H */
