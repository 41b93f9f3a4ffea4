/*-------------------------------------------------------------------------
 *
 * sw_thrift.c
 *	  Write structures in Thrift's compact protocol.
 *
 * Pure: throws only when memory runs out.
 *
 * Source of truth: the compact protocol specification of Apache Thrift.
 *
 *	  field   = byte (delta of id << 4 | type) when 1 <= delta <= 15,
 *				else byte type, zigzag varint id; then the value
 *	  integer = zigzag varint, of 8 bits a byte; a boolean is its
 *			  field's type
 *	  binary  = varint length, bytes
 *	  list    = byte (n << 4 | type) when n <= 14, else byte (0xF0 | type),
 *				varint n; then the elements
 *	  struct  = fields, then byte 0
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_thrift.h"

static uint64
sw_thrift_zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (value < 0 ? ~UINT64CONST(0) : 0);
}

static void
sw_thrift_write_field(SwThriftWriter *writer, int field, SwThriftType type)
{
	int		   *last = &writer->last_field[writer->depth];
	int			delta = field - *last;

	Assert(delta > 0);
	if (delta <= 15)
		sw_buffer_append_uint8(writer->out, (uint8) (delta << 4 | type));
	else
	{
		sw_buffer_append_uint8(writer->out, (uint8) type);
		sw_buffer_append_varuint(writer->out, sw_thrift_zigzag(field));
	}
	*last = field;
}

void
sw_thrift_init(SwThriftWriter *writer, SwBuffer *out)
{
	writer->out = out;
	writer->depth = 0;
	writer->last_field[0] = 0;
}

void
sw_thrift_write_bool(SwThriftWriter *writer, int field, bool value)
{
	sw_thrift_write_field(writer, field,
						  value ? SW_THRIFT_TRUE : SW_THRIFT_FALSE);
}

void
sw_thrift_write_int8(SwThriftWriter *writer, int field, int8 value)
{
	sw_thrift_write_field(writer, field, SW_THRIFT_INT8);
	sw_buffer_append_uint8(writer->out, (uint8) value);
}

void
sw_thrift_write_int32(SwThriftWriter *writer, int field, int32 value)
{
	sw_thrift_write_field(writer, field, SW_THRIFT_INT32);
	sw_buffer_append_varuint(writer->out, sw_thrift_zigzag(value));
}

void
sw_thrift_write_int64(SwThriftWriter *writer, int field, int64 value)
{
	sw_thrift_write_field(writer, field, SW_THRIFT_INT64);
	sw_buffer_append_varuint(writer->out, sw_thrift_zigzag(value));
}

void
sw_thrift_write_binary(SwThriftWriter *writer, int field, const char *bytes,
					   Size n)
{
	sw_thrift_write_field(writer, field, SW_THRIFT_BINARY);
	sw_buffer_append_string(writer->out, bytes, n);
}

void
sw_thrift_write_cstring(SwThriftWriter *writer, int field, const char *text)
{
	sw_thrift_write_binary(writer, field, text, strlen(text));
}

void
sw_thrift_begin_struct(SwThriftWriter *writer, int field)
{
	sw_thrift_write_field(writer, field, SW_THRIFT_STRUCT);
	sw_thrift_add_struct(writer);
}

void
sw_thrift_end_struct(SwThriftWriter *writer)
{
	sw_buffer_append_uint8(writer->out, 0);
	if (writer->depth > 0)
		writer->depth--;
}

void
sw_thrift_begin_list(SwThriftWriter *writer, int field, SwThriftType element,
					 uint32 n)
{
	sw_thrift_write_field(writer, field, SW_THRIFT_LIST);
	if (n <= 14)
		sw_buffer_append_uint8(writer->out, (uint8) (n << 4 | element));
	else
	{
		sw_buffer_append_uint8(writer->out, (uint8) (0xF0 | element));
		sw_buffer_append_varuint(writer->out, n);
	}
}

void
sw_thrift_add_int32(SwThriftWriter *writer, int32 value)
{
	sw_buffer_append_varuint(writer->out, sw_thrift_zigzag(value));
}

void
sw_thrift_add_cstring(SwThriftWriter *writer, const char *text)
{
	sw_buffer_append_cstring(writer->out, text);
}

void
sw_thrift_add_struct(SwThriftWriter *writer)
{
	Assert(writer->depth + 1 < SW_THRIFT_MAX_DEPTH);
	writer->last_field[++writer->depth] = 0;
}
