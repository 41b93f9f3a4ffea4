/*-------------------------------------------------------------------------
 *
 * sw_quote.c
 *	  Names and text in the warehouse's SQL.
 *
 * ClickHouse and ByteHouse know backslash escapes in both kinds of quotes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_quote.h"

SwStatus
sw_quote_check_name(const char *what, const char *name, SwError *err)
{
	const char *c;

	if (name[0] == '\0')
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"the %s is empty", what);
	for (c = name; *c != '\0'; c++)
	{
		if (*c == '`' || *c == '\\' || (unsigned char) *c < ' ' || *c == 0x7f)
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"the %s contains a character that is not allowed",
								what);
	}
	return SW_OK;
}

/* Begins the line of a comment that is ours. */
#define SW_QUOTE_MARKER		"sensorswave_export: "

/* text between two quotes, with those inside and backslashes escaped. */
static void
sw_quote_append(StringInfo sql, char quote, const char *text)
{
	appendStringInfoChar(sql, quote);
	for (; *text != '\0'; text++)
	{
		if (*text == quote || *text == '\\')
			appendStringInfoChar(sql, '\\');
		appendStringInfoChar(sql, *text);
	}
	appendStringInfoChar(sql, quote);
}

void
sw_quote_append_name(StringInfo sql, const char *name)
{
	sw_quote_append(sql, '`', name);
}

void
sw_quote_append_text(StringInfo sql, const char *text)
{
	sw_quote_append(sql, '\'', text);
}

char *
sw_quote_add_marker(const char *comment, const char *marker)
{
	bool		has_comment = comment != NULL && comment[0] != '\0';

	if (marker == NULL)
		return pstrdup(has_comment ? comment : "");
	return psprintf("%s%s" SW_QUOTE_MARKER "%s", has_comment ? comment : "",
					has_comment ? "\n" : "", marker);
}

/* The last line counts. */
char *
sw_quote_split_comment(const char *comment, const char **marker)
{
	const char *line = strrchr(comment, '\n');
	const char *start = line == NULL ? comment : line + 1;

	*marker = NULL;
	if (strncmp(start, SW_QUOTE_MARKER, strlen(SW_QUOTE_MARKER)) != 0)
		return pstrdup(comment);
	*marker = start + strlen(SW_QUOTE_MARKER);
	return pnstrdup(comment, line == NULL ? 0 : (Size) (line - comment));
}

SwStatus
sw_quote_check_marker(const char *marker, SwError *err)
{
	if (marker[0] == '\0' || strchr(marker, '\n') != NULL)
		return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
							"a marker is not one line of text");
	return SW_OK;
}
