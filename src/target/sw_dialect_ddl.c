/*-------------------------------------------------------------------------
 *
 * sw_dialect_ddl.c
 *	  Statements about tables: made, dropped, commented, viewed.
 *
 * Pure text; runs nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_dialect.h"
#include "target/sw_quote.h"

static void
sw_dialect_append_engine(const SwDialect *dialect, StringInfo sql,
						 const SwTargetTable *table)
{
	const char *engine = table->options.engine;

	if (engine == NULL)
		engine = table->n_key_columns > 0 ? dialect->upsert_engine :
			dialect->append_engine;
	appendStringInfo(sql, " ENGINE = %s", engine);
	if (table->version_column != NULL && strchr(engine, '(') == NULL)
	{
		appendStringInfoChar(sql, '(');
		sw_quote_append_name(sql, table->version_column);
		appendStringInfoChar(sql, ')');
	}
}

static void
sw_dialect_append_keys(StringInfo sql, const SwTargetTable *table)
{
	StringInfoData text;

	initStringInfo(&text);
	sw_dialect_append_partition(&text, table);
	if (text.len > 0)
		appendStringInfo(sql, " PARTITION BY %s", text.data);
	resetStringInfo(&text);
	sw_dialect_append_order(&text, table);
	appendStringInfo(sql, text.len > 0 ? " ORDER BY (%s)" :
					 " ORDER BY tuple()%s", text.data);
	pfree(text.data);
}

const char *
sw_dialect_window_setting(const SwDialect *dialect, const SwTargetTable *table)
{
	const char *engine = table->options.engine;

	if (dialect->window_setting == NULL || table->n_key_columns > 0 ||
		table->options.at_least_once)
		return NULL;
	if (engine != NULL && (strncmp(engine, "Replicated", 10) == 0 ||
						   strncmp(engine, "Shared", 6) == 0))
		return "replicated_deduplication_window";
	return dialect->window_setting;
}

static void
sw_dialect_append_setting(StringInfo sql, bool *is_first, const char *name,
						  const char *value)
{
	appendStringInfo(sql, "%s%s = ", *is_first ? " SETTINGS " : ", ", name);
	if (value[0] != '\0' &&
		strspn(value, "0123456789") == strlen(value))
		appendStringInfoString(sql, value);
	else
		sw_quote_append_text(sql, value);
	*is_first = false;
}

/* A stage is loaded once, and into one place. */
static bool
sw_dialect_is_stage_setting(const SwTableSetting *setting)
{
	return strstr(setting->name, "deduplication") == NULL &&
		strncmp(setting->name, "replicated_", 11) != 0;
}

static void
sw_dialect_append_settings(const SwDialect *dialect, StringInfo sql,
						   const SwTargetTable *table)
{
	const char *window = sw_dialect_window_setting(dialect, table);
	bool		is_first = true;
	int			i;

	for (i = 0; i < table->options.n_settings; i++)
	{
		const SwTableSetting *setting = &table->options.settings[i];

		sw_dialect_append_setting(sql, &is_first, setting->name,
								  setting->value);
		if (window != NULL && strcmp(setting->name, window) == 0)
			window = NULL;
	}
	if (window != NULL)
		sw_dialect_append_setting(sql, &is_first, window,
								  CppAsString2(SW_DIALECT_WINDOW));
}

void
sw_dialect_write_create(const SwDialect *dialect, StringInfo sql,
						const SwTargetTable *table)
{
	const SwTableOptions *options = &table->options;
	int			i;

	appendStringInfoString(sql, "CREATE TABLE IF NOT EXISTS ");
	sw_dialect_append_table(sql, table, table->name);
	if (options->cluster != NULL && dialect->append_unique_key == NULL)
	{
		appendStringInfoString(sql, " ON CLUSTER ");
		sw_quote_append_name(sql, options->cluster);
	}
	appendStringInfoString(sql, " (");
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_quote_append_name(sql, table->columns[i].name);
		appendStringInfoChar(sql, ' ');
		sw_dialect_append_type(dialect, sql, table, &table->columns[i]);
		if (options->column_comments != NULL &&
			options->column_comments[i] != NULL)
		{
			appendStringInfoString(sql, " COMMENT ");
			sw_quote_append_text(sql, options->column_comments[i]);
		}
	}
	appendStringInfoChar(sql, ')');
	sw_dialect_append_engine(dialect, sql, table);
	sw_dialect_append_keys(sql, table);
	if (dialect->append_unique_key != NULL)
		dialect->append_unique_key(sql, table);
	if (options->ttl != NULL)
		appendStringInfo(sql, " TTL %s", options->ttl);
	sw_dialect_append_settings(dialect, sql, table);
	if (options->comment != NULL || table->marker != NULL)
	{
		char	   *comment = sw_quote_add_marker(options->comment,
												  table->marker);

		appendStringInfoString(sql, " COMMENT ");
		sw_quote_append_text(sql, comment);
		pfree(comment);
	}
}

/*
 * Columns, indices and projections are the target's own, or its partitions
 * can't be replaced; the same goes for some settings, storage_policy for one.
 * Its TTL must not work on rows that are still checked.
 */
void
sw_dialect_write_create_stage(const SwDialect *dialect, StringInfo sql,
							  const SwTargetTable *table, const char *stage)
{
	bool		is_first = true;
	int			i;

	appendStringInfoString(sql, "CREATE TABLE ");
	sw_dialect_append_table(sql, table, stage);
	appendStringInfoString(sql, " AS ");
	sw_dialect_append_table(sql, table, table->name);
	appendStringInfo(sql, " ENGINE = %s", dialect->append_engine);
	sw_dialect_append_keys(sql, table);
	for (i = 0; i < table->options.n_settings; i++)
		if (sw_dialect_is_stage_setting(&table->options.settings[i]))
			sw_dialect_append_setting(sql, &is_first,
									  table->options.settings[i].name,
									  table->options.settings[i].value);
	appendStringInfoString(sql, " COMMENT ");
	sw_quote_append_text(sql, "sensorswave_export: rows on their way to another table");
}

void
sw_dialect_write_drop_stage(StringInfo sql, const SwTargetTable *table,
							const char *stage)
{
	appendStringInfoString(sql, "DROP TABLE IF EXISTS ");
	sw_dialect_append_table(sql, table, stage);
	appendStringInfoString(sql, " SYNC");
}

void
sw_dialect_write_comment(StringInfo sql, const SwTargetTable *table,
						 const char *comment)
{
	appendStringInfoString(sql, "ALTER TABLE ");
	sw_dialect_append_table(sql, table, table->name);
	appendStringInfoString(sql, " MODIFY COMMENT ");
	sw_quote_append_text(sql, comment);
}

void
sw_dialect_write_current_view(const SwDialect *dialect, StringInfo sql,
							  const SwTargetTable *table)
{
	char	   *name = psprintf("%s_current", table->name);

	appendStringInfoString(sql, "CREATE OR REPLACE VIEW ");
	sw_dialect_append_table(sql, table, name);
	appendStringInfoString(sql, " AS SELECT ");
	sw_dialect_append_columns(sql, table);
	appendStringInfoString(sql, " FROM ");
	sw_dialect_append_table(sql, table, table->name);
	/* A unique key lets nobody see old versions. */
	if (dialect->append_unique_key == NULL)
		appendStringInfoString(sql, " FINAL");
	pfree(name);
}
