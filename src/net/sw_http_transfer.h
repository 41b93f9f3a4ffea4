/*-------------------------------------------------------------------------
 *
 * sw_http_transfer.h
 *	  One request on its way: what the files sw_http_*.c share.  Nobody else
 *	  includes this.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_HTTP_TRANSFER_H
#define SW_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "net/sw_http.h"
#include "net/sw_resource.h"

#define SW_HTTP_MAX_WANTED_HEADERS 16
#define SW_HTTP_HEADER_BYTES 8192

/*
 * Used for one request after the other.  libcurl's callbacks write into it
 * and nowhere else, so they need no memory and have nothing to throw.
 */
typedef struct SwHttpTransfer
{
	CURL	   *easy;
	struct curl_slist *header_list; /* what the easy handle sends */
	CURLM	   *multi;			/* the engine's */
	bool		is_active;		/* easy is in multi */
	const SwHttpOptions *options;
	SwResource *resource;		/* releases the easy handle and the list */

	const SwHttpRequest *request;	/* NULL between requests */
	int64		body_offset;	/* next byte libcurl will ask for */
	int			body_errno;		/* of a failed read of the body */
	bool		is_body_failed; /* the body could not be read */

	char	   *body;			/* SW_HTTP_MAX_BODY + 1 bytes */
	Size		n_body;
	int64		n_dropped;		/* bytes of the reply beyond those */
	bool		is_reply_begun; /* a final status line has arrived */
	char		header_text[SW_HTTP_HEADER_BYTES];
	Size		n_header_text;
	const char *headers[SW_HTTP_MAX_WANTED_HEADERS];
	char		curl_message[CURL_ERROR_SIZE];
} SwHttpTransfer;

/* Which limit of time was passed. */
typedef enum SwHttpTimeout
{
	SW_HTTP_TIMEOUT_IDLE,
	SW_HTTP_TIMEOUT_DEADLINE
} SwHttpTimeout;

/* ---- sw_http_request.c ---- */

/* Made in the current context, adopted by it after the multi handle. */
extern SwHttpTransfer *sw_http_transfer_create(CURLM *multi,
											   const SwHttpOptions *options);

/* Ready the easy handle for a request.  The caller adds it to the multi. */
extern SwStatus sw_http_transfer_begin(SwHttpTransfer *transfer,
									   const SwHttpRequest *request,
									   SwError *err);

/* Take the easy handle out of the multi, if it is there. */
extern void sw_http_transfer_remove(SwHttpTransfer *transfer);

/* ---- sw_http_outcome.c ---- */

/*
 * A number that grows when the peer is connected, when it took a byte of the
 * body, and when it begins to reply.
 */
extern int64 sw_http_transfer_progress(const SwHttpTransfer *transfer);

/* The request ended by itself: describe its reply, or its failure. */
extern SwStatus sw_http_transfer_finish(SwHttpTransfer *transfer,
										CURLcode code,
										SwHttpResponse *response,
										SwError *err);

/* The request took too long: describe that. */
extern SwStatus sw_http_transfer_expire(SwHttpTransfer *transfer,
										SwHttpTimeout timeout,
										SwHttpResponse *response,
										SwError *err);

#endif							/* SW_HTTP_TRANSFER_H */
