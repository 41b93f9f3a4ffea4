/*-------------------------------------------------------------------------
 *
 * common_decimal.c
 *	  Decimals as integers: borders, and random ones turned back to digits.
 *
 * Digits are made as text and grouped into fours from the point, as the
 * server stores them; the integer is turned back by dividing its bytes, with
 * no code of the tested file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_decimal.h"
#include "format/sw_column.h"
#include "unit.h"

#define MAX_DIGITS	100
#define N_RANDOM	200000

static uint64 random_state;

/* 0 .. bound - 1 */
static int
random_below(int bound)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (int) ((random_state >> 33) % (uint64) bound);
}

/* A number as its digits before and behind the point. */
typedef struct Number
{
	bool		is_negative;
	char		whole[MAX_DIGITS + 1];
	char		fraction[MAX_DIGITS + 1];
} Number;

typedef struct Groups
{
	int16		digits[2 * MAX_DIGITS];
	int			n_digits;
	int			weight;
} Groups;

static void
group(const Number *number, Groups *groups)
{
	char		padded[2 * MAX_DIGITS + 9];
	int			n_whole = (int) strlen(number->whole);
	int			n_lead = (4 - n_whole % 4) % 4;
	int			n;

	memset(padded, '0', sizeof(padded));
	memcpy(padded + n_lead, number->whole, n_whole);
	memcpy(padded + n_lead + n_whole, number->fraction,
		   strlen(number->fraction));
	n = (n_lead + n_whole + (int) strlen(number->fraction) + 3) / 4;
	groups->n_digits = n;
	groups->weight = (n_lead + n_whole) / 4 - 1;
	for (int i = 0; i < n; i++)
		groups->digits[i] = (int16) ((padded[4 * i] - '0') * 1000 +
									 (padded[4 * i + 1] - '0') * 100 +
									 (padded[4 * i + 2] - '0') * 10 +
									 (padded[4 * i + 3] - '0'));
}

/* The integer as text, without leading zeros. */
static void
show(const uint8 *value, int width, char *text)
{
	uint8		bytes[SW_DECIMAL_MAX_BYTES];
	char		reversed[MAX_DIGITS];
	bool		is_negative = (value[width - 1] & 0x80) != 0;
	int			carry = is_negative ? 1 : 0;
	int			n = 0;

	for (int i = 0; i < width; i++)
	{
		carry += is_negative ? (uint8) ~value[i] : value[i];
		bytes[i] = (uint8) carry;
		carry >>= 8;
	}
	for (;;)
	{
		int			remainder = 0;
		bool		is_zero = true;

		for (int i = width - 1; i >= 0; i--)
		{
			is_zero = is_zero && bytes[i] == 0;
			remainder = remainder * 256 + bytes[i];
			bytes[i] = (uint8) (remainder / 10);
			remainder %= 10;
		}
		if (is_zero)
			break;
		reversed[n++] = (char) ('0' + remainder);
	}
	if (n == 0)
		reversed[n++] = '0';
	if (is_negative)
		*text++ = '-';
	while (n > 0)
		*text++ = reversed[--n];
	*text = '\0';
}

/* What show is to say of the number times 10 ^ scale. */
static void
expect(const Number *number, int scale, char *text)
{
	char		all[2 * MAX_DIGITS + 1];
	const char *first = all;
	int			n_fraction = (int) strlen(number->fraction);

	snprintf(all, sizeof(all), "%s%.*s%0*d", number->whole,
			 Min(scale, n_fraction), number->fraction,
			 Max(scale - n_fraction, 0), 0);
	if (scale <= n_fraction)
		all[strlen(all) - 1] = '\0';
	while (first[0] == '0' && first[1] != '\0')
		first++;
	if (*first == '\0')
		first = "0";
	snprintf(text, 2 * MAX_DIGITS, "%s%s",
			 number->is_negative && strcmp(first, "0") != 0 ? "-" : "", first);
}

static SwDecimalResult
make(const Number *number, int precision, int scale, char *text)
{
	uint8		value[SW_DECIMAL_MAX_BYTES];
	int			width = sw_type_width(SW_TYPE_DECIMAL, precision);
	Groups		groups;
	SwDecimalResult result;

	group(number, &groups);
	result = sw_decimal_make(groups.digits, groups.n_digits, groups.weight,
							 number->is_negative, precision, scale, width,
							 value);
	text[0] = '\0';
	if (result == SW_DECIMAL_EXACT)
		show(value, width, text);
	return result;
}

static void
check(const char *whole, const char *fraction, int precision, int scale,
	  const char *expected)
{
	Number		number = {.is_negative = whole[0] == '-'};
	char		text[2 * MAX_DIGITS];
	char		name[3 * MAX_DIGITS];
	SwDecimalResult result;

	snprintf(number.whole, sizeof(number.whole), "%s",
			 whole + (number.is_negative ? 1 : 0));
	snprintf(number.fraction, sizeof(number.fraction), "%s", fraction);
	result = make(&number, precision, scale, text);
	snprintf(name, sizeof(name), "%s.%s in (%d, %d)", whole, fraction,
			 precision, scale);
	unit_is_text(result == SW_DECIMAL_TOO_WIDE ? "too wide" :
				 result == SW_DECIMAL_TOO_FINE ? "too fine" : text,
				 expected, name);
}

static void
fill_random(char *text, int n)
{
	int			n_zeros = random_below(4) == 0 ? random_below(n + 1) : 0;

	for (int i = 0; i < n; i++)
		text[i] = (char) ('0' + (i >= n - n_zeros ? 0 : random_below(10)));
	text[n] = '\0';
}

static void
check_random(uint64 seed)
{
	int			n_wrong = 0;

	random_state = seed;
	for (int i = 0; i < N_RANDOM; i++)
	{
		int			precision = 1 + random_below(SW_DECIMAL_MAX_PRECISION);
		int			scale = random_below(precision + 1);
		Number		number = {.is_negative = random_below(2) == 0};
		char		text[2 * MAX_DIGITS];
		char		expected[2 * MAX_DIGITS];

		fill_random(number.whole, random_below(precision - scale + 1));
		fill_random(number.fraction, random_below(scale + 1));
		expect(&number, scale, expected);
		if (make(&number, precision, scale, text) == SW_DECIMAL_EXACT &&
			strcmp(text, expected) == 0)
			continue;
		if (n_wrong++ < 5)
			printf("# %s%s.%s in (%d, %d): %s, not %s\n",
				   number.is_negative ? "-" : "", number.whole,
				   number.fraction, precision, scale, text, expected);
	}
	unit_is_int(n_wrong, 0, "random numbers that fit are what they were");
}

/* One digit more than fits, on either side. */
static void
check_random_misfits(void)
{
	int			n_wrong = 0;

	for (int i = 0; i < N_RANDOM; i++)
	{
		int			precision = 1 + random_below(SW_DECIMAL_MAX_PRECISION);
		int			scale = random_below(precision + 1);
		bool		is_wide = random_below(2) == 0;
		Number		number = {.is_negative = random_below(2) == 0};
		char		text[2 * MAX_DIGITS];

		fill_random(number.whole, precision - scale + (is_wide ? 1 : 0));
		fill_random(number.fraction, scale + (is_wide ? 0 : 1));
		if (is_wide)
			number.whole[0] = (char) ('1' + random_below(9));
		else
			number.fraction[scale] = (char) ('1' + random_below(9));
		if (make(&number, precision, scale, text) !=
			(is_wide ? SW_DECIMAL_TOO_WIDE : SW_DECIMAL_TOO_FINE))
			n_wrong++;
	}
	unit_is_int(n_wrong, 0, "random numbers that do not fit are refused");
}

static void
check_largest(int precision)
{
	uint8		value[SW_DECIMAL_MAX_BYTES];
	int			width = sw_type_width(SW_TYPE_DECIMAL, precision);
	char		text[2 * MAX_DIGITS];
	char		expected[2 * MAX_DIGITS];
	char		name[64];

	for (int sign = 0; sign < 2; sign++)
	{
		memset(expected, '9', sizeof(expected));
		expected[0] = sign == 1 ? '-' : '9';
		expected[precision + sign] = '\0';
		sw_decimal_make_largest(sign == 1, precision, width, value);
		show(value, width, text);
		snprintf(name, sizeof(name), "the %s of %d digits",
				 sign == 1 ? "smallest" : "largest", precision);
		unit_is_text(text, expected, name);
	}
}

int
main(void)
{
	static const int precisions[] = {1, 9, 10, 18, 19, 38, 39, 76};
	const char *given = getenv("SW_TEST_SEED");
	uint64		seed = given != NULL ? strtoull(given, NULL, 10) :
	UINT64CONST(20260517);

	check("0", "", 1, 0, "0");
	check("-0", "", 40, 3, "0");
	check("1", "", 9, 4, "10000");
	check("-1", "", 9, 5, "-100000");
	check("123", "45", 5, 2, "12345");
	check("-123", "4500", 38, 2, "-12345");
	check("0", "00012", 5, 5, "12");
	check("0", "000000000001", 76, 76,
		  "10000000000000000000000000000000000000000000000000000000000000000");
	check("999999999", "", 9, 0, "999999999");
	check("1000000000", "", 9, 0, "too wide");
	check("100", "", 4, 2, "too wide");
	check("0001", "", 1, 0, "1");
	check("0", "1", 5, 0, "too fine");
	check("1", "001", 5, 2, "too fine");
	check("1", "00000001", 5, 2, "too fine");
	for (int i = 0; i < (int) lengthof(precisions); i++)
		check_largest(precisions[i]);

	printf("# seed %llu\n", (unsigned long long) seed);
	check_random(seed);
	check_random_misfits();
	return unit_done();
}
