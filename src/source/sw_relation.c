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

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

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
