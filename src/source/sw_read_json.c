/*-------------------------------------------------------------------------
 *
 * sw_read_json.c
 *	  Readers of JSON.
 *
 * The text of a document, changed by the pipeline's rules, is written right
 * into the column.  Where the server's encoding is not UTF-8 it goes through
 * a column of its own, to be converted.
 *
 * Contract: sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "pgtime.h"

#include "port/sw_compat.h"
#include "source/sw_json.h"
#include "source/sw_datum.h"

/* The column for conversions is cut back when one value made it larger. */
#define MAX_KEPT_BYTES	(1024 * 1024)

static const SwColumnSpec unconverted_spec = {
	.name = "unconverted",.type = SW_TYPE_JSON
};

typedef struct JsonState
{
	SwJsonWriter *writer;
	SwBatch		unconverted;	/* one column; not used where the server's
								 * encoding is UTF-8 */
} JsonState;

/* ---- problems ---- */

static const char *
sw_read_explain_json(SwJsonReason reason)
{
	switch (reason)
	{
		case SW_JSON_NO_DATETIME:
			return "It is declared to be a date-time, and cannot be read as one.";
		case SW_JSON_DATETIME_RANGE:
			return "Date-times are exported from year 1 to year 9999.";
		case SW_JSON_NUMBER:
			return "The target's JSON holds numbers of 64 bits only.";
		case SW_JSON_CHARACTER:
			return "The target's JSON does not hold the character U+0000 or half a surrogate pair.";
		case SW_JSON_INVALID:
			return "It is not valid JSON.";
		case SW_JSON_SHAPE:
			return "The target's JSON does not nest so deep, or holds objects only.";
		case SW_JSON_NAME:
			return "The target's JSON does not hold members with such a name.";
		case SW_JSON_PATH:
			return "The target's JSON holds one value for a path of names with dots in between.";
	}
	return NULL;
}

static SwJsonVerdict
sw_read_judge_json(void *judge_arg, const SwJsonProblem *json)
{
	SwDatumReader *reader = (SwDatumReader *) judge_arg;
	SwProblem	problem = {
		.sqlstate = json->reason == SW_JSON_INVALID ?
		ERRCODE_INVALID_TEXT_REPRESENTATION :
		json->reason == SW_JSON_NUMBER ?
		ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE :
		json->reason == SW_JSON_CHARACTER ?
		ERRCODE_UNTRANSLATABLE_CHARACTER :
		json->reason == SW_JSON_SHAPE || json->reason == SW_JSON_NAME ||
		json->reason == SW_JSON_PATH ?
		ERRCODE_FEATURE_NOT_SUPPORTED :
		ERRCODE_INVALID_DATETIME_FORMAT,
		.what = json->path[0] == '\0' ?
		psprintf("JSON %s", json->excerpt) :
		psprintf("JSON %s at \"%s\"", json->excerpt, json->path),
		.why = sw_read_explain_json(json->reason),
		.can_be_null = json->path[0] != '\0' || sw_problem_can_be_null(reader),
		.has_nearest = json->reason != SW_JSON_INVALID,
		.has_text = true
	};

	switch (sw_problem_judge(reader, &problem))
	{
		case SW_VERDICT_NULL:
			return SW_JSON_PUT_NULL;
		case SW_VERDICT_NEAREST:
			return SW_JSON_PUT_NEAREST;
		case SW_VERDICT_TEXT:
			return SW_JSON_PUT_TEXT;
		case SW_VERDICT_SKIP:
			break;
	}
	return SW_JSON_STOP;
}

/* ---- values ---- */

static bool
sw_read_append_document(SwDatumReader *reader, Datum value, SwColumn *column,
						SwJsonResult *result)
{
	JsonState  *state = (JsonState *) reader->state;
	struct varlena *stored;
	struct varlena *plain;

	if (reader->server_type == JSONBOID)
		*result = sw_json_append_jsonb(state->writer, value, column);
	else
	{
		stored = (struct varlena *) DatumGetPointer(value);
		plain = pg_detoast_datum_packed(stored);
		*result = sw_json_append_text(state->writer, VARDATA_ANY(plain),
									  VARSIZE_ANY_EXHDR(plain), column);
		if (plain != stored)
			pfree(plain);
	}
	return *result == SW_JSON_APPENDED;
}

static bool
sw_read_append_converted(SwDatumReader *reader, Datum value, SwColumn *column,
						 SwJsonResult *result)
{
	JsonState  *state = (JsonState *) reader->state;
	SwColumn   *unconverted = &state->unconverted.columns[0];
	const char *bytes;
	Size		n_bytes;

	sw_batch_reset(&state->unconverted, MAX_KEPT_BYTES);
	if (!sw_read_append_document(reader, value, unconverted, result))
		return false;
	bytes = sw_column_get_bytes(unconverted, 0, &n_bytes);
	if (!sw_read_append_text(reader, bytes, n_bytes, column))
		*result = SW_JSON_STOPPED;
	return *result == SW_JSON_APPENDED;
}

static bool
sw_read_append_json(SwDatumReader *reader, Datum value, SwColumn *column)
{
	SwJsonResult result;

	if (likely(reader->rows->is_utf8 ?
			   sw_read_append_document(reader, value, column, &result) :
			   sw_read_append_converted(reader, value, column, &result)))
		return true;
	return result == SW_JSON_IS_NULL && sw_datum_append_null(reader, column);
}

static void
sw_read_prepare_json(SwDatumReader *reader)
{
	const SwSourceQuery *query = reader->rows->query;
	JsonState  *state = palloc0(sizeof(JsonState));
	SwJsonSettings settings = {
		.datetime_paths = query->datetime_paths,
		.n_datetime_paths = query->n_datetime_paths,
		.array_paths = query->array_paths,
		.n_array_paths = query->n_array_paths,
		.zone = session_timezone,
		.limits = reader->is_member ? NULL : query->json_limits,
		.judge = sw_read_judge_json,
		.judge_arg = reader
	};

	state->writer = sw_json_writer_create(&settings);
	if (!reader->rows->is_utf8)
		sw_batch_init(&state->unconverted, &unconverted_spec, 1);
	reader->state = state;
}

const SwDatumFamily sw_read_json_families[] = {
	{SW_TYPE_JSON, JSONBOID, sw_read_append_json, sw_read_prepare_json},
	{SW_TYPE_JSON, JSONOID, sw_read_append_json, sw_read_prepare_json},
	{SW_TYPE_JSON, TEXTOID, sw_read_append_json, sw_read_prepare_json},
	{0}
};
