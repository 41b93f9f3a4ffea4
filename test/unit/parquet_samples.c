/*-------------------------------------------------------------------------
 *
 * parquet_samples.c
 *	  Write Parquet files, and beside each what a reader must find in it.
 *
 * Usage: parquet_samples <folder>.  For each sample <name>.parquet, and
 * <name>.expected in ClickHouse's RowBinaryWithNamesAndTypes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_bytes.h"
#include "format/sw_writer.h"
#include "unit.h"

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
static uint64 random_state;

static void
die(const char *what)
{
	fprintf(stderr, "parquet_samples: %s\n", what);
	exit(1);
}

static uint32
random_below(uint32 limit)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (uint32) (((random_state >> 32) * limit) >> 32);
}

static SwStatus
write_to_file(void *arg, const char *data, Size len, SwError *err)
{
	if (fwrite(data, 1, len, arg) != len)
		return sw_error_set(err, SW_ERR_IO, SW_RETRY_NEVER, "could not write");
	return SW_OK;
}

static FILE *
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

static void
flush_expected(Sample *sample)
{
	if (fwrite(sample->expected.data, 1, sample->expected.len,
			   sample->expected_file) != sample->expected.len)
		die("could not write a file");
	sw_buffer_reset(&sample->expected);
}

static void
begin_sample(Sample *sample, const char *name, const SwColumnSpec *specs,
			 int n_columns, Size group_bytes, int level)
{
	SwWriterOptions options = {level, group_bytes, "parquet_samples"};
	SwSink		sink;
	int			i;

	memset(sample, 0, sizeof(*sample));
	sample->file = open_file(name, "parquet");
	sample->expected_file = open_file(name, "expected");
	memcpy(sample->specs, specs, sizeof(SwColumnSpec) * n_columns);
	sink.write = write_to_file;
	sink.arg = sample->file;
	sample->writer = sw_parquet_writer_ops.open(sample->specs, n_columns,
												&options, sink);
	sw_batch_init(&sample->batch, sample->specs, n_columns);

	sw_buffer_init(&sample->expected);
	sw_buffer_append_varuint(&sample->expected, n_columns);
	for (i = 0; i < n_columns; i++)
		sw_buffer_append_cstring(&sample->expected, specs[i].name);
	for (i = 0; i < n_columns; i++)
	{
		bool		is_string = specs[i].type == SW_TYPE_STRING ||
		specs[i].type == SW_TYPE_JSON;
		char		type[32];

		snprintf(type, sizeof(type), specs[i].is_nullable ? "Nullable(%s)" : "%s",
				 is_string ? "String" : "Int64");
		sw_buffer_append_cstring(&sample->expected, type);
	}
}

static void
put_string(Sample *sample, const char *bytes, Size n)
{
	SwColumn   *column = &sample->batch.columns[sample->column++];

	sw_column_append_bytes(column, bytes, n);
	if (column->is_nullable)
		sw_buffer_append_uint8(&sample->expected, 0);
	sw_buffer_append_string(&sample->expected, bytes, n);
}

static void
put_text(Sample *sample, const char *text)
{
	put_string(sample, text, strlen(text));
}

static void
put_int64(Sample *sample, int64 value)
{
	SwColumn   *column = &sample->batch.columns[sample->column++];

	sw_column_append_int64(column, value);
	if (column->is_nullable)
		sw_buffer_append_uint8(&sample->expected, 0);
	sw_buffer_append_uint64(&sample->expected, (uint64) value);
}

static void
put_null(Sample *sample)
{
	sw_column_append_null(&sample->batch.columns[sample->column++]);
	sw_buffer_append_uint8(&sample->expected, 1);
}

static void
end_row(Sample *sample)
{
	if (sample->column != sample->batch.n_columns)
		die("a row is incomplete");
	sw_batch_end_row(&sample->batch);
	sample->column = 0;
}

static void
end_batch(Sample *sample)
{
	SwError		err;

	if (sw_parquet_writer_ops.write_batch(sample->writer, &sample->batch,
										  &err) != SW_OK)
		die(err.message);
	sw_batch_reset(&sample->batch);
	flush_expected(sample);
}

static void
end_sample(Sample *sample)
{
	SwError		err;

	end_batch(sample);
	if (sw_parquet_writer_ops.finish(sample->writer, &err) != SW_OK)
		die(err.message);
	sw_parquet_writer_ops.destroy(sample->writer);
	if (fclose(sample->file) != 0 || fclose(sample->expected_file) != 0)
		die("could not close a file");
}

/* ---- the samples ---- */

static const SwColumnSpec all_types[] = {
	{"s", SW_TYPE_STRING, false},
	{"s_null", SW_TYPE_STRING, true},
	{"i", SW_TYPE_INT64, false},
	{"i_null", SW_TYPE_INT64, true},
	{"t", SW_TYPE_TIMESTAMP_MS, false},
	{"t_null", SW_TYPE_TIMESTAMP_MS, true},
	{"j", SW_TYPE_JSON, false},
	{"j_null", SW_TYPE_JSON, true},
};

static void
sample_types(void)
{
	static const char *const texts[] = {
		"", "a", "it's \"quoted\"\t\\n", "\xE5\xAF\xBC\xE5\x87\xBA",
		"\xF0\x9F\x90\x98 elephant", "line\nbreak", "caf\xC3\xA9"
	};
	static const int64 numbers[] = {
		0, 1, -1, PG_INT64_MAX, PG_INT64_MIN, 255, -256, INT64CONST(1) << 40
	};
	Sample		sample;
	int			i;

	begin_sample(&sample, "types", all_types, lengthof(all_types), 1 << 30, 1);
	for (i = 0; i < 1000; i++)
	{
		const char *text = texts[i % lengthof(texts)];
		int64		number = numbers[i % lengthof(numbers)];

		if (i % 97 == 0)
			put_string(&sample, "nul\0inside", 10);
		else
			put_text(&sample, text);
		if (i % 3 == 0)
			put_null(&sample);
		else
			put_text(&sample, text);
		put_int64(&sample, number);
		if (i % 5 == 0)
			put_null(&sample);
		else
			put_int64(&sample, number + i % 3);
		put_int64(&sample, INT64CONST(-157766400000) + i * INT64CONST(7777777));
		if (i % 2 == 0)
			put_null(&sample);
		else
			put_int64(&sample, INT64CONST(1626847200123) + i);
		put_text(&sample, i % 2 == 0 ? "{}" : "{\"k\":[1,2.5,null,\"\xE5\xAF\xBC\"]}");
		if (i % 7 == 0)
			put_null(&sample);
		else
			put_text(&sample, "[]");
		end_row(&sample);
	}
	end_sample(&sample);
}

static void
sample_empty(void)
{
	Sample		sample;

	begin_sample(&sample, "empty", all_types, lengthof(all_types), 1 << 20, 1);
	end_sample(&sample);
}

static void
sample_one_row(void)
{
	Sample		sample;
	int			i;

	begin_sample(&sample, "one_row", all_types, lengthof(all_types), 1, 1);
	for (i = 0; i < 8; i++)
	{
		if (i % 2 == 1)
			put_null(&sample);
		else if (i == 0 || i == 6)
			put_text(&sample, "");
		else
			put_int64(&sample, -7);
	}
	end_row(&sample);
	end_sample(&sample);
}

/* Few distinct values over several pages; runs and mixtures; all nulls. */
static void
sample_dictionary(void)
{
	static const SwColumnSpec specs[] = {
		{"constant", SW_TYPE_STRING, false},
		{"two", SW_TYPE_STRING, true},
		{"event", SW_TYPE_STRING, false},
		{"thousands", SW_TYPE_JSON, true},
		{"nothing", SW_TYPE_STRING, true},
		{"no_number", SW_TYPE_INT64, true},
		{"blocks", SW_TYPE_STRING, true},
	};
	Sample		sample;
	int			i;

	random_state = 11;
	begin_sample(&sample, "dictionary", specs, lengthof(specs), 1 << 30, 1);
	for (i = 0; i < 300000; i++)
	{
		char		text[64];

		put_text(&sample, "always");
		if (i % 11 < 3)
			put_null(&sample);
		else
			put_text(&sample, random_below(2) == 0 ? "yes" : "no");
		snprintf(text, sizeof(text), "Event%u", random_below(1 + random_below(40)));
		put_text(&sample, text);
		snprintf(text, sizeof(text), "{\"n\":%u}", random_below(20000));
		put_text(&sample, text);
		put_null(&sample);
		put_null(&sample);
		if (i / 50000 % 2 == 1)
			put_null(&sample);
		else
		{
			snprintf(text, sizeof(text), "block %d", i / 100);
			put_text(&sample, text);
		}
		end_row(&sample);
		if (i % 4096 == 4095)
			end_batch(&sample);
	}
	end_sample(&sample);
}

/* Dictionaries that stop paying early, late, and for want of room. */
static void
sample_fallback(void)
{
	static const SwColumnSpec specs[] = {
		{"unique", SW_TYPE_STRING, false},
		{"late", SW_TYPE_STRING, true},
		{"wide", SW_TYPE_STRING, false},
		{"many", SW_TYPE_STRING, true},
		{"n", SW_TYPE_INT64, false},
	};
	Sample		sample;
	char	   *wide = palloc(3000);
	int			i;

	random_state = 12;
	memset(wide, 'w', 3000);
	begin_sample(&sample, "fallback", specs, lengthof(specs), 1 << 30, 3);
	for (i = 0; i < 260000; i++)
	{
		char		text[64];

		snprintf(text, sizeof(text), "id-%08x-%d", random_below(PG_UINT32_MAX), i);
		put_text(&sample, text);
		if (i % 10 == 0)
			put_null(&sample);
		else
		{
			snprintf(text, sizeof(text), "v%d", i < 150000 ? i % 5 : i);
			put_text(&sample, text);
		}

		/* 100, then more and more values of up to 3000 bytes */
		snprintf(text, sizeof(text), "%u", random_below(i < 20000 ? 100 : 600));
		memcpy(wide, text, strlen(text));
		put_string(&sample, wide, i % 37 == 0 ? 3000 : strlen(text));
		memset(wide, 'w', 64);

		/* 100000 distinct values, each repeated at once */
		snprintf(text, sizeof(text), "m%d", i / 3);
		put_text(&sample, text);
		put_int64(&sample, i);
		end_row(&sample);
		if (i % 10000 == 9999)
			end_batch(&sample);
	}
	end_sample(&sample);
	pfree(wide);
}

/* Row groups of one batch, of several, and one that is closed by finish. */
static void
sample_groups(void)
{
	Sample		sample;
	int			i;

	random_state = 13;
	begin_sample(&sample, "groups", all_types, lengthof(all_types), 200000, 1);
	for (i = 0; i < 30000; i++)
	{
		char		text[64];

		snprintf(text, sizeof(text), "%d", i);
		put_text(&sample, text);
		if (i < 10000)
			put_null(&sample);
		else
			put_text(&sample, i < 20000 ? "same" : text);
		put_int64(&sample, i - 15000);
		if (i % 3 == 0)
			put_null(&sample);
		else
			put_int64(&sample, -i);
		put_int64(&sample, i);
		put_null(&sample);
		put_text(&sample, "{\"a\":1}");
		put_text(&sample, text);
		end_row(&sample);
		if (i % 1000 == 999)
			end_batch(&sample);
	}
	end_sample(&sample);
}

/* 5 MB values among small ones, unique and repeated. */
static void
sample_large(void)
{
	static const SwColumnSpec specs[] = {
		{"n", SW_TYPE_INT64, false},
		{"large", SW_TYPE_JSON, false},
		{"large_null", SW_TYPE_STRING, true},
	};
	Sample		sample;
	Size		n_large = 5000000;
	char	   *large = palloc(n_large);
	Size		k;
	int			i;

	random_state = 14;
	for (k = 0; k < n_large; k++)
		large[k] = (char) ('a' + random_below(20));
	begin_sample(&sample, "large", specs, lengthof(specs), 1 << 20, 1);
	for (i = 0; i < 40; i++)
	{
		put_int64(&sample, i);
		put_string(&sample, large, i == 17 ? n_large : (Size) (10 + i));
		if (i % 4 == 0)
			put_null(&sample);
		else
			put_string(&sample, large, i == 5 || i == 6 ? n_large : (Size) 3);
		end_row(&sample);
		if (i == 20)
			end_batch(&sample);
	}
	end_sample(&sample);
	pfree(large);
}

/* Strings around and over the length that statistics keep. */
static void
sample_bounds(void)
{
	static const SwColumnSpec specs[] = {
		{"ascii", SW_TYPE_STRING, false},
		{"han", SW_TYPE_STRING, true},
		{"top", SW_TYPE_STRING, false},
		{"exact", SW_TYPE_JSON, false},
	};
	Sample		sample;
	int			i;

	random_state = 15;
	begin_sample(&sample, "bounds", specs, lengthof(specs), 3000, 1);
	for (i = 0; i < 2000; i++)
	{
		char		text[512];
		Size		n = 0;
		Size		wanted = 58 + random_below(40);

		memset(text, 'a' + (i % 7 == 0 ? random_below(26) : 3), 100);
		put_string(&sample, text, wanted);

		while (n < wanted)
		{
			memcpy(text + n, random_below(30) == 0 ? "\xE5\xAF\xBC" : "\xE5\x87\xBA", 3);
			n += 3;
		}
		if (i % 50 == 0)
			put_null(&sample);
		else
			put_string(&sample, text, n);

		for (n = 0; n < wanted; n += 4)
			memcpy(text + n, "\xF4\x8F\xBF\xBF", 4);
		if (i % 3 == 0)
			memcpy(text, "z\xC3\xBF!", 4);
		put_string(&sample, text, n);

		memset(text, 'x', 64);
		text[63] = (char) ('0' + random_below(10));
		put_string(&sample, text, 62 + random_below(3));
		end_row(&sample);
		if (i % 20 == 19)
			end_batch(&sample);
	}
	end_sample(&sample);
}

/* Shapes, sizes, nulls and cardinalities by chance. */
static void
sample_random(int number)
{
	static const char *const names[MAX_COLUMNS] = {
		"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7",
		"c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15"
	};
	SwColumnSpec specs[MAX_COLUMNS];
	uint32		cardinality[MAX_COLUMNS];
	uint32		null_share[MAX_COLUMNS];
	uint32		repeat_share[MAX_COLUMNS];
	uint32		value[MAX_COLUMNS] = {0};
	char		name[32];
	Sample		sample;
	int			n_columns;
	uint32		n_rows;
	uint32		batch_rows;
	uint32		row;
	int			i;

	random_state = 1000 + number;
	n_columns = 1 + random_below(MAX_COLUMNS);
	n_rows = random_below(1u << random_below(14));
	batch_rows = 1 + random_below(2000);
	for (i = 0; i < n_columns; i++)
	{
		specs[i].name = names[i];
		specs[i].type = (SwType) random_below(4);
		specs[i].is_nullable = random_below(2) == 0;
		cardinality[i] = 1u << random_below(16);
		null_share[i] = random_below(101);
		repeat_share[i] = random_below(101);
	}
	snprintf(name, sizeof(name), "random%02d", number);
	begin_sample(&sample, name, specs, n_columns,
				 (Size) 1 << (8 + random_below(16)), 1 + random_below(5));
	for (row = 0; row < n_rows; row++)
	{
		for (i = 0; i < n_columns; i++)
		{
			char		text[256];

			if (specs[i].is_nullable && random_below(100) < null_share[i])
			{
				put_null(&sample);
				continue;
			}
			if (random_below(100) >= repeat_share[i])
				value[i] = random_below(cardinality[i]);
			if (specs[i].type == SW_TYPE_INT64 ||
				specs[i].type == SW_TYPE_TIMESTAMP_MS)
				put_int64(&sample, (int64) ((uint64) value[i] *
											UINT64CONST(0x9E3779B97F4A7C15)));
			else
			{
				memset(text, (int) (value[i] & 0x7F), sizeof(text));
				snprintf(text, 16, "%u", value[i]);
				put_string(&sample, text, value[i] * 7 % 200);
			}
		}
		end_row(&sample);
		if (row % batch_rows == batch_rows - 1)
			end_batch(&sample);
	}
	end_sample(&sample);
}

int
main(int argc, char **argv)
{
	int			i;

	if (argc != 2)
		die("the folder is missing");
	folder = argv[1];
	sample_types();
	sample_empty();
	sample_one_row();
	sample_dictionary();
	sample_fallback();
	sample_groups();
	sample_large();
	sample_bounds();
	for (i = 0; i < 40; i++)
		sample_random(i);
	return 0;
}
