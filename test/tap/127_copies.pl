# Full copies that are broken off: rows arrive once, or a person is told why
# they can't.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;
use Time::HiRes qw(usleep);

my $sandbox = SensorswaveSandbox->new('copies');
my $node = make_node('copies', $sandbox,
	'sensorswave_export.keep_failed_objects = 0',
	'sensorswave_export.file_size = 64kB',
	'sensorswave_export.retry_backoff = 50ms',
	'sensorswave_export.connect_timeout = 60s',
	'restart_after_crash = on');
my %table = (bytehouse => 'things_bytehouse', clickhouse => 'things_clickhouse');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, name => 'bytehouse');
create_clickhouse_destination($node, $sandbox, name => 'clickhouse');
create_clickhouse_destination($node, $sandbox, name => 'least', username => 'least');
make_events($node, 'things', 3000, '2021-08-01');
foreach my $kind (sort keys %table)
{
	create_pipeline($node, $table{$kind}, destination => $kind eq 'clickhouse' ? 'least' : $kind, data_source => 'table', source => 'things', columns => '{}');
	create_pipeline($node, "keyed_$kind", destination => $kind, data_source => 'table', source => 'things', columns => '{}',
		mode => 'upsert', key_columns => '{id}');
	wait_running($node, $_) foreach $table{$kind}, "keyed_$kind";
}

# ---- helpers ----

# Begin a copy into the emptied target; returns its id.
sub begin_copy
{
	my ($pipeline) = @_;
	$sandbox->query("TRUNCATE TABLE sensorswave.$pipeline");
	return $node->safe_psql('postgres', "SELECT sw_backfill('$pipeline')");
}

# Status and runs of a backfill.
sub outcome
{
	my ($id) = @_;
	my $status = wait_backfill($node, $id);
	my $runs = $node->safe_psql('postgres', <<"SQL");
SELECT string_agg(r.status, ', ' ORDER BY r.run_id)
FROM sw_runs r JOIN sw_backfills b USING (pipeline)
WHERE b.backfill_id = $id AND r.started_at > b.requested_at
SQL
	return "$status: $runs";
}

sub is_whole
{
	my ($pipeline, $what) = @_;
	my $final = $pipeline =~ /^keyed/ ? 'FINAL' : '';
	is($sandbox->query("SELECT count(), uniqExact(id) FROM sensorswave.$pipeline $final"),
		"3000\t3000", "$what: each row is there once");
	wait_until("$what: the objects are deleted", sub { !$sandbox->objects });
	return;
}

# ---- the warehouse fails ----

# What the next run does is decided by the rows that are there.
foreach my $case (
	[ 'bytehouse', 'success: failed, success', fault => 'drop_before' ],
	[ 'bytehouse', 'success: failed, success', fault => 'drop_after' ],
	[ 'bytehouse', 'success: failed, success', fault => 'exception', code => 210 ],
	[ 'clickhouse', 'success: success', fault => 'drop_before' ],
	[ 'clickhouse', 'success: success', fault => 'drop_after' ],
	[ 'clickhouse', 'success: success', fault => 'exception', code => 210 ],
	[ 'clickhouse', 'success: success', fault => 'reset', when => 'after' ])
{
	my ($kind, $expected, %fault) = @$case;
	my $pipeline = $table{$kind};
	my $what = join(' ', $pipeline, $fault{fault}, $fault{when} // '');
	my $fault = front_fault($sandbox, match => "^INSERT INTO .*$pipeline", times => 1, %fault);
	my $id = begin_copy($pipeline);

	is(outcome($id), $expected, "$what: the copy succeeds");
	is(front_fault_hits($sandbox, $fault), 1, "$what: after a fault");
	clear_front_faults($sandbox);
	is_whole($pipeline, $what);
	like(last_log($node, $pipeline), qr/warning: the load is repeated after: /, "$what: the load was repeated")
	  if $kind eq 'clickhouse';
	like(last_log($node, $pipeline), qr/info: the load of run \d+ has brought all rows/, "$what: and was not repeated")
	  if $kind eq 'bytehouse' && $fault{fault} eq 'drop_after';
}

# ---- the worker is ended while a load hangs ----

sub kill_worker
{
	my $from = -s $node->logfile;
	kill('KILL', worker_pid($node, 'worker')) or die 'there is no worker';
	$node->wait_for_log(qr/database system is ready to accept connections/, $from);
	return;
}

sub interrupt
{
	my ($pipeline, $when, $meanwhile) = @_;
	my $fault = front_fault($sandbox, match => "^INSERT INTO .*$pipeline", fault => 'hang', when => $when, times => 1);
	my $id = begin_copy($pipeline);

	wait_until("$pipeline: the load hangs", sub { front_fault_hits($sandbox, $fault) ? 1 : undef });
	usleep(300_000) if $when eq 'after';
	$meanwhile->() if defined $meanwhile;
	kill_worker();
	clear_front_faults($sandbox);
	return $id;
}

foreach my $pipeline (sort(values %table), 'keyed_bytehouse', 'keyed_clickhouse')
{
	is(outcome(interrupt($pipeline, 'before')), 'success: failed, success',
		"$pipeline: a kill before the load: the copy is done again");
	is_whole($pipeline, "$pipeline, killed before the load");
}
foreach my $pipeline ('things_bytehouse', 'keyed_bytehouse', 'keyed_clickhouse')
{
	is(outcome(interrupt($pipeline, 'after')), 'success: failed, success',
		"$pipeline: a kill after the load: the copy ends");
	is_whole($pipeline, "$pipeline, killed after the load");
}
is(last_run($node, 'things_bytehouse', 'files, rows_exported'), '0|3000', 'rows that are there are not read again');

# One of several files is loaded: nobody knows what is missing.
my $id = interrupt('things_clickhouse', 'after');
is(outcome($id), 'failed: failed, failed', 'things_clickhouse: a kill among the loads: the copy fails');
like(backfill_error($node, $id),
	qr/^the target has \d+ rows of 3000 after a load that was broken off \/\/ Empty the target table/, 'saying what to do');
is(outcome(begin_copy('things_clickhouse')), 'success: success', 'and succeeds when that is done');
is_whole('things_clickhouse', 'things_clickhouse after all');

# Somebody else's rows in between are no rows of ours.
$id = interrupt('things_bytehouse', 'before',
	sub { $sandbox->query(q{INSERT INTO sensorswave.things_bytehouse (id) VALUES ('foreign')}) });
is(outcome($id), 'failed: failed, failed', 'a row of somebody else in between');
like(backfill_error($node, $id), qr/^the target has 1 rows of 3000 after a load/, 'is not taken for ours');

# A copy gives up while its load still runs: the next one ends that first.
change_settings($node, 'sensorswave_export.backfill_attempts' => 1);
foreach my $pipeline (sort(values %table), 'keyed_bytehouse', 'keyed_clickhouse')
{
	my $fault = front_fault($sandbox, match => "^INSERT INTO .*$pipeline", fault => 'drop_before', times => 1);
	is(outcome(begin_copy($pipeline)), 'failed: failed', "$pipeline: a copy gives up");
	clear_front_faults($sandbox);
	my $from = $sandbox->count_log('front');
	is(outcome(begin_copy($pipeline)), 'success: success', "$pipeline: another one succeeds");
	like(join("\n", map { $_->{query} // '' } $sandbox->log_lines('front', $from)),
		$pipeline =~ /bytehouse/ ? qr/^KILL QUERY WHERE .*^SELECT count.*^INSERT/ms : qr/^SELECT 1\n.*^SELECT count.*^INSERT/ms,
		"$pipeline: which ended the first, and counted then");
	is_whole($pipeline, "$pipeline after giving up");
}
change_settings($node, 'sensorswave_export.backfill_attempts' => 5);

# ---- without SELECT ----

put_front_user($sandbox, name => 'writer', password => 'not-a-secret',
	grants => [ 'CREATE TABLE, DROP TABLE, INSERT, ALTER ON sensorswave.*', 'S3, CREATE TEMPORARY TABLE ON *.*' ]);
change_destination($node, 'bytehouse', username => 'writer', password => 'not-a-secret');
is(outcome(begin_copy('things_bytehouse')), 'success: success', 'a copy without the right to SELECT');
like(last_log($node, 'things_bytehouse'), qr/warning: the warehouse user may not SELECT from the target: that it is empty, and its rows, are not checked/,
	'says what is not checked');
is_whole('things_bytehouse', 'without SELECT');

done_testing();
