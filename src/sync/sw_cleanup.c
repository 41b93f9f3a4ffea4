/*-------------------------------------------------------------------------
 *
 * sw_cleanup.c
 *	  Who deletes a staged object, and when.
 *
 * What is deleted comes from the ledger alone: its keys, and the uploads
 * that the store lists under one of those keys.  A list of the store decides
 * nothing by itself, so what others keep in the bucket, or under the same
 * prefix (_lease/), is safe.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog/sw_cat_fence.h"
#include "catalog/sw_settings.h"
#include "sync/sw_cleanup.h"
#include "sync/sw_connect.h"
#include "sync/sw_tx.h"

/* A bucket that is missing so often, over a quarter of an hour, is gone. */
#define BUCKET_LOOKS 5

/* Objects of one run, all in one store, and how it goes with them. */
typedef struct Sweep
{
	SwStore    *store;
	int64		run_id;
	List	   *objects;		/* SwStagedObject */
	List	   *deleted;
	List	   *refused;
	bool		may_not_abort;	/* uploads, */
	bool		may_not_list;	/* or look for them */
	SwError		err;			/* of the first that was refused */
} Sweep;

static bool
is_same_place(const SwStagedObject *a, const SwStagedObject *b)
{
	return strcmp(a->kind, b->kind) == 0 &&
		strcmp(a->endpoint, b->endpoint) == 0 &&
		strcmp(a->region, b->region) == 0 &&
		strcmp(a->bucket, b->bucket) == 0 &&
		a->path_style == b->path_style;
}

/* ---- uploads that were not seen through ---- */

/* An access key that may not abort is no reason to keep trying. */
static SwStatus
abort_upload(Sweep *sweep, const char *key, const char *upload_id)
{
	SwStatus	status = sw_store_abort_upload(sweep->store, key, upload_id,
											   &sweep->err);

	if (status == SW_ERR_DENIED)
		sweep->may_not_abort = true;
	if (status == SW_ERR_DENIED || status == SW_ERR_MISSING)
		return SW_OK;
	return status;
}

/*
 * Abort what the store lists under the key: uploads whose id did not get on
 * record, or whose creation was repeated because its reply was lost.
 */
static SwStatus
abort_listed(Sweep *sweep, const char *key)
{
	char	  **upload_ids;
	int			n_uploads;
	SwStatus	status;
	int			i;

	status = sw_store_list_uploads(sweep->store, key, &upload_ids, &n_uploads,
								   &sweep->err);
	if (status == SW_ERR_DENIED)
		sweep->may_not_list = true;
	if (status == SW_ERR_DENIED || status == SW_ERR_MISSING)
		return SW_OK;
	SW_TRY(status);
	for (i = 0; i < n_uploads; i++)
		SW_TRY(abort_upload(sweep, key, upload_ids[i]));
	return SW_OK;
}

static SwStatus
abort_uploads(Sweep *sweep)
{
	ListCell   *cell;

	foreach(cell, sweep->objects)
	{
		const SwStagedObject *object = lfirst(cell);

		if (object->is_staged)
			continue;
		if (object->upload_id != NULL)
			SW_TRY(abort_upload(sweep, object->key, object->upload_id));
		if (!sweep->may_not_list)
			SW_TRY(abort_listed(sweep, object->key));
	}
	return SW_OK;
}

/* ---- objects ---- */

static void
delete_objects(Sweep *sweep)
{
	int			n = list_length(sweep->objects);
	const char **keys = palloc(sizeof(char *) * n);
	SwStatus   *statuses = palloc(sizeof(SwStatus) * n);
	ListCell   *cell;
	int			i;

	if (abort_uploads(sweep) != SW_OK)
	{
		sweep->refused = sweep->objects;
		return;
	}
	foreach(cell, sweep->objects)
	{
		i = foreach_current_index(cell);
		keys[i] = ((const SwStagedObject *) lfirst(cell))->key;
	}
	(void) sw_store_delete_many(sweep->store, keys, n, statuses, &sweep->err);
	foreach(cell, sweep->objects)
	{
		SwStagedObject *object = lfirst(cell);

		i = foreach_current_index(cell);
		/* Without its bucket, if that is sure, an object is gone too. */
		if (statuses[i] == SW_OK ||
			(statuses[i] == SW_ERR_MISSING &&
			 object->delete_attempts >= BUCKET_LOOKS))
			sweep->deleted = lappend(sweep->deleted, object);
		else
			sweep->refused = lappend(sweep->refused, object);
	}
}

/* ---- what the ledger says of it ---- */

static void
record(const Sweep *sweep)
{
	const SwStagedObject *first = linitial(sweep->objects);
	int			n_refused = list_length(sweep->refused);

	sw_tx_begin("recording deleted objects");
	if ((sweep->may_not_abort || sweep->may_not_list) &&
		!first->is_deleted_once)
		sw_cat_run_log(sweep->run_id, "warning",
					   "the access key may not list or abort multipart uploads: parts of unfinished ones stay in the bucket until a lifecycle rule removes them");
	if (n_refused > 0)
		sw_cat_run_log(sweep->run_id, "warning",
					   "could not delete %d staged %s, will try again: %s",
					   n_refused, n_refused == 1 ? "object" : "objects",
					   sweep->err.message);
	sw_cat_object_set_deleted(sweep->deleted, sw_request_timeout_ms);
	sw_cat_object_postpone(sweep->refused);
	sw_tx_commit();
}

/* After the first refusal the store is left alone for now. */
static void
sweep_all(SwConnect *connect, List *objects)
{
	const SwStagedObject *last = NULL;
	Sweep		sweep = {0};
	bool		is_refusing = false;

	while (objects != NIL)
	{
		const SwStagedObject *first = linitial(objects);

		sweep = (Sweep)
		{
			.store = sweep.store,.run_id = first->run_id
		};
		while (objects != NIL &&
			   ((SwStagedObject *) linitial(objects))->run_id == first->run_id)
		{
			sweep.objects = lappend(sweep.objects, linitial(objects));
			objects = list_delete_first(objects);
		}
		if (is_refusing)
		{
			sw_tx_begin("putting off the deletion of staged objects");
			sw_cat_object_postpone(sweep.objects);
			sw_tx_commit();
			continue;
		}
		if (last == NULL || !is_same_place(last, first))
			sweep.store = sw_connect_store_at(connect, first, connect->context);
		last = first;
		delete_objects(&sweep);
		record(&sweep);
		is_refusing = sweep.refused != NIL;
	}
}

/*
 * Every deletion of a staged object begins here.  run_id 0: all that is due,
 * unless another instance has turned out to work on the pipeline: then only
 * what this process has staged is surely not that one's.
 */
static void
clean(const SwPipeline *pipeline, int64 run_id)
{
	MemoryContext context;
	MemoryContext saved;
	SwConnect  *connect = NULL;
	List	   *objects = NIL;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwCleanup",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);
	sw_tx_begin("looking for staged objects");
	if (run_id != 0)
		objects = sw_cat_object_list_run(run_id);
	else if (sw_cat_fence_get_reason(pipeline->pipeline_id) == NULL)
		objects = sw_cat_object_list_due(pipeline->pipeline_id);
	if (objects != NIL)
		connect = sw_connect_load(pipeline->destination_id, context);
	sw_tx_commit();

	if (objects != NIL)
		sweep_all(connect, objects);
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}

/* Of a run that has ended for good; says so in its log. */
static void
keep_for_diagnosis(int64 run_id)
{
	int64		n_kept;

	if (sw_keep_failed_objects_s == 0)
		return;
	sw_tx_begin("keeping staged objects");
	n_kept = sw_cat_object_keep(run_id, sw_keep_failed_objects_s);
	if (n_kept > 0)
		sw_cat_run_log(run_id, "info",
					   INT64_FORMAT " staged %s kept for diagnosis, see objects_deleted_after in sw_runs",
					   n_kept, n_kept == 1 ? "object is" : "objects are");
	sw_tx_commit();
}

void
sw_cleanup_run(const SwPipeline *pipeline, int64 run_id)
{
	keep_for_diagnosis(run_id);
	clean(pipeline, run_id);
}

void
sw_cleanup_pipeline(const SwPipeline *pipeline)
{
	clean(pipeline, 0);
}

void
sw_cleanup_put_off(const SwPipeline *pipeline)
{
	sw_tx_begin("putting off the deletion of staged objects");
	sw_cat_object_postpone_due(pipeline->pipeline_id);
	sw_tx_commit();
}
