/*-------------------------------------------------------------------------
 *
 * sw_store_error.c
 *	  What an object store's refusal means, and what helps.
 *
 * Codes are those of the S3 API and of the official TOS SDKs, which share
 * most of them.  A code that is not known here is judged by its HTTP status.
 * All texts of the store pass the redactor before they go anywhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/sw_store_kind.h"

/* "Client closed early" in a 400 of TOS, which is the network's fault. */
#define SW_TOS_EC_BROKEN_UPLOAD "0005-00000044"

/* How much of the store's own words goes into an error. */
#define SW_STORE_MAX_WORD_BYTES 80
#define SW_STORE_MAX_MESSAGE_BYTES 400

/* What an error code means for us, and what a person can do. */
typedef struct SwStoreRemedy
{
	const char *code;
	SwStatus	status;
	SwRetry		retry;
	const char *hint;
} SwStoreRemedy;

#define SW_HINT_KEYS "Set stage_access_key and stage_secret_key in sw_destinations to a permanent key."
#define SW_HINT_REGION "The bucket is in another region: check stage_endpoint and stage_region in sw_destinations."
#define SW_HINT_PASSES "This passes by itself in most cases; if it stays, look at the status of the store and at the limits of the account."

static const SwStoreRemedy sw_store_remedies[] = {
	{"SignatureDoesNotMatch", SW_ERR_AUTH, SW_RETRY_NEVER,
	"The secret key does not belong to the access key: set stage_secret_key in sw_destinations again, and check stage_region."},
	{"InvalidAccessKeyId", SW_ERR_AUTH, SW_RETRY_NEVER,
	"The store does not know the access key: check stage_access_key in sw_destinations, and that the key is not deleted or disabled."},
	{"InvalidSecurityToken", SW_ERR_AUTH, SW_RETRY_NEVER, SW_HINT_KEYS},
	{"InvalidToken", SW_ERR_AUTH, SW_RETRY_NEVER, SW_HINT_KEYS},
	{"ExpiredToken", SW_ERR_AUTH, SW_RETRY_NEVER, SW_HINT_KEYS},
	{"AuthorizationHeaderMalformed", SW_ERR_AUTH, SW_RETRY_NEVER,
	"Check that stage_region in sw_destinations is the region of stage_endpoint, and stage_access_key."},
	{"AuthorizationQueryParametersError", SW_ERR_AUTH, SW_RETRY_NEVER,
	"Check that stage_region in sw_destinations is the region of stage_endpoint, and stage_access_key."},
	{"AccountProblem", SW_ERR_DENIED, SW_RETRY_NEVER,
	"Look at the store's console: the account needs its owner's attention."},
	{"AllAccessDisabled", SW_ERR_DENIED, SW_RETRY_NEVER,
	"Look at the store's console: the account or bucket needs its owner's attention."},
	{"NoSuchBucket", SW_ERR_MISSING, SW_RETRY_NEVER,
	"Check stage_bucket in sw_destinations, and that the bucket is in the region of stage_region and stage_endpoint."},
	{"NoSuchKey", SW_ERR_MISSING, SW_RETRY_NEVER, ""},
	{"NoSuchUpload", SW_ERR_MISSING, SW_RETRY_NEVER,
	"If it stays after a repeat, look for a lifecycle rule of the bucket that aborts uploads early."},
	{"InvalidPart", SW_ERR_STORE, SW_RETRY_NEVER,
	"If it stays after a repeat, look for something between this server and the store that changes replies."},
	{"InvalidBucketName", SW_ERR_CONFIG, SW_RETRY_NEVER,
	"Check stage_bucket in sw_destinations."},
	{"InvalidPathAccess", SW_ERR_CONFIG, SW_RETRY_NEVER,
	"The store wants the bucket in front of its host name: set stage_endpoint in sw_destinations to a host name, not an IP address, and stage_path_style to NULL."},
	{"PermanentRedirect", SW_ERR_CONFIG, SW_RETRY_NEVER, SW_HINT_REGION},
	{"TemporaryRedirect", SW_ERR_CONFIG, SW_RETRY_NEVER, SW_HINT_REGION},
	{"IllegalLocationConstraintException", SW_ERR_CONFIG, SW_RETRY_NEVER, SW_HINT_REGION},
	{"EntityTooLarge", SW_ERR_LIMIT, SW_RETRY_NEVER,
	"Make staged files smaller."},
	{"NotImplemented", SW_ERR_UNSUPPORTED, SW_RETRY_NEVER, ""},
	{"UnImplemented", SW_ERR_UNSUPPORTED, SW_RETRY_NEVER, ""},
	{"MethodNotAllowed", SW_ERR_UNSUPPORTED, SW_RETRY_NEVER, ""},
	{"BadDigest", SW_ERR_MISMATCH, SW_RETRY_LATER, ""},
	{"RequestTimeout", SW_ERR_TIMEOUT, SW_RETRY_LATER,
	"The connection to the store is slow or broken; look at what is between this server and the store."},
	{"IncompleteBody", SW_ERR_LOST, SW_RETRY_LATER, ""},
	{"SlowDown", SW_ERR_STORE, SW_RETRY_LATER, SW_HINT_PASSES},
	{"TooManyRequests", SW_ERR_STORE, SW_RETRY_LATER, SW_HINT_PASSES},
	{"OperationAborted", SW_ERR_STORE, SW_RETRY_LATER, ""},
	{"InternalError", SW_ERR_STORE, SW_RETRY_LATER, SW_HINT_PASSES},
	{"ServiceUnavailable", SW_ERR_STORE, SW_RETRY_LATER, SW_HINT_PASSES}
};

/* The right an operation needs, as policies spell it after "s3:". */
static const char *
sw_store_action(SwStoreOperation operation)
{
	switch (operation)
	{
		case SW_STORE_PUT:
		case SW_STORE_CREATE_UPLOAD:
		case SW_STORE_PUT_PART:
		case SW_STORE_COMPLETE_UPLOAD:
			return "PutObject";
		case SW_STORE_ABORT_UPLOAD:
			return "AbortMultipartUpload";
		case SW_STORE_LIST_UPLOADS:
			return "ListBucketMultipartUploads";
		case SW_STORE_HEAD:
		case SW_STORE_GET:
			return "GetObject";
		case SW_STORE_DELETE:
		case SW_STORE_DELETE_MANY:
			return "DeleteObject";
		case SW_STORE_LIST:
			return "ListBucket";
	}
	return "";
}

char *
sw_store_redact(const SwStore *store, const char *text, Size max_bytes)
{
	return sw_redact(&store->redactor, text, strlen(text), max_bytes);
}

/* A word of the store's: out of the document, else a header, else "". */
static char *
sw_store_word(const SwStore *store, const SwStoreReply *reply,
			  const char *text, SwStoreHeader header)
{
	const char *fallback = reply->response->headers[header];

	if (text[0] == '\0' && fallback != NULL)
		text = fallback;
	return sw_store_redact(store, text, SW_STORE_MAX_WORD_BYTES);
}

/* What a status means when the code says nothing we know. */
static void
sw_store_class_of_status(const SwStoreReply *reply, const char *error_number,
						 SwStoreRemedy *remedy)
{
	int			http_status = reply->response->status;

	memset(remedy, 0, sizeof(SwStoreRemedy));
	remedy->status = SW_ERR_STORE;
	remedy->retry = SW_RETRY_NEVER;
	remedy->hint = "";
	if (http_status == 501 || http_status == 405)
		remedy->status = SW_ERR_UNSUPPORTED;
	else if (http_status >= 500 || http_status == 408 || http_status == 429)
	{
		remedy->retry = SW_RETRY_LATER;
		remedy->hint = SW_HINT_PASSES;
	}
	else if (http_status == 400 &&
			 (reply->request->operation == SW_STORE_PUT_PART ||
			  strcmp(error_number, SW_TOS_EC_BROKEN_UPLOAD) == 0))
		remedy->retry = SW_RETRY_LATER;
	else if (http_status < 300)
		remedy->retry = SW_RETRY_LATER;
	else if (http_status < 400)
	{
		remedy->status = SW_ERR_CONFIG;
		remedy->hint = "Check that stage_endpoint and stage_region in sw_destinations are those of the bucket.";
	}
	else if (http_status == 401)
	{
		remedy->status = SW_ERR_AUTH;
		remedy->hint = "Check stage_access_key and stage_secret_key in sw_destinations.";
	}
	else if (http_status == 404)
		remedy->status = SW_ERR_MISSING;
}

static void
sw_store_find_remedy(const SwStoreReply *reply, const char *code,
					 const char *error_number, SwStoreRemedy *remedy)
{
	for (int i = 0; i < (int) lengthof(sw_store_remedies); i++)
	{
		if (strcmp(code, sw_store_remedies[i].code) == 0)
		{
			*remedy = sw_store_remedies[i];
			return;
		}
	}
	sw_store_class_of_status(reply, error_number, remedy);
	if (strcmp(code, "AccessDenied") == 0 ||
		reply->response->status == 403)
		remedy->status = SW_ERR_DENIED;
}

/* A hint that names a right, a region, or a clock is better than a fixed one. */
static void
sw_store_set_hint(const SwStore *store, const SwStoreReply *reply,
				  const SwStoreRemedy *remedy,
				  const SwStoreComplaint *complaint, SwError *err)
{
	const char *prefix = store->ops->action_prefix;
	const char *region = sw_store_word(store, reply, complaint->region,
									   SW_STORE_HEADER_BUCKET_REGION);

	if (remedy->status == SW_ERR_DENIED && remedy->hint[0] == '\0')
		sw_error_set_hint(err, "This needs %s:%s. Grant the access key %s:PutObject, %s:GetObject, %s:DeleteObject and %s:ListBucket on the bucket (stage_bucket in sw_destinations), and look at the bucket's policies.",
						  prefix, sw_store_action(reply->request->operation),
						  prefix, prefix, prefix, prefix);
	else if ((remedy->status == SW_ERR_AUTH || remedy->status == SW_ERR_CONFIG) &&
			 region[0] != '\0' && strcmp(region, store->options.region) != 0)
		sw_error_set_hint(err, "The store says that the bucket is in region \"%s\": set stage_region in sw_destinations to it, and stage_endpoint to that region's%s%s%s.",
						  region,
						  complaint->endpoint[0] != '\0' ? ", \"" : "",
						  sw_store_redact(store, complaint->endpoint,
										  SW_STORE_MAX_WORD_BYTES),
						  complaint->endpoint[0] != '\0' ? "\"" : "");
	else
		sw_error_set_hint(err, "%s", remedy->hint);
}

/* The one error that is about neither side alone: show both clocks. */
static SwStatus
sw_store_report_skew(const SwStore *store, const SwStoreReply *reply,
					 const SwStoreComplaint *complaint, SwError *err)
{
	const char *theirs = sw_store_word(store, reply, complaint->server_time,
									   SW_STORE_HEADER_DATE);
	const char *ours = reply->timestamp;

	sw_error_set(err, SW_ERR_AUTH, SW_RETRY_NEVER,
				 "clock of this server differs too much from that of %s",
				 store->peer);
	err->remote_code = reply->response->status;
	sw_error_set_detail(err, "This server says %.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ, the store says %s. Request id %s.",
						ours, ours + 4, ours + 6, ours + 9, ours + 11,
						ours + 13,
						theirs[0] != '\0' ? theirs : "nothing",
						sw_store_word(store, reply, complaint->request_id,
									  SW_STORE_HEADER_REQUEST_ID));
	sw_error_set_hint(err, "Set the clock of this server, best by a time service (NTP).");
	return SW_ERR_AUTH;
}

SwStatus
sw_store_report_stranger(const SwStore *store, const SwStoreReply *reply,
						 const char *why, SwError *err)
{
	sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_LATER,
				 "reply to a request to %s does not come from %s (HTTP status %d)",
				 store->peer, store->ops->name, reply->response->status);
	err->remote_code = reply->response->status;
	sw_error_set_detail(err, "It has no %s, so a proxy or gateway in between may have made it.",
						why);
	sw_error_set_hint(err, "Check stage_endpoint in sw_destinations, sensorswave_export.proxy, and what else is on the way to the store.");
	return SW_ERR_PROTOCOL;
}

static void
sw_store_set_detail(const SwStore *store, const SwStoreReply *reply,
					const SwStoreComplaint *complaint,
					const char *error_number, SwError *err)
{
	const char *request_id = sw_store_word(store, reply,
										   complaint->request_id,
										   SW_STORE_HEADER_REQUEST_ID);
	StringInfoData detail;

	initStringInfo(&detail);
	if (complaint->message[0] != '\0')
		appendStringInfo(&detail, "The store says: \"%s\" ",
						 sw_store_redact(store, complaint->message,
										 SW_STORE_MAX_MESSAGE_BYTES));
	appendStringInfo(&detail, "Bucket \"%s\"", store->options.bucket);
	if (request_id[0] != '\0')
		appendStringInfo(&detail, ", request id %s", request_id);
	if (error_number[0] != '\0')
		appendStringInfo(&detail, ", error number %s", error_number);
	sw_error_set_detail(err, "%s.", detail.data);
}

SwStatus
sw_store_report_refusal(const SwStore *store, const SwStoreReply *reply,
						SwStoreResult *result, SwError *err)
{
	const SwHttpResponse *response = reply->response;
	int			http_status = response->status;
	char	   *subject = sw_store_subject(store, reply->request);
	const char *verb = sw_store_verb(reply->request->operation);
	SwStoreComplaint complaint;
	SwStoreRemedy remedy;
	char	   *code;
	char	   *error_number;

	sw_store_read_complaint(response->body, response->n_body, &complaint);
	code = sw_store_redact(store, complaint.code, SW_STORE_MAX_WORD_BYTES);
	strlcpy(result->code, code, sizeof(result->code));
	error_number = sw_store_word(store, reply, complaint.error_number,
								 SW_STORE_HEADER_ERROR_CODE);
	if (code[0] == '\0' && http_status < 500 &&
		reply->request->operation != SW_STORE_HEAD &&
		response->headers[SW_STORE_HEADER_REQUEST_ID] == NULL)
		return sw_store_report_stranger(store, reply,
										"error code and no request id", err);
	if (strcmp(code, "RequestTimeTooSkewed") == 0)
		return sw_store_report_skew(store, reply, &complaint, err);

	sw_store_find_remedy(reply, code, error_number, &remedy);
	if (code[0] != '\0')
		sw_error_set(err, remedy.status, remedy.retry,
					 "%s refused to %s \"%s\": %s (HTTP status %d)",
					 store->peer, verb, subject, code, http_status);
	else
		sw_error_set(err, remedy.status, remedy.retry,
					 "%s refused to %s \"%s\": HTTP status %d",
					 store->peer, verb, subject, http_status);
	err->remote_code = http_status;
	sw_store_set_detail(store, reply, &complaint, error_number, err);
	sw_store_set_hint(store, reply, &remedy, &complaint, err);
	return remedy.status;
}
