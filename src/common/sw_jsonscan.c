/*-------------------------------------------------------------------------
 *
 * sw_jsonscan.c
 *	  Walk through a small JSON document, field by field.
 *
 * Pure: never throws, allocates nothing, doesn't recurse, looks at each byte
 * once.  The document is hostile.  Grammar: RFC 8259; control characters
 * inside strings are let through and scalars are not judged, since a sloppy
 * error reply is still worth showing.  Arrays leave no trace in the path.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_fieldscan.h"

/* What became of a value. */
typedef enum SwJsonValue
{
	SW_JSON_TEXT,				/* it is in scan->value */
	SW_JSON_NULL,
	SW_JSON_OPENED,				/* an object or array, the innermost now */
	SW_JSON_BROKEN
} SwJsonValue;

static bool
sw_json_take(SwFieldScan *scan, char expected)
{
	sw_field_skip_blanks(scan);
	if (sw_field_peek(scan) != expected)
		return false;
	scan->position++;
	return true;
}

/* Four hexadecimal digits. */
static bool
sw_json_take_hex(SwFieldScan *scan, uint32 *code)
{
	uint32		value = 0;
	int			i;

	for (i = 0; i < 4; i++)
	{
		char		c = sw_field_peek(scan);

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return false;
		scan->position++;
	}
	*code = value;
	return true;
}

/* What follows "\u", with the second half of a surrogate pair if there. */
static bool
sw_json_take_unicode(SwFieldScan *scan)
{
	uint32		code;
	uint32		low;
	Size		after;

	if (!sw_json_take_hex(scan, &code))
		return false;

	after = scan->position;
	if (code >= 0xD800 && code <= 0xDBFF && sw_field_take(scan, "\\u") &&
		sw_json_take_hex(scan, &low) && low >= 0xDC00 && low <= 0xDFFF)
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	else
		scan->position = after;
	sw_field_add_code(scan, code);
	return true;
}

/* What follows a backslash. */
static bool
sw_json_take_escape(SwFieldScan *scan)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char		c = sw_field_peek(scan);
	const char *found;

	if (c == '\0')
		return false;
	scan->position++;
	if (c == 'u')
		return sw_json_take_unicode(scan);
	found = strchr(names, c);
	if (found == NULL)
		return false;
	sw_field_add_bytes(scan, &values[found - names], 1);
	return true;
}

/* A string, the cursor being behind its opening quote, into value. */
static bool
sw_json_take_string(SwFieldScan *scan)
{
	sw_field_clear_value(scan);
	for (;;)
	{
		char		c = sw_field_peek(scan);

		if (c == '\0')
			return false;
		scan->position++;
		if (c == '"')
			break;
		if (c != '\\')
			sw_field_add_bytes(scan, &c, 1);
		else if (!sw_json_take_escape(scan))
			return false;
	}
	sw_field_finish_value(scan);
	return true;
}

/* An object or array begins, under the path as it is. */
static bool
sw_json_open(SwFieldScan *scan, char kind)
{
	SwFieldLevel *level;

	if (scan->depth == SW_FIELD_MAX_DEPTH)
		return false;
	level = &scan->levels[scan->depth++];
	level->kind = kind;
	level->has_members = false;
	level->name_at = level->n_path = (uint16) scan->n_path;
	scan->position++;
	return true;
}

static SwJsonValue
sw_json_take_value(SwFieldScan *scan)
{
	char		c;

	sw_field_skip_blanks(scan);
	c = sw_field_peek(scan);
	if (c == '{' || c == '[')
		return sw_json_open(scan, c) ? SW_JSON_OPENED : SW_JSON_BROKEN;
	if (c == '"')
	{
		scan->position++;
		return sw_json_take_string(scan) ? SW_JSON_TEXT : SW_JSON_BROKEN;
	}

	sw_field_clear_value(scan);
	while (c != '\0' && strchr(",:}]{[\" \t\r\n", c) == NULL)
	{
		sw_field_add_bytes(scan, &c, 1);
		scan->position++;
		c = sw_field_peek(scan);
	}
	sw_field_finish_value(scan);
	if (scan->n_value == 0)
		return SW_JSON_BROKEN;
	return strcmp(scan->value, "null") == 0 ? SW_JSON_NULL : SW_JSON_TEXT;
}

/* The comma before, and the name of, the next member of the innermost. */
static bool
sw_json_take_member(SwFieldScan *scan)
{
	SwFieldLevel *level = &scan->levels[scan->depth - 1];

	if (level->has_members && !sw_json_take(scan, ','))
		return false;
	level->has_members = true;
	if (level->kind == '[')
		return true;
	return sw_json_take(scan, '"') && sw_json_take_string(scan) &&
		!scan->is_cut &&
		sw_field_set_path(scan, level->n_path, scan->value, scan->n_value) &&
		sw_json_take(scan, ':');
}

SwFieldEvent
sw_json_scan_next(SwFieldScan *scan)
{
	for (;;)
	{
		SwJsonValue value;

		if (scan->depth > 0)
		{
			const SwFieldLevel *level = &scan->levels[scan->depth - 1];

			sw_field_set_path(scan, level->n_path, "", 0);
			if (sw_json_take(scan, level->kind == '{' ? '}' : ']'))
			{
				scan->depth--;
				if (level->kind == '{')
					return SW_FIELD_RECORD;
				if (scan->depth == 0)
					return SW_FIELD_END;
				continue;
			}
			if (!sw_json_take_member(scan))
				return SW_FIELD_BROKEN;
		}
		scan->is_begun = true;
		value = sw_json_take_value(scan);
		if (value == SW_JSON_BROKEN)
			return SW_FIELD_BROKEN;
		if (value == SW_JSON_TEXT)
			return SW_FIELD_VALUE;
		if (value == SW_JSON_NULL && scan->depth == 0)
			return SW_FIELD_END;
	}
}
