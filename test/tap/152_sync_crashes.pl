# Incremental runs that are broken off at any point and in any way, by the
# death of the worker, of the server, of the warehouse, and by replies that
# never arrive: after recovery no row is lost, none is there twice, and nothing
# is left behind; of events and users, at both dialects.
#
# Commits of the source are asynchronous, so that a crash takes the last of
# them back, and their transaction ids are given out again.
#
# What is tried with what is drawn by SW_TEST_SEED.  By default each point is
# tried with one pipeline, each way of ending once at least, some of the faults
# with each pipeline, and 10 workers are killed at moments of chance; with
# SW_TEST_LONG every point with every pipeline in every way, all faults, and
# 100.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveHooks;
use SensorswaveSandbox;
use SensorswaveSync;
use SensorswaveTest;
use SensorswaveWarehouse;
use SensorswaveWriters;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{SW_TEST_SEED} // int(time()) % 1_000_000;
my $is_long = $ENV{SW_TEST_LONG};
my $n_kills = $is_long ? 100 : 10;
srand($seed);
note("SW_TEST_SEED=$seed");

my $sandbox = SensorswaveSandbox->new('sync_crashes');
my $node = make_hooked_node('sync_crashes', $sandbox,
	'sensorswave_export.file_size = 64kB',
	'sensorswave_export.retry_backoff = 50ms',
	'sensorswave_export.retry_backoff_max = 500ms',
	'sensorswave_export.request_timeout = 3s',
	'wal_writer_delay = 10s',
	'restart_after_crash = on');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET synchronous_commit = off');
create_destination($node, $sandbox, name => 'bytehouse');
create_clickhouse_destination($node, $sandbox, name => 'clickhouse');
make_sources($node, 'shop');

my @pipelines;
foreach my $kind (qw(events users))
{
	foreach my $destination (qw(bytehouse clickhouse))
	{
		push @pipelines, "${kind}_$destination";
		create_sync_pipeline($node, "${kind}_$destination", destination => $destination,
			data_source => $kind, source => "shop.$kind", cursor_slack => '10 seconds');
	}
}

# ---- helpers ----

# So many of a list, or all of it.
sub draw
{
	my ($n_drawn, @list) = @_;
	@list = shuffle(@list);
	return $is_long ? @list : @list[ 0 .. $n_drawn - 1 ];
}

# Events of all kinds of transactions, some of them for the sweep, and changes
# of users.
sub add_rows
{
	$node->safe_psql('postgres', <<'SQL');
INSERT INTO shop.events (kind) SELECT 'plain' FROM generate_series(1, 20);
SELECT shop.add_in_blocks('in blocks', 6);
INSERT INTO shop.events (kind) VALUES ('alone');
INSERT INTO shop.events (kind, received_at) SELECT 'late', now() - n * interval '1 hour' FROM generate_series(1, 3) n;
SELECT shop.put_user((random() * 100)::bigint) FROM generate_series(1, 5);
SELECT shop.put_user((random() * 100)::bigint);
SQL
	pretend_large($node, 'shop');
	return;
}

sub differences
{
	my ($pipeline) = @_;
	return describe_differences($pipeline =~ /^users/
		? compare_users($node, $sandbox, 'shop', $pipeline)
		: compare_events($node, $sandbox, 'shop', $pipeline));
}

# The next run brings a sweep along.
sub have_it_swept
{
	my ($pipeline) = @_;
	$node->safe_psql('postgres',
		    'UPDATE _sensorswave.sync_state SET next_sweep_at = now() FROM _sensorswave.pipeline p'
		  . " WHERE sync_state.pipeline_id = p.pipeline_id AND name = '$pipeline'");
	return;
}

# No window is open, and nothing is under way.
sub is_settled
{
	my ($pipeline) = @_;
	return $node->safe_psql('postgres', <<"SQL") eq 't';
SELECT NOT EXISTS (SELECT FROM _sensorswave.sync_window JOIN _sensorswave.pipeline USING (pipeline_id)
	WHERE sync_window.status = 'open' AND name = '$pipeline')
	AND NOT EXISTS (SELECT FROM sw_runs WHERE pipeline = '$pipeline' AND status IN ('queued', 'running'))
SQL
}

# A run that was broken off goes on by itself; then what came meanwhile.
sub is_whole
{
	my ($pipeline, $what) = @_;

	wait_until("$what: the run goes on by itself", sub { is_settled($pipeline) });
	have_it_swept($pipeline);
	is(join(' ', sync_now($node, $pipeline)), 'success', "$what: the next run succeeds");
	is(differences($pipeline), '0 lost, 0 doubled, 0 foreign', "$what: target and source are equal row for row");
	wait_clean($node, $sandbox, $what);
	return;
}

foreach my $pipeline (@pipelines)
{
	add_rows();
	is_whole($pipeline, "$pipeline without a fault");
}
add_rows();
sync_now($node, @pipelines);
cmp_ok($node->safe_psql('postgres', 'SELECT max(n) FROM (SELECT count(*) AS n FROM _sensorswave.chunk GROUP BY window_id) x'),
	'>', 1, 'windows are cut into several chunks');

# ---- the worker ends at a named point ----

# Points of a run as the sources name them.
sub named_points
{
	my $source = abs_path(dirname(__FILE__) . '/../../src');
	my %points;

	foreach my $file (glob("$source/*/*.c"))
	{
		foreach my $call (slurp_file($file) =~ /\bsw_point\((.*?)\);/gs)
		{
			$points{$_} = 1 foreach $call =~ /"([\w.]+)"/g;
		}
	}
	return sort keys %points;
}

sub wait_restart
{
	my ($from) = @_;
	$node->wait_for_log(qr/database system is ready to accept connections/, $from);
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	return;
}

my %ways = (
	'SIGKILL' => sub {
		my ($pid, $point) = @_;
		my $from = -s $node->logfile;
		kill('KILL', $pid) or die 'there is no worker';
		clear_point($node, $point);
		wait_restart($from);
	},
	'SIGTERM' => sub {
		my ($pid, $point) = @_;
		kill('TERM', $pid) or die 'there is no worker';
		wait_until("the worker leaves point $point", sub { !kill(0, $pid) });
		clear_point($node, $point);
	},
	'immediate stop' => sub {
		my ($pid, $point) = @_;
		$node->stop('immediate');
		clear_point($node, $point);
		$node->start;
	});

# End the worker there; false if its run does not come that way.
sub interrupt
{
	my ($point, $pipeline, $way) = @_;
	my $what = "$way at $point of $pipeline";

	add_rows();
	have_it_swept($pipeline);
	set_point($node, $point, 'wait');
	my ($id) = ask_for_sync($node, $pipeline);
	wait_until("$what: the run comes there or ends", sub {
		is_point_reached($node, $point)
		  || $node->safe_psql('postgres', "SELECT status FROM sw_runs WHERE run_id = $id") !~ /^(queued|running)$/;
	});
	if (!is_point_reached($node, $point))
	{
		clear_point($node, $point);
		return 0;
	}
	my $pid = wait_point($node, $point);
	add_rows();
	$ways{$way}->($pid, $point);
	add_rows();
	is_whole($pipeline, $what);
	return 1;
}

my @points = named_points();
my @ways = shuffle(sort keys %ways);
my $n_reached = 0;
my $n = 0;

foreach my $point (@points)
{
	my $is_reached = 0;

	foreach my $pipeline (shuffle(@pipelines))
	{
		my @drawn = $is_long ? @ways : ($ways[ $n++ % @ways ]);
		foreach my $way (@drawn)
		{
			last unless interrupt($point, $pipeline, $way);
			$is_reached = 1;
		}
		last if $is_reached && !$is_long;
	}
	ok($is_reached, "point $point is on the way of a run");
	$n_reached += $is_reached;
}
cmp_ok($n_reached, '>=', 14, "$n_reached points were tried");

# ---- and its successor ends, too ----

# Who settles what the first worker has left is killed there, if it comes
# there.
sub interrupt_twice
{
	my ($pipeline, $first, $second, $way) = @_;
	my $what = "$pipeline: $way at $first, then SIGKILL at $second";

	add_rows();
	have_it_swept($pipeline);
	set_point($node, $first, 'wait');
	ask_for_sync($node, $pipeline);
	my $pid = wait_point($node, $first);
	add_rows();
	set_point($node, $second, 'wait');
	$ways{$way}->($pid, $first);
	wait_until("$what: the next run comes there or ends", sub {
		is_point_reached($node, $second) || is_settled($pipeline);
	});
	if (is_point_reached($node, $second))
	{
		add_rows();
		$ways{'SIGKILL'}->(wait_point($node, $second), $second);
	}
	clear_point($node, $second);
	is_whole($pipeline, $what);
	return;
}

my @pairs;
foreach my $first (qw(chunk.read chunk.staged chunk.intent chunk.loaded chunk.done))
{
	push @pairs, map { [ $first, $_ ] }
	  grep { $_ ne $first } qw(chunk.leased chunk.intent chunk.loaded chunk.verified chunk.cleaned);
}
foreach my $pipeline (@pipelines)
{
	interrupt_twice($pipeline, @$_, $ways[ $n++ % @ways ]) foreach draw(2, @pairs);
}

# ---- the warehouse fails ----

# A fault at the statement that loads a pipeline's rows, or at another one.
sub warehouse_fails
{
	my ($pipeline, $match, %fault) = @_;
	my $what = join(' ', $pipeline, $match, map { "$_ $fault{$_}" } sort keys %fault);
	my $fault = front_fault($sandbox, match => $match =~ s/TARGET/$pipeline/r, times => 1, %fault);

	add_rows();
	ask_for_sync($node, $pipeline);
	my $is_hit = wait_until("$what: the fault strikes", sub { front_fault_hits($sandbox, $fault) });
	add_rows();
	is_whole($pipeline, $what);
	clear_front_faults($sandbox);
	return;
}

my @faults = (
	[ fault => 'drop_before' ],
	[ fault => 'drop_after' ],
	[ fault => 'reset', when => 'after' ],
	[ fault => 'exception', code => 210 ],
	[ fault => 'exception', code => 210, when => 'after' ]);
foreach my $pipeline (@pipelines)
{
	warehouse_fails($pipeline, '^INSERT INTO .*TARGET', @$_) foreach draw(2, @faults);
	next unless $pipeline =~ /bytehouse/;
	warehouse_fails($pipeline, 'connect', fault => 'drop_before');
	warehouse_fails($pipeline, 'hello', fault => 'exception', code => 210);
}

# The load hangs when its worker is killed: it may still happen.
sub load_outlives_worker
{
	my ($pipeline, $when) = @_;
	my $what = "$pipeline: SIGKILL while the load hangs ($when)";
	my $fault = front_fault($sandbox, match => "^INSERT INTO .*$pipeline", fault => 'hang', when => $when, times => 1);

	add_rows();
	ask_for_sync($node, $pipeline);
	wait_until("$what: the load hangs", sub { front_fault_hits($sandbox, $fault) });
	usleep(300_000) if $when eq 'after';
	my $from = -s $node->logfile;
	kill('KILL', worker_pid($node, 'worker')) or die 'there is no worker';
	wait_restart($from);
	clear_front_faults($sandbox);
	add_rows();
	is_whole($pipeline, $what);
	return;
}
foreach my $pipeline (@pipelines)
{
	load_outlives_worker($pipeline, $_) foreach draw(1, qw(before after));
}

# What became of a load is to be found out, and that fails at first.
sub settling_fails
{
	my ($pipeline, $match, %fault) = @_;
	my $what = join(' ', "$pipeline: SIGKILL after the load, then $match", map { "$_ $fault{$_}" } sort keys %fault);

	add_rows();
	set_point($node, 'chunk.loaded', 'wait');
	ask_for_sync($node, $pipeline);
	my $pid = wait_point($node, 'chunk.loaded');
	my $fault = front_fault($sandbox, match => $match, times => 1, %fault);
	$ways{'SIGKILL'}->($pid, 'chunk.loaded');
	add_rows();
	wait_until("$what: the fault strikes", sub { front_fault_hits($sandbox, $fault) });
	is_whole($pipeline, $what);
	clear_front_faults($sandbox);
	return;
}
foreach my $pipeline (@pipelines)
{
	settling_fails($pipeline, $pipeline =~ /bytehouse/ ? '^KILL QUERY' : '^SELECT 1', @$_) foreach draw(1, @faults);
	next unless $pipeline eq 'events_bytehouse';
	settling_fails($pipeline, '^SELECT count', @$_) foreach draw(2, @faults);
}

# ClickHouse itself is killed in the middle of a load.
sub kill_clickhouse
{
	my ($pipeline) = @_;
	my $what = "$pipeline: ClickHouse is killed during a load";

	add_rows();
	$sandbox->fault(fault => 'hang', op => 'GET', match => '^(?!.*/_lease/)', times => 1);
	my $from = $sandbox->count_log('store');
	ask_for_sync($node, $pipeline);
	$sandbox->wait_for_line('store', $from, sub { ($_->{code} // '') eq 'FaultHang' });
	$sandbox->kill9('clickhouse');
	$sandbox->clear_faults;
	$sandbox->start('clickhouse');
	is_whole($pipeline, $what);
	return;
}
kill_clickhouse($_) foreach @pipelines;

# ---- the store's replies get lost ----

sub store_fails
{
	my ($pipeline, %fault) = @_;
	my $what = join(' ', "$pipeline, store:", map { "$_ $fault{$_}" } sort keys %fault);
	my $fault = $sandbox->fault(times => 1, %fault);

	add_rows();
	ask_for_sync($node, $pipeline);
	wait_until("$what: the fault strikes", sub { $sandbox->fault_hits($fault) });
	is_whole($pipeline, $what);
	$sandbox->clear_faults;
	return;
}

my $staged = '^(?!.*/_lease/)';
my $lease = '/_lease/';
my @store_faults = (
	(map { [ op => 'PUT', match => $staged, fault => $_ ] } qw(drop drop_after truncate_reply hang_after)),
	(map { [ op => 'PUT', match => $lease, fault => $_ ] } qw(drop drop_after)),
	(map { [ op => 'GET', match => $lease, fault => $_ ] } qw(drop truncate_reply)),
	[ op => '*', match => $staged, skip => 1, fault => 'drop_after' ]);
foreach my $pipeline (@pipelines)
{
	store_fails($pipeline, @$_) foreach draw(3, @store_faults);
}

# ---- kills at moments of chance ----

# One of the extension's processes, mostly one at work.
sub any_process
{
	my $role = rand() < 0.8 ? 'worker' : rand() < 0.5 ? 'scheduler' : 'launcher';
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'sensorswave_export $role' ORDER BY random() LIMIT 1");
}

# False when the process was about to end anyhow.
sub has_crashed
{
	my ($from) = @_;
	foreach (1 .. 100)
	{
		return 1 if $node->log_contains(qr/was terminated by signal 9/, $from);
		usleep(20_000);
	}
	return 0;
}

my $n_done = 0;
while ($n_done < $n_kills)
{
	add_rows();
	ask_for_sync($node, @pipelines);
	usleep(rand(1_200_000));
	my $pid = any_process();
	next if $pid eq '';
	my $from = -s $node->logfile;
	next unless kill('KILL', $pid) && has_crashed($from);
	wait_restart($from);
	next if ++$n_done % 10 > 0;
	add_rows();
	is_whole($_, "$_ after $n_done kills") foreach @pipelines;
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
