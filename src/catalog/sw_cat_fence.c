/*-------------------------------------------------------------------------
 *
 * sw_cat_fence.c
 *	  Which instance a pipeline works on, and what keeps others off.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "catalog/sw_cat_fence.h"
#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

/* One statement about one pipeline; returns how many rows it changed. */
static uint64
exec_for(int64 pipeline_id, const char *sql)
{
	SwSpi		spi;
	uint64		n_rows;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, sql);
	n_rows = spi.n_rows;
	sw_spi_end(&spi);
	return n_rows;
}

/* ---- the instance ---- */

SwInstance *
sw_cat_fence_get_instance(int64 pipeline_id)
{
	SwSpi		spi;
	SwInstance *instance = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT system_identifier, database_oid, host,"
				" data_directory, timeline FROM _sensorswave.sync_state"
				" WHERE pipeline_id = $1");
	if (spi.n_rows > 0)
	{
		bool		isnull;

		instance = MemoryContextAlloc(spi.result_context, sizeof(SwInstance));
		instance->system_identifier =
			(uint64) sw_spi_get_int64(&spi, 0, "system_identifier");
		instance->database_oid =
			DatumGetObjectId(sw_spi_get(&spi, 0, "database_oid", &isnull));
		instance->host = sw_spi_get_text(&spi, 0, "host");
		instance->data_directory = sw_spi_get_text(&spi, 0, "data_directory");
		instance->timeline = (uint32) sw_spi_get_int64(&spi, 0, "timeline");
	}
	sw_spi_end(&spi);
	return instance;
}

void
sw_cat_fence_set_instance(int64 pipeline_id, const SwInstance *instance)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_int64(&spi, (int64) instance->system_identifier);
	sw_spi_arg(&spi, OIDOID, ObjectIdGetDatum(instance->database_oid), false);
	sw_spi_arg_text(&spi, instance->host);
	sw_spi_arg_text(&spi, instance->data_directory);
	sw_spi_arg_int64(&spi, instance->timeline);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state"
				" SET system_identifier = $2, database_oid = $3, host = $4,"
				" data_directory = $5, timeline = $6 WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

List *
sw_cat_fence_list_pipelines(void)
{
	SwSpi		spi;
	List	   *ids = NIL;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_exec(&spi, "SELECT pipeline_id FROM _sensorswave.pipeline"
				" ORDER BY name");
	for (i = 0; i < spi.n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);
		int64	   *id = palloc(sizeof(int64));

		*id = sw_spi_get_int64(&spi, i, "pipeline_id");
		ids = lappend(ids, id);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return ids;
}

/* ---- the fence ---- */

char *
sw_cat_fence_get_reason(int64 pipeline_id)
{
	SwSpi		spi;
	char	   *reason = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT reason FROM _sensorswave.fence"
				" WHERE pipeline_id = $1");
	if (spi.n_rows > 0)
		reason = sw_spi_get_text(&spi, 0, "reason");
	sw_spi_end(&spi);
	return reason;
}

void
sw_cat_fence_close(int64 pipeline_id, const char *reason)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, reason);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.fence"
				" (pipeline_id, reason, status_before, pause_reason_before)"
				" SELECT pipeline_id, $2, p.status, s.pause_reason"
				" FROM _sensorswave.pipeline p"
				" LEFT JOIN _sensorswave.sync_state s USING (pipeline_id)"
				" WHERE pipeline_id = $1"
				" ON CONFLICT (pipeline_id) DO UPDATE SET reason = $2");
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline SET status = 'paused'"
				" WHERE pipeline_id = $1 AND status IN ('new', 'running')");
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, reason);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state SET pause_reason = $2"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
	sw_cat_sync_cancel_request(pipeline_id, psprintf("paused: %s", reason),
							   "Call sw_adopt to have this instance go on.");
}

void
sw_cat_fence_open(int64 pipeline_id)
{
	(void) exec_for(pipeline_id, "UPDATE _sensorswave.pipeline p"
					" SET status = f.status_before FROM _sensorswave.fence f"
					" WHERE p.pipeline_id = $1 AND f.pipeline_id = $1"
					" AND p.status = 'paused'");
	(void) exec_for(pipeline_id, "UPDATE _sensorswave.sync_state s"
					" SET pause_reason = f.pause_reason_before"
					" FROM _sensorswave.fence f"
					" WHERE s.pipeline_id = $1 AND f.pipeline_id = $1");
	(void) exec_for(pipeline_id, "DELETE FROM _sensorswave.fence"
					" WHERE pipeline_id = $1");
	(void) exec_for(pipeline_id, "INSERT INTO _sensorswave.pipeline_state"
					" (pipeline_id, next_attempt_at)"
					" VALUES ($1, clock_timestamp())"
					" ON CONFLICT (pipeline_id) DO UPDATE"
					" SET next_attempt_at = clock_timestamp(),"
					" consecutive_failures = 0, last_error = NULL,"
					" last_hint = NULL");
	(void) exec_for(pipeline_id, "UPDATE _sensorswave.sync_state"
					" SET next_attempt_at = NULL, consecutive_failures = 0,"
					" last_error = NULL, last_hint = NULL"
					" WHERE pipeline_id = $1");
	(void) exec_for(pipeline_id, "UPDATE _sensorswave.backfill"
					" SET next_attempt_at = clock_timestamp()"
					" WHERE pipeline_id = $1"
					" AND status IN ('queued', 'running')");
}

void
sw_cat_fence_disown(int64 pipeline_id)
{
	(void) exec_for(pipeline_id, "UPDATE _sensorswave.chunk"
					" SET status = 'planned', run_id = NULL, n_rows = 0,"
					" first_day = NULL, last_day = NULL, cursor_min = NULL,"
					" cursor_max = NULL, stage_format = NULL,"
					" stage_compression = NULL, load_query_id = NULL,"
					" target_rows_before = NULL"
					" WHERE status <> 'done' AND window_id IN"
					" (SELECT window_id FROM _sensorswave.sync_window"
					" WHERE pipeline_id = $1)");
	(void) exec_for(pipeline_id, "DELETE FROM _sensorswave.staged_object o"
					" USING _sensorswave.run r"
					" WHERE r.run_id = o.run_id AND r.pipeline_id = $1"
					" AND NOT o.is_deleted");
	(void) exec_for(pipeline_id, "DELETE FROM _sensorswave.stage_table t"
					" USING _sensorswave.run r"
					" WHERE r.run_id = t.run_id AND r.pipeline_id = $1");
	(void) exec_for(pipeline_id, "DELETE FROM _sensorswave.former_target"
					" WHERE pipeline_id = $1");
}

void
sw_cat_fence_forget_history(int64 pipeline_id)
{
	(void) exec_for(pipeline_id, "DELETE FROM _sensorswave.sync_window"
					" WHERE pipeline_id = $1");
	(void) exec_for(pipeline_id, "DELETE FROM _sensorswave.capture"
					" WHERE pipeline_id = $1");
}

/* ---- the lease ---- */

SwLease *
sw_cat_lease_get(int64 pipeline_id)
{
	SwSpi		spi;
	SwLease    *lease = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT lease_number, lease_token, lease_takeover,"
				" lease_next_token, lease_failures,"
				" coalesce(lease_attempt_at, '-infinity')"
				" <= clock_timestamp() AS is_due"
				" FROM _sensorswave.sync_state WHERE pipeline_id = $1");
	if (spi.n_rows > 0)
	{
		char	   *takeover = sw_spi_get_text(&spi, 0, "lease_takeover");

		lease = MemoryContextAlloc(spi.result_context, sizeof(SwLease));
		lease->number = sw_spi_get_int64(&spi, 0, "lease_number");
		lease->token = sw_spi_get_text(&spi, 0, "lease_token");
		lease->takeover = takeover == NULL ? SW_TAKEOVER_NONE :
			strcmp(takeover, "asked") == 0 ? SW_TAKEOVER_ASKED :
			SW_TAKEOVER_AUTOMATIC;
		lease->next_token = sw_spi_get_text(&spi, 0, "lease_next_token");
		lease->n_failures = sw_spi_get_int32(&spi, 0, "lease_failures");
		lease->is_due = sw_spi_get_bool(&spi, 0, "is_due");
	}
	sw_spi_end(&spi);
	return lease;
}

void
sw_cat_lease_raise(int64 pipeline_id, int64 number, const char *token)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_int64(&spi, number);
	sw_spi_arg_text(&spi, token);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state"
				" SET lease_number = $2, lease_token = $3"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_lease_begin_takeover(int64 pipeline_id, SwTakeover takeover,
							const char *next_token)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, takeover == SW_TAKEOVER_ASKED ? "asked" :
					"automatic");
	sw_spi_arg_text(&spi, next_token);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state"
				" SET lease_takeover = $2, lease_next_token = $3,"
				" lease_failures = 0, lease_attempt_at = NULL"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_lease_end_takeover(int64 pipeline_id, int64 number)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_int64(&spi, number);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state"
				" SET lease_number = $2, lease_token = lease_next_token,"
				" lease_takeover = NULL, lease_next_token = NULL,"
				" lease_failures = 0, lease_attempt_at = NULL,"
				" last_error = NULL, last_hint = NULL"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_lease_forget(int64 pipeline_id)
{
	(void) exec_for(pipeline_id, "UPDATE _sensorswave.sync_state"
					" SET lease_number = 0, lease_token = NULL,"
					" lease_failures = 0, lease_attempt_at = NULL"
					" WHERE pipeline_id = $1");
}

void
sw_cat_lease_record_failure(int64 pipeline_id, TimestampTz next_attempt_at,
							const char *error, const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, next_attempt_at);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_state"
				" SET lease_failures = lease_failures + 1,"
				" lease_attempt_at = $2, last_error = $3, last_hint = $4"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

/* ---- the mark ---- */

char *
sw_cat_mark_get(int64 pipeline_id)
{
	SwSpi		spi;
	char	   *mark = NULL;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT mark FROM _sensorswave.target_mark"
				" WHERE pipeline_id = $1");
	if (spi.n_rows > 0)
		mark = sw_spi_get_text(&spi, 0, "mark");
	sw_spi_end(&spi);
	return mark;
}

void
sw_cat_mark_set(int64 pipeline_id, const char *mark)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, mark);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.target_mark AS m"
				" (pipeline_id, mark) VALUES ($1, $2)"
				" ON CONFLICT (pipeline_id) DO UPDATE SET mark = $2"
				" WHERE m.mark <> $2");
	sw_spi_end(&spi);
}
