/*-------------------------------------------------------------------------
 *
 * format_parquet.c
 *	  The Parquet writer as a whole: same input, same bytes; failures;
 *	  limits; memory.  What is in the files is checked by parquet_read.t.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "format/sw_parquet.h"
#include "keeper.h"
#include "unit.h"

static const SwColumnSpec specs[] = {
	{.name = "s",.type = SW_TYPE_STRING,.is_nullable = true},
	{.name = "i",.type = SW_TYPE_INT64},
};

static SwWriter *
open_writer(Keeper *keeper, const SwColumnSpec *columns, int n_columns,
			Size group_bytes)
{
	SwWriterOptions options = {
		.compression_level = 1,.group_bytes = group_bytes,.created_by = "unit"
	};

	return sw_parquet_zstd_writer_ops.open(columns, n_columns, &options,
										   keeper_sink(keeper));
}

/* n_batches batches of 500 rows into one file; the first failure, if any. */
static SwStatus
write_file(Keeper *keeper, int n_batches, Size group_bytes, SwError *err)
{
	SwWriter   *writer = open_writer(keeper, specs, lengthof(specs), group_bytes);
	SwStatus	status = SW_OK;
	SwBatch		batch;
	int			i;

	sw_batch_init(&batch, specs, lengthof(specs));
	for (i = 0; i < n_batches * 500 && status == SW_OK; i++)
	{
		char		text[32];

		snprintf(text, sizeof(text), "%d", i % 700);
		if (i % 9 == 0)
			sw_column_append_null(&batch.columns[0]);
		else
			sw_column_append_bytes(&batch.columns[0], text, strlen(text));
		sw_column_append_int64(&batch.columns[1], i);
		sw_batch_end_row(&batch);
		if (i % 500 == 499)
		{
			status = sw_parquet_zstd_writer_ops.write_batch(writer, &batch, err);
			sw_batch_reset(&batch, SIZE_MAX);
		}
	}
	if (status == SW_OK)
		status = sw_parquet_zstd_writer_ops.finish(writer, err);
	sw_parquet_zstd_writer_ops.destroy(writer);
	return status;
}

static void
check_files(void)
{
	Keeper		first = {0};
	Keeper		second = {0};
	SwError		err;
	SwWriter   *writer;
	SwBatch		batch;
	bool		good = true;
	int			n_calls;
	int			i;

	unit_is_text(sw_parquet_zstd_writer_ops.format_name, "Parquet", "format name");
	unit_is_text(sw_parquet_zstd_writer_ops.file_extension, "parquet", "extension");

	unit_is_int(write_file(&first, 10, 20000, &err), SW_OK, "a file");
	unit_is_int(write_file(&second, 10, 20000, &err), SW_OK, "and again");
	unit_is_bytes(second.bytes.data, second.bytes.len, first.bytes.data,
				  first.bytes.len, "gives the same bytes");
	unit_ok(first.bytes.len > 12 && memcmp(first.bytes.data, "PAR1", 4) == 0 &&
			memcmp(first.bytes.data + first.bytes.len - 4, "PAR1", 4) == 0,
			"with the magic at both ends");

	n_calls = first.n_calls;
	for (i = 1; i <= n_calls; i++)
	{
		second.fails_at = i;
		good = good && write_file(&second, 10, 20000, &err) == SW_ERR_IO &&
			err.retry == SW_RETRY_LATER && strcmp(err.message, "full") == 0 &&
			second.n_calls == i;
	}
	unit_ok(good && n_calls > 10, "the sink's failure comes back, at each call");
	second.fails_at = 0;

	unit_is_int(write_file(&first, 0, 20000, &err), SW_OK, "an empty file");
	writer = open_writer(&second, specs, lengthof(specs), 0);
	sw_batch_init(&batch, specs, lengthof(specs));
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"an empty batch");
	unit_is_int(sw_parquet_zstd_writer_ops.finish(writer, &err), SW_OK, "finish");
	sw_parquet_zstd_writer_ops.destroy(writer);
	unit_is_bytes(second.bytes.data, second.bytes.len, first.bytes.data,
				  first.bytes.len, "changes nothing");

	writer = open_writer(&second, specs, lengthof(specs), 0);
	sw_parquet_zstd_writer_ops.destroy(writer);
	unit_is_int(second.n_calls, 0, "destroy alone writes nothing");
}

static void
check_refusals(void)
{
	static const SwColumnSpec other_type[] = {
		{.name = "s",.type = SW_TYPE_JSON,.is_nullable = true}, {.name = "i",.type = SW_TYPE_INT64}
	};
	static const SwColumnSpec other_null[] = {
		{.name = "s",.type = SW_TYPE_STRING,.is_nullable = true}, {.name = "i",.type = SW_TYPE_INT64,.is_nullable = true}
	};
	Keeper		keeper = {0};
	SwWriter   *writer = open_writer(&keeper, specs, lengthof(specs), 0);
	SwError		err;
	SwBatch		batch;

	sw_batch_init(&batch, specs, 1);
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_BUG, "a batch with fewer columns");
	sw_batch_init(&batch, other_type, 2);
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_BUG, "a batch with another type");
	sw_batch_init(&batch, other_null, 2);
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_BUG, "a batch with another nullability");
	sw_batch_init(&batch, specs, 2);
	sw_column_append_null(&batch.columns[0]);
	sw_batch_end_row(&batch);
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_BUG, "a batch with a column too short");

	/* The length alone is looked at; the bytes are not there. */
	sw_batch_reset(&batch, SIZE_MAX);
	sw_column_append_bytes(&batch.columns[0], "x", 1);
	sw_column_append_int64(&batch.columns[1], 1);
	sw_batch_end_row(&batch);
	batch.columns[0].offsets[0] = SW_PARQUET_MAX_VALUE_BYTES + 1;
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err),
				SW_ERR_LIMIT, "a value over 1 GB");
	unit_ok(strstr(err.message, "\"s\"") != NULL, "names its column");
	sw_parquet_zstd_writer_ops.destroy(writer);
}

/* How much a column holds beside its finished pages. */
static Size
held_bytes(const SwParquetColumn *column)
{
	return column->values.allocated + column->dictionary->values.allocated;
}

/* Long values repeated: a dictionary that is given up must not explode. */
static void
check_memory(void)
{
	static const SwColumnSpec spec[] = {{.name = "s",.type = SW_TYPE_STRING}};
	Size		n_wide = 500000;
	char	   *wide = palloc(n_wide);
	SwParquetLeaf leaf;
	SwParquetColumn column;
	SwParquetPager pager;
	SwBatch		batch;
	SwError		err;
	Size		most = 0;
	bool		good = true;
	int			i;

	memset(wide, 'w', n_wide);
	(void) sw_parquet_describe_leaves(spec, &leaf);
	sw_parquet_column_init(&column, &leaf);
	sw_codec_init(&pager.codec, &sw_codec_zstd, 1);
	sw_buffer_init(&pager.body);
	sw_buffer_init(&pager.compressed);
	sw_batch_init(&batch, spec, 1);
	for (i = 0; i < 6000; i++)
	{
		char		text[32];

		/* 1000 times the same long value, then ever new ones */
		snprintf(text, sizeof(text), "%d", i < 2000 ? i % 10 : i);
		if (i % 2 == 0 && i < 2000)
			sw_column_append_bytes(&batch.columns[0], wide, n_wide);
		else
			sw_column_append_bytes(&batch.columns[0], text, strlen(text));
		good = good && sw_parquet_column_add(&column, &batch.columns[0], &pager,
											 &err) == SW_OK;
		most = Max(most, held_bytes(&column));
		sw_batch_reset(&batch, SIZE_MAX);
	}
	unit_ok(good && !column.in_dictionary && column.has_dictionary_pages,
			"500 MB of repeats begin with a dictionary and end without");
	unit_ok(most < 20 * 1024 * 1024, "less than 20 MB are held for them");
	unit_ok(column.pages.len < 1024 * 1024, "and the pages are small");
	sw_codec_destroy(&pager.codec);
}

static void
check_giant(void)
{
	Size		n_giant = 100000000;
	char	   *giant = palloc(n_giant);
	Keeper		keeper = {0};
	SwWriter   *writer = open_writer(&keeper, specs, lengthof(specs),
									 (Size) 1 << 40);
	SwBatch		batch;
	SwError		err;
	uint64		before;
	uint64		estimate;
	Size		i;

	for (i = 0; i < n_giant; i++)
		giant[i] = (char) ('a' + (i * 7 + i / 1000) % 23);
	sw_batch_init(&batch, specs, lengthof(specs));
	sw_column_append_bytes(&batch.columns[0], giant, n_giant);
	sw_column_append_int64(&batch.columns[1], 1);
	sw_batch_end_row(&batch);
	sw_column_append_bytes(&batch.columns[0], "small", 5);
	sw_column_append_int64(&batch.columns[1], 2);
	sw_batch_end_row(&batch);

	before = sw_parquet_zstd_writer_ops.bytes_written(writer);
	unit_is_int(sw_parquet_zstd_writer_ops.write_batch(writer, &batch, &err), SW_OK,
				"a value of 100 MB");
	unit_is_int(keeper.bytes.len, 0, "the row group stays open");
	estimate = sw_parquet_zstd_writer_ops.bytes_written(writer);
	unit_is_int(sw_parquet_zstd_writer_ops.finish(writer, &err), SW_OK, "finish");
	unit_ok(before == 0 && estimate > keeper.bytes.len / 2 &&
			estimate < keeper.bytes.len * 2, "the estimate is near the file's size");
	unit_ok(keeper.bytes.len > 1000 && keeper.bytes.len < n_giant / 10,
			"which is that of compressed data");
	sw_parquet_zstd_writer_ops.destroy(writer);
}

int
main(void)
{
	check_files();
	check_refusals();
	check_memory();
	check_giant();
	return unit_done();
}
