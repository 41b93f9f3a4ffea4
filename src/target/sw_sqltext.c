/*-------------------------------------------------------------------------
 *
 * sw_sqltext.c
 *	  Reading SQL of the warehouse: just enough to judge and compare it.
 *
 * Source of truth: the lexer of ClickHouse (backslash escapes and doubled
 * quotes in all three kinds of quotes, comments as in SQL and with "#").
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_sqltext.h"

/* Brackets can't be deeper than this. */
#define SW_SQLTEXT_MAX_DEPTH	64

static bool
sw_sqltext_is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || ((unsigned char) c & 0x80) != 0;
}

static bool
sw_sqltext_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Past the closing quote, or NULL. */
static const char *
sw_sqltext_skip_quoted(const char *at)
{
	char		quote = *at++;

	for (; *at != '\0'; at++)
	{
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == quote)
		{
			if (at[1] != quote)
				return at + 1;
			at++;
		}
	}
	return NULL;
}

SwSqlToken
sw_sqltext_next(const char **at)
{
	SwSqlToken	token;
	const char *c = *at;

	while (*c == ' ' || (*c >= '\t' && *c <= '\r'))
		c++;
	token.text = c;
	if (*c == '\0')
		token.kind = SW_SQL_END;
	else if (*c == '\'' || *c == '`' || *c == '"')
	{
		token.kind = *c == '\'' ? SW_SQL_STRING : SW_SQL_NAME;
		c = sw_sqltext_skip_quoted(c);
		if (c == NULL)
		{
			token.kind = SW_SQL_BAD;
			c = token.text + strlen(token.text);
		}
	}
	else if ((c[0] == '-' && c[1] == '-') || (c[0] == '/' && c[1] == '*') ||
			 *c == '#')
	{
		token.kind = SW_SQL_BAD;
		c += strlen(c);
	}
	else if (sw_sqltext_is_digit(*c))
	{
		token.kind = SW_SQL_NUMBER;
		while (sw_sqltext_is_name_byte(*c) || *c == '.')
			c++;
	}
	else if (sw_sqltext_is_name_byte(*c))
	{
		token.kind = SW_SQL_WORD;
		while (sw_sqltext_is_name_byte(*c))
			c++;
	}
	else
	{
		token.kind = SW_SQL_SYMBOL;
		c++;
	}
	token.len = (Size) (c - token.text);
	*at = c;
	return token;
}

bool
sw_sqltext_is_word(const SwSqlToken *token, const char *word)
{
	return token->kind == SW_SQL_WORD && token->len == strlen(word) &&
		pg_strncasecmp(token->text, word, token->len) == 0;
}

bool
sw_sqltext_is_symbol(const SwSqlToken *token, char symbol)
{
	return token->kind == SW_SQL_SYMBOL && token->text[0] == symbol;
}

/* The byte that a backslash and this one stand for. */
static char
sw_sqltext_unescape(char c)
{
	switch (c)
	{
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		default:
			return c;
	}
}

void
sw_sqltext_append_value(StringInfo value, const SwSqlToken *token)
{
	const char *end = token->text + token->len - 1;
	const char *c;

	if (token->kind != SW_SQL_NAME && token->kind != SW_SQL_STRING)
	{
		appendBinaryStringInfo(value, token->text, (int) token->len);
		return;
	}
	for (c = token->text + 1; c < end; c++)
	{
		if (*c == '\\')
			appendStringInfoChar(value, sw_sqltext_unescape(*++c));
		else
		{
			/* Doubled quotes. */
			if (*c == *end)
				c++;
			appendStringInfoChar(value, *c);
		}
	}
}

/* The bracket that closes this one, or 0. */
static char
sw_sqltext_closing(char c)
{
	switch (c)
	{
		case '(':
			return ')';
		case '[':
			return ']';
		case '{':
			return '}';
		default:
			return '\0';
	}
}

static SwStatus
sw_sqltext_refuse(const char *what, const char *why, SwError *err)
{
	return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER, "%s %s", what,
						why);
}

/*
 * Words that begin another clause of the statement, or a query inside it:
 * an expression has no use for them.
 */
static bool
sw_sqltext_is_clause(const SwSqlToken *token, int depth)
{
	static const char *const queries[] = {"SELECT", "FROM", "WITH", "UNION"};
	static const char *const clauses[] = {
		"AS", "SETTINGS", "COMMENT", "ENGINE", "ORDER", "PARTITION", "PRIMARY",
		"SAMPLE", "TTL", "UNIQUE", "CLUSTER"
	};
	int			i;

	for (i = 0; i < (int) lengthof(queries); i++)
		if (sw_sqltext_is_word(token, queries[i]))
			return true;
	for (i = 0; depth == 0 && i < (int) lengthof(clauses); i++)
		if (sw_sqltext_is_word(token, clauses[i]))
			return true;
	return false;
}

SwStatus
sw_sqltext_check(const char *what, const char *text, SwError *err)
{
	char		open[SW_SQLTEXT_MAX_DEPTH];
	int			depth = 0;
	bool		is_empty = true;
	const char *at = text;

	for (;;)
	{
		SwSqlToken	token = sw_sqltext_next(&at);
		char		c = token.kind == SW_SQL_SYMBOL ? token.text[0] : '\0';

		if (token.kind == SW_SQL_END)
			break;
		is_empty = false;
		if (token.kind == SW_SQL_BAD)
			return sw_sqltext_refuse(what, "has a comment or a quote without its end",
									 err);
		if (c == ';')
			return sw_sqltext_refuse(what, "has a semicolon", err);
		if (sw_sqltext_is_clause(&token, depth))
			return sw_sqltext_refuse(what, "has a clause of a statement of its own",
									 err);
		if (sw_sqltext_closing(c) != '\0')
		{
			if (depth == SW_SQLTEXT_MAX_DEPTH)
				return sw_sqltext_refuse(what, "has too many brackets", err);
			open[depth++] = sw_sqltext_closing(c);
		}
		else if (c == ')' || c == ']' || c == '}')
		{
			if (depth == 0 || open[--depth] != c)
				return sw_sqltext_refuse(what, "has brackets that don't match",
										 err);
		}
	}
	if (is_empty)
		return sw_sqltext_refuse(what, "is empty", err);
	if (depth > 0)
		return sw_sqltext_refuse(what, "has brackets that don't match", err);
	return SW_OK;
}

/* Could the quoted name be written without its quotes? */
static bool
sw_sqltext_is_plain(const SwSqlToken *token)
{
	Size		i;

	if (token->kind != SW_SQL_NAME || token->len < 3 ||
		sw_sqltext_is_digit(token->text[1]))
		return false;
	for (i = 1; i < token->len - 1; i++)
		if (!sw_sqltext_is_name_byte(token->text[i]))
			return false;
	return true;
}

/* Take a pair of brackets off that holds all of text. */
static bool
sw_sqltext_strip_brackets(StringInfo text)
{
	const char *at = text->data;
	int			depth = 0;

	if (text->len < 2 || text->data[0] != '(')
		return false;
	for (;;)
	{
		SwSqlToken	token = sw_sqltext_next(&at);

		if (token.kind == SW_SQL_END || token.kind == SW_SQL_BAD)
			return false;
		if (sw_sqltext_is_symbol(&token, '('))
			depth++;
		if (sw_sqltext_is_symbol(&token, ')') && --depth == 0)
			break;
	}
	if (*at != '\0')
		return false;
	memmove(text->data, text->data + 1, text->len - 2);
	text->len -= 2;
	text->data[text->len] = '\0';
	return true;
}

char *
sw_sqltext_normalize(const char *text, Size len)
{
	StringInfoData out;
	char	   *copy = pnstrdup(text, len);
	const char *at = copy;
	bool		after_word = false;

	initStringInfo(&out);
	for (;;)
	{
		SwSqlToken	token = sw_sqltext_next(&at);
		bool		is_word = token.kind == SW_SQL_WORD ||
		token.kind == SW_SQL_NAME || token.kind == SW_SQL_NUMBER;

		if (token.kind == SW_SQL_END)
			break;
		if (is_word && after_word)
			appendStringInfoChar(&out, ' ');
		after_word = is_word;
		if (sw_sqltext_is_plain(&token))
			appendBinaryStringInfo(&out, token.text + 1, (int) token.len - 2);
		else
			appendBinaryStringInfo(&out, token.text, (int) token.len);
	}
	pfree(copy);
	while (sw_sqltext_strip_brackets(&out))
		continue;
	if (strcmp(out.data, "tuple()") == 0)
		resetStringInfo(&out);
	return out.data;
}
