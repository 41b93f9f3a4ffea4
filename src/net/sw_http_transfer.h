/*-------------------------------------------------------------------------
 *
 * sw_http_transfer.h
 *	  An engine and its requests: what the files sw_http_*.c share.  Nobody
 *	  else includes this.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_HTTP_TRANSFER_H
#define SW_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "lib/ilist.h"

#include "net/sw_http.h"
#include "net/sw_resource.h"

#define SW_HTTP_MAX_WANTED_HEADERS 16
#define SW_HTTP_HEADER_BYTES 8192

struct SwHttpEngine
{
	MemoryContext cxt;			/* owns everything here, the struct too */
	SwHttpOptions options;
	int			n_own_fds;		/* counted with fd.c: epoll, sockets, reserve */
	int			epoll_fd;
	CURLM	   *multi;
	int64		timer_ms;		/* when libcurl wants to be called */
	int			socket_errno;	/* of a failed change of the epoll set */
	dlist_head	active;			/* transfers in multi */
	int			n_active;
	int64		n_ended;		/* transfers that became done, ever */
	slist_head	spare;			/* transfers for the next requests */
	SwHttpTransfer *performed;	/* of sw_http_perform */
};

/* Where a transfer is in its life. */
typedef enum SwHttpState
{
	SW_HTTP_SPARE,				/* nobody's */
	SW_HTTP_ACTIVE,				/* in the multi handle */
	SW_HTTP_ENDED,				/* by itself: code says how */
	SW_HTTP_IDLE,				/* given up: nothing moved */
	SW_HTTP_LATE,				/* given up: the deadline has passed */
	SW_HTTP_BROKEN				/* given up: the library or epoll failed */
} SwHttpState;

/*
 * Used for one request after the other.  libcurl's callbacks write into it
 * and nowhere else, and none of them throws.
 */
struct SwHttpTransfer
{
	SwHttpEngine *engine;
	CURL	   *easy;
	struct curl_slist *header_list; /* what the easy handle sends */
	SwResource *resource;		/* releases the easy handle and the list */

	SwHttpState state;
	dlist_node	active_node;	/* in engine->active */
	slist_node	spare_node;		/* in engine->spare */
	CURLcode	code;			/* of SW_HTTP_ENDED */
	CURLMcode	multi_code;		/* of SW_HTTP_BROKEN, or socket_errno */
	int			socket_errno;

	SwHttpRequest request;		/* what is borrowed beyond its beginning */
	int64		body_offset;	/* next byte libcurl will ask for */
	int			body_errno;		/* of a failed read of the body */
	bool		is_body_failed; /* the body could not be read */
	int64		progress;		/* as of the last look at it */
	int64		seen_ms;		/* when that was */
	int64		idle_ms;		/* when it has been idle for too long */

	char	   *body;			/* body_size + 1 bytes */
	Size		body_size;
	Size		n_body;
	int64		n_dropped;		/* bytes of the reply beyond those */
	bool		is_reply_begun; /* a final status line has arrived */
	char		header_text[SW_HTTP_HEADER_BYTES];
	Size		n_header_text;
	const char *headers[SW_HTTP_MAX_WANTED_HEADERS];
	char		curl_message[CURL_ERROR_SIZE];
};

/* ---- sw_http_engine.c ---- */

/*
 * Let libcurl work on the sockets that are ready, and on its timer if that is
 * due.  *n_ready_out: how many were.
 */
extern CURLMcode sw_http_engine_serve(SwHttpEngine *engine, int *n_ready_out);

/* ---- sw_http_request.c ---- */

/* Made in the engine's context, adopted by it after the multi handle. */
extern SwHttpTransfer *sw_http_transfer_create(SwHttpEngine *engine);

/* Ready the easy handle for a request.  The caller adds it to the multi. */
extern SwStatus sw_http_transfer_begin(SwHttpTransfer *transfer,
									   const SwHttpRequest *request,
									   SwError *err);

/* ---- sw_http_drive.c ---- */

/* Take the easy handle out of the multi, if it is there. */
extern void sw_http_transfer_stop(SwHttpTransfer *transfer,
								  SwHttpState state);

/* ---- sw_http_outcome.c ---- */

/*
 * A number that grows when the peer is connected, when it took a byte of the
 * body, and when it begins to reply.
 */
extern int64 sw_http_transfer_progress(const SwHttpTransfer *transfer);

#endif							/* SW_HTTP_TRANSFER_H */
