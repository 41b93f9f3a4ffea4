/*-------------------------------------------------------------------------
 *
 * sw_store_tos.c
 *	  TOS by its native API: its endpoints, its replies, its errors.
 *
 * Objects are written by the native API (host tos-<region>...) and read by
 * the warehouse through the S3 API (host tos-s3-<region>..., same domain).
 *
 * An object that arrived is proved by x-tos-hash-crc64ecma, the CRC-64 of
 * what the store received, in decimal.  Errors are JSON objects with Code,
 * Message, RequestId and EC; a reply without x-tos-request-id is not from
 * TOS at all, but from something in between.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/sw_jsonscan.h"
#include "store/sw_store_kind.h"

#define SW_TOS_NATIVE_PREFIX "tos-"
#define SW_TOS_S3_PREFIX	"tos-s3-"

#define SW_TOS_MIN_BUCKET_BYTES 3
#define SW_TOS_MAX_BUCKET_BYTES 63

/* "Client closed early" in a 400, which is the network's fault. */
#define SW_TOS_EC_BROKEN_UPLOAD "0005-00000044"

/* How much of the store's own words goes into an error. */
#define SW_TOS_MAX_CODE_BYTES 80
#define SW_TOS_MAX_MESSAGE_BYTES 400

/* What a reply says about its error, free of secrets; "" where silent. */
typedef struct SwTosComplaint
{
	char	   *code;
	char	   *message;
	char	   *request_id;
	char	   *ec;				/* finer error number */
} SwTosComplaint;

/* What an error code means for us, and what a person can do. */
typedef struct SwStoreRemedy
{
	const char *code;
	SwStatus	status;
	SwRetry		retry;
	const char *hint;
} SwStoreRemedy;

static const SwStoreRemedy sw_tos_remedies[] = {
	{"SignatureDoesNotMatch", SW_ERR_AUTH, SW_RETRY_NEVER,
	"The secret key does not belong to the access key: set stage_secret_key in sw_destinations again, and check stage_region."},
	{"InvalidAccessKeyId", SW_ERR_AUTH, SW_RETRY_NEVER,
	"The store does not know the access key: check stage_access_key in sw_destinations, and that the key is not deleted or disabled."},
	{"InvalidSecurityToken", SW_ERR_AUTH, SW_RETRY_NEVER,
	"Set stage_access_key and stage_secret_key in sw_destinations to a permanent key."},
	{"ExpiredToken", SW_ERR_AUTH, SW_RETRY_NEVER,
	"Set stage_access_key and stage_secret_key in sw_destinations to a permanent key."},
	{"AuthorizationHeaderMalformed", SW_ERR_AUTH, SW_RETRY_NEVER,
	"Check that stage_region in sw_destinations is the region of stage_endpoint, and stage_access_key."},
	{"AccessDenied", SW_ERR_DENIED, SW_RETRY_NEVER,
	"Grant the access key tos:PutObject, tos:GetObject, tos:DeleteObject and tos:ListBucket on the bucket (stage_bucket in sw_destinations)."},
	{"NoSuchBucket", SW_ERR_MISSING, SW_RETRY_NEVER,
	"Check stage_bucket in sw_destinations, and that the bucket is in the region of stage_region and stage_endpoint."},
	{"InvalidBucketName", SW_ERR_CONFIG, SW_RETRY_NEVER,
	"Check stage_bucket in sw_destinations."},
	{"InvalidPathAccess", SW_ERR_CONFIG, SW_RETRY_NEVER,
	"The store wants the bucket in front of its host name: set stage_endpoint in sw_destinations to a host name, not an IP address."},
	{"PermanentRedirect", SW_ERR_CONFIG, SW_RETRY_NEVER,
	"The bucket is in another region: check stage_endpoint and stage_region in sw_destinations."},
	{"TemporaryRedirect", SW_ERR_CONFIG, SW_RETRY_NEVER,
	"The bucket is in another region: check stage_endpoint and stage_region in sw_destinations."},
	{"EntityTooLarge", SW_ERR_LIMIT, SW_RETRY_NEVER,
	"Make staged files smaller."},
	{"BadDigest", SW_ERR_MISMATCH, SW_RETRY_LATER, ""}
};

/* ---- options ---- */

static bool
sw_tos_begins_with(const char *host, const char *prefix)
{
	return strncmp(host, prefix, strlen(prefix)) == 0;
}

static SwStatus
sw_tos_check_bucket(const char *bucket, SwError *err)
{
	Size		len = strlen(bucket);

	if (len >= SW_TOS_MIN_BUCKET_BYTES && len <= SW_TOS_MAX_BUCKET_BYTES &&
		strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
		bucket[0] != '-' && bucket[len - 1] != '-')
		return SW_OK;
	sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER, "invalid stage_bucket");
	sw_error_set_detail(err, "The name of a TOS bucket has 3 to 63 of a-z, 0-9 and -, with no - at either end.");
	sw_error_set_hint(err, "Set stage_bucket to the bucket's name alone; a path within it goes into stage_prefix.");
	return SW_ERR_CONFIG;
}

/*
 * The two APIs have hosts that differ in "s3-" only, and either one in the
 * place of the other fails late and obscurely; so it is refused here.
 */
static SwStatus
sw_tos_check_endpoints(SwStore *store, SwError *err)
{
	const char *host = store->endpoint.host;
	char	   *load_host = store->load_endpoint.host;
	const char *bucket = store->options.bucket;
	Size		n_bucket = strlen(bucket);

	SW_TRY(sw_tos_check_bucket(bucket, err));
	if (sw_tos_begins_with(host, SW_TOS_S3_PREFIX))
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "stage_endpoint \"%s\" is the S3 endpoint of TOS", host);
		sw_error_set_hint(err, "Set stage_endpoint to the native endpoint, \"%s%s\".",
						  SW_TOS_NATIVE_PREFIX,
						  host + strlen(SW_TOS_S3_PREFIX));
		return SW_ERR_CONFIG;
	}
	if (strncmp(host, bucket, n_bucket) == 0 && host[n_bucket] == '.')
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "stage_endpoint \"%s\" begins with the bucket", host);
		sw_error_set_hint(err, "Set stage_endpoint to \"%s\"; the bucket is added to it.",
						  host + n_bucket + 1);
		return SW_ERR_CONFIG;
	}

	if (!sw_tos_begins_with(load_host, SW_TOS_NATIVE_PREFIX) ||
		sw_tos_begins_with(load_host, SW_TOS_S3_PREFIX))
		return SW_OK;
	if (store->has_load_endpoint)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "stage_load_endpoint \"%s\" is the native endpoint of TOS",
					 load_host);
		sw_error_set_hint(err, "Set stage_load_endpoint to the S3 endpoint, \"%s%s\", or leave it NULL.",
						  SW_TOS_S3_PREFIX,
						  load_host + strlen(SW_TOS_NATIVE_PREFIX));
		return SW_ERR_CONFIG;
	}

	/* tos-<region>.<domain> is read at tos-s3-<region>.<domain> */
	if (strlen(host) + strlen("s3-") >= SW_URI_HOST_SIZE)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"stage_endpoint is too long");
	snprintf(load_host, SW_URI_HOST_SIZE, "%s%s", SW_TOS_S3_PREFIX,
			 host + strlen(SW_TOS_NATIVE_PREFIX));
	return SW_OK;
}

/* ---- replies ---- */

static char *
sw_tos_redact(const SwStore *store, const char *text, Size max_bytes)
{
	return sw_redact(&store->redactor, text, strlen(text), max_bytes);
}

/* A field of the error body, else a header of the reply, else "". */
static char *
sw_tos_read_field(const SwStore *store, const SwHttpResponse *response,
				  const char *field, int header, Size max_bytes)
{
	char		value[1024];

	if (sw_json_find_string(response->body, response->n_body, field, value,
							sizeof(value)))
		return sw_tos_redact(store, value, max_bytes);
	if (header >= 0 && response->headers[header] != NULL)
		return sw_tos_redact(store, response->headers[header], max_bytes);
	return pstrdup("");
}

static void
sw_tos_read_complaint(const SwStore *store, const SwHttpResponse *response,
					  SwTosComplaint *complaint)
{
	complaint->code = sw_tos_read_field(store, response, "Code", -1,
										SW_TOS_MAX_CODE_BYTES);
	complaint->message = sw_tos_read_field(store, response, "Message", -1,
										   SW_TOS_MAX_MESSAGE_BYTES);
	complaint->request_id = sw_tos_read_field(store, response, "RequestId",
											  SW_STORE_HEADER_REQUEST_ID,
											  SW_TOS_MAX_CODE_BYTES);
	complaint->ec = sw_tos_read_field(store, response, "EC",
									  SW_STORE_HEADER_ERROR_CODE,
									  SW_TOS_MAX_CODE_BYTES);
}

/* What a status means when the code says nothing we know. */
static void
sw_tos_class_of_status(int http_status, const char *ec,
					   SwStoreRemedy *remedy)
{
	memset(remedy, 0, sizeof(SwStoreRemedy));
	remedy->status = SW_ERR_STORE;
	remedy->retry = SW_RETRY_NEVER;
	remedy->hint = "";
	if (http_status >= 500 || http_status == 408 || http_status == 429)
	{
		remedy->retry = SW_RETRY_LATER;
		remedy->hint = "This passes by itself in most cases; if it stays, look at the status of the store and at the limits of the account.";
	}
	else if (http_status == 400 && strcmp(ec, SW_TOS_EC_BROKEN_UPLOAD) == 0)
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
	else if (http_status == 403)
	{
		remedy->status = SW_ERR_DENIED;
		remedy->hint = "Check the rights of the access key on the bucket, and bucket policies.";
	}
	else if (http_status == 404)
		remedy->status = SW_ERR_MISSING;
}

static void
sw_tos_find_remedy(const char *code, int http_status, const char *ec,
				   SwStoreRemedy *remedy)
{
	for (int i = 0; i < (int) lengthof(sw_tos_remedies); i++)
	{
		if (strcmp(code, sw_tos_remedies[i].code) == 0)
		{
			*remedy = sw_tos_remedies[i];
			return;
		}
	}
	sw_tos_class_of_status(http_status, ec, remedy);
}

/* The one error that is about neither side alone: show both clocks. */
static SwStatus
sw_tos_report_skew(const SwStore *store, const SwStoreReply *reply,
				   const SwTosComplaint *complaint, SwError *err)
{
	const char *date = reply->response->headers[SW_STORE_HEADER_DATE];
	const char *ours = reply->timestamp;

	sw_error_set(err, SW_ERR_AUTH, SW_RETRY_NEVER,
				 "clock of this server differs too much from that of %s",
				 store->peer);
	err->remote_code = reply->response->status;
	sw_error_set_detail(err, "This server says %.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ, the store says %s. Request id %s.",
						ours, ours + 4, ours + 6, ours + 9, ours + 11,
						ours + 13,
						date != NULL ? sw_tos_redact(store, date, 40) :
						"nothing", complaint->request_id);
	sw_error_set_hint(err, "Set the clock of this server, best by a time service (NTP).");
	return SW_ERR_AUTH;
}

static SwStatus
sw_tos_report_stranger(const SwStore *store, const SwStoreReply *reply,
					   SwError *err)
{
	sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_LATER,
				 "reply to a request to %s does not come from TOS (HTTP status %d)",
				 store->peer, reply->response->status);
	err->remote_code = reply->response->status;
	sw_error_set_detail(err, "It has no x-tos-request-id, so a proxy or gateway in between may have made it.");
	sw_error_set_hint(err, "Check stage_endpoint in sw_destinations, sensorswave_export.proxy, and what else is on the way to the store.");
	return SW_ERR_PROTOCOL;
}

static SwStatus
sw_tos_report_error(const SwStore *store, const SwStoreReply *reply,
					const SwTosComplaint *complaint, SwError *err)
{
	int			http_status = reply->response->status;
	const char *key = reply->request->key;
	SwStoreRemedy remedy;
	StringInfoData detail;

	sw_tos_find_remedy(complaint->code, http_status, complaint->ec, &remedy);
	if (complaint->code[0] != '\0')
		sw_error_set(err, remedy.status, remedy.retry,
					 "%s refused to %s \"%s\": %s (HTTP status %d)",
					 store->peer, reply->request->verb, key,
					 complaint->code, http_status);
	else
		sw_error_set(err, remedy.status, remedy.retry,
					 "%s refused to %s \"%s\": HTTP status %d",
					 store->peer, reply->request->verb, key, http_status);
	err->remote_code = http_status;

	initStringInfo(&detail);
	if (complaint->message[0] != '\0')
		appendStringInfo(&detail, "The store says: \"%s\" ",
						 complaint->message);
	appendStringInfo(&detail, "Bucket \"%s\"", store->options.bucket);
	if (complaint->request_id[0] != '\0')
		appendStringInfo(&detail, ", request id %s", complaint->request_id);
	if (complaint->ec[0] != '\0')
		appendStringInfo(&detail, ", error number %s", complaint->ec);
	sw_error_set_detail(err, "%s.", detail.data);
	sw_error_set_hint(err, "%s", remedy.hint);
	return remedy.status;
}

/* Does the store have the bytes that were sent? */
static SwStatus
sw_tos_verify_put(const SwStore *store, const SwStoreReply *reply,
				  SwError *err)
{
	const char *text = reply->response->headers[SW_STORE_HEADER_CHECKSUM];
	char	   *end;
	uint64		crc64;

	if (text == NULL)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_LATER,
							"%s did not report the checksum of \"%s\"",
							store->peer, reply->request->key);
	errno = 0;
	crc64 = strtou64(text, &end, 10);
	if (errno == 0 && end > text && *end == '\0' && crc64 == reply->crc64)
		return SW_OK;
	sw_error_set(err, SW_ERR_MISMATCH, SW_RETRY_LATER,
				 "%s received other bytes for \"%s\" than were sent",
				 store->peer, reply->request->key);
	sw_error_set_detail(err, "Its CRC-64 is %s, ours is " UINT64_FORMAT ".",
						sw_tos_redact(store, text, 24), reply->crc64);
	return SW_ERR_MISMATCH;
}

static SwStatus
sw_tos_judge_reply(const SwStore *store, const SwStoreReply *reply,
				   SwError *err)
{
	const SwHttpResponse *response = reply->response;
	int			http_status = response->status;
	SwTosComplaint complaint;

	if (response->headers[SW_STORE_HEADER_REQUEST_ID] == NULL &&
		http_status < 500)
		return sw_tos_report_stranger(store, reply, err);
	if (http_status < 300)
		return reply->request->body != NULL ?
			sw_tos_verify_put(store, reply, err) : SW_OK;

	sw_tos_read_complaint(store, response, &complaint);
	if (strcmp(reply->request->method, "DELETE") == 0 &&
		strcmp(complaint.code, "NoSuchKey") == 0)
		return SW_OK;
	if (strcmp(complaint.code, "RequestTimeTooSkewed") == 0)
		return sw_tos_report_skew(store, reply, &complaint, err);
	return sw_tos_report_error(store, reply, &complaint, err);
}

const SwStoreOps sw_store_tos_ops = {
	.kind = "tos",
	.scheme = &sw_sign_v4_tos,
	.header_names = {
		[SW_STORE_HEADER_DATE] = "date",
		[SW_STORE_HEADER_RETRY_AFTER] = "retry-after",
		[SW_STORE_HEADER_REQUEST_ID] = "x-tos-request-id",
		[SW_STORE_HEADER_ERROR_CODE] = "x-tos-ec",
		[SW_STORE_HEADER_CHECKSUM] = "x-tos-hash-crc64ecma"
	},
	.check_endpoints = sw_tos_check_endpoints,
	.judge_reply = sw_tos_judge_reply
};
