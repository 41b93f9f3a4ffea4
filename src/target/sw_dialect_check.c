/*-------------------------------------------------------------------------
 *
 * sw_dialect_check.c
 *	  Can a table be made as its definition says?
 *
 * Contacts nobody: what is refused here is refused before it is saved.
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
#include "target/sw_sqltext.h"

static SwStatus
sw_check_names(const SwTargetTable *table, SwError *err)
{
	int			i;

	SW_TRY(sw_quote_check_name("database name", table->database, err));
	SW_TRY(sw_quote_check_name("table name", table->name, err));
	for (i = 0; i < table->n_columns; i++)
		SW_TRY(sw_quote_check_name("column name", table->columns[i].name,
								   err));
	return SW_OK;
}

static const SwColumnSpec *
sw_check_find(const SwTargetTable *table, const char *name)
{
	int			i;

	for (i = 0; i < table->n_columns; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	return NULL;
}

/* Every column of a key is there and can't be null. */
static SwStatus
sw_check_key(const SwTargetTable *table, const char *what,
			 const char *const *names, int n_names, SwError *err)
{
	int			i;

	for (i = 0; i < n_names; i++)
	{
		const SwColumnSpec *column = sw_check_find(table, names[i]);

		if (column == NULL)
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"%s names column \"%s\", which the target does not have",
								what, names[i]);
		if (column->is_nullable)
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"%s column \"%s\" may be null", what,
								names[i]);
		if (column->type == SW_TYPE_JSON)
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"%s column \"%s\" is JSON", what, names[i]);
	}
	return SW_OK;
}

static SwStatus
sw_check_keys(const SwTargetTable *table, SwError *err)
{
	SW_TRY(sw_check_key(table, "key_columns", table->key_columns,
						table->n_key_columns, err));
	if (table->options.order_by == NULL)
		SW_TRY(sw_check_key(table, "order_by", table->order_by,
							table->n_order_by, err));
	if (table->version_column != NULL)
		SW_TRY(sw_check_key(table, "the version", &table->version_column, 1,
							err));
	if (table->day_column != NULL)
	{
		SW_TRY(sw_check_key(table, "the partition", &table->day_column, 1,
							err));
		if (table->options.partition_by != NULL)
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"partition_by cannot be chosen: the table is partitioned by the day of \"%s\"",
								table->day_column);
	}
	return SW_OK;
}

/* The name of the engine, without what kinds of storage put before it. */
static bool
sw_check_is_engine(const char *engine, const char *wanted)
{
	Size		len = strlen(wanted);

	if (strncmp(engine, "Replicated", 10) == 0)
		engine += 10;
	else if (strncmp(engine, "Shared", 6) == 0)
		engine += 6;
	return strncmp(engine, wanted, len) == 0 &&
		(engine[len] == '\0' || engine[len] == ' ' || engine[len] == '(');
}

static SwStatus
sw_check_engine(const SwDialect *dialect, const SwTargetTable *table,
				SwError *err)
{
	const char *wanted = table->n_key_columns > 0 ? dialect->upsert_engine :
	dialect->append_engine;

	if (table->options.engine == NULL)
		return SW_OK;
	SW_TRY(sw_sqltext_check("engine", table->options.engine, err));
	if (sw_check_is_engine(table->options.engine, wanted))
		return SW_OK;
	sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
				 "engine \"%s\" cannot be used for this target",
				 table->options.engine);
	sw_error_set_hint(err, "Use %s%s.", wanted,
					  dialect->append_unique_key == NULL ?
					  ", or its Replicated or Shared form" : "");
	return err->status;
}

static SwStatus
sw_check_settings(const SwTableOptions *options, SwError *err)
{
	int			i;

	for (i = 0; i < options->n_settings; i++)
	{
		const char *name = options->settings[i].name;

		if (name[0] == '\0' ||
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"invalid name of a table setting: \"%s\"",
								name);
	}
	return SW_OK;
}

SwStatus
sw_dialect_check_table(const SwDialect *dialect, const SwTargetTable *table,
					   SwError *err)
{
	const SwTableOptions *options = &table->options;

	SW_TRY(sw_check_names(table, err));
	SW_TRY(sw_check_keys(table, err));
	SW_TRY(sw_check_engine(dialect, table, err));
	SW_TRY(sw_check_settings(options, err));
	if (options->order_by != NULL)
		SW_TRY(sw_sqltext_check("order_by", options->order_by, err));
	if (options->partition_by != NULL)
		SW_TRY(sw_sqltext_check("partition_by", options->partition_by, err));
	if (options->ttl != NULL)
		SW_TRY(sw_sqltext_check("ttl", options->ttl, err));
	if (table->marker != NULL)
		SW_TRY(sw_quote_check_marker(table->marker, err));
	return dialect->check_options(table, err);
}
