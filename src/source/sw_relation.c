/*-------------------------------------------------------------------------
 *
 * sw_relation.c
 *	  What a source relation is made of.
 *
 * Contract: sw_relation.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/attmap.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "port/sw_compat.h"
#include "source/sw_expr.h"
#include "source/sw_relation.h"

List *
sw_relation_list_columns(Oid relation)
{
	Relation	rel = table_open(relation, AccessShareLock);
	TupleDesc	tupdesc = RelationGetDescr(rel);
	List	   *names = NIL;
	int			i;

	for (i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (!attribute->attisdropped)
			names = lappend(names, pstrdup(NameStr(attribute->attname)));
	}
	table_close(rel, NoLock);
	return names;
}

List *
sw_relation_list_key(Oid relation)
{
	Oid			constraint = InvalidOid;
	List	   *names = NIL;
	HeapTuple	tuple;
	Form_pg_index index;
	int			i;

	(void) get_primary_key_attnos(relation, true, &constraint);
	if (!OidIsValid(constraint))
		return NIL;
	if (get_rel_relkind(relation) != RELKIND_PARTITIONED_TABLE &&
		has_subclass(relation))
		return NIL;

	tuple = SearchSysCache1(INDEXRELID,
							ObjectIdGetDatum(get_constraint_index(constraint)));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for the index of constraint %u",
			 constraint);
	index = (Form_pg_index) GETSTRUCT(tuple);
	for (i = 0; i < index->indnkeyatts; i++)
		names = lappend(names,
						get_attname(relation, index->indkey.values[i], false));
	ReleaseSysCache(tuple);
	return names;
}

bool
sw_relation_is_versioned(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool		is_versioned;

	/* dropped just now: it holds none */
	if (!HeapTupleIsValid(tuple))
		return true;
	form = (Form_pg_class) GETSTRUCT(tuple);
	is_versioned = form->relkind == RELKIND_PARTITIONED_TABLE ||
		(form->relkind == RELKIND_RELATION &&
		 form->relam == HEAP_TABLE_AM_OID &&
		 form->relpersistence != RELPERSISTENCE_TEMP);
	ReleaseSysCache(tuple);
	return is_versioned;
}

/* The first of its tables that is not versioned, or InvalidOid. */
static Oid
sw_relation_get_unversioned(Oid relation)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relation, NoLock, NULL))
	{
		if (!sw_relation_is_versioned(lfirst_oid(cell)))
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

bool
sw_relation_has_versions(Oid relation)
{
	/* One that is gone is reported by who reads it (sw_identity_enter). */
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)) &&
		!OidIsValid(sw_relation_get_unversioned(relation));
}

char *
sw_relation_find_unversioned(Oid relation)
{
	Oid			relid = sw_relation_get_unversioned(relation);
	const char *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;

	/* dropped just now */
	if (name == NULL)
		return NULL;
	return psprintf("The rows of \"%s\" have no versions: it is not an ordinary table of access method heap.",
					name);
}

/* The expression over rows of a child. */
static Node *
sw_relation_translate(Node *value, Relation parent, Relation child)
{
	AttrMap    *map;
	bool		has_whole_row;

	if (RelationGetRelid(parent) == RelationGetRelid(child))
		return value;
	map = sw_compat_attrmap(RelationGetDescr(child), RelationGetDescr(parent));
	return map_variable_attnos(value, 1, 0, map, InvalidOid, &has_whole_row);
}

/* The first key of an index, as an expression over rows of its table. */
static Node *
sw_relation_get_first_key(Relation rel, Relation index)
{
	AttrNumber	number = index->rd_index->indkey.values[0];
	Form_pg_attribute attribute;

	if (number == 0)
		return linitial(RelationGetIndexExpressions(index));
	attribute = TupleDescAttr(RelationGetDescr(rel), number - 1);
	return (Node *) makeVar(1, number, attribute->atttypid,
							attribute->atttypmod, attribute->attcollation, 0);
}

static bool
sw_relation_is_indexed(Relation rel, Node *value)
{
	bool		is_indexed = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indisvalid &&
			index->rd_rel->relam == BTREE_AM_OID &&
			RelationGetIndexPredicate(index) == NIL &&
			equal(sw_relation_get_first_key(rel, index), value))
			is_indexed = true;
		index_close(index, NoLock);
	}
	return is_indexed;
}

static bool
sw_relation_can_have_indexes(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION ||
		rel->rd_rel->relkind == RELKIND_MATVIEW;
}

bool
sw_relation_has_index(Oid relation, const char *column, const char *text)
{
	Relation	parent = table_open(relation, AccessShareLock);
	Node	   *value = sw_expr_get_value(relation, column, text);
	Oid			type = getBaseType(exprType(value));
	bool		has_index = type == TIMESTAMPTZOID || type == TIMESTAMPOID ||
	type == DATEOID;
	ListCell   *cell;

	/* as those of indexes are */
	value = eval_const_expressions(NULL, value);
	fix_opfuncids(value);
	foreach(cell, find_all_inheritors(relation, AccessShareLock, NULL))
	{
		Relation	rel = relation_open(lfirst_oid(cell), NoLock);

		if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
			has_index = has_index && sw_relation_can_have_indexes(rel) &&
				sw_relation_is_indexed(rel, sw_relation_translate(value, parent,
																  rel));
		relation_close(rel, NoLock);
	}
	table_close(parent, NoLock);
	return has_index;
}

/* What a cast is applied to. */
static Node *
sw_relation_strip_casts(Node *value)
{
	for (;;)
	{
		if (IsA(value, RelabelType))
			value = (Node *) castNode(RelabelType, value)->arg;
		else if (IsA(value, CoerceToDomain))
			value = (Node *) castNode(CoerceToDomain, value)->arg;
		else if (IsA(value, FuncExpr) &&
				 castNode(FuncExpr, value)->funcformat != COERCE_EXPLICIT_CALL &&
				 castNode(FuncExpr, value)->args != NIL)
			value = linitial(castNode(FuncExpr, value)->args);
		else
			return value;
	}
}

static bool
sw_relation_is_clock(Node *value)
{
	value = sw_relation_strip_casts(value);
	if (IsA(value, SQLValueFunction))
	{
		switch (castNode(SQLValueFunction, value)->op)
		{
			case SVFOP_CURRENT_DATE:
			case SVFOP_CURRENT_TIMESTAMP:
			case SVFOP_CURRENT_TIMESTAMP_N:
			case SVFOP_LOCALTIMESTAMP:
			case SVFOP_LOCALTIMESTAMP_N:
				return true;
			default:
				return false;
		}
	}
	if (!IsA(value, FuncExpr))
		return false;
	switch (castNode(FuncExpr, value)->funcid)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_CLOCK_TIMESTAMP:
			return true;
		default:
			return false;
	}
}

bool
sw_relation_has_clock_default(Oid relation, const char *column,
							  const char *text)
{
	Relation	rel = table_open(relation, AccessShareLock);
	Node	   *value;
	Node	   *preset = NULL;

	value = sw_relation_strip_casts(sw_expr_get_value(relation, column, text));
	if (IsA(value, Var) && castNode(Var, value)->varlevelsup == 0 &&
		castNode(Var, value)->varattno > 0)
		preset = build_column_default(rel, castNode(Var, value)->varattno);
	table_close(rel, NoLock);
	return preset != NULL && sw_relation_is_clock(preset);
}
