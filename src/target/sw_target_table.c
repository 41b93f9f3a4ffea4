/*-------------------------------------------------------------------------
 *
 * sw_target_table.c
 *	  The warehouse: making target tables, and looking at those there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "target/sw_quote.h"
#include "target/sw_remote_error.h"
#include "target/sw_shown_table.h"
#include "target/sw_target_state.h"

/* Of the names of a target's materialized views, in a log line. */
#define SW_TABLE_MAX_VIEWS_BYTES 400

/* A server before 25.3 makes no JSON columns without being told to. */
static const SwChSetting sw_table_settings[] = {
	{"allow_experimental_json_type", "1", false}
};

SwStatus
sw_target_check_definition(const char *kind, const SwTargetTable *table,
						   SwError *err)
{
	const SwDialect *dialect = sw_dialect_find(kind);

	if (dialect == NULL)
		return sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
							"unknown kind of warehouse \"%s\"", kind);
	return sw_dialect_check_table(dialect, table, err);
}

char *
sw_target_write_ddl(const SwTarget *target, const SwTargetTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	sw_dialect_write_create(target->dialect, &sql, table);
	return sql.data;
}

SwStatus
sw_target_create_table(SwTarget *target, const SwTargetTable *table,
					   SwError *err)
{
	SwTargetCall call = {NULL, "", sw_table_settings, 0};
	SwStatus	status;
	char	   *sql;

	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	SW_TRY(sw_target_check_version(target, err));
	if (table->json_type != NULL && !target->dialect->keeps_json_text(table))
		call.n_settings = lengthof(sw_table_settings);
	sql = sw_target_write_ddl(target, table);
	call.sql = sql;
	status = sw_target_exec(target, &call, NULL, err);
	pfree(sql);
	return status;
}

/* ---- comparing ---- */

/* The only value of a statement's answer, palloc'd; SW_ERR_PROTOCOL. */
static SwStatus
sw_table_get_value(SwTarget *target, StringInfo sql, char **value,
				   SwError *err)
{
	SwStatementResult result;

	SW_TRY(sw_target_exec_text(target, sql, &result, err));
	if (result.rows.n_rows != 1 || result.rows.n_columns < 1 ||
		result.rows.values[0] == NULL)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse did not say what the table is");
	*value = result.rows.values[0];
	return SW_OK;
}

SwStatus
sw_target_ask_for_time(SwTarget *target, bool *has_time, SwError *err)
{
	StringInfoData sql;
	char	   *n_settings;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT count() FROM system.settings"
						   " WHERE name = 'enable_time_time64_type' AND value = '1'");
	SW_TRY(sw_table_get_value(target, &sql, &n_settings, err));
	*has_time = strcmp(n_settings, "1") == 0;
	pfree(n_settings);
	return SW_OK;
}

/* *ddl = NULL: there is no such table. */
static SwStatus
sw_table_show(SwTarget *target, const SwTargetTable *table, char **ddl,
			  SwError *err)
{
	StringInfoData sql;
	SwStatus	status;

	*ddl = NULL;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SHOW CREATE TABLE ");
	sw_dialect_append_table(&sql, table, table->name);
	status = sw_table_get_value(target, &sql, ddl, err);
	if (status == SW_ERR_MISSING && sw_remote_error_is_table(err))
		return SW_OK;
	return status;
}

/* Cut long lists between two entries, and say how many are left out. */
static void
sw_table_set_differences(SwError *err, const char *differences)
{
	char		text[sizeof(err->detail) - 64];
	const char *c;
	char	   *end;
	int			n_left = 0;

	if (strlen(differences) < sizeof(text))
	{
		sw_error_set_detail(err, "Differences: %s.", differences);
		return;
	}
	strlcpy(text, differences, sizeof(text));
	end = text;
	for (c = text; (c = strstr(c, "; ")) != NULL; c++)
		end = text + (c - text);
	if (end == text)
		end = text + strlen(text);
	*end = '\0';
	for (c = differences + (end - text); (c = strstr(c, "; ")) != NULL; c++)
		n_left++;
	sw_error_set_detail(err, "Differences: %s; and %d more.", text, n_left);
}

static SwStatus
sw_table_compare(SwTarget *target, const SwTargetTable *table,
				 const char *ddl, SwError *err)
{
	const SwDialect *dialect = target->dialect;
	SwShownTable shown;
	StringInfoData differences;
	const char *window;
	int			n_differences;

	SW_TRY(sw_shown_table_parse(ddl, &shown, err));
	initStringInfo(&differences);
	sw_shown_table_compare(&shown, dialect, table, &differences);
	n_differences = differences.len;
	window = shown.engine[0] == '\0' ? NULL :
		sw_shown_table_window(&shown, dialect, table);
	if (window != NULL)
		appendStringInfo(&differences, "%ssetting %s is below %d",
						 n_differences > 0 ? "; " : "", window,
						 SW_DIALECT_WINDOW);
	if (differences.len == 0)
		return SW_OK;

	sw_error_set(err, SW_ERR_MISMATCH, SW_RETRY_NEVER,
				 "table \"%s\" exists at the warehouse and is not what the pipeline needs",
				 table->name);
	sw_table_set_differences(err, sw_redact(&target->redactor,
											differences.data,
											differences.len,
											differences.len));
	if (n_differences > 0)
		sw_error_set_hint(err, "Choose another target_table, or rename the table that is there.");
	else
	{
		resetStringInfo(&differences);
		sw_dialect_append_table(&differences, table, table->name);
		sw_error_set_hint(err, "Run ALTER TABLE %s MODIFY SETTING %s = %d at the warehouse.",
						  differences.data, window, SW_DIALECT_WINDOW);
	}
	pfree(differences.data);
	return err->status;
}

SwStatus
sw_target_check_table(SwTarget *target, const SwTargetTable *table,
					  bool *exists_out, SwError *err)
{
	char	   *ddl;
	SwStatus	status;

	*exists_out = false;
	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	SW_TRY(sw_target_check_version(target, err));
	SW_TRY(sw_table_show(target, table, &ddl, err));
	if (ddl == NULL)
		return SW_OK;
	*exists_out = true;
	status = sw_table_compare(target, table, ddl, err);
	pfree(ddl);
	return status;
}

/* ---- the marker ---- */

/* A refusal that means "not here". */
static SwStatus
sw_table_refuse_comment(const SwTarget *target, const char *what,
						SwError *err)
{
	char		reason[sizeof(err->message)];
	char		hint[sizeof(err->hint)];

	if (err->retry != SW_RETRY_NEVER || err->remote_code == 0 ||
		sw_remote_error_is_table(err) ||
		!sw_session_is_usable(target->session))
		return err->status;
	strlcpy(reason, err->message, sizeof(reason));
	strlcpy(hint, err->hint, sizeof(hint));
	sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
				 "could not %s the comment of the target table", what);
	sw_error_set_detail(err, "The reason: %s.", reason);
	sw_error_set_hint(err, "%s", hint);
	return err->status;
}

static SwStatus
sw_table_read_comment(SwTarget *target, const SwTargetTable *table,
					  char **comment, SwError *err)
{
	StringInfoData sql;
	SwStatus	status;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT comment FROM system.tables WHERE database = ");
	sw_quote_append_text(&sql, table->database);
	appendStringInfoString(&sql, " AND name = ");
	sw_quote_append_text(&sql, table->name);
	status = sw_table_get_value(target, &sql, comment, err);
	if (status == SW_ERR_PROTOCOL && sw_session_is_usable(target->session))
		return sw_error_set(err, SW_ERR_MISSING, SW_RETRY_NEVER,
							"the target table does not exist");
	return status == SW_OK ? SW_OK :
		sw_table_refuse_comment(target, "read", err);
}

SwStatus
sw_target_read_marker(SwTarget *target, const SwTargetTable *table,
					  char **marker, SwError *err)
{
	char	   *comment;
	const char *found;

	*marker = NULL;
	SW_TRY(sw_table_read_comment(target, table, &comment, err));
	pfree(sw_quote_split_comment(comment, &found));
	if (found != NULL)
		*marker = pstrdup(found);
	pfree(comment);
	return SW_OK;
}

static bool
sw_table_is_same_marker(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

SwStatus
sw_target_write_marker(SwTarget *target, const SwTargetTable *table,
					   const char *expected, const char *marker,
					   SwError *err)
{
	StringInfoData sql;
	char	   *comment;
	char	   *words;
	const char *found;
	SwStatus	status;

	if (marker != NULL)
		SW_TRY(sw_quote_check_marker(marker, err));
	SW_TRY(sw_table_read_comment(target, table, &comment, err));
	words = sw_quote_split_comment(comment, &found);
	if (sw_table_is_same_marker(found, marker))
		return SW_OK;
	if (!sw_table_is_same_marker(found, expected))
		return sw_error_set(err, SW_ERR_MISMATCH, SW_RETRY_LATER,
							"the mark of the target table has changed");

	initStringInfo(&sql);
	sw_dialect_write_comment(&sql, table, sw_quote_add_marker(words, marker));
	status = sw_target_exec_text(target, &sql, NULL, err);
	return status == SW_OK ? SW_OK :
		sw_table_refuse_comment(target, "alter", err);
}

char *
sw_target_write_no_comment(const SwTargetTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	sw_dialect_write_comment(&sql, table, "");
	return sql.data;
}

/* ---- other things beside the table ---- */

/* Partitions that are moved in do what inserted rows would not, and less. */
SwStatus
sw_target_find_caveat(SwTarget *target, const SwTargetTable *table,
					  char **caveat, SwError *err)
{
	SwStatementResult result;
	StringInfoData sql;
	StringInfoData text;
	SwStatus	status;
	bool		has_views;
	bool		has_ttl;

	*caveat = NULL;
	if (target->dialect->overwrites_at_once)
		return SW_OK;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT arrayStringConcat(dependencies_table, ', '), "
						   "toString(position(engine_full, ' TTL ') > 0) "
						   "FROM system.tables WHERE database = ");
	sw_quote_append_text(&sql, table->database);
	appendStringInfoString(&sql, " AND name = ");
	sw_quote_append_text(&sql, table->name);
	status = sw_target_exec_text(target, &sql, &result, err);
	/* Who may not look is not warned. */
	if (status != SW_OK)
		return status == SW_ERR_DENIED ? SW_OK : status;
	if (result.rows.n_rows != 1 || result.rows.n_columns != 2 ||
		result.rows.values[0] == NULL || result.rows.values[1] == NULL)
		return SW_OK;
	has_views = result.rows.values[0][0] != '\0';
	has_ttl = strcmp(result.rows.values[1], "0") != 0;
	if (!has_views && !has_ttl)
		return SW_OK;

	initStringInfo(&text);
	if (has_views)
		appendStringInfo(&text, "materialized views of the target (%s) are not told of a day that is replaced",
						 sw_redact(&target->redactor, result.rows.values[0],
								   strlen(result.rows.values[0]),
								   SW_TABLE_MAX_VIEWS_BYTES));
	if (has_ttl)
		appendStringInfo(&text, "%srows that the target's TTL has removed are back with their day until it works on them again",
						 has_views ? "; " : "");
	*caveat = text.data;
	return SW_OK;
}

/* CREATE OR REPLACE VIEW would replace a table, too. */
static SwStatus
sw_target_refuse_table(SwTarget *target, const SwTargetTable *table,
					   const char *view, SwError *err)
{
	SwTargetCall call = {NULL, "", NULL, 0};
	SwStatementResult result;
	StringInfoData sql;
	SwStatus	status;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT engine FROM system.tables WHERE database = ");
	sw_quote_append_text(&sql, table->database);
	appendStringInfoString(&sql, " AND name = ");
	sw_quote_append_text(&sql, view);
	call.sql = sql.data;
	status = sw_target_exec(target, &call, &result, err);
	pfree(sql.data);
	if (status != SW_OK)
		return status;
	if (result.rows.n_rows > 0 && result.rows.values[0] != NULL &&
		strcmp(result.rows.values[0], "View") != 0)
	{
		sw_error_set(err, SW_ERR_MISMATCH, SW_RETRY_NEVER,
					 "\"%s\" exists at the warehouse and is not a view", view);
		sw_error_set_hint(err, "Rename what is there.");
		return err->status;
	}
	return SW_OK;
}

SwStatus
sw_target_create_current_view(SwTarget *target, const SwTargetTable *table,
							  SwError *err)
{
	StringInfoData sql;

	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	SW_TRY(sw_target_check_version(target, err));
	if (table->n_key_columns == 0)
		return sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
							"table \"%s\" has no key, so none of its rows is the current one",
							table->name);
	SW_TRY(sw_target_refuse_table(target, table,
								  psprintf("%s_current", table->name), err));
	initStringInfo(&sql);
	sw_dialect_write_current_view(target->dialect, &sql, table);
	return sw_target_exec_text(target, &sql, NULL, err);
}

SwStatus
sw_target_drop_stage(SwTarget *target, const SwTargetTable *table,
					 const char *stage, SwError *err)
{
	static const SwChSetting settings[] = {
		{"max_table_size_to_drop", "0", false}
	};
	SwTargetCall call = {NULL, "", settings, lengthof(settings)};
	StringInfoData sql;
	SwStatus	status;

	SW_TRY(sw_quote_check_name("table name", stage, err));
	initStringInfo(&sql);
	sw_dialect_write_drop_stage(&sql, table, stage);
	call.sql = sql.data;
	status = sw_target_exec(target, &call, NULL, err);
	pfree(sql.data);
	return status;
}
