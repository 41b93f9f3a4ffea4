/*-------------------------------------------------------------------------
 *
 * sw_bytes.c
 *	  Bytes: a growable write buffer and a bounds-checked read cursor.
 *
 * Pure.  See sw_bytes.h for the contract.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_bytes.h"

#define SW_BUFFER_INITIAL_BYTES 256

/* ---- write buffer ---- */

void
sw_buffer_init(SwBuffer *buffer)
{
	buffer->data = palloc(SW_BUFFER_INITIAL_BYTES);
	buffer->len = 0;
	buffer->allocated = SW_BUFFER_INITIAL_BYTES;
}

void
sw_buffer_reset(SwBuffer *buffer)
{
	buffer->len = 0;
}

void
sw_buffer_free(SwBuffer *buffer)
{
	if (buffer->data != NULL)
		pfree(buffer->data);
	buffer->data = NULL;
	buffer->len = 0;
	buffer->allocated = 0;
}

void
sw_buffer_trim(SwBuffer *buffer, Size max_bytes)
{
	buffer->len = 0;
	max_bytes = Max(max_bytes, SW_BUFFER_INITIAL_BYTES);
	if (buffer->allocated > max_bytes)
	{
		buffer->data = sw_repalloc_huge(buffer->data, max_bytes);
		buffer->allocated = max_bytes;
	}
}

char *
sw_buffer_reserve(SwBuffer *buffer, Size n)
{
	if (unlikely(n > buffer->allocated - buffer->len))
	{
		Size		wanted = buffer->len + n;
		Size		doubled = buffer->allocated * 2;

		/* A request that wraps around is one no allocator can serve. */
		if (wanted < n)
			wanted = SIZE_MAX;
		buffer->allocated = Max(wanted, doubled);
		buffer->data = sw_repalloc_huge(buffer->data, buffer->allocated);
	}
	return buffer->data + buffer->len;
}

void
sw_buffer_consume(SwBuffer *buffer, Size n)
{
	Assert(n <= buffer->len);
	if (n > 0 && n < buffer->len)
		memmove(buffer->data, buffer->data + n, buffer->len - n);
	buffer->len -= n;
}

void
sw_buffer_append_bytes(SwBuffer *buffer, const void *bytes, Size n)
{
	char	   *place = sw_buffer_reserve(buffer, n);

	if (n > 0)
		memcpy(place, bytes, n);
	buffer->len += n;
}

/* The low n_bytes bytes of value, lowest first. */
static void
sw_buffer_append_integer(SwBuffer *buffer, uint64 value, int n_bytes)
{
	char	   *place = sw_buffer_reserve(buffer, n_bytes);
	int			i;

	for (i = 0; i < n_bytes; i++)
		place[i] = (char) (value >> (8 * i));
	buffer->len += n_bytes;
}

void
sw_buffer_append_uint8(SwBuffer *buffer, uint8 value)
{
	sw_buffer_append_integer(buffer, value, 1);
}

void
sw_buffer_append_uint32(SwBuffer *buffer, uint32 value)
{
	sw_buffer_append_integer(buffer, value, 4);
}

void
sw_buffer_append_uint64(SwBuffer *buffer, uint64 value)
{
	sw_buffer_append_integer(buffer, value, 8);
}

void
sw_buffer_append_varuint(SwBuffer *buffer, uint64 value)
{
	char	   *place = sw_buffer_reserve(buffer, SW_VARUINT_MAX_BYTES);
	int			n = 0;

	while (value >= 0x80)
	{
		place[n++] = (char) ((value & 0x7F) | 0x80);
		value >>= 7;
	}
	place[n++] = (char) value;
	buffer->len += n;
}

void
sw_buffer_append_string(SwBuffer *buffer, const char *bytes, Size n)
{
	sw_buffer_append_varuint(buffer, n);
	sw_buffer_append_bytes(buffer, bytes, n);
}

void
sw_buffer_append_cstring(SwBuffer *buffer, const char *text)
{
	sw_buffer_append_string(buffer, text, text == NULL ? 0 : strlen(text));
}

/* ---- read cursor ---- */

void
sw_reader_init(SwReader *reader, const void *data, Size len)
{
	reader->data = data;
	reader->len = len;
	reader->position = 0;
}

/* An unsigned integer of n_bytes bytes, lowest first. */
static SwReadResult
sw_reader_read_integer(SwReader *reader, int n_bytes, uint64 *value)
{
	uint64		result = 0;
	int			i;

	if (sw_reader_remaining(reader) < (Size) n_bytes)
		return SW_READ_MORE;
	for (i = 0; i < n_bytes; i++)
		result |= (uint64) (uint8) reader->data[reader->position + i] << (8 * i);
	reader->position += n_bytes;
	*value = result;
	return SW_READ_OK;
}

SwReadResult
sw_reader_read_uint8(SwReader *reader, uint8 *value)
{
	uint64		wide;
	SwReadResult result = sw_reader_read_integer(reader, 1, &wide);

	if (result == SW_READ_OK)
		*value = (uint8) wide;
	return result;
}

SwReadResult
sw_reader_read_uint32(SwReader *reader, uint32 *value)
{
	uint64		wide;
	SwReadResult result = sw_reader_read_integer(reader, 4, &wide);

	if (result == SW_READ_OK)
		*value = (uint32) wide;
	return result;
}

SwReadResult
sw_reader_read_varuint(SwReader *reader, uint64 *value)
{
	uint64		result = 0;
	Size		available = sw_reader_remaining(reader);
	Size		i;

	for (i = 0; i < SW_VARUINT_MAX_BYTES; i++)
	{
		uint8		byte;

		if (i == available)
			return SW_READ_MORE;
		byte = (uint8) reader->data[reader->position + i];

		/* The tenth byte has room for the one bit that is left. */
		if (i == SW_VARUINT_MAX_BYTES - 1 && byte > 1)
			return SW_READ_BAD;
		result |= (uint64) (byte & 0x7F) << (7 * i);
		if ((byte & 0x80) == 0)
		{
			reader->position += i + 1;
			*value = result;
			return SW_READ_OK;
		}
	}
	return SW_READ_BAD;
}

SwReadResult
sw_reader_read_bytes(SwReader *reader, Size n, const char **bytes)
{
	if (sw_reader_remaining(reader) < n)
		return SW_READ_MORE;
	*bytes = reader->data + reader->position;
	reader->position += n;
	return SW_READ_OK;
}

SwReadResult
sw_reader_read_string(SwReader *reader, Size max_bytes, const char **bytes,
					  Size *n)
{
	SwReader	ahead = *reader;
	uint64		len;
	SwReadResult result;

	result = sw_reader_read_varuint(&ahead, &len);
	if (result != SW_READ_OK)
		return result;
	if (len > max_bytes)
		return SW_READ_BAD;
	result = sw_reader_read_bytes(&ahead, (Size) len, bytes);
	if (result != SW_READ_OK)
		return result;
	*n = (Size) len;
	*reader = ahead;
	return SW_READ_OK;
}
