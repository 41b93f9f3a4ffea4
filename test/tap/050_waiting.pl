# Waiting for a backfill, and what may not be done while one runs.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time);

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('waiting');
my $node = make_node('waiting', $sandbox);

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
create_destination($node, $sandbox);
create_pipeline($node, 'github');
wait_running($node, 'github');

# psql in the background; returns a handle for wait_session.
sub start_session
{
	my ($sql) = @_;
	my %session = (in => '', out => '', err => '', begin => time());
	$session{run} = IPC::Run::start(
		[   'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose',
			'-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

sub wait_session
{
	my ($session) = @_;
	$session->{run}->finish;
	chomp $session->{out};
	return;
}

# Process id of a session that waits in sw_wait_backfill or for a lock.
sub waiting_pid
{
	my ($type) = @_;
	return wait_until("a session waits for $type", sub {
		$node->safe_psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
			  . " AND wait_event_type = '$type'");
	});
}

sub fails_with
{
	my ($sql, $state, $error, $what) = @_;
	my ($code, $out, $err) = sql_as($node, "\\set VERBOSITY verbose\n$sql");
	like($err, qr/ERROR:  $state: .*$error/s, $what);
	return $err;
}

# ---- while one runs ----

$sandbox->pause('store');
my $id = backfill($node, 'github', $day, $day);
wait_until('the backfill runs', sub {
	$node->safe_psql('postgres', "SELECT status FROM sw_backfills WHERE backfill_id = $id") eq 'running';
});

my $begin = time();
fails_with("SELECT sw_wait_backfill($id, '300 milliseconds')",
	'57014', 'has not ended in time', 'a time-out is an error');
my $elapsed = time() - $begin;
cmp_ok($elapsed, '>=', 0.3, 'not before its time');
cmp_ok($elapsed, '<', 3, 'nor much later');
fails_with("SELECT sw_wait_backfill($id, '0')", '57014', 'has not ended', 'a time-out of 0 looks once');

$begin = time();
fails_with("SET statement_timeout = '300ms'; SELECT sw_wait_backfill($id)",
	'57014', 'statement timeout', 'statement_timeout ends it');
cmp_ok(time() - $begin, '<', 3, 'at once');

foreach my $way (qw(cancel terminate))
{
	my $session = start_session("SELECT sw_wait_backfill($id)");
	my $pid = waiting_pid('Extension');
	$begin = time();
	$node->safe_psql('postgres', "SELECT pg_${way}_backend($pid)");
	wait_session($session);
	cmp_ok(time() - $begin, '<', 3, "pg_${way}_backend ends it at once");
	like($session->{err},
		$way eq 'cancel' ? qr/ERROR:  57014: .*user request/ : qr/FATAL:  57P01: /,
		"pg_${way}_backend is what it tells");
}

my $err = fails_with("SELECT sw_backfill('github', '2021-07-22', '2021-07-22')",
	'55006', 'already has a backfill going on', 'a second backfill is refused');
like($err,
	qr/DETAIL:  Backfill $id covers 2021-07-21 to 2021-07-21.*HINT:  .*sw_wait_backfill\($id\)/s,
	'naming the first');

my @sessions = map { start_session($_) } (
	"SELECT sw_wait_backfill($id)",
	"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM sw_runs; SELECT sw_wait_backfill($id)",
	"BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM sw_runs; SELECT sw_wait_backfill($id)",
	"BEGIN; DECLARE c CURSOR FOR SELECT 1; SELECT sw_wait_backfill($id); COMMIT");
wait_until('four sessions wait', sub {
	$node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Extension'"
		  . " AND backend_type = 'client backend'") eq '4';
});
$sandbox->resume('store');
wait_session($_) foreach @sessions;
is_deeply([ map { (split /\n/, $_->{out})[-1] } @sessions ],
	[ ('success') x 4 ], 'waiting works at every isolation level');
is_deeply([ map { $_->{err} } @sessions ], [ ('') x 4 ], 'and says nothing else');

# ---- when it has ended ----

$begin = time();
is(wait_backfill($node, $id), 'success', 'waiting for what has ended tells how');
cmp_ok(time() - $begin, '<', 2, 'at once');
$err = fails_with(
	"BEGIN; SELECT sw_backfill('github', '$day', '$day') AS id \\gset\nSELECT sw_wait_backfill(:id)",
	'55000', 'was asked for by this transaction', 'one cannot wait for what is not committed');
like($err, qr/HINT:  COMMIT first/, 'and is told to commit');
$err = fails_with(
	"BEGIN; SAVEPOINT s; SELECT sw_backfill('github', '$day', '$day') AS id \\gset\n"
	  . 'RELEASE s; SELECT sw_wait_backfill(:id)',
	'55000', 'was asked for by this transaction', 'nor for what a subtransaction asked for');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sw_backfills'),
	1, 'what was rolled back never was');
fails_with('SELECT sw_wait_backfill(4711)', '42704', 'does not exist', 'nor for what is not there');

# ---- two who ask at the same time ----

my $first = start_session(
	"BEGIN; SELECT sw_backfill('github', '$day', '$day'); SELECT pg_sleep(600)");
wait_until('the first has asked', sub {
	$node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") eq '1';
});
my $second = start_session("SELECT sw_backfill('github', '$day', '$day')");
waiting_pid('Lock');
$node->safe_psql('postgres',
	"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
wait_session($_) foreach ($first, $second);
like($second->{out}, qr/^\d+$/, 'the second gets its turn when the first rolls back');
is(wait_backfill($node, $second->{out}), 'success', 'and its backfill is done');

my $gate = start_session('SELECT pg_advisory_lock(1); SELECT pg_sleep(600)');
wait_until('the gate is closed', sub {
	$node->safe_psql('postgres',
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") eq '1';
});
$sandbox->pause('store');
$first = start_session("BEGIN; SELECT sw_backfill('github', '$day', '$day');"
	  . ' SELECT pg_advisory_xact_lock(1); COMMIT');
wait_until('the first has asked', sub {
	$node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'") eq '1';
});
$second = start_session("SELECT sw_backfill('github', '$day', '$day')");
wait_until('the second waits', sub {
	$node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'") eq '1';
});
$node->safe_psql('postgres',
	"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
wait_session($_) foreach ($gate, $first, $second);
($id) = $first->{out} =~ /^(\d+)/;
like($second->{err},
	qr/ERROR:  55006: .*already has a backfill going on.*DETAIL:  Backfill $id covers/s,
	'and is refused like any other when the first commits');
$sandbox->resume('store');
is(wait_backfill($node, $id), 'success', 'whose backfill is done');

# ---- sw_stop while it runs ----

$sandbox->pause('store');
$id = backfill($node, 'github', $day, '2021-07-23');
wait_until('the first day is being uploaded', sub {
	$node->safe_psql('postgres',
		'SELECT count(*) FROM _sensorswave.staged_object WHERE NOT is_deleted') eq '1';
});
$node->safe_psql('postgres', "SELECT sw_stop('github')");
is($node->safe_psql('postgres', "SELECT status FROM sw_pipelines WHERE name = 'github'"),
	'stopped', 'a pipeline can be stopped while it works');
$err = fails_with("DELETE FROM sw_pipelines WHERE name = 'github'",
	'55006', 'still being wound up', 'but not be deleted before it has ended');
$sandbox->resume('store');
is(wait_backfill($node, $id), 'cancelled', 'its backfill is cancelled');
is( $node->safe_psql('postgres',
		"SELECT status, rows_exported FROM sw_backfill_windows WHERE backfill_id = $id"
		  . ' ORDER BY window_start'),
	"success|800\ncancelled|\ncancelled|",
	'after the day that was under way');
is(last_run($node, 'github', 'status, rows_exported'),
	'success|800', 'its run is a success');
is(count_target($sandbox, 'github'), 800, 'the target has it');
is_deeply([ $sandbox->objects ], [], 'no object is left');
fails_with("SELECT sw_backfill('github', '$day', '$day')",
	'55000', 'is stopped', 'a stopped pipeline takes no more backfills');
ok( $node->poll_query_until('postgres',
		'SELECT NOT EXISTS (SELECT FROM _sensorswave.staged_object WHERE NOT is_deleted)'
		  . ' AND NOT EXISTS (SELECT FROM _sensorswave.pipeline_state WHERE holds_target)'),
	'it is wound up');
$node->safe_psql('postgres', "DELETE FROM sw_pipelines WHERE name = 'github'");
is($node->safe_psql('postgres', 'SELECT count(*) FROM sw_runs'),
	0, 'deleted, its history goes with it');
is(count_target($sandbox, 'github'), 800, 'the target table stays');

$node->stop;
done_testing();
