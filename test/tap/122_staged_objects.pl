# Staged objects from claim to deletion: files leave while the rows are still
# read; whatever kills the worker at whatever point, nothing is left in the
# store and nothing is doubled at the target; what is kept for diagnosis goes
# when its time has come; and all of it works with the four rights that the
# manual asks for.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my ($large_day, $small_day) = ('2021-08-02', '2021-08-03');
my $n_large = 4000;
my $sandbox = SensorswaveSandbox->new('staged_objects');
my $node = make_node('staged_objects', $sandbox,
	'restart_after_crash = on',
	'sensorswave_export.worker_memory = 8MB',
	'sensorswave_export.request_timeout = 9s');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);
make_noise($node, 'noise', $n_large, $large_day);

# The last row of the large day is not handed out while the gate is shut.
$node->safe_psql('postgres', <<"SQL");
INSERT INTO noise
SELECT 'small' || n, 'made', '{"id": 1, "login": "user"}', '{}',
	timestamptz '$small_day 00:00 Asia/Shanghai' + n * interval '1 second'
FROM generate_series(1, 10) n;
CREATE TABLE gate (shut boolean);
CREATE FUNCTION pass(id text) RETURNS boolean LANGUAGE plpgsql AS \$\$
BEGIN
	WHILE id = '${\ ($n_large - 1) }' AND EXISTS (SELECT FROM public.gate)
	LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN true;
END \$\$;
SQL
create_pipeline($node, 'noise', source => 'noise', row_filter => 'public.pass(id)');
wait_running($node, 'noise');

sub shut_gate
{
	$node->safe_psql('postgres', 'INSERT INTO gate VALUES (true)');
	return;
}

sub open_gate
{
	$node->safe_psql('postgres', 'DELETE FROM gate');
	return;
}

sub reading_halted
{
	return wait_until('the reader is at the gate', sub {
		$node->safe_psql('postgres',
			'SELECT count(*) FROM pg_stat_activity'
			  . " WHERE query = 'reading the rows of a window' AND wait_event = 'PgSleep'") eq '1';
	});
}

sub target_holds
{
	my ($day, $pipeline) = @_;
	return $sandbox->query(
		    'SELECT count(), uniqExact(trace_id) FROM sensorswave.' . ($pipeline // 'noise')
		  . " WHERE toDate(time, 'Asia/Shanghai') = '$day'");
}

sub left_on_record
{
	return $node->safe_psql('postgres', 'SELECT sum(objects_left) FROM sw_runs');
}

sub nothing_is_left
{
	my ($what) = @_;
	wait_until("$what: all is gone",
		sub { !$sandbox->objects && !$sandbox->uploads && left_on_record() eq '0' });
	is_deeply([ $sandbox->objects ], [], "$what: no object is left");
	is_deeply([ $sandbox->uploads ], [], "$what: no upload is left");
	is(left_on_record(), 0, "$what: nor is one on record");
	return;
}

# ---- files leave while the rows are read ----

shut_gate();
my $id = backfill($node, 'noise', $large_day, $large_day);
reading_halted();
my ($upload) = @{ $sandbox->store('GET', '/objects')->{uploads} };
like($upload->{key}, qr{^sensorswave/\d+/\d+-[0-9a-f]{16}/part-00000\.parquet$},
	'an upload has begun before the rows are read');
is( $node->safe_psql('postgres',
		"SELECT count(*), bool_and(n_bytes = 0) FROM _sensorswave.staged_object"),
	'16|t', 'under a key that was claimed, one of several');
open_gate();
is(wait_backfill($node, $id), 'success', 'the backfill succeeds');
is(target_holds($large_day), "$n_large\t$n_large", 'with each row once');
is( $node->safe_psql('postgres',
		'SELECT count(*), bool_and(is_staged AND is_deleted AND n_bytes > 8000000)'
		  . ' FROM _sensorswave.staged_object'),
	'1|t', 'claims that were not used are given back');
is(last_run($node, 'noise', 'files'), 1, 'it was one file');
nothing_is_left('a backfill');

# What the store confirms takes no disk space any more.
change_settings($node, 'sensorswave_export.file_size' => '4GB');
$node->safe_psql('postgres', <<"SQL");
CREATE TABLE much (LIKE noise);
INSERT INTO much
SELECT m || '-' || id, type, actor, payload, created_at FROM noise, generate_series(1, 8) m
WHERE created_at < timestamptz '$small_day 00:00 Asia/Shanghai';
INSERT INTO much
SELECT '${\ ($n_large - 1) }', type, actor, payload, created_at FROM noise LIMIT 1;
SQL
create_pipeline($node, 'much', source => 'much',
	row_filter => q{public.pass(id) AND (id !~ '00$' OR pg_sleep(0.01) IS NOT NULL)});
wait_running($node, 'much');
shut_gate();
$id = backfill($node, 'much', $large_day, $large_day);
reading_halted();
my $n_spooled = $node->safe_psql('postgres', 'SELECT coalesce(sum(size), 0) FROM pg_ls_tmpdir()');
open_gate();
is(wait_backfill($node, $id), 'success', 'a larger backfill succeeds');
my $n_staged = last_run($node, 'much', 'bytes_staged');
cmp_ok($n_staged, '>', 50_000_000, "it staged $n_staged bytes");
cmp_ok($n_spooled, '<', 0.75 * $n_staged,
	"and had $n_spooled of them on local disk at the end of the read");
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'),
	0, 'no temporary file is left');
change_settings($node, 'sensorswave_export.file_size' => '128MB');

# ---- the worker is killed ----

sub store_fault
{
	my (%fault) = @_;
	return $sandbox->fault(times => 1, %fault);
}

sub kill_worker
{
	my $from = -s $node->logfile;

	kill('KILL', worker_pid($node, 'worker')) or die 'there is no worker';
	$node->wait_for_log(qr/database system is ready to accept connections/, $from);
	return;
}

sub struck
{
	my ($fault) = @_;
	return wait_until('the store is at the fault', sub { $sandbox->fault_hits($fault) });
}

sub survives_kill
{
	my ($what, $day, %fault) = @_;
	my $expected = $day eq $large_day ? "$n_large\t$n_large" : "10\t10";
	my $in_read = delete $fault{in_read};

	shut_gate() if $in_read;
	# Not what an earlier run is still deleted of.
	my $next = $node->safe_psql('postgres', 'SELECT max(run_id) + 1 FROM sw_runs');
	$fault{match} = "/$next-" unless $fault{op} eq 'DELETE_MANY';
	my $fault = store_fault(%fault);
	my $backfill = backfill($node, 'noise', $day, $day);
	reading_halted() if $in_read;
	struck($fault);
	kill_worker();
	$sandbox->clear_faults;
	open_gate() if $in_read;
	is(wait_backfill($node, $backfill), 'success', "$what: the backfill goes on");
	is(last_run($node, 'noise', 'attempt'), 2, "$what: in a second run");
	is(target_holds($day), $expected, "$what: each row is there once");
	nothing_is_left($what);
	return;
}

survives_kill('killed in the read, with a part on its way', $large_day,
	in_read => 1, op => 'PART', fault => 'hang', after_bytes => 1_000_000);
survives_kill('killed in the read, with the reply to a create lost', $large_day,
	in_read => 1, op => 'CREATE', fault => 'hang_after');
survives_kill('killed with the reply to a create lost', $large_day,
	op => 'CREATE', fault => 'hang_after');
survives_kill('killed between create and the first part', $large_day,
	op => 'PART', part => 1, fault => 'hang');
survives_kill('killed during a part', $large_day,
	op => 'PART', part => 2, fault => 'hang', after_bytes => 1_000_000);
survives_kill('killed after a part', $large_day, op => 'PART', part => 1, fault => 'hang_after');
survives_kill('killed before the complete', $large_day, op => 'COMPLETE', fault => 'hang');
survives_kill('killed after the complete', $large_day, op => 'COMPLETE', fault => 'hang_after');
survives_kill('killed before a put', $small_day, op => 'PUT', fault => 'hang');
survives_kill('killed after a put', $small_day, op => 'PUT', fault => 'hang_after');
survives_kill('killed before the delete', $small_day, op => 'DELETE', fault => 'hang');
survives_kill('killed after the delete', $small_day, op => 'DELETE', fault => 'hang_after');

change_settings($node, 'sensorswave_export.file_size' => '2MB');
survives_kill('killed before the delete of many', $large_day, op => 'DELETE_MANY', fault => 'hang');
survives_kill('killed after the delete of many', $large_day,
	op => 'DELETE_MANY', fault => 'hang_after');
cmp_ok(last_run($node, 'noise', 'files'), '>', 3, 'there were many');
change_settings($node, 'sensorswave_export.file_size' => '128MB');

# A request of the dead that is served after its object was deleted.
my $from = $sandbox->count_log('store');
survives_kill('killed with a put that is served late', $small_day,
	op => 'PUT', fault => 'delay', ms => 3000);
$sandbox->wait_for_line('store', $from, sub { ($_->{operation} // '') eq 'PutObject' && $_->{fault} });
wait_until('its object is deleted once more', sub {
	my @deleted = grep { ($_->{operation} // '') =~ /^DeleteObject/ && !$_->{fault} }
	  $sandbox->log_lines('store', $from);
	@deleted >= 3;
});
nothing_is_left('a put served late');

# ---- the worker is told to end ----

my $fault = store_fault(op => 'PART', fault => 'hang', after_bytes => 1_000_000);
$id = backfill($node, 'noise', $large_day, $large_day);
struck($fault);
my $pid = worker_pid($node, 'worker');
my $begin = time();
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
usleep(5_000) while kill(0, $pid) && time() < $begin + 10;
cmp_ok(time() - $begin, '<', 1, 'a worker that uploads ends within a second');
$sandbox->clear_faults;
is(wait_backfill($node, $id), 'success', 'another one takes over');
nothing_is_left('told to end');

# ---- kept for diagnosis ----

my %unreadable = (op => 'GET', match => '^(?!.*/_lease/)', fault => 'error', status => 403, code => 'AccessDenied');

sub fail_for_good
{
	$sandbox->fault(%unreadable);
	$sandbox->fault(%unreadable, op => 'HEAD');
	is(run_backfill($node, 'noise', $small_day, $small_day),
		'failed', 'a load that fails for good');
	$sandbox->clear_faults;
	return;
}

change_settings($node, 'sensorswave_export.keep_failed_objects' => '4s');
fail_for_good();
is(scalar(my @kept = $sandbox->objects), 1, 'its object is kept');
is( last_run($node, 'noise', 'objects_left, objects_deleted_after - finished_at'
		  . " BETWEEN interval '3 seconds' AND interval '5 seconds'"),
	'1|t', 'its run says so, and until when');
like(
	$node->safe_psql('postgres',
		'SELECT message FROM sw_run_logs WHERE run_id = (SELECT max(run_id) FROM sw_runs)'
		  . " AND message LIKE '%kept%'"),
	qr/^1 staged object is kept for diagnosis/, 'its log too');
nothing_is_left('kept for a while');

change_settings($node, 'sensorswave_export.keep_failed_objects' => '1d');
fail_for_good();
is(last_run($node, 'noise', "objects_deleted_after - finished_at > interval '23 hours'"),
	't', 'the default is a day');
is(run_backfill($node, 'noise', $small_day, $small_day), 'success', 'a backfill meanwhile');
is(scalar(@kept = $sandbox->objects), 1, 'does not touch it');
$sandbox->fault(op => 'PUT', fault => 'error', status => 500, times => 20);
$id = backfill($node, 'noise', $small_day, $small_day);
wait_until('an attempt fails', sub { last_run($node, 'noise', 'status') eq 'failed' });
$sandbox->clear_faults;
is(wait_backfill($node, $id), 'success', 'an attempt that is repeated');
is(scalar(@kept = $sandbox->objects), 1, 'keeps nothing');

# ---- a deletion that is refused ----

my $refusal = $sandbox->fault(op => 'DELETE', fault => 'error', status => 403, code => 'AccessDenied');
is(run_backfill($node, 'noise', $small_day, $small_day),
	'success', 'a run whose object may not be deleted succeeds');
is( last_run($node, 'noise', "objects_left, objects_deleted_after > now() + interval '20 seconds'"),
	'1|t', 'it says what is left, and when that is tried again');
like(
	$node->safe_psql('postgres',
		'SELECT message FROM sw_run_logs WHERE run_id = (SELECT max(run_id) FROM sw_runs)'
		  . " AND level = 'warning'"),
	qr/^could not delete 1 staged object, will try again: .*AccessDenied/, 'its log says why');
$sandbox->clear_faults;

# ---- the pipeline is stopped: what is kept or refused goes, then its row may ----

$node->safe_psql('postgres', "UPDATE _sensorswave.staged_object SET delete_after = now() WHERE delete_attempts > 0;"
	  . " SELECT sw_stop('noise'); SELECT sw_stop('much')");
nothing_is_left('stopped');
$node->poll_query_until('postgres',
	'SELECT NOT EXISTS (SELECT FROM _sensorswave.pipeline_state WHERE holds_target)')
  or die 'the pipelines are not wound up';

# ... also with what was given up, of which nobody else will know.
$node->safe_psql('postgres', <<'SQL');
WITH last AS (SELECT max(run_id) AS run_id FROM sw_runs WHERE pipeline = 'noise'),
	given_up AS (UPDATE _sensorswave.staged_object o
		SET is_deleted = false, is_deleted_once = false, delete_attempts = 10, delete_after = now() + interval '1 day'
		FROM last WHERE o.run_id = last.run_id)
INSERT INTO _sensorswave.stage_table (run_id, host, port, database, table_name, drop_attempts, drop_after)
SELECT run_id, 'there', 9440, 'db', '_sw_stage_x', 10, now() + interval '1 day' FROM last
SQL
my ($code, undef, $warnings) = sql_as($node, "DELETE FROM sw_pipelines WHERE name = 'noise'");
is($code, 0, 'what was given up keeps nobody from deleting the row');
like($warnings, qr{WARNING:  1 staged object of pipeline "noise" could not be deleted\nHINT:  Delete what is under "sensorswave/\d+/" in bucket "sensorswave"},
	'objects are named');
like($warnings, qr/WARNING:  stage table "db"\."_sw_stage_x" at there:9440 could not be dropped/, 'stage tables too');
is($node->safe_psql('postgres', "SELECT count(*) FROM sw_runs WHERE pipeline = 'noise'"),
	0, 'its row and history can be deleted');

# ---- an object is where it was put, wherever the destination stages by now ----

# The store takes the bucket in front of its host name only.
create_clickhouse_destination($node, $sandbox, name => 'moving',
	stage_endpoint => 'tos-s3-cn-beijing.volces.com',
	stage_load_endpoint => 'http://127.0.0.1:' . $sandbox->env('STORE_PORT'));
create_pipeline($node, 'moving', destination => 'moving', source => 'noise');
wait_running($node, 'moving');
$sandbox->fault(op => 'DELETE', fault => 'error', status => 403, code => 'AccessDenied');
is(run_backfill($node, 'moving', $small_day, $small_day), 'success',
	'a run whose object stays behind');
is(last_run($node, 'moving', 'objects_left'), 1, 'it stays');
$sandbox->clear_faults;
$from = $sandbox->count_log('store');
change_destination($node, 'moving', stage_endpoint => 'https://tos-s3-cn-shanghai.volces.com',
	stage_region => 'cn-shanghai', stage_bucket => 'elsewhere', stage_path_style => 'true');
$node->safe_psql('postgres', "UPDATE _sensorswave.staged_object SET delete_after = now()"
	  . " WHERE NOT is_deleted; SELECT sw_stop('moving')");
nothing_is_left('moved away');
is_deeply(
	[ map { $_->{host} } grep { ($_->{method} // '') eq 'DELETE' } $sandbox->log_lines('store', $from) ],
	['sensorswave.tos-s3-cn-beijing.volces.com'], 'one request deleted it where it was');

# ---- four rights are enough; what they do not allow is said ----

change_settings($node, 'sensorswave_export.keep_failed_objects' => '0');
create_destination($node, $sandbox, name => 'least',
	stage_access_key => $sandbox->env('STORE_LEAST_ACCESS_KEY'),
	stage_secret_key => $sandbox->env('STORE_LEAST_SECRET_KEY'));
create_pipeline($node, 'least', destination => 'least', source => 'noise');
wait_running($node, 'least');
foreach my $day ($large_day, $small_day)
{
	is(run_backfill($node, 'least', $day, $day), 'success', "four rights: $day succeeds");
}
is(target_holds($large_day, 'least'), "$n_large\t$n_large", 'four rights: each row is there once');
is( $node->safe_psql('postgres',
		"SELECT count(*) FROM sw_run_logs WHERE level IN ('warning', 'error')"
		  . " AND run_id IN (SELECT run_id FROM sw_runs WHERE pipeline = 'least')"),
	0, 'four rights: without a complaint');
nothing_is_left('four rights');

$sandbox->fault(op => 'PART', part => 2, fault => 'error', status => 403, code => 'AccessDenied');
is(run_backfill($node, 'least', $large_day, $large_day),
	'failed', 'four rights: an upload that breaks off');
$sandbox->clear_faults;
wait_until('four rights: it is cleaned up as far as possible', sub { left_on_record() eq '0' });
is(scalar(my @uploads = $sandbox->uploads), 1, 'four rights: its parts stay in the bucket');
is( $node->safe_psql('postgres',
		'SELECT count(*) FROM sw_run_logs WHERE run_id = (SELECT max(run_id) FROM sw_runs)'
		  . " AND message LIKE '%may not list or abort%lifecycle rule%'"),
	1, 'four rights: its log says so, once, and recommends a lifecycle rule');

# ---- what was not done ----

is( scalar(grep { ($_->{operation} // '') eq 'ListObjectsV2' && ($_->{via} // '') eq 'proxy' }
		$sandbox->log_lines('store')),
	0, 'nobody looked for objects to delete in a list of the bucket');
is_deeply(
	[   grep { !m{^sensorswave/(?:_lease/\d+-[0-9a-f]{16}|\d+/\d+-[0-9a-f]{16}/part-\d{5}\.(?:parquet|native\.zst))$} }
		map { $_->{key} } grep { ($_->{operation} // '') eq 'PutObject' } $sandbox->log_lines('store') ],
	[], 'every key has its form');

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
