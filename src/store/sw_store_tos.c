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

#include "store/sw_store_kind.h"

#define SW_TOS_NATIVE_PREFIX "tos-"
#define SW_TOS_S3_PREFIX	"tos-s3-"

#define SW_TOS_MIN_BUCKET_BYTES 3
#define SW_TOS_MAX_BUCKET_BYTES 63

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
	if (store->options.is_path_style && !store->endpoint.is_ip)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "stage_path_style does not apply to TOS");
		sw_error_set_detail(err, "TOS takes the bucket in front of its host name only.");
		sw_error_set_hint(err, "Leave stage_path_style NULL.");
		return SW_ERR_CONFIG;
	}
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

/* ---- requests ---- */

static void
sw_tos_append_string(StringInfo out, const char *text)
{
	appendStringInfoChar(out, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			appendStringInfo(out, "\\%c", *text);
		else if ((unsigned char) *text < ' ')
			appendStringInfo(out, "\\u%04x", (unsigned char) *text);
		else
			appendStringInfoChar(out, *text);
	}
	appendStringInfoChar(out, '"');
}

static void
sw_tos_write_parts(const SwStoreRequest *request, StringInfo out)
{
	appendStringInfoString(out, "{\"Parts\":[");
	for (int i = 0; i < request->n_parts; i++)
	{
		appendStringInfo(out, "%s{\"PartNumber\":%d,\"ETag\":",
						 i > 0 ? "," : "", request->parts[i].number);
		sw_tos_append_string(out, request->parts[i].etag);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "]}");
}

static void
sw_tos_write_deletions(const SwStoreRequest *request, StringInfo out)
{
	appendStringInfoString(out, "{\"Objects\":[");
	for (int i = 0; i < request->n_keys; i++)
	{
		appendStringInfo(out, "%s{\"Key\":", i > 0 ? "," : "");
		sw_tos_append_string(out, request->keys[i]);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "],\"Quiet\":true}");
}

static SwStatus
sw_tos_write_request(const SwStore *store, SwStoreRequest *request,
					 SwStoreWire *wire, SwError *err)
{
	StringInfo	document;

	sw_store_write_common(store, request, wire);
	if (request->operation != SW_STORE_COMPLETE_UPLOAD &&
		request->operation != SW_STORE_DELETE_MANY)
		return SW_OK;
	document = makeStringInfo();
	if (request->operation == SW_STORE_COMPLETE_UPLOAD)
		sw_tos_write_parts(request, document);
	else
		sw_tos_write_deletions(request, document);
	return sw_store_set_document(wire, document, "application/json", err);
}

/* ---- replies ---- */

/* Does the store have the bytes whose CRC is ours? */
static SwStatus
sw_tos_compare(const SwStore *store, const SwStoreRequest *request,
			   const SwStoreResult *result, uint64 crc64, SwError *err)
{
	char		theirs[32];
	char		ours[32];

	if (!result->has_crc64)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_LATER,
							"%s did not report the checksum of \"%s\"",
							store->peer, request->key);
	if (result->crc64 == crc64)
		return SW_OK;
	snprintf(theirs, sizeof(theirs), UINT64_FORMAT, result->crc64);
	snprintf(ours, sizeof(ours), UINT64_FORMAT, crc64);
	return sw_store_report_mismatch(store, request, theirs, ours, err);
}

static SwStatus
sw_tos_verify_whole(const SwStore *store, const SwStoreRequest *complete,
					const SwStoreResult *head, SwError *err)
{
	return complete->has_crc64 ?
		sw_tos_compare(store, complete, head, complete->crc64, err) : SW_OK;
}

static SwStatus
sw_tos_judge_reply(const SwStore *store, const SwStoreReply *reply,
				   SwStoreResult *result, SwError *err)
{
	const SwHttpResponse *response = reply->response;

	if (response->headers[SW_STORE_HEADER_REQUEST_ID] == NULL &&
		response->status < 500)
		return sw_store_report_stranger(store, reply, "x-tos-request-id",
										err);
	SW_TRY(sw_store_judge_common(store, reply, result, err));
	switch (reply->request->operation)
	{
		case SW_STORE_PUT:
		case SW_STORE_PUT_PART:
			return sw_tos_compare(store, reply->request, result,
								  reply->crc64, err);
		case SW_STORE_COMPLETE_UPLOAD:
			return sw_tos_verify_whole(store, reply->request, result, err);
		default:
			return SW_OK;
	}
}

const SwStoreOps sw_store_tos_ops = {
	.kind = "tos",
	.name = "TOS",
	.action_prefix = "tos",
	.scheme = &sw_sign_v4_tos,
	.header_names = {
		[SW_STORE_HEADER_DATE] = "date",
		[SW_STORE_HEADER_RETRY_AFTER] = "retry-after",
		[SW_STORE_HEADER_REQUEST_ID] = "x-tos-request-id",
		[SW_STORE_HEADER_ERROR_CODE] = "x-tos-ec",
		[SW_STORE_HEADER_CHECKSUM] = "x-tos-hash-crc64ecma",
		[SW_STORE_HEADER_ETAG] = "etag",
		[SW_STORE_HEADER_LENGTH] = "content-length",
		[SW_STORE_HEADER_RANGE] = "content-range",
		[SW_STORE_HEADER_ENCRYPTION] = "",
		[SW_STORE_HEADER_CUSTOMER_ENCRYPTION] = "",
		[SW_STORE_HEADER_BUCKET_REGION] = "x-tos-bucket-region"
	},
	.check_endpoints = sw_tos_check_endpoints,
	.write_request = sw_tos_write_request,
	.judge_reply = sw_tos_judge_reply,
	.verify_whole = sw_tos_verify_whole
};
