/*-------------------------------------------------------------------------
 *
 * sw_instance.h
 *	  Which instance of the server this is, and is it the one on record?
 *
 * A copy of a data directory brings the pipelines of its original along.  It
 * is told from that by what a copy cannot have in common with it, or mostly
 * has not: system identifier (initdb, pg_upgrade), database (CREATE DATABASE
 * with a template), host, data directory, timeline (promotion, recovery to a
 * point in time).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_INSTANCE_H
#define SW_INSTANCE_H

#include "catalog/sw_cat_fence.h"

/*
 * This one, palloc'd.  Not during recovery, where nobody writes WAL; throws.
 */
extern SwInstance *sw_instance_get(void);

/* How one differs from what is on record. */
typedef enum SwInstanceRelation
{
	SW_INSTANCE_SAME,
	SW_INSTANCE_PROMOTED,		/* a standby of it that has taken its place */
	SW_INSTANCE_OTHER
} SwInstanceRelation;

/*
 * Compare.  Unless it is the same, *reason is what differs, for people: a
 * sentence's beginning without a full stop, palloc'd.
 */
extern SwInstanceRelation sw_instance_compare(const SwInstance *recorded,
											  const SwInstance *present,
											  char **reason);

#endif							/* SW_INSTANCE_H */
