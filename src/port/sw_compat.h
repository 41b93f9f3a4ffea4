/*-------------------------------------------------------------------------
 *
 * sw_compat.h
 *	  Every difference between the server versions we build for.
 *
 * PostgreSQL 15 to 18.  A wrapper has the shape of the newest version; on
 * older ones it drops what they do not know.  No other file tests
 * PG_VERSION_NUM.  Include after postgres.h; backend only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_COMPAT_H
#define SW_COMPAT_H

#include "access/attmap.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000
#error "sensorswave_export needs PostgreSQL 15 or later"
#endif

/* 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * A wait event of our own by name.  Named ones exist from 17 on; before, all
 * extensions share one event.  Takes a lock on 17 and later: call it once
 * per name and process.
 */
static inline uint32
sw_compat_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	(void) name;
	return PG_WAIT_EXTENSION;
#endif
}

/* Declared by fmgr.h from 16 on. */
#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_init(void);
#endif

/* Goes before everything else of a declaration. */
#if PG_VERSION_NUM >= 180000
#define SW_NORETURN pg_noreturn
#else
#define SW_NORETURN pg_attribute_noreturn()
#endif

/*
 * May member SET ROLE to role?  From 16 on a grant of membership can leave
 * that out.
 */
static inline bool
sw_compat_may_set_role(Oid member, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(member, role);
#else
	return is_member_of_role(member, role);
#endif
}

/*
 * Which column of in is each of out, by name; one that is missing is an
 * error.
 */
static inline AttrMap *
sw_compat_attrmap(TupleDesc in, TupleDesc out)
{
#if PG_VERSION_NUM >= 160000
	return build_attrmap_by_name(in, out, false);
#else
	return build_attrmap_by_name(in, out);
#endif
}

#endif							/* SW_COMPAT_H */
