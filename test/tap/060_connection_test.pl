# sw_test_connection: what it says of a destination that is right, and of one
# that is wrong in one thing at a time; when it says it; and that it leaves
# nothing behind, whatever ends it.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $sandbox = SensorswaveSandbox->new('connection_test');
my $node = make_node('connection_test', $sandbox,
	'sensorswave_export.connect_timeout = 3s');
my $database = $sandbox->env('BYTEHOUSE_DATABASE');
my $warehouse = $sandbox->env('BYTEHOUSE_WAREHOUSE');
my %wrong = (
	password => q{wrong-secret'pass\word},
	api_key => q{wrong-secret-api-key:"},
	stage_secret_key => q{wrong+secret/'store\key==},
	expired => q{outdated-secret'key"});
my @names = (
	'TCP connect', 'authentication', 'virtual warehouse', 'database',
	'create table', 'write to the store', 'read from the store');
my $said = '';	# all that was ever told

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox);

# ---- helpers ----

# SQL that makes a session see the destination "wh" with other values, without
# a commit.
sub changed
{
	my (%columns) = @_;
	return '' unless %columns;
	return 'BEGIN; UPDATE sw_destinations SET '
	  . join(', ', map { "$_ = " . quote_text($columns{$_}) } sort keys %columns)
	  . " WHERE name = 'wh';";
}

my $discreet = 'SET log_min_error_statement = panic;';
my $call = "SELECT concat_ws('|', step, name, status, elapsed_ms > 0, detail, hint)"
  . " FROM sw_test_connection('wh');";

# Run it; returns the rows as hashes, and the text of the NOTICEs.
sub test_connection
{
	my ($sql) = @_;
	my ($code, $out, $err) = sql_as($node, <<"SQL");
$discreet
$sql
SELECT step, name, status, elapsed_ms, '<' || coalesce(detail, '') || '>',
	'<' || coalesce(hint, '') || '>'
FROM sw_test_connection('wh');
SQL

	$said .= "$out\n$err\n";
	is($code, 0, 'the call itself succeeds') or diag($err);
	my @rows = map {
		my %row;
		@row{qw(step name status elapsed detail hint)} = split /\|/, $_, 6;
		\%row;
	} split /\n/, $out;
	return (\@rows, $err);
}

sub statuses
{
	return join(' ', map { $_->{status} } @{ $_[0] });
}

sub errands
{
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sensorswave_export errand'");
}

sub probe_tables
{
	return $sandbox->query(
		q{SELECT name FROM system.tables WHERE name LIKE '\\\\_sw\\\\_probe\\\\_%'});
}

# Within a moment there is nothing left of a test.
sub leaves_nothing
{
	my ($what, $seconds) = @_;
	my @left;
	my $is_clean = wait_until(
		"$what: nothing is left",
		sub {
			@left = grep { $_ ne '0' && $_ ne '' }
			  (errands(), probe_tables(), join(' ', $sandbox->objects));
			return !@left;
		},
		$seconds // 10);
	ok($is_clean, "$what: neither worker, nor probe table, nor object is left")
	  or diag("left: @left");
	return;
}

# The step given fails with detail and hint, those before are ok, the rest is
# skipped.
sub fails
{
	my ($what, $sql, $step, $detail, $hint, %options) = @_;
	my $has_warehouse = $options{warehouse} // 1;
	my $name = $names[ $step - 1 ];
	my ($rows, $notices) = test_connection($sql);
	my @expected = ('ok') x 7;

	$expected[2] = 'skipped' unless $has_warehouse;
	$expected[$step - 1] = 'failed';
	@expected[ $step .. 6 ] = ('skipped') x (7 - $step);
	is(statuses($rows), "@expected", "$what: step $step fails")
	  or diag($notices);
	like($rows->[ $step - 1 ]{detail} // '', $detail, "$what: the cause");
	like($rows->[ $step - 1 ]{hint} // '', $hint, "$what: the remedy");
	like($notices, qr/NOTICE:  $step $name: failed \(\d+ ms\)\nDETAIL:  .+\nHINT:  .+/,
		"$what: the NOTICE says both");
	is(probe_tables(), '', "$what: no probe table is left");
	is(join(' ', $sandbox->objects), '', "$what: no probe object is left");
	return;
}

# A user of the front with these grants; returns SQL that uses it.
sub as_user
{
	my (%user) = @_;
	my $password = 'partial-secret';

	$sandbox->front('POST', '/users',
		{ name => 'partial', password => $password, %user });
	return changed(username => 'partial', password => $password);
}

# ---- all is well ----

my ($rows, $notices) = test_connection('');
is(statuses($rows), 'ok ok ok ok ok ok ok', 'all seven steps succeed');
is(join(', ', map { "$_->{step} $_->{name}" } @$rows),
	join(', ', map { ($_ + 1) . " $names[$_]" } 0 .. 6), 'in their order');
is(scalar(grep { $_->{elapsed} =~ /^\d+\.\d{3}$/ && $_->{elapsed} > 0 } @$rows),
	7, 'each with its time');
is(scalar(() = $notices =~ /NOTICE:  \d [\w ]+: ok \(\d+ ms\)$/mg),
	7, 'each is a NOTICE, too');
like($rows->[0]{detail}, qr/^<127\.0\.0\.1:\d+>$/, 'step 1 names the address');
like($rows->[1]{detail}, qr/^<ByteHouse [\d.]+, protocol revision 54448>$/, 'step 2 the server');
is($rows->[2]{detail}, "<$warehouse>", 'step 3 the warehouse');
is($rows->[3]{detail}, "<$database>", 'step 4 the database');
like($rows->[5]{detail}, qr/^<\d+ bytes in bucket sensorswave>$/, 'step 6 the bucket');
is($rows->[6]{detail}, '<3 rows read back unchanged>', 'step 7 what was read');
leaves_nothing('a test that succeeds');

($rows) = test_connection(changed(virtual_warehouse => undef));
is(statuses($rows), 'ok ok skipped ok ok ok ok',
	'without a virtual warehouse step 3 is skipped, of a row not yet committed');
like($rows->[2]{detail}, qr/user's default is used/, 'and says why');
($rows) = test_connection(changed(
		auth_type => 'iam', api_key => $sandbox->env('BYTEHOUSE_API_KEY')));
is(statuses($rows), 'ok ok ok ok ok ok ok', 'an API key does as well');
($rows) = test_connection(changed(
		port => $sandbox->env('BYTEHOUSE_PLAIN_PORT'), sslmode => 'disable'));
is(statuses($rows), 'ok ok ok ok ok ok ok', 'a port without TLS does if sslmode says so');
foreach my $revision (54406, 54412)
{
	($rows) = test_connection(changed(
			port => $sandbox->env("BYTEHOUSE_REV${revision}_PORT")));
	is(statuses($rows), 'ok ok ok ok ok ok ok', "so does a server of revision $revision");
	like($rows->[1]{detail}, qr/revision $revision>/, 'which is named');
}

($rows) = test_connection(changed(
		username => $sandbox->env('BYTEHOUSE_LEAST_USER'),
		password => $sandbox->env('BYTEHOUSE_LEAST_PASSWORD')));
is(statuses($rows), 'ok ok ok ok ok ok ok',
	'a user with the grants that the manual asks for, and no SELECT, is enough');

# A destination that is not even committed.
my $columns = 'kind, host, port, database, virtual_warehouse, account_id, username,'
  . ' sslrootcert, stage_endpoint, stage_region, stage_bucket, stage_access_key';
($rows) = test_connection(<<"SQL");
BEGIN;
UPDATE sw_destinations SET name = 'old';
INSERT INTO sw_destinations (name, $columns, password, stage_secret_key)
SELECT 'wh', $columns, ${\ quote_text($sandbox->env('BYTEHOUSE_PASSWORD'))},
	${\ quote_text($sandbox->env('STORE_SECRET_KEY'))} FROM sw_destinations;
SQL
is(statuses($rows), 'ok ok ok ok ok ok ok', 'a new row is tested before it is committed');
leaves_nothing('a test of a new row');

# ---- one thing wrong at a time: the connection ----

my $no_port = PostgreSQL::Test::Cluster::get_free_port();
my $others_certificate = $sandbox->env('CA_FILE') =~ s/ca\.pem$/store.pem/r;
my $front_port = sub { $sandbox->env("BYTEHOUSE_$_[0]_PORT") };

fails('a wrong host', changed(host => 'no-such-host.invalid'), 1,
	qr/could not find the address of host/, qr/Check the host name/);
fails('a host without a warehouse', changed(host => '127.0.0.2'), 1,
	qr/could not connect to .*127\.0\.0\.2/, qr/Check host and port.*public access/);
fails('a wrong port', changed(port => $no_port), 1,
	qr/could not connect to .*$no_port/, qr/Check host and port.*public access/);
fails('a plain port', changed(port => $front_port->('PLAIN')), 1,
	qr/does not speak TLS on this port/, qr/Check the port, or set sslmode to "disable"/);
fails('a TLS port without TLS', changed(sslmode => 'disable'), 2,
	qr/closed|did not answer|lost/, qr/whether it expects TLS \(sslmode\)/);
fails('certificates of somebody else', changed(sslrootcert => $others_certificate), 1,
	qr/authority that is not trusted/, qr/Set sslrootcert/);
fails('a file of certificates that is not there', changed(sslrootcert => '/nonexistent/ca.pem'),
	1, qr{/nonexistent/ca\.pem}, qr/Set sslrootcert to a file/);
fails('an expired certificate', changed(port => $front_port->('EXPIRED')), 1,
	qr/certificate of .* has expired/, qr/certificate of the server renewed/);
fails('a certificate for another host', changed(port => $front_port->('WRONG_HOST')), 1,
	qr/certificate is not for (address|host) "127\.0\.0\.1"/, qr/that the certificate of the server contains/);
fails('a certificate signed by nobody', changed(port => $front_port->('SELF_SIGNED')), 1,
	qr/signed by nobody but itself/, qr/Set sslrootcert/);

# ---- the login ----

my $login_remedy = qr/Check account id, user name and password, or the API key: it expires/;
my $refused = qr/^<the warehouse refused the login: The warehouse says \(code 516\): /;
fails('a wrong account', changed(account_id => '2199999999'), 2, $refused, $login_remedy);
fails('a wrong user name', changed(username => 'nobody'), 2, $refused, $login_remedy);
fails('a wrong password', changed(password => $wrong{password}), 2, $refused, $login_remedy);
fails('a wrong API key', changed(auth_type => 'iam', api_key => $wrong{api_key}), 2,
	$refused, $login_remedy);
$sandbox->front('POST', '/users',
	{ name => 'expired', apiKey => $wrong{expired}, password => $wrong{expired}, expired => JSON::PP::true });
fails('an expired API key', changed(auth_type => 'iam', api_key => $wrong{expired}), 2,
	qr/API key has expired/, $login_remedy);
fails('an expired password', changed(username => 'expired', password => $wrong{expired}), 2,
	qr/password has expired/, $login_remedy);

# ---- warehouse, database, edition ----

my $warehouse_remedy = qr/Set virtual_warehouse to the id shown in the console/;
my @all = ('ALL');
fails('an unknown virtual warehouse', changed(virtual_warehouse => 'vw-2100000000-nowhere'),
	3, qr/does not exist or may not be used: .*code 5025/, $warehouse_remedy);
fails('a forbidden virtual warehouse', as_user(grants => \@all, warehouses => ['vw-other']),
	3, qr/does not exist or may not be used: .*code 497/, $warehouse_remedy);
fails('a missing database', changed(database => 'nowhere'),
	4, qr/the database does not exist at the warehouse: .*code 81/, qr/Create the database, or correct its name/);

my $edition = qr/Kind "bytehouse" needs ByteHouse Cloud/;
$sandbox->front('POST', '/behaviour', { edition => 'enterprise' });
fails('the enterprise edition', '', 3, qr/not a ByteHouse cloud data warehouse/, $edition);
fails('the enterprise edition without a warehouse', changed(virtual_warehouse => undef), 5,
	qr/not a ByteHouse cloud data warehouse/, $edition, warehouse => 0);
$sandbox->front('DELETE', '/behaviour');

# This ClickHouse knows a user of the name that API keys go with.
fails('a plain ClickHouse',
	changed(port => $sandbox->env('CLICKHOUSE_TLS_PORT'), auth_type => 'iam',
		api_key => $sandbox->env('CLICKHOUSE_PASSWORD')),
	2, qr/not a ByteHouse cloud data warehouse/, $edition);

# ---- grants, each missing in turn ----

my @database_rights = ('CREATE TABLE', 'DROP TABLE', 'INSERT', 'ALTER');
my @global_rights = ('S3', 'CREATE TEMPORARY TABLE');

sub with_rights
{
	my ($without) = @_;
	return as_user(grants => [
		join(', ', grep { $_ ne $without } @database_rights) . " ON $database.*",
		join(', ', grep { $_ ne $without } @global_rights) . ' ON *.*' ]);
}

($rows) = test_connection(with_rights('none'));
is(statuses($rows), 'ok ok ok ok ok ok ok', 'with all rights that are tried one by one it succeeds');
foreach my $right (@database_rights)
{
	fails("no $right", with_rights($right), 5,
		qr/^<a right is missing at the warehouse: .*code 497/,
		qr/^<Run at the warehouse as an administrator: GRANT \Q$right\E ON \Q$database\E\.\* TO `partial`>$/);
}
foreach my $right (@global_rights)
{
	fails("no $right", with_rights($right), 7,
		qr/^<a right is missing at the warehouse: .*code 497/,
		qr/^<Run at the warehouse as an administrator: GRANT S3, CREATE TEMPORARY TABLE ON \*\.\* TO `partial`>$/);
}

# ---- the store ----

fails('a wrong endpoint of the store', changed(stage_endpoint => 'tos-cn-nowhere.volces.com'),
	6, qr/proxy refused to connect to .*tos-cn-nowhere/, qr/Check the endpoint for a typing error/);
fails('a wrong region of the store', changed(stage_region => 'cn-shanghai'),
	6, qr/refused to put/, qr/stage_region/);
fails('a wrong bucket', changed(stage_bucket => 'no-such-bucket'),
	6, qr/NoSuchBucket/, qr/Check stage_bucket/);
fails('a wrong access key', changed(stage_access_key => 'AKLTnobody'),
	6, qr/InvalidAccessKeyId/, qr/stage_access_key/);
fails('a wrong secret key', changed(stage_secret_key => $wrong{stage_secret_key}),
	6, qr/SignatureDoesNotMatch/, qr/stage_secret_key/);
$sandbox->fault(fault => 'error', op => 'PUT', status => 403, code => 'AccessDenied');
fails('no right to write objects', '', 6, qr/AccessDenied/, qr/PutObject|rights of the access key/);
$sandbox->clear_faults;
foreach my $op (qw(GET HEAD))
{
	$sandbox->fault(fault => 'error', op => $op, status => 403, code => 'AccessDenied');
}
fails('no right to read objects', '', 7, qr/the warehouse could not/, qr/GetObject/);
$sandbox->clear_faults;
fails('a load endpoint out of reach', changed(stage_load_endpoint => 'tos-s3-cn-nowhere.volces.com'),
	7, qr/may not read from the address of the staging store/, qr/Check stage_load_endpoint/);
$sandbox->front('POST', '/faults', { match => 'CnchS3', fault => 'exception', code => 499,
	message => 'Message: InvalidPathAccess: path style is not allowed' });
fails('a store that refuses path style', '', 7,
	qr/may not read from the address of the staging store: .*InvalidPathAccess/, qr/Check stage_load_endpoint/);
$sandbox->front('DELETE', '/faults');
foreach my $case (
	[ stage_endpoint => 'tos-s3-cn-beijing.volces.com', qr/S3 endpoint of TOS.*native endpoint, "tos-cn-beijing/s ],
	[ stage_load_endpoint => 'tos-cn-beijing.volces.com', qr/native endpoint of TOS.*S3 endpoint, "tos-s3-cn-beijing/s ])
{
	my ($code, $out, $err) = sql_as($node, changed($case->[0] => $case->[1]));
	like($err, $case->[2], "$case->[0] with the other API's endpoint is not even saved");
}

$sandbox->front('POST', '/faults', { match => 'CnchS3', fault => 'drop_before' });
fails('a warehouse that hangs up', '', 7, qr/lost the connection to the server/, qr/^<It may pass by itself\. If it stays, find out what ends connections/);
$sandbox->front('DELETE', '/faults');

# ---- a suspended warehouse ----

my $sleepy = 'vw-2100000000-sleepy';
my $wake_seconds = $ENV{SW_TEST_LONG} ? 40 : 5;
foreach my $mode (qw(refuse progress silent))
{
	my $seconds = $mode eq 'refuse' ? $wake_seconds : 2;
	$sandbox->front('POST', '/warehouses',
		{ id => $sleepy, state => 'suspended', wakeAfterMs => $seconds * 1000, mode => $mode });
	($rows) = test_connection(changed(virtual_warehouse => $sleepy));
	is(statuses($rows), 'ok ok ok ok ok ok ok', "a warehouse that wakes after $seconds s ($mode) is waited for");
	cmp_ok($rows->[2]{elapsed}, '>=', $seconds * 900, 'in step 3');
	cmp_ok($rows->[2]{elapsed}, '<', $seconds * 1000 + 5000, 'and not for longer');
}
change_settings($node, 'sensorswave_export.statement_timeout' => '2s');
foreach my $mode (qw(refuse silent))
{
	$sandbox->front('POST', '/warehouses',
		{ id => $sleepy, state => 'suspended', wakeAfterMs => 600_000, mode => $mode });
	fails("a warehouse that never wakes ($mode)", changed(virtual_warehouse => $sleepy), 3,
		$mode eq 'refuse' ? qr/no worker for us now.*code 7107/ : qr/took longer than 2 s/,
		$mode eq 'refuse' ? qr/starting or being resized/ : qr/statement_timeout/);
}
change_settings($node, 'sensorswave_export.statement_timeout' => '1h');
$sandbox->reset_front;

# ---- a ClickHouse ----

create_clickhouse_destination($node, $sandbox, name => 'clickhouse');
is( $node->safe_psql('postgres',
		"SELECT string_agg(status, ' ' ORDER BY step) FROM sw_test_connection('clickhouse')"),
	'ok ok skipped ok ok ok ok',
	'a ClickHouse has no virtual warehouse; more of it in 110_clickhouse.pl');
is(probe_tables(), '', 'no probe table is left there');

# ---- rights ----

$node->safe_psql('postgres', 'CREATE ROLE stranger; CREATE ROLE colleague;'
	  . ' GRANT EXECUTE ON FUNCTION sw_test_connection(text) TO stranger, colleague;'
	  . ' CREATE ROLE nobody;'
	  . " UPDATE sw_destinations SET usable_by = '{colleague}' WHERE name = 'wh'");
my $n_logins = $sandbox->count_log('front');
my ($code, $out, $err) = sql_as($node, "SET ROLE stranger; $call");
like($err, qr/permission denied for destination "wh".*HINT:.*usable_by/s,
	'who may not use the destination may not test it');
($code, $out, $err) = sql_as($node, "SET ROLE nobody; $call");
like($err, qr/permission denied for function sw_test_connection/, 'nor who may not call the function');
($code, $out, $err) = sql_as($node, "SELECT sw_test_connection('nowhere')");
like($err, qr/destination "nowhere" does not exist/, 'a destination that is not there is an error');
is($sandbox->count_log('front'), $n_logins, 'and nobody was contacted');
($code, $out, $err) = sql_as($node, "SET ROLE colleague; $call");
is(scalar(() = $out =~ /\|ok\|/g), 7, 'who may use it may test it') or diag($err);

# ---- in the background: psql, read as it goes ----

sub start_test
{
	my ($dbname) = @_;
	my %session = (in => '', out => '', err => '', begin => time());
	$session{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr($dbname // 'postgres'), '-c', $call ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

# Read until the session ends, noting when each NOTICE came.
sub watch_test
{
	my ($session) = @_;
	while ($session->{run}->pumpable)
	{
		eval { $session->{run}->pump_nb; 1 } or last;
		while ($session->{err} =~ /^NOTICE:  (\d) /mg)
		{
			$session->{arrived}[$1] //= time() - $session->{begin};
		}
		$session->{rows_at} //= time() - $session->{begin} if $session->{out} ne '';
		usleep(5_000);
	}
	$session->{run}->finish;
	$said .= "$session->{out}\n$session->{err}\n";
	return;
}

# How often the fault of the front that hangs was met.
sub front_hits
{
	my ($fault) = grep { $_->{fault} eq 'hang' } @{ $sandbox->front('GET', '/faults')->{faults} };
	return $fault->{hits};
}

# ---- NOTICEs come as each step ends ----

$sandbox->front('POST', '/faults',
	{ match => 'hello', fault => 'delay', ms => 1000, times => 1 });
$sandbox->front('POST', '/faults',
	{ match => '^CREATE TABLE', fault => 'delay', ms => 1500, times => 1 });
my $session = start_test();
watch_test($session);
my @at = @{ $session->{arrived} };
is(scalar(grep { defined } @at), 7, 'seven NOTICEs came');
cmp_ok($at[2] - $at[1], '>=', 0.9, 'that of step 1 while step 2 waits');
cmp_ok($at[4] - $at[2], '<', 0.5, 'that of steps 3 and 4 at once');
cmp_ok($at[5] - $at[4], '>=', 1.4, 'that of step 4 while step 5 waits');
cmp_ok($at[7] - $at[5], '<', 1, 'the rest at once');
cmp_ok($session->{rows_at}, '>=', $at[7], 'rows come at the end');
$sandbox->reset_front;

# ---- step 7 looks at what was read ----

my $at = 'toInt64(1626847200123)';
foreach my $case (
	[ 'a value that is another', qr/Row 2, column "at": wrote -157766399999, read back -157766400000\./,
		"SELECT 2, toInt64(-157766400000), '', '', '{}'" ],
	[ 'text that became NULL', qr/Row 2, column "note": wrote , read back NULL\./,
		"SELECT 2, toInt64(-157766399999), '', NULL, '{}'" ],
	[ 'rows that are missing', qr/read 1 rows of a staged file of 3/, undef ])
{
	my ($what, $detail, $second) = @$case;
	$sandbox->front('POST', '/faults', { match => 'CnchS3', fault => 'hang', times => 1 });
	my $session = start_test();
	my ($key) = wait_until('step 7 begins', sub { front_hits() && ($sandbox->objects)[0] });
	$sandbox->query("INSERT INTO FUNCTION s3('http://127.0.0.1:${\ $sandbox->env('STORE_PORT') }/"
		  . "${\ $sandbox->env('STORE_BUCKET') }/$key', '${\ $sandbox->env('STORE_ACCESS_KEY') }', "
		  . quote_text($sandbox->env('STORE_SECRET_KEY') =~ s/\\/\\\\/gr)
		  . ", 'Parquet', 'n Int64, at Int64, text String, note Nullable(String), doc String')"
		  . ' SETTINGS s3_truncate_on_insert = 1'
		  . " SELECT 1, $at, 'plain', NULL, '{\"a\":1}'"
		  . (defined $second ? " UNION ALL $second UNION ALL"
			  . " SELECT 3, toInt64(0), '\xe4\xbd\xa0\xe5\xa5\xbd \\\\ \\' \" \t', 'x', '{\"k\":\"\xe4\xbd\xa0\"}'" : ''));
	$sandbox->front('DELETE', '/faults');
	watch_test($session);
	like($session->{out}, qr/^7\|read from the store\|failed\|.*$/m, "$what: step 7 fails");
	like($session->{out}, $detail, "$what: and says what is different");
	leaves_nothing($what);
}

# ---- cancelling ----

my @places = (
	[ 1, 'TLS handshake', match => 'connect' ],
	[ 2, 'login', match => 'hello' ],
	[ 3, 'SET virtual_warehouse', match => '^SET virtual_warehouse' ],
	[ 3, 'query to workers', match => '_sw_probe_of_the_warehouse|system\.tables' ],
	[ 4, 'USE', match => '^USE' ],
	[ 5, 'first DROP TABLE', match => '^DROP TABLE' ],
	[ 5, 'CREATE TABLE', match => '^CREATE TABLE' ],
	[ 5, 'answer to CREATE TABLE', match => '^CREATE TABLE', when => 'after' ],
	[ 5, 'INSERT', match => '^INSERT INTO .*_sw_probe_[0-9a-f]{16}' ],
	[ 5, 'ALTER', match => '^ALTER TABLE' ],
	[ 5, 'last DROP TABLE', match => '^DROP TABLE', second => 1 ],
	[ 5, 'answer to the last DROP TABLE', match => '^DROP TABLE', second => 1, when => 'after' ],
	[ 6, 'PUT', op => 'PUT' ],
	[ 7, 'read', match => 'CnchS3' ],
	[ 7, 'GET', op => 'GET' ]);
foreach my $place (@places)
{
	my ($step, $name, %fault) = @$place;
	my $what = "cancelled in step $step, $name";
	my $id;

	# The second one only.
	$sandbox->front('POST', '/faults', { fault => 'delay', ms => 0, times => 1, %fault })
	  if delete $fault{second};
	if ($fault{op})
	{
		$id = $sandbox->fault(fault => 'hang', times => 1, %fault);
	}
	else
	{
		$sandbox->front('POST', '/faults', { fault => 'hang', times => 1, %fault });
	}

	$session = start_test();
	wait_until($what, sub { $fault{op} ? $sandbox->fault_hits($id) : front_hits() });
	my $begin = time();
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM pg_stat_activity'
		  . " WHERE query LIKE '%sw_test_connection%' AND pid <> pg_backend_pid()"
		  . " AND backend_type = 'client backend'");
	watch_test($session);
	cmp_ok(time() - $begin, '<', 1, "$what: it ends within a second");
	like($session->{err}, qr/ERROR:  canceling statement due to user request/, "$what: as cancelled");
	leaves_nothing($what);
	$sandbox->clear_faults;
	$sandbox->front('DELETE', '/faults');
}

# Other ways to leave.
foreach my $way ('statement_timeout', 'termination')
{
	$sandbox->front('POST', '/faults', { fault => 'hang', times => 1, match => '^ALTER TABLE' });
	my $sql = $way eq 'termination'
	  ? "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%sw_test_connection(''wh'')%'"
		. ' AND pid <> pg_backend_pid()'
	  : "SET statement_timeout = '1s'; $call";
	my $begin = time();
	if ($way eq 'termination')
	{
		$session = start_test();
		wait_until('a test hangs', sub { errands() eq '1' && probe_tables() ne '' });
		$begin = time();
		$node->safe_psql('postgres', $sql);
		watch_test($session);
		like($session->{err}, qr/terminating connection/, "$way ends a test");
		cmp_ok(time() - $begin, '<', 1, 'at once');
	}
	else
	{
		($code, $out, $err) = sql_as($node, $sql);
		like($err, qr/ERROR:  canceling statement due to statement timeout/, "$way ends a test");
		cmp_ok(time() - $begin, '<', 2.5, 'at once');
	}
	leaves_nothing($way);
	$sandbox->front('DELETE', '/faults');
}

# ---- the worker is told to terminate ----

# A test that has a probe table, or object, and hangs; then $end ends it.
sub ends_in_order
{
	my ($what, $end, %options) = @_;
	my $place = $options{place} // '^ALTER TABLE';

	$sandbox->front('POST', '/faults', { fault => 'hang', times => 1, match => $place });
	$session = start_test($options{dbname});
	wait_until("$what: a test hangs", \&front_hits);
	is(scalar(grep { $_ ne '' } probe_tables(), $sandbox->objects), 1, "$what: a probe is there");
	$sandbox->pause('front') if $options{hangs};
	my $begin = time();
	$end->();
	my $seconds = time() - $begin;
	watch_test($session);
	unlike($session->{err}, qr/: failed/, "$what: nothing is said of the step cut off");
	if ($options{hangs})
	{
		$sandbox->resume('front');
		like(probe_tables(), qr/^_sw_probe_[0-9a-f]{16}$/, "$what: the probe table has to stay");
		$sandbox->query('DROP TABLE sensorswave.' . probe_tables() . ' SYNC');
	}
	else
	{
		is(join(' ', probe_tables(), $sandbox->objects), '', "$what: no probe is left")
		  unless $options{later};
	}
	$sandbox->front('DELETE', '/faults');
	return $seconds;
}

my $terminate = sub {
	$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
		  . " WHERE backend_type = 'sensorswave_export errand'");
};
foreach my $place ('^ALTER TABLE', 'CnchS3')
{
	my $what = "worker terminated at $place";
	ends_in_order($what, $terminate, place => $place, later => 1);
	like($session->{err}, qr/ERROR:  the worker that tests the connection has ended\nHINT:  /,
		"$what: the session says so");
	leaves_nothing($what);
}

$node->safe_psql('postgres', 'CREATE DATABASE doomed');
$node->safe_psql('doomed', 'CREATE EXTENSION sensorswave_export');
create_destination($node, $sandbox, dbname => 'doomed');
ends_in_order('DROP DATABASE WITH (FORCE)',
	sub { $node->safe_psql('postgres', 'DROP DATABASE doomed WITH (FORCE)') }, dbname => 'doomed');
cmp_ok(ends_in_order('fast shutdown', sub { $node->stop('fast') }), '<', 3, 'which is quick');
$node->start;
my $log_before = -s $node->logfile;
cmp_ok(ends_in_order('fast shutdown while the warehouse hangs', sub { $node->stop('fast') }, hangs => 1),
	'<', 6, 'which is not held up for long');
like(substr(slurp_file($node->logfile), $log_before),
	qr/LOG: .*removing probe table _sw_probe_[0-9a-f]{16} of destination "wh" failed: /,
	'what has to stay is in the log');
$node->start;

# ---- the whole is bounded ----

if ($ENV{SW_TEST_LONG})
{
	$sandbox->front('POST', '/faults', { fault => 'hang', times => 1, match => '^ALTER TABLE' });
	my $begin = time();
	($code, $out, $err) = sql_as($node, $call);
	cmp_ok(time() - $begin, '<', 185, 'a test takes no longer than 3 minutes');
	like($out, qr/^5\|create table\|failed\|.*took longer than 170 s/m, 'and says what did');
	leaves_nothing('a test that took too long', 60);
	$sandbox->front('DELETE', '/faults');
}

# ---- secrets ----

$node->stop;
my $log = slurp_file($node->logfile);
foreach my $secret (
	(map { $sandbox->env($_) } qw(BYTEHOUSE_PASSWORD BYTEHOUSE_LEAST_PASSWORD BYTEHOUSE_API_KEY
		STORE_SECRET_KEY CLICKHOUSE_PASSWORD)),
	'partial-secret', values %wrong)
{
	my @forms = ($secret, $secret =~ s/([\\'"])/\\$1/gr, $secret =~ s/'/''/gr,
		encode_base64($secret, '') =~ s/=+$//r,
		$secret =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord $1)/ger);
	is(scalar(grep { index($said, $_) >= 0 } @forms), 0, 'a secret is in nothing that was told');
	is(scalar(grep { index($log, $_) >= 0 } @forms), 0, 'nor in the log');
}
unlike($log, qr/terminated by signal|TRAP:|PANIC: /, 'no process has crashed');
done_testing();
