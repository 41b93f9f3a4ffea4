# TLS: versions, names, authorities, the four words of sslmode, and what a
# person is told when a handshake fails.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $sandbox = SensorswaveSandbox->new('tls');
my $node = make_node('tls', $sandbox);
my $ours = $sandbox->env('CA_FILE');
my $others = $ours =~ s/ca\.pem$/store.pem/r;
my $self_signed = $ours =~ s/ca\.pem$/self_signed.pem/r;
my $front = $sandbox->env('BYTEHOUSE_PORT');
my %port = map { lc($_) => $sandbox->env("BYTEHOUSE_${_}_PORT") }
  qw(PLAIN EXPIRED WRONG_HOST SELF_SIGNED TLS12 TLS13);

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);

# What the test of a connection says: its letters, and the failed step.
sub connection
{
	my ($port, $mode, %columns) = @_;
	change_destination(
		$node, 'wh',
		host => '127.0.0.1',
		port => $port,
		sslmode => $mode,
		sslrootcert => $ours,
		%columns);
	my @steps = test_connection($node, 'wh');
	return (steps_of(@steps), failed_step(@steps));
}

sub works
{
	my ($what, @arguments) = @_;
	my $from = $sandbox->count_log('front');
	my ($letters, $failed) = connection(@arguments);

	is("$letters$failed", 'ooooooo', "$what: works");
	my ($login) =
	  grep { $_->{event} eq 'login' } $sandbox->log_lines('front', $from);
	return $login;
}

sub refused
{
	my ($what, $error, @arguments) = @_;
	my ($letters, $failed) = connection(@arguments);

	like($letters, qr/^o?fs+$/, "$what: refused");
	like($failed, $error, "$what: cause and remedy");
	return;
}

# ---- versions ----

is(works('TLS 1.2 only', $port{tls12}, 'verify-full')->{tls},
	'TLSv1.2', 'it was 1.2');
is(works('TLS 1.3 only', $port{tls13}, 'verify-full')->{tls},
	'TLSv1.3', 'it was 1.3');
is(works('either', $front, 'verify-full')->{tls},
	'TLSv1.3', 'the newer is taken');
is(works('plain', $port{plain}, 'disable')->{tls}, undef, 'without TLS');

# ---- names ----

is(works('an address', $front, 'verify-full')->{sni},
	undef, 'no address is sent as a name');
is(works('a name', $front, 'verify-full', host => 'localhost')->{sni},
	'localhost', 'the name of the host is sent');
is(works('a name, unverified', $front, 'require', host => 'localhost')->{sni},
	'localhost', 'whatever is verified');

# ---- certificates: port, then the outcome by sslmode ----

my $expired = qr{^1: the certificate of "127\.0\.0\.1" has expired // Have the certificate of the server renewed\.$};
my $wrong_address = qr{^1: the certificate is not for address "127\.0\.0\.1" // Use a name or address that the certificate of the server contains\.$};
my $wrong_name = qr{^1: the certificate is not for host "localhost" // Use a host name that the certificate of the server contains\.$};
my $alone = qr{^1: the certificate of "127\.0\.0\.1" is signed by nobody but itself // Set sslrootcert to this certificate if you trust it\.$};
my $untrusted = qr{^1: the certificate of "127\.0\.0\.1" comes from an authority that is not trusted // Set sslrootcert to the certificate of the authority, or add that to the roots of the system\.$};
my $not_tls = qr{^1: the server does not speak TLS on this port // Check the port, or set sslmode to "disable"\.$};
my $needs_tls = qr{^2: (?:lost the connection to the server|the server closed the connection).* // If this stays so, check the port, and whether it expects TLS \(sslmode\)\.$};

refused('expired, verify-full', $expired, $port{expired}, 'verify-full');
refused('expired, verify-ca', $expired, $port{expired}, 'verify-ca');
works('expired, require', $port{expired}, 'require');

refused('another address, verify-full', $wrong_address, $port{wrong_host}, 'verify-full');
refused('another host, verify-full',
	$wrong_name, $port{wrong_host}, 'verify-full', host => 'localhost');
works('another host, verify-ca', $port{wrong_host}, 'verify-ca');
works('another host, require', $port{wrong_host}, 'require');

refused('self-signed, verify-full', $alone, $port{self_signed}, 'verify-full');
refused('self-signed, verify-ca', $alone, $port{self_signed}, 'verify-ca');
works('self-signed and trusted',
	$port{self_signed}, 'verify-full', sslrootcert => $self_signed);
works('self-signed, require', $port{self_signed}, 'require');

refused('unknown authority, verify-full',
	$untrusted, $front, 'verify-full', sslrootcert => $others);
refused('unknown authority, verify-ca',
	$untrusted, $front, 'verify-ca', sslrootcert => $others);
refused("the system's roots only", $untrusted, $front, 'verify-full', sslrootcert => undef);
works('unknown authority, require', $front, 'require', sslrootcert => $others);

refused("no certificates at all, $_",
	qr{^1: could not read trusted certificates from "/nonexistent/ca\.pem": .* // Set sslrootcert to a file},
	$front, $_, sslrootcert => '/nonexistent/ca.pem')
  foreach qw(verify-full verify-ca);

# ---- the wrong kind of port ----

refused("plain port, $_", $not_tls, $port{plain}, $_)
  foreach qw(verify-full verify-ca require);
refused('TLS port, disable', $needs_tls, $front, 'disable');
my ($handshake) = grep { $_->{event} eq 'handshake' } $sandbox->log_lines('front');
isnt($handshake, undef, 'the front has seen handshakes fail, too');

$node->stop;
done_testing();
