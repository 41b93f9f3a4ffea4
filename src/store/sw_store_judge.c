/*-------------------------------------------------------------------------
 *
 * sw_store_judge.c
 *	  What an object store's reply to an operation means.
 *
 * S3 and TOS agree on statuses, on the names in their documents, and on
 * most headers.  How bytes are compared is the kind's own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/sw_store_kind.h"

/* A number of a header; -1 = none, or not a number. */
static int64
sw_store_header_number(const SwStoreReply *reply, SwStoreHeader header)
{
	const char *text = reply->response->headers[header];
	int64		value = 0;

	if (text == NULL || *text == '\0')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
	{
		if (value > (PG_INT64_MAX - 9) / 10)
			return -1;
		value = value * 10 + (*text - '0');
	}
	return *text == '\0' ? value : -1;
}

static void
sw_store_take_headers(const SwStoreReply *reply, SwStoreResult *result)
{
	const char *crc64 = reply->response->headers[SW_STORE_HEADER_CHECKSUM];
	const char *etag = reply->response->headers[SW_STORE_HEADER_ETAG];
	char	   *end;

	result->n_bytes = -1;
	if (reply->request->operation == SW_STORE_HEAD)
		result->n_bytes = sw_store_header_number(reply,
												 SW_STORE_HEADER_LENGTH);
	if (etag != NULL &&
		strlcpy(result->etag, etag, sizeof(result->etag)) >=
		sizeof(result->etag))
		result->etag[0] = '\0';
	if (crc64 == NULL || *crc64 < '0' || *crc64 > '9')
		return;
	errno = 0;
	result->crc64 = strtou64(crc64, &end, 10);
	result->has_crc64 = errno == 0 && *end == '\0';
}

/* The reply's document is not what it should be; it may be an error. */
static SwStatus
sw_store_judge_document(const SwStore *store, const SwStoreReply *reply,
						SwStoreResult *result, SwError *err)
{
	const SwHttpResponse *response = reply->response;
	SwStoreComplaint complaint;

	sw_store_read_complaint(response->body, response->n_body, &complaint);
	if (complaint.code[0] != '\0')
		return sw_store_report_refusal(store, reply, result, err);
	if (response->is_body_cut)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"reply of %s is longer than %d bytes",
							store->peer, SW_HTTP_MAX_BODY);
	return sw_store_report_stranger(store, reply,
									"document of the expected form", err);
}

static SwStatus
sw_store_take_content(const SwStore *store, const SwStoreReply *reply,
					  SwStoreResult *result, SwError *err)
{
	const SwHttpResponse *response = reply->response;
	Size		n = response->n_body;

	if (response->is_body_cut && n < (Size) reply->request->n_bytes)
		return sw_store_judge_document(store, reply, result, err);
	n = Min(n, (Size) reply->request->n_bytes);
	result->content = MemoryContextAlloc(result->cxt, n + 1);
	memcpy(result->content, response->body, n);
	result->content[n] = '\0';
	result->n_bytes = n;
	return SW_OK;
}

/* The document of a reply, where the operation has one. */
static SwStatus
sw_store_take_document(const SwStore *store, const SwStoreReply *reply,
					   SwStoreResult *result, SwError *err)
{
	const char *document = reply->response->body;
	Size		len = reply->response->n_body;
	MemoryContext old_cxt = CurrentMemoryContext;
	SwStatus	status = SW_OK;

	if (result->cxt != NULL)
		MemoryContextSwitchTo(result->cxt);
	switch (reply->request->operation)
	{
		case SW_STORE_CREATE_UPLOAD:
			status = sw_store_read_upload_id(document, len,
											 result->upload_id, err);
			break;
		case SW_STORE_COMPLETE_UPLOAD:
			status = sw_store_read_completion(document, len, result->etag,
											  err);
			break;
		case SW_STORE_LIST_UPLOADS:
			status = sw_store_read_uploads(document, len, &result->page, err);
			break;
		case SW_STORE_LIST:
			status = sw_store_read_objects(document, len, &result->page, err);
			break;
		case SW_STORE_DELETE_MANY:
			/* quiet, and so silent about what it did */
			if (len > 0)
				status = sw_store_read_deletions(document, len,
												 &result->page, err);
			break;
		default:
			break;
	}
	MemoryContextSwitchTo(old_cxt);
	if (status != SW_OK)
		return sw_store_judge_document(store, reply, result, err);
	return SW_OK;
}

SwStatus
sw_store_judge_common(const SwStore *store, const SwStoreReply *reply,
					  SwStoreResult *result, SwError *err)
{
	SwStoreOperation operation = reply->request->operation;
	SwStatus	status;

	sw_store_take_headers(reply, result);
	if (reply->response->status < 300)
	{
		if (operation == SW_STORE_GET)
			return sw_store_take_content(store, reply, result, err);
		return sw_store_take_document(store, reply, result, err);
	}

	status = sw_store_report_refusal(store, reply, result, err);
	if ((operation == SW_STORE_DELETE &&
		 strcmp(result->code, "NoSuchKey") == 0) ||
		(operation == SW_STORE_ABORT_UPLOAD &&
		 strcmp(result->code, "NoSuchUpload") == 0))
		return SW_OK;
	return status;
}

SwStatus
sw_store_report_mismatch(const SwStore *store, const SwStoreRequest *request,
						 const char *theirs, const char *ours, SwError *err)
{
	sw_error_set(err, SW_ERR_MISMATCH, SW_RETRY_LATER,
				 "%s received other bytes for \"%s\" than were sent",
				 store->peer, sw_store_subject(store, request));
	sw_error_set_detail(err, "Its checksum is %s, ours is %s.",
						sw_store_redact(store, theirs, SW_STORE_ETAG_SIZE),
						ours);
	return SW_ERR_MISMATCH;
}
