# SensorswaveWarehouse: what tests of the warehouse side share.
#
# The front's administration (faults, users, behaviour), the connection test
# as rows, the sample events compared value by value, and Debian's ClickHouse
# server of 2018 as one more peer.
package SensorswaveWarehouse;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(
  front_fault front_fault_hits clear_front_faults put_front_user
  test_connection steps_of failed_step check_sample_rows start_old_server
);

my $top = abs_path(dirname(__FILE__) . '/../..');
my $owner = $$;
my @old_servers;

END
{
	my $status = $?;
	if ($$ == $owner)
	{
		stop_old_server($_) foreach @old_servers;
	}
	$? = $status;
}

# ---- the front's administration ----

# Ask the front for a fault, e.g. match => '^INSERT', fault => 'reset'.
sub front_fault
{
	my ($sandbox, %wish) = @_;
	return $sandbox->front('POST', '/faults', \%wish)->{id};
}

sub front_fault_hits
{
	my ($sandbox, $id) = @_;
	my ($fault) = grep { $_->{id} == $id }
	  @{ $sandbox->front('GET', '/faults')->{faults} };
	return defined $fault ? $fault->{hits} : 0;
}

sub clear_front_faults
{
	my ($sandbox) = @_;
	$sandbox->front('DELETE', '/faults');
	return;
}

sub put_front_user
{
	my ($sandbox, %user) = @_;
	$sandbox->front('POST', '/users', \%user);
	return;
}

# ---- the connection test ----

# Its rows as hashes: step, name, status, detail, hint.
sub test_connection
{
	my ($node, $destination) = @_;
	my $rows = $node->safe_psql('postgres',
		    q{SELECT concat_ws(E'\x01', step, name, status,}
		  . q{ coalesce(detail, ''), coalesce(hint, ''))}
		  . " FROM sw_test_connection('$destination')");
	my @names = qw(step name status detail hint);

	return map {
		my %row;
		@row{@names} = split /\x01/, $_, -1;
		\%row;
	} split /\n/, $rows;
}

# "1 ok 2 ok ..." in short: one letter a step, o, f or s.
sub steps_of
{
	return join('', map { substr($_->{status}, 0, 1) } @_);
}

# "2: what // hint" of the step that failed, or ''.
sub failed_step
{
	my ($failed) = grep { $_->{status} eq 'failed' } @_;
	return defined $failed
	  ? "$failed->{step}: $failed->{detail} // $failed->{hint}"
	  : '';
}

# ---- rows ----

# The rows of the target against those of the source, value by value: one
# that is not there, or there twice, or other, is a difference.
sub check_sample_rows
{
	my ($node, $sandbox, $table, $what) = @_;
	my $rows = $sandbox->query(
		'SELECT toString(time), distinct_id, trace_id, ssid, anon_id, login_id,'
		  . ' event, properties, user_properties, toString(received_at)'
		  . " FROM sensorswave.`$table`");

	$node->safe_psql('postgres', <<"SQL");
DROP TABLE IF EXISTS fetched;
CREATE TABLE fetched (time text, distinct_id text, trace_id text, ssid bigint,
	anon_id text, login_id text, event text, properties jsonb,
	user_properties jsonb, received_at text);
COPY fetched FROM stdin;
$rows
\\.
CREATE OR REPLACE VIEW expected AS
SELECT to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS.MS') AS time,
	actor->>'id' AS distinct_id, id AS trace_id, (actor->>'id')::bigint AS ssid,
	'' AS anon_id, actor->>'login' AS login_id, type AS event,
	payload AS properties, actor AS user_properties,
	to_char(created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS.MS') AS received_at
FROM github_events;
SQL
	is( $node->safe_psql('postgres', <<'SQL'),
SELECT (SELECT count(*) FROM fetched),
	(SELECT count(*) FROM (TABLE expected EXCEPT ALL TABLE fetched) missing),
	(SELECT count(*) FROM (TABLE fetched EXCEPT ALL TABLE expected) foreign_rows)
SQL
		'800|0|0',
		"$what: the 800 rows of the source, value by value, and no other")
	  or diag(
		'some that differ: ',
		$node->safe_psql('postgres',
			    '(TABLE expected EXCEPT ALL TABLE fetched LIMIT 2) UNION ALL'
			  . ' (TABLE fetched EXCEPT ALL TABLE expected LIMIT 2)'));
	return;
}

# ---- Debian's ClickHouse server, 18.16 ----

sub free_ports
{
	my ($n) = @_;
	my @sockets = map {
		IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
		  // die "could not find a free port: $!"
	} 1 .. $n;
	return map { $_->sockport } @sockets;
}

my $old_config = <<'XML';
<yandex>
  <logger><level>information</level><log>DIR/log</log><errorlog>DIR/error.log</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <tcp_port>PLAIN</tcp_port>
  <tcp_port_secure>SECURE</tcp_port_secure>
  <http_port>HTTP</http_port>
  <openSSL><server>
    <certificateFile>DIR/server.pem</certificateFile>
    <privateKeyFile>DIR/server.key</privateKeyFile>
    <verificationMode>none</verificationMode>
    <loadDefaultCAFile>false</loadDefaultCAFile>
  </server></openSSL>
  <path>DIR/data/</path>
  <tmp_path>DIR/tmp/</tmp_path>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>5368709</mark_cache_size>
  <timezone>UTC</timezone>
</yandex>
XML
my $old_password = 'not-a-secret-of-2018';
my $old_users = <<"XML";
<yandex>
  <profiles><default><max_memory_usage>1000000000</max_memory_usage></default></profiles>
  <users><old>
    <password>$old_password</password>
    <networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
  </old><bytehouse>
    <password>$old_password</password>
    <networks><ip>127.0.0.1</ip></networks>
    <profile>default</profile><quota>default</quota>
  </bytehouse></users>
  <quotas><default></default></quotas>
</yandex>
XML

# A server of its own for the test, with the front's certificate; returns
# { port, tls_port, username, password }.  It ends with the test.
sub start_old_server
{
	my ($sandbox) = @_;
	my $directory = "$PostgreSQL::Test::Utils::tmp_check/old_server";
	my $certificates = dirname($sandbox->env('CA_FILE'));
	my ($plain, $secure, $http) = free_ports(3);
	my $program = qx("$top/test/lib/old_clickhouse");
	my $config = $old_config;

	die 'there is no old ClickHouse server' unless $? == 0;
	chomp $program;
	make_path("$directory/data", "$directory/tmp");
	copy("$certificates/front.$_", "$directory/server.$_") or die "copy: $!"
	  foreach qw(pem key);
	$config =~ s/\bDIR\b/$directory/g;
	$config =~ s/\bPLAIN\b/$plain/;
	$config =~ s/\bSECURE\b/$secure/;
	$config =~ s/\bHTTP\b/$http/;
	append_to_file("$directory/config.xml", $config);
	append_to_file("$directory/users.xml", $old_users);

	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		chdir $directory;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', "$directory/out");
		open(STDERR, '>&', \*STDOUT);
		exec($program, "--config-file=$directory/config.xml")
		  or POSIX::_exit(1);
	}
	push @old_servers, $pid;
	foreach (1 .. 300)
	{
		return {
			port => $plain,
			tls_port => $secure,
			username => 'old',
			password => $old_password
		  }
		  if IO::Socket::INET->new(
			PeerAddr => '127.0.0.1', PeerPort => $secure);
		usleep(100_000);
	}
	die 'the old ClickHouse server did not start: '
	  . slurp_file("$directory/out");
}

sub stop_old_server
{
	my ($pid) = @_;

	kill('TERM', $pid);
	foreach (1 .. 100)
	{
		return if waitpid($pid, 1) != 0;
		usleep(100_000);
	}
	kill('KILL', $pid);
	waitpid($pid, 0);
	return;
}

1;
