# When a pipeline runs: ticks by a clock that the test sets, edits of the
# schedule, missed ticks, runs that somebody asks for, pause, stop, and what
# sw_status says meanwhile.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveHooks;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $sandbox = SensorswaveSandbox->new('schedule');
my $node = make_hooked_node('schedule', $sandbox, 'sensorswave_export.max_workers = 1',
	'restart_after_crash = on');
my $mapping = '{"distinct_id": "id::text", "trace_id": "id::text", "ssid": "id",'
  . ' "anon_id": "null::text", "login_id": "null::text", "event": "$$click$$",'
  . ' "properties": "null::jsonb", "user_properties": "null::jsonb"}';

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

sub make_source
{
	my ($table) = @_;
	query("CREATE TABLE $table (id bigserial, \"time\" timestamptz DEFAULT now(),"
		  . " received_at timestamptz DEFAULT clock_timestamp());"
		  . " CREATE INDEX ON $table (received_at)");
	return;
}

sub make_pipeline
{
	my ($name, %columns) = @_;
	make_source($name);
	create_pipeline($node, $name, source => $name, columns => $mapping, %columns);
	wait_running($node, $name);
	return;
}

sub insert
{
	my ($table, $n_rows) = @_;
	return query("INSERT INTO $table SELECT FROM generate_series(1, " . ($n_rows // 1) . ')');
}

sub status_of
{
	my ($pipeline, $columns) = @_;
	return query("SELECT $columns FROM sw_status WHERE pipeline = '$pipeline'");
}

sub next_run
{
	my ($pipeline) = @_;
	return status_of($pipeline,
		"to_char(next_run_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')");
}

sub count_runs
{
	my ($pipeline, $status) = @_;
	return query("SELECT count(*) FROM sw_runs WHERE pipeline = '$pipeline'"
		  . (defined $status ? " AND status = '$status'" : ''));
}

# Wait until that many runs have succeeded.
sub wait_runs
{
	my ($pipeline, $n_runs) = @_;
	return wait_until("run $n_runs of $pipeline succeeds",
		sub { count_runs($pipeline, 'success') >= $n_runs });
}

sub run_status
{
	my ($run_id, $columns) = @_;
	return query('SELECT ' . ($columns // 'status') . " FROM sw_runs WHERE run_id = $run_id");
}

sub fails_with
{
	my ($sql, $state, $error, $what) = @_;
	my ($code, $out, $err) = sql_as($node, "\\set VERBOSITY verbose\n$sql");
	like($err, qr/ERROR:  $state: .*$error/s, $what);
	return $err;
}

# psql in the background; returns a handle for wait_session.
sub start_session
{
	my ($sql) = @_;
	my %session = (in => '', out => '', err => '');
	$session{run} = IPC::Run::start(
		[   'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose',
			'-d', $node->connstr('postgres'), map { ('-c', $_) } ref $sql ? @$sql : $sql ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout(3 * $PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

sub wait_session
{
	my ($session) = @_;
	$session->{run}->finish;
	chomp $session->{out};
	return $session->{out};
}

sub wait_for_sleep
{
	return wait_until('a session sleeps', sub {
		query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") eq '1';
	});
}

query('CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);

# ---- ticks, and edits of them ----

set_clock($node, '2027-03-27 10:00:30+00');
make_pipeline('ticks');
is(next_run('ticks'), '2027-03-27 11:00:30', 'the first tick is an hour after the creation');
foreach my $case (
	[ 'every 15 minutes', '2027-03-27 10:15:30' ],
	[ 'daily 02:30 Europe/Berlin', '2027-03-28 01:30:00' ],
	[ 'manual', '' ],
	[ 'every 20 minutes', '2027-03-27 10:20:30' ])
{
	my ($schedule, $expected) = @$case;
	query("UPDATE sw_pipelines SET schedule = '$schedule' WHERE name = 'ticks'");
	is(next_run('ticks'), $expected, "$schedule counts at once");
	is(status_of('ticks', 'reason'), $schedule eq 'manual' ? 'manual schedule' : '',
		'and the status says what it waits for');
}

insert('ticks', 3);
set_clock($node, '2027-03-27 10:20:29+00');
usleep(700_000);
is(count_runs('ticks'), 0, 'no run before its tick');
set_clock($node, '2027-03-27 10:20:31+00');
wait_runs('ticks', 1);
is(count_target($sandbox, 'ticks'), 3, 'a tick brings the rows');
is(next_run('ticks'), '2027-03-27 10:40:30', 'and the next one is set');
is(status_of('ticks', 'consecutive_failures, last_rows, last_success_at IS NOT NULL,'
		  . ' lag_seconds BETWEEN 0 AND 60'), '0|3|t|t', 'the status knows of it');

insert('ticks');
set_clock($node, '2027-03-27 13:47:00+00');
wait_runs('ticks', 2);
usleep(700_000);
is(count_runs('ticks'), 2, 'missed ticks are run once');
is(next_run('ticks'), '2027-03-27 14:00:30', 'then it goes on as if nothing had happened');

insert('ticks');
$node->stop;
set_clock_file($node, '2027-03-27 20:00:00+00');
$node->start;
wait_runs('ticks', 3);
usleep(700_000);
is(count_runs('ticks'), 3, 'those missed while the server was down as well');
is(count_target($sandbox, 'ticks'), 5, 'nothing is missing, nothing is there twice');

set_point($node, 'window.opened', 'wait');
set_clock($node, '2027-03-27 20:01:00+00');
wait_point($node, 'window.opened');
is(status_of('ticks', "reason ~ '^run \\d+ is under way\$', next_run_at IS NULL"), 't|t',
	'a run that is under way is seen');
query("UPDATE sw_pipelines SET schedule = 'every 5 minutes' WHERE name = 'ticks'");
clear_point($node, 'window.opened');
wait_runs('ticks', 4);
is(next_run('ticks'), '2027-03-27 20:05:30', 'an edit during a run is not undone by it');

# ---- a tick during a run is not lost ----

set_point($node, 'window.opened', 'wait');
set_clock($node, '2027-03-27 20:06:00+00');
wait_point($node, 'window.opened');
insert('ticks');
set_clock($node, '2027-03-27 20:17:00+00');
clear_point($node, 'window.opened');
wait_runs('ticks', 6);
usleep(500_000);
is(count_runs('ticks'), 6, 'ticks during a run are one run after it');
is(count_target($sandbox, 'ticks'), 6, 'which brings what came meanwhile');
query("UPDATE sw_pipelines SET schedule = 'manual' WHERE name = 'ticks'");
reset_clock($node);

# ---- runs that are asked for ----

make_pipeline('asked', schedule => 'manual');
insert('asked');
my $id = query("SELECT sw_sync('asked')");
is(query("SELECT sw_wait($id, '1 minute')"), 'success', 'a manual pipeline runs when asked to');
is(count_target($sandbox, 'asked'), 1, 'and brings the rows');
is(run_status($id, 'kind, status, rows_exported, error'), 'incremental|success|1|', 'which the run knows');

set_point($node, 'window.opened', 'wait');
my $first = query("SELECT sw_sync('asked')");
wait_point($node, 'window.opened');
insert('asked');
my $second = query("SELECT sw_sync('asked')");
isnt($second, $first, 'while a run is going on, one more is queued');
is(run_status($second), 'queued', 'behind it');
is(query("SELECT sw_sync('asked')"), $second, 'which callers share');
fails_with("SELECT sw_wait($second, '200 milliseconds')", '57014', 'has not ended in time',
	'a time-out is an error');
my @sessions = map { start_session($_) } (
	"SELECT sw_wait($second)",
	"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM sw_runs; SELECT sw_wait($second)",
	[ "CALL sw_run_sync('asked')", "SELECT 'called'" ]);
wait_until('three sessions wait', sub {
	query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Extension'"
		  . " AND backend_type = 'client backend'") eq '3';
});
clear_point($node, 'window.opened');
wait_session($_) foreach @sessions;
is_deeply([ map { (split /\n/, $_->{out})[-1] } @sessions ],
	[qw(success success called)], 'waiting works at every isolation level');
is_deeply([ map { $_->{err} } @sessions ], [ '', '', '' ], 'and says nothing else');
is(run_status($first), 'success', 'the first run is a success, too');
is(count_target($sandbox, 'asked'), 2, 'what was committed between them is there once');

fails_with("BEGIN; SELECT sw_sync('asked') AS id \\gset\nSELECT sw_wait(:id)",
	'55000', 'was asked for by this transaction', 'one cannot wait for what is not committed');
fails_with("BEGIN; CALL sw_run_sync('asked')", '25001', 'cannot run inside a transaction block',
	'nor CALL in a transaction');
fails_with('CALL sw_run_sync(NULL)', '22004', 'must not be null', 'nor for nothing');

# ---- sharing waits for whoever shares ----

set_point($node, 'window.opened', 'wait');
$first = query("SELECT sw_sync('asked')");
wait_point($node, 'window.opened');
$second = query("SELECT sw_sync('asked')");
my $writer = start_session("BEGIN; INSERT INTO asked SELECT; SELECT sw_sync('asked');"
	  . ' SELECT pg_sleep(1.5); COMMIT');
wait_for_sleep();
clear_point($node, 'window.opened');
is(query("SELECT sw_wait($first, '1 minute')"), 'success', 'the run before ends');
usleep(500_000);
is(run_status($second), 'queued', 'one that somebody shares who has not committed waits');
is((split /\n/, wait_session($writer))[0], $second, 'it was that one');
is(query("SELECT sw_wait($second, '1 minute')"), 'success', 'then it runs');
is(count_target($sandbox, 'asked'), 3, 'and brings what he has written');

# ---- failures ----

change_settings($node, 'sensorswave_export.retry_backoff' => '1min',
	'sensorswave_export.retry_backoff_max' => '1min');
insert('asked');
set_point($node, 'window.opened', 'error always');
fails_with("CALL sw_run_sync('asked')", '08006', 'a test had point "window.opened" fail',
	'CALL raises the error of the run');
is(status_of('asked', "reason ~ '^retry at 20.* after: a test had point', next_run_at > now(),"
		  . ' consecutive_failures, last_error'),
	't|t|1|a test had point "window.opened" fail', 'the status says when and why it is tried again');
$id = query("SELECT sw_sync('asked')");
is(query("SELECT sw_wait($id, '1 minute')"), 'failed', 'during a back-off it is tried at once');
is(status_of('asked', 'consecutive_failures'), 2, 'which counts as well');
clear_point($node, 'window.opened');
$id = query("SELECT sw_sync('asked')");
is(query("SELECT sw_wait($id, '1 minute')"), 'success', 'until it works');
is(status_of('asked', 'consecutive_failures, last_error, reason'), '0||manual schedule',
	'then all is forgotten');
is(count_target($sandbox, 'asked'), 4, 'the row is there once');
change_settings($node, 'sensorswave_export.retry_backoff' => '300ms',
	'sensorswave_export.retry_backoff_max' => '1s');

set_point($node, 'window.opened', 'error');
insert('asked');
$id = query("SELECT sw_sync('asked')");
is(query("SELECT sw_wait($id, '1 minute')"), 'failed', 'a run fails');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM sw_runs WHERE pipeline = 'asked' AND run_id > $id AND status = 'success'"),
	'a manual pipeline is tried again, too');
is(last_run($node, 'asked', 'attempt, rows_exported'), '2|1', 'as the second attempt');
is(count_target($sandbox, 'asked'), 5, 'the row is there once');

set_point($node, 'run.begun', 'kill');
insert('asked');
$id = query("SELECT sw_sync('asked')");
wait_point($node, 'run.begun');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM sw_runs WHERE pipeline = 'asked' AND run_id > $id AND status = 'success'"),
	'so is one whose worker died at once');
is(run_status($id, 'status, error'), 'failed|interrupted', 'which is on record');
is(count_target($sandbox, 'asked'), 6, 'the row is there once');

# ---- one at a time ----

make_pipeline('other', schedule => 'manual');
insert('other');
set_point($node, 'window.opened', 'wait');
query("SELECT sw_sync('asked')");
wait_point($node, 'window.opened');
$id = query("SELECT sw_sync('other')");
is(status_of('other', 'reason, next_run_at <= now()'), 'waiting for a worker|t',
	'beyond max_workers one waits, visibly');
usleep(500_000);
is(run_status($id, 'status, started_at'), 'queued|', 'and goes on waiting');
clear_point($node, 'window.opened');
is(query("SELECT sw_wait($id, '1 minute')"), 'success', 'until there is a worker');

# ---- pause ----

set_point($node, 'window.opened', 'wait');
insert('asked');
$first = query("SELECT sw_sync('asked')");
wait_point($node, 'window.opened');
$second = query("SELECT sw_sync('asked')");
my ($code, $out, $err) = sql_as($node, "SELECT sw_pause('asked')");
like($err, qr/NOTICE:  pipeline "asked" is paused.*under way is finished first.*sw_resume/s,
	'pausing says what it does');
is(status_of('asked', 'status, reason, next_run_at'), 'paused|paused by postgres|',
	'the status knows who did');
is(run_status($second, 'status, error'), 'cancelled|the pipeline was paused', 'what was asked for is off');
clear_point($node, 'window.opened');
is(query("SELECT sw_wait($first, '1 minute')"), 'success', 'the window under way is finished');
is(count_target($sandbox, 'asked'), 7, 'and delivered');
insert('asked');
$err = fails_with("SELECT sw_sync('asked')", '55000', 'is paused', 'a paused pipeline does not run');
like($err, qr/DETAIL:  The reason: paused by postgres\..*HINT:  Call sw_resume/s, 'and is told why');
fails_with("SELECT sw_backfill_days('asked', 1)", '55000', 'is paused', 'nor is it backfilled');
query("UPDATE sw_pipelines SET schedule = 'every 1 hour' WHERE name = 'asked'");
shift_clock($node, '10 hours');
usleep(700_000);
is(query("SELECT count(*) FROM sw_runs WHERE pipeline = 'asked' AND run_id > $second"),
	0, 'ticks pass it by');
($code, $out, $err) = sql_as($node, "SELECT sw_resume('asked')");
like($err, qr/NOTICE:  pipeline "asked" goes on/, 'resuming says so');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM sw_runs WHERE pipeline = 'asked' AND run_id > $second AND status = 'success'"),
	'then those missed are run once');
is(count_target($sandbox, 'asked'), 8, 'and nothing is lost');
reset_clock($node);

# ---- what waits to be loaded is not left over ----

set_point($node, 'chunk.staged', 'error always');
insert('asked');
$id = query("SELECT sw_sync('asked')");
is(query("SELECT sw_wait($id, '1 minute')"), 'failed', 'a run fails that has staged its files');
query("SELECT sw_pause('asked')");
clear_point($node, 'chunk.staged');
change_settings($node, log_min_messages => 'debug1');
usleep(500_000);
my $log_end = -s $node->logfile;
usleep(4_000_000);
unlike(slurp_file($node->logfile, $log_end),
	qr/starting background worker process "sensorswave_export worker"/,
	'while the pipeline is paused, nobody comes for them');
change_settings($node, log_min_messages => 'warning');
query("SELECT sw_resume('asked')");
wait_until('they are loaded', sub { count_target($sandbox, 'asked') == 9 });
wait_until('and deleted', sub { $sandbox->objects == 0 });
is(count_target($sandbox, 'asked'), 9, 'afterwards they are loaded, once');

# ---- a session that keeps a lock ----

# Has a transaction that stays open, and a tick pass.
sub hold_lock
{
	my ($sql) = @_;
	my $session = start_session("BEGIN; $sql; SELECT pg_sleep(600)");

	wait_for_sleep();
	insert('asked');
	shift_clock($node, '3 hours');
	return $session;
}

sub end_session
{
	my ($session) = @_;
	query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
	wait_session($session);
	reset_clock($node);
	return;
}

my $day = query("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date");
my $session = hold_lock("SELECT sw_backfill('asked', '$day', '$day')");
wait_until('the run succeeds', sub { count_target($sandbox, 'asked') == 10 });
is(status_of('asked', 'reason'), '', 'who is about to ask for a backfill holds up nobody');
end_session($session);
query("UPDATE sw_pipelines SET schedule = 'manual' WHERE name = 'asked';"
	  . " UPDATE sw_pipelines SET schedule = 'every 1 hour' WHERE name = 'asked'");
my $n_before = count_runs('asked', 'success');
$session = hold_lock("SELECT sw_pause('asked')");
wait_until('its worker waits', sub {
	query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
		  . " AND backend_type = 'sensorswave_export worker'") eq '1';
});
$id = query("SELECT sw_sync('other')");
is(query("SELECT sw_wait($id, '90 seconds')"), 'success',
	'who is about to pause one does not keep a worker from others for long');
end_session($session);
wait_runs('asked', $n_before + 1);
is(count_target($sandbox, 'asked'), 11, 'nothing is missing, nothing is there twice');

# ---- backfills come first ----

query("UPDATE sw_pipelines SET schedule = 'every 1 hour' WHERE name = 'other'");
$sandbox->pause('store');
my $backfill = backfill($node, 'other', $day, $day);
wait_until('the backfill runs', sub {
	query("SELECT status FROM sw_backfills WHERE backfill_id = $backfill") eq 'running';
});
is(status_of('other', 'reason, next_run_at'), "backfill $backfill is running|", 'a backfill is seen');
$err = fails_with("SELECT sw_sync('other')", '55006', 'has a backfill going on', 'no run beside it');
like($err, qr/HINT:  .*sw_wait_backfill\($backfill\)/, 'and one is told what to wait for');
my $n_runs = count_runs('other', 'success');
shift_clock($node, '3 hours');
usleep(500_000);
$sandbox->resume('store');
is(wait_backfill($node, $backfill), 'success', 'it ends');
wait_runs('other', $n_runs + 2);
usleep(500_000);
is(count_runs('other', 'success'), $n_runs + 2, 'and the ticks meanwhile are one run after it');
reset_clock($node);

$sandbox->pause('store');
my $called = start_session(
	[ "CALL sw_run_backfill('other', '$day', '$day')", "SELECT 'called'" ]);
wait_until('it runs', sub {
	query("SELECT count(*) FROM sw_backfills WHERE status = 'running'") eq '1';
});
$sandbox->resume('store');
is(wait_session($called), 'called', 'CALL does a backfill and waits for it');
is($called->{err}, '', 'without a word');
fails_with("CALL sw_run_backfill('other', '$day', '2026-01-01')", '22023', 'lies after the last',
	'and refuses what cannot be');

# ---- stop ----

set_point($node, 'window.opened', 'wait');
insert('other');
$first = query("SELECT sw_sync('other')");
wait_point($node, 'window.opened');
my $n_target = count_target($sandbox, 'other');
$second = query("SELECT sw_sync('other')");
query("SELECT sw_stop('other')");
is(run_status($second, 'status, error'), 'cancelled|the pipeline was stopped', 'stopping takes off what was asked for');
clear_point($node, 'window.opened');
is(query("SELECT sw_wait($first, '1 minute')"), 'success', 'and lets the window under way end');
is(count_target($sandbox, 'other'), $n_target + 1, 'which is delivered');
fails_with("SELECT $_('other')", '55000', 'is stopped', "no $_ after it")
  foreach qw(sw_sync sw_pause sw_resume);

# ---- who is due longer comes first, in whichever database ----

query("UPDATE sw_pipelines SET schedule = 'manual' WHERE name = 'asked'");
query('CREATE DATABASE far');
$node->safe_psql('far', 'CREATE EXTENSION sensorswave_export; CREATE TABLE far'
	  . ' (id bigserial, "time" timestamptz DEFAULT now(),'
	  . ' received_at timestamptz DEFAULT clock_timestamp())');
create_destination($node, $sandbox, dbname => 'far');
create_pipeline($node, 'far', dbname => 'far', source => 'far', columns => $mapping,
	schedule => 'manual');
wait_running($node, 'far', 'far');
set_point($node, 'window.opened', 'wait');
query("SELECT sw_sync('asked')");
wait_point($node, 'window.opened');
$first = $node->safe_psql('far', "SELECT sw_sync('far')");
usleep(300_000);
$second = query("SELECT sw_sync('asked')");
usleep(300_000);
clear_point($node, 'window.opened');
is($node->safe_psql('far', "SELECT sw_wait($first, '1 minute')"), 'success', 'each gets');
is(query("SELECT sw_wait($second, '1 minute')"), 'success', 'a place');
my $started = 'SELECT started_at FROM sw_runs WHERE run_id =';
is(query("SELECT started_at > '" . $node->safe_psql('far', "$started $first")
		  . "' FROM sw_runs WHERE run_id = $second"), 't', 'who has waited longer before the other');
query("SELECT sw_stop('$_')") foreach qw(asked ticks);
$node->safe_psql('far', "SELECT sw_stop('far')");

# ---- nobody stays ----

ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type ~ 'sensorswave_export (scheduler|worker)'"),
	'with nothing due, nobody is left in the database');
query('CREATE DATABASE elsewhere');
$node->safe_psql('elsewhere', 'CREATE EXTENSION sensorswave_export');
my $begin = time();
query('CREATE DATABASE copy TEMPLATE elsewhere');
query('DROP DATABASE elsewhere');
cmp_ok(time() - $begin, '<', 10, 'so databases can be copied and dropped');

$node->stop;
done_testing();
