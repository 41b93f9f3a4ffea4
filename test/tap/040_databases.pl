# Servers, databases and the extension in them: made, copied, dumped, dropped,
# with and without work going on.
use strict;
use warnings FATAL => 'all';

use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time);

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('databases');
my $node = make_node('databases', $sandbox);

sub sql_in
{
	my ($database, $sql) = @_;
	return $node->safe_psql($database, $sql);
}

# A database with the extension, the sample events and a pipeline of the
# same name as the database.
sub make_database
{
	my ($name) = @_;

	sql_in('postgres', "CREATE DATABASE $name");
	sql_in($name, 'CREATE EXTENSION sensorswave_export');
	load_events($node, $name);
	create_destination($node, $sandbox, dbname => $name);
	create_pipeline($node, $name, dbname => $name);
	return;
}

sub count_processes
{
	my ($condition) = @_;
	return sql_in('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'sensorswave_export%'"
		  . " AND $condition");
}

sub wait_idle
{
	my ($database) = @_;
	return wait_until("nothing runs in $database",
		sub { count_processes("datname = '$database'") eq '0' });
}

# Wait until a worker of the database waits for the store.
sub wait_worker
{
	my ($database) = @_;
	return wait_until("a worker in $database waits for the store",
		sub {
			count_processes("datname = '$database' AND backend_type LIKE '%worker'"
				  . " AND wait_event_type = 'Extension' AND state = 'idle'") ne '0';
		});
}

# ---- without shared_preload_libraries ----

my $plain = PostgreSQL::Test::Cluster->new('plain');
$plain->init;
$plain->start;
my ($code, $out, $err) = sql_as($plain, 'CREATE EXTENSION sensorswave_export');
is($code, 0, 'without preloading the extension can be created');
like(
	$err,
	qr/WARNING: .*not loaded at server start.*HINT: .*shared_preload_libraries/s,
	'with a warning that says what to do');
like($plain->safe_psql('postgres', 'SELECT sw_version()'),
	qr/^\d+\.\d+/, 'it tells its version');
is($plain->safe_psql('postgres', 'SELECT count(*) FROM sw_destinations'),
	0, 'and shows what there is');
($code, $out, $err) = sql_as($plain,
	"INSERT INTO sw_destinations (name, kind, host, database) VALUES ('x', 'bytehouse', 'h', 'd')");
like(
	$err,
	qr/ERROR: .*not loaded at server start.*HINT: .*shared_preload_libraries.*restart/s,
	'but a destination is refused, saying why');
($code, $out, $err) = sql_as($plain,
	"INSERT INTO sw_pipelines (name, destination, data_source, source) VALUES ('x', 'x', 'events', 'pg_class')");
like($err, qr/ERROR: .*not loaded at server start/, 'and so is a pipeline');
$plain->stop;

# ---- two databases at once, both made after the server's start ----

make_database($_) foreach qw(one two);
foreach (qw(one two))
{
	wait_running($node, $_, $_);
	is(sql_in($_, 'SELECT status FROM sw_status'),
		'running', "the database $_, made after the start, is served");
}
my %id;
$sandbox->pause('store');
$id{$_} = backfill($node, $_, $day, $day, dbname => $_) foreach qw(one two);
wait_worker($_) foreach qw(one two);
is(count_processes("backend_type LIKE '%worker'"), 2, 'two databases work at a time');
is(count_processes("backend_type LIKE '%scheduler'"), 2, 'each has a scheduler');
$sandbox->resume('store');
foreach (qw(one two))
{
	is(wait_backfill($node, $id{$_}, dbname => $_), 'success', "the backfill in $_ succeeds");
	is(count_target($sandbox, $_), 800, "with all rows of $_");
}

# ---- idle databases can be copied and dropped ----

ok(wait_idle($_), "the scheduler leaves database $_ without work")
  foreach qw(one two);
is(count_processes('true'), 1, 'the launcher stays');
sql_in('postgres', 'CREATE DATABASE copied TEMPLATE one');
is(sql_in('copied', 'SELECT name, status FROM sw_pipelines'),
	'one|running', 'a copy of a database has its pipelines');
sql_in('postgres', 'ALTER DATABASE copied RENAME TO renamed');
sql_in('postgres', 'DROP DATABASE renamed');
sql_in('postgres', 'DROP DATABASE two');
is(run_backfill($node, 'one', $day, $day, dbname => 'one'),
	'success', 'the other databases go on');

# ---- a busy one only by force ----

make_database('forced');
wait_running($node, 'forced', 'forced');
$sandbox->pause('store');
backfill($node, 'forced', $day, $day, dbname => 'forced');
wait_worker('forced');
($code, $out, $err) = sql_as($node, 'DROP DATABASE forced');
like($err, qr/is being accessed by other users/, 'a database with a running backfill is not dropped');
my $begin = time();
($code, $out, $err) = sql_as($node, 'DROP DATABASE forced WITH (FORCE)');
is($code, 0, 'unless by force') or diag($err);
cmp_ok(time() - $begin, '<', 10, 'which does not take long');
$sandbox->resume('store');
is(run_backfill($node, 'one', $day, $day, dbname => 'one'),
	'success', 'nothing else was harmed');

# ---- dump and restore ----

# A pipeline whose table was never made must not be made by a restore.
create_destination($node, $sandbox, dbname => 'one', name => 'elsewhere',
	database => 'nowhere', password => $sandbox->env('BYTEHOUSE_API_KEY'));
create_pipeline($node, 'pending', dbname => 'one', destination => 'elsewhere', unchecked => 1);
ok( $node->poll_query_until('one',
		"SELECT consecutive_failures > 0 FROM sw_status WHERE pipeline = 'pending'"),
	'there is a pipeline without a table');
my $dump = $node->basedir . '/one.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-Z0', '-f', $dump, $node->connstr('one') ], 'pg_dump');
my $text = slurp_file($dump);
like($text, qr/elsewhere/, 'the dump has the configuration');
foreach my $name (qw(BYTEHOUSE_PASSWORD BYTEHOUSE_API_KEY STORE_SECRET_KEY))
{
	my $secret = $sandbox->env($name);
	my @found = grep { index($text, $_) >= 0 } (
		$secret, encode_base64($secret, ''), unpack('H*', $secret),
		$secret =~ s/\\/\\\\/gr);
	is(scalar @found, 0, "the dump does not have $name");
}
sql_in('one', "SELECT sw_stop('pending')");
wait_idle('one');
my $n_statements = $sandbox->count_log('front');
my $n_requests = $sandbox->count_log('store');
sql_in('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('restored'), '--exit-on-error', $dump ],
	'pg_restore');
my $columns = 'name, kind, host, port, database, password, api_key, stage_secret_key, stage_bucket';
is( sql_in('restored', "SELECT $columns FROM sw_destinations ORDER BY name"),
	sql_in('one', "SELECT $columns FROM sw_destinations ORDER BY name"),
	'the destinations are there');
is(sql_in('restored', 'SELECT count(*) FROM sw_destinations'), 2, 'both');
$columns = 'name, destination, source, target_table, mode, columns, system_timezone, settings_version';
is( sql_in('restored', "SELECT $columns FROM sw_pipelines ORDER BY name"),
	sql_in('one', "SELECT $columns FROM sw_pipelines ORDER BY name"),
	'and the pipelines');
is(sql_in('restored', 'SELECT count(*) FROM sw_pipelines'), 2, 'both');
is(sql_in('restored', 'SELECT count(*) FROM sw_runs'), 0, 'but no history');

# What this database was to do would be done before what another is asked for
# later.
make_database('later');
wait_running($node, 'later', 'later');
is(run_backfill($node, 'later', $day, $day, dbname => 'later'),
	'success', 'another database is served meanwhile');
wait_idle('restored');
is_deeply(
	[   grep { !/\blater\b/ } map { $_->{query} // '' }
		grep { ($_->{query} // '') =~ /CREATE|INSERT|ALTER/ }
		$sandbox->log_lines('front', $n_statements)
	],
	[],
	'the restore did nothing at the warehouse');
is( sql_in('restored', 'SELECT string_agg(DISTINCT status, \' \') FROM sw_pipelines'),
	'paused', 'restored pipelines wait');
like((sql_as($node, "SELECT sw_backfill('one', '$day', '$day')", 'restored'))[2],
	qr/pipeline "one" is not worked on here.*DETAIL: .*restored from a dump.*HINT: .*sw_adopt/s,
	'a restored pipeline does not write to a table of another database, saying why and what to do');
sql_in('one', "SELECT sw_stop('one')");
wait_idle('one');
is(sql_in('restored', "SELECT sw_adopt('one')"), 1, 'it is taken over');
is(run_backfill($node, 'one', $day, $day, dbname => 'restored'),
	'success', 'after the other has stopped it works, with the same secrets');
create_destination($node, $sandbox, dbname => 'restored', name => 'another');
is( sql_in('restored', 'SELECT count(DISTINCT destination_id) FROM _sensorswave.destination'),
	3, 'new destinations get ids of their own');

# ---- DROP EXTENSION ----

wait_idle('later');
sql_in('later', 'DROP EXTENSION sensorswave_export');
is(sql_in('later', "SELECT count(*) FROM pg_namespace WHERE nspname = '_sensorswave'"),
	0, 'DROP EXTENSION removes everything');
sql_in('later', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, dbname => 'later');
create_pipeline($node, 'later', dbname => 'later');
is(run_backfill($node, 'later', $day, $day, dbname => 'later'),
	'success', 'and it can be made anew');

$sandbox->pause('store');
backfill($node, 'later', $day, $day, dbname => 'later');
wait_worker('later');
$begin = time();
($code, $out, $err) = sql_as($node, "SET lock_timeout = '10s'; DROP EXTENSION sensorswave_export", 'later');
is($code, 0, 'DROP EXTENSION during a backfill succeeds') or diag($err);
cmp_ok(time() - $begin, '<', 10, 'and does not hang');
$sandbox->resume('store');
ok(wait_idle('later'), 'the worker ends');
sql_in('later', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, dbname => 'later');
create_pipeline($node, 'later', dbname => 'later');
is(run_backfill($node, 'later', $day, $day, dbname => 'later'),
	'success', 'after that the extension can be made anew, too');
is(count_target($sandbox, 'later'), 800, 'and exports all rows');
$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP:|PANIC: /, 'no process has crashed');

# ---- too few processes ----

# Three: launcher, one scheduler, one worker. Four: the second scheduler
# too, but no second worker.
my $small = make_node('small', $sandbox,
	'max_logical_replication_workers = 0', 'max_worker_processes = 3');
$node = $small;
make_database($_) foreach qw(small_a small_b);
foreach my $n (3, 4)
{
	$small->append_conf('postgresql.conf', "max_worker_processes = $n");
	$small->restart;
	wait_running($small, $_, $_) foreach qw(small_a small_b);
	wait_idle($_) foreach qw(small_a small_b);
	my $from = -s $small->logfile;

	$sandbox->pause('store');
	$id{small_a} = backfill($small, 'small_a', $day, $day, dbname => 'small_a');
	wait_worker('small_a');
	$id{small_b} = backfill($small, 'small_b', $day, $day, dbname => 'small_b');
	$small->wait_for_log(qr/found no free background worker slot/, $from);
	like(slurp_file($small->logfile, $from),
		qr/HINT:  Raise max_worker_processes/,
		"with $n processes work has to wait, and the log says why");
	is( sql_in('small_b', "SELECT status FROM sw_backfills WHERE backfill_id = $id{small_b}"),
		'queued', "with $n processes the second backfill stays in its queue");
	$sandbox->resume('store');
	is(wait_backfill($small, $id{$_}, dbname => $_), 'success', "with $n processes $_ is done")
	  foreach qw(small_a small_b);
}

# One worker for two pipelines of a database.
$small->append_conf('postgresql.conf', "max_worker_processes = 8\nsensorswave_export.max_workers = 1");
$small->restart;
create_pipeline($small, 'second', dbname => 'small_a');
wait_running($small, 'second', 'small_a');
$sandbox->pause('store');
$id{small_a} = backfill($small, 'small_a', $day, $day, dbname => 'small_a');
$id{second} = backfill($small, 'second', $day, $day, dbname => 'small_a');
wait_worker('small_a');
is( sql_in('small_a', "SELECT count(*) FROM sw_backfills WHERE status = 'running'"),
	1, 'with max_workers = 1 one pipeline works at a time');
$sandbox->resume('store');
is(wait_backfill($small, $id{$_}, dbname => 'small_a'), 'success', "$_ is done")
  foreach qw(small_a second);
$small->stop;

done_testing();
