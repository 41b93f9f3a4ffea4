# More databases with work than the server has processes for: one scheduler
# each at the most, none keeps workers from starting, and all get their turn.
use strict;
use warnings FATAL => 'all';

use IPC::Run qw(start finish);
use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWriters;
use Test::More;
use Time::HiRes qw(usleep);

my $sandbox = SensorswaveSandbox->new('slots');
my $node = make_node('slots', $sandbox, 'max_worker_processes = 8');
my @databases = map { "shop_$_" } 1 .. 8;

sub count_schedulers
{
	return split /\|/, $node->safe_psql('postgres', <<'SQL');
SELECT count(*), coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM pg_stat_activity
	WHERE backend_type = 'sensorswave_export scheduler' GROUP BY datname) x
SQL
}

my $n_running = sub { $node->safe_psql($_[0], q{SELECT count(*) FROM sw_pipelines WHERE status = 'running'}) };

# ---- all databases at once ----

foreach my $database (@databases)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION sensorswave_export');
	$node->safe_psql($database, <<'SQL');
CREATE TABLE events (id bigint, kind text, happened_at timestamptz DEFAULT now(), received_at timestamptz DEFAULT now());
CREATE INDEX ON events (received_at);
SQL
	create_clickhouse_destination($node, $sandbox, dbname => $database);
}
create_pipeline($node, "${_}_events", dbname => $_, unchecked => 1, source => 'events', columns => events_mapping(),
	schedule => 'manual')
  foreach @databases;
foreach my $database (@databases)
{
	ok(wait_until("the pipeline in $database runs", sub { $n_running->($database) }),
		"$database: its pipeline has got a worker");
}
my %run;
foreach my $database (@databases)
{
	$node->safe_psql($database, q{INSERT INTO events VALUES (1, 'one')});
}
$run{$_} = $node->safe_psql($_, "SELECT sw_sync('${_}_events')") foreach @databases;
is_deeply(
	[ map { $node->safe_psql($_, "SELECT sw_wait($run{$_}, '1 minute')") } @databases ],
	[ map { 'success' } @databases ],
	'all syncs succeed, though the server has fewer processes');
is(count_target($sandbox, "${_}_events"), 1, "$_: with its row") foreach @databases;

# ---- many notices while a scheduler starts ----

my $database = $databases[0];
wait_until('all schedulers leave', sub { (count_schedulers())[0] == 0 });
append_to_file("$PostgreSQL::Test::Utils::tmp_check/notices", "SELECT sw_sync('${database}_events');\n");
my $output = '';
my $burst = start(
	[
		'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', 8, '-T', 4,
		'-f', "$PostgreSQL::Test::Utils::tmp_check/notices", $database
	],
	'>', \$output, '2>&1');
my $most = 0;
while ($burst->pumpable)
{
	$burst->pump_nb;
	$most = max($most, (count_schedulers())[1]);
	usleep(20_000);
}
ok(finish($burst), 'hundreds of requests from eight sessions') or diag($output);
cmp_ok($most, '>', 0, 'a scheduler was there');

# One may come while another one is on its way out.
cmp_ok($most, '<=', 2, "but one at a time, whatever comes in while it starts ($most)");
my $id = $node->safe_psql($database, "SELECT sw_sync('${database}_events')");
is($node->safe_psql($database, "SELECT sw_wait($id, '1 minute')"), 'success', 'the last of them is served');

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
