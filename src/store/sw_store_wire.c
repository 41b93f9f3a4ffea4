/*-------------------------------------------------------------------------
 *
 * sw_store_wire.c
 *	  An operation on an object store as an HTTP request.
 *
 * Methods, paths and query parameters are the same in S3 and TOS (facts of
 * both: their API references and official SDKs); bodies and some headers are
 * not, and come from the kind.
 *
 * Everything is palloc'd in the current context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "sign/sw_md5.h"
#include "store/sw_store_kind.h"

/* A body is hashed in pieces of this size. */
#define SW_STORE_HASH_BYTES (128 * 1024)

typedef struct SwStoreOperationWords
{
	const char *method;
	const char *verb;			/* "refused to <verb>" */
} SwStoreOperationWords;

static const SwStoreOperationWords sw_store_operations[] = {
	[SW_STORE_PUT] = {"PUT", "put"},
	[SW_STORE_CREATE_UPLOAD] = {"POST", "begin the upload of"},
	[SW_STORE_PUT_PART] = {"PUT", "put a part of"},
	[SW_STORE_COMPLETE_UPLOAD] = {"POST", "complete the upload of"},
	[SW_STORE_ABORT_UPLOAD] = {"DELETE", "abort the upload of"},
	[SW_STORE_LIST_UPLOADS] = {"GET", "list uploads in"},
	[SW_STORE_HEAD] = {"HEAD", "look at"},
	[SW_STORE_GET] = {"GET", "get"},
	[SW_STORE_DELETE] = {"DELETE", "delete"},
	[SW_STORE_DELETE_MANY] = {"POST", "delete objects in"},
	[SW_STORE_LIST] = {"GET", "list"}
};

const char *
sw_store_verb(SwStoreOperation operation)
{
	return sw_store_operations[operation].verb;
}

char *
sw_store_subject(const SwStore *store, const SwStoreRequest *request)
{
	return request->key != NULL ? pstrdup(request->key) :
		psprintf("%s/%s", store->options.bucket,
				 request->prefix != NULL ? request->prefix : "");
}

void
sw_store_add_query(SwStoreWire *wire, const char *name, const char *value)
{
	Assert(wire->n_query < SW_STORE_MAX_QUERY);
	wire->query[wire->n_query].name = name;
	wire->query[wire->n_query++].value = value;
}

void
sw_store_add_signed_header(SwStoreWire *wire, const char *name,
						   const char *value)
{
	Assert(wire->n_signed_headers < SW_STORE_MAX_WIRE_HEADERS);
	wire->signed_headers[wire->n_signed_headers].name = name;
	wire->signed_headers[wire->n_signed_headers++].value = value;
}

void
sw_store_add_plain_header(SwStoreWire *wire, const char *name,
						  const char *value)
{
	Assert(wire->n_plain_headers < SW_STORE_MAX_WIRE_HEADERS);
	wire->plain_headers[wire->n_plain_headers].name = name;
	wire->plain_headers[wire->n_plain_headers++].value = value;
}

static char *
sw_store_build_path(const SwStore *store, const SwStoreRequest *request)
{
	const char *key = request->key != NULL ? request->key : "";

	return store->is_path_style ?
		psprintf("/%s/%s", store->options.bucket, key) :
		psprintf("/%s", key);
}

static void
sw_store_add_list_query(const SwStoreRequest *request, SwStoreWire *wire)
{
	bool		is_uploads = request->operation == SW_STORE_LIST_UPLOADS;

	if (is_uploads)
	{
		sw_store_add_query(wire, "uploads", "");
		sw_store_add_query(wire, "max-uploads",
						   psprintf("%d", SW_STORE_PAGE_ENTRIES));
	}
	else
	{
		sw_store_add_query(wire, "list-type", "2");
		sw_store_add_query(wire, "max-keys",
						   psprintf("%d", SW_STORE_PAGE_ENTRIES));
	}
	if (request->prefix != NULL && request->prefix[0] != '\0')
		sw_store_add_query(wire, "prefix", request->prefix);
	if (request->marker != NULL && request->marker[0] != '\0')
		sw_store_add_query(wire, is_uploads ? "key-marker" :
						   "continuation-token", request->marker);
	if (request->upload_marker != NULL && request->upload_marker[0] != '\0')
		sw_store_add_query(wire, "upload-id-marker", request->upload_marker);
}

void
sw_store_write_common(const SwStore *store, const SwStoreRequest *request,
					  SwStoreWire *wire)
{
	memset(wire, 0, sizeof(SwStoreWire));
	wire->method = sw_store_operations[request->operation].method;
	wire->path = sw_store_build_path(store, request);
	wire->body = request->body;

	switch (request->operation)
	{
		case SW_STORE_CREATE_UPLOAD:
			sw_store_add_query(wire, "uploads", "");
			/* of no bytes: a POST must say how long it is */
			wire->body = &wire->document;
			break;
		case SW_STORE_PUT_PART:
			sw_store_add_query(wire, "partNumber",
							   psprintf("%d", request->part_number));
			sw_store_add_query(wire, "uploadId", request->upload_id);
			break;
		case SW_STORE_COMPLETE_UPLOAD:
		case SW_STORE_ABORT_UPLOAD:
			sw_store_add_query(wire, "uploadId", request->upload_id);
			break;
		case SW_STORE_LIST_UPLOADS:
		case SW_STORE_LIST:
			sw_store_add_list_query(request, wire);
			break;
		case SW_STORE_DELETE_MANY:
			sw_store_add_query(wire, "delete", "");
			break;
		case SW_STORE_GET:
			sw_store_add_plain_header(wire, "Range",
									  psprintf("bytes=" INT64_FORMAT "-" INT64_FORMAT,
											   request->offset,
											   request->offset + request->n_bytes - 1));
			break;
		case SW_STORE_PUT:
		case SW_STORE_HEAD:
		case SW_STORE_DELETE:
			break;
	}
}

/* ---- bodies ---- */

/* SwBody.read of a text in memory. */
static int
sw_store_read_text(void *arg, int64 offset, char *buf, int len)
{
	const StringInfoData *text = (const StringInfoData *) arg;
	int			n = (int) Min((int64) len, text->len - offset);

	memcpy(buf, text->data + offset, n);
	return n;
}

static SwStatus
sw_store_hash_body(const SwBody *body, uint8 md5[SW_MD5_BYTES], SwError *err)
{
	char	   *piece = palloc(SW_STORE_HASH_BYTES);
	SwMd5	   *hash = sw_md5_begin();
	int64		offset = 0;
	int			n_read = 0;
	int			read_errno = 0;
	bool		is_good = hash != NULL;

	while (hash != NULL && offset < body->n_bytes)
	{
		errno = 0;
		n_read = body->read(body->arg, offset, piece,
							(int) Min((int64) SW_STORE_HASH_BYTES,
									  body->n_bytes - offset));
		read_errno = errno;
		if (n_read <= 0)
			break;
		sw_md5_add(hash, piece, n_read);
		offset += n_read;
	}
	if (hash != NULL)
		is_good = sw_md5_end(hash, md5);
	pfree(piece);

	if (!is_good)
	{
		sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
					 "could not compute an MD5 hash");
		sw_error_set_detail(err, "S3 verifies what it receives by MD5.");
		sw_error_set_hint(err, "Allow MD5 in the configuration of OpenSSL; it is not used for security here.");
		return SW_ERR_UNSUPPORTED;
	}
	if (offset == body->n_bytes)
		return SW_OK;
	return sw_error_set(err, SW_ERR_IO, SW_RETRY_LATER,
						"could not read a staged file: %s",
						n_read < 0 ? strerror(read_errno) : "it ended early");
}

static void
sw_store_add_md5(SwStoreWire *wire, const uint8 md5[SW_MD5_BYTES])
{
	char	   *text = palloc(SW_MD5_BASE64_SIZE);

	sw_md5_format_base64(md5, text);
	sw_store_add_plain_header(wire, "Content-MD5", text);
}

SwStatus
sw_store_add_body_md5(SwStoreWire *wire, SwStoreRequest *request,
					  SwError *err)
{
	if (!request->has_md5)
		SW_TRY(sw_store_hash_body(request->body, request->md5, err));
	request->has_md5 = true;
	sw_store_add_md5(wire, request->md5);
	return SW_OK;
}

SwStatus
sw_store_set_document(SwStoreWire *wire, StringInfo text,
					  const char *content_type, SwError *err)
{
	uint8		md5[SW_MD5_BYTES];

	wire->document.n_bytes = text->len;
	wire->document.read = sw_store_read_text;
	wire->document.arg = text;
	wire->body = &wire->document;
	SW_TRY(sw_store_hash_body(wire->body, md5, err));
	sw_store_add_md5(wire, md5);
	sw_store_add_signed_header(wire, "content-type", content_type);
	return SW_OK;
}
