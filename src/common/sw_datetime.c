/*-------------------------------------------------------------------------
 *
 * sw_datetime.c
 *	  Date-times as programs write them: reading, and one way of writing.
 *
 * Pure: never throws, allocates nothing.  The texts are hostile.  Forms:
 * ISO 8601-1:2019 (calendar dates), RFC 3339.  Contract: sw_datetime.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_datetime.h"

#define MS_PER_SECOND	INT64CONST(1000)
#define MS_PER_DAY		(INT64CONST(86400) * MS_PER_SECOND)
#define DAYS_PER_ERA	146097	/* 400 years */

/* Days from 0000-03-01, where eras begin, to 1970-01-01. */
#define EPOCH_DAYS		719468

#define MAX_OFFSET_HOURS 15

/* Digits before the point that still are seconds, and so on. */
#define MAX_SECONDS_DIGITS		11
#define MAX_MS_DIGITS			14
#define MAX_US_DIGITS			17
#define MAX_GIVEN_MS_DIGITS		16

/* Digits before the point that make a text a number of seconds. */
#define MIN_TEXT_DIGITS			9

/* A larger exponent is not looked at: no date-time is there. */
#define MAX_EXPONENT	1000

/* A text being read. */
typedef struct DateCursor
{
	const char *at;
	const char *end;
} DateCursor;

static inline char
sw_datetime_peek(const DateCursor *cursor)
{
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

static inline bool
sw_datetime_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
sw_datetime_take(DateCursor *cursor, char expected)
{
	if (cursor->at == cursor->end || *cursor->at != expected)
		return false;
	cursor->at++;
	return true;
}

/* A number of exactly n digits, within limits. */
static bool
sw_datetime_take_number(DateCursor *cursor, int n_digits, int min, int max,
						int *number)
{
	int			value = 0;
	int			i;

	if (cursor->end - cursor->at < n_digits)
		return false;
	for (i = 0; i < n_digits; i++)
	{
		if (!sw_datetime_is_digit(cursor->at[i]))
			return false;
		value = value * 10 + (cursor->at[i] - '0');
	}
	cursor->at += n_digits;
	*number = value;
	return value >= min && value <= max;
}

/* ---- calendar ---- */

static int
sw_datetime_count_month_days(int year, int month)
{
	static const uint8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

/*
 * Days since 1970-01-01 of a date in years 0 to 9999.  Years are counted from
 * March, so that a leap day is the last of its year.
 */
static int64
sw_datetime_count_days(int year, int month, int day)
{
	int			shifted_year = month > 2 ? year : year - 1;
	int			month_from_march = (month + 9) % 12;
	int			era = (shifted_year >= 0 ? shifted_year : shifted_year - 399) / 400;
	int			year_of_era = shifted_year - era * 400;
	int			day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

	return (int64) era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year - EPOCH_DAYS;
}

/* The other way round, for days in years 1 to 9999. */
static void
sw_datetime_find_date(int64 days, int *year, int *month, int *day)
{
	int			day_of_era = (int) ((days + EPOCH_DAYS) % DAYS_PER_ERA);
	int			era = (int) ((days + EPOCH_DAYS) / DAYS_PER_ERA);
	int			year_of_era = (day_of_era - day_of_era / 1460 +
							   day_of_era / 36524 - day_of_era / 146096) / 365;
	int			day_of_year = day_of_era - (365 * year_of_era +
											year_of_era / 4 - year_of_era / 100);
	int			month_from_march = (5 * day_of_year + 2) / 153;

	*day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	*month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	*year = era * 400 + year_of_era + (*month <= 2 ? 1 : 0);
}

/* ---- dates and times of day ---- */

/* YYYY-MM-DD or, if compact, YYYYMMDD. */
static bool
sw_datetime_take_date(DateCursor *cursor, bool is_compact, int64 *ms)
{
	int			year;
	int			month;
	int			day;

	if (!sw_datetime_take_number(cursor, 4, 0, 9999, &year) ||
		(!is_compact && !sw_datetime_take(cursor, '-')) ||
		!sw_datetime_take_number(cursor, 2, 1, 12, &month) ||
		(!is_compact && !sw_datetime_take(cursor, '-')) ||
		!sw_datetime_take_number(cursor, 2, 1,
								 sw_datetime_count_month_days(year, month),
								 &day))
		return false;
	*ms = sw_datetime_count_days(year, month, day) * MS_PER_DAY;
	return true;
}

/* What follows the point of seconds: any number of digits, but some. */
static bool
sw_datetime_take_fraction(DateCursor *cursor, int *ms)
{
	int			unit = 100;

	if (!sw_datetime_is_digit(sw_datetime_peek(cursor)))
		return false;
	*ms = 0;
	while (sw_datetime_is_digit(sw_datetime_peek(cursor)))
	{
		*ms += (*cursor->at++ - '0') * unit;
		unit /= 10;
	}
	return true;
}

/* HH, HH:MM, HH:MM:SS, HH:MM:SS.f, or without the colons. */
static bool
sw_datetime_take_time(DateCursor *cursor, int64 *ms)
{
	int			hour;
	int			minute = 0;
	int			second = 0;
	int			fraction = 0;
	bool		has_colons;
	char		next;

	if (!sw_datetime_take_number(cursor, 2, 0, 24, &hour))
		return false;
	has_colons = sw_datetime_take(cursor, ':');
	if (has_colons || sw_datetime_is_digit(sw_datetime_peek(cursor)))
	{
		if (!sw_datetime_take_number(cursor, 2, 0, 59, &minute))
			return false;
		if (has_colons ? sw_datetime_take(cursor, ':') :
			sw_datetime_is_digit(sw_datetime_peek(cursor)))
		{
			if (!sw_datetime_take_number(cursor, 2, 0, 60, &second))
				return false;
			next = sw_datetime_peek(cursor);
			if (next == '.' || next == ',')
			{
				cursor->at++;
				if (!sw_datetime_take_fraction(cursor, &fraction))
					return false;
			}
		}
	}
	if (hour == 24 && (minute != 0 || second != 0 || fraction != 0))
		return false;
	*ms = ((hour * 60 + minute) * 60 + second) * MS_PER_SECOND + fraction;
	return true;
}

/* Z, +HH, +HHMM, +HH:MM, +HH:MM:SS, and their negatives. */
static bool
sw_datetime_take_offset(DateCursor *cursor, int64 *ms)
{
	int			hours;
	int			minutes = 0;
	int			seconds = 0;
	bool		is_negative;
	bool		has_colons;

	if (sw_datetime_take(cursor, 'Z') || sw_datetime_take(cursor, 'z'))
	{
		*ms = 0;
		return true;
	}
	is_negative = sw_datetime_take(cursor, '-');
	if (!is_negative && !sw_datetime_take(cursor, '+'))
		return false;
	if (!sw_datetime_take_number(cursor, 2, 0, MAX_OFFSET_HOURS, &hours))
		return false;
	has_colons = sw_datetime_take(cursor, ':');
	if (has_colons || cursor->at < cursor->end)
	{
		if (!sw_datetime_take_number(cursor, 2, 0, 59, &minutes))
			return false;
		if (has_colons && sw_datetime_take(cursor, ':') &&
			!sw_datetime_take_number(cursor, 2, 0, 59, &seconds))
			return false;
	}
	*ms = ((hours * 60 + minutes) * 60 + seconds) * MS_PER_SECOND;
	if (is_negative)
		*ms = -*ms;
	return true;
}

/*
 * A date, and what may follow.  n_digits, of those that the text begins
 * with, tells the form: 4, 8 or 14.
 */
static bool
sw_datetime_parse_calendar(const char *text, Size n_bytes, int n_digits,
						   SwDateTime *result)
{
	DateCursor	cursor = {text, text + n_bytes};
	int64		time_ms = 0;
	int64		offset_ms = 0;

	if (!sw_datetime_take_date(&cursor, n_digits != 4, &result->ms))
		return false;
	result->is_local = true;
	if (cursor.at == cursor.end)
		return true;

	if (n_digits != 14 && !sw_datetime_take(&cursor, 'T') &&
		!sw_datetime_take(&cursor, ' ') && !sw_datetime_take(&cursor, 't'))
		return false;
	if (!sw_datetime_take_time(&cursor, &time_ms))
		return false;
	result->ms += time_ms;
	if (cursor.at == cursor.end)
		return true;

	(void) sw_datetime_take(&cursor, ' ');
	if (!sw_datetime_take_offset(&cursor, &offset_ms) ||
		cursor.at != cursor.end)
		return false;
	result->ms -= offset_ms;
	result->is_local = false;
	return true;
}

/* ---- numbers ---- */

/* A number taken apart. */
typedef struct EpochNumber
{
	bool		is_negative;
	const char *first;			/* first digit that is not zero */
	const char *end;			/* of the digits, a point among them */
	int64		n_whole;		/* of the digits, how many are before the
								 * point once the exponent has moved it; may
								 * be negative */
} EpochNumber;

/* What follows an "e"; huge ones are cut, the sign is kept. */
static bool
sw_datetime_take_exponent(DateCursor *cursor, int *exponent)
{
	bool		is_negative = sw_datetime_take(cursor, '-');
	int			value = 0;

	if (!is_negative)
		(void) sw_datetime_take(cursor, '+');
	if (!sw_datetime_is_digit(sw_datetime_peek(cursor)))
		return false;
	while (sw_datetime_is_digit(sw_datetime_peek(cursor)))
	{
		value = Min(value * 10 + (*cursor->at - '0'), MAX_EXPONENT);
		cursor->at++;
	}
	*exponent = is_negative ? -value : value;
	return true;
}

static bool
sw_datetime_split_number(const char *text, Size n_bytes, EpochNumber *number)
{
	DateCursor	cursor = {text, text + n_bytes};
	const char *digits;
	const char *point = NULL;
	int			exponent = 0;

	number->is_negative = sw_datetime_take(&cursor, '-');
	if (!number->is_negative)
		(void) sw_datetime_take(&cursor, '+');
	digits = cursor.at;
	while (sw_datetime_is_digit(sw_datetime_peek(&cursor)))
		cursor.at++;
	if (cursor.at == digits)
		return false;
	if (sw_datetime_peek(&cursor) == '.')
	{
		point = cursor.at++;
		if (!sw_datetime_is_digit(sw_datetime_peek(&cursor)))
			return false;
		while (sw_datetime_is_digit(sw_datetime_peek(&cursor)))
			cursor.at++;
	}
	number->end = cursor.at;
	if ((sw_datetime_take(&cursor, 'e') || sw_datetime_take(&cursor, 'E')) &&
		!sw_datetime_take_exponent(&cursor, &exponent))
		return false;
	if (cursor.at != cursor.end)
		return false;

	if (point == NULL)
		point = number->end;
	while (digits < number->end && (*digits == '0' || *digits == '.'))
		digits++;
	number->first = digits;
	if (digits < point)
		number->n_whole = (point - digits) + exponent;
	else
		number->n_whole = (point + 1 - digits) + exponent;
	return true;
}

/* The first n_digits of a number, those that it has not being zeros. */
static int64
sw_datetime_take_whole(const EpochNumber *number, int64 n_digits)
{
	const char *c = number->first;
	int64		value = 0;
	bool		is_cut = false;

	for (; c < number->end && n_digits > 0; c++)
	{
		if (*c == '.')
			continue;
		value = value * 10 + (*c - '0');
		n_digits--;
	}
	for (; n_digits > 0; n_digits--)
		value *= 10;
	for (; c < number->end; c++)
		is_cut = is_cut || (*c != '.' && *c != '0');
	if (!number->is_negative)
		return value;
	return is_cut ? -value - 1 : -value;
}

bool
sw_datetime_parse_epoch(const char *text, Size n_bytes, SwEpochUnit unit,
						SwDateTime *result)
{
	EpochNumber number;
	int			shift = 0;

	if (!sw_datetime_split_number(text, n_bytes, &number))
		return false;
	result->is_local = false;
	result->ms = 0;
	if (number.first == number.end)
		return true;			/* zero, whatever its exponent */
	if (number.n_whole > (unit == SW_EPOCH_MS ? MAX_GIVEN_MS_DIGITS : MAX_US_DIGITS))
		return false;

	if (unit == SW_EPOCH_BY_MAGNITUDE && number.n_whole <= MAX_SECONDS_DIGITS)
		shift = 3;
	else if (unit == SW_EPOCH_BY_MAGNITUDE && number.n_whole > MAX_MS_DIGITS)
		shift = -3;
	result->ms = sw_datetime_take_whole(&number, number.n_whole + shift);
	return true;
}

/* ---- texts ---- */

bool
sw_datetime_parse_text(const char *text, Size n_bytes, SwDateTime *result)
{
	Size		n_sign = n_bytes > 0 && (*text == '-' || *text == '+') ? 1 : 0;
	Size		n_digits = n_sign;

	while (n_digits < n_bytes && sw_datetime_is_digit(text[n_digits]))
		n_digits++;
	n_digits -= n_sign;
	if (n_sign == 0 &&
		((n_digits == 4 && n_bytes > 4 && text[4] == '-') ||
		 (n_digits == 8 && (n_bytes == 8 || text[8] != '.')) ||
		 n_digits == 14))
		return sw_datetime_parse_calendar(text, n_bytes, (int) n_digits,
										  result);

	if (n_digits < MIN_TEXT_DIGITS ||
		memchr(text, 'e', n_bytes) != NULL ||
		memchr(text, 'E', n_bytes) != NULL)
		return false;
	return sw_datetime_parse_epoch(text, n_bytes, SW_EPOCH_BY_MAGNITUDE,
								   result);
}

static inline char *
sw_datetime_put_two(char *text, int number)
{
	text[0] = '0' + number / 10;
	text[1] = '0' + number % 10;
	return text + 2;
}

void
sw_datetime_format(int64 ms, char *text)
{
	int64		days = ms / MS_PER_DAY;
	int			rest = (int) (ms % MS_PER_DAY);
	int			year;
	int			month;
	int			day;

	Assert(ms >= SW_DATETIME_MIN_MS && ms <= SW_DATETIME_MAX_MS);
	if (rest < 0)
	{
		days--;
		rest += MS_PER_DAY;
	}
	sw_datetime_find_date(days, &year, &month, &day);
	text = sw_datetime_put_two(text, year / 100);
	text = sw_datetime_put_two(text, year % 100);
	*text++ = '-';
	text = sw_datetime_put_two(text, month);
	*text++ = '-';
	text = sw_datetime_put_two(text, day);
	*text++ = ' ';
	text = sw_datetime_put_two(text, rest / (3600 * MS_PER_SECOND));
	*text++ = ':';
	text = sw_datetime_put_two(text, rest / (60 * MS_PER_SECOND) % 60);
	*text++ = ':';
	text = sw_datetime_put_two(text, rest / MS_PER_SECOND % 60);
	*text++ = '.';
	*text++ = '0' + rest % 1000 / 100;
	(void) sw_datetime_put_two(text, rest % 100);
}
