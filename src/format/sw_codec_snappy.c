/*-------------------------------------------------------------------------
 *
 * sw_codec_snappy.c
 *	  Snappy blocks.
 *
 * Implements SwCodecOps (sw_codec.h).  Throws only when memory runs out.
 * Own code: the format is small, and its library is C++, which must not
 * raise an exception inside a server process.
 *
 *	  block   = varuint length of what it holds, elements
 *	  literal = tag (length - 1) << 2 up to length 60, else 60 .. 63 << 2 and
 *				length - 1 in 1 .. 4 bytes; then the bytes
 *	  copy    = of 4 .. 11 bytes from less than 2048 bytes back:
 *				offset >> 8 << 5 | (length - 4) << 2 | 1, low byte of offset
 *				of 1 .. 64 bytes: (length - 1) << 2 | 2, offset in 2 bytes
 *
 * What is compressed is looked at in pieces of 64 kB, so that no offset
 * needs more than 2 bytes.
 *
 * Source of truth: the format description of Snappy (format_description.txt).
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_codec.h"

#define SW_SNAPPY_PIECE_BYTES ((Size) 64 * 1024)
#define SW_SNAPPY_TABLE_BITS 13
/* Shortest repetition that is looked for. */
#define SW_SNAPPY_MIN_MATCH 4
/* A step more is made for so many looks in vain. */
#define SW_SNAPPY_PATIENCE 32

static inline uint32
sw_snappy_load(const char *bytes)
{
	uint32		value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static inline uint32
sw_snappy_hash(uint32 value)
{
	return (value * 0x1e35a7bdU) >> (32 - SW_SNAPPY_TABLE_BITS);
}

static char *
sw_snappy_put_literal(char *place, const char *bytes, Size n)
{
	Size		length = n - 1;

	if (n == 0)
		return place;
	if (length < 60)
		*place++ = (char) (length << 2);
	else if (length < 256)
	{
		*place++ = (char) (60 << 2);
		*place++ = (char) length;
	}
	else
	{
		*place++ = (char) (61 << 2);
		*place++ = (char) length;
		*place++ = (char) (length >> 8);
	}
	memcpy(place, bytes, n);
	return place + n;
}

/* No rest may be shorter than what fits the short form. */
static char *
sw_snappy_put_copy(char *place, Size offset, Size n)
{
	while (n > 0)
	{
		Size		length = n >= 68 ? 64 : n > 64 ? 60 : n;

		if (length >= 4 && length <= 11 && offset < 2048)
		{
			*place++ = (char) (offset >> 8 << 5 | (length - 4) << 2 | 1);
			*place++ = (char) offset;
		}
		else
		{
			*place++ = (char) ((length - 1) << 2 | 2);
			*place++ = (char) offset;
			*place++ = (char) (offset >> 8);
		}
		n -= length;
	}
	return place;
}

/* Bytes that a and b have in common, up to end. */
static Size
sw_snappy_count_equal(const char *a, const char *b, const char *end)
{
	const char *start = b;

	while (b < end && *a == *b)
	{
		a++;
		b++;
	}
	return b - start;
}

/* At most SW_SNAPPY_PIECE_BYTES; returns where the output ends. */
static char *
sw_snappy_put_piece(char *place, const char *bytes, Size n, uint16 *table)
{
	const char *end = bytes + n;
	const char *literal = bytes;	/* not written yet, from here on */
	const char *at = bytes;
	uint32		looks = SW_SNAPPY_PATIENCE;

	memset(table, 0, sizeof(uint16) << SW_SNAPPY_TABLE_BITS);
	while (end - at >= SW_SNAPPY_MIN_MATCH)
	{
		uint32		value = sw_snappy_load(at);
		uint32		slot = sw_snappy_hash(value);
		const char *candidate = bytes + table[slot];
		Size		length;

		table[slot] = (uint16) (at - bytes);
		if (candidate >= at || sw_snappy_load(candidate) != value)
		{
			Size		step = looks++ / SW_SNAPPY_PATIENCE;

			at += Min(step, (Size) (end - at));
			continue;
		}
		length = SW_SNAPPY_MIN_MATCH +
			sw_snappy_count_equal(candidate + SW_SNAPPY_MIN_MATCH,
								  at + SW_SNAPPY_MIN_MATCH, end);
		place = sw_snappy_put_literal(place, literal, at - literal);
		place = sw_snappy_put_copy(place, at - candidate, length);
		at += length;
		literal = at;
		looks = SW_SNAPPY_PATIENCE;
	}
	return sw_snappy_put_literal(place, literal, end - literal);
}

static SwStatus
sw_snappy_compress(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
				   SwError *err)
{
	uint16		table[1 << SW_SNAPPY_TABLE_BITS];
	char	   *start;
	char	   *place;
	Size		done;

	(void) codec;
	if (n > PG_UINT32_MAX)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"could not compress a block: it is too large");
	sw_buffer_append_varuint(out, n);

	/* Copies never take more than what they stand for; literals do. */
	start = sw_buffer_reserve(out, n + n / 6 + 32);
	place = start;
	for (done = 0; done < n; done += SW_SNAPPY_PIECE_BYTES)
		place = sw_snappy_put_piece(place, bytes + done,
									Min(n - done, SW_SNAPPY_PIECE_BYTES),
									table);
	out->len += place - start;
	return SW_OK;
}

const SwCodecOps sw_codec_snappy = {
	.name = "snappy",
	.parquet_code = 1,
	.compress = sw_snappy_compress,
};
