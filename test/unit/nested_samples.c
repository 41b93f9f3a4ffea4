/*-------------------------------------------------------------------------
 *
 * nested_samples.c
 *	  Staged files of every type, nested at random, and what a reader must
 *	  find in them: see samples.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <math.h>

#include "samples.h"
#include "unit.h"

#define N_SAMPLES 20

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

	take_arguments(argc, argv);
	random_state = 2001;
	for (i = 0; i < N_SAMPLES; i++)
		sample_nested(i);
	return 0;
}
