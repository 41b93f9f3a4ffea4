# What goes wrong at the source, the store and the warehouse: what no repeat
# can cure fails at once, the rest is repeated, both with a cause and a hint,
# and no secret shows anywhere.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('failures');
my $node = make_node('failures', $sandbox,
	'log_min_messages = debug1', 'log_statement = all',
	'sensorswave_export.connect_timeout = 3s');
my $wrong_password = q{wrong-secret'pass\word};
my $wrong_api_key = q{wrong-secret-api-key:"};
my $wrong_secret_key = q{wrong+secret/'store\key==};

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);

# ---- an observer: what the workers show of themselves, all the time ----

$node->safe_psql('postgres', 'CREATE TABLE seen (line text UNIQUE)');
my ($in, $out, $err) = ('', '', '');
my $observer = IPC::Run::start(
	[   'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', <<'SQL' ],
DO $$
BEGIN
	LOOP
		INSERT INTO seen
		SELECT concat_ws('|', application_name, backend_type, state, wait_event, query)
		FROM pg_stat_activity WHERE backend_type LIKE 'sensorswave_export%'
		ON CONFLICT DO NOTHING;
		COMMIT;
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$
SQL
	'<', \$in, '>', \$out, '2>', \$err);

# ---- a destination that is wrong from the beginning ----

create_destination($node, $sandbox, password => $wrong_password);
create_pipeline($node, 'github', unchecked => 1);
ok( $node->poll_query_until('postgres',
		"SELECT consecutive_failures >= 2 FROM sw_status WHERE pipeline = 'github'"),
	'a pipeline whose table cannot be made tries again');
is( $node->safe_psql('postgres',
		'SELECT status, reason, last_error, next_run_at IS NOT NULL FROM sw_status'),
	'new|the target table could not be created yet|the warehouse refused the login|t',
	'its status says why');
like(
	$node->safe_psql('postgres', 'SELECT last_hint FROM sw_status'),
	qr/Check account id, user name and password/,
	'and what to do');
my $id = backfill($node, 'github', $day, $day);
is(wait_backfill($node, $id, seconds => 30),
	'failed', 'a backfill before there is a table fails at once');
change_destination($node, 'wh', password => $sandbox->env('BYTEHOUSE_PASSWORD'));
ok( $node->poll_query_until('postgres',
		"SELECT status = 'running' FROM sw_pipelines WHERE name = 'github'"),
	'with the right password the pipeline starts to run');
is( $node->safe_psql('postgres',
		'SELECT status, last_error, last_hint, consecutive_failures FROM sw_status'),
	'running|||0', 'and its status is clean');

# ---- what no repeat can cure ----

sub wh
{
	my (%columns) = @_;
	return sub { change_destination($node, 'wh', %columns) };
}

sub in_sql
{
	my ($sql) = @_;
	return sub { $node->safe_psql('postgres', $sql) };
}

my $others_certificate = $sandbox->env('CA_FILE') =~ s/ca\.pem$/store.pem/r;
my @incurable = (
	[   'a wrong password',
		wh(password => $wrong_password),
		wh(password => $sandbox->env('BYTEHOUSE_PASSWORD')),
		qr/the warehouse refused the login .*Check account id, user name and password/
	],
	[   'a wrong API key',
		wh(auth_type => 'iam', api_key => $wrong_api_key),
		wh(auth_type => 'password', password => $sandbox->env('BYTEHOUSE_PASSWORD')),
		qr/the warehouse refused the login .*the API key: it expires/
	],
	[   'a wrong secret key',
		wh(stage_secret_key => $wrong_secret_key),
		wh(stage_secret_key => $sandbox->env('STORE_SECRET_KEY')),
		qr{SignatureDoesNotMatch .* // The secret key .*stage_secret_key}
	],
	[   'a missing bucket',
		wh(stage_bucket => 'no-such-bucket'),
		wh(stage_bucket => $sandbox->env('STORE_BUCKET')),
		qr{NoSuchBucket .* // Check stage_bucket}
	],
	[   'an unknown virtual warehouse',
		wh(virtual_warehouse => 'vw-2100000000-nowhere'),
		wh(virtual_warehouse => $sandbox->env('BYTEHOUSE_WAREHOUSE')),
		qr{the virtual warehouse does not exist or may not be used // Set virtual_warehouse}
	],
	[   'a missing database',
		wh(database => 'nowhere'),
		wh(database => $sandbox->env('BYTEHOUSE_DATABASE')),
		qr{the database does not exist at the warehouse // Create the database}
	],
	[   'certificates of somebody else',
		wh(sslrootcert => $others_certificate),
		wh(sslrootcert => $sandbox->env('CA_FILE')),
		qr{certificate.* // .*sslrootcert}
	],
	[   'a file of certificates that is not there',
		wh(sslrootcert => '/nonexistent/ca.pem'),
		wh(sslrootcert => $sandbox->env('CA_FILE')),
		qr{/nonexistent/ca\.pem.* // .*}
	],
	[   'a source column that is gone',
		in_sql('ALTER TABLE github_events RENAME payload TO load'),
		in_sql('ALTER TABLE github_events RENAME load TO payload'),
		qr{payload}
	],
	[   'a source table that is gone',
		in_sql('ALTER TABLE github_events RENAME TO gone; CREATE VIEW v AS TABLE gone;'
			  . " UPDATE _sensorswave.pipeline SET source = 'v'; DROP VIEW v"),
		in_sql('ALTER TABLE gone RENAME TO github_events;'
			  . " UPDATE _sensorswave.pipeline SET source = 'github_events'"),
		qr{source.*does not exist}
	],
	[   'a row without ssid',
		in_sql("INSERT INTO github_events VALUES ('stray', 'x', '{\"login\": \"y\"}', '{}',"
			  . " timestamptz '2021-07-21 12:00+08')"),
		in_sql("DELETE FROM github_events WHERE id = 'stray'"),
		qr{null in column "ssid" // Correct the row}
	],);

foreach my $case (@incurable)
{
	my ($what, $break, $repair, $error) = @$case;

	$break->();
	$id = backfill($node, 'github', $day, $day);
	is(wait_backfill($node, $id, seconds => 30),
		'failed', "$what: the backfill fails at once");
	like(backfill_error($node, $id), $error, "$what: cause and remedy");
	is( $node->safe_psql('postgres',
			'SELECT count(*), max(attempt), bool_and(r.status = \'failed\'),'
			  . ' bool_and(r.error = b.error AND r.hint IS NOT DISTINCT FROM b.hint)'
			  . ' FROM sw_runs r, sw_backfills b'
			  . " WHERE b.backfill_id = $id AND r.started_at >= b.requested_at"),
		'1|1|t|t',
		"$what: one attempt is on record and says the same");
	$repair->();
	is(run_backfill($node, 'github', $day, $day),
		'success', "$what: and nothing else was wrong");
}
is_deeply([ $sandbox->objects ], [], 'no object is left in the store');
like(
	$node->safe_psql('postgres',
		"SELECT detail FROM sw_runs WHERE error LIKE '%null in column%'"),
	qr/^It is row \d+ of the read, with trace_id "stray"/,
	'a row that cannot be exported is named');

# ---- what passes ----

# A server may take long to come back on a busy machine.
change_settings($node, 'sensorswave_export.backfill_attempts' => 100);

sub first_failure
{
	my ($what, $id, $error) = @_;
	my $found = wait_until(
		"$what: an attempt that failed",
		sub {
			$node->safe_psql('postgres',
				    "SELECT r.attempt || ' ' || r.error || ' // ' || coalesce(r.hint, '(no hint)')"
				  . ' FROM sw_runs r, sw_backfills b'
				  . " WHERE b.backfill_id = $id AND r.started_at >= b.requested_at"
				  . " AND r.status = 'failed' ORDER BY run_id LIMIT 1");
		},
		30);

	like($found, $error, "$what: the first attempt is on record within 30 s");
	is( $node->safe_psql('postgres',
			'SELECT status, finished_at IS NULL, error IS NOT NULL'
			  . " FROM sw_backfills WHERE backfill_id = $id"),
		'running|t|t',
		"$what: the backfill goes on and shows the error");
	return;
}

sub succeeds_later
{
	my ($what, $id) = @_;

	is(wait_backfill($node, $id), 'success', "$what: the backfill succeeds");
	is( $node->safe_psql('postgres',
			'SELECT count(*) > 1, count(*) = max(attempt),'
			  . " count(*) FILTER (WHERE r.status = 'success'),"
			  . " count(*) FILTER (WHERE r.status = 'failed') = count(*) - 1"
			  . ' FROM sw_runs r, sw_backfills b'
			  . " WHERE b.backfill_id = $id AND r.started_at >= b.requested_at"),
		't|t|1|t',
		"$what: each attempt is a run, the last one a success");
	is( $node->safe_psql('postgres',
			"SELECT error, hint FROM sw_backfills WHERE backfill_id = $id"),
		'|', "$what: and the error is gone");
	is(count_target($sandbox, 'github'), 800, "$what: the target has 800 rows");
	return;
}

my %stopped = (
	store => qr{^1 .*could not connect to .* // Check},
	front => qr{^1 could not connect .* // Check},
	clickhouse => qr{^1 .*});
foreach my $server (qw(store front clickhouse))
{
	my $what = "$server stopped";
	$sandbox->stop($server);
	$id = backfill($node, 'github', $day, $day);
	first_failure($what, $id, $stopped{$server});
	$sandbox->start($server);
	succeeds_later($what, $id);
}

# A store that refuses for a while: repeats within an attempt come first.
$sandbox->fault(fault => 'error', op => 'PUT', status => 503, times => 2);
is(run_backfill($node, 'github', $day, $day),
	'success', 'two refusals of the store are got over');
is( last_run($node, 'github', 'attempt'),
	1, 'within one attempt');
my $fault = $sandbox->fault(fault => 'error', op => 'PUT', status => 503, times => 8);
$id = backfill($node, 'github', $day, $day);
first_failure('store refusing', $id, qr{^1 .*503.*});
succeeds_later('store refusing', $id);
is($sandbox->fault_hits($fault), 8, 'store refusing: all refusals were met');
$sandbox->clear_faults;

# The load statement dies with the warehouse's engine, or with the front.
foreach my $server (qw(clickhouse front))
{
	my $what = "$server lost during the load";
	my $from = $sandbox->count_log('store');

	$sandbox->fault(fault => 'hang', op => 'GET', match => '^(?!.*/_lease/)');
	$id = backfill($node, 'github', $day, $day);
	$sandbox->wait_for_line('store', $from, sub { ($_->{code} // '') eq 'FaultHang' });
	$sandbox->stop($server);
	first_failure($what, $id, qr{^1 });
	$sandbox->clear_faults;
	$sandbox->start($server);
	succeeds_later($what, $id);
}

# A right of the access key that is missing for the warehouse only.
$sandbox->fault(fault => 'error', op => 'GET', status => 403, code => 'AccessDenied',
	match => '^(?!.*/_lease/)');
$sandbox->fault(fault => 'error', op => 'HEAD', status => 403, code => 'AccessDenied');
$id = backfill($node, 'github', $day, $day);
is(wait_backfill($node, $id, seconds => 30),
	'failed', 'an object that the warehouse may not read fails at once');
like(backfill_error($node, $id),
	qr/the warehouse could not .*object .*GetObject/,
	'with the right that is missing');
$sandbox->clear_faults;
is(count_target($sandbox, 'github'), 800, 'the target is as it was');

# ---- attempts come to an end ----

change_settings($node, 'sensorswave_export.backfill_attempts' => 3);
$sandbox->stop('front');
$id = backfill($node, 'github', $day, $day);
is(wait_backfill($node, $id), 'failed', 'a backfill does not try for ever');
is( $node->safe_psql('postgres',
		'SELECT count(*), max(attempt) FROM sw_runs r, sw_backfills b'
		  . " WHERE b.backfill_id = $id AND r.started_at >= b.requested_at"),
	'3|3', 'it has made as many attempts as the setting says');
$sandbox->start('front');
is_deeply([ $sandbox->objects ], [], 'no object is left in the store');

# ---- secrets ----

$node->psql('postgres',
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO%'");
$observer->finish;

my @secrets = map { $sandbox->env($_) } qw(BYTEHOUSE_PASSWORD BYTEHOUSE_API_KEY STORE_SECRET_KEY);
push @secrets, $wrong_password, $wrong_api_key, $wrong_secret_key;
my %needles;
foreach my $secret (@secrets)
{
	$needles{$secret} = 1;
	$needles{ $secret =~ s/([\\'"])/\\$1/gr } = 1;
	$needles{ $secret =~ s/'/''/gr } = 1;
	$needles{ encode_base64($secret, '') =~ s/=+$//r } = 1;
	$needles{ $secret =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord $1)/ger } = 1;
	$needles{ $secret =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02x', ord $1)/ger } = 1;
	# Whatever was done to the rest: the plain beginning.
	$needles{ ($secret =~ /^([a-z+\/-]+)/)[0] } = 1;
}

sub search
{
	my ($what, $text, $must) = @_;
	like($text, $must, "$what: there is something to search");
	is_deeply([ grep { index($text, $_) >= 0 } sort keys %needles ],
		[], "$what: no secret in it");
	return;
}

my @views = split /\n/, $node->safe_psql('postgres',
	"SELECT oid::regclass FROM pg_class WHERE relkind = 'v' AND relname LIKE 'sw\\_%'"
	  . ' ORDER BY 1');
cmp_ok(scalar @views, '>=', 7, 'there are views');
search('views',
	join("\n", map { $node->safe_psql('postgres', "SELECT v::text FROM $_ v") } @views),
	qr/the warehouse refused the login/);

my @tables = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT format('SELECT row(%s)::text FROM %s', string_agg(quote_ident(attname), ', '), c.oid::regclass)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = '_sensorswave'::regnamespace AND c.relkind = 'r'
	AND attnum > 0 AND atttypid <> 'bytea'::regtype
GROUP BY c.oid
SQL
cmp_ok(scalar @tables, '>=', 7, 'there are tables');
search('tables',
	join("\n", map { $node->safe_psql('postgres', $_) } @tables),
	qr/the warehouse refused the login/);
search('activity', $node->safe_psql('postgres', 'TABLE seen'),
	qr/sensorswave_export worker\|.*reading the rows of a window/);
search('server log', slurp_file($node->logfile),
	qr/LOG: .*pipeline "github": a backfill's window failed/);

$node->stop;
search('server log after the end', slurp_file($node->logfile), qr/shut down/);
done_testing();
