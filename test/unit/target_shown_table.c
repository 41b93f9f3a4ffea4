/*-------------------------------------------------------------------------
 *
 * target_shown_table.c
 *	  Tests of sw_shown_table: a table that is there against the one that is
 *	  needed.
 *
 *-------------------------------------------------------------------------
 */
#include "unit.h"

#include "target/sw_shown_table.h"

static const SwColumnSpec columns[] = {
	{.name = "time",.type = SW_TYPE_TIMESTAMP_MS},
	{.name = "a",.type = SW_TYPE_STRING,.is_nullable = true},
	{.name = "p",.type = SW_TYPE_JSON}
};
static const char *const order[] = {"a", "time"};
static const SwTargetTable needed = {
	.database = "db",
	.name = "t",
	.columns = columns,
	.n_columns = lengthof(columns),
	.timezone = "Asia/Shanghai",
	.day_column = "time",
	.order_by = order,
	.n_order_by = lengthof(order)
};

static const char *const key[] = {"a"};
static const SwTargetTable keyed = {
	.database = "db",
	.name = "t",
	.columns = columns,
	.n_columns = lengthof(columns),
	.timezone = "Asia/Shanghai",
	.key_columns = key,
	.n_key_columns = 1,
	.version_column = "time"
};

#define COLUMNS \
	"(`time` DateTime64(3, 'Asia/Shanghai'), `a` Nullable(String), `p` JSONB)"
#define KEYS " PARTITION BY toDate(time) ORDER BY (a, time)"

static void
differs(const SwDialect *dialect, const SwTargetTable *table, const char *ddl,
		const char *expected)
{
	SwShownTable shown;
	StringInfoData differences;
	SwError		err;

	initStringInfo(&differences);
	if (sw_shown_table_parse(ddl, &shown, &err) == SW_OK)
		sw_shown_table_compare(&shown, dialect, table, &differences);
	else
		appendStringInfoString(&differences, err.message);
	unit_is_text(differences.data, expected, ddl);
	pfree(differences.data);
}

static void
test_bytehouse(void)
{
	const SwDialect *bytehouse = &sw_dialect_bytehouse;

	differs(bytehouse, &needed, "CREATE TABLE db.t " COLUMNS
			" ENGINE = CnchMergeTree" KEYS, "");
	/* The order of clauses, quotes and spaces say nothing. */
	differs(bytehouse, &needed, "create table if not exists `db`.`(t`\n"
			"(time DateTime64( 3,'Asia/Shanghai' ) NOT NULL, a String NULL "
			"COMMENT 'x, y) ENGINE = Log', p jsonb,\n"
			"INDEX i (a, time) TYPE minmax, x Int64 DEFAULT f(1, 2)) "
			"ORDER BY (`a`, \"time\") ENGINE CnchMergeTree() "
			"PARTITION BY (toDate(`time`)) TTL a + (b) SETTINGS x = 1 "
			"COMMENT 'ORDER BY b'", "");
	differs(bytehouse, &keyed, "CREATE TABLE t " COLUMNS
			" ENGINE = CnchMergeTree(time) ORDER BY a UNIQUE KEY a", "");
	differs(bytehouse, &keyed, "CREATE TABLE t " COLUMNS
			" ENGINE = CnchMergeTree ORDER BY a",
			"version column is missing, needs time; "
			"unique key is empty, needs a");
	differs(bytehouse, &needed, "CREATE TABLE t " COLUMNS
			" ENGINE = HaMergeTree" KEYS,
			"engine is HaMergeTree, needs CnchMergeTree");
	differs(bytehouse, &needed, "CREATE TABLE t (time DateTime64(6, 'UTC'), "
			"p String, a String, x Int8) ENGINE = CnchMergeTree "
			"PARTITION BY toYYYYMM(time) ORDER BY tuple() UNIQUE KEY a",
			"column \"time\" is DateTime64(6,'UTC'), needs "
			"DateTime64(3,'Asia/Shanghai'); "
			"column \"a\" is String, needs Nullable(String); "
			"column \"p\" is String, needs JSONB; "
			"the columns are in another order; "
			"column \"x\" is not one of the pipeline and has no default; "
			"partition key is toYYYYMM(time), needs toDate(time); "
			"sorting key is empty, needs a,time; "
			"unique key is a, needs none");
	differs(bytehouse, &needed, "CREATE TABLE t (x Int8 ALIAS 1) "
			"ENGINE = CnchMergeTree" KEYS,
			"column \"time\" is missing; column \"a\" is missing; "
			"column \"p\" is missing");
}

/* Nothing is cut before secrets are looked for. */
static void
test_long(void)
{
	StringInfoData ddl;
	StringInfoData expected;
	int			i;

	initStringInfo(&ddl);
	initStringInfo(&expected);
	appendStringInfoString(&ddl, "CREATE TABLE t (time DateTime64(3,"
						   "'Asia/Shanghai'), a Enum8('x'=0");
	appendStringInfoString(&expected, "column \"a\" is Enum8('x'=0");
	for (i = 1; i < 500; i++)
	{
		appendStringInfo(&ddl, ",'value %d'=%d", i, i);
		appendStringInfo(&expected, ",'value %d'=%d", i, i);
	}
	appendStringInfoString(&ddl, "), p JSONB) ENGINE = CnchMergeTree" KEYS);
	appendStringInfoString(&expected, "), needs Nullable(String)");
	differs(&sw_dialect_bytehouse, &needed, ddl.data, expected.data);
}

static void
test_clickhouse(void)
{
	const SwDialect *clickhouse = &sw_dialect_clickhouse;
	SwTargetTable json = keyed;
	static const char shown_columns[] = "(`time` DateTime64(3, "
	"'Asia/Shanghai'), `a` Nullable(String), `p` JSON(max_dynamic_paths=8))";
	char		ddl[512];

	json.json_type = "json";
	snprintf(ddl, sizeof(ddl), "CREATE TABLE db.t UUID 'x' %s ENGINE = "
			 "ReplicatedReplacingMergeTree('/p/{uuid}', '{replica}', time) "
			 "ORDER BY a SETTINGS index_granularity = 8192", shown_columns);
	differs(clickhouse, &json, ddl, "");
	differs(clickhouse, &keyed, ddl,
			"column \"p\" is JSON(max_dynamic_paths=8), needs String");
	differs(clickhouse, &needed, "CREATE VIEW t AS SELECT 1",
			"it is not a table");
}

static void
window_is(const char *clauses, const char *expected)
{
	SwShownTable shown;
	SwError		err;
	const char *window;
	char		ddl[512];

	snprintf(ddl, sizeof(ddl), "CREATE TABLE t (a Int8) %s", clauses);
	unit_ok(sw_shown_table_parse(ddl, &shown, &err) == SW_OK, clauses);
	window = sw_shown_table_window(&shown, &sw_dialect_clickhouse, &needed);
	unit_is_text(window == NULL ? "fine" : window, expected, "its window");
}

static void
test_window(void)
{
	SwShownTable shown;
	SwError		err;

	window_is("ENGINE = MergeTree", "non_replicated_deduplication_window");
	window_is("ENGINE = MergeTree SETTINGS index_granularity = 8192, "
			  "non_replicated_deduplication_window = 10000", "fine");
	window_is("ENGINE = MergeTree SETTINGS "
			  "non_replicated_deduplication_window = 9999 COMMENT ''",
			  "non_replicated_deduplication_window");
	window_is("ENGINE = SharedMergeTree('/p', 'r') SETTINGS "
			  "non_replicated_deduplication_window = 10000",
			  "replicated_deduplication_window");
	window_is("ENGINE = ReplicatedMergeTree('/p', 'r') SETTINGS "
			  "replicated_deduplication_window = 20000", "fine");
	unit_ok(sw_shown_table_parse("CREATE TABLE t (a Int8) ENGINE = MergeTree",
								 &shown, &err) == SW_OK &&
			sw_shown_table_window(&shown, &sw_dialect_bytehouse,
								  &needed) == NULL &&
			sw_shown_table_window(&shown, &sw_dialect_clickhouse,
								  &keyed) == NULL,
			"bytehouse and upsert targets need none");
}

/* What a server sends may be cut anywhere, and be anything. */
static void
test_hostile(void)
{
	static const char whole[] = "CREATE TABLE db.t (`a``b` Nullable(Array("
	"Tuple(a Int8, b String))) DEFAULT f('(', \"x\") COMMENT 'c\\'', "
	"INDEX i a, b Int8) ENGINE = M('x', v) PARTITION BY (a, b) ORDER BY "
	"tuple() SETTINGS a = 1, b = 'x' COMMENT 'it''s\\n'";
	char		text[sizeof(whole)];
	SwShownTable shown;
	StringInfoData differences;
	SwError		err;
	Size		i;

	unit_ok(sw_shown_table_parse(whole, &shown, &err) == SW_OK,
			"a table of all sorts");
	unit_is_int(shown.n_columns, 2, "its columns");
	unit_is_text(shown.columns[0].name, "a`b", "a name with a quote");
	unit_is_text(shown.columns[0].type,
				 "Nullable(Array(Tuple(a Int8,b String)))", "a nested type");
	unit_ok(shown.columns[0].has_default && !shown.columns[1].has_default,
			"defaults");
	unit_is_text(shown.comment, "it's\n", "its comment");
	unit_is_text(shown.version, "v", "the argument that is no literal");

	initStringInfo(&differences);
	for (i = 0; i < sizeof(whole) - 1; i++)
	{
		memcpy(text, whole, i);
		text[i] = '\0';
		if (sw_shown_table_parse(text, &shown, &err) == SW_OK)
			sw_shown_table_compare(&shown, &sw_dialect_clickhouse, &needed,
								   &differences);
		memcpy(text, whole, sizeof(whole));
		text[i] = i % 3 == 0 ? '(' : i % 3 == 1 ? ')' : '\'';
		if (sw_shown_table_parse(text, &shown, &err) == SW_OK)
			sw_shown_table_compare(&shown, &sw_dialect_clickhouse, &needed,
								   &differences);
	}
	unit_ok(true, "every way of cutting and spoiling it ends");
	unit_ok(sw_shown_table_parse("", &shown, &err) == SW_ERR_PROTOCOL,
			"nothing is not a table");
	unit_ok(sw_shown_table_parse("CREATE TABLE t (a", &shown,
								 &err) == SW_ERR_PROTOCOL,
			"nor is half a list");
}

int
main(void)
{
	test_bytehouse();
	test_clickhouse();
	test_long();
	test_window();
	test_hostile();
	return unit_done();
}
