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

#endif							/* SW_RELATION_H */
