# Values from Postgres to a warehouse: every type, its edges and 10,000 random
# values of it, through pipelines of data source table and full copies. Read
# back by ClickHouse from Native and Parquet files, by the ByteHouse front, and
# the Parquet files by DuckDB as well, and compared value by value.
#
# Random values are drawn from a seed; SW_TEST_SEED repeats a run.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $seed = $ENV{SW_TEST_SEED} || time();
my $n_random = $ENV{SW_TEST_LONG} ? 10_000 : 1_000;
note "seed $seed: SW_TEST_SEED repeats it";

my $sandbox = SensorswaveSandbox->new('values');
my $node = make_node('values', $sandbox);
my $prelude = "SET timezone = 'Asia/Shanghai'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex';\n";

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION sensorswave_export;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', '开心');
CREATE TYPE place AS (street text, number int, tags text[]);
CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN moods AS mood[];
CREATE DOMAIN percents AS percent[];
CREATE DOMAIN address AS place;
CREATE TYPE visit AS (at timestamptz, "the place" place, document jsonb, scores real[], mood mood, share percent, shares percents, places place[], pairs hstore);
CREATE TABLE walk (gone int, id bigint, visits visit[], lost int, home address, clock time);
ALTER TABLE walk DROP COLUMN gone, DROP COLUMN lost;
-- Values of types that only the server makes.
CREATE TABLE made (a int DEFAULT 7, b int);
INSERT INTO made SELECT i % 3, i % 3 FROM generate_series(1, 100) AS i;
CREATE STATISTICS made_of (ndistinct, dependencies, mcv) ON a, b FROM made;
ANALYZE made;

-- Any of n values, from 0 on.
CREATE FUNCTION below(n float8) RETURNS bigint LANGUAGE sql VOLATILE
	AS 'SELECT floor(random() * n)::bigint';
CREATE FUNCTION any_bigint() RETURNS bigint LANGUAGE sql VOLATILE
	AS $$ SELECT ('x' || substr(md5(random()::text), 1, 16))::bit(64)::bigint >> below(63)::int $$;
-- Of up to p digits, s of them behind the point.
CREATE FUNCTION any_numeric(p int, s int) RETURNS numeric LANGUAGE sql VOLATILE AS $$
	SELECT (sign(random() - 0.5)::numeric * left(regexp_replace(md5(random()::text) || md5(random()::text) || md5(random()::text) || md5(random()::text),
		'[a-f]', '', 'g') || repeat('7', 80), 1 + below(p)::int)::numeric) / (10::numeric ^ s) $$;
CREATE FUNCTION any_text(n int) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(string_agg(substr(E'abc XYZ019"''\\/,;{}\t\n\r\x01\x1f\x7féß导出🐘', 1 + below(32)::int, 1), ''), '')
	FROM generate_series(1, below(n)) WHERE random() >= 0 $$;
CREATE FUNCTION any_timestamp() RETURNS timestamp LANGUAGE sql VOLATILE
	AS $$ SELECT timestamp '1900-01-02' + below(12590000000 * 1e6) * interval '1 microsecond' $$;
-- Numbers of up to p digits, and integers of 64 bits; names begin so.
CREATE FUNCTION any_json(depth int, p int, prefix text = '') RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN CASE below(CASE WHEN depth > 3 THEN 5 ELSE 8 END)
		WHEN 0 THEN 'null' WHEN 1 THEN to_jsonb(random() < 0.5) WHEN 2 THEN to_jsonb(any_numeric(p, 6)) WHEN 3 THEN to_jsonb(any_bigint())
		WHEN 4 THEN to_jsonb(any_text(20))
		WHEN 5 THEN (SELECT coalesce(jsonb_agg(any_json(depth + 1, p, prefix)), '[]') FROM generate_series(1, below(4)))
		ELSE (SELECT coalesce(jsonb_object_agg(prefix || any_text(6), any_json(depth + 1, p, prefix)), '{}') FROM generate_series(1, below(5))) END;
END $$;
CREATE FUNCTION any_place() RETURNS place LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.9 THEN ROW(any_text(9), CASE WHEN random() < 0.8 THEN below(99) END,
		CASE below(4) WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[any_text(5), NULL] END)::place END $$;
CREATE FUNCTION any_visit() RETURNS visit LANGUAGE sql VOLATILE AS $$
	SELECT ROW(any_timestamp() AT TIME ZONE 'UTC', any_place(), CASE WHEN random() < 0.8 THEN any_json(0, 15) END,
		ARRAY[random(), NULL, 'NaN']::real[], (enum_range(NULL::mood))[1 + below(5)], (random() * 100)::numeric(5, 2),
		ARRAY[random() * 100, NULL]::numeric(5, 2)[], ARRAY[any_place(), NULL, any_place()], hstore(any_text(3), any_text(3)))::visit $$;
CREATE FUNCTION any_walk() RETURNS walk LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	made walk;
BEGIN
	made.id = any_bigint();
	made.visits = CASE WHEN random() < 0.5 THEN ARRAY[any_visit(), NULL] END;
	made.home = any_place();
	made.clock = time '00:00' + below(86400e6) * interval '1 microsecond';
	RETURN made;
END $$;
SQL

# ---- how values are told ----

# For each way: what Postgres, ClickHouse and DuckDB say of a value. V is the
# value, S a scale. A fourth and a fifth tell otherwise than Postgres of what
# ByteHouse has, and of what is in the file. What each prints in its own way
# is marked, to be made the same afterwards.
my $micros = '(extract(epoch FROM V) * 1000000)::bigint::text';
my $char = q{CASE WHEN V::int < 0 THEN '\\' || ((V::int + 256) >> 6) || ((V::int + 256) >> 3 & 7) || (V::int & 7) ELSE V::text END};
my %ways = (
	plain => [ 'V::text', 'toString(V)', 'V::varchar' ],
	text => [ "encode(convert_to(CASE WHEN V IS NOT NULL THEN format('%s', V) END, 'UTF8'), 'hex')", 'lower(hex(V))', 'lower(hex(V))' ],
	char => [ "encode(convert_to($char, 'UTF8'), 'hex')", 'lower(hex(V))', 'lower(hex(V))' ],
	dimensions => [ "encode(convert_to(array_to_json(V)::text, 'UTF8'), 'hex')", 'lower(hex(V))', 'lower(hex(V))' ],
	bytes => [ "encode(V, 'hex')", 'lower(hex(V))', 'lower(hex(V))' ],
	bool => [ 'V::int::text', 'toString(toUInt8(V))', 'V::int::varchar' ],
	real => [ "'real:' || V::text", "concat('real:', toString(V))", "'real:' || V::varchar" ],
	double => [ "'double:' || V::text", "concat('double:', toString(V))", "'double:' || V::varchar" ],
	decimal => [ "'decimal:' || V::text", "concat('decimal:', toDecimalString(V, S))", "'decimal:' || V::varchar" ],
	wide => [ 'V::text', 'toDecimalString(V, S)', undef ],
	json => [ "'json:' || encode(convert_to(V::jsonb::text, 'UTF8'), 'hex')", "concat('json:', lower(hex(V)))", "'json:' || lower(hex(V))" ],
	date => [ "(V - date '1970-01-01')::text", 'toString(toInt32(V))', 'V::varchar' ],
	instant => [ $micros, 'toString(toUnixTimestamp64Micro(V))', 'V::varchar' ],
	time => [ "to_char(V, 'HH24:MI:SS.US')", 'toString(V)', 'V::varchar', 'V::text', $micros ],
	map => [
		map { s/\s+/ /gr }
		  "concat((SELECT string_agg(m, '|' ORDER BY m COLLATE \"C\") FROM (SELECT encode(convert_to(key, 'UTF8'), 'hex') || '='
			|| coalesce(encode(convert_to(value, 'UTF8'), 'hex'), 'null') AS m FROM each(V)) AS x), '.')",
		"concat(arrayStringConcat(arraySort(arrayMap((k, v) -> concat(lower(hex(k)), '=', ifNull(lower(hex(v)), 'null')), mapKeys(V), mapValues(V))), '|'), '.')",
		"concat(array_to_string(list_sort(list_transform(map_entries(V), lambda e: concat(lower(hex(e.key)), '=', coalesce(lower(hex(e.value)), 'null')))), '|'), '.')"
	]);

# Containers: of members, and of fields.
sub array_of { return { array => $_[0] } }
sub tuple_of { return { tuple => [@_] } }

my $place = tuple_of([ street => 'text' ], [ number => 'plain' ], [ tags => array_of('text') ]);
my $visit = tuple_of([ at => 'instant' ], [ 'the place' => $place ], [ document => 'json' ], [ scores => array_of('real') ],
	[ mood => 'text' ], [ share => 'decimal 2' ], [ shares => array_of('decimal 2') ], [ places => array_of($place) ], [ pairs => 'map' ]);

# What an engine is to say of a value that is told so; undef: it can't.
my ($POSTGRES, $CLICKHOUSE, $DUCKDB, $BYTEHOUSE, $FILE) = (0 .. 4);

sub tell_value
{
	my ($engine, $way, $value, $depth) = @_;
	return tell_array($engine, $way->{array}, $value, $depth) if ref $way && $way->{array};
	return tell_tuple($engine, $way->{tuple}, $value, $depth) if ref $way;
	my ($name, $scale) = split / /, $way;
	my $sql = $ways{$name}[$engine] // ($engine > $DUCKDB ? $ways{$name}[$POSTGRES] : undef);
	return defined $sql ? $sql =~ s/\bV\b/$value/gr =~ s/\bS\b/$scale/gr : undef;
}

sub tell_array
{
	my ($engine, $way, $value, $depth) = @_;
	my $member = tell_value($engine, $way, $engine == $CLICKHOUSE || $engine == $DUCKDB ? "m$depth" : "($value)[i$depth]", $depth + 1);
	return undef if !defined $member;
	return "concat('[', arrayStringConcat(arrayMap(m$depth -> ifNull($member, 'null'), $value), '|'), ']')" if $engine == $CLICKHOUSE;
	return "concat('[', array_to_string(list_transform($value, lambda m$depth: coalesce($member, 'null')), '|'), ']')" if $engine == $DUCKDB;
	return "concat('[', (SELECT string_agg(coalesce($member, 'null'), '|' ORDER BY i$depth) FROM generate_subscripts($value, 1) AS i$depth), ']')";
}

sub tell_tuple
{
	my ($engine, $fields, $value, $depth) = @_;
	my @told;
	foreach my $i (0 .. $#$fields)
	{
		my ($name, $way) = @{ $fields->[$i] };
		my $field = tell_value($engine, $way,
			$engine == $CLICKHOUSE ? "tupleElement($value, ${\ ($i + 1) })"
			: $engine == $DUCKDB ? "struct_extract($value, '$name')" : qq{($value)."$name"}, $depth);
		return undef if !defined $field;
		push @told, ($engine == $CLICKHOUSE ? 'ifNull' : 'coalesce') . "($field, 'null')";
	}
	return "concat('(', " . join(", ';', ", @told) . ", ')')";
}

# ---- the families ----

# Each type: way, SQL of a random value, SQL of edge values.
my @families = (
	[ 'integers',
		[ 'boolean', 'bool', 'random() < 0.5', qw(true false) ],
		[ 'smallint', 'plain', 'below(65536) - 32768', qw(-32768 32767 0 -1) ],
		[ 'integer', 'plain', 'any_bigint() >> 32', qw((-2147483648) 2147483647 0 -1) ],
		[ 'bigint', 'plain', 'any_bigint()', qw((-9223372036854775808) 9223372036854775807 0 -1) ],
		[ 'oid', 'plain', 'below(4294967296)', qw(0 4294967295) ],
		[ 'xid', 'plain', 'below(4294967296)::text::xid', qw('0' '4294967295') ],
		[ 'cid', 'plain', 'below(4294967296)::text::cid', qw('0' '4294967295') ],
		[ 'xid8', 'text', 'any_bigint()::text::xid8', qw('0' '18446744073709551615') ],
		[ 'int2vector', array_of('plain'), "format('%s %s', below(9) - 32768, below(9))::int2vector", qw('' '1' '-32768'), "'32767 0 -1'" ],
		[ 'oidvector', array_of('plain'), "format('%s %s', below(4294967296), below(9))::oidvector", qw('' '4294967295'), "'0 1 2'" ] ],
	[ 'floats',
		[ 'real', 'real', '(random() - 0.5) * 10 ^ (below(75) - 37)', "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "'1e-45'", "'3.4028235e38'", "'1.17549435e-38'", '0.1' ],
		[ 'double precision', 'double', '(random() - 0.5) * 10 ^ (below(600) - 300)', "'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "'5e-324'",
			"'1.7976931348623157e308'", "'2.2250738585072014e-308'", '0.1' ] ],
	[ 'numbers',
		[ 'numeric(1,0)', 'decimal 0', 'any_numeric(1, 0)', qw(9 -9 0) ],
		[ 'numeric(9,2)', 'decimal 2', 'any_numeric(9, 2)', qw(9999999.99 -9999999.99 0.01 0) ],
		[ 'numeric(18,18)', 'decimal 18', 'any_numeric(18, 18)', '0.999999999999999999', '-0.999999999999999999', '0' ],
		[ 'numeric(38,10)', 'decimal 10', 'any_numeric(38, 10)', ('9' x 28) . '.' . ('9' x 10), '-' . ('9' x 28) . '.' . ('9' x 10), '0.0000000001' ],
		[ 'numeric(76,38)', 'wide 38', 'any_numeric(76, 38)', ('9' x 38) . '.' . ('9' x 38), '-' . ('9' x 38) . '.' . ('9' x 38), '0' ],
		[ 'numeric', 'plain', 'any_numeric(60, below(30)::int)', "'NaN'", "'Infinity'", "'-Infinity'", '1e1000', '1e-1000', '1.10' ],
		[ 'percent', 'decimal 2', '(random() * 100)::numeric(5, 2)', qw(0 100 99.99) ],
		[ 'money', 'plain', 'below(1e9)::int::money', "'92233720368547758.07'" ] ],
	[ 'times',
		[ 'date', 'date', "date '1900-01-02' + below(145000)::int", "'1900-01-01'", "'2299-12-31'", "'1970-01-01'", "'1969-12-31'", "'2000-02-29'" ],
		[ 'time', 'time', "time '00:00' + below(86400e6) * interval '1 microsecond'", "'00:00'", "'23:59:59.999999'", "'12:00:00.000001'" ],
		[ 'timetz', 'text', "(time '00:00' + below(86400e6) * interval '1 microsecond')::timetz", "'00:00+00'", "'23:59:59.999999-15:59'", "'12:00+05:30'" ],
		[ 'interval', 'text', "below(1000) * interval '1 day' + below(1e12) * interval '1 microsecond'", "'1 year -2 months 3 days -04:05:06.789'", "'0'", "'-178000000 years'" ],
		[ 'timestamp', 'instant', 'any_timestamp()', "'1900-01-01'", "'2299-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'", "'2000-02-29 12:00:00.000001'" ],
		[ 'timestamptz', 'instant', "any_timestamp() AT TIME ZONE 'UTC'", "'1901-01-01 00:00+00'", "'2299-12-31 00:00:00+00'", "'1991-04-14 01:30:00+08'", "'1986-05-04 03:00+09'" ] ],
	[ 'texts',
		[ 'text', 'text', 'any_text(60)', "''", "E'\\\\N'", "E'tab\\tnewline\\nquote\\'\"backslash\\\\'", "'导出 🐘'", "repeat('long ', 20000)" ],
		[ 'varchar(20)', 'text', 'any_text(20)', "''" ],
		[ 'char(10)', 'text', 'left(any_text(11), 10)', "''", "'a'" ],
		[ 'name', 'text', "left(any_text(30), 15)", "'pg_class'" ],
		[ '"char"', 'char', "chr(33 + below(94)::int)::\"char\"", "'a'", "''", "(-128)", "(-1)", "'\\'" ],
		[ 'bytea', 'bytes', "decode(md5(random()::text) || md5(random()::text), 'hex')", "''", "'\\x00ff0d0a5c27'", "decode(repeat('00ff', 50000), 'hex')" ],
		[ 'uuid', 'plain', 'md5(random()::text)::uuid', "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'" ],
		[ 'mood', 'text', "(enum_range(NULL::mood))[1 + below(4)]", "'sad'", "'开心'" ] ],
	[ 'documents',
		[ 'jsonb', 'json', 'any_json(0, 30)', "'{}'", "'null'", "'[]'", "'\"\"'", "'{\"a\": [1.10, -0, 1e400, \"\\u0001\\\"\\\\/\"], \"\": null}'" ],
		[ 'json', 'json', 'any_json(0, 30)::json', "'{ \"a\" : 1 }'", "'[ ]'", "' null '" ],
		[ 'xml', 'text', "xmlelement(name a, below(100))", "'<a>x</a>'" ],
		[ 'tsvector', 'text', "to_tsvector('simple', any_text(40))", "''", "'a:1A,2 \"it''''s\"'" ],
		[ 'tsquery', 'text', "plainto_tsquery('simple', 'a b' || below(10))", "'a & !b'", "''" ],
		[ 'jsonpath', 'text', "('\$.a[' || below(9) || '] ? (@ > 1)')::jsonpath", "'\$'", "'strict \$.\"a b\".size()'", "'lax \$.* ? (@ like_regex \"^x\" flag \"i\")'" ] ],
	# JSON of ByteHouse is binary: it holds numbers of 64 bits only, no member
	# without a name, and {} for a null.
	[ 'binary_documents',
		[ 'jsonb', 'json', q{any_json(0, 15, 'k')}, "'{}'", "'null'", "'[]'", "'\"\"'", "'{\"a\": [1.10, -0, 1e15, \"\\u0001\\\"\\\\/\"]}'" ],
		[ 'json', 'json', q{any_json(0, 15, 'k')::json}, "'{ \"a\" : 1 }'", "'[ ]'", "' null '" ] ],
	[ 'ranges',
		[ 'int4range', 'text', "int4range(-below(100)::int, below(100)::int)", "'empty'", "'(,)'", "'[1,5)'" ],
		[ 'int8range', 'text', "int8range(-below(100), any_bigint() & 9223372036854775807)", "'empty'", "'[-9223372036854775808,9223372036854775807)'" ],
		[ 'numrange', 'text', "numrange(-below(100), any_numeric(5, 2) + 100000)", "'empty'", "'(,1.10]'" ],
		[ 'tsrange', 'text', "tsrange('1880-01-01', any_timestamp() + interval '100 years')", "'empty'", "'[-infinity,2020-01-01 00:00:00.000001)'" ],
		[ 'tstzrange', 'text', "tstzrange('1880-01-01', any_timestamp() + interval '100 years')", "'empty'", "'[2020-01-01,)'" ],
		[ 'daterange', 'text', "daterange('1900-01-01', date '1900-01-02' + below(100000)::int)", "'[,2020-01-01)'" ],
		[ 'int4multirange', 'text', "int4multirange(int4range(0, 1 + below(9)::int), int4range(20, 21 + below(9)::int))", "'{}'", "'{(,)}'" ],
		[ 'int8multirange', 'text', "int8multirange(int8range(0, 1 + below(9)), int8range(20, 21 + below(9)))", "'{}'" ],
		[ 'nummultirange', 'text', "nummultirange(numrange(0, 1 + below(9)), numrange(20.5, 21 + below(9)))", "'{}'" ],
		[ 'tsmultirange', 'text', "tsmultirange(tsrange('1880-01-01', any_timestamp() + interval '100 years'))", "'{}'" ],
		[ 'tstzmultirange', 'text', "tstzmultirange(tstzrange('1880-01-01', any_timestamp() + interval '100 years'))", "'{}'" ],
		[ 'datemultirange', 'text', "datemultirange(daterange('1900-01-01', date '1900-01-02' + below(100000)::int))", "'{}'", "'{[,2020-01-01),[infinity,]}'" ] ],
	[ 'shapes',
		[ 'point', 'text', 'point(random(), random())', "'(0,-0)'", "'(NaN,-Infinity)'", "'(1e-300,1e300)'" ],
		[ 'line', 'text', 'line(point(random(), 1), point(random(), 2))', "'{1,0,-0}'", "'{-1,1e-300,Infinity}'", "'{0,NaN,1}'" ],
		[ 'lseg', 'text', 'lseg(point(random(), random()), point(random(), 2))', "'[(0,0),(0,0)]'", "'[(-1e300,NaN),(Infinity,0.1)]'" ],
		[ 'box', 'text', 'box(point(random(), random()), point(random(), 2))', "'(0,0),(1,1)'", "'(Infinity,0),(-Infinity,-1)'" ],
		[ 'path', 'text', "format('[(%s,%s),(%s,1)]', random(), random(), random())::path", "'[(0,0)]'", "'((0,0),(1,-1),(1e-300,NaN))'" ],
		[ 'polygon', 'text', 'polygon(box(point(random(), random()), point(1, 2)))', "'((0,0),(1,1))'", "'((0,0))'" ],
		[ 'circle', 'text', 'circle(point(random(), random()), random())', "'<(0,0),1>'", "'<(-1e300,0),Infinity>'" ] ],
	[ 'others',
		[ 'inet', 'text', "('10.0.0.0'::inet + below(16777216))", "'::1'", "'192.168.1.5/24'", "'2001:db8::/32'" ],
		[ 'cidr', 'text', "set_masklen('10.0.0.0'::cidr, 8 + below(24)::int)", "'::/0'", "'10.0.0.0/8'" ],
		[ 'macaddr', 'text', "substr(md5(random()::text), 1, 12)::macaddr", "'00:00:00:00:00:00'" ],
		[ 'macaddr8', 'text', "substr(md5(random()::text), 1, 16)::macaddr8", "'00:00:00:00:00:00:00:00'" ],
		[ 'bit(5)', 'text', 'below(32)::int::bit(5)', "B'10101'" ],
		[ 'bit varying', 'text', 'below(32)::int::bit(5)', "B''" ],
		[ 'pg_lsn', 'text', "'0/0'::pg_lsn + below(1e15)", "'0/0'", "'FFFFFFFF/FFFFFFFF'" ],
		[ 'pg_snapshot', 'text', "format('%s:%s:', 10 + below(9), 20 + below(9))::pg_snapshot", "'10:20:10,14,15'", "'1:9223372036854775807:1'" ],
		[ 'txid_snapshot', 'text', "format('%s:%s:', 10 + below(9), 20 + below(9))::txid_snapshot", "'10:20:10,14,15'", "'1:9223372036854775807:1'" ],
		[ 'tid', 'text', "format('(%s,%s)', below(4294967296), below(65536))::tid", "'(0,0)'", "'(4294967295,65535)'" ],
		[ 'refcursor', 'text', 'any_text(9)::refcursor', "''" ],
		[ 'aclitem', 'text', "makeaclitem(10, 10, 'SELECT', random() < 0.5)", "'=r/postgres'" ],
		[ 'gtsvector', 'text', 'NULL' ],
		[ 'pg_brin_bloom_summary', 'text', 'NULL' ],
		[ 'pg_brin_minmax_multi_summary', 'text', 'NULL' ],
		[ 'pg_node_tree', 'text', '(SELECT adbin FROM pg_attrdef LIMIT 1)' ],
		[ 'pg_ndistinct', 'text', '(SELECT stxdndistinct FROM pg_statistic_ext_data LIMIT 1)' ],
		[ 'pg_dependencies', 'text', '(SELECT stxddependencies FROM pg_statistic_ext_data LIMIT 1)' ],
		[ 'pg_mcv_list', 'text', '(SELECT stxdmcv FROM pg_statistic_ext_data LIMIT 1)' ] ],
	[ 'names',
		map { my ($type, @values) = @$_; [ $type, 'text', "(ARRAY[" . join(', ', map { "'$_'" } @values) . "])[1 + below(${\ scalar @values })]::$type", "'0'" ] }
		[ regproc => qw(now any_numeric) ], [ regprocedure => 'now()', 'any_numeric(int, int)' ],
		[ regoper => '||/', '|/' ], [ regoperator => '+(int,int)', '-(NONE,int)' ], [ regclass => qw(pg_class made) ],
		[ regcollation => '"C"', '"default"' ], [ regtype => qw(int4 text mood) ], [ regrole => 'postgres', 'pg_monitor' ],
		[ regnamespace => qw(pg_catalog public) ], [ regconfig => qw(simple english) ], [ regdictionary => qw(simple english_stem) ] ],
	[ 'containers',
		[ 'int[]', array_of('plain'), "(SELECT coalesce(array_agg(CASE WHEN random() < 0.2 THEN NULL ELSE any_bigint() >> 32 END), '{}') FROM generate_series(1, below(6)))",
			"'{}'", "'{NULL}'", "'{1,NULL,-2147483648}'", "'[-1:1]={1,2,3}'" ],
		[ 'text[]', array_of('text'), "(SELECT coalesce(array_agg(CASE WHEN random() < 0.2 THEN NULL ELSE any_text(9) END), '{}') FROM generate_series(1, below(6)))",
			"'{}'", "'{\"\",NULL,\"a,b\"}'" ],
		[ 'int[][]', 'dimensions', 'ARRAY[ARRAY[any_bigint() >> 32, NULL], ARRAY[1, below(9)]]', "'{}'", "'{1,2}'", "'{{{1}},{{NULL}}}'" ],
		[ 'numeric[][]', 'dimensions', 'ARRAY[ARRAY[any_numeric(30, 9), NULL]]', "'{{0.10}}'" ],
		[ 'int2vector[]', array_of(array_of('plain')), "format('{\"%s %s\",NULL,\"\"}', below(9), below(9))::int2vector[]", "'{}'" ],
		[ 'moods[]', array_of(array_of('text')), q('{"{sad,NULL}",NULL,"{}"}'), "'{}'" ],
		[ 'moods', array_of('text'), "ARRAY[(enum_range(NULL::mood))[1 + below(4)], NULL]", "'{}'", "'{sad,sad}'" ],
		[ 'percents', array_of('decimal 2'), "ARRAY[random() * 100, NULL, 7]::numeric(5, 2)[]", "'{}'", "'{0,100,NULL}'" ],
		[ 'place', $place, 'any_place()', "ROW(NULL, NULL, NULL)", "ROW('', 0, '{}')" ],
		[ 'address', $place, 'any_place()', "ROW('x', NULL, '{NULL}')" ],
		[ 'visit', $visit, 'any_visit()', 'ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)',
			"ROW('1901-01-01 00:00+00', ROW('', 0, '{}'), '{\"a\": [1.10]}', '{Infinity,NaN,-0}', '开心', 100, '{}', '{}', 'a=>NULL')" ],
		[ 'walk', tuple_of([ id => 'plain' ], [ visits => array_of($visit) ], [ home => $place ], [ clock => 'time' ]),
			'any_walk()', q('(1,"{}",,23:59:59.999999)') ],
		[ 'hstore', 'map', "hstore(ARRAY['k' || below(9), any_text(5) || 'x'], ARRAY[any_text(5), NULL])", "''", "'a=>1, b=>NULL, \"\"=>\"\"'" ] ]);

# Arrays of each of them.
sub arrays_of
{
	my ($table, @types) = @_;
	my @arrays;
	foreach (@types)
	{
		my ($type, $way, $random, @edges) = @$_;
		# The server takes members that are arrays for dimensions, and a few
		# types have no arrays.
		next if $type =~ /\]$|^(int2|oid)vector$|^moods$|^percents$|^pg_(brin|node|ndistinct|dependencies|mcv)/;
		push @arrays, [ "$type\[]", array_of($way), "(ARRAY[($random)::$type, NULL, ($random)::$type])[1:1 + below(3)]",
			"'{}'", "'{NULL}'", 'ARRAY[' . join(', ', map { "($_)::$type" } @edges, 'NULL') . ']' ];
	}
	return [ "${table}_arrays", @arrays ];
}

# ---- telling ----

# Numbers as their bits: each program prints them in its own way.
sub float_bits
{
	my ($type, $text) = @_;
	my $number = $text =~ /nan/i ? 'nan' : $text =~ /^(-?)inf/i ? $1 . 'inf' : $text;
	return unpack('H*', pack($type eq 'real' ? 'f>' : 'd>', $number)) =~ s/^[7f]ff8.*|^[7f]fc0.*/nan/r;
}

# JSON as the server prints it: of each of the texts in hexadecimal.
sub json_texts
{
	my (@texts) = @_;
	return {} if !@texts;
	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS json_values; CREATE TABLE json_values (k int, v text)');
	my $sql = join "\n", 'COPY json_values FROM STDIN;', (map { "$_\t$texts[$_]" } 0 .. $#texts), '\\.', '';
	$node->psql('postgres', $sql, on_error_die => 1);
	my %shown;
	@shown{@texts} = split /\n/, $node->safe_psql('postgres',
		q{SELECT encode(convert_to(convert_from(decode(v, 'hex'), 'UTF8')::jsonb::text, 'UTF8'), 'hex') FROM json_values ORDER BY k});
	return \%shown;
}

# Columns of values out of lines, what is marked in them made the same.
sub split_lines
{
	my ($text, @types) = @_;
	my @columns = map { [] } @types;
	my %json = map { $_ => 1 } $text =~ /\bjson:([0-9a-f]*)/g;
	my $shown = json_texts(sort keys %json);
	# DuckDB leaves out a zero in front of the point.
	$text =~ s/\bdecimal:(-?)(?=\.)/${1}0/g;
	$text =~ s/\bdecimal://g;
	$text =~ s/\b(real|double):([^\t\n|;\])]+)/float_bits($1, $2)/ge;
	$text =~ s/\bjson:([0-9a-f]*)/$shown->{$1}/g;
	foreach my $line (split /\n/, $text)
	{
		my @values = split /\t/, $line, -1;
		push @{ $columns[$_] }, $values[$_] foreach 0 .. $#types;
	}
	return @columns;
}

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $prelude . $sql);
}

# What Postgres tells of a family's table: $engine is $POSTGRES, or that of
# which it tells.
sub told_by_postgres
{
	my ($table, $engine, @types) = @_;
	my @told;
	foreach my $i (0 .. $#types)
	{
		my $way = $types[$i][1];
		# JSON of ByteHouse, which is not text there, has no null.
		my $null = $engine == $BYTEHOUSE && $way eq 'json' ? q{'json:7b7d'} : q{'\N'};
		push @told, "coalesce(" . tell_value($engine, $way, "v$i", 0) . ", $null)";
	}
	return split_lines(query("COPY (SELECT " . join(', ', @told) . " FROM $table ORDER BY k) TO STDOUT") =~ s/\\\\N/\\N/gr, @types);
}

# What a query of another engine is to give.
sub expressions
{
	my ($engine, @types) = @_;
	return map {
		my $sql = tell_value($engine, $types[$_][1], "v$_", 0);
		!defined $sql ? "'?'" : $engine == $DUCKDB ? "coalesce($sql, '\\N')" : "ifNull($sql, '\\\\N')";
	} 0 .. $#types;
}

sub told_by_clickhouse
{
	my ($target, @types) = @_;
	my $sql = 'SELECT ' . join(', ', expressions($CLICKHOUSE, @types)) . " FROM sensorswave.$target FINAL ORDER BY k";
	return split_lines($sandbox->query($sql) =~ s/\\\\N/\\N/gr, @types);
}

sub told_by_duckdb
{
	my ($file, @types) = @_;
	my @told = expressions($DUCKDB, @types);
	my ($stdout, $stderr);
	IPC::Run::run(
		[ 'node', "$top/test/lib/duckdb.cjs", $file, 'SELECT ' . join(', ', @told) . ' FROM file ORDER BY k' ],
		'>', \$stdout, '2>', \$stderr) or diag("duckdb: $stderr");
	return split_lines($stdout, @types);
}

sub compare_values
{
	my ($what, $types, $got, $expected) = @_;
	foreach my $i (0 .. $#$types)
	{
		my $type = $types->[$i][0];
		my ($n, $first) = (0);
		if (defined $got->[$i][0] && $got->[$i][0] eq '?')
		{
			note "$what: $type is not told by this reader";
			next;
		}
		foreach my $row (0 .. $#{ $expected->[$i] })
		{
			my $value = $got->[$i][$row] // 'nothing';
			next if $value eq $expected->[$i][$row];
			$first //= "row " . ($row + 1) . ": got $value, expected $expected->[$i][$row]";
			$n++;
		}
		ok($n == 0 && @{ $got->[$i] } == @{ $expected->[$i] },
			"$what: " . @{ $expected->[$i] } . " values of $type")
		  or diag("$n differ; " . substr($first // @{ $got->[$i] } . ' values', 0, 1000));
	}
	return;
}

# ---- the test ----

create_clickhouse_destination($node, $sandbox, name => 'native', stage_compression => 'lz4');
create_clickhouse_destination($node, $sandbox, name => 'parquet', stage_format => 'parquet', stage_compression => 'snappy');
create_destination($node, $sandbox, name => 'bytehouse');

# Edge values first, then random ones, of which some are null.
sub make_table
{
	my ($table, @types) = @_;
	my (@columns, @random, @lists);
	my $most = 0;
	foreach my $i (0 .. $#types)
	{
		my ($type, $way, $random, @edges) = @{ $types[$i] };
		push @columns, "v$i $type";
		push @random, "CASE WHEN random() >= 0.05 AND i > 0 THEN ($random)::$type END";
		push @lists, [ map { "($_)::$type" } @edges ];
		$most = @edges if @edges > $most;
	}
	my @rows = map { my $row = $_; '(' . join(', ', $row + 1, map { $_->[$row] // 'NULL' } @lists) . ')' } 0 .. $most - 1;
	query("CREATE TABLE $table (k int PRIMARY KEY, " . join(', ', @columns) . ");\n"
		  . "INSERT INTO $table VALUES " . join(",\n", @rows) . ";\n"
		  . "SELECT setseed(${\ (($seed % 1000003) / 1000003) });\n"
		  . "INSERT INTO $table SELECT $most + i, " . join(",\n", @random) . " FROM generate_series(1, $n_random) AS i");
	return;
}

sub copy_to
{
	my ($table, $destination) = @_;
	my $name = "${table}_$destination";
	create_pipeline($node, $name, destination => $destination, data_source => 'table', source => $table, columns => '{}', json_type => 'string');
	wait_running($node, $name);
	is(wait_backfill($node, $node->safe_psql('postgres', "SELECT sw_backfill('$name')")), 'success', "$name is copied")
	  or diag(last_run($node, $name, 'error'));
	return $name;
}

# The one Parquet file that is in the store's folder.
sub staged_file
{
	my @files;
	foreach my $file (split /\n/, qx(find "${\ dirname($sandbox->env('STORE_LOG')) }/store" -path '*/data/*' -type f -size +0))
	{
		push @files, $file if substr(slurp_file($file), 0, 4) eq 'PAR1';
	}
	is(scalar(@files), 1, 'one Parquet file is in the store');
	return $files[0];
}

sub check_bytehouse
{
	my ($table, @types) = @_;
	compare_values('ByteHouse', \@types, [ told_by_clickhouse(copy_to($table, 'bytehouse'), @types) ],
		[ told_by_postgres($table, $BYTEHOUSE, @types) ]);
	return;
}

sub check_family
{
	my ($table, @types) = @_;
	make_table($table, @types);
	my @expected = told_by_postgres($table, $POSTGRES, @types);
	check_bytehouse($table, @types) if $table !~ /^documents/;
	return if $table =~ /^binary_documents/;
	compare_values('ClickHouse, Native', \@types,
		[ told_by_clickhouse(copy_to($table, 'native'), @types) ], \@expected);

	# Files are deleted after a copy has told of its success.
	wait_until('an empty store', sub { return !$sandbox->objects });
	# The Parquet file stays in the store until another has looked at it.
	$sandbox->fault(op => $_, fault => 'error', status => 403, code => 'AccessDenied', times => undef) foreach qw(DELETE DELETE_MANY);
	my $target = copy_to($table, 'parquet');
	compare_values('ClickHouse, Parquet', \@types, [ told_by_clickhouse($target, @types) ], \@expected);
	compare_values('DuckDB', \@types, [ told_by_duckdb(staged_file(), @types) ],
		[ told_by_postgres($table, $FILE, @types) ]);
	$sandbox->clear_faults;
	$sandbox->store('DELETE', '/objects');
	return;
}

# Every type that a column can have is in one of the families. Row types of
# the catalogs are composites of such.
sub check_completeness
{
	my $covered = join ', ', map { "'$_->[0]'::regtype" } map { @$_[ 1 .. $#$_ ] } @families;
	is(query(<<"SQL"), '', 'no built-in type is left out');
WITH usable AS (
	SELECT t.oid FROM pg_type t
	WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'd', 'e', 'r', 'm')
		AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
	UNION
	SELECT coalesce((SELECT e.oid FROM pg_type e WHERE e.typarray = a.atttypid), a.atttypid)
	FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type m ON m.oid = a.atttypid
	WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'c' AND m.typtype NOT IN ('p', 'c'))
SELECT string_agg(oid::regtype::text, ', ' ORDER BY oid) FROM usable JOIN pg_type USING (oid)
WHERE typtype <> 'c' AND oid <> ALL (ARRAY[$covered]::oid[])
SQL
	return;
}

check_completeness();
foreach my $family (map { $_, arrays_of(@$_) } @families)
{
	my ($table, @types) = @$family;
	subtest $table => sub {
		eval { check_family($table, @types); 1 } or fail("died: $@");
	};
}

$node->stop;
done_testing();
