/*-------------------------------------------------------------------------
 *
 * sw_decimal.c
 *	  Decimals of up to 76 digits as integers of 4, 8, 16 or 32 bytes.
 *
 * Pure; allocates nothing.  Contract: sw_decimal.h.
 *
 * How many digits the integer has is known before it is made, so nothing can
 * overflow: 10 ^ 9 fits into 31 bits, 10 ^ 18 into 63, 10 ^ 38 into 127 and
 * 10 ^ 76 into 255.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_decimal.h"

/* Decimal digits in each given one. */
#define GROUP	4

/* Least significant limb first. */
#define MAX_LIMBS (SW_DECIMAL_MAX_BYTES / (int) sizeof(uint32))

typedef struct Magnitude
{
	uint32		limbs[MAX_LIMBS];
	int			n_limbs;		/* that it may take */
} Magnitude;

static const uint32 powers[GROUP + 1] = {1, 10, 100, 1000, 10000};

static int
count_digits(int group)
{
	int			n = 0;

	while (n < GROUP && group >= (int) powers[n])
		n++;
	return n;
}

/* Does the number fit? */
static SwDecimalResult
check_digits(const int16 *digits, int n_digits, int weight, int precision,
			 int scale)
{
	int			i;

	for (i = 0; i < n_digits && digits[i] == 0;)
		i++;
	if (i == n_digits)
		return SW_DECIMAL_EXACT;
	if (count_digits(digits[i]) + (weight - i) * GROUP + scale > precision)
		return SW_DECIMAL_TOO_WIDE;
	for (; i < n_digits; i++)
	{
		int			exponent = (weight - i) * GROUP + scale;

		if (exponent >= 0 || digits[i] == 0)
			continue;
		if (exponent <= -GROUP || digits[i] % (int) powers[-exponent] != 0)
			return SW_DECIMAL_TOO_FINE;
	}
	return SW_DECIMAL_EXACT;
}

static void
write_bytes(uint64 number, int width, uint8 *value)
{
	int			i;

	for (i = 0; i < width; i++)
		value[i] = (uint8) (number >> (8 * i));
}

/* ---- up to 18 digits ---- */

static void
make_small(const int16 *digits, int n_digits, int weight, bool is_negative,
		   int width, int scale, uint8 *value)
{
	uint64		number = 0;
	int			exponent = weight * GROUP + scale;
	int			i;

	for (i = 0; i < n_digits && exponent > -GROUP; i++, exponent -= GROUP)
	{
		if (exponent >= 0)
			number = number * powers[GROUP] + (uint64) digits[i];
		else
			number = number * powers[GROUP + exponent] +
				(uint64) digits[i] / powers[-exponent];
	}

	/* The last of them was worth 10 ^ (exponent + GROUP). */
	for (exponent += GROUP; number != 0 && exponent > 0; exponent--)
		number *= 10;
	write_bytes(is_negative ? -number : number, width, value);
}

/* ---- more than that ---- */

static void
multiply_add(Magnitude *number, uint32 factor, uint32 summand)
{
	uint64		carry = summand;
	int			i;

	for (i = 0; i < number->n_limbs; i++)
	{
		carry += (uint64) number->limbs[i] * factor;
		number->limbs[i] = (uint32) carry;
		carry >>= 32;
	}
}

static void
write_magnitude(const Magnitude *number, bool is_negative, uint8 *value)
{
	uint64		carry = is_negative ? 1 : 0;
	int			i;

	for (i = 0; i < number->n_limbs; i++)
	{
		carry += is_negative ? (uint32) ~number->limbs[i] : number->limbs[i];
		write_bytes((uint32) carry, sizeof(uint32),
					value + i * sizeof(uint32));
		carry >>= 32;
	}
}

static void
make_large(const int16 *digits, int n_digits, int weight, bool is_negative,
		   int width, int scale, uint8 *value)
{
	Magnitude	number = {{0}, width / (int) sizeof(uint32)};
	int			exponent = weight * GROUP + scale;
	int			i;

	for (i = 0; i < n_digits && exponent > -GROUP; i++, exponent -= GROUP)
	{
		if (exponent >= 0)
			multiply_add(&number, powers[GROUP], (uint32) digits[i]);
		else
			multiply_add(&number, powers[GROUP + exponent],
						 (uint32) digits[i] / powers[-exponent]);
	}
	for (exponent += GROUP; exponent > 0; exponent -= GROUP)
		multiply_add(&number, powers[Min(exponent, GROUP)], 0);
	write_magnitude(&number, is_negative, value);
}

SwDecimalResult
sw_decimal_make(const int16 *digits, int n_digits, int weight,
				bool is_negative, int precision, int scale, int width,
				uint8 *value)
{
	SwDecimalResult result;

	result = check_digits(digits, n_digits, weight, precision, scale);
	if (result != SW_DECIMAL_EXACT)
		return result;
	while (n_digits > 0 && digits[0] == 0)
	{
		digits++;
		n_digits--;
		weight--;
	}
	if (n_digits == 0)
		memset(value, 0, width);
	else if (width <= (int) sizeof(uint64))
		make_small(digits, n_digits, weight, is_negative, width, scale, value);
	else
		make_large(digits, n_digits, weight, is_negative, width, scale, value);
	return SW_DECIMAL_EXACT;
}

void
sw_decimal_make_largest(bool is_negative, int precision, int width,
						uint8 *value)
{
	Magnitude	number = {{0}, width / (int) sizeof(uint32)};
	int			i;

	for (i = 0; i < precision; i++)
		multiply_add(&number, 10, 9);
	write_magnitude(&number, is_negative, value);
}
