# Finding the warehouse: a name service that does not answer holds nobody up,
# in whatever way one leaves; several addresses; addresses as such; and what a
# person is told when there is no way to the host.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IO::Socket::INET;
use IO::Socket::IP;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;
use Time::HiRes qw(time usleep);

my $day = '2021-07-21';
my $lookups = "$PostgreSQL::Test::Utils::tmp_check/lookups";
my $sandbox = SensorswaveSandbox->new('name_lookup');
my $node = make_node_with_names('name_lookup');
my $plain_port = $sandbox->env('BYTEHOUSE_PLAIN_PORT');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
create_destination($node, $sandbox, port => $plain_port, sslmode => 'disable');

# ---- helpers ----

# A node whose processes ask the name service of test/lib/fake_names.c first.
sub make_node_with_names
{
	my ($name) = @_;
	my $library = "$PostgreSQL::Test::Utils::tmp_check/fake_names.so";
	my $source = abs_path(dirname(__FILE__) . '/../lib/fake_names.c');

	system_or_bail('cc', '-shared', '-fPIC', '-Wall', '-Wextra', '-Werror',
		'-o', $library, $source, '-ldl');
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{SW_FAKE_NAMES_LOG} = $lookups;
	return make_node($name, $sandbox,
		'sensorswave_export.connect_timeout = 20s');
}

# Lookups of our names: [ process, thread, signals it may get, name ] each.
sub all_lookups
{
	return () unless -e $lookups;
	return map { [ split / / ] } split /\n/, slurp_file($lookups);
}

sub count_lookups
{
	my ($name) = @_;
	return scalar(grep { $_->[3] eq $name } all_lookups());
}

sub change_host
{
	my ($host, %columns) = @_;
	change_destination($node, 'wh', host => $host, %columns);
	return;
}

# Within a second, or more, there is no worker of a connection test.
sub no_worker_is_left
{
	my ($what, $seconds) = @_;
	my $is_clean = wait_until(
		"$what: no worker is left",
		sub {
			$node->safe_psql('postgres',
				"SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'sensorswave_export errand'") eq 't';
		},
		$seconds // 1);
	ok($is_clean, "$what: no worker is left soon");
	return;
}

# psql with a connection test, in the background.
sub start_test
{
	my %session = (in => '', out => '', err => '');
	$session{run} = IPC::Run::start(
		[   'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c',
			"SELECT * FROM sw_test_connection('wh')" ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

# Send a signal by SQL to what has this type.
sub signal_process
{
	my ($way, $type) = @_;
	return $node->safe_psql('postgres',
		"SELECT count(pg_${way}_backend(pid)) FROM pg_stat_activity"
		  . " WHERE backend_type = '$type' AND pid <> pg_backend_pid()"
		  . ($type eq 'client backend' ? " AND query LIKE '%sw_test_connection%'" : ''));
}

# Start a connection test, end it while it looks up a name, see it end.
sub ends_at_once
{
	my ($what, $name, $way, $type, $error, $seconds) = @_;
	my $n = count_lookups($name);
	my $session = start_test();

	wait_until("$what: the lookup hangs", sub { count_lookups($name) > $n });
	usleep(300_000);
	my $begin = time();
	is(signal_process($way, $type), 1, "$what: there is one to signal");
	$session->{run}->finish;
	cmp_ok(time() - $begin, '<', $seconds // 1, "$what: it ends at once");
	like($session->{err}, $error, "$what: and is told why");
	return;
}

# ---- a name service that is silent: the warehouse ----

my $silent = 'warehouse.silent.test';
change_host($silent);
foreach my $case (
	[ 'cancel of a test', 'cancel', 'client backend',
		qr/ERROR:  canceling statement due to user request/ ],
	[ 'termination of a test', 'terminate', 'client backend',
		qr/FATAL:  terminating connection due to administrator command/ ],
	[ 'termination of its worker', 'terminate', 'sensorswave_export errand',
		qr/ERROR:  / ])
{
	my ($what, @how) = @$case;
	ends_at_once($what, $silent, @how);
	no_worker_is_left($what);
}

# A worker that stays, on its own.
change_host('one.test');
create_pipeline($node, 'github');
wait_running($node, 'github');
is(run_backfill($node, 'github', $day, $day), 'success', 'a host is found by its name');
check_sample_rows($node, $sandbox, 'github', 'by its name');
change_host($silent);
my $n = count_lookups($silent);
my $id = backfill($node, 'github', $day, $day);
wait_until('a worker looks up the name', sub { count_lookups($silent) > $n });
my $pid = worker_pid($node, 'worker');
my $begin = time();
signal_process('terminate', 'sensorswave_export worker');
ok( wait_until('the worker ends', sub { !kill(0, $pid) }, 1),
	'a worker that looks up a name ends within a second');
change_host('one.test');
is(wait_backfill($node, $id), 'success', 'the one after it does the work');
is(count_target($sandbox, 'github'), 800, 'once');

# ---- the time it may take ----

change_settings($node, 'sensorswave_export.connect_timeout' => '1s');
change_host($silent);
$begin = time();
my ($failed) = failed_step(test_connection($node, 'wh'));
my $elapsed = time() - $begin;
is( $failed,
	qq{1: could not find the address of host "$silent" in time // }
	  . 'Check that the name servers of this machine answer.',
	'connect_timeout bounds the lookup, with cause and remedy');
cmp_ok($elapsed, '>=', 1, 'not before its time');
cmp_ok($elapsed, '<', 3, 'nor much later');

# Retried in one process, which keeps what libcurl left behind: threads.
$n = count_lookups($silent);
$id = backfill($node, 'github', $day, $day);
wait_until('it is tried three times', sub { count_lookups($silent) >= $n + 3 });
change_host('one.test');
is(wait_backfill($node, $id), 'success', 'lookups given up do not disturb the next');

# ---- a name service that is silent: the store's proxy ----

change_settings($node, 'sensorswave_export.connect_timeout' => '20s',
	'sensorswave_export.proxy' => 'http://proxy.silent.test:3128');
my $proxy = 'proxy.silent.test';
ends_at_once('cancel of a test at the store', $proxy, 'cancel',
	'client backend', qr/ERROR:  canceling statement due to user request/);
wait_until('its worker looks for the store, to tidy up', sub { count_lookups($proxy) > 1 });
signal_process('terminate', 'sensorswave_export errand');
# What is told to end has three seconds to remove its probe.
no_worker_is_left('termination of what tidies up', 5);
ends_at_once('termination of a worker at the store', $proxy, 'terminate',
	'sensorswave_export errand', qr/ERROR:  /, 5);
no_worker_is_left('termination of a worker at the store');
change_settings($node,
	'sensorswave_export.proxy' => $sandbox->env('STORE_PROXY'));

# ---- threads ----

my @threads = all_lookups();
cmp_ok(scalar(@threads), '>=', 10, 'names were looked up');
is(scalar(grep { $_->[0] == $_->[1] } @threads),
	0, 'none of them by the main thread');
is(scalar(grep { $_->[2] != 0 } @threads),
	0, 'none by a thread that may get a signal of the server');

# ---- several addresses, and addresses as such ----

my @steps;
change_host('several.test');
@steps = test_connection($node, 'wh');
is(steps_of(@steps), 'ooooooo', 'the second address is tried when the first refuses')
  or diag(failed_step(@steps));

# A listener whose queue is full answers no more.
sub make_silent_listener
{
	my ($address, $port) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => $address, LocalPort => $port, Listen => 1)
	  or die "could not listen at $address port $port: $!";
	my @guests = map {
		IO::Socket::INET->new(
			PeerAddr => $address, PeerPort => $listener->sockport, Blocking => 0)
	} 1 .. 8;
	usleep(300_000);
	return ($listener, @guests);
}

my @silent_host = make_silent_listener('127.0.0.2', $plain_port);
change_settings($node, 'sensorswave_export.connect_timeout' => '4s');
$begin = time();
@steps = test_connection($node, 'wh');
is(steps_of(@steps), 'ooooooo', 'and when the first does not answer')
  or diag(failed_step(@steps));
cmp_ok(time() - $begin, '>=', 1, 'which was given its share of the time');

change_host('127.0.0.2');
$begin = time();
is( failed_step(test_connection($node, 'wh')),
	qq{1: could not connect to "127.0.0.2" port $plain_port: Connection timed out // }
	  . 'Check host and port, that the server runs, and that this machine may reach it (public access, firewall, allow list).',
	'connect_timeout bounds the connection too');
$elapsed = time() - $begin;
cmp_ok($elapsed, '>=', 4, 'not before its time');
cmp_ok($elapsed, '<', 6, 'nor much later');
@silent_host = ();

is( failed_step(test_connection($node, 'wh')),
	qq{1: could not connect to "127.0.0.2" port $plain_port: Connection refused // }
	  . 'Check host and port, that the server runs, and that this machine may reach it (public access, firewall, allow list).',
	'a host that refuses');
change_host('nowhere.test');
is( failed_step(test_connection($node, 'wh')),
	'1: could not find the address of host "nowhere.test" // '
	  . 'Check the host name, and that this server can look it up.',
	'a host that nobody knows');
foreach my $host ('no such host', 'one.test/', 'user@one.test', 'one.test#',
	'one.test:9000', '[one.test]', 'one%2etest', '127.0.0.1?')
{
	change_host($host);
	like(failed_step(test_connection($node, 'wh')),
		qr{^1: could not find the address of host "\Q$host\E" // Check the host name},
		"\"$host\" is not understood as something else");
}

# A machine without IPv6 tells that; it is no name in any case.
my $six = IO::Socket::IP->new(
	LocalHost => '::1', LocalPort => 0, Listen => 5, Type => SOCK_STREAM);
my $six_port = defined $six ? $six->sockport : $plain_port;
change_host('::1', port => $six_port);
$begin = time();
my $session = start_test();
if (defined $six)
{
	my $guest = $six->accept;
	close($guest);
}
$session->{run}->finish;
like(
	$session->{err},
	defined $six
	? qr/NOTICE:  1 TCP connect: ok .*NOTICE:  2 authentication: failed/s
	: qr/NOTICE:  1 TCP connect: failed .*could not connect to "::1" port $six_port: /s,
	'an IPv6 address');
unlike($session->{err}, qr/address of host/, 'is not looked up');

# ---- proxies of the environment are not for it ----

is( failed_step(test_connection_with_env($node)),
	'', 'a proxy named in the environment is not used');

sub test_connection_with_env
{
	local %ENV = (
		%ENV,
		map { $_ => 'http://127.0.0.1:9', uc $_ => 'http://127.0.0.1:9' }
		  qw(http_proxy all_proxy));
	change_host('127.0.0.1', port => $plain_port);
	$node->restart;
	return test_connection($node, 'wh');
}

# ---- a shutdown while a name is looked up ----

$node->stop;
{
	local $ENV{LD_PRELOAD} = "$PostgreSQL::Test::Utils::tmp_check/fake_names.so";
	local $ENV{SW_FAKE_NAMES_LOG} = $lookups;
	$node->start;
}
change_host($silent);
change_settings($node, 'sensorswave_export.connect_timeout' => '20s');
wait_running($node, 'github');
$n = count_lookups($silent);
backfill($node, 'github', $day, $day);
wait_until('a worker looks up the name', sub { count_lookups($silent) > $n });
$begin = time();
$node->stop('fast');
cmp_ok(time() - $begin, '<', 3, 'a fast shutdown does not wait for a name');

done_testing();
