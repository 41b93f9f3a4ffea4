/*-------------------------------------------------------------------------
 *
 * format_encode.c
 *	  The parts of the Parquet writer: Thrift, hybrid runs, bounds,
 *	  dictionary, Zstandard.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <lz4.h>
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
decodes_to(const SwBuffer *encoded, const uint16 *values, uint32 n,
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
	static const uint16 short_runs[] = {1, 1, 1, 0, 0, 1, 0, 1, 1, 1};
	uint16	   *values = palloc(sizeof(uint16) * 5000);
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

	for (bit_width = 1; bit_width <= 16; bit_width++)
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
				values[i] = (uint16) value;
			}
			sw_buffer_reset(&out);
			sw_parquet_encode_hybrid(&out, values, n, bit_width);
			good = good && decodes_to(&out, values, n, bit_width);
		}
	}
	unit_ok(good, "640 sequences of all widths decode to what they were");

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
	SwDictionary dictionary;
	char	   *large = palloc0(SW_DICTIONARY_BYTES + 1);
	char		text[32];
	uint32		entry = 0;
	bool		good = true;
	Size		n;
	int			round;
	uint32		i;

	sw_dictionary_init(&dictionary);
	for (round = 0; round < 2; round++)
	{
		for (i = 0; i < 20000; i++)
		{
			snprintf(text, sizeof(text), "value %u", i);
			good = good &&
				sw_dictionary_find(&dictionary, text, strlen(text), &entry) ==
				(round == 0 ? SW_DICTIONARY_ADDED : SW_DICTIONARY_KNOWN) &&
				entry == i;
		}
	}
	unit_ok(good, "entries are numbered in order, and found again");
	good = true;
	for (i = 0; i < 20000; i++)
	{
		const char *found = sw_dictionary_get(&dictionary, i, &n);

		snprintf(text, sizeof(text), "value %u", i);
		good = good && n == strlen(text) && memcmp(found, text, n) == 0;
	}
	unit_ok(good, "entries can be had by number");

	for (; i < 2 * SW_DICTIONARY_ENTRIES; i++)
	{
		snprintf(text, sizeof(text), "value %u", i);
		if (sw_dictionary_find(&dictionary, text, strlen(text), &entry) ==
			SW_DICTIONARY_FULL)
			break;
	}
	unit_ok(dictionary.n_entries <= SW_DICTIONARY_ENTRIES &&
			dictionary.values.len <= SW_DICTIONARY_BYTES &&
			i < 2 * SW_DICTIONARY_ENTRIES, "there is an end to it");
	unit_is_int(sw_dictionary_find(&dictionary, "value 7", 7, &entry),
				SW_DICTIONARY_KNOWN, "a full one still finds");
	unit_is_int(entry, 7, "the right entry");

	sw_dictionary_reset(&dictionary, SIZE_MAX);
	unit_is_int(sw_dictionary_find(&dictionary, "value 7", 7, &entry),
				SW_DICTIONARY_ADDED, "an emptied one knows nothing");
	unit_is_int(sw_dictionary_find(&dictionary, "", 0, &entry),
				SW_DICTIONARY_ADDED, "the empty string");
	unit_is_int(sw_dictionary_find(&dictionary, "", 0, &entry),
				SW_DICTIONARY_KNOWN, "is found");
	unit_is_int(sw_dictionary_find(&dictionary, large,
								   SW_DICTIONARY_BYTES + 1, &entry),
				SW_DICTIONARY_FULL, "a giant does not get in");
	for (i = 0; i < SW_DICTIONARY_ENTRIES; i++)
	{
		snprintf(text, sizeof(text), "%u", i);
		good = good && sw_dictionary_find(&dictionary, text, strlen(text),
										  &entry) == SW_DICTIONARY_ADDED;
		if (dictionary.n_entries == SW_DICTIONARY_ENTRIES)
			break;
	}
	unit_ok(good && sw_dictionary_find(&dictionary, "new", 3, &entry) ==
			SW_DICTIONARY_FULL, "the number of entries is limited");
}

/* ---- codecs ---- */

static int
decompress_zstd(const char *bytes, int n, char *back, int n_back)
{
	return (int) ZSTD_decompress(back, n_back, bytes, n);
}

static int
decompress_lz4(const char *bytes, int n, char *back, int n_back)
{
	return LZ4_decompress_safe(bytes, back, n, n_back);
}

static int
decompress_none(const char *bytes, int n, char *back, int n_back)
{
	if (n > n_back)
		return -1;
	memcpy(back, bytes, n);
	return n;
}

/* By the format's description; -1 for what does not follow it. */
static int
decompress_snappy(const char *bytes, int n, char *back, int n_back)
{
	const unsigned char *at = (const unsigned char *) bytes;
	const unsigned char *end = at + n;
	uint32		length = 0;
	int			n_done = 0;
	int			shift = 0;

	do
		length |= (uint32) (*at & 0x7F) << shift;
	while (shift += 7, *at++ & 0x80);
	while (at < end)
	{
		int			tag = *at++;
		int			count = (tag >> 2) + 1;
		int			offset = 0;
		int			i;

		if ((tag & 3) == 0)
		{
			if (count > 60)
			{
				int			n_bytes = count - 60;

				for (count = 1, i = 0; i < n_bytes; i++)
					count += *at++ << (8 * i);
			}
			if (count > end - at || n_done + count > n_back)
				return -1;
			memcpy(back + n_done, at, count);
			at += count;
			n_done += count;
			continue;
		}
		if ((tag & 3) == 1)
		{
			count = (tag >> 2 & 7) + 4;
			offset = (tag >> 5) << 8 | *at++;
		}
		else if ((tag & 3) == 2)
		{
			offset = at[0] | at[1] << 8;
			at += 2;
		}
		if (offset == 0 || offset > n_done || n_done + count > n_back)
			return -1;
		for (i = 0; i < count; i++, n_done++)
			back[n_done] = back[n_done - offset];
	}
	return n_done == (int) length ? n_done : -1;
}

#define N_TEXT 300000

static const struct
{
	const SwCodecOps *ops;
	int			(*decompress) (const char *bytes, int n, char *back, int n_back);
}			codecs[] =

{
	{
		&sw_codec_zstd, decompress_zstd
	},
	{
		&sw_codec_lz4, decompress_lz4
	},
	{
		&sw_codec_snappy, decompress_snappy
	},
	{
		&sw_codec_none, decompress_none
	}
};

/* Texts with few and many repetitions, near and far, and without any. */
static void
fill_text(char *text, int kind)
{
	uint32		state = 7;
	int			i;

	for (i = 0; i < N_TEXT; i++)
	{
		state = state * 1664525 + 1013904223;
		if (kind == 0)
			text[i] = (char) ('a' + i % 7 + i / 1000 % 11);
		else if (kind == 1)
			text[i] = (char) (state >> 24);
		else if (kind == 2)
			text[i] = 'x';
		else
			text[i] = i < 50 || state >> 28 == 0 ? (char) (state >> 24) :
				text[i - 1 - (state >> 8) % Min(i - 1, 40 << kind)];
	}
}

static void
check_codec(int which)
{
	static const int sizes[] = {
		0, 1, 3, 4, 5, 59, 60, 61, 62, 255, 256, 257, 258, 1000, 65535, 65536,
		65537, 131075, N_TEXT
	};
	const SwCodecOps *ops = codecs[which].ops;
	char	   *text = palloc(N_TEXT);
	char	   *back = palloc(N_TEXT);
	SwCodec		codec;
	SwBuffer	out;
	SwBuffer	again;
	SwError		err;
	Size		shortest = N_TEXT;
	bool		good = true;
	int			kind;
	int			i;

	sw_buffer_init(&out);
	sw_buffer_init(&again);
	sw_codec_init(&codec, ops, 1);
	for (kind = 0; kind < 12; kind++)
	{
		fill_text(text, kind);
		for (i = 0; i < (int) lengthof(sizes); i++)
		{
			/* The exact end of the input must not be passed. */
			char	   *input = palloc(Max(sizes[i], 1));

			memcpy(input, text, sizes[i]);
			sw_buffer_reset(&out);
			sw_buffer_reset(&again);
			sw_buffer_append_bytes(&out, "front", 5);
			good = good && ops->compress(&codec, input, sizes[i], &out,
										 &err) == SW_OK &&
				codecs[which].decompress(out.data + 5, (int) out.len - 5, back,
										 N_TEXT) == sizes[i] &&
				memcmp(text, back, sizes[i]) == 0 &&
				memcmp(out.data, "front", 5) == 0;
			good = good && ops->compress(&codec, input, sizes[i], &again,
										 &err) == SW_OK &&
				again.len == out.len - 5 &&
				memcmp(again.data, out.data + 5, again.len) == 0;
			pfree(input);
		}
		shortest = Min(shortest, again.len);
	}
	unit_ok(good, psprintf("%s gives back what it took, behind what was there, and always the same",
						   ops->name));
	unit_ok(ops == &sw_codec_none ? shortest == N_TEXT : shortest < N_TEXT / 20,
			psprintf("%s: %zu bytes of %d", ops->name, shortest, N_TEXT));
	sw_codec_destroy(&codec);
	sw_codec_destroy(&codec);
	pfree(text);
	pfree(back);
}

static void
check_codecs(void)
{
	static const int levels[] = {-100, 1, 3, 100};
	char		text[100] = {0};
	SwCodec		codec;
	SwBuffer	out;
	SwError		err;
	int			i;

	for (i = 0; i < (int) lengthof(codecs); i++)
		check_codec(i);
	sw_buffer_init(&out);
	for (i = 0; i < (int) lengthof(levels); i++)
	{
		sw_codec_init(&codec, &sw_codec_zstd, levels[i]);
		unit_is_int(sw_codec_zstd.compress(&codec, text, sizeof(text), &out,
										   &err), SW_OK, "compress");
		unit_ok(codec.level >= 1 && codec.level <= 19,
				"the level is kept in bounds");
		sw_codec_destroy(&codec);
	}
	for (i = 0; i < 3; i++)
	{
		sw_codec_init(&codec, codecs[i].ops, 1);
		unit_is_int(codecs[i].ops->compress(&codec, text, SIZE_MAX, &out, &err),
					SW_ERR_LIMIT, "more than a codec takes is refused");
		sw_codec_destroy(&codec);
	}
}

int
main(void)
{
	check_thrift();
	check_hybrid();
	check_bounds();
	check_dictionary();
	check_codecs();
	return unit_done();
}
