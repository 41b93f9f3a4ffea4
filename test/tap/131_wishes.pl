# Types that users wish for their columns: what is granted arrives unchanged or
# follows on_unrepresentable, in columns and in containers; what the warehouse
# would change without a word is refused when the pipeline is saved. And times
# of day at a server that has no type for them.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;

my $sandbox = SensorswaveSandbox->new('wishes');
my $node = make_node('wishes', $sandbox, 'sensorswave_export.keep_failed_objects = 0');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION sensorswave_export;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE place AS (street text, number bigint);
SQL
create_clickhouse_destination($node, $sandbox, name => 'clickhouse');
create_destination($node, $sandbox, name => 'bytehouse');

my $serial = 0;

sub quoted { return join(', ', map { quote_text($_) } @_) }

# A table of one column, and what happens to its values under the wish: what
# arrives, or the error of the copy.
sub try_wish
{
	my ($type, $wish, $policy, @values) = @_;
	my $name = 'wish_' . ++$serial;
	$node->safe_psql('postgres', "CREATE TABLE $name (k int PRIMARY KEY, v $type);"
		  . (@values ? "INSERT INTO $name VALUES " . join(', ', map { "($_, (" . ($values[$_] // 'NULL') . ")::$type)" } 0 .. $#values) : ''));
	create_pipeline($node, $name, destination => 'clickhouse', data_source => 'table', source => $name,
		columns => qq({"v": {"type": "$wish"}}), on_unrepresentable => $policy);
	wait_running($node, $name);
	my $id = $node->safe_psql('postgres', "SELECT sw_backfill('$name')");
	return backfill_error($node, $id) if wait_backfill($node, $id) ne 'success';
	return $sandbox->query("SELECT arrayStringConcat(groupArray(t), ' ') FROM"
		  . " (SELECT ifNull(toString(v), 'null') AS t FROM sensorswave.$name FINAL ORDER BY k)") =~ s/\\'/'/gr;
}

# ---- what arrives unchanged ----

foreach (
	[ 'bigint', 'Int8', '-128 127', qw(-128 127) ],
	[ 'bigint', 'UInt64', '0 9223372036854775807', qw(0 9223372036854775807) ],
	[ 'bigint', 'Int256', '-9223372036854775808', '-9223372036854775808' ],
	[ 'bigint', 'Float64', '-9007199254740992 9007199254740992', qw(-9007199254740992 9007199254740992) ],
	[ 'bigint', 'Decimal(5, 2)', '-999 999', qw(-999 999) ],
	[ 'bigint', 'Decimal(38, 0)', '-9223372036854775808', '-9223372036854775808' ],
	[ 'integer', 'Bool', 'false true', qw(0 1) ],
	[ 'oid', 'Nullable(Int32)', '2147483647 null', '2147483647', undef ],
	[ 'boolean', 'UInt8', '0 1', qw(false true) ],
	[ 'real', 'Float64', '0.5 nan -inf', qw('0.5' 'NaN' '-Infinity') ],
	[ 'numeric', 'Float64', '0.1 100000000000000000000 -1.5 nan inf', qw(0.10 100000000000000000000 -1.5 'NaN' 'Infinity') ],
	[ 'numeric(12,3)', 'Float32', '0.1 16777216', qw(0.1 16777216) ],
	[ 'numeric(9,3)', 'Decimal(20, 4)', '123456.789', '123456.789' ],
	[ 'numeric', 'Decimal(5, 0)', '-99999', '-99999' ],
	[ 'numeric(9,3)', 'String', '1.100', '1.1' ],
	[ 'timestamptz', "DateTime64(3, 'UTC')", '2021-01-02 03:04:05.678 1969-12-31 23:59:59.998', qw('2021-01-02T03:04:05.678999Z' '1969-12-31T23:59:59.998999Z') ],
	[ 'timestamptz', "DateTime64(9, 'UTC')", '2262-04-11 23:47:16.123456000', "'2262-04-11T23:47:16.123456Z'" ],
	[ 'timestamptz', "DateTime64(0, 'UTC')", '1969-12-31 23:59:58', "'1969-12-31T23:59:58.9Z'" ],
	[ 'timestamptz', 'Date', '2021-01-03', "'2021-01-02T16:00:00Z'" ],
	[ 'timestamptz', 'Date32', '1970-01-01 1969-12-31', qw('1969-12-31T16:00:00Z' '1969-12-31T15:59:59.999999Z') ],
	[ 'timestamp', "DateTime('UTC')", '2021-01-02 03:04:05', "'2021-01-02T03:04:05.9'" ],
	[ 'timestamp', 'Date32', '1969-12-31', "'1969-12-31 23:59:59.999999'" ],
	[ 'date', "DateTime64(3, 'Asia/Shanghai')", '1960-02-03 00:00:00.000', "'1960-02-03'" ],
	[ 'time', 'Time64(9)', '23:59:59.999999000', "'23:59:59.999999'" ],
	[ 'time', 'String', '23:59:59.999999', "'23:59:59.999999'" ],
	[ 'text', 'LowCardinality(Nullable(String))', 'a null', "'a'", undef ],
	[ 'mood', "Enum8('sad' = 1, 'ok' = 2)", 'ok sad', qw('ok' 'sad') ],
	[ 'inet', 'IPv6', '::1 ::ffff:10.0.0.1', qw('::1' '10.0.0.1') ],
	[ 'jsonb', 'Nullable(String)', '{"a":1.10} null', q('{"a": 1.10}'), undef ],
	[ 'uuid', 'String', '00112233-4455-6677-8899-aabbccddeeff', "'00112233-4455-6677-8899-aabbccddeeff'" ],
	[ 'bigint[]', 'Array(Int8)', '[-128,127] []', "'{-128,127}'", "'{}'" ],
	[ 'numeric[]', 'Array(Nullable(Decimal(9, 2)))', '[1.5,NULL]', "'{1.50,NULL}'" ],
	[ 'text[]', 'Array(LowCardinality(String))', q(['a','b']), "'{a,b}'" ],
	[ 'timestamptz[]', "Array(DateTime('UTC'))", q(['2021-01-02 03:04:05']), "'{2021-01-02T03:04:05.9Z}'" ],
	[ 'date[]', 'Array(Date)', q(['2149-06-06']), "'{2149-06-06}'" ],
	[ 'place', 'Tuple(street String, number UInt16)', q(('a',65535)), "ROW('a', 65535)" ],
	[ 'place[]', 'Array(Tuple(street Nullable(String), number Int16))', q([('a',-1),(NULL,2)]), "ARRAY[ROW('a', -1), ROW(NULL, 2)]::place[]" ])
{
	my ($type, $wish, $expected, @values) = @$_;
	is(try_wish($type, $wish, 'error', @values), $expected, "$type as $wish: each value arrives");
}

# ---- what does not fit ----

# Each with what null, clamp and skip make of it, after a value that fits.
foreach (
	[ 'bigint', 'Nullable(Int32)', '1', '2147483648', qr/number 2147483648 in column "v"/, '1 null', '1 2147483647', '1' ],
	[ 'bigint', 'Nullable(UInt128)', '1', '-1', qr/number -1 in/, '1 null', '1 0', '1' ],
	[ 'integer', 'Nullable(Bool)', '1', '5', qr/number 5 in/, 'true null', 'true true', 'true' ],
	[ 'bigint', 'Nullable(Float64)', '1', '-9007199254740993', qr/number -9007199254740993 in/, '1 null', '1 -9007199254740992', '1' ],
	[ 'integer', 'Nullable(Float32)', '1', '16777217', qr/number 16777217 in/, '1 null', '1 16777216', '1' ],
	[ 'integer', 'Nullable(Decimal(5, 2))', '1', '-1000', qr/number -1000 in/, '1 null', '1 -999', '1' ],
	[ 'numeric', 'Nullable(Float64)', '1.5', '0.1234567890123456789', qr/number 0.1234567890123456789 in/, '1.5 null', '1.5 0.12345678901234568', '1.5' ],
	[ 'numeric', 'Nullable(Float32)', '1.5', '16777217', qr/number 16777217 in/, '1.5 null', '1.5 16777216', '1.5' ],
	[ 'numeric', 'Nullable(Float64)', '1', '1e400', qr/number 1000/, '1 null', '1 1.7976931348623157e308', '1' ],
	[ 'numeric(9,2)', 'Nullable(Decimal(4, 1))', '1.1', '1.55', qr/number 1.55 in/, '1.1 null', '1.1 null', '1.1' ],
	[ 'numeric(9,2)', 'Nullable(Decimal(4, 1))', '1.1', '-1000', qr/number -1000.00 in/, '1.1 null', '1.1 -999.9', '1.1' ],
	[ 'timestamptz', "Nullable(DateTime('UTC'))", "'2021-01-01T00:00:00Z'", "'1969-12-31T23:59:59Z'", qr/timestamp "1970-01-01 07:59:59\+08" in/,
		'2021-01-01 00:00:00 null', '2021-01-01 00:00:00 1970-01-01 00:00:00', '2021-01-01 00:00:00' ],
	[ 'timestamptz', "Nullable(DateTime64(9, 'UTC'))", "'2021-01-01T00:00:00Z'", "'2262-04-12T00:00:00Z'", qr/timestamp "2262-04-12 08:00:00\+08" in/,
		'2021-01-01 00:00:00.000000000 null', '2021-01-01 00:00:00.000000000 2262-04-11 23:47:16.854775000', '2021-01-01 00:00:00.000000000' ],
	[ 'date', 'Nullable(Date)', "'2021-01-01'", "'2149-06-07'", qr/date "2149-06-07" in/, '2021-01-01 null', '2021-01-01 2149-06-06', '2021-01-01' ],
	[ 'timestamp', 'Nullable(Date)', "'2021-01-01'", "'infinity'", qr/timestamp "infinity" in/, '2021-01-01 null', '2021-01-01 2149-06-06', '2021-01-01' ],
	[ 'bigint[]', 'Array(Nullable(Int32))', "'{1}'", "'{1,2147483648}'", qr/number 2147483648 in/, '[1] [1,NULL]', '[1] [1,2147483647]', '[1]' ],
	[ 'timestamptz[]', "Array(Nullable(DateTime('UTC')))", "'{}'", "'{2200-01-01T00:00:00Z}'", qr/timestamp "2200-01-01/, '[] [NULL]', "[] ['2106-02-07 06:28:15']", '[]' ],
	[ 'place', 'Tuple(street Nullable(String), number Nullable(UInt8))', "ROW('a', 1)", "ROW('b', 256)", qr/number 256 in/,
		q{('a',1) ('b',NULL)}, q{('a',1) ('b',255)}, q{('a',1)} ],
	[ 'place[]', 'Array(Tuple(street Nullable(String), number Nullable(Float64)))', "'{}'", "ARRAY[ROW('b', 9007199254740993)]::place[]", qr/number 9007199254740993 in/,
		q{[] [('b',NULL)]}, q{[] [('b',9007199254740992)]}, '[]' ])
{
	my ($type, $wish, $good, $bad, $error, @expected) = @$_;
	my $what = "$bad ($type) as $wish";
	my $got = try_wish($type, $wish, 'error', $good, $bad);
	like($got, $error, "$what: an error that names the value");
	like($got, qr{ // Correct the row}, "$what: and what helps");
	is(try_wish($type, $wish, $_, $good, $bad), shift @expected, "$what: $_") foreach qw(null clamp skip);
}
is(try_wish('integer', 'Int32', 'skip', 1, undef), '1', 'a null where the wish has no Nullable is left out');
like(try_wish('integer', 'Int32', 'error', 1, undef), qr/a null in column "v"/, 'or an error');
like(try_wish('bigint[]', 'Array(Int32)', 'error', "'{NULL}'"), qr/a null in column "v"/, 'also in an array');

# What only the warehouse can judge is an error of its own.
like(try_wish('mood', "Enum8('sad' = 1)", 'error', "'ok'"), qr/^a value does not fit its type at the warehouse/, 'a label that the wished enum lacks');
like(try_wish('inet', 'IPv4', 'error', "'10.0.0.0/8'"), qr/^a value does not fit its type at the warehouse/, 'an address that is a network');

# ---- what is refused ----

$node->safe_psql('postgres', 'CREATE TABLE refused (k int PRIMARY KEY, i bigint, f float8, n numeric, x text, b bytea, j jsonb, u uuid, d date, t time,'
	. ' at timestamp, tz timestamptz, m mood, a bigint[], p place, aa float8[])');

sub refusal
{
	my ($column, $wish, $destination) = @_;
	my ($code, $stdout, $stderr) = sql_as($node,
		'INSERT INTO sw_pipelines (name, destination, data_source, source, columns) VALUES ('
		  . quoted('refused', $destination, 'table', 'refused', qq({"$column": {"type": "$wish"}})) . ')');
	return $code == 0 ? 'nothing is refused' : $stderr;
}

foreach (
	[ i => 'Date' ], [ i => 'DateTime' ], [ i => "Enum8('a' = 1)" ], [ i => 'IPv4' ], [ i => 'Nullable(BFloat16)' ], [ i => 'INT' ], 
	[ f => 'Float32' ], [ f => 'Int64' ], [ f => 'Decimal(9, 2)' ], [ n => 'Int64' ], [ n => 'UInt64' ],
	[ x => 'Int32' ], [ x => 'Float64' ], [ x => 'Decimal(9, 2)' ], [ x => 'DateTime' ], [ x => 'FixedString(2)' ], [ x => 'UUID' ], [ x => 'Bool' ],
	[ b => 'FixedString(2)' ], [ b => 'UInt64' ], [ j => 'JSON' ], [ j => 'Map(String, String)' ], [ u => 'UInt128' ],
	[ d => 'UInt16' ], [ t => 'Time' ], [ t => 'Time64(3)' ], [ tz => 'UInt32' ], [ tz => 'Float64' ], [ m => 'Int8' ],
	[ a => 'Array(Date)' ], [ a => 'String' ], [ a => 'Nullable(Int32)' ], [ a => 'Array(Int32, Int32)' ], [ aa => 'Array(Float32)' ],
	[ p => 'Tuple(String, Int32)' ], [ p => 'Tuple(street String)' ], [ p => 'Tuple(number Int32, street String)' ], [ p => 'Tuple(street String, number Date)' ])
{
	my ($column, $wish) = @$_;
	like(refusal($column, $wish, 'clickhouse'), qr/cannot make values of type .* of column "$column" into .*DETAIL: .*HINT: .*"expr"/s, "$column as $wish is refused");
}
foreach my $wish ('Decimal', 'Decimal(5)', 'Decimal64(2)', 'Decimal(77, 0)', 'Decimal(5, 6)')
{
	like(refusal(n => $wish, 'clickhouse'), qr/cannot make values of type numeric of column "n" into/, "$wish is refused");
}
like(refusal(tz => 'DateTime64', 'clickhouse'), qr/HINT: .*Write it as the warehouse shows it/, 'so is a type without its digits');
foreach my $wish ('DateTime', 'DateTime64(3)', "DateTime64(3, 'Asia/Shanghai')", "DateTime('Etc/GMT+8')")
{
	like(refusal(at => $wish, 'clickhouse'), qr/cannot make values .* of column "at".*wall clock.*AT TIME ZONE/s, "a wall clock as $wish is refused");
}
like(refusal(f => 'Float32', 'bytehouse'), qr/cannot make values of type double precision of column "f" into Float32/, 'at ByteHouse as well');
is($node->safe_psql('postgres', "SELECT count(*) FROM sw_pipelines WHERE name = 'refused'"), '0', 'nothing of these is saved');

# ---- a wish and the pipeline's later life ----

is(try_wish('numeric(9,2)', 'Decimal(20, 4)', 'error', '1.25'), '1.25', 'a Decimal of other digits');
my ($code, $stdout, $stderr) = sql_as($node, qq{UPDATE sw_pipelines SET columns = '{"v": {"expr": "v * 2", "type": "Decimal(20, 4)"}}' WHERE name = 'wish_$serial'});
is($code, 0, 'its expression can be edited') or diag($stderr);
($code, $stdout, $stderr) = sql_as($node, qq{UPDATE sw_pipelines SET columns = '{"v": {"expr": "v::float8", "type": "Decimal(20, 4)"}}' WHERE name = 'wish_$serial'});
like($stderr, qr/cannot make values of type double precision of column "v" into Decimal/, 'but not into what is refused');

# ---- a server that has no type for times of day ----

create_clickhouse_destination($node, $sandbox, name => 'no_time', username => 'no_time');
$node->safe_psql('postgres', <<'SQL');
CREATE TYPE stop AS (at time, name text);
CREATE TABLE clocks (k int PRIMARY KEY, at time, days time[] NOT NULL, s stop, wished time NOT NULL, at_utc timestamptz);
INSERT INTO clocks VALUES (1, '23:59:59.999999', '{00:00,24:00,NULL}', ROW('12:00:00.5', 'x'), '01:02', '2021-01-01'), (2, NULL, '{}', NULL, '01:02:03', NULL);
SQL

sub columns_of
{
	my ($table) = @_;
	return $sandbox->query("SELECT groupArray(type) FROM (SELECT type FROM system.columns WHERE database = 'sensorswave' AND table = '$table' ORDER BY position)");
}

my %row = (data_source => 'table', source => 'clocks', columns => '{"wished": {"type": "String"}}');
create_pipeline($node, 'clocks', destination => 'no_time', %row);
wait_running($node, 'clocks');
is(columns_of('clocks'),
	q{['Int32','Nullable(String)','Array(Nullable(String))','Tuple(at Nullable(String), name Nullable(String))','String','Nullable(DateTime64(6, \\'Asia/Shanghai\\'))']} =~ s/\\'/\\\\'/gr =~ s/\\\\'/\\'/gr,
	'times of day become text there');
is(wait_backfill($node, $node->safe_psql('postgres', "SELECT sw_backfill('clocks')")), 'success', 'and are copied')
  or diag(last_run($node, 'clocks', 'error'));
is($sandbox->query('SELECT k, at, days, s.1, wished FROM sensorswave.clocks FINAL ORDER BY k'),
	"1\t23:59:59.999999\t['00:00:00','24:00:00',NULL]\t12:00:00.5\t01:02:00\n2\t\\N\t[]\t\\N\t01:02:03", 'unchanged');
is((sql_as($node, "UPDATE sw_pipelines SET on_unrepresentable = 'skip' WHERE name = 'clocks'"))[0], 0, 'the pipeline can be edited');
$sandbox->query('TRUNCATE TABLE sensorswave.clocks');
is(wait_backfill($node, $node->safe_psql('postgres', "SELECT sw_backfill('clocks')")), 'success', 'and copied again');

# The mark of another pipeline is found all the same.
($code, $stdout, $stderr) = sql_as($node, "INSERT INTO sw_pipelines (name, destination, data_source, source, target_table) VALUES ('again', 'no_time', 'table', 'clocks', 'clocks')");
isnt($code, 0, 'a target that another pipeline has is refused there too');

create_pipeline($node, 'clocks_typed', destination => 'clickhouse', %row);
wait_running($node, 'clocks_typed');
like(columns_of('clocks_typed'), qr/'Nullable\(Time64\(6\)\)','Array\(Nullable\(Time64\(6\)\)\)','Tuple\(at Nullable\(Time64\(6\)\)/, 'at a server that has it, the type is Time64');

$node->stop;
done_testing();
