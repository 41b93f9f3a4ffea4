/*-------------------------------------------------------------------------
 *
 * common_crc64.c
 *	  CRC-64/XZ against published and bitwise values, and its two ways
 *	  against each other.
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

static uint32 seed = 1;

static uint32
next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* Lengths and alignments by chance, so that every tail comes up. */
static void
check_long(void)
{
	enum
	{
		N_BYTES = 100000,
		N_ROUNDS = 3000
	};
	uint8	   *bytes = palloc(N_BYTES);
	bool		equal = true;
	bool		combined = true;

	for (int i = 0; i < N_BYTES; i++)
		bytes[i] = (uint8) (next_random() >> 4);
	for (int i = 0; i < N_ROUNDS; i++)
	{
		Size		start = next_random() % 64;
		Size		limit = i % 10 == 0 ? N_BYTES - start : 1500;
		Size		n = next_random() % limit;
		Size		cut = n == 0 ? 0 : next_random() % n;
		uint64		first = sw_crc64_update(0, bytes + start, cut);
		uint64		second = sw_crc64_update(0, bytes + start + cut, n - cut);
		uint64		expected = sw_crc64_update_portable(0, bytes + start, n);

		equal = equal && sw_crc64_update(0, bytes + start, n) == expected &&
			sw_crc64_update(first, bytes + start + cut, n - cut) == expected;
		combined = combined &&
			sw_crc64_combine(first, second, n - cut) == expected;
	}
	unit_ok(equal, "with and without the processor's help");
	unit_ok(combined, "of two pieces, each by itself");
	unit_ok(sw_crc64_combine(0, 7, 0) == 7, "nothing and nothing");
	unit_ok(sw_crc64_combine(7, 0, 0) == 7, "something and nothing");
}

/*
 * 6 GiB of zero bytes, of which no one writes down a CRC: by doubling and in
 * parts of another size.
 */
static void
check_lengths(void)
{
	static const uint8 zeros[1 << 16];
	uint64		unit = sw_crc64_update(0, zeros, sizeof(zeros));
	uint64		doubled = unit;
	uint64		twice;
	uint64		added = 0;

	for (uint64 n = sizeof(zeros); n < UINT64CONST(4) << 30; n *= 2)
		doubled = sw_crc64_combine(doubled, doubled, n);
	twice = sw_crc64_combine(unit, unit, sizeof(zeros));
	for (uint64 n = 2 * sizeof(zeros); n < UINT64CONST(2) << 30; n *= 2)
		twice = sw_crc64_combine(twice, twice, n);
	doubled = sw_crc64_combine(doubled, twice, UINT64CONST(2) << 30);
	for (int i = 0; i < 6 * 1024 * 16; i++)
		added = sw_crc64_combine(added, unit, sizeof(zeros));
	unit_ok(doubled == added, "lengths of more than 32 bits");
}

int
main(void)
{
	uint8		bytes[200];
	bool		whole = true;
	bool		split = true;
	Size		n;

	unit_ok(sw_crc64_update(0, "123456789", 9) ==
			UINT64CONST(0x995DC9BBDF1939FA), "check value");
	unit_ok(sw_crc64_update(0, NULL, 0) == 0, "nothing");

	for (n = 0; n < sizeof(bytes); n++)
		bytes[n] = (uint8) (next_random() >> 4);
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
	check_long();
	check_lengths();
	return unit_done();
}
