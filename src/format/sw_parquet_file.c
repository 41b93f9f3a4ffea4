/*-------------------------------------------------------------------------
 *
 * sw_parquet_file.c
 *	  The Parquet writer: row groups and the file around them.
 *
 * Implements SwWriterOps (sw_writer.h).  Pure: throws only when memory runs
 * out.  After an error only destroy may be called.
 *
 *	  file = "PAR1", row groups, FileMetaData, its 32-bit length, "PAR1"
 *	  row group = per leaf: dictionary page?, data pages
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_parquet.h"

/*
 * What is kept of each value beside its bytes: a level, its number, and what
 * buffers of a few values have in reserve.
 */
#define SW_PARQUET_NUMBERS_BYTES 8

static const char sw_parquet_magic[] = {'P', 'A', 'R', '1'};

/* What a caller knows as SwWriter. */
typedef struct SwParquetWriter
{
	const SwColumnSpec *specs;
	int			n_columns;
	Size		group_bytes;
	char	   *created_by;
	SwSink		sink;
	uint64		file_bytes;		/* handed to the sink */
	uint64		n_rows;			/* in closed row groups */

	SwParquetPager pager;
	SwParquetColumn *leaves;
	const SwColumnSpec **roots; /* of specs: in which the leaf lies */
	int			n_leaves;
	SwParquetChunk *chunks;		/* of the row group being closed */
	SwBuffer	scratch;		/* a dictionary page, the metadata */

	uint64		n_group_rows;	/* of the row group being filled */
	uint64		group_raw_bytes;
	SwBuffer	row_groups;		/* metadata of closed row groups */
	uint32		n_row_groups;
} SwParquetWriter;

/* None when a column is nested too deeply. */
static void
sw_parquet_make_leaves(SwParquetWriter *writer)
{
	int			n_leaves = sw_parquet_count_leaves(writer->specs,
												   writer->n_columns);
	SwParquetLeaf *leaves;
	int			i;

	for (i = 0; i < writer->n_columns; i++)
		if (sw_parquet_is_too_deep(&writer->specs[i], 0))
			return;
	leaves = palloc(sizeof(SwParquetLeaf) * n_leaves);
	writer->leaves = palloc(sizeof(SwParquetColumn) * n_leaves);
	writer->roots = palloc(sizeof(SwColumnSpec *) * n_leaves);
	writer->chunks = palloc(sizeof(SwParquetChunk) * n_leaves);
	for (i = 0; i < writer->n_columns; i++)
	{
		const SwColumnSpec *spec = &writer->specs[i];
		int			n = sw_parquet_describe_leaves(spec, leaves);
		int			j;

		for (j = 0; j < n; j++)
		{
			writer->roots[writer->n_leaves] = spec;
			sw_parquet_column_init(&writer->leaves[writer->n_leaves++],
								   &leaves[j]);
		}
	}
	pfree(leaves);
}

static SwWriter *
sw_parquet_open(const SwCodecOps *codec, const SwColumnSpec *specs,
				int n_columns, const SwWriterOptions *options, SwSink sink)
{
	SwParquetWriter *writer = palloc0(sizeof(SwParquetWriter));

	Assert(n_columns > 0);

	writer->specs = specs;
	writer->n_columns = n_columns;
	writer->group_bytes = options->group_bytes;
	writer->created_by = pstrdup(options->created_by);
	writer->sink = sink;

	sw_codec_init(&writer->pager.codec, codec, options->compression_level);
	sw_buffer_init(&writer->pager.body);
	sw_buffer_init(&writer->pager.compressed);
	sw_buffer_init(&writer->scratch);
	sw_buffer_init(&writer->row_groups);
	sw_parquet_make_leaves(writer);
	return (SwWriter *) writer;
}

/* Hand bytes to the sink; the first ones are preceded by the magic. */
static SwStatus
sw_parquet_emit(SwParquetWriter *writer, const char *bytes, Size n,
				SwError *err)
{
	if (n == 0)
		return SW_OK;
	SW_TRY(writer->sink.write(writer->sink.arg, bytes, n, err));
	writer->file_bytes += n;
	return SW_OK;
}

static SwStatus
sw_parquet_emit_magic(SwParquetWriter *writer, SwError *err)
{
	return sw_parquet_emit(writer, sw_parquet_magic,
						   sizeof(sw_parquet_magic), err);
}

static SwStatus
sw_parquet_close_chunk(SwParquetWriter *writer, SwParquetColumn *column,
					   SwParquetChunk *chunk, SwError *err)
{
	uint64		start = writer->file_bytes;

	SW_TRY(sw_parquet_column_end_page(column, &writer->pager, err));

	chunk->dictionary_offset = -1;
	chunk->raw_bytes = column->pages_raw_bytes;
	if (column->has_dictionary_pages)
	{
		uint64		raw_bytes;

		sw_buffer_reset(&writer->scratch);
		SW_TRY(sw_parquet_column_build_dictionary_page(column, &writer->pager,
													   &writer->scratch,
													   &raw_bytes, err));
		chunk->dictionary_offset = (int64) writer->file_bytes;
		chunk->raw_bytes += raw_bytes;
		SW_TRY(sw_parquet_emit(writer, writer->scratch.data,
							   writer->scratch.len, err));
	}
	chunk->data_offset = (int64) writer->file_bytes;
	SW_TRY(sw_parquet_emit(writer, column->pages.data, column->pages.len,
						   err));
	chunk->compressed_bytes = writer->file_bytes - start;
	return SW_OK;
}

/* Bytes of memory that all columns have allocated. */
static Size
sw_parquet_allocated(const SwParquetWriter *writer)
{
	Size		n_bytes = 0;
	int			i;

	for (i = 0; i < writer->n_leaves; i++)
		n_bytes += sw_parquet_column_allocated(&writer->leaves[i]);
	return n_bytes;
}

/* What columns of other widths than the last row group's keep is bounded. */
static SwStatus
sw_parquet_close_row_group(SwParquetWriter *writer, SwError *err)
{
	Size		kept_bytes;
	int			i;

	if (writer->n_group_rows == 0)
		return SW_OK;
	if (writer->file_bytes == 0)
		SW_TRY(sw_parquet_emit_magic(writer, err));

	for (i = 0; i < writer->n_leaves; i++)
		SW_TRY(sw_parquet_close_chunk(writer, &writer->leaves[i],
									  &writer->chunks[i], err));
	sw_parquet_build_row_group(&writer->row_groups, writer->leaves,
							   writer->chunks, writer->roots,
							   writer->n_leaves, writer->n_group_rows,
							   writer->pager.codec.ops->parquet_code);
	kept_bytes = sw_parquet_allocated(writer) <= writer->group_bytes ?
		SW_PARQUET_KEPT_BYTES : writer->group_bytes / (2 * writer->n_leaves);
	for (i = 0; i < writer->n_leaves; i++)
		sw_parquet_column_reset(&writer->leaves[i], kept_bytes);

	writer->n_row_groups++;
	writer->n_rows += writer->n_group_rows;
	writer->n_group_rows = 0;
	writer->group_raw_bytes = 0;
	return SW_OK;
}

static SwStatus
sw_parquet_write_batch(SwWriter *opaque, const SwBatch *batch, SwError *err)
{
	SwParquetWriter *writer = (SwParquetWriter *) opaque;
	int			i;

	/* A batch of another shape is the caller's mistake. */
	if (!sw_batch_fits(batch, writer->specs, writer->n_columns))
		return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
							"a batch does not have the shape of its Parquet file");
	if (writer->n_leaves == 0)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"a column is nested more than %d levels deep, too deeply for a Parquet file",
							SW_PARQUET_MAX_DEPTH);
	for (i = 0; i < writer->n_leaves; i++)
	{
		int			at = (int) (writer->roots[i] - writer->specs);

		SW_TRY(sw_parquet_shred(&writer->leaves[i], &batch->columns[at],
								&writer->pager, err));
	}
	writer->n_group_rows += batch->n_rows;
	writer->group_raw_bytes += sw_batch_bytes(batch) +
		batch->n_rows * writer->n_leaves * SW_PARQUET_NUMBERS_BYTES;
	if (writer->group_raw_bytes >= writer->group_bytes)
		return sw_parquet_close_row_group(writer, err);
	return SW_OK;
}

static uint64
sw_parquet_bytes_written(const SwWriter *opaque)
{
	const SwParquetWriter *writer = (const SwParquetWriter *) opaque;
	uint64		compressed = writer->file_bytes + writer->row_groups.len;
	uint64		pending = 0;
	int			i;

	/* What it says of row groups is kept until the end. */
	if (writer->row_groups.len >= writer->group_bytes / 2)
		return PG_UINT64_MAX;
	for (i = 0; i < writer->n_leaves; i++)
	{
		const SwParquetColumn *column = &writer->leaves[i];

		compressed += column->pages.len;
		pending += sw_parquet_column_get_value_bytes(column) +
			column->indices.n;
		if (column->dictionary != NULL)
			pending += column->dictionary->values.len;
	}

	/* What waits raw will shrink; to a third is a cautious guess. */
	return compressed + pending / 3;
}

static SwStatus
sw_parquet_finish(SwWriter *opaque, SwError *err)
{
	SwParquetWriter *writer = (SwParquetWriter *) opaque;
	const SwBuffer *row_groups = &writer->row_groups;
	SwBuffer   *head = &writer->scratch;
	SwBuffer   *tail = &writer->pager.body;
	Size		n_bytes;

	SW_TRY(sw_parquet_close_row_group(writer, err));
	if (writer->file_bytes == 0)
		SW_TRY(sw_parquet_emit_magic(writer, err));

	sw_buffer_reset(head);
	sw_buffer_reset(tail);
	sw_parquet_build_metadata(head, tail, writer->specs, writer->n_columns,
							  writer->n_leaves, writer->n_rows,
							  writer->n_row_groups, writer->created_by);
	n_bytes = head->len + row_groups->len + tail->len;
	if (n_bytes > PG_INT32_MAX)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"the metadata of a Parquet file has grown too large");
	sw_buffer_append_uint32(tail, (uint32) n_bytes);
	SW_TRY(sw_parquet_emit(writer, head->data, head->len, err));
	SW_TRY(sw_parquet_emit(writer, row_groups->data, row_groups->len, err));
	SW_TRY(sw_parquet_emit(writer, tail->data, tail->len, err));
	return sw_parquet_emit_magic(writer, err);
}

static void
sw_parquet_destroy(SwWriter *opaque)
{
	SwParquetWriter *writer = (SwParquetWriter *) opaque;

	sw_codec_destroy(&writer->pager.codec);
}

/* ---- one writer for each codec of pages ---- */

#define SW_PARQUET_WRITER(codec) \
static SwWriter * \
sw_parquet_open_##codec(const SwColumnSpec *specs, int n_columns, \
						const SwWriterOptions *options, SwSink sink) \
{ \
	return sw_parquet_open(&sw_codec_##codec, specs, n_columns, options, \
						   sink); \
} \
const SwWriterOps sw_parquet_##codec##_writer_ops = { \
	.format_name = "Parquet", \
	.file_extension = "parquet", \
	.open = sw_parquet_open_##codec, \
	.write_batch = sw_parquet_write_batch, \
	.bytes_written = sw_parquet_bytes_written, \
	.finish = sw_parquet_finish, \
	.destroy = sw_parquet_destroy, \
}

SW_PARQUET_WRITER(zstd);
SW_PARQUET_WRITER(lz4);
SW_PARQUET_WRITER(snappy);
SW_PARQUET_WRITER(none);
