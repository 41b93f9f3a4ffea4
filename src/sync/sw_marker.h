/*-------------------------------------------------------------------------
 *
 * sw_marker.h
 *	  Whose a target table is: a mark in its comment at the warehouse.
 *
 * Within one database two pipelines cannot share a target; other databases
 * and other instances are kept off by this mark.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_MARKER_H
#define SW_MARKER_H

#include "catalog/sw_catalog.h"
#include "target/sw_target.h"

/* The pipeline's mark, palloc'd: instance, database, pipeline. */
extern char *sw_marker_create(const SwPipeline *pipeline);

/*
 * Make sure that the table, which exists, is the pipeline's: no mark, its
 * own, or that of a pipeline of this database that is stopped or gone.
 * Throws when it is somebody else's.  Where the warehouse has no comments to
 * read this is taken as no mark.  No transaction may be open.
 */
extern void sw_marker_check(SwTarget *target, const SwTargetTable *table);

/*
 * The same, then put the pipeline's mark there.  Returns false where the
 * warehouse does not let us.
 */
extern bool sw_marker_claim(SwTarget *target, const SwTargetTable *table);

/* Take the pipeline's mark off, if it is still there.  Throws. */
extern void sw_marker_release(SwTarget *target, const SwTargetTable *table);

#endif							/* SW_MARKER_H */
