/*-------------------------------------------------------------------------
 *
 * sw_read_time.c
 *	  Readers of dates, times of day and instants.
 *
 * The server counts from 2000-01-01, files from 1970-01-01.  Values are
 * compared with what the target holds before they are shifted, so nothing
 * overflows; infinities are the ends of the server's own range.
 *
 * Contract: sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "source/sw_datum.h"
#include "source/sw_type_wish.h"

/* From 1970-01-01 to 2000-01-01. */
#define EPOCH_DAYS	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_US	((int64) EPOCH_DAYS * USECS_PER_DAY)

/* First and last that a column may hold, as the server counts. */
typedef struct TimeRange
{
	int64		first;
	int64		last;
	const char *text;			/* the same in words */
	int64		unit_us;		/* what an instant is cut to */
} TimeRange;

/* ---- ranges ---- */

/* The start of a day in a zone, NULL = UTC, as the server finds it. */
static TimestampTz
sw_read_find_midnight(int year, int month, int day, pg_tz *zone)
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
	return result;
}

static TimeRange *
sw_read_make_range(SwDatumReader *reader, int64 first, int64 last,
				   const char *text)
{
	TimeRange  *range = palloc(sizeof(TimeRange));

	range->first = first;
	range->last = last;
	range->text = text;
	range->unit_us = 1;
	reader->state = range;
	return range;
}

/* What the older types hold, whose numbers have 16 and 32 bits. */
static bool
sw_read_prepare_wish(SwDatumReader *reader, pg_tz *zone)
{
	if (sw_type_wish_is(reader->spec->target_type, "Date"))
		sw_read_make_range(reader, sw_read_find_midnight(1970, 1, 1, zone),
						   sw_read_find_midnight(2149, 6, 7, zone) - 1,
						   "times from 1970-01-01 to 2149-06-06");
	else if (sw_type_wish_is(reader->spec->target_type, "DateTime"))
		sw_read_make_range(reader, sw_read_find_midnight(1970, 1, 1, NULL),
						   sw_read_find_midnight(1970, 1, 1, NULL) +
						   (int64) PG_UINT32_MAX * USECS_PER_SEC +
						   USECS_PER_SEC - 1,
						   "times from 1970-01-01 00:00:00 to 2106-02-07 06:28:15 in UTC");
	else
		return false;
	return true;
}

/*
 * What a DateTime64 of another number of digits holds.  The load's cast would
 * cut towards 1970.
 */
static void
sw_read_apply_digits(SwDatumReader *reader)
{
	const char *type = reader->spec->target_type;
	TimeRange  *range = (TimeRange *) reader->state;
	int			n_digits;

	if (!sw_type_wish_is(type, "DateTime64"))
		return;
	n_digits = sw_type_wish_get_digits(type);
	if (n_digits > 8)
	{
		/* nanoseconds, in 64 bits */
		range->last = PG_INT64_MAX / 1000 - EPOCH_US;
		range->text = "times from 1900-01-01 to 2262-04-11 23:47:16 in UTC";
	}
	for (; n_digits < 6; n_digits++)
		range->unit_us *= 10;
}

/* DateTime64 holds these years, both in UTC and in the zone. */
static void
sw_read_prepare_instant(SwDatumReader *reader)
{
	const char *zone = pg_get_timezone_name(session_timezone);

	if (sw_read_prepare_wish(reader, session_timezone))
		return;
	if (reader->is_day)
		/* The day partition is a 16-bit number of days in the zone. */
		sw_read_make_range(reader,
						   sw_read_find_midnight(1970, 1, 1, session_timezone),
						   sw_read_find_midnight(2149, 6, 7,
												 session_timezone) - 1,
						   psprintf("times from 1970-01-01 to 2149-06-06, in time zone %s",
									zone));
	else
		sw_read_make_range(reader,
						   Max(sw_read_find_midnight(1900, 1, 1, session_timezone),
							   sw_read_find_midnight(1900, 1, 1, NULL)),
						   Min(sw_read_find_midnight(2300, 1, 1, session_timezone),
							   sw_read_find_midnight(2300, 1, 1, NULL)) - 1,
						   psprintf("times from 1900-01-01 to 2299-12-31, in UTC and in time zone %s",
									zone));
	sw_read_apply_digits(reader);
}

static void
sw_read_prepare_wall_clock(SwDatumReader *reader)
{
	if (sw_read_prepare_wish(reader, NULL))
		return;
	if (reader->is_day)
		sw_read_make_range(reader, sw_read_find_midnight(1970, 1, 1, NULL),
						   sw_read_find_midnight(2149, 6, 7, NULL) - 1,
						   "times from 1970-01-01 to 2149-06-06");
	else
		sw_read_make_range(reader, sw_read_find_midnight(1900, 1, 1, NULL),
						   sw_read_find_midnight(2300, 1, 1, NULL) - 1,
						   "times from 1900-01-01 to 2299-12-31");
	sw_read_apply_digits(reader);
}

static void
sw_read_prepare_date(SwDatumReader *reader)
{
	const char *type = reader->spec->target_type;

	if (sw_type_wish_is(type, "DateTime"))
		/* their midnights, in whatever zone */
		sw_read_make_range(reader, date2j(1970, 1, 2) - POSTGRES_EPOCH_JDATE,
						   date2j(2106, 2, 6) - POSTGRES_EPOCH_JDATE,
						   "days from 1970-01-02 to 2106-02-06");
	else if (sw_type_wish_is(type, "DateTime64") &&
			 sw_type_wish_get_digits(type) > 8)
		sw_read_make_range(reader, date2j(1900, 1, 2) - POSTGRES_EPOCH_JDATE,
						   date2j(2262, 4, 10) - POSTGRES_EPOCH_JDATE,
						   "days from 1900-01-02 to 2262-04-10");
	else if (sw_type_wish_is(type, "DateTime64"))
		sw_read_make_range(reader, date2j(1900, 1, 2) - POSTGRES_EPOCH_JDATE,
						   date2j(2299, 12, 30) - POSTGRES_EPOCH_JDATE,
						   "days from 1900-01-02 to 2299-12-30");
	else if (reader->is_day || sw_type_wish_is(type, "Date"))
		sw_read_make_range(reader, -EPOCH_DAYS,
						   date2j(2149, 6, 6) - POSTGRES_EPOCH_JDATE,
						   "days from 1970-01-01 to 2149-06-06");
	else
		sw_read_make_range(reader, date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE,
						   date2j(2299, 12, 31) - POSTGRES_EPOCH_JDATE,
						   "days from 1900-01-01 to 2299-12-31");
}

/* ---- out of range ---- */

static char *
sw_read_show_time(const SwDatumReader *reader, int64 value)
{
	switch (reader->spec->type)
	{
		case SW_TYPE_DATE:
			return psprintf("date \"%s\"",
							DatumGetCString(DirectFunctionCall1(date_out,
																DateADTGetDatum((DateADT) value))));
		case SW_TYPE_DATETIME_US:
			return psprintf("timestamp \"%s\"",
							DatumGetCString(DirectFunctionCall1(timestamp_out,
																TimestampGetDatum(value))));
		default:
			return psprintf("timestamp \"%s\"", timestamptz_to_str(value));
	}
}

/*
 * True: the value, as it was or as it is now, is to be appended.  Else
 * appended says whether a null was, or the row is to be left out.
 */
static bool
sw_read_judge_time(SwDatumReader *reader, int64 *value, SwColumn *column,
				   bool *appended)
{
	const TimeRange *range = (const TimeRange *) reader->state;
	SwProblem	problem = {
		.sqlstate = ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
		.can_be_null = sw_problem_can_be_null(reader),
		/* another day is another partition */
		.has_nearest = !reader->is_day
	};

	if (likely(*value >= range->first && *value <= range->last))
		return true;
	problem.what = sw_read_show_time(reader, *value);
	problem.why = psprintf("The column holds %s.", range->text);
	switch (sw_problem_judge(reader, &problem))
	{
		case SW_VERDICT_NEAREST:
			*value = *value < range->first ? range->first : range->last;
			return true;
		case SW_VERDICT_NULL:
			*appended = sw_datum_append_null(reader, column);
			return false;
		default:
			*appended = false;
			return false;
	}
}

/* ---- values ---- */

static bool
sw_read_append_date(SwDatumReader *reader, Datum value, SwColumn *column)
{
	int64		day = DatumGetDateADT(value);
	bool		appended;

	if (!sw_read_judge_time(reader, &day, column, &appended))
		return appended;
	sw_column_append_int32(column, (int32) day + EPOCH_DAYS);
	return true;
}

static bool
sw_read_append_time(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_int64(column, DatumGetTimeADT(value));
	return true;
}

/* Instants and wall clocks. */
static bool
sw_read_append_us(SwDatumReader *reader, Datum value, SwColumn *column)
{
	const TimeRange *range = (const TimeRange *) reader->state;
	int64		instant = DatumGetTimestampTz(value);
	bool		appended;

	if (!sw_read_judge_time(reader, &instant, column, &appended))
		return appended;
	instant += EPOCH_US;
	if (unlikely(range->unit_us > 1))
	{
		int64		rest = instant % range->unit_us;

		instant -= rest < 0 ? rest + range->unit_us : rest;
	}
	sw_column_append_int64(column, instant);
	return true;
}

/* Milliseconds, cut towards the past. */
static bool
sw_read_append_ms(SwDatumReader *reader, Datum value, SwColumn *column)
{
	int64		instant = DatumGetTimestampTz(value);
	bool		appended;
	int64		ms;

	if (!sw_read_judge_time(reader, &instant, column, &appended))
		return appended;
	instant += EPOCH_US;
	ms = instant / 1000;
	sw_column_append_int64(column, instant % 1000 < 0 ? ms - 1 : ms);
	return true;
}

/* A text that is a timestamptz. */
static bool
sw_read_parse_ms(SwDatumReader *reader, Datum value, SwColumn *column)
{
	char	   *string = TextDatumGetCString(value);

	return sw_read_append_ms(reader,
							 DirectFunctionCall3(timestamptz_in,
												 CStringGetDatum(string),
												 ObjectIdGetDatum(InvalidOid),
												 Int32GetDatum(-1)),
							 column);
}

const SwDatumFamily sw_read_time_families[] = {
	{SW_TYPE_DATE, DATEOID, sw_read_append_date, sw_read_prepare_date},
	{SW_TYPE_TIME_US, TIMEOID, sw_read_append_time, NULL},
	{SW_TYPE_DATETIME_US, TIMESTAMPOID, sw_read_append_us,
	sw_read_prepare_wall_clock},
	{SW_TYPE_TIMESTAMP_US, TIMESTAMPTZOID, sw_read_append_us,
	sw_read_prepare_instant},
	{SW_TYPE_TIMESTAMP_MS, TIMESTAMPTZOID, sw_read_append_ms,
	sw_read_prepare_instant},
	{SW_TYPE_TIMESTAMP_MS, TEXTOID, sw_read_parse_ms, sw_read_prepare_instant},
	{0}
};
