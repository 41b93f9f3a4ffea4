/*-------------------------------------------------------------------------
 *
 * sw_bound.c
 *	  A window of time as conditions that an index can serve.
 *
 * A source column of type timestamp or date means an instant only through
 * the session's TimeZone, and comparing its cast with an instant would hide
 * it from its index.  So the bound is converted instead.  Away from changes
 * of the zone's offset both say the same.  Near one, local times repeat or
 * do not exist, and the conversion is no longer monotonic: there the bound
 * on the bare column is widened by the change, and the cast is compared too.
 *
 * Why the widening is enough: an instant i is local time i + o for an offset
 * o that is in force near i, and no zone changes by more than a day.  All
 * offsets in force within two days of a bound are looked at: smallest for a
 * lower bound, largest for an upper one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "source/sw_bound.h"

/* A bound as local time. */
typedef struct SwLocalBound
{
	Timestamp	local;
	bool		is_exact;		/* no need to compare the cast as well */
} SwLocalBound;

static int64
sw_bound_get_zone_offset(TimestampTz instant)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			seconds_west;

	if (timestamp2tm(instant, &seconds_west, &tm, &fsec, NULL,
					 session_timezone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return -(int64) seconds_west * USECS_PER_SEC;
}

static SwLocalBound
sw_bound_convert_bound(TimestampTz bound, bool is_upper)
{
	int64		before = sw_bound_get_zone_offset(bound - 2 * USECS_PER_DAY);
	int64		here = sw_bound_get_zone_offset(bound);
	int64		after = sw_bound_get_zone_offset(bound + 2 * USECS_PER_DAY);
	SwLocalBound result;

	if (is_upper)
		result.local = bound + Max(Max(before, here), after);
	else
		result.local = bound + Min(Min(before, here), after);
	result.is_exact = (before == here && here == after);
	return result;
}

/* ISO text of a timestamp, with "+00" where it is an instant. */
static const char *
sw_bound_format_timestamp(Timestamp value, bool is_instant)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		text[MAXDATELEN + 1];

	if (timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	tm.tm_isdst = 0;			/* unknown would suppress the "+00" */
	EncodeDateTime(&tm, fsec, is_instant, 0, NULL, USE_ISO_DATES, text);
	return pstrdup(text);
}

/* ISO text of the first day that starts at or after a local time. */
static const char *
sw_bound_format_next_day(Timestamp value)
{
	int64		days = value / USECS_PER_DAY;
	struct pg_tm tm;
	char		text[MAXDATELEN + 1];

	if (value > days * USECS_PER_DAY)
		days++;
	memset(&tm, 0, sizeof(tm));
	j2date((int) days + POSTGRES_EPOCH_JDATE,
		   &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, text);
	return pstrdup(text);
}

static void
sw_bound_append_side(StringInfo sql, const char *text, Oid type,
					 TimestampTz bound, bool is_upper)
{
	const char *comparison = is_upper ? "<" : ">=";
	SwLocalBound converted;

	if (TIMESTAMP_NOT_FINITE(bound))
		return;

	if (type == TIMESTAMPOID || type == DATEOID)
	{
		converted = sw_bound_convert_bound(bound, is_upper);
		if (type == TIMESTAMPOID)
			appendStringInfo(sql, "\n  AND %s %s '%s'::timestamp",
							 text, comparison,
							 sw_bound_format_timestamp(converted.local, false));
		else
			appendStringInfo(sql, "\n  AND %s %s '%s'::date",
							 text, comparison,
							 sw_bound_format_next_day(converted.local));
		if (converted.is_exact)
			return;
	}
	appendStringInfo(sql, "\n  AND %s::timestamptz %s '%s'::timestamptz",
					 text, comparison, sw_bound_format_timestamp(bound, true));
}

void
sw_bound_append(StringInfo sql, const char *text, Oid type,
				TimestampTz start, TimestampTz end)
{
	sw_bound_append_side(sql, text, type, start, false);
	sw_bound_append_side(sql, text, type, end, true);
}
