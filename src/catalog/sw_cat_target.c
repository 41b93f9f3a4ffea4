/*-------------------------------------------------------------------------
 *
 * sw_cat_target.c
 *	  What a pipeline is doing about its target table: making it, marking it,
 *	  and taking the mark off again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

void
sw_cat_target_record_failure(int64 pipeline_id, TimestampTz next_attempt_at,
							 const char *error, const char *hint)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, next_attempt_at);
	sw_spi_arg_text(&spi, error);
	sw_spi_arg_text(&spi, hint);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.pipeline_state AS s"
				" (pipeline_id, consecutive_failures, next_attempt_at, last_error, last_hint)"
				" VALUES ($1, 1, $2, $3, $4)"
				" ON CONFLICT (pipeline_id) DO UPDATE SET"
				" consecutive_failures = s.consecutive_failures + 1,"
				" next_attempt_at = $2, last_error = $3, last_hint = $4");
	sw_spi_end(&spi);
}

int32
sw_cat_target_count_failures(int64 pipeline_id)
{
	SwSpi		spi;
	int32		n;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT coalesce(max(consecutive_failures), 0) AS n"
				" FROM _sensorswave.pipeline_state WHERE pipeline_id = $1");
	n = sw_spi_get_int32(&spi, 0, "n");
	sw_spi_end(&spi);
	return n;
}

void
sw_cat_target_record_created(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline SET status = 'running'"
				" WHERE pipeline_id = $1 AND status = 'new'");
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline_state"
				" SET consecutive_failures = 0, last_error = NULL, last_hint = NULL"
				" WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

bool
sw_cat_target_hold(int64 pipeline_id)
{
	SwSpi		spi;
	bool		is_new;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.pipeline_state AS s"
				" (pipeline_id, holds_target, next_attempt_at)"
				" VALUES ($1, true, clock_timestamp())"
				" ON CONFLICT (pipeline_id) DO UPDATE SET holds_target = true"
				" WHERE NOT s.holds_target");
	is_new = spi.n_rows > 0;
	sw_spi_end(&spi);
	return is_new;
}

void
sw_cat_target_let_go(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline_state"
				" SET holds_target = false, consecutive_failures = 0,"
				" last_error = NULL, last_hint = NULL WHERE pipeline_id = $1");
	sw_spi_end(&spi);
}

bool
sw_cat_target_is_held(int64 pipeline_id)
{
	SwSpi		spi;
	bool		is_held;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT FROM _sensorswave.pipeline_state"
				" WHERE pipeline_id = $1 AND holds_target");
	is_held = spi.n_rows > 0;
	sw_spi_end(&spi);
	return is_held;
}

/* Is the pipeline in a state in which something is due by now? */
static bool
is_due(int64 pipeline_id, const char *condition)
{
	SwSpi		spi;
	bool		found;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, psprintf("SELECT FROM _sensorswave.pipeline"
							   " JOIN _sensorswave.pipeline_state USING (pipeline_id)"
							   " WHERE pipeline_id = $1 AND %s"
							   " AND next_attempt_at <= clock_timestamp()",
							   condition));
	found = spi.n_rows > 0;
	sw_spi_end(&spi);
	return found;
}

bool
sw_cat_target_is_creation_due(int64 pipeline_id)
{
	return is_due(pipeline_id, "status = 'new'");
}

bool
sw_cat_target_is_release_due(int64 pipeline_id)
{
	return is_due(pipeline_id, "status = 'stopped' AND holds_target");
}

/* ---- targets that were left; sw_cat_destination.c reads them ---- */

void
sw_cat_target_postpone_former(int64 former_target_id,
							  TimestampTz next_attempt_at)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, former_target_id);
	sw_spi_arg_time(&spi, next_attempt_at);
	sw_spi_exec(&spi, "UPDATE _sensorswave.former_target"
				" SET n_failures = n_failures + 1, next_attempt_at = $2"
				" WHERE former_target_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_target_forget_former(int64 former_target_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, former_target_id);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.former_target"
				" WHERE former_target_id = $1");
	sw_spi_end(&spi);
}
