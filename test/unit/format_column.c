/*-------------------------------------------------------------------------
 *
 * format_column.c
 *	  Column batches: values, nulls, growth, reuse.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "format/sw_column.h"
#include "unit.h"

static const SwColumnSpec specs[] = {
	{"s", SW_TYPE_STRING, false},
	{"s_null", SW_TYPE_JSON, true},
	{"i", SW_TYPE_INT64, false},
	{"i_null", SW_TYPE_TIMESTAMP_MS, true},
};

static void
fill(SwBatch *batch, int n_rows)
{
	int			i;

	for (i = 0; i < n_rows; i++)
	{
		char		text[32];

		snprintf(text, sizeof(text), "%d", i);
		sw_column_append_bytes(&batch->columns[0], text, strlen(text));
		if (i % 3 == 0)
			sw_column_append_null(&batch->columns[1]);
		else
			sw_column_append_bytes(&batch->columns[1], text, i % 2);
		sw_column_append_int64(&batch->columns[2], (int64) i << 33);
		if (i % 5 == 0)
			sw_column_append_null(&batch->columns[3]);
		else
			sw_column_append_int64(&batch->columns[3], -i);
		sw_batch_end_row(batch);
	}
}

static bool
is_filled(const SwBatch *batch, int n_rows)
{
	int			i;

	for (i = 0; i < n_rows; i++)
	{
		char		text[32];
		Size		n;
		const char *bytes = sw_column_get_bytes(&batch->columns[0], i, &n);

		snprintf(text, sizeof(text), "%d", i);
		if (n != strlen(text) || memcmp(bytes, text, n) != 0)
			return false;
		bytes = sw_column_get_bytes(&batch->columns[1], i, &n);
		if (batch->columns[1].validity[i] != (i % 3 == 0 ? 0 : 1) ||
			n != (Size) (i % 3 == 0 ? 0 : i % 2) || memcmp(bytes, text, n) != 0)
			return false;
		if (sw_column_get_int64(&batch->columns[2], i) != (int64) i << 33)
			return false;
		if (batch->columns[3].validity[i] != (i % 5 == 0 ? 0 : 1) ||
			sw_column_get_int64(&batch->columns[3], i) != (i % 5 == 0 ? 0 : -i))
			return false;
	}
	return batch->n_rows == (uint64) n_rows &&
		batch->columns[0].n_rows == batch->n_rows &&
		batch->columns[1].n_nulls == (uint64) ((n_rows + 2) / 3) &&
		batch->columns[3].n_nulls == (uint64) ((n_rows + 4) / 5);
}

int
main(void)
{
	SwBatch		batch;
	char	   *large = palloc0(5000000);
	Size		allocated;
	Size		n;

	sw_batch_init(&batch, specs, lengthof(specs));
	unit_is_int(batch.n_columns, 4, "four columns");
	unit_is_int(sw_batch_bytes(&batch), 0, "an empty batch holds no bytes");
	unit_ok(batch.columns[0].validity == NULL &&
			batch.columns[1].validity != NULL, "validity only where nullable");
	unit_ok(batch.columns[0].offsets != NULL &&
			batch.columns[2].offsets == NULL, "offsets only where variable");

	fill(&batch, 6);
	unit_ok(is_filled(&batch, 6), "a few rows");

	/* "0" to "5"; "1" and "5", validity; int64s; int64s, validity; offsets */
	unit_is_int(sw_batch_bytes(&batch), 6 + (2 + 6) + 48 + (48 + 6) + 2 * 48,
				"bytes in use");
	sw_batch_reset(&batch);
	unit_ok(batch.n_rows == 0 && sw_batch_bytes(&batch) == 0 &&
			batch.columns[1].n_nulls == 0, "reset");

	fill(&batch, 100000);
	unit_ok(is_filled(&batch, 100000), "growth keeps all values");
	allocated = batch.columns[0].data_allocated;
	sw_batch_reset(&batch);
	fill(&batch, 1000);
	unit_ok(is_filled(&batch, 1000) &&
			batch.columns[0].data_allocated == allocated,
			"a batch is used again with its memory");

	memset(large, 'x', 5000000);
	sw_column_append_bytes(&batch.columns[0], large, 5000000);
	sw_column_append_bytes(&batch.columns[0], "after", 5);
	unit_ok(memcmp(sw_column_get_bytes(&batch.columns[0], 1000, &n), large,
				   5000000) == 0 && n == 5000000, "a value of 5 MB");
	unit_ok(memcmp(sw_column_get_bytes(&batch.columns[0], 1001, &n),
				   "after", 5) == 0 && n == 5, "and the next one");
	return unit_done();
}
