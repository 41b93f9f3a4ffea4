# A large day: the worker's memory stays within its bound however much it
# uploads, the store gets every byte, and in the middle of it all the worker
# ends at once when told to.
#
# The store counts and checks what it gets and drops it, so the load fails;
# what is measured lies before it. With SW_TEST_LONG the day has 5 GiB.
use strict;
use warnings FATAL => 'all';

use List::Util qw(max sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $day = '2021-08-02';
my $n_wanted = ($ENV{SW_TEST_LONG} ? 5120 : 256) * 1024 * 1024;
my $n_rows = 8000;
my $row_bytes = 3250;           # compressed
my $worker_memory = 64 * 1024 * 1024;
my $allowance = 16 * 1024 * 1024;

my $sandbox = SensorswaveSandbox->new('large_upload');
my $node = make_node('large_upload', $sandbox,
	'sensorswave_export.keep_failed_objects = 1d',
	'sensorswave_export.backfill_attempts = 1');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
$sandbox->store('POST', '/sinks', { checksums => 'all' });
create_destination($node, $sandbox, name => 'tos');
create_clickhouse_destination($node, $sandbox, name => 's3');

# Repeated, but from so far away that nothing compresses.
make_noise($node, 'noise', $n_rows, $day);
my $n_copies = int($n_wanted / ($n_rows * $row_bytes)) + 1;
$node->safe_psql('postgres',
	"CREATE VIEW large AS SELECT n.* FROM generate_series(1, $n_copies), noise n");

sub anonymous_bytes
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/status") or return 0;
	my ($kilobytes) = join('', <$file>) =~ /^RssAnon:\s+(\d+) kB/m;
	close $file;
	return ($kilobytes // 0) * 1024;
}

# The most that the worker has while the code says that it goes on.
sub watch
{
	my ($pid, $goes_on) = @_;
	my $most = 0;

	for (my $n = 0;; $n++)
	{
		$most = max($most, anonymous_bytes($pid));
		last if $n % 20 == 0 && !$goes_on->();
		usleep(20_000);
	}
	return $most;
}

sub mb { return sprintf('%.1f MB', $_[0] / 1024 / 1024) }

foreach my $kind (qw(tos s3))
{
	create_pipeline($node, $kind, destination => $kind, source => 'large');
	wait_running($node, $kind);

	# A worker that has not begun: it waits for the warehouse's greeting.
	wait_until("$kind: nobody else works", sub { worker_pid($node, 'worker') eq '' });
	$sandbox->pause('front');
	my $id = backfill($node, $kind, $day, $day);
	wait_until("$kind: the worker logs in", sub {
		$node->safe_psql('postgres',
			"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sensorswave_export worker'"
			  . " AND wait_event_type = 'Extension'") eq '1';
	});
	my $pid = worker_pid($node, 'worker');
	my $idle = anonymous_bytes($pid);
	cmp_ok($idle, '>', 0, "$kind: an idle worker has " . mb($idle));

	my $begin = time();
	$sandbox->resume('front');
	my $most = watch($pid, sub {
		$node->safe_psql('postgres',
			"SELECT finished_at IS NULL FROM sw_backfills WHERE backfill_id = $id") eq 't';
	});
	my $seconds = time() - $begin;
	cmp_ok($most - $idle, '>', 1024 * 1024, "$kind: the worker was watched");
	cmp_ok($most - $idle, '<', $worker_memory + $allowance,
		"$kind: while it uploads, it has " . mb($most - $idle) . ' more at most');

	like(
		$node->safe_psql('postgres',
			"SELECT string_agg(message, ' ' ORDER BY log_id) FROM _sensorswave.run_log"
			  . " WHERE run_id = (SELECT max(run_id) FROM sw_runs WHERE pipeline = '$kind')"),
		qr/uploaded \d+ bytes load begins/,
		"$kind: all was uploaded before the load failed");
	my $n_staged = last_run($node, $kind, 'bytes_staged');
	cmp_ok($n_staged, '>=', $n_wanted,
		"$kind: it staged " . mb($n_staged) . sprintf(' in %.1f s', $seconds));
	my @objects = grep { $_->{key} !~ m{/_lease/} } @{ $sandbox->store('GET', '/objects')->{objects} };
	is(sum0(map { $_->{size} } @objects), $n_staged, "$kind: the store got every byte");
	is(scalar(@objects), last_run($node, $kind, 'files'), "$kind: in as many objects as files");
	is_deeply([ $sandbox->uploads ], [], "$kind: no upload is unfinished");

	# Once more, and told to end in the middle.
	$id = backfill($node, $kind, $day, $day);
	wait_until("$kind: the next upload is under way", sub {
		grep { @{ $_->{parts} } > 2 } @{ $sandbox->store('GET', '/objects')->{uploads} };
	});
	$pid = worker_pid($node, 'worker');
	$node->safe_psql('postgres', "SELECT sw_stop('$kind')");
	$begin = time();
	kill('TERM', $pid) or die "could not signal the worker: $!";
	usleep(2_000) while kill(0, $pid) && time() < $begin + 10;
	$seconds = time() - $begin;
	cmp_ok($seconds, '<', 1, sprintf("$kind: told to end, the worker ends in %.0f ms", $seconds * 1000));
	wait_until("$kind: all is gone", sub { !$sandbox->objects && !$sandbox->uploads });
	is_deeply([ $sandbox->objects ], [], "$kind: no object is left");
	is_deeply([ $sandbox->uploads ], [], "$kind: no upload is left");
}

is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'),
	0, 'no temporary file is left');
$node->stop;
done_testing();
