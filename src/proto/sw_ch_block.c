/*-------------------------------------------------------------------------
 *
 * sw_ch_block.c
 *	  A block of the ClickHouse native protocol: columns of values.
 *
 * Nothing is allocated on the word of the peer: buffers grow with the bytes
 * that have arrived, and these are counted against one limit a block.
 *
 * Called by the connection machine; the same contract about memory.
 *
 * Source of truth: ClickHouse src/Formats/NativeReader.cpp and the same of
 * ByConity, at revision 54448.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/shortest_dec.h"

#include "proto/sw_ch_block.h"
#include "proto/sw_ch_packet.h"
#include "proto/sw_ch_type.h"

void
sw_ch_block_init(SwChBlock *block)
{
	memset(block, 0, sizeof(SwChBlock));
}

void
sw_ch_block_reset(SwChBlock *block)
{
	uint32		i;

	for (i = 0; block->columns != NULL && i < block->n_columns; i++)
	{
		SwChColumn *column = &block->columns[i];

		if (column->name == NULL)
			break;				/* its header was never read */
		pfree(column->name);
		pfree(column->type);
		sw_buffer_free(&column->nulls);
		sw_buffer_free(&column->offsets);
		sw_buffer_free(&column->values);
	}
	if (block->columns != NULL)
		pfree(block->columns);
	sw_ch_block_init(block);
}

static SwReadResult
sw_ch_block_bad(SwError *err, const char *what)
{
	sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
				 "the warehouse sent a block with %s", what);
	return SW_READ_BAD;
}

/* Count bytes against the limit of the block. */
static bool
sw_ch_block_charge(SwChBlock *block, Size n_bytes)
{
	if (n_bytes > SW_CH_MAX_BLOCK_BYTES - block->total_bytes)
		return false;
	block->total_bytes += n_bytes;
	return true;
}

/* One field of the block info, or its end. */
static SwReadResult
sw_ch_block_read_info(SwChBlock *block, SwReader *reader, SwError *err)
{
	SwReader	attempt = *reader;
	SwReadResult result;
	uint64		field;
	uint8		overflows;
	uint32		bucket;

	result = sw_reader_read_varuint(&attempt, &field);
	if (result == SW_READ_MORE)
		return result;
	if (result == SW_READ_BAD)
		return sw_ch_block_bad(err, "a number that has no end");

	switch (field)
	{
		case SW_CH_BLOCK_INFO_END:
			block->step = SW_CH_BLOCK_COUNTS;
			break;
		case SW_CH_BLOCK_INFO_OVERFLOWS:
			result = sw_reader_read_uint8(&attempt, &overflows);
			break;
		case SW_CH_BLOCK_INFO_BUCKET:
			result = sw_reader_read_uint32(&attempt, &bucket);
			break;
		default:
			return sw_ch_block_bad(err, "unknown block information");
	}
	if (result == SW_READ_OK)
		*reader = attempt;
	return result;
}

static SwReadResult
sw_ch_block_read_counts(SwChBlock *block, SwReader *reader, SwError *err)
{
	SwReader	attempt = *reader;
	SwReadResult result;
	uint64		n_columns;
	uint64		n_rows;

	result = sw_reader_read_varuint(&attempt, &n_columns);
	if (result == SW_READ_OK && n_columns > SW_CH_MAX_COLUMNS)
		return sw_ch_block_bad(err, "too many columns");
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(&attempt, &n_rows);
	if (result == SW_READ_BAD)
		return sw_ch_block_bad(err, "a number that has no end");
	if (result == SW_READ_MORE)
		return result;
	if (n_rows > SW_CH_MAX_ROWS)
		return sw_ch_block_bad(err, "too many rows");

	*reader = attempt;
	block->n_columns = (uint32) n_columns;
	block->n_rows = (uint32) n_rows;
	if (n_columns > 0)
		block->columns = (SwChColumn *)
			palloc0(n_columns * sizeof(SwChColumn));
	block->step = n_columns > 0 ? SW_CH_BLOCK_COLUMN : SW_CH_BLOCK_DONE;
	return SW_READ_OK;
}

/* Leave the current column: on to the next one, or the block is done. */
static void
sw_ch_block_end_column(SwChBlock *block)
{
	block->column++;
	block->step = block->column < block->n_columns ? SW_CH_BLOCK_COLUMN :
		SW_CH_BLOCK_DONE;
}

/* A type we cannot read: its name may be any bytes, and hold secrets. */
static SwReadResult
sw_ch_block_refuse_type(SwChBlock *block, const char *type, SwError *err)
{
	block->refused_type = type;
	sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
				 "the warehouse sent a column of a type that cannot be read");
	return SW_READ_BAD;
}

/* The header of the current column is known: make ready for its values. */
static SwReadResult
sw_ch_block_begin_values(SwChBlock *block, SwError *err)
{
	SwChColumn *column = &block->columns[block->column];
	bool		is_string = column->kind == SW_CH_KIND_STRING;
	Size		row_bytes = is_string ? sizeof(uint32) : column->width;

	if (column->kind == SW_CH_KIND_UNKNOWN)
		return sw_ch_block_refuse_type(block, column->type, err);

	/* The bytes of strings are counted as their lengths become known. */
	if (column->is_nullable)
		row_bytes++;
	if (!sw_ch_block_charge(block, block->n_rows * row_bytes))
		return sw_ch_block_bad(err, "too many bytes");

	sw_buffer_init(&column->values);
	if (column->is_nullable)
		sw_buffer_init(&column->nulls);
	if (is_string)
		sw_buffer_init(&column->offsets);
	block->n_values = 0;
	block->in_string = false;
	block->step = column->is_nullable ? SW_CH_BLOCK_NULLS :
		SW_CH_BLOCK_VALUES;
	return SW_READ_OK;
}

static SwReadResult
sw_ch_block_read_column(SwChBlock *block, SwReader *reader, SwError *err)
{
	SwChColumn *column = &block->columns[block->column];
	SwReader	attempt = *reader;
	SwReadResult result;
	const char *name;
	const char *type;
	Size		name_len;
	Size		type_len;

	result = sw_reader_read_string(&attempt, SW_CH_MAX_NAME_BYTES,
								   &name, &name_len);
	if (result == SW_READ_OK)
		result = sw_reader_read_string(&attempt, SW_CH_MAX_NAME_BYTES,
									   &type, &type_len);
	if (result == SW_READ_BAD)
		return sw_ch_block_bad(err, "a column name or type that is too long");
	if (result == SW_READ_MORE)
		return result;
	if (!sw_ch_block_charge(block, name_len + type_len))
		return sw_ch_block_bad(err, "too many bytes");

	*reader = attempt;
	column->name = pnstrdup(name, name_len);
	column->type = pnstrdup(type, type_len);
	sw_ch_type_resolve(column);
	if (block->n_rows > 0)
		return sw_ch_block_begin_values(block, err);
	sw_ch_block_end_column(block);
	return SW_READ_OK;
}

/*
 * Move bytes from the reader into buffer until it holds wanted bytes.  The
 * caller has made sure that wanted is within the limits.
 */
static SwReadResult
sw_ch_block_fill(SwReader *reader, SwBuffer *buffer, Size wanted)
{
	Size		n_bytes = Min(wanted - buffer->len,
							  sw_reader_remaining(reader));
	const char *bytes;

	if (n_bytes > 0 &&
		sw_reader_read_bytes(reader, n_bytes, &bytes) == SW_READ_OK)
		sw_buffer_append_bytes(buffer, bytes, n_bytes);
	return buffer->len == wanted ? SW_READ_OK : SW_READ_MORE;
}

/* The values of a column of strings: as many as are there. */
static SwReadResult
sw_ch_block_read_strings(SwChBlock *block, SwReader *reader, SwError *err)
{
	SwChColumn *column = &block->columns[block->column];

	while (block->n_values < block->n_rows)
	{
		uint32		end;

		if (!block->in_string)
		{
			SwReadResult result;
			uint64		len;

			result = sw_reader_read_varuint(reader, &len);
			if (result == SW_READ_MORE)
				return result;
			if (result == SW_READ_BAD || len > SW_CH_MAX_DATA_STRING_BYTES)
				return sw_ch_block_bad(err, "a string that is too long");
			if (!sw_ch_block_charge(block, (Size) len))
				return sw_ch_block_bad(err, "too many bytes");
			block->string_end = column->values.len + (Size) len;
			block->in_string = true;
		}
		if (sw_ch_block_fill(reader, &column->values,
							 block->string_end) == SW_READ_MORE)
			return SW_READ_MORE;

		/* In host order, unlike the values of the wire. */
		end = (uint32) column->values.len;
		sw_buffer_append_bytes(&column->offsets, &end, sizeof(end));
		block->in_string = false;
		block->n_values++;
	}
	sw_ch_block_end_column(block);
	return SW_READ_OK;
}

SwReadResult
sw_ch_block_read(SwChBlock *block, SwReader *reader, SwError *err)
{
	SwReadResult result = SW_READ_OK;

	while (result == SW_READ_OK && block->step != SW_CH_BLOCK_DONE)
	{
		SwChColumn *column = NULL;

		if (block->columns != NULL)
			column = &block->columns[block->column];

		switch (block->step)
		{
			case SW_CH_BLOCK_INFO:
				result = sw_ch_block_read_info(block, reader, err);
				break;
			case SW_CH_BLOCK_COUNTS:
				result = sw_ch_block_read_counts(block, reader, err);
				break;
			case SW_CH_BLOCK_COLUMN:
				result = sw_ch_block_read_column(block, reader, err);
				break;
			case SW_CH_BLOCK_NULLS:
				result = sw_ch_block_fill(reader, &column->nulls,
										  block->n_rows);
				if (result == SW_READ_OK)
					block->step = SW_CH_BLOCK_VALUES;
				break;
			case SW_CH_BLOCK_VALUES:
				if (column->kind == SW_CH_KIND_STRING)
					result = sw_ch_block_read_strings(block, reader, err);
				else
				{
					result = sw_ch_block_fill(reader, &column->values,
											  block->n_rows * column->width);
					if (result == SW_READ_OK)
						sw_ch_block_end_column(block);
				}
				break;
			case SW_CH_BLOCK_DONE:
				break;
		}
	}
	return result;
}

/* The bytes of a value and their number; false = null. */
static bool
sw_ch_column_get_bytes(const SwChColumn *column, uint32 row,
					   const char **bytes, Size *n_bytes)
{
	if (column->is_nullable && column->nulls.data[row] != 0)
		return false;
	if (column->kind == SW_CH_KIND_STRING)
	{
		uint32		start = 0;
		uint32		end;

		if (row > 0)
			memcpy(&start,
				   column->offsets.data + (row - 1) * sizeof(uint32),
				   sizeof(uint32));
		memcpy(&end, column->offsets.data + row * sizeof(uint32),
			   sizeof(uint32));
		*bytes = column->values.data + start;
		*n_bytes = end - start;
	}
	else
	{
		*bytes = column->values.data + row * column->width;
		*n_bytes = column->width;
	}
	return true;
}

/* A number of the wire, little-endian. */
static uint64
sw_ch_column_get_bits(const char *bytes, Size n_bytes)
{
	uint64		bits = 0;
	Size		i;

	for (i = 0; i < n_bytes; i++)
		bits |= (uint64) (uint8) bytes[i] << (8 * i);
	return bits;
}

/* A number of up to 64 bits, sign-extended. */
static int64
sw_ch_column_get_signed(const char *bytes, Size n_bytes)
{
	uint64		bits = sw_ch_column_get_bits(bytes, n_bytes);

	if (n_bytes < sizeof(uint64) && (bits >> (8 * n_bytes - 1)) != 0)
		bits |= ~UINT64CONST(0) << (8 * n_bytes);
	return (int64) bits;
}

/* The fewest digits that give the number back. */
static char *
sw_ch_column_show_float(const char *bytes, Size n_bytes)
{
	uint64		bits = sw_ch_column_get_bits(bytes, n_bytes);

	if (n_bytes == sizeof(float))
	{
		uint32		low_bits = (uint32) bits;
		float		value;

		memcpy(&value, &low_bits, sizeof(value));
		return float_to_shortest_decimal(value);
	}
	else
	{
		double		value;

		memcpy(&value, &bits, sizeof(value));
		return double_to_shortest_decimal(value);
	}
}

char *
sw_ch_column_get_text(const SwChColumn *column, uint32 row)
{
	const char *bytes;
	Size		n_bytes;

	if (!sw_ch_column_get_bytes(column, row, &bytes, &n_bytes))
		return NULL;
	switch (column->kind)
	{
		case SW_CH_KIND_UNSIGNED:
			return psprintf(UINT64_FORMAT,
							sw_ch_column_get_bits(bytes, n_bytes));
		case SW_CH_KIND_SIGNED:
			return psprintf(INT64_FORMAT,
							sw_ch_column_get_signed(bytes, n_bytes));
		case SW_CH_KIND_FLOAT:
			return sw_ch_column_show_float(bytes, n_bytes);
		default:
			return pnstrdup(bytes, n_bytes);
	}
}
