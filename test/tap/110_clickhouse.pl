# Destinations of kind clickhouse end to end: staging in S3, Native files,
# loads by s3(), days replaced through a stage table; and the connection test.
use strict;
use warnings FATAL => 'all';

use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('clickhouse');
my $node = make_node('clickhouse', $sandbox, 'sensorswave_export.connect_timeout = 3s');
my $user = $sandbox->env('CLICKHOUSE_USER');
my %wrong = (password => q{wrong-secret'pass\word}, stage_secret_key => q{wrong+secret/'store\key==});
my $said = '';	# all that was ever told

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
create_clickhouse_destination($node, $sandbox);

# ---- helpers ----

# Statements at the warehouse from a line of its log on.
sub statements
{
	my ($from) = @_;
	return grep { ($_->{listener} // '') eq 'clickhouseTls' && $_->{event} eq 'query' }
	  $sandbox->log_lines('front', $from);
}

sub log_of_run
{
	my ($pipeline) = @_;
	my $text = $node->safe_psql('postgres', <<"SQL");
SELECT string_agg(level || ': ' || message, E'\\n' ORDER BY logged_at)
FROM sw_run_logs
WHERE run_id = (SELECT max(run_id) FROM sw_runs WHERE pipeline = '$pipeline')
SQL
	$said .= $text;
	return $text;
}

sub leaves_nothing
{
	my ($what) = @_;
	is_deeply([ $sandbox->objects ], [], "$what: no object is left");
	is( $sandbox->query(
			q{SELECT name FROM system.tables WHERE startsWith(name, '_sw_')}),
		'', "$what: no stage or probe table is left");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM _sensorswave.stage_table'),
		0, "$what: nor is one on record");
	return;
}

# ---- the connection test ----

my @steps = test_connection($node, 'wh');
is(steps_of(@steps), 'oosoooo', 'all steps succeed but the virtual warehouse, which there is not');
like($steps[1]{detail}, qr/^ClickHouse 26\.7[\d.]*, protocol revision 54448$/, 'step 2 names the server');
like($steps[5]{detail}, qr/^\d+ bytes in bucket sensorswave$/, 'step 6 the bucket');
is($steps[6]{detail}, '3 rows read back unchanged', 'step 7 what was read');
my @probes = grep { $_->{query} =~ /_probe\// } statements();
is(scalar @probes, 1, 'one statement read the probe');
like($probes[0]{query}, qr{/_probe/_sw_probe_[0-9a-f]{16}\.native\.zst', .*'Native', .*, 'zstd'\)},
	'in the format of the destination');
leaves_nothing('the test');

# ---- a backfill ----

create_pipeline($node, 'github');
wait_running($node, 'github');
my $from = $sandbox->count_log('front');
my $store_from = $sandbox->count_log('store');
is(run_backfill($node, 'github', $day, $day), 'success', 'a backfill of the day succeeds');
check_sample_rows($node, $sandbox, 'github', 'first');
leaves_nothing('the backfill');
is(last_run($node, 'github', 'status, rows_exported, files, attempt, error, hint'),
	'success|800|1|1||', 'the run counts its rows');
unlike(log_of_run('github'), qr/warning/, 'and has nothing to warn of');

my @sent = statements($from);
my $query_id = last_run($node, 'github', 'load_query_id');
my $stage = '_sw_stage_' . $query_id =~ s/-/_/gr;
my @overwrite = grep { $_->{query} =~ /\Q$stage\E/ } @sent;
is_deeply(
	[ map { $_->{query} =~ /^([A-Z]+(?: [A-Z]+)?)/ ? $1 : '' } @overwrite ],
	[ 'CREATE TABLE', 'INSERT INTO', 'SELECT', 'ALTER TABLE', 'DROP TABLE' ],
	'the day was made in a stage table, counted, and put in place');
my $load = $overwrite[1];
is($load->{query_id}, $query_id, 'the load has the query id that is on record');
is_deeply(
	{ map { $_ => $load->{settings}{$_} } qw(max_partitions_per_insert_block insert_deduplicate max_execution_time) },
	{ max_partitions_per_insert_block => 0, insert_deduplicate => 0, max_execution_time => 3600 },
	'and the settings it needs');
is($overwrite[3]{settings}{max_partition_size_to_drop}, 0, 'a day of any size can be replaced');
my $secret = $sandbox->env('STORE_SECRET_KEY') =~ s/([\\'])/\\$1/gr;
like($load->{query}, qr{FROM s3\('http://127\.0\.0\.1:\d+/sensorswave/sensorswave/\d+/[\w-]+/part-00000\.native\.zst', '\w+', '\Q$secret\E', 'Native', '`time` Int64, .*`received_at` Int64', 'zstd'\)$},
	'it reads the staged file by path style, with keys quoted as they must be');
is( scalar(grep { $_->{outcome} ne 'ok' && $_->{query} !~ /^SHOW CREATE TABLE/ } @sent),
	0, 'the warehouse refused nothing');

my @requests = $sandbox->log_lines('store', $store_from);
is_deeply(
	{ map { $_->{method} => 1 } grep { $_->{api} eq 's3' } @requests },
	{ PUT => 1, DELETE => 1, HEAD => 1, GET => 1 },
	'all requests spoke S3');
# There is no lease yet that could be read.
is( scalar(grep { !$_->{accepted} || $_->{status} >= 300 && $_->{key} !~ m{/_lease/} } @requests),
	0, 'and were accepted');

is(run_backfill($node, 'github', $day, $day), 'success', 'a second backfill of the day succeeds');
check_sample_rows($node, $sandbox, 'github', 'second');
is( $sandbox->query("SELECT count() FROM system.parts WHERE active AND table = 'github'"),
	1, 'the day is one part');

# ---- what would be run ----

my $explained = $node->safe_psql('postgres', "SELECT * FROM sw_explain_pipeline('github')");
like($explained,
	qr/^CREATE TABLE `sensorswave`\.`_sw_stage_RUN` AS .*^INSERT INTO .* FROM s3\(.*'\*\*\*', '\*\*\*', 'Native', .*^OPTIMIZE TABLE .* FINAL\n.*^ALTER TABLE .* REPLACE PARTITION .*^DROP TABLE IF EXISTS .* SYNC$/sm,
	'sw_explain_pipeline shows the statements of an overwrite, keys masked');
$said .= $explained;

# ---- several files, many parts ----

# Each block becomes a part for this user, and merges come when asked for.
change_destination($node, 'wh', username => 'least_in_parts');
change_settings($node, 'sensorswave_export.file_size' => '64kB');
make_events($node, 'large', 6000, '2021-08-01');
create_pipeline($node, 'large', source => 'large',
	target_options => '{"settings": {"index_granularity": 1024, "max_bytes_to_merge_at_max_space_in_pool": 1}}');
foreach my $time ('first', 'second')
{
	$from = $sandbox->count_log('front');
	is(run_backfill($node, 'large', '2021-08-01', '2021-08-01'),
		'success', "$time backfill of several files succeeds");
	cmp_ok(last_run($node, 'large', 'files'), '>', 2, 'there were several files');
	is( $sandbox->query('SELECT count(), uniqExact(trace_id) FROM sensorswave.large'),
		"6000\t6000", 'each row arrived once');
	@sent = statements($from);
	like((grep { $_->{query} =~ /FROM s3/ } @sent)[0]{query}, qr{/part-\*\.native\.zst'},
		'one statement loaded them all');
	is(scalar(grep { $_->{query} =~ /^OPTIMIZE TABLE/ } @sent), 1, 'their parts were merged before');
	is( $sandbox->query("SELECT count() FROM system.parts WHERE active AND table = 'large'"),
		1, 'so that the day is one part');
	leaves_nothing("$time backfill of several files");
}
is(run_backfill($node, 'github', $day, $day), 'success', 'the day in small files');
cmp_ok(last_run($node, 'github', 'files'), '>', 1, 'there were several of them');
check_sample_rows($node, $sandbox, 'github', 'small files');
change_settings($node, 'sensorswave_export.file_size' => '128MB');
change_destination($node, 'wh', username => $user);

# ---- Parquet ----

change_destination($node, 'wh', stage_format => 'parquet');
is(steps_of(test_connection($node, 'wh')), 'oosoooo', 'the connection test with Parquet');
create_pipeline($node, 'parquet', target_options => '{"at_least_once": true}');
$from = $sandbox->count_log('front');
is(run_backfill($node, 'parquet', $day, $day), 'success', 'a backfill by Parquet files');
check_sample_rows($node, $sandbox, 'parquet', 'Parquet');
like((grep { $_->{query} =~ /^INSERT INTO .*FROM s3/ } statements($from))[0]{query},
	qr{/part-00000\.parquet', '\w+', '.*', 'Parquet', '`time` Int64, .*`received_at` Int64'\)$},
	'the load says so');
change_destination($node, 'wh', stage_format => 'native');
like((sql_as($node, "UPDATE sw_destinations SET stage_format = 'csv'"))[2],
	qr/unknown stage_format "csv".*HINT: .*native, parquet/s, 'another format is refused');

# ---- JSON columns ----

create_pipeline($node, 'json', json_type => 'json');
is(run_backfill($node, 'json', $day, $day), 'success', 'a backfill into JSON columns');
is( $sandbox->query('SELECT count(), countIf(user_properties.login::String = login_id) FROM sensorswave.json'),
	"800\t800", 'whose fields can be asked for');

# ---- days ----

is(run_backfill($node, 'github', '2021-07-25', '2021-07-25'), 'success', 'an empty day succeeds');
is(count_target($sandbox, 'github'), 800, 'and leaves the other days alone');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE edges (LIKE github_events);
INSERT INTO edges
SELECT row_number() OVER ()::text, 'edge', '{"id": 7, "login": "x"}'::jsonb, '{}'::jsonb,
	(day + part)::timestamp AT TIME ZONE 'Asia/Shanghai'
FROM generate_series(timestamp '2021-03-01', '2021-03-03', '1 day') day,
	(VALUES (interval '0'), (interval '23:59:59.999')) p (part);
SQL
create_pipeline($node, 'edges', source => 'edges');
is(run_backfill($node, 'edges', '2021-03-01', '2021-03-03'), 'success', 'three days succeed');
is( $sandbox->query(
		'SELECT toDate(time), count(), toString(min(time)), toString(max(time))'
		  . ' FROM sensorswave.edges GROUP BY 1 ORDER BY 1'),
	join("\n",
		map { "2021-03-0$_\t2\t2021-03-0$_ 00:00:00.000\t2021-03-0$_ 23:59:59.999" } 1 .. 3),
	'each day has its first and its last millisecond');

# ---- a day that shrinks ----

$node->safe_psql('postgres', 'DELETE FROM large WHERE id::int >= 4500');
my $id = backfill($node, 'large', '2021-08-01', '2021-08-01');
is(wait_backfill($node, $id), 'failed', 'a day that lost many rows is refused');
like(backfill_error($node, $id), qr/would shrink .* allow_shrink => true/, 'the error names the way out');
is(count_target($sandbox, 'large'), 6000, 'the target keeps its rows');
is(run_backfill($node, 'large', '2021-08-01', '2021-08-01', allow_shrink => 1),
	'success', 'with allow_shrink it is done');
is(count_target($sandbox, 'large'), 4500, 'and the target has what is left');
$node->safe_psql('postgres', 'DELETE FROM large');
is(run_backfill($node, 'large', '2021-08-01', '2021-08-01'), 'failed', 'a day that lost all rows is refused');
is(run_backfill($node, 'large', '2021-08-01', '2021-08-01', allow_shrink => 1),
	'success', 'with allow_shrink it is emptied');
is(count_target($sandbox, 'large'), 0, 'and the target has no rows');
leaves_nothing('shrinking');

# ---- what replaced partitions don't do ----

$sandbox->query('CREATE MATERIALIZED VIEW sensorswave.watching ENGINE = MergeTree ORDER BY event'
	  . ' AS SELECT event FROM sensorswave.edges');
my $key = $sandbox->env('STORE_SECRET_KEY');
$sandbox->query('CREATE MATERIALIZED VIEW sensorswave.`' . ($key =~ s/[\\`]/\\$&/gr) . '` ENGINE = MergeTree ORDER BY event'
	  . ' AS SELECT event FROM sensorswave.edges');
$sandbox->query('ALTER TABLE sensorswave.edges MODIFY TTL toDateTime(time) + INTERVAL 100 YEAR');
is(run_backfill($node, 'edges', '2021-03-01', '2021-03-01'), 'success',
	'a target with a materialized view and a TTL');
my $log = log_of_run('edges');
like($log, qr/^warning: materialized views of the target \((?:watching, \*\*\*|\*\*\*, watching)\) are not told of a day that is replaced; rows that the target's TTL has removed are back/m,
	'is warned of');

# ---- one thing wrong at a time ----

# The step given fails with detail and hint; nothing is left.
sub fails
{
	my ($what, $step, $detail, $hint, %columns) = @_;
	my %old = map { $_ => $node->safe_psql('postgres', "SELECT $_ FROM sw_destinations") } keys %columns;
	my @expected = split //, 'oosoooo';

	change_destination($node, 'wh', %columns) if %columns;
	my @got = test_connection($node, 'wh');
	$said .= join("\n", map { "$_->{detail} $_->{hint}" } @got);
	$expected[ $step - 1 ] = 'f';
	@expected[ $step .. 6 ] = ('s') x (7 - $step);
	is(steps_of(@got), join('', @expected), "$what: step $step fails") or diag(failed_step(@got));
	like($got[ $step - 1 ]{detail}, $detail, "$what: the cause");
	like($got[ $step - 1 ]{hint}, $hint, "$what: the remedy");
	leaves_nothing($what);
	$old{password} = $sandbox->env('CLICKHOUSE_PASSWORD') if exists $old{password};
	$old{stage_secret_key} = $sandbox->env('STORE_SECRET_KEY') if exists $old{stage_secret_key};
	change_destination($node, 'wh', %old) if %old;
	return;
}

fails('a wrong password', 2, qr/refused the login: .*code 516/, qr/Check .*user name and password/,
	password => $wrong{password});
fails('a missing database', 4, qr/database does not exist .*code 81/, qr/Create the database/,
	database => 'nowhere');
fails('a wrong bucket', 6, qr/NoSuchBucket/, qr/stage_bucket/, stage_bucket => 'no-such-bucket');
fails('a wrong region', 6, qr/refused to put/, qr/stage_region/, stage_region => 'us-east-1');
fails('a wrong access key', 6, qr/InvalidAccessKeyId/, qr/stage_access_key/, stage_access_key => 'AKIAnobody');
fails('a wrong secret key', 6, qr/SignatureDoesNotMatch/, qr/stage_secret_key/,
	stage_secret_key => $wrong{stage_secret_key});
fails('no store at the endpoint', 6, qr/does not come from an S3 store/, qr/Check/,
	stage_endpoint => 'http://127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port());
$sandbox->fault(fault => 'error', op => 'PUT', status => 403, code => 'AccessDenied');
fails('no right to write objects', 6, qr/AccessDenied/, qr/PutObject/);
$sandbox->clear_faults;
$sandbox->fault(fault => 'error', op => $_, status => 403, code => 'AccessDenied') foreach qw(GET HEAD);
fails('no right to read objects', 7, qr/staging store refused the warehouse's access/, qr/GetObject/);
$sandbox->clear_faults;
fails('a load endpoint out of reach', 7, qr/the warehouse/, qr/check endpoint and bucket of the staging store/,
	stage_load_endpoint => 'http://127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port());

fails('path style where the store refuses it', 6, qr/path/i, qr/stage_path_style/,
	stage_endpoint => 'tos-s3-cn-beijing.volces.com', stage_path_style => 'true');

# Virtual-host style for us, by IP address for the warehouse.
change_destination($node, 'wh', stage_endpoint => 'tos-s3-cn-beijing.volces.com',
	stage_load_endpoint => 'http://127.0.0.1:' . $sandbox->env('STORE_PORT'));
$store_from = $sandbox->count_log('store');
is(steps_of(test_connection($node, 'wh')), 'oosoooo', 'virtual-host style does as well');
is_deeply(
	[ map { $_->{host} } grep { $_->{method} eq 'PUT' } $sandbox->log_lines('store', $store_from) ],
	['sensorswave.tos-s3-cn-beijing.volces.com'], 'the bucket was in the host name');
is(run_backfill($node, 'github', $day, $day), 'success', 'so does a backfill');
check_sample_rows($node, $sandbox, 'github', 'virtual-host style');
leaves_nothing('virtual-host style');

# ---- secrets ----

$node->stop;
$log = slurp_file($node->logfile);
foreach my $secret ((map { $sandbox->env($_) } qw(STORE_SECRET_KEY CLICKHOUSE_PASSWORD)), values %wrong)
{
	my @forms = ($secret, $secret =~ s/([\\'"])/\\$1/gr, $secret =~ s/'/''/gr,
		encode_base64($secret, '') =~ s/=+$//r,
		$secret =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord $1)/ger);
	is(scalar(grep { index($said, $_) >= 0 } @forms), 0, 'a secret is in nothing that was told');
	is(scalar(grep { index($log, $_) >= 0 } @forms), 0, 'nor in the log');
}
unlike($log, qr/terminated by signal|TRAP:|PANIC: /, 'no process has crashed');
done_testing();
