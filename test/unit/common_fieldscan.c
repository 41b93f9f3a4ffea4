/*-------------------------------------------------------------------------
 *
 * common_fieldscan.c
 *	  Walk through JSON and XML documents: good, cut and hostile ones.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "lib/stringinfo.h"

#include "common/sw_fieldscan.h"
#include "unit.h"

/*
 * The first field at that path.  The bytes lie in memory of exactly their
 * size: the sanitizer watches.
 */
static bool
find_exact(const char *document, Size n, const char *path, char *out,
		   Size out_size)
{
	char	   *exact = palloc(Max(n, 1));
	SwFieldScan scan;
	SwFieldEvent event;
	bool		is_found = false;

	memcpy(exact, document, n);
	out[0] = '\0';
	sw_field_scan_init(&scan, exact, n);
	while (!is_found &&
		   ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
			event == SW_FIELD_RECORD))
		is_found = event == SW_FIELD_VALUE && strcmp(scan.path, path) == 0;
	if (is_found)
		strlcpy(out, scan.value, out_size);
	pfree(exact);
	return is_found;
}

/* The whole walk as text: "path=value " and "path. ", then how it ended. */
static void
check_walk(const char *document, const char *expected)
{
	StringInfoData walk;
	SwFieldScan scan;
	SwFieldEvent event;
	char	   *exact = palloc(strlen(document) + 1);

	memcpy(exact, document, strlen(document));
	exact = repalloc(exact, Max(strlen(document), 1));
	initStringInfo(&walk);
	sw_field_scan_init(&scan, exact, strlen(document));
	while ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
		   event == SW_FIELD_RECORD)
	{
		if (event == SW_FIELD_VALUE)
			appendStringInfo(&walk, "%s=%s ", scan.path, scan.value);
		else
			appendStringInfo(&walk, "%s. ", scan.path);
	}
	appendStringInfoString(&walk, event == SW_FIELD_END ? "end" : "broken");
	unit_is_text(walk.data, expected, document);
	unit_ok(sw_field_scan_next(&scan) == event, "and stays so");
	pfree(walk.data);
	pfree(exact);
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

/* text behind so much that room for n_room bytes of it is left. */
static void
check_cut(const char *form, const char *text, int n_room,
		  const char *expected)
{
	int			n_before = SW_FIELD_VALUE_SIZE - 1 - n_room;
	char	   *before = palloc(n_before + 1);
	char	   *document;
	SwFieldScan scan;

	memset(before, 'x', n_before);
	before[n_before] = '\0';
	document = psprintf(form, before, text);
	sw_field_scan_init(&scan, document, strlen(document));
	unit_ok(sw_field_scan_next(&scan) == SW_FIELD_VALUE &&
			scan.is_cut == (strcmp(text, expected) != 0), text);
	unit_is_text(scan.value + n_before, expected,
				 "is cut at a character boundary");
	unit_ok(sw_field_scan_next(&scan) == SW_FIELD_RECORD &&
			sw_field_scan_next(&scan) == SW_FIELD_END, "and goes on behind it");
	pfree(document);
	pfree(before);
}

static void
check_cuts(const char *form)
{
	check_cut(form, "abcdef", 3, "abc");
	check_cut(form, "abcdef", 6, "abcdef");
	check_cut(form, "ab\xC3\xA9", 3, "ab");
	check_cut(form, "ab\xC3\xA9", 4, "ab\xC3\xA9");
	check_cut(form, "\xF0\x9F\x98\x80", 3, "");
	check_cut(form, "\xE5\xAF\xBC\xE5\xAF\xBC", 5, "\xE5\xAF\xBC");
}

static void
check_walks(void)
{
	check_walk("{\"a\":1,\"b\":[{\"c\":\"x\"},{\"c\":true}],\"d\":null}",
			   "a=1 b/c=x b. b/c=true b. . end");
	check_walk("[1,[2,\"3\"]]", "=1 =2 =3 end");
	check_walk("\"a\"", "=a end");
	check_walk("null", "end");
	check_walk("{\"a\":[]}", ". end");
	check_walk("{\"a\":[1,]}", "a=1 broken");
	check_walk("{\"a\":1,}", "a=1 broken");
	check_walk("{} trailing", ". end");

	check_walk("<L><I><K>a</K></I></L>", "I/K=a I. . end");
	check_walk("\xEF\xBB\xBF <?xml version=\"1.0\"?>\n<!-- > --><L x='>' y=\"/\">"
			   "<n:I/><I ></I><I><K>&lt;&gt;&amp;&quot;&apos;</K> </I></L>\n",
			   "I= I= I/K=<>&\"' I. . end");
	check_walk("<L><K>&#65;&#x42;&#x1F600;&#0;&#xD800;&#x110000;</K></L>",
			   "K=AB\xF0\x9F\x98\x80&#0;\xEF\xBF\xBD\xEF\xBF\xBD . end");
	check_walk("<L><K>&none;&;&#;&#x;&#99999999999999999999;&lt</K></L>",
			   "K=&none;&;&#;&#x;&#99999999999999999999;&lt . end");
	check_walk("<L><K>a<![CDATA[<b>&amp;]]>c</K></L>", "K=a<b>&amp;c . end");
	check_walk("<L><I>dropped<K>k</K>dropped</I></L>", "I/K=k I. . end");
	check_walk("<L/>", ". end");
	check_walk("<L>text</L>", ". end");

	check_walk("<!DOCTYPE html><html></html>", "broken");
	check_walk("<!DOCTYPE a [<!ENTITY b \"c\">]><L><K>&b;</K></L>", "broken");
	check_walk("<L><K>a</I></L>", "broken");
	check_walk("<L><K>a</K></M>", "K=a broken");
	check_walk("</L>", "broken");
	check_walk("<L><K>a</K>", "K=a broken");
	check_walk("<L><K", "broken");
	check_walk("<L><K>&#65", "broken");
	check_walk("<L><!-- ", "broken");
	check_walk("<L a=\"></L>", "broken");
	check_walk("<L><![CDATA[x]]</L>", "broken");
	check_walk("<", "broken");
	check_walk("<>", "broken");
	check_walk("", "broken");
	check_walk("   ", "broken");
}

/* Nesting is limited, and costs nothing. */
static void
check_depth(const char *opener, const char *closer)
{
	StringInfoData deep;
	SwFieldScan scan;
	int			depth;

	for (depth = SW_FIELD_MAX_DEPTH; depth <= SW_FIELD_MAX_DEPTH + 1; depth++)
	{
		SwFieldEvent event;
		int			i;

		initStringInfo(&deep);
		for (i = 0; i < depth; i++)
			appendStringInfoString(&deep, opener);
		for (i = 0; i < depth; i++)
			appendStringInfoString(&deep, closer);
		sw_field_scan_init(&scan, deep.data, deep.len);
		while ((event = sw_field_scan_next(&scan)) == SW_FIELD_VALUE ||
			   event == SW_FIELD_RECORD)
			continue;
		unit_ok(event == (depth == SW_FIELD_MAX_DEPTH ? SW_FIELD_END :
						  SW_FIELD_BROKEN),
				depth == SW_FIELD_MAX_DEPTH ? "the deepest nesting" :
				"one level more");
		pfree(deep.data);
	}
	initStringInfo(&deep);
	while (deep.len < 200000)
		appendStringInfoString(&deep, opener);
	sw_field_scan_init(&scan, deep.data, deep.len);
	unit_ok(sw_field_scan_next(&scan) == SW_FIELD_BROKEN, "200 kB of openers");
	pfree(deep.data);
}

static void
check_damaged(const char *reply, Size n_reply, const char *specials)
{
	char	   *mutant = palloc(n_reply);
	char		out[8];
	uint32		seed = 42;
	bool		quiet = true;
	int			i;

	for (i = 0; i < 200000; i++)
	{
		int			k;

		memcpy(mutant, reply, n_reply);
		for (k = 0; k < 3; k++)
		{
			seed = seed * 1664525 + 1013904223;
			mutant[(seed >> 8) % n_reply] = k == 0 ? (char) (seed >> 24) :
				specials[(seed >> 24) % strlen(specials)];
		}
		find_exact(mutant, n_reply, "Code", out, sizeof(out));
		quiet = quiet && memchr(out, '\0', 8) != NULL;
	}
	unit_ok(quiet, "200000 damaged replies end within bounds");
	pfree(mutant);
}

int
main(void)
{
	static const char reply[] =
	"{\"Message\":\"x\\u5BFC\\ud83d\\ude00\",\"deep\":{\"Code\":[1,{\"a\":\"}\"}]},"
	"\"n\":-1.5e3,\"Code\":\"NoSuchBucket\"}";
	static const char xml[] =
	"<?xml version='1.0'?><Error><Code>No&amp;&#x41;</Code><Deep><Code/></Deep></Error>";
	char		out[64];
	bool		quiet = true;
	Size		n;

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
	check_found("{\"Code\":1}", "1");
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
	check_found("<?xml version=\"1.0\"?><E><Code>A</Code></E>", "A");
	unit_ok(!find_exact("{\"a\0\":1,\"Code\":\"A\"}", 19, "Code", out,
						sizeof(out)), "NUL is malformed");
	unit_ok(!find_exact("<E><a>\0</a><Code>A</Code></E>", 29, "Code", out,
						sizeof(out)), "in XML too");

	check_cuts("{\"Code\":\"%s%s\"}");
	check_cuts("<E><Code>%s%s</Code></E>");
	check_walks();
	check_depth("[", "]");
	check_depth("<a>", "</a>");

	for (n = 0; n < sizeof(reply) - 3; n++)
		quiet = quiet && !find_exact(reply, n, "Code", out, sizeof(out)) &&
			out[0] == '\0';
	unit_ok(quiet, "every prefix of a reply is handled");
	unit_ok(find_exact(reply, sizeof(reply) - 2, "Code", out, sizeof(out)) &&
			strcmp(out, "NoSuchBucket") == 0, "all but the last brace will do");
	unit_ok(find_exact(reply, sizeof(reply) - 1, "Message", out,
					   sizeof(out)) &&
			strcmp(out, "x\xE5\xAF\xBC\xF0\x9F\x98\x80") == 0, "the other field");

	check_damaged(reply, sizeof(reply) - 1, "\"\\{}[],:u");
	check_damaged(xml, sizeof(xml) - 1, "</>&;#x!-?");
	return unit_done();
}
