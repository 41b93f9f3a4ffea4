# The type map and the readers of src/source, inside a server: which column
# each type becomes, that values of every family arrive as they were, and what
# the policy does to those that no target holds.
#
# Random values are drawn from a seed; SW_TEST_SEED repeats a run.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use Test::More;

my $seed = $ENV{SW_TEST_SEED} || time();
my $n_random = 10_000;

my $node = PostgreSQL::Test::Cluster->new('readers');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\n");
$node->start;
note "seed $seed: SW_TEST_SEED repeats it";

create_module($node);
$node->safe_psql('postgres', 'CREATE EXTENSION hstore');

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', "SET timezone = 'Asia/Shanghai'; SET intervalstyle = 'iso_8601';\n$sql");
}

# What a read of the table "t" tells about column v.
sub column_read
{
	my (%by) = @_;
	return query(sprintf "SELECT n || ' ' || value FROM sw_test_read('t', '%s',"
		  . " has_time => %s, is_binary_json => %s, target_type => '%s')"
		  . " WHERE name = 'v' ORDER BY n < 0, n",
		$by{policy} // 'error', $by{has_time} // 'true', $by{binary} // 'false',
		($by{wish} // '') =~ s/'/''/gr);
}

# A column of that type has that type in a file, and each value is shown as
# expected; values are SQL, expected ones default to what the server prints.
sub family
{
	my ($type, $file_type, @values) = @_;
	my $n = 0;
	my @expected = ("0 $file_type");

	query("DROP TABLE IF EXISTS t; CREATE TABLE t (k int PRIMARY KEY, v $type)");
	foreach my $value (@values)
	{
		my ($sql, $shown) = ref $value ? @$value : ($value);
		$n++;
		query("INSERT INTO t VALUES ($n, $sql)");
		$shown //= query("SELECT v::text FROM t WHERE k = $n");
		push @expected, "$n $shown";
	}
	is(column_read(), join("\n", @expected), "$type: $n values");
	return;
}

# The same by a policy: what comes of them, and what is counted.
sub policy_is
{
	my ($policy, $expected, $what, %by) = @_;
	is(column_read(policy => $policy, %by), $expected, "$what: policy $policy");
	return;
}

sub fails
{
	my ($policy, $error, $what, %by) = @_;
	my ($status, $out, $err) = $node->psql('postgres',
		sprintf "SELECT * FROM sw_test_read('t', '$policy', 'Asia/Shanghai', target_type => '%s')",
		($by{wish} // '') =~ s/'/''/gr);
	is($status, 3, "$what: policy $policy is an error");
	like($err, $error, "$what: which names the row");
	return;
}

# ---- families ----

family('bool', 'Nullable(UInt8)', 'true', 'false', [ 'NULL', 'null' ]);
family('int2', 'Nullable(Int16)', '-32768', '32767', '0');
family('int4', 'Nullable(Int32)', "'-2147483648'", '2147483647');
family('int8', 'Nullable(Int64)', "'-9223372036854775808'", '9223372036854775807');
family('oid', 'Nullable(UInt32)', '0', '4294967295');
family('xid', 'Nullable(UInt32)', "'4294967295'");
family('float4', 'Nullable(Float32)',
	"'NaN'", "'Infinity'", "'-Infinity'", "'-0'", '1e-45', '3.4028235e38', '0.1');
family('float8', 'Nullable(Float64)',
	"'NaN'", "'Infinity'", "'-Infinity'", "'-0'", '5e-324', '1.7976931348623157e308', '0.1');
family('numeric(9,4)', 'Nullable(Decimal(9, 4))', '12345.6789', '-99999.9999', [ '0', '0.0000' ]);
family('numeric(18)', 'Nullable(Decimal(18, 0))', '999999999999999999', '-1');
family('numeric(38,38)', 'Nullable(Decimal(38, 38))', '0.' . '9' x 38, '-0.' . '0' x 37 . '1');
family('numeric(76,10)', 'Nullable(Decimal(76, 10))', '9' x 66 . '.' . '9' x 10, '-' . '1' x 66 . '.5000000000');
family('numeric(3,-2)', 'Nullable(Decimal(5, 0))', '99900', '-100');
family('numeric(2,5)', 'Nullable(Decimal(5, 5))', '0.00099', '-0.00001');
family('numeric(77,1)', 'Nullable(String)', '1.5');
family('numeric', 'Nullable(String)', "'NaN'", "'-Infinity'", '1.500', '1e-30', '1e200');
family('text', 'Nullable(String)', "''", "'a\x{27}\x{27}b'", "repeat('long ', 5)", "'line' || chr(10) || 'two'");
family('varchar(5)', 'Nullable(String)', "'abc'");
family('char(5)', 'Nullable(String)', [ "'abc'", 'abc  ' ]);
family('name', 'Nullable(String)', "'a name'");
family('"char"', 'Nullable(String)', "'x'", "''", [ "(-1)::\"char\"", '\377' ], [ "(-128)::\"char\"", '\200' ]);
family('bytea', 'Nullable(String)', [ "'\\x00ff5c27'", '00ff5c27' ], [ "''", '' ]);
family('uuid', 'Nullable(FixedString(16))', "'00112233-4455-6677-8899-aabbccddeeff'");
family('date', 'Nullable(Int32)', "'1900-01-01'", "'2299-12-31'", "'1969-12-31'", "'2000-01-01'");
family('time', 'Nullable(Int64)', "'00:00'", "'24:00'", "'23:59:59.999999'");
family('timetz', 'Nullable(String)', "'12:34:56.789+05:30'");
family('interval', 'Nullable(String)', "'1 year 2 mons -3 days 04:05:06.789'", "'0'");
family('timestamp', 'Nullable(Int64)', "'1900-01-01'", "'2299-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'");
family('timestamptz', 'Nullable(Int64)',
	"'1970-01-01 00:00:00.000001+00'", "'2299-12-31 15:59:59.999999+00'", "'1991-09-15 01:30+09'");
family('json', 'Nullable(String)', q('{"b": 1, "a": [1.50, null], "b": 2}'));
family('jsonb', 'Nullable(String)', [ q('{"b": 1, "a": [1.50, null]}'), '{"a":[1.50,null],"b":1}' ], [ "'null'", 'null' ]);
family('inet', 'Nullable(String)', [ "'10.1.2.3'", '10.1.2.3' ], "'10.1.2.3/8'", [ "'::ffff:1.2.3.4'", '::ffff:1.2.3.4' ]);
family('cidr', 'Nullable(String)', "'10.0.0.0/8'", "'10.1.2.3'");
family('macaddr', 'Nullable(String)', "'08:00:2b:01:02:03'");
family('macaddr8', 'Nullable(String)', "'08:00:2b:01:02:03:04:05'");
family('money', 'Nullable(String)', "'-1234.5'");
family('bit varying', 'Nullable(String)', "B'10110'", "B''");
family('point', 'Nullable(String)', "'(1.5,-2)'");
family('polygon', 'Nullable(String)', "'((0,0),(1,1),(2,0))'");
family('circle', 'Nullable(String)', "'<(1,2),3>'");
family('int4range', 'Nullable(String)', "'[1,5)'", "'empty'", "'(,)'");
family('tstzmultirange', 'Nullable(String)', "'{[2020-01-01 00:00+08,2021-01-01 00:00+08)}'");
family('tsvector', 'Nullable(String)', "to_tsvector('simple', 'a b a')");
family('xml', 'Nullable(String)', "'<a>b</a>'");
family('pg_lsn', 'Nullable(String)', "'16/B374D848'");
family('xid8', 'Nullable(String)', "'18446744073709551615'");
family('regtype', 'Nullable(String)', "'int4'");
family('regclass', 'Nullable(String)', "'t'");
family('jsonpath', 'Nullable(String)', q('$."a"[*]'));

query(<<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE inner_type AS (x int, dropped int, y numeric(5,2), m mood);
CREATE TYPE outer_type AS (a inner_type, b inner_type[], c text);
ALTER TYPE inner_type DROP ATTRIBUTE dropped;
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN grid AS int[][];
CREATE DOMAIN place AS inner_type;
CREATE DOMAIN price AS numeric(10,2);
CREATE TYPE nothing AS ();
CREATE TABLE parts (id int, at timestamptz);
SQL
family('mood', 'Nullable(String)', "'happy'", "'sad'", "'happy'", [ 'NULL', 'null' ]);
family('positive', 'Nullable(Int32)', '7');
family('price', 'Nullable(Decimal(10, 2))', '12.50');
family('int[]', 'Array(Nullable(Int32))',
	[ "'{1,NULL,3}'", '[1,null,3]' ], [ "'{}'", '[]' ], [ 'NULL', '[]' ], [ "'[5:6]={8,9}'", '[8,9]' ]);
family('text[]', 'Array(Nullable(String))', [ q('{a,"b,c",NULL,"NULL",""}'), '[a,b,c,null,NULL,]' ]);
family('numeric(9,2)[]', 'Array(Nullable(Decimal(9, 2)))', [ "'{1.5,-2,NULL}'", '[1.50,-2.00,null]' ]);
family('bool[]', 'Array(Nullable(UInt8))', [ "'{t,f,NULL,t}'", '[true,false,null,true]' ]);
family('mood[]', 'Array(Nullable(String))', [ "'{ok,NULL,sad}'", '[ok,null,sad]' ]);
family('interval[]', 'Array(Nullable(String))', [ "'{1 day,2 hours}'", '[P1D,PT2H]' ]);
family('jsonb[]', 'Array(Nullable(String))', [ q(ARRAY['{"a": 1}', NULL]::jsonb[]), '[{"a":1},null]' ]);
family('price[]', 'Array(Nullable(Decimal(10, 2)))', [ "'{1,NULL}'", '[1.00,null]' ]);
family('int[][]', 'Nullable(String)', [ "'{{1,NULL},{3,4}}'", '[[1,null],[3,4]]' ], [ "'{5}'", '[5]' ], [ 'NULL', 'null' ]);
family('grid', 'Nullable(String)', [ "'{{1,2}}'", '[[1,2]]' ]);
family('int2vector', 'Array(Nullable(Int16))', [ "'1 2'", '[1,2]' ]);
family('inner_type', 'Tuple(`x` Nullable(Int32), `y` Nullable(Decimal(5, 2)), `m` Nullable(String))',
	[ "ROW(1, 2.5, 'ok')", '(x=1,y=2.50,m=ok)' ], [ 'NULL', '(x=null,y=null,m=null)' ]);
family('place', 'Tuple(`x` Nullable(Int32), `y` Nullable(Decimal(5, 2)), `m` Nullable(String))',
	[ "ROW(1, NULL, NULL)", '(x=1,y=null,m=null)' ]);
family('outer_type',
	'Tuple(`a` Tuple(`x` Nullable(Int32), `y` Nullable(Decimal(5, 2)), `m` Nullable(String)), '
	  . '`b` Array(Tuple(`x` Nullable(Int32), `y` Nullable(Decimal(5, 2)), `m` Nullable(String))), `c` Nullable(String))',
	[ "ROW(ROW(1, 2.5, 'ok'), ARRAY[ROW(3, 4, 'sad'), NULL, ROW(5, 6, 'ok')]::inner_type[], 'z')",
		'(a=(x=1,y=2.50,m=ok),b=[(x=3,y=4.00,m=sad),(x=null,y=null,m=null),(x=5,y=6.00,m=ok)],c=z)' ],
	[ 'ROW(NULL, NULL, NULL)', '(a=(x=null,y=null,m=null),b=[],c=null)' ]);
family('nothing', 'Nullable(String)', [ 'ROW()::nothing', '()' ]);
family('parts', 'Tuple(`id` Nullable(Int32), `at` Nullable(Int64))',
	[ "ROW(1, '2020-01-01 00:00+08')", '(id=1,at=2020-01-01 00:00:00+08)' ]);
family('hstore', 'Map(String, Nullable(String))',
	[ q('a=>1, b=>NULL, "c d"=>""'), '[a:1,b:null,c d:]' ], [ "''", '[]' ], [ 'NULL', '[]' ]);
family('hstore[]', 'Array(Map(String, Nullable(String)))', [ q(ARRAY['a=>1'::hstore, NULL, 'b=>2']), '[[a:1],[],[b:2]]' ]);

query('DROP TABLE t; CREATE TABLE t (k int PRIMARY KEY, v time)');
query("INSERT INTO t VALUES (1, '12:34:56.789')");
is(column_read(has_time => 'false'), "0 Nullable(String)\n1 12:34:56.789", 'time where the target has no such type');

is(query('DROP TABLE t; CREATE TABLE t (k int, v int NOT NULL, w text); CREATE VIEW u AS SELECT * FROM t;'
		  . " SELECT name, value FROM sw_test_read('t') UNION ALL SELECT name, value FROM sw_test_read('u')"),
	"k|Int32\nv|Int32\nw|Nullable(String)\nk|Int32\nv|Nullable(Int32)\nw|Nullable(String)",
	'Nullable follows NOT NULL, and keys are never');

# ---- random values, all in one table ----

query("DROP VIEW u; DROP TABLE t; SELECT setseed(($seed % 1000003) / 1000003.0)");
query(<<"SQL");
CREATE FUNCTION digits(n int) RETURNS text LANGUAGE sql VOLATILE AS
	\$\$ SELECT string_agg((random() * 9.999)::int::text, '') FROM generate_series(1, n) WHERE n > 0 \$\$;
SET timezone = 'Asia/Shanghai';
SELECT setseed(($seed % 1000003) / 1000003.0);
CREATE TABLE t AS SELECT k,
	(k * random())::int2 AS i2, ((random() - 0.5) * 4e9)::int4 AS i4,
	((random() - 0.5) * 1.8e19)::int8 AS i8,
	((random() - 0.5) * 10 ^ (random() * 70 - 35))::float4 AS f4,
	((random() - 0.5) * 10 ^ (random() * 600 - 300))::float8 AS f8,
	((random() - 0.5) * 1e5)::numeric(9,4) AS d9,
	((random() - 0.5) * 1e12)::numeric(18,6) AS d18,
	('-0.' || lpad((random() * 1e15)::int8::text, 20, '7'))::numeric(38,20) * (random() * 1e16)::int8 AS d38x,
	(lpad((random() * 1e15)::int8::text, 40, (k % 10)::text) || '.' || (random() * 1e15)::int8)::numeric(76,30) AS d76,
	(random() * 1e10)::numeric AS n,
	md5(random()::text)::uuid AS u, md5(random()::text) AS s,
	decode(md5(random()::text), 'hex') AS b,
	'1900-01-01'::date + (random() * 146000)::int AS dt,
	'00:00'::time + random() * interval '86399 s' AS tm,
	'1901-01-01'::timestamp + random() * interval '398 years' AS ts,
	'1901-01-01'::timestamptz + random() * interval '398 years' AS tz,
	random() * interval '500 days' AS iv,
	ARRAY[(random() * 100)::int, NULL, k] AS a,
	random() < 0.5 AS bo
	FROM generate_series(1, $n_random) k;
ALTER TABLE t ALTER d38x TYPE numeric(38,20);
SQL
my $differing = query(<<'SQL');
WITH got AS (SELECT n, name, value FROM sw_test_read('t') WHERE n > 0),
	expected AS (SELECT row_number() OVER () AS n, t.* FROM t)
SELECT count(*), count(DISTINCT got.name), count(*) FILTER (WHERE got.value <> CASE got.name
	WHEN 'k' THEN e.k::text WHEN 'i2' THEN i2::text WHEN 'i4' THEN i4::text WHEN 'i8' THEN i8::text
	WHEN 'f4' THEN f4::text WHEN 'f8' THEN f8::text
	WHEN 'd9' THEN d9::text WHEN 'd18' THEN d18::text WHEN 'd38x' THEN d38x::text WHEN 'd76' THEN d76::text
	WHEN 'n' THEN e.n::text WHEN 'u' THEN u::text WHEN 's' THEN s WHEN 'b' THEN encode(b, 'hex')
	WHEN 'dt' THEN dt::text WHEN 'tm' THEN tm::text WHEN 'ts' THEN ts::text WHEN 'tz' THEN tz::text
	WHEN 'iv' THEN iv::text WHEN 'a' THEN replace(replace(replace(a::text, 'NULL', 'null'), '{', '['), '}', ']')
	WHEN 'bo' THEN bo::text END)
FROM got JOIN (SELECT row_number() OVER () AS number, k, i2, i4, i8, f4, f8, d9, d18, d38x, d76, n, u, s, b, dt, tm,
	ts, tz, iv, a, bo FROM t) e ON e.number = got.n
SQL
is($differing, 21 * $n_random . '|21|0', "$n_random rows of 21 types by chance (seed $seed)");

# ---- what targets cannot hold ----

# k 1 is fine, k 2 is not.
sub misfit
{
	my ($type, $fine, $not) = @_;
	query("DROP TABLE t; CREATE TABLE t (k int PRIMARY KEY, v $type);"
		  . " INSERT INTO t VALUES (1, $fine), (2, $not)");
	return;
}

my $where = 'in row 2 of the read, with k 2';

misfit('numeric(5,2)', '1', "'NaN'");
fails('error', qr/cannot export number NaN in column "v".*row 2 of the read, with k 2\. /s, 'NaN');
fails('text', qr/number NaN/, 'NaN');
policy_is('null', "0 Nullable(Decimal(5, 2))\n1 1.00\n2 null\n-1 1 null, 0 clamped, 0 as text, 0 skipped of 0: number NaN, $where", 'NaN');
policy_is('clamp', "0 Nullable(Decimal(5, 2))\n1 1.00\n2 null\n-1 1 null, 0 clamped, 0 as text, 0 skipped of 0: number NaN, $where", 'NaN');
policy_is('skip', "0 Nullable(Decimal(5, 2))\n1 1.00\n-1 0 null, 0 clamped, 0 as text, 1 skipped of 1: number NaN, $where", 'NaN');

misfit('date', "'2020-01-01'", "'infinity'");
fails('error', qr/cannot export date "infinity" in column "v".*days from 1900-01-01 to 2299-12-31/s, 'date');
policy_is('null', "0 Nullable(Int32)\n1 2020-01-01\n2 null\n-1 1 null, 0 clamped, 0 as text, 0 skipped of 0: date \"infinity\", $where", 'date');
policy_is('clamp', "0 Nullable(Int32)\n1 2020-01-01\n2 2299-12-31\n-1 0 null, 1 clamped, 0 as text, 0 skipped of 0: date \"infinity\", $where", 'date');

misfit('timestamp', "'2020-01-01'", "'-infinity'");
policy_is('clamp', "0 Nullable(Int64)\n1 2020-01-01 00:00:00\n2 1900-01-01 00:00:00\n-1 0 null, 1 clamped, 0 as text, 0 skipped of 0: timestamp \"-infinity\", $where", 'timestamp');

misfit('timestamptz', "'2020-01-01'", "'294276-12-31 00:00+00'");
fails('error', qr/cannot export timestamp "294276-12-31/, 'timestamptz');

misfit('int[]', "'{1,2}'", "'{{1,2},{3,4}}'");
fails('error', qr/cannot export an array of 2 dimensions/, 'dimensions');
policy_is('null', "0 Array(Nullable(Int32))\n1 [1,2]\n2 []\n-1 1 null, 0 clamped, 0 as text, 0 skipped of 0: an array of 2 dimensions, $where", 'dimensions');
policy_is('clamp', "0 Array(Nullable(Int32))\n1 [1,2]\n2 [1,2,3,4]\n-1 0 null, 1 clamped, 0 as text, 0 skipped of 0: an array of 2 dimensions, $where", 'dimensions');
policy_is('skip', "0 Array(Nullable(Int32))\n1 [1,2]\n-1 0 null, 0 clamped, 0 as text, 1 skipped of 1: an array of 2 dimensions, $where", 'dimensions');

misfit('numeric(5,2)[]', "'{1}'", "'{2,NaN,3}'");
policy_is('null', "0 Array(Nullable(Decimal(5, 2)))\n1 [1.00]\n2 [2.00,null,3.00]\n"
	  . "-1 1 null, 0 clamped, 0 as text, 0 skipped of 0: number NaN, $where", 'a member');
policy_is('skip', "0 Array(Nullable(Decimal(5, 2)))\n1 [1.00]\n-1 0 null, 0 clamped, 0 as text, 1 skipped of 1: number NaN, $where", 'a member');

misfit('date NOT NULL', "'2020-01-01'", "'0001-01-01 BC'");
fails('null', qr/cannot export date "0001-01-01 BC"/, 'NOT NULL');

query('DROP TABLE t; CREATE TABLE t (k int, v int); INSERT INTO t VALUES (1, 1), (NULL, 2)');
fails('error', qr/cannot export a null in column "k".*with v 2/s, 'a key that is null');
fails('null', qr/cannot export a null in column "k"/, 'a key that is null');
policy_is('skip', "0 Nullable(Int32)\n1 1", 'a key that is null');

misfit('json', q('{"a": 1}'), q('{"a": 1e400, "b": 12345678901234567890}'));
policy_is('text', "0 Nullable(String)\n1 {\"a\": 1}\n2 {\"a\": 1e400, \"b\": 12345678901234567890}", 'JSON as text');
policy_is('null', "0 Nullable(String)\n1 {\"a\": 1}\n2 {\"a\": null, \"b\": null}\n"
	  . "-1 2 null, 0 clamped, 0 as text, 0 skipped of 0: JSON 1e400 at \"a\", $where",
	'binary JSON', binary => 'true');
policy_is('skip', "0 Nullable(String)\n1 {\"a\": 1}\n"
	  . "-1 0 null, 0 clamped, 0 as text, 1 skipped of 1: JSON 1e400 at \"a\", $where",
	'binary JSON', binary => 'true');

# ---- types that users wish for ----

misfit('int8', '127', '128');
fails('error', qr/cannot export number 128 in column "v".*type is Nullable\(Int8\)/s, 'Int8', wish => 'Nullable(Int8)');
policy_is('clamp', "0 Nullable(Int64)\n1 127\n2 127\n-1 0 null, 1 clamped, 0 as text, 0 skipped of 0: number 128, $where",
	'Int8', wish => 'Nullable(Int8)');
policy_is('error', "0 Nullable(Int64)\n1 127\n2 128", 'Float64', wish => 'Nullable(Float64)');

misfit('timestamptz', "'2106-02-07 06:28:15.9+00'", "'1969-12-31 23:59:59+00'");
policy_is('skip', "0 Nullable(Int64)\n1 2106-02-07 14:28:15.9+08\n"
	  . "-1 0 null, 0 clamped, 0 as text, 1 skipped of 1: timestamp \"1970-01-01 07:59:59+08\", $where",
	'DateTime', wish => "Nullable(DateTime('Asia/Shanghai'))");
policy_is('error', "0 Nullable(Int64)\n1 2106-02-07 14:28:15.9+08\n2 1970-01-01 07:59:59+08",
	'Date', wish => 'Nullable(Date)');

misfit('numeric', "'12.5'", "'12.345'");
fails('error', qr/cannot export number 12.345 in column "v".*4 digits, 2 of them behind the point/s,
	'Decimal', wish => 'Nullable(Decimal(4, 2))');
policy_is('error', "0 Nullable(Decimal(10, 3))\n1 12.500\n2 12.345", 'Decimal', wish => 'Nullable(Decimal(10,3))');

foreach my $text ('1a', 'String DEFAULT 1', 'Int64, x Int64', 'Decimal(1', "DateTime('UTC", 'Array(--)', 'Array(Int8))',
	'Array(Int8) x', 'Array(`a`)', 'A' x 501)
{
	fails('error', qr/type of column "v" is not the name of a type/, "'$text'", wish => $text);
}

# ---- encodings ----

query('CREATE DATABASE ascii ENCODING \'SQL_ASCII\' TEMPLATE template0 LC_COLLATE \'C\' LC_CTYPE \'C\'');
create_module($node, 'ascii');
$node->safe_psql('ascii', q(CREATE TABLE t (k int, v text); INSERT INTO t VALUES (1, E'gr\303\274n'), (2, E'gr\374n')));
sub ascii
{
	my ($policy) = @_;
	my ($status, $out, $err) = $node->psql('ascii',
		"SELECT n, encode(convert_to(value, 'SQL_ASCII'), 'escape') FROM sw_test_read('t', '$policy') WHERE name = 'v' AND n > 0");
	return $status == 0 ? $out : $err;
}
like(ascii('error'), qr/cannot export text that is not valid UTF-8 in column "v".*with k 2/s, 'SQL_ASCII: error');
is(ascii('null'), "1|gr\\303\\274n\n2|null", 'SQL_ASCII: null');
is(ascii('clamp'), "1|gr\\303\\274n\n2|gr\\357\\277\\275n", 'SQL_ASCII: the replacement character');
is(ascii('text'), "1|gr\\303\\274n\n2|gr\\\\xFCn", 'SQL_ASCII: as text');
is(ascii('skip'), "1|gr\\303\\274n", 'SQL_ASCII: skipped');

query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
create_module($node, 'latin');
$node->safe_psql('latin', "CREATE TYPE colour AS ENUM (U&'gr\\00fcn'); CREATE TABLE t (k int, v text, e colour, j jsonb);"
	  . " INSERT INTO t VALUES (1, U&'gr\\00fcn', U&'gr\\00fcn', U&'{\"a\": \"\\00fc\"}')");
is($node->safe_psql('latin',
		"SELECT name, encode(convert_to(value, 'LATIN1'), 'hex') FROM sw_test_read('t') WHERE n > 0"),
	"k|31\nv|6772c3bc6e\ne|6772c3bc6e\nj|7b2261223a22c3bc227d", 'LATIN1 becomes UTF-8');

# ---- memory ----

query('DROP TABLE t; CREATE TABLE t (k int, v text, w text);'
	  . " INSERT INTO t SELECT i, repeat('x', 1000), repeat('y', 1000) FROM generate_series(1, 2000) i;"
	  . " INSERT INTO t VALUES (0, repeat('z', 50000000), NULL);"
	  . " INSERT INTO t SELECT i, repeat('x', 1000), repeat('y', 1000) FROM generate_series(1, 2000) i");
my ($n_rows, $n_batches, $most) = split / /, query("SELECT sw_test_read_memory('t', 1000000)");
is($n_rows, 4001, 'all rows, with a large one among them');
cmp_ok($n_batches, '>', 8, 'batches end by bytes');
cmp_ok($most, '<', 54_000_000, 'a batch is as large as its largest value, and little more');

query('DO $$ BEGIN EXECUTE (SELECT \'CREATE TABLE wide (\' || string_agg(\'c\' || i || \' int\', \',\') || \')\''
	  . ' FROM generate_series(1, 1600) i); END $$; INSERT INTO wide (c1) SELECT generate_series(1, 3000)');
($n_rows, $n_batches, $most) = split / /, query("SELECT sw_test_read_memory('wide', 8000000)");
is($n_rows, 3000, '1,600 columns');
cmp_ok($most, '<', 17_000_000, 'take no more than the batch may');

$node->stop;
done_testing();
