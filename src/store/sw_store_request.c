/*-------------------------------------------------------------------------
 *
 * sw_store_request.c
 *	  One attempt at a request to an object store: sign, send, judge.
 *
 * The body is not hashed before it is sent (that would read it twice); its
 * CRC-64 is taken while it goes out, and compared with what the store says
 * it received.
 *
 * All memory of an attempt is in store->attempt_cxt.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/sw_crc64.h"
#include "net/sw_http.h"
#include "sign/sw_sign_v4.h"
#include "store/sw_store_kind.h"

/* Longest wait a store may ask for; beyond, its number makes no sense. */
#define SW_STORE_MAX_RETRY_AFTER_S (24 * 3600)

/* A body on its way out, with the CRC of what has gone so far. */
typedef struct SwStoreSource
{
	const SwBody *body;
	uint64		crc64;
	int64		n_covered;		/* bytes the CRC is of */
} SwStoreSource;

/*
 * SwHttpBody.read.  Offset 0 begins anew; the engine asks for the bytes in
 * order, so the CRC follows.  Must not throw.
 */
static int
sw_store_read_source(void *arg, int64 offset, char *buf, int len)
{
	SwStoreSource *source = (SwStoreSource *) arg;
	int			n = source->body->read(source->body->arg, offset, buf, len);

	if (offset == 0)
	{
		source->crc64 = 0;
		source->n_covered = 0;
	}
	if (n > 0 && offset == source->n_covered)
	{
		source->crc64 = sw_crc64_update(source->crc64, buf, n);
		source->n_covered += n;
	}
	return n;
}

/* Sign for this moment: every attempt has a date of its own. */
static SwStatus
sw_store_sign(const SwStore *store, const SwStoreRequest *request,
			  const char *timestamp, SwSignV4Result *result, SwError *err)
{
	const SwStoreOptions *options = &store->options;
	SwSignV4Request sign;

	memset(&sign, 0, sizeof(sign));
	sign.scheme = store->ops->scheme;
	sign.method = request->method;
	sign.host = store->authority;
	sign.path = store->endpoint.is_ip ?
		psprintf("/%s/%s", options->bucket, request->key) :
		psprintf("/%s", request->key);
	sign.payload_hash = SW_SIGN_UNSIGNED_PAYLOAD;
	sign.region = options->region;
	sign.timestamp = timestamp;
	sign.access_key = options->access_key;
	sign.secret_key = options->secret_key;
	return sw_sign_v4_request(&sign, result, err);
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

static SwStatus
sw_store_attempt_in_context(SwStore *store, const SwStoreRequest *request,
							int idle_timeout_ms, SwStoreAttempt *attempt,
							SwError *err)
{
	SwStoreSource source;
	SwHttpBody	body;
	SwHttpRequest http;
	SwHttpResponse response;
	SwHttpHeader *headers;
	SwSignV4Result sign;
	SwStoreReply reply;
	char		timestamp[SW_SIGN_TIME_SIZE];
	SwStatus	status;

	sw_sign_v4_format_time(timestamptz_to_time_t(GetCurrentTimestamp()),
						   timestamp);
	SW_TRY(sw_store_sign(store, request, timestamp, &sign, err));
	headers = palloc(sizeof(SwHttpHeader) * sign.n_headers);
	for (int i = 0; i < sign.n_headers; i++)
	{
		headers[i].name = sign.headers[i].name;
		headers[i].value = sign.headers[i].value;
	}

	memset(&source, 0, sizeof(source));
	source.body = request->body;
	body.n_bytes = request->body != NULL ? request->body->n_bytes : 0;
	body.read = sw_store_read_source;
	body.arg = &source;

	memset(&http, 0, sizeof(http));
	http.method = request->method;
	http.url = sw_store_build_url(store, &sign);
	http.peer = store->peer;
	http.headers = headers;
	http.n_headers = sign.n_headers;
	http.body = request->body != NULL ? &body : NULL;
	http.wanted_headers = store->ops->header_names;
	http.n_wanted_headers = SW_STORE_N_HEADERS;
	http.redactor = &store->redactor;
	http.connect_timeout_ms = Min(store->options.connect_timeout_ms,
								  idle_timeout_ms);
	http.idle_timeout_ms = idle_timeout_ms;
	http.deadline_ms = SW_NO_DEADLINE;

	status = sw_http_perform(store->engine, &http, &response, err);
	attempt->n_sent = response.n_sent;
	if (status != SW_OK)
		return status;

	attempt->retry_after_ms = sw_store_read_retry_after(&response);
	reply.request = request;
	reply.response = &response;
	reply.timestamp = timestamp;
	reply.crc64 = source.crc64;
	return store->ops->judge_reply(store, &reply, err);
}

SwStatus
sw_store_attempt(SwStore *store, const SwStoreRequest *request,
				 int idle_timeout_ms, SwStoreAttempt *attempt, SwError *err)
{
	MemoryContext old_cxt;
	SwStatus	status;

	MemoryContextReset(store->attempt_cxt);
	old_cxt = MemoryContextSwitchTo(store->attempt_cxt);
	memset(attempt, 0, sizeof(SwStoreAttempt));
	status = sw_store_attempt_in_context(store, request, idle_timeout_ms,
										 attempt, err);
	MemoryContextSwitchTo(old_cxt);
	return status;
}
