# Sixteen writers of every kind while four pipelines sync every second and
# sweep every ten: events and users of both dialects equal their source row
# for row.  With the row test switched off the same comparison fails.
#
# SW_TEST_LONG: a minute of it.  SW_TEST_SEED draws what the writers do.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveHooks;
use SensorswaveSandbox;
use SensorswaveSync;
use SensorswaveTest;
use SensorswaveWriters;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{SW_TEST_SEED} // int(time()) % 1_000_000;
my $seconds = $ENV{SW_TEST_LONG} ? 60 : 20;
my $sweep_seconds = 10;
note("SW_TEST_SEED=$seed");

my $sandbox = SensorswaveSandbox->new('stress');
my $node = make_hooked_node('stress', $sandbox, 'max_prepared_transactions = 64');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, name => 'bytehouse');
create_clickhouse_destination($node, $sandbox, name => 'clickhouse');

# Pipelines of a schema's tables, one for each kind of data asked for and each
# dialect; returns their names.
sub create_pipelines
{
	my ($schema, @kinds) = @_;
	my @pipelines;

	make_sources($node, $schema);
	foreach my $kind (@kinds)
	{
		foreach my $destination (qw(bytehouse clickhouse))
		{
			my $name = "${schema}_${kind}_$destination";
			create_sync_pipeline(
				$node, $name,
				destination => $destination,
				data_source => $kind,
				source => "$schema.$kind",
				cursor_slack => '10 seconds',
				sweep_every => "$sweep_seconds seconds");
			push @pipelines, $name;
		}
	}
	return @pipelines;
}

# Writers and syncs side by side, then one sync with a sweep that finds them
# ended.
sub write_and_sync
{
	my ($schema, $duration, @pipelines) = @_;
	my $writers = start_writers($node, $schema, $duration, $seed);
	my $end = time() + $duration;

	while (time() < $end)
	{
		my $next = time() + 1;
		ask_for_sync($node, @pipelines);

		# What vacuum does to rows must not change whose they are.
		$node->safe_psql('postgres', "VACUUM (FREEZE) $schema.$_") foreach qw(events users);
		pretend_large($node, $schema);
		usleep(1_000_000 * ($next - time())) if $next > time();
	}
	finish_writers($writers);
	sync_now($node, @pipelines);
	usleep(1_000_000 * ($sweep_seconds + 0.1));
	is_deeply([ sync_now($node, @pipelines) ], [ map { 'success' } @pipelines ],
		"$schema: the last syncs succeed");
	return;
}

sub compare
{
	my ($schema, $pipeline) = @_;
	return $pipeline =~ /_users_/
	  ? compare_users($node, $sandbox, $schema, $pipeline)
	  : compare_events($node, $sandbox, $schema, $pipeline);
}

# ---- the row test at work ----

my @pipelines = create_pipelines('sound', 'events', 'users');
write_and_sync('sound', $seconds, @pipelines);
foreach my $pipeline (@pipelines)
{
	my $differences = compare('sound', $pipeline);
	my $runs = $node->safe_psql('postgres', <<"SQL");
SELECT count(*) FILTER (WHERE kind = 'incremental' AND rows_exported > 0),
	count(*) FILTER (WHERE kind = 'sweep' AND rows_exported > 0),
	count(*) FILTER (WHERE status <> 'success')
FROM sw_runs WHERE pipeline = '$pipeline'
SQL
	my ($n_incremental, $n_sweeps, $n_failed) = split /\|/, $runs;

	is(describe_differences($differences), '0 lost, 0 doubled, 0 foreign',
		"$pipeline: target and source are equal row for row");
	cmp_ok($differences->{rows}, '>', $pipeline =~ /events/ ? 10 * $seconds : 100, "$pipeline: of $differences->{rows} rows");
	cmp_ok($n_incremental, '>=', $seconds / 4, "$pipeline: by $n_incremental incremental runs with rows");
	cmp_ok($n_sweeps, '>=', 1, "$pipeline: and $n_sweeps sweeps with rows") if $pipeline =~ /events/;
	is($n_failed, 0, "$pipeline: none of which failed");
}

# ---- a naive time cursor ----

@pipelines = create_pipelines('naive', 'events');
set_naive($node, 1);
write_and_sync('naive', 20, @pipelines);
foreach my $pipeline (@pipelines)
{
	my $differences = compare('naive', $pipeline);
	cmp_ok($differences->{lost} + $differences->{doubled},
		'>', 0, "$pipeline: with a naive time cursor they differ: $differences->{lost} lost, $differences->{doubled} doubled");
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
