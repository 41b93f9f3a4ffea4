/*-------------------------------------------------------------------------
 *
 * sw_http_outcome.c
 *	  How an HTTP request went: its reply, or which failure it was.
 *
 * For the requests that are done: ended, or given up.  Turns libcurl's result codes into SwError: whom could not be reached or did not
 * answer, what a person can check, and whether the peer can have seen the
 * whole request.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "net/sw_http.h"
#include "net/sw_http_transfer.h"

static int64
sw_http_count_sent(const SwHttpTransfer *transfer)
{
	curl_off_t	n_sent = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &n_sent);
	return n_sent;
}

static bool
sw_http_is_connected(const SwHttpTransfer *transfer)
{
	curl_off_t	microseconds = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T,
					  &microseconds);
	return microseconds > 0;
}

int64
sw_http_transfer_progress(const SwHttpTransfer *transfer)
{
	return sw_http_count_sent(transfer) +
		(sw_http_is_connected(transfer) ? 1 : 0) +
		(transfer->is_reply_begun ? 1 : 0);
}

/* Can the peer have seen the whole request? */
static SwRetry
sw_http_retry_class(const SwHttpTransfer *transfer)
{
	const SwHttpBody *body = transfer->request.body;

	if (!sw_http_is_connected(transfer))
		return SW_RETRY_LATER;
	if (body != NULL && sw_http_count_sent(transfer) < body->n_bytes)
		return SW_RETRY_LATER;
	return SW_RETRY_UNKNOWN;
}

static SwStatus
sw_http_fill_response(SwHttpTransfer *transfer, SwHttpResponse *response,
					  SwError *err)
{
	long		status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 999)
		return sw_error_set(err, SW_ERR_PROTOCOL, sw_http_retry_class(transfer),
							"%s sent no valid HTTP status",
							transfer->request.peer);
	transfer->body[transfer->n_body] = '\0';
	response->status = (int) status;
	response->body = transfer->body;
	response->n_body = transfer->n_body;
	response->is_body_cut = transfer->n_dropped > 0;
	response->headers = transfer->headers;
	return SW_OK;
}

static SwStatus
sw_http_body_failed(SwHttpTransfer *transfer, SwError *err)
{
	if (transfer->body_errno != 0)
		return sw_error_set(err, SW_ERR_IO, SW_RETRY_NEVER,
							"could not read the data to send: %s",
							strerror(transfer->body_errno));
	return sw_error_set(err, SW_ERR_IO, SW_RETRY_NEVER,
						"could not read the data to send: it ends after %lld of %lld bytes",
						(long long) transfer->body_offset,
						(long long) transfer->request.body->n_bytes);
}

/* The proxy answered CONNECT with something else than 200. */
static SwStatus
sw_http_proxy_refused(const char *peer, long status, SwError *err)
{
	SwRetry		retry = status >= 500 || status == 408 || status == 429 ?
	SW_RETRY_LATER : SW_RETRY_NEVER;

	sw_error_set(err, SW_ERR_CONNECT, retry,
				 "proxy refused to connect to %s: HTTP status %ld",
				 peer, status);
	err->remote_code = (int) status;
	sw_error_set_hint(err, status == 407 ?
					  "Put the user name and password for the proxy into sensorswave_export.proxy." :
					  "Check the endpoint for a typing error, sensorswave_export.proxy, and that the proxy allows connections to this host.");
	return SW_ERR_CONNECT;
}

static SwStatus
sw_http_not_connected(SwHttpTransfer *transfer, CURLcode code, SwError *err)
{
	const char *peer = transfer->request.peer;
	long		os_error = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
	switch (code)
	{
		case CURLE_COULDNT_RESOLVE_PROXY:
			sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
						 "could not find the address of the proxy on the way to %s",
						 peer);
			sw_error_set_hint(err, "Check sensorswave_export.proxy and the name service of this server.");
			break;
		case CURLE_COULDNT_RESOLVE_HOST:
			sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
						 "could not find the address of %s", peer);
			sw_error_set_hint(err, "Check the endpoint for a typing error, and the name service of this server.");
			break;
		case CURLE_OPERATION_TIMEDOUT:
			sw_error_set(err, SW_ERR_TIMEOUT, SW_RETRY_LATER,
						 "could not connect to %s within %d ms", peer,
						 transfer->request.connect_timeout_ms);
			sw_error_set_hint(err, "Check the endpoint and its port, and that a firewall lets this server connect to it.");
			break;
		default:
			if (os_error != 0)
				sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
							 "could not connect to %s: %s", peer,
							 strerror((int) os_error));
			else
				sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
							 "could not connect to %s", peer);
			sw_error_set_hint(err, "Check the endpoint and its port, and that the service is running.");
			break;
	}
	return err->status;
}

static SwStatus
sw_http_tls_failed(SwHttpTransfer *transfer, CURLcode code, SwError *err)
{
	const SwHttpRequest *request = &transfer->request;

	if (code == CURLE_SSL_CACERT_BADFILE)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "could not load the CA file for %s", request->peer);
		sw_error_set_hint(err, "Check that sensorswave_export.ca_file names a readable file of PEM certificates.");
	}
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
	{
		sw_error_set(err, SW_ERR_TLS, SW_RETRY_NEVER,
					 "could not verify the TLS certificate of %s",
					 request->peer);
		sw_error_set_hint(err, "If the certificate comes from an authority of your own, name its file in sensorswave_export.ca_file; else check that the endpoint is the right host.");
	}
	else
	{
		sw_error_set(err, SW_ERR_TLS, SW_RETRY_LATER,
					 "could not set up TLS with %s", request->peer);
		sw_error_set_hint(err, "Check that the endpoint and its port speak https; an endpoint without TLS begins with http://.");
	}
	return err->status;
}

/* libcurl's own words, in the detail; they may quote what was sent. */
static void
sw_http_add_curl_message(SwHttpTransfer *transfer, CURLcode code,
						 SwError *err)
{
	const char *message = transfer->curl_message[0] != '\0' ?
	transfer->curl_message : curl_easy_strerror(code);
	char	   *harmless = sw_redact(transfer->request.redactor, message,
									 strlen(message), 300);

	sw_error_set_detail(err, "The HTTP library says: %s.", harmless);
	pfree(harmless);
}

static SwStatus
sw_http_describe_failure(SwHttpTransfer *transfer, CURLcode code,
						 SwError *err)
{
	const SwHttpRequest *request = &transfer->request;
	long		proxy_status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE,
					  &proxy_status);
	if (!sw_http_is_connected(transfer) && proxy_status >= 300)
		return sw_http_proxy_refused(request->peer, proxy_status, err);

	switch (code)
	{
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_CONNECT:
		case CURLE_OPERATION_TIMEDOUT:
			return sw_http_not_connected(transfer, code, err);
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_INVALIDCERTSTATUS:
			return sw_http_tls_failed(transfer, code, err);
		case CURLE_URL_MALFORMAT:
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"invalid URL for %s or its proxy",
								request->peer);
		case CURLE_OUT_OF_MEMORY:
		case CURLE_WRITE_ERROR: /* no memory for the reply */
			return sw_error_set(err, SW_ERR_LIMIT,
								sw_http_retry_class(transfer),
								"out of memory in a request to %s",
								request->peer);
		case CURLE_GOT_NOTHING:
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_PARTIAL_FILE:
		case CURLE_SEND_FAIL_REWIND:
			sw_error_set(err, SW_ERR_LOST, sw_http_retry_class(transfer),
						 "lost the connection to %s", request->peer);
			sw_error_set_hint(err, "Check the network, proxies and firewalls on the way, and that the service is healthy.");
			return SW_ERR_LOST;
		default:
			return sw_error_set(err, SW_ERR_PROTOCOL,
								sw_http_retry_class(transfer),
								"could not understand the reply of %s",
								request->peer);
	}
}

/* The request ended by itself. */
static SwStatus
sw_http_describe_end(SwHttpTransfer *transfer, SwHttpResponse *response,
					 SwError *err)
{
	CURLcode	code = transfer->code;
	SwStatus	status;

	if (transfer->is_body_failed)
		return sw_http_body_failed(transfer, err);
	/* our own callback broke off an endless reply, which is a reply */
	if (code == CURLE_OK ||
		(code == CURLE_WRITE_ERROR && transfer->n_dropped > 0))
		return sw_http_fill_response(transfer, response, err);

	status = sw_http_describe_failure(transfer, code, err);
	sw_http_add_curl_message(transfer, code, err);
	return status;
}

/* The request took too long. */
static SwStatus
sw_http_describe_timeout(const SwHttpTransfer *transfer, SwError *err)
{
	const SwHttpRequest *request = &transfer->request;
	SwRetry		retry = sw_http_retry_class(transfer);
	int64		n_bytes = request->body != NULL ? request->body->n_bytes : 0;
	int64		n_sent = sw_http_count_sent(transfer);

	if (transfer->state == SW_HTTP_LATE)
		sw_error_set(err, SW_ERR_TIMEOUT, retry,
					 "request to %s did not end in time", request->peer);
	else if (!sw_http_is_connected(transfer))
		sw_error_set(err, SW_ERR_TIMEOUT, retry,
					 "could not connect to %s within %d ms",
					 request->peer, request->idle_timeout_ms);
	else if (transfer->is_reply_begun)
		sw_error_set(err, SW_ERR_TIMEOUT, retry,
					 "%s did not end its reply within %d ms", request->peer,
					 request->idle_timeout_ms);
	else if (n_sent < n_bytes)
		sw_error_set(err, SW_ERR_TIMEOUT, retry,
					 "%s took no data for %d ms", request->peer,
					 request->idle_timeout_ms);
	else
		sw_error_set(err, SW_ERR_TIMEOUT, retry,
					 "%s did not reply within %d ms", request->peer,
					 request->idle_timeout_ms);
	if (n_bytes > 0 && sw_http_is_connected(transfer))
		sw_error_set_detail(err, "It had taken %lld of %lld bytes.",
							(long long) n_sent,
							(long long) n_bytes);
	sw_error_set_hint(err, "Check the network, proxies and firewalls on the way, and that the service is healthy; if it is only slow, raise sensorswave_export.request_timeout.");
	return SW_ERR_TIMEOUT;
}

/* Neither libcurl nor epoll goes on. */
static SwStatus
sw_http_describe_breakdown(const SwHttpTransfer *transfer, SwError *err)
{
	if (transfer->socket_errno != 0)
		return sw_error_set(err, SW_ERR_LIMIT, sw_http_retry_class(transfer),
							"could not watch a socket: %s",
							strerror(transfer->socket_errno));
	return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
						"HTTP library failed: %s",
						curl_multi_strerror(transfer->multi_code));
}

SwStatus
sw_http_end(SwHttpTransfer *transfer, SwHttpResponse *response, SwError *err)
{
	Assert(sw_http_is_done(transfer));
	memset(response, 0, sizeof(SwHttpResponse));
	response->n_sent = sw_http_count_sent(transfer);
	switch (transfer->state)
	{
		case SW_HTTP_ENDED:
			return sw_http_describe_end(transfer, response, err);
		case SW_HTTP_IDLE:
		case SW_HTTP_LATE:
			return sw_http_describe_timeout(transfer, err);
		default:
			return sw_http_describe_breakdown(transfer, err);
	}
}
