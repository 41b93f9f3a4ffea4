/*-------------------------------------------------------------------------
 *
 * sw_dialect_clickhouse.c
 *	  The SQL of ClickHouse, 23 and later.
 *
 * Pure text.
 *
 * Source of truth: the manual on MergeTree, ReplacingMergeTree, s3() and the
 * JSON data type; that its parser nests 1,023 deep is observed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_dialect.h"
#include "target/sw_quote.h"

static SwStatus
sw_clickhouse_get_login(const SwTargetOptions *options, const char **user,
						const char **password, SwError *err)
{
	if (options->auth_type != NULL &&
		strcmp(options->auth_type, "password") != 0)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"invalid authentication type \"%s\"",
							options->auth_type);
	if (options->username == NULL || options->username[0] == '\0')
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"username must be set");
	*user = options->username;
	*password = options->password == NULL ? "" : options->password;
	return SW_OK;
}

static bool
sw_clickhouse_keeps_json_text(const SwTargetTable *table)
{
	return table->json_type == NULL || strcmp(table->json_type, "json") != 0;
}

static void
sw_clickhouse_append_source(StringInfo sql, const SwLoadSource *source,
							const char *structure)
{
	appendStringInfoString(sql, "s3(");
	sw_quote_append_text(sql, source->url);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->access_key);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->secret_key);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->format);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, structure);
	if (source->compression != NULL)
	{
		appendStringInfoString(sql, ", ");
		sw_quote_append_text(sql, source->compression);
	}
	appendStringInfoChar(sql, ')');
}

static SwStatus
sw_clickhouse_check_options(const SwTargetTable *table, SwError *err)
{
	const SwTableOptions *options = &table->options;

	if (table->json_type != NULL && strcmp(table->json_type, "string") != 0 &&
		strcmp(table->json_type, "json") != 0)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"invalid json_type \"%s\"", table->json_type);
	if (options->buckets > 0)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"a clickhouse target has no buckets");
	if (options->cluster != NULL)
		SW_TRY(sw_quote_check_name("name of the cluster", options->cluster,
								   err));
	/* Rows that sort alike replace each other. */
	if (options->order_by != NULL && table->n_key_columns > 0)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"order_by cannot be chosen for an upsert target of kind clickhouse: its key is its order");
	return SW_OK;
}

const SwDialect sw_dialect_clickhouse = {
	.kind = "clickhouse",
	.product = "ClickHouse",
	.min_version = 23,
	.append_engine = "MergeTree",
	.upsert_engine = "ReplacingMergeTree",
	.bool_type = "Bool",
	.has_time = true,
	.replaces_queries = true,
	.json_type = "JSON",
	.json_limits = {.max_depth = 1000,.is_flat = true},
	.window_setting = "non_replicated_deduplication_window",
	.get_login = sw_clickhouse_get_login,
	.keeps_json_text = sw_clickhouse_keeps_json_text,
	.append_source = sw_clickhouse_append_source,
	.check_options = sw_clickhouse_check_options
};
