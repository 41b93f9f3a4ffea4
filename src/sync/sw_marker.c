/*-------------------------------------------------------------------------
 *
 * sw_marker.c
 *	  Whose a target table is: a mark in its comment at the warehouse.
 *
 * The mark: <system identifier>/<database oid>/<pipeline id> <name>
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"

#include "net/sw_report.h"
#include "sync/sw_marker.h"
#include "sync/sw_tx.h"

/* The part that all pipelines of this database share. */
static char *
database_part(void)
{
	return psprintf(UINT64_FORMAT "/%u/", GetSystemIdentifier(), MyDatabaseId);
}

char *
sw_marker_create(const SwPipeline *pipeline)
{
	return psprintf("%s" INT64_FORMAT " %s", database_part(),
					pipeline->pipeline_id, pipeline->name);
}

/* The same pipeline, whatever it is called by now? */
static bool
is_same_pipeline(const char *a, const char *b)
{
	size_t		length = strcspn(a, " ");

	return strcspn(b, " ") == length && strncmp(a, b, length) == 0;
}

/* Is it of this database, and of a pipeline that writes no more? */
static bool
is_abandoned(const char *marker)
{
	char	   *ours = database_part();
	SwPipeline *pipeline;
	bool		is_over;

	if (strncmp(marker, ours, strlen(ours)) != 0)
		return false;
	sw_tx_begin("looking for the owner of a target table");
	pipeline = sw_cat_pipeline_get(strtoi64(marker + strlen(ours), NULL, 10));
	is_over = pipeline == NULL ||
		(strcmp(pipeline->status, "stopped") == 0 &&
		 !sw_cat_pipeline_is_writing(pipeline->pipeline_id));
	sw_tx_commit();
	return is_over;
}

/* The mark that is there; NULL for none. */
static char *
read_mark(SwTarget *target, const SwTargetTable *table, bool *can_read)
{
	char	   *marker = NULL;
	SwError		err;
	SwStatus	status = sw_target_read_marker(target, table, &marker, &err);

	/* Without the table there is no mark on it either. */
	*can_read = status != SW_ERR_UNSUPPORTED && status != SW_ERR_DENIED &&
		status != SW_ERR_MISSING;
	if (*can_read && status != SW_OK)
		sw_report(ERROR, &err);
	return *can_read ? marker : NULL;
}

static void
refuse_foreign(SwTarget *target, const SwTargetTable *table,
			   const char *marker)
{
	if (marker == NULL || is_same_pipeline(marker, table->marker) ||
		is_abandoned(marker))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("target table \"%s\" belongs to another pipeline", table->name),
			 errdetail("Its comment says: %s.", sw_target_redact(target, NULL, marker)),
			 errhint("Give another target_table, or stop the other pipeline; if that does not exist any more, remove the mark from the comment of the table.")));
}

void
sw_marker_check(SwTarget *target, const SwTargetTable *table)
{
	bool		can_read;

	refuse_foreign(target, table, read_mark(target, table, &can_read));
}

bool
sw_marker_claim(SwTarget *target, const SwTargetTable *table)
{
	bool		can_read;
	char	   *marker = read_mark(target, table, &can_read);
	SwStatus	status;
	SwError		err;

	if (!can_read)
		return false;
	refuse_foreign(target, table, marker);
	if (marker != NULL && strcmp(marker, table->marker) == 0)
		return true;
	status = sw_target_write_marker(target, table, table->marker, &err);
	if (status == SW_ERR_UNSUPPORTED || status == SW_ERR_DENIED)
		return false;
	if (status != SW_OK)
		sw_report(ERROR, &err);
	return true;
}

void
sw_marker_release(SwTarget *target, const SwTargetTable *table)
{
	bool		can_read;
	char	   *marker = read_mark(target, table, &can_read);
	SwStatus	status;
	SwError		err;

	if (marker == NULL || !is_same_pipeline(marker, table->marker))
		return;
	status = sw_target_write_marker(target, table, NULL, &err);
	if (status != SW_OK && status != SW_ERR_UNSUPPORTED)
		sw_report(ERROR, &err);
}
