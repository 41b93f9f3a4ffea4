/*-------------------------------------------------------------------------
 *
 * net_redact.c
 *	  Tests of sw_redact: no form of a secret survives, all else does.
 *
 *-------------------------------------------------------------------------
 */
#include "unit.h"

#include "net/sw_redact.h"

#define ANY_LENGTH 100000

static void
redacts(const char *secret, const char *text, const char *expected)
{
	SwRedactor	redactor = {0};
	char	   *got;

	sw_redactor_add(&redactor, secret);
	got = sw_redact(&redactor, text, strlen(text), ANY_LENGTH);
	unit_is_text(got, expected, text);
	pfree(got);
}

/* A form must vanish, with what stands around it left alone. */
static void
hides(const char *secret, const char *form)
{
	char		text[512];

	snprintf(text, sizeof(text), "before '%s' after", form);
	redacts(secret, text, "before '***' after");
}

static void
test_escaped_forms(void)
{
	static const char odd[] = "a'b\"c\\d/e+f=g&h<i>j k";

	hides("plainsecret", "plainsecret");
	hides(odd, "a'b\"c\\d/e+f=g&h<i>j k");
	hides(odd, "a\\'b\\\"c\\\\d/e+f=g&h<i>j k");
	hides(odd, "a''b\"\"c\\d/e+f=g&h<i>j k");
	hides(odd, "a'b\\\"c\\\\d\\/e+f=g&h<i>j k");
	hides(odd, "a\\u0027b\\u0022c\\u005Cd\\u002fe\\u002Bf=g\\u0026h\\u003ci\\u003ej k");
	hides(odd, "a\\x27b\\x22c\\x5cd\\x2Fe\\x2bf=g&h<i>j k");
	hides(odd, "a%27b%22c%5Cd%2Fe%2Bf%3Dg%26h%3Ci%3Ej%20k");
	hides(odd, "a%27b%22c%5cd%2fe%2bf%3dg%26h%3ci%3ej+k");
	hides(odd, "a%2527b%2522c%255Cd%252Fe%252Bf%253Dg%2526h%253Ci%253Ej%2520k");
	hides(odd, "a&apos;b&quot;c\\d/e+f=g&amp;h&lt;i&gt;j k");
	hides(odd, "a&#39;b&#34;c\\d/e+f=g&#x26;h&#x3C;i&#62;j k");
	/* a statement with quotes doubled, quoted again in JSON, twice */
	hides(odd, "a''b\\\\\\\"c\\\\\\\\d/e+f=g&h<i>j k");

	hides("tab\tnew\nline", "tab\\tnew\\nline");
	hides("tab\tnew\nline", "tab%09new%0Aline");
	hides("h\xC3\xA9llo\xF0\x9F\x98\x80!", "h\\u00e9llo\\ud83d\\ude00!");
	hides("h\xC3\xA9llo\xF0\x9F\x98\x80!", "h%C3%A9llo%F0%9F%98%80!");
	hides("50%25&amp;x", "50%25&amp;x");
	hides("50%25&amp;x", "50%2525&amp;amp;x");
	hides("two''quotes", "two''quotes");
	hides("two''quotes", "two''''quotes");
}

static void
test_base64(void)
{
	/* user:secret-word with 0, 1 and 2 bytes in front */
	redacts("secret-word", "c2VjcmV0LXdvcmQ=", "***Q=");
	redacts("secret-word", "eHNlY3JldC13b3Jk", "eH***");
	redacts("secret-word", "eHhzZWNyZXQtd29yZA==", "eHh***A==");
	/* both alphabets, and the percent-encoded one */
	redacts("?>?>?>~~~~~~", "Pz4/Pj8+fn5+fn5+", "***");
	redacts("?>?>?>~~~~~~", "Pz4_Pj8-fn5-fn5-", "***");
	redacts("?>?>?>~~~~~~", "Pz4%2fPj8%2Bfn5%2Bfn5%2B", "***");
}

static void
test_cut_secrets(void)
{
	redacts("abcdefghijkl", "value 'abcdefgh", "value '***");
	redacts("abcdefghijkl", "value 'abcd", "value '***");
	redacts("abcdefghijkl", "value 'abc", "value 'abc");
	redacts("abcdefghijkl", "'abcdefghij...' is wrong",
			"'***...' is wrong");
	redacts("abcdefghijkl", "'abcdefghij\xE2\x80\xA6' is wrong",
			"'***\xE2\x80\xA6' is wrong");
	redacts("abcdefghijkl", "abcdef is a word", "abcdef is a word");
}

static void
test_other_text(void)
{
	SwRedactor	redactor = {0};
	char	   *got;

	redacts("secret", "", "");
	redacts("secret", "nothing here", "nothing here");
	redacts("secret", "secretsecret secre", "****** ***");
	redacts("secret", "nothing here: secre!", "nothing here: secre!");
	redacts("abc", "abc is too short", "abc is too short");
	redacts(NULL, "no secret", "no secret");
	redacts("aab!", "aaab! aaaab!", "a*** aa***");

	sw_redactor_add(&redactor, "longer-secret");
	sw_redactor_add(&redactor, "longer-secret-key");
	got = sw_redact(&redactor, "x longer-secret-key y longer-secret z", 37,
					ANY_LENGTH);
	unit_is_text(got, "x *** y *** z", "the longest secret wins");
	pfree(got);
	got = sw_redact(NULL, "no redactor", 11, ANY_LENGTH);
	unit_is_text(got, "no redactor", "no redactor");
	pfree(got);
}

static void
cuts(const char *text, Size max_bytes, const char *expected, const char *name)
{
	SwRedactor	redactor = {0};
	char	   *got;

	sw_redactor_add(&redactor, "secret");
	got = sw_redact(&redactor, text, strlen(text), max_bytes);
	unit_is_text(got, expected, name);
	pfree(got);
}

static void
test_harmless_text(void)
{
	char	   *got;

	redacts("secret", "a\nb\tc\rd\001e\177f", "a b c d?e?f");
	redacts("secret", "\xC3\xA9 \xE4\xBD\xA0 \xF0\x9F\x98\x80",
			"\xC3\xA9 \xE4\xBD\xA0 \xF0\x9F\x98\x80");
	redacts("secret", "\xFF \xC3 \xC0\x80 \xED\xA0\x80 \xC2\x85 \xF0\x9F",
			"? ? ?? ??? ? ??");
	got = sw_redact(NULL, "a\0b", 3, ANY_LENGTH);
	unit_is_text(got, "a?b", "a zero byte");
	pfree(got);

	cuts("0123456789", 4, "0123", "cut");
	cuts("0123456789", 0, "", "cut to nothing");
	cuts("ab\xC3\xA9", 3, "ab", "never within a character");
	cuts("ab\xC3\xA9", 4, "ab\xC3\xA9", "a character that just fits");
	cuts("ab secret", 5, "ab ", "never within the mask");
	cuts("ab secret", 6, "ab ***", "a mask that just fits");
}

/* Every byte as text, at every length, under every reader's nose (ASan). */
static void
test_hostile_text(void)
{
	static const char pieces[] = "\\u\\x%2&#&am..\xE2\x80\xC3secr'\"u00";
	SwRedactor	redactor = {0};
	uint32		state = 12345;
	bool		clean = true;

	sw_redactor_add(&redactor, "se\\cr'et\xC3\xA9\xF0\x9F\x98\x80");
	sw_redactor_add(&redactor, "\\\\\\\\");
	sw_redactor_add(&redactor, "''''");
	for (int round = 0; round < 20000; round++)
	{
		char		piece[64];
		char	   *text;
		char	   *got;
		int			n;

		for (n = 0; n < (int) sizeof(piece); n++)
		{
			state = state * 1664525 + 1013904223;
			piece[n] = pieces[(state >> 16) % (sizeof(pieces) - 1)];
		}
		n = (state >> 20) % 64;
		/* an exact allocation, so that one byte too far is seen */
		text = malloc(n + 1);
		memcpy(text, piece, n);
		got = sw_redact(&redactor, text, n, 40);
		clean = clean && strlen(got) <= 40;
		for (char *c = got; *c != '\0'; c++)
			clean = clean && (unsigned char) *c >= 0x20;
		pfree(got);
		free(text);
	}
	unit_ok(clean, "20000 hostile texts stay in bounds");
}

int
main(void)
{
	test_escaped_forms();
	test_base64();
	test_cut_secrets();
	test_other_text();
	test_harmless_text();
	test_hostile_text();
	return unit_done();
}
