# The server goes, another one comes in its place: a standby, on which nothing
# runs until it is promoted; a recovery to a point in time; pg_upgrade.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(usleep);

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('failover');
my $node = make_node('first', $sandbox,
	'wal_level = replica', 'max_wal_senders = 8', 'hot_standby = on');

sub status_of
{
	my ($server) = @_;
	return $server->safe_psql('postgres',
		"SELECT status FROM sw_pipelines WHERE name = 'p'");
}

sub is_held
{
	my ($server, $words, $what) = @_;
	wait_until("$what: it is paused", sub { status_of($server) eq 'paused' });
	like($server->safe_psql('postgres', "SELECT reason FROM sw_status WHERE pipeline = 'p'"),
		$words, "$what: the reason");
	return;
}

# Log lines of the store and the front while the code runs.
sub peers_hear
{
	my ($code) = @_;
	my %from = map { $_ => $sandbox->count_log($_) } qw(store front);
	$code->();
	return map { $sandbox->log_lines($_, $from{$_}) } qw(store front);
}

# A server made of a backup of another, with its key.
sub make_copy
{
	my ($name, $origin, $backup, %options) = @_;
	my $copy = PostgreSQL::Test::Cluster->new($name);

	$copy->init_from_backup($origin, $backup, %options);
	chmod 0600, $copy->data_dir . '/sensorswave_export.key' or die "no key: $!";
	return $copy;
}

sub load_day
{
	my ($server, $what) = @_;
	is(run_backfill($server, 'p', $day, $day), 'success', $what);
	is(count_target($sandbox, 'p'), 800, "$what: the day is there");
	return;
}

# ---- rows that come by and by, appended by sync ----

sub make_live
{
	my ($server) = @_;
	$server->safe_psql('postgres',
		'CREATE TABLE live (id bigint GENERATED ALWAYS AS IDENTITY, received_at timestamptz DEFAULT clock_timestamp());'
		  . ' CREATE INDEX ON live (received_at)');
	create_pipeline($server, 'live', data_source => 'table', source => 'live', mode => 'append',
		columns => '{}', cursor_column => 'received_at', schedule => 'manual', @_[ 1 .. $#_ ]);
	$server->poll_query_until('postgres',
		"SELECT status = 'running' FROM sw_pipelines WHERE name = 'live'")
	  or die 'pipeline live does not run';
	return;
}

sub add_rows
{
	my ($server) = @_;
	$server->safe_psql('postgres', 'INSERT INTO live SELECT FROM generate_series(1, 100)');
	return;
}

sub sync_live
{
	my ($server, $what) = @_;
	is((sql_as($server, "CALL sw_run_sync('live')"))[2], '', $what);
	return;
}

sub has_each_row_once
{
	my ($server, $what) = @_;
	my $expected = $server->safe_psql('postgres', q{SELECT concat_ws(E'\t', count(*), count(*), sum(id)) FROM live});
	is($sandbox->query('SELECT count(), uniqExact(id), sum(id) FROM sensorswave.live'),
		$expected, "$what: each row is there once");
	return;
}

sub lease_on_record
{
	my ($server) = @_;
	return $server->safe_psql('postgres',
		'SELECT lease_number, lease_token FROM _sensorswave.sync_state'
		  . " JOIN _sensorswave.pipeline USING (pipeline_id) WHERE name = 'p'");
}

sub processes
{
	my ($server) = @_;
	return $server->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'sensorswave_export%'");
}

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);
load_events($node);
create_pipeline($node, 'p');
wait_running($node, 'p');
load_day($node, 'the first server loads');
make_live($node);
add_rows($node);
sync_live($node, 'it syncs');
has_each_row_once($node, 'the first server');

# ---- a standby ----

$node->backup('base');
my $second = make_copy('second', $node, 'base', has_streaming => 1);
my $third = make_copy('third', $node, 'base', has_streaming => 1);
$second->start;
$third->start;

# What it has told the peers, its heir knows.
change_settings($node, synchronous_standby_names => 'second');
my $id = backfill($node, 'p', $day, $day);
is(wait_backfill($node, $id), 'success', 'the first server goes on');
$node->wait_for_catchup($_) foreach $second, $third;
foreach my $standby ($second, $third)
{
	is(processes($standby), 0, 'on a standby nothing runs');
	is(lease_on_record($standby), lease_on_record($node), 'it knows what the first one does');
}
my ($code, $out, $err) = sql_as($second, 'SELECT sw_adopt()');
like($err, qr/cannot do this during recovery.*HINT: .*promote/s, 'a standby adopts nothing');

# ---- its promotion, when it is told to do nothing by itself ----

add_rows($node);
$node->safe_psql('postgres', "SELECT sw_sync('live')");
$id = backfill($node, 'p', $day, $day);
$node->wait_for_catchup($third);
$node->stop('immediate');
# What it was saying is cut off.
usleep(2_000_000);
my @heard = peers_hear(sub {
	$second->promote;
	is_held($second,
		qr/made on timeline 1 in \S+ on host \S+; this server has been promoted to timeline 2, in \S+ on host \S+; sw_adopt takes it over/,
		'a promoted standby');
	usleep(1_000_000);
});
is_deeply(\@heard, [], 'it speaks to nobody');
is((sql_as($second, 'SELECT sw_adopt()'))[1], 2, 'it takes over when told to');
is(wait_backfill($second, $id), 'success', 'what the first one had begun is finished');
load_day($second, 'it loads');
add_rows($second);
sync_live($second, 'it syncs');
has_each_row_once($second, 'a promoted standby');
my $before = lease_on_record($second);

# ---- the promotion of one that goes on by itself ----

$second->backup('again');
my $fourth = make_copy('fourth', $second, 'again', has_streaming => 1);
$fourth->append_conf('postgresql.conf', "sensorswave_export.failover = adopt");
$fourth->start;
change_settings($second, synchronous_standby_names => 'fourth');
add_rows($second);
$second->safe_psql('postgres', "SELECT sw_sync('live')");
$id = backfill($second, 'p', $day, $day);
usleep(rand(1_000_000));
$second->stop('immediate');
$fourth->promote;
is(wait_backfill($fourth, $id), 'success', 'with failover = adopt it goes on by itself');
load_day($fourth, 'it loads');
add_rows($fourth);
sync_live($fourth, 'it syncs');
has_each_row_once($fourth, 'an heir that goes on by itself');
like(slurp_file($fourth->logfile),
	qr/pipeline "p" is adopted after a promotion to timeline 3/, 'the log says so');
isnt((split /\|/, lease_on_record($fourth))[1], (split /\|/, $before)[1], 'its lease has another token');

# The one that was thought to be dead.
$second->append_conf('postgresql.conf', "synchronous_standby_names = ''");
$second->start;
my $error = wait_backfill($second, $id) eq 'failed' ? backfill_error($second, $id) :
  run_backfill_of($second, 'p', $day);
like($error, qr/another instance works on this pipeline/,
	'the one before finds out with what it was at, or with the next load');
$second->stop;

# A standby of the first one is promoted, too: somebody else has taken over.
$third->append_conf('postgresql.conf', "sensorswave_export.failover = adopt");
$third->reload;
$third->promote;
is_held($third, qr/^another instance works on this pipeline/, 'a second heir');
$third->stop;
load_day($fourth, 'the first heir goes on');

# ---- recovery to a point in time, in the same place ----

my $archived = make_node('archived', $sandbox, 'wal_level = replica', 'max_wal_senders = 4',
	'sensorswave_export.failover = adopt');
my $archive = $archived->archive_dir;
$archived->enable_archiving;
$archived->restart;
$archived->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($archived, $sandbox);
load_events($archived);
create_pipeline($archived, 'p', target_table => 'archived');
wait_running($archived, 'p');
make_live($archived, target_table => 'archived_live');
is(run_backfill($archived, 'p', $day, $day), 'success', 'an archived server loads');
add_rows($archived);
sync_live($archived, 'it syncs');
$archived->backup('archived');
add_rows($archived);
my $then = $archived->safe_psql('postgres', 'SELECT pg_create_restore_point(\'then\')');
is(run_backfill($archived, 'p', $day, $day), 'success', 'and loads once more');
sync_live($archived, 'and syncs');
$archived->safe_psql('postgres', 'SELECT pg_switch_wal()');
$archived->stop;
my $place = $archived->data_dir;
rename($place, "$place.lost") or die "could not rename: $!";
system_or_bail('cp', '-a', $archived->backup_dir . '/archived', $place);
chmod 0700, $place or die "could not chmod: $!";
$archived->append_conf('postgresql.conf', <<"CONF");
restore_command = 'cp "$archive/%f" "%p"'
recovery_target_name = 'then'
recovery_target_action = promote
CONF
$archived->append_conf('recovery.signal', '');
$archived->start;
$archived->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'still in recovery';
is_held($archived, qr/made on timeline 1, this server is on timeline 2; sw_adopt/,
	'a recovered server, whatever failover says');
is((sql_as($archived, 'SELECT sw_adopt()'))[1], 2, 'it is adopted');
is(run_backfill($archived, 'p', $day, $day), 'success', 'and loads');
like(slurp_file($archived->logfile),
	qr/taken over from an instance that has loaded more than this one knows of/,
	'the log says that there were loads that it does not know of');
is(count_target($sandbox, 'archived'), 800, 'the day is there');
sync_live($archived, 'it syncs');
is($sandbox->query('SELECT count(), uniqExact(id) FROM sensorswave.archived_live'),
	"300\t200", 'what had been synced after that point comes again, and nothing is lost');
$sandbox->query('TRUNCATE TABLE sensorswave.archived_live');

# ---- pg_upgrade ----

add_rows($archived);

my $bin = $archived->config_data('--bindir');
my $new = make_node('upgraded', $sandbox, 'wal_level = replica', 'max_wal_senders = 4');
$new->stop;
$archived->stop;
my $left = $sandbox->count_log('store');
chdir $PostgreSQL::Test::Utils::tmp_check or die "could not change folder: $!";
command_ok(
	[ 'pg_upgrade', '--no-sync', '--link', '-b', $bin, '-B', $bin,
		'-d', $archived->data_dir, '-D', $new->data_dir,
		'-p', $archived->port, '-P', $new->port,
		'-s', $new->host, '-U', (getpwuid($<))[0] ],
	'pg_upgrade');
is($sandbox->count_log('store'), $left, 'during which nobody works');
system_or_bail('cp', '-p', $archived->data_dir . '/sensorswave_export.key', $new->data_dir . '/');
@heard = peers_hear(sub {
	$new->start;
	is_held($new, qr/made on the server with system identifier \d+, this one has \d+; sw_adopt/,
		'an upgraded server');
});
is_deeply(\@heard, [], 'it speaks to nobody');
is((sql_as($new, 'SELECT sw_adopt()'))[1], 2, 'it is adopted');
add_rows($new);
sync_live($new, 'it syncs');
is( $sandbox->query('SELECT count(), uniqExact(id) FROM sensorswave.archived_live'),
	"200\t200", 'what came before and after the upgrade, once');
is(run_backfill($new, 'p', $day, $day), 'success', 'and loads');
is(count_target($sandbox, 'archived'), 800, 'the day is there');
unlike(slurp_file($new->logfile), qr/loaded more than this one knows of/, 'nothing is missing in its ledger');
my $system = $new->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
like($sandbox->query("SELECT comment FROM system.tables WHERE name = 'archived'"),
	qr{\b$system/\d+/\d+ p\b}, 'the target bears its mark');

done_testing();
