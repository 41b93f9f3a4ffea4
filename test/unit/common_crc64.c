/*-------------------------------------------------------------------------
 *
 * common_crc64.c
 *	  CRC-64/XZ against published and bitwise values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_crc64.h"
#include "unit.h"

/* One bit a step, straight from the definition. */
static uint64
crc64_bitwise(const uint8 *bytes, Size n)
{
	uint64		crc = ~UINT64CONST(0);
	Size		i;

	for (i = 0; i < n; i++)
	{
		int			bit;

		for (bit = 0; bit < 8; bit++)
		{
			bool		odd = ((crc ^ (bytes[i] >> bit)) & 1) != 0;

			crc >>= 1;
			if (odd)
				crc ^= UINT64CONST(0xC96C5795D7870F42);
		}
	}
	return ~crc;
}

int
main(void)
{
	uint8		bytes[200];
	bool		whole = true;
	bool		split = true;
	uint32		seed = 1;
	Size		n;

	unit_ok(sw_crc64_update(0, "123456789", 9) ==
			UINT64CONST(0x995DC9BBDF1939FA), "check value");
	unit_ok(sw_crc64_update(0, NULL, 0) == 0, "nothing");

	for (n = 0; n < sizeof(bytes); n++)
	{
		seed = seed * 1664525 + 1013904223;
		bytes[n] = (uint8) (seed >> 24);
	}
	for (n = 0; n <= sizeof(bytes); n++)
	{
		Size		cut = n * 3 / 7;
		uint64		expected = crc64_bitwise(bytes, n);

		whole = whole && sw_crc64_update(0, bytes, n) == expected;
		split = split &&
			sw_crc64_update(sw_crc64_update(0, bytes, cut), bytes + cut,
							n - cut) == expected;
	}
	unit_ok(whole, "every length up to 200 equals the bitwise definition");
	unit_ok(split, "and in two pieces");
	return unit_done();
}
