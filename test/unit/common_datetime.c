/*-------------------------------------------------------------------------
 *
 * common_datetime.c
 *	  Date-times: every form that is read, what is refused, and the calendar.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_datetime.h"
#include "unit.h"

#define MS_PER_DAY INT64CONST(86400000)

/* What a text or number is read as; NULL: refused. */
typedef struct Sample
{
	const char *text;
	const char *expected;		/* with " local" or " utc" behind it */
} Sample;

static const Sample texts[] = {
	{"2024-02-29", "2024-02-29 00:00:00.000 local"},
	{"20240229", "2024-02-29 00:00:00.000 local"},
	{"2024-02-29T10", "2024-02-29 10:00:00.000 local"},
	{"2024-02-29T10:11", "2024-02-29 10:11:00.000 local"},
	{"2024-02-29T10:11:12", "2024-02-29 10:11:12.000 local"},
	{"2024-02-29t10:11:12z", "2024-02-29 10:11:12.000 utc"},
	{"2024-02-29 10:11:12", "2024-02-29 10:11:12.000 local"},
	{"2024-02-29 10:11:12.5", "2024-02-29 10:11:12.500 local"},
	{"2024-02-29 10:11:12,05", "2024-02-29 10:11:12.050 local"},
	{"2024-02-29 10:11:12.123999", "2024-02-29 10:11:12.123 local"},
	{"2024-02-29 10:11:12.123456789012345678Z", "2024-02-29 10:11:12.123 utc"},
	{"2024-02-29T10:11:12Z", "2024-02-29 10:11:12.000 utc"},
	{"2024-02-29T10:11:12+08:00", "2024-02-29 02:11:12.000 utc"},
	{"2024-02-29T10:11:12.999999-0330", "2024-02-29 13:41:12.999 utc"},
	{"2024-02-29 10:11:12+08", "2024-02-29 02:11:12.000 utc"},
	{"2024-02-29 10:11:12 +0800", "2024-02-29 02:11:12.000 utc"},
	{"2024-02-29 10:11:12 Z", "2024-02-29 10:11:12.000 utc"},
	{"2024-02-29T10:11-00:00", "2024-02-29 10:11:00.000 utc"},
	{"1900-01-01 00:00:00+08:05:43", "1899-12-31 15:54:17.000 utc"},
	{"1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59.999 utc"},
	{"20240229T101112", "2024-02-29 10:11:12.000 local"},
	{"20240229T101112.5Z", "2024-02-29 10:11:12.500 utc"},
	{"20240229T1011+0800", "2024-02-29 02:11:00.000 utc"},
	{"20240229 10", "2024-02-29 10:00:00.000 local"},
	{"20240229101112", "2024-02-29 10:11:12.000 local"},
	{"20240229101112.25", "2024-02-29 10:11:12.250 local"},
	{"20240229101112+0800", "2024-02-29 02:11:12.000 utc"},
	{"2024-12-31T24:00:00", "2025-01-01 00:00:00.000 local"},
	{"2024-12-31T24", "2025-01-01 00:00:00.000 local"},
	{"2016-12-31T23:59:60Z", "2017-01-01 00:00:00.000 utc"},
	{"2016-12-31T23:59:60.5Z", "2017-01-01 00:00:00.500 utc"},
	{"0001-01-01T00:00:00", "0001-01-01 00:00:00.000 local"},
	{"9999-12-31T23:59:59.999", "9999-12-31 23:59:59.999 local"},
	{"2000-02-29", "2000-02-29 00:00:00.000 local"},
	{"1700000000", "2023-11-14 22:13:20.000 utc"},
	{"+1700000000", "2023-11-14 22:13:20.000 utc"},
	{"1700000000.25", "2023-11-14 22:13:20.250 utc"},
	{"1700000000123", "2023-11-14 22:13:20.123 utc"},
	{"1700000000123456", "2023-11-14 22:13:20.123 utc"},
	{"-1700000000", "1916-02-18 01:46:40.000 utc"},
	{"999999999", "2001-09-09 01:46:39.000 utc"},

	{"", NULL}, {" ", NULL}, {"x", NULL}, {"now", NULL}, {"infinity", NULL},
	{"2024", NULL}, {"2024-02", NULL}, {"202402", NULL}, {"2024-060", NULL},
	{"2024-W09-4", NULL}, {"2024-2-9", NULL}, {"2024/02/29", NULL},
	{"29.02.2024", NULL}, {" 2024-02-29", NULL}, {"2024-02-29 ", NULL},
	{"2023-02-29", NULL}, {"1900-02-29", NULL}, {"2024-13-01", NULL},
	{"2024-00-10", NULL}, {"2024-04-31", NULL}, {"2024-04-00", NULL},
	{"0000-00-00 00:00:00", NULL}, {"20240230", NULL}, {"99999999", NULL},
	{"2024-02-29T", NULL}, {"2024-02-29T1", NULL}, {"2024-02-29T25", NULL},
	{"2024-02-29T10:", NULL}, {"2024-02-29T10:60", NULL},
	{"2024-02-29T10:11:61", NULL}, {"2024-02-29T10:11:12.", NULL},
	{"2024-02-29T10:11.5", NULL}, {"2024-02-29T24:00:01", NULL},
	{"2024-02-29T24:00:00.001", NULL}, {"2024-02-29T10:1112", NULL},
	{"2024-02-29T10:11:12+", NULL}, {"2024-02-29T10:11:12+8", NULL},
	{"2024-02-29T10:11:12+16:00", NULL}, {"2024-02-29T10:11:12+08:60", NULL},
	{"2024-02-29T10:11:12+08:", NULL}, {"2024-02-29T10:11:12+080", NULL},
	{"2024-02-29T10:11:12+08000", NULL}, {"2024-02-29T10:11:12ZZ", NULL},
	{"2024-02-29T10:11:12  Z", NULL}, {"2024-02-29T10:11:12 UTC", NULL},
	{"2024-02-29Z", NULL}, {"2024-02-29+08:00", NULL},
	{"20240229101160Z0", NULL}, {"20240229251112", NULL},
	{"12345678901234567890", NULL}, {"123456789012345678", NULL},
	{"1.7e9", NULL}, {"1700000000e0", NULL}, {"1700000000.", NULL},
	{"0", NULL}, {"-1", NULL}, {"12345678", NULL}, {"--1700000000", NULL},
	{"1700000000x", NULL}, {"0x1700000000", NULL}
};

static const Sample numbers[] = {
	{"0", "1970-01-01 00:00:00.000 utc"},
	{"0.000", "1970-01-01 00:00:00.000 utc"},
	{"0e99999", "1970-01-01 00:00:00.000 utc"},
	{"1", "1970-01-01 00:00:01.000 utc"},
	{"-1", "1969-12-31 23:59:59.000 utc"},
	{"1.7e9", "2023-11-14 22:13:20.000 utc"},
	{"17E+8", "2023-11-14 22:13:20.000 utc"},
	{"17000000000e-1", "2023-11-14 22:13:20.000 utc"},
	{"1700000000.0009", "2023-11-14 22:13:20.000 utc"},
	{"-0.0001", "1969-12-31 23:59:59.999 utc"},
	{"-0.001", "1969-12-31 23:59:59.999 utc"},
	{"0.0000000000000000000000000001", "1970-01-01 00:00:00.000 utc"},
	{"1e-999", "1970-01-01 00:00:00.000 utc"},
	{"99999999999", "5138-11-16 09:46:39.000 utc"},
	{"100000000000", "1973-03-03 09:46:40.000 utc"},
	{"99999999999999", "5138-11-16 09:46:39.999 utc"},
	{"100000000000000", "1973-03-03 09:46:40.000 utc"},
	{"99999999999999999", "5138-11-16 09:46:39.999 utc"},
	{"-1700000000123456", "1916-02-18 01:46:39.876 utc"},
	{"-1700000000123.5", "1916-02-18 01:46:39.876 utc"},
	{"20240229", "1970-08-23 06:17:09.000 utc"},
	{"100000000000000000", NULL}, {"1e17", NULL}, {"1e400", NULL},
	{"1e99999999999999999999", NULL}, {"", NULL}, {"-", NULL}, {"+", NULL},
	{".5", NULL}, {"5.", NULL}, {"1e", NULL}, {"1e+", NULL}, {"1x", NULL},
	{"NaN", NULL}, {"1 ", NULL}
};

static const Sample milliseconds[] = {
	{"0", "1970-01-01 00:00:00.000 utc"},
	{"1700000000123", "2023-11-14 22:13:20.123 utc"},
	{"1700000000", "1970-01-20 16:13:20.000 utc"},
	{"-62135596800000", "0001-01-01 00:00:00.000 utc"},
	{"253402300799999", "9999-12-31 23:59:59.999 utc"},
	{"253402300800000", "too late utc"},
	{"-62135596800001", "too early utc"},
	{"9223372036854775807", NULL}
};

static void
show(const SwDateTime *time, char *text, Size n_bytes)
{
	char		shown[SW_DATETIME_BYTES + 1] = "";

	if (time->ms < SW_DATETIME_MIN_MS)
		strlcpy(shown, "too early", sizeof(shown));
	else if (time->ms > SW_DATETIME_MAX_MS)
		strlcpy(shown, "too late", sizeof(shown));
	else
		sw_datetime_format(time->ms, shown);
	snprintf(text, n_bytes, "%s %s", shown, time->is_local ? "local" : "utc");
}

static void
check_sample(const Sample *sample, bool is_read, const SwDateTime *time)
{
	char		text[64] = "refused";
	char		name[128];

	if (is_read)
		show(time, text, sizeof(text));
	snprintf(name, sizeof(name), "\"%s\" is %s", sample->text,
			 sample->expected == NULL ? "refused" : sample->expected);
	unit_is_text(text, sample->expected == NULL ? "refused" : sample->expected,
				 name);
}

static void
check_texts(void)
{
	SwDateTime	time;

	for (int i = 0; i < (int) lengthof(texts); i++)
	{
		const char *text = texts[i].text;
		char	   *bytes = palloc(strlen(text) + 1);

		/* nothing is read behind it */
		memcpy(bytes, text, strlen(text));
		bytes[strlen(text)] = '7';
		check_sample(&texts[i],
					 sw_datetime_parse_text(bytes, strlen(text), &time), &time);
		pfree(bytes);
	}
}

static void
check_numbers(const Sample *samples, int n_samples, SwEpochUnit unit)
{
	SwDateTime	time;

	for (int i = 0; i < n_samples; i++)
		check_sample(&samples[i],
					 sw_datetime_parse_epoch(samples[i].text,
											 strlen(samples[i].text), unit,
											 &time), &time);
}

static bool
is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Every day of years 1 to 9999, counted by hand. */
static void
check_calendar(void)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64		ms = SW_DATETIME_MIN_MS;
	int			n_wrong = 0;

	for (int year = 1; year <= 9999; year++)
		for (int month = 1; month <= 12; month++)
		{
			int			n_days = lengths[month - 1] +
			(month == 2 && is_leap_year(year) ? 1 : 0);

			for (int day = 1; day <= n_days; day++)
			{
				char		expected[SW_DATETIME_BYTES + 8];
				char		text[SW_DATETIME_BYTES];
				SwDateTime	time;

				snprintf(expected, sizeof(expected),
						 "%04d-%02d-%02d 23:59:59.999", year, month, day);
				ms += MS_PER_DAY;
				sw_datetime_format(ms - 1, text);
				if (memcmp(text, expected, SW_DATETIME_BYTES) != 0 ||
					!sw_datetime_parse_text(text, SW_DATETIME_BYTES, &time) ||
					time.ms != ms - 1 || !time.is_local)
					n_wrong++;
			}
		}
	unit_is_int(n_wrong, 0, "every day of years 1 to 9999, there and back");
	unit_is_int(ms - 1, SW_DATETIME_MAX_MS, "the last one is the limit");
}

int
main(void)
{
	check_texts();
	check_numbers(numbers, lengthof(numbers), SW_EPOCH_BY_MAGNITUDE);
	check_numbers(milliseconds, lengthof(milliseconds), SW_EPOCH_MS);
	check_calendar();
	return unit_done();
}
