/*-------------------------------------------------------------------------
 *
 * sw_instance.c
 *	  Which instance of the server this is, and is it the one on record?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "access/xlog.h"
#include "miscadmin.h"

#include "sync/sw_instance.h"

static char *
get_host(void)
{
	char		name[256];

	if (gethostname(name, sizeof(name)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not get the name of the host: %m")));
	name[sizeof(name) - 1] = '\0';
	return pstrdup(name);
}

/* One directory has one name, however the server was started. */
static char *
get_data_directory(void)
{
	char		path[PATH_MAX];

	return pstrdup(realpath(DataDir, path) != NULL ? path : DataDir);
}

SwInstance *
sw_instance_get(void)
{
	SwInstance *instance;

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot do this during recovery"),
				 errhint("Ask the primary server, or promote this one.")));
	instance = palloc(sizeof(SwInstance));
	instance->system_identifier = GetSystemIdentifier();
	instance->database_oid = MyDatabaseId;
	instance->host = get_host();
	instance->data_directory = get_data_directory();
	instance->timeline = GetWALInsertionTimeLine();
	return instance;
}

SwInstanceRelation
sw_instance_compare(const SwInstance *recorded, const SwInstance *present,
					char **reason)
{
	bool		is_same_place = strcmp(recorded->host, present->host) == 0 &&
	strcmp(recorded->data_directory, present->data_directory) == 0;

	*reason = NULL;
	if (recorded->system_identifier != present->system_identifier)
		*reason = psprintf("made on the server with system identifier "
						   UINT64_FORMAT ", this one has " UINT64_FORMAT,
						   recorded->system_identifier,
						   present->system_identifier);
	else if (recorded->database_oid != present->database_oid)
		*reason = psprintf("made in the database with OID %u, this one has %u",
						   recorded->database_oid, present->database_oid);
	else if (recorded->timeline < present->timeline && !is_same_place)
		*reason = psprintf("made on timeline %u in %s on host %s; this server has been promoted to timeline %u, in %s on host %s",
						   recorded->timeline, recorded->data_directory,
						   recorded->host, present->timeline,
						   present->data_directory, present->host);
	else if (recorded->timeline != present->timeline)
		*reason = psprintf("made on timeline %u, this server is on timeline %u",
						   recorded->timeline, present->timeline);
	else if (!is_same_place)
		*reason = psprintf("made in %s on host %s, this server is in %s on host %s",
						   recorded->data_directory, recorded->host,
						   present->data_directory, present->host);
	else
		return SW_INSTANCE_SAME;
	return recorded->system_identifier == present->system_identifier &&
		recorded->database_oid == present->database_oid &&
		recorded->timeline < present->timeline && !is_same_place ?
		SW_INSTANCE_PROMOTED : SW_INSTANCE_OTHER;
}
