/*-------------------------------------------------------------------------
 *
 * sw_identity.h
 *	  Who reads a source, and under which settings.
 *
 * A pipeline reads as its owner.  A superuser's pipeline on a relation that
 * does not belong to a superuser reads as the relation's owner: a view runs
 * its functions as whoever reads it, so a superuser must not read it.
 *
 * Inside the section, everything a user wrote is parsed, planned and run
 * - as that user, in a security-restricted operation (no SET ROLE, no
 *   temporary tables), in a read-only transaction;
 * - with TimeZone = the pipeline's zone, and all settings that change the
 *   meaning or the text of a value pinned;
 * - with search_path = pg_catalog, the schema of the source, pg_temp: what
 *   lives next to the source is found by its bare name, all else is written
 *   with its schema;
 * - without parallel workers and without JIT.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_IDENTITY_H
#define SW_IDENTITY_H

/* What sw_identity_leave puts back. */
typedef struct SwIdentity
{
	Oid			saved_user;
	int			saved_sec_context;
	bool		saved_read_only;
	int			guc_nest_level;
} SwIdentity;

/*
 * Enter the section.  Takes an AccessShareLock on relation that is kept
 * until the transaction ends, so its name, owner and columns stay put.
 * Needs a transaction with an active snapshot.
 *
 * Throws when relation or the zone does not exist.  After any error inside
 * the section, the end of the (sub)transaction puts everything back.
 * Sections do not nest.
 */
extern void sw_identity_enter(Oid pipeline_owner, Oid relation,
							  const char *timezone, SwIdentity *save);

/* Leave it; settings changed by a user's function are put back as well. */
extern void sw_identity_leave(const SwIdentity *save);

#endif							/* SW_IDENTITY_H */
