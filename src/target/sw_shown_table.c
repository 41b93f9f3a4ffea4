/*-------------------------------------------------------------------------
 *
 * sw_shown_table.c
 *	  A table as its warehouse shows it: reading SHOW CREATE TABLE.
 *
 * Pure text.  What a server sends is not trusted: whatever can't be read is
 * an error, not a crash.
 *
 * Source of truth: the formatter of ClickHouse's CREATE queries.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_shown_table.h"
#include "target/sw_sqltext.h"

/* No table of ours is wider. */
#define SW_SHOWN_MAX_COLUMNS	4096

typedef struct SwShownReader
{
	const char *at;				/* behind token */
	SwSqlToken	token;			/* the current one */
} SwShownReader;

static void
sw_shown_advance(SwShownReader *reader)
{
	reader->token = sw_sqltext_next(&reader->at);
}

static bool
sw_shown_at_end(const SwShownReader *reader)
{
	return reader->token.kind == SW_SQL_END ||
		reader->token.kind == SW_SQL_BAD;
}

/* From an opening bracket to behind the one that closes it. */
static void
sw_shown_skip_brackets(SwShownReader *reader)
{
	int			depth = 0;

	while (!sw_shown_at_end(reader))
	{
		if (sw_sqltext_is_symbol(&reader->token, '('))
			depth++;
		else if (sw_sqltext_is_symbol(&reader->token, ')'))
			depth--;
		sw_shown_advance(reader);
		if (depth <= 0)
			return;
	}
}

/* The rest of a column or of something else in the list, up to , or ). */
static void
sw_shown_skip_element(SwShownReader *reader)
{
	while (!sw_shown_at_end(reader) &&
		   !sw_sqltext_is_symbol(&reader->token, ',') &&
		   !sw_sqltext_is_symbol(&reader->token, ')'))
	{
		if (sw_sqltext_is_symbol(&reader->token, '('))
			sw_shown_skip_brackets(reader);
		else
			sw_shown_advance(reader);
	}
}

static char *
sw_shown_value(const SwSqlToken *token)
{
	StringInfoData value;

	initStringInfo(&value);
	sw_sqltext_append_value(&value, token);
	return value.data;
}

/* The current token begins the type; afterwards it is what follows. */
static char *
sw_shown_read_type(SwShownReader *reader)
{
	const char *start = reader->token.text;
	const char *end = start + reader->token.len;
	char	   *type;
	char	   *nullable;

	sw_shown_advance(reader);
	if (sw_sqltext_is_symbol(&reader->token, '('))
	{
		sw_shown_skip_brackets(reader);
		end = reader->token.text;
	}
	type = sw_sqltext_normalize(start, (Size) (end - start));
	if (sw_sqltext_is_word(&reader->token, "NOT"))
	{
		sw_shown_advance(reader);
		sw_shown_advance(reader);
	}
	else if (sw_sqltext_is_word(&reader->token, "NULL"))
	{
		sw_shown_advance(reader);
		nullable = psprintf("Nullable(%s)", type);
		pfree(type);
		type = nullable;
	}
	return type;
}

static void
sw_shown_read_column(SwShownReader *reader, SwShownColumn *column)
{
	static const char *const defaults[] = {"DEFAULT", "MATERIALIZED", "ALIAS",
	"EPHEMERAL"};
	int			i;

	column->name = sw_shown_value(&reader->token);
	sw_shown_advance(reader);
	column->type = sw_shown_read_type(reader);
	column->has_default = false;
	for (i = 0; i < (int) lengthof(defaults); i++)
		if (sw_sqltext_is_word(&reader->token, defaults[i]))
			column->has_default = true;
	sw_shown_skip_element(reader);
}

/* From the opening bracket to behind the closing one. */
static bool
sw_shown_read_columns(SwShownReader *reader, SwShownTable *shown)
{
	static const char *const others[] = {"INDEX", "CONSTRAINT", "PROJECTION",
	"PRIMARY"};
	int			n_allocated = 16;

	shown->columns = palloc(n_allocated * sizeof(SwShownColumn));
	do
	{
		bool		is_column = true;
		int			i;

		sw_shown_advance(reader);
		for (i = 0; i < (int) lengthof(others); i++)
			if (sw_sqltext_is_word(&reader->token, others[i]))
				is_column = false;
		if (!is_column)
		{
			sw_shown_skip_element(reader);
			continue;
		}
		if (reader->token.kind != SW_SQL_WORD &&
			reader->token.kind != SW_SQL_NAME)
			return false;
		if (shown->n_columns == SW_SHOWN_MAX_COLUMNS)
			return false;
		if (shown->n_columns == n_allocated)
		{
			n_allocated *= 2;
			shown->columns = repalloc(shown->columns,
									  n_allocated * sizeof(SwShownColumn));
		}
		sw_shown_read_column(reader, &shown->columns[shown->n_columns++]);
	} while (sw_sqltext_is_symbol(&reader->token, ','));
	if (!sw_sqltext_is_symbol(&reader->token, ')'))
		return false;
	sw_shown_advance(reader);
	return true;
}

/* Does a clause begin here?  Which, and how many words its name has. */
static const char *
sw_shown_clause(const SwShownReader *reader, int *n_words)
{
	static const char *const names[][2] = {
		{"ENGINE", NULL}, {"PARTITION", "BY"}, {"ORDER", "BY"},
		{"PRIMARY", "KEY"}, {"UNIQUE", "KEY"}, {"CLUSTER", "BY"},
		{"SAMPLE", "BY"}, {"TTL", NULL}, {"SETTINGS", NULL},
		{"COMMENT", NULL}
	};
	const char *at = reader->at;
	SwSqlToken	next = sw_sqltext_next(&at);
	int			i;

	for (i = 0; i < (int) lengthof(names); i++)
		if (sw_sqltext_is_word(&reader->token, names[i][0]) &&
			(names[i][1] == NULL || sw_sqltext_is_word(&next, names[i][1])))
		{
			*n_words = names[i][1] == NULL ? 1 : 2;
			return names[i][0];
		}
	return NULL;
}

/* "Name[(arguments)]": string literals among the arguments are dropped. */
static void
sw_shown_read_engine(SwShownReader *reader, SwShownTable *shown)
{
	StringInfoData arguments;
	int			depth = 0;

	initStringInfo(&arguments);
	if (sw_sqltext_is_symbol(&reader->token, '='))
		sw_shown_advance(reader);
	shown->engine = sw_shown_value(&reader->token);
	sw_shown_advance(reader);
	if (sw_sqltext_is_symbol(&reader->token, '('))
		do
		{
			depth += sw_sqltext_is_symbol(&reader->token, '(') ? 1 : 0;
			depth -= sw_sqltext_is_symbol(&reader->token, ')') ? 1 : 0;
			if (reader->token.kind == SW_SQL_WORD ||
				reader->token.kind == SW_SQL_NAME ||
				reader->token.kind == SW_SQL_NUMBER)
			{
				if (arguments.len > 0)
					appendStringInfoString(&arguments, ", ");
				sw_sqltext_append_value(&arguments, &reader->token);
			}
			sw_shown_advance(reader);
		} while (depth > 0 && !sw_shown_at_end(reader));
	shown->version = arguments.data;
}

static void
sw_shown_read_clause(SwShownReader *reader, const char *name,
					 SwShownTable *shown)
{
	const char *start = reader->token.text;
	const char **place = NULL;
	int			n_words;

	if (strcmp(name, "ENGINE") == 0)
		sw_shown_read_engine(reader, shown);
	else if (strcmp(name, "COMMENT") == 0)
		shown->comment = sw_shown_value(&reader->token);
	else if (strcmp(name, "PARTITION") == 0)
		place = &shown->partition_key;
	else if (strcmp(name, "ORDER") == 0)
		place = &shown->order_key;
	else if (strcmp(name, "UNIQUE") == 0)
		place = &shown->unique_key;
	else if (strcmp(name, "SETTINGS") == 0)
		place = &shown->settings;

	while (!sw_shown_at_end(reader) &&
		   sw_shown_clause(reader, &n_words) == NULL)
	{
		if (sw_sqltext_is_symbol(&reader->token, '('))
			sw_shown_skip_brackets(reader);
		else
			sw_shown_advance(reader);
	}
	if (place != NULL)
		*place = sw_sqltext_normalize(start,
									  (Size) (reader->token.text - start));
}

SwStatus
sw_shown_table_parse(const char *ddl, SwShownTable *shown, SwError *err)
{
	SwShownReader reader = {ddl, {SW_SQL_END, ddl, 0}};
	bool		is_table;

	memset(shown, 0, sizeof(SwShownTable));
	shown->engine = shown->version = shown->partition_key =
		shown->order_key = shown->unique_key = shown->settings =
		shown->comment = "";
	sw_shown_advance(&reader);
	if (!sw_sqltext_is_word(&reader.token, "CREATE") &&
		!sw_sqltext_is_word(&reader.token, "ATTACH"))
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse describes the table in a way that is not understood");
	sw_shown_advance(&reader);
	is_table = sw_sqltext_is_word(&reader.token, "TABLE");
	if (!is_table)
		return SW_OK;
	while (!sw_shown_at_end(&reader) &&
		   !sw_sqltext_is_symbol(&reader.token, '('))
		sw_shown_advance(&reader);
	if (!sw_shown_read_columns(&reader, shown))
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse describes the table's columns in a way that is not understood");
	while (!sw_shown_at_end(&reader))
	{
		int			n_words = 0;
		const char *clause = sw_shown_clause(&reader, &n_words);

		while (n_words-- > 0)
			sw_shown_advance(&reader);
		if (clause != NULL)
			sw_shown_read_clause(&reader, clause, shown);
		else
			sw_shown_advance(&reader);
	}
	return SW_OK;
}
