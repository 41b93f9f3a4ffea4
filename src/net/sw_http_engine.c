/*-------------------------------------------------------------------------
 *
 * sw_http_engine.c
 *	  The sockets and the timer of an HTTP engine over libcurl.
 *
 * libcurl tells us by callback which sockets it wants watched and when its
 * timer is due.  The sockets go into one epoll set, whose own descriptor is
 * the single fd that sw_wait() sleeps on (sw_http_drive.c); so the latch,
 * interrupts and postmaster death are served during every request.
 *
 * Rules, each for a reason:
 *	1. All signals are blocked around libcurl calls that may start a thread
 *	   (its resolver is one): a thread inherits the mask, and a handler of
 *	   the server must never run in it.
 *	2. Callbacks store and return; they never throw, for libcurl's frames
 *	   are below them.
 *	3. Adopted in this order: fd count, epoll fd, multi handle, easy
 *	   handles.  They are released in reverse: an easy handle leaves the multi
 *	   before that ends, and the multi closes its sockets while the epoll set it
 *	   reports them to is still there.
 *	4. Every descriptor is counted with fd.c, which keeps some in reserve.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/memutils.h"

#include "net/sw_http.h"
#include "net/sw_http_transfer.h"
#include "net/sw_resource.h"
#include "net/sw_wait.h"

/* The epoll set and the socket pair by which a multi handle is woken. */
#define SW_HTTP_OWN_FDS		3

/* Sockets looked at in one turn; more are reported by the next. */
#define SW_HTTP_MAX_EVENTS	16

/* Idle connections kept for reuse. */
#define SW_HTTP_MAX_CONNECTIONS 16L

static void
sw_http_block_signals(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, saved);
}

static void
sw_http_restore_signals(const sigset_t *saved)
{
	sigprocmask(SIG_SETMASK, saved, NULL);
}

/* ---- what libcurl calls ---- */

static int
sw_http_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
				  void *socket_arg)
{
	SwHttpEngine *engine = (SwHttpEngine *) arg;
	struct epoll_event event;
	int			operation = socket_arg != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	int			result;

	(void) easy;
	memset(&event, 0, sizeof(event));
	event.data.fd = fd;
	if (what == CURL_POLL_REMOVE)
	{
		/* A socket closed before has left the set by itself. */
		epoll_ctl(engine->epoll_fd, EPOLL_CTL_DEL, fd, &event);
		curl_multi_assign(engine->multi, fd, NULL);
		return 0;
	}

	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	result = epoll_ctl(engine->epoll_fd, operation, fd, &event);
	/* The number of a closed socket may have come back as another one. */
	if (result < 0 && operation == EPOLL_CTL_MOD && errno == ENOENT)
		result = epoll_ctl(engine->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	else if (result < 0 && operation == EPOLL_CTL_ADD && errno == EEXIST)
		result = epoll_ctl(engine->epoll_fd, EPOLL_CTL_MOD, fd, &event);
	if (result < 0)
		engine->socket_errno = errno;
	else
		curl_multi_assign(engine->multi, fd, engine);
	return 0;
}

static int
sw_http_on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	SwHttpEngine *engine = (SwHttpEngine *) arg;

	(void) multi;
	engine->timer_ms = sw_wait_deadline(timeout_ms);
	return 0;
}

/* ---- life of an engine ---- */

static void
sw_http_release_fds(void *object)
{
	SwHttpEngine *engine = (SwHttpEngine *) object;

	while (engine->n_own_fds > 0)
	{
		ReleaseExternalFD();
		engine->n_own_fds--;
	}
}

static void
sw_http_close_epoll(void *object)
{
	SwHttpEngine *engine = (SwHttpEngine *) object;

	close(engine->epoll_fd);
}

static void
sw_http_end_multi(void *object)
{
	curl_multi_cleanup((CURLM *) object);
}

/* Once per process; libcurl must not be initialized while threads start. */
static void
sw_http_init_library(void)
{
	static bool is_done = false;
	sigset_t	saved;
	CURLcode	code;

	if (is_done)
		return;
	sw_http_block_signals(&saved);
	code = curl_global_init(CURL_GLOBAL_DEFAULT);
	sw_http_restore_signals(&saved);
	if (code != CURLE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not initialize the HTTP library: %s",
						curl_easy_strerror(code))));
	is_done = true;
}

static void
sw_http_open_epoll(SwHttpEngine *engine)
{
	SwResource *fds = sw_resource_create(engine->cxt, sw_http_release_fds);
	SwResource *epoll = sw_resource_create(engine->cxt, sw_http_close_epoll);

	fds->object = engine;
	while (engine->n_own_fds < SW_HTTP_OWN_FDS)
	{
		if (!AcquireExternalFD())
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not open a connection: too many open files in this process")));
		engine->n_own_fds++;
	}
	engine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (engine->epoll_fd < 0)
		ereport(ERROR,
				(errcode_for_socket_access(),
				 errmsg("could not create an epoll set: %m")));
	epoll->object = engine;
}

static void
sw_http_open_multi(SwHttpEngine *engine)
{
	SwResource *multi = sw_resource_create(engine->cxt, sw_http_end_multi);

	engine->multi = curl_multi_init();
	if (engine->multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("The HTTP library could not start.")));
	multi->object = engine->multi;

	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION,
					  sw_http_on_socket);
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION,
					  sw_http_on_timer);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS,
					  SW_HTTP_MAX_CONNECTIONS);
#if LIBCURL_VERSION_NUM >= 0x081400
	/* from 8.20 on, a resolver thread is the multi handle's to wait for */
	curl_multi_setopt(engine->multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
}

static const char *
sw_http_copy_option(const char *option)
{
	return option != NULL && option[0] != '\0' ? pstrdup(option) : NULL;
}

SwHttpEngine *
sw_http_engine_create(MemoryContext cxt, const SwHttpOptions *options)
{
	MemoryContext own_cxt = AllocSetContextCreate(cxt, "SwHttpEngine",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_cxt = MemoryContextSwitchTo(own_cxt);
	SwHttpEngine *engine = palloc0(sizeof(SwHttpEngine));

	sw_http_init_library();
	engine->cxt = own_cxt;
	engine->options.proxy = sw_http_copy_option(options->proxy);
	engine->options.ca_file = sw_http_copy_option(options->ca_file);
	engine->options.wait_event = options->wait_event;
	engine->timer_ms = SW_NO_DEADLINE;
	dlist_init(&engine->active);
	slist_init(&engine->spare);

	sw_http_open_epoll(engine);
	sw_http_open_multi(engine);
	MemoryContextSwitchTo(old_cxt);
	return engine;
}

void
sw_http_engine_destroy(SwHttpEngine *engine)
{
	MemoryContextDelete(engine->cxt);
}

/* ---- a turn ---- */

/* Let libcurl work on one socket, or on its timer. */
static CURLMcode
sw_http_act(SwHttpEngine *engine, curl_socket_t fd, int events)
{
	sigset_t	saved;
	CURLMcode	code;
	int			n_running;

	sw_http_block_signals(&saved);
	code = curl_multi_socket_action(engine->multi, fd, events, &n_running);
	sw_http_restore_signals(&saved);
	return code;
}

CURLMcode
sw_http_engine_serve(SwHttpEngine *engine, int *n_ready_out)
{
	struct epoll_event events[SW_HTTP_MAX_EVENTS];
	CURLMcode	code = CURLM_OK;
	int			n;

	/* Asks what is ready, without waiting for it. */
	n = epoll_wait(engine->epoll_fd, events, SW_HTTP_MAX_EVENTS, 0);
	for (int i = 0; i < n && code == CURLM_OK; i++)
	{
		int			what = 0;

		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
			what |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			what |= CURL_CSELECT_OUT;
		if (events[i].events & EPOLLERR)
			what |= CURL_CSELECT_ERR;
		code = sw_http_act(engine, events[i].data.fd, what);
	}

	if (code == CURLM_OK && engine->timer_ms <= sw_wait_now_ms())
	{
		engine->timer_ms = SW_NO_DEADLINE;
		code = sw_http_act(engine, CURL_SOCKET_TIMEOUT, 0);
		n++;
	}
	*n_ready_out = Max(n, 0);
	return code;
}
