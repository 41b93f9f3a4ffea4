/*-------------------------------------------------------------------------
 *
 * format_encode.c
 *	  The parts of the Parquet writer: Thrift, hybrid runs, bounds,
 *	  dictionary, Zstandard.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <zstd.h>

#include "format/sw_parquet.h"
#include "format/sw_thrift.h"
#include "unit.h"

/* ---- Thrift ---- */

static void
check_thrift(void)
{
	static const char expected[] =
	"\x15\x02"					/* 1: int32 1 */
	"\x15\x01"					/* 2: int32 -1 */
	"\x05\x3C\xD8\x04"			/* 30: int32 300, too far for a delta */
	"\x06\xD0\x0F\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"	/* 1000: int64 max */
	"\x16\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"	/* 1001: int64 min */
	"\x11\x12"					/* 1002: true, 1003: false */
	"\x18\x02hi"				/* 1004: binary */
	"\x1C\x28\x00\x00"			/* 1005: struct { 2: "" } */
	"\x19\x25\x02\x04"			/* 1006: list of int32 1, 2 */
	"\x19\x1C\x15\x02\x00"		/* 1007: list of one struct { 1: 1 } */
	"\x19\xF8\x0F"				/* 1008: list of 15 binaries */
	"\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x\x01x"
	"\x19\xE5"					/* 1009: list of 14 int32 */
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	"\x00";
	SwThriftWriter thrift;
	SwBuffer	out;
	int			i;

	sw_buffer_init(&out);
	sw_thrift_init(&thrift, &out);
	sw_thrift_write_int32(&thrift, 1, 1);
	sw_thrift_write_int32(&thrift, 2, -1);
	sw_thrift_write_int32(&thrift, 30, 300);
	sw_thrift_write_int64(&thrift, 1000, PG_INT64_MAX);
	sw_thrift_write_int64(&thrift, 1001, PG_INT64_MIN);
	sw_thrift_write_bool(&thrift, 1002, true);
	sw_thrift_write_bool(&thrift, 1003, false);
	sw_thrift_write_cstring(&thrift, 1004, "hi");
	sw_thrift_begin_struct(&thrift, 1005);
	sw_thrift_write_binary(&thrift, 2, NULL, 0);
	sw_thrift_end_struct(&thrift);
	sw_thrift_begin_list(&thrift, 1006, SW_THRIFT_INT32, 2);
	sw_thrift_add_int32(&thrift, 1);
	sw_thrift_add_int32(&thrift, 2);
	sw_thrift_begin_list(&thrift, 1007, SW_THRIFT_STRUCT, 1);
	sw_thrift_add_struct(&thrift);
	sw_thrift_write_int32(&thrift, 1, 1);
	sw_thrift_end_struct(&thrift);
	sw_thrift_begin_list(&thrift, 1008, SW_THRIFT_BINARY, 15);
	for (i = 0; i < 15; i++)
		sw_thrift_add_cstring(&thrift, "x");
	sw_thrift_begin_list(&thrift, 1009, SW_THRIFT_INT32, 14);
	for (i = 0; i < 14; i++)
		sw_thrift_add_int32(&thrift, 0);
	sw_thrift_end_struct(&thrift);
	unit_is_bytes(out.data, out.len, expected, sizeof(expected) - 1,
				  "Thrift's compact protocol");
}

/* ---- hybrid ---- */

/* Decode as the specification says, checking that nothing is left over. */
static bool
decodes_to(const SwBuffer *encoded, const uint32 *values, uint32 n,
		   int bit_width)
{
	const uint8 *p = (const uint8 *) encoded->data;
	const uint8 *end = p + encoded->len;
	uint32		i = 0;

	while (p < end)
	{
		uint64		header = 0;
		int			shift = 0;

		do
		{
			header |= (uint64) (*p & 0x7F) << shift;
			shift += 7;
		} while ((*p++ & 0x80) != 0);

		if ((header & 1) == 0)
		{
			uint64		count = header >> 1;
			uint32		value = 0;
			int			byte;

			for (byte = 0; byte < (bit_width + 7) / 8; byte++)
				value |= (uint32) *p++ << (8 * byte);
			while (count-- > 0)
			{
				if (i >= n || values[i++] != value)
					return false;
			}
		}
		else
		{
			uint64		n_bits = (header >> 1) * 8 * bit_width;
			uint64		bit = 0;

			while (bit < n_bits)
			{
				uint32		value = 0;
				int			k;

				for (k = 0; k < bit_width; k++, bit++)
					value |= (uint32) ((p[bit / 8] >> (bit % 8)) & 1) << k;

				/* the last group may be filled up with zeros */
				if (i < n ? values[i] != value : value != 0 || i >= n + 7)
					return false;
				i++;
			}
			p += n_bits / 8;
		}
	}
	return p == end && i >= n;
}

static void
check_hybrid(void)
{
	static const uint32 short_runs[] = {1, 1, 1, 0, 0, 1, 0, 1, 1, 1};
	uint32	   *values = palloc(sizeof(uint32) * 5000);
	SwBuffer	out;
	uint32		seed = 5;
	bool		good = true;
	int			bit_width;
	int			round;

	sw_buffer_init(&out);
	sw_parquet_encode_hybrid(&out, values, 0, 1);
	unit_is_int(out.len, 0, "no values, no runs");

	sw_parquet_encode_hybrid(&out, short_runs, 10, 1);
	unit_is_bytes(out.data, out.len, "\x05\xA7\x03", 3,
				  "ten bits in two packed groups");
	sw_buffer_reset(&out);
	for (round = 0; round < 1000; round++)
		values[round] = 300;
	sw_parquet_encode_hybrid(&out, values, 1000, 9);
	unit_is_bytes(out.data, out.len, "\xD0\x0F\x2C\x01", 4,
				  "a thousand repeats in four bytes");

	for (bit_width = 1; bit_width <= 32; bit_width++)
	{
		for (round = 0; round < 40; round++)
		{
			uint32		n = 1 + (uint32) (round * 37) % 5000;
			uint32		value = 0;
			uint32		left = 0;
			uint32		i;

			for (i = 0; i < n; i++)
			{
				seed = seed * 1664525 + 1013904223;
				if (left == 0)
				{
					value = (uint32) ((uint64) seed * 2654435761u >> 13) >>
						(32 - bit_width);
					left = (seed >> 20) % (1 + (uint32) round);
				}
				else
					left--;
				values[i] = value;
			}
			sw_buffer_reset(&out);
			sw_parquet_encode_hybrid(&out, values, n, bit_width);
			good = good && decodes_to(&out, values, n, bit_width);
		}
	}
	unit_ok(good, "1280 sequences of all widths decode to what they were");

	unit_ok(sw_parquet_bit_width(0) == 1 && sw_parquet_bit_width(1) == 1 &&
			sw_parquet_bit_width(2) == 2 && sw_parquet_bit_width(255) == 8 &&
			sw_parquet_bit_width(256) == 9 &&
			sw_parquet_bit_width(PG_UINT32_MAX) == 32, "bit widths");
}

/* ---- bounds ---- */

/* One value; "-" stands for: no bound. */
static void
check_bound(const char *text, Size n, bool is_upper, const char *expected,
			Size n_expected, const char *name)
{
	SwParquetStatistics statistics;
	SwParquetBound bound;

	sw_parquet_statistics_reset(&statistics);
	sw_parquet_statistics_add_bytes(&statistics, text, n);
	if (!sw_parquet_bound_finish(is_upper ? &statistics.max_bytes :
								 &statistics.min_bytes, SW_PARQUET_KIND_STRING,
								 is_upper, &bound))
		unit_is_bytes("-", 1, expected, n_expected, name);
	else if (bound.is_cut != (n > SW_PARQUET_BOUND_BYTES))
		unit_ok(false, "says whether it is exact");
	else
		unit_is_bytes(bound.bytes, bound.n_bytes, expected, n_expected, name);
}

static void
check_bounds(void)
{
	SwParquetStatistics statistics;
	char		text[128];
	char		expected[128];

	memset(text, 'a', sizeof(text));
	memcpy(expected, text, sizeof(text));
	check_bound("", 0, true, "", 0, "the empty string is its own bound");
	check_bound(text, 64, true, text, 64, "64 bytes are kept whole");
	check_bound(text, 65, false, text, 64, "65 bytes are cut below");
	expected[63] = 'b';
	check_bound(text, 65, true, expected, 64, "and cut and raised above");

	text[63] = '\x7F';
	expected[62] = 'b';
	check_bound(text, 65, true, expected, 63,
				"a raise that needs another byte takes the character before");

	memset(text, 'a', sizeof(text));
	memcpy(expected, text, sizeof(text));
	memcpy(text + 62, "\xE5\xAF\xBC", 3);
	expected[61] = 'b';
	check_bound(text, 66, false, text, 62, "no character is cut in two below");
	check_bound(text, 66, true, expected, 62, "nor above");

	memset(text, 'a', sizeof(text));
	memcpy(expected, text, sizeof(text));
	memcpy(text + 61, "\xED\x9F\xBF", 3);
	memcpy(expected + 61, "\xEE\x80\x80", 3);
	check_bound(text, 66, true, expected, 64, "surrogates are stepped over");
	memcpy(text + 61, "\xE5\xAF\xBF", 3);
	memcpy(expected + 61, "\xE5\xB0\x80", 3);
	check_bound(text, 66, true, expected, 64, "a carry inside a character");
	memcpy(text + 60, "\xF4\x8F\xBF\xBF", 4);
	expected[59] = 'b';
	check_bound(text, 66, true, expected, 60, "the last code point is dropped");

	memset(text, '\xFF', sizeof(text));
	check_bound(text, 65, true, "-", 1, "no bound above what is not UTF-8");
	check_bound(text, 65, false, "-", 1, "nor below");
	memset(text, 'a', sizeof(text));
	memset(text + 60, '\x80', 4);
	check_bound(text, 65, true, "-", 1, "nor above stray continuation bytes");
	memset(text, 'a', sizeof(text));
	memcpy(text + 61, "\xE0\x80\x80", 3);
	check_bound(text, 65, true, "-", 1, "nor above an overlong form");

	/* Values that differ only behind the cut. */
	memset(text, 'x', sizeof(text));
	sw_parquet_statistics_reset(&statistics);
	sw_parquet_statistics_add_bytes(&statistics, text, 70);
	sw_parquet_statistics_add_bytes(&statistics, text, 64);
	sw_parquet_statistics_add_bytes(&statistics, text, 80);
	unit_ok(!statistics.min_bytes.is_cut && statistics.min_bytes.n_bytes == 64,
			"the least of them is exact");
	unit_ok(statistics.max_bytes.is_cut, "the greatest is not");
	sw_parquet_statistics_add_bytes(&statistics, text, 63);
	unit_ok(statistics.min_bytes.n_bytes == 63, "a beginning is less");
	sw_parquet_statistics_add_bytes(&statistics, "\xC3", 1);
	unit_ok(statistics.max_bytes.n_bytes == 1, "bytes compare unsigned");

	sw_parquet_statistics_reset(&statistics);
	sw_parquet_statistics_add_int64(&statistics, 5);
	sw_parquet_statistics_add_int64(&statistics, -5);
	sw_parquet_statistics_add_int64(&statistics, 0);
	unit_ok(statistics.min_int64 == -5 && statistics.max_int64 == 5,
			"numbers compare signed");
}

/* ---- dictionary ---- */

static void
check_dictionary(void)
{
	SwParquetDictionary dictionary;
	char	   *large = palloc0(SW_PARQUET_DICTIONARY_BYTES + 1);
	char		text[32];
	uint32		entry = 0;
	bool		good = true;
	Size		n;
	int			round;
	uint32		i;

	sw_parquet_dictionary_init(&dictionary);
	for (round = 0; round < 2; round++)
	{
		for (i = 0; i < 20000; i++)
		{
			snprintf(text, sizeof(text), "value %u", i);
			good = good &&
				sw_parquet_dictionary_find(&dictionary, text, strlen(text), &entry) ==
				(round == 0 ? SW_PARQUET_ADDED : SW_PARQUET_KNOWN) &&
				entry == i;
		}
	}
	unit_ok(good, "entries are numbered in order, and found again");
	good = true;
	for (i = 0; i < 20000; i++)
	{
		const char *found = sw_parquet_dictionary_get(&dictionary, i, &n);

		snprintf(text, sizeof(text), "value %u", i);
		good = good && n == strlen(text) && memcmp(found, text, n) == 0;
	}
	unit_ok(good, "entries can be had by number");

	for (; i < 2 * SW_PARQUET_DICTIONARY_ENTRIES; i++)
	{
		snprintf(text, sizeof(text), "value %u", i);
		if (sw_parquet_dictionary_find(&dictionary, text, strlen(text), &entry) ==
			SW_PARQUET_FULL)
			break;
	}
	unit_ok(dictionary.n_entries <= SW_PARQUET_DICTIONARY_ENTRIES &&
			dictionary.values.len <= SW_PARQUET_DICTIONARY_BYTES &&
			i < 2 * SW_PARQUET_DICTIONARY_ENTRIES, "there is an end to it");
	unit_is_int(sw_parquet_dictionary_find(&dictionary, "value 7", 7, &entry),
				SW_PARQUET_KNOWN, "a full one still finds");
	unit_is_int(entry, 7, "the right entry");

	sw_parquet_dictionary_reset(&dictionary);
	unit_is_int(sw_parquet_dictionary_find(&dictionary, "value 7", 7, &entry),
				SW_PARQUET_ADDED, "an emptied one knows nothing");
	unit_is_int(sw_parquet_dictionary_find(&dictionary, "", 0, &entry),
				SW_PARQUET_ADDED, "the empty string");
	unit_is_int(sw_parquet_dictionary_find(&dictionary, "", 0, &entry),
				SW_PARQUET_KNOWN, "is found");
	unit_is_int(sw_parquet_dictionary_find(&dictionary, large,
										   SW_PARQUET_DICTIONARY_BYTES + 1, &entry),
				SW_PARQUET_FULL, "a giant does not get in");
	for (i = 0; i < SW_PARQUET_DICTIONARY_ENTRIES; i++)
	{
		snprintf(text, sizeof(text), "%u", i);
		good = good && sw_parquet_dictionary_find(&dictionary, text, strlen(text),
												  &entry) == SW_PARQUET_ADDED;
		if (dictionary.n_entries == SW_PARQUET_DICTIONARY_ENTRIES)
			break;
	}
	unit_ok(good && sw_parquet_dictionary_find(&dictionary, "new", 3, &entry) ==
			SW_PARQUET_FULL, "the number of entries is limited");
}

/* ---- Zstandard ---- */

static void
check_zstd(void)
{
	static const int levels[] = {-100, 1, 3, 100};
	char	   *text = palloc(300000);
	char	   *back = palloc(300000);
	SwZstdCodec codec;
	SwBuffer	out;
	SwBuffer	again;
	SwError		err;
	int			i;

	for (i = 0; i < 300000; i++)
		text[i] = (char) ('a' + i % 7 + i / 1000 % 11);
	sw_buffer_init(&out);
	sw_buffer_init(&again);
	for (i = 0; i < (int) lengthof(levels); i++)
	{
		Size		n = i % 2 == 0 ? 300000 : 0;

		sw_zstd_init(&codec, levels[i]);
		unit_ok(codec.level >= 1 && codec.level <= 19, "the level is kept in bounds");
		sw_buffer_reset(&out);
		sw_buffer_reset(&again);
		sw_buffer_append_bytes(&out, "front", 5);
		unit_is_int(sw_zstd_compress(&codec, text, n, &out, &err), SW_OK,
					"compress");
		unit_is_int(ZSTD_decompress(back, 300000, out.data + 5, out.len - 5), n,
					"decompress");
		unit_ok(memcmp(text, back, n) == 0 && memcmp(out.data, "front", 5) == 0,
				"gives the same, behind what was there");
		sw_zstd_compress(&codec, text, n, &again, &err);
		unit_is_bytes(again.data, again.len, out.data + 5, out.len - 5,
					  "a compressor used again gives the same bytes");
		sw_zstd_destroy(&codec);
		sw_zstd_destroy(&codec);
	}
	sw_zstd_init(&codec, 1);
	unit_is_int(sw_zstd_compress(&codec, text, SIZE_MAX, &out, &err),
				SW_ERR_LIMIT, "more than the library takes is refused");
	sw_zstd_destroy(&codec);
}

int
main(void)
{
	check_thrift();
	check_hybrid();
	check_bounds();
	check_dictionary();
	check_zstd();
	return unit_done();
}
