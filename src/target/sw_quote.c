/*-------------------------------------------------------------------------
 *
 * sw_quote.c
 *	  Names and text in the warehouse's SQL.
 *
 * ClickHouse and ByteHouse know backslash escapes in both kinds of quotes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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
