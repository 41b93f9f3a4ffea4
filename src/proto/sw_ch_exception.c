/*-------------------------------------------------------------------------
 *
 * sw_ch_exception.c
 *	  The Exception packet of the ClickHouse native protocol.
 *
 *	   i32 code | string name | string message | string stack trace
 *	   | u8 has_nested [ the same again ]
 *
 * The stack trace is not kept.  Of a chain we keep the outermost, whose
 * code decides, and the innermost, which is the cause.
 *
 * Source of truth: ClickHouse src/IO/WriteHelpers.cpp, writeException.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "proto/sw_ch_exception.h"

/* One level, borrowed from the reader. */
typedef struct SwChExceptionLevel
{
	int32		code;
	const char *name;
	Size		name_len;
	const char *message;
	Size		message_len;
	bool		has_nested;
} SwChExceptionLevel;

static SwReadResult
sw_ch_exception_read_level(SwReader *reader, SwChExceptionLevel *level)
{
	SwReadResult result;
	uint32		code;
	uint8		has_nested;
	const char *trace;
	Size		trace_len;

	result = sw_reader_read_uint32(reader, &code);
	if (result == SW_READ_OK)
		result = sw_reader_read_string(reader, SW_CH_MAX_NAME_BYTES,
									   &level->name, &level->name_len);
	if (result == SW_READ_OK)
		result = sw_reader_read_string(reader, SW_CH_MAX_EXCEPTION_TEXT_BYTES,
									   &level->message, &level->message_len);
	if (result == SW_READ_OK)
		result = sw_reader_read_string(reader, SW_CH_MAX_EXCEPTION_TEXT_BYTES,
									   &trace, &trace_len);
	if (result == SW_READ_OK)
		result = sw_reader_read_uint8(reader, &has_nested);
	if (result == SW_READ_OK)
	{
		level->code = (int32) code;
		level->has_nested = has_nested != 0;
	}
	return result;
}

/* The first line of a message, without "name: " before it; palloc'd. */
static char *
sw_ch_exception_text(const SwChExceptionLevel *level)
{
	const char *text = level->message;
	Size		len = level->message_len;
	const char *line_end;

	if (level->name_len > 0 && len >= level->name_len + 2 &&
		memcmp(text, level->name, level->name_len) == 0 &&
		text[level->name_len] == ':' && text[level->name_len + 1] == ' ')
	{
		text += level->name_len + 2;
		len -= level->name_len + 2;
	}
	line_end = len == 0 ? NULL : memchr(text, '\n', len);
	if (line_end != NULL)
		len = (Size) (line_end - text);
	return pnstrdup(text, len);
}

SwReadResult
sw_ch_exception_read(SwReader *reader, SwChException *exception)
{
	SwReader	attempt = *reader;
	SwChExceptionLevel outer;
	SwChExceptionLevel inner;
	int			n_nested = 0;

	for (;;)
	{
		SwReadResult result;

		result = sw_ch_exception_read_level(&attempt, &inner);
		if (result != SW_READ_OK)
			return result;
		if (n_nested == 0)
			outer = inner;
		if (!inner.has_nested)
			break;
		if (++n_nested > SW_CH_MAX_EXCEPTION_DEPTH)
			return SW_READ_BAD;
	}

	*reader = attempt;
	exception->code = outer.code;
	exception->name = pnstrdup(outer.name, outer.name_len);
	exception->message = sw_ch_exception_text(&outer);
	exception->n_nested = n_nested;
	exception->nested_code = n_nested > 0 ? inner.code : 0;
	exception->nested_message = n_nested > 0 ? sw_ch_exception_text(&inner) :
		NULL;
	return SW_READ_OK;
}

void
sw_ch_exception_reset(SwChException *exception)
{
	if (exception->name != NULL)
		pfree(exception->name);
	if (exception->message != NULL)
		pfree(exception->message);
	if (exception->nested_message != NULL)
		pfree(exception->nested_message);
	memset(exception, 0, sizeof(SwChException));
}
