/*-------------------------------------------------------------------------
 *
 * format_native.c
 *	  The Native writer: its bytes, block by block; same input, same bytes;
 *	  failures; limits.  That ClickHouse reads them: native_read.t.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <zstd.h>

#include "common/sw_bytes.h"
#include "format/sw_writer.h"
#include "keeper.h"
#include "unit.h"

static const SwColumnSpec specs[] = {
	{.name = "s",.type = SW_TYPE_STRING,.is_nullable = true},
	{.name = "i",.type = SW_TYPE_INT64},
	{.name = "t",.type = SW_TYPE_TIMESTAMP_MS,.is_nullable = true},
	{.name = "j",.type = SW_TYPE_JSON},
};

#define N_COLUMNS ((int) lengthof(specs))

static SwWriter *
open_writer(Keeper *keeper)
{
	SwWriterOptions options = {
		.compression_level = 1,.group_bytes = 1024,.created_by = "unit",
		.has_dictionaries = true
	};

	return sw_native_zstd_writer_ops.open(specs, N_COLUMNS, &options,
										  keeper_sink(keeper));
}

static void
put_row(SwBatch *batch, const char *s, int64 i, bool has_t, int64 t,
		const char *j)
{
	if (s == NULL)
		sw_column_append_null(&batch->columns[0]);
	else
		sw_column_append_bytes(&batch->columns[0], s, strlen(s));
	sw_column_append_int64(&batch->columns[1], i);
	if (has_t)
		sw_column_append_int64(&batch->columns[2], t);
	else
		sw_column_append_null(&batch->columns[2]);
	sw_column_append_bytes(&batch->columns[3], j, strlen(j));
	sw_batch_end_row(batch);
}

/* What the frames of a file hold; they must be whole. */
static SwBuffer
unpack(const Keeper *keeper)
{
	Size		n = 256 * 1024 * 1024;
	SwBuffer	raw;
	size_t		result;

	sw_buffer_init(&raw);
	result = ZSTD_decompress(sw_buffer_reserve(&raw, n), n, keeper->bytes.data,
							 keeper->bytes.len);
	unit_ok(keeper->bytes.len > 0 && !ZSTD_isError(result),
			"whole zstd frames");
	if (!ZSTD_isError(result))
		raw.len = result;
	return raw;
}

static void
check_bytes(void)
{
	static const char expected[] =
	/* 4 columns, 3 rows */
	"\x04\x03"
	"\x01s\x10Nullable(String)" "\0\1\0" "\x02hi" "\0" "\0"
	"\x01i\x05Int64"
	"\1\0\0\0\0\0\0\0" "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF" "\0\0\0\0\0\0\0\x80"
	"\x01t\x0FNullable(Int64)" "\0\1\0"
	"\x88\x77\x66\x55\x44\x33\x22\x11" "\0\0\0\0\0\0\0\0" "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
	"\x01j\x06String" "\x02{}" "\x02[]" "\x04null"
	/* 4 columns, 1 row */
	"\x04\x01"
	"\x01s\x10Nullable(String)" "\1" "\0"
	"\x01i\x05Int64" "\7\0\0\0\0\0\0\0"
	"\x01t\x0FNullable(Int64)" "\1" "\0\0\0\0\0\0\0\0"
	"\x01j\x06String" "\x01" "1";
	Keeper		keeper = {0};
	SwWriter   *writer = open_writer(&keeper);
	SwBatch		batch;
	SwBuffer	raw;
	SwError		err;

	unit_is_text(sw_native_zstd_writer_ops.format_name, "Native", "format name");
	unit_is_text(sw_native_zstd_writer_ops.compression, "zstd", "compression");
	unit_is_text(sw_native_zstd_writer_ops.file_extension, "native.zst", "extension");
	unit_ok(sw_writer_find("native", "zstd") == &sw_native_zstd_writer_ops &&
			sw_writer_find("parquet", "zstd") == &sw_parquet_zstd_writer_ops &&
			sw_writer_find("csv", "zstd") == NULL &&
			sw_writer_find("native", "snappy") == NULL, "writers by name");

	sw_batch_init(&batch, specs, N_COLUMNS);
	put_row(&batch, "hi", 1, true, INT64CONST(0x1122334455667788), "{}");
	put_row(&batch, NULL, -2, false, 0, "[]");
	put_row(&batch, "", PG_INT64_MIN, true, -1, "null");
	unit_is_int(sw_native_zstd_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"a batch");
	sw_batch_reset(&batch, SIZE_MAX);
	unit_is_int(sw_native_zstd_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"an empty batch is no block");
	put_row(&batch, NULL, 7, false, 0, "1");
	unit_is_int(sw_native_zstd_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"another batch");
	unit_is_int(sw_native_zstd_writer_ops.finish(writer, &err), SW_OK, "finish");
	sw_native_zstd_writer_ops.destroy(writer);
	raw = unpack(&keeper);
	unit_is_bytes(raw.data, raw.len, expected, sizeof(expected) - 1,
				  "every byte of two blocks");
}

/* Strings of 1,000 rows that have keys: few, none, too many, an enum's. */
static void
check_numbered(void)
{
	static const SwColumnSpec columns[] = {
		{.name = "few",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "many",.type = SW_TYPE_BYTES},
		{.name = "all",.type = SW_TYPE_JSON},
		{.name = "e",.type = SW_TYPE_ENUM},
	};
	SwWriterOptions options = {.compression_level = 1,.has_dictionaries = true};
	Keeper		keeper = {0};
	SwWriter   *writer = sw_native_none_writer_ops.open(columns, lengthof(columns), &options,
														keeper_sink(&keeper));
	SwBuffer	expected;
	SwBatch		batch;
	SwError		err;
	char		text[32];
	int			i;

	sw_batch_init(&batch, columns, lengthof(columns));
	for (i = 0; i < 1000; i++)
	{
		if (i % 3 == 0)
			sw_column_append_null(&batch.columns[0]);
		else
			sw_column_append_bytes(&batch.columns[0], "x", i % 3 - 1);
		snprintf(text, sizeof(text), "%d", i % 300);
		sw_column_append_bytes(&batch.columns[1], text, strlen(text));
		snprintf(text, sizeof(text), "%03d", i % 501);
		sw_column_append_bytes(&batch.columns[2], text, 3);
		sw_column_append_code(&batch.columns[3],
							  sw_column_get_code(&batch.columns[3], i < 2 ? "red" : "blue",
												 i < 2 ? 3 : 4));
		sw_batch_end_row(&batch);
	}
	unit_is_int(sw_native_none_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"a batch with repetitions");
	unit_is_int(sw_native_none_writer_ops.finish(writer, &err), SW_OK, "finish");
	sw_native_none_writer_ops.destroy(writer);

	/* keys "", "", "x", of which the first is the null */
	sw_buffer_init(&expected);
	sw_buffer_append_bytes(&expected, "\x04\xE8\x07\x03" "few", 7);
	sw_buffer_append_cstring(&expected, "LowCardinality(Nullable(String))");
	sw_buffer_append_uint64(&expected, 1);
	sw_buffer_append_uint64(&expected, 0x200);
	sw_buffer_append_uint64(&expected, 3);
	sw_buffer_append_bytes(&expected, "\0\0\1x", 4);
	sw_buffer_append_uint64(&expected, 1000);
	for (i = 0; i < 1000; i++)
		sw_buffer_append_uint8(&expected, i % 3);

	sw_buffer_append_cstring(&expected, "many");
	sw_buffer_append_cstring(&expected, "LowCardinality(String)");
	sw_buffer_append_uint64(&expected, 1);
	sw_buffer_append_uint64(&expected, 0x201);
	sw_buffer_append_uint64(&expected, 300);
	for (i = 0; i < 300; i++)
	{
		snprintf(text, sizeof(text), "%d", i);
		sw_buffer_append_cstring(&expected, text);
	}
	sw_buffer_append_uint64(&expected, 1000);
	for (i = 0; i < 1000; i++)
	{
		sw_buffer_append_uint8(&expected, i % 300 % 256);
		sw_buffer_append_uint8(&expected, i % 300 / 256);
	}

	sw_buffer_append_bytes(&expected, "\x03" "all\x06String", 11);
	for (i = 0; i < 1000; i++)
	{
		snprintf(text, sizeof(text), "%03d", i % 501);
		sw_buffer_append_cstring(&expected, text);
	}

	sw_buffer_append_cstring(&expected, "e");
	sw_buffer_append_cstring(&expected, "LowCardinality(String)");
	sw_buffer_append_uint64(&expected, 1);
	sw_buffer_append_uint64(&expected, 0x200);
	sw_buffer_append_uint64(&expected, 2);
	sw_buffer_append_bytes(&expected, "\3red\4blue", 9);
	sw_buffer_append_uint64(&expected, 1000);
	for (i = 0; i < 1000; i++)
		sw_buffer_append_uint8(&expected, i < 2 ? 0 : 1);
	unit_is_bytes(keeper.bytes.data, keeper.bytes.len, expected.data, expected.len,
				  "every byte of strings by number");
}

/* n_batches batches of 500 rows into one file; the first failure, if any. */
static SwStatus
write_file(Keeper *keeper, int n_batches, SwError *err)
{
	SwWriter   *writer = open_writer(keeper);
	SwStatus	status = SW_OK;
	uint32		random = 7;
	SwBatch		batch;
	int			i;

	sw_batch_init(&batch, specs, N_COLUMNS);
	for (i = 0; i < n_batches * 500 && status == SW_OK; i++)
	{
		char		text[128];

		random = random * 1664525 + 1013904223;
		snprintf(text, sizeof(text), "{\"n\":%u,\"m\":%u}", random, random >> 7);
		put_row(&batch, i % 9 == 0 ? NULL : text, random, i % 4 == 0, i, text);
		if (i % 500 == 499)
		{
			status = sw_native_zstd_writer_ops.write_batch(writer, &batch, err);
			sw_batch_reset(&batch, SIZE_MAX);
		}
	}
	if (status == SW_OK)
		status = sw_native_zstd_writer_ops.finish(writer, err);
	sw_native_zstd_writer_ops.destroy(writer);
	return status;
}

static void
check_files(void)
{
	Keeper		first = {0};
	Keeper		second = {0};
	bool		good = true;
	SwWriter   *writer;
	SwBuffer	raw;
	SwError		err;
	int			n_calls;
	int			i;

	unit_is_int(write_file(&first, 200, &err), SW_OK, "a file");
	unit_is_int(write_file(&second, 200, &err), SW_OK, "and again");
	unit_is_bytes(second.bytes.data, second.bytes.len, first.bytes.data,
				  first.bytes.len, "gives the same bytes");
	n_calls = first.n_calls;
	for (i = 1; i <= n_calls; i++)
	{
		second.fails_at = i;
		good = good && write_file(&second, 200, &err) == SW_ERR_IO &&
			err.retry == SW_RETRY_LATER && strcmp(err.message, "full") == 0 &&
			second.n_calls == i;
	}
	unit_ok(good && n_calls > 10, "the sink's failure comes back, at each call");

	second.fails_at = 0;
	unit_is_int(write_file(&second, 0, &err), SW_OK, "a file without rows");
	raw = unpack(&second);
	unit_is_int(raw.len, 0, "is an empty frame");
	writer = open_writer(&second);
	sw_native_zstd_writer_ops.destroy(writer);
	unit_is_int(second.n_calls, 0, "destroy alone writes nothing");
}

static void
check_refusals(void)
{
	Keeper		keeper = {0};
	SwWriter   *writer = open_writer(&keeper);
	SwBatch		batch;
	SwError		err;

	sw_batch_init(&batch, specs, N_COLUMNS - 1);
	unit_is_int(sw_native_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_BUG, "a batch of another shape");

	/* The length alone is looked at; the bytes are not there. */
	sw_batch_init(&batch, specs, N_COLUMNS);
	put_row(&batch, "x", 1, true, 1, "{}");
	batch.columns[3].offsets[0] = ((Size) 1 << 30) + 1;
	unit_is_int(sw_native_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_LIMIT, "a value over 1 GB");
	unit_ok(strstr(err.message, "\"j\"") != NULL, "names its column");
	sw_native_zstd_writer_ops.destroy(writer);
}

/* One value of 100 MB: it is not copied, and what waits is told of. */
static void
check_giant(void)
{
	Size		n_giant = 100000000;
	char	   *giant = palloc(n_giant + 1);
	Keeper		keeper = {0};
	SwWriter   *writer = open_writer(&keeper);
	SwBatch		batch;
	SwBuffer	raw;
	SwError		err;
	uint64		before;
	uint64		after;
	Size		i;

	for (i = 0; i < n_giant; i++)
		giant[i] = (char) ('a' + (i * 7 + i / 1000) % 23);
	giant[n_giant] = '\0';
	sw_batch_init(&batch, specs, N_COLUMNS);
	put_row(&batch, giant, 1, true, 1, "{}");
	before = sw_native_zstd_writer_ops.bytes_written(writer);
	unit_is_int(sw_native_zstd_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"a value of 100 MB");
	after = sw_native_zstd_writer_ops.bytes_written(writer);
	unit_is_int(sw_native_zstd_writer_ops.finish(writer, &err), SW_OK, "finish");
	unit_ok(before == 0 && after > keeper.bytes.len / 2 &&
			after < keeper.bytes.len + 1024 * 1024,
			"the estimate is near the file's size");
	raw = unpack(&keeper);
	unit_ok(raw.len > n_giant &&
			memcmp(raw.data + raw.len - (sizeof("\x01j\x06String\x02{}") - 1),
				   "\x01j\x06String\x02{}", sizeof("\x01j\x06String\x02{}") - 1) == 0,
			"all of it is there");
	sw_native_zstd_writer_ops.destroy(writer);
}

int
main(void)
{
	check_bytes();
	check_numbered();
	check_files();
	check_refusals();
	check_giant();
	return unit_done();
}
