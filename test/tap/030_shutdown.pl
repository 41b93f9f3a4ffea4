# A backfill that is interrupted at any point, in any way, goes on by itself,
# gives each row once and leaves nothing behind.
#
# Which way is tried at which point is drawn by SW_TEST_SEED; each point and
# each way is tried once at least, and with SW_TEST_LONG all pairs are.
use strict;
use warnings FATAL => 'all';

use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{SW_TEST_SEED} // time() % 1_000_000;
srand($seed);
note("SW_TEST_SEED=$seed");

my $n_rows = 5000;
my $day = '2021-08-02';
my $sandbox = SensorswaveSandbox->new('shutdown');
my $node = make_node('shutdown', $sandbox,
	'sensorswave_export.connect_timeout = 60s',
	'restart_after_crash = on');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);
make_events($node, 'big', $n_rows, $day);

# Rows of a closed day are not handed out until it is opened.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE closed (day date);
CREATE FUNCTION pass(at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	WHILE EXISTS (SELECT FROM public.closed
				  WHERE day = (at AT TIME ZONE 'Asia/Shanghai')::date)
	LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN true;
END $$;
SQL
create_pipeline($node, 'big', source => 'big', row_filter => 'public.pass(created_at)');
wait_running($node, 'big');

sub wait_activity
{
	my ($condition) = @_;
	wait_until("a worker with $condition",
		sub {
			$node->safe_psql('postgres',
				    'SELECT count(*) > 0 FROM pg_stat_activity'
				  . " WHERE backend_type = 'sensorswave_export worker' AND $condition") eq 't';
		});
	return;
}

# A request of the store that hangs, once; enter makes it so, reached waits
# until it has happened.
sub hang
{
	my ($operation) = @_;
	return {
		enter => sub {
			$sandbox->fault(fault => 'hang', op => $operation, after_bytes => 20000, times => 1)
			  if $operation eq 'PUT';
			$sandbox->fault(fault => 'hang', op => $operation, times => 1)
			  if $operation ne 'PUT';
		},
		reached => sub {
			my ($from) = @_;
			$sandbox->wait_for_line('store', $from,
				sub { ($_->{code} // '') eq 'FaultHang' && $_->{method} eq $operation });
		},
		leave => sub { $sandbox->clear_faults }
	};
}

# The points of a run; in "silence" the warehouse does not even say that it
# is still there.
my $load = hang('GET');
my %points = (
	login => {
		enter => sub { $sandbox->pause('front') },
		reached => sub { wait_activity("wait_event_type = 'Extension'") },
		leave => sub { $sandbox->resume('front') }
	},
	read => {
		enter => sub { $node->safe_psql('postgres', "INSERT INTO closed VALUES ('$day')") },
		reached => sub {
			wait_activity("query = 'reading the rows of a window' AND wait_event = 'PgSleep'");
		},
		leave => sub { $node->safe_psql('postgres', 'DELETE FROM closed') }
	},
	upload => hang('PUT'),
	load => $load,
	silence => {
		enter => $load->{enter},
		reached => sub {
			$load->{reached}->(@_);
			$sandbox->pause('front');
		},
		leave => sub {
			$load->{leave}->();
			$sandbox->resume('front');
		}
	},
	delete => hang('DELETE'));

# Kill the postmaster; its children notice and end by themselves.
sub kill_postmaster
{
	my ($what) = @_;
	my @pids = split /\n/,
	  $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
	push @pids, slurp_file($node->data_dir . '/postmaster.pid') =~ /\A(\d+)/;

	$node->kill9;
	ok(wait_until("$what: all processes end", sub { !kill(0, @pids) }, 10),
		"$what: all processes end by themselves");
	return;
}

# Kill the worker; the server restarts all others.
sub kill_worker
{
	my $from = -s $node->logfile;

	kill('KILL', worker_pid($node, 'worker')) or die 'there is no worker';
	$node->wait_for_log(qr/database system is ready to accept connections/, $from);
	return;
}

sub stop_within_3_seconds
{
	my ($what) = @_;
	my $begin = time();

	$node->stop('fast');
	cmp_ok(time() - $begin, '<', 3, "$what: the server stops within 3 seconds");
	return;
}

# The ways to end it: what is done, what starts the server again, and what
# the run says afterwards.
my %ways = (
	'fast stop' =>
	  { do => \&stop_within_3_seconds, restart => sub { $node->start } },
	'immediate stop' =>
	  { do => sub { $node->stop('immediate') }, restart => sub { $node->start } },
	'kill of the postmaster' =>
	  { do => \&kill_postmaster, restart => sub { $node->start } },
	'kill of the worker' => { do => \&kill_worker },
	'pg_cancel_backend' => {
		do => sub {
			$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . worker_pid($node, 'worker') . ')');
		},
		error => 'canceling statement due to user request'
	},
	'pg_terminate_backend' => {
		do => sub {
			$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . worker_pid($node, 'worker') . ')');
		}
	});

my $n_tried = 0;

sub interrupt
{
	my ($point_name, $way_name) = @_;
	my $what = "$way_name during $point_name";
	my ($point, $way) = ($points{$point_name}, $ways{$way_name});
	my $from = $sandbox->count_log('store');
	my $old_target = $n_tried++ ? $n_rows : 0;

	$point->{enter}->();
	my $id = backfill($node, 'big', $day, $day);
	$point->{reached}->($from);
	my $run_id = last_run($node, 'big', 'run_id');
	is(last_run($node, 'big', 'status'), 'running', "$what: a run is on record");

	# Readers see the old day or the new one, whenever they look.
	my $n_seen = $point_name eq 'delete' ? $n_rows : $old_target;
	is(count_target($sandbox, 'big'), $n_seen, "$what: the target has a whole day");

	$way->{do}->($what);
	# What needs the database is done when there is one.
	$point->{leave}->() unless $point_name eq 'read';
	$way->{restart}->() if $way->{restart};
	$point->{leave}->() if $point_name eq 'read';

	is(wait_backfill($node, $id), 'success', "$what: the backfill goes on by itself");
	my $error = $way->{error} // 'interrupted';
	is( $node->safe_psql('postgres',
			'SELECT status, error, hint IS NOT NULL OR sqlstate = \'57014\','
			  . " finished_at IS NOT NULL, rows_exported FROM sw_runs WHERE run_id = $run_id"),
		"failed|$error|t|t|0",
		"$what: the interrupted run is closed");
	is( $node->safe_psql('postgres',
			"SELECT attempt, status, rows_exported FROM sw_runs WHERE run_id > $run_id"),
		"2|success|$n_rows",
		"$what: one more attempt did it");
	is( $sandbox->query('SELECT count(), uniqExact(trace_id) FROM sensorswave.big'),
		"$n_rows\t$n_rows", "$what: each row is at the target once");
	wait_until("$what: all objects are deleted", sub { !$sandbox->objects });
	is_deeply([ $sandbox->objects ], [], "$what: no object is left in the store");
	is_deeply([ $sandbox->uploads ], [], "$what: nor an upload");
	is($node->safe_psql('postgres', 'SELECT sum(objects_left) FROM sw_runs'),
		0, "$what: nor is one on record");
	return;
}

interrupt('upload', 'fast stop');

my @pairs;
if ($ENV{SW_TEST_LONG})
{
	foreach my $point (sort keys %points)
	{
		push @pairs, [ $point, $_ ] foreach sort keys %ways;
	}
}
else
{
	my @points = shuffle(sort keys %points);
	my @ways = shuffle(sort keys %ways);
	@pairs = map { [ $points[ $_ % @points ], $ways[$_] ] } 0 .. $#ways;
}
interrupt(@$_) foreach shuffle(@pairs);

# ---- a backfill of several days goes on where it was ----

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE days (LIKE big);
INSERT INTO days
SELECT n::text, 'made', '{"id": 1, "login": "x"}', '{}',
	timestamptz '2021-09-01 12:00 Asia/Shanghai' + n * interval '1 day'
FROM generate_series(0, 2) n;
INSERT INTO closed VALUES ('2021-09-02');
SQL
create_pipeline($node, 'days', source => 'days', row_filter => 'public.pass(created_at)');
my $id = backfill($node, 'days', '2021-09-01', '2021-09-03');
wait_until('the second day is reached', sub {
	$node->safe_psql('postgres',
		"SELECT windows_done FROM sw_backfills WHERE backfill_id = $id") eq '1';
});
wait_activity("wait_event = 'PgSleep'");
stop_within_3_seconds('in the second of three days');
$node->start;
$node->safe_psql('postgres', 'DELETE FROM closed');
is(wait_backfill($node, $id), 'success', 'three days, interrupted in the second, succeed');
is( $node->safe_psql('postgres',
		"SELECT range_start, attempt, status FROM sw_runs WHERE pipeline = 'days' ORDER BY run_id"),
	join("\n",
		'2021-08-31 16:00:00+00|1|success', '2021-09-01 16:00:00+00|1|failed',
		'2021-09-01 16:00:00+00|2|success', '2021-09-02 16:00:00+00|1|success'),
	'only the second was done again');

# ---- the workers that give work ----

$node->safe_psql('postgres', "INSERT INTO closed VALUES ('$day')");
$id = backfill($node, 'big', $day, $day);
$points{read}{reached}->();
my %old = map { $_ => worker_pid($node, $_) } qw(launcher scheduler);
like("$old{launcher} $old{scheduler}", qr/^\d+ \d+$/, 'launcher and scheduler are there');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($_)") foreach values %old;
wait_until('both have ended', sub {
	$node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE pid IN ($old{launcher}, $old{scheduler})") eq '0';
});
$node->safe_psql('postgres', 'DELETE FROM closed');
is(wait_backfill($node, $id), 'success', 'the end of launcher and scheduler does not touch a run');
is(last_run($node, 'big', 'attempt'), 1, 'it was one attempt');
is(run_backfill($node, 'big', $day, $day),
	'success', 'and there are new ones for the next');
isnt(worker_pid($node, 'launcher'), $old{launcher}, 'the launcher is another one');

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
