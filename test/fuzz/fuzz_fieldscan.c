/*-------------------------------------------------------------------------
 *
 * fuzz_fieldscan.c
 *	  Fuzzer: the walk through what a store replies, JSON or XML.
 *
 * The input is the document.  Properties:
 *   - the walk ends, after an event for each byte at most, and stays ended
 *   - paths and values always end, within their sizes
 *   - valid UTF-8 gives valid UTF-8, cut or not
 *   - the input, written as a text of either grammar, is found as it was
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "lib/stringinfo.h"

#include "common/sw_fieldscan.h"

#define MAX_INPUT_BYTES 16384

static void
check_any_document(const char *document, Size len)
{
	bool		is_utf8 = fuzz_is_utf8(document, len);
	SwFieldScan scan;
	SwFieldEvent event;
	Size		n_events = 0;

	sw_field_scan_init(&scan, document, len);
	while ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
		   event == SW_FIELD_RECORD)
	{
		fuzz_check(n_events++ < len);
		fuzz_check(strlen(scan.path) == scan.n_path);
		fuzz_check(scan.n_path < SW_FIELD_PATH_SIZE);
		if (event != SW_FIELD_VALUE)
			continue;
		fuzz_check(strlen(scan.value) == scan.n_value);
		fuzz_check(scan.n_value < SW_FIELD_VALUE_SIZE);
		fuzz_check(!is_utf8 || fuzz_is_utf8(scan.value, scan.n_value));
	}
	fuzz_check(sw_field_scan_next(&scan) == event);
}

static void
append_json(StringInfo out, const char *text, Size len)
{
	Size		i;

	for (i = 0; i < len; i++)
	{
		if (text[i] == '"' || text[i] == '\\')
			appendStringInfoChar(out, '\\');
		if ((uint8) text[i] < ' ')
			appendStringInfo(out, "\\u%04x", text[i]);
		else
			appendStringInfoChar(out, text[i]);
	}
}

static void
append_xml(StringInfo out, const char *text, Size len)
{
	Size		i;

	for (i = 0; i < len; i++)
	{
		if (text[i] == '<' || text[i] == '&')
			appendStringInfo(out, text[i] == '<' ? "&lt;" : "&#x%X;", '&');
		else if ((uint8) text[i] < ' ')
			appendStringInfo(out, "&#%d;", text[i]);
		else
			appendStringInfoChar(out, text[i]);
	}
}

/* The text comes back, as far as there is room for it. */
static void
check_round_trip(const char *document, Size n_document, const char *text,
				 Size len)
{
	char	   *exact = fuzz_copy_exactly(document, n_document);
	Size		n_kept = Min(len, SW_FIELD_VALUE_SIZE - 1);
	SwFieldScan scan;
	SwFieldEvent event;

	sw_field_scan_init(&scan, exact, n_document);
	do
	{
		event = sw_field_scan_next(&scan);
		fuzz_check(event == SW_FIELD_VALUE || event == SW_FIELD_RECORD);
	} while (event != SW_FIELD_VALUE || strcmp(scan.path, "Error/Code") != 0);
	fuzz_check(scan.is_cut == (n_kept < len));
	fuzz_check(scan.n_value <= n_kept && scan.n_value + 3 >= n_kept);
	fuzz_check(memcmp(scan.value, text, scan.n_value) == 0);
	fuzz_check(sw_field_scan_next(&scan) == SW_FIELD_RECORD);
	fuzz_check(sw_field_scan_next(&scan) == SW_FIELD_RECORD);
	fuzz_check(sw_field_scan_next(&scan) == SW_FIELD_END);
	pfree(exact);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	StringInfoData document;
	char	   *text;

	if (len < 1 || len > MAX_INPUT_BYTES)
		return 0;
	text = fuzz_copy_exactly(data, len);
	check_any_document(text, len);
	/* A NUL would come back as U+FFFD. */
	if (memchr(text, '\0', len) == NULL)
	{
		initStringInfo(&document);
		appendStringInfoString(&document, "{\"Co\\u0064\":{\"Code\":[\"}\"]}, \"Error\":[ {\"C\\u006fde\" : \"");
		append_json(&document, text, len);
		appendStringInfoString(&document, "\"}]}");
		check_round_trip(document.data, document.len, text, len);

		resetStringInfo(&document);
		appendStringInfoString(&document, "<L a='>'><!-- <Error> --><Code/><s:Error><Code >");
		append_xml(&document, text, len);
		appendStringInfoString(&document, "</Code></s:Error></L>");
		check_round_trip(document.data, document.len, text, len);
		pfree(document.data);
	}
	pfree(text);
	return 0;
}
