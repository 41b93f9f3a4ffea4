/*-------------------------------------------------------------------------
 *
 * sw_shown_compare.c
 *	  What is different between a table that is there and the one that a
 *	  pipeline needs.
 *
 * Pure text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_quote.h"
#include "target/sw_shown_table.h"
#include "target/sw_sqltext.h"

static void sw_compare_add(StringInfo differences, const char *fmt,...) pg_attribute_printf(2, 3);

static void
sw_compare_add(StringInfo differences, const char *fmt,...)
{
	int			needed;

	if (differences->len > 0)
		appendStringInfoString(differences, "; ");
	do
	{
		va_list		args;

		va_start(args, fmt);
		needed = appendStringInfoVA(differences, fmt, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(differences, needed);
	} while (needed > 0);
}

static int
sw_compare_find(const SwShownTable *shown, const char *name)
{
	int			i;

	for (i = 0; i < shown->n_columns; i++)
		if (strcmp(shown->columns[i].name, name) == 0)
			return i;
	return -1;
}

static bool
sw_compare_is_ours(const SwTargetTable *table, const char *name)
{
	int			i;

	for (i = 0; i < table->n_columns; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return true;
	return false;
}

/* JSON types may carry parameters; their names know no case. */
static bool
sw_compare_same_type(const SwDialect *dialect, const char *found,
					 const char *needed)
{
	Size		len = strlen(needed);

	if (strcmp(found, needed) == 0)
		return true;
	return strcmp(needed, dialect->json_type) == 0 &&
		pg_strncasecmp(found, needed, len) == 0 &&
		(found[len] == '\0' || found[len] == '(');
}

static void
sw_compare_columns(const SwShownTable *shown, const SwDialect *dialect,
				   const SwTargetTable *table, StringInfo differences)
{
	StringInfoData type;
	int			last = -1;
	bool		in_order = true;
	int			i;

	initStringInfo(&type);
	for (i = 0; i < table->n_columns; i++)
	{
		const char *name = table->columns[i].name;
		int			at = sw_compare_find(shown, name);
		char	   *needed;

		resetStringInfo(&type);
		sw_dialect_append_type(dialect, &type, table, &table->columns[i]);
		needed = sw_sqltext_normalize(type.data, type.len);
		if (at < 0)
			sw_compare_add(differences, "column \"%s\" is missing", name);
		else if (!sw_compare_same_type(dialect, shown->columns[at].type,
									   needed))
			sw_compare_add(differences, "column \"%s\" is %s, needs %s", name,
						   shown->columns[at].type, needed);
		if (at >= 0)
		{
			in_order = in_order && at > last;
			last = at;
		}
		pfree(needed);
	}
	pfree(type.data);
	if (!in_order)
		sw_compare_add(differences, "the columns are in another order");
	for (i = 0; i < shown->n_columns; i++)
		if (!shown->columns[i].has_default &&
			!sw_compare_is_ours(table, shown->columns[i].name))
			sw_compare_add(differences,
						   "column \"%s\" is not one of the pipeline and has no default",
						   shown->columns[i].name);
}

static void
sw_compare_key(StringInfo differences, const char *what, const char *found,
			   StringInfo needed)
{
	char	   *text = sw_sqltext_normalize(needed->data, needed->len);

	if (strcmp(found, text) != 0)
		sw_compare_add(differences, "%s is %s, needs %s", what,
					   found[0] == '\0' ? "empty" : found,
					   text[0] == '\0' ? "none" : text);
	pfree(text);
	resetStringInfo(needed);
}

/* Without what kinds of storage put before the name. */
static const char *
sw_compare_engine_family(const char *engine)
{
	if (strncmp(engine, "Replicated", 10) == 0)
		return engine + 10;
	if (strncmp(engine, "Shared", 6) == 0)
		return engine + 6;
	return engine;
}

static void
sw_compare_engine(const SwShownTable *shown, const SwDialect *dialect,
				  const SwTargetTable *table, StringInfo differences)
{
	const char *needed = table->n_key_columns > 0 ? dialect->upsert_engine :
	dialect->append_engine;
	const char *version = table->version_column == NULL ? "" :
	table->version_column;

	if (strcmp(sw_compare_engine_family(shown->engine), needed) != 0)
		sw_compare_add(differences, "engine is %s, needs %s", shown->engine,
					   needed);
	else if (strcmp(shown->version, version) != 0)
		sw_compare_add(differences, "version column is %s, needs %s",
					   shown->version[0] == '\0' ? "missing" : shown->version,
					   version[0] == '\0' ? "none" : version);
}

void
sw_shown_table_compare(const SwShownTable *shown, const SwDialect *dialect,
					   const SwTargetTable *table, StringInfo differences)
{
	StringInfoData needed;

	if (shown->engine[0] == '\0')
	{
		sw_compare_add(differences, "it is not a table");
		return;
	}
	sw_compare_columns(shown, dialect, table, differences);
	sw_compare_engine(shown, dialect, table, differences);

	initStringInfo(&needed);
	sw_dialect_append_partition(&needed, table);
	sw_compare_key(differences, "partition key", shown->partition_key,
				   &needed);
	sw_dialect_append_order(&needed, table);
	sw_compare_key(differences, "sorting key", shown->order_key, &needed);
	if (dialect->append_unique_key != NULL)
	{
		sw_dialect_append_names(&needed, table->key_columns,
								table->n_key_columns);
		sw_compare_key(differences, "unique key", shown->unique_key, &needed);
	}
	pfree(needed.data);
}

const char *
sw_shown_table_window(const SwShownTable *shown, const SwDialect *dialect,
					  const SwTargetTable *table)
{
	const char *window = sw_dialect_window_setting(dialect, table);
	const char *at = shown->settings;

	if (window == NULL)
		return NULL;
	if (sw_compare_engine_family(shown->engine) != shown->engine)
		window = "replicated_deduplication_window";
	for (;;)
	{
		SwSqlToken	token = sw_sqltext_next(&at);

		if (token.kind == SW_SQL_END || token.kind == SW_SQL_BAD)
			return window;
		if (sw_sqltext_is_word(&token, window))
		{
			(void) sw_sqltext_next(&at);
			token = sw_sqltext_next(&at);
			return strtoul(token.text, NULL, 10) >= SW_DIALECT_WINDOW ? NULL :
				window;
		}
	}
}
