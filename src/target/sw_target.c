/*-------------------------------------------------------------------------
 *
 * sw_target.c
 *	  The warehouse: one session, in one dialect.
 *
 * Runs what the dialect writes.  All statements of this file give the same
 * result when they are repeated (CREATE ... IF NOT EXISTS, overwrite, drop,
 * count), so an unknown outcome is no different from "later" here.
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
/* A table that nobody has. */
#define SW_TARGET_NO_TABLE		"_sw_probe_of_the_warehouse"

static const SwDialect *const sw_target_dialects[] = {
	&sw_dialect_bytehouse
};

static const SwDialect *
sw_target_find_dialect(const char *kind)
{
	int			i;

	for (i = 0; i < (int) lengthof(sw_target_dialects); i++)
		if (strcmp(sw_target_dialects[i]->kind, kind) == 0)
			return sw_target_dialects[i];
	return NULL;
}

/*
 * One statement under our time limit, which the warehouse is told too, so
 * that it ends a statement whose client is gone.
 */
static SwStatus
sw_target_run(SwTarget *target, const char *sql, const char *query_id,
			  SwStatementResult *result, SwError *err)
{
	char		limit_s[16];
	SwChSetting settings[] = {
		{"max_execution_time", limit_s, false}
	};
	int			timeout_ms = target->options->statement_timeout_ms;
	SwStatement statement = {sql, query_id, settings, lengthof(settings),
	timeout_ms};
	SwStatus	status;

	if (target->session == NULL)
		return sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
							"the connection to the warehouse is closed");
	snprintf(limit_s, sizeof(limit_s), "%d", Max((timeout_ms + 999) / 1000, 1));
	status = sw_session_exec(target->session, &statement, result, err);
	if (status != SW_OK && err->retry == SW_RETRY_UNKNOWN)
		err->retry = SW_RETRY_LATER;
	return status;
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
		status = sw_target_run(target, sql.data, "", &result, err);
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
SwStatus
sw_target_exec(SwTarget *target, const char *sql, const char *query_id,
			   SwStatementResult *result, SwError *err)
{
	for (;;)
	{
		SwStatus	status = SW_OK;

		if (target->has_warehouse && !target->warehouse_is_set)
			status = sw_target_set_warehouse(target, err);
		if (status == SW_OK)
			status = sw_target_run(target, sql, query_id, result, err);
		if (status == SW_OK || !sw_remote_error_is_warehouse(err) ||
			!sw_target_rename_warehouse(target))
			return status;
	}
}

SwStatus
sw_target_exec_load(SwTarget *target, StringInfo sql,
					const SwLoadSource *source, const char *query_id,
					SwStatementResult *result, SwError *err)
{
	SwRedactor	login_redactor = target->redactor;
	SwStatus	status;

	sw_redactor_add(&target->redactor, source->access_key);
	sw_redactor_add(&target->redactor, source->secret_key);
	status = sw_target_exec(target, sql->data, query_id, result, err);
	target->redactor = login_redactor;
	explicit_bzero(sql->data, sql->len);
	pfree(sql->data);
	return status;
}

/* ---- the steps of opening ---- */

SwStatus
sw_target_create(const SwTargetOptions *options, MemoryContext cxt,
				 SwTarget **target_out, SwError *err)
{
	const SwDialect *dialect = sw_target_find_dialect(options->kind);
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

SwStatus
sw_target_login(SwTarget *target, SwError *err)
{
	SwStatus	status;

	if (target->session == NULL)
		return sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
							"the connection to the warehouse is closed");
	status = sw_session_login(target->session, err);
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

/*
 * A query that workers have to answer: of a table that holds rows where we
 * know of one, else of one that is not there.
 */
static SwStatus
sw_target_write_worker_query(SwTarget *target, StringInfo sql, SwError *err)
{
	SwStatementResult result;
	SwStatus	status;

	initStringInfo(sql);
	appendStringInfoString(sql, "SELECT database, name FROM system.tables "
						   "WHERE engine LIKE 'CnchMergeTree%' AND database NOT IN "
						   "('system', 'information_schema') "
						   "ORDER BY database = ");
	sw_quote_append_text(sql, target->options->database);
	appendStringInfoString(sql, " DESC LIMIT 1");
	status = sw_target_run(target, sql->data, "", &result, err);
	if (status != SW_OK && !sw_session_is_usable(target->session))
		return status;

	resetStringInfo(sql);
	appendStringInfoString(sql, "SELECT toString(count()) FROM (SELECT 1 FROM ");
	if (status == SW_OK && result.rows.n_rows == 1 &&
		result.rows.n_columns == 2 && result.rows.values[0] != NULL &&
		result.rows.values[1] != NULL)
	{
		sw_quote_append_name(sql, result.rows.values[0]);
		appendStringInfoChar(sql, '.');
		sw_quote_append_name(sql, result.rows.values[1]);
	}
	else
	{
		sw_quote_append_name(sql, target->options->database);
		appendStringInfoString(sql, "." SW_TARGET_NO_TABLE);
	}
	appendStringInfoString(sql, " LIMIT 1)");
	return SW_OK;
}

/*
 * What the query says of its table is of no interest here: once it gets that
 * far, the warehouse has been found.
 */
SwStatus
sw_target_use_warehouse(SwTarget *target, SwError *err)
{
	int64		deadline_ms;
	StringInfoData sql;
	SwStatus	status;

	if (!target->has_warehouse)
		return SW_OK;
	deadline_ms = sw_wait_deadline(Min(target->options->statement_timeout_ms,
									   SW_TARGET_WAKE_MS));
	status = sw_target_set_warehouse(target, err);
	if (status != SW_OK && !sw_remote_error_is_warehouse(err))
		return status;

	SW_TRY(sw_target_write_worker_query(target, &sql, err));
	for (;;)
	{
		SwStatementResult result;
		int64		pause_until_ms;

		status = sw_target_exec(target, sql.data, "", &result, err);
		if (status == SW_OK || !sw_remote_error_is_starting(err) ||
			sw_wait_now_ms() + SW_TARGET_WAKE_POLL_MS > deadline_ms)
			break;
		pause_until_ms = sw_wait_deadline(SW_TARGET_WAKE_POLL_MS);
		while (sw_wait(PGINVALID_SOCKET, false, false, pause_until_ms,
					   SW_WAIT_EVENT_WAREHOUSE) != SW_WAIT_DEADLINE)
			continue;
	}
	pfree(sql.data);
	if (status == SW_ERR_MISSING && !sw_remote_error_is_warehouse(err))
		return SW_OK;
	if (status == SW_ERR_DENIED)
		return SW_OK;
	return status;
}

SwStatus
sw_target_use_database(SwTarget *target, SwError *err)
{
	StringInfoData sql;
	SwStatementResult result;
	SwStatus	status;

	SW_TRY(sw_quote_check_name("database name", target->options->database,
							   err));
	initStringInfo(&sql);
	appendStringInfoString(&sql, "USE ");
	sw_quote_append_name(&sql, target->options->database);
	status = sw_target_exec(target, sql.data, "", &result, err);
	pfree(sql.data);
	return status;
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

/* The names that go into statements about the table. */
static SwStatus
sw_target_check_table(const SwTargetTable *table, SwError *err)
{
	int			i;

	SW_TRY(sw_quote_check_name("database name", table->database, err));
	SW_TRY(sw_quote_check_name("table name", table->name, err));
	for (i = 0; i < table->n_columns; i++)
		SW_TRY(sw_quote_check_name("column name", table->columns[i].name,
								   err));
	return SW_OK;
}

char *
sw_target_ddl(const SwTarget *target, const SwTargetTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	target->dialect->write_create_table(&sql, table);
	return sql.data;
}

SwStatus
sw_target_create_table(SwTarget *target, const SwTargetTable *table,
					   SwError *err)
{
	SwStatementResult result;
	SwStatus	status;
	char	   *sql;

	SW_TRY(sw_target_check_table(table, err));
	sql = sw_target_ddl(target, table);
	status = sw_target_exec(target, sql, "", &result, err);
	pfree(sql);
	return status;
}

SwStatus
sw_target_overwrite_day(SwTarget *target, const SwTargetTable *table,
						const char *day, const SwLoadSource *source,
						const char *query_id, SwLoadResult *result,
						SwError *err)
{
	SwStatementResult statement_result;
	StringInfoData sql;
	SwStatus	status;

	SW_TRY(sw_target_check_table(table, err));
	initStringInfo(&sql);
	target->dialect->write_overwrite_day(&sql, table, day, source);

	status = sw_target_exec_load(target, &sql, source, query_id,
								 &statement_result, err);
	if (status == SW_OK)
	{
		result->read_rows = statement_result.progress.read_rows;
		result->written_rows = statement_result.progress.written_rows;
	}
	return status;
}

SwStatus
sw_target_drop_day(SwTarget *target, const SwTargetTable *table,
				   const char *day, SwError *err)
{
	SwStatementResult result;
	StringInfoData sql;
	SwStatus	status;

	SW_TRY(sw_target_check_table(table, err));
	initStringInfo(&sql);
	target->dialect->write_drop_day(&sql, table, day);
	status = sw_target_exec(target, sql.data, "", &result, err);
	pfree(sql.data);
	return status;
}

SwStatus
sw_target_count_day(SwTarget *target, const SwTargetTable *table,
					const char *day, uint64 *n_rows, SwError *err)
{
	SwStatementResult result;
	StringInfoData sql;
	SwStatus	status;

	SW_TRY(sw_target_check_table(table, err));
	initStringInfo(&sql);
	target->dialect->write_count_day(&sql, table, day);
	status = sw_target_exec(target, sql.data, "", &result, err);
	pfree(sql.data);
	if (status != SW_OK)
		return status;

	if (result.rows.n_rows != 1 || result.rows.n_columns != 1 ||
		result.rows.values[0] == NULL)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse did not answer a count with a number");
	*n_rows = strtou64(result.rows.values[0], NULL, 10);
	pfree(result.rows.values[0]);
	pfree(result.rows.values);
	return SW_OK;
}
