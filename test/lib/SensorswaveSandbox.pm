# SensorswaveSandbox: a local warehouse and object store for one TAP test.
#
#   my $sandbox = SensorswaveSandbox->new('name');
#
# Starts test/sandbox in a folder of the test's own and stops it when the
# program ends, however it ends.  What a method cannot do it dies of, so
# callers need not look.
package SensorswaveSandbox;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $top = abs_path(dirname(__FILE__) . '/../..');
my $program = "$top/test/sandbox/sandbox";
my $owner = $$;
my @running;

# A test that is told to end takes its servers with it.
$SIG{TERM} = $SIG{INT} = sub { die "interrupted\n" };

END
{
	my $status = $?;
	if ($$ == $owner)
	{
		$_->stop foreach @running;
	}
	$? = $status;
}

sub new
{
	my ($class, $name) = @_;
	my $directory = "$PostgreSQL::Test::Utils::tmp_check/sandbox_$name";
	my $self = bless { directory => $directory }, $class;

	make_path($directory);
	push @running, $self;
	$self->{env} = _parse_env($self->_program('start', $directory));
	$self->{http} = HTTP::Tiny->new(timeout => 30);
	return $self;
}

sub _program
{
	my ($self, @arguments) = @_;
	open(my $pipe, '-|', $program, @arguments)
	  or die "could not run $program: $!";
	my $output = do { local $/; <$pipe> };
	close($pipe) or die "sandbox @arguments failed";
	return $output;
}

sub _parse_env
{
	my ($text) = @_;
	my %env;
	while ($text =~ /^(SW_\w+)='(.*)'$/mg)
	{
		my ($name, $value) = ($1, $2);
		$value =~ s/'\\''/'/g;
		$env{$name} = $value;
	}
	return \%env;
}

# Value of a variable of the sandbox's env file, named without SW_.
sub env
{
	my ($self, $name) = @_;
	die "the sandbox has no SW_$name" unless defined $self->{env}{"SW_$name"};
	return $self->{env}{"SW_$name"};
}

# start, stop: all servers, or the one named (clickhouse, store, front).
sub start
{
	my ($self, @server) = @_;
	$self->_program('start', $self->{directory}, @server);
	return;
}

sub stop
{
	my ($self, @server) = @_;
	$self->resume($_)
	  foreach grep { $self->{paused}{$_} } keys %{ $self->{paused} };
	$self->_program('stop', $self->{directory}, @server);
	return;
}

sub _signal
{
	my ($self, $signal, $server) = @_;
	my $pid = slurp_file("$self->{directory}/$server.pid");
	chomp $pid;
	kill($signal, $pid) or die "could not signal $server: $!";
	return;
}

# End a server without a word; start brings it back.
sub kill9
{
	my ($self, $server) = @_;
	$self->_signal('KILL', $server);
	return;
}

# pause, resume: the server answers nobody, but its connections stay.
sub pause
{
	my ($self, $server) = @_;
	$self->_signal('STOP', $server);
	$self->{paused}{$server} = 1;
	return;
}

sub resume
{
	my ($self, $server) = @_;
	$self->{paused}{$server} = 0;
	$self->_signal('CONT', $server);
	return;
}

# Rows straight from ClickHouse, tab separated.
sub query
{
	my ($self, $sql) = @_;
	my $url = 'http://127.0.0.1:' . $self->env('CLICKHOUSE_HTTP_PORT') . '/?wait_end_of_query=1';
	my $response = $self->{http}->request('POST', $url, {
		content => $sql,
		headers => {
			'X-ClickHouse-User' => $self->env('CLICKHOUSE_USER'),
			'X-ClickHouse-Key' => $self->env('CLICKHOUSE_PASSWORD') } });
	die "query: $response->{status} $response->{content}" unless $response->{success};
	chomp $response->{content};
	return $response->{content};
}

sub _admin
{
	my ($self, $server, $method, $path, $wish) = @_;
	my $url = $self->env(uc($server) . '_ADMIN') . $path;
	my %options = defined $wish ? (content => encode_json($wish)) : ();
	my $response = $self->{http}->request($method, $url, \%options);
	die "$method $url: $response->{status} $response->{content}"
	  unless $response->{success};
	return decode_json($response->{content});
}

# Ask the store for a fault, e.g. fault => 'hang', op => 'PUT'.
sub fault
{
	my ($self, %wish) = @_;
	return $self->_admin('store', 'POST', '/faults', \%wish)->{id};
}

sub fault_hits
{
	my ($self, $id) = @_;
	my ($fault) = grep { $_->{id} == $id }
	  @{ $self->_admin('store', 'GET', '/faults')->{faults} };
	return defined $fault ? $fault->{hits} : 0;
}

sub clear_fault
{
	my ($self, $id) = @_;
	$self->_admin('store', 'DELETE', "/faults/$id");
	return;
}

sub clear_faults
{
	my ($self) = @_;
	$self->_admin('store', 'DELETE', '/faults');
	return;
}

# The front's admin port (test/sandbox/README.md), e.g. front('POST',
# '/faults', { match => 'hello', fault => 'hang' }).
sub front
{
	my ($self, $method, $path, $wish) = @_;
	return $self->_admin('front', $method, $path, $wish);
}

# Rows of a statement sent through the front, in the dialect of ByteHouse.
sub ask_front
{
	my ($self, $sql) = @_;
	my $login = $self->env('BYTEHOUSE_ACCOUNT') . '::' . $self->env('BYTEHOUSE_USER');
	open(my $pipe, '-|', 'node', "$top/test/lib/ask_front.mjs", $self->env('BYTEHOUSE_PORT'),
		$self->env('CA_FILE'), $login, $self->env('BYTEHOUSE_PASSWORD'), $sql)
	  or die "could not run node: $!";
	my $output = do { local $/; <$pipe> };
	close($pipe) or die "the front refused: $sql";
	chomp $output if defined $output;
	return $output // '';
}

# Everything about the front as it was at its start.
sub reset_front
{
	my ($self) = @_;
	$self->front('DELETE', $_) foreach qw(/faults /users /warehouses /behaviour);
	return;
}

# The store's admin port (test/sandbox/README.md), e.g. store('POST', '/keys',
# { ... }).
sub store
{
	my ($self, $method, $path, $wish) = @_;
	return $self->_admin('store', $method, $path, $wish);
}

# Keys of all multipart uploads that are under way, one for each.
sub uploads
{
	my ($self) = @_;
	return map { $_->{key} }
	  @{ $self->_admin('store', 'GET', '/objects')->{uploads} };
}

sub _all_objects
{
	my ($self) = @_;
	return map { $_->{key} }
	  @{ $self->_admin('store', 'GET', '/objects')->{objects} };
}

# Keys of all objects in the store but leases; and those of the leases.
sub objects
{
	my ($self) = @_;
	return grep { !m{/_lease/} } $self->_all_objects;
}

sub leases
{
	my ($self) = @_;
	return grep { m{/_lease/} } $self->_all_objects;
}

# All lines of a server's log (store or front) as hashes, oldest first, or
# those from line number $from on.
sub log_lines
{
	my ($self, $server, $from) = @_;
	my @lines = split /\n/, slurp_file($self->env(uc($server) . '_LOG'));
	return map { decode_json($_) } @lines[ ($from // 0) .. $#lines ];
}

sub count_log
{
	my ($self, $server) = @_;
	my @lines = split /\n/, slurp_file($self->env(uc($server) . '_LOG'));
	return scalar @lines;
}

# Wait until a log has a line, from line number $from on, that the code
# accepts (the line is in $_); dies after the usual time.
sub wait_for_line
{
	my ($self, $server, $from, $code) = @_;
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		foreach ($self->log_lines($server, $from))
		{
			return $_ if $code->();
		}
		usleep(100_000);
	}
	die "the log of $server never had the line waited for";
}

1;
