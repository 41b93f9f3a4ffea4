/*-------------------------------------------------------------------------
 *
 * sw_target_load.c
 *	  The warehouse: bringing rows into target tables, and counting them.
 *
 * An overwrite without a statement of its own goes through a stage table:
 *
 *	   make it, load it, count its rows, merge them into one part, put that
 *	   in the day's place, drop it
 *
 * Only the last but one changes the target, at one stroke since it is one
 * part; so the whole can be repeated after it broke anywhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "target/sw_quote.h"
#include "target/sw_target_state.h"

/* Merging is asked for so often; a running merge makes it fail. */
#define SW_LOAD_MAX_MERGES		5
/* What a load may take to end that is told to. */
#define SW_LOAD_END_WAIT_MS		"60000"
/* How the keys of a store are shown. */
#define SW_LOAD_MASK			"***"

/* Run a statement with the keys of the store; it is wiped and freed. */
static SwStatus
sw_load_exec(SwTarget *target, SwTargetCall *call, StringInfo sql,
			 const SwLoadSource *source, SwLoadResult *result, SwError *err)
{
	SwStatementResult statement_result;
	SwStatus	status;

	call->sql = sql->data;
	status = sw_target_exec_load(target, call, source, &statement_result,
								 err);
	explicit_bzero(sql->data, sql->len);
	pfree(sql->data);
	if (status == SW_OK)
	{
		result->read_rows = statement_result.progress.read_rows;
		result->written_rows = statement_result.progress.written_rows;
	}
	return status;
}

/* ---- add rows ---- */

/*
 * With one thread over one file, a repeat cuts the rows into the same
 * blocks, which is how the warehouse knows it by its token.
 */
SwStatus
sw_target_load(SwTarget *target, const SwTargetTable *table,
			   const SwLoadSource *source, const char *query_id,
			   SwLoadResult *result, SwError *err)
{
	SwChSetting settings[] = {
		{"max_partitions_per_insert_block", "0", false},
		{"allow_experimental_json_type", "1", false},
		{"max_threads", "1", false},
		{"max_insert_threads", "1", false},
		{"insert_deduplicate", "1", false},
		{"insert_deduplication_token", source->token, true}
	};
	bool		has_token = source->token != NULL &&
	sw_dialect_window_setting(target->dialect, table) != NULL;
	SwTargetCall call = {NULL, query_id, settings,
	has_token ? lengthof(settings) : 2};
	StringInfoData sql;
	SwStatus	status;

	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	initStringInfo(&sql);
	sw_dialect_write_load(target->dialect, &sql, table, table->name, source);
	status = sw_load_exec(target, &call, &sql, source, result, err);

	/* A failed statement may have added some of its rows. */
	if (status != SW_OK && err->retry == SW_RETRY_LATER &&
		!target->dialect->is_atomic)
		err->retry = SW_RETRY_UNKNOWN;
	if (status != SW_OK && err->retry == SW_RETRY_UNKNOWN &&
		(has_token || table->n_key_columns > 0))
		err->retry = SW_RETRY_LATER;
	return status;
}

/* ---- replace a day ---- */

/* The numbers that a count answers with. */
static SwStatus
sw_load_count(SwTarget *target, const SwTargetTable *table, const char *name,
			  const char *first_day, const char *last_day, uint64 *n_rows,
			  uint64 *n_parts, SwError *err)
{
	int			n_columns = n_parts == NULL ? 1 : 2;
	SwStatementResult result;
	StringInfoData sql;
	int			i;

	initStringInfo(&sql);
	sw_dialect_write_count(target->dialect, &sql, table, name, first_day,
						   last_day, n_parts != NULL);
	SW_TRY(sw_target_exec_text(target, &sql, &result, err));
	for (i = 0; i < n_columns; i++)
		if (result.rows.n_rows != 1 || result.rows.n_columns != n_columns ||
			result.rows.values[i] == NULL)
			return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
								"the warehouse did not answer a count with a number");
	*n_rows = strtou64(result.rows.values[0], NULL, 10);
	if (n_parts != NULL)
		*n_parts = strtou64(result.rows.values[1], NULL, 10);
	for (i = 0; i < n_columns; i++)
		pfree(result.rows.values[i]);
	pfree(result.rows.values);
	return SW_OK;
}

static SwStatus
sw_load_merge(SwTarget *target, const SwTargetTable *table, const char *stage,
			  const char *day, SwError *err)
{
	uint64		n_rows;
	uint64		n_parts;
	int			i;

	for (i = 0;; i++)
	{
		StringInfoData sql;

		SW_TRY(sw_load_count(target, table, stage, day, day, &n_rows,
							 &n_parts, err));
		if (n_parts <= 1)
			return SW_OK;
		if (i == SW_LOAD_MAX_MERGES)
			return sw_error_set(err, SW_ERR_REMOTE, SW_RETRY_LATER,
								"the warehouse did not merge the parts of stage table \"%s\"",
								stage);
		initStringInfo(&sql);
		sw_dialect_write_merge(&sql, table, stage, day);
		SW_TRY(sw_target_exec_text(target, &sql, NULL, err));
	}
}

/* A statement that does away with a partition, however large. */
static SwStatus
sw_load_exec_partition(SwTarget *target, StringInfo sql, SwError *err)
{
	static const SwChSetting settings[] = {
		{"max_partition_size_to_drop", "0", false}
	};
	SwTargetCall call = {sql->data, "", settings, lengthof(settings)};
	SwStatus	status = sw_target_exec(target, &call, NULL, err);

	pfree(sql->data);
	return status;
}

/*
 * Fill the stage table and put its day in place.  A block like another is
 * not a repeat here, whatever the server's settings say.
 */
static SwStatus
sw_load_through_stage(SwTarget *target, const SwTargetTable *table,
					  const char *stage, const char *day,
					  const SwLoadSource *source, const char *query_id,
					  SwLoadResult *result, SwError *err)
{
	static const SwChSetting settings[] = {
		{"max_partitions_per_insert_block", "0", false},
		{"allow_experimental_json_type", "1", false},
		{"insert_deduplicate", "0", false}
	};
	SwTargetCall call = {NULL, query_id, settings, lengthof(settings)};
	StringInfoData sql;
	uint64		n_rows;
	uint64		n_parts;

	initStringInfo(&sql);
	sw_dialect_write_create_stage(target->dialect, &sql, table, stage);
	SW_TRY(sw_target_exec_text(target, &sql, NULL, err));

	initStringInfo(&sql);
	sw_dialect_write_load(target->dialect, &sql, table, stage, source);
	SW_TRY(sw_load_exec(target, &call, &sql, source, result, err));

	SW_TRY(sw_load_count(target, table, stage, day, day, &n_rows, &n_parts,
						 err));
	if (source->n_rows > 0 && n_rows != source->n_rows)
	{
		sw_error_set(err, SW_ERR_MISMATCH, SW_RETRY_LATER,
					 "the warehouse loaded " UINT64_FORMAT " rows of %s instead of " UINT64_FORMAT,
					 n_rows, day, source->n_rows);
		sw_error_set_detail(err, "They were counted in a stage table; the target is as it was.");
		return err->status;
	}
	if (n_parts > 1)
		SW_TRY(sw_load_merge(target, table, stage, day, err));

	initStringInfo(&sql);
	sw_dialect_write_replace(&sql, table, stage, day);
	SW_TRY(sw_load_exec_partition(target, &sql, err));
	result->written_rows = n_rows;
	return SW_OK;
}

static SwStatus
sw_load_overwrite_staged(SwTarget *target, const SwTargetTable *table,
						 const char *day, const SwLoadSource *source,
						 const char *query_id, SwLoadResult *result,
						 SwError *err)
{
	const char *stage = source->stage_table;
	SwError		drop_err;
	SwStatus	status;

	if (stage == NULL)
		return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
							"an overwrite lacks the name of its stage table");
	result->stage_is_left = true;
	status = sw_load_through_stage(target, table, stage, day, source,
								   query_id, result, err);
	/* Whatever comes of this, the day is done, or is not. */
	if (!sw_session_is_usable(target->session))
		return status;
	if (sw_target_drop_stage(target, table, stage, &drop_err) == SW_OK)
		result->stage_is_left = false;
	else
		result->stage_problem = pstrdup(drop_err.message);
	return status;
}

char *
sw_target_name_stage(const char *kind, const char *query_id)
{
	const SwDialect *dialect = sw_dialect_find(kind);
	char	   *name;
	char	   *c;

	if (dialect == NULL || dialect->overwrites_at_once)
		return NULL;
	name = psprintf("_sw_stage_%s", query_id);
	for (c = name; *c != '\0'; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

SwStatus
sw_target_overwrite_day(SwTarget *target, const SwTargetTable *table,
						const char *day, const SwLoadSource *source,
						const char *query_id, SwLoadResult *result,
						SwError *err)
{
	SwTargetCall call = {NULL, query_id, NULL, 0};
	StringInfoData sql;
	SwStatus	status;

	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	if (target->dialect->overwrites_at_once)
	{
		initStringInfo(&sql);
		sw_dialect_write_overwrite(target->dialect, &sql, table, day, source);
		status = sw_load_exec(target, &call, &sql, source, result, err);
	}
	else
		status = sw_load_overwrite_staged(target, table, day, source,
										  query_id, result, err);
	if (status != SW_OK && err->retry == SW_RETRY_UNKNOWN)
		err->retry = SW_RETRY_LATER;
	return status;
}

/* ---- others ---- */

/* KILL QUERY would need the right to look at who runs what. */
static SwStatus
sw_load_replace(SwTarget *target, const char *query_id, SwError *err)
{
	static const SwChSetting settings[] = {
		{"replace_running_query", "1", true},
		{"replace_running_query_max_wait_ms", SW_LOAD_END_WAIT_MS, false}
	};
	SwTargetCall call = {"SELECT 1", query_id, settings, lengthof(settings)};

	return sw_target_exec(target, &call, NULL, err);
}

SwStatus
sw_target_end_load(SwTarget *target, const char *query_id, SwError *err)
{
	StringInfoData sql;

	if (target->dialect->replaces_queries)
		return sw_load_replace(target, query_id, err);
	initStringInfo(&sql);
	appendStringInfoString(&sql, "KILL QUERY WHERE query_id = ");
	sw_quote_append_text(&sql, query_id);
	appendStringInfoString(&sql, " SYNC");
	return sw_target_exec_text(target, &sql, NULL, err);
}

SwStatus
sw_target_drop_day(SwTarget *target, const SwTargetTable *table,
				   const char *day, SwError *err)
{
	StringInfoData sql;

	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	initStringInfo(&sql);
	sw_dialect_write_drop_day(&sql, table, day);
	return sw_load_exec_partition(target, &sql, err);
}

SwStatus
sw_target_count_days(SwTarget *target, const SwTargetTable *table,
					 const char *first_day, const char *last_day,
					 uint64 *n_rows, SwError *err)
{
	SW_TRY(sw_dialect_check_table(target->dialect, table, err));
	return sw_load_count(target, table, table->name, first_day, last_day,
						 n_rows, NULL, err);
}

/* ---- what would be run ---- */

char *
sw_target_write_load(const SwTarget *target, const SwTargetTable *table,
					 const char *day, const SwLoadSource *source)
{
	const SwDialect *dialect = target->dialect;
	const char *stage = source->stage_table;
	SwLoadSource masked = *source;
	StringInfoData sql;

	masked.access_key = SW_LOAD_MASK;
	masked.secret_key = SW_LOAD_MASK;
	initStringInfo(&sql);
	if (day == NULL)
		sw_dialect_write_load(dialect, &sql, table, table->name, &masked);
	else if (dialect->overwrites_at_once)
		sw_dialect_write_overwrite(dialect, &sql, table, day, &masked);
	else
	{
		sw_dialect_write_create_stage(dialect, &sql, table, stage);
		appendStringInfoChar(&sql, '\n');
		sw_dialect_write_load(dialect, &sql, table, stage, &masked);
		appendStringInfoChar(&sql, '\n');
		sw_dialect_write_merge(&sql, table, stage, day);
		appendStringInfoChar(&sql, '\n');
		sw_dialect_write_replace(&sql, table, stage, day);
		appendStringInfoChar(&sql, '\n');
		sw_dialect_write_drop_stage(&sql, table, stage);
	}
	return sql.data;
}
