/*-------------------------------------------------------------------------
 *
 * sw_target.c
 *	  The warehouse: opening a session, step by step, and its statements.
 *
 * sw_target_table.c, sw_target_load.c and sw_target_probe.c say what is run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "net/sw_wait.h"
#include "target/sw_quote.h"
#include "target/sw_remote_error.h"
#include "target/sw_target_state.h"

/* How long a suspended virtual warehouse may take to wake. */
#define SW_TARGET_WAKE_MS		(3 * 60 * 1000)
/* How often it is asked whether it has. */
#define SW_TARGET_WAKE_POLL_MS	2000
/* Of a text of the warehouse, in an error. */
#define SW_TARGET_MAX_SHOWN_BYTES	500
/* A table that nobody has. */
#define SW_TARGET_NO_TABLE		"_sw_probe_of_the_warehouse"

/*
 * One statement under our time limit, which the warehouse is told too, so
 * that it ends a statement whose client is gone.
 */
static SwStatus
sw_target_run(SwTarget *target, const SwTargetCall *call,
			  SwStatementResult *result, SwError *err)
{
	SwChSetting settings[SW_TARGET_MAX_SETTINGS + 1];
	char		limit_s[16];
	int			timeout_ms = target->options->statement_timeout_ms;
	SwStatement statement = {call->sql, call->query_id, settings,
	call->n_settings + 1, timeout_ms};

	if (target->session == NULL)
		return sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
							"the connection to the warehouse is closed");
	Assert(call->n_settings <= SW_TARGET_MAX_SETTINGS);
	snprintf(limit_s, sizeof(limit_s), "%d", Max((timeout_ms + 999) / 1000, 1));
	settings[0].name = "max_execution_time";
	settings[0].value = limit_s;
	settings[0].is_required = false;
	if (call->n_settings > 0)
		memcpy(settings + 1, call->settings,
			   call->n_settings * sizeof(SwChSetting));
	return sw_session_exec(target->session, &statement, result, err);
}

/* One that needs no warehouse. */
static SwStatus
sw_target_run_text(SwTarget *target, const char *sql,
				   SwStatementResult *result, SwError *err)
{
	SwTargetCall call = {sql, "", NULL, 0};

	return sw_target_run(target, &call, result, err);
}

/* Name the virtual warehouse to the session in the current way. */
static SwStatus
sw_target_set_warehouse(SwTarget *target, SwError *err)
{
	StringInfoData sql;
	SwStatementResult result;
	SwStatus	status = SW_OK;

	initStringInfo(&sql);
	if (target->dialect->write_warehouse(&sql, target->options,
										 target->warehouse_attempt))
		status = sw_target_run_text(target, sql.data, &result, err);
	target->warehouse_is_set = status == SW_OK;
	pfree(sql.data);
	return status;
}

/* Is there another way to name it?  Then that is the current one now. */
static bool
sw_target_rename_warehouse(SwTarget *target)
{
	StringInfoData sql;
	bool		found;

	initStringInfo(&sql);
	found = target->has_warehouse &&
		target->dialect->write_warehouse(&sql, target->options,
										 target->warehouse_attempt + 1);
	pfree(sql.data);
	if (found)
	{
		target->warehouse_attempt++;
		target->warehouse_is_set = false;
	}
	return found;
}

/*
 * That there is no warehouse of the name given may only show when a
 * statement needs its workers: then name it the other way and try again.
 */
static SwStatus
sw_target_call(SwTarget *target, const SwTargetCall *call,
			   SwStatementResult *result, SwError *err)
{
	for (;;)
	{
		SwStatus	status = SW_OK;

		if (target->has_warehouse && !target->warehouse_is_set)
			status = sw_target_set_warehouse(target, err);
		if (status == SW_OK)
			status = sw_target_run(target, call, result, err);
		if (status == SW_OK || !sw_remote_error_is_warehouse(err) ||
			!sw_target_rename_warehouse(target))
			return status;
	}
}

SwStatus
sw_target_exec(SwTarget *target, const SwTargetCall *call,
			   SwStatementResult *result, SwError *err)
{
	SwStatementResult ignored;
	SwStatus	status;

	status = sw_target_call(target, call, result == NULL ? &ignored : result,
							err);
	if (status != SW_OK && err->retry == SW_RETRY_UNKNOWN)
		err->retry = SW_RETRY_LATER;
	return status;
}

SwStatus
sw_target_exec_text(SwTarget *target, StringInfo sql,
					SwStatementResult *result, SwError *err)
{
	SwTargetCall call = {sql->data, "", NULL, 0};
	SwStatus	status = sw_target_exec(target, &call, result, err);

	pfree(sql->data);
	return status;
}

/* The secrets of the login, and the keys of the store. */
static SwRedactor
sw_target_load_redactor(const SwTarget *target, const SwLoadSource *source)
{
	SwRedactor	redactor = target->redactor;

	sw_redactor_add(&redactor, source->access_key);
	sw_redactor_add(&redactor, source->secret_key);
	return redactor;
}

char *
sw_target_redact(const SwTarget *target, const SwLoadSource *source,
				 const char *text)
{
	SwRedactor	redactor = source == NULL ? target->redactor :
	sw_target_load_redactor(target, source);

	return sw_redact(&redactor, text, strlen(text),
					 SW_TARGET_MAX_SHOWN_BYTES);
}

SwStatus
sw_target_exec_load(SwTarget *target, const SwTargetCall *call,
					const SwLoadSource *source, SwStatementResult *result,
					SwError *err)
{
	SwRedactor	login_redactor = target->redactor;
	SwStatus	status;

	target->redactor = sw_target_load_redactor(target, source);
	status = sw_target_call(target, call, result, err);
	target->redactor = login_redactor;
	return status;
}

/* ---- what a kind can hold ---- */

bool
sw_target_has_time(const char *kind)
{
	const SwDialect *dialect = sw_dialect_find(kind);

	return dialect != NULL && dialect->has_time;
}

const SwJsonLimits *
sw_target_get_json_limits(const char *kind, const SwTargetTable *table)
{
	const SwDialect *dialect = sw_dialect_find(kind);

	return dialect == NULL || dialect->keeps_json_text(table) ? NULL :
		&dialect->json_limits;
}

bool
sw_target_knows_repeats(const char *kind, const SwTargetTable *table)
{
	const SwDialect *dialect = sw_dialect_find(kind);

	return dialect != NULL && sw_dialect_window_setting(dialect, table) != NULL;
}

/* ---- the steps of opening ---- */

SwStatus
sw_target_create(const SwTargetOptions *options, MemoryContext cxt,
				 SwTarget **target_out, SwError *err)
{
	const SwDialect *dialect = sw_dialect_find(options->kind);
	MemoryContext target_cxt;
	SwTarget   *target;

	if (dialect == NULL)
		return sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
							"unknown kind of warehouse \"%s\"",
							options->kind);

	target_cxt = AllocSetContextCreate(cxt, "SwTarget",
									   ALLOCSET_SMALL_SIZES);
	target = (SwTarget *) MemoryContextAllocZero(target_cxt,
												 sizeof(SwTarget));
	target->cxt = target_cxt;
	target->dialect = dialect;
	target->options = options;
	target->has_warehouse = dialect->write_warehouse != NULL &&
		options->virtual_warehouse != NULL &&
		options->virtual_warehouse[0] != '\0';
	sw_redactor_add(&target->redactor, options->password);
	sw_redactor_add(&target->redactor, options->api_key);
	sw_redactor_add(&target->redactor, options->stage_secret_key);
	*target_out = target;
	return SW_OK;
}

static void
sw_target_disconnect(SwTarget *target)
{
	if (target->session != NULL)
		sw_session_close(target->session);
	target->session = NULL;
	target->warehouse_is_set = false;
}

SwStatus
sw_target_connect(SwTarget *target, SwError *err)
{
	const SwTargetOptions *options = target->options;
	SwSessionOptions session_options;
	MemoryContext old_cxt;
	SwStatus	status;

	sw_target_disconnect(target);
	memset(&session_options, 0, sizeof(session_options));
	old_cxt = MemoryContextSwitchTo(target->cxt);
	status = target->dialect->get_login(options, &session_options.user,
										&session_options.password, err);
	MemoryContextSwitchTo(old_cxt);
	if (status != SW_OK)
		return status;
	session_options.grantee = options->username;
	session_options.host = options->host;
	session_options.port = options->port;
	session_options.sslmode = options->sslmode;
	session_options.sslrootcert = options->sslrootcert;
	session_options.connect_timeout_ms = options->connect_timeout_ms;
	session_options.redactor = &target->redactor;
	target->session = sw_session_create(&session_options, target->cxt);

	status = sw_session_connect(target->session, err);
	if (status != SW_OK)
		sw_target_disconnect(target);
	return status;
}

/*
 * A server that does not call itself ByteHouse is asked whether it is one by
 * another name; one that will not say is taken for one.
 */
static SwStatus
sw_target_check_edition(SwTarget *target, SwError *err)
{
	SwStatementResult result;
	StringInfoData sql;
	SwStatus	status;

	if (target->dialect->append_unique_key == NULL ||
		strcmp(sw_session_server(target->session)->name, "ByteHouse") == 0)
		return SW_OK;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT count() FROM system.table_engines WHERE name = ");
	sw_quote_append_text(&sql, target->dialect->append_engine);
	status = sw_target_run_text(target, sql.data, &result, err);
	pfree(sql.data);
	if (status != SW_OK)
		return sw_session_is_usable(target->session) ? SW_OK : status;
	if (result.rows.n_rows == 1 && result.rows.values[0] != NULL &&
		strcmp(result.rows.values[0], "0") == 0)
		return sw_remote_error_set_edition(err);
	return SW_OK;
}

SwStatus
sw_target_login(SwTarget *target, SwError *err)
{
	SwStatus	status;

	if (target->session == NULL)
		return sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
							"the connection to the warehouse is closed");
	status = sw_session_login(target->session, err);
	if (status == SW_OK)
		status = sw_target_check_edition(target, err);
	if (status != SW_OK)
		sw_target_disconnect(target);
	return status;
}

char *
sw_target_describe_server(const SwTarget *target)
{
	const SwChServer *server;
	char	   *name;
	char	   *text;

	if (target->session == NULL)
		return pstrdup("not connected");
	server = sw_session_server(target->session);
	name = sw_redact(&target->redactor, server->name, strlen(server->name),
					 NAMEDATALEN);
	text = psprintf("%s " UINT64_FORMAT "." UINT64_FORMAT "." UINT64_FORMAT
					", protocol revision " UINT64_FORMAT, name,
					server->version_major, server->version_minor,
					server->version_patch,
					sw_session_revision(target->session));
	pfree(name);
	return text;
}

SwStatus
sw_target_check_version(const SwTarget *target, SwError *err)
{
	const SwDialect *dialect = target->dialect;
	const SwChServer *server;
	char	   *described;

	if (target->session == NULL)
		return SW_OK;			/* the statement to come says so */
	server = sw_session_server(target->session);
	if (server->version_major >= dialect->min_version)
		return SW_OK;
	sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
				 "the warehouse is too old for kind \"%s\"", dialect->kind);
	described = sw_target_describe_server(target);
	sw_error_set_detail(err, "The server says that it is %s.", described);
	sw_error_set_hint(err, "Kind \"%s\" needs %s " UINT64_FORMAT " or later: upgrade the warehouse, or use another.",
					  dialect->kind, dialect->product, dialect->min_version);
	pfree(described);
	return err->status;
}

/*
 * A query that workers have to answer: of a table that is there, if we may
 * know of one.  *found tells.
 */
static SwStatus
sw_target_write_worker_query(SwTarget *target, StringInfo sql, bool *found,
							 SwError *err)
{
	SwStatementResult result;
	SwStatus	status;

	appendStringInfoString(sql, "SELECT database, name FROM system.tables "
						   "WHERE engine LIKE 'CnchMergeTree%' AND "
						   "database NOT IN ('system', 'information_schema') "
						   "ORDER BY database = ");
	sw_quote_append_text(sql, target->options->database);
	appendStringInfoString(sql, " DESC LIMIT 1");
	status = sw_target_run_text(target, sql->data, &result, err);
	if (status != SW_OK && !sw_session_is_usable(target->session))
		return status;

	resetStringInfo(sql);
	*found = status == SW_OK && result.rows.n_rows == 1 &&
		result.rows.n_columns == 2 && result.rows.values[0] != NULL &&
		result.rows.values[1] != NULL;
	if (*found)
	{
		appendStringInfoString(sql, "SELECT toString(count()) FROM (SELECT 1 FROM ");
		sw_quote_append_name(sql, result.rows.values[0]);
		appendStringInfoChar(sql, '.');
		sw_quote_append_name(sql, result.rows.values[1]);
		appendStringInfoString(sql, " LIMIT 1)");
	}
	return SW_OK;
}

/*
 * Have workers do something, waiting for them to wake.  A refusal that is
 * not about the warehouse is none here: *answered is false then.
 */
static SwStatus
sw_target_ask_workers(SwTarget *target, const char *sql, int64 deadline_ms,
					  bool *answered, SwError *err)
{
	SwTargetCall call = {sql, "", NULL, 0};
	SwStatus	status;

	for (;;)
	{
		int64		pause_until_ms;

		status = sw_target_exec(target, &call, NULL, err);
		if (status == SW_OK || !sw_remote_error_is_starting(err) ||
			sw_wait_now_ms() + SW_TARGET_WAKE_POLL_MS > deadline_ms)
			break;
		pause_until_ms = sw_wait_deadline(SW_TARGET_WAKE_POLL_MS);
		while (sw_wait(PGINVALID_SOCKET, false, false, pause_until_ms,
					   SW_WAIT_EVENT_WAREHOUSE) != SW_WAIT_DEADLINE)
			continue;
	}
	*answered = status == SW_OK;
	if (status == SW_ERR_DENIED ||
		(status == SW_ERR_MISSING && !sw_remote_error_is_warehouse(err)))
		return SW_OK;
	return status;
}

/*
 * Who may not read anything may still insert: into a table that nobody has,
 * since all that matters is how far the statement gets.
 */
SwStatus
sw_target_use_warehouse(SwTarget *target, SwError *err)
{
	int64		deadline_ms;
	bool		answered = false;
	StringInfoData sql;
	SwStatus	status;

	if (!target->has_warehouse)
		return SW_OK;
	deadline_ms = sw_wait_deadline(Min(target->options->statement_timeout_ms,
									   SW_TARGET_WAKE_MS));
	status = sw_target_set_warehouse(target, err);
	if (status != SW_OK && !sw_remote_error_is_warehouse(err))
		return status;

	initStringInfo(&sql);
	SW_TRY(sw_target_write_worker_query(target, &sql, &answered, err));
	if (answered)
		SW_TRY(sw_target_ask_workers(target, sql.data, deadline_ms,
									 &answered, err));
	if (!answered)
	{
		resetStringInfo(&sql);
		appendStringInfoString(&sql, "INSERT INTO ");
		sw_quote_append_name(&sql, target->options->database);
		appendStringInfoString(&sql, "." SW_TARGET_NO_TABLE
							   " (c) SELECT 'c' WHERE 0");
		status = sw_target_ask_workers(target, sql.data, deadline_ms,
									   &answered, err);
	}
	pfree(sql.data);
	return status;
}

SwStatus
sw_target_use_database(SwTarget *target, SwError *err)
{
	StringInfoData sql;

	SW_TRY(sw_quote_check_name("database name", target->options->database,
							   err));
	initStringInfo(&sql);
	appendStringInfoString(&sql, "USE ");
	sw_quote_append_name(&sql, target->options->database);
	return sw_target_exec_text(target, &sql, NULL, err);
}

SwStatus
sw_target_open(const SwTargetOptions *options, MemoryContext cxt,
			   SwTarget **target_out, SwError *err)
{
	SwTarget   *target;
	SwStatus	status;

	SW_TRY(sw_target_create(options, cxt, &target, err));
	status = sw_target_connect(target, err);
	if (status == SW_OK)
		status = sw_target_login(target, err);
	if (status == SW_OK)
		status = sw_target_use_warehouse(target, err);
	if (status == SW_OK)
		status = sw_target_use_database(target, err);
	if (status != SW_OK)
	{
		sw_target_close(target);
		return status;
	}
	*target_out = target;
	return SW_OK;
}

void
sw_target_close(SwTarget *target)
{
	sw_target_disconnect(target);
	MemoryContextDelete(target->cxt);
}
