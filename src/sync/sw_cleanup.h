/*-------------------------------------------------------------------------
 *
 * sw_cleanup.h
 *	  Who deletes a staged object, and when.
 *
 * Every object has a ledger row before its first byte leaves this server
 * and keeps it until its deletion is confirmed.  A run deletes its own
 * objects at its end, good or bad.  What it could not delete, and what a
 * run that died left behind, is deleted by the pipeline's next work, tried
 * again later and later while the store refuses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CLEANUP_H
#define SW_CLEANUP_H

#include "nodes/pg_list.h"
#include "store/sw_store.h"

/*
 * Delete the objects (SwStagedObject) from the store, and record it.  Stops
 * at the first failure, which is logged to the object's run; the rest is
 * put off.  Returns whether all are gone.  No transaction may be open.
 */
extern bool sw_cleanup_objects(SwStore *store, List *objects);

/*
 * The same for all objects of a pipeline that are left over and due.
 * May throw.
 */
extern void sw_cleanup_pipeline(int64 pipeline_id);

#endif							/* SW_CLEANUP_H */
