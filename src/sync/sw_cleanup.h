/*-------------------------------------------------------------------------
 *
 * sw_cleanup.h
 *	  Who deletes a staged object, and when.
 *
 * Every object has a ledger row before its first byte leaves this server
 * and keeps it until its deletion is confirmed.  A run deletes its own
 * objects at its end.  Those of one that failed for good, and that are whole,
 * are kept for keep_failed_objects.  What was kept, what could not be
 * deleted, and what a run that died left behind, is deleted by the
 * pipeline's work when it is due; sw_runs and sw_run_logs tell.
 *
 * An object whose upload was not seen through (its worker died, or gave up
 * waiting for a reply) may come to be after its deletion: it is deleted once
 * more, request_timeout later.  Its multipart upload is aborted: by its id
 * where that is on record, else by looking for uploads of its key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CLEANUP_H
#define SW_CLEANUP_H

#include "catalog/sw_catalog.h"

/*
 * Delete what a run has staged; what a pipeline has left over and due.
 *
 * Each deletion is recorded.  After the first failure, which is logged to
 * the object's run, the rest is put off: the store is left alone for now.
 * No transaction may be open.  Both may throw; the caller then puts off what
 * is due (sw_cleanup_put_off), or it would be tried again at once.
 */
extern void sw_cleanup_run(const SwPipeline *pipeline, int64 run_id);
extern void sw_cleanup_pipeline(const SwPipeline *pipeline);
extern void sw_cleanup_put_off(const SwPipeline *pipeline);

#endif							/* SW_CLEANUP_H */
