# The HTTP engine: several requests on their way at once, time-outs, limits,
# and what becomes of it all when somebody cancels.
use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('http');
$node->init;
$node->start;
create_module($node);

my ($in, $out) = ('', '');
my $peer = IPC::Run::start(
	[ $ENV{NODE} // 'node', dirname(__FILE__) . '/../module/peer.mjs' ],
	'<', \$in, '>', \$out, IPC::Run::timeout(120));
$peer->pump until $out =~ /^(\d+)\n/;
my $url = "http://127.0.0.1:$1";

# Requests, all begun before the first is waited for.
sub http
{
	return module_results(
		$node->safe_psql('postgres', call_module('sw_test_http', @_)),
		'request', 'ms');
}

# ---- one after the other, many at once ----

my ($sum, @results) = http(get => "$url/hello");
is_deeply(
	[ @{ $results[0] }{qw(status body x-test)} ],
	[ 200, 'hello', 'world' ],
	'a request has a reply');

($sum, @results) = http(map { (get => "$url/meet?8") } 1 .. 8);
is(join(' ', map { $_->{status} } @results),
	join(' ', (200) x 8), 'eight requests meet at the peer');

($sum, @results) = http(map { (put => "$url/count", bytes => 1_000_000 + $_) } 1 .. 8);
is( join(', ', map { $_->{body} } @results),
	join(', ', map { 1_000_000 + $_ . ' right' } 1 .. 8),
	'eight bodies arrive whole, each at its place');
is(join(' ', map { $_->{sent} } @results),
	join(' ', map { 1_000_000 + $_ } 1 .. 8), 'and are counted');

($sum, @results) = http(serial => 1, map { (get => "$url/meet?1") } 1 .. 20);
is(@results, 20, 'twenty requests, one after the other');
is($results[0]{body}, $results[19]{body}, 'take one connection');

# ---- one of them fails ----

($sum, @results) = http(
	get => "$url/hang", idle_ms => 700,
	get => "$url/delay?1500",
	put => "$url/stall", bytes => 50_000_000, idle_ms => 700,
	put => "$url/count", bytes => 5_000_000,
	get => "$url/hang", idle_ms => 60_000, deadline_ms => 900,
	get => 'http://127.0.0.1:1/',
	get => "$url/drop",
	get => "$url/cut",
	get => "$url/hang", cancel_ms => 300);
like($results[0]{message}, qr/did not reply within 700 ms/, 'a peer that hangs');
is($results[0]{retry}, 'unknown', 'may have done what it was asked to');
is($results[1]{body}, 'late', 'keeps nobody else from being served');
like($results[2]{message}, qr/took no data for 700 ms/, 'a peer that takes no more');
is($results[2]{retry}, 'later', 'has not done it');
cmp_ok($results[2]{sent}, '>', 0, 'it took some');
is($results[3]{body}, '5000000 right', 'while another one took it all');
like($results[4]{message}, qr/did not end in time/, 'a request of limited time');
is($results[5]{failed}, 'connect', 'no peer');
is($results[6]{failed}, 'lost', 'a peer that is gone');
is($results[7]{failed}, 'lost', 'or gone in the middle of its reply');
is($results[8]{cancelled}, 'yes', 'a request that nobody wants any more');
cmp_ok($sum->{ms}, '<', 3000, 'all that takes no longer than the slowest of them');

# ---- limits ----

($sum, @results) = http(
	get => "$url/big?65536",
	get => "$url/big?65537",
	get => "$url/big?300000", max_body => 300_000,
	get => "$url/endless",
	get => "$url/redirect",
	put => "$url/refuse", bytes => 100_000_000,
	put => "$url/count", bytes => 0);
is($results[0]{n_body}, '65536', 'a reply of 64 kB is whole');
is($results[1]{n_body}, '65536 cut', 'more is cut');
is($results[2]{n_body}, '300000', 'unless more was asked for');
is($results[3]{n_body}, '65536 cut', 'an endless one ends');
is($results[4]{status}, 302, 'no redirect is followed');
is($results[5]{status}, 403, 'a body that is refused');
is($results[5]{sent}, 0, 'is not sent');
is($results[6]{body}, '0 right', 'a body of nothing');

# ---- somebody cancels ----

my $many = call_module('sw_test_http', map { (get => "$url/hang", put => "$url/stall",
			bytes => 10_000_000) } 1 .. 8);
my $count_files = q{SELECT 'files ' || count(*) FROM pg_ls_dir('/proc/self/fd')};
my $start = time;
my ($output, $errors) = ('', '');
$node->psql('postgres',
	join(";\n", 'SET statement_timeout = 300', map { ($many, $count_files) } 1 .. 4),
	on_error_stop => 0, stdout => \$output, stderr => \$errors);
my @files = $output =~ /^files (\d+)$/mg;
is(() = $errors =~ /canceling statement/g, 4, 'requests are cancelled');
cmp_ok(time - $start, '<', 4 * 1.3, 'at once');
is($files[3], $files[0], 'which leaves no descriptor behind');
($sum, @results) = http(get => "$url/open");
is($results[0]{body}, 0, 'and no connection');

$in = undef;
$peer->kill_kill;
$node->stop;
done_testing();
