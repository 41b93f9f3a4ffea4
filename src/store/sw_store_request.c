/*-------------------------------------------------------------------------
 *
 * sw_store_request.c
 *	  Attempts at requests to an object store: sign, send, judge.
 *
 * The body is not hashed before it is sent (that would read it twice); its
 * CRC-64 is taken while it goes out, and compared with what the store says
 * it received.
 *
 * A call is one attempt on its way; several may be, and sw_http_crank or
 * sw_http_wait move them all.  Its memory is a context of its own, below that
 * of the store, and when that goes the call is broken off.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/sw_crc64.h"
#include "net/sw_http.h"
#include "net/sw_resource.h"
#include "sign/sw_sign_v4.h"
#include "store/sw_store_kind.h"

/* Of a body, read and checksummed at a time. */
#define SW_STORE_PIECE_BYTES (64 * 1024)

/* Longest wait a store may ask for; beyond, its number makes no sense. */
#define SW_STORE_MAX_RETRY_AFTER_S (24 * 3600)

/* A body on its way out, with the CRC of what has gone so far. */
typedef struct SwStoreSource
{
	const SwBody *body;
	uint64		crc64;
	int64		n_covered;		/* bytes the CRC is of */
} SwStoreSource;

struct SwStoreCall
{
	MemoryContext cxt;			/* owns the call, the struct too */
	SwStore    *store;
	SwStoreRequest *request;
	SwStoreWire wire;
	SwStoreSource source;
	SwHttpBody	body;
	char		timestamp[SW_SIGN_TIME_SIZE];	/* with which it was signed */
	SwHttpTransfer *transfer;
	SwResource *resource;		/* releases the transfer */
};

/*
 * SwHttpBody.read.  Offset 0 begins anew; the engine asks for the bytes in
 * order, so the CRC follows, in pieces that are still in the processor's
 * cache when it does.  Must not throw.
 */
static int
sw_store_read_source(void *arg, int64 offset, char *buf, int len)
{
	SwStoreSource *source = (SwStoreSource *) arg;
	int			n_read = 0;

	if (offset == 0)
	{
		source->crc64 = 0;
		source->n_covered = 0;
	}
	while (n_read < len)
	{
		int			n = source->body->read(source->body->arg, offset + n_read,
										   buf + n_read,
										   Min(len - n_read,
											   SW_STORE_PIECE_BYTES));

		if (n <= 0)
			return n_read > 0 ? n_read : n;
		if (offset + n_read == source->n_covered)
		{
			source->crc64 = sw_crc64_update(source->crc64, buf + n_read, n);
			source->n_covered += n;
		}
		n_read += n;
	}
	return n_read;
}

/* Sign for this moment: every attempt has a date of its own. */
static SwStatus
sw_store_sign(const SwStore *store, const SwStoreWire *wire,
			  const char *timestamp, SwSignV4Result *result, SwError *err)
{
	const SwStoreOptions *options = &store->options;
	SwSignV4Request sign;

	memset(&sign, 0, sizeof(sign));
	sign.scheme = store->ops->scheme;
	sign.method = wire->method;
	sign.host = store->authority;
	sign.path = wire->path;
	sign.query = wire->query;
	sign.n_query = wire->n_query;
	sign.headers = wire->signed_headers;
	sign.n_headers = wire->n_signed_headers;
	sign.payload_hash = SW_SIGN_UNSIGNED_PAYLOAD;
	sign.region = options->region;
	sign.timestamp = timestamp;
	sign.access_key = options->access_key;
	sign.secret_key = options->secret_key;
	sign.security_token = options->security_token;
	return sw_sign_v4_request(&sign, result, err);
}

/* Signed headers, then those that are not. */
static SwHttpHeader *
sw_store_join_headers(const SwSignV4Result *sign, const SwStoreWire *wire)
{
	SwHttpHeader *headers = palloc(sizeof(SwHttpHeader) *
								   (sign->n_headers + wire->n_plain_headers));

	for (int i = 0; i < sign->n_headers; i++)
	{
		headers[i].name = sign->headers[i].name;
		headers[i].value = sign->headers[i].value;
	}
	memcpy(headers + sign->n_headers, wire->plain_headers,
		   sizeof(SwHttpHeader) * wire->n_plain_headers);
	return headers;
}

static char *
sw_store_build_url(const SwStore *store, const SwSignV4Result *sign)
{
	return psprintf("%s://%s%s%s%s",
					store->endpoint.is_tls ? "https" : "http",
					store->authority, sign->path,
					sign->query[0] != '\0' ? "?" : "", sign->query);
}

/*
 * The store's wish to be left alone for a while, in milliseconds.  Seconds
 * are understood, dates are not: no store sends them.
 */
static int64
sw_store_read_retry_after(const SwHttpResponse *response)
{
	const char *text = response->headers[SW_STORE_HEADER_RETRY_AFTER];
	int64		seconds = 0;

	if (text == NULL)
		return 0;
	for (; *text >= '0' && *text <= '9'; text++)
		seconds = Min(seconds * 10 + (*text - '0'),
					  SW_STORE_MAX_RETRY_AFTER_S);
	return *text == '\0' ? seconds * 1000 : 0;
}

static void
sw_store_reset_result(SwStoreResult *result)
{
	MemoryContext cxt = result->cxt;

	memset(result, 0, sizeof(SwStoreResult));
	result->cxt = cxt;
}

static void
sw_store_release_transfer(void *object)
{
	sw_http_release((SwHttpTransfer *) object);
}

/* In the call's context. */
static SwStatus
sw_store_send(SwStoreCall *call, int idle_timeout_ms, SwError *err)
{
	SwStore    *store = call->store;
	SwStoreWire *wire = &call->wire;
	SwSignV4Result sign;
	SwHttpRequest http;

	sw_sign_v4_format_time(timestamptz_to_time_t(GetCurrentTimestamp()),
						   call->timestamp);
	SW_TRY(store->ops->write_request(store, call->request, wire, err));
	SW_TRY(sw_store_sign(store, wire, call->timestamp, &sign, err));

	call->source.body = wire->body;
	call->body.n_bytes = wire->body != NULL ? wire->body->n_bytes : 0;
	call->body.read = sw_store_read_source;
	call->body.arg = &call->source;

	memset(&http, 0, sizeof(http));
	http.method = wire->method;
	http.url = sw_store_build_url(store, &sign);
	http.peer = store->peer;
	http.headers = sw_store_join_headers(&sign, wire);
	http.n_headers = sign.n_headers + wire->n_plain_headers;
	http.body = wire->body != NULL ? &call->body : NULL;
	http.wanted_headers = store->ops->header_names;
	http.n_wanted_headers = SW_STORE_N_HEADERS;
	http.redactor = &store->redactor;
	http.connect_timeout_ms = Min(store->options.connect_timeout_ms,
								  idle_timeout_ms);
	http.idle_timeout_ms = idle_timeout_ms;
	http.deadline_ms = SW_NO_DEADLINE;
	SW_TRY(sw_http_begin(store->engine, &http, &call->transfer, err));
	call->resource->object = call->transfer;
	return SW_OK;
}

SwStatus
sw_store_call_begin(SwStore *store, SwStoreRequest *request,
					int idle_timeout_ms, SwStoreCall **call_out, SwError *err)
{
	MemoryContext cxt = AllocSetContextCreate(store->cxt, "SwStoreCall",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_cxt = MemoryContextSwitchTo(cxt);
	SwStoreCall *call = palloc0(sizeof(SwStoreCall));
	SwStatus	status;

	call->cxt = cxt;
	call->store = store;
	call->request = request;
	call->resource = sw_resource_create(cxt, sw_store_release_transfer);
	status = sw_store_send(call, idle_timeout_ms, err);
	MemoryContextSwitchTo(old_cxt);
	if (status != SW_OK)
		MemoryContextDelete(cxt);
	else
		*call_out = call;
	return status;
}

bool
sw_store_call_is_done(const SwStoreCall *call)
{
	return sw_http_is_done(call->transfer);
}

static SwStatus
sw_store_judge(SwStoreCall *call, SwStoreAttempt *attempt,
			   SwStoreResult *result, SwError *err)
{
	SwHttpResponse response;
	SwStoreReply reply;
	SwStatus	status = sw_http_end(call->transfer, &response, err);

	attempt->n_sent = response.n_sent;
	if (status != SW_OK)
		return status;

	attempt->retry_after_ms = sw_store_read_retry_after(&response);
	reply.request = call->request;
	reply.response = &response;
	reply.timestamp = call->timestamp;
	reply.crc64 = call->source.crc64;
	return call->store->ops->judge_reply(call->store, &reply, result, err);
}

SwStatus
sw_store_call_end(SwStoreCall *call, SwStoreAttempt *attempt,
				  SwStoreResult *result, SwError *err)
{
	MemoryContext old_cxt = MemoryContextSwitchTo(call->cxt);
	SwStatus	status;

	memset(attempt, 0, sizeof(SwStoreAttempt));
	sw_store_reset_result(result);
	status = sw_store_judge(call, attempt, result, err);
	attempt->crc64 = call->source.crc64;
	MemoryContextSwitchTo(old_cxt);
	MemoryContextDelete(call->cxt);
	return status;
}

void
sw_store_call_cancel(SwStoreCall *call)
{
	MemoryContextDelete(call->cxt);
}

SwStatus
sw_store_attempt(SwStore *store, SwStoreRequest *request,
				 int idle_timeout_ms, SwStoreAttempt *attempt,
				 SwStoreResult *result, SwError *err)
{
	SwStoreCall *call;

	memset(attempt, 0, sizeof(SwStoreAttempt));
	SW_TRY(sw_store_call_begin(store, request, idle_timeout_ms, &call, err));
	PG_TRY();
	{
		while (!sw_store_call_is_done(call))
			sw_http_wait(store->engine, SW_NO_DEADLINE);
	}
	PG_CATCH();
	{
		/* what it borrowed may be gone when the store is used again */
		sw_store_call_cancel(call);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return sw_store_call_end(call, attempt, result, err);
}
