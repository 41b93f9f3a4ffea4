/*-------------------------------------------------------------------------
 *
 * sw_http_drive.c
 *	  The requests of an HTTP engine on their way: begin, turn, wait, end.
 *
 *	  a turn: which sockets are ready, is the timer due?	(sw_http_engine.c)
 *			  which requests are done?
 *			  which have been idle for too long, or are late?
 *
 * A transfer stays with the engine when its request is over: its easy handle
 * holds the TLS sessions, so the next request takes it up again.
 *
 * Called by whoever has an engine, outside of libcurl's callbacks.  Nothing
 * here throws but sw_wait and memory that runs out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "net/sw_http.h"
#include "net/sw_http_transfer.h"
#include "net/sw_wait.h"

/* Turns of one call of the crank: many times what the buffers can take. */
#define SW_HTTP_CRANK_TURNS 256

/* Turns with something to do before the latch is looked at again. */
#define SW_HTTP_BUSY_TURNS	32

/* Of the time that nobody turned the crank, this much is the peer's. */
#define SW_HTTP_MAX_GAP_MS	1000

/* ---- one transfer ---- */

void
sw_http_transfer_stop(SwHttpTransfer *transfer, SwHttpState state)
{
	SwHttpEngine *engine = transfer->engine;

	if (transfer->state == SW_HTTP_ACTIVE)
	{
		dlist_delete(&transfer->active_node);
		engine->n_active--;
		engine->n_ended++;
		curl_multi_remove_handle(engine->multi, transfer->easy);
	}
	transfer->state = state;
}

static SwHttpTransfer *
sw_http_take_spare(SwHttpEngine *engine)
{
	if (slist_is_empty(&engine->spare))
		return sw_http_transfer_create(engine);
	return slist_container(SwHttpTransfer, spare_node,
						   slist_pop_head_node(&engine->spare));
}

SwStatus
sw_http_begin(SwHttpEngine *engine, const SwHttpRequest *request,
			  SwHttpTransfer **transfer_out, SwError *err)
{
	SwHttpTransfer *transfer = sw_http_take_spare(engine);
	SwStatus	status = sw_http_transfer_begin(transfer, request, err);

	if (status == SW_OK)
	{
		CURLMcode	code = curl_multi_add_handle(engine->multi,
												 transfer->easy);

		if (code != CURLM_OK)
			status = sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
								  "HTTP library failed: %s",
								  curl_multi_strerror(code));
	}
	if (status != SW_OK)
	{
		slist_push_head(&engine->spare, &transfer->spare_node);
		return status;
	}

	transfer->state = SW_HTTP_ACTIVE;
	transfer->seen_ms = sw_wait_now_ms();
	transfer->idle_ms = sw_wait_deadline(request->idle_timeout_ms);
	transfer->progress = 0;
	dlist_push_tail(&engine->active, &transfer->active_node);
	engine->n_active++;
	*transfer_out = transfer;
	return SW_OK;
}

bool
sw_http_is_done(const SwHttpTransfer *transfer)
{
	return transfer->state != SW_HTTP_ACTIVE;
}

int
sw_http_count_active(const SwHttpEngine *engine)
{
	return engine->n_active;
}

void
sw_http_release(SwHttpTransfer *transfer)
{
	Assert(transfer->state != SW_HTTP_SPARE);
	sw_http_transfer_stop(transfer, SW_HTTP_SPARE);
	memset(&transfer->request, 0, sizeof(SwHttpRequest));
	slist_push_head(&transfer->engine->spare, &transfer->spare_node);
}

/* ---- a turn ---- */

/* Let go of the requests that have ended by themselves. */
static void
sw_http_collect(SwHttpEngine *engine)
{
	CURLMsg    *message;
	int			n_left;

	while ((message = curl_multi_info_read(engine->multi, &n_left)) != NULL)
	{
		CURL	   *easy = message->easy_handle;
		CURLcode	code = message->data.result;
		dlist_mutable_iter iter;

		if (message->msg != CURLMSG_DONE)
			continue;
		dlist_foreach_modify(iter, &engine->active)
		{
			SwHttpTransfer *transfer = dlist_container(SwHttpTransfer,
													   active_node, iter.cur);

			if (transfer->easy != easy)
				continue;
			transfer->code = code;
			sw_http_transfer_stop(transfer, SW_HTTP_ENDED);
			break;
		}
	}
}

/* Neither libcurl nor epoll goes on: nothing that is on its way arrives. */
static void
sw_http_break_all(SwHttpEngine *engine, CURLMcode code)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &engine->active)
	{
		SwHttpTransfer *transfer = dlist_container(SwHttpTransfer,
												   active_node, iter.cur);

		transfer->multi_code = code;
		transfer->socket_errno = engine->socket_errno;
		sw_http_transfer_stop(transfer, SW_HTTP_BROKEN);
	}
	engine->socket_errno = 0;
}

/* Give up on requests that do not move, or not for long enough. */
static void
sw_http_expire(SwHttpEngine *engine)
{
	int64		now_ms = sw_wait_now_ms();
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &engine->active)
	{
		SwHttpTransfer *transfer = dlist_container(SwHttpTransfer,
												   active_node, iter.cur);
		int64		progress = sw_http_transfer_progress(transfer);

		transfer->seen_ms = now_ms;
		if (progress != transfer->progress)
		{
			transfer->progress = progress;
			transfer->idle_ms =
				sw_wait_deadline(transfer->request.idle_timeout_ms);
		}
		if (now_ms >= transfer->request.deadline_ms)
			sw_http_transfer_stop(transfer, SW_HTTP_LATE);
		else if (now_ms >= transfer->idle_ms)
			sw_http_transfer_stop(transfer, SW_HTTP_IDLE);
	}
}

/* Returns how much there was to do. */
static int
sw_http_turn(SwHttpEngine *engine)
{
	int			n_ready;
	CURLMcode	code = sw_http_engine_serve(engine, &n_ready);

	sw_http_collect(engine);
	if (code != CURLM_OK || engine->socket_errno != 0)
		sw_http_break_all(engine, code);
	sw_http_expire(engine);
	return n_ready;
}

/* Nobody was here to see what the peers did: their time was standing still. */
static void
sw_http_forgive_gap(SwHttpEngine *engine)
{
	int64		now_ms = sw_wait_now_ms();
	dlist_iter	iter;

	dlist_foreach(iter, &engine->active)
	{
		SwHttpTransfer *transfer = dlist_container(SwHttpTransfer,
												   active_node, iter.cur);
		int64		gap_ms = now_ms - transfer->seen_ms;

		if (gap_ms > SW_HTTP_MAX_GAP_MS &&
			transfer->idle_ms != SW_NO_DEADLINE)
			transfer->idle_ms += gap_ms - SW_HTTP_MAX_GAP_MS;
		transfer->seen_ms = now_ms;
	}
}

void
sw_http_crank(SwHttpEngine *engine)
{
	sw_http_forgive_gap(engine);
	for (int i = 0; i < SW_HTTP_CRANK_TURNS && engine->n_active > 0; i++)
		if (sw_http_turn(engine) == 0)
			break;
}

/* ---- waiting ---- */

/* When there is something to do though no socket says so. */
static int64
sw_http_next_wake(SwHttpEngine *engine, int64 deadline_ms)
{
	int64		wake_ms = Min(deadline_ms, engine->timer_ms);
	dlist_iter	iter;

	dlist_foreach(iter, &engine->active)
	{
		SwHttpTransfer *transfer = dlist_container(SwHttpTransfer,
												   active_node, iter.cur);

		wake_ms = Min(wake_ms, transfer->idle_ms);
		wake_ms = Min(wake_ms, transfer->request.deadline_ms);
	}
	return wake_ms;
}

/*
 * Sockets that are ready at once are served without a sleep in between,
 * which costs several system calls.
 */
void
sw_http_wait(SwHttpEngine *engine, int64 deadline_ms)
{
	int64		n_ended = engine->n_ended;
	int			n_busy = 0;

	sw_http_forgive_gap(engine);
	for (;;)
	{
		int			n_ready = sw_http_turn(engine);

		if (engine->n_ended != n_ended)
			return;
		if (n_ready > 0 && n_busy < SW_HTTP_BUSY_TURNS)
		{
			n_busy++;
			CHECK_FOR_INTERRUPTS();
			continue;
		}
		n_busy = 0;
		if (sw_wait(engine->epoll_fd, true, false,
					sw_http_next_wake(engine, deadline_ms),
					engine->options.wait_event) == SW_WAIT_DEADLINE &&
			sw_wait_now_ms() >= deadline_ms)
			return;
	}
}

/* ---- all of it ---- */

SwStatus
sw_http_perform(SwHttpEngine *engine, const SwHttpRequest *request,
				SwHttpResponse *response, SwError *err)
{
	SwHttpTransfer *transfer;

	memset(response, 0, sizeof(SwHttpResponse));
	if (engine->performed != NULL)
		sw_http_release(engine->performed);
	engine->performed = NULL;

	SW_TRY(sw_http_begin(engine, request, &transfer, err));
	PG_TRY();
	{
		while (!sw_http_is_done(transfer))
			sw_http_wait(engine, SW_NO_DEADLINE);
	}
	PG_CATCH();
	{
		/* what it borrowed may be gone when the engine is used again */
		sw_http_release(transfer);
		PG_RE_THROW();
	}
	PG_END_TRY();
	engine->performed = transfer;
	return sw_http_end(transfer, response, err);
}
