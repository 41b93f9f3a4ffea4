/*-------------------------------------------------------------------------
 *
 * sw_tls.c
 *	  TLS (1.2 and later) on top of a connected socket.
 *
 * The only file that names OpenSSL's SSL functions.  OpenSSL works on the
 * non-blocking descriptor of the lower stream; whenever it wants one of
 * reading or writing, the stream says so and the caller waits.
 *
 * OpenSSL's error queue is per process and shared with the server's own
 * connections: it is cleared before each call whose failure we explain and
 * left empty behind us.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "net/sw_resource.h"
#include "net/sw_tls.h"

typedef struct SwTls
{
	SwStream	stream;
	SwStream   *lower;
	SwResource *context;		/* SSL_CTX */
	SwResource *session;		/* SSL; above the context and the socket */
} SwTls;

/* Which certificate problem means what, and what to do about it. */
typedef struct SwTlsVerdict
{
	long		code;			/* X509_V_ERR_... */
	const char *message;		/* takes the host */
	const char *hint;
} SwTlsVerdict;

#define SW_TLS_UNTRUSTED \
	"the certificate of \"%s\" comes from an authority that is not trusted"
#define SW_TLS_UNTRUSTED_HINT \
	"Set sslrootcert to the certificate of the authority, or add that to " \
	"the roots of the system."

static const SwTlsVerdict sw_tls_verdicts[] = {
	{
		X509_V_ERR_CERT_HAS_EXPIRED,
		"the certificate of \"%s\" has expired",
		"Have the certificate of the server renewed."
	},
	{
		X509_V_ERR_CERT_NOT_YET_VALID,
		"the certificate of \"%s\" is not valid yet",
		"Check the clock of this machine and the certificate of the server."
	},
	{
		X509_V_ERR_HOSTNAME_MISMATCH,
		"the certificate is not for host \"%s\"",
		"Use a host name that the certificate of the server contains."
	},
	{
		X509_V_ERR_IP_ADDRESS_MISMATCH,
		"the certificate is not for address \"%s\"",
		"Use a name or address that the certificate of the server contains."
	},
	{
		X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
		"the certificate of \"%s\" is signed by nobody but itself",
		"Set sslrootcert to this certificate if you trust it."
	},
	{
		X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
		SW_TLS_UNTRUSTED,
		SW_TLS_UNTRUSTED_HINT
	},
	{
		X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
		SW_TLS_UNTRUSTED,
		SW_TLS_UNTRUSTED_HINT
	},
	{
		X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
		SW_TLS_UNTRUSTED,
		SW_TLS_UNTRUSTED_HINT
	},
	{
		X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
		SW_TLS_UNTRUSTED,
		SW_TLS_UNTRUSTED_HINT
	}
};

static void
sw_tls_destroy_context(void *object)
{
	SSL_CTX_free((SSL_CTX *) object);
}

static void
sw_tls_destroy_session(void *object)
{
	SSL_free((SSL *) object);
}

/* The newest reason in OpenSSL's queue, which is emptied. */
static const char *
sw_tls_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	ERR_clear_error();
	return reason == NULL ? "no reason given" : reason;
}

SwStatus
sw_tls_parse_mode(const char *word, SwTlsMode *mode, SwError *err)
{
	static const char *const words[] = {
		[SW_TLS_DISABLE] = "disable",
		[SW_TLS_REQUIRE] = "require",
		[SW_TLS_VERIFY_CA] = "verify-ca",
		[SW_TLS_VERIFY_FULL] = "verify-full"
	};
	int			i;

	if (word == NULL || word[0] == '\0')
	{
		*mode = SW_TLS_VERIFY_FULL;
		return SW_OK;
	}
	for (i = 0; i < (int) lengthof(words); i++)
	{
		if (strcmp(word, words[i]) == 0)
		{
			*mode = (SwTlsMode) i;
			return SW_OK;
		}
	}
	sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
				 "invalid sslmode \"%s\"", word);
	sw_error_set_hint(err, "Use disable, require, verify-ca or verify-full.");
	return err->status;
}

/* Is host an address rather than a name? */
static bool
sw_tls_is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
		inet_pton(AF_INET6, host, &address) == 1;
}

static SwStatus
sw_tls_unusable(SwError *err)
{
	return sw_error_set(err, SW_ERR_TLS, SW_RETRY_LATER,
						"could not set up TLS: %s", sw_tls_reason());
}

static SwStatus
sw_tls_bad_root_file(const char *root_file, SwError *err)
{
	const char *reason = sw_tls_reason();

	/* OpenSSL says little about files it cannot open. */
	if (access(root_file, R_OK) != 0)
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "could not read trusted certificates from \"%s\": %m",
					 root_file);
	else
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "could not use trusted certificates from \"%s\": %s",
					 root_file, reason);
	sw_error_set_hint(err, "Set sslrootcert to a file with certificates in PEM form that the database server can read.");
	return err->status;
}

/* What we demand of every peer, and whom we trust. */
static SwStatus
sw_tls_make_context(SwTls *tls, const SwTlsOptions *options, SwError *err)
{
	SSL_CTX    *context;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	tls->context->object = context;
	if (context == NULL ||
		SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return sw_tls_unusable(err);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
						SSL_OP_NO_COMPRESSION);

	if (options->mode == SW_TLS_REQUIRE)
		return SW_OK;

	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (options->root_file == NULL || options->root_file[0] == '\0')
	{
		if (SSL_CTX_set_default_verify_paths(context) != 1)
			return sw_tls_unusable(err);
	}
	else if (SSL_CTX_load_verify_locations(context, options->root_file,
										   NULL) != 1)
		return sw_tls_bad_root_file(options->root_file, err);
	return SW_OK;
}

/* The session on the socket, with the name of the host. */
static SwStatus
sw_tls_make_session(SwTls *tls, const SwTlsOptions *options, SwError *err)
{
	bool		is_address = sw_tls_is_address(options->host);
	SSL		   *session;
	int			ok;

	session = SSL_new((SSL_CTX *) tls->context->object);
	tls->session->object = session;
	if (session == NULL || SSL_set_fd(session, (int) tls->stream.fd) != 1)
		return sw_tls_unusable(err);
	SSL_set_connect_state(session);

	if (!is_address &&
		SSL_set_tlsext_host_name(session, options->host) != 1)
		return sw_tls_unusable(err);
	if (options->mode == SW_TLS_VERIFY_FULL)
	{
		X509_VERIFY_PARAM *param = SSL_get0_param(session);

		X509_VERIFY_PARAM_set_hostflags(param,
										X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		if (is_address)
			ok = X509_VERIFY_PARAM_set1_ip_asc(param, options->host);
		else
			ok = X509_VERIFY_PARAM_set1_host(param, options->host, 0);
		if (ok != 1)
			return sw_tls_unusable(err);
	}
	return SW_OK;
}

/* Does what OpenSSL could not read look like another protocol? */
static bool
sw_tls_is_plain_text(unsigned long code)
{
	if (ERR_GET_LIB(code) != ERR_LIB_SSL)
		return false;
	switch (ERR_GET_REASON(code))
	{
		case SSL_R_WRONG_VERSION_NUMBER:
		case SSL_R_UNSUPPORTED_PROTOCOL:
		case SSL_R_HTTP_REQUEST:
		case SSL_R_PACKET_LENGTH_TOO_LONG:
		case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
			return true;
		default:
			return false;
	}
}

/* A handshake failed; failure is from SSL_get_error. */
static SwStatus
sw_tls_explain(SwTls *tls, int failure, const char *host, SwError *err)
{
	long		verdict = SSL_get_verify_result((SSL *) tls->session->object);
	unsigned long code = ERR_peek_last_error();
	bool		is_eof = failure == SSL_ERROR_SYSCALL;
	int			i;

#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
	if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
		ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		is_eof = true;
#endif

	if (verdict != X509_V_OK)
	{
		ERR_clear_error();
		for (i = 0; i < (int) lengthof(sw_tls_verdicts); i++)
		{
			if (sw_tls_verdicts[i].code != verdict)
				continue;
			sw_error_set(err, SW_ERR_TLS, SW_RETRY_NEVER,
						 sw_tls_verdicts[i].message, host);
			sw_error_set_hint(err, "%s", sw_tls_verdicts[i].hint);
			return err->status;
		}
		sw_error_set(err, SW_ERR_TLS, SW_RETRY_NEVER,
					 "the certificate of \"%s\" cannot be verified: %s",
					 host, X509_verify_cert_error_string(verdict));
		sw_error_set_hint(err, "Have the certificate of the server, or that of its authority, replaced by one that is fit for a server, and check sslrootcert.");
		return err->status;
	}
	if (is_eof)
	{
		ERR_clear_error();
		sw_error_set(err, SW_ERR_TLS, SW_RETRY_LATER,
					 "the server closed the connection during the TLS handshake");
		sw_error_set_hint(err, "If this stays so, the port may not be one for TLS: check the port, or set sslmode to \"disable\".");
		return err->status;
	}
	if (sw_tls_is_plain_text(code))
	{
		ERR_clear_error();
		sw_error_set(err, SW_ERR_TLS, SW_RETRY_NEVER,
					 "the server does not speak TLS on this port");
		sw_error_set_hint(err, "Check the port, or set sslmode to \"disable\".");
		return err->status;
	}
	sw_error_set(err, SW_ERR_TLS, SW_RETRY_NEVER,
				 "the TLS handshake with \"%s\" failed: %s", host,
				 sw_tls_reason());
	sw_error_set_hint(err, "Check that the server offers TLS 1.2 or 1.3 and asks for no certificate of ours.");
	return err->status;
}

/* Note in the stream what OpenSSL waits for; false = it is a failure. */
static bool
sw_tls_note_want(SwTls *tls, int failure)
{
	if (failure == SSL_ERROR_WANT_READ)
		tls->stream.want_read = true;
	else if (failure == SSL_ERROR_WANT_WRITE)
		tls->stream.want_write = true;
	else
		return false;
	return true;
}

static SwStatus
sw_tls_lost(int failure, SwError *err)
{
	int			save_errno = errno;

	if (failure == SSL_ERROR_ZERO_RETURN)
		sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
					 "the server closed the connection");
	else
	{
		sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
					 "lost the connection to the server");
		errno = save_errno;
		if (failure == SSL_ERROR_SYSCALL && errno != 0)
			sw_error_set_detail(err, "The system says: %m.");
		else
			sw_error_set_detail(err, "OpenSSL says: %s.", sw_tls_reason());
	}
	sw_error_set_hint(err, "It may pass by itself. If it stays, find out what ends connections between here and the server.");
	ERR_clear_error();
	return err->status;
}

static SwStatus
sw_tls_read(SwStream *stream, void *bytes, Size len, Size *n_bytes,
			SwError *err)
{
	SwTls	   *tls = (SwTls *) stream;
	SSL		   *session = (SSL *) tls->session->object;
	int			failure;

	*n_bytes = 0;
	ERR_clear_error();
	errno = 0;
	if (SSL_read_ex(session, bytes, len, n_bytes) == 1)
		return SW_OK;
	*n_bytes = 0;
	failure = SSL_get_error(session, 0);
	if (sw_tls_note_want(tls, failure))
		return SW_OK;
	return sw_tls_lost(failure, err);
}

static SwStatus
sw_tls_write(SwStream *stream, const void *bytes, Size len, Size *n_bytes,
			 SwError *err)
{
	SwTls	   *tls = (SwTls *) stream;
	SSL		   *session = (SSL *) tls->session->object;
	int			failure;

	*n_bytes = 0;
	ERR_clear_error();
	errno = 0;
	if (SSL_write_ex(session, bytes, len, n_bytes) == 1)
		return SW_OK;
	*n_bytes = 0;
	failure = SSL_get_error(session, 0);
	if (sw_tls_note_want(tls, failure))
		return SW_OK;
	return sw_tls_lost(failure, err);
}

static void
sw_tls_close(SwStream *stream)
{
	SwTls	   *tls = (SwTls *) stream;

	/* Say good-bye if that takes no waiting. */
	if (tls->session->object != NULL)
	{
		ERR_clear_error();
		(void) SSL_shutdown((SSL *) tls->session->object);
		ERR_clear_error();
	}
	sw_resource_release(tls->session);
	sw_resource_release(tls->context);
	sw_stream_close(tls->lower);
	stream->fd = PGINVALID_SOCKET;
}

static const SwStreamOps sw_tls_ops = {
	.read = sw_tls_read,
	.write = sw_tls_write,
	.close = sw_tls_close
};

static SwStatus
sw_tls_handshake(SwTls *tls, const char *host, int64 deadline_ms,
				 SwWaitEvent event, SwError *err)
{
	SSL		   *session = (SSL *) tls->session->object;

	for (;;)
	{
		int			result;
		int			failure;

		ERR_clear_error();
		errno = 0;
		result = SSL_do_handshake(session);
		if (result == 1)
			return SW_OK;
		failure = SSL_get_error(session, result);
		if (!sw_tls_note_want(tls, failure))
			return sw_tls_explain(tls, failure, host, err);

		if (sw_stream_wait(&tls->stream, deadline_ms,
						   event) == SW_WAIT_DEADLINE)
		{
			sw_error_set(err, SW_ERR_TIMEOUT, SW_RETRY_LATER,
						 "the TLS handshake with \"%s\" took too long", host);
			sw_error_set_hint(err, "Check that the port is one for TLS, or raise connect_timeout.");
			return err->status;
		}
	}
}

SwStatus
sw_tls_open(SwStream *lower, const SwTlsOptions *options, int64 deadline_ms,
			SwWaitEvent event, MemoryContext cxt, SwStream **stream_out,
			SwError *err)
{
	SwTls	   *tls;
	SwStatus	status;

	tls = (SwTls *) MemoryContextAllocZero(cxt, sizeof(SwTls));
	tls->stream.ops = &sw_tls_ops;
	tls->stream.fd = lower->fd;
	tls->lower = lower;
	tls->context = sw_resource_create(cxt, sw_tls_destroy_context);
	tls->session = sw_resource_create(cxt, sw_tls_destroy_session);

	status = sw_tls_make_context(tls, options, err);
	if (status == SW_OK)
		status = sw_tls_make_session(tls, options, err);
	if (status == SW_OK)
		status = sw_tls_handshake(tls, options->host, deadline_ms, event,
								  err);
	if (status != SW_OK)
	{
		sw_resource_release(tls->session);
		sw_resource_release(tls->context);
		return status;
	}
	*stream_out = &tls->stream;
	return SW_OK;
}
