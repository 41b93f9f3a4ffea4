/*-------------------------------------------------------------------------
 *
 * sw_schedule.c
 *	  When a pipeline's ticks are.
 *
 * Contract: sw_schedule.h.  Zones are the server's own; needs no transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "catalog/sw_settings.h"
#include "port/sw_compat.h"
#include "sync/sw_board.h"
#include "sync/sw_schedule.h"

#define MAX_MINUTES (24 * 60)

/* Of a form that is known; more of them make it none. */
#define MAX_WORDS 3

SW_NORETURN static void
refuse(const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid schedule \"%s\"", text),
			 detail != NULL ? errdetail_internal("%s", detail) : 0,
			 errhint("Use \"every 1 hour\" to \"every 24 hours\", \"every 15 minutes\" or another number of minutes, \"daily 08:00 Asia/Shanghai\" or \"manual\".")));
}

/* Its words, in a copy; more than MAX_WORDS are counted as one more. */
static int
split_words(const char *text, char *words[MAX_WORDS])
{
	char	   *at = pstrdup(text);
	int			n_words = 0;

	for (;;)
	{
		while (isspace((unsigned char) *at))
			at++;
		if (*at == '\0')
			return n_words;
		if (n_words == MAX_WORDS)
			return MAX_WORDS + 1;
		words[n_words++] = at;
		while (*at != '\0' && !isspace((unsigned char) *at))
			at++;
		if (*at != '\0')
			*at++ = '\0';
	}
}

/* Of one to max_digits decimal digits; -1 when text is anything else. */
static int
parse_number(const char *text, int max_digits)
{
	int			number = 0;
	int			i;

	for (i = 0; isdigit((unsigned char) text[i]) && i < max_digits; i++)
		number = number * 10 + (text[i] - '0');
	return i > 0 && text[i] == '\0' ? number : -1;
}

static void
parse_every(const char *text, const char *count, const char *unit,
			SwSchedule *schedule)
{
	int			number = parse_number(count, 5);
	int			minutes = number;
	bool		is_hours = pg_strcasecmp(unit, "hour") == 0 ||
	pg_strcasecmp(unit, "hours") == 0;

	if (number < 0)
		refuse(text, NULL);
	if (is_hours)
		minutes *= 60;
	else if (pg_strcasecmp(unit, "minute") != 0 &&
			 pg_strcasecmp(unit, "minutes") != 0)
		refuse(text, NULL);
	if (minutes < 1 || minutes > MAX_MINUTES)
		refuse(text, "It must be 1 minute to 24 hours.");
	schedule->kind = SW_SCHEDULE_EVERY;
	schedule->period_us = minutes * USECS_PER_MINUTE;
	schedule->text = psprintf("every %d %s%s", number,
							  is_hours ? "hour" : "minute",
							  number == 1 ? "" : "s");
}

static void
parse_daily(const char *text, char *time, const char *zone,
			SwSchedule *schedule)
{
	char	   *colon = strchr(time, ':');
	const char *canonical;

	if (colon == NULL)
		refuse(text, NULL);
	*colon = '\0';
	schedule->hour = parse_number(time, 2);
	schedule->minute = strlen(colon + 1) == 2 ? parse_number(colon + 1, 2) : -1;
	if (schedule->hour < 0 || schedule->hour > 23 ||
		schedule->minute < 0 || schedule->minute > 59)
		refuse(text, "The time must be 00:00 to 23:59.");
	canonical = sw_settings_canonical_timezone(zone);
	if (canonical == NULL)
		refuse(text, psprintf("Time zone \"%s\" does not exist; see pg_timezone_names.",
							  zone));
	schedule->kind = SW_SCHEDULE_DAILY;
	schedule->zone = pg_tzset(canonical);
	schedule->text = psprintf("daily %02d:%02d %s", schedule->hour,
							  schedule->minute, canonical);
}

void
sw_schedule_parse(const char *text, SwSchedule *schedule_out)
{
	char	   *words[MAX_WORDS];
	int			n_words = split_words(text, words);

	memset(schedule_out, 0, sizeof(*schedule_out));
	if (n_words == 1 && pg_strcasecmp(words[0], "manual") == 0)
	{
		schedule_out->kind = SW_SCHEDULE_MANUAL;
		schedule_out->text = pstrdup("manual");
	}
	else if (n_words == 3 && pg_strcasecmp(words[0], "every") == 0)
		parse_every(text, words[1], words[2], schedule_out);
	else if (n_words == 3 && pg_strcasecmp(words[0], "daily") == 0)
		parse_daily(text, words[1], words[2], schedule_out);
	else
		refuse(text, NULL);
}

static TimestampTz
next_period(int64 period_us, TimestampTz created_at, TimestampTz after)
{
	if (after < created_at)
		return created_at + period_us;
	return created_at + ((after - created_at) / period_us + 1) * period_us;
}

static void
break_down(TimestampTz instant, pg_tz *zone, struct pg_tm *tm, int *offset_out)
{
	fsec_t		fsec;
	const char *abbreviation;

	if (timestamp2tm(instant, offset_out, tm, &fsec, &abbreviation, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
}

/* When clocks in the zone show the schedule's time on that (Julian) day. */
static TimestampTz
instant_of_day(const SwSchedule *schedule, int day)
{
	struct pg_tm tm = {0};
	struct pg_tm ignored;
	TimestampTz instant;
	TimestampTz earlier;
	int			offset;
	int			offset_before;
	int			offset_then;

	j2date(day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_hour = schedule->hour;
	tm.tm_min = schedule->minute;

	/* Of a time that is skipped, this is what is wanted. */
	offset = DetermineTimeZoneOffset(&tm, schedule->zone);
	if (tm2timestamp(&tm, 0, &offset, &instant) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));

	/*
	 * Of one that is shown twice it is the second.  Then what was the offset
	 * before gives the first, when it still was the offset.
	 */
	break_down(instant - USECS_PER_DAY, schedule->zone, &ignored, &offset_before);
	earlier = instant + (offset_before - offset) * USECS_PER_SEC;
	if (earlier < instant)
	{
		break_down(earlier, schedule->zone, &ignored, &offset_then);
		if (offset_then == offset_before)
			return earlier;
	}
	return instant;
}

static TimestampTz
next_day(const SwSchedule *schedule, TimestampTz after)
{
	struct pg_tm tm;
	int			offset;
	int			day;

	break_down(after, schedule->zone, &tm, &offset);
	for (day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - 1;; day++)
	{
		TimestampTz instant = instant_of_day(schedule, day);

		if (instant > after)
			return instant;
	}
}

TimestampTz
sw_schedule_next(const SwSchedule *schedule, TimestampTz created_at,
				 TimestampTz after)
{
	switch (schedule->kind)
	{
		case SW_SCHEDULE_EVERY:
			return next_period(schedule->period_us, created_at, after);
		case SW_SCHEDULE_DAILY:
			return next_day(schedule, after);
		case SW_SCHEDULE_MANUAL:
			return SW_NEVER;
	}
	return SW_NEVER;
}

int64
sw_schedule_interval_us(const Interval *interval)
{
	return interval->time + USECS_PER_DAY *
		(interval->day + (int64) interval->month * DAYS_PER_MONTH);
}
