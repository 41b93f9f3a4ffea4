/*-------------------------------------------------------------------------
 *
 * sw_parquet_page.c
 *	  Parquet pages: collect values, encode, compress, frame.
 *
 * Pure: throws only when memory runs out.
 *
 * Data page, version 1: header | compressed body, where
 *
 *	  body   = repetition levels? definition levels? values
 *	  levels = 32-bit length, hybrid; left out where the leaf's greatest is 0
 *	  values = PLAIN, or byte width, hybrid of dictionary entry numbers
 *
 * A page begins with the first value of a row.
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

/* ---- levels and entry numbers ---- */

static void
sw_parquet_numbers_grow(SwParquetNumbers *numbers, uint32 wanted)
{
	if (wanted <= numbers->allocated)
		return;
	numbers->allocated = wanted;
	if (numbers->values == NULL)
		numbers->values = palloc(numbers->allocated * sizeof(uint16));
	else
		numbers->values = sw_repalloc_huge(numbers->values,
										   numbers->allocated * sizeof(uint16));
}

static inline void
sw_parquet_numbers_add(SwParquetNumbers *numbers, uint32 value)
{
	if (unlikely(numbers->n == numbers->allocated))
		sw_parquet_numbers_grow(numbers, Max(numbers->allocated * 2, 64));
	numbers->values[numbers->n++] = (uint16) value;
}

/* One row may have had any number of members. */
static void
sw_parquet_numbers_reset(SwParquetNumbers *numbers, Size kept_bytes)
{
	Size		kept = Min(kept_bytes / sizeof(uint16), SW_PARQUET_PAGE_VALUES);

	numbers->n = 0;
	if (numbers->allocated > 2 * kept && kept > 0)
	{
		numbers->allocated = (uint32) kept;
		numbers->values = repalloc(numbers->values,
								   numbers->allocated * sizeof(uint16));
	}
}

/* ---- one column ---- */

void
sw_parquet_column_init(SwParquetColumn *column, const SwParquetLeaf *leaf)
{
	memset(column, 0, sizeof(*column));
	column->leaf = *leaf;
	if (leaf->physical_type == SW_PARQUET_TYPE_BYTE_ARRAY)
	{
		column->tries_dictionary = true;
		column->dictionary = palloc(sizeof(SwDictionary));
		sw_dictionary_init(column->dictionary);
	}
	sw_buffer_init(&column->values);
	sw_buffer_init(&column->pages);
	sw_parquet_column_reset(column, SW_PARQUET_KEPT_BYTES);
}

Size
sw_parquet_column_allocated(const SwParquetColumn *column)
{
	Size		n_numbers = (Size) column->indices.allocated +
	column->definitions.allocated + column->repetitions.allocated;

	return n_numbers * sizeof(uint16) + column->values.allocated +
		column->pages.allocated + (column->dictionary == NULL ? 0 :
								   sw_dictionary_allocated(column->dictionary));
}

/* Begin a page. */
static void
sw_parquet_column_reset_page(SwParquetColumn *column, Size kept_bytes)
{
	column->n_values = 0;
	column->plain_bytes = 0;
	sw_parquet_numbers_reset(&column->indices, kept_bytes);
	sw_parquet_numbers_reset(&column->definitions, kept_bytes);
	sw_parquet_numbers_reset(&column->repetitions, kept_bytes);
	sw_buffer_trim(&column->values, kept_bytes);
	memset(sw_buffer_reserve(&column->values, SW_PARQUET_HEADROOM), 0,
		   SW_PARQUET_HEADROOM);
	column->values.len = SW_PARQUET_HEADROOM;
}

void
sw_parquet_column_reset(SwParquetColumn *column, Size kept_bytes)
{
	sw_parquet_column_reset_page(column, kept_bytes);
	column->in_dictionary = column->tries_dictionary;
	if (column->dictionary != NULL)
		sw_dictionary_reset(column->dictionary, kept_bytes);
	sw_parquet_statistics_reset(&column->statistics);
	column->n_chunk_values = 0;
	column->has_plain_pages = false;
	column->has_dictionary_pages = false;
	column->pages_raw_bytes = 0;
	sw_buffer_trim(&column->pages, kept_bytes);
}

/* ---- one page ---- */

/*
 * Append a page to out: compress body from its byte first on, put the header
 * in front.  The body is forgotten as soon as it is compressed, so that no
 * more than two forms of a large value are in memory.  *raw_bytes is header
 * plus body, as the metadata counts.
 */
static SwStatus
sw_parquet_build_page(SwParquetPager *pager, SwBuffer *body, Size first,
					  int page_type, uint32 n_values, int encoding,
					  SwBuffer *out, uint64 *raw_bytes, SwError *err)
{
	SwThriftWriter thrift;
	Size		start = out->len;
	Size		n_body = body->len - first;

	sw_buffer_trim(&pager->compressed, SW_PARQUET_KEPT_BYTES);
	SW_TRY(pager->codec.ops->compress(&pager->codec, body->data + first,
									  n_body, &pager->compressed, err));
	sw_buffer_trim(body, SW_PARQUET_KEPT_BYTES);

	/* SW_PARQUET_MAX_VALUE_BYTES keeps the sizes well below this. */
	if (n_body > PG_INT32_MAX || pager->compressed.len > PG_INT32_MAX)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"a page of %zu bytes is too large for a Parquet file",
							n_body);

	sw_thrift_init(&thrift, out);
	sw_thrift_write_int32(&thrift, 1, page_type);
	sw_thrift_write_int32(&thrift, 2, (int32) n_body);
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

	*raw_bytes = (out->len - start) + n_body;
	sw_buffer_append_bytes(out, pager->compressed.data, pager->compressed.len);
	sw_buffer_trim(&pager->compressed, SW_PARQUET_KEPT_BYTES);
	return SW_OK;
}

/* Go on without dictionary, from the page being filled on. */
static void
sw_parquet_leave_dictionary(SwParquetColumn *column)
{
	uint32		i;

	for (i = 0; i < column->indices.n; i++)
	{
		Size		n;
		const char *bytes = sw_dictionary_get(column->dictionary,
											  column->indices.values[i],
											  &n);

		sw_parquet_encode_bytes(&column->values, bytes, n);
	}
	column->indices.n = 0;
	column->in_dictionary = false;

	/* Where not even the first page of a chunk pays, no other chunk will. */
	if (!column->has_dictionary_pages &&
		column->dictionary->n_values > SW_DICTIONARY_TRIAL)
		column->tries_dictionary = false;
	if (!column->has_dictionary_pages)
		sw_dictionary_reset(column->dictionary, 0);
}

static void
sw_parquet_append_levels(SwBuffer *body, const SwParquetNumbers *levels,
						 int max_level)
{
	Size		start = body->len;
	uint32		n_bytes;
	int			i;

	if (max_level == 0)
		return;
	sw_buffer_append_uint32(body, 0);
	sw_parquet_encode_hybrid(body, levels->values, levels->n,
							 sw_parquet_bit_width((uint32) max_level));
	n_bytes = (uint32) (body->len - start - sizeof(uint32));
	for (i = 0; i < (int) sizeof(uint32); i++)
		body->data[start + i] = (char) (n_bytes >> (8 * i));
}

/* Eight to a byte, the first in the lowest bit. */
static void
sw_parquet_append_bits(SwBuffer *body, const char *bytes, Size n)
{
	Size		n_bytes = (n + 7) / 8;
	char	   *place = sw_buffer_reserve(body, n_bytes);
	Size		i;

	memset(place, 0, n_bytes);
	for (i = 0; i < n; i++)
		place[i / 8] |= (char) (bytes[i] << (i % 8));
	body->len += n_bytes;
}

/*
 * Join the levels in levels and the values; returns the buffer where they
 * are, from *first on.
 */
static SwBuffer *
sw_parquet_join_values(SwParquetColumn *column, SwBuffer *levels, Size *first)
{
	SwBuffer   *values = &column->values;
	const char *bytes = values->data + SW_PARQUET_HEADROOM;
	Size		n_bytes = sw_parquet_column_get_value_bytes(column);

	if (column->leaf.kind != SW_PARQUET_KIND_BOOL &&
		levels->len <= SW_PARQUET_HEADROOM)
	{
		*first = SW_PARQUET_HEADROOM - levels->len;
		memcpy(values->data + *first, levels->data, levels->len);
		return values;
	}
	*first = 0;
	if (column->leaf.kind == SW_PARQUET_KIND_BOOL)
		sw_parquet_append_bits(levels, bytes, n_bytes);
	else
		sw_buffer_append_bytes(levels, bytes, n_bytes);
	return levels;
}

SwStatus
sw_parquet_column_end_page(SwParquetColumn *column, SwParquetPager *pager,
						   SwError *err)
{
	SwBuffer   *body = &pager->body;
	Size		first = 0;
	int			encoding = SW_PARQUET_ENCODING_PLAIN;
	uint64		raw_bytes = 0;

	if (column->n_values == 0)
		return SW_OK;

	if (column->in_dictionary && column->indices.n > 0 &&
		!sw_dictionary_pays(column->dictionary))
		sw_parquet_leave_dictionary(column);

	sw_buffer_trim(body, SW_PARQUET_KEPT_BYTES);
	sw_parquet_append_levels(body, &column->repetitions,
							 column->leaf.max_repetition);
	sw_parquet_append_levels(body, &column->definitions,
							 column->leaf.max_definition);
	if (column->indices.n > 0)
	{
		int			bit_width = sw_parquet_bit_width(column->dictionary->n_entries - 1);

		sw_buffer_append_uint8(body, (uint8) bit_width);
		sw_parquet_encode_hybrid(body, column->indices.values,
								 column->indices.n, bit_width);
		encoding = SW_PARQUET_ENCODING_RLE_DICTIONARY;
		column->has_dictionary_pages = true;
	}
	else
	{
		body = sw_parquet_join_values(column, body, &first);
		column->has_plain_pages = true;
	}

	SW_TRY(sw_parquet_build_page(pager, body, first, SW_PARQUET_PAGE_DATA,
								 column->n_values, encoding, &column->pages,
								 &raw_bytes, err));
	column->pages_raw_bytes += raw_bytes;
	sw_parquet_column_reset_page(column, SW_PARQUET_KEPT_BYTES);
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
	return sw_parquet_build_page(pager, &pager->body, 0,
								 SW_PARQUET_PAGE_DICTIONARY,
								 column->dictionary->n_entries,
								 SW_PARQUET_ENCODING_PLAIN, out, raw_bytes,
								 err);
}

/* ---- values ---- */

/*
 * Is there room for one more value of n bytes?  An empty page takes any, and
 * a row that has begun goes on.
 */
static inline bool
sw_parquet_page_has_room(const SwParquetColumn *column, Size n,
						 int repetition)
{
	Size		limit = column->in_dictionary ?
	SW_PARQUET_DICTIONARY_PAGE_BYTES : SW_PARQUET_PAGE_BYTES;

	return column->n_values == 0 || repetition > 0 ||
		(column->n_values < SW_PARQUET_PAGE_VALUES &&
		 column->plain_bytes + sizeof(uint32) + n <= limit);
}

/* Begin an entry of the page being filled, ending a full page first. */
static inline SwStatus
sw_parquet_begin_value(SwParquetColumn *column, Size n, int repetition,
					   int definition, SwParquetPager *pager, SwError *err)
{
	if (unlikely(!sw_parquet_page_has_room(column, n, repetition)))
		SW_TRY(sw_parquet_column_end_page(column, pager, err));
	if (column->leaf.max_repetition > 0)
		sw_parquet_numbers_add(&column->repetitions, repetition);
	if (column->leaf.max_definition > 0)
		sw_parquet_numbers_add(&column->definitions, definition);
	column->n_values++;
	column->n_chunk_values++;
	if (definition < column->leaf.max_definition)
		column->statistics.n_nulls++;
	return SW_OK;
}

/*
 * Find or add a string in the dictionary, or leave the dictionary.  A page
 * for which it paid is kept as it is, unless that is in the middle of a row.
 */
static SwStatus
sw_parquet_look_up(SwParquetColumn *column, const char *bytes, Size n,
				   int repetition, uint32 *entry, SwParquetPager *pager,
				   SwError *err)
{
	SwDictionaryLookup lookup = sw_dictionary_find(column->dictionary,
												   bytes, n, entry);

	if (lookup == SW_DICTIONARY_FULL)
	{
		if (column->indices.n > 0 && repetition == 0 &&
			sw_dictionary_pays(column->dictionary))
			SW_TRY(sw_parquet_column_end_page(column, pager, err));
		sw_parquet_leave_dictionary(column);
		return SW_OK;
	}

	if (lookup == SW_DICTIONARY_ADDED)
	{
		sw_parquet_statistics_add_bytes(&column->statistics, bytes, n);
		if (sw_dictionary_is_hopeless(column->dictionary))
			sw_parquet_leave_dictionary(column);
	}
	return SW_OK;
}

static SwStatus
sw_parquet_add_string(SwParquetColumn *column, const char *bytes, Size n,
					  int repetition, SwParquetPager *pager, SwError *err)
{
	uint32		entry = 0;

	if (n > SW_PARQUET_MAX_VALUE_BYTES)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"a value of %zu bytes in column \"%s\" is too large for a Parquet file",
							n, column->leaf.spec->name);
	if (column->in_dictionary)
		SW_TRY(sw_parquet_look_up(column, bytes, n, repetition, &entry, pager,
								  err));

	/* Ending a page may leave the dictionary, too. */
	SW_TRY(sw_parquet_begin_value(column, n, repetition,
								  column->leaf.max_definition, pager, err));
	if (column->in_dictionary)
		sw_parquet_numbers_add(&column->indices, entry);
	else
	{
		sw_parquet_encode_bytes(&column->values, bytes, n);
		sw_parquet_statistics_add_bytes(&column->statistics, bytes, n);
	}
	column->plain_bytes += sizeof(uint32) + n;
	return SW_OK;
}

/* A number at bytes as an int64; of width 2, 4 or 8. */
static inline int64
sw_parquet_get_integer(const SwParquetColumn *column, const char *bytes,
					   int width)
{
	if (width == sizeof(int64))
	{
		int64		value;

		memcpy(&value, bytes, sizeof(value));
		return value;
	}
	if (width == sizeof(int32))
	{
		int32		value;

		memcpy(&value, bytes, sizeof(value));
		return column->leaf.kind == SW_PARQUET_KIND_UNSIGNED ?
			(int64) (uint32) value : value;
	}
	else
	{
		int16		value;

		memcpy(&value, bytes, sizeof(value));
		return value;
	}
}

static void
sw_parquet_add_reversed(SwParquetColumn *column, const char *bytes)
{
	char		reversed[SW_PARQUET_BOUND_BYTES];
	int			width = column->leaf.width;
	int			i;

	for (i = 0; i < width; i++)
		reversed[i] = bytes[width - 1 - i];
	sw_buffer_append_bytes(&column->values, reversed, width);
	sw_parquet_statistics_add_signed(&column->statistics, reversed, width);
}

/* Append the value of a fixed width, which in memory is width bytes. */
static inline void
sw_parquet_append_fixed(SwParquetColumn *column, const char *bytes, int width)
{
	switch (column->leaf.kind)
	{
		case SW_PARQUET_KIND_INTEGER:
		case SW_PARQUET_KIND_UNSIGNED:
			{
				int64		value = sw_parquet_get_integer(column, bytes, width);

				sw_parquet_statistics_add_int64(&column->statistics, value);
				if (column->leaf.width == sizeof(int64))
					sw_buffer_append_uint64(&column->values, (uint64) value);
				else
					sw_buffer_append_uint32(&column->values, (uint32) value);
				break;
			}
		case SW_PARQUET_KIND_FLOAT:
			if (width == sizeof(double))
			{
				double		value;
				uint64		bits;

				memcpy(&value, bytes, sizeof(value));
				memcpy(&bits, bytes, sizeof(bits));
				sw_parquet_statistics_add_double(&column->statistics, value);
				sw_buffer_append_uint64(&column->values, bits);
			}
			else
			{
				float		value;
				uint32		bits;

				memcpy(&value, bytes, sizeof(value));
				memcpy(&bits, bytes, sizeof(bits));
				sw_parquet_statistics_add_double(&column->statistics, value);
				sw_buffer_append_uint32(&column->values, bits);
			}
			break;
		case SW_PARQUET_KIND_BOOL:
			sw_parquet_statistics_add_int64(&column->statistics, *bytes);
			sw_buffer_append_uint8(&column->values, (uint8) *bytes);
			break;
		case SW_PARQUET_KIND_DECIMAL:
			sw_parquet_add_reversed(column, bytes);
			break;
		case SW_PARQUET_KIND_FIXED:
			sw_parquet_statistics_add_bytes(&column->statistics, bytes, width);
			sw_buffer_append_bytes(&column->values, bytes, width);
			break;
		case SW_PARQUET_KIND_STRING:
		case SW_PARQUET_KIND_BYTES:
			Assert(false);
			break;
	}
	column->plain_bytes += width;
}

SwStatus
sw_parquet_column_add_value(SwParquetColumn *column, const SwColumn *values,
							uint64 row, int repetition, int definition,
							SwParquetPager *pager, SwError *err)
{
	if (definition < column->leaf.max_definition)
		return sw_parquet_begin_value(column, 0, repetition, definition, pager,
									  err);
	if (values->has_offsets || values->type == SW_TYPE_ENUM)
	{
		const char *bytes;
		Size		n;

		if (values->type == SW_TYPE_ENUM)
			bytes = sw_column_get_bytes(&values->children[0],
										sw_column_get_code_at(values, row), &n);
		else
			bytes = sw_column_get_bytes(values, row, &n);
		return sw_parquet_add_string(column, bytes, n, repetition, pager, err);
	}
	SW_TRY(sw_parquet_begin_value(column, values->width, repetition,
								  definition, pager, err));
	sw_parquet_append_fixed(column, sw_column_get_fixed(values, row),
							values->width);
	return SW_OK;
}

/*
 * Add as many of n integers of 8 bytes as the page has room for, and return
 * how many; none may be null.
 */
static uint64
sw_parquet_add_integers(SwParquetColumn *column, const char *bytes, uint64 n)
{
	SwParquetStatistics *statistics = &column->statistics;
	Size		room = SW_PARQUET_PAGE_BYTES - sizeof(uint32);
	int64		least;
	int64		greatest;
	uint64		i;

	if (column->n_values >= SW_PARQUET_PAGE_VALUES ||
		column->plain_bytes + sizeof(int64) > room)
		return 0;
	n = Min(n, SW_PARQUET_PAGE_VALUES - column->n_values);
	n = Min(n, (room - column->plain_bytes) / sizeof(int64));
	sw_buffer_append_bytes(&column->values, bytes, n * sizeof(int64));

	memcpy(&least, bytes, sizeof(least));
	greatest = least;
	if (statistics->n_values > 0)
	{
		least = statistics->min_int64;
		greatest = statistics->max_int64;
	}
	for (i = 0; i < n; i++)
	{
		int64		value;

		memcpy(&value, bytes + i * sizeof(value), sizeof(value));
		least = Min(least, value);
		greatest = Max(greatest, value);
	}
	statistics->min_int64 = least;
	statistics->max_int64 = greatest;
	statistics->n_values += n;
	column->plain_bytes += n * sizeof(int64);
	column->n_values += (uint32) n;
	column->n_chunk_values += n;
	return n;
}

/* All of a column of such integers. */
static SwStatus
sw_parquet_add_all_integers(SwParquetColumn *column, const SwColumn *values,
							SwParquetPager *pager, SwError *err)
{
	uint64		row = 0;

	while (row < values->n_rows)
	{
		uint64		n = sw_parquet_add_integers(column,
												sw_column_get_fixed(values, row),
												values->n_rows - row);

		if (n == 0)
			SW_TRY(sw_parquet_column_end_page(column, pager, err));
		row += n;
	}
	return SW_OK;
}

SwStatus
sw_parquet_column_add(SwParquetColumn *column, const SwColumn *values,
					  SwParquetPager *pager, SwError *err)
{
	uint64		row;

#ifndef WORDS_BIGENDIAN
	if (column->leaf.kind == SW_PARQUET_KIND_INTEGER &&
		values->width == sizeof(int64) && column->leaf.max_definition == 0)
		return sw_parquet_add_all_integers(column, values, pager, err);
#endif
	if (column->leaf.max_definition > 0)
		sw_parquet_numbers_grow(&column->definitions,
								(uint32) Min(column->definitions.n + values->n_rows,
											 SW_PARQUET_PAGE_VALUES));
	for (row = 0; row < values->n_rows; row++)
	{
		bool		is_null = values->is_nullable && values->validity[row] == 0;

		SW_TRY(sw_parquet_column_add_value(column, values, row, 0,
										   column->leaf.max_definition -
										   (is_null ? 1 : 0), pager, err));
	}
	return SW_OK;
}
