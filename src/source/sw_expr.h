/*-------------------------------------------------------------------------
 *
 * sw_expr.h
 *	  Mapping expressions and row filters: SQL text written by a user.
 *
 * Such a text is put between parentheses into a query of ours, so it must
 * be exactly one expression.  It may call any function its reader may call;
 * it may not bring a clause of its own, and it speaks of one source row at
 * a time: no aggregates, window functions or sets.
 *
 * Everything here throws, and is called inside sw_identity_enter(): the
 * text is read with the settings it will run with, and nothing of it is
 * looked at with more rights than its reader has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_EXPR_H
#define SW_EXPR_H

#include "access/attnum.h"
#include "nodes/nodes.h"

/*
 * Refuse a text that is not exactly one expression (ERRCODE_SYNTAX_ERROR).
 * column names the target column it is for; NULL says it is the row filter.
 * Looks at the grammar only: names and types are not resolved.
 */
extern void sw_expr_check(const char *column, const char *text);

/*
 * Check text as sw_expr_check does, then resolve it against one row of
 * relation.  Returns the type of its value (domains are replaced by their
 * base type) and, where typmod_out is not NULL, the type modifier.
 */
extern Oid	sw_expr_get_type(Oid relation, const char *column,
							 const char *text, int32 *typmod_out);

/*
 * The value that text is over one row of relation, whose columns are Vars of
 * varno 1; in the current context.
 */
extern Node *sw_expr_get_value(Oid relation, const char *column,
							   const char *text);

/* The same for a row filter, which must be of type boolean. */
extern void sw_expr_check_filter(Oid relation, const char *text);

/* The column of relation that text is and no more, or InvalidAttrNumber. */
extern AttrNumber sw_expr_get_attribute(Oid relation, const char *column,
										const char *text);

/*
 * The text between parentheses, palloc'd, with a line break before the
 * closing one where a line comment could hide it.
 */
extern char *sw_expr_wrap(const char *text);

/* Quoted name of the relation with its schema, palloc'd. */
extern char *sw_expr_relation_name(Oid relation);

#endif							/* SW_EXPR_H */
