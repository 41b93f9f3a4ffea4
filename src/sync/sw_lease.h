/*-------------------------------------------------------------------------
 *
 * sw_lease.h
 *	  The lease: an object in the staging store that says which instance
 *	  loads into a pipeline's target, and how far it has got.
 *
 * It is <prefix>/_lease/<pipeline id>-<16 hex digits>: the digits come from
 * the time when the pipeline was made, so copies of a pipeline have one lease,
 * and pipelines of other databases that share the bucket have theirs.  README
 * in this folder tells what it protects from.
 *
 * All throw.  No transaction may be open, but in the last.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_LEASE_H
#define SW_LEASE_H

#include "sync/sw_connect.h"

/*
 * To be called before each load, and before anything else that changes the
 * target: compare the lease with the ledger and raise both by one.
 *
 * Throws as what no repeat can cure, with the pipeline paused, when another
 * instance has raised the lease or taken it over.  A store that fails throws
 * as in an upload.
 */
extern void sw_lease_raise(const SwPipeline *pipeline,
						   const SwConnect *connect, SwStore *store);

/* A fresh token, palloc'd. */
extern char *sw_lease_make_token(void);

/*
 * Take the lease over from another instance, as the ledger says that it is to
 * be.  Where that one has begun loads that the ledger does not know of, what
 * the ledger says of staged objects is disowned.  Returns false, with the
 * pipeline paused, when a third one has been faster and nobody asked to
 * take it from that.
 */
extern bool sw_lease_take_over(const SwPipeline *pipeline,
							   const SwConnect *connect);

/* Delete it, if it is ours. */
extern void sw_lease_release(const SwPipeline *pipeline);

/* Say so if it may still be there.  In a transaction. */
extern void sw_lease_warn(const SwPipeline *pipeline);

#endif							/* SW_LEASE_H */
