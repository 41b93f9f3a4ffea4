/*-------------------------------------------------------------------------
 *
 * sw_upload_step.c
 *	  The operations of an upload, one after the other or side by side.
 *
 *	  BEGIN --- all fits one part ---> PUT -----------------------> DONE
 *		|															 ^
 *		+-- more than that --> CREATE --> PARTS --> COMPLETE --------+
 *													   |			 |
 *								 reply lost, or refused +--> RESOLVE +
 *
 * A task is one operation with its attempts: a part, or the only one of a
 * phase.  sw_upload_step looks at all tasks, takes in what is done and begins
 * what may begin; it never waits, so it serves advance and finish alike.
 * What keeps it going is net/sw_http.h, which moves the calls of all uploads
 * of the store.
 *
 * The reply to a completion can be lost.  Its repeat is then refused with
 * NoSuchUpload; so a look at the object decides, before anything is called a
 * failure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/sw_crc64.h"
#include "common/sw_part_size.h"
#include "net/sw_http.h"
#include "net/sw_wait.h"
#include "store/sw_upload_state.h"

/* ---- tasks ---- */

/* SwBody.read of a task: its part of the source.  Must not throw. */
static int
sw_upload_read(void *arg, int64 offset, char *buf, int len)
{
	SwUploadTask *task = (SwUploadTask *) arg;
	const SwUploadSource *source = &task->upload->source;

	return source->read(source->arg, task->offset + offset, buf, len);
}

static SwUploadTask *
sw_upload_find_free_task(SwUpload *upload)
{
	for (int i = 0; i < upload->parts_in_flight; i++)
		if (!upload->tasks[i].is_used)
			return &upload->tasks[i];
	return NULL;
}

/* Take a task up; the caller adds to its request what the operation needs. */
static SwStoreRequest *
sw_upload_use_task(SwUpload *upload, SwUploadTask *task,
				   SwStoreOperation operation)
{
	memset(task, 0, sizeof(SwUploadTask));
	task->upload = upload;
	task->is_used = true;
	task->request.operation = operation;
	task->request.key = upload->key;
	task->request.upload_id = upload->id;
	sw_store_retry_init(&task->retry, upload->store);
	return &task->request;
}

static void
sw_upload_set_body(SwUploadTask *task, int64 offset, int64 n_bytes)
{
	task->offset = offset;
	task->body.n_bytes = n_bytes;
	task->body.read = sw_upload_read;
	task->body.arg = task;
	task->request.body = &task->body;
}

void
sw_upload_cancel_tasks(SwUpload *upload)
{
	for (int i = 0; i < upload->parts_in_flight; i++)
	{
		SwUploadTask *task = &upload->tasks[i];

		if (task->call == NULL)
			continue;
		sw_store_call_cancel(task->call);
		task->call = NULL;
		if (task->request.operation == SW_STORE_CREATE_UPLOAD)
			upload->may_have_strays = true;
	}
}

void
sw_upload_fail(SwUpload *upload, const SwError *err)
{
	sw_upload_cancel_tasks(upload);
	upload->phase = SW_UPLOAD_FAILED;
	upload->failure = *err;
}

/* ---- phases ---- */

/* Tell the source how far the store has it. */
static void
sw_upload_release_to(SwUpload *upload, int64 offset)
{
	if (offset > upload->n_released && upload->source.release != NULL)
		upload->source.release(upload->source.arg, offset);
	upload->n_released = Max(upload->n_released, offset);
}

static void
sw_upload_enter_done(SwUpload *upload)
{
	upload->phase = SW_UPLOAD_DONE;
	upload->id = NULL;
	sw_upload_release_to(upload, upload->n_bytes);
}

static void
sw_upload_enter_complete(SwUpload *upload)
{
	SwStoreRequest *request = sw_upload_use_task(upload, &upload->tasks[0],
												 SW_STORE_COMPLETE_UPLOAD);

	request->parts = upload->parts;
	request->n_parts = upload->n_parts;
	request->has_crc64 = true;
	request->crc64 = upload->crc64;
	upload->phase = SW_UPLOAD_COMPLETE;
}

/* What to do first, once that can be known. */
static void
sw_upload_leave_begin(SwUpload *upload)
{
	SwUploadTask *task = &upload->tasks[0];

	if (upload->n_bytes >= 0 && upload->n_bytes <= upload->part_bytes)
	{
		sw_upload_use_task(upload, task, SW_STORE_PUT);
		sw_upload_set_body(task, 0, upload->n_bytes);
		upload->phase = SW_UPLOAD_PUT;
	}
	else if (upload->n_available > upload->part_bytes)
	{
		sw_upload_use_task(upload, task, SW_STORE_CREATE_UPLOAD);
		upload->phase = SW_UPLOAD_CREATE;
	}
}

/* Room to remember one more part. */
static void
sw_upload_enlarge_parts(SwUpload *upload)
{
	int			max_parts = Max(upload->max_parts * 2, 16);
	MemoryContext old_cxt;

	if (upload->n_parts < upload->max_parts)
		return;
	old_cxt = MemoryContextSwitchTo(upload->cxt);
	if (upload->parts == NULL)
	{
		upload->parts = palloc(sizeof(SwStorePart) * max_parts);
		upload->part_crcs = palloc(sizeof(uint64) * max_parts);
	}
	else
	{
		upload->parts = repalloc(upload->parts,
								 sizeof(SwStorePart) * max_parts);
		upload->part_crcs = repalloc(upload->part_crcs,
									 sizeof(uint64) * max_parts);
	}
	MemoryContextSwitchTo(old_cxt);
	upload->max_parts = max_parts;
}

/* The kind wants the MD5 of a part: have it if that saves time. */
static void
sw_upload_hash_part(SwUpload *upload, SwStoreRequest *request, int64 n_bytes)
{
	int			number = request->part_number;
	int			n_parts = 0;

	while (n_parts < SW_MD5_LANES &&
		   number + n_parts <= SW_PART_MAX_NUMBER &&
		   sw_part_size(upload->part_bytes, number + n_parts) == n_bytes &&
		   upload->n_begun + (n_parts + 1) * n_bytes <= upload->n_available)
		n_parts++;
	request->has_md5 = sw_upload_md5_take(&upload->ahead, &upload->source,
										  number, upload->n_begun, n_bytes,
										  n_parts, request->md5);
}

/* Take up the next part, if its bytes are there and a task is free. */
static bool
sw_upload_begin_part(SwUpload *upload)
{
	SwUploadTask *task = sw_upload_find_free_task(upload);
	SwStoreRequest *request;
	int			number = upload->n_parts + 1;
	int64		n_bytes;

	if (task == NULL || upload->n_begun == upload->n_bytes)
		return false;
	if (number > SW_PART_MAX_NUMBER)
	{
		SwError		err;

		sw_error_set(&err, SW_ERR_LIMIT, SW_RETRY_NEVER,
					 "object \"%s\" is too large: it has more than %d parts",
					 upload->key, SW_PART_MAX_NUMBER);
		sw_upload_fail(upload, &err);
		return false;
	}
	n_bytes = sw_part_size(upload->part_bytes, number);
	if (upload->n_bytes >= 0)
		n_bytes = Min(n_bytes, upload->n_bytes - upload->n_begun);
	if (upload->n_begun + n_bytes > upload->n_available)
		return false;

	sw_upload_enlarge_parts(upload);
	memset(&upload->parts[number - 1], 0, sizeof(SwStorePart));
	request = sw_upload_use_task(upload, task, SW_STORE_PUT_PART);
	request->part_number = number;
	sw_upload_set_body(task, upload->n_begun, n_bytes);
	if (upload->store->ops->wants_md5)
		sw_upload_hash_part(upload, request, n_bytes);
	upload->n_parts = number;
	upload->n_begun += n_bytes;
	return true;
}

static void
sw_upload_confirm_part(SwUpload *upload, const SwUploadTask *task,
					   const SwStoreResult *result, uint64 crc64)
{
	int			number = task->request.part_number;
	SwStorePart *part = &upload->parts[number - 1];
	int64		offset = upload->n_released;

	part->number = number;
	part->is_etag_md5 = result->is_etag_md5;
	strlcpy(part->etag, result->etag, sizeof(part->etag));
	upload->part_crcs[number - 1] = crc64;

	while (upload->n_confirmed < upload->n_parts &&
		   upload->parts[upload->n_confirmed].number != 0)
	{
		int64		n_bytes = sw_part_size(upload->part_bytes,
										   upload->n_confirmed + 1);

		n_bytes = Min(n_bytes, upload->n_begun - offset);
		upload->crc64 =
			sw_crc64_combine(upload->crc64,
							 upload->part_crcs[upload->n_confirmed], n_bytes);
		offset += n_bytes;
		upload->n_confirmed++;
	}
	sw_upload_release_to(upload, offset);
}

/* ---- outcomes ---- */

/* An operation has succeeded. */
static void
sw_upload_take_success(SwUpload *upload, SwUploadTask *task,
					   const SwStoreResult *result,
					   const SwStoreAttempt *attempt)
{
	SwError		err;

	task->is_used = false;
	switch (upload->phase)
	{
		case SW_UPLOAD_PUT:
			upload->crc64 = attempt->crc64;
			sw_upload_enter_done(upload);
			break;
		case SW_UPLOAD_CREATE:
			upload->may_have_strays |= task->retry.may_be_done;
			upload->id = MemoryContextStrdup(upload->cxt, result->upload_id);
			upload->phase = SW_UPLOAD_PARTS;
			break;
		case SW_UPLOAD_PARTS:
			sw_upload_confirm_part(upload, task, result, attempt->crc64);
			break;
		case SW_UPLOAD_COMPLETE:
			sw_upload_enter_done(upload);
			break;
		case SW_UPLOAD_RESOLVE:
			{
				SwStoreRequest complete = {
					.operation = SW_STORE_COMPLETE_UPLOAD,
					.key = upload->key,
					.parts = upload->parts,
					.n_parts = upload->n_parts,
					.has_crc64 = true,
					.crc64 = upload->crc64
				};

				if (result->n_bytes >= 0 && result->n_bytes != upload->n_bytes)
					sw_upload_fail(upload, &upload->failure);
				else if (upload->store->ops->verify_whole(upload->store,
														  &complete, result,
														  &err) != SW_OK)
					sw_upload_fail(upload, &err);
				else
					sw_upload_enter_done(upload);
				break;
			}
		default:
			Assert(false);
			break;
	}
}

/* The store has lost what this upload is made of: a new one may succeed. */
static void
sw_upload_note_loss(const SwStoreResult *result, SwError *err)
{
	err->retry = SW_RETRY_LATER;
	if (err->hint[0] != '\0')
		return;
	if (strcmp(result->code, "NoSuchUpload") == 0)
		sw_error_set_hint(err, "The upload was aborted by somebody else, or by a lifecycle rule of the bucket, which should wait for days.");
	else
		sw_error_set_hint(err, "A part is not at the store as it was confirmed; the upload is repeated as a whole.");
}

static void
sw_upload_take_failure(SwUpload *upload, SwUploadTask *task,
					   const SwStoreResult *result, SwError *err)
{
	bool		is_gone = strcmp(result->code, "NoSuchUpload") == 0;

	task->is_used = false;
	switch (upload->phase)
	{
		case SW_UPLOAD_CREATE:
			upload->may_have_strays |= task->retry.may_be_done;
			break;
		case SW_UPLOAD_PARTS:
			if (is_gone)
			{
				/* or its id is not what the store called it */
				upload->may_have_strays = true;
				sw_upload_note_loss(result, err);
			}
			break;
		case SW_UPLOAD_COMPLETE:
			if (is_gone || strncmp(result->code, "InvalidPart", 11) == 0)
				sw_upload_note_loss(result, err);
			if (is_gone || task->retry.may_be_done)
			{
				upload->failure = *err;
				sw_upload_use_task(upload, task, SW_STORE_HEAD);
				upload->phase = SW_UPLOAD_RESOLVE;
				return;
			}
			break;
		case SW_UPLOAD_RESOLVE:
			/* what made us look is the better story */
			*err = upload->failure;
			break;
		default:
			break;
	}
	sw_upload_fail(upload, err);
}

/* ---- steps ---- */

/* Begin an attempt, or take in what became of one.  true: something moved. */
static bool
sw_upload_step_task(SwUpload *upload, SwUploadTask *task)
{
	SwStore    *store = upload->store;
	SwStoreAttempt attempt;
	SwStoreResult result;
	SwStatus	status;
	SwError		err;

	memset(&result, 0, offsetof(SwStoreResult, page));
	result.cxt = upload->cxt;
	if (task->call == NULL)
	{
		if (sw_wait_now_ms() < task->retry.next_ms ||
			sw_http_count_active(store->engine) >= upload->parts_in_flight)
			return false;
		status = sw_store_call_begin(store, &task->request,
									 sw_store_retry_begin(&task->retry),
									 &task->call, &err);
		if (status == SW_OK)
			return true;
		memset(&attempt, 0, sizeof(attempt));
		task->call = NULL;
	}
	else
	{
		SwStoreCall *call = task->call;

		if (!sw_store_call_is_done(call))
			return false;
		task->call = NULL;
		status = sw_store_call_end(call, &attempt, &result, &err);
	}

	if (status == SW_OK)
		sw_upload_take_success(upload, task, &result, &attempt);
	else if (!sw_store_retry_goes_on(&task->retry, &attempt,
									 upload->is_patient, &err))
		sw_upload_take_failure(upload, task, &result, &err);
	return true;
}

bool
sw_upload_step(SwUpload *upload)
{
	bool		has_moved = false;

	if (upload->phase == SW_UPLOAD_BEGIN)
		sw_upload_leave_begin(upload);
	while (upload->phase == SW_UPLOAD_PARTS && sw_upload_begin_part(upload))
		continue;
	for (int i = 0; i < upload->parts_in_flight &&
		 upload->phase < SW_UPLOAD_DONE; i++)
	{
		if (upload->tasks[i].is_used &&
			sw_upload_step_task(upload, &upload->tasks[i]))
			has_moved = true;
	}
	if (upload->phase == SW_UPLOAD_PARTS && upload->n_bytes >= 0 &&
		upload->n_begun == upload->n_bytes &&
		upload->n_confirmed == upload->n_parts)
	{
		sw_upload_enter_complete(upload);
		has_moved = true;
	}
	return has_moved && upload->phase < SW_UPLOAD_DONE;
}
