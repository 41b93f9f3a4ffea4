# A thousand pipelines in one database: what they cost while nothing is due,
# and that all of them, due at once, get their turn in the order in which they
# were due.
#
# SW_TEST_LONG: a minute of idleness.
use strict;
use warnings FATAL => 'all';

use List::Util qw(max sum0);
use POSIX qw(sysconf _SC_CLK_TCK);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveSync;
use SensorswaveTest;
use SensorswaveWriters;
use Test::More;
use Time::HiRes qw(time);

my $n_pipelines = 1000;
my $idle_seconds = $ENV{SW_TEST_LONG} ? 60 : 20;
my $max_workers = 4;

my $sandbox = SensorswaveSandbox->new('many');
my $node = make_node('many', $sandbox,
	"sensorswave_export.max_workers = $max_workers",
	'sensorswave_export.naptime = 1s',
	'max_worker_processes = 16',
	'autovacuum = off');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_clickhouse_destination($node, $sandbox);
make_sources($node, 'shop');

# A few with a target table, and the others without: what has no row to bring
# does not need it.
my @real = map { "real_$_" } 1 .. 4;
create_sync_pipeline($node, $_, source => 'shop.events', schedule => 'every 24 hours') foreach @real;
my $mapping = quote_text(events_mapping());
$node->safe_psql('postgres', <<"SQL");
SET sensorswave_export.check_on_save = off;
BEGIN;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, columns, schedule, row_filter)
SELECT 'idle_' || n, 'wh', 'events', 'shop.events', 'idle_' || n, ${mapping}::jsonb, 'every 24 hours', 'false'
FROM generate_series(1, $n_pipelines - ${\ scalar @real }) n;
UPDATE _sensorswave.pipeline SET status = 'running' WHERE status = 'new';
COMMIT;
SQL
is($node->safe_psql('postgres', q{SELECT count(*) FROM sw_status WHERE status = 'running'}),
	$n_pipelines, "$n_pipelines pipelines");

# ---- idle ----

# CPU seconds of the launcher, the schedulers and all processes that have
# ended: the postmaster has theirs.
sub cpu_seconds
{
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	my @pids = grep { $_ ne '' } split /\n/,
	  $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'sensorswave_export%'});
	my $ticks = 0;

	die 'there is no launcher' unless @pids;
	foreach my $pid (@pids, $postmaster)
	{
		my $file = "/proc/$pid/stat";
		next unless -e $file;
		my @fields = split / /, slurp_file($file) =~ s/^.*\) //sr;
		$ticks += $pid eq $postmaster ? $fields[13] + $fields[14] : $fields[11] + $fields[12];
	}
	return $ticks / sysconf(_SC_CLK_TCK);
}

wait_until('no worker is left', sub { worker_pid($node, 'worker') eq '' });
sleep 3;
my $overhead = -cpu_seconds();
$overhead += cpu_seconds();
my $before = cpu_seconds();
sleep $idle_seconds;
my $cpu = cpu_seconds() - $before - $overhead;
my $share = 100 * $cpu / $idle_seconds;
note(sprintf('%d idle pipelines: %.2f s of CPU in %d s, %.2f %% of a core', $n_pipelines, $cpu, $idle_seconds, $share));
cmp_ok($share, '<', 0.5, 'idle pipelines take less than 0.5 % of a core');

# ---- all due at once ----

# In an order of due times that is not that of their ids.
$node->safe_psql('postgres', <<'SQL');
INSERT INTO shop.events (kind) SELECT 'one' FROM generate_series(1, 10);
UPDATE _sensorswave.sync_state
SET next_tick_at = now() - interval '1 hour' + (pipeline_id * 7919 % 100003) * interval '1 millisecond';
CREATE TABLE due AS
SELECT name, row_number() OVER (ORDER BY next_tick_at) AS place
FROM _sensorswave.sync_state JOIN _sensorswave.pipeline USING (pipeline_id)
SQL
my $begin = time();
my $most = 0;
my $waited = 0;
$node->safe_psql('postgres', 'SELECT _sensorswave.wake()');
wait_until('all have run', sub {
	my ($n_done, $n_running, $n_waiting) = split /\|/, $node->safe_psql('postgres', <<'SQL');
SELECT (SELECT count(*) FROM sw_runs WHERE status = 'success'),
	(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sensorswave_export worker'),
	(SELECT count(*) FROM sw_status WHERE reason LIKE '%waiting for a worker%')
SQL
	$most = max($most, $n_running);
	$waited = max($waited, $n_waiting);
	select(undef, undef, undef, 0.2);
	$n_done >= $n_pipelines;
}, 600);
note(sprintf('%d pipelines that are due at once: %.1f s', $n_pipelines, time() - $begin));

is($node->safe_psql('postgres', 'SELECT count(DISTINCT pipeline), count(*) FROM sw_runs'),
	"$n_pipelines|$n_pipelines", 'each has had its turn, once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM sw_runs WHERE status <> 'success'}), 0, 'and none has failed');
cmp_ok($most, '<=', $max_workers, "never more than $max_workers at a time");
cmp_ok($waited, '>', $n_pipelines / 4, "those that wait say so: up to $waited");

# Workers that start side by side may overtake each other, but no further.
my $displaced = $node->safe_psql('postgres', <<'SQL');
SELECT max(abs(place - turn))
FROM (SELECT pipeline, row_number() OVER (ORDER BY started_at) AS turn FROM sw_runs) r
	JOIN due ON name = pipeline
SQL
cmp_ok($displaced, '<=', 2 * $max_workers, "in the order in which they were due: none is off by more than $displaced");
is(count_target($sandbox, $_), 10, "$_ has its rows") foreach @real;

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
