# The same client against every warehouse it may meet: the ByteHouse front at
# three revisions, today's ClickHouse, and Debian's of 2018.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use SensorswaveSandbox;
use SensorswaveTest;
use SensorswaveWarehouse;
use Test::More;

my $day = '2021-07-21';
my $sandbox = SensorswaveSandbox->new('warehouses');
my $node = make_node('warehouses', $sandbox);

$node->safe_psql('postgres', 'CREATE EXTENSION sensorswave_export');
load_events($node);

# Statements the front saw from line $from on.
sub statements_from
{
	my ($from) = @_;
	return grep { $_->{event} eq 'query' } $sandbox->log_lines('front', $from);
}

# ---- ByteHouse, at what revision it may announce ----

my %settings_travel = (54406 => 0, 54412 => 0, 54448 => 1, 54451 => 1);
foreach my $revision (sort keys %settings_travel)
{
	my $what = "ByteHouse at $revision";
	my $effective = $revision < 54448 ? $revision : 54448;
	my $from = $sandbox->count_log('front');

	create_destination($node, $sandbox,
		name => "bytehouse_$revision",
		port => $sandbox->env("BYTEHOUSE_REV${revision}_PORT"));
	my @steps = test_connection($node, "bytehouse_$revision");
	is(steps_of(@steps), 'ooooooo', "$what: all steps of the connection test");
	like($steps[1]{detail}, qr/^ByteHouse .*, protocol revision $effective$/,
		"$what: what the login says");

	create_pipeline($node, "events_$revision",
		destination => "bytehouse_$revision");
	is(run_backfill($node, "events_$revision", $day, $day),
		'success', "$what: a backfill succeeds");
	check_sample_rows($node, $sandbox, "events_$revision", $what);
	is( $node->safe_psql('postgres',
			"SELECT run_id FROM sw_runs WHERE pipeline = 'events_$revision'"
			  . " AND (status <> 'success' OR rows_exported <> 800)"),
		'',
		"$what: at the first attempt");

	my @statements = statements_from($from);
	is_deeply(
		[ sort keys %{ { map { $_->{revision} => 1 } @statements } } ],
		[$effective], "$what: that was the revision on the wire");
	my %ids = map { $_->{query_id} => 1 } @statements;
	is(scalar keys %ids, scalar @statements, "$what: each statement has an id");
	is_deeply(
		[ grep { !/^INSERT OVERWRITE/ }
			  map { $_->{query} }
			  grep { $_->{query_id} !~ /^sensorswave_export-[0-9a-f]{16}-\d+$/ } @statements ],
		[],
		"$what: made by us, but for loads, whose runs have made it");
	is( join(',', map { $_->{query_id} } grep { $_->{query} =~ /^INSERT OVERWRITE/ } @statements),
		last_run($node, "events_$revision", 'load_query_id'),
		"$what: that of the load is on record");
	my @limits = grep { $_->{query} =~ /^SET max_execution_time = \d+$/ } @statements;
	my @limited = grep {
		$_->{query} !~ /^SET / && exists $_->{settings}{max_execution_time}
	} @statements;
	if ($settings_travel{$revision})
	{
		is(scalar @limits, 0, "$what: no setting is a statement of its own");
		cmp_ok(scalar @limited, '>', 5, "$what: settings travel with queries");
	}
	else
	{
		cmp_ok(scalar @limits, '>', 5, "$what: settings are statements of their own");
		is(scalar(grep { $_->{outcome} ne 'ok' } @limits),
			0, "$what: which the warehouse accepts");
		is(scalar @limited, 0, "$what: none travels with a query");
	}

	# What only shows in an answer: an exception, and the numbers of progress.
	change_destination($node, "bytehouse_$revision", database => 'nowhere');
	like(
		failed_step(test_connection($node, "bytehouse_$revision")),
		qr{^4: the database does not exist at the warehouse: .*code 81.* // Create the database},
		"$what: an exception is understood");
	# The mark at the old place is taken off.
	$node->poll_query_until('postgres',
		    'SELECT NOT EXISTS (SELECT FROM _sensorswave.former_target)'
		  . ' AND NOT EXISTS (SELECT FROM pg_stat_activity'
		  . " WHERE backend_type = 'sensorswave_export worker')")
	  or die 'the old place is not left';
}

# ---- today's ClickHouse ----

my %clickhouse = (
	kind => 'clickhouse',
	account_id => undef,
	virtual_warehouse => undef,
	username => $sandbox->env('CLICKHOUSE_USER'),
	password => $sandbox->env('CLICKHOUSE_PASSWORD'),
	stage_kind => 's3',
	stage_endpoint => $sandbox->env('STORE_S3_ENDPOINT'));
create_destination($node, $sandbox, %clickhouse,
	name => 'clickhouse_tls',
	port => $sandbox->env('CLICKHOUSE_TLS_PORT'));
create_destination($node, $sandbox, %clickhouse,
	name => 'clickhouse_plain',
	port => $sandbox->env('CLICKHOUSE_TCP_PORT'),
	sslmode => 'disable');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE people (ssid bigint PRIMARY KEY, login_id text, anon_id text,
	properties jsonb, created_at timestamptz, updated_at timestamptz);
SQL

# Name, type, key and partition of all columns at the engine.
sub columns_of
{
	my ($table) = @_;
	return $sandbox->query(
		'SELECT name, type, is_in_sorting_key, is_in_partition_key'
		  . " FROM system.columns WHERE database = 'sensorswave'"
		  . " AND table = '$table' ORDER BY position");
}

# Engine, order and partitions.
sub engine_of
{
	my ($table) = @_;
	return $sandbox->query(
		"SELECT replaceRegexpOne(engine_full, ' SETTINGS .*', '')"
		  . " FROM system.tables WHERE database = 'sensorswave'"
		  . " AND name = '$table'");
}

foreach my $way (qw(tls plain))
{
	my $what = "ClickHouse ($way)";
	my $destination = "clickhouse_$way";
	my @steps = test_connection($node, $destination);

	# The sandbox's engine has no way to the store's host names.
	like(steps_of(@steps), qr/^oosoo/, "$what: the steps of the connection test");
	like($steps[1]{detail}, qr/^ClickHouse 26\.\d+\.\d+, protocol revision 54448$/,
		"$what: what the login says");
	is($steps[2]{detail},
		q{no virtual warehouse is set: the user's default is used},
		"$what: there are no virtual warehouses");
	is( $sandbox->query(
			"SELECT count() FROM system.tables WHERE name LIKE '%probe%'"),
		0,
		"$what: no probe table is left");

	create_pipeline($node, "events_$way", destination => $destination);
	create_pipeline(
		$node, "users_$way",
		destination => $destination,
		data_source => 'users',
		source => 'people',
		columns => undef);
	create_pipeline(
		$node, "json_$way",
		destination => $destination,
		json_type => 'json');
	wait_running($node, "${_}_$way") foreach qw(events users json);
	my $time = q{DateTime64(3, \\'Asia/Shanghai\\')};
	is( columns_of("events_$way"),
		join("\n",
			"time\t$time\t1\t1", "distinct_id\tString\t1\t0",
			"trace_id\tString\t0\t0", "ssid\tInt64\t0\t0",
			"anon_id\tString\t0\t0", "login_id\tString\t0\t0",
			"event\tString\t1\t0", "properties\tString\t0\t0",
			"user_properties\tString\t0\t0", "received_at\t$time\t0\t0"),
		"$what: columns of the events table");
	is( engine_of("events_$way"),
		'MergeTree PARTITION BY toDate(time) ORDER BY (event, time, distinct_id)',
		"$what: its engine, partitions and order");
	is( columns_of("users_$way"),
		join("\n",
			"ssid\tInt64\t1\t0", "login_id\tString\t0\t0",
			"anon_id\tString\t0\t0", "properties\tString\t0\t0",
			"created_at\t$time\t0\t0", "updated_at\t$time\t0\t0"),
		"$what: columns of the users table");
	is(engine_of("users_$way"), 'ReplacingMergeTree(updated_at) ORDER BY (ssid)',
		"$what: its engine and order");
	like(columns_of("json_$way"), qr/^properties\tJSON\t0\t0$/m,
		"$what: JSON where it is asked for");

	# An existing table that fits is taken, one that does not is refused.
	$node->safe_psql('postgres', "SELECT sw_stop('events_$way')");
	create_pipeline($node, "again_$way", destination => $destination,
		target_table => "events_$way");
	wait_running($node, "again_$way");
	$node->safe_psql('postgres', "SELECT sw_stop('again_$way')");
	$sandbox->query("ALTER TABLE sensorswave.events_$way MODIFY COLUMN ssid Int32");
	my ($code, undef, $error) = sql_as($node,
		    'INSERT INTO sw_pipelines (name, destination, data_source, source,'
		  . ' target_table, columns)'
		  . " SELECT 'misfit_$way', '$destination', 'events', source, target_table,"
		  . " columns FROM sw_pipelines WHERE name = 'again_$way'");
	isnt($code, 0, "$what: a table with another type is refused");
	like($error, qr/ssid.*Int32.*Int64|ssid.*Int64.*Int32/s,
		"$what: with the difference");

	change_destination($node, $destination, password => 'wrong-secret');
	like(
		failed_step(test_connection($node, $destination)),
		qr{^2: the warehouse refused the login: .*code 516.* // Check .*password},
		"$what: a refused login");
	change_destination($node, $destination, password => $clickhouse{password});
}

# ---- ClickHouse as ByteHouse: there, too, somebody is called bytehouse ----

my $not_bytehouse =
  qr{: the server is not a ByteHouse cloud data warehouse.* // Kind "bytehouse" needs ByteHouse Cloud};
create_destination(
	$node, $sandbox,
	name => 'no_bytehouse',
	port => $sandbox->env('CLICKHOUSE_TLS_PORT'),
	auth_type => 'iam',
	username => undef,
	password => undef,
	api_key => $clickhouse{password});
like(failed_step(test_connection($node, 'no_bytehouse')),
	qr/^2$not_bytehouse/, 'a ClickHouse is not taken for a ByteHouse');

# ---- ClickHouse of 2018 ----

my $old = start_old_server($sandbox);
my %old = (
	%clickhouse,
	username => $old->{username},
	password => $old->{password},
	database => 'default');
create_destination($node, $sandbox, %old,
	name => 'old_plain',
	port => $old->{port},
	sslmode => 'disable');
create_destination($node, $sandbox, %old,
	name => 'old_tls',
	port => $old->{tls_port});
my @too_old = (
	'The server says that it is ClickHouse 18.16.1, protocol revision 54412.',
	'Kind "clickhouse" needs ClickHouse 23 or later: upgrade the warehouse, or use another.');
create_module($node);
foreach my $way (qw(plain tls))
{
	my $what = "ClickHouse 18.16 ($way)";
	my $destination = "old_$way";
	my @steps = test_connection($node, $destination);

	is(steps_of(@steps), 'oosofss', "$what: all is well up to the table");
	is($steps[1]{detail}, 'ClickHouse 18.16.1, protocol revision 54412',
		"$what: what the login says");
	is( failed_step(@steps),
		'5: the warehouse is too old for kind "clickhouse":'
		  . " $too_old[0] // $too_old[1]",
		"$what: cause and remedy");

	# Results, exceptions, and that the next statement follows upon them.
	my %login = (
		host => '127.0.0.1',
		port => $way eq 'tls' ? $old->{tls_port} : $old->{port},
		sslmode => $way eq 'tls' ? 'verify-full' : 'disable',
		sslrootcert => $sandbox->env('CA_FILE'),
		username => $old->{username},
		password => $old->{password});
	my ($answers) = run_in_session(
		$node, 1, \%login,
		"SELECT toString(number), number - 1, toDate('1970-01-03'), 0.25,"
		  . " toFixedString('ab', 3), if(number = 1, 'x', NULL) FROM numbers(2)",
		'SELECT nothing',
		'SELECT value FROM system.settings WHERE name = \'max_execution_time\'');
	like($answers,
		qr/\A0\t-1\t2\t0\.25\tab\tNULL\n1\t0\t2\t0\.25\tab\tx\n[^\n]*code 47[^\n]*\n30\n\z/,
		"$what: results, an exception, and settings");

	# On saving and, where nothing is checked then, in the status.
	my ($code, undef, $error) = sql_as($node,
		    'INSERT INTO sw_pipelines (name, destination, data_source, source, columns)'
		  . " SELECT 'checked_$way', '$destination', data_source, source, columns"
		  . " FROM sw_pipelines WHERE name = 'again_$way'");
	isnt($code, 0, "$what: no pipeline is made for it");
	like($error,
		qr/ERROR:  (?:0A000: )?the warehouse is too old.*DETAIL:  \Q$too_old[0]\E.*HINT:  \Q$too_old[1]\E/s,
		"$what: with the same words");
	create_pipeline($node, "events_old_$way", destination => $destination,
		unchecked => 1);
	ok( $node->poll_query_until('postgres',
			'SELECT last_error IS NOT NULL FROM sw_status'
			  . " WHERE pipeline = 'events_old_$way'"),
		"$what: a table of ours is not made");
	is( $node->safe_psql('postgres',
			q{SELECT concat_ws('|', status, last_error, last_hint) FROM sw_status}
			  . " WHERE pipeline = 'events_old_$way'"),
		qq{new|the warehouse is too old for kind "clickhouse"|$too_old[1]},
		"$what: and its pipeline says so");

	my @mistakes = (
		[ { database => 'nowhere' }, qr/^4: the database does not exist .*code 81/ ],
		[ { password => 'wrong-secret' }, qr/^2: the warehouse refused the login: .*code 193/ ],
		[ { username => 'nobody' }, qr/^2: the warehouse refused the login: .*code 192/ ]);
	foreach my $mistake (@mistakes)
	{
		my ($columns, $error) = @$mistake;
		my ($column) = keys %$columns;

		change_destination($node, $destination, %$columns);
		like(failed_step(test_connection($node, $destination)),
			$error, "$what: an exception because of the $column");
		change_destination($node, $destination, $column => $old{$column});
	}
}
my %as_bytehouse = (
	host => '127.0.0.1',
	port => $old->{port},
	sslmode => 'disable',
	database => 'default',
	auth_type => 'iam',
	username => undef,
	password => undef,
	api_key => $old->{password});
create_destination($node, $sandbox, %as_bytehouse, name => 'old_bytehouse');
like(failed_step(test_connection($node, 'old_bytehouse')),
	qr/^2$not_bytehouse/, 'nor is the old one');

$node->stop;
done_testing();
