/*-------------------------------------------------------------------------
 *
 * samples.h
 *	  Writing staged files, and beside each what a reader must find in it.
 *
 * For programs of the usage <folder> <format> <compression> [dictionaries],
 * which are some of sw_writer_find.  For each sample there are
 * <name>.<extension>, and <name>.expected in ClickHouse's
 * RowBinaryWithNamesAndTypes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include "common/sw_bytes.h"
#include "format/sw_writer.h"

#define MAX_COLUMNS 16

typedef struct Sample
{
	FILE	   *file;
	FILE	   *expected_file;
	SwColumnSpec specs[MAX_COLUMNS];
	SwWriter   *writer;
	SwBatch		batch;
	SwBuffer	expected;
	int			column;			/* next to be filled */
} Sample;

static const char *folder;
static const SwWriterOps *ops;
static bool has_dictionaries;
static uint64 random_state;

static inline void
die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static inline uint32
random_below(uint32 limit)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (uint32) (((random_state >> 32) * limit) >> 32);
}

static inline SwStatus
write_to_file(void *arg, const char *data, Size len, SwError *err)
{
	if (fwrite(data, 1, len, arg) != len)
		return sw_error_set(err, SW_ERR_IO, SW_RETRY_NEVER, "could not write");
	return SW_OK;
}

static inline FILE *
open_file(const char *name, const char *extension)
{
	char		path[1024];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, extension);
	file = fopen(path, "wb");
	if (file == NULL)
		die("could not open a file");
	return file;
}

static inline void
flush_expected(Sample *sample)
{
	if (fwrite(sample->expected.data, 1, sample->expected.len,
			   sample->expected_file) != sample->expected.len)
		die("could not write a file");
	sw_buffer_reset(&sample->expected);
}

static inline void
begin_sample(Sample *sample, const char *name, const SwColumnSpec *specs,
			 int n_columns, Size group_bytes, int level)
{
	SwWriterOptions options = {
		.compression_level = level,
		.group_bytes = group_bytes,
		.created_by = "format_samples",
		.has_dictionaries = has_dictionaries
	};
	SwSink		sink;
	int			i;

	memset(sample, 0, sizeof(*sample));
	sample->file = open_file(name, ops->file_extension);
	sample->expected_file = open_file(name, "expected");
	memcpy(sample->specs, specs, sizeof(SwColumnSpec) * n_columns);
	sink.write = write_to_file;
	sink.arg = sample->file;
	sample->writer = ops->open(sample->specs, n_columns, &options, sink);
	sw_batch_init(&sample->batch, sample->specs, n_columns);

	sw_buffer_init(&sample->expected);
	sw_buffer_append_varuint(&sample->expected, n_columns);
	for (i = 0; i < n_columns; i++)
		sw_buffer_append_cstring(&sample->expected, specs[i].name);
	for (i = 0; i < n_columns; i++)
	{
		StringInfoData type;
		char	   *at;

		/* The server quotes only names that need it; ours don't. */
		initStringInfo(&type);
		sw_column_append_file_type(&type, &specs[i]);
		while ((at = strchr(type.data, '`')) != NULL)
			memmove(at, at + 1, strlen(at));
		sw_buffer_append_cstring(&sample->expected, type.data);
		pfree(type.data);
	}
}

static inline void
put_string(Sample *sample, const char *bytes, Size n)
{
	SwColumn   *column = &sample->batch.columns[sample->column++];

	sw_column_append_bytes(column, bytes, n);
	if (column->is_nullable)
		sw_buffer_append_uint8(&sample->expected, 0);
	sw_buffer_append_string(&sample->expected, bytes, n);
}

static inline void
put_text(Sample *sample, const char *text)
{
	put_string(sample, text, strlen(text));
}

static inline void
put_int64(Sample *sample, int64 value)
{
	SwColumn   *column = &sample->batch.columns[sample->column++];

	sw_column_append_int64(column, value);
	if (column->is_nullable)
		sw_buffer_append_uint8(&sample->expected, 0);
	sw_buffer_append_uint64(&sample->expected, (uint64) value);
}

static inline void
put_null(Sample *sample)
{
	sw_column_append_null(&sample->batch.columns[sample->column++]);
	sw_buffer_append_uint8(&sample->expected, 1);
}

static inline void
end_row(Sample *sample)
{
	if (sample->column != sample->batch.n_columns)
		die("a row is incomplete");
	sw_batch_end_row(&sample->batch);
	sample->column = 0;
}

static inline void
end_batch(Sample *sample)
{
	SwError		err;

	if (ops->write_batch(sample->writer, &sample->batch, &err) != SW_OK)
		die(err.message);
	sw_batch_reset(&sample->batch, SIZE_MAX);
	flush_expected(sample);
}

static inline void
end_sample(Sample *sample)
{
	SwError		err;

	end_batch(sample);
	if (ops->finish(sample->writer, &err) != SW_OK)
		die(err.message);
	ops->destroy(sample->writer);
	if (fclose(sample->file) != 0 || fclose(sample->expected_file) != 0)
		die("could not close a file");
}

/* What the command line says. */
static inline void
take_arguments(int argc, char **argv)
{
	if (argc < 4)
		die("folder, format and compression are missing");
	folder = argv[1];
	ops = sw_writer_find(argv[2], argv[3]);
	if (ops == NULL)
		die("there is no such format");
	has_dictionaries = argc > 4 && strcmp(argv[4], "dictionaries") == 0;
}

#endif							/* SAMPLES_H */
