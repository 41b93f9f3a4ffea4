/*-------------------------------------------------------------------------
 *
 * common_bytes.c
 *	  Write buffer and read cursor: round trips, cuts, hostile bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_bytes.h"
#include "unit.h"

static const uint64 varuints[] = {
	0, 1, 127, 128, 255, 256, 16383, 16384, 0xFFFFFFFF,
	UINT64CONST(0x7FFFFFFFFFFFFFFF), UINT64CONST(0x8000000000000000),
	UINT64CONST(0xFFFFFFFFFFFFFFFF)
};

static void
check_writing(void)
{
	static const char expected[] =
	"\x01" "\x04\x03\x02\x01"
	"\x08\x07\x06\x05\x04\x03\x02\x01"
	"\x00" "\x7F" "\x80\x01" "\xAC\x02"
	"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
	"\x03" "abc" "\x00" "\x02" "xy" "raw";
	SwBuffer	buffer;
	int			i;

	sw_buffer_init(&buffer);
	sw_buffer_append_uint8(&buffer, 1);
	sw_buffer_append_uint32(&buffer, 0x01020304);
	sw_buffer_append_uint64(&buffer, UINT64CONST(0x0102030405060708));
	sw_buffer_append_varuint(&buffer, 0);
	sw_buffer_append_varuint(&buffer, 127);
	sw_buffer_append_varuint(&buffer, 128);
	sw_buffer_append_varuint(&buffer, 300);
	sw_buffer_append_varuint(&buffer, UINT64CONST(0xFFFFFFFFFFFFFFFF));
	sw_buffer_append_string(&buffer, "abc", 3);
	sw_buffer_append_cstring(&buffer, NULL);
	sw_buffer_append_cstring(&buffer, "xy");
	sw_buffer_append_bytes(&buffer, "raw", 3);
	sw_buffer_append_bytes(&buffer, NULL, 0);
	unit_is_bytes(buffer.data, buffer.len, expected, sizeof(expected) - 1,
				  "every kind of item has its wire form");

	sw_buffer_consume(&buffer, 3);
	unit_is_bytes(buffer.data, buffer.len, expected + 3, sizeof(expected) - 4,
				  "consume drops the front");
	sw_buffer_consume(&buffer, 0);
	unit_is_int(buffer.len, sizeof(expected) - 4, "consume nothing");
	sw_buffer_consume(&buffer, buffer.len);
	unit_is_int(buffer.len, 0, "consume all");

	for (i = 0; i < 100000; i++)
		sw_buffer_append_uint32(&buffer, i);
	unit_ok(buffer.len == 400000 && buffer.allocated >= buffer.len &&
			(uint8) buffer.data[399996] == (99999 & 0xFF), "the buffer grows");
	sw_buffer_reset(&buffer);
	unit_ok(buffer.len == 0 && buffer.allocated >= 400000,
			"reset keeps the memory");
	sw_buffer_free(&buffer);
	unit_ok(buffer.data == NULL && buffer.allocated == 0, "free forgets it");
}

/*
 * Every prefix of an item says MORE and leaves the cursor alone; the whole
 * says OK; and that from memory of exactly that size, so that the sanitizer
 * sees a read too far.
 */
static void
check_pieces(const char *name, const char *bytes, Size n,
			 SwReadResult (*read) (SwReader *reader), SwReadResult whole)
{
	bool		good = true;
	Size		i;

	for (i = 0; i <= n; i++)
	{
		char	   *exact = palloc(Max(i, 1));
		SwReader	reader;
		SwReadResult result;

		memcpy(exact, bytes, i);
		sw_reader_init(&reader, exact, i);
		result = read(&reader);
		if (i < n)
			good = good && result == SW_READ_MORE && reader.position == 0;
		else
			good = good && result == whole &&
				reader.position == (whole == SW_READ_OK ? n : 0);
		pfree(exact);
	}
	unit_ok(good, name);
}

static SwReadResult
read_32(SwReader *reader)
{
	uint32		value = 0;
	SwReadResult result = sw_reader_read_uint32(reader, &value);

	return result != SW_READ_OK || value == 0x04030201 ? result : SW_READ_BAD;
}

static SwReadResult
read_varuint(SwReader *reader)
{
	uint64		value;

	return sw_reader_read_varuint(reader, &value);
}

static SwReadResult
read_string(SwReader *reader)
{
	const char *bytes = NULL;
	Size		n = 0;
	SwReadResult result = sw_reader_read_string(reader, 300, &bytes, &n);

	if (result == SW_READ_OK && (n != 200 || bytes[0] != 's'))
		return SW_READ_BAD;
	return result;
}

static void
check_reading(void)
{
	SwBuffer	buffer;
	SwReader	reader;
	char		letters[200];
	uint8		byte = 0;
	uint64		value = 77;
	const char *bytes = NULL;
	Size		n = 0;
	bool		good = true;
	int			i;

	check_pieces("uint32 in pieces", "\1\2\3\4", 4, read_32, SW_READ_OK);

	sw_buffer_init(&buffer);
	for (i = 0; i < (int) lengthof(varuints); i++)
	{
		sw_buffer_reset(&buffer);
		sw_buffer_append_varuint(&buffer, varuints[i]);
		check_pieces("varuint in pieces", buffer.data, buffer.len,
					 read_varuint, SW_READ_OK);
		sw_reader_init(&reader, buffer.data, buffer.len);
		sw_reader_read_varuint(&reader, &value);
		good = good && value == varuints[i];
	}
	unit_ok(good, "varuints read back");
	check_pieces("a padded varuint is valid", "\x80\x80\x00", 3,
				 read_varuint, SW_READ_OK);
	check_pieces("a varuint of 65 bits",
				 "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10,
				 read_varuint, SW_READ_BAD);
	check_pieces("a varuint of eleven bytes",
				 "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10,
				 read_varuint, SW_READ_BAD);

	memset(letters, 's', sizeof(letters));
	sw_buffer_reset(&buffer);
	sw_buffer_append_string(&buffer, letters, sizeof(letters));
	check_pieces("string in pieces", buffer.data, buffer.len, read_string,
				 SW_READ_OK);

	sw_reader_init(&reader, buffer.data, buffer.len);
	unit_is_int(sw_reader_read_string(&reader, 199, &bytes, &n), SW_READ_BAD,
				"a string over the cap is malformed");
	unit_ok(reader.position == 0 && bytes == NULL && n == 0,
			"and nothing moved");
	unit_is_int(sw_reader_read_string(&reader, 200, &bytes, &n), SW_READ_OK,
				"a string of the cap's size is fine");
	sw_reader_init(&reader, buffer.data, 2);
	unit_is_int(sw_reader_read_string(&reader, 199, &bytes, &n), SW_READ_BAD,
				"a string over the cap is refused before it is there");
	sw_reader_init(&reader, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01x", 11);
	unit_is_int(sw_reader_read_string(&reader, SIZE_MAX, &bytes, &n),
				SW_READ_MORE, "the largest length does not overflow");
	unit_is_int(sw_reader_read_bytes(&reader, SIZE_MAX, &bytes),
				SW_READ_MORE, "nor does the largest raw length");

	sw_reader_init(&reader, "\0ab", 3);
	unit_ok(sw_reader_read_string(&reader, 0, &bytes, &n) == SW_READ_OK &&
			n == 0, "an empty string");
	unit_ok(sw_reader_read_uint8(&reader, &byte) == SW_READ_OK &&
			byte == 'a' && sw_reader_remaining(&reader) == 1, "uint8");
	unit_ok(sw_reader_read_bytes(&reader, 1, &bytes) == SW_READ_OK &&
			bytes[0] == 'b', "raw bytes");
	unit_is_int(sw_reader_read_uint8(&reader, &byte), SW_READ_MORE,
				"nothing left");
}

int
main(void)
{
	check_writing();
	check_reading();
	return unit_done();
}
