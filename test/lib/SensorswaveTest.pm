# SensorswaveTest: what the TAP tests share.
#
# Nodes with the extension, destinations and pipelines that fit a sandbox
# (SensorswaveSandbox), the sample events, and waiting.  Functions die when
# something outside of the thing under test goes wrong.
package SensorswaveTest;

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(
  make_node change_settings quote_text create_destination create_clickhouse_destination
  create_pipeline change_destination
  last_log load_events make_events make_noise backfill wait_backfill run_backfill last_run
  run_backfill_of backfill_error wait_until count_target wait_running worker_pid sql_as
);

my $top = abs_path(dirname(__FILE__) . '/../..');

# How the columns of the sample events become those of the target.
my $mapping = <<'JSON';
{"time": "created_at", "distinct_id": "actor->>'id'", "trace_id": "id",
 "ssid": "(actor->>'id')::bigint", "anon_id": "''",
 "login_id": "actor->>'login'", "event": "type", "properties": "payload",
 "user_properties": "actor", "received_at": "created_at"}
JSON

# A running node with the extension loaded, pointed at the sandbox; further
# arguments are lines of its configuration.
sub make_node
{
	my ($name, $sandbox, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'sensorswave_export'
sensorswave_export.proxy = '${\ $sandbox->env('STORE_PROXY') }'
sensorswave_export.ca_file = '${\ $sandbox->env('CA_FILE') }'
sensorswave_export.system_timezone = 'Asia/Shanghai'
sensorswave_export.retry_backoff = 300ms
sensorswave_export.retry_backoff_max = 1s
sensorswave_export.naptime = 100ms
sensorswave_export.keep_failed_objects = 0
timezone = 'UTC'
fsync = off
log_statement = none
log_error_verbosity = verbose
CONF
	$node->append_conf('postgresql.conf', "$_\n") foreach @settings;
	$node->start;
	return $node;
}

# Set settings of a running node and wait until new processes have them.
sub change_settings
{
	my ($node, %settings) = @_;

	foreach my $name (sort keys %settings)
	{
		$node->append_conf('postgresql.conf', "$name = $settings{$name}");
	}
	$node->reload;
	foreach my $name (sort keys %settings)
	{
		$node->poll_query_until('postgres',
			"SELECT current_setting('$name') = '$settings{$name}'")
		  or die "$name did not change";
	}
	return;
}

sub quote_text
{
	my ($text) = @_;
	return 'NULL' unless defined $text;
	$text =~ s/'/''/g;
	return "'$text'";
}

# Statements with secrets in them, given as the manual says they should be.
my $discreet = <<'SQL';
SET log_statement = none;
SET log_min_duration_statement = -1;
SET log_min_error_statement = panic;
SQL

# A destination named "wh" (or what is given) that is the sandbox.
sub create_destination
{
	my ($node, $sandbox, %columns) = @_;

	insert_destination(
		$node,
		name => 'wh',
		kind => 'bytehouse',
		host => $sandbox->env('BYTEHOUSE_HOST'),
		port => $sandbox->env('BYTEHOUSE_PORT'),
		database => $sandbox->env('BYTEHOUSE_DATABASE'),
		virtual_warehouse => $sandbox->env('BYTEHOUSE_WAREHOUSE'),
		account_id => $sandbox->env('BYTEHOUSE_ACCOUNT'),
		username => $sandbox->env('BYTEHOUSE_USER'),
		password => $sandbox->env('BYTEHOUSE_PASSWORD'),
		sslrootcert => $sandbox->env('CA_FILE'),
		stage_endpoint => $sandbox->env('STORE_ENDPOINT'),
		stage_region => $sandbox->env('STORE_REGION'),
		stage_bucket => $sandbox->env('STORE_BUCKET'),
		stage_access_key => $sandbox->env('STORE_ACCESS_KEY'),
		stage_secret_key => $sandbox->env('STORE_SECRET_KEY'),
		%columns);
	return;
}

# The same of kind clickhouse, with the server itself and the store's S3 side.
sub create_clickhouse_destination
{
	my ($node, $sandbox, %columns) = @_;

	insert_destination(
		$node,
		name => 'wh',
		kind => 'clickhouse',
		host => '127.0.0.1',
		port => $sandbox->env('CLICKHOUSE_TLS_PORT'),
		database => $sandbox->env('BYTEHOUSE_DATABASE'),
		username => $sandbox->env('CLICKHOUSE_USER'),
		password => $sandbox->env('CLICKHOUSE_PASSWORD'),
		sslrootcert => $sandbox->env('CA_FILE'),
		stage_endpoint => 'http://127.0.0.1:' . $sandbox->env('STORE_PORT'),
		stage_region => $sandbox->env('STORE_REGION'),
		stage_bucket => $sandbox->env('STORE_BUCKET'),
		stage_access_key => $sandbox->env('STORE_ACCESS_KEY'),
		stage_secret_key => $sandbox->env('STORE_SECRET_KEY'),
		%columns);
	return;
}

sub insert_destination
{
	my ($node, %row) = @_;
	my $database = delete $row{dbname} // 'postgres';
	my @names = sort keys %row;

	$node->safe_psql($database,
		    $discreet
		  . 'INSERT INTO sw_destinations ('
		  . join(', ', @names)
		  . ') VALUES ('
		  . join(', ', map { quote_text($row{$_}) } @names)
		  . ')');
	return;
}

sub change_destination
{
	my ($node, $name, %columns) = @_;
	my $database = delete $columns{dbname} // 'postgres';

	$node->safe_psql($database,
		    $discreet
		  . 'UPDATE sw_destinations SET '
		  . join(', ',
			map { "$_ = " . quote_text($columns{$_}) } sort keys %columns)
		  . ' WHERE name = '
		  . quote_text($name));
	return;
}

# A pipeline from events to the destination "wh", or as given; with unchecked
# => 1 the warehouse is not asked first.
sub create_pipeline
{
	my ($node, $name, %columns) = @_;
	my $database = delete $columns{dbname} // 'postgres';
	my $check = delete $columns{unchecked} ? 'off' : 'on';
	my %row = (
		name => $name,
		destination => 'wh',
		data_source => 'events',
		source => 'github_events',
		target_table => $name,
		columns => $mapping,
		%columns);
	my @names = sort keys %row;

	$node->safe_psql($database,
		    "SET sensorswave_export.check_on_save = $check;"
		  . 'INSERT INTO sw_pipelines ('
		  . join(', ', @names)
		  . ') VALUES ('
		  . join(', ', map { quote_text($row{$_}) } @names)
		  . ')');
	return;
}

# The 800 sample events of 2021-07-21, as the table github_events.
sub load_events
{
	my ($node, $database) = @_;
	my $lines;

	gunzip "$top/test/data/github-events.jsonl.gz" => \$lines
	  or die "could not read the sample events: $GunzipError";
	$node->safe_psql($database // 'postgres', <<"SQL");
CREATE TABLE github_events (id text, type text, actor jsonb, payload jsonb,
	created_at timestamptz);
CREATE TEMPORARY TABLE raw (line text);
COPY raw FROM stdin (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02');
$lines\\.
INSERT INTO github_events
SELECT j->>'id', j->>'type', j->'actor', j->'payload',
	(j->>'created_at')::timestamptz
FROM (SELECT line::jsonb AS j FROM raw) s;
SQL
	return;
}

# A table like github_events with rows of a kind that do not compress; they
# lie in one day of Asia/Shanghai, $day.
sub make_events
{
	my ($node, $table, $n_rows, $day, $database) = @_;
	$node->safe_psql($database // 'postgres', <<"SQL");
CREATE TABLE $table (id text, type text, actor jsonb, payload jsonb,
	created_at timestamptz);
INSERT INTO $table
SELECT n::text, 'made', jsonb_build_object('id', n, 'login', 'user' || n),
	jsonb_build_object('noise', md5(n::text) || md5('a' || n) || md5('b' || n)),
	timestamptz '$day 00:00 Asia/Shanghai' + n * interval '1 millisecond'
FROM generate_series(0, $n_rows - 1) n;
SQL
	return;
}

# The same with rows of 3 kB that do not compress: 3000 of them make a file of
# more than one part.
sub make_noise
{
	my ($node, $table, $n_rows, $day, $database) = @_;
	$node->safe_psql($database // 'postgres', <<"SQL");
CREATE TABLE $table (id text, type text, actor jsonb, payload jsonb,
	created_at timestamptz);
INSERT INTO $table
SELECT n::text, 'made', jsonb_build_object('id', n, 'login', 'user' || n),
	jsonb_build_object('noise', (
		SELECT string_agg(encode(sha512((n || '/' || i)::bytea), 'base64'), '')
		FROM generate_series(1, 48) i)),
	timestamptz '$day 00:00 Asia/Shanghai' + n * interval '1 millisecond'
FROM generate_series(0, $n_rows - 1) n;
SQL
	return;
}

# Ask for a backfill; returns its id.
sub backfill
{
	my ($node, $pipeline, $from, $to, %options) = @_;
	my $shrink = $options{allow_shrink} ? ', allow_shrink => true' : '';

	return $node->safe_psql($options{dbname} // 'postgres',
		"SELECT sw_backfill('$pipeline', '$from', '$to'$shrink)");
}

# Wait until it has ended; returns its status, or what went wrong.
sub wait_backfill
{
	my ($node, $id, %options) = @_;
	my $seconds = $options{seconds} // $PostgreSQL::Test::Utils::timeout_default;
	my ($code, $status, $error) = sql_as($node,
		"SELECT sw_wait_backfill($id, '$seconds seconds')", $options{dbname});

	return $code == 0 ? $status : $error;
}

sub run_backfill
{
	my ($node, $pipeline, $from, $to, %options) = @_;
	my $id = backfill($node, $pipeline, $from, $to, %options);
	return wait_backfill($node, $id, %options);
}

# The same of one day: 'ok', or what the person is told.
sub run_backfill_of
{
	my ($node, $pipeline, $day, %options) = @_;
	my $id = backfill($node, $pipeline, $day, $day, %options);
	my $status = wait_backfill($node, $id);

	return $status eq 'success' ? 'ok' : backfill_error($node, $id);
}

# Columns of a pipeline's last run, as psql shows them.
sub last_run
{
	my ($node, $pipeline, $columns) = @_;
	return $node->safe_psql('postgres',
		"SELECT $columns FROM sw_runs WHERE pipeline = '$pipeline'"
		  . ' ORDER BY run_id DESC LIMIT 1');
}

# What that run has logged, a line each: "level: message".
sub last_log
{
	my ($node, $pipeline) = @_;
	return $node->safe_psql('postgres', <<"SQL");
SELECT string_agg(level || ': ' || message, E'\n' ORDER BY logged_at)
FROM sw_run_logs
WHERE run_id = (SELECT max(run_id) FROM sw_runs WHERE pipeline = '$pipeline')
SQL
}

sub backfill_error
{
	my ($node, $id) = @_;
	return $node->safe_psql('postgres',
		    "SELECT error || ' // ' || coalesce(hint, '(no hint)')"
		  . " FROM sw_backfills WHERE backfill_id = $id");
}

# Wait until the code returns something true, and return that; fails the
# test and returns nothing if it takes longer than $seconds.
sub wait_until
{
	my ($what, $code, $seconds) = @_;
	my $deadline =
	  time() + ($seconds // $PostgreSQL::Test::Utils::timeout_default);

	while (time() < $deadline)
	{
		my $result = $code->();
		return $result if $result;
		usleep(20_000);
	}
	fail("waited in vain: $what");
	return;
}

sub wait_running
{
	my ($node, $pipeline, $database) = @_;
	$node->poll_query_until($database // 'postgres',
		"SELECT status = 'running' FROM sw_pipelines WHERE name = '$pipeline'")
	  or die "pipeline $pipeline does not run";
	return;
}

sub count_target
{
	my ($sandbox, $table) = @_;
	return $sandbox->query("SELECT count() FROM sensorswave.`$table`");
}

# Process id of a background worker: "launcher", "scheduler" or "worker".
sub worker_pid
{
	my ($node, $role) = @_;
	return $node->safe_psql('postgres',
		'SELECT pid FROM pg_stat_activity'
		  . " WHERE backend_type = 'sensorswave_export $role' LIMIT 1");
}

# Result code, stdout and stderr of SQL that may fail.
sub sql_as
{
	my ($node, $sql, $database) = @_;
	my ($stdout, $stderr);
	my $code = $node->psql($database // 'postgres', $sql,
		stdout => \$stdout, stderr => \$stderr, on_error_stop => 1);
	return ($code, $stdout, $stderr);
}

1;
