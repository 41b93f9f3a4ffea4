# Copies of a database: a clone of the data directory, a database made with
# another as template, a restored dump.  They touch nothing of the original's
# until sw_adopt, and then the original stops by itself; the lease in the
# store that tells them; what strangers may write there; how it ends.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(usleep);

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('clone');
my $node = make_node('clone', $sandbox, 'wal_level = replica', 'max_wal_senders = 4');

# The original's key, without which a copy cannot open the secrets.
sub give_key
{
	my ($copy) = @_;
	my $key = 'sensorswave_export.key';

	system_or_bail('cp', $node->data_dir . "/$key", $copy->data_dir . "/$key");
	chmod 0600, $copy->data_dir . "/$key" or die "no key: $!";
	return;
}

# A server made of a backup, not started.
sub make_copy
{
	my ($name, $backup) = @_;
	my $copy = PostgreSQL::Test::Cluster->new($name);

	$copy->init_from_backup($node, $backup);
	give_key($copy);
	return $copy;
}

# ---- what is looked at ----

sub status_of
{
	my ($server, $pipeline, $database) = @_;
	return $server->safe_psql($database // 'postgres',
		"SELECT status FROM sw_pipelines WHERE name = '$pipeline'");
}

sub reason_of
{
	my ($server, $pipeline, $database) = @_;
	return $server->safe_psql($database // 'postgres',
		"SELECT reason FROM sw_status WHERE pipeline = '$pipeline'");
}

# Paused, as soon as somebody has looked, with these words.
sub is_held
{
	my ($server, $pipeline, $words, $what, $database) = @_;
	wait_until("$what: it is paused",
		sub { status_of($server, $pipeline, $database) eq 'paused' });
	like(reason_of($server, $pipeline, $database), $words, "$what: the reason");
	return;
}

sub lease_on_record
{
	my ($server, $pipeline, $database) = @_;
	return $server->safe_psql($database // 'postgres', <<"SQL");
SELECT lease_number, lease_token FROM _sensorswave.sync_state
JOIN _sensorswave.pipeline USING (pipeline_id) WHERE name = '$pipeline'
SQL
}

my %store = (
	kind => 's3',
	endpoint => 'http://127.0.0.1:' . $sandbox->env('STORE_PORT'),
	region => $sandbox->env('STORE_REGION'),
	bucket => $sandbox->env('STORE_BUCKET'),
	access_key => $sandbox->env('STORE_ACCESS_KEY'),
	secret_key => $sandbox->env('STORE_SECRET_KEY'));

# Whose session asks the store.
my $asker = $node;

sub call_store
{
	my ($call, @arguments) = @_;
	return $asker->safe_psql('modules', 'SELECT sw_test_store(' . quote_options(%store)
		  . ", '$call', VARIADIC " . quote_array(@arguments) . ')');
}

# What the lease's object says: number and token.
sub lease_in_store
{
	my ($key) = @_;
	my ($number, $token) =
	  call_store('get', $key, 0, 1024) =~ /sensorswave_export lease (\d+) ([0-9a-f]{32}) \d+\/\d+$/m;
	return "$number|$token";
}

sub lease_of
{
	my ($pipeline) = @_;
	my $id = $node->safe_psql('postgres',
		"SELECT pipeline_id FROM _sensorswave.pipeline WHERE name = '$pipeline'");
	my ($key) = grep { m{/_lease/$id-[0-9a-f]{16}$} } $sandbox->leases;
	return $key;
}

# Everything that a server says to the store and the warehouse meanwhile.
sub peers_hear
{
	my ($code) = @_;
	my %from = map { $_ => $sandbox->count_log($_) } qw(store front);
	$code->();
	return grep { !defined $_->{path} || $_->{path} !~ m{/_admin} }
	  map { $sandbox->log_lines($_, $from{$_}) } qw(store front);
}

sub comment_of
{
	my ($table) = @_;
	return $sandbox->query(
		"SELECT comment FROM system.tables WHERE database = 'sensorswave' AND name = '$table'");
}

sub mark_of
{
	my ($server, $pipeline, $database) = @_;
	return $server->safe_psql($database // 'postgres', <<"SQL");
SELECT (pg_control_system()).system_identifier || '/' || d.oid || '/' || p.pipeline_id || ' ' || p.name
FROM _sensorswave.pipeline p, pg_database d
WHERE p.name = '$pipeline' AND d.datname = current_database()
SQL
}

# A backfill of the day that succeeds.
sub load_day
{
	my ($server, $pipeline, $what, $database) = @_;
	is(run_backfill($server, $pipeline, $day, $day, dbname => $database),
		'success', $what);
	is(count_target($sandbox, $pipeline), 800, "$what: the day is there");
	return;
}

# ---- the lease of a pipeline that is left in peace ----

$node->safe_psql('postgres', 'CREATE DATABASE modules');
$node->safe_psql('modules', 'CREATE EXTENSION sensorswave_export');
create_module($node, 'modules');
$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);
load_events($node);
create_pipeline($node, 'original');
wait_running($node, 'original');
is(join(' ', $sandbox->leases), '', 'without a load there is no lease');
load_day($node, 'original', 'a first load');
my $lease = lease_of('original');
like($lease, qr{^sensorswave/_lease/\d+-[0-9a-f]{16}$}, 'a load leaves a lease');
like(lease_in_store($lease), qr/^1\|/, 'it has number 1');
load_day($node, 'original', 'a second load');
like(lease_in_store($lease), qr/^2\|/, 'which each load raises');
is(lease_on_record($node, 'original'), lease_in_store($lease), 'as the ledger says');
is( $node->safe_psql('postgres', 'SELECT mark FROM _sensorswave.target_mark'),
	mark_of($node, 'original'), 'the mark on the target is on record');

# The store says no after the ledger is raised: the store is behind.
my $fault = $sandbox->fault(op => 'PUT', match => '_lease/', fault => 'error',
	status => 403, code => 'AccessDenied', times => undef);
isnt(run_backfill_of($node, 'original', $day), 'ok', 'a lease that cannot be written fails a run');
$sandbox->clear_fault($fault);
like(lease_on_record($node, 'original'), qr/^3\|/, 'the ledger has been raised');
like(lease_in_store($lease), qr/^2\|/, 'the store has not');
load_day($node, 'original', 'a store that is behind by what a crash can leave');
like(lease_in_store($lease), qr/^4\|/, 'is brought up');

# A store that fails now and then is asked again, as in an upload.
$fault = $sandbox->fault(op => $_, match => '_lease/', fault => 'error', times => 1)
  foreach qw(GET PUT);
load_day($node, 'original', 'a store that fails once');
$sandbox->clear_faults;
like(lease_in_store($lease), qr/^5\|/, 'does not disturb');

# ---- a clone: pg_basebackup, started elsewhere ----

# What the original has left to delete is no business of a copy; neither is
# what a stopped one has.
create_pipeline($node, 'over');
wait_running($node, 'over');
load_day($node, 'over', 'a pipeline that is stopped soon');
my $over = lease_of('over');
$sandbox->fault(op => $_, fault => 'error', status => 403, code => 'AccessDenied', times => undef)
  foreach qw(DELETE DELETE_MANY);
load_day($node, 'original', 'a store that does not delete');
my ($left) = $sandbox->objects;
like($left, qr/part-00000/, 'an object is left');
$node->safe_psql('postgres', "SELECT sw_stop('over')");
$node->backup('whole');
$node->stop;
$sandbox->clear_faults;

my $clone = make_copy('clone_of_it', 'whole');
my @heard = peers_hear(sub {
	$clone->start;
	is_held($clone, 'original',
		qr/^the pipeline belongs to another instance: made in \S+ on host \S+, this server is in \S+ on host \S+; sw_adopt takes it over$/,
		'a clone');
	foreach my $call ("sw_backfill('original', '$day', '$day')", "sw_sync('original')",
		"sw_pause('original')", "sw_resume('original')")
	{
		like((sql_as($clone, "SELECT $call"))[2],
			qr/pipeline "original" (is not worked on here.*HINT: .*sw_adopt|is paused already)/s, "$call: refused");
	}
	usleep(1_500_000);
});
is_deeply(\@heard, [], 'it speaks to nobody');
$clone->restart;
is_held($clone, 'original', qr/belongs to another instance/, 'a clone after a restart');

$asker = $clone;
is(join(' ', $sandbox->objects), $left, 'what the original has to delete is there');
my $before = lease_in_store($lease);
$clone->safe_psql('postgres', 'CREATE ROLE somebody; GRANT EXECUTE ON FUNCTION sw_adopt(text) TO somebody');
like((sql_as($clone, "SET ROLE somebody; SELECT sw_adopt('original')"))[2],
	qr/must be owner of pipeline "original"/, 'sw_adopt is for its owner');
is((sql_as($clone, 'SET ROLE somebody; SELECT sw_adopt()'))[1], 0, 'who has none adopts none');
my ($code, $out, $err) = sql_as($clone, "SELECT sw_adopt('original')");
is("$code $out", '0 1', 'sw_adopt takes it over');
like($err,
	qr/NOTICE: .*pipeline "original" is taken over by this instance.*DETAIL: .*belongs to another instance.*HINT: .*Stop the other instance/s,
	'and says so');
is(status_of($clone, 'original'), 'running', 'it runs');
load_day($clone, 'original', 'it loads');
is(reason_of($clone, 'original'), '', 'without a reason not to');
wait_until('what the original has left is deleted now', sub { !$sandbox->objects });
is(lease_on_record($clone, 'original'), lease_in_store($lease), 'the lease is the one on record');
isnt((split /\|/, lease_in_store($lease))[1], (split /\|/, $before)[1], 'with another token');
ok((grep { $_ eq $over } $sandbox->leases), 'the lease of the stopped one is there');
is((sql_as($clone, 'SELECT sw_adopt()'))[1], 1, 'it is taken over, too');
wait_until('and wound up', sub { !grep { $_ eq $over } $sandbox->leases });
($code, $out, $err) = sql_as($clone, 'SELECT sw_adopt()');
is("$code $out", '0 0', 'there is nothing left to adopt');
($code, $out, $err) = sql_as($clone, "SELECT sw_adopt('original')");
like("$code $out $err", qr/^0 0 .*NOTICE: .*nothing to take over/s, 'also by name');

# The original comes back, and finds out before it loads.
$node->start;
@heard = peers_hear(sub {
	like(run_backfill_of($node, 'original', $day),
		qr/pipeline "original" is paused: another instance works on this pipeline: object \Q$lease\E was written by \d+\/\d+ .*sw_adopt/s,
		'the original finds another token');
});
is_deeply([ grep { ($_->{query} // '') =~ /INSERT/ } @heard ], [], 'and loads nothing');
is_held($node, 'original', qr/^another instance works on this pipeline/, 'the original');
load_day($clone, 'original', 'the clone goes on');

# And back again.
is((sql_as($node, 'SELECT sw_adopt()'))[1], 1, 'the original takes it back');
load_day($node, 'original', 'the original goes on');
like(run_backfill_of($clone, 'original', $day), qr/another instance works on this pipeline/,
	'now the clone finds out');
$asker = $node;
$clone->stop;

# ---- two that cannot be told apart by where they are ----

$node->backup('twin');
my $twin = make_copy('twin', 'twin');
$twin->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$twin->start;
$twin->safe_psql('postgres',
	"UPDATE _sensorswave.sync_state SET data_directory = '${\ $twin->data_dir }'");
$twin->append_conf('postgresql.conf', "shared_preload_libraries = 'sensorswave_export'");
$twin->restart;
load_day($twin, 'original', 'a twin that takes itself for the original');
like(run_backfill_of($node, 'original', $day), qr/another instance works on this pipeline/,
	'a lease that is ahead of the ledger stops the other');
is_held($node, 'original', qr/^another instance works/, 'the other');
$twin->stop;
is((sql_as($node, 'SELECT sw_adopt()'))[1], 1, 'the original is to go on');
load_day($node, 'original', 'it goes on');

# ---- strangers' bytes in the place of a lease ----

my $words = 'sensorswave_export lease';
my $token = 'a' x 32;
my %strange = (
	'an empty object' => '',
	'a web page' => '<html>' . 'x' x 500,
	'a lease too long' => "$words 1 $token 1/" . '1' x 2000 . "\n",
	'a number too large' => "$words 99999999999999999999 $token 1/1\n",
	'escapes of a terminal' => "$words 1 $token \e[2J\n");
foreach my $name (sort keys %strange)
{
	is(call_store('put', $lease, $strange{$name}), 'ok', "$name is written");
	like( run_backfill_of($node, 'original', $day),
		qr/object \Q$lease\E, which should say who works on this pipeline, cannot be understood/,
		"$name: refused");
	is((sql_as($node, 'SELECT sw_adopt()'))[1], 1, "$name: somebody has looked into it");
	load_day($node, 'original', "$name: overwritten");
}
call_store('delete', $lease);
load_day($node, 'original', 'a lease that a rule of the bucket has deleted');
is(lease_in_store($lease), lease_on_record($node, 'original'), 'is written again');

# ---- a database with the original as its template ----

wait_until('nobody is in the database', sub {
	$node->safe_psql('modules',
		"SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres'") eq '0';
});
$node->safe_psql('modules', 'CREATE DATABASE copied TEMPLATE postgres');
my $mark = mark_of($node, 'original');
like(comment_of('original'), qr/\Q$mark\E/, 'the target bears the mark of the original');
$node->safe_psql('copied', 'SELECT _sensorswave.wake()');
is_held($node, 'original', qr/made in the database with OID \d+, this one has \d+/,
	'a copied database', 'copied');
is(status_of($node, 'original'), 'running', 'the original runs on');
load_day($node, 'original', 'it loads');
is((sql_as($node, 'SELECT sw_adopt()', 'copied'))[1], 2, 'the copy is adopted, with the pipeline that was stopped');
load_day($node, 'original', 'the copied database loads', 'copied');
$mark = mark_of($node, 'original', 'copied');
like(comment_of('original'), qr/\Q$mark\E/, 'it has replaced the mark');
like(run_backfill_of($node, 'original', $day), qr/target table "original" belongs to another pipeline/,
	'the original finds out');
$node->safe_psql('copied', "SELECT sw_stop('original')");
wait_until('the copy is wound up', sub {
	(sql_as($node, "DELETE FROM sw_pipelines WHERE name = 'original'", 'copied'))[0] == 0;
});
$node->safe_psql('modules', 'DROP DATABASE copied WITH (FORCE)');
load_day($node, 'original', 'the original has its table back');

# ---- a dump, restored elsewhere ----

my $elsewhere = make_node('elsewhere', $sandbox);
my $dump = "$PostgreSQL::Test::Utils::tmp_check/dump.sql";
my $marked = comment_of('original');
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'a dump');
@heard = peers_hear(sub {
	$elsewhere->command_ok(
		[ 'psql', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $elsewhere->connstr('postgres') ],
		'is restored');
	is_held($elsewhere, 'original', qr/^restored from a dump.*sw_adopt/,
		'a restored dump');
});
is_deeply(\@heard, [], 'it speaks to nobody');
is(comment_of('original'), $marked, 'the target is the original\'s still');
is($elsewhere->safe_psql('postgres', 'SELECT count(*) FROM _sensorswave.sync_state'), 0, 'without state');

# Its secrets are sealed with another server's key.
($code, $out, $err) = sql_as($elsewhere, 'SELECT sw_adopt()');
is($out, 1, 'it is adopted');
like($err, qr/HINT: .*need a backfill: sw_backfill\('original', "from", "to"\)/, 'which says what sync does not bring');
wait_until('the takeover fails', sub {
	$elsewhere->safe_psql('postgres', 'SELECT max(lease_failures) FROM _sensorswave.sync_state') > 0;
});
give_key($elsewhere);
load_day($elsewhere, 'original', 'the restored pipeline loads');
$mark = mark_of($elsewhere, 'original');
like(comment_of('original'), qr/\Q$mark\E/, 'it has replaced the mark');
like(run_backfill_of($node, 'original', $day), qr/target table "original" belongs to another pipeline/,
	'the original finds out');

# A mark that is not the one it was dumped with is not replaced.
create_pipeline($node, 'second', target_table => 'second');
wait_running($node, 'second');
my $third = make_node('third', $sandbox);
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'another dump');
$third->command_ok(
	[ 'psql', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $third->connstr('postgres') ],
	'is restored, too');
is_held($third, 'original', qr/^restored from a dump/, 'the third');
give_key($third);
($code, $out, $err) = sql_as($third, "SELECT sw_adopt('original')");
is($out, 1, 'a pipeline is adopted that another one than the dumped has by now');
wait_until('the takeover fails', sub {
	$third->safe_psql('postgres', "SELECT last_error FROM sw_status WHERE pipeline = 'original'") ne '';
});
is( $third->safe_psql('postgres', "SELECT reason, last_error FROM sw_status WHERE pipeline = 'original'"),
	'the lease in the store is being taken over|target table "original" belongs to another pipeline',
	'which keeps it');
is(status_of($third, 'second'), 'paused', 'the other one waits');
is((sql_as($third, 'SELECT sw_stop(\'second\')'))[0], 0, 'it may be stopped');
is((sql_as($third, 'DELETE FROM sw_pipelines WHERE name = \'second\''))[0], 0, 'and deleted');
$mark = mark_of($node, 'second');
like(comment_of('second'), qr/\Q$mark\E/, 'the mark of the dumped one stays');
$third->stop;

# ---- stopped ----

load_day($node, 'second', 'another pipeline');
my $second = lease_of('second');
like($second, qr{/_lease/}, 'it has a lease');
$sandbox->fault(op => 'DELETE', match => '_lease/', fault => 'error', status => 503,
	code => 'SlowDown', times => undef);
change_settings($node, 'sensorswave_export.request_timeout' => '1s');
$node->safe_psql('postgres', "SELECT sw_stop('second')");
wait_until('its deletion fails', sub {
	$node->safe_psql('postgres', "SELECT lease_failures FROM _sensorswave.sync_state"
		. " JOIN _sensorswave.pipeline USING (pipeline_id) WHERE name = 'second'") > 0;
});
like((sql_as($node, "DELETE FROM sw_pipelines WHERE name = 'second'"))[2],
	qr/is still being wound up/, 'a pipeline whose lease is there is not deleted');
$sandbox->clear_faults;
wait_until('the lease is gone', sub { !grep { $_ eq $second } $sandbox->leases });
wait_until('it can be deleted', sub {
	(sql_as($node, "DELETE FROM sw_pipelines WHERE name = 'second'"))[0] == 0;
});

# Another instance's lease is not deleted.
my @leases = $sandbox->leases;
$node->safe_psql('postgres', "SELECT sw_stop('original')");
usleep(1_500_000);
is_deeply([ $sandbox->leases ], \@leases, 'what another instance has taken over stays');
$mark = mark_of($elsewhere, 'original');
like(comment_of('original'), qr/\Q$mark\E/, 'its mark, too');
load_day($elsewhere, 'original', 'and it works');

done_testing();
