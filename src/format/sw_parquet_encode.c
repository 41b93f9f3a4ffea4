/*-------------------------------------------------------------------------
 *
 * sw_parquet_encode.c
 *	  Parquet encodings: plain values and the RLE / bit-packing hybrid.
 *
 * Pure: throws only when memory runs out.
 *
 * Hybrid, a sequence of runs (varint is LEB128):
 *
 *	  repeated   = varint (count << 1), value in whole bytes, lowest first
 *	  bit-packed = varint (groups << 1 | 1), 8 * groups values, each in
 *				   bit_width bits, lowest bits first
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "port/pg_bitutils.h"

#include "format/sw_parquet.h"

/* A bit-packed group; also the shortest repetition worth a run of its own. */
#define SW_PARQUET_GROUP 8

int
sw_parquet_bit_width(uint32 max_value)
{
	return max_value == 0 ? 1 : pg_leftmost_one_pos32(max_value) + 1;
}

/* How often values[0] is repeated from there on. */
static uint32
sw_parquet_count_repeats(const uint16 *values, uint32 n)
{
	uint32		i = 1;

	while (i < n && values[i] == values[0])
		i++;
	return i;
}

static void
sw_parquet_encode_repeated(SwBuffer *out, uint16 value, uint32 count,
						   int bit_width)
{
	int			shift;

	sw_buffer_append_varuint(out, (uint64) count << 1);
	for (shift = 0; shift < bit_width; shift += 8)
		sw_buffer_append_uint8(out, (uint8) (value >> shift));
}

/* n values, the last group filled up with zeros. */
static void
sw_parquet_encode_packed(SwBuffer *out, const uint16 *values, uint32 n,
						 int bit_width)
{
	uint32		n_groups = (n + SW_PARQUET_GROUP - 1) / SW_PARQUET_GROUP;
	Size		n_bytes = (Size) n_groups * bit_width;
	uint64		bits = 0;
	int			n_bits = 0;
	char	   *place;
	uint32		i;

	sw_buffer_append_varuint(out, (uint64) n_groups << 1 | 1);
	place = sw_buffer_reserve(out, n_bytes);
	for (i = 0; i < n_groups * SW_PARQUET_GROUP; i++)
	{
		if (i < n)
			bits |= (uint64) values[i] << n_bits;
		n_bits += bit_width;
		while (n_bits >= 8)
		{
			*place++ = (char) bits;
			bits >>= 8;
			n_bits -= 8;
		}
	}
	out->len += n_bytes;
}

void
sw_parquet_encode_hybrid(SwBuffer *out, const uint16 *values, uint32 n,
						 int bit_width)
{
	uint32		start = 0;		/* of values not yet written */
	uint32		next = 0;		/* whole groups after start */

	while (next < n)
	{
		uint32		repeats = sw_parquet_count_repeats(values + next, n - next);

		if (repeats < SW_PARQUET_GROUP)
		{
			next += Min(SW_PARQUET_GROUP, n - next);
			continue;
		}
		if (next > start)
			sw_parquet_encode_packed(out, values + start, next - start,
									 bit_width);
		sw_parquet_encode_repeated(out, values[next], repeats, bit_width);
		next += repeats;
		start = next;
	}
	if (next > start)
		sw_parquet_encode_packed(out, values + start, next - start, bit_width);
}

void
sw_parquet_encode_bytes(SwBuffer *out, const char *bytes, Size n)
{
	char	   *place = sw_buffer_reserve(out, sizeof(uint32) + n);
	int			i;

	for (i = 0; i < (int) sizeof(uint32); i++)
		place[i] = (char) (n >> (8 * i));
	memcpy(place + sizeof(uint32), bytes, n);
	out->len += sizeof(uint32) + n;
}
