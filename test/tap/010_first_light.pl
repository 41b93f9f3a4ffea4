# The main job end to end: real events, from a table in Postgres through the
# object store into the warehouse, and what is on record of it.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('first_light');
my $node = make_node('first_light', $sandbox);

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
create_destination($node, $sandbox);
is($node->safe_psql('postgres', 'SELECT count(*) FROM github_events'),
	800, 'there are 800 sample events');

# ---- a pipeline that is rolled back ----

$node->safe_psql('postgres', <<'SQL');
BEGIN;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, columns)
VALUES ('undone', 'wh', 'events', 'github_events', 'undone',
	'{"time": "created_at", "distinct_id": "id", "trace_id": "id", "ssid": "1",
	  "anon_id": "''''", "login_id": "''''", "event": "type", "properties": "payload",
	  "user_properties": "actor", "received_at": "created_at"}');
ROLLBACK;
SQL
create_pipeline($node, 'github', target_table => undef);
wait_running($node, 'github');
is($sandbox->query("SELECT name FROM system.tables WHERE database = 'sensorswave'"),
	'sensorswave_events',
	'a pipeline makes its table, one that was rolled back does not');

# ---- the target table ----

is( $sandbox->query(
		'SELECT name, type FROM system.columns'
		  . " WHERE database = 'sensorswave' AND table = 'sensorswave_events'"
		  . ' ORDER BY position'),
	join("\n",
		"time\tDateTime64(3, \\'Asia/Shanghai\\')", "distinct_id\tString",
		"trace_id\tString", "ssid\tInt64",
		"anon_id\tString", "login_id\tString",
		"event\tString", "properties\tString",
		"user_properties\tString",
		"received_at\tDateTime64(3, \\'Asia/Shanghai\\')"),
	'columns of the target at the engine (the front keeps JSONB as String)');

my @creations = grep { ($_->{query} // '') =~ /^CREATE TABLE/ }
  $sandbox->log_lines('front');
is(scalar @creations, 1, 'one CREATE TABLE was sent');
is($creations[0]{outcome}, 'ok', 'and accepted');
is( $creations[0]{query} =~ s/\s+/ /gr,
	'CREATE TABLE IF NOT EXISTS `sensorswave`.`sensorswave_events` ('
	  . '`time` DateTime64(3, \'Asia/Shanghai\'), `distinct_id` String,'
	  . ' `trace_id` String, `ssid` Int64, `anon_id` String, `login_id` String,'
	  . ' `event` String, `properties` JSONB, `user_properties` JSONB,'
	  . ' `received_at` DateTime64(3, \'Asia/Shanghai\'))'
	  . ' ENGINE = CnchMergeTree PARTITION BY toDate(`time`)'
	  . ' ORDER BY (`event`, `time`, `distinct_id`)'
	  . " COMMENT 'sensorswave_export: "
	  . $node->safe_psql('postgres',
		"SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid || '/'"
		  . ' || (SELECT pipeline_id FROM _sensorswave.pipeline)'
		  . ' FROM pg_database WHERE datname = current_database()')
	  . " github'",
	'its columns, engine, partitions and mark of ownership');

# ---- the first backfill ----

my $id = backfill($node, 'github', $day, $day);
is(wait_backfill($node, $id), 'success', 'a backfill of the day succeeds');
is(count_target($sandbox, 'sensorswave_events'), 800, 'the target has 800 rows');

my %found = map { split /\t/ } split /\n/,
  $sandbox->query('SELECT event, count() FROM sensorswave.sensorswave_events GROUP BY event');
my %wanted = map { split /\|/ } split /\n/,
  $node->safe_psql('postgres', 'SELECT type, count(*) FROM github_events GROUP BY type');
is_deeply(\%found, \%wanted, 'as many of each type as in Postgres');
is_deeply(
	{ map { $_ => $found{$_} } qw(PushEvent CreateEvent PullRequestEvent WatchEvent IssueCommentEvent) },
	{   PushEvent => 425,
		CreateEvent => 103,
		PullRequestEvent => 64,
		WatchEvent => 58,
		IssueCommentEvent => 36
	},
	'as many of the known types as the data set has');
check_sample_rows($node, $sandbox, 'sensorswave_events', 'first');
is( $sandbox->query(
		'SELECT toString(min(time)), toString(min(received_at))'
		  . ' FROM sensorswave.sensorswave_events'),
	"2021-07-21 14:00:00.000\t2021-07-21 14:00:00.000",
	'06:00 UTC shows as 14:00 in Shanghai');

# ---- what went over the wire ----

# The lease is looked for before it is there.
my @requests = grep { ($_->{key} // '') !~ m{/_lease/} } $sandbox->log_lines('store');
my @ours = grep { $_->{api} eq 'tos' } @requests;
my @theirs = grep { $_->{api} ne 'tos' } @requests;

cmp_ok(scalar @ours, '>', 0, 'the store has seen requests of ours');
is(scalar(grep { !$_->{accepted} || $_->{status} >= 300 } @requests),
	0, 'it accepted every request');
is( scalar(grep { $_->{judge} !~ m{^\@volcengine/tos-sdk \d} } @ours),
	0, 'ours were judged by the signer of the official SDK');
is_deeply(
	{ map { $_->{method} => 1 } @ours },
	{ PUT => 1, DELETE => 1 },
	'they were PUT and DELETE');
cmp_ok(scalar(grep { $_->{method} eq 'GET' } @theirs),
	'>', 0, 'the warehouse read what we had put');
is_deeply([ $sandbox->objects ], [], 'no object is left');

my @statements = grep { $_->{event} eq 'query' } $sandbox->log_lines('front');
my @loads = grep { $_->{query} =~ /CnchS3/ } @statements;
my $secret = $sandbox->env('STORE_SECRET_KEY') =~ s/([\\'])/\\$1/gr;
my $bucket = $sandbox->env('STORE_BUCKET');
my $region = $sandbox->env('STORE_REGION');

is(scalar @loads, 1, 'one load was sent');
like(
	$loads[0]{query},
	qr/^INSERT OVERWRITE `sensorswave`\.`sensorswave_events` PARTITION \('2021-07-21'\)/,
	'it overwrites one day');
is($loads[0]{cnchs3_args}, 6, 'CnchS3 has six arguments');
like(
	$loads[0]{query},
	qr/CnchS3\('[^']+', '`time` Int64, `distinct_id` String,/,
	'the second is the structure');
like(
	$loads[0]{url},
	qr{^https://\Q$bucket\E\.tos-s3-\Q$region\E\.volces\.com/sensorswave/[\w./=-]+$},
	'the address is virtual-host style at the S3 endpoint');
like($loads[0]{query}, qr/\Q'$secret'\E\)/, 'the key is quoted as it must be');
is($loads[0]{format}, 'Parquet', 'the format is Parquet');
is($loads[0]{written_rows}, 800, 'the warehouse wrote 800 rows');
is_deeply(
	[ sort keys %{ { map { $_->{revision} => 1 } @statements } } ],
	[54448], 'the effective revision is 54448');
is( scalar(
		grep { ($_->{warehouse} // '') ne $sandbox->env('BYTEHOUSE_WAREHOUSE') }
		grep { $_->{query} !~ /^SET / } @statements),
	0, 'every statement ran in the virtual warehouse');
is_deeply(
	[   map { "$_->{code} " . ($_->{query} // '') }
		grep { $_->{outcome} ne 'ok' && ($_->{query} // '') !~ /_sw_probe|^SHOW CREATE TABLE/ }
		$sandbox->log_lines('front')
	],
	[], 'the warehouse refused nothing but the look whether it is there');

# ---- what is on record ----

is( last_run($node, 'github',
		'kind, status, range_start, range_end, rows_exported, files,'
		  . ' bytes_staged > 10000, attempt, finished_at >= started_at, error, hint,'
		  . ' settings_version'),
	'backfill|success|2021-07-20 16:00:00+00|2021-07-21 16:00:00+00|800|1|t|1|t|||1',
	'the run');
is( last_run($node, 'github', 'load_query_id'),
	$loads[0]{query_id}, 'the run names the query id of its load');
is( $node->safe_psql('postgres',
		'SELECT pipeline, from_date, to_date, status, windows_total, windows_done,'
		  . ' rows_exported, requested_at <= started_at AND started_at <= finished_at,'
		  . " error, hint FROM sw_backfills WHERE backfill_id = $id"),
	'github|2021-07-21|2021-07-21|success|1|1|800|t||', 'the backfill');
is( $node->safe_psql('postgres',
		'SELECT window_start, window_end, status, rows_exported,'
		  . ' run_id = (SELECT max(run_id) FROM sw_runs)'
		  . " FROM sw_backfill_windows WHERE backfill_id = $id"),
	'2021-07-20 16:00:00+00|2021-07-21 16:00:00+00|success|800|t',
	'its window');
like(
	$node->safe_psql('postgres',
		"SELECT string_agg(level || ': ' || message, E'\\n' ORDER BY logged_at)"
		  . ' FROM sw_run_logs JOIN sw_runs USING (run_id)'
		  . " WHERE pipeline = 'github'"),
	qr/\Ainfo: backfill of $day begins\ninfo: read 800 rows .*load begins, query id $loads[0]{query_id}\n.*info: backfill of $day ends: 800 rows/s,
	'the log of the run');
is( $node->safe_psql('postgres',
		'SELECT count(*), bool_and(is_deleted), sum(n_rows) FROM _sensorswave.staged_object'),
	'1|t|800', 'the staged object is known to be deleted');

# ---- again ----

is(run_backfill($node, 'github', $day, $day),
	'success', 'a second backfill of the day succeeds');
check_sample_rows($node, $sandbox, 'sensorswave_events', 'second');

# ---- several files ----

my $large = 6000;
make_events($node, 'large', $large, '2021-08-01');
change_settings($node, 'sensorswave_export.file_size' => '64kB');
create_pipeline($node, 'large', source => 'large');
is(run_backfill($node, 'large', '2021-08-01', '2021-08-01'),
	'success', 'a backfill of several files succeeds');
cmp_ok(last_run($node, 'large', 'files'), '>', 2, 'there were several files');
is(count_target($sandbox, 'large'), $large, 'each row arrived');
is( $sandbox->query('SELECT uniqExact(trace_id) FROM sensorswave.large'),
	$large, 'once');
like((grep { $_->{url} } $sandbox->log_lines('front'))[-1]{url},
	qr{/part-\*\.parquet$}, 'one statement loaded them all');
is_deeply([ $sandbox->objects ], [], 'no object is left of them');

# The sample data in small files: what is a dictionary page, a page boundary
# or a null must not change a value.
is(run_backfill($node, 'github', $day, $day),
	'success', 'the day in small files');
cmp_ok(last_run($node, 'github', 'files'), '>', 1, 'there were several of them');
check_sample_rows($node, $sandbox, 'sensorswave_events', 'small files');
change_settings($node, 'sensorswave_export.file_size' => '128MB');

# ---- days ----

$id = backfill($node, 'github', '2021-07-25', '2021-07-25');
is(wait_backfill($node, $id), 'success', 'an empty day succeeds');
is(last_run($node, 'github', 'status, rows_exported, files'),
	'success|0|0', 'without rows and files');
is(count_target($sandbox, 'sensorswave_events'),
	800, 'and leaves the other days alone');

# One row at the first and the last millisecond of each of three days, one
# just before and one just after them.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE edges (LIKE github_events);
INSERT INTO edges
SELECT row_number() OVER ()::text, 'edge', '{"id": 7, "login": "x"}'::jsonb, '{}'::jsonb,
	(day + part)::timestamp AT TIME ZONE 'Asia/Shanghai'
FROM generate_series(timestamp '2021-03-01', '2021-03-03', '1 day') day,
	(VALUES (interval '0'), (interval '23:59:59.999')) p (part)
UNION ALL VALUES
	('before', 'edge', '{"id": 7, "login": "x"}'::jsonb, '{}'::jsonb, timestamptz '2021-02-28 23:59:59.999999 Asia/Shanghai'),
	('after', 'edge', '{"id": 7, "login": "x"}', '{}', timestamptz '2021-03-04 00:00 Asia/Shanghai');
SQL
create_pipeline($node, 'edges', source => 'edges');
$id = backfill($node, 'edges', '2021-03-01', '2021-03-03');
is(wait_backfill($node, $id), 'success', 'a backfill of three days succeeds');
is( $sandbox->query(
		'SELECT toDate(time), count(), toString(min(time)), toString(max(time))'
		  . ' FROM sensorswave.edges GROUP BY 1 ORDER BY 1'),
	join("\n",
		map { "2021-03-0$_\t2\t2021-03-0$_ 00:00:00.000\t2021-03-0$_ 23:59:59.999" }
		  1 .. 3),
	'each day has its first and its last millisecond, and no other day is there');
is( $node->safe_psql('postgres',
		'SELECT window_start, window_end, status, rows_exported'
		  . " FROM sw_backfill_windows WHERE backfill_id = $id ORDER BY 1"),
	join("\n",
		'2021-02-28 16:00:00+00|2021-03-01 16:00:00+00|success|2',
		'2021-03-01 16:00:00+00|2021-03-02 16:00:00+00|success|2',
		'2021-03-02 16:00:00+00|2021-03-03 16:00:00+00|success|2'),
	'it had three windows');
is( $node->safe_psql('postgres',
		"SELECT windows_total, windows_done, rows_exported FROM sw_backfills"
		  . " WHERE backfill_id = $id"),
	'3|3|6', 'and counts them');
is( $node->safe_psql('postgres',
		"SELECT count(*), count(DISTINCT range_start) FROM sw_runs WHERE pipeline = 'edges'"),
	'3|3', 'each was a run');

# ---- a day that shrinks ----

$node->safe_psql('postgres', 'DELETE FROM large WHERE id::int >= 4500');
$id = backfill($node, 'large', '2021-08-01', '2021-08-01');
is(wait_backfill($node, $id), 'failed', 'a day that lost many rows is refused');
like(
	backfill_error($node, $id),
	qr/would shrink .* allow_shrink => true/,
	'the error names the way out');
is(last_run($node, 'large', 'attempt, detail'),
	"1|The target has $large rows of that day, the source has 4500.",
	'the run tells the numbers');
is(count_target($sandbox, 'large'), $large, 'the target keeps its rows');
is_deeply([ $sandbox->objects ], [], 'nothing is left in the store');
is( run_backfill($node, 'large', '2021-08-01', '2021-08-01', allow_shrink => 1),
	'success', 'with allow_shrink it is done');
is(count_target($sandbox, 'large'), 4500, 'and the target has what is left');

$node->safe_psql('postgres', 'DELETE FROM large WHERE id::int >= 3600');
is(run_backfill($node, 'large', '2021-08-01', '2021-08-01'),
	'success', 'a day that lost fewer than 1000 rows is not refused');
is(count_target($sandbox, 'large'), 3600, 'it is replaced');

$node->safe_psql('postgres', 'DELETE FROM large');
is(run_backfill($node, 'large', '2021-08-01', '2021-08-01'),
	'failed', 'a day that lost all rows is refused');
is(count_target($sandbox, 'large'), 3600, 'the target keeps its rows');
is( run_backfill($node, 'large', '2021-08-01', '2021-08-01', allow_shrink => 1),
	'success', 'with allow_shrink it is emptied');
is(count_target($sandbox, 'large'), 0, 'and the target has no rows');

$node->stop;
done_testing();
