/*-------------------------------------------------------------------------
 *
 * sw_cleanup.c
 *	  Who deletes a staged object, and when.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog/sw_catalog.h"
#include "sync/sw_cleanup.h"
#include "sync/sw_connect.h"
#include "sync/sw_tx.h"

bool
sw_cleanup_objects(SwStore *store, List *objects)
{
	ListCell   *cell;
	bool		all_gone = true;

	foreach(cell, objects)
	{
		SwStagedObject *object = lfirst(cell);
		SwError		err;
		SwStatus	status = SW_OK;

		/* After one failure the store is left alone for now. */
		if (all_gone)
			status = sw_store_delete(store, object->key, &err);

		sw_tx_begin("recording a deleted object");
		if (all_gone && status == SW_OK)
			sw_cat_object_set_deleted(object->object_id);
		else
		{
			if (all_gone)
				sw_cat_run_log(object->run_id, "warning",
							   "could not delete staged object %s, will try again: %s",
							   object->key, err.message);
			all_gone = false;
			sw_cat_object_postpone(object->object_id);
		}
		sw_tx_commit();
	}
	return all_gone;
}

void
sw_cleanup_pipeline(int64 pipeline_id)
{
	MemoryContext context;
	MemoryContext saved;
	SwConnect  *connect = NULL;
	List	   *objects;

	context = AllocSetContextCreate(CurrentMemoryContext, "SwCleanup",
									ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(context);

	sw_tx_begin("looking for staged objects left over");
	objects = sw_cat_object_list_due(pipeline_id);
	if (objects != NIL)
	{
		SwPipeline *pipeline = sw_cat_pipeline_get(pipeline_id);

		connect = sw_connect_load(pipeline->destination_id, context);
	}
	sw_tx_commit();

	if (objects != NIL)
		sw_cleanup_objects(sw_connect_store(connect, context), objects);

	MemoryContextSwitchTo(saved);
	MemoryContextDelete(context);
}
