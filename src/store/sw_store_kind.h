/*-------------------------------------------------------------------------
 *
 * sw_store_kind.h
 *	  What a kind of object store has to say for itself, and how a request
 *	  to any of them goes.  Shared by the files sw_store*.c only.
 *
 * sw_store.c			options, keys, addresses; the calls of sw_store.h
 * sw_store_request.c	one attempt: sign, send, judge the reply
 * sw_store_retry.c		attempts until one ends it
 * sw_store_tos.c		TOS: its rules, its replies
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STORE_KIND_H
#define SW_STORE_KIND_H

#include "common/sw_uri.h"
#include "net/sw_http.h"
#include "net/sw_redact.h"
#include "sign/sw_sign_v4.h"
#include "store/sw_store.h"

typedef struct SwStoreOps SwStoreOps;

struct SwStore
{
	MemoryContext cxt;			/* owns the store, the struct too */
	MemoryContext attempt_cxt;	/* reset before each attempt */
	const SwStoreOps *ops;
	SwStoreOptions options;
	SwEndpoint	endpoint;		/* where we write */
	SwEndpoint	load_endpoint;	/* where the warehouse reads */
	bool		has_load_endpoint;	/* the user set it; else it is derived */
	char	   *authority;		/* Host header of our requests */
	char	   *peer;			/* the store, as messages name it */
	SwRedactor	redactor;		/* access key and secret key */
	SwHttpEngine *engine;
};

/* One operation on one object. */
typedef struct SwStoreRequest
{
	const char *method;			/* HTTP method, upper case */
	const char *verb;			/* what messages call it: "put" */
	const char *key;
	const SwBody *body;			/* NULL = none */
} SwStoreRequest;

/* Reply headers that are looked at, whatever a kind calls them. */
typedef enum SwStoreHeader
{
	SW_STORE_HEADER_DATE = 0,
	SW_STORE_HEADER_RETRY_AFTER,
	SW_STORE_HEADER_REQUEST_ID,
	SW_STORE_HEADER_ERROR_CODE,
	SW_STORE_HEADER_CHECKSUM
} SwStoreHeader;

#define SW_STORE_N_HEADERS (SW_STORE_HEADER_CHECKSUM + 1)

/* A reply, and what it is a reply to. */
typedef struct SwStoreReply
{
	const SwStoreRequest *request;
	const SwHttpResponse *response;
	const char *timestamp;		/* with which the request was signed */
	uint64		crc64;			/* of the body that was sent */
} SwStoreReply;

struct SwStoreOps
{
	const char *kind;			/* as in SwStoreOptions */
	const SwSignV4Scheme *scheme;
	const char *header_names[SW_STORE_N_HEADERS];	/* lower case */

	/*
	 * Check what this kind asks of endpoints and bucket.  load_endpoint comes
	 * as a copy of endpoint where the user set none; the kind derives its own
	 * from it.
	 */
	SwStatus	(*check_endpoints) (SwStore *store, SwError *err);

	/*
	 * Is the operation done?  SW_OK also for a delete of nothing.  Else what
	 * the reply says, with a remedy where one is known.
	 */
	SwStatus	(*judge_reply) (const SwStore *store,
								const SwStoreReply *reply, SwError *err);
};

extern const SwStoreOps sw_store_tos_ops;

/* How one attempt went, beyond its SwStatus. */
typedef struct SwStoreAttempt
{
	int64		n_sent;			/* bytes of the body */
	int64		retry_after_ms; /* the store's wish; 0 = none */
} SwStoreAttempt;

/* Sign, send, judge.  Does not repeat anything. */
extern SwStatus sw_store_attempt(SwStore *store,
								 const SwStoreRequest *request,
								 int idle_timeout_ms,
								 SwStoreAttempt *attempt, SwError *err);

/* Attempts until one succeeds, or fails for good, or time is up. */
extern SwStatus sw_store_perform(SwStore *store,
								 const SwStoreRequest *request, SwError *err);

#endif							/* SW_STORE_KIND_H */
