# SensorswaveModule: test/module in a TAP test's node.
#
# The module calls the floors net and store in a session, without a pipeline
# around them.
package SensorswaveModule;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;

our @EXPORT = qw(create_module call_module module_results);

my $module = abs_path(dirname(__FILE__) . '/../module');

# Build the module and make its functions in database postgres.
sub create_module
{
	my ($node) = @_;
	my $build = "$ENV{TESTDIR}/module";

	system('make', '-s', '-C', $module, "BUILD=$build") == 0
	  or die "could not build test/module";
	$node->safe_psql('postgres', slurp_file("$build/module.sql"));
	return;
}

sub _quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# The statement that calls a function with options, name and value in turn.
sub call_module
{
	my ($function, @options) = @_;
	my @texts;

	while (my ($name, $value) = splice(@options, 0, 2))
	{
		push @texts, _quote("$name=$value");
	}
	return "SELECT $function(" . join(', ', @texts) . ')';
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

1;
