/*-------------------------------------------------------------------------
 *
 * sw_crc64.c
 *	  CRC-64/XZ, eight bytes a step, or 128 where the processor multiplies
 *	  polynomials (sw_crc64_fold.c).
 *
 * Pure; never throws.  The tables are a cache, filled at the first call.
 *
 * Parameters: polynomial 0x42F0E1EBA9EA3693 reflected, initial value and
 * final xor all ones.  Check value of "123456789": 0x995DC9BBDF1939FA.
 *
 * Reflected: the lowest bit of a number is the coefficient of the highest
 * power, so x^0 is the topmost bit and a step to the right multiplies by x.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_crc64.h"
#include "common/sw_crc64_fold.h"

#define SW_CRC64_POLYNOMIAL UINT64CONST(0xC96C5795D7870F42)
#define SW_CRC64_ONE		(UINT64CONST(1) << 63)

/* sw_crc64_table[k][b]: byte b followed by k zero bytes. */
static uint64 sw_crc64_table[8][256];
static bool sw_crc64_table_filled = false;

static inline uint64
sw_crc64_times_x(uint64 value)
{
	return (value >> 1) ^ ((value & 1) != 0 ? SW_CRC64_POLYNOMIAL : 0);
}

static void
sw_crc64_fill_table(void)
{
	int			b;
	int			k;

	for (b = 0; b < 256; b++)
	{
		uint64		crc = b;
		int			bit;

		for (bit = 0; bit < 8; bit++)
			crc = sw_crc64_times_x(crc);
		sw_crc64_table[0][b] = crc;
	}
	for (k = 1; k < 8; k++)
	{
		for (b = 0; b < 256; b++)
		{
			uint64		crc = sw_crc64_table[k - 1][b];

			sw_crc64_table[k][b] = (crc >> 8) ^ sw_crc64_table[0][crc & 0xFF];
		}
	}
	sw_crc64_table_filled = true;
}

/* Eight bytes as a little-endian number, whatever the machine. */
static inline uint64
sw_crc64_load(const uint8 *p)
{
	return (uint64) p[0] | (uint64) p[1] << 8 | (uint64) p[2] << 16 |
		(uint64) p[3] << 24 | (uint64) p[4] << 32 | (uint64) p[5] << 40 |
		(uint64) p[6] << 48 | (uint64) p[7] << 56;
}

/* The register after n more bytes; no inversion at either end. */
static uint64
sw_crc64_step(uint64 crc, const uint8 *p, Size n)
{
	for (; n >= 8; n -= 8, p += 8)
	{
		crc ^= sw_crc64_load(p);
		crc = sw_crc64_table[7][crc & 0xFF] ^
			sw_crc64_table[6][(crc >> 8) & 0xFF] ^
			sw_crc64_table[5][(crc >> 16) & 0xFF] ^
			sw_crc64_table[4][(crc >> 24) & 0xFF] ^
			sw_crc64_table[3][(crc >> 32) & 0xFF] ^
			sw_crc64_table[2][(crc >> 40) & 0xFF] ^
			sw_crc64_table[1][(crc >> 48) & 0xFF] ^
			sw_crc64_table[0][crc >> 56];
	}
	for (; n > 0; n--, p++)
		crc = (crc >> 8) ^ sw_crc64_table[0][(crc ^ *p) & 0xFF];
	return crc;
}

uint64
sw_crc64_update_portable(uint64 crc, const void *bytes, Size n)
{
	if (unlikely(!sw_crc64_table_filled))
		sw_crc64_fill_table();
	return ~sw_crc64_step(~crc, bytes, n);
}

uint64
sw_crc64_update(uint64 crc, const void *bytes, Size n)
{
	const uint8 *p = bytes;

	if (unlikely(!sw_crc64_table_filled))
		sw_crc64_fill_table();

	crc = ~crc;
	if (n >= SW_CRC64_FOLD_MIN)
	{
		Size		n_folded = n - n % SW_CRC64_FOLD_STEP;
		uint8		folded[SW_CRC64_FOLD_BYTES];

		if (sw_crc64_fold(crc, p, n_folded, folded))
		{
			crc = sw_crc64_step(0, folded, sizeof(folded));
			p += n_folded;
			n -= n_folded;
		}
	}
	return ~sw_crc64_step(crc, p, n);
}

static uint64
sw_crc64_multiply(uint64 a, uint64 b)
{
	uint64		product = 0;

	for (; a != 0; a <<= 1)
	{
		if ((a & SW_CRC64_ONE) != 0)
			product ^= b;
		b = sw_crc64_times_x(b);
	}
	return product;
}

uint64
sw_crc64_power(uint64 n)
{
	uint64		result = SW_CRC64_ONE;
	uint64		square = SW_CRC64_ONE >> 1;

	for (; n != 0; n >>= 1)
	{
		if ((n & 1) != 0)
			result = sw_crc64_multiply(result, square);
		square = sw_crc64_multiply(square, square);
	}
	return result;
}

/*
 * What came first moves up by the bits of the second.  The inversions at the
 * ends of the two cancel out.
 */
uint64
sw_crc64_combine(uint64 first, uint64 second, uint64 n_second)
{
	uint64		shift = sw_crc64_power(8);
	uint64		result = first;

	for (; n_second != 0; n_second >>= 1)
	{
		if ((n_second & 1) != 0)
			result = sw_crc64_multiply(result, shift);
		shift = sw_crc64_multiply(shift, shift);
	}
	return result ^ second;
}
