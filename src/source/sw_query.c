/*-------------------------------------------------------------------------
 *
 * sw_query.c
 *	  From a pipeline's mapping and a window of time to the text of a query.
 *
 * Every expression stands between parentheses; that it is one expression
 * and no more, and so cannot reach out of them, was checked before
 * (sw_expr.c).
 *
 * The event filter compares what the target gets (a null is an empty name),
 * byte by byte, whatever the collation of the source.
 *
 * Contract: sw_query.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attnum.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "source/sw_bound.h"
#include "source/sw_expr.h"
#include "source/sw_query.h"

static bool
sw_query_is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static const char *
sw_query_get_expression(const SwSourceQuery *query, int i)
{
	const char *expression = query->columns[i].expression;

	return expression != NULL ? expression :
		quote_identifier(query->specs[i].name);
}

/* The same, between parentheses. */
static const char *
sw_query_wrap_expression(const SwSourceQuery *query, int i)
{
	return sw_expr_wrap(sw_query_get_expression(query, i));
}

/*
 * What an expression of type source is coerced to for a column of type, or
 * NULL where it is read as it comes.
 */
static const char *
sw_query_get_cast(SwType type, Oid source)
{
	const char *cast;
	char		category;
	bool		is_preferred;

	switch (type)
	{
		case SW_TYPE_STRING:
			cast = "text";
			break;
		case SW_TYPE_INT64:
			cast = "bigint";
			break;
		case SW_TYPE_TIMESTAMP_MS:
			cast = "timestamptz";
			break;
		case SW_TYPE_JSON:
			cast = "jsonb";
			break;
		default:
			return NULL;
	}
	get_type_category_preferred(source, &category, &is_preferred);
	return category == TYPCATEGORY_STRING || source == JSONOID ? "text" : cast;
}

List *
sw_query_find_missing(const SwSourceQuery *query)
{
	List	   *missing = NIL;
	int			i;

	for (i = 0; i < query->n_columns; i++)
	{
		if (query->columns[i].expression == NULL &&
			get_attnum(query->relation, query->specs[i].name) <= 0)
			missing = lappend(missing, pstrdup(query->specs[i].name));
	}
	return missing;
}

static void
sw_query_check_relation(Oid relation)
{
	switch (get_rel_relkind(relation))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot export relation \"%s\"",
							get_rel_name(relation)),
					 errdetail("The source of a pipeline is a table, a partitioned table, a view, a materialized view or a foreign table.")));
	}
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot export temporary relation \"%s\"",
						get_rel_name(relation)),
				 errdetail("Only the session that made it can read it.")));
}

/* The cast to bigint rounds these; rounding is the user's to ask for. */
static void
sw_query_check_no_rounding(const SwColumnSpec *spec, Oid type, int32 typmod)
{
	bool		is_whole;

	/* numeric(n) and numeric(n,0) */
	is_whole = typmod >= (int32) VARHDRSZ &&
		((typmod - VARHDRSZ) & 0x7ff) == 0;

	if (spec->type != SW_TYPE_INT64)
		return;
	if (type == FLOAT4OID || type == FLOAT8OID ||
		(type == NUMERICOID && !is_whole))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" needs whole numbers, but its expression is of type %s",
						spec->name, format_type_with_typemod(type, typmod)),
				 errhint("Write the conversion into the expression, such as (...)::bigint, which rounds.")));
}

/* Append one column of the select list; returns the expression's type. */
static Oid
sw_query_append_column(StringInfo sql, const SwSourceQuery *query, int i)
{
	const SwColumnSpec *spec = &query->specs[i];
	const char *expression = sw_query_get_expression(query, i);
	const char *cast;
	char	   *coerced;
	int32		typmod;
	Oid			type;

	type = sw_expr_get_type(query->relation, spec->name, expression, &typmod);
	coerced = sw_expr_wrap(expression);
	if (!query->columns[i].is_raw)
	{
		sw_query_check_no_rounding(spec, type, typmod);
		cast = sw_query_get_cast(spec->type, type);
		if (cast != NULL)
			coerced = psprintf("%s::%s", coerced, cast);
		(void) sw_expr_get_type(query->relation, spec->name, coerced, NULL);
	}
	appendStringInfo(sql, "%s\n  %s AS %s", i == 0 ? "" : ",", coerced,
					 quote_identifier(spec->name));
	return type;
}

static void
sw_query_append_event_filter(StringInfo sql, const SwSourceQuery *query)
{
	int			i;

	appendStringInfo(sql, "\n  AND coalesce(%s::text, '') COLLATE \"C\" %s (ARRAY[",
					 sw_query_wrap_expression(query, query->event_column),
					 query->event_filter == SW_EVENT_FILTER_INCLUDE ?
					 "= ANY" : "<> ALL");
	for (i = 0; i < query->n_event_names; i++)
		appendStringInfo(sql, "%s%s", i == 0 ? "" : ", ",
						 quote_literal_cstr(query->event_names[i]));
	appendStringInfoString(sql, "]::text[])");
}

char *
sw_query_get_cursor(const SwSourceQuery *query, Oid *type)
{
	const char *expression = query->cursor_expression;

	if (query->cursor_column < 0)
		return NULL;
	if (expression == NULL)
		expression = sw_query_get_expression(query, query->cursor_column);
	*type = sw_expr_get_type(query->relation,
							 query->specs[query->cursor_column].name,
							 expression, NULL);
	return sw_expr_wrap(expression);
}

/* Between two instants, of the bound and of the range. */
static void
sw_query_append_cursor(StringInfo sql, const SwSourceQuery *query)
{
	const SwSourceRange *range = query->range;
	TimestampTz from = query->cursor_bound;
	TimestampTz to = DT_NOEND;
	bool		has_nulls = true;
	StringInfoData sides;
	char	   *cursor;
	Oid			type;

	if (range != NULL)
	{
		has_nulls = range->cursor_nulls ||
			(TIMESTAMP_IS_NOBEGIN(range->cursor_from) &&
			 TIMESTAMP_IS_NOEND(range->cursor_to));
		from = Max(from, range->cursor_from);
		to = range->cursor_to;
	}
	if (query->cursor_column < 0 ||
		(TIMESTAMP_IS_NOBEGIN(from) && TIMESTAMP_IS_NOEND(to)))
		return;
	cursor = sw_query_get_cursor(query, &type);
	initStringInfo(&sides);
	sw_bound_append(&sides, cursor, type, from, to);
	if (has_nulls)
		appendStringInfo(sql, "\n  AND (%s IS NULL OR (true%s))", cursor,
						 sides.data);
	else
		appendStringInfoString(sql, sides.data);
}

static void
sw_query_append_place(StringInfo sql, const SwSourceRange *range)
{
	if (!OidIsValid(range->leaf))
		return;
	appendStringInfo(sql, "\n  AND tableoid = '%u'::oid", range->leaf);
	if (range->first_block > 0)
		appendStringInfo(sql, "\n  AND ctid >= '(%lld,0)'::tid",
						 (long long) range->first_block);
	if (range->end_block >= 0)
		appendStringInfo(sql, "\n  AND ctid < '(%lld,0)'::tid",
						 (long long) range->end_block);
}

/* What the parameters are: sw_row_test.h. */
static void
sw_query_append_row_test(StringInfo sql, const SwSourceQuery *query)
{
	Oid			type;

	if (!query->row_test->is_sweep)
		appendStringInfoString(sql, "\n  AND CASE WHEN xmin = '0'::xid THEN true ELSE $1 END");
	else if (query->cursor_column < 0)
		elog(ERROR, "no cursor to sweep by");
	else
		appendStringInfo(sql, "\n  AND CASE WHEN xmin = '0'::xid THEN false WHEN $1 THEN %s::timestamptz < $2 ELSE false END",
						 sw_query_get_cursor(query, &type));
}

char *
sw_query_build(const SwSourceQuery *query)
{
	StringInfoData sql;
	Oid			time_type = InvalidOid;
	int			i;

	sw_query_check_relation(query->relation);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT");
	for (i = 0; i < query->n_columns; i++)
	{
		Oid			type = sw_query_append_column(&sql, query, i);

		if (i == query->time_column)
			time_type = type;
	}
	if (query->row_test != NULL)
		appendStringInfo(&sql, "%s\n  tableoid, ctid",
						 query->n_columns > 0 ? "," : "");
	appendStringInfo(&sql, "\nFROM %s\nWHERE true",
					 sw_expr_relation_name(query->relation));

	if (query->range != NULL)
		sw_query_append_place(&sql, query->range);
	sw_query_append_cursor(&sql, query);
	if (query->row_test != NULL)
		sw_query_append_row_test(&sql, query);
	if (query->time_column >= 0)
		sw_bound_append(&sql,
						sw_query_wrap_expression(query, query->time_column),
						time_type, query->window_start, query->window_end);
	if (query->event_filter != SW_EVENT_FILTER_NONE)
		sw_query_append_event_filter(&sql, query);
	if (sw_query_is_set(query->row_filter))
	{
		sw_expr_check_filter(query->relation, query->row_filter);
		appendStringInfo(&sql, "\n  AND %s", sw_expr_wrap(query->row_filter));
	}
	return sql.data;
}
