/*-------------------------------------------------------------------------
 *
 * target_dialect.c
 *	  Tests of sw_dialect: the statements of both kinds of warehouse, and
 *	  which definitions are refused.
 *
 *-------------------------------------------------------------------------
 */
#include "unit.h"

#include "target/sw_dialect.h"

static const SwColumnSpec event_columns[] = {
	{.name = "time",.type = SW_TYPE_TIMESTAMP_MS},
	{.name = "ssid",.type = SW_TYPE_INT64},
	{.name = "event",.type = SW_TYPE_STRING},
	{.name = "properties",.type = SW_TYPE_JSON,.is_nullable = true},
	{.name = "note",.type = SW_TYPE_STRING,.is_nullable = true}
};
static const char *const event_order[] = {"event", "time"};
static const SwTargetTable events = {
	.database = "db",
	.name = "events",
	.columns = event_columns,
	.n_columns = lengthof(event_columns),
	.timezone = "Asia/Shanghai",
	.day_column = "time",
	.order_by = event_order,
	.n_order_by = lengthof(event_order)
};

static const SwColumnSpec user_columns[] = {
	{.name = "ssid",.type = SW_TYPE_INT64},
	{.name = "properties",.type = SW_TYPE_JSON},
	{.name = "updated_at",.type = SW_TYPE_TIMESTAMP_MS}
};
static const char *const user_key[] = {"ssid"};
static const SwTargetTable users = {
	.database = "db",
	.name = "users",
	.columns = user_columns,
	.n_columns = lengthof(user_columns),
	.timezone = "UTC",
	.key_columns = user_key,
	.n_key_columns = lengthof(user_key),
	.version_column = "updated_at"
};

static const SwLoadSource source = {
	.url = "https://host/it's",
	.format = "Parquet",
	.access_key = "AK",
	.secret_key = "S\\K"
};

/* Compare what was written, and begin afresh. */
static void
wrote(StringInfo sql, const char *expected, const char *name)
{
	unit_is_text(sql->data, expected, name);
	resetStringInfo(sql);
}

static void
test_bytehouse(void)
{
	const SwDialect *dialect = &sw_dialect_bytehouse;
	StringInfoData sql;

	initStringInfo(&sql);
	sw_dialect_write_create(dialect, &sql, &events);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`events` "
		  "(`time` DateTime64(3, 'Asia/Shanghai'), `ssid` Int64, "
		  "`event` String, `properties` JSONB, `note` Nullable(String)) "
		  "ENGINE = CnchMergeTree PARTITION BY toDate(`time`) "
		  "ORDER BY (`event`, `time`)", "bytehouse: events");
	sw_dialect_write_create(dialect, &sql, &users);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`users` (`ssid` Int64, "
		  "`properties` JSONB, `updated_at` DateTime64(3, 'UTC')) "
		  "ENGINE = CnchMergeTree(`updated_at`) ORDER BY (`ssid`) "
		  "UNIQUE KEY (`ssid`)", "bytehouse: users");
	sw_dialect_write_overwrite(dialect, &sql, &events, "2021-07-21", &source);
	wrote(&sql, "INSERT OVERWRITE `db`.`events` PARTITION ('2021-07-21') "
		  "(`time`, `ssid`, `event`, `properties`, `note`) "
		  "SELECT fromUnixTimestamp64Milli(`time`, 'Asia/Shanghai'), `ssid`, "
		  "`event`, CAST(ifNull(`properties`, '{}') AS JSONB), `note` "
		  "FROM CnchS3('https://host/it\\'s', '`time` Int64, `ssid` Int64, "
		  "`event` String, `properties` Nullable(String), "
		  "`note` Nullable(String)', 'Parquet', 'none', 'AK', 'S\\\\K')",
		  "bytehouse: overwrite a day");
	sw_dialect_write_load(dialect, &sql, &users, "users", &source);
	wrote(&sql, "INSERT INTO `db`.`users` (`ssid`, `properties`, "
		  "`updated_at`) SELECT `ssid`, CAST(`properties` AS JSONB), "
		  "fromUnixTimestamp64Milli(`updated_at`, 'UTC') "
		  "FROM CnchS3('https://host/it\\'s', '`ssid` Int64, "
		  "`properties` String, `updated_at` Int64', 'Parquet', 'none', "
		  "'AK', 'S\\\\K')", "bytehouse: upsert");
	sw_dialect_write_read_back(dialect, &sql, &users, &source);
	wrote(&sql, "SELECT toString(`ssid`), "
		  "toString(CAST(`properties` AS JSONB)), "
		  "toString(toUnixTimestamp64Milli(fromUnixTimestamp64Milli("
		  "`updated_at`, 'UTC'))) FROM CnchS3('https://host/it\\'s', "
		  "'`ssid` Int64, `properties` String, `updated_at` Int64', "
		  "'Parquet', 'none', 'AK', 'S\\\\K') ORDER BY `ssid`",
		  "bytehouse: read back");
	sw_dialect_write_count(dialect, &sql, &events, "events", "2021-07-21",
						   "2021-07-21",
						   false);
	wrote(&sql, "SELECT count() FROM `db`.`events` "
		  "WHERE toDate(`time`) = '2021-07-21'", "bytehouse: count a day");
	sw_dialect_write_drop_day(&sql, &events, "2021-07-21");
	wrote(&sql, "ALTER TABLE `db`.`events` DROP PARTITION '2021-07-21'",
		  "bytehouse: drop a day");
	sw_dialect_write_current_view(dialect, &sql, &users);
	wrote(&sql, "CREATE OR REPLACE VIEW `db`.`users_current` AS SELECT "
		  "`ssid`, `properties`, `updated_at` FROM `db`.`users`",
		  "bytehouse: current view");
	pfree(sql.data);
}

static void
test_clickhouse(void)
{
	const SwDialect *dialect = &sw_dialect_clickhouse;
	SwTargetTable json = users;
	SwLoadSource packed = source;
	StringInfoData sql;

	initStringInfo(&sql);
	sw_dialect_write_create(dialect, &sql, &events);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`events` "
		  "(`time` DateTime64(3, 'Asia/Shanghai'), `ssid` Int64, "
		  "`event` String, `properties` Nullable(String), "
		  "`note` Nullable(String)) ENGINE = MergeTree "
		  "PARTITION BY toDate(`time`) ORDER BY (`event`, `time`) "
		  "SETTINGS non_replicated_deduplication_window = 10000",
		  "clickhouse: events");
	json.json_type = "json";
	sw_dialect_write_create(dialect, &sql, &json);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`users` (`ssid` Int64, "
		  "`properties` JSON, `updated_at` DateTime64(3, 'UTC')) "
		  "ENGINE = ReplacingMergeTree(`updated_at`) ORDER BY (`ssid`)",
		  "clickhouse: users with JSON");
	packed.compression = "zstd";
	sw_dialect_write_load(dialect, &sql, &json, "users", &packed);
	wrote(&sql, "INSERT INTO `db`.`users` (`ssid`, `properties`, "
		  "`updated_at`) SELECT `ssid`, CAST(`properties` AS JSON), "
		  "fromUnixTimestamp64Milli(`updated_at`, 'UTC') "
		  "FROM s3('https://host/it\\'s', 'AK', 'S\\\\K', 'Parquet', "
		  "'`ssid` Int64, `properties` String, `updated_at` Int64', 'zstd')",
		  "clickhouse: upsert");
	sw_dialect_write_create_stage(dialect, &sql, &events, "stage 1");
	wrote(&sql, "CREATE TABLE `db`.`stage 1` AS `db`.`events` "
		  "ENGINE = MergeTree PARTITION BY toDate(`time`) "
		  "ORDER BY (`event`, `time`) COMMENT "
		  "'sensorswave_export: rows on their way to another table'",
		  "clickhouse: a stage");
	sw_dialect_write_count(dialect, &sql, &events, "stage 1", "2021-07-21",
						   "2021-07-21",
						   true);
	wrote(&sql, "SELECT count(), uniqExact(_part) FROM `db`.`stage 1` "
		  "WHERE toDate(`time`) = '2021-07-21'", "clickhouse: count its parts");
	sw_dialect_write_merge(&sql, &events, "stage 1", "2021-07-21");
	wrote(&sql, "OPTIMIZE TABLE `db`.`stage 1` PARTITION '2021-07-21' FINAL",
		  "clickhouse: merge it");
	sw_dialect_write_replace(&sql, &events, "stage 1", "2021-07-21");
	wrote(&sql, "ALTER TABLE `db`.`events` REPLACE PARTITION '2021-07-21' "
		  "FROM `db`.`stage 1`", "clickhouse: put it in place");
	sw_dialect_write_drop_stage(&sql, &events, "stage 1");
	wrote(&sql, "DROP TABLE IF EXISTS `db`.`stage 1` SYNC", "clickhouse: drop it");
	sw_dialect_write_count(dialect, &sql, &users, "users", NULL, NULL, false);
	wrote(&sql, "SELECT count() FROM `db`.`users` FINAL",
		  "clickhouse: count users");
	sw_dialect_write_current_view(dialect, &sql, &users);
	wrote(&sql, "CREATE OR REPLACE VIEW `db`.`users_current` AS SELECT "
		  "`ssid`, `properties`, `updated_at` FROM `db`.`users` FINAL",
		  "clickhouse: current view");
	sw_dialect_write_comment(&sql, &users, "it's");
	wrote(&sql, "ALTER TABLE `db`.`users` MODIFY COMMENT 'it\\'s'",
		  "clickhouse: comment");
	pfree(sql.data);
}

static void
test_options(void)
{
	static const SwTableSetting settings[] = {
		{"index_granularity", "1024"}, {"storage_policy", "hot's"}
	};
	static const SwTableSetting stage_settings[] = {
		{"non_replicated_deduplication_window", "20000"},
		{"storage_policy", "cold"},
		{"replicated_can_become_leader", "0"},
		{"index_granularity", "1024"}
	};
	static const char *const comments[] = {NULL, "a's", NULL};
	SwTargetTable table = users;
	StringInfoData sql;

	table.options.ttl = "toDateTime(updated_at) + INTERVAL 1 YEAR";
	table.options.settings = settings;
	table.options.n_settings = lengthof(settings);
	table.options.cluster = "ssid";
	table.options.buckets = 8;
	table.options.comment = "ours";
	table.options.column_comments = comments;
	table.marker = "{}";
	initStringInfo(&sql);
	sw_dialect_write_create(&sw_dialect_bytehouse, &sql, &table);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`users` (`ssid` Int64, "
		  "`properties` JSONB COMMENT 'a\\'s', "
		  "`updated_at` DateTime64(3, 'UTC')) "
		  "ENGINE = CnchMergeTree(`updated_at`) ORDER BY (`ssid`) "
		  "CLUSTER BY ssid INTO 8 BUCKETS UNIQUE KEY (`ssid`) "
		  "TTL toDateTime(updated_at) + INTERVAL 1 YEAR "
		  "SETTINGS index_granularity = 1024, storage_policy = 'hot\\'s' "
		  "COMMENT 'ours\nsensorswave_export: {}'", "bytehouse: all options");

	table.options.buckets = 0;
	table.options.cluster = "main";
	table.options.engine = "ReplicatedReplacingMergeTree";
	sw_dialect_write_create(&sw_dialect_clickhouse, &sql, &table);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`users` ON CLUSTER `main` "
		  "(`ssid` Int64, `properties` String COMMENT 'a\\'s', "
		  "`updated_at` DateTime64(3, 'UTC')) "
		  "ENGINE = ReplicatedReplacingMergeTree(`updated_at`) "
		  "ORDER BY (`ssid`) TTL toDateTime(updated_at) + INTERVAL 1 YEAR "
		  "SETTINGS index_granularity = 1024, storage_policy = 'hot\\'s' "
		  "COMMENT 'ours\nsensorswave_export: {}'", "clickhouse: all options");

	table = events;
	table.options.settings = stage_settings;
	table.options.n_settings = lengthof(stage_settings);
	table.options.ttl = "toDateTime(time) + INTERVAL 1 YEAR";
	sw_dialect_write_create_stage(&sw_dialect_clickhouse, &sql, &table, "s");
	wrote(&sql, "CREATE TABLE `db`.`s` AS `db`.`events` ENGINE = MergeTree "
		  "PARTITION BY toDate(`time`) ORDER BY (`event`, `time`) "
		  "SETTINGS storage_policy = 'cold', index_granularity = 1024 COMMENT "
		  "'sensorswave_export: rows on their way to another table'",
		  "clickhouse: a stage has the settings that parts depend on");

	table = events;
	table.day_column = NULL;
	table.options.order_by = "cityHash64(event), `time`";
	table.options.partition_by = "toYYYYMM(time)";
	table.options.engine = "ReplicatedMergeTree('/p', '{replica}')";
	sw_dialect_write_create(&sw_dialect_clickhouse, &sql, &table);
	wrote(&sql, "CREATE TABLE IF NOT EXISTS `db`.`events` "
		  "(`time` DateTime64(3, 'Asia/Shanghai'), `ssid` Int64, "
		  "`event` String, `properties` Nullable(String), "
		  "`note` Nullable(String)) "
		  "ENGINE = ReplicatedMergeTree('/p', '{replica}') "
		  "PARTITION BY toYYYYMM(time) ORDER BY (cityHash64(event), `time`) "
		  "SETTINGS replicated_deduplication_window = 10000",
		  "clickhouse: keys and engine chosen");
	pfree(sql.data);
}

static void
refuses(const SwDialect *dialect, const SwTargetTable *table,
		const char *expected)
{
	SwError		err;
	SwStatus	status = sw_dialect_check_table(dialect, table, &err);

	unit_is_text(status == SW_OK ? "ok" : err.message, expected, expected);
}

static void
test_refusals(void)
{
	static const char *const nowhere[] = {"nowhere"};
	static const char *const null_key[] = {"note"};
	static const SwTableSetting bad_setting = {"a = 1, b", "2"};
	SwTargetTable table;

	refuses(&sw_dialect_bytehouse, &events, "ok");
	refuses(&sw_dialect_clickhouse, &users, "ok");
	table = events;
	table.name = "a`b";
	refuses(&sw_dialect_bytehouse, &table,
			"the table name contains a character that is not allowed");
	table = events;
	table.order_by = nowhere;
	table.n_order_by = 1;
	refuses(&sw_dialect_bytehouse, &table,
			"order_by names column \"nowhere\", which the target does not have");
	table.order_by = null_key;
	refuses(&sw_dialect_bytehouse, &table,
			"order_by column \"note\" may be null");
	table = events;
	table.options.partition_by = "event";
	refuses(&sw_dialect_bytehouse, &table,
			"partition_by cannot be chosen: the table is partitioned by the day of \"time\"");
	table = events;
	table.options.ttl = "time; DROP TABLE x";
	refuses(&sw_dialect_clickhouse, &table, "ttl has a semicolon");
	table = events;
	table.options.engine = "ReplacingMergeTree";
	refuses(&sw_dialect_clickhouse, &table,
			"engine \"ReplacingMergeTree\" cannot be used for this target");
	table.options.engine = "MergeTreeX";
	refuses(&sw_dialect_clickhouse, &table,
			"engine \"MergeTreeX\" cannot be used for this target");
	table = events;
	table.options.settings = &bad_setting;
	table.options.n_settings = 1;
	refuses(&sw_dialect_clickhouse, &table,
			"invalid name of a table setting: \"a = 1, b\"");
	table = users;
	table.options.order_by = "ssid";
	refuses(&sw_dialect_bytehouse, &table, "ok");
	refuses(&sw_dialect_clickhouse, &table,
			"order_by cannot be chosen for an upsert target of kind clickhouse: its key is its order");
	table = users;
	table.options.buckets = 4;
	refuses(&sw_dialect_bytehouse, &table,
			"cluster and buckets must be given together");
	refuses(&sw_dialect_clickhouse, &table,
			"a clickhouse target has no buckets");
	table = users;
	table.options.partition_by = "ssid % 4";
	refuses(&sw_dialect_bytehouse, &table,
			"the key of a partitioned table is unique in each partition only");
	table = users;
	table.json_type = "jsonb";
	refuses(&sw_dialect_clickhouse, &table, "invalid json_type \"jsonb\"");
	table = users;
	table.version_column = "properties";
	refuses(&sw_dialect_clickhouse, &table,
			"the version column \"properties\" is JSON");
}

int
main(void)
{
	test_bytehouse();
	test_clickhouse();
	test_options();
	test_refusals();
	unit_ok(sw_dialect_find("bytehouse") == &sw_dialect_bytehouse &&
			sw_dialect_find("clickhouse") == &sw_dialect_clickhouse &&
			sw_dialect_find("oracle") == NULL, "dialects by kind");
	return unit_done();
}
