# SensorswaveSync: what tests of incremental sync share.
package SensorswaveSync;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveTest;
use SensorswaveWriters;
use Test::More;

our @EXPORT = qw(
  create_sync_pipeline ask_for_sync wait_run sync_now run_sync
  last_of_kind staged_objects stage_tables ledger_leftovers wait_clean
);

# A pipeline that runs when it is asked to; of events or users as
# SensorswaveWriters makes them, unless the columns are given.
sub create_sync_pipeline
{
	my ($node, $name, %columns) = @_;
	my %mapping = (events => events_mapping(), users => users_mapping(), table => '{}');
	my $data_source = $columns{data_source} // 'events';

	create_pipeline($node, $name,
		columns => $mapping{$data_source}, schedule => 'manual', %columns);
	wait_running($node, $name);
	return;
}

# Ask for a run of each; their ids.
sub ask_for_sync
{
	my ($node, @pipelines) = @_;
	return split /\n/,
	  $node->safe_psql('postgres', join('', map { "SELECT sw_sync('$_');" } @pipelines));
}

# The final status of a run, or what went wrong.
sub wait_run
{
	my ($node, $id) = @_;
	my $seconds = 2 * $PostgreSQL::Test::Utils::timeout_default;
	my ($code, $status, $error) =
	  sql_as($node, "SELECT sw_wait($id, '$seconds seconds')");

	return $code == 0 ? $status : $error;
}

# A run of each pipeline, to its end: their statuses.
sub sync_now
{
	my ($node, @pipelines) = @_;
	return map { wait_run($node, $_) } ask_for_sync($node, @pipelines);
}

# One run of one pipeline: "success 3" says that it and what it brought along
# (a sweep) have exported three rows; of one that failed, its error.
sub run_sync
{
	my ($node, $pipeline) = @_;
	my $last = $node->safe_psql('postgres', 'SELECT coalesce(max(run_id), 0) FROM sw_runs');
	my ($status) = sync_now($node, $pipeline);

	return $node->safe_psql('postgres', <<"SQL");
SELECT '$status ' || CASE WHEN '$status' = 'success' THEN sum(rows_exported)::text
	ELSE max(error || ' // ' || coalesce(hint, '(no hint)')) END
FROM sw_runs WHERE pipeline = '$pipeline' AND run_id > $last
SQL
}

# Columns of a pipeline's last run of a kind, as psql shows them.
sub last_of_kind
{
	my ($node, $pipeline, $kind, $columns) = @_;
	return $node->safe_psql('postgres',
		"SELECT $columns FROM sw_runs WHERE pipeline = '$pipeline' AND kind = '$kind'"
		  . ' ORDER BY run_id DESC LIMIT 1');
}

# ---- what must not stay ----

# Keys in the store, without the pipelines' leases.
sub staged_objects
{
	my ($sandbox) = @_;
	return grep { !m{/_lease/\d+$} } $sandbox->objects;
}

sub stage_tables
{
	my ($sandbox) = @_;
	return $sandbox->query(
		q{SELECT name FROM system.tables WHERE startsWith(name, '_sw_stage')});
}

# What the ledger still has to do about objects, stage tables and runs; that an
# object is deleted a second time, request_timeout later, does not count.
sub ledger_leftovers
{
	my ($node) = @_;
	return $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(what || ' ' || n, ', ') FROM (
	SELECT 'objects' AS what, count(*) AS n FROM _sensorswave.staged_object WHERE NOT is_deleted AND NOT is_deleted_once
	UNION ALL SELECT 'stage tables', count(*) FROM _sensorswave.stage_table
	UNION ALL SELECT 'runs', count(*) FROM _sensorswave.run WHERE status IN ('queued', 'running')
	UNION ALL SELECT 'windows', count(*) FROM _sensorswave.sync_window WHERE status = 'open') x
WHERE n > 0
SQL
}

# Neither store nor warehouse nor ledger has anything left of past runs, soon.
sub wait_clean
{
	my ($node, $sandbox, $what) = @_;

	wait_until("$what: all is cleaned up", sub {
		!staged_objects($sandbox) && stage_tables($sandbox) eq '' && ledger_leftovers($node) eq '';
	});
	is_deeply([ staged_objects($sandbox) ], [], "$what: no object is left");
	is(stage_tables($sandbox), '', "$what: no stage table is left");
	is(ledger_leftovers($node), '', "$what: nothing is left in the ledger");
	return;
}

1;
