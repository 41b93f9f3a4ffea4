/*-------------------------------------------------------------------------
 *
 * sw_quote.h
 *	  Names and text in the warehouse's SQL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_QUOTE_H
#define SW_QUOTE_H

#include "lib/stringinfo.h"

#include "common/sw_status.h"

/*
 * Is name fit to be a database, table or column of ours?  Not empty, no
 * backquote, backslash or control character; else SW_ERR_CONFIG, with what
 * (e.g. "table name") in the message.
 */
extern SwStatus sw_quote_check_name(const char *what, const char *name,
									SwError *err);

/* `name` in backquotes; also of a name that does not pass the check. */
extern void sw_quote_append_name(StringInfo sql, const char *name);

/* 'text' as a string literal. */
extern void sw_quote_append_text(StringInfo sql, const char *text);

/*
 * A table's comment with our marker behind the user's own words; either may
 * be NULL.  palloc'd.
 */
extern char *sw_quote_add_marker(const char *comment, const char *marker);

/*
 * Take such a comment apart: the user's words, palloc'd, and where the
 * marker begins, or NULL.
 */
extern char *sw_quote_split_comment(const char *comment, const char **marker);

/* Is marker one line, not empty?  Else SW_ERR_BUG. */
extern SwStatus sw_quote_check_marker(const char *marker, SwError *err);

#endif							/* SW_QUOTE_H */
