/*-------------------------------------------------------------------------
 *
 * common_jsonscan.c
 *	  Find a field in a JSON object: good, cut and hostile texts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_jsonscan.h"
#include "unit.h"

/* The bytes lie in memory of exactly their size: the sanitizer watches. */
static bool
find_exact(const char *json, Size n, const char *field, char *out,
		   Size out_size)
{
	char	   *exact = palloc(Max(n, 1));
	bool		found;

	memcpy(exact, json, n);
	found = sw_json_find_string(exact, n, field, out, out_size);
	pfree(exact);
	return found;
}

static void
check_found(const char *json, const char *expected)
{
	char		out[64];

	if (find_exact(json, strlen(json), "Code", out, sizeof(out)))
		unit_is_text(out, expected != NULL ? expected : "not found", json);
	else
		unit_ok(expected == NULL && out[0] == '\0', json);
}

static void
check_cut(const char *json, Size out_size, const char *expected)
{
	char	   *out = palloc(out_size);

	unit_ok(find_exact(json, strlen(json), "Code", out, out_size), json);
	unit_is_text(out, expected, "is cut at a character boundary");
	pfree(out);
}

int
main(void)
{
	static const char reply[] =
	"{\"Message\":\"x\\u5BFC\\ud83d\\ude00\",\"deep\":{\"Code\":[1,{\"a\":\"}\"}]},"
	"\"n\":-1.5e3,\"Code\":\"NoSuchBucket\"}";
	char		out[64];
	char	   *deep;
	bool		quiet = true;
	uint32		seed = 42;
	Size		n;
	int			i;

	check_found("{\"Code\":\"A\"}", "A");
	check_found(" {\n \"x\" : 1 , \"Code\" : \"A B\" } ", "A B");
	check_found("{\"Code\":\"\"}", "");
	check_found("{\"Code\":\"first\",\"Code\":\"second\"}", "first");
	check_found("{\"C\\u006fde\":\"A\"}", "A");
	check_found("{\"Code\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t");
	check_found("{\"Code\":\"\\u00e9\\u5BFC\"}", "\xC3\xA9\xE5\xAF\xBC");
	check_found("{\"Code\":\"\\ud83d\\ude00\"}", "\xF0\x9F\x98\x80");
	check_found("{\"Code\":\"\\ud83dx\"}", "\xEF\xBF\xBDx");
	check_found("{\"Code\":\"\\ud83d\\u0041\"}", "\xEF\xBF\xBD" "A");
	check_found("{\"Code\":\"\\ud83d\\n\"}", "\xEF\xBF\xBD\n");
	check_found("{\"Code\":\"\\ude00\"}", "\xEF\xBF\xBD");
	check_found("{\"Code\":\"a\\u0000b\"}", "a\xEF\xBF\xBD" "b");
	check_found("{\"Code\":\"raw\xC3\xA9\"}", "raw\xC3\xA9");
	check_found("{\"x\":{\"Code\":\"no\"},\"Code\":\"yes\"}", "yes");
	check_found("{\"x\":[[[\"]\",{}]],null],\"Code\":\"yes\"}", "yes");
	check_found("{\"x\":true,\"y\":null,\"z\":-1.5e+3,\"Code\":\"yes\"}", "yes");
	check_found("{\"Code\":\"A\"", "A");

	check_found("", NULL);
	check_found("{}", NULL);
	check_found("[\"Code\",\"A\"]", NULL);
	check_found("\"Code\"", NULL);
	check_found("{\"code\":\"A\"}", NULL);
	check_found("{\"Code\":1}", NULL);
	check_found("{\"Code\":null}", NULL);
	check_found("{\"Code\":{\"Code\":\"A\"}}", NULL);
	check_found("{\"x\":{\"Code\":\"A\"}}", NULL);
	check_found("{\"Code\":\"A", NULL);
	check_found("{\"Code\":\"A\\", NULL);
	check_found("{\"Code\":\"A\\x\"}", NULL);
	check_found("{\"Code\":\"\\u12\"}", NULL);
	check_found("{\"Code\":\"\\u12G4\"}", NULL);
	check_found("{\"Code\"\"A\"}", NULL);
	check_found("{\"Code\":}", NULL);
	check_found("{\"x\":,\"Code\":\"A\"}", NULL);
	check_found("{\"x\":[},\"Code\":\"A\"}", NULL);
	check_found("{\"x\":{]},\"Code\":\"A\"}", NULL);
	check_found("{\"x\":1 2,\"Code\":\"A\"}", NULL);
	check_found("{Code:\"A\"}", NULL);
	check_found("<?xml version=\"1.0\"?><Code>A</Code>", NULL);
	unit_ok(!find_exact("{\"a\0\":1,\"Code\":\"A\"}", 19, "Code", out,
						sizeof(out)), "NUL is malformed");

	check_cut("{\"Code\":\"abcdef\"}", 4, "abc");
	check_cut("{\"Code\":\"abcdef\"}", 1, "");
	check_cut("{\"Code\":\"ab\xC3\xA9\"}", 4, "ab");
	check_cut("{\"Code\":\"ab\xC3\xA9\"}", 5, "ab\xC3\xA9");
	check_cut("{\"Code\":\"\xF0\x9F\x98\x80\"}", 4, "");
	check_cut("{\"Code\":\"\xE5\xAF\xBC\xE5\xAF\xBC\"}", 6, "\xE5\xAF\xBC");
	check_cut("{\"Code\":\"a\\u5BFC\\u5BFC\"}", 6, "a\xE5\xAF\xBC");

	deep = palloc(200100);
	for (i = 0; i < 2; i++)
	{
		int			depth = i == 0 ? 64 : 65;

		n = sprintf(deep, "{\"x\":");
		memset(deep + n, '[', depth);
		n += depth;
		memset(deep + n, ']', depth);
		n += depth;
		n += sprintf(deep + n, ",\"Code\":\"A\"}");
		unit_ok(find_exact(deep, n, "Code", out, sizeof(out)) == (i == 0),
				i == 0 ? "64 levels are skipped" : "65 levels are refused");
	}
	memset(deep, '[', 200000);
	memcpy(deep, "{\"x\":", 5);
	unit_ok(!find_exact(deep, 200000, "Code", out, sizeof(out)),
			"200 kB of brackets");

	for (n = 0; n < sizeof(reply) - 3; n++)
		quiet = quiet && !find_exact(reply, n, "Code", out, sizeof(out)) &&
			out[0] == '\0';
	unit_ok(quiet, "every prefix of a reply is handled");
	unit_ok(find_exact(reply, sizeof(reply) - 2, "Code", out, sizeof(out)) &&
			strcmp(out, "NoSuchBucket") == 0, "all but the last brace will do");
	unit_ok(find_exact(reply, sizeof(reply) - 1, "Message", out,
					   sizeof(out)) &&
			strcmp(out, "x\xE5\xAF\xBC\xF0\x9F\x98\x80") == 0, "the other field");

	for (i = 0; i < 200000; i++)
	{
		char		mutant[sizeof(reply)];
		int			k;

		memcpy(mutant, reply, sizeof(reply));
		for (k = 0; k < 3; k++)
		{
			seed = seed * 1664525 + 1013904223;
			mutant[(seed >> 8) % (sizeof(reply) - 1)] =
				k == 0 ? (char) (seed >> 24) : "\"\\{}[],:u"[(seed >> 24) % 9];
		}
		find_exact(mutant, sizeof(reply) - 1, "Code", out, 8);
		quiet = quiet && memchr(out, '\0', 8) != NULL;
	}
	unit_ok(quiet, "200000 damaged replies end within bounds");
	return unit_done();
}
