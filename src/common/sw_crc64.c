/*-------------------------------------------------------------------------
 *
 * sw_crc64.c
 *	  CRC-64/XZ, eight bytes a step.
 *
 * Pure; never throws.  The tables are a cache, filled at the first call.
 *
 * Parameters: polynomial 0x42F0E1EBA9EA3693 reflected, initial value and
 * final xor all ones.  Check value of "123456789": 0x995DC9BBDF1939FA.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_crc64.h"

#define SW_CRC64_POLYNOMIAL UINT64CONST(0xC96C5795D7870F42)

/* sw_crc64_table[k][b]: byte b followed by k zero bytes. */
static uint64 sw_crc64_table[8][256];
static bool sw_crc64_table_filled = false;

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
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? SW_CRC64_POLYNOMIAL : 0);
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

uint64
sw_crc64_update(uint64 crc, const void *bytes, Size n)
{
	const uint8 *p = bytes;

	if (unlikely(!sw_crc64_table_filled))
		sw_crc64_fill_table();

	crc = ~crc;
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
	return ~crc;
}
