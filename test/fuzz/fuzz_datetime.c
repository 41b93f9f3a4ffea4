/*-------------------------------------------------------------------------
 *
 * fuzz_datetime.c
 *	  Fuzzer: date-times as programs write them.
 *
 * Properties:
 *	 - nothing behind the text is read
 *	 - what is read and within the years is written in 23 characters that are
 *	   read as the same wall clock time
 *	 - a number given by magnitude is no later than them; text that is a
 *	   number is read as the number is
 *	 - a digit more behind the fraction does not change what is read, nor
 *	   does an offset change a wall clock time by 16 hours or more
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "common/sw_datetime.h"

#define MAX_INPUT_BYTES 200
#define MAX_OFFSET_MS	(INT64CONST(16) * 3600 * 1000)

static bool
is_in_years(int64 ms)
{
	return ms >= SW_DATETIME_MIN_MS && ms <= SW_DATETIME_MAX_MS;
}

static void
check_written(int64 ms)
{
	char		text[SW_DATETIME_BYTES];
	SwDateTime	again;

	if (!is_in_years(ms))
		return;
	sw_datetime_format(ms, text);
	fuzz_check(sw_datetime_parse_text(text, SW_DATETIME_BYTES, &again));
	fuzz_check(again.is_local && again.ms == ms);
}

static void
check_text(const char *bytes, Size len)
{
	SwDateTime	time;
	SwDateTime	number;
	SwDateTime	other;
	char		longer[MAX_INPUT_BYTES + 8];

	if (!sw_datetime_parse_text(bytes, len, &time))
		return;
	fuzz_check(len > 0);
	check_written(time.ms);

	if (sw_datetime_parse_epoch(bytes, len, SW_EPOCH_BY_MAGNITUDE, &number) &&
		!time.is_local)
		fuzz_check(number.ms == time.ms && !number.is_local);
	if (!time.is_local)
		return;

	memcpy(longer, bytes, len);
	memcpy(longer + len, "-15:59", 6);
	if (sw_datetime_parse_text(longer, len + 6, &other))
		fuzz_check(!other.is_local && other.ms > time.ms &&
				   other.ms - time.ms < MAX_OFFSET_MS);
	longer[len] = '9';
	if (memchr(bytes, '.', len) != NULL && len >= SW_DATETIME_BYTES)
		fuzz_check(sw_datetime_parse_text(longer, len + 1, &other) &&
				   other.ms == time.ms);
}

static void
check_number(const char *bytes, Size len)
{
	SwDateTime	time;

	if (sw_datetime_parse_epoch(bytes, len, SW_EPOCH_BY_MAGNITUDE, &time))
	{
		fuzz_check(!time.is_local && time.ms <= SW_DATETIME_MAX_MS);
		check_written(time.ms);
	}
	if (sw_datetime_parse_epoch(bytes, len, SW_EPOCH_MS, &time))
		check_written(time.ms);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	char	   *bytes;

	if (len > MAX_INPUT_BYTES)
		return 0;
	bytes = fuzz_copy_exactly(data, len);
	check_text(bytes, len);
	check_number(bytes, len);
	pfree(bytes);
	return 0;
}
