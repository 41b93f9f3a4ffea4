/*-------------------------------------------------------------------------
 *
 * sw_decimal.h
 *	  Decimals of up to 76 digits as integers of 4, 8, 16 or 32 bytes.
 *
 * A decimal of a precision and a scale is the integer that it is without its
 * point, in two's complement, least significant byte first; the precision
 * decides its width in bytes: 4 up to 9 digits, 8 up to 18, 16 up to 38, 32
 * up to 76 (sw_type_width).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DECIMAL_H
#define SW_DECIMAL_H

#define SW_DECIMAL_MAX_BYTES	32

typedef enum SwDecimalResult
{
	SW_DECIMAL_EXACT,
	SW_DECIMAL_TOO_WIDE,		/* more digits than the precision */
	SW_DECIMAL_TOO_FINE			/* digits behind the scale */
} SwDecimalResult;

/*
 * The number that is the sum of digits[i] * 10000 ^ (weight - i).  Digits are
 * 0 .. 9999; zeros may stand at either end.  Writes the bytes of value only
 * where the result is exact.
 */
extern SwDecimalResult sw_decimal_make(const int16 *digits, int n_digits,
									   int weight, bool is_negative,
									   int precision, int scale, int width,
									   uint8 *value);

/* The largest of that precision, or the smallest. */
extern void sw_decimal_make_largest(bool is_negative, int precision,
									int width, uint8 *value);

#endif							/* SW_DECIMAL_H */
