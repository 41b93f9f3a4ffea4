/*-------------------------------------------------------------------------
 *
 * sw_json_writer.c
 *	  JSON documents as text of a column: room, strings, and who is asked.
 *
 * Contract: sw_json.h for sw_json_writer_create, sw_json_writer.h for the
 * rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "source/sw_json_writer.h"

/* How much of a value, a name and a path a problem shows. */
#define MAX_EXCERPT_BYTES	64
#define MAX_NAME_BYTES		64
#define MAX_PATH_NAMES		16

/* A string is written in pieces of that size, each with room for escapes. */
#define STRING_PIECE_BYTES	((Size) 32 * 1024)
#define MAX_ESCAPE_BYTES	6

/* ---- making ---- */

SwJsonWriter *
sw_json_writer_create(const SwJsonSettings *settings)
{
	SwJsonWriter *writer = palloc0(sizeof(SwJsonWriter));
	int			i;

	for (i = 0; i < settings->n_datetime_paths; i++)
		sw_json_rules_add(&writer->root.below, settings->datetime_paths[i],
						  true, false);
	for (i = 0; i < settings->n_array_paths; i++)
		sw_json_rules_add(&writer->root.below, settings->array_paths[i],
						  false, true);
	writer->has_rules = writer->root.below.n_rules > 0;
	writer->limits = settings->limits;
	/* a byte of other encodings is up to three of UTF-8 */
	if (settings->limits != NULL)
		writer->max_name_bytes = settings->limits->max_name_bytes /
			(GetDatabaseEncoding() == PG_UTF8 ? 1 : 3);
	sw_zone_init(&writer->zone, settings->zone);
	writer->judge = settings->judge;
	writer->judge_arg = settings->judge_arg;
	return writer;
}

/* ---- room ---- */

Size
sw_json_count(const SwJsonWriter *writer)
{
	return writer->at - (writer->column->data + writer->column->data_bytes);
}

void
sw_json_rewind(SwJsonWriter *writer, Size n_bytes)
{
	writer->at = writer->column->data + writer->column->data_bytes + n_bytes;
}

const char *
sw_json_get_written(const SwJsonWriter *writer, Size from)
{
	return writer->column->data + writer->column->data_bytes + from;
}

void
sw_json_begin(SwJsonWriter *writer, SwColumn *column)
{
	writer->column = column;
	writer->is_judging = writer->limits != NULL;
	writer->is_odd = false;
	writer->has_new_names = false;
	writer->depth = 0;
	writer->at = sw_column_begin_bytes(column, 0);
	writer->end = column->data + column->data_allocated;
}

static void
sw_json_check_size(Size n_bytes)
{
	if (n_bytes > SW_JSON_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot export a JSON document of more than %zu bytes of text",
						SW_JSON_MAX_BYTES)));
}

void
sw_json_grow(SwJsonWriter *writer, Size n_bytes)
{
	Size		n_written = sw_json_count(writer);

	sw_json_check_size(n_written);
	/* the column keeps what lies behind its last value when it grows */
	writer->at = sw_column_begin_bytes(writer->column, n_written + n_bytes) +
		n_written;
	writer->end = writer->column->data + writer->column->data_allocated;
}

/* Is it other than an object?  null is the same as none. */
static bool
sw_json_is_bare(const SwJsonWriter *writer)
{
	const char *at = sw_json_get_written(writer, 0);

	while (at < writer->at && (unsigned char) *at <= ' ')
		at++;
	return at < writer->at && *at != '{' && *at != 'n';
}

SwJsonResult
sw_json_end(SwJsonWriter *writer)
{
	SwJsonResult result = SW_JSON_APPENDED;
	Size		n_written;

	if (unlikely(writer->is_odd) ||
		(writer->limits != NULL && writer->limits->is_flat &&
		 sw_json_is_bare(writer)))
		result = sw_json_shape_document(writer);
	if (result == SW_JSON_APPENDED)
	{
		n_written = sw_json_count(writer);
		sw_json_check_size(n_written);
		sw_column_end_bytes(writer->column, n_written);
	}
	writer->column = NULL;
	return result;
}

/* ---- strings ---- */

/* 0: as it is; 'u': by number; else what follows the backslash. */
static const char escapes[256] = {
	'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',
	'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
	['"'] = '"',['\\'] = '\\'
};

static inline char *
sw_json_escape_byte(char *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	char		escape = escapes[byte];

	if (likely(escape == 0))
	{
		*out = byte;
		return out + 1;
	}
	*out++ = '\\';
	*out++ = escape;
	if (escape == 'u')
	{
		*out++ = '0';
		*out++ = '0';
		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
	return out;
}

/*
 * Less than eight bytes, which are copied in two or three moves that may
 * overlap, unless there is something to escape.
 */
static inline char *
sw_json_escape_rest(char *out, const char *bytes, Size n_bytes)
{
	const char *end = bytes + n_bytes;

	if (n_bytes >= sizeof(uint32))
	{
		uint32		first;
		uint32		last;

		memcpy(&first, bytes, sizeof(first));
		memcpy(&last, end - sizeof(last), sizeof(last));
		if (likely(!sw_json_is_special((uint64) first << 32 | last)))
		{
			memcpy(out, &first, sizeof(first));
			memcpy(out + n_bytes - sizeof(last), &last, sizeof(last));
			return out + n_bytes;
		}
	}
	else if (n_bytes > 0)
	{
		unsigned char first = bytes[0];
		unsigned char middle = bytes[n_bytes / 2];
		unsigned char last = end[-1];

		if (likely((escapes[first] | escapes[middle] | escapes[last]) == 0))
		{
			out[0] = first;
			out[n_bytes / 2] = middle;
			out[n_bytes - 1] = last;
			return out + n_bytes;
		}
	}
	while (bytes < end)
		out = sw_json_escape_byte(out, *bytes++);
	return out;
}

/* At most STRING_PIECE_BYTES, there being room for all of them escaped. */
static inline char *
sw_json_escape_piece(char *out, const char *bytes, Size n_bytes)
{
	const char *end = bytes + n_bytes;

	while (end - bytes >= SW_JSON_WORD_BYTES)
	{
		uint64		word;

		memcpy(&word, bytes, SW_JSON_WORD_BYTES);
		if (likely(!sw_json_is_special(word)))
		{
			memcpy(out, &word, SW_JSON_WORD_BYTES);
			out += SW_JSON_WORD_BYTES;
			bytes += SW_JSON_WORD_BYTES;
		}
		else
		{
			int			i;

			for (i = 0; i < SW_JSON_WORD_BYTES; i++)
				out = sw_json_escape_byte(out, *bytes++);
		}
	}
	return sw_json_escape_rest(out, bytes, end - bytes);
}

void
sw_json_put_string(SwJsonWriter *writer, const char *bytes, Size n_bytes)
{
	char	   *out;

	sw_json_reserve(writer, Min(n_bytes, STRING_PIECE_BYTES) * MAX_ESCAPE_BYTES + 2);
	out = writer->at;
	*out++ = '"';
	while (unlikely(n_bytes > STRING_PIECE_BYTES))
	{
		writer->at = sw_json_escape_piece(out, bytes, STRING_PIECE_BYTES);
		bytes += STRING_PIECE_BYTES;
		n_bytes -= STRING_PIECE_BYTES;
		CHECK_FOR_INTERRUPTS();
		sw_json_reserve(writer, STRING_PIECE_BYTES * MAX_ESCAPE_BYTES + 1);
		out = writer->at;
	}
	out = sw_json_escape_piece(out, bytes, n_bytes);
	*out++ = '"';
	writer->at = out;
}

/* ---- names ---- */

int
sw_json_read_char(const char **at, const char *end, char *bytes)
{
	uint32		code;
	int			n_bytes;

	if (**at != '\\')
	{
		n_bytes = Min(pg_mblen(*at), (int) (end - *at));
		memcpy(bytes, *at, n_bytes);
		*at += n_bytes;
		return n_bytes;
	}
	(*at)++;
	if (!sw_json_read_escape(at, end, &code))
		elog(ERROR, "JSON name changed while it was read");
	unicode_to_utf8(code, (unsigned char *) bytes);
	return pg_utf_mblen((unsigned char *) bytes);
}

uint64
sw_json_hash_name(uint64 hash, const char *name, Size n_name)
{
	const char *end = name + n_name;
	char		bytes[SW_JSON_CHAR_BYTES];
	int			n_bytes;
	int			i;

	while (name < end)
	{
		if (likely(*name != '\\'))
		{
			hash = SW_JSON_HASH_STEP(hash, *name++);
			continue;
		}
		n_bytes = sw_json_read_char(&name, end, bytes);
		for (i = 0; i < n_bytes; i++)
			hash = SW_JSON_HASH_STEP(hash, bytes[i]);
	}
	return hash;
}

/* ---- problems ---- */

static void
sw_json_append_clipped(StringInfo text, const char *bytes, Size n_bytes,
					   int max_bytes)
{
	int			n_shown = n_bytes > (Size) max_bytes ?
	pg_mbcliplen(bytes, max_bytes, max_bytes) : (int) n_bytes;

	appendBinaryStringInfo(text, bytes, n_shown);
	if ((Size) n_shown < n_bytes)
		appendStringInfoString(text, "...");
}

/* Names from the root on; of a long path the last ones. */
static void
sw_json_append_path(StringInfo path, const SwJsonPlace *place, int n_names)
{
	if (place == NULL)
		return;
	if (n_names == MAX_PATH_NAMES)
	{
		appendStringInfoString(path, "...");
		return;
	}
	sw_json_append_path(path, place->parent, n_names + 1);
	if (place->name == NULL)
	{
		appendStringInfo(path, "[%u]", place->index);
		return;
	}
	if (path->len > 0)
		appendStringInfoChar(path, '.');
	sw_json_append_clipped(path, place->name, place->n_name, MAX_NAME_BYTES);
}

SwJsonVerdict
sw_json_ask(SwJsonWriter *writer, SwJsonReason reason,
			const SwJsonPlace *place, const char *value, Size n_bytes)
{
	SwJsonProblem problem;
	StringInfoData path;
	StringInfoData excerpt;
	SwJsonVerdict verdict;

	initStringInfo(&path);
	initStringInfo(&excerpt);
	sw_json_append_path(&path, place, 0);
	sw_json_append_clipped(&excerpt, value, n_bytes, MAX_EXCERPT_BYTES);
	problem.reason = reason;
	problem.path = path.data;
	problem.excerpt = excerpt.data;
	verdict = writer->judge(writer->judge_arg, &problem);
	pfree(path.data);
	pfree(excerpt.data);
	return verdict;
}
