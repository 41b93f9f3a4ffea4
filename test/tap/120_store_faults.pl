# Everything that can go wrong at the store, at each operation: the upload
# succeeds with the right bytes, or fails with the right error and a hint;
# nothing takes longer than its time-outs allow, and nothing is left behind.
#
# A cell is one fault at one operation, met by one backfill. Ten pipelines do
# them, one after another each: half of them stage by TOS, half by S3.
# Which of the two a cell is done by is drawn by SW_TEST_SEED; with
# SW_TEST_LONG it is done by both.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $seed = $ENV{SW_TEST_SEED} // int(time()) % 1_000_000;
note("SW_TEST_SEED=$seed");

my ($large_day, $small_day) = ('2021-08-02', '2021-08-03');
my $lanes_per_kind = 5;
my $longest_s = 20;

my $sandbox = SensorswaveSandbox->new('store_faults');
my $node = make_node('store_faults', $sandbox,
	'max_worker_processes = 24',
	'sensorswave_export.max_workers = 16',
	'sensorswave_export.connect_timeout = 2s',
	'sensorswave_export.request_timeout = 6s',
	'sensorswave_export.backfill_attempts = 1');

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, name => 'tos');
create_clickhouse_destination($node, $sandbox, name => 's3');

# A day whose file is a multipart upload of two parts, and one of a few rows.
make_noise($node, 'noise', 3000, $large_day);
$node->safe_psql('postgres', <<"SQL");
INSERT INTO noise
SELECT 'small' || n, 'made', '{"id": 1, "login": "user"}', '{}',
	timestamptz '$small_day 00:00 Asia/Shanghai' + n * interval '1 second'
FROM generate_series(1, 10) n;
SQL

# ---- the lanes ----

my @lanes;
foreach my $kind (qw(tos s3))
{
	foreach my $number (1 .. $lanes_per_kind)
	{
		my $name = "$kind$number";
		create_pipeline($node, $name, destination => $kind, source => 'noise');
		wait_running($node, $name);
		my $id = $node->safe_psql('postgres',
			"SELECT pipeline_id FROM _sensorswave.pipeline WHERE name = '$name'");
		push @lanes, { name => $name, kind => $kind, keys => "sensorswave/$id/" };
	}
}

# What a lane's target holds of its day, whatever the order.
sub bytes_of
{
	my ($lane) = @_;
	return $sandbox->query('SELECT count(), groupBitXor(cityHash64(trace_id, login_id, toString(properties)))'
		  . " FROM sensorswave.$lane->{name} WHERE toDate(time, 'Asia/Shanghai') = '$lane->{day}'");
}

# Begin a backfill of the day in each lane.
sub begin_all
{
	my (@some) = @_;
	my @ids = split /\n/, $node->safe_psql('postgres',
		join(';', map { "SELECT sw_backfill('$_->{name}', '$_->{day}', '$_->{day}')" } @some));

	$_->{backfill_id} = shift @ids foreach @some;
	return;
}

# Those of the lanes whose backfills have ended; results are put into them.
sub ended
{
	my (@some) = @_;
	my @ended;

	return () unless @some;
	foreach my $line (split /\n/, $node->safe_psql('postgres',
			    'SELECT b.pipeline, b.status, extract(epoch FROM b.finished_at - b.started_at),'
			  . ' max(run_id), b.error, b.hint'
			  . ' FROM sw_backfills b JOIN sw_backfill_windows USING (backfill_id)'
			  . ' WHERE b.finished_at IS NOT NULL AND backfill_id IN ('
			  . join(',', map { $_->{backfill_id} } @some)
			  . ') GROUP BY 1, 2, 3, 5, 6'))
	{
		my ($name, $status, $took, $run_id, $error, $hint) = split /\|/, $line, -1;
		my ($lane) = grep { $_->{name} eq $name } @some;
		@$lane{qw(status seconds run_id error)} = ($status, $took, $run_id, "$error // $hint");
		push @ended, $lane;
	}
	return @ended;
}

sub backfill_all
{
	my (@some) = @_;

	begin_all(@some);
	wait_until('all backfills end', sub { ended(@some) == @some }, 3 * $longest_s);
	return;
}

my %right_bytes;
foreach my $day ($large_day, $small_day)
{
	my $from = $sandbox->count_log('store');
	$_->{day} = $day foreach @lanes;
	backfill_all(@lanes);
	is($_->{status}, 'success', "$_->{name}: $day without faults") foreach @lanes;
	$right_bytes{$day} = bytes_of($lanes[0]);
	is(bytes_of($_), $right_bytes{$day}, "$_->{name}: the same bytes everywhere")
	  foreach @lanes;
	my %ops = map { ($_->{operation} // '') => 1 } $sandbox->log_lines('store', $from);
	ok($ops{ $day eq $large_day ? 'UploadPart' : 'PutObject' }, "$day goes the way it is meant to");
}
like($right_bytes{$large_day}, qr/^3000\t/, 'the large day has its rows');
like($right_bytes{$small_day}, qr/^10\t/, 'the small day has its rows');

# ---- the cells: [ what, day, expected, faults ] ----

my $timed_out = qr{(?:did not reply within|took no data for).* // Check};
my $refused = qr{AccessDenied.* // .*(?:rights|Grant)}i;
my $no_bucket = qr{NoSuchBucket.* // .*stage_bucket};
my $anything = qr{. // [A-Z]};

my %once = (
	'500' => [ 'success', fault => 'error', status => 500, code => 'InternalError' ],
	'503' => [ 'success', fault => 'error', status => 503, code => 'ServiceUnavailable', retry_after => 1 ],
	'429' => [ 'success', fault => 'error', status => 429, code => 'TooManyRequests' ],
	'403' => [ $refused, fault => 'error', status => 403, code => 'AccessDenied' ],
	'404' => [ $no_bucket, fault => 'error', status => 404, code => 'NoSuchBucket' ],
	'delay' => [ 'success', fault => 'delay', ms => 500 ],
	'truncated request' => [ 'success', fault => 'truncate_request', after_bytes => 1000 ],
	'truncated reply' => [ 'success', fault => 'truncate_reply' ],
	'drop' => [ 'success', fault => 'drop' ],
	'drop after store' => [ 'success', fault => 'drop_after' ],
	'hang' => [ 'success', fault => 'hang' ],
	'hang after store' => [ 'success', fault => 'hang_after' ],
	'corrupt CRC' => [ 'success', fault => 'corrupt_crc' ],
	'corrupt ETag' => [ 'either', fault => 'corrupt_etag' ],
	'HTML' => [ 'success', fault => 'error', status => 502, body => 'html' ],
	'HTML as success' => [ 'success', fault => 'error', status => 200, body => 'html' ],
	'1 MB of complaint' => [ 'success', fault => 'error', status => 500, body => 'big' ],
	'empty complaint' => [ 'success', fault => 'error', status => 500, body => 'empty' ]);
my %always = (
	'500' => [ qr{InternalError.* // }, fault => 'error', status => 500, code => 'InternalError' ],
	'503' => [ qr{ServiceUnavailable.* // }, fault => 'error', status => 503, code => 'ServiceUnavailable' ],
	'drop' => [ qr{connection.* // }i, fault => 'drop' ],
	'truncated reply' => [ 'either', fault => 'truncate_reply' ],
	'hang' => [ $timed_out, fault => 'hang' ],
	'HTML' => [ qr{502.* // }, fault => 'error', status => 502, body => 'html' ]);

my @cells;

sub cell
{
	my ($what, $day, $expected, @faults) = @_;
	push @cells, { what => $what, day => $day, expected => $expected, faults => \@faults };
	return;
}

my %day_of = (PUT => $small_day, CREATE => $large_day, PART => $large_day, COMPLETE => $large_day);
foreach my $op (sort keys %day_of)
{
	foreach my $name (sort keys %once)
	{
		my ($expected, %fault) = @{ $once{$name} };
		next if $name =~ /^corrupt/ && $op eq 'CREATE';
		cell("$op: $name", $day_of{$op}, $expected, { %fault, op => $op, times => 1 });
	}
	foreach my $name (sort keys %always)
	{
		my ($expected, %fault) = @{ $always{$name} };
		cell("$op: $name always", $day_of{$op}, $expected, { %fault, op => $op });
	}
}
cell('PART: 400', $large_day, 'success',
	{ op => 'PART', times => 1, fault => 'error', status => 400, code => 'InvalidArgument' });
cell('PART: slow', $large_day, 'success',
	{ op => 'PART', times => 1, fault => 'slow', bytes_per_second => 4_000_000 });
cell('PUT: slow', $small_day, 'success',
	{ op => 'PUT', times => 1, fault => 'slow', bytes_per_second => 5_000 });

# A failure that leaves an upload to abort; what then happens to the abort.
my %refused_part = (op => 'PART', part => 2, fault => 'error', status => 403, code => 'AccessDenied');
foreach my $name ('500', '503', '429', '403', 'delay', 'drop', 'drop after store', 'hang',
	'truncated reply', 'HTML', 'empty complaint')
{
	my (undef, %fault) = @{ $once{$name} };
	cell("ABORT: $name", $large_day, $refused,
		{%refused_part}, { %fault, op => 'ABORT', times => 1 });
}

# A reply to COMPLETE that is lost, and what then happens to the question.
foreach my $name ('500', '503', '429', '403', 'delay', 'drop', 'drop after store', 'HTML')
{
	my ($expected, %fault) = @{ $once{$name} };
	cell("HEAD: $name", $large_day, $name eq '403' ? 'either' : $expected,
		{ op => 'COMPLETE', times => 1, fault => 'drop_after' },
		{ %fault, op => 'HEAD', times => 1 });
}

# A deletion that fails does not make the run fail.
foreach my $name ('500', '503', '429', '403', '404', 'delay', 'drop', 'drop after store',
	'hang', 'hang after store', 'truncated reply', 'HTML', 'HTML as success')
{
	my (undef, %fault) = @{ $once{$name} };
	cell("DELETE: $name", $small_day, 'success', { %fault, op => 'DELETE', times => 1 });
}
cell('DELETE: 500 always', $small_day, 'success',
	{ op => 'DELETE', fault => 'error', status => 500, code => 'InternalError' });

# ---- they are met ----

# Objects and uploads of a lane's last run that are in the store.
sub left_of
{
	my ($lane) = @_;
	my $keys = "$lane->{keys}$lane->{run_id}-";
	return grep { index($_, $keys) == 0 } $sandbox->objects, $sandbox->uploads;
}

sub check_cell
{
	my ($lane) = @_;
	my $cell = $lane->{cell};
	my $what = "$lane->{kind}: $cell->{what}";

	if ($lane->{status} eq 'success')
	{
		ok(!ref $cell->{expected}, "$what: succeeds");
		is(bytes_of($lane), $right_bytes{ $cell->{day} }, "$what: with the right bytes");
	}
	else
	{
		is($lane->{status}, 'failed', "$what: fails");
		like($lane->{error}, ref $cell->{expected} ? $cell->{expected}
			: $cell->{expected} eq 'either' ? $anything : qr/^no error was expected$/,
			"$what: with the right error");
	}
	cmp_ok($lane->{seconds}, '<', $longest_s, "$what: in time");
	$lane->{settled_by} = time() + 10;
	return;
}

sub begin_cell
{
	my ($lane, $cell) = @_;

	$lane->{cell} = $cell;
	$lane->{day} = $cell->{day};
	$lane->{faults} =
	  [ map { $sandbox->fault(%$_, match => "^$lane->{keys}") } @{ $cell->{faults} } ];
	begin_all($lane);
	return;
}

# A run that has failed tidies up after that.
sub is_settled
{
	my ($lane) = @_;
	my $what = "$lane->{kind}: $lane->{cell}->{what}";
	my @unmet = grep { !$sandbox->fault_hits($_) } @{ $lane->{faults} };
	my @left = $lane->{cell}->{what} =~ /^(?:DELETE|ABORT)/ ? () : left_of($lane);

	return 0 if (@unmet || @left) && time() < $lane->{settled_by};
	is(scalar @unmet, 0, "$what: each fault was met");
	is_deeply(\@left, [], "$what: nothing is left");
	$sandbox->clear_fault($_) foreach @{ $lane->{faults} };
	delete @$lane{qw(cell settled_by)};
	return 1;
}

# What has to wait and what has to work takes turns.
my @waiting = grep { $_->{what} =~ /hang|always/ } @cells;
my @working = grep { $_->{what} !~ /hang|always/ } @cells;
my $drawn = 0;
my %cells_of = (tos => [], s3 => []);
while (my @some = (splice(@waiting, 0, 1), splice(@working, 0, 2)))
{
	foreach my $cell (@some)
	{
		my @kinds = $ENV{SW_TEST_LONG} ? qw(tos s3) : (qw(tos s3))[ ($seed + $drawn++) % 2 ];
		push @{ $cells_of{$_} }, $cell foreach @kinds;
	}
}
while (1)
{
	foreach my $lane (grep { !$_->{cell} } @lanes)
	{
		my $cell = shift @{ $cells_of{ $lane->{kind} } } or next;
		begin_cell($lane, $cell);
	}
	my @busy = grep { $_->{cell} } @lanes or last;
	check_cell($_) foreach ended(grep { !$_->{settled_by} } @busy);
	is_settled($_) foreach grep { $_->{settled_by} } @busy;
	usleep(50_000);
}

# ---- and nothing is left after the sweep ----

$node->safe_psql('postgres',
	'UPDATE _sensorswave.staged_object SET delete_after = now() WHERE NOT is_deleted');
$_->{day} = $small_day foreach @lanes;
backfill_all(@lanes);
is($_->{status}, 'success', "$_->{name}: works as before") foreach @lanes;
wait_until('the sweep is done',
	sub { $node->safe_psql('postgres', 'SELECT sum(objects_left) FROM sw_runs') eq '0' });
is_deeply([ $sandbox->objects ], [], 'no object is left');
is_deeply([ $sandbox->uploads ], [], 'no upload is left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'),
	0, 'no temporary file is left');

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP:|PANIC: /, 'no assertion failed');
done_testing();
