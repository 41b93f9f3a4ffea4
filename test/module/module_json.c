/*-------------------------------------------------------------------------
 *
 * module_json.c
 *	  sw_test_json and its like: documents through the JSON writer of source/.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "source/sw_json.h"
#include "source/sw_json_zone.h"

#include "module.h"

PG_FUNCTION_INFO_V1(sw_test_json);
PG_FUNCTION_INFO_V1(sw_test_json_text);
PG_FUNCTION_INFO_V1(sw_test_json_zone);
PG_FUNCTION_INFO_V1(sw_test_json_speed);

static const char *const reasons[] = {
	"no datetime", "datetime range", "number", "character", "invalid", "shape",
	"name", "path"
};

/* What to answer, and what was asked. */
typedef struct Trial
{
	SwJsonVerdict verdict;
	StringInfoData problems;
} Trial;

static SwJsonVerdict
judge(void *judge_arg, const SwJsonProblem *problem)
{
	Trial	   *trial = judge_arg;

	appendStringInfo(&trial->problems, "\n%s at <%s>: %s",
					 reasons[problem->reason], problem->path, problem->excerpt);
	return trial->verdict;
}

static SwJsonVerdict
parse_verdict(const char *name)
{
	if (strcmp(name, "null") == 0)
		return SW_JSON_PUT_NULL;
	if (strcmp(name, "clamp") == 0)
		return SW_JSON_PUT_NEAREST;
	if (strcmp(name, "text") == 0)
		return SW_JSON_PUT_TEXT;
	if (strcmp(name, "stop") == 0)
		return SW_JSON_STOP;
	elog(ERROR, "no such verdict: %s", name);
	return SW_JSON_STOP;
}

static pg_tz *
get_zone(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	if (zone == NULL)
		elog(ERROR, "no such zone: %s", name);
	return zone;
}

/* {most depth, most bytes of a name, is it flat?} */
static void
get_limits(FunctionCallInfo fcinfo, int argument, SwJsonLimits *limits)
{
	Datum	   *numbers;
	int			n_numbers;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), INT4OID, 4, true,
					  TYPALIGN_INT, &numbers, NULL, &n_numbers);
	if (n_numbers != 3)
		elog(ERROR, "limits are three numbers");
	limits->max_depth = DatumGetInt32(numbers[0]);
	limits->max_name_bytes = DatumGetInt32(numbers[1]);
	limits->is_flat = DatumGetInt32(numbers[2]) != 0;
}

/*
 * The document twice, as a column's first value and once more behind it, so
 * that it is seen that the second lies where it should.
 */
static Datum
try_document(FunctionCallInfo fcinfo, bool is_text)
{
	static const SwColumnSpec spec = {.name = "json",.type = SW_TYPE_JSON};
	Trial		trial;
	SwJsonSettings settings = {.judge = judge,.judge_arg = &trial};
	SwJsonLimits limits;
	SwJsonWriter *writer;
	SwBatch		batch;
	SwJsonResult result = SW_JSON_STOPPED;
	StringInfoData answer;
	const char *first;
	const char *second;
	Size		n_first;
	Size		n_second;
	int			i;

	settings.datetime_paths = module_get_texts(fcinfo, 1,
											   &settings.n_datetime_paths);
	settings.array_paths = module_get_texts(fcinfo, 2,
											&settings.n_array_paths);
	settings.zone = get_zone(module_get_text(fcinfo, 3));
	get_limits(fcinfo, 6, &limits);
	settings.limits = PG_GETARG_BOOL(4) ? &limits : NULL;
	trial.verdict = parse_verdict(module_get_text(fcinfo, 5));
	writer = sw_json_writer_create(&settings);

	sw_batch_init(&batch, &spec, 1);
	for (i = 0; i < 2; i++)
	{
		initStringInfo(&trial.problems);
		if (is_text)
		{
			text	   *bytes = PG_GETARG_TEXT_PP(0);

			result = sw_json_append_text(writer, VARDATA_ANY(bytes),
										 VARSIZE_ANY_EXHDR(bytes),
										 &batch.columns[0]);
		}
		else
			result = sw_json_append_jsonb(writer, PG_GETARG_DATUM(0),
										  &batch.columns[0]);
	}
	initStringInfo(&answer);
	if (result == SW_JSON_APPENDED)
	{
		first = sw_column_get_bytes(&batch.columns[0], 0, &n_first);
		second = sw_column_get_bytes(&batch.columns[0], 1, &n_second);
		if (batch.columns[0].n_rows != 2 || n_first != n_second ||
			memcmp(first, second, n_first) != 0)
			elog(ERROR, "the second document differs");
		appendBinaryStringInfo(&answer, second, n_second);
	}
	else
	{
		if (batch.columns[0].n_rows != 0 || batch.columns[0].data_bytes != 0)
			elog(ERROR, "something was appended");
		appendStringInfoString(&answer,
							   result == SW_JSON_IS_NULL ? "(null)" : "(stopped)");
	}
	appendBinaryStringInfo(&answer, trial.problems.data, trial.problems.len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(answer.data, answer.len));
}

Datum
sw_test_json(PG_FUNCTION_ARGS)
{
	return try_document(fcinfo, false);
}

Datum
sw_test_json_text(PG_FUNCTION_ARGS)
{
	return try_document(fcinfo, true);
}

Datum
sw_test_json_zone(PG_FUNCTION_ARGS)
{
	SwZone		zone;

	sw_zone_init(&zone, get_zone(module_get_text(fcinfo, 0)));
	PG_RETURN_INT64(sw_zone_read(&zone, PG_GETARG_INT64(1)));
}

Datum
sw_test_json_speed(PG_FUNCTION_ARGS)
{
	static const SwColumnSpec spec = {.name = "json",.type = SW_TYPE_JSON};
	static const SwJsonLimits limits = {.max_depth = 100};
	Trial		trial = {.verdict = SW_JSON_PUT_TEXT};
	SwJsonSettings settings = {.judge = judge,.judge_arg = &trial};
	bool		is_ours = PG_GETARG_BOOL(2);
	int			n_rounds = PG_GETARG_INT32(4);
	Datum	   *documents;
	int			n_documents;
	SwJsonWriter *writer;
	SwBatch		batch;
	StringInfoData text;
	clock_t		start;
	int			round;
	int			i;

	initStringInfo(&trial.problems);
	initStringInfo(&text);
	settings.datetime_paths = module_get_texts(fcinfo, 1,
											   &settings.n_datetime_paths);
	settings.zone = get_zone("Asia/Shanghai");
	settings.limits = PG_GETARG_BOOL(3) ? &limits : NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), JSONBOID, -1, false,
					  TYPALIGN_INT, &documents, NULL, &n_documents);
	writer = sw_json_writer_create(&settings);
	sw_batch_init(&batch, &spec, 1);

	start = clock();
	for (round = 0; round < n_rounds; round++)
	{
		sw_batch_reset(&batch, 1024 * 1024 * 1024);
		for (i = 0; i < n_documents; i++)
		{
			if (is_ours)
				(void) sw_json_append_jsonb(writer, documents[i],
											&batch.columns[0]);
			else
			{
				Jsonb	   *json = DatumGetJsonbP(documents[i]);

				resetStringInfo(&text);
				(void) JsonbToCString(&text, &json->root, VARSIZE(json));
				sw_column_append_bytes(&batch.columns[0], text.data, text.len);
			}
		}
	}
	PG_RETURN_FLOAT8((double) (clock() - start) / CLOCKS_PER_SEC * 1e9 /
					 n_rounds / n_documents);
}
