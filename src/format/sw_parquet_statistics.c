/*-------------------------------------------------------------------------
 *
 * sw_parquet_statistics.c
 *	  Least and greatest value of a Parquet column chunk.
 *
 * Pure; never throws.
 *
 * Strings compare as unsigned bytes.  Of a long string only the first
 * SW_PARQUET_BOUND_BYTES are kept; two strings that agree in those are both
 * described by the same bound.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include <math.h>

#include "format/sw_parquet.h"

void
sw_parquet_statistics_reset(SwParquetStatistics *statistics)
{
	memset(statistics, 0, sizeof(*statistics));
}

/*
 * Readers take a zero for either of both.  A NaN has no order; some readers
 * put it above all numbers and would pass over a chunk whose bounds leave it
 * out.
 */
void
sw_parquet_statistics_add_double(SwParquetStatistics *statistics,
								 double value)
{
	if (isnan(value))
	{
		statistics->has_nan = true;
		return;
	}
	if (statistics->n_values++ == 0)
	{
		statistics->min_double = value;
		statistics->max_double = value;
	}
	else
	{
		statistics->min_double = Min(statistics->min_double, value);
		statistics->max_double = Max(statistics->max_double, value);
	}
}

static void
sw_parquet_bound_set(SwParquetBound *bound, const char *bytes, Size n,
					 bool is_cut)
{
	memcpy(bound->bytes, bytes, n);
	bound->n_bytes = n;
	bound->is_cut = is_cut;
}

static int
sw_parquet_bound_compare(const char *bytes, Size n,
						 const SwParquetBound *bound)
{
	int			order = memcmp(bytes, bound->bytes, Min(n, bound->n_bytes));

	if (order != 0)
		return order;
	return n < bound->n_bytes ? -1 : n > bound->n_bytes ? 1 : 0;
}

void
sw_parquet_statistics_add_bytes(SwParquetStatistics *statistics,
								const char *bytes, Size n)
{
	bool		is_cut = n > SW_PARQUET_BOUND_BYTES;
	bool		is_first = statistics->n_values == 0;
	int			order;

	n = Min(n, SW_PARQUET_BOUND_BYTES);

	/* Of equal beginnings, the whole string is less than a longer one. */
	order = is_first ? -1 :
		sw_parquet_bound_compare(bytes, n, &statistics->min_bytes);
	if (order < 0 || (order == 0 && !is_cut))
		sw_parquet_bound_set(&statistics->min_bytes, bytes, n, is_cut);

	order = is_first ? 1 :
		sw_parquet_bound_compare(bytes, n, &statistics->max_bytes);
	if (order > 0 || (order == 0 && is_cut))
		sw_parquet_bound_set(&statistics->max_bytes, bytes, n, is_cut);

	statistics->n_values++;
}

/* As unsigned bytes, with the sign bit turned over. */
void
sw_parquet_statistics_add_signed(SwParquetStatistics *statistics,
								 const char *bytes, Size n)
{
	char		flipped[SW_PARQUET_BOUND_BYTES];

	Assert(n <= sizeof(flipped));
	memcpy(flipped, bytes, n);
	flipped[0] = (char) (flipped[0] ^ 0x80);
	sw_parquet_statistics_add_bytes(statistics, flipped, n);
}

/* Length of the UTF-8 character that starts with this byte, 0 if none does. */
static Size
sw_parquet_character_bytes(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

/* Start of the last character; n if that is none. */
static Size
sw_parquet_last_character(const char *bytes, Size n)
{
	Size		start = n;

	while (start > 0 && n - start < 4)
	{
		start--;
		if (((unsigned char) bytes[start] & 0xC0) != 0x80)
			return sw_parquet_character_bytes((unsigned char) bytes[start]) > 0 ?
				start : n;
	}
	return n;
}

/*
 * Replace a whole character by the next code point, in place (there is room
 * for 4 bytes): UTF-8 orders bytes as it orders code points.  Returns its new
 * length, or 0 for the last code point.
 */
static Size
sw_parquet_next_character(char *character, Size n)
{
	static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	static const unsigned char lead_mark[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
	uint32		code = (unsigned char) character[0] & lead_mask[n];
	Size		i;

	for (i = 1; i < n; i++)
		code = code << 6 | ((unsigned char) character[i] & 0x3F);
	code++;
	if (code == 0xD800)
		code = 0xE000;
	if (code > 0x10FFFF)
		return 0;

	n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (i = n - 1; i > 0; i--)
	{
		character[i] = (char) (0x80 | (code & 0x3F));
		code >>= 6;
	}
	character[0] = (char) (lead_mark[n] | code);
	return n;
}

static bool
sw_parquet_bound_finish_text(const SwParquetBound *bound, bool is_upper,
							 SwParquetBound *out)
{
	char		text[SW_PARQUET_BOUND_BYTES + 4];
	Size		n = bound->n_bytes;
	Size		start;

	*out = *bound;
	if (!bound->is_cut)
		return true;

	/* Drop a character that the cut went through. */
	start = sw_parquet_last_character(bound->bytes, n);
	if (start == n)
		return false;
	if (start + sw_parquet_character_bytes((unsigned char) bound->bytes[start]) > n)
		n = start;

	if (!is_upper)
	{
		out->n_bytes = n;
		return n > 0;
	}

	/* Raise the last character that can be raised, forget what follows. */
	memcpy(text, bound->bytes, n);
	while (n > 0)
	{
		Size		width;

		start = sw_parquet_last_character(text, n);
		if (start == n ||
			sw_parquet_character_bytes((unsigned char) text[start]) != n - start)
			return false;
		width = sw_parquet_next_character(text + start, n - start);
		if (width > 0 && start + width <= SW_PARQUET_BOUND_BYTES)
		{
			sw_parquet_bound_set(out, text, start + width, true);

			/* Text that is not UTF-8 may have come out lower. */
			return memcmp(text, bound->bytes, Min(start + width, n)) > 0;
		}
		n = start;
	}
	return false;
}

/* Bytes are cut anywhere, and raised at the last one that can be. */
static bool
sw_parquet_bound_finish_bytes(const SwParquetBound *bound, bool is_upper,
							  SwParquetBound *out)
{
	Size		n = bound->n_bytes;

	*out = *bound;
	if (!bound->is_cut || !is_upper)
		return true;
	while (n > 0 && (unsigned char) out->bytes[n - 1] == 0xFF)
		n--;
	if (n == 0)
		return false;
	out->bytes[n - 1]++;
	out->n_bytes = n;
	return true;
}

bool
sw_parquet_bound_finish(const SwParquetBound *bound, SwParquetKind kind,
						bool is_upper, SwParquetBound *out)
{
	return kind == SW_PARQUET_KIND_STRING ?
		sw_parquet_bound_finish_text(bound, is_upper, out) :
		sw_parquet_bound_finish_bytes(bound, is_upper, out);
}

static void
sw_parquet_bound_set_integer(SwParquetBound *bound, uint64 value, int width)
{
	int			i;

	for (i = 0; i < width; i++)
		bound->bytes[i] = (char) (value >> (8 * i));
	bound->n_bytes = width;
}

static void
sw_parquet_bound_set_float(SwParquetBound *bound, double value, int width)
{
	if (width == sizeof(double))
	{
		uint64		bits;

		memcpy(&bits, &value, sizeof(bits));
		sw_parquet_bound_set_integer(bound, bits, width);
	}
	else
	{
		float		narrow = (float) value;
		uint32		bits;

		memcpy(&bits, &narrow, sizeof(bits));
		sw_parquet_bound_set_integer(bound, bits, width);
	}
}

bool
sw_parquet_statistics_finish(const SwParquetStatistics *statistics,
							 const SwParquetLeaf *leaf,
							 SwParquetBound *lower, SwParquetBound *upper)
{
	memset(lower, 0, sizeof(*lower));
	memset(upper, 0, sizeof(*upper));
	if (statistics->n_values == 0 || statistics->has_nan)
		return false;
	switch (leaf->kind)
	{
		case SW_PARQUET_KIND_STRING:
		case SW_PARQUET_KIND_BYTES:
			return sw_parquet_bound_finish(&statistics->min_bytes, leaf->kind,
										   false, lower) &&
				sw_parquet_bound_finish(&statistics->max_bytes, leaf->kind,
										true, upper);
		case SW_PARQUET_KIND_BOOL:
			sw_parquet_bound_set_integer(lower, statistics->min_int64, 1);
			sw_parquet_bound_set_integer(upper, statistics->max_int64, 1);
			return true;
		case SW_PARQUET_KIND_INTEGER:
		case SW_PARQUET_KIND_UNSIGNED:
			sw_parquet_bound_set_integer(lower, statistics->min_int64,
										 leaf->width);
			sw_parquet_bound_set_integer(upper, statistics->max_int64,
										 leaf->width);
			return true;
		case SW_PARQUET_KIND_FLOAT:
			sw_parquet_bound_set_float(lower, statistics->min_double == 0 ?
									   -0.0 : statistics->min_double,
									   leaf->width);
			sw_parquet_bound_set_float(upper, statistics->max_double == 0 ?
									   0.0 : statistics->max_double,
									   leaf->width);
			return true;
		case SW_PARQUET_KIND_DECIMAL:
			*lower = statistics->min_bytes;
			*upper = statistics->max_bytes;
			lower->bytes[0] = (char) (lower->bytes[0] ^ 0x80);
			upper->bytes[0] = (char) (upper->bytes[0] ^ 0x80);
			return true;
		case SW_PARQUET_KIND_FIXED:
			*lower = statistics->min_bytes;
			*upper = statistics->max_bytes;
			return true;
	}
	return false;
}
