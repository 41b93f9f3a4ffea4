/*-------------------------------------------------------------------------
 *
 * sw_leaf.h
 *	  The tables that a relation's rows lie in, and what becomes of them.
 *
 * Leaves: the table itself, its partitions that are tables, or all of an
 * inheritance tree.  A relation without row versions has none
 * (sw_relation_has_versions).
 *
 * The xmin of a row says when it came into its leaf.  That is not when it came
 * into the relation, or as new data
 *
 * - where a leaf is attached: its rows may be old, and no window has them.
 *   Their days need a backfill;
 * - where a leaf's file is replaced: ALTER TABLE that rewrites gives all rows
 *   the xmin of its own transaction, and all look new.  They are left out by
 *   that xmin (SwRewrite), and their days need a backfill, as there may be new
 *   ones among them.  VACUUM FULL and CLUSTER keep each xmin, and so nothing
 *   is left out; TRUNCATE leaves nothing.  What a transaction truncates and
 *   fills again is taken for rewritten.  So may be the oldest rows where all
 *   are new: of a table that was filled after a TRUNCATE, when another change
 *   of the catalogs follows, or that VACUUM FULL moves.
 *
 * All memory is palloc'd in the current context.  Everything throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_LEAF_H
#define SW_LEAF_H

#include "utils/date.h"

typedef struct SwLeaf
{
	Oid			relid;
	Oid			file;			/* pg_class.relfilenode */
} SwLeaf;

/* Rows of that leaf and that xmin are not new although they look it. */
typedef struct SwRewrite
{
	Oid			relid;
	uint64		xid;
} SwRewrite;

typedef struct SwLeafChange
{
	Oid			relid;
	bool		is_attached;	/* else its file was replaced, and rows may
								 * lie in other blocks */
} SwLeafChange;

/* Leaves of a relation, ascending.  Needs a lock on it, and no right. */
extern SwLeaf *sw_leaf_list(Oid relation, uint32 *n_leaves);

/* What differs from one list to a later one; a leaf that left does not. */
extern SwLeafChange *sw_leaf_compare(const SwLeaf *before, uint32 n_before,
									 const SwLeaf *after, uint32 n_after,
									 uint32 *n_changes);

/*
 * The ids under which the files of leaves may have been rewritten: for each
 * change that is one of file, those that changed the catalogs' rows about the
 * leaf last, and the one that wrote its oldest rows.  oldest: of ids before it,
 * only one for each leaf.  Locks these leaves (AccessShareLock) and reads some
 * blocks of each; needs no right.
 */
extern SwRewrite *sw_leaf_find_rewrites(const SwLeafChange *changes,
										uint32 n_changes, uint64 oldest,
										uint32 *n_rewrites);

/*
 * Lock all leaves of relation (AccessShareLock) and tell what has changed since
 * leaves were listed.  For the transaction that reads: nothing changes any more
 * until it ends.  A part without row versions that was attached since does not
 * matter here: no row test gives its rows (sw_row_test.h).
 */
extern SwLeafChange *sw_leaf_hold(Oid relation, const SwLeaf *leaves,
								  uint32 n_leaves, uint32 *n_changes);

#endif							/* SW_LEAF_H */
