# Destinations of kind clickhouse with exactly the rights the manual asks for,
# and with each right missing in turn: each operation works, or fails with the
# GRANT that is missing.  The users are those of test/sandbox/clickhouse; what
# they may do, ClickHouse itself decides.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('clickhouse_privileges');
my $node = make_node('clickhouse_privileges', $sandbox);

my @on_database = ('CREATE TABLE', 'DROP TABLE', 'INSERT', 'ALTER', 'SELECT', 'OPTIMIZE');
my @everywhere = ('S3', 'CREATE TEMPORARY TABLE');
my $serial = 0;

# Each with the rights it needs.  This version reads by s3() without CREATE
# TEMPORARY TABLE; older ones ask for it.
my @operations = (
	{   name => 'connection test',
		needs => [ @on_database, 'S3' ],
		run => sub {
			my @steps = test_connection($node, 'wh');
			return steps_of(@steps) eq 'oosoooo' ? 'ok' : failed_step(@steps);
		}
	},
	{   name => 'save a pipeline, create its table',
		needs => ['CREATE TABLE'],
		run => sub {
			my $name = 'made_' . ++$serial;
			create_pipeline($node, $name);
			$node->poll_query_until('postgres',
				    "SELECT status = 'running' OR last_error IS NOT NULL"
				  . " FROM sw_status WHERE pipeline = '$name'")
			  or die "nothing comes of $name";
			return $node->safe_psql('postgres',
				    "SELECT coalesce(last_error || ' // ' || last_hint, 'ok')"
				  . " FROM sw_status WHERE pipeline = '$name'");
		}
	},
	# Rows of one part need no merge.
	{   name => 'backfill over a day',
		needs => [ 'CREATE TABLE', 'INSERT', 'S3', 'SELECT', 'ALTER' ],
		run => sub { run_backfill_of($node, 'github', $day) },
		after => sub { check_sample_rows($node, $sandbox, 'github', $_[0]) }
	},
	{   name => 'drop a day with allow_shrink',
		needs => ['ALTER'],
		prepare => sub {
			$sandbox->query('TRUNCATE TABLE sensorswave.emptied');
			$sandbox->query('INSERT INTO sensorswave.emptied SELECT * FROM sensorswave.github');
		},
		run => sub { run_backfill_of($node, 'emptied', $day, allow_shrink => 1) },
		after => sub { is(count_target($sandbox, 'emptied'), 0, "$_[0]: the day is gone") }
	});

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
$node->safe_psql('postgres', 'CREATE TABLE no_events (LIKE github_events)');
create_clickhouse_destination($node, $sandbox);
create_pipeline($node, 'github');
create_pipeline($node, 'emptied', source => 'no_events');
wait_running($node, $_) foreach qw(github emptied);
is(run_backfill_of($node, 'github', $day), 'ok', 'a day is filled');

foreach my $missing ('', @on_database, @everywhere)
{
	my $user = $missing eq '' ? 'least' : lc("no_$missing") =~ s/ /_/gr;
	change_destination($node, 'wh', username => $user);
	foreach my $operation (@operations)
	{
		my $what = ($missing eq '' ? 'the rights of the manual' : "no $missing") . ": $operation->{name}";

		$operation->{prepare}->() if defined $operation->{prepare};
		my $told = $operation->{run}->();
		if (grep { $_ eq $missing } @{ $operation->{needs} })
		{
			my $grant = (grep { $_ eq $missing } @everywhere)
			  ? 'S3, CREATE TEMPORARY TABLE ON \*\.\*'
			  : "$missing ON sensorswave\\.\\*";
			like($told, qr/^(?:\d: )?a right is missing at the warehouse/,
				"$what: fails because of a right");
			like($told, qr{ // Run at the warehouse as an administrator: GRANT $grant TO `$user`},
				"$what: with the GRANT");
		}
		else
		{
			is($told, 'ok', "$what: works");
			$operation->{after}->($what) if defined $operation->{after};
		}
	}

	# That a table can't be dropped shows when it is there: the probe table of
	# the connection test stays, and of a backfill the day is done.
	if ($missing eq 'DROP TABLE')
	{
		my $probe = $sandbox->query(
			q{SELECT name FROM system.tables WHERE startsWith(name, '_sw_probe')});
		$sandbox->query("DROP TABLE sensorswave.`$probe`");
		like(
			$node->safe_psql('postgres', "SELECT string_agg(level || ': ' || message, E'\n') FROM sw_run_logs"),
			qr/^warning: could not drop stage table _sw_stage_\w+, will try again: a right is missing at the warehouse$/m,
			'no DROP TABLE: a run that leaves its stage table says so');
		like(run_backfill_of($node, 'github', $day),
			qr{^a right is missing at the warehouse // .*GRANT DROP TABLE ON sensorswave\.\* TO `$user`},
			'no DROP TABLE: and the next does not begin before that is gone');
	}
	change_destination($node, 'wh', username => $sandbox->env('CLICKHOUSE_USER'));
	$node->safe_psql('postgres',
		"SELECT sw_stop(name) FROM sw_pipelines WHERE name LIKE 'made%' AND status <> 'stopped'");
	is(count_target($sandbox, 'github'), 800, 'the day is as it was');
	$node->safe_psql('postgres',
		'UPDATE _sensorswave.stage_table SET drop_after = clock_timestamp()');
	wait_until('no stage table is left', sub {
		$sandbox->query(q{SELECT count() FROM system.tables WHERE startsWith(name, '_sw_')}) eq '0';
	});
	is_deeply([ $sandbox->objects ], [], 'no object is left');
}

$node->stop;
done_testing();
