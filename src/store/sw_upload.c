/*-------------------------------------------------------------------------
 *
 * sw_upload.c
 *	  Upload of one object whose bytes come into being while it goes on.
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
 * While bytes are still coming (advance), failures of the kind that passes
 * are repeated for ever: nobody waits, so nobody's time is up.  In
 * sw_upload_finish each operation has the attempts and the time that
 * sw_store_retry.c gives.
 *
 * The reply to a completion can be lost.  Its repeat is then refused with
 * NoSuchUpload; so a look at the object decides, before anything is called a
 * failure.  The reply to a creation can be lost too, which leaves an upload
 * whose id nobody knows: at the end the key is searched for such.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/sw_crc64.h"
#include "common/sw_part_size.h"
#include "net/sw_http.h"
#include "net/sw_report.h"
#include "net/sw_resource.h"
#include "net/sw_wait.h"
#include "store/sw_store_kind.h"
#include "store/sw_upload.h"

#define SW_UPLOAD_PART_BYTES (INT64CONST(8) << 20)
#define SW_UPLOAD_PARTS_IN_FLIGHT 4

typedef enum SwUploadPhase
{
	SW_UPLOAD_BEGIN,			/* nothing sent */
	SW_UPLOAD_PUT,				/* it is one object of one part */
	SW_UPLOAD_CREATE,			/* asking for an upload id */
	SW_UPLOAD_PARTS,			/* parts are on their way, or to come */
	SW_UPLOAD_COMPLETE,			/* putting them together */
	SW_UPLOAD_RESOLVE,			/* looking whether that was done */
	SW_UPLOAD_DONE,
	SW_UPLOAD_FAILED			/* for good; failure says why */
} SwUploadPhase;

/* One operation and its attempts. */
typedef struct SwUploadTask
{
	SwUpload   *upload;
	bool		is_used;
	int64		offset;			/* of its body in the source */
	SwBody		body;
	SwStoreRequest request;
	SwStoreRetry retry;
	SwStoreCall *call;			/* the attempt on its way, or NULL */
} SwUploadTask;

struct SwUpload
{
	MemoryContext cxt;			/* owns the upload, the struct too */
	SwResource *owner;			/* in the caller's context; deletes cxt */
	SwStore    *store;
	char	   *key;
	SwUploadSource source;
	int64		part_bytes;
	int			parts_in_flight;

	SwUploadPhase phase;
	SwError		failure;
	bool		is_patient;		/* more bytes to come: never give up */
	char	   *id;				/* of the multipart upload, or NULL */
	bool		may_have_strays;	/* uploads whose ids were lost */

	int64		n_available;
	int64		n_bytes;		/* -1 = not known yet */
	int64		n_begun;		/* bytes of the parts so far */
	int			n_parts;		/* begun */
	int			n_confirmed;	/* of these, without a gap */
	int64		n_released;		/* bytes of these */
	SwStorePart *parts;			/* number 0 = not confirmed */
	uint64	   *part_crcs;
	int			max_parts;		/* room for these */
	uint64		crc64;			/* of the confirmed parts; of all when done */

	SwUploadTask *tasks;		/* parts_in_flight of them */
};

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

/* Break off what is on its way. */
static void
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

static void
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

/* Take up the next part, if its bytes are there and a task is free. */
static bool
sw_upload_begin_part(SwUpload *upload)
{
	SwUploadTask *task = sw_upload_find_free_task(upload);
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
	sw_upload_use_task(upload, task, SW_STORE_PUT_PART)->part_number = number;
	sw_upload_set_body(task, upload->n_begun, n_bytes);
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

/*
 * An operation has failed for good.  A part or a completion that is refused
 * for what became of the upload ends this upload only: a new one may succeed.
 */
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
				err->retry = SW_RETRY_LATER;
			break;
		case SW_UPLOAD_COMPLETE:
			if (is_gone || strncmp(result->code, "InvalidPart", 11) == 0)
				err->retry = SW_RETRY_LATER;
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

/* Do what can be done without waiting.  true: something moved. */
static bool
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
