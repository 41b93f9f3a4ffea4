# Pipelines of data source table: their targets at both kinds of warehouse, and
# full copies into them.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $sandbox = SensorswaveSandbox->new('tables');
my $node = make_node('tables', $sandbox, 'sensorswave_export.keep_failed_objects = 0');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, name => 'bytehouse');
create_clickhouse_destination($node, $sandbox, name => 'clickhouse');

# ---- helpers ----

sub create_table_pipeline
{
	my ($name, $destination, %columns) = @_;
	create_pipeline(
		$node, $name,
		destination => $destination,
		data_source => 'table',
		columns => '{}',
		%columns);
	wait_running($node, $name);
	return;
}

# Ask for a full copy; returns its id.
sub copy
{
	my ($pipeline) = @_;
	return $node->safe_psql('postgres', "SELECT sw_backfill('$pipeline')");
}

sub run_copy
{
	my ($pipeline) = @_;
	return wait_backfill($node, copy($pipeline));
}

# What is said when a pipeline of the table "things" cannot be made so.
sub is_refused
{
	my ($what, $error, %columns) = @_;
	my %row = (name => 'refused', destination => 'clickhouse', data_source => 'table', source => 'things', %columns);
	my @names = sort keys %row;
	my ($code, $stdout, $stderr) = sql_as($node,
		    'INSERT INTO sw_pipelines (' . join(', ', @names) . ') VALUES ('
		  . join(', ', map { quote_text($row{$_}) } @names) . ')');

	isnt($code, 0, "$what is refused");
	like($stderr, $error, "$what: with the reason");
	return;
}

sub edit_error
{
	my ($pipeline, $change) = @_;
	my ($code, $stdout, $stderr) =
	  sql_as($node, "UPDATE sw_pipelines SET $change WHERE name = '$pipeline'");
	return $code == 0 ? 'no error' : $stderr;
}

sub columns_of
{
	my ($table) = @_;
	return $sandbox->query(
		"SELECT name, type FROM system.columns WHERE database = 'sensorswave'"
		  . " AND table = '$table' ORDER BY position") =~ s/\t/ /gr =~ s/\\'/'/gr;
}

# ---- a table of several types, with a key ----

$node->safe_psql('postgres', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE place AS (street text, number int);
CREATE TABLE orders (
	id bigint,
	shop int,
	note varchar(100),
	is_paid boolean NOT NULL,
	amount numeric(12, 2),
	weight float8,
	token uuid,
	due date,
	at time,
	made timestamp,
	updated_at timestamptz NOT NULL,
	extra jsonb,
	mood mood,
	tags text[],
	home place,
	"select" text GENERATED ALWAYS AS (upper(note)) STORED,
	gone int,
	PRIMARY KEY (shop, id));
ALTER TABLE orders DROP COLUMN gone;
INSERT INTO orders
SELECT n, n % 7, CASE WHEN n % 3 > 0 THEN 'note ' || n END, n % 2 = 0, n / 100.0, n * 0.5,
	md5(n::text)::uuid, date '2021-01-01' + n, time '01:02:03.000004' + n * interval '1 second', timestamp '2021-01-01 00:00:00.123456' + n * interval '1 hour',
	timestamptz '2021-01-01 00:00:00.654321+00' + n * interval '1 minute',
	jsonb_build_object('n', n), (ARRAY['sad', 'ok', 'happy'])[n % 3 + 1]::mood,
	ARRAY['a' || n, NULL, 'c'], ROW('street ' || n, n)::place
FROM generate_series(1, 1000) n;
SQL

# Each row of the target as text, to be compared with the source's.
my $as_text = <<'SQL';
SELECT arrayStringConcat(groupArray(line), '\n') FROM (SELECT concat_ws('|', toString(id), toString(shop),
	ifNull(note, '-'), toString(toUInt8(is_paid)), toString(amount), toString(weight), toString(token), toString(due), toString(at), toString(made),
	toString(toTimeZone(updated_at, 'UTC')), replaceAll(ifNull(toString(extra), '-'), ' ', ''), toString(mood), toString(length(tags)),
	ifNull(tags[1], '-'), ifNull(tags[2], '-'), ifNull(home.1, '-'), toString(ifNull(home.2, 0)), ifNull(`select`, '-')) AS line FROM TARGET ORDER BY id)
SQL
my $expected = $node->safe_psql('postgres', <<'SQL');
SET extra_float_digits = 0;
SELECT concat_ws('|', id, shop, coalesce(note, '-'), is_paid::int, trim_scale(amount), weight, token, due, at,
	to_char(made, 'YYYY-MM-DD HH24:MI:SS.US'), to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS.US'),
	replace(extra::text, ' ', ''), mood, cardinality(tags), tags[1], coalesce(tags[2], '-'), (home).street, (home).number,
	coalesce("select", '-'))
FROM orders ORDER BY id
SQL

sub rows_of
{
	my ($table) = @_;
	return $sandbox->query($as_text =~ s/TARGET/sensorswave.$table FINAL/r) =~ s/\\n/\n/gr;
}

foreach my $destination ('clickhouse', 'bytehouse')
{
	my $name = "orders_$destination";
	create_table_pipeline($name, $destination, source => 'orders');
	is($node->safe_psql('postgres', "SELECT mode, key_columns FROM sw_pipelines WHERE name = '$name'"),
		'upsert|{shop,id}', "$destination: a table with a primary key is upserted by it");
	my $string = $destination eq 'bytehouse' ? 'String' : 'Nullable(String)';
	is(columns_of($name), <<"SHOWN" =~ s/\n\z//r, "$destination: each column of the source has one, of its type");
id Int64
shop Int32
note Nullable(String)
is_paid ${\ ($destination eq 'bytehouse' ? 'UInt8' : 'Bool') }
amount Nullable(Decimal(12, 2))
weight Nullable(Float64)
token Nullable(UUID)
due Nullable(Date32)
at Nullable(${\ ($destination eq 'bytehouse' ? 'String' : 'Time64(6)') })
made Nullable(DateTime64(6, 'UTC'))
updated_at DateTime64(6, 'Asia/Shanghai')
extra $string
mood LowCardinality(Nullable(String))
tags Array(Nullable(String))
home Tuple(street Nullable(String), number Nullable(Int32))
select Nullable(String)
SHOWN

	is(run_copy($name), 'success', "$destination: a full copy succeeds");
	is(last_run($node, $name, 'kind, status, range_start, range_end, rows_exported, files, attempt'),
		'copy|success|||1000|1|1', "$destination: its run is on record");
	is($node->safe_psql('postgres', <<"SQL"), '||success|1|1|1000||', "$destination: so is the backfill");
SELECT from_date, to_date, status, windows_total, windows_done, rows_exported, error, hint
FROM sw_backfills WHERE pipeline = '$name'
SQL
	is($node->safe_psql('postgres', <<"SQL"), '||success|1000', "$destination: and its one window");
SELECT window_start, window_end, w.status, w.rows_exported
FROM sw_backfill_windows w JOIN sw_backfills USING (backfill_id) WHERE pipeline = '$name'
SQL
	is(rows_of($name), $expected, "$destination: each value arrives");
	is_deeply([ $sandbox->objects ], [], "$destination: no object is left");
	unlike(last_log($node, $name), qr/warning/, "$destination: there is nothing to warn of");

	my $id = copy($name);
	is(wait_backfill($node, $id), 'failed', "$destination: a copy into a table with rows is refused");
	is(backfill_error($node, $id),
		qq{target table "$name" is not empty // Empty it at the warehouse (TRUNCATE TABLE) if its rows may go, then call sw_backfill again.},
		"$destination: saying what helps");
	is(last_run($node, $name, 'files, load_query_id'), '0|', "$destination: before anything is read");

	my $explained = $node->safe_psql('postgres', "SELECT * FROM sw_explain_pipeline('$name')");
	like($explained, qr/^-- rows of a full copy\nSELECT\n.*^FROM public\.orders\nWHERE true$/ms,
		"$destination: sw_explain_pipeline shows the query");
	like($explained, qr/^-- load of a full copy\nINSERT INTO `sensorswave`\.`$name` \(.*'\*\*\*', '\*\*\*'/m,
		"$destination: and the load, keys masked");
}

# ---- without a key: rows are appended ----

change_settings($node, 'sensorswave_export.file_size' => '64kB');
make_events($node, 'things', 3000, '2021-08-01');
foreach my $destination ('clickhouse', 'bytehouse')
{
	my $name = "things_$destination";
	create_table_pipeline($name, $destination, source => 'things', target_options => '{"order_by": "id"}',
		columns => '{"id": {"type": "String"}, "actor": null, "n": "length(type)"}');
	is($node->safe_psql('postgres', "SELECT mode, key_columns FROM sw_pipelines WHERE name = '$name'"),
		'append|', "$destination: a table without a primary key is appended to");
	is(columns_of($name), <<"SHOWN" =~ s/\n\z//r, "$destination: the mapping leaves out, types and adds");
id String
type Nullable(String)
payload ${\ ($destination eq 'bytehouse' ? 'String' : 'Nullable(String)') }
created_at Nullable(DateTime64(6, 'Asia/Shanghai'))
n Nullable(Int32)
SHOWN
	my $from = $sandbox->count_log('front');
	is(run_copy($name), 'success', "$destination: a copy of several files succeeds");
	my $files = last_run($node, $name, 'files');
	cmp_ok($files, '>', 1, "$destination: there were several");
	is($sandbox->query("SELECT count(), uniqExact(id), sum(n) FROM sensorswave.$name"),
		"3000\t3000\t12000", "$destination: each row arrived once");

	my @loads = grep { $_->{event} eq 'query' && $_->{query} =~ /^INSERT INTO/ } $sandbox->log_lines('front', $from);
	if ($destination eq 'clickhouse')
	{
		my %tokens = map { $_->{settings}{insert_deduplication_token} => 1 } @loads;
		is(scalar @loads, $files, "$destination: one load for each file");
		is(scalar keys %tokens, $files, "$destination: with a token of its own");
	}
	else
	{
		is(scalar @loads, 1, "$destination: one load for all files");
		like($loads[0]{query}, qr{/part-\*\.parquet'}, "$destination: by a pattern");
	}
	is($loads[-1]{query_id}, last_run($node, $name, 'load_query_id'), "$destination: with the id on record");
}
change_settings($node, 'sensorswave_export.file_size' => '128MB');

# ---- types of the user's ----

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE own (id int PRIMARY KEY, at timestamptz NOT NULL, day date NOT NULL, token uuid NOT NULL, n numeric(10, 2), mood mood);
INSERT INTO own VALUES (1, '2021-01-02 03:04:05.678+00', '2021-01-02', '00112233-4455-6677-8899-aabbccddeeff', 12.34, 'ok'),
	(2, '2021-01-03 00:00:00+00', '2021-01-03', '00112233-4455-6677-8899-aabbccddee00', NULL, NULL);
SQL
foreach my $destination ('clickhouse', 'bytehouse')
{
	my $name = "own_$destination";
	create_table_pipeline($name, $destination, source => 'own', columns => <<'JSON');
{"at": {"type": "DateTime('UTC')"}, "day": {"type": "Date"}, "token": {"type": "String"},
 "n": {"expr": "n * 2", "type": "Nullable(Float64)"}, "mood": {"type": "Nullable(String)"}}
JSON
	is(run_copy($name), 'success', "$destination: a copy with types of the user's succeeds");
	is($sandbox->query("SELECT id, at, day, token, n, mood FROM sensorswave.$name FINAL ORDER BY id"),
		"1\t2021-01-02 03:04:05\t2021-01-02\t00112233-4455-6677-8899-aabbccddeeff\t24.68\tok\n"
		  . "2\t2021-01-03 00:00:00\t2021-01-03\t00112233-4455-6677-8899-aabbccddee00\t\\N\t\\N",
		"$destination: values are made of what they mean");
}

# ---- documents that a JSON column does not take as they are ----

# A few of each kind, then what chance draws of names that get in each other's
# way; as jsonb, and as text, which has members of one name.
my $seed = $ENV{SW_TEST_SEED} || time();
note "seed $seed: SW_TEST_SEED repeats it";
$node->safe_psql('postgres', 'SELECT setseed(' . ($seed % 1000) / 1000 . ');' . <<'SQL');
CREATE FUNCTION draw(depth int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	names text[] := '{a,b,a.b,a.b.b,.,"",a%2Eb,\\u0061.b}';
	kind float8 := random();
BEGIN
	IF kind < 0.6 AND depth < 3 THEN
		RETURN (SELECT '{' || coalesce(string_agg(format('"%s":%s', names[1 + floor(random() * 8)::int], draw(depth + 1)), ','), '') || '}' FROM generate_series(1, floor(random() * 6)::int));
	ELSIF kind < 0.66 AND depth < 3 THEN
		RETURN (SELECT '[' || coalesce(string_agg(draw(depth + 1), ','), '') || ']' FROM generate_series(1, floor(random() * 4)::int));
	END IF;
	RETURN (ARRAY['1', 'null', '"x"', '1e30', '100000000000000000000000', 'true', '[]', '{}', '9223372036854775807'])[1 + floor(random() * 9)::int];
END $$;
CREATE TABLE odd (id int PRIMARY KEY, doc jsonb, raw json);
INSERT INTO odd SELECT n, d::jsonb, d::json FROM (VALUES
	(1, '{"a":1,"b":{"c":2}}'), (2, '{"a":1,"a":{"c":2,"c":3}}'), (3, '{"a":{"b":1},"a.b":2}'), (4, '[1,{"a":2}]'),
	(5, repeat('{"a":', 1000) || '1' || repeat('}', 1000)), (6, '{"a":' || repeat('[', 999) || repeat(']', 999) || '}'),
	(7, repeat('{"a":', 1001) || '{}' || repeat('}', 1001)), (8, '{"' || repeat('long', 100000) || '":1}'), (9, '{"":1,"a":{"":2}}'),
	(10, '{"a":[{"b":{"c":1},"b.c":2}]}'), (11, '{"a":1e300,"b":100000000000000000000,"c":123456789012345678901234567890.5}')) AS x (n, d);
INSERT INTO odd SELECT n, d::jsonb, d::json FROM (SELECT n, draw(0) AS d FROM generate_series(101, 1100) AS n) AS x;
SQL
my $n_odd = $node->safe_psql('postgres', 'SELECT count(*) FROM odd');
my %kept = (
	null => [ '3 {"a":{"b":1}} {"a":{"b":1}}', '4 {} {}', '10 {"a":[{"b":{"c":1}}]} {"a":[{"b":{"c":1}}]}' ],
	clamp => [ '3 {"a":{"b":1}} {"a":{"b":1}}', '4 {"value":[1,{"a":2}]} {"value":[1,{"a":2}]}', '10 {"a":[{"b":{"c":1}}]} {"a":[{"b":{"c":1}}]}' ],
	text => [ '3 {"a%2Eb":2,"a":{"b":1}} {"a%2Eb":2,"a":{"b":1}}', '4 {"value":[1,{"a":2}]} {"value":[1,{"a":2}]}', '10 {"a":[{"b%2Ec":2,"b":{"c":1}}]} {"a":[{"b%2Ec":2,"b":{"c":1}}]}' ]);
create_table_pipeline('odd_error', 'clickhouse', source => 'odd', json_type => 'json');
is(run_copy('odd_error'), 'failed', 'documents that a JSON column does not take stop a copy where that is the policy');
like(last_run($node, 'odd_error', 'error'), qr/cannot export JSON .* at "a\.b" in column "doc"/, 'with the path told');
foreach my $policy (qw(null clamp text skip))
{
	my $name = "odd_$policy";

	create_table_pipeline($name, 'clickhouse', source => 'odd', json_type => 'json', on_unrepresentable => $policy);
	is(run_copy($name), 'success', "$policy: and not where it is another");
	my $n_there = $sandbox->query("SELECT count() FROM sensorswave.$name");
	$policy eq 'skip' ? cmp_ok($n_there, '<', $n_odd, "$policy: rows are left out") : is($n_there, $n_odd, "$policy: all rows are there");
	like(last_log($node, $name), qr/"doc"/, "$policy: what was done is logged");
	is($sandbox->query("SELECT id, length(toString(doc)), length(toString(raw)) FROM sensorswave.$name WHERE id IN (1, 5, 6, 8) ORDER BY id"),
		join("\n", map { "$_->[0]\t$_->[1]\t$_->[1]" } [ 1, 19 ], [ 5, 6001 ], [ 6, 2004 ], [ 8, 400006 ]), "$policy: deep documents and long names arrive");
	is($sandbox->query("SELECT DISTINCT toString(raw) FROM sensorswave.$name WHERE id = 2"), '{"a":{"c":3}}', "$policy: the last member of a name arrives");
	is($sandbox->query("SELECT concat(toString(id), ' ', toString(doc), ' ', toString(raw)) FROM sensorswave.$name WHERE id IN (3, 4, 10) ORDER BY id"),
		join("\n", @{ $kept{$policy} }), "$policy: and others as they should") if $kept{$policy};
}

# ---- what is fixed ----

like(edit_error('own_clickhouse', q{columns = columns || '{"n": "n * 3"}'}),
	qr/type of column "n" cannot be changed.*must give type "Nullable\(Float64\)"/s, 'a type cannot be dropped');
like(edit_error('own_clickhouse', q{columns = columns || '{"id": {"type": "Int64"}}'}),
	qr/type of column "id" cannot be changed.*made without a type/s, 'nor can one be given later');
like(edit_error('own_clickhouse', q{columns = columns || '{"more": "1"}'}),
	qr/the target has no column "more".*Its columns are id, at, day, token, n, mood\./s, 'no column can be added');
like(edit_error('own_clickhouse', q{columns = columns || '{"mood": null}'}),
	qr/mapping leaves out column "mood", which the target has/, 'none can be left out');
like(edit_error('own_clickhouse', q{columns = columns || '{"id": "id::text"}'}),
	qr/the source of column "id" is not of the type that the target was made for.*It gives string, the target's column was made for int32\./s,
	'an expression must give the same type');
like(edit_error('own_clickhouse', q{mode = 'append'}), qr/mode of a pipeline cannot be changed/, 'the mode is fixed');
like(edit_error('own_clickhouse', q{key_columns = '{n}'}), qr/key_columns of a pipeline cannot be changed/, 'and the key');
is(edit_error('own_clickhouse', q{columns = columns || '{"id": "id + 0"}', on_unrepresentable = 'null'}),
	'no error', 'another expression of the same type is fine');
is($node->safe_psql('postgres', q{SELECT sw_put_pipeline('{"name": "own_clickhouse", "on_unrepresentable": "null"}')}),
	'unchanged', 'a definition that changes nothing');

# ---- the source changes ----

$node->safe_psql('postgres', 'CREATE TABLE changing (a int NOT NULL, b text, c numeric(5, 2)); INSERT INTO changing VALUES (1, $$x$$, 2)');
create_table_pipeline('changing', 'clickhouse', source => 'changing');
foreach my $change (
	[ 'ADD COLUMN d int; ALTER TABLE changing ALTER COLUMN a DROP NOT NULL', undef ],
	[ 'ALTER COLUMN c TYPE numeric(6, 3)', qr/^the source of column "c" is not of the type.* \/\/ Map the column to an expression of the former type/ ],
	[ 'ALTER COLUMN c TYPE numeric(5, 2), DROP COLUMN b', qr/^the source has no columns for some target columns/ ],
	[ 'ADD COLUMN b text', undef ])
{
	my ($what, $error) = @$change;
	$node->safe_psql('postgres', "ALTER TABLE changing $what");
	$sandbox->query('TRUNCATE TABLE sensorswave.changing');
	my $id = copy('changing');
	is(wait_backfill($node, $id), defined $error ? 'failed' : 'success', "after ALTER TABLE $what");
	like(backfill_error($node, $id), $error, 'the error names the column') if defined $error;
	is(count_target($sandbox, 'changing'), defined $error ? 0 : 1, 'and nothing wrong is written');
}
is(columns_of('changing'), "a Int32\nb Nullable(String)\nc Nullable(Decimal(5, 2))", 'the target is as it was made');
$node->safe_psql('postgres', 'INSERT INTO changing (a, c) VALUES (NULL, 3)');
$sandbox->query('TRUNCATE TABLE sensorswave.changing');
my $id = copy('changing');
is(wait_backfill($node, $id), 'failed', 'a null where the target can have none');
like(backfill_error($node, $id), qr/column "a"/, 'is an error that names the column');
is(edit_error('changing', q{on_unrepresentable = 'skip'}), 'no error', 'the policy can be edited');
is(run_copy('changing'), 'success', 'then the row is left out');
is(count_target($sandbox, 'changing'), 1, 'alone');
like(last_log($node, 'changing'), qr/warning: 1 rows could not be exported and were left out.*warning: column "a": .*1 rows were left out/s,
	'and counted');

# ---- a table that is there already ----

$sandbox->query('CREATE TABLE sensorswave.things (id String, type Int32, more String) ENGINE = MergeTree ORDER BY id');
is_refused('another table of that name',
	qr/is not what the pipeline needs.*column "type" is Int32, needs Nullable\(String\).*column "actor" is missing.*column "more" is not one of the pipeline/s);

# ---- what cannot be ----

is_refused('a key of appended rows', qr/key_columns are given, but rows are only appended/, mode => 'append', key_columns => '{id}');
is_refused('an upsert without a key', qr/the source has no primary key to upsert by/, mode => 'upsert');
is_refused('another mode', qr/unknown mode "merge".*Use "append" or "upsert"/s, mode => 'merge');
is_refused('a key that is no column', qr/key_columns names column "nosuch", which the target does not have/, key_columns => '{nosuch}');
is_refused('a key with JSON', qr/key_columns column "actor" is JSON/, key_columns => '{actor}');
is_refused('a key twice', qr/key_columns names column "id" twice/, key_columns => '{id,id}');
is_refused('a reserved name', qr/column "_sw_op" has a name that is reserved/, columns => '{"_sw_op": "1"}');
is_refused('leaving out what is not there', qr/leaves out column "nosuch", which the source does not have/, columns => '{"nosuch": null}');
is_refused('a type that is none', qr/type of column "id" is not the name of a type/, columns => '{"id": {"type": "String) ENGINE = Null --"}}');
is_refused('other keys of a mapping', qr/has other keys than "expr" and "type"/, columns => '{"id": {"expr": "id", "typ": "String"}}');
is_refused('another policy', qr/unknown on_unrepresentable "ignore"/, on_unrepresentable => 'ignore');
is_refused('an event filter', qr/has no events to filter/, event_filter => 'include', event_names => '{a}');
$node->safe_psql('postgres', <<'SQL');
CREATE TYPE twice_0 AS (a int, b int);
DO $$ BEGIN
	FOR i IN 1..25 LOOP EXECUTE format('CREATE TYPE twice_%s AS (a twice_%s, b twice_%s)', i, i - 1, i - 1); END LOOP;
END $$;
CREATE TABLE doubled (id int PRIMARY KEY, value twice_25);
SQL
is_refused('a type of millions of members', qr/cannot export type twice_\d+: it has more than 2000 members/, source => 'doubled');
is_refused('a primary key that is left out', qr/leaves out column "id" of the primary key/, source => 'own', columns => '{"id": null}');
change_destination($node, 'clickhouse', stage_format => 'parquet');
is_refused('Parquet for appended rows', qr/cannot be appended exactly once from files of format "parquet".*at_least_once/s, target_table => 'fresh');
change_destination($node, 'clickhouse', stage_format => 'native');
like((sql_as($node, q{SELECT sw_backfill('own_clickhouse', '2021-01-01', '2021-01-02')}))[2],
	qr/backfills of days of data source "table" are not supported yet.*Copy all of it: sw_backfill\(pipeline\)/s, 'days of a table');

# ---- other sources ----

$node->safe_psql('postgres', <<'SQL');
CREATE VIEW seen AS SELECT id, n FROM own;
CREATE TABLE parted (k int, v text, PRIMARY KEY (k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1, 2);
INSERT INTO parted VALUES (1, 'a'), (2, 'b');
CREATE TABLE parent (k int PRIMARY KEY);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1), (2);
CREATE TABLE empty (k int PRIMARY KEY);
SQL
foreach my $case ([ seen => 'append', 2 ], [ parted => 'upsert', 2 ], [ parent => 'append', 3 ], [ empty => 'upsert', 0 ])
{
	my ($source, $mode, $rows) = @$case;
	create_table_pipeline($source, 'clickhouse', source => $source);
	is($node->safe_psql('postgres', "SELECT mode FROM sw_pipelines WHERE name = '$source'"), $mode, "$source: mode");
	is(run_copy($source), 'success', "$source: a copy succeeds");
	is(count_target($sandbox, $source), $rows, "$source: with all rows");
}

# Rows with the same key become one, and the run says so.
create_table_pipeline('doubles', 'clickhouse', source => 'parent', target_table => 'doubles', mode => 'upsert', key_columns => '{k}');
is(run_copy('doubles'), 'success', 'a copy of rows that have their key in common');
is($sandbox->query('SELECT count() FROM sensorswave.doubles FINAL'), 2, 'one of each is there');
like(last_log($node, 'doubles'), qr/info: the target has 2 rows: 1 have their key in common with another/, 'and the run says so');

# ---- users ----

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE people (ssid bigint PRIMARY KEY, login_id text, anon_id text, properties jsonb, created_at timestamptz, updated_at timestamptz);
INSERT INTO people SELECT n, 'user' || n, NULL, jsonb_build_object('n', n), '2021-01-01 00:00:00+00', '2021-01-02 00:00:00+00'
FROM generate_series(1, 100) n;
SQL
foreach my $destination ('clickhouse', 'bytehouse')
{
	my $name = "people_$destination";
	create_pipeline($node, $name, destination => $destination, data_source => 'users', source => 'people', columns => '{}');
	wait_running($node, $name);
	is(run_copy($name), 'success', "$destination: a copy of users succeeds");
	is($sandbox->query("SELECT count(), uniqExact(ssid), countIf(anon_id = ''), max(toUnixTimestamp(updated_at)) FROM sensorswave.$name FINAL"),
		"100\t100\t100\t1609545600", "$destination: all are there");
}
like((sql_as($node, q{SELECT sw_backfill('people_clickhouse', '2021-01-01', '2021-01-02')}))[2],
	qr/backfills of days of data source "users" are not supported yet/, 'days of users');
load_events($node);
create_pipeline($node, 'github', destination => 'bytehouse');
like((sql_as($node, q{SELECT sw_backfill('github')}))[2],
	qr/pipeline "github" cannot be copied as a whole.*Give the days/s, 'events are not copied as a whole');

done_testing();
