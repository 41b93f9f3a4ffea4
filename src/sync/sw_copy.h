/*-------------------------------------------------------------------------
 *
 * sw_copy.h
 *	  One run of a full copy: all rows of the source go into an empty target.
 *
 * See README in this folder for what is durable when.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_COPY_H
#define SW_COPY_H

#include "sync/sw_run.h"

/*
 * Record a run, do its work, record its success.  Throws when it fails; the
 * caller records that (run_id says of which run) and what comes next.
 * Repeating it is always right: where a load of an earlier run may have
 * brought rows in, it finds out first whether it has.
 */
extern void sw_copy_run(SwRun *run);

#endif							/* SW_COPY_H */
