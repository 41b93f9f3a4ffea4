/*-------------------------------------------------------------------------
 *
 * sw_upload.c
 *	  Upload of one object whose bytes come into being while it goes on.
 *
 * Its life, and who may wait: sw_upload_advance turns the crank of the HTTP
 * engine and takes a step (sw_upload_step.c) as long as that moves something;
 * sw_upload_finish sleeps in between.
 *
 * While bytes are still coming, failures of the kind that passes are repeated
 * for ever: nobody waits, so nobody's time is up.  In sw_upload_finish each
 * operation has the attempts and the time that sw_store_retry.c gives.
 *
 * The reply to a creation can be lost, which leaves an upload whose id nobody
 * knows: at the end the key is searched for such.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/sw_part_size.h"
#include "net/sw_http.h"
#include "net/sw_report.h"
#include "net/sw_resource.h"
#include "net/sw_wait.h"
#include "store/sw_upload.h"
#include "store/sw_upload_state.h"

#define SW_UPLOAD_PART_BYTES (INT64CONST(8) << 20)
#define SW_UPLOAD_PARTS_IN_FLIGHT 4

/* ---- life ---- */

/* The upload's context goes: nobody is to delete it again. */
static void
sw_upload_forget_owner(void *object)
{
	((SwUpload *) object)->owner->object = NULL;
}

static void
sw_upload_delete(void *object)
{
	MemoryContextDelete(((SwUpload *) object)->cxt);
}

static SwStatus
sw_upload_check_options(const SwUploadOptions *options, SwError *err)
{
	if (options->part_bytes != 0 &&
		(options->part_bytes < SW_PART_MIN_BYTES ||
		 options->part_bytes > SW_PART_MAX_BYTES))
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"size of the parts of an upload is not between 5 MiB and 5 GiB");
	if (options->parts_in_flight < 0)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"number of parts in flight is negative");
	return SW_OK;
}

/*
 * The upload lives below the store, so that its calls end before the engine
 * does, and is deleted by the caller's context, whichever goes first.
 */
SwStatus
sw_upload_begin(SwStore *store, const char *key, const SwUploadSource *source,
				const SwUploadOptions *options, MemoryContext cxt,
				SwUpload **upload_out, SwError *err)
{
	SwResource *owner;
	SwResource *tie;
	MemoryContext own_cxt;
	MemoryContext old_cxt;
	SwUpload   *upload;

	SW_TRY(sw_upload_check_options(options, err));
	SW_TRY(sw_store_check_key(key, err));

	owner = sw_resource_create(cxt, sw_upload_delete);
	own_cxt = AllocSetContextCreate(store->cxt, "SwUpload",
									ALLOCSET_DEFAULT_SIZES);
	old_cxt = MemoryContextSwitchTo(own_cxt);
	upload = palloc0(sizeof(SwUpload));
	tie = sw_resource_create(own_cxt, sw_upload_forget_owner);
	upload->cxt = own_cxt;
	upload->owner = owner;
	tie->object = upload;
	owner->object = upload;

	upload->store = store;
	upload->key = pstrdup(key);
	upload->source = *source;
	upload->part_bytes = options->part_bytes > 0 ? options->part_bytes :
		SW_UPLOAD_PART_BYTES;
	upload->parts_in_flight = options->parts_in_flight > 0 ?
		options->parts_in_flight : SW_UPLOAD_PARTS_IN_FLIGHT;
	upload->is_patient = true;
	upload->n_bytes = -1;
	upload->tasks = palloc0(sizeof(SwUploadTask) * upload->parts_in_flight);
	MemoryContextSwitchTo(old_cxt);
	*upload_out = upload;
	return SW_OK;
}

void
sw_upload_destroy(SwUpload *upload)
{
	sw_resource_release(upload->owner);
}

const char *
sw_upload_id(const SwUpload *upload)
{
	return upload->id;
}

bool
sw_upload_is_done(const SwUpload *upload)
{
	return upload->phase == SW_UPLOAD_DONE;
}

/* ---- on the way ---- */

static SwStatus
sw_upload_outcome(const SwUpload *upload, SwError *err)
{
	if (upload->phase != SW_UPLOAD_FAILED)
		return SW_OK;
	*err = upload->failure;
	return err->status;
}

SwStatus
sw_upload_advance(SwUpload *upload, int64 n_available, SwError *err)
{
	upload->n_available = Max(upload->n_available, n_available);
	do
		sw_http_crank(upload->store->engine);
	while (sw_upload_step(upload));
	return sw_upload_outcome(upload, err);
}

void
sw_upload_set_end(SwUpload *upload, int64 n_bytes)
{
	Assert(upload->n_bytes < 0 || upload->n_bytes == n_bytes);
	Assert(n_bytes >= upload->n_available);
	upload->n_bytes = n_bytes;
	upload->n_available = n_bytes;
}

/* ---- the end ---- */

/* Nobody brings bytes any more: time counts from now on. */
static void
sw_upload_lose_patience(SwUpload *upload)
{
	if (!upload->is_patient)
		return;
	upload->is_patient = false;
	for (int i = 0; i < upload->parts_in_flight; i++)
	{
		SwUploadTask *task = &upload->tasks[i];
		bool		may_be_done = task->retry.may_be_done;

		if (!task->is_used)
			continue;
		sw_store_retry_init(&task->retry, upload->store);
		task->retry.may_be_done = may_be_done;
		if (task->call != NULL)
			(void) sw_store_retry_begin(&task->retry);
	}
}

/* When there is something to do though nothing arrives. */
static int64
sw_upload_next_wake(SwUpload *upload)
{
	int64		wake_ms = SW_NO_DEADLINE;

	if (sw_http_count_active(upload->store->engine) >= upload->parts_in_flight)
		return wake_ms;
	for (int i = 0; i < upload->parts_in_flight; i++)
	{
		SwUploadTask *task = &upload->tasks[i];

		if (task->is_used && task->call == NULL)
			wake_ms = Min(wake_ms, task->retry.next_ms);
	}
	return wake_ms;
}

/*
 * Abort all multipart uploads of the key: those whose creation was not
 * answered.  What may not be listed or aborted is left to the bucket's rules.
 */
static SwStatus
sw_upload_abort_strays(SwUpload *upload, SwError *err)
{
	MemoryContext old_cxt = MemoryContextSwitchTo(upload->cxt);
	SwStatus	status;
	char	  **ids;
	int			n_ids;

	status = sw_store_list_uploads(upload->store, upload->key, &ids, &n_ids,
								   err);
	for (int i = 0; status == SW_OK && i < n_ids; i++)
		status = sw_store_abort_upload(upload->store, upload->key, ids[i],
									   err);
	MemoryContextSwitchTo(old_cxt);
	if (status == SW_OK)
		upload->may_have_strays = false;
	return status;
}

SwStatus
sw_upload_finish(SwUpload *upload, int64 n_bytes, SwUploadResult *result,
				 SwError *err)
{
	sw_upload_set_end(upload, n_bytes);
	sw_upload_lose_patience(upload);
	PG_TRY();
	{
		while (upload->phase < SW_UPLOAD_DONE)
		{
			if (!sw_upload_step(upload) && upload->phase < SW_UPLOAD_DONE)
				sw_http_wait(upload->store->engine,
							 sw_upload_next_wake(upload));
		}
	}
	PG_CATCH();
	{
		/* the source may be gone when the store is used again */
		sw_upload_cancel_tasks(upload);
		PG_RE_THROW();
	}
	PG_END_TRY();
	SW_TRY(sw_upload_outcome(upload, err));
	if (upload->may_have_strays &&
		sw_upload_abort_strays(upload, err) != SW_OK)
		sw_report(LOG, err);

	result->n_bytes = upload->n_bytes;
	result->n_parts = upload->n_parts;
	result->crc64 = upload->crc64;
	return SW_OK;
}

SwStatus
sw_upload_abort(SwUpload *upload, SwError *err)
{
	SwStatus	status = SW_OK;

	sw_upload_cancel_tasks(upload);
	if (upload->phase != SW_UPLOAD_DONE && upload->phase != SW_UPLOAD_FAILED)
	{
		SwError		aborted;

		sw_error_set(&aborted, SW_ERR_BUG, SW_RETRY_NEVER,
					 "upload of \"%s\" was aborted", upload->key);
		sw_upload_fail(upload, &aborted);
	}
	if (upload->id != NULL)
		status = sw_store_abort_upload(upload->store, upload->key, upload->id,
									   err);
	if (status != SW_OK)
		return status;
	upload->id = NULL;
	return upload->may_have_strays ? sw_upload_abort_strays(upload, err) :
		SW_OK;
}
