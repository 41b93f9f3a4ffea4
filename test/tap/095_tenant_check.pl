# The dry run of test/tenant-check: against the front, whose answers are
# known, each point has one, and nothing is left behind.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Utils;
use JSON::PP;
use SensorswaveSandbox;
use SensorswaveWarehouse;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $sandbox = SensorswaveSandbox->new('tenant_check');
my $insert_password = 'not-a-secret-of-the-inserter';
my $expired_key = 'not-a-secret-expired-key';

put_front_user(
	$sandbox,
	name => 'inserter',
	password => $insert_password,
	grants => [ 'INSERT ON sensorswave.*', 'S3, CREATE TEMPORARY TABLE ON *.*' ]);
put_front_user(
	$sandbox,
	name => 'former',
	password => 'x',
	apiKey => $expired_key,
	expired => JSON::PP::true,
	grants => []);

my %settings = (
	HOST => 'localhost',
	PORT => $sandbox->env('BYTEHOUSE_PORT'),
	ACCOUNT => $sandbox->env('BYTEHOUSE_ACCOUNT'),
	USER => $sandbox->env('BYTEHOUSE_USER'),
	PASSWORD => $sandbox->env('BYTEHOUSE_PASSWORD'),
	API_KEY => $sandbox->env('BYTEHOUSE_API_KEY'),
	EXPIRED_API_KEY => $expired_key,
	INSERT_USER => 'inserter',
	INSERT_PASSWORD => $insert_password,
	WAREHOUSE => 'sensorswave_vw',
	DATABASE => $sandbox->env('BYTEHOUSE_DATABASE'),
	CA_FILE => $sandbox->env('CA_FILE'),
	STAGE_ENDPOINT => $sandbox->env('STORE_ENDPOINT'),
	STAGE_REGION => $sandbox->env('STORE_REGION'),
	STAGE_BUCKET => $sandbox->env('STORE_BUCKET'),
	STAGE_ACCESS_KEY => $sandbox->env('STORE_ACCESS_KEY'),
	STAGE_SECRET_KEY => $sandbox->env('STORE_SECRET_KEY'),
	PROXY => $sandbox->env('STORE_PROXY'));

# Exit code and output with these settings, by way of a file.
sub check
{
	my (%changes) = @_;
	my %all = (%settings, %changes);
	my $file = "$PostgreSQL::Test::Utils::tmp_check/tenant";
	my ($out, $err) = ('', '');

	open(my $handle, '>', $file) or die "$file: $!";
	chmod 0600, $file;
	foreach my $name (sort grep { defined $all{$_} } keys %all)
	{
		my $value = $all{$name} =~ s/'/'\\''/gr;
		print $handle "SW_TENANT_$name='$value'\n";
	}
	close($handle);
	local $ENV{SW_TENANT_BUILD} = "$PostgreSQL::Test::Utils::tmp_check/build";
	IPC::Run::run([ "$top/test/tenant-check", $file ],
		'<', \'', '>', \$out, '2>', \$err, IPC::Run::timeout(180));
	unlink $file;
	my $code = $? >> 8;
	note("$out$err");
	# All secrets here, escaped or not, begin like this.
	unlike("$out$err", qr/not[-+]a/, 'no secret is shown');
	is( $sandbox->query(
			"SELECT count() FROM system.tables WHERE name LIKE '%\\_sw\\_tenant\\_%'"),
		0,
		'no table is left');
	is_deeply([ $sandbox->objects ], [], 'no object is left');
	return ($code, $out, $err);
}

my ($code, $out, $err) = check();
my @expected = (
	qr/^1\. server: ByteHouse 21\.8\.\d+, revision 54451, spoken at 54448, display name ".*", time zone Asia\/Shanghai$/m,
	qr/^1\. packets of type 12, 13 and 14: 0 of type 14; /m,
	qr/^2\. virtual warehouse by id: vw-2100000000-sensorswave-vw works$/m,
	qr/^2\. virtual warehouse by name: sensorswave_vw fails at the first statement that needs workers, code 5025: .*sensorswave_vw/m,
	qr/^2\. unknown virtual warehouse: vw-2100000000-no-such-warehouse fails at the first statement that needs workers, code 5025: /m,
	qr/^3\. certificates of the port: TLSv1\.3, .*CN=localhost issued by .*CN=sandbox authority/m,
	qr/^3\. CnchS3 of a Parquet file at a virtual-host address, with keys: works, 3;6;$/m,
	qr/^4\. INSERT OVERWRITE PARTITION from CnchS3: works, written_rows 3; rows of the day and of another: 3;1;$/m,
	qr/^4\. INSERT OVERWRITE PARTITION with an empty SELECT: works, written_rows 0; rows of the day and of another: 0;1;$/m,
	qr/^4\. INSERT OVERWRITE by a user with INSERT, S3, CREATE TEMPORARY TABLE only: works$/m,
	qr/^5\. CAST of invalid JSON to JSONB: gives \{\};$/m,
	qr/^5\. typed extraction: jsonb_extract_string\(.*\) gives x;$/m,
	qr/^5\. typed extraction: toString\(jsonb_extract_int64\(.*\)\) gives 7;$/m,
	qr/^6\. written_rows of an INSERT SELECT of 3 rows from CnchS3: 3$/m,
	qr/^7\. a version column of type DateTime64: works, the newer of two rows stays: 1;newer;newer;$/m,
	qr/^8\. the store's keys as settings of the query: works, rows: 3;$/m,
	qr/^9\. a wrong API key: code 516: /m,
	qr/^9\. API key as user bytehouse: works$/m,
	qr/^9\. API key as user <account>::bytehouse: code 516: /m,
	qr/^9\. API key as user <account>::<user>: code 516: /m,
	qr/^9\. expired API key: code 516: .*expired/m);
is($code, 0, 'each point has an answer');
like($out, $_, "the answer is $_") foreach @expected;
is(scalar(split /\n/, $out), scalar @expected, 'and there are no others');

# ---- without what is optional ----

($code, $out) = check(map { $_ => undef }
	  qw(API_KEY EXPIRED_API_KEY INSERT_USER INSERT_PASSWORD WAREHOUSE));
is($code, 0, 'without optional settings each point has an answer as well');
is(scalar(() = $out =~ /: not asked, SW_TENANT_\w+ is not set$/mg),
	4, 'be it that it was not asked');

# ---- refusals are answers, a lost connection is none ----

front_fault($sandbox, match => 'OVERWRITE', fault => 'exception', code => 48,
	message => 'no overwriting');
($code, $out) = check();
clear_front_faults($sandbox);
is($code, 0, 'a refusal is an answer');
like($out, qr/^4\. INSERT OVERWRITE PARTITION from CnchS3: code 48: no overwriting/m,
	'which is shown');
front_fault($sandbox, match => 'OVERWRITE', fault => 'reset');
($code, $out) = check();
clear_front_faults($sandbox);
is($code, 1, 'a lost connection is none');
like($out, qr/^4\. INSERT OVERWRITE PARTITION from CnchS3: could not receive/m,
	'which is said');
($code, $out) = check(PASSWORD => 'not-a-secret-but-wrong');
is($code, 1, 'a wrong password ends it');
like($out, qr/^0\. login: code 516: /m, 'which is said');
($code, $out, $err) = check(DATABASE => '');
is($code, 2, 'a missing setting ends it');
like($err, qr/SW_TENANT_DATABASE is not set/, 'which is named');

done_testing();
