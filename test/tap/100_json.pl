# The JSON writer of src/source, inside a server: its text equals by value
# what the server prints, the two forms of JSON agree with each other and with
# the server about what is valid, declared properties are found and read, and
# what a target cannot hold is asked about.
#
# Documents are drawn by chance; SW_TEST_SEED repeats a run.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveTest qw(quote_text);
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $seed = $ENV{SW_TEST_SEED} || time();
my $n_documents = $ENV{SW_TEST_LONG} ? 50_000 : 5_000;
my @zones = qw(Asia/Shanghai America/New_York Australia/Lord_Howe
  Europe/London Pacific/Apia Africa/Monrovia Asia/Kathmandu UTC);

my $node = PostgreSQL::Test::Cluster->new('json');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;
srand($seed);
note "seed $seed: SW_TEST_SEED repeats it";

# ---- helpers ----

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# A call of the writer.
sub call_of
{
	my ($function, $document, %by) = @_;
	return "$function(" . quote_text($document) . ', '
	  . quote_text('{' . ($by{datetimes} // '') . '}') . ', '
	  . quote_text('{' . ($by{arrays} // '') . '}') . ', '
	  . quote_text($by{zone} // 'Asia/Shanghai') . ', '
	  . ($by{binary} ? 'true' : 'false') . ', '
	  . quote_text($by{verdict} // 'stop')
	  . ($by{limits} ? ", '{$by{limits}}')" : ')');
}

# What it makes of a document.
sub written_by
{
	return query('SELECT ' . call_of(@_));
}

# Both forms of a document come out as expected.
sub both_are
{
	my ($document, $expected, $what, %by) = @_;
	my ($binary, $text) = split /\x01/, query(q{SELECT concat_ws(E'\x01', }
		  . call_of('sw_test_json', $document, %by) . ', '
		  . call_of('sw_test_json_text', $document, %by) . ')');

	is($binary, $expected, "jsonb: $what");
	is($text, $expected, "text: $what");
	return;
}

# How many rows of what differs there are, and one of them.
sub none_differ
{
	my ($what, $n_expected, $sql) = @_;
	my ($n_rows, $n_differing, $example) = split /\x01/,
	  query("SELECT concat_ws(E'\\x01', count(*), count(*) FILTER (WHERE differs), "
		  . "left(min(example) FILTER (WHERE differs), 2000)) FROM ($sql) AS compared"), 3;

	is("$n_rows compared, $n_differing differ", "$n_expected compared, 0 differ", $what)
	  or diag("seed $seed, one of them: $example");
	return;
}

# Rows of texts into a table of one column.
sub fill_table
{
	my ($table, @texts) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/$table.txt";

	open my $out, '>:utf8', $file or die "$file: $!";
	print $out s/([\\\n\r\t])/sprintf('\\x%02x', ord $1)/ger, "\n" foreach @texts;
	close $out or die "$file: $!";
	query("CREATE TABLE $table (id serial, doc text);"
		  . "COPY $table (doc) FROM '$file'");
	return;
}

# ---- documents by chance ----

my @letters = (
	(map { chr } 32 .. 126), map { chr } 0xA0, 0xE9, 0x416, 0x4E2D, 0x2028, 0xFFFD, 0x1F600);

sub any_of
{
	return $_[ int rand @_ ];
}

# A character of a string, as it may be written.
sub draw_character
{
	my $kind = rand;

	return '\\' . any_of(qw(" \\ / b f n r t)) if $kind < 0.1;
	return sprintf('\\u%04x', any_of(1 .. 31, 0x7F, 0xE9, 0x4E2D, 0xFFFD)) if $kind < 0.2;
	return '\\ud83d\\uDE00' if $kind < 0.22;
	return any_of(@letters) =~ s/(["\\])/\\$1/r;
}

sub draw_string
{
	my ($max_length) = @_;
	my $length = int rand(rand() < 0.02 ? $max_length * 30 : $max_length);

	return '"' . join('', map { draw_character() } 1 .. $length) . '"';
}

sub draw_number
{
	my $kind = rand;
	my $sign = rand() < 0.3 ? '-' : '';
	my $digits = join '', any_of(1 .. 9), map { int rand 10 } 1 .. rand 25;

	return $sign . any_of(0, 1, 9, 10, 99, 9999, 10000, 123456789, '9223372036854775807',
		'9223372036854775808', '18446744073709551615', '0.1', '1.50', '0.00')
	  if $kind < 0.3;
	return $sign . int(rand 100000) if $kind < 0.6;
	return $sign . $digits if $kind < 0.7;
	return $sign . '0.' . '0' x int(rand 12) . $digits if $kind < 0.8;
	return "$sign$digits." . int(rand 1e6) . '0' x int(rand 5) if $kind < 0.9;
	return "$sign$digits.5" . any_of(qw(e E)) . any_of('', '+', '-') . int(rand 400);
}

sub draw_blanks
{
	return rand() < 0.8 ? '' : any_of(' ', "\n", "\t ", "\r\n");
}

# Some of them often, so that an object has some twice.
my @names = qw(t at b a tags x items b.t \u0062 a.b a.b.t .);

sub draw_value
{
	my ($depth) = @_;
	my $kind = rand;
	my @parts;

	return draw_blanks() . any_of(qw(true false null)) . draw_blanks() if $kind < 0.12;
	return draw_blanks() . draw_number() . draw_blanks() if $kind < 0.3;
	return draw_blanks() . draw_string(30) . draw_blanks() if $kind < 0.55 || $depth > 4;
	if ($kind < 0.75)
	{
		@parts = map { draw_value($depth + 1) } 1 .. rand(rand() < 0.03 ? 120 : 6);
		return '[' . draw_blanks() . join(',', @parts) . ']';
	}
	@parts = map {
		my $name = rand() < 0.4 ? '"' . any_of(@names) . '"' : draw_string(12);
		draw_blanks() . $name . draw_blanks() . ':' . draw_value($depth + 1)
	} 1 .. rand(rand() < 0.03 ? 120 : 8);
	return '{' . join(',', @parts) . draw_blanks() . '}';
}

# A date-time in one of many forms.
sub draw_datetime
{
	my $date = sprintf('%04d-%02d-%02d', 1900 + rand 200, 1 + rand 12, 1 + rand 28);
	my $time = sprintf('%02d:%02d:%02d', rand 24, rand 60, rand 60);
	my $fraction = any_of('', '.5', '.123456');
	my $offset = any_of('', 'Z', '+08:00', '-0330', '+14');

	return any_of(
		"\"${date}T$time$fraction$offset\"", "\"$date $time\"", "\"$date\"", 'null',
		int(rand 2e9), int(rand 2e12), '"' . int(1e12 + rand 1e12) . '"',
		"{\"\$date\":\"${date}T$time$offset\"}", '{"$date":' . int(rand 2e12) . '}',
		'{"$date":{"$numberLong":"' . int(rand 2e12) . '"}}',
		'"no date"', 'true', '{"a":1}', draw_value(6));
}

sub draw_document
{
	return draw_value(0) if rand() < 0.5;
	return sprintf(
		'{"t":%s,"b":{"t":%s},"items":[{"at":%s,"n":%s},{"tags":%s,"at":[%s,%s]}],"x":%s,"tags":%s}',
		draw_datetime(), draw_datetime(), draw_datetime(), draw_number(),
		any_of('null', '[]', '"a"', '[null]'), draw_datetime(), draw_datetime(),
		draw_value(1), any_of('null', '[1]', '{}'));
}

# ---- the module ----

create_module($node);
query(<<'SQL');
CREATE FUNCTION plain(document jsonb) RETURNS text LANGUAGE sql
	AS $$ SELECT sw_test_json(document, '{}', '{}', 'UTC', false, 'stop') $$;
CREATE FUNCTION is_json(document text) RETURNS bool LANGUAGE plpgsql
	AS $$ BEGIN PERFORM document::json; RETURN true;
	EXCEPTION WHEN data_exception THEN RETURN false; END $$;
SQL

# ---- equal by value ----

fill_table('events', split /\n/, do
	{
		open my $in, '-|:utf8', 'gzip', '-dc', "$top/test/data/github-events.jsonl.gz"
		  or die "gzip: $!";
		local $/;
		<$in>;
	});
none_differ('800 real events', 800, <<'SQL');
SELECT doc AS example, plain(doc::jsonb)::jsonb::text <> doc::jsonb::text
	OR sw_test_json_text(doc, '{}', '{}', 'UTC', true, 'stop') <> doc
	OR sw_test_json(doc::jsonb, '{}', '{}', 'UTC', true, 'stop')::jsonb::text <> doc::jsonb::text
	AS differs FROM events
SQL

fill_table('documents', map { draw_document() } 1 .. $n_documents);
none_differ("$n_documents documents by chance", $n_documents, <<'SQL');
SELECT doc AS example, plain(doc::jsonb)::jsonb::text <> doc::jsonb::text AS differs
	FROM documents
SQL
none_differ("$n_documents texts stay as they are", $n_documents, <<'SQL');
SELECT doc AS example,
	sw_test_json_text(doc, '{none is called that,such.path}', '{t.none is called that}', 'UTC', false, 'stop') <> doc AS differs
	FROM documents
SQL

# values of a column come with short headers, compressed, and out of line
query(<<'SQL');
CREATE TABLE stored (id int, doc jsonb);
INSERT INTO stored SELECT id, doc::jsonb FROM documents;
INSERT INTO stored SELECT id, jsonb_build_array(repeat(doc, 100), id) FROM events;
INSERT INTO stored SELECT n, jsonb_build_object('n', n, 's', repeat('x', n)) FROM generate_series(0, 200) n;
SQL
none_differ('documents of a table, however they are stored',
	$n_documents + 1001, <<'SQL');
SELECT id::text AS example, plain(doc)::jsonb::text <> doc::text AS differs FROM stored
SQL

my $numbers = $ENV{SW_TEST_LONG} ? 200_000 : 20_000;
query('SELECT setseed(' . ($seed % 1000) / 1000 . ');' . <<"SQL");
CREATE TABLE numbers AS SELECT
	CASE (random() * 7)::int
	WHEN 0 THEN round(n, (random() * 30)::int)
	WHEN 1 THEN n * power(10::numeric, (random() * 40 - 20)::int)
	WHEN 2 THEN trunc(n)
	WHEN 3 THEN (random() * 1e6)::int
	WHEN 4 THEN ((random() - 0.5) * 10 ^ (random() * 600 - 300)::int)::text::numeric
	WHEN 5 THEN power(10::numeric, (random() * 300 - 100)::int)
	WHEN 6 THEN 9223372036854775807::numeric + ((random() - 0.5) * 10)::int
	ELSE round((random() * 1e6)::numeric, 2) END AS n
	FROM (SELECT (CASE WHEN random() < 0.3 THEN -1 ELSE 1 END *
		(random() * 10 ^ (random() * 25)::int)::text::numeric + random()::numeric / 3) AS n
		FROM generate_series(1, $numbers)) AS drawn;
SQL
none_differ("$numbers numbers, digit for digit", $numbers,
	'SELECT n::text AS example, plain(to_jsonb(n)) <> n::text AS differs FROM numbers');
none_differ("$numbers numbers: those that a binary target holds", $numbers, <<'SQL');
SELECT n::text AS example, (left(sw_test_json(to_jsonb(n), '{}', '{}', 'UTC', true, 'text'), 1) <> '"')
	<> CASE WHEN n = trunc(n) AND n BETWEEN -9223372036854775808 AND 9223372036854775807 THEN true
		WHEN abs(n) > 1.7976931348623157e308 THEN false
		WHEN n <> 0 AND length(trim(BOTH '0' FROM replace(abs(n)::text, '.', ''))) <= 15
			AND abs(n) BETWEEN 1e-300 AND 1e300 THEN true
		ELSE n = n::float8::text::numeric END AS differs FROM numbers
SQL
none_differ("$numbers numbers: as they are where they are numbers", $numbers, <<'SQL');
SELECT n::text AS example, trim(BOTH '"' FROM split_part(sw_test_json(to_jsonb(n), '{}', '{}', 'UTC', true, 'text'), E'\n', 1))::numeric <> n AS differs
	FROM numbers
SQL

# ---- deep and large ----

is(query(q{SELECT plain((repeat('[', 3000) || repeat(']', 3000))::jsonb) = repeat('[', 3000) || repeat(']', 3000)}),
	't', 'arrays in arrays, 3,000 deep');
is(query(q{SELECT plain((repeat('{"a":', 1500) || '1' || repeat('}', 1500))::jsonb) = repeat('{"a":', 1500) || '1' || repeat('}', 1500)}),
	't', 'objects in objects, 1,500 deep');
my ($code, $out, $err) = $node->psql('postgres',
	q{SELECT sw_test_json_text(repeat('[', 10000000), '{}', '{}', 'UTC', false, 'stop')});
like($err, qr/stack depth limit exceeded/, 'a text of ten million brackets does no harm');
is(query(q{SELECT md5(plain(d)) = md5(d::text) FROM (SELECT to_jsonb(repeat(E'a"\n\u00e9xyz\\\\', 10000000)) AS d) AS large}),
	't', 'a string of 100 MB');
is(query(q{SELECT md5(plain(d)) = md5(replace(d::text, ' ', '')) FROM (SELECT jsonb_agg(n) AS d FROM generate_series(1, 1000000) n) AS large}),
	't', 'an array of a million numbers');
if ($ENV{SW_TEST_LONG})	# it takes 2 GB of memory
{
	($code, $out, $err) = $node->psql('postgres',
		q{SELECT length(plain(to_jsonb(repeat(E'\x01', 190000000))))});
	like($err, qr/cannot export a JSON document of more than 1073741823 bytes of text/,
		'a text larger than the server would make');
}

# ---- two forms, one answer ----

foreach my $by (
	[ '{t,b.t,items.at,x}', '{tags,items.tags}', 'false', 'text' ],
	[ '{t,b.t,items.at}', '{tags,items.tags,t}', 'true', 'null' ],
	[ '{items,a.b,t,x.t}', '{x,b}', 'true', 'clamp' ],
	[ '{t}', '{}', 'true', 'stop' ])
{
	my ($datetimes, $arrays, $binary, $verdict) = @$by;

	none_differ("both forms agree: $datetimes, $arrays, $binary, $verdict",
		$n_documents, <<"SQL");
SELECT doc AS example, CASE WHEN b LIKE '(stopped)%' OR t LIKE '(stopped)%'
		THEN left(b, 9) <> left(t, 9)
		ELSE b::jsonb::text <> t::jsonb::text END AS differs
	FROM (SELECT doc,
			split_part(sw_test_json(doc::jsonb, '$datetimes', '$arrays', 'Asia/Shanghai', $binary, '$verdict'), E'\\n', 1) AS b,
			regexp_replace(sw_test_json_text(doc, '$datetimes', '$arrays', 'Asia/Shanghai', $binary, '$verdict'),
				E'\\n(no datetime|datetime range|number) at .*', '') AS t
		FROM documents) AS both_forms
SQL
}

# ---- limits of binary targets ----

# The most containers around each other, the longest name, and of how many
# values that are not null the path, of names with dots in between, is taken.
query(<<'SQL');
CREATE FUNCTION shape_of(document jsonb, OUT depth int, OUT n_name int, OUT n_empty bigint, OUT n_taken bigint) LANGUAGE sql AS $$
	WITH RECURSIVE parts AS (
		SELECT document AS value, 0 AS depth, '0' AS scope, '' AS path, NULL AS name
		UNION ALL
		SELECT below.value, parts.depth + 1, below.scope, below.path, below.name FROM parts, LATERAL (
			SELECT m.value, parts.scope, CASE WHEN parts.name IS NULL THEN m.key ELSE parts.path || '.' || m.key END AS path, m.key AS name
				FROM jsonb_each(CASE WHEN jsonb_typeof(parts.value) = 'object' THEN parts.value ELSE '{}' END) AS m
			UNION ALL
			SELECT e.value, parts.scope || ' ' || parts.path || ' ' || e.n, '', NULL
				FROM jsonb_array_elements(CASE WHEN jsonb_typeof(parts.value) = 'array' THEN parts.value ELSE '[]' END) WITH ORDINALITY AS e (value, n)
		) AS below)
	SELECT max(parts.depth + (jsonb_typeof(value) IN ('object', 'array'))::int), max(octet_length(name)), count(*) FILTER (WHERE name = ''),
		count(*) FILTER (WHERE name IS NOT NULL AND jsonb_typeof(value) NOT IN ('object', 'null'))
			- count(DISTINCT (scope, path)) FILTER (WHERE name IS NOT NULL AND jsonb_typeof(value) NOT IN ('object', 'null'))
		FROM parts $$;
SQL
foreach my $by ([ '{3,4,0}', 'null' ], [ '{4,3,0}', 'clamp' ], [ '{2,20,0}', 'text' ],
	[ '{3,0,1}', 'null' ], [ '{1000,0,1}', 'clamp' ], [ '{1000,0,1}', 'text' ])
{
	my ($limits, $verdict) = @$by;
	my ($depth, $n_name, $is_flat) = $limits =~ /\d+/g;
	# a document that is no object gets an object around it
	my $around = $is_flat ? 1 : 0;

	query(<<"SQL");
CREATE TABLE shaped AS SELECT doc, split_part(told, E'\n', 1) AS b, told LIKE E'%\nnumber at <%' AS has_number,
	regexp_replace(sw_test_json_text(doc, '{}', '{}', 'UTC', true, '$verdict', '$limits'), E'\n(number|shape|name|path) at <.*', '') AS t
	FROM (SELECT doc, sw_test_json(doc::jsonb, '{}', '{}', 'UTC', true, '$verdict', '$limits') AS told
		FROM documents WHERE id % 5 = 0) AS written
SQL
	none_differ("limits $limits, $verdict: kept", $n_documents / 5, <<"SQL");
SELECT doc AS example, b <> '(null)' AND ((s.depth > $depth + $around) OR ($n_name > 0 AND (s.n_name > $n_name OR s.n_empty > 0))
	OR ($is_flat = 1 AND (s.n_taken > 0 OR left(b, 1) NOT IN ('{', 'n')))) AS differs
	FROM shaped LEFT JOIN LATERAL shape_of(CASE WHEN b <> '(null)' THEN b::jsonb END) AS s ON true
SQL
	# otherwise it depends on the order of members what becomes of one, and
	# on the spelling of a value what its text is
	none_differ("limits $limits, $verdict: both forms agree", $n_documents / 5, <<"SQL") if $verdict eq 'text' && $is_flat;
SELECT doc AS example, NOT has_number AND b::jsonb <> t::jsonb AS differs FROM shaped
SQL
	query('DROP TABLE shaped');
}
query('CREATE TABLE within AS SELECT doc FROM documents, shape_of(doc::jsonb) AS s'
	  . q{ WHERE id % 5 = 0 AND s.n_taken = 0 AND jsonb_typeof(doc::jsonb) = 'object'});
none_differ('documents within the limits stay as they are', query('SELECT count(*) FROM within'), <<'SQL');
SELECT doc AS example, sw_test_json(doc::jsonb, '{}', '{}', 'UTC', true, 'text', '{1000,0,1}') <> sw_test_json(doc::jsonb, '{}', '{}', 'UTC', true, 'text') AS differs
	FROM within
SQL

# ---- valid and invalid ----

fill_table('broken', map {
		my $document = draw_value(rand() < 0.5 ? 4 : 2);
		my $place = int rand(length($document));
		my $change = rand;

		$change < 0.3 ? substr($document, 0, $place)
		  : $change < 0.6 ? substr($document, 0, $place) . substr($document, $place ? $place - 1 : 0)
		  : $change < 0.8 ? substr($document, 0, $place) . any_of(split //, '{}[]",:\\-+.eE0u tfn') . substr($document, $place)
		  : substr($document, 0, $place) . substr($document, $place + 1);
} 1 .. $n_documents);
none_differ("$n_documents texts, many of them broken: invalid where the server says so",
	$n_documents, <<'SQL');
SELECT doc AS example,
	(sw_test_json_text(doc, '{}', '{}', 'UTC', false, 'stop') NOT LIKE '(stopped)%') <> is_json(doc) AS differs
	FROM broken
SQL
cmp_ok(query('SELECT count(*) FROM broken WHERE NOT is_json(doc)'),
	'>', $n_documents / 4, 'enough of them were broken');

is(written_by('sw_test_json_text', '{"a": [1,}', verdict => 'stop'),
	"(stopped)\ninvalid at <>: }", 'what is no JSON is told');
is(written_by('sw_test_json_text', 'oh "no"', verdict => 'null'),
	"(null)\ninvalid at <>: oh \"no\"", 'or null');
is(written_by('sw_test_json_text', 'oh "no"', verdict => 'text'),
	"\"oh \\\"no\\\"\"\ninvalid at <>: oh \"no\"", 'or a string');
is(written_by('sw_test_json_text', " {\"b\" : 1, \"b\":2.50,\n\"a\":\"\\u00e9\\/\"} "),
	" {\"b\" : 1, \"b\":2.50,\n\"a\":\"\\u00e9\\/\"} ", 'blanks, order, duplicates and spelling stay');

# ---- characters and numbers of binary targets ----

my $odd = '{"a":["x\u0000y","\ud83dz","\ude00","\ud83d\ude00"],"k\u0000":1}';
is(written_by('sw_test_json_text', $odd, binary => 0), $odd, 'a text target keeps any character');
is(written_by('sw_test_json_text', $odd, binary => 1, verdict => 'clamp'),
	<<'EXPECTED' =~ s/\n\z//r, 'a binary target: the replacement character');
{"a":["x\ufffdy","\ufffdz","\ufffd","\ud83d\ude00"],"k\ufffd":1}
character at <a[0]>: "x\u0000y"
character at <a[1]>: "\ud83dz"
character at <a[2]>: "\ude00"
character at <k\u0000>: "k\u0000"
EXPECTED
like(written_by('sw_test_json_text', $odd, binary => 1, verdict => 'text'),
	qr/^@{[ quotemeta '{"a":["x\\\\u0000y","\\\\ud83dz","\\\\ude00","\ud83d\ude00"],"k\\\\u0000":1}' ]}\n/, 'spelled out');
like(written_by('sw_test_json_text', $odd, binary => 1, verdict => 'null'),
	qr/^@{[ quotemeta '{"a":[null,null,null,"\ud83d\ude00"],"k\ufffd":1}' ]}\n/, 'null');
like(written_by('sw_test_json_text', $odd, binary => 1), qr/^\(stopped\)\n[^\n]*\z/, 'stopped at the first');

my $large = '{"n":[9223372036854775808,0.1,-9223372036854775808,1.23456789012345678,1e22]}';
is(written_by('sw_test_json_text', $large), $large, 'a text target keeps any number');
is(written_by('sw_test_json_text', $large, binary => 1, verdict => 'clamp'),
	<<'EXPECTED' =~ s/\n\z//r, 'a binary target: the nearest double');
{"n":[9.223372036854776e+18,0.1,-9223372036854775808,1.2345678901234567,1e22]}
number at <n[0]>: 9223372036854775808
number at <n[3]>: 1.23456789012345678
EXPECTED

# Digits alone beyond 64 bits are no number to readers of binary JSON.
my $round = '[100000000000000000000,-1' . '0' x 300 . ',1' . '0' x 18 . ']';
foreach my $function (qw(sw_test_json sw_test_json_text))
{
	is(written_by($function, $round), $round, "$function: a text target keeps all digits");
	is(written_by($function, $round, binary => 1), '[1e+20,-1e+300,1000000000000000000]',
		"$function: a binary one gets a double written as one");
}
is(written_by('sw_test_json', '[1e400,-1e400,1e-400]', binary => 1, verdict => 'clamp') =~ s/\n.*//sr,
	'[1.7976931348623157e+308,-1.7976931348623157e+308,0]', 'beyond all doubles');
is(written_by('sw_test_json', '12345678901234567890', binary => 1, verdict => 'text'),
	"\"12345678901234567890\"\nnumber at <>: 12345678901234567890", 'a document that is one number');

# ---- documents beyond the limits of a binary target ----

sub within
{
	my ($document, $limits, $verdict, $expected, $what) = @_;
	both_are($document, $expected, "$what: $verdict", binary => 1, limits => $limits, verdict => $verdict);
	return;
}

is(written_by('sw_test_json_text', '{"a": 1, "b": {"c":1,"\u0063" :2}, "a" :3}', binary => 1),
	'{"b": {"\u0063" :2}, "a" :3}', 'of members of one name the last one');
is(written_by('sw_test_json_text', '[{"t":"no date","t":0},{"n":1e999,"n":1}]', binary => 1, datetimes => 't'),
	'[{"t":"1970-01-01 08:00:00.000"},{"n":1}]', 'and what is left out is not judged');
is(written_by('sw_test_json_text', '{"a":[1,},"a":2}', binary => 1),
	"(stopped)\ninvalid at <>: },\"a\":2}", 'but has to be JSON');
is(query(q{SELECT md5(sw_test_json_text(d, '{}', '{}', 'UTC', true, 'stop')) = md5(replace(d::jsonb::text, ' ', '')) FROM (SELECT '{' ||
		string_agg(format('"%s":%s', CASE WHEN n % 2 = 0 THEN lpad(n::text, 7, '0') ELSE '1' END, n), ',' ORDER BY n % 2 DESC, n) || '}' AS d FROM generate_series(1, 100000) n) AS x}),
	't', 'fifty thousand members of one name');

my $deep = '{"a":[[1,{"b":2}]],"c":[[]]}';
within($deep, '4,0,0', 'stop', $deep, 'deep enough');
within($deep, '3,0,0', 'stop', "(stopped)\nshape at <a[0][1]>: {\"b\":2}", 'too deep');
within($deep, '3,0,0', 'null', "{\"a\":[[1,null]],\"c\":[[]]}\nshape at <a[0][1]>: {\"b\":2}", 'too deep');
within($deep, '2,0,0', 'text', "{\"a\":[\"[1,{\\\"b\\\":2}]\"],\"c\":[\"[]\"]}\nshape at <a[0]>: [1,{\"b\":2}]\nshape at <c[0]>: []", 'too deep');

my $named = '{"":1,"é1":2,"éé":{"a":3}}';
within('{"é":2,"abc":{"a":3}}', '9,3,0', 'stop', '{"é":2,"abc":{"a":3}}', 'short names');
within($named, '9,3,0', 'stop', "(stopped)\nname at <>: \"\"", 'an empty name');
within($named, '9,3,0', $_, "{\"_\":1,\"é1\":2,\"é\":{\"a\":3}}\nname at <>: \"\"\nname at <éé>: \"éé\"", 'names that do not fit') foreach qw(null clamp text);
is(written_by('sw_test_json_text', '{"\u00e9\n\n": 1, "x" : "\n"}', binary => 1, limits => '9,3,0', verdict => 'text'),
	"{\"\\u00e9\\n\": 1, \"x\" : \"\\n\"}\nname at <\\u00e9\\n\\n>: \"\\u00e9\\n\\n\"", 'names with escapes');

within($_, '9,0,1', 'stop', $_, 'one path each')
  foreach '{"a":{"b":1},"b":{"b":1},"b.a":1}', '{"a":{"b":null},"a.b":1}', '{"a":{"b":{}},"a.b":{"c":1}}', '{"a":[{"b":1},{"b":1}],"a.b":1}', 'null';
foreach my $value ('2', '[2]', '""')
{
	my $document = "{\"a\":{\"b\":1},\"a.b\":$value}";

	within($document, '9,0,1', 'stop', "(stopped)\npath at <a.b>: $value", 'one path of two values');
	within($document, '9,0,1', $_, "{\"a\":{\"b\":1},\"a.b\":null}\npath at <a.b>: $value", 'one path of two values') foreach qw(null clamp);
	within($document, '9,0,1', 'text', "{\"a\":{\"b\":1},\"a%2Eb\":$value}\npath at <a.b>: $value", 'one path of two values');
}
within('[{"a":{"":1},"x":[[{"b":{"c":1},"b.c":2}]],"a.":2}]', '2,0,1', 'text',
	qq({"value":[{"a":"{\\"\\":1}","x":"[[{\\"b\\":{\\"c\\":1},\\"b.c\\":2}]]","a.":2}]}\nshape at <>: [{"a":{"":1},"x":[[{"b":{"c":1},"b.c":2}]],"a.":2}]\nshape at <[0].a>: {"":1}\nshape at <[0].x>: [[{"b":{"c":1},"b.c":2}]]),
	'several at once');
is(written_by('sw_test_json_text', '{"a" : {"\u002e": 1}, "a\u002e." :2, "c":[{}, {"d.e":{},"d":{"e":1}, "d.e":2 }]}', binary => 1, limits => '9,0,1', verdict => 'text'),
	"{\"a\" : {\"%2E\": 1}, \"a%2E%2E\" :2, \"c\":[{}, {\"d\":{\"e\":1}, \"d%2Ee\":2 }]}\npath at <a\\u002e.>: 2", 'names with escapes, asked about once');
both_are('{"a":{"%":2,"b":1},"a.b":4,"a%2Eb":3}', qq({"a":{"%25":2,"b":1},"a%2Eb":4,"a%252Eb":3}\npath at <a.b>: 4),
	'names with what stands for a dot', binary => 1, limits => '9,0,1', verdict => 'text');
is(written_by('sw_test_json_text', '{"k\ufffd":0,"k\u0000":1,"\u006b\ud800":2}', binary => 1, limits => '9,0,1', verdict => 'clamp') =~ s/\n.*//sr,
	'{"\u006b\ufffd":2}', 'of names that become one the last one stays');
within($_, '9,0,1', 'stop', "(stopped)\nshape at <>: $_", 'no object') foreach '[1,2]', '1', '"a"';
within('[1,2]', '9,0,1', 'null', "(null)\nshape at <>: [1,2]", 'no object');
within('"a"', '9,0,1', $_, "{\"value\":\"a\"}\nshape at <>: \"a\"", 'no object') foreach qw(clamp text);

# ---- declared properties ----

both_are('{"t":"2024-01-01T00:00:00Z"}', '{"t":"2024-01-01 08:00:00.000"}',
	'a name', datetimes => 't');
both_are('{"a":{"t":"2024-01-01T00:00:00Z"},"t":"2024-01-01T00:00:00Z"}',
	'{"a":{"t":"2024-01-01T00:00:00Z"},"t":"2024-01-01 08:00:00.000"}',
	'a name is of the root', datetimes => 't');
both_are('{"a":[{"t":0},[{"t":[1,null]}],7]}',
	'{"a":[{"t":"1970-01-01 08:00:00.000"},[{"t":["1970-01-01 08:00:01.000",null]}],7]}',
	'a path goes through arrays', datetimes => 'a.t');
both_are('[{"t":0}]', '[{"t":"1970-01-01 08:00:00.000"}]', 'from the root on', datetimes => 't');
both_are('{"a":{"t":0},"a.t":0}',
	'{"a":{"t":"1970-01-01 08:00:00.000"},"a.t":"1970-01-01 08:00:00.000"}',
	'a name with a dot', datetimes => 'a.t');
both_are('{"a":0,"b":0,"c":0,"dd":0,"ee":0}',
	'{"a":0,"b":"1970-01-01 08:00:00.000","c":0,"dd":0,"ee":"1970-01-01 08:00:00.000"}',
	'many names', datetimes => 'ee,b,zz,"",ddd');
is(written_by('sw_test_json_text', '{"\u65e5\u671f":0,"\u0074":0}', datetimes => '日期,t'),
	'{"\u65e5\u671f":"1970-01-01 08:00:00.000","\u0074":"1970-01-01 08:00:00.000"}',
	'names with escapes');
is(written_by('sw_test_json_text', '{"t":"2024-01-01T00:00:00\u002b08:00"}', datetimes => 't'),
	'{"t":"2024-01-01 00:00:00.000"}', 'a date-time with escapes');
both_are('{"a":null,"b":{"a":null},"c":[null,{"a":null}],"d":[null]}',
	'{"a":[],"b":{"a":null},"c":[null,{"a":[]}],"d":[null]}',
	'null arrays', arrays => 'a,c.a,d,no');
both_are('{"a":null,"b":null}', '{"a":[],"b":null}', 'null date-times', arrays => 'a', datetimes => 'a,b');

my $day = '2021-07-21 14:00:00.000';
foreach my $form (
	'"2021-07-21T06:00:00Z"', '"2021-07-21T06:00:00.000000Z"', '"2021-07-21t14:00:00.0+08:00"',
	'"2021-07-21 02:00:00-04"', '"2021-07-21T02:00-0400"', '"2021-07-21T14:00:00"', '"2021-07-21 14:00"',
	'"20210721T140000"', '"20210721T060000Z"', '"20210721140000"', '1626847200', '1626847200.0004',
	'1626847200000', '1626847200000999', '"1626847200"', '"1626847200000"',
	'{"$date":"2021-07-21T06:00:00Z"}', '{"$date":1626847200000}', '{"$date":{"$numberLong":"1626847200000"}}',
	'{"$date":{"$numberLong":1626847200000}}')
{
	both_are("{\"t\":$form}", "{\"t\":\"$day\"}", "$form is read", datetimes => 't');
}
is(written_by('sw_test_json_text', '{"t": { "$date" : { "$numberLong" : "1626847200000" } } }', datetimes => 't'),
	"{\"t\": \"$day\" }", 'blanks do not matter');
both_are('{"t":{"$date":1626847200}}', '{"t":"1970-01-20 03:54:07.200"}',
	'$date counts milliseconds, whatever their number', datetimes => 't');

foreach my $form ('"yesterday"', '""', 'true', '{"$date":true}', '{"a":1}', '"2021-02-30"', '"2021"')
{
	both_are("{\"t\":$form}", "{\"t\":null}\nno datetime at <t>: $form", "$form: null",
		datetimes => 't', verdict => 'null');
	both_are("{\"t\":$form}", "{\"t\":$form}\nno datetime at <t>: $form", "$form: kept as text",
		datetimes => 't', verdict => 'text');
	both_are("{\"t\":$form}", "(stopped)\nno datetime at <t>: $form", "$form: stopped",
		datetimes => 't');
}
both_are('{"t":["9999-12-31T23:59:59Z","0001-01-01T00:00:00+10:00"]}',
	"{\"t\":[\"9999-12-31 23:59:59.999\",\"0001-01-01 00:00:00.000\"]}\n"
	  . "datetime range at <t[0]>: \"9999-12-31T23:59:59Z\"\n"
	  . 'datetime range at <t[1]>: "0001-01-01T00:00:00+10:00"',
	'years before 1 and after 9999', datetimes => 't', verdict => 'clamp');

# ---- zones ----

query(<<'SQL');
CREATE FUNCTION shown(instant timestamptz, zone text) RETURNS text LANGUAGE sql
	AS $$ SELECT to_char(instant AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI:SS.MS') $$;
CREATE FUNCTION written(local timestamp) RETURNS text LANGUAGE sql
	AS $$ SELECT to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS.MS') $$;
CREATE FUNCTION ms(local timestamp) RETURNS bigint LANGUAGE sql
	AS $$ SELECT (extract(epoch FROM local) * 1000)::bigint $$;
-- wall clock times within a day of a change of the clock
CREATE FUNCTION times_near_changes(zone text) RETURNS SETOF timestamp LANGUAGE sql AS $$
	SELECT day AT TIME ZONE zone + step * interval '10 min 0.007 s'
		FROM generate_series(timestamptz '1880-01-01 UTC', '2150-01-01 UTC', '1 day') AS day,
			generate_series(-144, 288) AS step
		WHERE (day AT TIME ZONE zone) - (day AT TIME ZONE 'UTC') <>
			((day + '1 day') AT TIME ZONE zone) - ((day + '1 day') AT TIME ZONE 'UTC') $$;
SQL
my $n_times = 2_000;
foreach my $zone (@zones)
{
	none_differ("$zone: instants from 1880 to 2400, as the server shows them", $n_times, <<"SQL");
SELECT t::text AS example,
	sw_test_json(jsonb_build_object('t', jsonb_build_array(t, t + interval '1 h', t - interval '100 d', t + interval '100 d')), '{t}', '{}', '$zone', false, 'stop') <>
	format('{"t":["%s","%s","%s","%s"]}', shown(t, '$zone'), shown(t + interval '1 h', '$zone'), shown(t - interval '100 d', '$zone'), shown(t + interval '100 d', '$zone')) AS differs
	FROM (SELECT timestamptz '1880-01-01 UTC' + (random() * 16e12)::bigint * interval '1 ms' AS t
		FROM generate_series(1, $n_times)) AS drawn
SQL
	next if $zone eq 'UTC';
	query("CREATE TABLE times AS SELECT t FROM times_near_changes('$zone') AS t ORDER BY random() LIMIT $n_times");
	none_differ("$zone: wall clock times near changes, as the server reads them",
		query('SELECT count(*) FROM times'), <<"SQL");
SELECT t::text AS example,
	sw_test_json(jsonb_build_object('t', written(t)), '{t}', '{}', '$zone', false, 'stop') <>
	format('{"t":"%s"}', shown(t AT TIME ZONE '$zone', '$zone')) AS differs FROM times
SQL
	none_differ("$zone: the first instant that shows them",
		query('SELECT count(*) FROM times'), <<"SQL");
SELECT t::text || ' ' || found::text AS example, found <> coalesce(
		(SELECT min(ms((t - o) AT TIME ZONE 'UTC' AT TIME ZONE 'UTC')) FROM unnest(ARRAY[before, after]) AS o
			WHERE (t - o) AT TIME ZONE 'UTC' AT TIME ZONE '$zone' = t),
		ms(t AT TIME ZONE '$zone' AT TIME ZONE 'UTC')) AS differs
	FROM (SELECT t, sw_test_json_zone('$zone', ms(t)) AS found,
			(d AT TIME ZONE '$zone') - (d AT TIME ZONE 'UTC') AS before,
			(e AT TIME ZONE '$zone') - (e AT TIME ZONE 'UTC') AS after
		FROM times, LATERAL (SELECT (t - interval '1 day') AT TIME ZONE 'UTC' AS d,
			(t + interval '1 day') AT TIME ZONE 'UTC' AS e) AS around) AS read
SQL
	query('DROP TABLE times');
}

foreach my $case (
	[ 'Asia/Shanghai', '1986-05-04 02:30', '1986-05-04 03:30', 'skipped in spring' ],
	[ 'Asia/Shanghai', '1991-09-15 01:30', '1991-09-15 01:30', 'shown twice in autumn' ],
	[ 'America/New_York', '2024-03-10 02:30', '2024-03-10 03:30', 'skipped in spring' ],
	[ 'America/New_York', '2024-11-03 01:30', '2024-11-03 01:30', 'shown twice in autumn' ],
	[ 'Australia/Lord_Howe', '2024-10-06 02:15', '2024-10-06 02:45', 'half an hour skipped' ],
	[ 'Pacific/Apia', '2011-12-30 12:00', '2011-12-31 12:00', 'a day left out' ])
{
	my ($zone, $written, $shown, $what) = @$case;

	both_are("{\"t\":\"$written\"}", "{\"t\":\"$shown:00.000\"}", "$zone $written: $what",
		datetimes => 't', zone => $zone);
}
is(query("SELECT sw_test_json_zone('America/New_York', ms('2024-11-03 01:30')) = ms('2024-11-03 05:30')"),
	't', 'of two instants the first, in New York');
is(query("SELECT sw_test_json_zone('Asia/Shanghai', ms('1991-09-15 01:30')) = ms('1991-09-14 16:30')"),
	't', 'and in Shanghai');

# ---- speed ----

my $ratio = query(<<'SQL');
SELECT round((theirs / ours)::numeric, 1) FROM (
	SELECT sw_test_json_speed(docs, '{}', true, false, 20) AS ours,
		sw_test_json_speed(docs, '{}', false, false, 20) AS theirs
	FROM (SELECT array_agg(doc::jsonb -> 'actor') AS docs FROM events) AS all_docs) AS measured
SQL
cmp_ok($ratio, '>=', 2, 'at least twice as fast as the server');
note "$ratio times as fast as the server";

done_testing();
