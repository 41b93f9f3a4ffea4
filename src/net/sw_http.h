/*-------------------------------------------------------------------------
 *
 * sw_http.h
 *	  HTTP requests over libcurl, behind the one wait primitive.
 *
 * An engine keeps connections open between requests and has any number of
 * requests on their way at once.  It belongs to a memory context, and so do
 * its sockets: when an interrupt jumps out of sw_http_wait, deleting the
 * context frees all of it, and an engine that is kept instead can be used
 * again.
 *
 *	  sw_http_begin(engine, request, &transfer)
 *	  sw_http_crank(engine)			at any time, never waits
 *	  sw_http_wait(engine, ...)		until something is done
 *	  sw_http_is_done(transfer)?
 *	  sw_http_end(transfer, &response)
 *	  sw_http_release(transfer)		at any time; breaks off what is not done
 *
 * sw_http_perform is all of that for one request.
 *
 * The engine follows no redirects, speaks http and https only, verifies
 * certificates always, and takes its proxy from the options only, never
 * from the environment.  Through a proxy, https goes by a CONNECT tunnel.
 *
 * Made of sw_http_engine.c (sockets, timer), sw_http_drive.c (requests on
 * their way), sw_http_request.c (one request and what libcurl hands back)
 * and sw_http_outcome.c (how it went).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_HTTP_H
#define SW_HTTP_H

#include "common/sw_status.h"
#include "net/sw_redact.h"
#include "net/sw_wait.h"

/*
 * A reply's body beyond this is dropped, unless the request says otherwise;
 * the reply is still a reply.
 */
#define SW_HTTP_MAX_BODY	(64 * 1024)

/* Copied by sw_http_engine_create.  NULL or "" = not set. */
typedef struct SwHttpOptions
{
	const char *proxy;			/* http://[user:password@]host[:port] */
	const char *ca_file;		/* CA bundle instead of the system's roots */
	SwWaitEvent wait_event;
} SwHttpOptions;

typedef struct SwHttpEngine SwHttpEngine;

/* A request on its way, or done.  Belongs to the engine. */
typedef struct SwHttpTransfer SwHttpTransfer;

/*
 * A request body.  read fills buf with up to len bytes from offset and
 * returns how many, or -1 with errno set; it must not throw.  It is called
 * with offset 0 again when the body has to be sent once more.
 */
typedef struct SwHttpBody
{
	int64		n_bytes;
	int			(*read) (void *arg, int64 offset, char *buf, int len);
	void	   *arg;
} SwHttpBody;

typedef struct SwHttpHeader
{
	const char *name;
	const char *value;
} SwHttpHeader;

/*
 * Method, URL, headers and this struct itself are borrowed until the request
 * has begun; peer, body, wanted_headers and redactor until its transfer is
 * released.
 */
typedef struct SwHttpRequest
{
	const char *method;			/* upper case */
	const char *url;			/* sent as it is, path and query encoded */
	const char *peer;			/* who that is, for messages: "object store" */
	const SwHttpHeader *headers;	/* to send; Host included if it matters */
	int			n_headers;
	const SwHttpBody *body;		/* NULL = none */
	const char *const *wanted_headers;	/* of the reply; lower case */
	int			n_wanted_headers;
	Size		max_body_bytes; /* of the reply; 0 = SW_HTTP_MAX_BODY */
	const SwRedactor *redactor; /* applied to what libcurl says; or NULL */
	int			connect_timeout_ms; /* name, TCP, proxy and TLS together */
	int			idle_timeout_ms;	/* without a byte of the body moving; also
									 * for the reply to begin, and from there
									 * for it to end */
	int64		deadline_ms;	/* for everything; SW_NO_DEADLINE = none */
} SwHttpRequest;

/*
 * Points into the transfer: valid until that is released.  n_sent is set
 * also when the request failed.
 */
typedef struct SwHttpResponse
{
	int			status;			/* 200 .. 999 */
	const char *body;			/* NUL-terminated, may hold more NULs */
	Size		n_body;
	bool		is_body_cut;	/* there was more */
	int64		n_sent;			/* bytes of the request body */
	const char *const *headers; /* by position in wanted_headers; NULL =
								 * absent */
} SwHttpResponse;

/*
 * Make an engine in cxt.  Throws when memory or file descriptors run out.
 * Freed with cxt or by sw_http_engine_destroy.
 */
extern SwHttpEngine *sw_http_engine_create(MemoryContext cxt,
										   const SwHttpOptions *options);
extern void sw_http_engine_destroy(SwHttpEngine *engine);

/*
 * Begin a request; does not wait.  *transfer_out is set on success and is the
 * caller's until sw_http_release.  Throws when memory runs out.
 */
extern SwStatus sw_http_begin(SwHttpEngine *engine,
							  const SwHttpRequest *request,
							  SwHttpTransfer **transfer_out, SwError *err);

/*
 * Do what can be done for all requests without waiting, in a bounded time.
 * The time between two turns of the crank does not count as idle time of the
 * peer, but for a second of it.  Never throws.
 */
extern void sw_http_crank(SwHttpEngine *engine);

/*
 * Wait until one more request is done than was before, or until deadline_ms.
 * Throws for interrupts only.
 */
extern void sw_http_wait(SwHttpEngine *engine, int64 deadline_ms);

extern bool sw_http_is_done(const SwHttpTransfer *transfer);

/* Requests on their way: begun, not done. */
extern int	sw_http_count_active(const SwHttpEngine *engine);

/*
 * How a request that is done went.  SW_OK means that there is a reply,
 * whatever its status code says.  err->retry is SW_RETRY_LATER where the peer
 * cannot have seen the whole request, SW_RETRY_UNKNOWN where it can.
 */
extern SwStatus sw_http_end(SwHttpTransfer *transfer,
							SwHttpResponse *response, SwError *err);

/* Give a transfer back; what is not done is broken off.  Never throws. */
extern void sw_http_release(SwHttpTransfer *transfer);

/*
 * Send a request and take in the reply, as begin, wait and end.  The response
 * is valid until the next call.  Throws for interrupts only, and when memory
 * runs out.
 */
extern SwStatus sw_http_perform(SwHttpEngine *engine,
								const SwHttpRequest *request,
								SwHttpResponse *response, SwError *err);

#endif							/* SW_HTTP_H */
