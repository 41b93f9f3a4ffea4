/*-------------------------------------------------------------------------
 *
 * module_capture.c
 *	  Captures, and queries for the row versions between them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "port/sw_compat.h"
#include "source/sw_capture.h"
#include "source/sw_chunk_plan.h"
#include "source/sw_hole.h"
#include "source/sw_identity.h"
#include "source/sw_read.h"
#include "source/sw_relation.h"

#include "module.h"

PG_FUNCTION_INFO_V1(sw_test_capture);
PG_FUNCTION_INFO_V1(sw_test_capture_has);
PG_FUNCTION_INFO_V1(sw_test_capture_show);
PG_FUNCTION_INFO_V1(sw_test_capture_bound);
PG_FUNCTION_INFO_V1(sw_test_capture_gap);
PG_FUNCTION_INFO_V1(sw_test_window);
PG_FUNCTION_INFO_V1(sw_test_relation);
PG_FUNCTION_INFO_V1(sw_test_unversioned);
PG_FUNCTION_INFO_V1(sw_test_naive);

Datum
sw_test_capture(PG_FUNCTION_ARGS)
{
	SwCapture  *before = NULL;
	SwCapture  *capture;
	TupleDesc	row_type;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "no row type");
	if (!PG_ARGISNULL(1))
		before = sw_capture_unpack(PG_GETARG_BYTEA_PP(1),
								   PG_GETARG_TIMESTAMPTZ(2));
	capture = sw_capture_take(PG_GETARG_OID(0), before);
	values[0] = PointerGetDatum(sw_capture_pack(capture));
	values[1] = TimestampTzGetDatum(capture->captured_at);
	return HeapTupleGetDatum(heap_form_tuple(row_type, values, nulls));
}

Datum
sw_test_capture_has(PG_FUNCTION_ARGS)
{
	SwCapture  *capture = sw_capture_unpack(PG_GETARG_BYTEA_PP(0), 0);
	FullTransactionId xid = PG_GETARG_FULLTRANSACTIONID(1);

	PG_RETURN_BOOL(sw_capture_has(capture, U64FromFullTransactionId(xid)));
}

Datum
sw_test_capture_show(PG_FUNCTION_ARGS)
{
	SwCapture  *capture = sw_capture_unpack(PG_GETARG_BYTEA_PP(0),
											PG_GETARG_TIMESTAMPTZ(1));
	uint32		i;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	module_say(fcinfo, "range %llu %llu%s", (unsigned long long) capture->xmin,
			   (unsigned long long) capture->xmax,
			   capture->is_cut ? " cut" : "");
	module_say(fcinfo, "log %X %X", (uint32) capture->position,
			   (uint32) capture->oldest_position);
	for (i = 0; i < capture->n_pending; i++)
		module_say(fcinfo, "pending %llu %llu",
				   (unsigned long long) capture->pending[i].first,
				   (unsigned long long) capture->pending[i].end);
	for (i = 0; i < capture->n_actives; i++)
		module_say(fcinfo, "active %d/%u %s", capture->actives[i].slot,
				   capture->actives[i].number,
				   timestamptz_to_str(capture->actives[i].since));
	for (i = 0; i < capture->n_leaves; i++)
		module_say(fcinfo, "leaf %u %u", capture->leaves[i].relid,
				   capture->leaves[i].file);
	for (i = 0; i < capture->n_rewrites; i++)
		module_say(fcinfo, "rewrite %u %llu", capture->rewrites[i].relid,
				   (unsigned long long) capture->rewrites[i].xid);
	return (Datum) 0;
}

Datum
sw_test_capture_bound(PG_FUNCTION_ARGS)
{
	SwCapture  *capture = sw_capture_unpack(PG_GETARG_BYTEA_PP(0),
											PG_GETARG_TIMESTAMPTZ(1));
	TimestampTz bound = sw_capture_get_bound(capture, PG_GETARG_INT64(2));

	if (TIMESTAMP_IS_NOBEGIN(bound))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(bound);
}

Datum
sw_test_capture_gap(PG_FUNCTION_ARGS)
{
	const char *gap = sw_capture_find_gap(sw_capture_unpack(PG_GETARG_BYTEA_PP(0),
															0));

	if (gap == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(gap));
}

/* The captures of two arrays of the same length; NULL for a null. */
static SwCapture **
get_captures(FunctionCallInfo fcinfo, int i, int *n_captures)
{
	Datum	   *contents;
	Datum	   *ats;
	bool	   *nulls;
	int			n_ats;
	SwCapture **captures;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), BYTEAOID, -1, false,
					  TYPALIGN_INT, &contents, &nulls, n_captures);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i + 1), TIMESTAMPTZOID, 8, true,
					  TYPALIGN_DOUBLE, &ats, NULL, &n_ats);
	if (n_ats != *n_captures)
		elog(ERROR, "captures and times differ in number");
	captures = palloc0(sizeof(SwCapture *) * n_ats);
	for (int k = 0; k < n_ats; k++)
		if (!nulls[k])
			captures[k] = sw_capture_unpack(DatumGetByteaPP(contents[k]),
											DatumGetTimestampTz(ats[k]));
	return captures;
}

static void
make_windows(const ModuleOptions *options, SwCapture **captures,
			 int n_captures, SwRowTest *test)
{
	SwVersionWindow *windows = palloc0(sizeof(SwVersionWindow) * n_captures);
	int64		slack_us = module_number(options, "slack_us", -1);

	memset(test, 0, sizeof(*test));
	for (int i = 0; i < n_captures - 1; i++)
	{
		windows[i].from = captures[i];
		windows[i].to = captures[i + 1];
		windows[i].bound = slack_us < 0 || captures[i] == NULL ? DT_NOBEGIN :
			sw_capture_get_bound(captures[i], slack_us);
	}
	test->windows = windows;
	test->n_windows = n_captures - 1;
	test->is_sweep = module_number(options, "sweep", 0) != 0;
	test->is_of_rewrites = module_number(options, "is_of_rewrites", 0) != 0;
}

static void
make_query(const ModuleOptions *options, Oid relation, SwRowTest *test,
		   SwSourceQuery *query)
{
	SwColumnSpec *specs = palloc0(sizeof(SwColumnSpec) * 2);
	SwSourceColumn *columns = palloc0(sizeof(SwSourceColumn) * 2);
	SwSourceRange *range = palloc0(sizeof(SwSourceRange));

	specs[0].name = "key";
	specs[0].type = SW_TYPE_STRING;
	columns[0].expression = module_text(options, "key", "k::text");
	specs[1].name = "cursor";
	specs[1].type = SW_TYPE_TIMESTAMP_MS;
	columns[1].expression = module_text(options, "time",
										module_text(options, "cursor", "c"));
	columns[1].on_null = SW_ON_NULL_EPOCH;

	memset(query, 0, sizeof(*query));
	query->relation = relation;
	query->specs = specs;
	query->columns = columns;
	query->n_columns = 2;
	query->time_column = 1;
	query->window_start = DT_NOBEGIN;
	query->window_end = DT_NOEND;
	query->event_column = -1;
	query->row_filter = module_text(options, "filter", NULL);
	query->row_test = test;
	if (module_text(options, "event", NULL) != NULL)
	{
		const char **names = palloc(sizeof(char *));

		names[0] = module_text(options, "event", NULL);
		query->event_filter = SW_EVENT_FILTER_INCLUDE;
		query->event_column = 0;
		query->event_names = names;
		query->n_event_names = 1;
	}
	query->cursor_column = 1;
	query->cursor_expression = module_text(options, "cursor", "c");
	query->cursor_bound = test->is_sweep || test->is_of_rewrites ? DT_NOBEGIN :
		module_number(options, "bound",
					  test->windows[test->n_windows - 1].bound);
	range->leaf = (Oid) module_number(options, "leaf", 0);
	range->first_block = module_number(options, "first_block", 0);
	range->end_block = module_number(options, "end_block", -1);
	range->cursor_from = module_number(options, "from", DT_NOBEGIN);
	range->cursor_to = module_number(options, "to", DT_NOEND);
	range->cursor_nulls = module_number(options, "nulls", 0) != 0;
	query->range = range;
}

static void
say_keys(void *arg, const SwBatch *batch)
{
	const SwColumn *keys = &batch->columns[0];
	uint64		from = 0;

	for (uint64 i = 0; i < batch->n_rows; i++)
	{
		module_say(arg, "%.*s", (int) (keys->offsets[i] - from),
				   keys->data + from);
		from = keys->offsets[i];
	}
}

static void
say_days(FunctionCallInfo fcinfo, const DateADT *days, int n_days)
{
	for (int i = 0; i < n_days; i++)
		module_say(fcinfo, "day %s",
				   DatumGetCString(DirectFunctionCall1(date_out,
													   DateADTGetDatum(days[i]))));
}

static void
say_rows(FunctionCallInfo fcinfo, const SwSourceQuery *query, const char *sql)
{
	SwReadReport report;
	SwReadOptions options = {
		.rows_per_batch = 100,
		.bytes_per_batch = 100000,
		.report = &report
	};

	sw_read_query(query, sql, &options, say_keys, fcinfo);
	if (report.n_updated > 0)
		module_say(fcinfo, "updated %d", (int) report.n_updated);
	say_days(fcinfo, report.updated_days, report.n_updated_days);
}

static void
say_chunks(FunctionCallInfo fcinfo, const SwSourceQuery *query, int64 n_rows)
{
	ListCell   *cell;

	foreach(cell, sw_chunk_plan(query, GetCurrentTimestamp(), (double) n_rows))
	{
		const SwSourceRange *range = lfirst(cell);

		module_say(fcinfo, "leaf=%u first_block=%lld end_block=%lld from=%lld to=%lld nulls=%d",
				   range->leaf, (long long) range->first_block,
				   (long long) range->end_block,
				   (long long) range->cursor_from,
				   (long long) range->cursor_to, range->cursor_nulls);
	}
}

static void
say_lines(FunctionCallInfo fcinfo, List *lines)
{
	ListCell   *cell;

	foreach(cell, lines)
		module_say(fcinfo, "%s", (char *) lfirst(cell));
}

/* From the last capture on. */
static void
say_holes(FunctionCallInfo fcinfo, const SwSourceQuery *query,
		  const SwLeafChange *changes, uint32 n_changes)
{
	const SwCapture *from =
	query->row_test->windows[query->row_test->n_windows - 1].to;
	DateADT    *days;
	int			n_days;

	for (uint32 i = 0; i < n_changes; i++)
	{
		module_say(fcinfo, "%s %s",
				   changes[i].is_attached ? "attached" : "replaced",
				   get_rel_name(changes[i].relid));
		days = sw_hole_list_days(query, &changes[i], from, &n_days);
		say_days(fcinfo, days, n_days);
	}
}

static void
answer(FunctionCallInfo fcinfo, const ModuleOptions *options,
	   const SwSourceQuery *query, const SwLeafChange *changes,
	   uint32 n_changes)
{
	const char *ask = module_text(options, "ask", "rows");
	char	   *sql = sw_query_build(query);
	DateADT    *days;
	int			n_days;

	if (strcmp(ask, "rows") == 0)
		say_rows(fcinfo, query, sql);
	else if (strcmp(ask, "probe") == 0)
		module_say(fcinfo, "%d", sw_read_probe(query, sql));
	else if (strcmp(ask, "check") == 0)
		sw_read_check(query, sql);
	else if (strcmp(ask, "explain") == 0)
		say_lines(fcinfo, sw_read_explain(query, sql));
	else if (strcmp(ask, "estimate") == 0)
		module_say(fcinfo, "%.0f", sw_read_estimate(query, sql));
	else if (strcmp(ask, "days") == 0)
	{
		days = sw_read_list_days(query, sql, &n_days);
		say_days(fcinfo, days, n_days);
	}
	else if (strcmp(ask, "holes") == 0)
		say_holes(fcinfo, query, changes, n_changes);
	else
		say_chunks(fcinfo, query, strtoi64(ask, NULL, 10));
}

Datum
sw_test_window(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	int			n_captures;
	SwCapture **captures = get_captures(fcinfo, 1, &n_captures);
	const SwCapture *last = captures[n_captures - 1];
	ModuleOptions options;
	SwRowTest	test;
	SwSourceQuery query;
	SwLeafChange *changes;
	uint32		n_changes;
	SwIdentity	identity;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	module_get_options(fcinfo, 3, &options);
	make_windows(&options, captures, n_captures, &test);
	make_query(&options, relation, &test, &query);
	changes = sw_leaf_hold(relation, last->leaves, last->n_leaves, &n_changes);
	sw_row_test_add_rewrites(&test, changes, n_changes);
	sw_identity_enter(GetUserId(), relation,
					  module_text(&options, "zone", "UTC"), &identity);
	answer(fcinfo, &options, &query, changes, n_changes);
	sw_identity_leave(&identity);
	return (Datum) 0;
}

Datum
sw_test_relation(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	char	   *text = module_get_text(fcinfo, 1);
	SwIdentity	identity;
	char	   *facts;

	sw_identity_enter(GetUserId(), relation, "UTC", &identity);
	facts = psprintf("%s %s %s",
					 sw_relation_has_versions(relation) ? "versions" : "-",
					 sw_relation_has_index(relation, "cursor", text) ? "index" : "-",
					 sw_relation_has_clock_default(relation, "cursor", text) ?
					 "clock" : "-");
	sw_identity_leave(&identity);
	PG_RETURN_TEXT_P(cstring_to_text(facts));
}

Datum
sw_test_unversioned(PG_FUNCTION_ARGS)
{
	const char *why = sw_relation_find_unversioned(PG_GETARG_OID(0));

	if (why == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(why));
}

Datum
sw_test_naive(PG_FUNCTION_ARGS)
{
	static bool is_naive;

	is_naive = PG_GETARG_BOOL(0);
	*find_rendezvous_variable("sensorswave_export row test") = &is_naive;
	PG_RETURN_VOID();
}
