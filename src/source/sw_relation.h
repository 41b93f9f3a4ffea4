/*-------------------------------------------------------------------------
 *
 * sw_relation.h
 *	  What a source relation is made of.
 *
 * To be called inside sw_identity_enter(), which keeps it as it is.  Names
 * are palloc'd in the current context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_RELATION_H
#define SW_RELATION_H

#include "nodes/pg_list.h"

/* Names (char *) of its columns, in their order. */
extern List *sw_relation_list_columns(Oid relation);

/*
 * Names of the columns of its primary key, in the key's order; NIL when it
 * has none, or none that holds for all of its rows (children by inheritance
 * are not looked at by it).
 */
extern List *sw_relation_list_key(Oid relation);

/*
 * Do its rows have versions that sw_capture.h can tell apart?  Those of a
 * table, of a partitioned table or of an inheritance tree do, if all of its
 * tables are heaps that outlive the session.
 */
extern bool sw_relation_has_versions(Oid relation);

/* Does this one, of those that hold rows themselves? */
extern bool sw_relation_is_versioned(Oid relid);

/*
 * Why they have none, as a sentence that names the table or the part which is
 * not such; NULL where they have, or the relation is gone.
 *
 * Where rows had versions at a capture (it has leaves) and have none now, one
 * of the others has been attached: a window from that capture on can be read
 * neither by versions nor, unless rows may arrive twice, by a cursor.
 */
extern char *sw_relation_find_unversioned(Oid relation);

/*
 * Does an index serve conditions on text, an expression over one row of
 * relation?  One whose first key is that expression, on the table or, where it
 * has partitions or children, on each that holds rows.  column as in
 * sw_expr.h.
 */
extern bool sw_relation_has_index(Oid relation, const char *column,
								  const char *text);

/*
 * Does text come out of a column whose default is the database's clock?  An
 * application can still set it.
 */
extern bool sw_relation_has_clock_default(Oid relation, const char *column,
										  const char *text);

#endif							/* SW_RELATION_H */
