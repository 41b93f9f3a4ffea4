/*-------------------------------------------------------------------------
 *
 * sw_value.c
 *	  From a row's Datums to the columns of a batch.
 *
 * One function per column type and server type, chosen once per read.  What
 * a row needs for itself (detoasted values, converted text) lives in
 * row_context and is gone with the row.
 *
 * Contract: sw_value.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "port/sw_compat.h"
#include "source/sw_value.h"

/* Columns named to find a row by, and how much of each value is shown. */
#define MAX_ROW_CLUES	3
#define MAX_CLUE_BYTES	64

/* The buffer for JSON text is cut back when one value made it larger. */
#define MAX_KEPT_JSON_BYTES	(1024 * 1024)

/* Milliseconds from 1970-01-01 to 2000-01-01. */
#define PG_EPOCH_MS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000)

/* ---- errors that name a row ---- */

/*
 * Append a short value, and nothing for one that would have to be fetched:
 * this runs while an error is on its way.
 */
static void
sw_value_append_clue(StringInfo clues, const SwColumnSpec *spec,
					 const SwValueFamily *family, Datum value)
{
	struct varlena *text;
	const char *separator = clues->len > 0 ? ", " : "";
	int			n_bytes;

	if (family->server_type == INT8OID)
	{
		appendStringInfo(clues, "%s%s " INT64_FORMAT, separator, spec->name,
						 DatumGetInt64(value));
		return;
	}
	text = (struct varlena *) DatumGetPointer(value);
	if (VARATT_IS_EXTERNAL(text) || VARATT_IS_COMPRESSED(text))
		return;
	n_bytes = VARSIZE_ANY_EXHDR(text);
	appendStringInfo(clues, "%s%s \"%.*s%s\"", separator, spec->name,
					 pg_mbcliplen(VARDATA_ANY(text), n_bytes, MAX_CLUE_BYTES),
					 VARDATA_ANY(text),
					 n_bytes > MAX_CLUE_BYTES ? "..." : "");
}

/* What to find the row by: "row 5 of the read, with trace_id "x", ssid 7". */
static char *
sw_value_describe_row(const SwValueReader *reader)
{
	const SwSourceQuery *query = reader->query;
	TupleTableSlot *slot = reader->slot;
	StringInfoData clues;
	int			n_clues = 0;
	int			i;

	initStringInfo(&clues);
	for (i = 0; i < query->n_columns && n_clues < MAX_ROW_CLUES; i++)
	{
		SwType		type = query->specs[i].type;

		if (i == reader->current_column || slot->tts_isnull[i] ||
			(type != SW_TYPE_STRING && type != SW_TYPE_INT64))
			continue;
		sw_value_append_clue(&clues, &query->specs[i], reader->families[i],
							 slot->tts_values[i]);
		n_clues++;
	}
	return psprintf("row " UINT64_FORMAT " of the read%s%s",
					reader->n_rows + 1, clues.len > 0 ? ", with " : "",
					clues.data);
}

void
sw_value_add_error_context(const SwValueReader *reader)
{
	if (reader->slot != NULL)
		errcontext("column \"%s\" of %s",
				   reader->query->specs[reader->current_column].name,
				   sw_value_describe_row(reader));
}

/* The same as a detail; the context need not say it again. */
static int
sw_value_detail_row(SwValueReader *reader, const char *more)
{
	char	   *row = sw_value_describe_row(reader);

	reader->slot = NULL;
	return errdetail("It is %s.%s", row, more);
}

static const char *
sw_value_get_current_name(const SwValueReader *reader)
{
	return reader->query->specs[reader->current_column].name;
}

static void
sw_value_report_null(SwValueReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("cannot export a null in column \"%s\"",
					sw_value_get_current_name(reader)),
			 sw_value_detail_row(reader, ""),
			 errhint("Correct the row, map the column to an expression that is never null, or leave such rows out with row_filter.")));
}

static void
sw_value_report_range(SwValueReader *reader, TimestampTz value,
					  const char *range)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("cannot export timestamp \"%s\" in column \"%s\"",
					timestamptz_to_str(value), sw_value_get_current_name(reader)),
			 sw_value_detail_row(reader,
								 psprintf(" The column holds times from %s, in time zone %s.",
										  range, pg_get_timezone_name(session_timezone))),
			 errhint("Correct the row, map the column to an expression within the range, or leave such rows out with row_filter.")));
}

static void
sw_value_report_encoding(SwValueReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("cannot export text in column \"%s\" that is not valid UTF-8",
					sw_value_get_current_name(reader)),
			 sw_value_detail_row(reader,
								 " The database's encoding is SQL_ASCII, so its text is exported as it is."),
			 errhint("Correct the row, map the column to an expression that converts the text, or leave such rows out with row_filter.")));
}

/* ---- one function per type ---- */

/* Append text of the server's encoding. */
static void
sw_value_append_text(SwValueReader *reader, const char *bytes, int n_bytes,
					 SwColumn *column)
{
	char	   *converted;

	if (reader->is_utf8)
	{
		sw_column_append_bytes(column, bytes, n_bytes);
		return;
	}
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		if (!pg_verify_mbstr(PG_UTF8, bytes, n_bytes, true))
			sw_value_report_encoding(reader);
		sw_column_append_bytes(column, bytes, n_bytes);
		return;
	}
	converted = pg_server_to_any(bytes, n_bytes, PG_UTF8);
	if (converted == bytes)
		sw_column_append_bytes(column, bytes, n_bytes);
	else
		sw_column_append_bytes(column, converted, strlen(converted));
}

static void
sw_value_append_string(SwValueReader *reader, Datum value, SwColumn *column)
{
	struct varlena *text;

	text = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(value));
	sw_value_append_text(reader, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text),
						 column);
}

static void
sw_value_append_int64(SwValueReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_int64(column, DatumGetInt64(value));
}

/* Milliseconds since 1970, cut towards the past. */
static int64
sw_value_convert_to_ms(TimestampTz value)
{
	int64		ms = value / 1000;

	if (value % 1000 < 0)
		ms--;
	return ms + PG_EPOCH_MS;
}

static void
sw_value_append_ms(SwValueReader *reader, Datum value, SwColumn *column,
				   const SwValueRange *range, const char *range_text)
{
	TimestampTz instant = DatumGetTimestampTz(value);
	int64		ms = sw_value_convert_to_ms(instant);

	if (TIMESTAMP_NOT_FINITE(instant) ||
		ms < range->first_ms || ms > range->last_ms)
		sw_value_report_range(reader, instant, range_text);
	sw_column_append_int64(column, ms);
}

static void
sw_value_append_day_time(SwValueReader *reader, Datum value, SwColumn *column)
{
	sw_value_append_ms(reader, value, column, &reader->day_range,
					   "1970-01-01 to 2149-06-06");
}

static void
sw_value_append_instant(SwValueReader *reader, Datum value, SwColumn *column)
{
	sw_value_append_ms(reader, value, column, &reader->instant_range,
					   "1900-01-01 to 2299-12-31");
}

static void
sw_value_append_json(SwValueReader *reader, Datum value, SwColumn *column)
{
	Jsonb	   *json = DatumGetJsonbP(value);

	resetStringInfo(&reader->json);
	(void) JsonbToCString(&reader->json, &json->root, VARSIZE(json));
	sw_value_append_text(reader, reader->json.data, reader->json.len, column);

	if (reader->json.maxlen > MAX_KEPT_JSON_BYTES)
	{
		reader->json.data = repalloc(reader->json.data, MAX_KEPT_JSON_BYTES);
		reader->json.maxlen = MAX_KEPT_JSON_BYTES;
	}
}

/* ---- values that come as text ---- */

static char *
sw_value_get_cstring(Datum value)
{
	return text_to_cstring((text *) DatumGetPointer(value));
}

static void
sw_value_parse_int64(SwValueReader *reader, Datum value, SwColumn *column)
{
	Datum		parsed = DirectFunctionCall1(int8in,
											 CStringGetDatum(sw_value_get_cstring(value)));

	sw_value_append_int64(reader, parsed, column);
}

static Datum
sw_value_parse_timestamptz(Datum value)
{
	return DirectFunctionCall3(timestamptz_in,
							   CStringGetDatum(sw_value_get_cstring(value)),
							   ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

static void
sw_value_parse_instant(SwValueReader *reader, Datum value, SwColumn *column)
{
	sw_value_append_instant(reader, sw_value_parse_timestamptz(value), column);
}

static void
sw_value_parse_day_time(SwValueReader *reader, Datum value, SwColumn *column)
{
	sw_value_append_day_time(reader, sw_value_parse_timestamptz(value), column);
}

static void
sw_value_parse_json(SwValueReader *reader, Datum value, SwColumn *column)
{
	Datum		parsed = DirectFunctionCall1(jsonb_in,
											 CStringGetDatum(sw_value_get_cstring(value)));

	sw_value_append_json(reader, parsed, column);
}

/* ---- who reads what ---- */

static const SwValueFamily families[] = {
	{SW_TYPE_STRING, TEXTOID, sw_value_append_string},
	{SW_TYPE_INT64, INT8OID, sw_value_append_int64},
	{SW_TYPE_INT64, TEXTOID, sw_value_parse_int64},
	{SW_TYPE_TIMESTAMP_MS, TIMESTAMPTZOID, sw_value_append_instant},
	{SW_TYPE_TIMESTAMP_MS, TEXTOID, sw_value_parse_instant},
	{SW_TYPE_JSON, JSONBOID, sw_value_append_json},
	{SW_TYPE_JSON, TEXTOID, sw_value_parse_json}
};

/* The same for the column that decides the day. */
static const SwValueFamily day_families[] = {
	{SW_TYPE_TIMESTAMP_MS, TIMESTAMPTZOID, sw_value_append_day_time},
	{SW_TYPE_TIMESTAMP_MS, TEXTOID, sw_value_parse_day_time}
};

static const SwValueFamily *
sw_value_find_family(const SwValueFamily *table, int n_families,
					 const SwColumnSpec *spec, Oid server_type)
{
	int			i;

	for (i = 0; i < n_families; i++)
	{
		if (table[i].type == spec->type && table[i].server_type == server_type)
			return &table[i];
	}
	elog(ERROR, "source query returns type %u for column \"%s\"",
		 server_type, spec->name);
	return NULL;
}

void
sw_value_reader_bind(SwValueReader *reader, TupleDesc row_type)
{
	const SwSourceQuery *query = reader->query;
	int			i;

	if (row_type->natts != query->n_columns)
		elog(ERROR, "source query returns %d columns instead of %d",
			 row_type->natts, query->n_columns);
	for (i = 0; i < query->n_columns; i++)
	{
		Oid			server_type = TupleDescAttr(row_type, i)->atttypid;

		if (i == query->time_column)
			reader->families[i] =
				sw_value_find_family(day_families, lengthof(day_families),
									 &query->specs[i], server_type);
		else
			reader->families[i] =
				sw_value_find_family(families, lengthof(families),
									 &query->specs[i], server_type);
	}
}

/* ---- rows ---- */

static void
sw_value_append_null(SwValueReader *reader, SwColumn *column)
{
	switch (reader->query->columns[reader->current_column].on_null)
	{
		case SW_ON_NULL_ERROR:
			sw_value_report_null(reader);
			break;
		case SW_ON_NULL_EMPTY:
			if (column->type == SW_TYPE_JSON)
				sw_column_append_bytes(column, "{}", 2);
			else
				sw_column_append_bytes(column, "", 0);
			break;
		case SW_ON_NULL_EPOCH:
			sw_column_append_int64(column, 0);
			break;
		case SW_ON_NULL_NULL:
			sw_column_append_null(column);
			break;
	}
}

void
sw_value_append_row(SwValueReader *reader, TupleTableSlot *slot,
					SwBatch *batch)
{
	MemoryContext old_context;
	int			i;

	slot_getallattrs(slot);
	reader->slot = slot;
	old_context = MemoryContextSwitchTo(reader->row_context);
	for (i = 0; i < batch->n_columns; i++)
	{
		reader->current_column = i;
		if (unlikely(slot->tts_isnull[i]))
			sw_value_append_null(reader, &batch->columns[i]);
		else
			reader->families[i]->append(reader, slot->tts_values[i],
										&batch->columns[i]);
	}
	sw_batch_end_row(batch);
	reader->current_column = -1;
	reader->slot = NULL;
	reader->n_rows++;
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(reader->row_context);
}

/* ---- preparation ---- */

/* The start of a day in a zone, NULL = UTC, as the server finds it. */
static int64
sw_value_find_midnight_ms(int year, int month, int day, pg_tz *zone)
{
	struct pg_tm tm;
	Timestamp	result;
	int			seconds_west = 0;

	memset(&tm, 0, sizeof(tm));
	tm.tm_year = year;
	tm.tm_mon = month;
	tm.tm_mday = day;
	if (zone != NULL)
		seconds_west = DetermineTimeZoneOffset(&tm, zone);
	if (tm2timestamp(&tm, 0, &seconds_west, &result) != 0)
		elog(ERROR, "date %d-%d-%d is out of range", year, month, day);
	return sw_value_convert_to_ms(result);
}

static void
sw_value_check_on_null(const SwColumnSpec *spec, SwOnNull on_null)
{
	bool		is_right = true;

	if (on_null == SW_ON_NULL_EMPTY)
		is_right = spec->type == SW_TYPE_STRING || spec->type == SW_TYPE_JSON;
	else if (on_null == SW_ON_NULL_EPOCH)
		is_right = spec->type == SW_TYPE_TIMESTAMP_MS;
	else if (on_null == SW_ON_NULL_NULL)
		is_right = spec->is_nullable;
	if (!is_right)
		elog(ERROR, "column \"%s\" cannot replace nulls that way",
			 spec->name);
}

void
sw_value_reader_init(SwValueReader *reader, const SwSourceQuery *query)
{
	int			i;

	memset(reader, 0, sizeof(*reader));
	reader->query = query;
	reader->current_column = -1;
	reader->is_utf8 = GetDatabaseEncoding() == PG_UTF8;

	/* The day partition is a 16-bit number of days in the zone. */
	reader->day_range.first_ms = sw_value_find_midnight_ms(1970, 1, 1,
														   session_timezone);
	reader->day_range.last_ms = sw_value_find_midnight_ms(2149, 6, 7,
														  session_timezone) - 1;
	/* DateTime64 holds these years, both in UTC and in the zone. */
	reader->instant_range.first_ms =
		Max(sw_value_find_midnight_ms(1900, 1, 1, session_timezone),
			sw_value_find_midnight_ms(1900, 1, 1, NULL));
	reader->instant_range.last_ms =
		Min(sw_value_find_midnight_ms(2300, 1, 1, session_timezone),
			sw_value_find_midnight_ms(2300, 1, 1, NULL)) - 1;

	reader->families = palloc0(sizeof(SwValueFamily *) * query->n_columns);
	for (i = 0; i < query->n_columns; i++)
		sw_value_check_on_null(&query->specs[i], query->columns[i].on_null);
	initStringInfo(&reader->json);
	reader->row_context = AllocSetContextCreate(CurrentMemoryContext, "SwRow",
												ALLOCSET_DEFAULT_SIZES);
}
