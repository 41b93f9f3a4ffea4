/*-------------------------------------------------------------------------
 *
 * sw_cat_fence.h
 *	  Which instance a pipeline works on, and what keeps others off.
 *
 * Contract as in catalog/sw_catalog.h: in a transaction, throw, palloc.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CAT_FENCE_H
#define SW_CAT_FENCE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* A database of a running server, as told apart from copies of it. */
typedef struct SwInstance
{
	uint64		system_identifier;
	Oid			database_oid;	/* a copy by CREATE DATABASE has another */
	char	   *host;			/* as the kernel has it */
	char	   *data_directory; /* absolute, without symbolic links */
	uint32		timeline;		/* of the WAL that it writes */
} SwInstance;

/* The one on record; NULL = the pipeline comes from a dump. */
extern SwInstance *sw_cat_fence_get_instance(int64 pipeline_id);
extern void sw_cat_fence_set_instance(int64 pipeline_id,
									  const SwInstance *instance);

/* Ids (int64 *) of all pipelines, by name. */
extern List *sw_cat_fence_list_pipelines(void);

/* ---- the fence: closed = nothing is done for the pipeline ---- */

/* Why it is closed; NULL = it is not. */
extern char *sw_cat_fence_get_reason(int64 pipeline_id);

/*
 * The pipeline is paused; what it was before, and why, is kept.  A run that
 * somebody has asked for is cancelled.
 */
extern void sw_cat_fence_close(int64 pipeline_id, const char *reason);

/* It is again what it was before; what waits is due at once. */
extern void sw_cat_fence_open(int64 pipeline_id);

/*
 * Staged objects, stage tables and former targets on record are another
 * instance's business; chunks that are not done are to be read again.
 */
extern void sw_cat_fence_disown(int64 pipeline_id);

/*
 * Captures and windows are of another history: forget them, so that sync
 * begins anew.
 */
extern void sw_cat_fence_forget_history(int64 pipeline_id);

/* ---- the lease: what this instance has written into the store last ---- */

typedef enum SwTakeover
{
	SW_TAKEOVER_NONE,
	SW_TAKEOVER_AUTOMATIC,		/* of a promoted standby */
	SW_TAKEOVER_ASKED			/* by sw_adopt */
} SwTakeover;

typedef struct SwLease
{
	int64		number;			/* 0 = no load has begun yet */
	char	   *token;			/* NULL then */
	SwTakeover	takeover;		/* to be taken over from another instance */
	char	   *next_token;		/* with which */
	int32		n_failures;		/* to take it over, or to delete it */
	bool		is_due;			/* for an attempt to do so */
} SwLease;

/* NULL for a pipeline that comes from a dump. */
extern SwLease *sw_cat_lease_get(int64 pipeline_id);

/* It is about to be written with that number and token. */
extern void sw_cat_lease_raise(int64 pipeline_id, int64 number,
							   const char *token);

/* It is to be taken over from whoever has it, with that token. */
extern void sw_cat_lease_begin_takeover(int64 pipeline_id,
										SwTakeover takeover,
										const char *next_token);

/* It has been written with next_token and that number. */
extern void sw_cat_lease_end_takeover(int64 pipeline_id, int64 number);

/* It is deleted, or no longer ours. */
extern void sw_cat_lease_forget(int64 pipeline_id);

/* An attempt failed; DT_NOEND as time of the next: none is made. */
extern void sw_cat_lease_record_failure(int64 pipeline_id,
										TimestampTz next_attempt_at,
										const char *error, const char *hint);

/* ---- the mark that the pipeline has put on its target; dumped ---- */

/* NULL = none yet. */
extern char *sw_cat_mark_get(int64 pipeline_id);
extern void sw_cat_mark_set(int64 pipeline_id, const char *mark);

#endif							/* SW_CAT_FENCE_H */
