/*-------------------------------------------------------------------------
 *
 * target_quote.c
 *	  Tests of sw_quote and sw_sqltext: what goes into the warehouse's SQL,
 *	  and how it is read.
 *
 *-------------------------------------------------------------------------
 */
#include "unit.h"

#include "target/sw_quote.h"
#include "target/sw_sqltext.h"

static void
quotes(const char *text, const char *as_name, const char *as_text)
{
	StringInfoData sql;

	initStringInfo(&sql);
	sw_quote_append_name(&sql, text);
	unit_is_text(sql.data, as_name, as_name);
	resetStringInfo(&sql);
	sw_quote_append_text(&sql, text);
	unit_is_text(sql.data, as_text, as_text);
	pfree(sql.data);
}

static void
test_quotes(void)
{
	quotes("plain", "`plain`", "'plain'");
	quotes("it's", "`it's`", "'it\\'s'");
	quotes("a`b", "`a\\`b`", "'a`b'");
	quotes("a\\b", "`a\\\\b`", "'a\\\\b'");
	quotes("\\'; DROP TABLE x --", "`\\\\'; DROP TABLE x --`",
		   "'\\\\\\'; DROP TABLE x --'");
	quotes("", "``", "''");
}

static void
checks_name(const char *name, bool good)
{
	SwError		err;

	unit_ok((sw_quote_check_name("table name", name, &err) == SW_OK) == good,
			name);
}

static void
test_names(void)
{
	checks_name("t", true);
	checks_name("a b.c-d\"'", true);
	checks_name("\xe4\xbd\xa0", true);
	checks_name("", false);
	checks_name("a`b", false);
	checks_name("a\\b", false);
	checks_name("a\nb", false);
	checks_name("a\x7f", false);
}

static void
checks_text(const char *text, const char *expected)
{
	SwError		err;
	SwStatus	status = sw_sqltext_check("ttl", text, &err);

	unit_is_text(status == SW_OK ? "ok" : err.message, expected, text);
}

static void
test_expressions(void)
{
	char		deep[200];
	static const char comment[] = "ttl has a comment or a quote without its end";
	static const char brackets[] = "ttl has brackets that don't match";

	checks_text("toDate(time) + INTERVAL 30 DAY", "ok");
	checks_text("f('a;b--c', `x;y`, \"#\", [1, {2}])", "ok");
	checks_text("'it''s', 'it\\'s', 'back\\\\'", "ok");
	checks_text("a - b / c * d", "ok");
	checks_text("", "ttl is empty");
	checks_text(" \t\n", "ttl is empty");
	checks_text("a; DROP TABLE t", "ttl has a semicolon");
	checks_text("a -- b", comment);
	checks_text("a /* b */", comment);
	checks_text("a # b", comment);
	checks_text("'a", comment);
	checks_text("'a\\'", comment);
	checks_text("`a", comment);
	checks_text("\"a''", comment);
	checks_text("(a", brackets);
	checks_text("a)", brackets);
	checks_text("(a]", brackets);
	checks_text("a) ENGINE = Log (", brackets);
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	checks_text(deep, "ttl has too many brackets");
}

static void
normalizes(const char *text, const char *expected)
{
	char	   *got = sw_sqltext_normalize(text, strlen(text));

	unit_is_text(got, expected, text);
	pfree(got);
}

static void
test_normal_form(void)
{
	normalizes("( `a` , \"b\" )", "a,b");
	normalizes("((a, b))", "a,b");
	normalizes("(a), (b)", "(a),(b)");
	normalizes("tuple()", "");
	normalizes("()", "");
	normalizes("toDate( `time` , 'Asia/Shanghai' )",
			   "toDate(time,'Asia/Shanghai')");
	normalizes("`a b`", "`a b`");
	normalizes("`1a`", "`1a`");
	normalizes("a  AS\nb", "a AS b");
	normalizes("DateTime64(3, 'UTC')", "DateTime64(3,'UTC')");
	normalizes("", "");
	normalizes("'unfinished", "'unfinished");
}

static void
splits(const char *comment, const char *words, const char *marker)
{
	const char *found;
	char	   *got = sw_quote_split_comment(comment, &found);

	unit_is_text(got, words, comment);
	unit_is_text(found == NULL ? "none" : found,
				 marker == NULL ? "none" : marker, "its marker");
	pfree(got);
}

static void
test_marker(void)
{
	SwError		err;
	char	   *comment;

	splits("", "", NULL);
	splits("words", "words", NULL);
	splits("sensorswave_export: {}", "", "{}");
	splits("words\nmore\nsensorswave_export: {\"p\": 1}", "words\nmore",
		   "{\"p\": 1}");
	splits("not at its beginning: sensorswave_export: {}",
		   "not at its beginning: sensorswave_export: {}", NULL);
	splits("sensorswave_export: {}\nwords behind", "sensorswave_export: {}\nwords behind",
		   NULL);

	comment = sw_quote_add_marker("words", "{}");
	splits(comment, "words", "{}");
	pfree(comment);
	comment = sw_quote_add_marker(NULL, "{}");
	splits(comment, "", "{}");
	pfree(comment);
	comment = sw_quote_add_marker("words", NULL);
	splits(comment, "words", NULL);
	pfree(comment);

	unit_ok(sw_quote_check_marker("{}", &err) == SW_OK, "a marker is a line");
	unit_ok(sw_quote_check_marker("a\nb", &err) != SW_OK, "not two");
	unit_ok(sw_quote_check_marker("", &err) != SW_OK, "nor none");
}

int
main(void)
{
	test_quotes();
	test_names();
	test_expressions();
	test_normal_form();
	test_marker();
	return unit_done();
}
