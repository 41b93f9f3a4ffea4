/*-------------------------------------------------------------------------
 *
 * sw_fieldscan.c
 *	  Walk through a small XML or JSON document that a peer sent, field by
 *	  field: what both grammars need.
 *
 * Pure: never throws, allocates nothing, doesn't recurse.  The document is
 * hostile.  It is our own because the server's JSON parser throws and wants
 * the whole text valid, and its XML support is optional (and a full XML
 * parser, with entities of its own and files to include, is more than bytes
 * of a stranger should meet).
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_fieldscan.h"

#define SW_FIELD_REPLACEMENT 0xFFFD

char
sw_field_peek(const SwFieldScan *scan)
{
	return scan->position < scan->n_bytes ? scan->bytes[scan->position] : '\0';
}

void
sw_field_skip_blanks(SwFieldScan *scan)
{
	for (;;)
	{
		char		c = sw_field_peek(scan);

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return;
		scan->position++;
	}
}

bool
sw_field_take(SwFieldScan *scan, const char *text)
{
	Size		n = strlen(text);

	if (scan->n_bytes - scan->position < n ||
		memcmp(scan->bytes + scan->position, text, n) != 0)
		return false;
	scan->position += n;
	return true;
}

void
sw_field_clear_value(SwFieldScan *scan)
{
	scan->n_value = 0;
	scan->is_cut = false;
	scan->value[0] = '\0';
}

/* Once a byte was dropped, all that follow are. */
void
sw_field_add_bytes(SwFieldScan *scan, const char *bytes, Size n)
{
	Size		n_free = SW_FIELD_VALUE_SIZE - 1 - scan->n_value;

	if (scan->is_cut || n > n_free)
	{
		n = scan->is_cut ? 0 : n_free;
		scan->is_cut = true;
	}
	memcpy(scan->value + scan->n_value, bytes, n);
	scan->n_value += n;
}

void
sw_field_add_code(SwFieldScan *scan, uint32 code)
{
	char		bytes[4];
	Size		n;

	if (code == 0 || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
		code = SW_FIELD_REPLACEMENT;

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
	sw_field_add_bytes(scan, bytes, n);
}

void
sw_field_finish_value(SwFieldScan *scan)
{
	Size		start = scan->n_value;
	unsigned char lead;
	Size		width;

	scan->value[scan->n_value] = '\0';
	if (!scan->is_cut)
		return;
	while (start > 0 && scan->n_value - start < 3 &&
		   ((unsigned char) scan->value[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	lead = (unsigned char) scan->value[start - 1];
	width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (scan->n_value - (start - 1) < width)
		scan->n_value = start - 1;
	scan->value[scan->n_value] = '\0';
}

bool
sw_field_set_path(SwFieldScan *scan, Size n_path, const char *name,
				  Size n_name)
{
	Size		n_slash = n_path > 0 && n_name > 0 ? 1 : 0;

	if (n_name >= SW_FIELD_PATH_SIZE - n_path - n_slash)
		return false;
	if (n_slash > 0)
		scan->path[n_path++] = '/';
	memcpy(scan->path + n_path, name, n_name);
	scan->n_path = n_path + n_name;
	scan->path[scan->n_path] = '\0';
	return true;
}

void
sw_field_scan_init(SwFieldScan *scan, const char *bytes, Size n_bytes)
{
	scan->bytes = bytes;
	scan->n_bytes = n_bytes;
	scan->position = 0;
	scan->is_begun = false;
	scan->is_broken = false;
	scan->depth = 0;
	scan->root[0] = '\0';
	sw_field_clear_value(scan);
	sw_field_set_path(scan, 0, "", 0);

	/* a byte order mark is not a blank, yet some put one */
	sw_field_take(scan, "\xEF\xBB\xBF");
	sw_field_skip_blanks(scan);
	scan->is_xml = sw_field_peek(scan) == '<';
}

SwFieldEvent
sw_field_scan_next(SwFieldScan *scan)
{
	SwFieldEvent event;

	if (scan->is_broken)
		return SW_FIELD_BROKEN;
	if (scan->is_begun && scan->depth == 0)
		return SW_FIELD_END;
	event = scan->is_xml ? sw_xml_scan_next(scan) : sw_json_scan_next(scan);
	scan->is_broken = event == SW_FIELD_BROKEN;
	return event;
}
