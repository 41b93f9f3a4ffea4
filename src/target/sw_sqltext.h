/*-------------------------------------------------------------------------
 *
 * sw_sqltext.h
 *	  Reading SQL of the warehouse: just enough to judge and compare it.
 *
 * Used on what users write (order_by, ttl, ...) and on what a server shows
 * of a table.  Pure: no allocation but by sw_sqltext_normalize.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SQLTEXT_H
#define SW_SQLTEXT_H

#include "lib/stringinfo.h"

#include "common/sw_status.h"

typedef enum SwSqlKind
{
	SW_SQL_END,
	SW_SQL_WORD,				/* name or keyword */
	SW_SQL_NAME,				/* in backquotes or double quotes */
	SW_SQL_STRING,				/* in single quotes */
	SW_SQL_NUMBER,
	SW_SQL_SYMBOL,				/* one byte */
	SW_SQL_BAD					/* a quote without end, a comment */
} SwSqlKind;

typedef struct SwSqlToken
{
	SwSqlKind	kind;
	const char *text;			/* in the text read, quotes included */
	Size		len;
} SwSqlToken;

/* The token at *at, which moves behind it. */
extern SwSqlToken sw_sqltext_next(const char **at);

/* Is it this keyword, in any case; this symbol? */
extern bool sw_sqltext_is_word(const SwSqlToken *token, const char *word);
extern bool sw_sqltext_is_symbol(const SwSqlToken *token, char symbol);

/* The value of a NAME or STRING, or the text of any other token. */
extern void sw_sqltext_append_value(StringInfo value, const SwSqlToken *token);

/*
 * Is text an expression, or a list of them, that can't reach out of its
 * place in a statement?  Not empty, brackets and quotes balanced, neither
 * comment, semicolon nor the first word of a clause or query; else SW_ERR_CONFIG with what in the message.
 */
extern SwStatus sw_sqltext_check(const char *what, const char *text,
								 SwError *err);

/*
 * The first len bytes of text in a form in which equal texts are equal:
 * spaces, quotes around plain names and a pair of brackets around all of it
 * don't count, nor does tuple(), the empty list.  palloc'd.
 */
extern char *sw_sqltext_normalize(const char *text, Size len);

#endif							/* SW_SQLTEXT_H */
