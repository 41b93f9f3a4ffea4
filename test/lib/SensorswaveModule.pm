# SensorswaveModule: test/module in a TAP test's node.
#
# The module calls the floors of src/ in a session, without a pipeline around
# them; test/module/module.sql says what its functions take and give.
package SensorswaveModule;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use SensorswaveTest qw(quote_text);

our @EXPORT = qw(
  create_module quote_array quote_options call_module module_results
  run_in_session
);

my $module = abs_path(dirname(__FILE__) . '/../module');

# Build the module and make its functions in a database, "postgres" unless
# another is given.
sub create_module
{
	my ($node, $database) = @_;
	my $build = "$ENV{TESTDIR}/module";

	# Another test may be at it.
	system_or_bail('flock', "$build.lock", 'make', '-s', '-C', $module, "BUILD=$build");
	$node->safe_psql($database // 'postgres', slurp_file("$build/module.sql"));
	return;
}

sub quote_array
{
	return 'ARRAY[' . join(', ', map { quote_text($_) } @_) . ']::text[]';
}

# Options, name and value in turn, as an array of texts.
sub quote_options
{
	my (@options) = @_;
	my @texts;

	while (my ($name, $value) = splice(@options, 0, 2))
	{
		push @texts, "$name=$value";
	}
	return quote_array(@texts);
}

# The statement that calls a function with options, name and value in turn.
sub call_module
{
	my ($function, @options) = @_;
	return "SELECT $function(VARIADIC " . quote_options(@options) . ')';
}

# Its results, as a list of hashes: one for each thing that $first begins
# (request, id), and a last one of what follows $rest.
sub module_results
{
	my ($output, $first, $rest) = @_;
	my @results;
	my $sum = {};

	foreach my $line (split /\n/, $output)
	{
		my ($name, $value) = split /=/, $line, 2;
		push @results, {} if $name eq $first;
		if ($name eq $rest || %$sum || !@results)
		{
			$sum->{$name} = $value;
		}
		else
		{
			$results[-1]{$name} = $value;
		}
	}
	return ($sum, @results);
}

# Run the statements over a session with a warehouse, so many times; what the
# first time gave, and the server's memory after a tenth of the times and
# after all.
sub run_in_session
{
	my ($node, $rounds, $login, @statements) = @_;
	my @arguments = map { quote_text($_) }
	  @$login{qw(host port sslmode sslrootcert username password)};
	my ($answers, $early, $late) = split /\x01/,
	  $node->safe_psql('postgres',
		    q{SELECT concat_ws(E'\x01', answers, bytes_early, bytes_late)}
		  . ' FROM sw_test_session('
		  . join(', ', @arguments, quote_array(@statements), $rounds)
		  . ')'), -1;

	return ($answers, $early, $late);
}

1;
