/*-------------------------------------------------------------------------
 *
 * fuzz_jsonscan.c
 *	  Fuzzer: finding a field in what a store replies.
 *
 *	   u8 size of the output - 1 | text
 *
 * Properties:
 *   - an output always ends, within its size; without a result it is ""
 *   - a small output is the beginning of a large one
 *   - valid UTF-8 gives valid UTF-8, cut or not
 *   - the text, written as a JSON string, is found as it was
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "lib/stringinfo.h"

#include "common/sw_jsonscan.h"

#define MAX_INPUT_BYTES 16384

static void
check_any_text(const char *json, Size len, Size out_size)
{
	char	   *small = palloc(out_size);
	char	   *large = palloc(len + 1);
	bool		in_small;
	bool		in_large;

	memset(small, 'x', out_size);
	memset(large, 'x', len + 1);
	in_small = sw_json_find_string(json, len, "Code", small, out_size);
	in_large = sw_json_find_string(json, len, "Code", large, len + 1);
	fuzz_check(in_small == in_large);
	fuzz_check(memchr(small, '\0', out_size) != NULL);
	fuzz_check(memchr(large, '\0', len + 1) != NULL);
	fuzz_check(in_large || (small[0] == '\0' && large[0] == '\0'));
	fuzz_check(strncmp(small, large, strlen(small)) == 0);
	if (fuzz_is_utf8(json, len))
	{
		fuzz_check(fuzz_is_utf8(small, strlen(small)));
		fuzz_check(fuzz_is_utf8(large, strlen(large)));
	}
	pfree(small);
	pfree(large);
}

/* The text comes back from an object that has it as a value. */
static void
check_round_trip(const char *text, Size len)
{
	StringInfoData json;
	char	   *out = palloc(len + 1);
	char	   *exact;
	Size		i;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"Co\\u0064\":{\"Code\":[\"}\"]}, \"C\\u006fde\" : \"");
	for (i = 0; i < len; i++)
	{
		if (text[i] == '"' || text[i] == '\\')
			appendStringInfoChar(&json, '\\');
		if ((uint8) text[i] < ' ')
			appendStringInfo(&json, "\\u%04x", text[i]);
		else
			appendStringInfoChar(&json, text[i]);
	}
	appendStringInfoChar(&json, '"');

	exact = fuzz_copy_exactly(json.data, json.len);
	fuzz_check(sw_json_find_string(exact, json.len, "Code", out, len + 1));
	fuzz_check(strlen(out) == len && memcmp(out, text, len) == 0);
	pfree(exact);
	pfree(json.data);
	pfree(out);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	char	   *text;

	if (len < 1 || len > MAX_INPUT_BYTES)
		return 0;
	text = fuzz_copy_exactly(data + 1, len - 1);
	check_any_text(text, len - 1, (Size) data[0] + 1);
	/* A NUL would come back as U+FFFD. */
	if (memchr(text, '\0', len - 1) == NULL)
		check_round_trip(text, len - 1);
	pfree(text);
	return 0;
}
