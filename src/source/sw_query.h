/*-------------------------------------------------------------------------
 *
 * sw_query.h
 *	  From a pipeline's mapping and a window of time to the text of a query.
 *
 * The query returns one column per column of the target, in its order.  The
 * columns of a data model are coerced to the server type that their SwType is
 * read from:
 *
 *	   SW_TYPE_STRING text, SW_TYPE_INT64 bigint,
 *	   SW_TYPE_TIMESTAMP_MS timestamptz, SW_TYPE_JSON jsonb
 *
 * but an expression that is text (or json) stays text, and sw_value.c parses
 * it: there the error of a text that does not fit names the row.  Columns
 * whose specs were made of the source's own types (sw_type_map.h) are read as
 * they come.  Where there is a row test, two columns follow that tell where
 * the row lies: its table (oid) and its place in it (tid).
 *
 * Columns of type timestamp and date are read in the session's TimeZone,
 * which sw_identity_enter() sets to the pipeline's.
 *
 * Everything here throws, and is called inside sw_identity_enter().  Results
 * are palloc'd in the current context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_QUERY_H
#define SW_QUERY_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "common/sw_json_limits.h"
#include "format/sw_column.h"
#include "source/sw_row_test.h"

/* What becomes of a NULL in the source. */
typedef enum SwOnNull
{
	SW_ON_NULL_ERROR,			/* the read fails, naming row and column */
	SW_ON_NULL_EMPTY,			/* STRING: '', JSON: {} */
	SW_ON_NULL_EPOCH,			/* TIMESTAMP_MS: 1970-01-01 00:00:00 UTC */
	SW_ON_NULL_NULL				/* a null where the column is nullable, an
								 * empty value where it is a container */
} SwOnNull;

/*
 * What becomes of a value that the target cannot hold (sw_problem.h says
 * which those are).
 */
typedef enum SwPolicy
{
	SW_POLICY_ERROR,			/* the read fails, naming row and column */
	SW_POLICY_NULL,				/* a null, where there can be one */
	SW_POLICY_CLAMP,			/* the nearest value that it can hold */
	SW_POLICY_TEXT,				/* as text, where the column is one */
	SW_POLICY_SKIP				/* the row is left out */
} SwPolicy;

typedef enum SwEventFilter
{
	SW_EVENT_FILTER_NONE,		/* all events */
	SW_EVENT_FILTER_INCLUDE,	/* only the events named */
	SW_EVENT_FILTER_EXCLUDE		/* all but the events named */
} SwEventFilter;

/* How one target column comes out of a source row. */
typedef struct SwSourceColumn
{
	const char *expression;		/* NULL: the source's column of that name */
	SwOnNull	on_null;		/* where it is ERROR, rows can be skipped */
	bool		is_raw;			/* read as it comes, not coerced */
	bool		is_key;			/* messages name rows by these */
} SwSourceColumn;

/*
 * A part of what a query gives, to be read on its own.  Parts that share no
 * place and no cursor value share no row.
 */
typedef struct SwSourceRange
{
	Oid			leaf;			/* rows of that table only, or InvalidOid */
	int64		first_block;	/* of the leaf */
	int64		end_block;		/* first one after; -1: none */
	TimestampTz cursor_from;	/* first instant, or DT_NOBEGIN */
	TimestampTz cursor_to;		/* first instant after, or DT_NOEND */
	bool		cursor_nulls;	/* rows without a cursor too; always so where
								 * both sides are open */
} SwSourceRange;

/* What to read.  Owns nothing; all pointers outlive its use. */
typedef struct SwSourceQuery
{
	Oid			relation;
	const SwColumnSpec *specs;	/* the target's columns */
	const SwSourceColumn *columns;	/* one for each of specs */
	int			n_columns;
	int			cursor_column;	/* index of the cursor, which is of
								 * timestamptz, timestamp or date, or -1:
								 * there is none */
	int			time_column;	/* index of the TIMESTAMP_MS column that the
								 * window and the day partition are about, or
								 * -1: no window, no day */
	TimestampTz window_start;	/* first instant, or DT_NOBEGIN */
	TimestampTz window_end;		/* first instant after it, or DT_NOEND */
	const char *row_filter;		/* boolean expression, or NULL or "" */
	SwEventFilter event_filter;
	int			event_column;	/* index, n_columns or more where it is not to
								 * be read; only with an event filter */
	const char *const *event_names;
	int			n_event_names;
	SwPolicy	policy;
	const SwJsonLimits *json_limits;	/* of the target's JSON columns; NULL:
										 * they are text */
	const char *const *datetime_paths;	/* of properties, see sw_json.h */
	int			n_datetime_paths;
	const char *const *array_paths;
	int			n_array_paths;
	const SwRowTest *row_test;	/* which row versions; NULL: all */
	const char *cursor_expression;	/* its expression, where that is to be
									 * another than the column's; or NULL */
	TimestampTz cursor_bound;	/* not rows whose cursor lies below;
								 * DT_NOBEGIN: all */
	const SwSourceRange *range; /* NULL: everything */
} SwSourceQuery;

/*
 * Names (char *) of the target columns that have neither an expression nor
 * a column of that name in the source; NIL when all is well.
 */
extern List *sw_query_find_missing(const SwSourceQuery *query);

/*
 * Check relation, expressions and filters, and return the text of the query.
 * A mistake in an expression is reported in the server's own words, with a
 * context line that names the column.
 */
extern char *sw_query_build(const SwSourceQuery *query);

/* The cursor, between parentheses, and its type (base type); NULL for none. */
extern char *sw_query_get_cursor(const SwSourceQuery *query, Oid *type);

#endif							/* SW_QUERY_H */
