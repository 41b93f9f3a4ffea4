/*-------------------------------------------------------------------------
 *
 * sw_json_value.c
 *	  JSON values that are judged: date-times, and numbers of binary targets.
 *
 * Both work on JSON text, whatever the document came as.  Contract:
 * sw_json_writer.h.  Throws what the judge throws.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "datatype/timestamp.h"

#include "common/sw_datetime.h"
#include "source/sw_json_writer.h"

/* A longer string is no date-time. */
#define MAX_DATETIME_BYTES	64

#define MS_PER_DAY			((int64) SECS_PER_DAY * 1000)

/* Any number of so few characters, none of them an "e", is a double's. */
#define MAX_SHORT_NUMBER	DBL_DIG

/* Digits that a double's shortest text has at most, and those of int64. */
#define MAX_DOUBLE_DIGITS	17
#define MAX_INT64_DIGITS	19

/* Beyond the exponents of doubles. */
#define MAX_EXPONENT		400

/* ---- date-times ---- */

/* A piece of JSON text being read. */
typedef struct ValueCursor
{
	const char *at;
	const char *end;
} ValueCursor;

static void
sw_json_skip_blanks(ValueCursor *cursor)
{
	while (cursor->at < cursor->end &&
		   (*cursor->at == ' ' || *cursor->at == '\t' ||
			*cursor->at == '\n' || *cursor->at == '\r'))
		cursor->at++;
}

static bool
sw_json_take(ValueCursor *cursor, char expected)
{
	sw_json_skip_blanks(cursor);
	if (cursor->at == cursor->end || *cursor->at != expected)
		return false;
	cursor->at++;
	return true;
}

/* Four hexadecimal digits that are ASCII. */
static bool
sw_json_take_ascii(ValueCursor *cursor, char *c)
{
	int			code = 0;
	int			i;

	if (cursor->end - cursor->at < 4)
		return false;
	for (i = 0; i < 4; i++)
	{
		static const char digits[] = "0123456789abcdef";
		const char *digit = strchr(digits, pg_tolower((unsigned char) *cursor->at++));

		if (digit == NULL || *digit == '\0')
			return false;
		code = code * 16 + (int) (digit - digits);
	}
	*c = (char) code;
	return code > 0 && code < 0x80;
}

/*
 * A string of ASCII characters without controls, into bytes; false for
 * others and for longer ones.
 */
static bool
sw_json_take_short(ValueCursor *cursor, char *bytes, Size *n_bytes)
{
	Size		n = 0;

	if (!sw_json_take(cursor, '"'))
		return false;
	while (cursor->at < cursor->end && *cursor->at != '"')
	{
		char		c = *cursor->at++;

		if (n == MAX_DATETIME_BYTES)
			return false;
		if (c == '\\')
		{
			if (cursor->at == cursor->end)
				return false;
			c = *cursor->at++;
			if (c == 'u' ? !sw_json_take_ascii(cursor, &c) : c != '/')
				return false;
		}
		bytes[n++] = c;
	}
	*n_bytes = n;
	return sw_json_take(cursor, '"');
}

static bool
sw_json_take_name(ValueCursor *cursor, const char *name)
{
	char		bytes[MAX_DATETIME_BYTES];
	Size		n_bytes;

	return sw_json_take_short(cursor, bytes, &n_bytes) &&
		n_bytes == strlen(name) && memcmp(bytes, name, n_bytes) == 0 &&
		sw_json_take(cursor, ':');
}

/* A string, or a number of the given unit. */
static bool
sw_json_take_time(ValueCursor *cursor, bool may_be_text, SwEpochUnit unit,
				  SwDateTime *time)
{
	const char *number;

	sw_json_skip_blanks(cursor);
	if (cursor->at < cursor->end && *cursor->at == '"')
	{
		char		bytes[MAX_DATETIME_BYTES];
		Size		n_bytes;

		if (!sw_json_take_short(cursor, bytes, &n_bytes))
			return false;
		return may_be_text ? sw_datetime_parse_text(bytes, n_bytes, time) :
			sw_datetime_parse_epoch(bytes, n_bytes, unit, time);
	}
	number = cursor->at;
	while (cursor->at < cursor->end && *cursor->at != '\0' &&
		   strchr("+-.0123456789eE", *cursor->at) != NULL)
		cursor->at++;
	return sw_datetime_parse_epoch(number, cursor->at - number, unit, time);
}

/* {"$date": ...} of a string, of milliseconds, or of {"$numberLong": ...}. */
static bool
sw_json_take_date_object(ValueCursor *cursor, SwDateTime *time)
{
	if (!sw_json_take(cursor, '{') || !sw_json_take_name(cursor, "$date"))
		return false;
	if (sw_json_take(cursor, '{'))
	{
		if (!sw_json_take_name(cursor, "$numberLong") ||
			!sw_json_take_time(cursor, false, SW_EPOCH_MS, time) ||
			!sw_json_take(cursor, '}'))
			return false;
	}
	else if (!sw_json_take_time(cursor, true, SW_EPOCH_MS, time))
		return false;
	return sw_json_take(cursor, '}') && cursor->at == cursor->end;
}

static void
sw_json_put_ms(SwJsonWriter *writer, int64 local_ms)
{
	sw_json_reserve(writer, SW_DATETIME_BYTES + 2);
	*writer->at++ = '"';
	sw_datetime_format(local_ms, writer->at);
	writer->at += SW_DATETIME_BYTES;
	*writer->at++ = '"';
}

/*
 * What the zone's clock shows; out of the limits if that is out of years 1
 * to 9999.
 */
static int64
sw_json_find_local(SwJsonWriter *writer, const SwDateTime *time)
{
	int64		utc_ms = time->ms;

	if (utc_ms < SW_DATETIME_MIN_MS - MS_PER_DAY ||
		utc_ms > SW_DATETIME_MAX_MS + MS_PER_DAY)
		return utc_ms;
	if (time->is_local)
		utc_ms = sw_zone_read(&writer->zone, utc_ms);
	return sw_zone_show(&writer->zone, utc_ms);
}

static bool
sw_json_fits_years(int64 local_ms)
{
	return local_ms >= SW_DATETIME_MIN_MS && local_ms <= SW_DATETIME_MAX_MS;
}

bool
sw_json_try_datetime(SwJsonWriter *writer, const char *bytes, Size n_bytes)
{
	SwDateTime	time;
	int64		local_ms;

	if (n_bytes > MAX_DATETIME_BYTES ||
		!sw_datetime_parse_text(bytes, n_bytes, &time))
		return false;
	local_ms = sw_json_find_local(writer, &time);
	if (!sw_json_fits_years(local_ms))
		return false;
	sw_json_put_ms(writer, local_ms);
	return true;
}

SwJsonOutcome
sw_json_put_datetime(SwJsonWriter *writer, const char *value, Size n_bytes,
					 const SwJsonPlace *place)
{
	ValueCursor cursor = {value, value + n_bytes};
	SwDateTime	time;
	int64		local_ms = 0;
	bool		is_time;
	SwJsonVerdict verdict;

	if (n_bytes > 0 && *value == 'n')
		return SW_JSON_KEEP;
	if (n_bytes > 0 && *value == '{')
		is_time = sw_json_take_date_object(&cursor, &time);
	else
		is_time = sw_json_take_time(&cursor, true, SW_EPOCH_BY_MAGNITUDE,
									&time) && cursor.at == cursor.end;
	if (is_time)
	{
		local_ms = sw_json_find_local(writer, &time);
		if (sw_json_fits_years(local_ms))
		{
			sw_json_put_ms(writer, local_ms);
			return SW_JSON_WRITTEN;
		}
	}

	verdict = sw_json_ask(writer, is_time ? SW_JSON_DATETIME_RANGE :
						  SW_JSON_NO_DATETIME, place, value, n_bytes);
	if (verdict == SW_JSON_STOP)
		return SW_JSON_HALT;
	if (verdict == SW_JSON_PUT_TEXT)
		return SW_JSON_KEEP;
	if (verdict == SW_JSON_PUT_NEAREST && is_time)
		sw_json_put_ms(writer, local_ms < SW_DATETIME_MIN_MS ?
					   SW_DATETIME_MIN_MS : SW_DATETIME_MAX_MS);
	else
		sw_json_put_bytes(writer, "null", 4);
	return SW_JSON_WRITTEN;
}

/* ---- numbers ---- */

/* 0.digits times 10 to the exponent; digits begin and end with none of 0. */
typedef struct Decimal
{
	bool		is_negative;
	char		digits[MAX_INT64_DIGITS + 1];
	int			n_digits;		/* may be more than fit; 0: zero */
	int64		exponent;
} Decimal;

/* The number is a valid one of JSON. */
static void
sw_json_split_number(const char *text, Size n_bytes, Decimal *decimal)
{
	const char *end = text + n_bytes;
	int64		n_zeros = 0;	/* seen, but not yet known to be inner ones */
	int64		exponent = 0;
	bool		has_point = false;

	memset(decimal, 0, sizeof(*decimal));
	decimal->is_negative = text < end && *text == '-';
	if (decimal->is_negative)
		text++;
	for (; text < end && *text != 'e' && *text != 'E'; text++)
	{
		if (*text == '.')
		{
			has_point = true;
			continue;
		}
		if (decimal->n_digits == 0 && *text == '0')
		{
			if (has_point)
				decimal->exponent--;
			continue;
		}
		if (!has_point)
			decimal->exponent++;
		if (*text == '0')
		{
			n_zeros++;
			continue;
		}
		for (; n_zeros > 0; n_zeros--)
		{
			if (decimal->n_digits < MAX_INT64_DIGITS)
				decimal->digits[decimal->n_digits] = '0';
			decimal->n_digits++;
		}
		if (decimal->n_digits < MAX_INT64_DIGITS)
			decimal->digits[decimal->n_digits] = *text;
		decimal->n_digits++;
	}
	if (text < end)
	{
		bool		is_negative = *++text == '-';

		for (text += *text == '-' || *text == '+' ? 1 : 0; text < end; text++)
			exponent = Min(exponent * 10 + (*text - '0'), PG_INT32_MAX);
		decimal->exponent += is_negative ? -exponent : exponent;
	}
}

static bool
sw_json_is_int64(const Decimal *decimal)
{
	uint64		value = 0;
	int64		i;

	if (decimal->exponent < decimal->n_digits ||
		decimal->exponent > MAX_INT64_DIGITS)
		return false;
	for (i = 0; i < decimal->exponent; i++)
		value = value * 10 + (i < decimal->n_digits ? decimal->digits[i] - '0' : 0);
	return value <= (uint64) PG_INT64_MAX + (decimal->is_negative ? 1 : 0);
}

/* Is it a double's shortest decimal text, trailing zeros aside? */
static bool
sw_json_is_double(const Decimal *decimal)
{
	Decimal		shortest;
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN + MAX_INT64_DIGITS + 16];
	double		number;

	if (decimal->n_digits <= DBL_DIG && decimal->exponent > DBL_MIN_10_EXP &&
		decimal->exponent <= DBL_MAX_10_EXP)
		return true;
	if (decimal->n_digits > MAX_DOUBLE_DIGITS ||
		decimal->exponent > MAX_EXPONENT || decimal->exponent < -MAX_EXPONENT)
		return false;
	snprintf(buffer, sizeof(buffer), "0.%se%d", decimal->digits,
			 (int) decimal->exponent);
	number = strtod(buffer, NULL);
	if (isinf(number) || number == 0)
		return false;
	double_to_shortest_decimal_buf(number, buffer);
	sw_json_split_number(buffer, strlen(buffer), &shortest);
	return shortest.n_digits == decimal->n_digits &&
		shortest.exponent == decimal->exponent &&
		memcmp(shortest.digits, decimal->digits, decimal->n_digits) == 0;
}

bool
sw_json_number_survives(const char *text, Size n_bytes)
{
	Decimal		decimal;
	bool		has_exponent = memchr(text, 'e', n_bytes) != NULL ||
	memchr(text, 'E', n_bytes) != NULL;

	if (n_bytes <= MAX_SHORT_NUMBER && !has_exponent)
		return true;

	sw_json_split_number(text, n_bytes, &decimal);
	if (decimal.n_digits == 0 || sw_json_is_int64(&decimal))
		return true;

	/* Readers of binary JSON refuse digits alone that are beyond 64 bits. */
	return (has_exponent || memchr(text, '.', n_bytes) != NULL) &&
		sw_json_is_double(&decimal);
}

/* The double nearest to a number, in JSON text. */
static void
sw_json_put_nearest(SwJsonWriter *writer, const char *text)
{
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN];
	double		number = strtod(text, NULL);

	if (isinf(number))
		number = number < 0 ? -DBL_MAX : DBL_MAX;
	double_to_shortest_decimal_buf(number, buffer);
	sw_json_put_bytes(writer, buffer, strlen(buffer));
}

/* The same number, written so that it is read as the double it is. */
static void
sw_json_put_decimal(SwJsonWriter *writer, const Decimal *decimal)
{
	char		buffer[MAX_INT64_DIGITS + 32];
	int			n_bytes;

	n_bytes = snprintf(buffer, sizeof(buffer), "%s%c%s%.*se%+d",
					   decimal->is_negative ? "-" : "", decimal->digits[0],
					   decimal->n_digits > 1 ? "." : "",
					   decimal->n_digits - 1, decimal->digits + 1,
					   (int) decimal->exponent - 1);
	sw_json_put_bytes(writer, buffer, n_bytes);
}

SwJsonOutcome
sw_json_put_number(SwJsonWriter *writer, const char *text, Size n_bytes,
				   const SwJsonPlace *place)
{
	char	   *number = pnstrdup(text, n_bytes);
	SwJsonVerdict verdict;
	Decimal		decimal;

	sw_json_split_number(number, n_bytes, &decimal);
	if (sw_json_is_double(&decimal))
	{
		sw_json_put_decimal(writer, &decimal);
		pfree(number);
		return SW_JSON_WRITTEN;
	}

	verdict = sw_json_ask(writer, SW_JSON_NUMBER, place, number, n_bytes);
	switch (verdict)
	{
		case SW_JSON_STOP:
			break;
		case SW_JSON_PUT_NULL:
			sw_json_put_bytes(writer, "null", 4);
			break;
		case SW_JSON_PUT_NEAREST:
			sw_json_put_nearest(writer, number);
			break;
		case SW_JSON_PUT_TEXT:
			sw_json_put_string(writer, number, n_bytes);
			break;
	}
	pfree(number);
	return verdict == SW_JSON_STOP ? SW_JSON_HALT : SW_JSON_WRITTEN;
}
