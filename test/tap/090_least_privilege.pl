# Each operation with exactly the rights the manual asks for, with SELECT as
# well, and with each right missing in turn: it works, or it fails with the
# GRANT that is missing.
#
# An operation joins the matrix as a row of @operations: how it is prepared by
# a user that may do everything, how it is run, the rights it needs in the
# order it finds them missing, those it tries and can do without, and what
# else is to be seen.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $day = '2021-07-21';
my $user = 'sensorswave_matrix';
my $password = 'not-a-secret-of-the-matrix';
my $sandbox = SensorswaveSandbox->new('least_privilege');
my $node = make_node('least_privilege', $sandbox);

# ---- rights ----

my @on_database = ('CREATE TABLE', 'DROP TABLE', 'INSERT', 'ALTER');
my @everywhere = ('S3', 'CREATE TEMPORARY TABLE');
my %is_everywhere = map { $_ => 1 } @everywhere;

# Both rights of reading staged objects are asked for together.
sub grant_for
{
	my ($right) = @_;
	my $what =
	  $is_everywhere{$right}
	  ? 'S3, CREATE TEMPORARY TABLE ON *.*'
	  : "$right ON sensorswave.*";
	return "Run at the warehouse as an administrator: GRANT $what TO `$user`";
}

sub allow
{
	my (@rights) = @_;
	put_front_user(
		$sandbox,
		name => $user,
		password => $password,
		grants => [
			map { $is_everywhere{$_} || $_ eq 'ALL' ? "$_ ON *.*" : "$_ ON sensorswave.*" }
			  @rights
		]);
	return;
}

my @columns = (
	[ 'the rights of the manual', [ @on_database, @everywhere ] ],
	[ 'SELECT as well', [ @on_database, @everywhere, 'SELECT' ] ],
	map {
		my $missing = $_;
		[ "no $missing", [ grep { $_ ne $missing } @on_database, @everywhere ] ]
	} @on_database, @everywhere);

# ---- operations ----

my $serial = 0;
my $may_select;
my $may_alter;
my $mark_before;
my $release;

# The pipeline that the table's comment names as its owner, or ''.
sub mark_of
{
	my ($table) = @_;
	my $comment = $sandbox->query('SELECT comment FROM system.tables'
		  . " WHERE database = 'sensorswave' AND name = '$table'");
	return $comment =~ m{sensorswave_export: [\d/]+ (\S+)} ? $1 : '';
}

# Stop it, and wait until it has let go of its target or has given up on that:
# what it then says, or ''.
sub stop_pipeline
{
	my ($name) = @_;
	my $state = '_sensorswave.pipeline_state JOIN _sensorswave.pipeline USING (pipeline_id)'
	  . " WHERE name = '$name'";

	$node->safe_psql('postgres', "SELECT sw_stop('$name')");
	$node->poll_query_until('postgres', <<"SQL") or die "$name holds its target";
SELECT coalesce(bool_and(NOT holds_target OR next_attempt_at = 'infinity'), true) FROM $state
SQL
	return $node->safe_psql('postgres',
		"SELECT last_error || ' // ' || last_hint FROM $state AND holds_target");
}

# Everything a run has to say, oldest first.
sub log_of_run
{
	my ($pipeline) = @_;
	return $node->safe_psql('postgres', <<"SQL");
SELECT string_agg(level || ': ' || message, E'\\n' ORDER BY logged_at)
FROM sw_run_logs
WHERE run_id = (SELECT max(run_id) FROM sw_runs WHERE pipeline = '$pipeline')
SQL
}

# The pipeline "emptied": 800 rows at the target, none in the source.
sub prepare_emptied
{
	$sandbox->query('TRUNCATE TABLE sensorswave.emptied');
	$sandbox->query('INSERT INTO sensorswave.emptied SELECT * FROM sensorswave.reference');
	return;
}

sub loads_rows
{
	my ($what) = @_;
	my $log = log_of_run('github');

	is(last_run($node, 'github', 'rows_exported, files'),
		'800|1', "$what: the run counts its rows");
	is(count_target($sandbox, 'github'), 800, "$what: as many as there are");
	if ($may_select)
	{
		unlike($log, qr/warning/, "$what: the run has nothing to warn of");
	}
	else
	{
		like($log,
			qr/warning: the warehouse user may not SELECT from the target: the day's rows are not checked/,
			"$what: the run says that it did not count at the target");
	}
	return;
}

# 'ok', or what the person is told who waits for the new pipeline's table.
sub make_and_stop
{
	my (%columns) = @_;
	my $name = 'made_' . ++$serial;

	create_pipeline($node, $name, %columns);
	$node->poll_query_until('postgres',
		    "SELECT status = 'running' OR last_error IS NOT NULL"
		  . " FROM sw_status WHERE pipeline = '$name'")
	  or die "nothing comes of $name";
	my $told = $node->safe_psql('postgres',
		    "SELECT coalesce(last_error || ' // ' || last_hint, 'ok')"
		  . " FROM sw_status WHERE pipeline = '$name'");
	$release = stop_pipeline($name);
	return $told;
}

# The mark that a table was made with goes only with ALTER; without, that is
# said once, and another sw_stop does it when the right is there.
sub made_and_stopped
{
	my ($what) = @_;
	my $name = "made_$serial";

	is(count_target($sandbox, $name), 0, "$what: the table is there");
	if (!$may_alter)
	{
		is($release, 'could not alter the comment of the target table // ' . grant_for('ALTER'),
			"$what: that the mark stays is said, with the GRANT of ALTER");
		is(mark_of($name), $name, "$what: it is there");
		allow('ALL');
		$release = stop_pipeline($name);
	}
	is($release, '', "$what: the table is let go of");
	is(mark_of($name), '', "$what: the mark is taken off");
	return;
}

my @operations = (
	{   name => 'connection test',
		needs => [ @on_database, @everywhere ],
		run => sub {
			my @steps = test_connection($node, 'wh');
			my $failed = failed_step(@steps);
			return steps_of(@steps) eq 'ooooooo' ? 'ok' : $failed;
		},
		refusal => sub { ($is_everywhere{ $_[0] } ? 7 : 5) . ': a right is missing at the warehouse' },
		after => sub {
			is_deeply([ $sandbox->objects ], [], "$_[0]: no object is left");
		},
		always => sub {
			my ($what) = @_;
			my $probes = "SELECT name FROM system.tables WHERE database = 'sensorswave'"
			  . " AND name LIKE '\\_sw\\_probe%'";
			is($sandbox->query($probes), '', "$what: no probe table is left");
			$sandbox->query("DROP TABLE sensorswave.`$_`")
			  foreach split /\n/, $sandbox->query($probes);
		}
	},
	{   name => 'save a pipeline, create its table',
		needs => ['CREATE TABLE'],
		# Stopping takes our mark off the table.
		tolerates => ['ALTER'],
		run => sub { make_and_stop() },
		after => \&made_and_stopped
	},
	{   name => 'save a users pipeline, create its table',
		needs => ['CREATE TABLE'],
		tolerates => ['ALTER'],
		run => sub { make_and_stop(data_source => 'users', source => 'people', columns => undef) },
		after => \&made_and_stopped
	},
	{   name => 'save a pipeline with a table that is there',
		needs => [],
		# Its comment would get our mark.
		tolerates => ['ALTER'],
		run => sub {
			my $name = 'taken_' . ++$serial;
			my ($code, undef, $error) = sql_as($node, <<"SQL");
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, columns)
SELECT '$name', destination, data_source, source, 'unowned', columns
FROM sw_pipelines WHERE name = 'github'
SQL
			return $error if $code != 0;
			wait_running($node, $name);
			$mark_before = mark_of('unowned');
			$release = stop_pipeline($name);
			return 'ok';
		},
		after => sub {
			my ($what) = @_;
			is($mark_before, $may_alter ? "taken_$serial" : '',
				"$what: a table that is there is marked only with ALTER");
			is($release, '', "$what: it is let go of");
			is(mark_of('unowned'), '', "$what: it has no mark afterwards");
		}
	},
	{   name => 'backfill into an empty day',
		needs => [ 'INSERT', @everywhere ],
		prepare => sub { $sandbox->query('TRUNCATE TABLE sensorswave.github') },
		run => sub { run_backfill_of($node, 'github', $day) },
		after => \&loads_rows
	},
	{   name => 'backfill over a day',
		needs => [ 'INSERT', @everywhere ],
		prepare => sub {
			$sandbox->query('TRUNCATE TABLE sensorswave.github');
			$sandbox->query('INSERT INTO sensorswave.github'
				  . ' SELECT * FROM sensorswave.reference');
		},
		run => sub { run_backfill_of($node, 'github', $day) },
		after => \&loads_rows
	},
	{   name => 'backfill into a table without our mark',
		needs => [ 'INSERT', @everywhere ],
		tolerates => ['ALTER'],
		prepare => sub {
			$sandbox->query('TRUNCATE TABLE sensorswave.github');
			$sandbox->query("ALTER TABLE sensorswave.github MODIFY COMMENT 'mine'");
		},
		run => sub { run_backfill_of($node, 'github', $day) },
		after => sub {
			my ($what) = @_;
			my $log = log_of_run('github');
			my $warning = qr/warning: the target's comment cannot be altered: that no other instance writes to it is not checked/;

			is(count_target($sandbox, 'github'), 800, "$what: its rows are there");
			is(mark_of('github'), $may_alter ? 'github' : '',
				"$what: it gets the mark only with ALTER");
			$may_alter
			  ? unlike($log, $warning, "$what: and all is checked")
			  : like($log, $warning, "$what: and the run says what is not checked");
		}
	},
	{   name => 'drop a day with allow_shrink',
		needs => ['ALTER'],
		prepare => \&prepare_emptied,
		run => sub { run_backfill_of($node, 'emptied', $day, allow_shrink => 1) },
		after => sub {
			is(count_target($sandbox, 'emptied'), 0, "$_[0]: the day is gone");
		}
	},
	{   name => 'an empty day without allow_shrink',
		needs => [],
		prepare => \&prepare_emptied,
		run => sub {
			my $told = run_backfill_of($node, 'emptied', $day);
			return $told unless $may_select;
			return $told =~ m{^backfill of $day would shrink .* // Call sw_backfill with allow_shrink}
			  ? 'ok'
			  : "not guarded: $told";
		},
		after => sub {
			my ($what) = @_;
			is(count_target($sandbox, 'emptied'), 800, "$what: the day is as it was");
			like(
				log_of_run('emptied'),
				qr/warning: the source has no rows of that day; what the target has was left alone, since it cannot be counted/,
				"$what: and the run says so"
			) unless $may_select;
		}
	},
	{   name => 'current view',
		needs => [ 'CREATE TABLE', 'DROP TABLE', 'SELECT' ],
		# CREATE OR REPLACE VIEW: the smaller right is asked for.
		asks => { 'CREATE TABLE' => 'CREATE VIEW', 'DROP TABLE' => 'DROP VIEW' },
		prepare => sub { $sandbox->query('DROP TABLE IF EXISTS sensorswave.people_current') },
		run => sub {
			my ($code, $name, $error) =
			  sql_as($node, "SELECT sw_create_current_view('people')");
			return 'ok' if $code == 0 && $name =~ /people_current/;
			my ($message) = $error =~ /ERROR:  (?:\w{5}: )?(.*)/;
			my ($hint) = $error =~ /HINT:  (.*)/;
			return "$message // " . ($hint // '(no hint)');
		}
	});

# ---- the world, made by a user that may do everything ----

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE people (ssid bigint PRIMARY KEY, login_id text, anon_id text,
	properties jsonb, created_at timestamptz, updated_at timestamptz);
CREATE TABLE no_events (LIKE github_events);
SQL
allow('ALL');
create_destination($node, $sandbox, username => $user, password => $password);
create_pipeline($node, 'github');
create_pipeline($node, 'reference');
create_pipeline($node, 'emptied', source => 'no_events');
create_pipeline($node, 'unowned');
create_pipeline(
	$node, 'people',
	data_source => 'users',
	source => 'people',
	columns => undef);
wait_running($node, $_) foreach qw(github reference emptied unowned people);
$node->safe_psql('postgres', "SELECT sw_stop('unowned')");
is(run_backfill_of($node, $_, $day), 'ok', "$_ is filled") foreach qw(github reference);

# ---- the matrix ----

foreach my $column (@columns)
{
	my ($title, $rights) = @$column;
	my %has = map { $_ => 1 } @$rights;

	$may_select = $has{SELECT};
	$may_alter = $has{ALTER};
	foreach my $operation (@operations)
	{
		my $what = "$title: $operation->{name}";
		my ($missing) = grep { !$has{$_} } @{ $operation->{needs} };
		my $asks = $operation->{asks} // {};

		allow('ALL');
		$operation->{prepare}->() if defined $operation->{prepare};
		allow(@$rights);
		my $from = $sandbox->count_log('front');
		my $told = $operation->{run}->();
		if (defined $missing)
		{
			my $begin =
			  defined $operation->{refusal}
			  ? $operation->{refusal}->($missing)
			  : 'a right is missing at the warehouse';
			like($told, qr/^\Q$begin\E/, "$what: fails because of a right");
			like($told, qr{ // \Q${\ grant_for($asks->{$missing} // $missing) }\E\.?$},
				"$what: with the GRANT of $missing");
		}
		else
		{
			is($told, 'ok', "$what: works");
			$operation->{after}->($what) if defined $operation->{after};
		}
		$operation->{always}->($what) if defined $operation->{always};

		# Nothing was tried that nobody needs, but for the look whether the
		# virtual warehouse is there, which may be refused.
		my %needed =
		  map { $_ => 1 } @{ $operation->{needs} },
		  @{ $operation->{tolerates} // [] }, values %$asks, 'SELECT';
		my @refused = grep { !/_sw_probe_of_the_warehouse/ }
		  map { $_->{message} =~ /have grant (.*)/ ? $1 : () }
		  grep { ($_->{code} // 0) == 497 } $sandbox->log_lines('front', $from);
		is_deeply(
			[   grep {
					my $text = $_;
					!grep { $text =~ /^\Q$_\E\b/ } keys %needed
				} @refused
			],
			[],
			"$what: no other right was asked for");
		is(scalar @refused, 0, "$what: none was found missing")
		  if $may_select;
	}
}
is_deeply([ $sandbox->objects ], [], 'no object is left in the store');

# ---- the sandbox's own user of that kind ----

change_destination(
	$node, 'wh',
	username => $sandbox->env('BYTEHOUSE_LEAST_USER'),
	password => $sandbox->env('BYTEHOUSE_LEAST_PASSWORD'));
is(steps_of(test_connection($node, 'wh')), 'ooooooo', 'the least user passes the test');
is(run_backfill_of($node, 'github', $day), 'ok', 'and its backfills work');

$node->stop;
done_testing();
