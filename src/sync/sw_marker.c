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

#include "catalog/sw_cat_fence.h"
#include "net/sw_report.h"
#include "net/sw_wait.h"
#include "sync/sw_marker.h"
#include "sync/sw_tx.h"

/*
 * How long after its mark was written a claim is taken for good.  Who writes
 * last has the table, as long as everybody writes within this time after
 * having read.
 */
#define SETTLE_MS 1000
#define CLAIM_ATTEMPTS 3

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

static int64
get_pipeline_id(const SwTargetTable *table)
{
	return strtoi64(strrchr(table->marker, '/') + 1, NULL, 10);
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

	return strncmp(marker, ours, strlen(ours)) == 0 &&
		sw_cat_pipeline_is_over(strtoi64(marker + strlen(ours), NULL, 10));
}

/*
 * Is it the one that the pipeline has put there last?  It is another one than
 * it would write now where another instance has been adopted.
 */
static bool
is_remembered(const SwTargetTable *table, const char *marker)
{
	char	   *last = sw_cat_mark_get(get_pipeline_id(table));

	return last != NULL && is_same_pipeline(marker, last);
}

/* False where the warehouse does not let us, or has no such table. */
static bool
can_read(SwTarget *target, const SwTargetTable *table, char **marker)
{
	SwError		err;
	SwStatus	status = sw_target_read_marker(target, table, marker, &err);

	if (status == SW_ERR_UNSUPPORTED || status == SW_ERR_DENIED ||
		status == SW_ERR_MISSING)
		return false;
	if (status != SW_OK)
		sw_report(ERROR, &err);
	return true;
}

char *
sw_marker_read(SwTarget *target, const SwTargetTable *table, char **shown)
{
	char	   *marker = NULL;

	if (!can_read(target, table, &marker) || marker == NULL)
		return NULL;
	*shown = sw_target_redact(target, NULL, marker);
	return marker;
}

void
sw_marker_judge(const SwTargetTable *table, const char *marker,
				const char *shown)
{
	if (marker == NULL || is_same_pipeline(marker, table->marker) ||
		is_abandoned(marker) || is_remembered(table, marker))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("target table \"%s\" belongs to another pipeline", table->name),
			 errdetail("Its comment says: %s.", shown),
			 errhint("Give another target_table, or stop the other pipeline; if that does not exist any more, remove the mark from the comment of the table.")));
}

/* Others may have read the comment before we wrote it, and write theirs now. */
static void
let_others_write(void)
{
	int64		deadline_ms = sw_wait_deadline(SETTLE_MS);

	while (sw_wait(PGINVALID_SOCKET, false, false, deadline_ms,
				   SW_WAIT_EVENT_WAREHOUSE) != SW_WAIT_DEADLINE)
		;
}

bool
sw_marker_claim(SwTarget *target, const SwTargetTable *table)
{
	int			i;

	for (i = 0; i < CLAIM_ATTEMPTS; i++)
	{
		char	   *found;
		SwStatus	status;
		SwError		err;

		if (!can_read(target, table, &found))
			return false;
		if (found != NULL && strcmp(found, table->marker) == 0)
		{
			sw_tx_begin("remembering a target's mark");
			sw_cat_mark_set(get_pipeline_id(table), table->marker);
			sw_tx_commit();
			return true;
		}
		sw_tx_begin("looking for the owner of a target table");
		sw_marker_judge(table, found,
						found ? sw_target_redact(target, NULL, found) : NULL);
		sw_tx_commit();
		status = sw_target_write_marker(target, table, found, table->marker, &err);
		if (status == SW_ERR_UNSUPPORTED || status == SW_ERR_DENIED)
			return false;
		if (status != SW_OK && status != SW_ERR_MISMATCH)
			sw_report(ERROR, &err);
		let_others_write();
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not mark target table \"%s\" as the pipeline's", table->name),
			 errdetail("Its comment is changed by others all the time."),
			 errhint("It is tried again. Find out who alters the table.")));
}

/* Also that of a predecessor, which has left its removal to us. */
static bool
is_ours_to_remove(const SwTargetTable *table, const char *marker)
{
	bool		is_ours = is_same_pipeline(marker, table->marker);

	if (!is_ours)
	{
		sw_tx_begin("looking for the owner of a target table");
		is_ours = is_abandoned(marker) || is_remembered(table, marker);
		sw_tx_commit();
	}
	return is_ours;
}

void
sw_marker_release(SwTarget *target, const SwTargetTable *table)
{
	char	   *found;
	SwError		err;
	SwStatus	status = sw_target_read_marker(target, table, &found, &err);

	if (status == SW_OK && found != NULL && is_ours_to_remove(table, found))
		status = sw_target_write_marker(target, table, found, NULL, &err);
	/* Without a table there is no mark; another one is not ours to remove. */
	if (status != SW_OK && status != SW_ERR_MISSING && status != SW_ERR_MISMATCH)
		sw_report(ERROR, &err);
}

void
sw_marker_warn(int elevel, const SwTargetTable *table)
{
	ereport(elevel,
			(errmsg("target table \"%s\".\"%s\" keeps the mark of its pipeline",
					table->database, table->name),
			 errdetail("Other databases and instances cannot use it; its comment says: %s.",
					   table->marker),
			 errhint("Run at the warehouse: %s (with what else the comment says between the quotes).",
					 sw_target_write_no_comment(table))));
}
