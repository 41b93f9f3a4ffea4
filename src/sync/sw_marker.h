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
 * The mark that is on the table, palloc'd.  NULL for none, also where the
 * warehouse has no comments to read, or not for us; otherwise *shown is the
 * same without secrets.  Throws.
 */
extern char *sw_marker_read(SwTarget *target, const SwTargetTable *table,
							char **shown);

/*
 * Throw unless a table with that mark can be the pipeline's: no mark, its
 * own, the one that it had on the instance that this one has adopted it from,
 * or that of a pipeline of this database that writes no more, as the
 * transaction sees it.  shown is what the error says of the mark.
 */
extern void sw_marker_judge(const SwTargetTable *table, const char *marker,
							const char *shown);

/*
 * Put the pipeline's mark there, unless the table is somebody else's: that
 * throws.  Returns false where the warehouse does not let us.  Of several
 * that claim a table at the same time one succeeds.  No transaction may be
 * open, in this and the next.
 */
extern bool sw_marker_claim(SwTarget *target, const SwTargetTable *table);

/*
 * Take the pipeline's mark off, if it is still there, or that of one of this
 * database that writes no more.  Throws.
 */
extern void sw_marker_release(SwTarget *target, const SwTargetTable *table);

/* Report that the mark stays, and how it is removed by hand. */
extern void sw_marker_warn(int elevel, const SwTargetTable *table);

#endif							/* SW_MARKER_H */
