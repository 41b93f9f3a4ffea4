/*-------------------------------------------------------------------------
 *
 * sw_xmlscan.c
 *	  Walk through a small XML document, field by field.
 *
 * Pure: never throws, allocates nothing, doesn't recurse, looks at each byte
 * once.  The document is hostile.
 *
 * Grammar: what is left of XML 1.0 in replies of object stores: elements,
 * texts, the five named entities and numbered characters, comments, CDATA
 * and processing instructions.  Attributes are stepped over, prefixes of
 * names dropped.  A document type is refused, so nothing can be declared,
 * included or expanded.  A text beside elements is dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_fieldscan.h"

/* Longest reference: "&#x10FFFF;" with some zeros. */
#define SW_XML_MAX_REFERENCE 16

static bool
sw_xml_ends_name(char c)
{
	return c == '\0' || strchr(" \t\r\n/><=\"'&", c) != NULL;
}

/* A name without its prefix; points into the document. */
static bool
sw_xml_take_name(SwFieldScan *scan, const char **name, Size *n_name)
{
	Size		begin = scan->position;

	/* a document type, or a CDATA outside of all elements */
	if (sw_field_peek(scan) == '!')
		return false;
	while (!sw_xml_ends_name(sw_field_peek(scan)))
	{
		scan->position++;
		if (scan->bytes[scan->position - 1] == ':')
			begin = scan->position;
	}
	*name = scan->bytes + begin;
	*n_name = scan->position - begin;
	return *n_name > 0;
}

/* Up to and with text, wherever that is; what is between is value or not. */
static bool
sw_xml_take_until(SwFieldScan *scan, const char *text, bool is_value)
{
	while (scan->position < scan->n_bytes)
	{
		if (sw_field_peek(scan) == *text && sw_field_take(scan, text))
			return true;
		if (sw_field_peek(scan) == '\0')
			return false;
		if (is_value)
			sw_field_add_bytes(scan, scan->bytes + scan->position, 1);
		scan->position++;
	}
	return false;
}

/* The character a number stands for; 0 = that is no number. */
static uint32
sw_xml_read_number(const char *digits, Size n)
{
	bool		is_hex = n > 1 && digits[0] == 'x';
	uint32		code = 0;
	Size		i;

	for (i = is_hex ? 1 : 0; i < n; i++)
	{
		char		c = digits[i];
		uint32		digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (is_hex && c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (is_hex && c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return 0;
		code = Min(code * (is_hex ? 16 : 10) + digit, 0x110000);
	}
	return code;
}

/* After '&'.  What is no reference that we know stays as it is. */
static void
sw_xml_take_reference(SwFieldScan *scan)
{
	static const struct
	{
		const char *name;
		char		c;
	}			entities[] = {
		{"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}
	};
	const char *begin = scan->bytes + scan->position;
	Size		n_left = Min(scan->n_bytes - scan->position,
							 SW_XML_MAX_REFERENCE);
	const char *end = memchr(begin, ';', n_left);
	int			i;

	for (i = 0; i < (int) lengthof(entities); i++)
	{
		if (sw_field_take(scan, entities[i].name))
		{
			sw_field_add_bytes(scan, &entities[i].c, 1);
			return;
		}
	}
	if (end != NULL && *begin == '#' && end > begin + 1)
	{
		uint32		code = sw_xml_read_number(begin + 1, end - begin - 1);

		if (code != 0)
		{
			sw_field_add_code(scan, code);
			scan->position += end - begin + 1;
			return;
		}
	}
	sw_field_add_bytes(scan, "&", 1);
}

/* Up to the next '<', or the end. */
static bool
sw_xml_take_text(SwFieldScan *scan)
{
	while (scan->position < scan->n_bytes)
	{
		char		c = scan->bytes[scan->position];

		if (c == '<')
			return true;
		if (c == '\0')
			return false;
		scan->position++;
		if (c == '&')
			sw_xml_take_reference(scan);
		else
			sw_field_add_bytes(scan, &c, 1);
	}
	return true;
}

/* The attributes of an element, and its end; is it empty? */
static bool
sw_xml_take_attributes(SwFieldScan *scan, bool *is_empty)
{
	for (;;)
	{
		char		c = sw_field_peek(scan);
		char		quote[2] = {c, '\0'};

		if (c == '\0' || c == '<')
			return false;
		scan->position++;
		if (c == '>')
			return true;
		*is_empty = c == '/';
		if ((c == '"' || c == '\'') && !sw_xml_take_until(scan, quote, false))
			return false;
	}
}

/* The innermost element has ended. */
static SwFieldEvent
sw_xml_close(SwFieldScan *scan)
{
	const SwFieldLevel *level = &scan->levels[scan->depth - 1];
	SwFieldEvent event = level->has_members || scan->depth == 1 ?
	SW_FIELD_RECORD : SW_FIELD_VALUE;

	sw_field_finish_value(scan);
	scan->n_path = level->n_path;
	scan->path[scan->n_path] = '\0';
	scan->depth--;
	return event;
}

/* After '<'. */
static bool
sw_xml_open(SwFieldScan *scan, bool *is_closed)
{
	const SwFieldLevel *outer = scan->depth > 0 ?
	&scan->levels[scan->depth - 1] : NULL;
	SwFieldLevel *level;
	const char *name;
	Size		n_name;
	bool		is_empty = false;

	if (scan->depth == SW_FIELD_MAX_DEPTH ||
		!sw_xml_take_name(scan, &name, &n_name))
		return false;
	level = &scan->levels[scan->depth];
	if (outer == NULL)
	{
		if (n_name >= sizeof(scan->root))
			return false;
		memcpy(scan->root, name, n_name);
		scan->root[n_name] = '\0';
		n_name = 0;
	}
	else
		scan->levels[scan->depth - 1].has_members = true;
	if (!sw_field_set_path(scan, outer != NULL ? outer->n_path : 0, name,
						   n_name))
		return false;
	level->has_members = false;
	level->n_path = (uint16) scan->n_path;
	level->name_at = (uint16) (scan->n_path - n_name);
	scan->depth++;
	scan->is_begun = true;
	sw_field_clear_value(scan);
	if (!sw_xml_take_attributes(scan, &is_empty))
		return false;
	*is_closed = is_empty;
	return true;
}

/* After "</": the name of the innermost element, and '>'. */
static bool
sw_xml_take_end_tag(SwFieldScan *scan)
{
	const SwFieldLevel *level;
	const char *name;
	Size		n_name;
	const char *expected;

	if (scan->depth == 0 || !sw_xml_take_name(scan, &name, &n_name))
		return false;
	level = &scan->levels[scan->depth - 1];
	scan->path[level->n_path] = '\0';
	expected = scan->depth == 1 ? scan->root : scan->path + level->name_at;
	if (strlen(expected) != n_name || memcmp(expected, name, n_name) != 0)
		return false;
	sw_field_skip_blanks(scan);
	return sw_field_take(scan, ">");
}

SwFieldEvent
sw_xml_scan_next(SwFieldScan *scan)
{
	for (;;)
	{
		bool		is_closed = false;

		if (!sw_xml_take_text(scan) || !sw_field_take(scan, "<"))
			return SW_FIELD_BROKEN;
		if (sw_field_take(scan, "?"))
		{
			if (!sw_xml_take_until(scan, "?>", false))
				return SW_FIELD_BROKEN;
		}
		else if (sw_field_take(scan, "!--"))
		{
			if (!sw_xml_take_until(scan, "-->", false))
				return SW_FIELD_BROKEN;
		}
		else if (scan->depth > 0 && sw_field_take(scan, "![CDATA["))
		{
			if (!sw_xml_take_until(scan, "]]>", true))
				return SW_FIELD_BROKEN;
		}
		else if (sw_field_take(scan, "/"))
		{
			if (!sw_xml_take_end_tag(scan))
				return SW_FIELD_BROKEN;
			is_closed = true;
		}
		else if (!sw_xml_open(scan, &is_closed))
			return SW_FIELD_BROKEN;
		if (is_closed)
			return sw_xml_close(scan);
	}
}
