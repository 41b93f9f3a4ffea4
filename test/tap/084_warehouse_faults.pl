# A warehouse that fails while a day is loaded: each class of failure has the
# outcome it should, and the day has its 800 rows once, whatever happened.
use strict;
use warnings FATAL => 'all';

use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;
use Time::HiRes qw(time);

my $day = '2021-07-21';
my $load = '^INSERT OVERWRITE';
my $sandbox = SensorswaveSandbox->new('warehouse_faults');
# Statistics that change make the server replan, and keep more in its caches.
my $node = make_node('warehouse_faults', $sandbox,
	'autovacuum = off',
	'sensorswave_export.connect_timeout = 3s',
	'sensorswave_export.retry_backoff = 50ms');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);
create_destination($node, $sandbox);
create_pipeline($node, 'github');
wait_running($node, 'github');

# The status of a backfill under a fault, and its runs: status and error each.
sub backfill_under
{
	my (%fault) = @_;
	my $last = $node->safe_psql('postgres', 'SELECT coalesce(max(run_id), 0) FROM sw_runs');
	my $fault = front_fault($sandbox, match => $load, times => 1, %fault);
	my $id = backfill($node, 'github', $day, $day);
	my $status = wait_backfill($node, $id);
	my $hits = front_fault_hits($sandbox, $fault);
	my $runs = $node->safe_psql('postgres',
		    q{SELECT concat_ws(' ', status, error, '//', coalesce(hint, '(no hint)'))}
		  . " FROM sw_runs WHERE run_id > $last ORDER BY run_id");

	clear_front_faults($sandbox);
	return ($status, $hits, split /\n/, $runs);
}

# One statement met the fault, the next attempt put the day right.
sub is_retried
{
	my ($what, $error, %fault) = @_;
	my ($status, $hits, @runs) = backfill_under(%fault);

	is("$status $hits " . scalar(@runs),
		'success 1 2', "$what: the second attempt succeeds");
	like($runs[0], qr/^failed $error/, "$what: the first says why it did not");
	like($runs[0], qr{ // (?!\(no hint\))}, "$what: with a hint");
	like($runs[-1], qr{^success //}, "$what: the second has nothing to say");
	check_sample_rows($node, $sandbox, 'github', $what);
	is_deeply([ $sandbox->objects ], [], "$what: no object is left");
	return;
}

sub is_fatal
{
	my ($what, $error, %fault) = @_;
	my ($status, $hits, @runs) = backfill_under(%fault);

	is("$status $hits " . scalar(@runs),
		'failed 1 1', "$what: fails at once");
	like($runs[0], qr/^failed $error/, "$what: says why");
	is_deeply([ $sandbox->objects ], [], "$what: no object is left");
	is(count_target($sandbox, 'github'), 800, "$what: the day is as it was");
	return;
}

is(run_backfill($node, 'github', $day, $day), 'success', 'a backfill without a fault');

# ---- exceptions that a repeat may cure, before or after execution ----

my @passing = (
	[ 159, 'the statement ran into its time limit at the warehouse' ],
	[ 202, 'the warehouse is too busy' ],
	[ 210, 'parts of the warehouse could not reach each other' ],
	[ 252, 'the target table has too many parts' ],
	[ 499, 'the warehouse could not read from the staging store' ],
	[ 7107, 'the virtual warehouse has no worker for us now' ],
	[ 11002, 'the statement collided with another one' ]);
foreach my $case (@passing)
{
	my ($code, $error) = @$case;
	is_retried("exception $code", qr/\Q$error\E/, fault => 'exception', code => $code);
}

# The outcome is unknown: before execution and after it look the same.
foreach my $code (11003, 11005)
{
	foreach my $when (qw(before after))
	{
		is_retried(
			"exception $code $when execution",
			qr/the warehouse does not know whether the statement took effect/,
			fault => 'exception',
			code => $code,
			when => $when);
	}
}

# ---- exceptions that no repeat cures ----

my @incurable = (
	[ 497, "u: Not enough privileges. To execute this query it's necessary to have grant INSERT(time) ON sensorswave.github",
		qr{a right is missing at the warehouse // Run at the warehouse as an administrator: GRANT INSERT ON sensorswave\.\* TO} ],
	[ 164, 'x', qr/the user may only read at the warehouse/ ],
	[ 60, 'x', qr/the target table does not exist/ ],
	[ 53, 'x', qr/the target table does not fit the statement/ ],
	[ 117, 'x', qr/the warehouse could not understand the staged file/ ],
	[ 499, 'AccessDenied', qr/the warehouse could not read the staged object/ ],
	[ 491, 'x', qr/the warehouse may not read from the address of the staging store/ ],
	[ 48, 'x', qr/the warehouse does not know what the statement needs/ ],
	[ 123456, 'x', qr/the warehouse refused the statement/ ]);
foreach my $case (@incurable)
{
	my ($code, $message, $error) = @$case;
	is_fatal(
		"exception $code ($message)", $error,
		fault => 'exception',
		code => $code,
		message => $message);
}

# ---- connections that break ----

my $lost = qr/(?:lost the connection to the server|the server closed the connection)/;
is_retried('dropped before execution', $lost, fault => 'drop_before');
is_retried('dropped after execution', $lost, fault => 'drop_after');
is_retried('reset before execution', $lost, fault => 'reset');
is_retried('reset after execution', $lost, fault => 'reset', when => 'after');
is_retried('a packet cut in two', $lost, fault => 'truncate');
is_retried('reset while logging in', $lost, match => 'hello', fault => 'reset');
is_retried('dropped at the connection', $lost, match => 'connect', fault => 'drop_before');
is_retried(
	'an exception while logging in',
	qr/the warehouse is too busy/,
	match => 'hello',
	fault => 'exception',
	code => 202);

# ---- time ----

my ($status, $hits, @runs) = backfill_under(fault => 'delay', ms => 2000);
is("$status $hits " . scalar(@runs), 'success 1 1', 'a delay is waited for');
change_settings($node, 'sensorswave_export.statement_timeout' => '5s');
foreach my $when (qw(before after))
{
	is_retried(
		"hanging $when execution",
		qr/the statement took longer than 5 s/,
		fault => 'hang',
		when => $when);
}
is_retried('hanging at the login', qr/the warehouse did not answer in time/,
	match => 'hello', fault => 'hang');

# Nothing of it stays: no session of ours at the engine, no worker.
ok( $node->poll_query_until('postgres',
		'SELECT count(*) = 0 FROM pg_stat_activity'
		  . " WHERE backend_type = 'sensorswave_export worker'"),
	'no worker is left');

# ---- many statements ----

change_settings($node, 'sensorswave_export.statement_timeout' => '1min');

# Kilobytes of memory that a process shares with nobody; undef when it is gone.
sub own_memory
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/smaps_rollup") or return;
	my $sum = 0;
	while (<$file>)
	{
		$sum += $1 if /^(?:Anonymous|Swap): +(\d+) kB/;
	}
	close($file);
	return $sum;
}

my $n_days = 300;
my $from = $sandbox->count_log('front');
my $id = backfill($node, 'github', '2022-01-01', '2022-10-27');
my %memory;
my $pid;
my $deadline = time() + 180;

# What is in use between two windows is the least that is seen over some of them.
while (time() < $deadline)
{
	my ($done, $state, $worker) = split /\|/,
	  $node->safe_psql('postgres', <<"SQL"), -1;
SELECT windows_done, status, (SELECT max(pid) FROM pg_stat_activity
	WHERE backend_type = 'sensorswave_export worker')
FROM sw_backfills WHERE backfill_id = $id
SQL
	last if $state eq 'success' || $state eq 'failed';
	next if $worker eq '';
	my $kb = own_memory($worker) // next;
	push @{ $memory{$worker} }, { done => $done, kb => $kb };
	Time::HiRes::usleep(50_000);
}
is(wait_backfill($node, $id), 'success', "a backfill of $n_days empty days");
is(scalar(keys %memory), 1, 'was the work of one worker');
($pid) = keys %memory;
my @statements = grep { $_->{event} eq 'query' } $sandbox->log_lines('front', $from);
cmp_ok(scalar @statements, '>=', 1000, 'over a thousand statements were sent');
my @seen = sort { $a->{done} <=> $b->{done} } @{ $memory{$pid} };
note('own memory after so many days: '
	  . join(', ', map { "$_->{done}: $_->{kb} kB" } @seen[ map { $_ * $#seen / 10 } 0 .. 10 ]));
my ($early, $late) = map {
	my ($first, $end) = @$_;
	min(map { $_->{kb} } grep { $_->{done} >= $first && $_->{done} < $end } @seen)
} [ $n_days / 10, $n_days / 3 ], [ $n_days * 2 / 3, $n_days ];
ok(defined $early && defined $late, 'its memory was seen early and late');
cmp_ok($late - $early, '<', 160, 'and did not grow');

# ---- many statements over one session ----

# Results, exceptions, and what has neither, 1,000 times.  How packets are cut
# is chance, and may make a buffer grow once; the smallest piece lost each time
# would take more than that.
my @many = (
	'SELECT toString(number), toString(number * 7) FROM numbers(100)',
	"SELECT count(), sum(ssid) FROM sensorswave.github",
	"SELECT 'unfinished",
	'SELECT * FROM sensorswave.nowhere',
	'SET max_threads = 2');
create_module($node);
$from = $sandbox->count_log('front');
my %login = (
	host => '127.0.0.1',
	port => $sandbox->env('BYTEHOUSE_PORT'),
	sslmode => 'verify-full',
	sslrootcert => $sandbox->env('CA_FILE'),
	username => $sandbox->env('BYTEHOUSE_ACCOUNT') . '::' . $sandbox->env('BYTEHOUSE_USER'),
	password => $sandbox->env('BYTEHOUSE_PASSWORD'));
my ($answers, $early_bytes, $late_bytes) =
  run_in_session($node, 1000, \%login, @many);
like($answers, qr/^0\t0\n1\t7\n.*^99\t693\n800\t\d+\nremote \w+: [^\n]*code 62[^\n]*\nmissing \w+: [^\n]*code 60[^\n]*\n\z/ms,
	'results and exceptions');
my %by_session;
$by_session{ $_->{connection} }++
  foreach grep { $_->{event} eq 'query' } $sandbox->log_lines('front', $from);
is_deeply([ values %by_session ], [5000], '5,000 statements over one session');
cmp_ok($late_bytes - $early_bytes, '<', 16 * 1024, 'take the memory of 500');

# ---- what the warehouse says is shown without our secrets ----

my $quoted = $login{password} =~ s/([\\'])/\\$1/gr;
my $protocol = 'protocol never: the warehouse sent a column of a type that cannot be read // The type is';
foreach my $n_bytes (0, 60 .. 100)
{
	my $padding = 'x' x $n_bytes;
	($answers) = run_in_session($node, 1, \%login,
		"SELECT CAST('$padding$quoted' AS Enum8('$padding$quoted' = 1))");
	next if $answers =~ /^\Q$protocol\E "Enum8\('$padding(?:\*{3}'? ?=? ?1?\)?)?"\. /
	  || $answers =~ /^\Q$protocol\E "Enum8\('x{90,}"\. /;
	fail("a type with our password, after $n_bytes bytes: $answers");
}
like($answers, qr/^\Q$protocol\E "Enum8\('x{90,}"\. /, 'a long name of a type is cut');
($answers) = run_in_session($node, 1, \%login, "SELECT CAST('$quoted' AS Enum8('$quoted' = 1))");
like($answers,
	qr{^\Q$protocol\E "Enum8\('\*{3}' = 1\)"\. // Find out whether something},
	'our password in the name of a type');

# What saving a pipeline says of a table that is there.
sub save_on
{
	my ($table) = @_;
	my ($code, undef, $error) = sql_as($node,
		    'INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, columns)'
		  . " SELECT '$table', destination, data_source, source, '$table', columns"
		  . " FROM sw_pipelines WHERE name = 'github'");
	isnt($code, 0, "$table: refused");
	unlike($error, qr/\Q$login{password}\E/, "$table: without our password");
	return $error;
}
$sandbox->query("CREATE TABLE sensorswave.misfit (time Enum8('$quoted' = 1)) ENGINE = MergeTree ORDER BY tuple()");
like(save_on('misfit'), qr/DETAIL:  Differences: column "time" is Enum8\('\*{3}'=1\), needs DateTime64/,
	'the differences are named');
create_pipeline($node, 'made', target_table => 'foreign_mark');
wait_running($node, 'made');
$node->safe_psql('postgres', "SELECT sw_stop('made')");
$node->poll_query_until('postgres', <<'SQL') or die 'the target is not let go';
SELECT NOT holds_target FROM _sensorswave.pipeline_state
JOIN _sensorswave.pipeline USING (pipeline_id) WHERE name = 'made'
SQL
$sandbox->query("ALTER TABLE sensorswave.foreign_mark MODIFY COMMENT 'sensorswave_export: 1/2/3 $quoted'");
like(save_on('foreign_mark'), qr{DETAIL:  Its comment says: 1/2/3 \*{3}\.},
	'the mark of another pipeline is shown');

$node->stop;
done_testing();
