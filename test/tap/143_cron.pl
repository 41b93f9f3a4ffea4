# Beside pg_cron, as jobs of its: sw_sync, sw_backfill and the procedures that
# wait.  pg_cron starts a job at the full minute, so all are given at once.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;

my $sandbox = SensorswaveSandbox->new('cron');
my $node = make_node('cron', $sandbox,
	"shared_preload_libraries = 'pg_cron,sensorswave_export'",
	"cron.database_name = 'postgres'",
	'cron.use_background_workers = on',
	'max_worker_processes = 24');
my $mapping = '{"distinct_id": "id::text", "trace_id": "id::text", "ssid": "id",'
  . ' "anon_id": "null::text", "login_id": "null::text", "event": "$$click$$",'
  . ' "properties": "null::jsonb", "user_properties": "null::jsonb"}';

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

sub schedule
{
	my ($name, $command) = @_;
	return query("SELECT cron.schedule('$name', '* * * * *', " . quote_text($command) . ')');
}

# How the first run of a job ended, and what it said.
sub job
{
	my ($name, $columns) = @_;
	return wait_until("job $name has run", sub {
		query('SELECT ' . ($columns // 'status') . ' FROM cron.job_run_details'
			  . " JOIN cron.job USING (jobid) WHERE jobname = '$name'"
			  . " AND status IN ('succeeded', 'failed') ORDER BY runid LIMIT 1");
	}, 120);
}

query('CREATE EXTENSION pg_cron; CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);
foreach my $name (qw(synced filled called_sync called_fill failing))
{
	query("CREATE TABLE $name (id bigserial, \"time\" timestamptz, received_at timestamptz DEFAULT now());"
		  . " CREATE INDEX ON $name (received_at);"
		  . " INSERT INTO $name (\"time\") VALUES ('2026-04-01 12:00+08'), ('2026-04-02 12:00+08')");
	create_pipeline($node, $name, source => $name, columns => $mapping, schedule => 'manual');
	wait_running($node, $name);
	query("INSERT INTO $name (\"time\") SELECT '2026-04-03 12:00+08' FROM generate_series(1, 3)");
}
query(q{UPDATE sw_pipelines SET row_filter = '1 / (id - id) > 0' WHERE name = 'failing'});

schedule('sync', q{SELECT sw_sync('synced')});
schedule('fill', q{SELECT sw_backfill('filled', '2026-04-01', '2026-04-02')});
schedule('call sync', q{CALL sw_run_sync('called_sync')});
schedule('call fill', q{CALL sw_run_backfill('called_fill', '2026-04-01', '2026-04-03')});
schedule('fail', q{CALL sw_run_sync('failing')});

is(job('sync'), 'succeeded', 'SELECT sw_sync is a job');
is(job('fill'), 'succeeded', 'SELECT sw_backfill is one');
is(job('call sync'), 'succeeded', 'CALL sw_run_sync is one');
is(count_target($sandbox, 'called_sync'), 3, 'which ends when the rows are there');
is(job('call fill'), 'succeeded', 'CALL sw_run_backfill is one');
is(count_target($sandbox, 'called_fill'), 5, 'which ends when the days are there');
like(job('fail', "status || ': ' || return_message"), qr/^failed: .*division by zero/s,
	'a job that fails has the error of the run');
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM sw_runs WHERE pipeline = 'synced' AND status = 'success'"),
	'what was asked for is run');
is(count_target($sandbox, 'synced'), 3, 'and brings the rows');
ok($node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM sw_backfills WHERE pipeline = 'filled' AND status = 'success'"),
	'so is the backfill');
is(count_target($sandbox, 'filled'), 2, 'and brings the days');

query('SELECT cron.unschedule(jobid) FROM cron.job');
$node->stop;
done_testing();
