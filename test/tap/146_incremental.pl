# Incremental sync: what a run brings, of events, users and tables, at both
# dialects; updates, filters, late rows, pause and resume; and what is said
# about each run.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveSync;
use SensorswaveTest;
use SensorswaveWriters;
use Test::More;

my $sandbox = SensorswaveSandbox->new('incremental');
my $node = make_node('incremental', $sandbox, 'max_prepared_transactions = 10');
my @dialects = qw(bytehouse clickhouse);

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, name => 'bytehouse');
create_clickhouse_destination($node, $sandbox, name => 'clickhouse');

# ---- helpers ----

sub sql
{
	return $node->safe_psql('postgres', join(';', @_));
}

# Kinds of the events at a target, each with how often it is there.
sub kinds_of
{
	my ($target) = @_;
	return $sandbox->query("SELECT arrayStringConcat(groupArray(concat(event, ' ', toString(n))), ', ')"
		  . " FROM (SELECT event, count() AS n FROM sensorswave.`$target` GROUP BY event ORDER BY event)");
}

# Whatever the state of pipelines is: the columns named.
sub status_of
{
	my ($pipeline, $columns) = @_;
	return sql("SELECT $columns FROM sw_status WHERE pipeline = '$pipeline'");
}

sub log_of
{
	my ($pipeline) = @_;
	return last_log($node, $pipeline);
}

# ---- events: from the creation of the pipeline on ----

make_sources($node, 'shop');
sql("INSERT INTO shop.events (kind) SELECT 'before' FROM generate_series(1, 3)");
my $open = $node->background_psql('postgres');
my $late = $node->background_psql('postgres');
$open->query_safe("BEGIN; INSERT INTO shop.events (kind) VALUES ('open')");
$late->query_safe('BEGIN; SELECT now()');
sql("BEGIN; INSERT INTO shop.events (kind) VALUES ('prepared'); PREPARE TRANSACTION 'p'");

my @events = map { "events_$_" } @dialects;
create_sync_pipeline($node, "events_$_", destination => $_, source => 'shop.events', cursor_slack => '10 seconds')
  foreach @dialects;
foreach my $pipeline (@events)
{
	is(run_sync($node, $pipeline), 'success 0', "$pipeline: nothing is there from before it was made");
	is(last_run($node, $pipeline, 'kind, files, bytes_staged, range_start IS NULL, error IS NULL'),
		'incremental|0|0|t|t', "$pipeline: a run without rows stages nothing");
}
is_deeply([ staged_objects($sandbox) ], [], 'nor is there an object');

$open->query_safe('COMMIT');
$late->query_safe("INSERT INTO shop.events (kind) VALUES ('late'); COMMIT");
sql("COMMIT PREPARED 'p'");
sql("INSERT INTO shop.events (kind) SELECT 'plain' FROM generate_series(1, 5)");
foreach my $pipeline (@events)
{
	is(run_sync($node, $pipeline), 'success 8', "$pipeline: what was committed since");
	is(kinds_of($pipeline), 'late 1, open 1, plain 5, prepared 1', "$pipeline: each once");
	is( last_of_kind($node, $pipeline, 'incremental',
			'rows_exported, files > 0, bytes_staged > 0, attempt, finished_at >= started_at, settings_version'),
		'8|t|t|1|t|1', "$pipeline: the run says how much");
	is( last_of_kind($node, $pipeline, 'incremental',
			q{range_start = (SELECT date_trunc('milliseconds', min(received_at)) FROM shop.events WHERE kind <> 'before'),}
			  . q{ range_end >= (SELECT date_trunc('milliseconds', max(received_at)) FROM shop.events)}),
		't|t', "$pipeline: and from when to when");
	is(run_sync($node, $pipeline), 'success 0', "$pipeline: a second run has nothing to bring");
	is(status_of($pipeline, 'status, last_rows, consecutive_failures, last_error IS NULL, next_run_at IS NULL, last_success_at IS NOT NULL'),
		'running|0|0|t|t|t', "$pipeline: its status says so");
}
wait_clean($node, $sandbox, 'events');

# ---- below the bound: the sweep ----

sql(<<'SQL');
INSERT INTO shop.events (kind, received_at) VALUES ('of yesterday', now() - interval '1 day'),
	('of tomorrow', now() + interval '1 day'), ('of no time', NULL), ('just late', now() - interval '3 seconds')
SQL
foreach my $pipeline (@events)
{
	is(run_sync($node, $pipeline), 'success 3', "$pipeline: an old time is left to the sweep");
	sql("UPDATE sw_pipelines SET sweep_every = '1 second' WHERE name = '$pipeline'");
	sleep 1;
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: which brings it");
	is(last_of_kind($node, $pipeline, 'sweep', 'status, rows_exported, attempt'),
		'success|1|1', "$pipeline: as a run of its own");
	is(kinds_of($pipeline),
		'just late 1, late 1, of no time 1, of tomorrow 1, of yesterday 1, open 1, plain 5, prepared 1',
		"$pipeline: each once");
	sleep 1;
	is(run_sync($node, $pipeline), 'success 0', "$pipeline: the next sweep has nothing to bring");
	sql("UPDATE sw_pipelines SET sweep_every = '1 day' WHERE name = '$pipeline'");
}

# A transaction that began before the last capture without an xid is not late.
$late->query_safe('BEGIN; SELECT now()');
sleep 12;
is_deeply([ sync_now($node, @events) ], [ 'success', 'success' ], 'runs while a transaction is open');
$late->query_safe("INSERT INTO shop.events (kind) VALUES ('written late'); COMMIT");
$late->quit;
$open->quit;
foreach my $pipeline (@events)
{
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: what a transaction of 12 seconds has written needs no sweep");
}

# ---- events that are changed ----

sql("UPDATE shop.events SET received_at = now() WHERE kind = 'open'");
foreach my $pipeline (@events)
{
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: an event that was changed is exported once more");
	like(log_of($pipeline), qr/\b1 .*updat/i, "$pipeline: which its log says");
	like($sandbox->query("SELECT count() FROM sensorswave.$pipeline WHERE event = 'open'"), qr/^2$/, "$pipeline: as a second row");
	is(status_of($pipeline, "(SELECT (happened_at AT TIME ZONE 'Asia/Shanghai')::date FROM shop.events WHERE kind = 'open') = ANY (days_needing_backfill)"),
		't', "$pipeline: its day needs a backfill");
}

# ---- filters: from the next window on ----

sql("INSERT INTO shop.events (kind) VALUES ('kept'), ('dropped')");
foreach my $pipeline (@events)
{
	sql("UPDATE sw_pipelines SET event_filter = 'exclude', event_names = '{dropped}' WHERE name = '$pipeline'");
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: an event that is excluded is left out");
	is(last_of_kind($node, $pipeline, 'incremental', 'settings_version > 1'), 't', "$pipeline: the run says by which settings");
}
sql("INSERT INTO shop.events (kind) VALUES ('kept'), ('dropped'), ('other')");
foreach my $pipeline (@events)
{
	sql("UPDATE sw_pipelines SET event_filter = NULL, event_names = NULL, row_filter = 'kind <> \$\$other\$\$' WHERE name = '$pipeline'");
	is(run_sync($node, $pipeline), 'success 2', "$pipeline: a filter of rows in its place");
	is($sandbox->query("SELECT count() FROM sensorswave.$pipeline WHERE event = 'dropped'"),
		1, "$pipeline: what was left out is not made good");
	sql("UPDATE sw_pipelines SET row_filter = NULL WHERE name = '$pipeline'");
	is(run_sync($node, $pipeline), 'success 0', "$pipeline: nor when the filter is gone");
}

# ---- an edit of the mapping ----

my $new_mapping = events_mapping() =~ s/"anon_id": "''"/"anon_id": "upper(kind)"/r;
sql("INSERT INTO shop.events (kind) VALUES ('mapped')");
foreach my $pipeline (@events)
{
	sql('UPDATE sw_pipelines SET columns = ' . quote_text($new_mapping) . " WHERE name = '$pipeline'");
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: an expression may be edited");
	is($sandbox->query("SELECT anon_id FROM sensorswave.$pipeline WHERE event = 'mapped'"), 'MAPPED', "$pipeline: and is used");
}

# ---- pause and resume ----

foreach my $pipeline (@events)
{
	sql("SELECT sw_pause('$pipeline')");
	is(status_of($pipeline, 'status'), 'paused', "$pipeline: paused");
	my ($code, $out, $err) = sql_as($node, "SELECT sw_sync('$pipeline')");
	like($err, qr/ERROR: .*paused.*HINT: .*sw_resume/s, "$pipeline: a sync is refused, saying what to do");
}
sql("INSERT INTO shop.events (kind) VALUES ('while paused')");
foreach my $pipeline (@events)
{
	sql("SELECT sw_resume('$pipeline')");
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: nothing is lost by a pause");
}

# ---- a failure, and the retry by itself ----

foreach my $pipeline (@events)
{
	sql("INSERT INTO shop.events (kind) VALUES ('after a failure')");
	my $fault = $sandbox->fault(fault => 'error', status => 403, code => 'AccessDenied', op => 'PUT');
	my ($status) = sync_now($node, $pipeline);
	is($status, 'failed', "$pipeline: the store refuses: the run fails");
	is(last_run($node, $pipeline, 'error IS NOT NULL, hint IS NOT NULL'), 't|t', "$pipeline: with error and remedy");
	is(status_of($pipeline, 'status, consecutive_failures > 0, last_error IS NOT NULL, next_run_at > now()'), 'running|t|t|t', "$pipeline: its status says so");
	$sandbox->clear_faults;
	like(run_sync($node, $pipeline), qr/^success \d+$/, "$pipeline: a call during the back-off tries at once");
	cmp_ok(sql("SELECT max(attempt) FROM sw_runs WHERE pipeline = '$pipeline' AND status = 'success'"), '>', 1, "$pipeline: as a further attempt");
	is(status_of($pipeline, 'consecutive_failures, last_error IS NULL'), '0|t', "$pipeline: the failure is over");
	is($sandbox->query("SELECT count() FROM sensorswave.$pipeline WHERE event = 'after a failure'"),
		sql("SELECT count(*) FROM shop.events WHERE kind = 'after a failure'"), "$pipeline: with each row once");
}

# ---- users: the newest state ----

my @users = map { "users_$_" } @dialects;
sql('SELECT shop.put_user(n) FROM generate_series(1, 3) n');
create_sync_pipeline($node, "users_$_", destination => $_, data_source => 'users', source => 'shop.users') foreach @dialects;
sql('SELECT shop.put_user(n) FROM generate_series(3, 6) n');
foreach my $pipeline (@users)
{
	is(run_sync($node, $pipeline), 'success 4', "$pipeline: new and changed users");
}
sql('SELECT shop.put_user(4)', 'SELECT shop.put_user(4)', 'SELECT shop.put_user(1)');
foreach my $pipeline (@users)
{
	is(run_sync($node, $pipeline), 'success 2', "$pipeline: those that are changed, each once");
	is($sandbox->query("SELECT groupArray((ssid, toString(properties))) FROM (SELECT * FROM sensorswave.$pipeline FINAL ORDER BY ssid)") =~ s/\s|\\//gr,
		q{[(1,'{"n":1}'),(3,'{"n":1}'),(4,'{"n":2}'),(5,'{"n":0}'),(6,'{"n":0}')]}, "$pipeline: the newest state of each");
}

# An older time does not win, whenever it arrives.
sql("UPDATE shop.users SET n_changes = 99, updated_at = updated_at - interval '1 minute' WHERE id = 5");
foreach my $pipeline (@users)
{
	is(run_sync($node, $pipeline), 'success 1', "$pipeline: a change that claims to be older");
	is($sandbox->query("SELECT JSONExtractInt(toString(properties), 'n') FROM sensorswave.$pipeline FINAL WHERE ssid = 5"), 0, "$pipeline: loses");
}

# ---- tables: with a key, and without ----

sql(<<'SQL');
CREATE TABLE things (id int PRIMARY KEY, name text);
CREATE TABLE notes (note text, made_at timestamptz DEFAULT now());
INSERT INTO things VALUES (1, 'before');
INSERT INTO notes VALUES ('before');
SQL
foreach my $dialect (@dialects)
{
	create_sync_pipeline($node, "things_$dialect", destination => $dialect, data_source => 'table', source => 'things');
	create_sync_pipeline($node, "notes_$dialect", destination => $dialect, data_source => 'table', source => 'notes', cursor_column => 'made_at');
}
sql(q{INSERT INTO things VALUES (2, 'two'), (3, 'three')}, q{INSERT INTO notes VALUES ('one'), ('two')});
foreach my $dialect (@dialects)
{
	is(run_sync($node, "things_$dialect"), 'success 2', "$dialect: rows of a table with a key");
	is(run_sync($node, "notes_$dialect"), 'success 2', "$dialect: rows of one without");
}
sql(q{UPDATE things SET name = 'zwei' WHERE id = 2}, q{UPDATE things SET name = 'eins' WHERE id = 1}, q{INSERT INTO notes VALUES ('three')});
foreach my $dialect (@dialects)
{
	is(run_sync($node, "things_$dialect"), 'success 2', "$dialect: rows that were changed");
	is($sandbox->query("SELECT groupArray(concat(toString(id), ' ', name)) FROM (SELECT * FROM sensorswave.things_$dialect FINAL ORDER BY id)"),
		q{['1 eins','2 zwei','3 three']}, "$dialect: their newest state");
	is(run_sync($node, "notes_$dialect"), 'success 1', "$dialect: a row more");
	is($sandbox->query("SELECT groupArray(note) FROM (SELECT note FROM sensorswave.notes_$dialect ORDER BY note)"),
		q{['one','three','two']}, "$dialect: each once");
}

wait_clean($node, $sandbox, 'at the end');
my $failed = sql("SELECT count(*) FROM sw_runs WHERE status NOT IN ('success', 'failed')");
is($failed, 0, 'no run is left open');
foreach my $pipeline (@events)
{
	sql("SELECT sw_stop('$pipeline')");
	is(status_of($pipeline, 'status'), 'stopped', "$pipeline: stopped");
	cmp_ok(sql("SELECT count(*) FROM sw_runs WHERE pipeline = '$pipeline'"), '>', 10, "$pipeline: its history is kept");
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
