/*-------------------------------------------------------------------------
 *
 * sw_http_lookup.c
 *	  The addresses of a host, without blocking.
 *
 * The system has no lookup that does not block, so libcurl does it in a
 * thread of its own.  It is told to connect to the host, and asks for a
 * socket for one address after the other.  We note each address and give it
 * no socket: it offers the next one, and in the end has connected to none.
 * net/sw_socket.c connects, because libcurl 7.88 does not notice that the
 * second address of a host has answered when the first was silent, nor does
 * it hand back the sockets of such.
 *
 * An address needs no thread and no name server.
 *
 * Everything lives in a memory context below the current one, so an
 * interrupt leaks nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <netdb.h>

#include "utils/memutils.h"

#include "net/sw_http.h"
#include "net/sw_http_lookup.h"
#include "net/sw_http_transfer.h"
#include "net/sw_resource.h"
#include "net/sw_wait.h"

typedef struct SwHttpLookup
{
	const char *host;
	int			port;
	SwAddressList *list;
	SwHttpEngine *engine;
	CURL	   *easy;
	bool		is_added;		/* easy is in the engine's multi handle */
} SwHttpLookup;

static void
sw_http_lookup_note(SwAddressList *list, int family, int socktype, int protocol,
					const struct sockaddr *address, Size len)
{
	SwAddress  *entry;

	if (list->n_addresses >= SW_HTTP_MAX_ADDRESSES ||
		len > sizeof(entry->storage))
		return;
	entry = &list->addresses[list->n_addresses++];
	entry->family = family;
	entry->socktype = socktype;
	entry->protocol = protocol;
	entry->len = (socklen_t) len;
	memcpy(&entry->storage, address, len);
}

/* Is host an address?  Then it goes into the list. */
static bool
sw_http_lookup_is_address(const char *host, int port, SwAddressList *list)
{
	struct addrinfo hints;
	struct addrinfo *found;
	struct addrinfo *entry;
	char		service[16];

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return false;
	for (entry = found; entry != NULL; entry = entry->ai_next)
		sw_http_lookup_note(list, entry->ai_family, entry->ai_socktype,
							entry->ai_protocol, entry->ai_addr, entry->ai_addrlen);
	freeaddrinfo(found);
	return list->n_addresses > 0;
}

/* ---- names ---- */

/* libcurl wants a socket: see the top. */
static curl_socket_t
sw_http_lookup_on_open(void *arg, curlsocktype purpose,
					   struct curl_sockaddr *address)
{
	(void) purpose;
	sw_http_lookup_note(((SwHttpLookup *) arg)->list, address->family,
						address->socktype, address->protocol, &address->addr,
						address->addrlen);
	return CURL_SOCKET_BAD;
}

static void
sw_http_lookup_release(void *object)
{
	SwHttpLookup *lookup = (SwHttpLookup *) object;

	if (lookup->is_added)
		curl_multi_remove_handle(lookup->engine->multi, lookup->easy);
	curl_easy_cleanup(lookup->easy);
}

/*
 * Tell libcurl what to look up.  False if host cannot be a name.  libcurl puts
 * the URL together, so a host stays a host whatever is in it.
 */
static bool
sw_http_lookup_set_host(const SwHttpLookup *lookup)
{
	char	   *port = psprintf("%d", lookup->port);
	char	   *text = NULL;
	CURLU	   *url = curl_url();
	bool		is_set;

	is_set = url != NULL &&
		curl_url_set(url, CURLUPART_SCHEME, "http", 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_HOST, lookup->host, 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_PORT, port, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
		curl_easy_setopt(lookup->easy, CURLOPT_URL, text) == CURLE_OK;
	curl_free(text);
	curl_url_cleanup(url);
	return is_set;
}

static SwStatus
sw_http_lookup_not_found(const char *host, SwError *err)
{
	sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
				 "could not find the address of host \"%s\"", host);
	sw_error_set_hint(err, "Check the host name, and that this server can look it up.");
	return err->status;
}

static SwStatus
sw_http_lookup_out_of_time(const char *host, SwError *err)
{
	sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
				 "could not find the address of host \"%s\" in time", host);
	sw_error_set_hint(err, "Check that the name servers of this machine answer.");
	return err->status;
}

static void
sw_http_lookup_set_rules(SwHttpLookup *lookup)
{
	CURL	   *easy = lookup->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* do not wait for a resolver thread whose answer nobody wants */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	/* an empty name is what makes libcurl ignore the environment */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	/* the deadline is ours to watch */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) PG_INT32_MAX);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
					 sw_http_lookup_on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, lookup);
}

static SwStatus
sw_http_lookup_failed(const SwHttpLookup *lookup, const char *reason,
					  SwError *err)
{
	return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
						"could not look up host \"%s\": %s", lookup->host,
						reason);
}

/* Has libcurl come to its end? */
static bool
sw_http_lookup_is_done(SwHttpLookup *lookup)
{
	CURLMsg    *message;
	int			n_left;

	message = curl_multi_info_read(lookup->engine->multi, &n_left);
	return message != NULL && message->msg == CURLMSG_DONE;
}

/* Let libcurl work until it has come to its end. */
static SwStatus
sw_http_lookup_drive(SwHttpLookup *lookup, int64 deadline_ms,
					 SwWaitEvent event, SwError *err)
{
	SwHttpEngine *engine = lookup->engine;
	CURLMcode	code = curl_multi_add_handle(engine->multi, lookup->easy);

	if (code != CURLM_OK)
		return sw_http_lookup_failed(lookup, curl_multi_strerror(code), err);
	lookup->is_added = true;
	for (;;)
	{
		int			n_ready;

		code = sw_http_engine_serve(engine, &n_ready);
		if (engine->socket_errno != 0)
			return sw_http_lookup_failed(lookup,
										 strerror(engine->socket_errno), err);
		if (code != CURLM_OK)
			return sw_http_lookup_failed(lookup, curl_multi_strerror(code),
										 err);
		if (sw_http_lookup_is_done(lookup))
			return SW_OK;
		if (sw_wait_now_ms() >= deadline_ms)
			return sw_http_lookup_out_of_time(lookup->host, err);
		(void) sw_wait(engine->epoll_fd, true, false,
					   Min(deadline_ms, engine->timer_ms), event);
	}
}

/* In the current context, which the caller deletes after it. */
static SwStatus
sw_http_lookup_name(SwHttpLookup *lookup, int64 deadline_ms,
					SwWaitEvent event, SwError *err)
{
	const SwHttpOptions options = {.wait_event = event};
	SwResource *resource;

	/* The easy handle is adopted by the engine's context, and after it. */
	lookup->engine = sw_http_engine_create(CurrentMemoryContext, &options);
	resource = sw_resource_create(lookup->engine->cxt, sw_http_lookup_release);
	lookup->easy = curl_easy_init();
	if (lookup->easy == NULL)
		return sw_http_lookup_failed(lookup, "out of memory", err);
	resource->object = lookup;
	sw_http_lookup_set_rules(lookup);
	if (!sw_http_lookup_set_host(lookup))
		return sw_http_lookup_not_found(lookup->host, err);

	SW_TRY(sw_http_lookup_drive(lookup, deadline_ms, event, err));
	return lookup->list->n_addresses > 0 ? SW_OK :
		sw_http_lookup_not_found(lookup->host, err);
}

SwStatus
sw_http_lookup(const char *host, int port, int64 deadline_ms,
			   SwWaitEvent event, SwAddressList *list, SwError *err)
{
	MemoryContext lookup_cxt;
	MemoryContext old_cxt;
	SwHttpLookup *lookup;
	SwStatus	status;

	list->n_addresses = 0;
	if (sw_http_lookup_is_address(host, port, list))
		return SW_OK;

	lookup_cxt = AllocSetContextCreate(CurrentMemoryContext, "SwHttpLookup",
									   ALLOCSET_SMALL_SIZES);
	old_cxt = MemoryContextSwitchTo(lookup_cxt);
	lookup = (SwHttpLookup *) palloc0(sizeof(SwHttpLookup));
	lookup->host = host;
	lookup->port = port;
	lookup->list = list;
	status = sw_http_lookup_name(lookup, deadline_ms, event, err);
	MemoryContextSwitchTo(old_cxt);
	MemoryContextDelete(lookup_cxt);
	return status;
}
