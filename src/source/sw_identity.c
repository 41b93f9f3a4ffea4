/*-------------------------------------------------------------------------
 *
 * sw_identity.c
 *	  Who reads a source, and under which settings.
 *
 * The settings are changed as a function's SET clause changes them, on a
 * nest level of their own, so the end of a failed transaction restores
 * them, and whatever a user's function sets meanwhile is rolled back too.
 * Newer servers refuse to change the transaction's properties that way,
 * so XactReadOnly is set as the server's own code does it; the end of a
 * failed (sub)transaction restores that as well.  It cannot be undone from
 * within: the server refuses that once the transaction has a snapshot.
 *
 * Contract: sw_identity.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "source/sw_identity.h"

/* Settings that a read must not depend on. */
static const char *const pinned_settings[][2] = {
	{"row_security", "on"},
	{"standard_conforming_strings", "on"},
	{"DateStyle", "ISO, MDY"},
	{"IntervalStyle", "iso_8601"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"},
	{"lc_monetary", "C"},
	{"xmlbinary", "base64"},
	{"jit", "off"},
	{"max_parallel_workers_per_gather", "0"}
};

static void
sw_identity_set_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static Oid
sw_identity_choose_reader(Oid pipeline_owner, Oid relation_owner)
{
	if (superuser_arg(pipeline_owner) && !superuser_arg(relation_owner))
		return relation_owner;
	return pipeline_owner;
}

void
sw_identity_enter(Oid pipeline_owner, Oid relation, const char *timezone,
				  SwIdentity *save)
{
	Relation	source;
	Oid			reader;
	char	   *schema;
	int			i;

	if (!ActiveSnapshotSet())
		elog(ERROR, "no active snapshot to read a source with");
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(pipeline_owner)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("owner of the pipeline does not exist"),
				 errdetail("There is no role with OID %u.", pipeline_owner)));

	source = try_relation_open(relation, AccessShareLock);
	if (source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("source of the pipeline does not exist"),
				 errdetail("There is no relation with OID %u.", relation)));
	reader = sw_identity_choose_reader(pipeline_owner, source->rd_rel->relowner);
	schema = get_namespace_name(source->rd_rel->relnamespace);
	relation_close(source, NoLock);

	GetUserIdAndSecContext(&save->saved_user, &save->saved_sec_context);
	SetUserIdAndSecContext(reader, save->saved_sec_context |
						   SECURITY_RESTRICTED_OPERATION);
	save->saved_read_only = XactReadOnly;
	XactReadOnly = true;
	save->guc_nest_level = NewGUCNestLevel();
	for (i = 0; i < (int) lengthof(pinned_settings); i++)
		sw_identity_set_setting(pinned_settings[i][0], pinned_settings[i][1]);
	sw_identity_set_setting("TimeZone", timezone);
	sw_identity_set_setting("search_path", psprintf("pg_catalog, %s, pg_temp",
													quote_identifier(schema)));
}

void
sw_identity_leave(const SwIdentity *save)
{
	AtEOXact_GUC(false, save->guc_nest_level);
	XactReadOnly = save->saved_read_only;
	SetUserIdAndSecContext(save->saved_user, save->saved_sec_context);
}
