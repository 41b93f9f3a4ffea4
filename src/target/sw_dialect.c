/*-------------------------------------------------------------------------
 *
 * sw_dialect.c
 *	  Statements about rows, and the parts of all statements: what both kinds
 *	  of warehouse share, and what a dialect adds.
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

static const SwDialect *const sw_dialects[] = {
	&sw_dialect_bytehouse,
	&sw_dialect_clickhouse
};

const SwDialect *
sw_dialect_find(const char *kind)
{
	int			i;

	for (i = 0; i < (int) lengthof(sw_dialects); i++)
		if (strcmp(sw_dialects[i]->kind, kind) == 0)
			return sw_dialects[i];
	return NULL;
}

/* ---- parts ---- */

void
sw_dialect_append_table(StringInfo sql, const SwTargetTable *table,
						const char *name)
{
	sw_quote_append_name(sql, table->database);
	appendStringInfoChar(sql, '.');
	sw_quote_append_name(sql, name);
}

void
sw_dialect_append_names(StringInfo sql, const char *const *names, int n_names)
{
	int			i;

	for (i = 0; i < n_names; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_quote_append_name(sql, names[i]);
	}
}

void
sw_dialect_append_columns(StringInfo sql, const SwTargetTable *table)
{
	int			i;

	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_quote_append_name(sql, table->columns[i].name);
	}
}

static void
sw_dialect_append_source(const SwDialect *dialect, StringInfo sql,
						 const SwTargetTable *table,
						 const SwLoadSource *source)
{
	StringInfoData structure;
	int			i;

	initStringInfo(&structure);
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(&structure, ", ");
		sw_quote_append_name(&structure, table->columns[i].name);
		appendStringInfoChar(&structure, ' ');
		sw_column_append_file_type(&structure, &table->columns[i]);
	}
	dialect->append_source(sql, source, structure.data);
	pfree(structure.data);
}

/* "(columns) SELECT values FROM source" */
static void
sw_dialect_append_select(const SwDialect *dialect, StringInfo sql,
						 const SwTargetTable *table,
						 const SwLoadSource *source)
{
	int			i;

	appendStringInfoString(sql, " (");
	sw_dialect_append_columns(sql, table);
	appendStringInfoString(sql, ") SELECT ");
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_dialect_append_value(dialect, sql, table, &table->columns[i]);
	}
	appendStringInfoString(sql, " FROM ");
	sw_dialect_append_source(dialect, sql, table, source);
}

void
sw_dialect_append_partition(StringInfo sql, const SwTargetTable *table)
{
	if (table->options.partition_by != NULL)
		appendStringInfoString(sql, table->options.partition_by);
	else if (table->day_column != NULL)
	{
		appendStringInfoString(sql, "toDate(");
		sw_quote_append_name(sql, table->day_column);
		appendStringInfoChar(sql, ')');
	}
}

void
sw_dialect_append_order(StringInfo sql, const SwTargetTable *table)
{
	if (table->options.order_by != NULL)
		appendStringInfoString(sql, table->options.order_by);
	else if (table->n_key_columns > 0)
		sw_dialect_append_names(sql, table->key_columns, table->n_key_columns);
	else
		sw_dialect_append_names(sql, table->order_by, table->n_order_by);
}

/* ---- rows ---- */

void
sw_dialect_write_load(const SwDialect *dialect, StringInfo sql,
					  const SwTargetTable *table, const char *name,
					  const SwLoadSource *source)
{
	appendStringInfoString(sql, "INSERT INTO ");
	sw_dialect_append_table(sql, table, name);
	sw_dialect_append_select(dialect, sql, table, source);
}

void
sw_dialect_write_overwrite(const SwDialect *dialect, StringInfo sql,
						   const SwTargetTable *table, const char *day,
						   const SwLoadSource *source)
{
	appendStringInfoString(sql, "INSERT OVERWRITE ");
	sw_dialect_append_table(sql, table, table->name);
	appendStringInfoString(sql, " PARTITION (");
	sw_quote_append_text(sql, day);
	appendStringInfoChar(sql, ')');
	sw_dialect_append_select(dialect, sql, table, source);
}

void
sw_dialect_write_merge(StringInfo sql, const SwTargetTable *table,
					   const char *stage, const char *day)
{
	appendStringInfoString(sql, "OPTIMIZE TABLE ");
	sw_dialect_append_table(sql, table, stage);
	appendStringInfoString(sql, " PARTITION ");
	sw_quote_append_text(sql, day);
	appendStringInfoString(sql, " FINAL");
}

void
sw_dialect_write_replace(StringInfo sql, const SwTargetTable *table,
						 const char *stage, const char *day)
{
	appendStringInfoString(sql, "ALTER TABLE ");
	sw_dialect_append_table(sql, table, table->name);
	appendStringInfoString(sql, " REPLACE PARTITION ");
	sw_quote_append_text(sql, day);
	appendStringInfoString(sql, " FROM ");
	sw_dialect_append_table(sql, table, stage);
}

void
sw_dialect_write_drop_day(StringInfo sql, const SwTargetTable *table,
						  const char *day)
{
	appendStringInfoString(sql, "ALTER TABLE ");
	sw_dialect_append_table(sql, table, table->name);
	appendStringInfoString(sql, " DROP PARTITION ");
	sw_quote_append_text(sql, day);
}

void
sw_dialect_write_count(const SwDialect *dialect, StringInfo sql,
					   const SwTargetTable *table, const char *name,
					   const char *first_day, const char *last_day,
					   bool with_parts)
{
	appendStringInfoString(sql, "SELECT count()");
	if (with_parts)
		appendStringInfoString(sql, ", uniqExact(_part)");
	appendStringInfoString(sql, " FROM ");
	sw_dialect_append_table(sql, table, name);
	if (table->n_key_columns > 0 && dialect->append_unique_key == NULL)
		appendStringInfoString(sql, " FINAL");
	if (first_day == NULL)
		return;
	appendStringInfoString(sql, " WHERE toDate(");
	sw_quote_append_name(sql, table->day_column);
	if (strcmp(first_day, last_day) == 0)
		appendStringInfoString(sql, ") = ");
	else
	{
		appendStringInfoString(sql, ") BETWEEN ");
		sw_quote_append_text(sql, first_day);
		appendStringInfoString(sql, " AND ");
	}
	sw_quote_append_text(sql, last_day);
}

/* Functions around a value that make text of it which says all of it. */
static const char *
sw_dialect_text_functions(const SwColumnSpec *column)
{
	switch (column->type)
	{
		case SW_TYPE_STRING:
			return "";
		case SW_TYPE_TIMESTAMP_MS:
			return "toString(toUnixTimestamp64Milli(";
		default:
			return "toString(";
	}
}

void
sw_dialect_write_read_back(const SwDialect *dialect, StringInfo sql,
						   const SwTargetTable *table,
						   const SwLoadSource *source)
{
	int			i;

	appendStringInfoString(sql, "SELECT ");
	for (i = 0; i < table->n_columns; i++)
	{
		const SwColumnSpec *column = &table->columns[i];
		const char *functions = sw_dialect_text_functions(column);

		if (i > 0)
			appendStringInfoString(sql, ", ");
		appendStringInfoString(sql, functions);
		sw_dialect_append_value(dialect, sql, table, column);
		for (; *functions != '\0'; functions++)
			if (*functions == '(')
				appendStringInfoChar(sql, ')');
	}
	appendStringInfoString(sql, " FROM ");
	sw_dialect_append_source(dialect, sql, table, source);
	appendStringInfoString(sql, " ORDER BY ");
	sw_quote_append_name(sql, table->columns[0].name);
}
