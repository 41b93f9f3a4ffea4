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
	{.name = "s",.type = SW_TYPE_STRING},
	{.name = "s_null",.type = SW_TYPE_JSON,.is_nullable = true},
	{.name = "i",.type = SW_TYPE_INT64},
	{.name = "i_null",.type = SW_TYPE_TIMESTAMP_MS,.is_nullable = true},
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

/* Containers, enums, and rows that are given up half-way. */
static void
check_nested(void)
{
	static const SwColumnSpec element = {
		.name = "element",.type = SW_TYPE_INT32,.is_nullable = true
	};
	static const SwColumnSpec fields[] = {
		{.name = "x",.type = SW_TYPE_STRING,.is_nullable = true},
		{.name = "y",.type = SW_TYPE_ARRAY,.children = &element,.n_children = 1}
	};
	static const SwColumnSpec nested[] = {
		{.name = "a",.type = SW_TYPE_ARRAY,.children = &element,.n_children = 1},
		{.name = "t",.type = SW_TYPE_TUPLE,.children = fields,.n_children = 2},
		{.name = "e",.type = SW_TYPE_ENUM,.is_nullable = true},
		{.name = "d",.type = SW_TYPE_DECIMAL,.precision = 40,.scale = 2}
	};
	static const char decimal[32] = {1};
	SwBatch		batch;
	SwColumn   *array;
	SwColumn   *tuple;
	SwColumn   *label;
	Size		before;
	int			i;

	sw_batch_init(&batch, nested, lengthof(nested));
	array = &batch.columns[0];
	tuple = &batch.columns[1];
	label = &batch.columns[2];
	unit_ok(sw_column_get_code(label, "red", 3) == 0 &&
			sw_column_get_code(label, "green", 5) == 1 &&
			sw_column_get_code(label, "red", 3) == 0, "codes of labels");
	for (i = 0; i < 1000; i++)
	{
		int			j;

		for (j = 0; j < i % 4; j++)
			sw_column_append_int32(&array->children[0], i + j);
		sw_column_end_container(array);
		if (i % 7 == 0)
			sw_column_append_null(tuple);
		else
		{
			sw_column_append_bytes(&tuple->children[0], "text", 4);
			sw_column_append_null(&tuple->children[1].children[0]);
			sw_column_end_container(&tuple->children[1]);
			sw_column_end_container(tuple);
		}
		sw_column_append_code(label, i % 2);
		sw_column_append_fixed(&batch.columns[3], decimal, 32);
		sw_batch_end_row(&batch);
	}
	unit_is_int(array->n_rows, 1000, "arrays");
	unit_is_int(array->children[0].n_rows, 1500, "and their elements");
	unit_is_int(array->offsets[7] - array->offsets[6], 3, "where they end");
	unit_is_int(tuple->children[0].n_nulls, 143, "a null tuple has null fields");
	unit_is_int(tuple->children[1].offsets[999], 857, "and empty arrays");
	before = sw_batch_bytes(&batch);

	/* a row that stops in the middle of an array, of a tuple, of the row */
	sw_column_append_null(&array->children[0]);
	sw_batch_abandon_row(&batch);
	sw_column_append_null(array);
	sw_column_append_bytes(&tuple->children[0], "more", 4);
	sw_column_append_int32(&tuple->children[1].children[0], 5);
	sw_batch_abandon_row(&batch);
	sw_column_append_null(array);
	sw_column_append_null(tuple);
	sw_column_append_null(label);
	sw_batch_abandon_row(&batch);
	unit_is_int(sw_batch_bytes(&batch), before, "rows given up leave nothing");
	unit_ok(array->children[0].n_nulls == 0 && label->n_nulls == 0 &&
			tuple->children[0].n_nulls == 143 && array->n_rows == 1000 &&
			label->n_rows == 1000, "no null either");

	sw_batch_reset(&batch, 0);
	unit_ok(sw_batch_bytes(&batch) == 8 + 2 * sizeof(uint64) &&
			sw_batch_allocated(&batch) < 64 * 1024,
			"reset keeps labels, and the memory that it may");
	unit_is_int(sw_column_get_code(label, "green", 5), 1, "codes stay");
	unit_ok(sw_type_width(SW_TYPE_DECIMAL, 9) == 4 &&
			sw_type_width(SW_TYPE_DECIMAL, 10) == 8 &&
			sw_type_width(SW_TYPE_DECIMAL, 19) == 16 &&
			sw_type_width(SW_TYPE_DECIMAL, 76) == 32, "widths of decimals");
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
	sw_batch_reset(&batch, SIZE_MAX);
	unit_ok(batch.n_rows == 0 && sw_batch_bytes(&batch) == 0 &&
			batch.columns[1].n_nulls == 0, "reset");

	fill(&batch, 100000);
	unit_ok(is_filled(&batch, 100000), "growth keeps all values");
	allocated = batch.columns[0].data_allocated;
	sw_batch_reset(&batch, SIZE_MAX);
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
	check_nested();
	return unit_done();
}
