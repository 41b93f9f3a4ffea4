/*-------------------------------------------------------------------------
 *
 * sw_native_file.c
 *	  The writer of ClickHouse's Native format, in one compressed stream.
 *
 * Implements SwWriterOps (sw_writer.h).  Pure: throws only when memory runs
 * out.  After an error only destroy may be called.
 *
 *	  file = compressed(block ...)
 *	  block = number of columns, number of rows, columns
 *	  column = name, type, content
 *	  content = null map if nullable, values; of a container: where each
 *				row's members end (tuples: nothing), content of each child
 *
 * Strings of which most are repetitions are numbered (LowCardinality):
 *
 *	  content = version, flags, number of keys, keys, number of rows, the
 *				number of each row's key; key 0 of nullable ones is the null
 *
 * A block is a batch, or a piece of one that has more rows than a block may
 * have; so the same batches give the same blocks, which is what makes a
 * repeated insert recognisable.  Of a batch at most SW_NATIVE_FEED_BYTES are
 * kept, until there are as many for the compressor.
 *
 * Source of truth: ClickHouse's Native format, as of revision 0 (no block
 * info), see also proto/sw_ch_block.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_bytes.h"
#include "format/sw_codec.h"
#include "format/sw_dictionary.h"
#include "format/sw_writer.h"

#ifdef WORDS_BIGENDIAN
#error "columns keep values in host order, and files have the lowest byte first"
#endif

/* Rows of one block, at most. */
#define SW_NATIVE_BLOCK_ROWS 65536
/* The compressor is fed about so much at a time; the last time, the rest. */
#define SW_NATIVE_FEED_BYTES ((Size) 512 * 1024)
/* Strings of a block are not numbered when it has less rows. */
#define SW_NATIVE_NUMBERED_ROWS 1000
/* Of LowCardinality: its only version, and that keys come with the rows. */
#define SW_NATIVE_KEYS_VERSION 1
#define SW_NATIVE_HAS_KEYS (1 << 9)
#define SW_NATIVE_NUMBERS_8_BIT 0
#define SW_NATIVE_NUMBERS_16_BIT 1
/* Largest string that a reader takes. */
#define SW_NATIVE_MAX_VALUE_BYTES ((Size) 1 << 30)

/* What a caller knows as SwWriter. */
typedef struct SwNativeWriter
{
	const SwColumnSpec *specs;
	int			n_columns;
	char	  **types;			/* of the columns, in the file's words */
	bool	   *is_numbered;	/* columns whose strings may be numbered; not
								 * once that clearly did not pay */
	SwDictionary keys;			/* of the column being written */
	uint16	   *numbers;		/* of the keys of its rows */
	SwSink		sink;
	SwCodec		codec;
	SwBuffer	raw;			/* on the way to the compressor */
	SwBuffer	compressed;		/* on the way to the sink */
	uint64		file_bytes;		/* handed to the sink */
	uint64		pending_bytes;	/* raw, compressed since then */
} SwNativeWriter;

static SwWriter *
sw_native_open(const SwCodecOps *codec, const SwColumnSpec *specs,
			   int n_columns, const SwWriterOptions *options, SwSink sink)
{
	SwNativeWriter *writer = palloc0(sizeof(SwNativeWriter));
	int			i;

	Assert(n_columns > 0);

	writer->specs = specs;
	writer->n_columns = n_columns;
	writer->sink = sink;
	sw_codec_init(&writer->codec, codec, options->compression_level);
	sw_buffer_init(&writer->raw);
	sw_buffer_init(&writer->compressed);
	sw_dictionary_init(&writer->keys);
	writer->numbers = palloc(sizeof(uint16) * SW_NATIVE_BLOCK_ROWS);
	writer->is_numbered = palloc(sizeof(bool) * n_columns);
	writer->types = palloc(sizeof(char *) * n_columns);
	for (i = 0; i < n_columns; i++)
	{
		StringInfoData type;

		initStringInfo(&type);
		sw_column_append_file_type(&type, &specs[i]);
		writer->types[i] = type.data;
		writer->is_numbered[i] = options->has_dictionaries &&
			(sw_type_is_string(specs[i].type) || specs[i].type == SW_TYPE_ENUM);
	}
	return (SwWriter *) writer;
}

/* ---- from raw bytes to the sink ---- */

static SwStatus
sw_native_emit(SwNativeWriter *writer, SwError *err)
{
	SwBuffer   *out = &writer->compressed;

	if (out->len == 0)
		return SW_OK;
	SW_TRY(writer->sink.write(writer->sink.arg, out->data, out->len, err));
	writer->file_bytes += out->len;
	writer->pending_bytes = 0;
	sw_buffer_reset(out);
	return SW_OK;
}

static SwStatus
sw_native_feed(SwNativeWriter *writer, const char *bytes, Size n,
			   SwError *err)
{
	SW_TRY(writer->codec.ops->append(&writer->codec, bytes, n,
									 &writer->compressed, err));
	writer->pending_bytes += n;
	return sw_native_emit(writer, err);
}

/* Feed what was collected. */
static SwStatus
sw_native_flush(SwNativeWriter *writer, SwError *err)
{
	if (writer->raw.len == 0)
		return SW_OK;
	SW_TRY(sw_native_feed(writer, writer->raw.data, writer->raw.len, err));
	sw_buffer_reset(&writer->raw);
	return SW_OK;
}

/* The same, once that is enough to be worth it. */
static inline SwStatus
sw_native_flush_if_full(SwNativeWriter *writer, SwError *err)
{
	return likely(writer->raw.len < SW_NATIVE_FEED_BYTES) ? SW_OK :
		sw_native_flush(writer, err);
}

/* Collect bytes; many at a time are not copied. */
static SwStatus
sw_native_add(SwNativeWriter *writer, const char *bytes, Size n,
			  SwError *err)
{
	if (n >= SW_NATIVE_FEED_BYTES)
		SW_TRY(sw_native_flush(writer, err));
	for (; n >= SW_NATIVE_FEED_BYTES; n -= SW_NATIVE_FEED_BYTES)
	{
		SW_TRY(sw_native_feed(writer, bytes, SW_NATIVE_FEED_BYTES, err));
		bytes += SW_NATIVE_FEED_BYTES;
	}
	sw_buffer_append_bytes(&writer->raw, bytes, n);
	return sw_native_flush_if_full(writer, err);
}

/* Collect a length and as many bytes, less than SW_NATIVE_FEED_BYTES. */
static inline SwStatus
sw_native_add_string(SwNativeWriter *writer, const char *bytes, Size n,
					 SwError *err)
{
	SwBuffer   *raw = &writer->raw;
	char	   *start;
	char	   *place;
	Size		rest;

	if (unlikely(SW_VARUINT_MAX_BYTES + n > raw->allocated - raw->len))
		(void) sw_buffer_reserve(raw, SW_VARUINT_MAX_BYTES + n);
	start = raw->data + raw->len;
	place = start;
	for (rest = n; rest >= 0x80; rest >>= 7)
		*place++ = (char) (rest | 0x80);
	*place++ = (char) rest;
	memcpy(place, bytes, n);
	raw->len += place - start + n;
	return sw_native_flush_if_full(writer, err);
}

/* ---- values of rows [first, first + n) ---- */

/* 1 = null, the other way round than in a batch. */
static SwStatus
sw_native_write_nulls(SwNativeWriter *writer, const SwColumn *column,
					  uint64 first, uint64 n, SwError *err)
{
	SwBuffer   *raw = &writer->raw;
	const uint8 *validity = column->validity + first;
	char	   *nulls = sw_buffer_reserve(raw, n);
	uint64		i;

	for (i = 0; i < n; i++)
		nulls[i] = !validity[i];
	raw->len += n;
	return sw_native_flush_if_full(writer, err);
}

/* Values of a fixed width are kept as they are written. */
static SwStatus
sw_native_write_fixed(SwNativeWriter *writer, const SwColumn *column,
					  uint64 first, uint64 n, SwError *err)
{
	return sw_native_add(writer, sw_column_get_fixed(column, first),
						 n * column->width, err);
}

/* A string of any length. */
static inline SwStatus
sw_native_write_string(SwNativeWriter *writer, const SwColumnSpec *spec,
					   const char *bytes, Size n, SwError *err)
{
	if (likely(n < SW_NATIVE_FEED_BYTES))
		return sw_native_add_string(writer, bytes, n, err);
	if (n > SW_NATIVE_MAX_VALUE_BYTES)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"a value of %zu bytes in column \"%s\" is too large for a Native file",
							n, spec->name);
	sw_buffer_append_varuint(&writer->raw, n);
	return sw_native_add(writer, bytes, n, err);
}

static SwStatus
sw_native_write_strings(SwNativeWriter *writer, const SwColumnSpec *spec,
						const SwColumn *column, uint64 first, uint64 n,
						SwError *err)
{
	uint64		start = sw_column_get_start(column, first);
	uint64		i;

	for (i = first; i < first + n; i++)
	{
		uint64		end = column->offsets[i];

		SW_TRY(sw_native_write_string(writer, spec, column->data + start,
									  end - start, err));
		start = end;
	}
	return SW_OK;
}

/* Of enums the labels; a null has none. */
static SwStatus
sw_native_write_labels(SwNativeWriter *writer, const SwColumn *column,
					   uint64 first, uint64 n, SwError *err)
{
	uint64		i;

	for (i = first; i < first + n; i++)
	{
		Size		n_bytes = 0;
		const char *bytes = "";

		if (!column->is_nullable || column->validity[i] != 0)
			bytes = sw_column_get_bytes(&column->children[0],
										sw_column_get_code_at(column, i),
										&n_bytes);
		SW_TRY(sw_native_add_string(writer, bytes, n_bytes, err));
	}
	return SW_OK;
}

/* Where each row's members end, counted from the first row's. */
static SwStatus
sw_native_write_ends(SwNativeWriter *writer, const SwColumn *column,
					 uint64 first, uint64 n, SwError *err)
{
	uint64		start = sw_column_get_start(column, first);
	uint64		i;

	for (i = first; i < first + n; i++)
		sw_buffer_append_uint64(&writer->raw, column->offsets[i] - start);
	return sw_native_flush_if_full(writer, err);
}

/* A container is the columns that it is made of, one after another. */
static SwStatus
sw_native_write_column(SwNativeWriter *writer, const SwColumnSpec *spec,
					   const SwColumn *column, uint64 first, uint64 n,
					   SwError *err)
{
	int			i;

	if (sw_type_is_container(column->type))
	{
		uint64		start = first;
		uint64		end = first + n;

		if (column->has_offsets)
		{
			SW_TRY(sw_native_write_ends(writer, column, first, n, err));
			start = sw_column_get_start(column, first);
			end = sw_column_get_start(column, first + n);
		}
		for (i = 0; i < column->n_children; i++)
			SW_TRY(sw_native_write_column(writer, &spec->children[i],
										  &column->children[i], start,
										  end - start, err));
		return SW_OK;
	}
	if (column->is_nullable)
		SW_TRY(sw_native_write_nulls(writer, column, first, n, err));
	if (column->has_offsets)
		return sw_native_write_strings(writer, spec, column, first, n, err);
	if (column->type == SW_TYPE_ENUM)
		return sw_native_write_labels(writer, column, first, n, err);
	return sw_native_write_fixed(writer, column, first, n, err);
}

/* ---- strings by number ---- */

/*
 * Number the strings of rows [first, first + n), nulls being 0 and the keys
 * counted from there on.  False: it does not pay.
 */
static bool
sw_native_number_strings(SwNativeWriter *writer, const SwColumn *column,
						 uint64 first, uint64 n)
{
	SwDictionary *keys = &writer->keys;
	uint32		n_reserved = column->is_nullable ? 1 : 0;
	uint64		i;

	sw_dictionary_reset(keys, SIZE_MAX);
	for (i = 0; i < n; i++)
	{
		uint32		key = 0;
		Size		n_bytes;
		const char *bytes;

		if (column->is_nullable && column->validity[first + i] == 0)
		{
			writer->numbers[i] = 0;
			continue;
		}
		bytes = sw_column_get_bytes(column, first + i, &n_bytes);
		switch (sw_dictionary_find(keys, bytes, n_bytes, &key))
		{
			case SW_DICTIONARY_KNOWN:
				break;
			case SW_DICTIONARY_ADDED:
				if (sw_dictionary_is_hopeless(keys))
					return false;
				break;
			case SW_DICTIONARY_FULL:
				return false;
		}
		writer->numbers[i] = (uint16) (key + n_reserved);
	}
	return (uint64) keys->n_entries * 2 <= n;
}

/* Enums have numbers; their labels are the keys. */
static bool
sw_native_number_labels(SwNativeWriter *writer, const SwColumn *column,
						uint64 first, uint64 n)
{
	const SwColumn *labels = &column->children[0];
	uint32		n_reserved = column->is_nullable ? 1 : 0;
	uint64		i;

	if (labels->n_rows * 2 > n)
		return false;
	for (i = 0; i < n; i++)
	{
		bool		is_null = column->is_nullable && column->validity[first + i] == 0;

		writer->numbers[i] = is_null ? 0 :
			(uint16) (sw_column_get_code_at(column, first + i) + n_reserved);
	}
	return true;
}

static SwStatus
sw_native_write_keys(SwNativeWriter *writer, const SwColumnSpec *spec,
					 const SwColumn *column, uint64 n_keys, SwError *err)
{
	uint64		i;

	for (i = 0; i < n_keys; i++)
	{
		Size		n_bytes;
		const char *bytes = column->type == SW_TYPE_ENUM ?
		sw_column_get_bytes(&column->children[0], i, &n_bytes) :
		sw_dictionary_get(&writer->keys, (uint32) i, &n_bytes);

		SW_TRY(sw_native_write_string(writer, spec, bytes, n_bytes, err));
	}
	return SW_OK;
}

/* The content of a column of n rows that have been numbered. */
static SwStatus
sw_native_write_numbered(SwNativeWriter *writer, const SwColumnSpec *spec,
						 const SwColumn *column, uint64 n, SwError *err)
{
	SwBuffer   *raw = &writer->raw;
	uint64		n_reserved = column->is_nullable ? 1 : 0;
	uint64		n_keys = column->type == SW_TYPE_ENUM ?
	column->children[0].n_rows : writer->keys.n_entries;
	bool		is_small = n_keys + n_reserved <= 256;
	char	   *place;
	uint64		i;

	sw_buffer_append_uint64(raw, SW_NATIVE_KEYS_VERSION);
	sw_buffer_append_uint64(raw, SW_NATIVE_HAS_KEYS |
							(is_small ? SW_NATIVE_NUMBERS_8_BIT :
							 SW_NATIVE_NUMBERS_16_BIT));
	sw_buffer_append_uint64(raw, n_keys + n_reserved);
	if (column->is_nullable)
		sw_buffer_append_string(raw, "", 0);
	SW_TRY(sw_native_write_keys(writer, spec, column, n_keys, err));
	sw_buffer_append_uint64(raw, n);
	if (!is_small)
		return sw_native_add(writer, (const char *) writer->numbers,
							 n * sizeof(uint16), err);
	place = sw_buffer_reserve(raw, n);
	for (i = 0; i < n; i++)
		place[i] = (char) writer->numbers[i];
	raw->len += n;
	return sw_native_flush_if_full(writer, err);
}

/* Number the strings of a column, unless that would not pay. */
static bool
sw_native_number_rows(SwNativeWriter *writer, int at, const SwColumn *column,
					  uint64 first, uint64 n)
{
	if (!writer->is_numbered[at] || n < SW_NATIVE_NUMBERED_ROWS)
		return false;
	writer->is_numbered[at] = column->type == SW_TYPE_ENUM ?
		sw_native_number_labels(writer, column, first, n) :
		sw_native_number_strings(writer, column, first, n);
	return writer->is_numbered[at];
}

static SwStatus
sw_native_write_block(SwNativeWriter *writer, const SwBatch *batch,
					  uint64 first, uint64 n, SwError *err)
{
	SwBuffer   *raw = &writer->raw;
	int			i;

	sw_buffer_append_varuint(raw, writer->n_columns);
	sw_buffer_append_varuint(raw, n);
	for (i = 0; i < writer->n_columns; i++)
	{
		const SwColumnSpec *spec = &writer->specs[i];
		const SwColumn *column = &batch->columns[i];

		sw_buffer_append_cstring(raw, spec->name);
		if (sw_native_number_rows(writer, i, column, first, n))
		{
			sw_buffer_append_cstring(raw, spec->is_nullable ?
									 "LowCardinality(Nullable(String))" :
									 "LowCardinality(String)");
			SW_TRY(sw_native_write_numbered(writer, spec, column, n, err));
		}
		else
		{
			sw_buffer_append_cstring(raw, writer->types[i]);
			SW_TRY(sw_native_write_column(writer, spec, column, first, n, err));
		}
	}
	return SW_OK;
}

/* ---- the writer ---- */

static SwStatus
sw_native_write_batch(SwWriter *opaque, const SwBatch *batch, SwError *err)
{
	SwNativeWriter *writer = (SwNativeWriter *) opaque;
	uint64		first;

	/* A batch of another shape is the caller's mistake. */
	if (!sw_batch_fits(batch, writer->specs, writer->n_columns))
		return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
							"a batch does not have the shape of its Native file");
	for (first = 0; first < batch->n_rows; first += SW_NATIVE_BLOCK_ROWS)
		SW_TRY(sw_native_write_block(writer, batch, first,
									 Min(batch->n_rows - first,
										 SW_NATIVE_BLOCK_ROWS), err));
	return SW_OK;
}

static uint64
sw_native_bytes_written(const SwWriter *opaque)
{
	const SwNativeWriter *writer = (const SwNativeWriter *) opaque;

	/* What waits will shrink; to a third is a guess. */
	return writer->file_bytes +
		(writer->pending_bytes + writer->raw.len) / 3;
}

static SwStatus
sw_native_finish(SwWriter *opaque, SwError *err)
{
	SwNativeWriter *writer = (SwNativeWriter *) opaque;

	SW_TRY(sw_native_flush(writer, err));
	SW_TRY(writer->codec.ops->end(&writer->codec, &writer->compressed, err));
	return sw_native_emit(writer, err);
}

static void
sw_native_destroy(SwWriter *opaque)
{
	SwNativeWriter *writer = (SwNativeWriter *) opaque;

	sw_codec_destroy(&writer->codec);
}

/* ---- one writer for each codec of streams ---- */

#define SW_NATIVE_WRITER(codec, extension, stream_name) \
static SwWriter * \
sw_native_open_##codec(const SwColumnSpec *specs, int n_columns, \
					   const SwWriterOptions *options, SwSink sink) \
{ \
	return sw_native_open(&sw_codec_##codec, specs, n_columns, options, \
						  sink); \
} \
const SwWriterOps sw_native_##codec##_writer_ops = { \
	.format_name = "Native", \
	.file_extension = extension, \
	.compression = stream_name, \
	.open = sw_native_open_##codec, \
	.write_batch = sw_native_write_batch, \
	.bytes_written = sw_native_bytes_written, \
	.finish = sw_native_finish, \
	.destroy = sw_native_destroy, \
}

SW_NATIVE_WRITER(zstd, "native.zst", "zstd");
SW_NATIVE_WRITER(lz4, "native.lz4", "lz4");
SW_NATIVE_WRITER(none, "native", NULL);
