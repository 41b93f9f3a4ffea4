/*-------------------------------------------------------------------------
 *
 * format_samples.c
 *	  Write staged files, and beside each what a reader must find in it.
 *
 * Usage: format_samples <folder> <format> <compression>, which are some of
 * sw_writer_find.  For each sample there are <name>.<extension>, and
 * <name>.expected in ClickHouse's RowBinaryWithNamesAndTypes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <math.h>

#include "common/sw_bytes.h"
#include "format/sw_writer.h"
#include "unit.h"

#define MAX_COLUMNS 16
#define N_NESTED 20

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

static void
die(const char *what)
{
	fprintf(stderr, "format_samples: %s\n", what);
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

	if (ops->write_batch(sample->writer, &sample->batch, &err) != SW_OK)
		die(err.message);
	sw_batch_reset(&sample->batch, SIZE_MAX);
	flush_expected(sample);
}

static void
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

/* ---- the samples ---- */

static const SwColumnSpec all_types[] = {
	{.name = "s",.type = SW_TYPE_STRING},
	{.name = "s_null",.type = SW_TYPE_STRING,.is_nullable = true},
	{.name = "i",.type = SW_TYPE_INT64},
	{.name = "i_null",.type = SW_TYPE_INT64,.is_nullable = true},
	{.name = "t",.type = SW_TYPE_TIMESTAMP_MS},
	{.name = "t_null",.type = SW_TYPE_TIMESTAMP_MS,.is_nullable = true},
	{.name = "j",.type = SW_TYPE_JSON},
	{.name = "j_null",.type = SW_TYPE_JSON,.is_nullable = true},
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
		{.name = "constant",.type = SW_TYPE_STRING},
		{.name = "two",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "event",.type = SW_TYPE_STRING},
		{.name = "thousands",.type = SW_TYPE_JSON,.is_nullable = true},
		{.name = "nothing",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "no_number",.type = SW_TYPE_INT64,.is_nullable = true},
		{.name = "blocks",.type = SW_TYPE_STRING,.is_nullable = true},
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
		{.name = "unique",.type = SW_TYPE_STRING},
		{.name = "late",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "wide",.type = SW_TYPE_STRING},
		{.name = "many",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "n",.type = SW_TYPE_INT64},
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
		{.name = "n",.type = SW_TYPE_INT64},
		{.name = "large",.type = SW_TYPE_JSON},
		{.name = "large_null",.type = SW_TYPE_STRING,.is_nullable = true},
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
		{.name = "ascii",.type = SW_TYPE_STRING},
		{.name = "han",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "top",.type = SW_TYPE_STRING},
		{.name = "exact",.type = SW_TYPE_JSON},
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

/* More rows in one batch than fit a page or a block. */
static void
sample_long_batch(void)
{
	static const SwColumnSpec specs[] = {
		{.name = "n",.type = SW_TYPE_INT64},
		{.name = "n_null",.type = SW_TYPE_INT64,.is_nullable = true},
		{.name = "s",.type = SW_TYPE_STRING},
		{.name = "s_null",.type = SW_TYPE_STRING,.is_nullable = true},
	};
	Sample		sample;
	int			i;

	begin_sample(&sample, "long_batch", specs, lengthof(specs), 1 << 30, 1);
	for (i = 0; i < 150000; i++)
	{
		char		text[32];

		snprintf(text, sizeof(text), "%d", i * 7919);
		put_int64(&sample, i);
		if (i % 5 == 0)
			put_null(&sample);
		else
			put_int64(&sample, -i);
		put_text(&sample, text);
		if (i % 3 == 0)
			put_null(&sample);
		else
			put_text(&sample, text + 1);
		end_row(&sample);
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
	static const SwType types[] = {
		SW_TYPE_STRING, SW_TYPE_INT64, SW_TYPE_TIMESTAMP_MS, SW_TYPE_JSON
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
		memset(&specs[i], 0, sizeof(specs[i]));
		specs[i].name = names[i];
		specs[i].type = types[random_below(lengthof(types))];
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

/* ---- every type, nested at random ---- */

static void
draw_spec(SwColumnSpec *spec, const char *name, int depth, bool is_key)
{
	static const SwType flat[] = {
		SW_TYPE_STRING, SW_TYPE_BYTES, SW_TYPE_JSON, SW_TYPE_BOOL,
		SW_TYPE_INT16, SW_TYPE_INT32, SW_TYPE_INT64, SW_TYPE_UINT32,
		SW_TYPE_FLOAT32, SW_TYPE_FLOAT64, SW_TYPE_DECIMAL, SW_TYPE_UUID,
		SW_TYPE_DATE, SW_TYPE_TIME_US, SW_TYPE_TIMESTAMP_MS,
		SW_TYPE_TIMESTAMP_US, SW_TYPE_DATETIME_US, SW_TYPE_ENUM
	};
	SwColumnSpec *children;
	int			i;

	memset(spec, 0, sizeof(*spec));
	spec->name = name;
	if (is_key)
		spec->type = random_below(2) == 0 ? SW_TYPE_STRING : SW_TYPE_INT64;
	else if (depth < 4 && random_below(5) < 2)
		spec->type = SW_TYPE_ARRAY + random_below(3);
	else
		spec->type = flat[random_below(lengthof(flat))];

	if (spec->type == SW_TYPE_DECIMAL)
	{
		spec->precision = 1 + random_below(SW_DECIMAL_MAX_PRECISION);
		spec->scale = random_below(spec->precision + 1);
	}
	if (!sw_type_is_container(spec->type))
	{
		spec->is_nullable = !is_key && random_below(2) == 0;
		return;
	}
	spec->n_children = spec->type == SW_TYPE_ARRAY ? 1 :
		spec->type == SW_TYPE_MAP ? 2 : 1 + random_below(3);
	children = palloc(sizeof(SwColumnSpec) * spec->n_children);
	for (i = 0; i < spec->n_children; i++)
		draw_spec(&children[i], psprintf("f%d", i), depth + 1,
				  spec->type == SW_TYPE_MAP && i == 0);
	spec->children = children;
}

static void put_any(Sample *sample, const SwColumnSpec *spec,
					SwColumn *column);

static void
put_container(Sample *sample, const SwColumnSpec *spec, SwColumn *column)
{
	uint32		n = 1;
	uint32		i;
	int			j;

	if (column->has_offsets)
	{
		n = random_below(3) == 0 ? 0 : random_below(4);
		sw_buffer_append_varuint(&sample->expected, n);
	}
	for (i = 0; i < n; i++)
		for (j = 0; j < spec->n_children; j++)
			put_any(sample, &spec->children[j], &column->children[j]);
	sw_column_end_container(column);
}

/* bytes = bytes * factor + add; a number of width bytes, lowest first. */
static void
multiply_add(char *bytes, int width, uint32 factor, uint32 add)
{
	int			i;

	for (i = 0; i < width; i++)
	{
		add += (unsigned char) bytes[i] * factor;
		bytes[i] = (char) add;
		add >>= 8;
	}
}

/* Of as many digits as there may be, or fewer. */
static void
draw_decimal(char *bytes, int width, int precision)
{
	int			n_digits = random_below(3) == 0 ? precision :
	(int) random_below(precision + 1);
	bool		only_nines = random_below(4) == 0;
	int			i;

	memset(bytes, 0, width);
	for (i = 0; i < n_digits; i++)
		multiply_add(bytes, width, 10, only_nines ? 9 : random_below(10));
	if (random_below(2) == 0)
	{
		for (i = 0; i < width; i++)
			bytes[i] = (char) ~bytes[i];
		multiply_add(bytes, width, 1, 1);
	}
}

/* What floats have beside plain numbers; infinities if wanted. */
static void
draw_odd_float(char *bytes, int width, bool has_infinities)
{
	static const double odd[] = {0.0, -0.0, NAN, 1e-40, HUGE_VAL, -HUGE_VAL};
	double		wide = odd[random_below(lengthof(odd) -
										(has_infinities ? 0 : 2))];
	float		narrow = (float) wide;

	if (width == sizeof(wide))
		memcpy(bytes, &wide, sizeof(wide));
	else
		memcpy(bytes, &narrow, sizeof(narrow));
}

/* A value of a fixed width: any bits that its type can have. */
static void
put_fixed(Sample *sample, const SwColumnSpec *spec, SwColumn *column)
{
	char		bytes[32];
	int			width = column->width;
	int			i;

	for (i = 0; i < width; i++)
		bytes[i] = (char) random_below(256);
	if (spec->type == SW_TYPE_BOOL)
		bytes[0] &= 1;
	else if (spec->type == SW_TYPE_DECIMAL)
		draw_decimal(bytes, width, spec->precision);
	else if ((spec->type == SW_TYPE_FLOAT32 ||
			  spec->type == SW_TYPE_FLOAT64) && random_below(4) == 0)
		draw_odd_float(bytes, width, spec->is_nullable);
	sw_column_append_fixed(column, bytes, width);
	sw_buffer_append_bytes(&sample->expected, bytes, width);
}

static void
put_any(Sample *sample, const SwColumnSpec *spec, SwColumn *column)
{
	static const char *const labels[] = {"red", "", "\xE7\xBB\xBF"};
	char		text[300];
	uint32		n = random_below(random_below(4) == 0 ? sizeof(text) : 6);
	uint32		i;

	if (sw_type_is_container(spec->type))
	{
		put_container(sample, spec, column);
		return;
	}
	if (spec->is_nullable)
	{
		bool		is_null = random_below(3) == 0;

		sw_buffer_append_uint8(&sample->expected, is_null ? 1 : 0);
		if (is_null)
		{
			sw_column_append_null(column);
			return;
		}
	}
	if (spec->type == SW_TYPE_ENUM)
	{
		const char *label = labels[random_below(lengthof(labels))];

		sw_column_append_code(column, sw_column_get_code(column, label,
														 strlen(label)));
		sw_buffer_append_cstring(&sample->expected, label);
	}
	else if (sw_type_is_string(spec->type))
	{
		for (i = 0; i < n; i++)
			text[i] = (char) random_below(spec->type == SW_TYPE_BYTES ? 256 :
										  128);
		sw_column_append_bytes(column, text, n);
		sw_buffer_append_string(&sample->expected, text, n);
	}
	else
		put_fixed(sample, spec, column);
}

static void
sample_nested(int number)
{
	SwColumnSpec columns[MAX_COLUMNS];
	Sample		sample;
	int			n_columns = 1 + random_below(MAX_COLUMNS - 1);
	int			n_batches = 1 + random_below(3);
	int			i;

	for (i = 0; i < n_columns; i++)
		draw_spec(&columns[i], psprintf("c%d", i), 0, false);
	begin_sample(&sample, psprintf("nested%02d", number), columns, n_columns,
				 random_below(2) == 0 ? 1 << 30 : 100000, 1);
	for (i = 0; i < n_batches; i++)
	{
		int			n_rows = 1 + random_below(2000);

		while (n_rows-- > 0)
		{
			int			j;

			for (j = 0; j < n_columns; j++)
				put_any(&sample, &columns[j], &sample.batch.columns[j]);
			sw_batch_end_row(&sample.batch);
		}
		end_batch(&sample);
	}
	end_sample(&sample);
}

int
main(int argc, char **argv)
{
	int			i;

	if (argc < 4)
		die("folder, format and compression are missing");
	folder = argv[1];
	ops = sw_writer_find(argv[2], argv[3]);
	if (ops == NULL)
		die("there is no such format");
	has_dictionaries = argc > 4 && strcmp(argv[4], "dictionaries") == 0;
	sample_types();
	sample_empty();
	sample_one_row();
	sample_dictionary();
	sample_fallback();
	sample_groups();
	sample_large();
	sample_bounds();
	sample_long_batch();
	for (i = 0; i < 40; i++)
		sample_random(i);
	for (i = 0; i < N_NESTED; i++)
		sample_nested(i);
	return 0;
}
