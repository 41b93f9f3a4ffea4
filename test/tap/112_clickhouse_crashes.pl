# A day of a clickhouse destination that is interrupted in any statement of
# its overwrite, in any way: it is done again by itself, has each row once, and
# leaves neither stage table nor object behind.
#
# What is tried at which statement is drawn by SW_TEST_SEED; each statement,
# each fault and each way of ending the worker is tried once at least, and with
# SW_TEST_LONG all combinations are.
use strict;
use warnings FATAL => 'all';

use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{SW_TEST_SEED} // time() % 1_000_000;
srand($seed);
note("SW_TEST_SEED=$seed");

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('clickhouse_crashes');
my $node = make_node('clickhouse_crashes', $sandbox,
	'sensorswave_export.file_size = 64kB',
	'sensorswave_export.retry_backoff = 50ms',
	'sensorswave_export.connect_timeout = 60s',
	'restart_after_crash = on');

# Each block becomes a part, and parts are merged only when that is asked for.
$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
create_clickhouse_destination($node, $sandbox, username => 'least_in_parts');
create_pipeline($node, 'github',
	target_options => '{"settings": {"max_bytes_to_merge_at_max_space_in_pool": 1}}');
wait_running($node, 'github');

# The statements of an overwrite, in their order.
my @statements = (
	[ 'the stage table is made', '^CREATE TABLE .*_sw_stage_' ],
	[ 'the stage table is loaded', '^INSERT INTO .*_sw_stage_' ],
	[ 'its rows are counted', '^SELECT count\(\), uniqExact' ],
	[ 'its parts are merged', '^OPTIMIZE TABLE' ],
	[ 'the day is put in place', 'REPLACE PARTITION' ],
	[ 'the stage table is dropped', '^DROP TABLE .*_sw_stage_' ],
	[ 'the rows of the day are counted', '^SELECT count\(\) FROM .*github' ]);

sub stage_tables
{
	return $sandbox->query(
		q{SELECT name FROM system.tables WHERE startsWith(name, '_sw_stage')});
}

# The day is whole, and nothing else is there.
sub is_whole
{
	my ($what) = @_;
	check_sample_rows($node, $sandbox, 'github', $what);
	wait_until("$what: all is cleaned up", sub {
		!$sandbox->objects && stage_tables() eq ''
		  && $node->safe_psql('postgres',
			'SELECT count(*) FROM _sensorswave.stage_table') eq '0';
	});
	is_deeply([ $sandbox->objects ], [], "$what: no object is left");
	is(stage_tables(), '', "$what: no stage table is left");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM _sensorswave.stage_table'),
		0, "$what: nor is one on record");
	return;
}

is(run_backfill($node, 'github', $day, $day), 'success', 'a backfill without a fault');
is_whole('without a fault');

# ---- the warehouse fails ----

sub backfill_under
{
	my (%fault) = @_;
	my $last = $node->safe_psql('postgres', 'SELECT max(run_id) FROM sw_runs');
	my $fault = front_fault($sandbox, times => 1, %fault);
	my $id = backfill($node, 'github', $day, $day);
	my $status = wait_backfill($node, $id);
	my $hits = front_fault_hits($sandbox, $fault);
	my $runs = $node->safe_psql('postgres',
		"SELECT count(*) FROM sw_runs WHERE run_id > $last");

	clear_front_faults($sandbox);
	return "$status, hits $hits, runs $runs";
}

my @faults = shuffle(
	[ fault => 'drop_before' ],
	[ fault => 'drop_after' ],
	[ fault => 'reset', when => 'after' ],
	[ fault => 'exception', code => 210 ],
	[ fault => 'exception', code => 210, when => 'after' ]);
foreach my $i (0 .. $#statements)
{
	my ($what, $match) = @{ $statements[$i] };
	my @drawn = $ENV{SW_TEST_LONG} ? @faults : $faults[ $i % @faults ];

	foreach my $fault (@drawn)
	{
		my %fault = @$fault;
		my $how = join(' ', "$what, $fault{fault}", $fault{when} // '');

		# That it is not dropped at once is no failure of the load.
		my $n_runs = $what eq 'the stage table is dropped' ? 1 : 2;
		my $expected = "success, hits 1, runs $n_runs";
		# A lost session is noticed when the rows of the day are counted.
		$expected = 'success, hits 1, runs 2'
		  if $n_runs == 1 && $fault{fault} ne 'exception';
		is(backfill_under(match => $match, %fault), $expected, "$how: the day is loaded");
		is_whole($how);
	}
}

# What a repeat can't cure fails at once, and leaves the old day.
is( backfill_under(match => 'REPLACE PARTITION', fault => 'exception', code => 497,
		message => 'x: Not enough privileges'),
	'failed, hits 1, runs 1', 'a right that is missing at the last moment');
is_whole('a right that is missing');

# ---- the worker is ended while a statement hangs ----

my %ways = (
	'kill of the worker' => {
		do => sub {
			my $from = -s $node->logfile;
			kill('KILL', worker_pid($node, 'worker')) or die 'there is no worker';
			$node->wait_for_log(qr/database system is ready to accept connections/, $from);
		}
	},
	'immediate stop' => { do => sub { $node->stop('immediate'); $node->start } },
	'fast stop' => {
		do => sub {
			my $begin = time();
			$node->stop('fast');
			cmp_ok(time() - $begin, '<', 3, 'the server stops within 3 seconds');
			$node->start;
		}
	},
	'pg_terminate_backend' => {
		do => sub {
			$node->safe_psql('postgres',
				'SELECT pg_terminate_backend(' . worker_pid($node, 'worker') . ')');
		}
	});

sub interrupt
{
	my ($statement, $when, $way) = @_;
	my ($name, $match) = @$statement;
	my $what = "$way when $name ($when)";
	my $fault = front_fault($sandbox, match => $match, fault => 'hang', when => $when, times => 1);
	my $id = backfill($node, 'github', $day, $day);

	wait_until("$what: the statement hangs", sub {
		return 1 if front_fault_hits($sandbox, $fault);
		return;
	});
	# "after" is reached a moment later than the fault is taken.
	usleep(300_000) if $when eq 'after';
	is(last_run($node, 'github', 'status'), 'running', "$what: a run is on record");
	is(count_target($sandbox, 'github'), 800, "$what: the target has a whole day");
	my $stage = $node->safe_psql('postgres', 'SELECT table_name FROM _sensorswave.stage_table');
	$ways{$way}{do}->();
	clear_front_faults($sandbox);
	is(wait_backfill($node, $id), 'success', "$what: the backfill goes on by itself");
	is(last_run($node, 'github', 'attempt, status'), '2|success', "$what: in a second attempt");
	is_whole($what);

	# What the dead one was about to do can't happen any more.
	like(
		eval {
			$sandbox->query("ALTER TABLE sensorswave.github REPLACE PARTITION '$day'"
				  . " FROM sensorswave.`$stage`");
		} // $@,
		qr/UNKNOWN_TABLE/,
		"$what: a late statement of the first finds nothing to put in place")
	  if $stage ne '';
	return;
}

my @ways = shuffle(sort keys %ways);
my @moments = shuffle('before', 'after');
my @tries;
foreach my $i (0 .. $#statements)
{
	push @tries, [ $statements[$i], $moments[ $i % 2 ], $ways[ $i % @ways ] ];
	next unless $ENV{SW_TEST_LONG};
	foreach my $when (@moments)
	{
		push @tries, map { [ $statements[$i], $when, $_ ] } @ways;
	}
}
interrupt(@$_) foreach @tries;

# ---- the server itself is killed in the middle of a load ----

change_settings($node, 'sensorswave_export.backfill_attempts' => 50);
$sandbox->fault(fault => 'hang', op => 'GET', match => '^(?!.*/_lease/)', times => 1);
my $from = $sandbox->count_log('store');
my $id = backfill($node, 'github', $day, $day);
$sandbox->wait_for_line('store', $from, sub { ($_->{code} // '') eq 'FaultHang' });
$sandbox->kill9('clickhouse');
$sandbox->clear_faults;
$sandbox->start('clickhouse');
is(wait_backfill($node, $id), 'success', 'ClickHouse is killed during a load: the day is loaded');
is_whole('ClickHouse is killed during a load');

# ---- a stage table that can't be dropped for a while ----

change_settings($node, 'sensorswave_export.backfill_attempts' => 1,
	'sensorswave_export.connect_timeout' => '1s');
my $fault = front_fault($sandbox, match => 'REPLACE PARTITION', fault => 'hang', times => 1);
$id = backfill($node, 'github', $day, $day);
wait_until('the day is about to be put in place', sub { front_fault_hits($sandbox, $fault) });
my $stage = stage_tables();
like($stage, qr/^_sw_stage_[0-9a-f_]{36}$/, 'there is a stage table');
$sandbox->pause('guard');
$node->safe_psql('postgres',
	'SELECT pg_terminate_backend(' . worker_pid($node, 'worker') . ')');
is(wait_backfill($node, $id), 'failed', 'the warehouse is out of reach: the backfill fails');
ok( $node->poll_query_until('postgres',
		'SELECT drop_attempts > 0 AND drop_after > clock_timestamp() FROM _sensorswave.stage_table'),
	'to drop the stage table is put off');
$sandbox->resume('guard');
clear_front_faults($sandbox);
is(stage_tables(), $stage, 'it is still there');
my ($code, $out, $err) = sql_as($node,
	"SELECT sw_stop('github'); DELETE FROM sw_pipelines WHERE name = 'github'");
like($err, qr/still being wound up/, 'the pipeline can not be deleted as long');
$node->safe_psql('postgres', <<'SQL');
UPDATE _sensorswave.stage_table SET drop_after = clock_timestamp();
UPDATE _sensorswave.staged_object SET delete_after = clock_timestamp() WHERE NOT is_deleted;
SQL
is_whole('when it is due');
like($node->safe_psql('postgres', "SELECT string_agg(message, E'\\n') FROM sw_run_logs"),
	qr/^dropped stage table \Q$stage\E$/m, 'which is in the log of its run');

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
