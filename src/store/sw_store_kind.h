/*-------------------------------------------------------------------------
 *
 * sw_store_kind.h
 *	  What a kind of object store has to say for itself, and how a request
 *	  to any of them goes.  For sw_store*.c and sw_upload*.c only.
 *
 * sw_store.c			options, keys, addresses; the simple calls of sw_store.h
 * sw_store_list.c		lists, and deletion of many objects
 * sw_store_wire.c		an operation as an HTTP request
 * sw_store_request.c	attempts: sign, send, judge the reply
 * sw_store_retry.c		attempts until one ends it
 * sw_store_reply.c		what the documents of a store say
 * sw_store_judge.c		what a reply to an operation means
 * sw_store_error.c		what a refusal means, and what helps
 * sw_store_tos.c		TOS by its native API
 * sw_store_s3.c		everything that speaks S3
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STORE_KIND_H
#define SW_STORE_KIND_H

#include "common/sw_uri.h"
#include "net/sw_http.h"
#include "net/sw_redact.h"
#include "sign/sw_md5.h"
#include "sign/sw_sign_v4.h"
#include "store/sw_store.h"
#include "store/sw_store_reply.h"

#define SW_STORE_MAX_QUERY	8
#define SW_STORE_MAX_WIRE_HEADERS 4

/*
 * Lines of a page that are asked for, and keys in one request to delete many:
 * what the replies to them need stays under SW_HTTP_MAX_BODY.
 */
#define SW_STORE_PAGE_ENTRIES 50
#define SW_STORE_MAX_DELETIONS 50

typedef struct SwStoreOps SwStoreOps;

struct SwStore
{
	MemoryContext cxt;			/* owns the store, the struct too */
	const SwStoreOps *ops;
	SwStoreOptions options;
	SwEndpoint	endpoint;		/* where we write */
	SwEndpoint	load_endpoint;	/* where the warehouse reads */
	bool		has_load_endpoint;	/* the user set it; else it is derived */
	bool		is_path_style;	/* the bucket is part of the path: ours */
	bool		is_load_path_style; /* ... and of the warehouse's URLs */
	char	   *authority;		/* Host header of our requests */
	char	   *peer;			/* the store, as messages name it */
	SwRedactor	redactor;		/* access key, secret key and token */
	SwHttpEngine *engine;
};

typedef enum SwStoreOperation
{
	SW_STORE_PUT = 0,
	SW_STORE_CREATE_UPLOAD,
	SW_STORE_PUT_PART,
	SW_STORE_COMPLETE_UPLOAD,
	SW_STORE_ABORT_UPLOAD,
	SW_STORE_LIST_UPLOADS,
	SW_STORE_HEAD,
	SW_STORE_GET,
	SW_STORE_DELETE,
	SW_STORE_DELETE_MANY,
	SW_STORE_LIST
} SwStoreOperation;

/* A part that the store has taken, as completing the upload wants it. */
typedef struct SwStorePart
{
	int			number;			/* from 1 */
	bool		is_etag_md5;	/* as SwStoreResult said of the part */
	char		etag[SW_STORE_ETAG_SIZE];
} SwStorePart;

/*
 * One operation, the same through all its attempts.  Zero what it does not
 * need.  The caller keeps all of it until the operation has ended.
 */
typedef struct SwStoreRequest
{
	SwStoreOperation operation;
	const char *key;			/* NULL where it is about the bucket */
	const SwBody *body;			/* put, put part */
	const char *upload_id;		/* put part, complete, abort */
	int			part_number;	/* put part */
	const SwStorePart *parts;	/* complete: all, by number */
	int			n_parts;
	bool		has_crc64;		/* complete: crc64 is that of the whole */
	uint64		crc64;
	const char *const *keys;	/* delete many */
	int			n_keys;
	int64		offset;			/* get */
	int			n_bytes;
	const char *prefix;			/* lists; NULL = all */
	const char *marker;			/* lists: where the last page ended; or NULL */
	const char *upload_marker;	/* list uploads: likewise */

	/* taken of body by the first attempt that needs it */
	bool		has_md5;
	uint8		md5[SW_MD5_BYTES];
} SwStoreRequest;

/*
 * An operation as an HTTP request, before it is signed.  Stays where it was
 * made: body may point into it.
 */
typedef struct SwStoreWire
{
	const char *method;
	char	   *path;			/* raw bytes, with the bucket where it is part */
	SwSignPair	query[SW_STORE_MAX_QUERY];	/* raw; the signer sorts them */
	int			n_query;
	SwSignPair	signed_headers[SW_STORE_MAX_WIRE_HEADERS];
	int			n_signed_headers;
	SwHttpHeader plain_headers[SW_STORE_MAX_WIRE_HEADERS];	/* not signed */
	int			n_plain_headers;
	const SwBody *body;			/* the request's, or document; NULL = none */
	SwBody		document;		/* a body that was made for this request; may
								 * have no bytes */
} SwStoreWire;

/* Reply headers that are looked at, whatever a kind calls them. */
typedef enum SwStoreHeader
{
	SW_STORE_HEADER_DATE = 0,
	SW_STORE_HEADER_RETRY_AFTER,
	SW_STORE_HEADER_REQUEST_ID,
	SW_STORE_HEADER_ERROR_CODE,
	SW_STORE_HEADER_CHECKSUM,
	SW_STORE_HEADER_ETAG,
	SW_STORE_HEADER_LENGTH,
	SW_STORE_HEADER_RANGE,
	SW_STORE_HEADER_ENCRYPTION,
	SW_STORE_HEADER_CUSTOMER_ENCRYPTION,
	SW_STORE_HEADER_BUCKET_REGION
} SwStoreHeader;

#define SW_STORE_N_HEADERS (SW_STORE_HEADER_BUCKET_REGION + 1)

/* A reply, and what it is a reply to. */
typedef struct SwStoreReply
{
	const SwStoreRequest *request;
	const SwHttpResponse *response;
	const char *timestamp;		/* with which the request was signed */
	uint64		crc64;			/* of the body that was sent */
} SwStoreReply;

/* What a reply gave.  The caller sets cxt (or NULL: wants no lists). */
typedef struct SwStoreResult
{
	MemoryContext cxt;			/* of page and content */
	char		code[SW_STORE_CODE_SIZE];	/* of a refusal; "" = none told */
	int64		n_bytes;		/* head: size; get: of content; -1 = not told */
	bool		has_crc64;		/* the store told the whole object's CRC-64 */
	uint64		crc64;
	bool		is_etag_md5;	/* etag is the MD5 of the bytes */
	char		etag[SW_STORE_ETAG_SIZE];	/* as sent, quotes included */
	char		upload_id[SW_STORE_UPLOAD_ID_SIZE]; /* create */
	SwStorePage page;			/* lists, delete many */
	char	   *content;		/* get */
} SwStoreResult;

struct SwStoreOps
{
	const char *kind;			/* as in SwStoreOptions */
	const char *name;			/* what messages call it: "TOS" */
	const char *action_prefix;	/* of rights: "tos" in tos:PutObject */
	const SwSignV4Scheme *scheme;
	bool		wants_md5;		/* of objects and parts, before these */
	const char *header_names[SW_STORE_N_HEADERS];	/* lower case; "" = none */

	/*
	 * Check what this kind asks of endpoints and bucket.  load_endpoint comes
	 * as a copy of endpoint where the user set none; the kind derives its own
	 * from it.
	 */
	SwStatus	(*check_endpoints) (SwStore *store, SwError *err);

	/*
	 * Fill *wire, all in the current context.  Takes the MD5 of the request's
	 * body where the kind sends it; that can fail like any read of it.
	 */
	SwStatus	(*write_request) (const SwStore *store,
								  SwStoreRequest *request,
								  SwStoreWire *wire, SwError *err);

	/*
	 * Is the operation done?  SW_OK also for a delete of nothing.  Else what
	 * the reply says, with a remedy where one is known.  Fills *result; its
	 * code also when the operation is refused.  An object or part that was
	 * sent has been compared with what the store says it received.
	 */
	SwStatus	(*judge_reply) (const SwStore *store,
								const SwStoreReply *reply,
								SwStoreResult *result, SwError *err);

	/*
	 * Is what head said of an object what this complete-request wants to
	 * make?  For a complete whose own reply was lost.
	 */
	SwStatus	(*verify_whole) (const SwStore *store,
								 const SwStoreRequest *complete,
								 const SwStoreResult *head, SwError *err);
};

extern const SwStoreOps sw_store_tos_ops;
extern const SwStoreOps sw_store_s3_ops;

/* Are all characters of a key plain, and all parts of it sensible? */
extern SwStatus sw_store_check_key(const char *key, SwError *err);

/* What messages call an operation: "could not <verb> ...". */
extern const char *sw_store_verb(SwStoreOperation operation);

/* What an operation is done to, palloc'd: the key, or the bucket. */
extern char *sw_store_subject(const SwStore *store,
							  const SwStoreRequest *request);

/* ---- sw_store_wire.c ---- */

/* Everything of a request that kinds have in common. */
extern void sw_store_write_common(const SwStore *store,
								  const SwStoreRequest *request,
								  SwStoreWire *wire);
extern void sw_store_add_query(SwStoreWire *wire, const char *name,
							   const char *value);
extern void sw_store_add_signed_header(SwStoreWire *wire, const char *name,
									   const char *value);
extern void sw_store_add_plain_header(SwStoreWire *wire, const char *name,
									  const char *value);

/* Send text, palloc'd, as the body; with its type and its MD5. */
extern SwStatus sw_store_set_document(SwStoreWire *wire, StringInfo text,
									  const char *content_type,
									  SwError *err);

/* Content-MD5 of the request's body; reads all of it, once. */
extern SwStatus sw_store_add_body_md5(SwStoreWire *wire,
									  SwStoreRequest *request, SwError *err);

/* ---- sw_store_judge.c ---- */

/*
 * Judge a reply by what all kinds have in common: all of judge_reply but the
 * comparison of bytes.
 */
extern SwStatus sw_store_judge_common(const SwStore *store,
									  const SwStoreReply *reply,
									  SwStoreResult *result, SwError *err);

/* What the store has is not what was sent. */
extern SwStatus sw_store_report_mismatch(const SwStore *store,
										 const SwStoreRequest *request,
										 const char *theirs,
										 const char *ours, SwError *err);

/* ---- sw_store_error.c ---- */

/* The reply is a refusal: say what it means, and what helps. */
extern SwStatus sw_store_report_refusal(const SwStore *store,
										const SwStoreReply *reply,
										SwStoreResult *result, SwError *err);

/* The reply is not one of this kind of store. */
extern SwStatus sw_store_report_stranger(const SwStore *store,
										 const SwStoreReply *reply,
										 const char *why, SwError *err);

/* A text of the peer's, palloc'd, fit to be shown. */
extern char *sw_store_redact(const SwStore *store, const char *text,
							 Size max_bytes);

/* ---- sw_store_request.c, sw_store_retry.c ---- */

/* How one attempt went, beyond its SwStatus. */
typedef struct SwStoreAttempt
{
	int64		n_sent;			/* bytes of the body */
	uint64		crc64;			/* of the body, if all of it was sent */
	int64		retry_after_ms; /* the store's wish; 0 = none */
} SwStoreAttempt;

/* One attempt on its way. */
typedef struct SwStoreCall SwStoreCall;

/*
 * Sign and begin to send; does not wait.  On success *call_out is to be
 * ended, or cancelled at any time; request must stay until then.
 */
extern SwStatus sw_store_call_begin(SwStore *store, SwStoreRequest *request,
									int idle_timeout_ms,
									SwStoreCall **call_out, SwError *err);
extern bool sw_store_call_is_done(const SwStoreCall *call);

/* How a call that is done went; frees it. */
extern SwStatus sw_store_call_end(SwStoreCall *call, SwStoreAttempt *attempt,
								  SwStoreResult *result, SwError *err);
extern void sw_store_call_cancel(SwStoreCall *call);

/* Begin, wait, end.  Does not repeat anything. */
extern SwStatus sw_store_attempt(SwStore *store, SwStoreRequest *request,
								 int idle_timeout_ms,
								 SwStoreAttempt *attempt,
								 SwStoreResult *result, SwError *err);

/* The attempts at one operation: how many, and for how long still. */
typedef struct SwStoreRetry
{
	int			timeout_ms;		/* without progress */
	int			n_attempts;
	int64		started_ms;
	int64		give_up_ms;
	int64		attempt_ms;		/* when the last one began */
	int64		next_ms;		/* when the next one may */
	bool		may_be_done;	/* an attempt that failed may have been
								 * carried out */
} SwStoreRetry;

extern void sw_store_retry_init(SwStoreRetry *retry, const SwStore *store);

/* An attempt begins.  Returns the idle time-out for it. */
extern int	sw_store_retry_begin(SwStoreRetry *retry);

/*
 * An attempt failed.  true: there may be another one from retry->next_ms on;
 * false: it is for good, and *err says how often it was tried.  With patience
 * there is always another one, unless a repeat cannot help.
 */
extern bool sw_store_retry_goes_on(SwStoreRetry *retry,
								   const SwStoreAttempt *attempt,
								   bool has_patience, SwError *err);

/* Attempts until one succeeds, or fails for good, or time is up. */
extern SwStatus sw_store_perform(SwStore *store, SwStoreRequest *request,
								 SwStoreResult *result, SwError *err);

#endif							/* SW_STORE_KIND_H */
