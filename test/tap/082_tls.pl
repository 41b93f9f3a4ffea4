# TLS: versions, names, authorities, the four words of sslmode, and what a
# person is told when a handshake fails.
use strict;
use warnings FATAL => 'all';

use File::Path qw(make_path);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;
use Time::HiRes qw(usleep);

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

# ---- handshakes that the front does not offer: OpenSSL's own server ----

my $place = "$PostgreSQL::Test::Utils::tmp_check/certificates";
my @servers;

END
{
	my $status = $?;
	kill('TERM', @servers);
	waitpid($_, 0) foreach @servers;
	$? = $status;
}

# Run openssl with files in $place; what it prints is for its log.
sub openssl
{
	my ($command) = @_;
	system("cd '$place' && openssl $command >>log 2>&1") == 0
	  or die "openssl $command: " . slurp_file("$place/log");
	return;
}

# A certificate NAME by ISSUER, with lines of extensions; %dates: as "openssl
# ca" takes them.
sub issue
{
	my ($name, $issuer, $extensions, %dates) = @_;
	my $dates = join(' ', map { "-$_ $dates{$_}" } sort keys %dates);

	append_to_file("$place/$name.ext", join("\n", @$extensions) . "\n");
	openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
		  . " -keyout $name.key -out $name.csr -subj '/O=test/CN=$name'");
	openssl("ca -batch -notext -config books -cert $issuer.pem -keyfile $issuer.key"
		  . " -in $name.csr -out $name.pem -extfile $name.ext $dates");
	return;
}

# A server with these arguments; its port.
sub serve
{
	my (@arguments) = @_;
	my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
	my $pid = fork() // die "fork: $!";

	if ($pid == 0)
	{
		chdir $place;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', 'log');
		open(STDERR, '>&', \*STDOUT);
		exec('openssl', 's_server', '-accept', "127.0.0.1:$port", '-www', @arguments)
		  or POSIX::_exit(1);
	}
	push @servers, $pid;
	foreach (1 .. 100)
	{
		return $port
		  if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
		usleep(50_000);
	}
	die "openssl s_server @arguments did not start";
}

my @server_extensions = ('basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth',
	'subjectAltName=IP:127.0.0.1');
my @authority_extensions =
  ('basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign', 'subjectKeyIdentifier=hash');
my %recent = (days => 10);

make_path("$place/new");
append_to_file("$place/index", '');
append_to_file("$place/books", <<'CONFIG');
[ca]
default_ca = books
[books]
database = index
new_certs_dir = new
policy = any
default_md = sha256
rand_serial = yes
unique_subject = no
[any]
organizationName = supplied
commonName = supplied
CONFIG
openssl('req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10'
	  . " -keyout root.key -out root.pem -subj '/O=test/CN=root'");
issue('middle', 'root', \@authority_extensions, %recent);
issue('by_middle', 'middle', \@server_extensions, %recent);
issue('by_root', 'root', \@server_extensions, %recent);
issue('future', 'root', \@server_extensions,
	startdate => '20900101000000Z', enddate => '20910101000000Z');
issue('client', 'root',
	[ 'extendedKeyUsage=clientAuth', 'subjectAltName=IP:127.0.0.1' ], %recent);
my ($root, $middle) = map { "$place/$_.pem" } qw(root middle);
my @by_root = (-cert => 'by_root.pem', -key => 'by_root.key');

my $future = serve(-cert => 'future.pem', -key => 'future.key');
refused("not valid yet, $_",
	qr{^1: the certificate of "127\.0\.0\.1" is not valid yet // Check the clock of this machine and the certificate of the server\.$},
	$future, $_, sslrootcert => $root)
  foreach qw(verify-full verify-ca);

my $with_root = serve(@by_root, -cert_chain => 'root.pem');
refused('an authority that comes along, not trusted',
	$untrusted, $with_root, 'verify-full', sslrootcert => $ours);
my $with_middle = serve(-cert => 'by_middle.pem', -key => 'by_middle.key',
	-cert_chain => 'middle.pem');
refused('an authority between, its own not trusted',
	$untrusted, $with_middle, 'verify-full', sslrootcert => $middle);
refused('an authority between, nothing trusted',
	$untrusted, $with_middle, 'verify-full', sslrootcert => $ours);
my $without_middle = serve(-cert => 'by_middle.pem', -key => 'by_middle.key');
refused('an authority between that is not sent',
	$untrusted, $without_middle, 'verify-full', sslrootcert => $root);

# One that has no words of its own.
my $client = serve(-cert => 'client.pem', -key => 'client.key');
refused('a certificate for clients',
	qr{^1: the certificate of "127\.0\.0\.1" cannot be verified: [^:/]*purpose[^:/]* // Have the certificate of the server, or that of its authority, replaced by one that is fit for a server, and check sslrootcert\.$},
	$client, 'verify-full', sslrootcert => $root);

# Trusted as they should be, these handshakes succeed: the server then waits
# for a request in another protocol.
my $other_protocol = qr{^2: the warehouse did not answer in time // If this stays so, check the port};
change_settings($node, 'sensorswave_export.connect_timeout' => '2s');
refused('an authority between, all trusted',
	$other_protocol, $with_middle, 'verify-full', sslrootcert => $root);
refused('an authority that comes along, trusted',
	$other_protocol, $with_root, 'verify-full', sslrootcert => $root);

# ---- servers that cannot agree with us ----

my $disagreement = qr{^1: the TLS handshake with "127\.0\.0\.1" failed: [^/]*alert[^/]* // Check that the server offers TLS 1\.2 or 1\.3 and asks for no certificate of ours\.$};
my $old = serve(@by_root, '-tls1_1', -cipher => 'ALL:@SECLEVEL=0');
refused("TLS 1.1 only, $_", $disagreement, $old, $_, sslrootcert => $root)
  foreach qw(verify-full require);
my $mutual = serve(@by_root, '-tls1_2', -Verify => 1, -CAfile => 'root.pem');
refused('a certificate of ours is asked for',
	$disagreement, $mutual, 'verify-full', sslrootcert => $root);

$node->stop;
done_testing();
