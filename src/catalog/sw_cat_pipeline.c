/*-------------------------------------------------------------------------
 *
 * sw_cat_pipeline.c
 *	  Pipelines in the catalog.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_field.h"
#include "catalog/sw_spi.h"
#include "net/sw_clock.h"

/* Makes our lock tags different from all others on extensions. */
#define TARGET_LOCK_CLASS 0x5358

#define FIELD(column, type, sql_type) \
	{#column, type, sql_type, offsetof(SwPipeline, column)}

/* The first entry identifies the row. */
static const SwField fields[] = {
	FIELD(pipeline_id, SW_FIELD_INT64, INT8OID),
	FIELD(name, SW_FIELD_TEXT, TEXTOID),
	FIELD(destination_id, SW_FIELD_INT64, INT8OID),
	FIELD(data_source, SW_FIELD_TEXT, TEXTOID),
	FIELD(source, SW_FIELD_OID, REGCLASSOID),
	FIELD(target_table, SW_FIELD_TEXT, TEXTOID),
	FIELD(mode, SW_FIELD_TEXT, TEXTOID),
	FIELD(key_columns, SW_FIELD_VARLENA, TEXTARRAYOID),
	FIELD(cursor_column, SW_FIELD_TEXT, TEXTOID),
	FIELD(time_column, SW_FIELD_TEXT, TEXTOID),
	FIELD(cursor_slack, SW_FIELD_INTERVAL, INTERVALOID),
	FIELD(sweep_every, SW_FIELD_INTERVAL, INTERVALOID),
	FIELD(schedule, SW_FIELD_TEXT, TEXTOID),
	FIELD(json_type, SW_FIELD_TEXT, TEXTOID),
	FIELD(target_options, SW_FIELD_VARLENA, JSONBOID),
	FIELD(columns, SW_FIELD_VARLENA, JSONBOID),
	FIELD(target_columns, SW_FIELD_VARLENA, JSONBOID),
	FIELD(event_filter, SW_FIELD_TEXT, TEXTOID),
	FIELD(event_names, SW_FIELD_VARLENA, TEXTARRAYOID),
	FIELD(row_filter, SW_FIELD_TEXT, TEXTOID),
	FIELD(on_unrepresentable, SW_FIELD_TEXT, TEXTOID),
	FIELD(datetime_properties, SW_FIELD_VARLENA, TEXTARRAYOID),
	FIELD(array_properties, SW_FIELD_VARLENA, TEXTARRAYOID),
	FIELD(system_timezone, SW_FIELD_TEXT, TEXTOID),
	FIELD(status, SW_FIELD_TEXT, TEXTOID),
	FIELD(settings_version, SW_FIELD_INT32, INT4OID),
	FIELD(owner, SW_FIELD_OID, REGROLEOID),
	FIELD(created_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	FIELD(updated_at, SW_FIELD_TIME, TIMESTAMPTZOID)
};

#define SELECT_PIPELINE \
	"SELECT p.*, d.name AS destination FROM _sensorswave.pipeline p" \
	" JOIN _sensorswave.destination d USING (destination_id) WHERE "

static SwPipeline *
read_pipeline(SwSpi *spi)
{
	SwPipeline *pipeline = NULL;

	if (spi->n_rows > 0)
	{
		TupleDesc	tupdesc;
		HeapTuple	row = sw_spi_row(spi, 0, &tupdesc);
		MemoryContext saved = MemoryContextSwitchTo(spi->result_context);

		pipeline = palloc0(sizeof(SwPipeline));
		sw_field_read_row(fields, lengthof(fields), row, tupdesc, pipeline);
		pipeline->destination = sw_spi_get_text(spi, 0, "destination");
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(spi);
	return pipeline;
}

SwPipeline *
sw_cat_pipeline_find(const char *name)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_text(&spi, name);
	sw_spi_exec(&spi, SELECT_PIPELINE "p.name = $1");
	return read_pipeline(&spi);
}

SwPipeline *
sw_cat_pipeline_lock(const char *name)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_text(&spi, name);
	/* Not FOR UPDATE: rows that a worker adds refer to this one meanwhile. */
	sw_spi_exec(&spi, SELECT_PIPELINE "p.name = $1 FOR NO KEY UPDATE OF p");
	return read_pipeline(&spi);
}

SwPipeline *
sw_cat_pipeline_lock_shared(const char *name)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_text(&spi, name);
	sw_spi_exec(&spi, SELECT_PIPELINE "p.name = $1 FOR SHARE OF p");
	return read_pipeline(&spi);
}

SwPipeline *
sw_cat_pipeline_get(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, SELECT_PIPELINE "p.pipeline_id = $1");
	return read_pipeline(&spi);
}

void
sw_cat_pipeline_pack(const SwPipeline *pipeline, StringInfo bytes)
{
	sw_field_pack(fields, lengthof(fields), pipeline, bytes);
}

SwPipeline *
sw_cat_pipeline_unpack(StringInfo bytes)
{
	SwPipeline *pipeline = palloc0(sizeof(SwPipeline));

	sw_field_unpack(fields, lengthof(fields), bytes, pipeline);
	return pipeline;
}

/* Two hold the same lock if they have the same target. */
static void
lock_target(const SwDestination *destination, const char *target_table)
{
	char	   *target = psprintf("%s:%d/%s/%s/%s", destination->host,
								  destination->port,
								  destination->account_id ? destination->account_id : "",
								  destination->database, target_table);
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId,
					   hash_bytes((unsigned char *) target, strlen(target)),
					   TARGET_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

/* Arguments 1 to 6: other pipelines p, of destinations d, with that target. */
#define IS_RIVAL \
	" p.target_table = $1 AND lower(d.host) = lower($2) AND d.port = $3" \
	" AND d.account_id IS NOT DISTINCT FROM $4 AND d.database = $5" \
	" AND p.pipeline_id <> $6"

static void
add_rival_args(SwSpi *spi, const SwDestination *destination,
			   int64 pipeline_id, const char *target_table)
{
	sw_spi_arg_text(spi, target_table);
	sw_spi_arg_text(spi, destination->host);
	sw_spi_arg_int32(spi, destination->port);
	sw_spi_arg_text(spi, destination->account_id);
	sw_spi_arg_text(spi, destination->database);
	sw_spi_arg_int64(spi, pipeline_id);
}

void
sw_cat_pipeline_check_target(const SwDestination *destination,
							 int64 pipeline_id, const char *target_table)
{
	SwSpi		spi;

	lock_target(destination, target_table);
	sw_spi_begin(&spi);
	add_rival_args(&spi, destination, pipeline_id, target_table);
	/* Seen even if committed while the lock was waited for. */
	CommandCounterIncrement();
	sw_spi_exec_snapshot(&spi, "SELECT p.name FROM _sensorswave.pipeline p"
						 " JOIN _sensorswave.destination d USING (destination_id)"
						 " WHERE" IS_RIVAL " AND (p.status <> 'stopped'"
						 " OR EXISTS (SELECT FROM _sensorswave.run r"
						 " WHERE r.pipeline_id = p.pipeline_id AND r.status = 'running'))"
						 " LIMIT 1",
						 GetLatestSnapshot());
	if (spi.n_rows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("target table \"%s\" already belongs to pipeline \"%s\"",
						target_table, sw_spi_get_text(&spi, 0, "name")),
				 errdetail("Two pipelines that are not stopped may not write to one table."),
				 errhint("Give another target_table, or stop the other pipeline first and let its last run end.")));
	sw_spi_end(&spi);
}

bool
sw_cat_target_bequeath(const SwDestination *destination,
					   const SwPipeline *pipeline)
{
	SwSpi		spi;
	bool		has_heir;

	sw_spi_begin(&spi);
	add_rival_args(&spi, destination, pipeline->pipeline_id,
				   pipeline->target_table);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.pipeline_state"
				" (pipeline_id, holds_target, next_attempt_at)"
				" SELECT p.pipeline_id, true, clock_timestamp()"
				" FROM _sensorswave.pipeline p"
				" JOIN _sensorswave.destination d USING (destination_id)"
				" WHERE" IS_RIVAL " AND p.status <> 'stopped'"
				" ON CONFLICT (pipeline_id) DO UPDATE SET holds_target = true");
	has_heir = spi.n_rows > 0;
	sw_spi_end(&spi);
	return has_heir;
}

List *
sw_cat_pipeline_list(int64 destination_id)
{
	SwSpi		spi;
	List	   *pipelines = NIL;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, destination_id);
	sw_spi_exec(&spi, SELECT_PIPELINE "p.destination_id = $1"
				" AND p.status <> 'stopped' ORDER BY p.pipeline_id");
	for (i = 0; i < spi.n_rows; i++)
	{
		TupleDesc	tupdesc;
		HeapTuple	row = sw_spi_row(&spi, i, &tupdesc);
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);
		SwPipeline *pipeline = palloc0(sizeof(SwPipeline));

		sw_field_read_row(fields, lengthof(fields), row, tupdesc, pipeline);
		pipelines = lappend(pipelines, pipeline);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return pipelines;
}

void
sw_cat_pipeline_insert(SwPipeline *pipeline)
{
	SwSpi		spi;
	StringInfoData sql;

	pipeline->created_at = sw_clock_now();
	pipeline->updated_at = GetCurrentTimestamp();
	pipeline->settings_version = 1;
	pipeline->status = "new";

	sw_spi_begin(&spi);
	sw_spi_exec(&spi, "SELECT nextval('_sensorswave.pipeline_id_seq') AS id");
	pipeline->pipeline_id = sw_spi_get_int64(&spi, 0, "id");

	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO _sensorswave.pipeline (");
	sw_field_append_names(fields, lengthof(fields), &sql);
	appendStringInfoString(&sql, ") VALUES (");
	sw_field_append_params(fields, lengthof(fields), 1, &sql);
	appendStringInfoString(&sql, ")");
	sw_field_add_args(fields, lengthof(fields), pipeline, &spi);
	sw_spi_exec(&spi, sql.data);

	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.pipeline_state"
				" (pipeline_id, next_attempt_at) VALUES ($1, clock_timestamp())");
	sw_spi_end(&spi);
}

void
sw_cat_pipeline_update(SwPipeline *pipeline)
{
	SwSpi		spi;
	StringInfoData sql;

	pipeline->updated_at = GetCurrentTimestamp();
	pipeline->settings_version++;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "UPDATE _sensorswave.pipeline SET ");
	sw_field_append_sets(fields, lengthof(fields), 1, &sql);
	appendStringInfoString(&sql, " WHERE pipeline_id = $1");

	sw_spi_begin(&spi);
	sw_field_add_args(fields, lengthof(fields), pipeline, &spi);
	sw_spi_exec(&spi, sql.data);
	sw_spi_end(&spi);
}

void
sw_cat_pipeline_delete(const SwPipeline *pipeline)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.pipeline WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_pipeline_set_status(int64 pipeline_id, const char *status)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, status);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline"
				" SET status = $2, updated_at = clock_timestamp()"
				" WHERE pipeline_id = $1");

	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline_state"
				" SET next_attempt_at = clock_timestamp(), consecutive_failures = 0,"
				" last_error = NULL, last_hint = NULL WHERE pipeline_id = $1");

	/* A backfill that waits to be tried again learns of it at once. */
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill"
				" SET next_attempt_at = clock_timestamp() WHERE pipeline_id = $1"
				" AND status IN ('queued', 'running')"
				" AND next_attempt_at > clock_timestamp()");
	sw_spi_end(&spi);
}

bool
sw_cat_pipeline_is_over(int64 pipeline_id)
{
	SwSpi		spi;
	bool		is_over;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	/* What this transaction has done counts, and what others have committed. */
	CommandCounterIncrement();
	sw_spi_exec_snapshot(&spi, "SELECT FROM _sensorswave.pipeline p"
						 " WHERE p.pipeline_id = $1 AND (p.status <> 'stopped'"
						 " OR EXISTS (SELECT FROM _sensorswave.run r"
						 " WHERE r.pipeline_id = p.pipeline_id AND r.status = 'running'))",
						 GetLatestSnapshot());
	is_over = spi.n_rows == 0;
	sw_spi_end(&spi);
	return is_over;
}

bool
sw_cat_pipeline_is_busy(int64 pipeline_id)
{
	SwSpi		spi;
	bool		is_busy;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT FROM _sensorswave.backfill"
				" WHERE pipeline_id = $1 AND status IN ('queued', 'running')"
				" UNION ALL "
				"SELECT FROM _sensorswave.run"
				" WHERE pipeline_id = $1 AND status = 'running'"
				" UNION ALL "
				"SELECT FROM _sensorswave.staged_object"
				" JOIN _sensorswave.run USING (run_id)"
				" WHERE pipeline_id = $1 AND NOT is_deleted"
				" AND NOT is_deleted_once AND delete_attempts < 10"
				" UNION ALL "
				"SELECT FROM _sensorswave.stage_table"
				" JOIN _sensorswave.run USING (run_id)"
				" WHERE pipeline_id = $1 AND drop_attempts < 10"
				" UNION ALL "
				"SELECT FROM _sensorswave.pipeline_state WHERE pipeline_id = $1"
				" AND holds_target AND consecutive_failures < 3"
				" AND next_attempt_at < 'infinity'"
				" UNION ALL "
				"SELECT FROM _sensorswave.former_target WHERE pipeline_id = $1"
				" AND n_failures < 3 AND next_attempt_at < 'infinity'"
				" UNION ALL "
				"SELECT FROM _sensorswave.sync_state WHERE pipeline_id = $1"
				" AND lease_number > 0 AND lease_failures < 3"
				" AND coalesce(lease_attempt_at, '-infinity') < 'infinity'");
	is_busy = spi.n_rows > 0;
	sw_spi_end(&spi);
	return is_busy;
}
