# SensorswaveHooks: test/hooks in a TAP test's node.
#
# Stops or ends workers at named points of a run, and sets the clock that
# schedules go by.  test/hooks/hooks.c says what the library does.
package SensorswaveHooks;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;
use SensorswaveTest qw(make_node wait_until);
use Time::Local qw(timegm);

our @EXPORT = qw(
  make_hooked_node set_point clear_point wait_point is_point_reached
  set_clock set_clock_file shift_clock reset_clock set_naive
);

my $hooks = abs_path(dirname(__FILE__) . '/../hooks');

# make_node, with the library loaded.
sub make_hooked_node
{
	my ($name, $sandbox, @settings) = @_;
	my $build = "$ENV{TESTDIR}/hooks";

	# Another test may be at it.
	system_or_bail('flock', "$build.lock", 'make', '-s', '-C', $hooks, "BUILD=$build");
	return make_node($name, $sandbox,
		"shared_preload_libraries = '$build/sw_hooks,sensorswave_export'", @settings);
}

sub file_of
{
	my ($node, $name) = @_;
	my $file = $node->data_dir . "/sw_test/$name";

	make_path(dirname($file));
	return $file;
}

# As a whole: the server sees either nothing or all of it.
sub write_file
{
	my ($file, $content) = @_;

	open(my $handle, '>', "$file.new") or die "could not write $file.new: $!";
	print $handle $content;
	close($handle) or die "could not write $file.new: $!";
	rename("$file.new", $file) or die "could not rename $file.new: $!";
	return;
}

# What happens when the point is reached: wait, error, exit or kill, once;
# "error always" and the like: each time.
sub set_point
{
	my ($node, $name, $what) = @_;
	my $file = file_of($node, "points/$name");

	unlink "$file.reached";
	write_file($file, $what);
	return;
}

# Nothing happens there any more; who waits there goes on.
sub clear_point
{
	my ($node, $name) = @_;
	my $file = file_of($node, "points/$name");

	unlink $file;
	return;
}

sub is_point_reached
{
	my ($node, $name) = @_;
	return -e file_of($node, "points/$name.reached");
}

# Wait until a process gets there; its id.
sub wait_point
{
	my ($node, $name) = @_;
	my $file = file_of($node, "points/$name.reached");

	wait_until("point $name is reached", sub { -e $file });
	my $pid = slurp_file($file);
	chomp $pid;
	return $pid;
}

# Workers learn of the new time when they look; so have them look.
sub have_them_look
{
	my ($node) = @_;

	$node->safe_psql('postgres', 'SELECT _sensorswave.wake()');
	return;
}

# It is the instant of that text, YYYY-MM-DD HH:MM:SS+00, and time stands
# still; also for a node that does not run.
sub set_clock_file
{
	my ($node, $instant) = @_;
	my ($year, $month, $day, $hour, $minute, $second) =
	  $instant =~ /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\+00$/
	  or die "not an instant of UTC: $instant";
	my $seconds = timegm($second, $minute, $hour, $day, $month - 1, $year) -
	  timegm(0, 0, 0, 1, 0, 2000);

	write_file(file_of($node, 'clock'), "\@${seconds}000000");
	return;
}

sub set_clock
{
	my ($node, $instant) = @_;

	set_clock_file($node, $instant);
	have_them_look($node);
	return;
}

# It is so much later (as interval, may be negative) than it really is.
sub shift_clock
{
	my ($node, $interval) = @_;
	my $usec = $node->safe_psql('postgres',
		"SELECT (extract(epoch FROM interval '$interval') * 1000000)::bigint");

	write_file(file_of($node, 'clock'), $usec);
	have_them_look($node);
	return;
}

sub reset_clock
{
	my ($node) = @_;

	unlink file_of($node, 'clock');
	have_them_look($node);
	return;
}

# Every row version passes the row test (true), or does not any more.
sub set_naive
{
	my ($node, $is_naive) = @_;
	my $file = file_of($node, 'naive');

	if ($is_naive)
	{
		write_file($file, '');
	}
	else
	{
		unlink $file;
	}
	return;
}

1;
