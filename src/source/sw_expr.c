/*-------------------------------------------------------------------------
 *
 * sw_expr.c
 *	  Mapping expressions and row filters: SQL text written by a user.
 *
 * A text is first parsed alone, with the grammar's entry for one expression,
 * and refused if it brought any clause.  What passes is exactly what the
 * grammar takes between parentheses, so it cannot reach out of them; a line
 * comment at its end is stopped by a line break.  Then it is resolved inside
 * a query over the relation, which finds its type.
 *
 * An error of the server's parser or analyzer is shown with the user's own
 * text and a position in it, never with the query built around it.
 *
 * Contract: sw_expr.h.  Results live in the current memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "source/sw_expr.h"

/* What the error context callback tells about. */
typedef struct SwExprSubject
{
	const char *column;			/* NULL: the row filter */
	const char *text;
	int			n_leading_chars;	/* ours, before text in what is parsed */
} SwExprSubject;

static void
sw_expr_report_subject(void *arg)
{
	const SwExprSubject *subject = (const SwExprSubject *) arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		position -= subject->n_leading_chars;
		if (position > 0 && position <= pg_mbstrlen(subject->text) + 1)
		{
			internalerrposition(position);
			internalerrquery(subject->text);
		}
	}
	if (subject->column != NULL)
		errcontext("expression of column \"%s\"", subject->column);
	else
		errcontext("row filter");
}

static void
sw_expr_refuse(const char *column, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 column != NULL ?
			 errmsg("expression of column \"%s\" is not a single SQL expression",
					column) :
			 errmsg("row filter is not a single SQL expression"),
			 errdetail("%s", detail),
			 errhint("Write one expression over the columns of one source row, without an alias or a clause of a query.")));
}

static List *
sw_expr_parse_text(const SwExprSubject *subject, const char *sql,
				   RawParseMode mode)
{
	ErrorContextCallback callback;
	List	   *statements;

	callback.callback = sw_expr_report_subject;
	callback.arg = (void *) subject;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	statements = raw_parser(sql, mode);
	error_context_stack = callback.previous;
	return statements;
}

static Query *
sw_expr_analyze_text(const SwExprSubject *subject, const char *sql)
{
	ErrorContextCallback callback;
	List	   *statements;
	Query	   *query;

	statements = sw_expr_parse_text(subject, sql, RAW_PARSE_DEFAULT);
	if (list_length(statements) != 1)
		sw_expr_refuse(subject->column, "It ends the query it is used in.");

	callback.callback = sw_expr_report_subject;
	callback.arg = (void *) subject;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	query = parse_analyze_fixedparams(linitial_node(RawStmt, statements), sql,
									  NULL, 0, NULL);
	error_context_stack = callback.previous;
	return query;
}

/* The clause that makes a select more than one bare target, or NULL. */
static const char *
sw_expr_find_clause(const SelectStmt *select)
{
	if (select->op != SETOP_NONE || select->valuesLists != NIL)
		return "It combines several queries.";
	if (select->withClause != NULL)
		return "It contains a WITH clause.";
	if (select->distinctClause != NIL)
		return "It contains a DISTINCT clause.";
	if (select->intoClause != NULL)
		return "It contains an INTO clause.";
	if (select->fromClause != NIL)
		return "It contains a FROM clause.";
	if (select->whereClause != NULL)
		return "It contains a WHERE clause.";
	if (select->groupClause != NIL)
		return "It contains a GROUP BY clause.";
	if (select->havingClause != NULL)
		return "It contains a HAVING clause.";
	if (select->windowClause != NIL)
		return "It contains a WINDOW clause.";
	if (select->sortClause != NIL)
		return "It contains an ORDER BY clause.";
	if (select->limitOffset != NULL || select->limitCount != NULL)
		return "It contains a LIMIT or OFFSET clause.";
	if (select->lockingClause != NIL)
		return "It contains a locking clause.";
	return NULL;
}

static bool
sw_expr_is_star(const Node *value)
{
	if (IsA(value, ColumnRef))
		return IsA(llast(castNode(ColumnRef, value)->fields), A_Star);
	if (IsA(value, A_Indirection))
		return IsA(llast(castNode(A_Indirection, value)->indirection), A_Star);
	return false;
}

void
sw_expr_check(const char *column, const char *text)
{
	SwExprSubject subject = {column, text, 0};
	List	   *statements;
	Node	   *statement;
	const SelectStmt *select;
	const ResTarget *target;
	const char *clause;

	statements = sw_expr_parse_text(&subject, text, RAW_PARSE_PLPGSQL_EXPR);
	if (list_length(statements) != 1)
		sw_expr_refuse(column, "It is not one statement.");
	statement = linitial_node(RawStmt, statements)->stmt;
	if (!IsA(statement, SelectStmt))
		sw_expr_refuse(column, "It is not an expression.");
	select = castNode(SelectStmt, statement);
	clause = sw_expr_find_clause(select);
	if (clause != NULL)
		sw_expr_refuse(column, clause);
	if (select->targetList == NIL)
		sw_expr_refuse(column, "It is empty.");
	if (list_length(select->targetList) != 1)
		sw_expr_refuse(column, "It is a list of several expressions.");
	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL)
		sw_expr_refuse(column, "It contains an alias.");
	if (sw_expr_is_star(target->val))
		sw_expr_refuse(column, "It stands for all columns of the row.");
}

char *
sw_expr_relation_name(Oid relation)
{
	char	   *schema = get_namespace_name(get_rel_namespace(relation));

	return quote_qualified_identifier(schema, get_rel_name(relation));
}

char *
sw_expr_wrap(const char *text)
{
	return psprintf(strstr(text, "--") != NULL ? "(%s\n)" : "(%s)", text);
}

/* Analyze before (text) after. */
static Query *
sw_expr_embed(const char *column, const char *before, const char *text,
			  const char *after)
{
	SwExprSubject subject = {column, text, pg_mbstrlen(before) + 1};

	return sw_expr_analyze_text(&subject,
								psprintf("%s%s%s", before,
										 sw_expr_wrap(text), after));
}

/* The value that text is over one row of relation. */
static Node *
sw_expr_resolve(Oid relation, const char *column, const char *text)
{
	Query	   *query;
	const char *wrong = NULL;

	sw_expr_check(column, text);
	query = sw_expr_embed(column, "SELECT ", text,
						  psprintf(" FROM %s", sw_expr_relation_name(relation)));
	if (query->hasAggs)
		wrong = "It contains an aggregate.";
	else if (query->hasWindowFuncs)
		wrong = "It contains a window function.";
	else if (query->hasTargetSRFs)
		wrong = "It returns a set.";
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("expression of column \"%s\" needs more than one row",
						column),
				 errdetail("%s", wrong),
				 errhint("Compute it in a view, and make the view the source of the pipeline.")));
	return (Node *) linitial_node(TargetEntry, query->targetList)->expr;
}

/*
 * Parsing takes memory for each column of the relation, every time; nothing
 * of it is kept.
 */
static MemoryContext
sw_expr_enter_scratch(void)
{
	return MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext,
													   "SwExpr",
													   ALLOCSET_DEFAULT_SIZES));
}

static void
sw_expr_leave_scratch(MemoryContext saved)
{
	MemoryContext scratch = MemoryContextSwitchTo(saved);

	MemoryContextDelete(scratch);
}

Oid
sw_expr_get_type(Oid relation, const char *column, const char *text,
				 int32 *typmod_out)
{
	MemoryContext saved = sw_expr_enter_scratch();
	Node	   *value = sw_expr_resolve(relation, column, text);
	int32		typmod = exprTypmod(value);
	Oid			type = getBaseTypeAndTypmod(exprType(value), &typmod);

	if (typmod_out != NULL)
		*typmod_out = typmod;
	sw_expr_leave_scratch(saved);
	return type;
}

AttrNumber
sw_expr_get_attribute(Oid relation, const char *column, const char *text)
{
	MemoryContext saved = sw_expr_enter_scratch();
	Node	   *value = sw_expr_resolve(relation, column, text);
	AttrNumber	number = InvalidAttrNumber;

	if (IsA(value, Var) && ((Var *) value)->varlevelsup == 0)
		number = Max(((Var *) value)->varattno, InvalidAttrNumber);
	sw_expr_leave_scratch(saved);
	return number;
}

Node *
sw_expr_get_value(Oid relation, const char *column, const char *text)
{
	return sw_expr_resolve(relation, column, text);
}

void
sw_expr_check_filter(Oid relation, const char *text)
{
	sw_expr_check(NULL, text);
	(void) sw_expr_embed(NULL, psprintf("SELECT 1 FROM %s WHERE ",
										sw_expr_relation_name(relation)),
						 text, "");
}
