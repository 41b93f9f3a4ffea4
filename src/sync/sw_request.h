/*-------------------------------------------------------------------------
 *
 * sw_request.h
 *	  What a pipeline can be asked to do: a run, a backfill.
 *
 * Contract as in sync/sw_pipeline.h: each is queued when the transaction
 * commits, and its id is returned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_REQUEST_H
#define SW_REQUEST_H

#include "utils/date.h"

/*
 * An incremental run.  All who ask before it begins share one; none begins
 * before all of them have committed.
 */
extern int64 sw_request_sync(const char *name);

/* A full copy. */
extern int64 sw_request_copy(const char *name, bool allow_shrink);

/* A backfill of calendar days, both included. */
extern int64 sw_request_backfill(const char *name, DateADT from, DateADT to,
								 bool allow_shrink);

/* The same of so many days before today, in the pipeline's zone. */
extern int64 sw_request_backfill_days(const char *name, int32 n_days,
									  bool allow_shrink);

#endif							/* SW_REQUEST_H */
