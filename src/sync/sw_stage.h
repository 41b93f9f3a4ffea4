/*-------------------------------------------------------------------------
 *
 * sw_stage.h
 *	  From rows of the source to objects in the staging store.
 *
 * Two steps with a ledger entry between them: sw_stage_read turns the rows
 * of a window into files on local disk, inside one transaction;
 * sw_stage_upload puts the files into the store, outside any.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STAGE_H
#define SW_STAGE_H

#include "format/sw_writer.h"
#include "nodes/pg_list.h"
#include "store/sw_store.h"
#include "sync/sw_plan.h"
#include "sync/sw_spool.h"

/* One file: on local disk, and under key in the store. */
typedef struct SwStagedFile
{
	SwSpool    *spool;
	char	   *key;
	uint64		n_rows;
	int64		n_bytes;
} SwStagedFile;

typedef struct SwStage
{
	MemoryContext context;		/* owns all of it */
	const SwWriterOps *writer_ops;
	char	   *key_prefix;		/* ends with a slash; this run's alone */
	List	   *files;			/* SwStagedFile */
	uint64		n_rows;
	int64		n_bytes;
} SwStage;

/* How the files of a destination are written. */
extern const SwWriterOps *sw_stage_get_writer(const SwDestination *destination);

/*
 * An empty stage for a run, in context.  The keys of its objects hold the
 * ids of pipeline and run, and something random.
 */
extern SwStage *sw_stage_create(const SwDestination *destination,
								int64 pipeline_id, int64 run_id,
								MemoryContext context);

/*
 * Read the rows of the plan's query and fill the stage's files.  In a
 * transaction with an active snapshot.  Throws.
 */
extern void sw_stage_read(SwStage *stage, const SwPlan *plan);

/*
 * Upload all files; their disk space is freed one by one.  No transaction
 * may be open.  Throws.
 */
extern void sw_stage_upload(SwStage *stage, SwStore *store);

/* What the warehouse is to read: one key, or a glob over all of them. */
extern char *sw_stage_load_key(const SwStage *stage);

#endif							/* SW_STAGE_H */
