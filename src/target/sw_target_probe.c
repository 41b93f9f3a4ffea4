/*-------------------------------------------------------------------------
 *
 * sw_target_probe.c
 *	  What the connection test asks of a warehouse.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "target/sw_quote.h"
#include "target/sw_target_state.h"

/*
 * In which zone probes are converted: one that is not UTC, so that a
 * mistake shows.
 */
#define SW_PROBE_TIMEZONE	"Asia/Shanghai"

/* One statement about the probe table: before, its name, after. */
static SwStatus
sw_probe_exec(SwTarget *target, const char *before, const char *name,
			  const char *after, SwError *err)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, before);
	sw_quote_append_name(&sql, target->options->database);
	appendStringInfoChar(&sql, '.');
	sw_quote_append_name(&sql, name);
	appendStringInfoString(&sql, after);
	return sw_target_exec_text(target, &sql, NULL, err);
}

static SwStatus
sw_probe_check_names(const SwTarget *target, const char *name, SwError *err)
{
	SW_TRY(sw_quote_check_name("database name", target->options->database,
							   err));
	return sw_quote_check_name("table name", name, err);
}

SwStatus
sw_target_create_probe(SwTarget *target, const char *name, SwError *err)
{
	char	   *columns;
	SwStatus	status;

	SW_TRY(sw_probe_check_names(target, name, err));
	SW_TRY(sw_target_check_version(target, err));
	columns = psprintf(" (`day` Date, `c` String) ENGINE = %s "
					   "PARTITION BY `day` ORDER BY tuple()",
					   target->dialect->append_engine);
	status = sw_probe_exec(target, "CREATE TABLE IF NOT EXISTS ", name,
						   columns, err);
	pfree(columns);
	if (status == SW_OK)
		status = sw_probe_exec(target, "INSERT INTO ", name,
							   " (`day`, `c`) SELECT toDate('2020-01-02'), "
							   "'probe'", err);
	/* What overwriting takes where it is not one statement. */
	if (status == SW_OK && !target->dialect->overwrites_at_once)
		status = sw_probe_exec(target, "SELECT count(`c`) FROM ", name, "",
							   err);
	if (status == SW_OK && !target->dialect->overwrites_at_once)
		status = sw_probe_exec(target, "OPTIMIZE TABLE ", name,
							   " PARTITION '2020-01-02' FINAL", err);
	if (status == SW_OK)
		status = sw_probe_exec(target, "ALTER TABLE ", name,
							   " DROP PARTITION '2020-01-02'", err);
	return status;
}

SwStatus
sw_target_drop_probe(SwTarget *target, const char *name, SwError *err)
{
	SW_TRY(sw_probe_check_names(target, name, err));
	return sw_probe_exec(target, "DROP TABLE IF EXISTS ", name, "", err);
}

SwStatus
sw_target_read_back(SwTarget *target, const SwColumnSpec *columns,
					int n_columns, const SwLoadSource *source,
					char ***values, int *n_rows, SwError *err)
{
	SwTargetTable table = {
		.columns = columns,
		.n_columns = n_columns,
		.timezone = SW_PROBE_TIMEZONE
	};
	SwTargetCall call = {NULL, "", NULL, 0};
	SwStatementResult result;
	StringInfoData sql;
	SwStatus	status;

	initStringInfo(&sql);
	sw_dialect_write_read_back(target->dialect, &sql, &table, source);
	call.sql = sql.data;
	status = sw_target_exec_load(target, &call, source, &result, err);
	explicit_bzero(sql.data, sql.len);
	pfree(sql.data);
	if (status != SW_OK)
	{
		/* Reading changes nothing. */
		if (err->retry == SW_RETRY_UNKNOWN)
			err->retry = SW_RETRY_LATER;
		return status;
	}
	if (result.rows.n_rows > 0 && result.rows.n_columns != n_columns)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse answered with another number of columns");
	*values = result.rows.values;
	*n_rows = result.rows.n_rows;
	return SW_OK;
}
