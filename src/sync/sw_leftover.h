/*-------------------------------------------------------------------------
 *
 * sw_leftover.h
 *	  Stage tables that runs have left at the warehouse.
 *
 * They are dropped by the names in the own ledger.  No transaction may be
 * open during these calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_LEFTOVER_H
#define SW_LEFTOVER_H

#include "sync/sw_connect.h"

/*
 * Drop all that the pipeline's runs have left, in an open session.  When
 * this returns, nothing that they have begun can change the target any more.
 * Throws.
 */
extern void sw_leftover_drop(int64 pipeline_id, const SwConnect *connect,
							 SwTarget *target);

/* The same for those that are due, in a session of its own, if any are. */
extern void sw_leftover_clean(const SwPipeline *pipeline);

/* That failed: not again at once. */
extern void sw_leftover_put_off(const SwPipeline *pipeline);

#endif							/* SW_LEFTOVER_H */
