/*-------------------------------------------------------------------------
 *
 * sw_session.c
 *	  One connection to the warehouse: statements, one after another.
 *
 * Everything of a session lives in a memory context of its own, which the
 * protocol machine's calls run in; results go to the caller's context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "net/sw_socket.h"
#include "net/sw_stream.h"
#include "net/sw_tls.h"
#include "target/sw_quote.h"
#include "target/sw_remote_error.h"
#include "target/sw_session.h"

/* How long a cancelled statement may take to end. */
#define SW_SESSION_CANCEL_MS		3000
/* Read from the stream at a time. */
#define SW_SESSION_READ_BYTES		(16 * 1024)
/* Our statements count and describe; none has a large result. */
#define SW_SESSION_MAX_VALUES		100000
/* ... and this many bytes of them; our results are small. */
#define SW_SESSION_MAX_BYTES		(64 * 1024 * 1024)
/* Room for "sensorswave_export-", the session, "-" and the statement. */
#define SW_SESSION_QUERY_ID_BYTES	64
/* Of a column's type, in an error. */
#define SW_SESSION_MAX_TYPE_BYTES	100

struct SwSession
{
	MemoryContext cxt;			/* holds all of it */
	SwSessionOptions options;
	SwStream   *stream;			/* NULL: closed */
	SwChConn   *conn;
	uint64		random;			/* in the ids of its statements */
	uint64		n_statements;
	int64		login_deadline_ms;
	char		bytes[SW_SESSION_READ_BYTES];
};

/* ---- moving bytes ---- */

static void
sw_session_disconnect(SwSession *session)
{
	if (session->stream != NULL)
		sw_stream_close(session->stream);
	session->stream = NULL;
}

/*
 * Send what is to be sent and take in what has come; *moved tells whether
 * there was anything.
 */
static SwStatus
sw_session_move(SwSession *session, bool *moved, SwError *err)
{
	const char *out;
	Size		len;
	Size		n_bytes;

	*moved = false;
	out = sw_ch_conn_output(session->conn, &len);
	if (len > 0)
	{
		SW_TRY(sw_stream_write(session->stream, out, len, &n_bytes, err));
		sw_ch_conn_output_done(session->conn, n_bytes);
		*moved = n_bytes > 0;
	}
	SW_TRY(sw_stream_read(session->stream, session->bytes,
						  sizeof(session->bytes), &n_bytes, err));
	if (n_bytes > 0)
	{
		sw_ch_conn_feed(session->conn, session->bytes, n_bytes);
		*moved = true;
	}
	return SW_OK;
}

/*
 * What the machine makes of the bytes.  It shows no text of the peer, which
 * has to be redacted before, and knows no remedy beyond the login.
 */
static SwStatus
sw_session_get_event(SwSession *session, SwChEvent *event, SwError *err)
{
	SwStatus	status = sw_ch_conn_next_event(session->conn, event, err);
	const char *type = session->conn->block.refused_type;

	if (status != SW_OK && type != NULL)
	{
		char	   *shown = sw_redact(session->options.redactor, type,
									  strlen(type),
									  SW_SESSION_MAX_TYPE_BYTES);

		sw_error_set_detail(err, "The type is \"%s\".", shown);
		pfree(shown);
	}
	if (status != SW_OK && err->hint[0] == '\0')
		sw_error_set_hint(err, "Find out whether something between here and the warehouse alters the connection. If not, report this with the version of the warehouse.");
	return status;
}

/*
 * The next event, waiting for it until the deadline: SW_ERR_TIMEOUT then.
 * Runs in the session's context.
 */
static SwStatus
sw_session_next_event(SwSession *session, int64 deadline_ms, SwChEvent *event,
					  SwError *err)
{
	for (;;)
	{
		bool		moved;

		SW_TRY(sw_session_get_event(session, event, err));
		if (*event != SW_CH_EVENT_NONE)
			return SW_OK;

		SW_TRY(sw_session_move(session, &moved, err));
		if (!moved)
			sw_stream_wait(session->stream, deadline_ms,
						   SW_WAIT_EVENT_WAREHOUSE);

		/* A server that never stops talking is held to the same. */
		CHECK_FOR_INTERRUPTS();
		if (sw_wait_now_ms() >= deadline_ms)
			return sw_error_set(err, SW_ERR_TIMEOUT, SW_RETRY_LATER,
								"the warehouse did not answer in time");
	}
}

static SwStatus
sw_session_explain(SwSession *session, SwError *err)
{
	return sw_remote_error_set(err, &session->conn->exception,
							   session->options.redactor,
							   session->options.grantee);
}

/* ---- log in ---- */

SwSession *
sw_session_create(const SwSessionOptions *options, MemoryContext cxt)
{
	MemoryContext session_cxt;
	MemoryContext old_cxt;
	SwSession  *session;

	session_cxt = AllocSetContextCreate(cxt, "SwSession",
										ALLOCSET_DEFAULT_SIZES);
	old_cxt = MemoryContextSwitchTo(session_cxt);
	session = (SwSession *) palloc0(sizeof(SwSession));
	session->cxt = session_cxt;
	session->options = *options;
	session->conn = sw_ch_conn_create();
	if (!pg_strong_random(&session->random, sizeof(session->random)))
		session->random = (uint64) GetCurrentTimestamp() ^
			((uint64) MyProcPid << 48);
	MemoryContextSwitchTo(old_cxt);
	return session;
}

/* The stream is set in any case it is open. */
static SwStatus
sw_session_open_stream(SwSession *session, SwError *err)
{
	const SwSessionOptions *options = &session->options;
	int64		deadline_ms = session->login_deadline_ms;
	SwTlsOptions tls_options;

	SW_TRY(sw_tls_parse_mode(options->sslmode, &tls_options.mode, err));
	SW_TRY(sw_socket_open(options->host, options->port, deadline_ms,
						  SW_WAIT_EVENT_WAREHOUSE, session->cxt,
						  &session->stream, err));
	if (tls_options.mode == SW_TLS_DISABLE)
		return SW_OK;
	tls_options.host = options->host;
	tls_options.root_file = options->sslrootcert;
	return sw_tls_open(session->stream, &tls_options, deadline_ms,
					   SW_WAIT_EVENT_WAREHOUSE, session->cxt,
					   &session->stream, err);
}

SwStatus
sw_session_connect(SwSession *session, SwError *err)
{
	MemoryContext old_cxt = MemoryContextSwitchTo(session->cxt);
	SwStatus	status;

	session->login_deadline_ms =
		sw_wait_deadline(session->options.connect_timeout_ms);
	status = sw_session_open_stream(session, err);
	MemoryContextSwitchTo(old_cxt);
	return status;
}

SwStatus
sw_session_login(SwSession *session, SwError *err)
{
	SwChLogin	login = {"", session->options.user, session->options.password};
	MemoryContext old_cxt = MemoryContextSwitchTo(session->cxt);
	SwChEvent	event;
	SwStatus	status;

	sw_ch_conn_start(session->conn, &login);
	status = sw_session_next_event(session, session->login_deadline_ms,
								   &event, err);
	if (status == SW_OK && event == SW_CH_EVENT_EXCEPTION)
		status = sw_session_explain(session, err);
	else if (status == SW_ERR_LOST || status == SW_ERR_TIMEOUT)
		sw_error_set_hint(err, "If this stays so, check the port, and whether it expects TLS (sslmode).");
	MemoryContextSwitchTo(old_cxt);
	return status;
}

void
sw_session_close(SwSession *session)
{
	sw_session_disconnect(session);
	sw_ch_conn_destroy(session->conn);
	MemoryContextDelete(session->cxt);
}

const SwChServer *
sw_session_server(const SwSession *session)
{
	return &session->conn->server;
}

uint64
sw_session_revision(const SwSession *session)
{
	return session->conn->revision;
}

bool
sw_session_is_usable(const SwSession *session)
{
	return session->stream != NULL &&
		session->conn->state == SW_CH_STATE_READY;
}

/* ---- statements ---- */

/* Add the rows of a block to the result. */
static SwStatus
sw_session_collect(const SwChBlock *block, SwRows *rows,
				   MemoryContext result_cxt, SwError *err)
{
	MemoryContext old_cxt;
	uint64		n_values;
	uint32		row;
	uint32		i;
	char	  **value;

	if (block->n_rows == 0 || block->n_columns == 0)
		return SW_OK;
	if (rows->n_rows > 0 && rows->n_columns != (int) block->n_columns)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse sent rows of different widths");
	n_values = ((uint64) rows->n_rows + block->n_rows) * block->n_columns;
	if (n_values > SW_SESSION_MAX_VALUES)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"the warehouse sent more rows than were asked for");

	old_cxt = MemoryContextSwitchTo(result_cxt);
	if (rows->values == NULL)
		rows->values = (char **) palloc(n_values * sizeof(char *));
	else
		rows->values = (char **) repalloc(rows->values,
										  n_values * sizeof(char *));
	value = rows->values + (Size) rows->n_rows * block->n_columns;
	for (row = 0; row < block->n_rows; row++)
		for (i = 0; i < block->n_columns; i++)
		{
			*value = sw_ch_column_get_text(&block->columns[i], row);
			if (*value != NULL)
				rows->n_bytes += strlen(*value) + 1;
			value++;
		}
	rows->n_columns = (int) block->n_columns;
	rows->n_rows += (int) block->n_rows;
	MemoryContextSwitchTo(old_cxt);
	if (rows->n_bytes > SW_SESSION_MAX_BYTES)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"the warehouse sent more data than was asked for");
	return SW_OK;
}

/* Until the end of the statement; *ended when the server has told it. */
static SwStatus
sw_session_finish(SwSession *session, int64 deadline_ms,
				  SwStatementResult *result, MemoryContext result_cxt,
				  bool *ended, SwError *err)
{
	SwChConn   *conn = session->conn;

	*ended = false;
	for (;;)
	{
		SwChEvent	event;

		SW_TRY(sw_session_next_event(session, deadline_ms, &event, err));
		switch (event)
		{
			case SW_CH_EVENT_DATA:
				SW_TRY(sw_session_collect(&conn->block, &result->rows,
										  result_cxt, err));
				break;
			case SW_CH_EVENT_EXCEPTION:
				*ended = true;
				return sw_session_explain(session, err);
			case SW_CH_EVENT_END:
				*ended = true;
				result->progress = conn->progress;
				return SW_OK;
			default:
				break;
		}
	}
}

/*
 * The statement took too long: ask the server to end it.  Only an exception
 * says that it has not been done: servers end a cancelled statement with the
 * same packet as a finished one, too.
 */
static SwStatus
sw_session_cancel(SwSession *session, int timeout_ms,
				  SwStatementResult *result, MemoryContext result_cxt,
				  bool *ended, SwError *err)
{
	SwStatus	status;

	sw_ch_conn_cancel(session->conn);
	status = sw_session_finish(session,
							   sw_wait_deadline(SW_SESSION_CANCEL_MS),
							   result, result_cxt, ended, err);
	sw_error_set(err, SW_ERR_TIMEOUT,
				 *ended && status != SW_OK ? SW_RETRY_LATER : SW_RETRY_UNKNOWN,
				 "the statement took longer than %d s",
				 timeout_ms / 1000);
	sw_error_set_hint(err, "Raise statement_timeout, or use a larger virtual warehouse.");
	return err->status;
}

/* One statement, in the session's context. */
static SwStatus
sw_session_run(SwSession *session, const SwStatement *statement,
			   SwStatementResult *result, MemoryContext result_cxt,
			   SwError *err)
{
	SwChQuery	query = {statement->text, statement->query_id,
	statement->settings, statement->n_settings};
	char		query_id[SW_SESSION_QUERY_ID_BYTES];
	int64		deadline_ms;
	bool		ended;
	SwStatus	status;

	memset(result, 0, sizeof(SwStatementResult));
	if (!sw_session_is_usable(session))
		return sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
							"the connection to the warehouse is closed");

	session->n_statements++;
	if (query.query_id[0] == '\0')
	{
		snprintf(query_id, sizeof(query_id), SW_CH_CLIENT_NAME "-%016llx-%llu",
				 (unsigned long long) session->random,
				 (unsigned long long) session->n_statements);
		query.query_id = query_id;
	}
	sw_ch_conn_query(session->conn, &query);
	deadline_ms = sw_wait_deadline(statement->timeout_ms);
	status = sw_session_finish(session, deadline_ms, result, result_cxt,
							   &ended, err);
	if (status == SW_ERR_TIMEOUT && !ended)
		status = sw_session_cancel(session, statement->timeout_ms, result,
								   result_cxt, &ended, err);
	else if (status != SW_OK && !ended && err->retry == SW_RETRY_LATER)
		err->retry = SW_RETRY_UNKNOWN;

	if (!ended)
		sw_session_disconnect(session);
	return status;
}

/*
 * A server that is too old to take settings with a query gets them as
 * statements, one by one; what it does not know and need not is passed over.
 * Such servers take no number in quotes.
 */
static SwStatus
sw_session_send_settings(SwSession *session, const SwStatement *statement,
						 SwError *err)
{
	int			i;

	for (i = 0; i < statement->n_settings; i++)
	{
		const SwChSetting *setting = &statement->settings[i];
		SwStatement set = {NULL, "", NULL, 0, statement->timeout_ms};
		SwStatementResult result;
		StringInfoData sql;
		SwStatus	status;

		initStringInfo(&sql);
		appendStringInfo(&sql, "SET %s = ", setting->name);
		if (setting->value[0] != '\0' &&
			strspn(setting->value, "0123456789") == strlen(setting->value))
			appendStringInfoString(&sql, setting->value);
		else
			sw_quote_append_text(&sql, setting->value);
		set.text = sql.data;
		status = sw_session_run(session, &set, &result, CurrentMemoryContext,
								err);
		pfree(sql.data);
		if (status != SW_OK &&
			(setting->is_required || session->stream == NULL))
			return status;
	}
	return SW_OK;
}

SwStatus
sw_session_exec(SwSession *session, const SwStatement *statement,
				SwStatementResult *result, SwError *err)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	MemoryContext old_cxt = MemoryContextSwitchTo(session->cxt);
	SwStatement bare = *statement;
	SwStatus	status = SW_OK;

	if (!sw_ch_conn_takes_settings(session->conn))
	{
		status = sw_session_send_settings(session, statement, err);
		bare.n_settings = 0;
	}
	if (status == SW_OK)
		status = sw_session_run(session, &bare, result, result_cxt, err);
	MemoryContextSwitchTo(old_cxt);
	return status;
}
