/*-------------------------------------------------------------------------
 *
 * sw_jsonscan.c
 *	  Find one field in a small JSON object that a peer sent.
 *
 * Pure: never throws, allocates nothing, doesn't recurse, looks at each byte
 * once.  The text is hostile.  Grammar: RFC 8259; control characters inside
 * strings are let through, since a sloppy error reply is still worth showing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_jsonscan.h"

/* Deepest nesting that is skipped over. */
#define SW_JSON_MAX_DEPTH 64

/* A field name of ours is shorter than this. */
#define SW_JSON_NAME_SIZE 128

#define SW_JSON_REPLACEMENT 0xFFFD

typedef struct SwJsonScan
{
	const char *json;
	Size		len;
	Size		position;
} SwJsonScan;

/* Where a decoded string goes; out of room, the rest is dropped. */
typedef struct SwJsonText
{
	char	   *out;			/* NULL: nobody wants it */
	Size		size;
	Size		len;
	bool		is_cut;
} SwJsonText;

/* The byte at the cursor, or NUL at the end (and NUL is never valid). */
static char
sw_json_peek(const SwJsonScan *scan)
{
	return scan->position < scan->len ? scan->json[scan->position] : '\0';
}

static void
sw_json_skip_blanks(SwJsonScan *scan)
{
	for (;;)
	{
		char		c = sw_json_peek(scan);

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return;
		scan->position++;
	}
}

static bool
sw_json_take(SwJsonScan *scan, char expected)
{
	sw_json_skip_blanks(scan);
	if (sw_json_peek(scan) != expected)
		return false;
	scan->position++;
	return true;
}

static void
sw_json_emit(SwJsonText *text, const char *bytes, Size n)
{
	if (text->is_cut || text->out == NULL)
		return;
	if (n >= text->size - text->len)
	{
		text->is_cut = true;
		return;
	}
	memcpy(text->out + text->len, bytes, n);
	text->len += n;
}

static void
sw_json_emit_code(SwJsonText *text, uint32 code)
{
	char		bytes[4];
	Size		n;

	if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
		code = SW_JSON_REPLACEMENT;

	if (code < 0x80)
	{
		bytes[0] = (char) code;
		n = 1;
	}
	else if (code < 0x800)
	{
		bytes[0] = (char) (0xC0 | (code >> 6));
		bytes[1] = (char) (0x80 | (code & 0x3F));
		n = 2;
	}
	else if (code < 0x10000)
	{
		bytes[0] = (char) (0xE0 | (code >> 12));
		bytes[1] = (char) (0x80 | ((code >> 6) & 0x3F));
		bytes[2] = (char) (0x80 | (code & 0x3F));
		n = 3;
	}
	else
	{
		bytes[0] = (char) (0xF0 | (code >> 18));
		bytes[1] = (char) (0x80 | ((code >> 12) & 0x3F));
		bytes[2] = (char) (0x80 | ((code >> 6) & 0x3F));
		bytes[3] = (char) (0x80 | (code & 0x3F));
		n = 4;
	}
	sw_json_emit(text, bytes, n);
}

/* Four hexadecimal digits. */
static bool
sw_json_take_hex(SwJsonScan *scan, uint32 *code)
{
	uint32		value = 0;
	int			i;

	for (i = 0; i < 4; i++)
	{
		char		c = sw_json_peek(scan);

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
sw_json_take_unicode(SwJsonScan *scan, SwJsonText *text)
{
	uint32		code;
	uint32		low;
	SwJsonScan	ahead;

	if (!sw_json_take_hex(scan, &code))
		return false;

	ahead = *scan;
	if (code >= 0xD800 && code <= 0xDBFF && sw_json_peek(&ahead) == '\\')
	{
		ahead.position++;
		if (sw_json_peek(&ahead) == 'u')
		{
			ahead.position++;
			if (sw_json_take_hex(&ahead, &low) &&
				low >= 0xDC00 && low <= 0xDFFF)
			{
				code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
				*scan = ahead;
			}
		}
	}
	sw_json_emit_code(text, code);
	return true;
}

/* What follows a backslash. */
static bool
sw_json_take_escape(SwJsonScan *scan, SwJsonText *text)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char		c = sw_json_peek(scan);
	const char *found;

	if (c == '\0')
		return false;
	scan->position++;
	if (c == 'u')
		return sw_json_take_unicode(scan, text);
	found = strchr(names, c);
	if (found == NULL)
		return false;
	sw_json_emit(text, &values[found - names], 1);
	return true;
}

/*
 * Forget the bytes of a character whose end did not fit.
 */
static void
sw_json_trim_cut_character(SwJsonText *text)
{
	Size		start = text->len;
	unsigned char lead;
	Size		width;

	while (start > 0 && text->len - start < 3 &&
		   ((unsigned char) text->out[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	lead = (unsigned char) text->out[start - 1];
	width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (text->len - (start - 1) < width)
		text->len = start - 1;
}

/* A string, the cursor being on its opening quote. */
static bool
sw_json_take_string(SwJsonScan *scan, SwJsonText *text)
{
	scan->position++;
	for (;;)
	{
		char		c = sw_json_peek(scan);

		if (c == '\0')
			return false;
		scan->position++;
		if (c == '"')
			break;
		if (c == '\\')
		{
			if (!sw_json_take_escape(scan, text))
				return false;
		}
		else
			sw_json_emit(text, &c, 1);
	}
	if (text->out != NULL)
	{
		if (text->is_cut)
			sw_json_trim_cut_character(text);
		text->out[text->len] = '\0';
	}
	return true;
}

/* A value of any kind; brackets must match, scalars are not judged. */
static bool
sw_json_skip_value(SwJsonScan *scan)
{
	char		closers[SW_JSON_MAX_DEPTH];
	int			depth = 0;

	do
	{
		char		c;

		sw_json_skip_blanks(scan);
		c = sw_json_peek(scan);
		if (c == '\0')
			return false;
		if (c == '"')
		{
			SwJsonText	nobody = {0};

			if (!sw_json_take_string(scan, &nobody))
				return false;
			continue;
		}
		if (c == '{' || c == '[')
		{
			if (depth == SW_JSON_MAX_DEPTH)
				return false;
			closers[depth++] = c == '{' ? '}' : ']';
		}
		else if (c == '}' || c == ']')
		{
			if (depth == 0 || closers[depth - 1] != c)
				return false;
			depth--;
		}
		else if (depth == 0)
		{
			if (c == ',' || c == ':')
				return false;
			while ((c = sw_json_peek(scan)) != '\0' &&
				   strchr(",:}]{[\" \t\r\n", c) == NULL)
				scan->position++;
			continue;
		}
		scan->position++;
	} while (depth > 0);
	return true;
}

bool
sw_json_find_string(const char *json, Size len, const char *field,
					char *out, Size out_size)
{
	SwJsonScan	scan;

	out[0] = '\0';
	scan.json = json;
	scan.len = len;
	scan.position = 0;

	if (!sw_json_take(&scan, '{'))
		return false;
	do
	{
		char		name[SW_JSON_NAME_SIZE];
		SwJsonText	name_text = {name, sizeof(name), 0, false};

		sw_json_skip_blanks(&scan);
		if (sw_json_peek(&scan) != '"' ||
			!sw_json_take_string(&scan, &name_text) ||
			!sw_json_take(&scan, ':'))
			return false;
		if (!name_text.is_cut && strcmp(name, field) == 0)
		{
			SwJsonText	value_text = {out, out_size, 0, false};

			sw_json_skip_blanks(&scan);
			if (sw_json_peek(&scan) == '"' &&
				sw_json_take_string(&scan, &value_text))
				return true;
			out[0] = '\0';
			return false;
		}
		if (!sw_json_skip_value(&scan))
			return false;
	} while (sw_json_take(&scan, ','));
	return false;
}
