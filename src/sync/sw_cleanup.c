/*-------------------------------------------------------------------------
 *
 * sw_cleanup.c
 *	  Who deletes a staged object, and when.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "sync/sw_cleanup.h"
#include "sync/sw_connect.h"
#include "sync/sw_tx.h"

/* Is the store open for the place that the object was put in? */
static bool
is_same_place(const SwStagedObject *a, const SwStagedObject *b)
{
	return strcmp(a->endpoint, b->endpoint) == 0 &&
		strcmp(a->region, b->region) == 0 &&
		strcmp(a->bucket, b->bucket) == 0;
}

/* The destination may use another bucket by now. */
static SwStore *
open_place(SwConnect *connect, const SwStagedObject *object)
{
	connect->store_options.endpoint = object->endpoint;
	connect->store_options.region = object->region;
	connect->store_options.bucket = object->bucket;
	connect->store_options.load_endpoint = NULL;
	return sw_connect_store(connect, connect->context);
}

/* Record how the deletion of an object went; returns whether it is gone. */
static bool
record(const SwStagedObject *object, SwStatus status, const SwError *err)
{
	/* Without its bucket the object is not there either. */
	bool		is_gone = status == SW_OK || status == SW_ERR_MISSING;

	sw_tx_begin("recording a deleted object");
	if (status != SW_OK)
		sw_cat_run_log(object->run_id, "warning",
					   is_gone ? "staged object %s is gone: %s" :
					   "could not delete staged object %s, will try again: %s",
					   object->key, err->message);
	if (is_gone)
		sw_cat_object_set_deleted(object->object_id);
	else
		sw_cat_object_postpone(object->object_id);
	sw_tx_commit();
	return is_gone;
}

static void
put_off(const SwStagedObject *object)
{
	sw_tx_begin("recording a deleted object");
	sw_cat_object_postpone(object->object_id);
	sw_tx_commit();
}

static void
delete_objects(SwConnect *connect, List *objects)
{
	SwStore    *store = NULL;
	const SwStagedObject *last = NULL;
	bool		has_failed = false;
	ListCell   *cell;

	foreach(cell, objects)
	{
		const SwStagedObject *object = lfirst(cell);
		SwError		err;
		SwStatus	status;

		if (has_failed)
		{
			put_off(object);
			continue;
		}
		if (last == NULL || !is_same_place(last, object))
			store = open_place(connect, object);
		last = object;
		status = sw_store_delete(store, object->key, &err);
		has_failed = !record(object, status, &err);
	}
}

/* run_id 0: all that is due. */
static void
clean(const SwPipeline *pipeline, int64 run_id)
{
	MemoryContext context;
	MemoryContext saved;
	SwConnect  *connect = NULL;
	List	   *objects;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwCleanup",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);
	sw_tx_begin("looking for staged objects");
	objects = run_id != 0 ? sw_cat_object_list_run(run_id) :
		sw_cat_object_list_due(pipeline->pipeline_id);
	if (objects != NIL)
		connect = sw_connect_load(pipeline->destination_id, context);
	sw_tx_commit();

	if (objects != NIL)
		delete_objects(connect, objects);
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}

void
sw_cleanup_run(const SwPipeline *pipeline, int64 run_id)
{
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
