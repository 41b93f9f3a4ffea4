/*-------------------------------------------------------------------------
 *
 * format_samples.c
 *	  Staged files with what is hard to write, and what a reader must find in
 *	  them: see samples.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <math.h>

#include "samples.h"
#include "unit.h"

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

int
main(int argc, char **argv)
{
	int			i;

	take_arguments(argc, argv);
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
	return 0;
}
