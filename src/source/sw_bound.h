/*-------------------------------------------------------------------------
 *
 * sw_bound.h
 *	  A window of time as conditions that an index can serve.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_BOUND_H
#define SW_BOUND_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

/*
 * Append "start <= text < end" to sql, as conditions each preceded by
 * "\n  AND ".  text is an expression between parentheses, of the given base
 * type; its value is meant as an instant: text::timestamptz in the session's
 * TimeZone.
 * DT_NOBEGIN and DT_NOEND leave a side open.
 */
extern void sw_bound_append(StringInfo sql, const char *text, Oid type,
							TimestampTz start, TimestampTz end);

#endif							/* SW_BOUND_H */
