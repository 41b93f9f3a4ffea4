/*-------------------------------------------------------------------------
 *
 * sw_stage.h
 *	  From rows of the source to objects in the staging store.
 *
 * sw_stage_read turns the rows of a window into files, inside one
 * transaction.  No peer is waited for in there, but while it lasts, what is
 * finished goes to the store as fast as the store takes it, and what is not
 * lies in spools on local disk.  sw_stage_upload sees the uploads through
 * after the transaction.
 *
 * A byte may leave only when its object's key is on record, and nothing can
 * be put on record while the rows are read.  So the first keys are claimed
 * before (sw_stage_claim); files beyond the claim wait in their spools for
 * sw_stage_upload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STAGE_H
#define SW_STAGE_H

#include "format/sw_writer.h"
#include "nodes/pg_list.h"
#include "source/sw_read.h"
#include "store/sw_store.h"
#include "store/sw_upload.h"
#include "sync/sw_plan.h"
#include "sync/sw_spool.h"

/* One file: spooled on local disk, and under key in the store. */
typedef struct SwStagedFile
{
	SwSpool    *spool;
	SwUpload   *upload;			/* NULL: waits for its key to be on record */
	char	   *key;
	uint64		n_rows;
	uint64		n_parts;		/* days of the target in each batch, summed */
	int64		n_bytes;
	bool		is_in_store;	/* whole and verified */
	bool		is_upload_told; /* by sw_stage_next_upload */
} SwStagedFile;

typedef struct SwStage
{
	MemoryContext context;		/* owns all of it */
	const SwWriterOps *writer_ops;
	bool		has_dictionaries;	/* as in SwWriterOptions */
	SwStore    *store;
	char	   *key_prefix;		/* ends with a slash; this run's alone */
	int			n_claimed;
	List	   *files;			/* SwStagedFile */
	uint64		max_parts;		/* a file has no more batches times days of
								 * the target; 0 = as many as there are */
	uint64		n_rows;
	int64		n_bytes;
	SwChunkSpan span;			/* the instants between which its rows lie */
	SwReadReport report;		/* of values that the target cannot hold */
} SwStage;

/* How the files of a destination are written. */
extern const SwWriterOps *sw_stage_get_writer(const SwDestination *destination);

/*
 * An empty stage for a run, in context.  The keys of its objects hold the
 * ids of pipeline and run, and something random.  The store must outlive it.
 */
extern SwStage *sw_stage_create(const SwDestination *destination,
								SwStore *store, int64 pipeline_id,
								int64 run_id, MemoryContext context);

/*
 * Claim the keys of the first n files and return them (char *).  The caller
 * has them on record, durably, before it reads.
 */
extern List *sw_stage_claim(SwStage *stage, int n);

/*
 * Read the rows of the plan's query and fill the stage's files.  In a
 * transaction with an active snapshot.  Throws, also when the store refuses
 * for good what it has been sent.
 */
extern void sw_stage_read(SwStage *stage, const SwPlan *plan);

/*
 * See the upload of the next file through; its disk space is freed.  All
 * files must be on record, and no transaction may be open.  Returns false
 * when there is none left.  An error is returned in *err, with *status_out;
 * throws for interrupts only.
 */
extern bool sw_stage_upload(SwStage *stage, SwStatus *status_out,
							SwError *err);

/*
 * The key of a file whose multipart upload has been created, is under way and
 * was not told before; or NULL.  *upload_id_out lives as long as the upload.
 */
extern const char *sw_stage_next_upload(SwStage *stage,
										const char **upload_id_out);

/* Tell them again: the transaction that recorded them has failed. */
extern void sw_stage_retell_uploads(SwStage *stage);

/* What the warehouse is to read: one key, or a glob over all of them. */
extern char *sw_stage_load_key(const SwStage *stage);

#endif							/* SW_STAGE_H */
