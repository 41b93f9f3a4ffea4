# Uploads by themselves: bytes that come into being on the way, several at
# once, lost replies, cancels. What the pipelines make of them is tested with
# these. With SW_TEST_LONG also 5 GiB.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveSandbox;
use Test::More;
use Time::HiRes qw(time usleep);

my $mib = 1024 * 1024;
my $sandbox = SensorswaveSandbox->new('upload');
my $node = PostgreSQL::Test::Cluster->new('upload');
$node->init;
$node->start;
create_module($node);

# Options of a store of that kind: TOS as from afar, S3 on a plain port.
sub store_options
{
	my ($kind) = @_;
	my @options = (kind => $kind,
		map { (lc($_) => $sandbox->env("STORE_$_")) } qw(ACCESS_KEY SECRET_KEY REGION BUCKET));
	return (@options, endpoint => 'http://127.0.0.1:' . $sandbox->env('STORE_PORT'))
	  if $kind eq 's3';
	return (@options, endpoint => $sandbox->env('STORE_ENDPOINT'),
		proxy => $sandbox->env('STORE_PROXY'), ca_file => $sandbox->env('CA_FILE'));
}

sub upload
{
	my ($kind, @options) = @_;
	my $sql = call_module('sw_test_upload', store_options($kind), part_bytes => 5 * $mib,
		@options);
	return module_results($node->safe_psql('postgres', $sql), 'id', 'ms');
}

# What the store has: objects by key, and the number of unfinished uploads.
sub store_content
{
	my $content = $sandbox->_admin('store', 'GET', '/objects');
	my %objects = map { $_->{key} => $_ } @{ $content->{objects} };
	return (\%objects, scalar @{ $content->{uploads} });
}

sub empty_store
{
	$sandbox->clear_faults;
	$sandbox->_admin('store', 'DELETE', '/objects');
	return;
}

# Is the object there as it was sent, and nothing else?
sub arrived
{
	my ($result, $key, $n_bytes, $what) = @_;
	my ($objects, $n_uploads) = store_content();
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is( join(' ', map { "$_ $objects->{$_}{size} $objects->{$_}{crc64}" } keys %$objects),
		"$key $n_bytes " . ($result->{crc64} // 'none'), "$what: the bytes that were sent");
	is($n_uploads, 0, "$what: no unfinished upload");
	return;
}

foreach my $kind (qw(tos s3))
{
	# ---- sizes around those of parts ----

	foreach my $case ([ 0, 0 ], [ 1, 0 ], [ 5 * $mib, 0 ], [ 5 * $mib + 1, 2 ],
		[ 10 * $mib, 2 ], [ 23 * $mib + 7, 5 ])
	{
		my ($n_bytes, $n_parts) = @$case;
		empty_store();
		my ($sum, $result) = upload($kind, key => "a/$kind", bytes => $n_bytes);
		is($result->{parts}, $n_parts, "$kind, $n_bytes bytes: in $n_parts parts");
		is($result->{released}, $n_bytes, 'all of them are released');
		arrived($result, "a/$kind", $n_bytes, 'and there');
	}

	# ---- bytes that come into being ----

	empty_store();
	my ($sum, $result) = upload($kind, key => 'b/steps', bytes => 21 * $mib,
		step_bytes => 1 * $mib, pause_ms => 20);
	isnt($result->{id}, '', "$kind: an upload begins before its last byte is there");
	is($result->{done_before}, 0, 'it is not done before somebody says that it ends');
	arrived($result, 'b/steps', 21 * $mib, 'in steps');

	empty_store();
	($sum, $result) = upload($kind, key => 'b/early', bytes => 21 * $mib, step_bytes => 3 * $mib,
		pause_ms => 300, end_early => 1);
	arrived($result, 'b/early', 21 * $mib, 'with an end that is told');

	# ---- several at once ----

	empty_store();
	my @results;
	($sum, @results) = upload($kind, key => 'c/many', uploads => 5, bytes => 11 * $mib,
		step_bytes => 4 * $mib, parts => 3);
	my ($objects, $n_uploads) = store_content();
	is(scalar @results, 5, "$kind: five uploads of one store");
	is( join(' ', map { $objects->{"c/many-$_"}{crc64} } 0 .. 4),
		join(' ', map { $_->{crc64} } @results), 'each has its bytes');
	is($n_uploads, 0, 'and is finished');

	# ---- replies that are lost ----

	foreach my $case (
		[ 'PART', 'drop_after' ], [ 'CREATE', 'drop_after' ], [ 'COMPLETE', 'drop_after' ],
		[ 'COMPLETE', 'hang_after' ], [ 'COMPLETE', 'truncate_reply' ], [ 'PART', 'hang' ])
	{
		my ($op, $fault) = @$case;
		empty_store();
		my $id = $sandbox->fault(op => $op, fault => $fault, times => 1);
		($sum, $result) = upload($kind, key => 'd/lost', bytes => 11 * $mib, idle_ms => 6000);
		is($sandbox->fault_hits($id), 1, "$kind, $op: $fault");
		arrived($result, 'd/lost', 11 * $mib, 'is got over');
	}

	# ---- failures that stay ----

	empty_store();
	$sandbox->fault(op => 'PART', fault => 'error', status => 503, code => 'SlowDown', part => 2);
	($sum, $result) = upload($kind, key => 'e/fails', bytes => 11 * $mib, idle_ms => 2000);
	is($sum->{status}, 'failed', "$kind: a part that is always refused");
	like($result->{message}, qr/refused to put a part of "e\/fails": SlowDown/, 'says so');
	like($result->{detail}, qr/Tried \d times/, 'and how often it was tried');
	is($result->{retry}, 'later', 'another run may have more luck');
	($objects, $n_uploads) = store_content();
	is(scalar(keys %$objects) + $n_uploads, 0, 'and it leaves nothing behind');

	empty_store();
	$sandbox->fault(op => 'PART', fault => 'error', status => 403, code => 'AccessDenied');
	($sum, $result) = upload($kind, key => 'e/denied', bytes => 110 * $mib,
		step_bytes => 6 * $mib, pause_ms => 50);
	like($sum->{advance}, qr/denied/, "$kind: what no repeat can cure fails on the way");

	# ---- nobody wants it any more ----

	foreach my $pause_ms (0, 100)
	{
		empty_store();
		($sum, $result) = upload($kind, key => 'f/aborted', bytes => 50 * $mib,
			step_bytes => 6 * $mib, abort_at => 30 * $mib, pause_ms => $pause_ms);
		isnt($result->{id}, '', "$kind: an upload that is aborted in the middle")
		  if $pause_ms > 0;
		is($result->{aborted}, 'yes', "$kind: is aborted");
		($objects, $n_uploads) = store_content();
		is(scalar(keys %$objects) + $n_uploads, 0, 'and leaves nothing behind');
	}
}

# ---- a key with few rights ----

empty_store();
$sandbox->fault(op => 'PART', fault => 'error', status => 400, code => 'InvalidArgument');
my ($sum, $result) = upload('tos', key => 'g/least', bytes => 11 * $mib, idle_ms => 1500,
	access_key => $sandbox->env('STORE_LEAST_ACCESS_KEY'),
	secret_key => $sandbox->env('STORE_LEAST_SECRET_KEY'));
is($result->{failed}, 'store', 'an upload that fails');
is($result->{aborted}, 'denied', 'and may not be aborted, says so');
my ($objects, $n_uploads) = store_content();
is($n_uploads, 1, 'it stays');

# ---- somebody cancels ----

empty_store();
$sandbox->fault(op => 'PART', fault => 'hang');
my $start = time;
my ($status, $output, $errors) = $node->psql('postgres', 'SET statement_timeout = 700; '
	  . call_module('sw_test_upload', store_options('tos'), key => 'h/cancelled',
		bytes => 200 * $mib, idle_ms => 60_000));
like($errors, qr/canceling statement/, 'an upload is cancelled');
cmp_ok(time - $start, '<', 1.7, 'at once');

# ---- 5 GiB ----

if ($ENV{SW_TEST_LONG})
{
	foreach my $kind (qw(tos s3))
	{
		empty_store();
		$sandbox->_admin('store', 'POST', '/sinks', { prefix => 'long/',
				checksums => $kind eq 'tos' ? 'crc64' : 'md5' });
		($sum, $result) = upload($kind, key => "long/$kind", bytes => 5 * 1024 * $mib,
			part_bytes => 0, step_bytes => 3 * $mib, idle_ms => 60_000);
		is($sum->{status}, 'ok', "$kind: 5 GiB");
		is($result->{parts}, 640, 'in parts of 8 MiB');
		is($result->{released}, 5 * 1024 * $mib, 'all of them released');
		cmp_ok($sum->{memory_kb}, '<', 16 * 1024, 'take less than 16 MiB of memory');
		note("$sum->{memory_kb} kB, $sum->{cpu_s} s of CPU, $sum->{ms} ms");
	}
}

$node->stop;
done_testing();
