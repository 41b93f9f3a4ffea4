/*-------------------------------------------------------------------------
 *
 * tenant_session.c
 *	  test/tenant-check: a session with the warehouse over blocking TLS.
 *
 *-------------------------------------------------------------------------
 */
#include "tenant.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Longest silence of the server: a suspended warehouse may have to wake. */
#define SILENCE_S 300

char *
tenant_safe(const Tenant *tenant, const char *text)
{
	return sw_redact(&tenant->redactor, text, strlen(text), 400);
}

static bool
fail(Session *session, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	resetStringInfo(&session->message);
	appendStringInfo(&session->message, "%s (%s)", what,
					 reason == NULL ? "connection lost or time over" : reason);
	ERR_clear_error();
	session->is_broken = true;
	return false;
}

static bool
send_output(Session *session)
{
	Size		len;
	const char *out;

	while (out = sw_ch_conn_output(session->conn, &len), len > 0)
	{
		int			n = BIO_write(session->bio, out, (int) Min(len, 65536));

		if (n <= 0)
			return fail(session, "could not send");
		sw_ch_conn_output_done(session->conn, (Size) n);
	}
	return true;
}

static void
collect_rows(Session *session)
{
	const SwChBlock *block = &session->conn->block;
	uint32		row;
	uint32		i;

	for (row = 0; row < block->n_rows; row++)
		for (i = 0; i < block->n_columns; i++)
		{
			char	   *text = sw_ch_column_get_text(&block->columns[i], row);

			appendStringInfo(&session->rows, "%s;", text == NULL ? "NULL" : text);
		}
}

static bool
note_exception(Session *session)
{
	const SwChException *exception = &session->conn->exception;

	session->code = exception->code;
	appendStringInfo(&session->message, "code %d: %s", exception->code,
					 tenant_safe(session->tenant, exception->message));
	return false;
}

/* Until an event that ends the request. */
static bool
finish(Session *session)
{
	char		bytes[65536];
	SwError		err;

	session->code = 0;
	session->written_rows = 0;
	resetStringInfo(&session->rows);
	resetStringInfo(&session->message);
	if (session->is_broken)
		return fail(session, "the session is broken");
	if (!send_output(session))
		return false;
	for (;;)
	{
		SwChEvent	event;
		int			n;

		do
		{
			if (sw_ch_conn_next_event(session->conn, &event, &err) != SW_OK)
				return fail(session, tenant_safe(session->tenant, err.message));
			switch (event)
			{
				case SW_CH_EVENT_DATA:
					collect_rows(session);
					break;
				case SW_CH_EVENT_QUERY_METADATA:
					session->n_metadata++;
					break;
				case SW_CH_EVENT_EXCEPTION:
					return note_exception(session);
				case SW_CH_EVENT_HELLO:
				case SW_CH_EVENT_END:
					session->written_rows = session->conn->progress.written_rows;
					return true;
				default:
					break;
			}
		} while (event != SW_CH_EVENT_NONE);
		n = BIO_read(session->bio, bytes, sizeof(bytes));
		if (n <= 0)
			return fail(session, "could not receive");
		sw_ch_conn_feed(session->conn, bytes, (Size) n);
	}
}

/* "subject <- issuer" of each certificate that the server sent. */
static void
note_chain(Session *session, SSL *ssl)
{
	STACK_OF(X509) * chain = SSL_get_peer_cert_chain(ssl);
	int			i;

	appendStringInfo(&session->chain, "%s", SSL_get_version(ssl));
	for (i = 0; i < sk_X509_num(chain); i++)
	{
		X509	   *certificate = sk_X509_value(chain, i);
		char		subject[256];
		char		issuer[256];

		X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
		X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
		appendStringInfo(&session->chain, ", %s issued by %s", subject, issuer);
	}
}

static bool
connect_tls(Session *session)
{
	const Tenant *tenant = session->tenant;
	struct timeval limit = {SILENCE_S, 0};
	struct in6_addr address;
	bool		is_address = inet_pton(AF_INET, tenant->host, &address) == 1;
	SSL		   *ssl;
	int			ok;

	session->context = SSL_CTX_new(TLS_client_method());
	if (session->context == NULL)
		return fail(session, "could not set up TLS");
	SSL_CTX_set_min_proto_version(session->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(session->context, SSL_VERIFY_PEER, NULL);
	ok = tenant->root_file[0] == '\0' ?
		SSL_CTX_set_default_verify_paths(session->context) :
		SSL_CTX_load_verify_locations(session->context, tenant->root_file, NULL);
	if (ok != 1)
		return fail(session, "could not read the trusted certificates");

	session->bio = BIO_new_ssl_connect(session->context);
	BIO_get_ssl(session->bio, &ssl);
	if (session->bio == NULL || ssl == NULL)
		return fail(session, "could not set up TLS");
	SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
	if (is_address)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tenant->host);
	else
	{
		SSL_set_tlsext_host_name(ssl, tenant->host);
		SSL_set1_host(ssl, tenant->host);
	}
	BIO_set_conn_hostname(session->bio, tenant->host);
	BIO_set_conn_port(session->bio, tenant->port);
	if (BIO_do_connect(session->bio) != 1)
		return fail(session, "could not connect");
	setsockopt(BIO_get_fd(session->bio, NULL), SOL_SOCKET, SO_RCVTIMEO,
			   &limit, sizeof(limit));
	if (BIO_do_handshake(session->bio) != 1)
		return fail(session, "the TLS handshake failed");
	note_chain(session, ssl);
	return true;
}

bool
session_open(Session *session, const Tenant *tenant, const char *user,
			 const char *password)
{
	SwChLogin	login = {"", user, password};

	memset(session, 0, sizeof(Session));
	session->tenant = tenant;
	session->conn = sw_ch_conn_create();
	initStringInfo(&session->rows);
	initStringInfo(&session->message);
	initStringInfo(&session->chain);
	if (!connect_tls(session))
		return false;
	sw_ch_conn_start(session->conn, &login);
	if (finish(session))
		return true;
	session->is_broken = true;
	return false;
}

void
session_close(Session *session)
{
	BIO_free_all(session->bio);
	SSL_CTX_free(session->context);
	sw_ch_conn_destroy(session->conn);
	pfree(session->rows.data);
	pfree(session->message.data);
	pfree(session->chain.data);
}

/* A server too old for settings in a query gets them as statements. */
bool
session_run(Session *session, const char *sql, const SwChSetting *settings,
			int n_settings)
{
	SwChQuery	query = {sql, "", settings, n_settings};

	if (session->is_broken || session->conn->state != SW_CH_STATE_READY)
	{
		session->is_broken = true;
		return finish(session);
	}
	if (!sw_ch_conn_takes_settings(session->conn))
		query.n_settings = 0;
	sw_ch_conn_query(session->conn, &query);
	return finish(session);
}

bool
session_runf(Session *session, const char *fmt,...)
{
	char	   *sql;
	bool		succeeded;
	va_list		args;
	int			len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	sql = palloc(len + 1);
	va_start(args, fmt);
	vsnprintf(sql, len + 1, fmt, args);
	va_end(args);
	succeeded = session_run(session, sql, NULL, 0);
	explicit_bzero(sql, len);
	pfree(sql);
	return succeeded;
}
