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

#endif							/* SW_QUOTE_H */
