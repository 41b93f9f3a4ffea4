/*-------------------------------------------------------------------------
 *
 * sw_parquet_page.c
 *	  Parquet pages: collect values, encode, compress, frame.
 *
 * Pure: throws only when memory runs out.
 *
 * Data page, version 1: header | zstd(body), where
 *
 *	  body   = levels? values
 *	  levels = 32-bit length, hybrid of width 1: 1 = value, 0 = null
 *			   (nullable columns only)
 *	  values = PLAIN, or byte width, hybrid of dictionary entry numbers
 *
 * A string column begins with a dictionary.  When that does not pay, the
 * page being filled is rewritten to PLAIN; pages already finished keep the
 * dictionary they refer to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_parquet.h"
#include "format/sw_thrift.h"

/* Memory of page buffers that is kept from page to page. */
#define SW_PARQUET_KEPT_BYTES (4 * SW_PARQUET_PAGE_BYTES)

void
sw_parquet_column_init(SwParquetColumn *column, const SwColumnSpec *spec)
{
	memset(column, 0, sizeof(*column));
	column->spec = spec;
	if (spec->type == SW_TYPE_STRING || spec->type == SW_TYPE_JSON)
	{
		column->tries_dictionary = true;
		column->indices = palloc(SW_PARQUET_PAGE_ROWS * sizeof(uint32));
		column->dictionary = palloc(sizeof(SwParquetDictionary));
		sw_parquet_dictionary_init(column->dictionary);
	}
	if (spec->is_nullable)
		column->levels = palloc(SW_PARQUET_PAGE_ROWS * sizeof(uint32));
	sw_buffer_init(&column->values);
	sw_buffer_init(&column->pages);
	sw_parquet_column_reset(column);
}

void
sw_parquet_column_reset(SwParquetColumn *column)
{
	column->in_dictionary = column->tries_dictionary;
	column->n_rows = 0;
	column->n_indices = 0;
	column->plain_bytes = 0;
	sw_buffer_trim(&column->values, SW_PARQUET_KEPT_BYTES);

	if (column->dictionary != NULL)
		sw_parquet_dictionary_reset(column->dictionary);
	sw_parquet_statistics_reset(&column->statistics);
	column->n_chunk_rows = 0;
	column->n_dictionary_values = 0;
	column->has_plain_pages = false;
	column->has_dictionary_pages = false;
	column->pages_raw_bytes = 0;
	sw_buffer_reset(&column->pages);
}

/* ---- one page ---- */

/*
 * Append a page to out: compress pager->body, put the header in front.
 * *raw_bytes is header plus body, as the metadata counts.
 */
static SwStatus
sw_parquet_build_page(SwParquetPager *pager, int page_type, uint32 n_values,
					  int encoding, SwBuffer *out, uint64 *raw_bytes,
					  SwError *err)
{
	SwThriftWriter thrift;
	Size		start = out->len;

	sw_buffer_trim(&pager->compressed, SW_PARQUET_KEPT_BYTES);
	SW_TRY(sw_zstd_compress(&pager->codec, pager->body.data, pager->body.len,
							&pager->compressed, err));

	/* SW_PARQUET_MAX_VALUE_BYTES keeps the sizes well below this. */
	if (pager->body.len > PG_INT32_MAX || pager->compressed.len > PG_INT32_MAX)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"a page of %zu bytes is too large for a Parquet file",
							pager->body.len);

	sw_thrift_init(&thrift, out);
	sw_thrift_write_int32(&thrift, 1, page_type);
	sw_thrift_write_int32(&thrift, 2, (int32) pager->body.len);
	sw_thrift_write_int32(&thrift, 3, (int32) pager->compressed.len);
	if (page_type == SW_PARQUET_PAGE_DATA)
	{
		sw_thrift_begin_struct(&thrift, 5);
		sw_thrift_write_int32(&thrift, 1, (int32) n_values);
		sw_thrift_write_int32(&thrift, 2, encoding);
		sw_thrift_write_int32(&thrift, 3, SW_PARQUET_ENCODING_RLE);
		sw_thrift_write_int32(&thrift, 4, SW_PARQUET_ENCODING_RLE);
	}
	else
	{
		sw_thrift_begin_struct(&thrift, 7);
		sw_thrift_write_int32(&thrift, 1, (int32) n_values);
		sw_thrift_write_int32(&thrift, 2, encoding);
	}
	sw_thrift_end_struct(&thrift);
	sw_thrift_end_struct(&thrift);

	*raw_bytes = (out->len - start) + pager->body.len;
	sw_buffer_append_bytes(out, pager->compressed.data, pager->compressed.len);
	return SW_OK;
}

/* Go on without dictionary, from the page being filled on. */
static void
sw_parquet_leave_dictionary(SwParquetColumn *column)
{
	uint32		i;

	for (i = 0; i < column->n_indices; i++)
	{
		Size		n;
		const char *bytes = sw_parquet_dictionary_get(column->dictionary,
													  column->indices[i], &n);

		sw_parquet_encode_bytes(&column->values, bytes, n);
	}
	column->n_indices = 0;
	column->in_dictionary = false;

	/* Where not even the first page of a chunk pays, no other chunk will. */
	if (!column->has_dictionary_pages &&
		column->n_dictionary_values > SW_PARQUET_DICTIONARY_TRIAL)
		column->tries_dictionary = false;
}

/* Is at least every second value a repetition? */
static bool
sw_parquet_dictionary_pays(const SwParquetColumn *column)
{
	return (uint64) column->dictionary->n_entries * 2 <=
		column->n_dictionary_values;
}

SwStatus
sw_parquet_column_end_page(SwParquetColumn *column, SwParquetPager *pager,
						   SwError *err)
{
	int			encoding = SW_PARQUET_ENCODING_PLAIN;
	uint64		raw_bytes;

	if (column->n_rows == 0)
		return SW_OK;

	if (column->in_dictionary && column->n_indices > 0 &&
		!sw_parquet_dictionary_pays(column))
		sw_parquet_leave_dictionary(column);

	sw_buffer_trim(&pager->body, SW_PARQUET_KEPT_BYTES);
	if (column->levels != NULL)
	{
		SwBuffer   *body = &pager->body;
		uint32		n_bytes;
		int			i;

		sw_buffer_append_uint32(body, 0);
		sw_parquet_encode_hybrid(body, column->levels, column->n_rows, 1);
		n_bytes = (uint32) (body->len - sizeof(uint32));
		for (i = 0; i < (int) sizeof(uint32); i++)
			body->data[i] = (char) (n_bytes >> (8 * i));
	}
	if (column->n_indices > 0)
	{
		int			bit_width = sw_parquet_bit_width(column->dictionary->n_entries - 1);

		sw_buffer_append_uint8(&pager->body, (uint8) bit_width);
		sw_parquet_encode_hybrid(&pager->body, column->indices,
								 column->n_indices, bit_width);
		encoding = SW_PARQUET_ENCODING_RLE_DICTIONARY;
		column->has_dictionary_pages = true;
	}
	else
	{
		sw_buffer_append_bytes(&pager->body, column->values.data,
							   column->values.len);
		column->has_plain_pages = true;
	}

	SW_TRY(sw_parquet_build_page(pager, SW_PARQUET_PAGE_DATA, column->n_rows,
								 encoding, &column->pages, &raw_bytes, err));
	column->pages_raw_bytes += raw_bytes;
	column->n_rows = 0;
	column->n_indices = 0;
	column->plain_bytes = 0;
	sw_buffer_trim(&column->values, SW_PARQUET_KEPT_BYTES);
	return SW_OK;
}

SwStatus
sw_parquet_column_build_dictionary_page(SwParquetColumn *column,
										SwParquetPager *pager, SwBuffer *out,
										uint64 *raw_bytes, SwError *err)
{
	sw_buffer_reset(&pager->body);
	sw_buffer_append_bytes(&pager->body, column->dictionary->values.data,
						   column->dictionary->values.len);
	return sw_parquet_build_page(pager, SW_PARQUET_PAGE_DICTIONARY,
								 column->dictionary->n_entries,
								 SW_PARQUET_ENCODING_PLAIN, out, raw_bytes,
								 err);
}

/* ---- values ---- */

/* Is there room for one more value of n bytes?  An empty page takes any. */
static bool
sw_parquet_page_has_room(const SwParquetColumn *column, Size n)
{
	Size		limit = column->in_dictionary ?
	SW_PARQUET_DICTIONARY_PAGE_BYTES : SW_PARQUET_PAGE_BYTES;

	return column->n_rows == 0 ||
		(column->n_rows < SW_PARQUET_PAGE_ROWS &&
		 column->plain_bytes + sizeof(uint32) + n <= limit);
}

/* Begin a row of the page being filled, ending a full page first. */
static SwStatus
sw_parquet_begin_row(SwParquetColumn *column, bool is_null, Size n,
					 SwParquetPager *pager, SwError *err)
{
	if (!sw_parquet_page_has_room(column, n))
		SW_TRY(sw_parquet_column_end_page(column, pager, err));
	if (column->levels != NULL)
		column->levels[column->n_rows] = is_null ? 0 : 1;
	column->n_rows++;
	return SW_OK;
}

/*
 * Find or add a string in the dictionary, or leave the dictionary.  A page
 * for which it paid is kept as it is.
 */
static SwStatus
sw_parquet_look_up(SwParquetColumn *column, const char *bytes, Size n,
				   uint32 *entry, SwParquetPager *pager, SwError *err)
{
	SwParquetLookup lookup = sw_parquet_dictionary_find(column->dictionary,
														bytes, n, entry);

	if (lookup == SW_PARQUET_FULL)
	{
		if (column->n_indices > 0 && sw_parquet_dictionary_pays(column))
			SW_TRY(sw_parquet_column_end_page(column, pager, err));
		sw_parquet_leave_dictionary(column);
		return SW_OK;
	}

	column->n_dictionary_values++;
	if (lookup == SW_PARQUET_ADDED)
	{
		sw_parquet_statistics_add_bytes(&column->statistics, bytes, n);
		if (column->dictionary->n_entries > SW_PARQUET_DICTIONARY_TRIAL &&
			!sw_parquet_dictionary_pays(column))
			sw_parquet_leave_dictionary(column);
	}
	return SW_OK;
}

static SwStatus
sw_parquet_add_string(SwParquetColumn *column, const char *bytes, Size n,
					  SwParquetPager *pager, SwError *err)
{
	uint32		entry = 0;

	if (n > SW_PARQUET_MAX_VALUE_BYTES)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"a value of %zu bytes in column \"%s\" is too large for a Parquet file",
							n, column->spec->name);
	if (column->in_dictionary)
		SW_TRY(sw_parquet_look_up(column, bytes, n, &entry, pager, err));

	/* Ending a page may leave the dictionary, too. */
	SW_TRY(sw_parquet_begin_row(column, false, n, pager, err));
	if (column->in_dictionary)
		column->indices[column->n_indices++] = entry;
	else
	{
		sw_parquet_encode_bytes(&column->values, bytes, n);
		sw_parquet_statistics_add_bytes(&column->statistics, bytes, n);
	}
	column->plain_bytes += sizeof(uint32) + n;
	return SW_OK;
}

static SwStatus
sw_parquet_add_strings(SwParquetColumn *column, const SwColumn *values,
					   SwParquetPager *pager, SwError *err)
{
	uint64		row;

	for (row = 0; row < values->n_rows; row++)
	{
		if (values->is_nullable && values->validity[row] == 0)
			SW_TRY(sw_parquet_begin_row(column, true, 0, pager, err));
		else
		{
			Size		n;
			const char *bytes = sw_column_get_bytes(values, row, &n);

			SW_TRY(sw_parquet_add_string(column, bytes, n, pager, err));
		}
	}
	return SW_OK;
}

static SwStatus
sw_parquet_add_int64s(SwParquetColumn *column, const SwColumn *values,
					  SwParquetPager *pager, SwError *err)
{
	uint64		row;

	for (row = 0; row < values->n_rows; row++)
	{
		bool		is_null = values->is_nullable && values->validity[row] == 0;
		int64		value;

		SW_TRY(sw_parquet_begin_row(column, is_null, sizeof(int64), pager,
									err));
		if (is_null)
			continue;
		value = sw_column_get_int64(values, row);
		sw_buffer_append_uint64(&column->values, (uint64) value);
		sw_parquet_statistics_add_int64(&column->statistics, value);
		column->plain_bytes += sizeof(int64);
	}
	return SW_OK;
}

SwStatus
sw_parquet_column_add(SwParquetColumn *column, const SwColumn *values,
					  SwParquetPager *pager, SwError *err)
{
	column->n_chunk_rows += values->n_rows;
	column->statistics.n_nulls += values->n_nulls;
	if (values->is_variable)
		return sw_parquet_add_strings(column, values, pager, err);
	return sw_parquet_add_int64s(column, values, pager, err);
}
