/*-------------------------------------------------------------------------
 *
 * sw_http_request.c
 *	  One HTTP request: what libcurl is told, and what it hands back.
 *
 * Called by sw_http_drive.c only.  The easy handle is kept from request to
 * request (it holds the TLS sessions) and set up anew for each.
 *
 * The callbacks write into the transfer only.  Of a reply they keep the
 * headers that were asked for and as many bytes of the body as the request
 * allows; room for these is taken as they come in, and never throws.  A status line throws away what came before it, so an interim reply
 * (100 Continue) leaves no trace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/memutils.h"

#include "net/sw_http.h"
#include "net/sw_http_transfer.h"
#include "net/sw_resource.h"

/*
 * From this size on, a body is sent only after the peer has said that it
 * wants it: a refusal then costs a round trip and no upload.
 */
#define SW_HTTP_EXPECT_BYTES (64 * 1024)

/* Room for the body of a reply to begin with. */
#define SW_HTTP_FIRST_BODY	(4 * 1024)

/* Bytes of a reply beyond those allowed, after which it is broken off. */
#define SW_HTTP_MAX_DROPPED (1024 * 1024)

#define SW_HTTP_UPLOAD_BUFFER_BYTES (512L * 1024)

#define SW_HTTP_USER_AGENT	"sensorswave_export"

/* ---- what libcurl calls ---- */

static curl_socket_t
sw_http_open_socket(void *arg, curlsocktype purpose,
					struct curl_sockaddr *address)
{
	SwHttpEngine *engine = (SwHttpEngine *) arg;
	int			fd;

	(void) purpose;
	if (!AcquireExternalFD())
		return CURL_SOCKET_BAD;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
				address->protocol);
	if (fd < 0)
	{
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	engine->n_own_fds++;
	return fd;
}

/*
 * libcurl 7.88 closes the socket of a connect that timed out by itself; such
 * ones count until the engine ends.
 */
static int
sw_http_close_socket(void *arg, curl_socket_t fd)
{
	SwHttpEngine *engine = (SwHttpEngine *) arg;

	ReleaseExternalFD();
	engine->n_own_fds--;
	return close(fd);
}

static size_t
sw_http_read_body(char *buffer, size_t size, size_t n_items, void *arg)
{
	SwHttpTransfer *transfer = (SwHttpTransfer *) arg;
	const SwHttpBody *body = transfer->request.body;
	int64		n_left = body->n_bytes - transfer->body_offset;
	int64		n_wanted = Min((int64) (size * n_items), n_left);
	int			n;

	if (n_wanted <= 0)
		return 0;
	n_wanted = Min(n_wanted, PG_INT32_MAX);
	errno = 0;
	n = body->read(body->arg, transfer->body_offset, buffer, (int) n_wanted);
	if (n <= 0 || n > n_wanted)
	{
		transfer->is_body_failed = true;
		transfer->body_errno = n < 0 ? errno : 0;
		return CURL_READFUNC_ABORT;
	}
	transfer->body_offset += n;
	return n;
}

static int
sw_http_seek_body(void *arg, curl_off_t offset, int origin)
{
	SwHttpTransfer *transfer = (SwHttpTransfer *) arg;

	if (origin != SEEK_SET || offset < 0 ||
		offset > transfer->request.body->n_bytes)
		return CURL_SEEKFUNC_FAIL;
	transfer->body_offset = offset;
	return CURL_SEEKFUNC_OK;
}

/* Room for n bytes of the reply, or as many as are allowed. */
static bool
sw_http_enlarge_body(SwHttpTransfer *transfer, Size n)
{
	Size		max_size = transfer->request.max_body_bytes;
	Size		new_size = transfer->body_size;
	char	   *new_body;

	while (new_size < n && new_size < max_size)
		new_size = Min(new_size * 2, max_size);
	if (new_size == transfer->body_size)
		return true;
	new_body = MemoryContextAllocExtended(transfer->engine->cxt, new_size + 1,
										  MCXT_ALLOC_NO_OOM);
	if (new_body == NULL)
		return false;
	memcpy(new_body, transfer->body, transfer->n_body);
	pfree(transfer->body);
	transfer->body = new_body;
	transfer->body_size = new_size;
	return true;
}

static size_t
sw_http_write_reply(char *bytes, size_t size, size_t n_items, void *arg)
{
	SwHttpTransfer *transfer = (SwHttpTransfer *) arg;
	Size		n = size * n_items;
	Size		n_kept;

	if (!sw_http_enlarge_body(transfer, transfer->n_body + n))
		return 0;
	n_kept = Min(n, transfer->request.max_body_bytes - transfer->n_body);
	memcpy(transfer->body + transfer->n_body, bytes, n_kept);
	transfer->n_body += n_kept;
	transfer->n_dropped += n - n_kept;
	return transfer->n_dropped > SW_HTTP_MAX_DROPPED ? 0 : n;
}

/* Forget what has come in so far. */
static void
sw_http_reset_reply(SwHttpTransfer *transfer)
{
	transfer->n_body = 0;
	transfer->n_dropped = 0;
	transfer->n_header_text = 0;
	transfer->is_reply_begun = false;
	memset(transfer->headers, 0, sizeof(transfer->headers));
}

/* Keep a header line if it was asked for and there is room. */
static void
sw_http_keep_header(SwHttpTransfer *transfer, const char *line, Size n)
{
	const SwHttpRequest *request = &transfer->request;
	const char *colon = memchr(line, ':', n);
	const char *value;
	const char *end = line + n;

	if (colon == NULL)
		return;
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && strchr(" \t\r\n", end[-1]) != NULL)
		end--;

	for (int i = 0; i < request->n_wanted_headers; i++)
	{
		const char *name = request->wanted_headers[i];
		Size		n_value = end - value;
		char	   *copy = transfer->header_text + transfer->n_header_text;

		if (strlen(name) != (Size) (colon - line) ||
			pg_strncasecmp(name, line, colon - line) != 0 ||
			n_value + 1 > SW_HTTP_HEADER_BYTES - transfer->n_header_text)
			continue;
		memcpy(copy, value, n_value);
		copy[n_value] = '\0';
		transfer->n_header_text += n_value + 1;
		transfer->headers[i] = copy;
		return;
	}
}

static size_t
sw_http_read_header(char *line, size_t size, size_t n_items, void *arg)
{
	SwHttpTransfer *transfer = (SwHttpTransfer *) arg;
	Size		n = size * n_items;

	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
	{
		const char *code = memchr(line, ' ', n);

		sw_http_reset_reply(transfer);
		transfer->is_reply_begun = code != NULL && code + 1 < line + n &&
			code[1] != '1';
	}
	else
		sw_http_keep_header(transfer, line, n);
	return n;
}

/* ---- life of a transfer ---- */

static void
sw_http_transfer_release(void *object)
{
	SwHttpTransfer *transfer = (SwHttpTransfer *) object;

	sw_http_transfer_stop(transfer, SW_HTTP_SPARE);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->header_list);
	transfer->header_list = NULL;
}

SwHttpTransfer *
sw_http_transfer_create(SwHttpEngine *engine)
{
	MemoryContext old_cxt = MemoryContextSwitchTo(engine->cxt);
	SwHttpTransfer *transfer = palloc0(sizeof(SwHttpTransfer));

	transfer->engine = engine;
	transfer->body_size = SW_HTTP_FIRST_BODY;
	transfer->body = palloc(transfer->body_size + 1);
	transfer->resource = sw_resource_create(engine->cxt,
											sw_http_transfer_release);
	MemoryContextSwitchTo(old_cxt);
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("The HTTP library could not start a request.")));
	transfer->resource->object = transfer;
	return transfer;
}

/* A long reply leaves nothing to the requests after it. */
static void
sw_http_shrink_body(SwHttpTransfer *transfer)
{
	char	   *body;

	if (transfer->body_size <= SW_HTTP_MAX_BODY)
		return;
	body = MemoryContextAlloc(transfer->engine->cxt, SW_HTTP_FIRST_BODY + 1);
	pfree(transfer->body);
	transfer->body = body;
	transfer->body_size = SW_HTTP_FIRST_BODY;
}

/* ---- what libcurl is told ---- */

static bool
sw_http_add_header(SwHttpTransfer *transfer, const char *name,
				   const char *value)
{
	/* a semicolon is how libcurl writes a header without a value */
	char	   *line = value[0] != '\0' ? psprintf("%s: %s", name, value) :
	psprintf("%s;", name);
	struct curl_slist *longer = curl_slist_append(transfer->header_list,
												  line);

	pfree(line);
	if (longer != NULL)
		transfer->header_list = longer;
	return longer != NULL;
}

static bool
sw_http_add_headers(SwHttpTransfer *transfer, const SwHttpRequest *request)
{
	bool		is_large = request->body != NULL &&
	request->body->n_bytes >= SW_HTTP_EXPECT_BYTES;

	for (int i = 0; i < request->n_headers; i++)
		if (!sw_http_add_header(transfer, request->headers[i].name,
								request->headers[i].value))
			return false;
	/* libcurl says nothing of a body that is not there; peers want a length */
	if (request->body == NULL && (strcmp(request->method, "POST") == 0 ||
								  strcmp(request->method, "PUT") == 0) &&
		!sw_http_add_header(transfer, "Content-Length", "0"))
		return false;
	/* "Name:" keeps libcurl from sending one of its own */
	if (!is_large)
	{
		struct curl_slist *longer = curl_slist_append(transfer->header_list,
													  "Expect:");

		if (longer == NULL)
			return false;
		transfer->header_list = longer;
		return true;
	}
	return sw_http_add_header(transfer, "Expect", "100-continue");
}

/* Options that are the same for every request. */
static void
sw_http_set_rules(CURL *easy, SwHttpEngine *engine)
{
	const SwHttpOptions *options = &engine->options;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
					 (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* do not wait for a resolver thread whose answer nobody wants */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, SW_HTTP_USER_AGENT);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);

	/* an empty name is what makes libcurl ignore the environment */
	curl_easy_setopt(easy, CURLOPT_PROXY,
					 options->proxy != NULL ? options->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (options->ca_file != NULL)
	{
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}

	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, sw_http_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, engine);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, sw_http_close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, engine);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, sw_http_write_reply);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, sw_http_read_header);
}

SwStatus
sw_http_transfer_begin(SwHttpTransfer *transfer, const SwHttpRequest *request,
					   SwError *err)
{
	CURL	   *easy = transfer->easy;
	CURLcode	code;

	Assert(request->n_wanted_headers <= SW_HTTP_MAX_WANTED_HEADERS);
	curl_easy_reset(easy);
	curl_slist_free_all(transfer->header_list);
	transfer->header_list = NULL;

	sw_http_shrink_body(transfer);
	transfer->request = *request;
	if (request->max_body_bytes == 0)
		transfer->request.max_body_bytes = SW_HTTP_MAX_BODY;
	transfer->body_offset = 0;
	transfer->body_errno = 0;
	transfer->is_body_failed = false;
	transfer->curl_message[0] = '\0';
	sw_http_reset_reply(transfer);

	sw_http_set_rules(easy, transfer->engine);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_message);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
					 (long) request->connect_timeout_ms);
	if (request->body != NULL)
	{
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
						 SW_HTTP_UPLOAD_BUFFER_BYTES);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, sw_http_read_body);
		curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, sw_http_seek_body);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
						 (curl_off_t) request->body->n_bytes);
	}
	if (strcmp(request->method, "HEAD") == 0)
		code = curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);

	if (code == CURLE_OK && !sw_http_add_headers(transfer, request))
		code = CURLE_OUT_OF_MEMORY;
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
								transfer->header_list);
	if (code == CURLE_OK)
		code = curl_easy_setopt(easy, CURLOPT_URL, request->url);
	if (code != CURLE_OK)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not prepare a request to %s: %s",
							request->peer, curl_easy_strerror(code));
	return SW_OK;
}
