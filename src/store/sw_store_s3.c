/*-------------------------------------------------------------------------
 *
 * sw_store_s3.c
 *	  Everything that speaks the S3 API.
 *
 * What was sent is proved twice over.  Content-MD5 goes with every object
 * and part, so that the store refuses damaged bytes whatever way it keeps
 * them; that is in the first version of the API and all that speak it know
 * it, which is not so for newer checksums.  And where the ETag of the reply
 * is an MD5 (not for objects encrypted with keys of KMS or of the client),
 * it must be that of the bytes.  The ETag of a multipart object is the MD5 of
 * its parts' MD5s, a dash and their number; the same holds for it.
 *
 * Documents are XML.  A complete can fail after its 200: then the document
 * is an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "sign/sw_md5.h"
#include "store/sw_store_kind.h"

#define SW_S3_MIN_BUCKET_BYTES 3
#define SW_S3_MAX_BUCKET_BYTES 63

#define SW_S3_MD5_DIGITS	(2 * SW_MD5_BYTES)

/* ---- options ---- */

/* Is it a native host of TOS, which does not speak S3? */
static bool
sw_s3_is_tos_native(const char *host)
{
	static const char *const domains[] = {
		".volces.com", ".ivolces.com", ".bytepluses.com", ".ibytepluses.com"
	};
	Size		len = strlen(host);

	if (strncmp(host, "tos-", 4) != 0 || strncmp(host, "tos-s3-", 7) == 0)
		return false;
	for (int i = 0; i < (int) lengthof(domains); i++)
	{
		Size		n = strlen(domains[i]);

		if (len > n && strcmp(host + len - n, domains[i]) == 0)
			return true;
	}
	return false;
}

/*
 * In front of a host name, bucket names must be fit for that; and no
 * certificate covers two labels before its domain.
 */
static SwStatus
sw_s3_check_bucket(const SwStore *store, SwError *err)
{
	const char *bucket = store->options.bucket;
	const char *allowed = store->is_path_style ?
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_" :
	"abcdefghijklmnopqrstuvwxyz0123456789.-";
	Size		len = strlen(bucket);

	if (len < SW_S3_MIN_BUCKET_BYTES || len > SW_S3_MAX_BUCKET_BYTES ||
		strspn(bucket, allowed) != len || strstr(bucket, "..") != NULL ||
		strchr("-.", bucket[0]) != NULL || strchr("-.", bucket[len - 1]) != NULL)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "invalid stage_bucket");
		sw_error_set_detail(err, "The name of an S3 bucket has 3 to 63 of a-z, 0-9, - and ., with no - or . at either end.");
		sw_error_set_hint(err, "Set stage_bucket to the bucket's name alone; a path within it goes into stage_prefix.");
		return SW_ERR_CONFIG;
	}
	if (strchr(bucket, '.') != NULL && !store->is_path_style &&
		store->endpoint.is_tls)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "bucket \"%s\" has a dot in its name", bucket);
		sw_error_set_detail(err, "In front of the store's host name it would not be covered by the store's certificate.");
		sw_error_set_hint(err, "Set stage_path_style to true, or use a bucket without dots.");
		return SW_ERR_CONFIG;
	}
	return SW_OK;
}

static SwStatus
sw_s3_check_host(const SwStore *store, const char *option, const char *host,
				 SwError *err)
{
	const char *bucket = store->options.bucket;
	Size		n_bucket = strlen(bucket);

	if (sw_s3_is_tos_native(host))
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "%s \"%s\" is the native endpoint of TOS", option, host);
		sw_error_set_hint(err, "Set %s to the S3 endpoint, \"tos-s3-%s\".",
						  option, host + strlen("tos-"));
		return SW_ERR_CONFIG;
	}
	if (strncmp(host, bucket, n_bucket) == 0 && host[n_bucket] == '.' &&
		strchr(host + n_bucket + 1, '.') != NULL)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "%s \"%s\" begins with the bucket", option, host);
		sw_error_set_hint(err, "Set %s to \"%s\"; the bucket is added to it.",
						  option, host + n_bucket + 1);
		return SW_ERR_CONFIG;
	}
	return SW_OK;
}

static SwStatus
sw_s3_check_endpoints(SwStore *store, SwError *err)
{
	SW_TRY(sw_s3_check_host(store, "stage_endpoint", store->endpoint.host,
							err));
	SW_TRY(sw_s3_check_host(store, "stage_load_endpoint",
							store->load_endpoint.host, err));
	return sw_s3_check_bucket(store, err);
}

/* ---- requests ---- */

static void
sw_s3_append_text(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '<' || *text == '>' || *text == '&' || *text == '"' ||
			(unsigned char) *text < ' ')
			appendStringInfo(out, "&#%d;", (unsigned char) *text);
		else
			appendStringInfoChar(out, *text);
	}
}

static void
sw_s3_write_parts(const SwStoreRequest *request, StringInfo out)
{
	appendStringInfoString(out, "<CompleteMultipartUpload>");
	for (int i = 0; i < request->n_parts; i++)
	{
		appendStringInfo(out, "<Part><PartNumber>%d</PartNumber><ETag>",
						 request->parts[i].number);
		sw_s3_append_text(out, request->parts[i].etag);
		appendStringInfoString(out, "</ETag></Part>");
	}
	appendStringInfoString(out, "</CompleteMultipartUpload>");
}

static void
sw_s3_write_deletions(const SwStoreRequest *request, StringInfo out)
{
	appendStringInfoString(out, "<Delete><Quiet>true</Quiet>");
	for (int i = 0; i < request->n_keys; i++)
	{
		appendStringInfoString(out, "<Object><Key>");
		sw_s3_append_text(out, request->keys[i]);
		appendStringInfoString(out, "</Key></Object>");
	}
	appendStringInfoString(out, "</Delete>");
}

static SwStatus
sw_s3_write_request(const SwStore *store, SwStoreRequest *request,
					SwStoreWire *wire, SwError *err)
{
	StringInfo	document;

	sw_store_write_common(store, request, wire);
	switch (request->operation)
	{
		case SW_STORE_PUT:
		case SW_STORE_PUT_PART:
			return sw_store_add_body_md5(wire, request, err);
		case SW_STORE_COMPLETE_UPLOAD:
			document = makeStringInfo();
			sw_s3_write_parts(request, document);
			return sw_store_set_document(wire, document, "application/xml",
										 err);
		case SW_STORE_DELETE_MANY:
			document = makeStringInfo();
			sw_s3_write_deletions(request, document);
			return sw_store_set_document(wire, document, "application/xml",
										 err);
		default:
			return SW_OK;
	}
}

/* ---- replies ---- */

static bool
sw_s3_read_hex(const char *hex, uint8 md5[SW_MD5_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < SW_S3_MD5_DIGITS; i++)
	{
		const char *found = hex[i] != '\0' ?
		strchr(digits, pg_ascii_tolower((unsigned char) hex[i])) : NULL;

		if (found == NULL)
			return false;
		md5[i / 2] = (uint8) ((md5[i / 2] << 4) | (found - digits));
	}
	return true;
}

/* The MD5 in an ETag, and what comes behind it ("" or "-<parts>"). */
static bool
sw_s3_read_etag(const char *etag, uint8 md5[SW_MD5_BYTES],
				const char **rest, Size *n_rest)
{
	if (*etag == '"')
		etag++;
	if (!sw_s3_read_hex(etag, md5))
		return false;
	*rest = etag + SW_S3_MD5_DIGITS;
	*n_rest = strcspn(*rest, "\"");
	return true;
}

/* Encrypted in a way that makes ETags something else than MD5s? */
static bool
sw_s3_hides_md5(const SwStoreReply *reply)
{
	const char *const *headers = reply->response->headers;
	const char *encryption = headers[SW_STORE_HEADER_ENCRYPTION];

	return headers[SW_STORE_HEADER_CUSTOMER_ENCRYPTION] != NULL ||
		(encryption != NULL && strncmp(encryption, "aws:", 4) == 0);
}

static SwStatus
sw_s3_verify_body(const SwStore *store, const SwStoreReply *reply,
				  SwStoreResult *result, SwError *err)
{
	uint8		md5[SW_MD5_BYTES];
	char		ours[SW_MD5_HEX_SIZE];
	const char *rest;
	Size		n_rest;

	if (result->etag[0] == '\0')
		return sw_store_report_stranger(store, reply, "ETag", err);
	if (sw_s3_hides_md5(reply) ||
		!sw_s3_read_etag(result->etag, md5, &rest, &n_rest) || n_rest > 0)
		return SW_OK;
	sw_md5_format_hex(reply->request->md5, ours);
	if (memcmp(md5, reply->request->md5, SW_MD5_BYTES) != 0)
		return sw_store_report_mismatch(store, reply->request, result->etag,
										ours, err);
	result->is_etag_md5 = true;
	return SW_OK;
}

/* The MD5 that the ETag of the whole must have; false = nobody can know. */
static bool
sw_s3_derive_md5(const SwStoreRequest *complete, uint8 md5[SW_MD5_BYTES])
{
	SwMd5	   *hash = sw_md5_begin();
	bool		is_known = hash != NULL;

	for (int i = 0; i < complete->n_parts && is_known; i++)
	{
		const SwStorePart *part = &complete->parts[i];
		uint8		part_md5[SW_MD5_BYTES];
		const char *rest;
		Size		n_rest;

		is_known = part->is_etag_md5 &&
			sw_s3_read_etag(part->etag, part_md5, &rest, &n_rest);
		if (is_known)
			sw_md5_add(hash, part_md5, SW_MD5_BYTES);
	}
	return hash != NULL && sw_md5_end(hash, md5) && is_known;
}

static SwStatus
sw_s3_verify_whole(const SwStore *store, const SwStoreRequest *complete,
				   const SwStoreResult *result, SwError *err)
{
	uint8		theirs[SW_MD5_BYTES];
	uint8		ours[SW_MD5_BYTES];
	char		hex[SW_MD5_HEX_SIZE];
	char	   *ending = psprintf("-%d", complete->n_parts);
	const char *rest;
	Size		n_rest;

	if (!sw_s3_derive_md5(complete, ours) ||
		!sw_s3_read_etag(result->etag, theirs, &rest, &n_rest) ||
		n_rest != strlen(ending) || memcmp(rest, ending, n_rest) != 0 ||
		memcmp(theirs, ours, SW_MD5_BYTES) == 0)
		return SW_OK;
	sw_md5_format_hex(ours, hex);
	return sw_store_report_mismatch(store, complete, result->etag,
									psprintf("\"%s%s\"", hex, ending), err);
}

static SwStatus
sw_s3_judge_reply(const SwStore *store, const SwStoreReply *reply,
				  SwStoreResult *result, SwError *err)
{
	SW_TRY(sw_store_judge_common(store, reply, result, err));
	switch (reply->request->operation)
	{
		case SW_STORE_PUT:
		case SW_STORE_PUT_PART:
			return sw_s3_verify_body(store, reply, result, err);
		case SW_STORE_COMPLETE_UPLOAD:
			return sw_s3_verify_whole(store, reply->request, result, err);
		case SW_STORE_HEAD:
			if (result->etag[0] == '\0')
				return sw_store_report_stranger(store, reply, "ETag", err);
			return SW_OK;
		case SW_STORE_DELETE:
		case SW_STORE_ABORT_UPLOAD:
			/* the API says 204; a page of somebody else's says 200 */
			if (reply->response->status < 300 &&
				reply->response->n_body > 0)
				return sw_store_report_stranger(store, reply, "empty body",
												err);
			return SW_OK;
		default:
			return SW_OK;
	}
}

const SwStoreOps sw_store_s3_ops = {
	.kind = "s3",
	.name = "an S3 store",
	.action_prefix = "s3",
	.scheme = &sw_sign_v4_s3,
	.wants_md5 = true,
	.header_names = {
		[SW_STORE_HEADER_DATE] = "date",
		[SW_STORE_HEADER_RETRY_AFTER] = "retry-after",
		[SW_STORE_HEADER_REQUEST_ID] = "x-amz-request-id",
		[SW_STORE_HEADER_ERROR_CODE] = "",
		[SW_STORE_HEADER_CHECKSUM] = "",
		[SW_STORE_HEADER_ETAG] = "etag",
		[SW_STORE_HEADER_LENGTH] = "content-length",
		[SW_STORE_HEADER_RANGE] = "content-range",
		[SW_STORE_HEADER_ENCRYPTION] = "x-amz-server-side-encryption",
		[SW_STORE_HEADER_CUSTOMER_ENCRYPTION] =
		"x-amz-server-side-encryption-customer-algorithm",
		[SW_STORE_HEADER_BUCKET_REGION] = "x-amz-bucket-region"
	},
	.check_endpoints = sw_s3_check_endpoints,
	.write_request = sw_s3_write_request,
	.judge_reply = sw_s3_judge_reply,
	.verify_whole = sw_s3_verify_whole
};
