# Saving a pipeline: the warehouse is looked at first, the table is made right
# after the commit, and nothing is left of what is not saved; whose a table
# is; views on it; what would be run; rows as JSON.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveSandbox;
use SensorswaveTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $sandbox = SensorswaveSandbox->new('saving');
my $node = make_node('saving', $sandbox, 'sensorswave_export.connect_timeout = 3s');
my $id_sql = 'SELECT system_identifier FROM pg_control_system()';

sub make_sources
{
	my ($on, $name) = @_;
	$on->safe_psql($name, <<'SQL');
CREATE EXTENSION sensorswave_export;
CREATE TABLE happened ("time" timestamptz NOT NULL, distinct_id text, trace_id text, ssid bigint,
	anon_id text, login_id text, event text, properties jsonb, user_properties jsonb,
	received_at timestamptz);
CREATE TABLE people (ssid bigint, login_id text, anon_id text, properties jsonb,
	created_at timestamptz, updated_at timestamptz);
SQL
	create_destination($on, $sandbox, dbname => $name);
	return;
}

make_sources($node, 'postgres');

# ---- helpers ----

sub insert
{
	my ($name, %columns) = @_;
	my %row = (name => $name, destination => 'wh', data_source => 'events', source => 'happened',
		target_table => $name, %columns);
	my @names = sort keys %row;
	return 'INSERT INTO sw_pipelines (' . join(', ', @names) . ') VALUES ('
	  . join(', ', map { quote_text($row{$_}) } @names) . ');';
}

sub errands
{
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'sensorswave_export errand'");
}

sub table_exists
{
	my ($table) = @_;
	return $sandbox->query("EXISTS TABLE sensorswave.`$table`") eq '1';
}

sub status_of
{
	my ($name) = @_;
	return $node->safe_psql('postgres', "SELECT status FROM sw_pipelines WHERE name = '$name'");
}

sub comment_of
{
	my ($table) = @_;
	return $sandbox->ask_front("SELECT comment FROM system.tables WHERE database = 'sensorswave'"
		  . " AND name = '$table'");
}

# Neither a row, nor a table, nor a worker.
sub nothing_is_left
{
	my ($name, $what) = @_;
	is( $node->safe_psql('postgres',
			"SELECT count(*) FROM _sensorswave.pipeline WHERE name = '$name'"),
		0, "$what: no pipeline is left");
	ok(wait_until("$what: the worker ends", sub { errands() eq '0' }, 10), "$what: no worker is left");
	ok(!table_exists($name), "$what: no table is made");
	return;
}

sub is_refused
{
	my ($what, $sql, $error, %options) = @_;
	my ($code, $out, $err) =
	  sql_as($options{node} // $node, "\\set VERBOSITY verbose\n$sql", $options{dbname});
	isnt($code, 0, "$what is refused");
	like($err, $error, "$what: why, and what to do");
	return $err;
}

# psql in the background, ended by itself.
sub start_session
{
	my ($sql) = @_;
	my %session = (in => '', out => '', err => '');
	$session{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%session;
}

# ---- the check ----

$sandbox->stop('front');
is_refused('a warehouse that is down', insert('down'),
	qr/ERROR:  08\w{3}: could not connect to .*HINT:  Check host and port/s);
nothing_is_left('down', 'a warehouse that is down');

# Without the check it is saved, and made when the warehouse is there.
$node->safe_psql('postgres', 'SET sensorswave_export.check_on_save = off;' . insert('later'));
is(status_of('later'), 'new', 'without check_on_save a pipeline is saved all the same');
wait_until('an attempt fails', sub {
	$node->safe_psql('postgres',
		"SELECT consecutive_failures > 0 FROM sw_status WHERE pipeline = 'later'") eq 't';
});
$sandbox->start('front');
wait_running($node, 'later');
ok(table_exists('later'), 'its table is made when the warehouse is back');

my $update = 'SET log_min_error_statement = panic; BEGIN; UPDATE sw_destinations SET';
foreach my $case (
	[ 'a wrong password', "password = 'wrong-secret'", qr/ERROR:  28\w{3}: the warehouse refused the login.*HINT:  Check account id/s ],
	[ 'a missing database', "database = 'nowhere'", qr/ERROR:  \w{5}: the database does not exist.*HINT:  Create the database/s ],
	[ 'an unknown virtual warehouse', "virtual_warehouse = 'nowhere'", qr/ERROR:  \w{5}: the virtual warehouse does not exist.*HINT:  Set virtual_warehouse/s ],
	[ 'a certificate of nobody', 'port = ' . $sandbox->env('BYTEHOUSE_SELF_SIGNED_PORT'), qr/ERROR:  \w{5}: the certificate .*HINT:  Set sslrootcert/s ])
{
	my ($what, $change, $error) = @$case;
	# The pipeline there is would lose its target: it is another destination.
	my $err = is_refused($what,
		"$update name = 'old'; INSERT INTO sw_destinations (name, kind, host, port, database,"
		  . ' virtual_warehouse, account_id, username, password, sslrootcert, stage_endpoint, stage_region,'
		  . " stage_bucket, stage_access_key, stage_secret_key) SELECT 'wh', kind, host, port, database,"
		  . ' virtual_warehouse, account_id, username, ' . quote_text($sandbox->env('BYTEHOUSE_PASSWORD'))
		  . ', sslrootcert, stage_endpoint, stage_region, stage_bucket, stage_access_key,'
		  . " 'some-secret' FROM sw_destinations;"
		  . " UPDATE sw_destinations SET $change WHERE name = 'wh';" . insert('wrong'),
		$error);
	unlike($err, qr/wrong-secret|\Q${\ $sandbox->env('BYTEHOUSE_PASSWORD') }\E/, "$what: no secret is shown");
	nothing_is_left('wrong', $what);
}

# ---- commit and rollback ----

my $begin = time();
$node->safe_psql('postgres', insert('saved'));
wait_running($node, 'saved');
cmp_ok(time() - $begin, '<', 5, 'the table is made right after the commit');
ok(table_exists('saved'), 'and is there');
is(comment_of('saved'),
	'sensorswave_export: '
	  . $node->safe_psql('postgres',
		"SELECT ($id_sql) || '/' || (SELECT oid FROM pg_database WHERE datname = 'postgres') || '/'"
		  . " || pipeline_id || ' saved' FROM _sensorswave.pipeline WHERE name = 'saved'"),
	'marked as the pipeline\'s');

my $from = $sandbox->count_log('front');
$node->safe_psql('postgres', 'BEGIN;' . insert('undone') . 'ROLLBACK;');
nothing_is_left('undone', 'ROLLBACK');
$node->safe_psql('postgres', 'BEGIN; SAVEPOINT s;' . insert('undone') . 'ROLLBACK TO s; COMMIT;');
nothing_is_left('undone', 'ROLLBACK TO SAVEPOINT');
is(scalar(grep { ($_->{query} // '') eq 'SHOW CREATE TABLE `sensorswave`.`undone`' }
		$sandbox->log_lines('front', $from)), 2, 'both had asked the warehouse');
is(scalar(grep { ($_->{query} // '') =~ /CREATE TABLE IF|INSERT INTO|ALTER|DROP/ && $_->{query} !~ /_sw_probe/ }
		$sandbox->log_lines('front', $from)), 0, 'and changed nothing there');

# Not before the commit.
my $session = start_session('BEGIN;' . insert('slow') . "SELECT pg_sleep(1.5); COMMIT;");
wait_until('the transaction sleeps', sub {
	$node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") eq '1';
});
usleep(700_000);
ok(!table_exists('slow'), 'nothing is made before the commit');
$session->{run}->finish;
wait_running($node, 'slow');
ok(table_exists('slow'), 'but after it');

$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->restart;
is_refused('two-phase commit', 'BEGIN;' . insert('prepared') . "PREPARE TRANSACTION 'p';",
	qr/ERROR:  0A000: cannot PREPARE a transaction that has given work.*HINT:  Use COMMIT/s);
nothing_is_left('prepared', 'PREPARE TRANSACTION');

# ---- a table that is there ----

is_refused('the target of another pipeline', insert('again', target_table => 'saved'),
	qr/ERROR:  \w{5}: .*saved/);
is_refused('events into a table of other shape',
	do {
		$sandbox->ask_front('CREATE TABLE sensorswave.odd ('
			  . "`time` DateTime64(3, 'UTC'), distinct_id String, trace_id Int64, anon_id String,"
			  . ' ssid Int64, event String, extra String, properties JSONB, user_properties String,'
			  . " received_at DateTime64(3, 'Asia/Shanghai'))"
			  . ' ENGINE = CnchMergeTree PARTITION BY toYYYYMM(`time`) ORDER BY ssid');
		insert('odd');
	},
	qr/ERROR:  \w{5}: table "odd" exists at the warehouse and is not what the pipeline needs
DETAIL:  Differences: (?=.*column "time" is DateTime64\(3, ?'UTC'\), needs DateTime64\(3, ?'Asia\/Shanghai'\))(?=.*column "trace_id" is Int64, needs String)(?=.*column "login_id" is missing)(?=.*column "user_properties" is String, needs JSONB)(?=.*columns are in another order)(?=.*column "extra" is not one of the pipeline and has no default)(?=.*partition key is .*toYYYYMM.*, needs .*toDate)(?=.*sorting key is .*ssid.*, needs .*event).*
HINT:  Choose another target_table/);
$sandbox->ask_front('CREATE TABLE sensorswave.no_key (ssid Int64, login_id String, anon_id String,'
	  . " properties JSONB, created_at DateTime64(3, 'Asia/Shanghai'), updated_at DateTime64(3, 'Asia/Shanghai'))"
	  . ' ENGINE = CnchMergeTree ORDER BY ssid');
is_refused('users into a table without a unique key',
	insert('no_key', data_source => 'users', source => 'people'),
	qr/Differences: (?=.*version column is missing, needs updated_at)(?=.*unique key is empty, needs .*ssid)/);
is_refused('events in another time zone',
	"SELECT sw_stop('slow');" . insert('zone', target_table => 'slow', system_timezone => 'UTC'),
	qr/Differences: column "time" is DateTime64\(3, ?'Asia\/Shanghai'\), needs DateTime64\(3, ?'UTC'\); column "received_at"/);
my $before = $sandbox->query("SELECT create_table_query FROM system.tables WHERE name IN ('odd', 'no_key')");
like($before, qr/extra/, 'the tables are there');

$sandbox->ask_front('CREATE TABLE sensorswave.made ('
	  . "`time` DateTime64(3, 'Asia/Shanghai'), distinct_id String, trace_id String, ssid Int64,"
	  . ' anon_id String, login_id String, event String, properties JSONB, user_properties JSONB,'
	  . " received_at DateTime64(3, 'Asia/Shanghai'), loaded_at DateTime DEFAULT now())"
	  . ' ENGINE = CnchMergeTree PARTITION BY toDate(`time`) ORDER BY (event, `time`, distinct_id)'
	  . " COMMENT 'what happened'");
$node->safe_psql('postgres', insert('made'));
wait_running($node, 'made');
is($sandbox->query("SELECT count() FROM system.columns WHERE database = 'sensorswave' AND table = 'made'"),
	11, 'a table that fits, and has a column more with a default, is taken as it is');
like(comment_of('made'), qr/^what happened.*sensorswave_export: \d+\/\d+\/\d+ made/s,
	'its comment is kept, and gets the mark');

# ---- cancelling the check ----

foreach my $place ('hello', '^SHOW CREATE TABLE')
{
	$sandbox->front('POST', '/faults', { match => $place, fault => 'hang' });
	$session = start_session(insert('cancelled'));
	wait_until("the check waits at $place", sub {
		$sandbox->front('GET', '/faults')->{faults}[0]{hits};
	});
	$begin = time();
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM pg_stat_activity'
		  . " WHERE query LIKE 'INSERT INTO sw_pipelines%'");
	$session->{run}->finish;
	cmp_ok(time() - $begin, '<', 1, "a cancel ends the check at once, at $place");
	like($session->{err}, qr/ERROR:  canceling statement due to user request/, 'saying so');
	nothing_is_left('cancelled', "cancelled at $place");

	$begin = time();
	is_refused("statement_timeout at $place", "SET statement_timeout = '1s';" . insert('cancelled'),
		qr/ERROR:  57014: canceling statement due to statement timeout/);
	cmp_ok(time() - $begin, '<', 2, 'at once');
	nothing_is_left('cancelled', "statement_timeout at $place");
	$sandbox->front('DELETE', '/faults');
}

# ---- rights at the warehouse: no SELECT ----

create_destination($node, $sandbox, name => 'least',
	username => $sandbox->env('BYTEHOUSE_LEAST_USER'), password => $sandbox->env('BYTEHOUSE_LEAST_PASSWORD'));
$node->safe_psql('postgres', insert('least', destination => 'least'));
wait_running($node, 'least');
ok(table_exists('least'), 'the grants that the manual asks for are enough to save a pipeline');
like(comment_of('least'), qr/ least$/, 'and to mark its table');

# ---- whose a table is ----

$node->safe_psql('postgres', 'CREATE DATABASE other');
make_sources($node, 'other');
my $saved_mark = comment_of('saved') =~ s/.*: //r;
is_refused('a table of another database', insert('mine', target_table => 'saved'),
	qr/ERROR:  55006: target table "saved" belongs to another pipeline\nDETAIL:  Its comment says: \Q$saved_mark\E\.\nHINT:  .*stop the other pipeline/,
	dbname => 'other');
my $elsewhere = make_node('elsewhere', $sandbox);
make_sources($elsewhere, 'postgres');
is_refused('a table of another cluster', insert('mine', target_table => 'saved'),
	qr/ERROR:  55006: target table "saved" belongs to another pipeline\nDETAIL:  Its comment says: \Q$saved_mark\E\./,
	node => $elsewhere);
# Who did not look has to see it when the table would be made.
$elsewhere->safe_psql('postgres',
	'SET sensorswave_export.check_on_save = off;' . insert('unchecked', target_table => 'saved'));
ok($elsewhere->poll_query_until('postgres', 'SELECT status = \'new\' AND last_error'
		  . " = 'target table \"saved\" belongs to another pipeline' FROM sw_status"),
	'without the check it shows when the table is to be made');
is(comment_of('saved'), "sensorswave_export: $saved_mark", 'the mark stays');

# The other cluster waits for it, too, and never sees it without a mark.
$node->safe_psql('postgres', "BEGIN; SELECT sw_stop('saved');"
	  . insert('successor', target_table => 'saved') . 'COMMIT;');
wait_running($node, 'successor');
like(comment_of('saved'), qr/^sensorswave_export: \d+\/\d+\/\d+ successor$/,
	'after sw_stop a new pipeline takes the table over, and marks it');
$node->safe_psql('postgres', "SELECT sw_stop('successor')");
wait_until('the mark is taken off', sub { comment_of('saved') !~ / successor$/ });
ok($elsewhere->poll_query_until('postgres', "SELECT status = 'running' FROM sw_pipelines"),
	'a stopped pipeline gives its table to another cluster');
is($node->safe_psql('postgres', "SELECT status FROM sw_pipelines WHERE name = 'successor'"),
	'stopped', 'and stays stopped');
$elsewhere->stop;

# Who is stopped in the same transaction is stopped.
$node->safe_psql('postgres', insert('first'));
wait_running($node, 'first');
$node->safe_psql('postgres',
	"BEGIN; SELECT sw_stop('first'); " . insert('second', target_table => 'first') . 'COMMIT;');
wait_running($node, 'second');
ok(wait_until('the mark changes', sub { comment_of('first') =~ / second$/ }, 10),
	'a table changes hands in one transaction');
is($node->safe_psql('postgres', 'SELECT name, holds_target FROM _sensorswave.pipeline_state'
		  . " JOIN _sensorswave.pipeline USING (pipeline_id) WHERE name IN ('first', 'second') ORDER BY 1"),
	"first|f\nsecond|t", 'with what has to be done about it');
$node->safe_psql('postgres',
	"BEGIN; SELECT sw_stop('second'); " . insert('third', target_table => 'first') . 'ROLLBACK;');
is(status_of('second'), 'running', 'and stays where it is when that is undone');
like(comment_of('first'), qr/ second$/, 'with its mark');

# ---- two that want the same table at the same time ----

my $foreign = '999/1/1 foreign';

sub put_comment
{
	my ($table, $comment) = @_;
	$sandbox->ask_front("ALTER TABLE sensorswave.`$table` MODIFY COMMENT '$comment'");
	return;
}

# A table like that of a pipeline, which nobody owns.
sub make_unowned
{
	my ($table) = @_;
	$sandbox->ask_front("CREATE TABLE sensorswave.`$table` ("
		  . "`time` DateTime64(3, 'Asia/Shanghai'), distinct_id String, trace_id String, ssid Int64,"
		  . ' anon_id String, login_id String, event String, properties JSONB, user_properties JSONB,'
		  . " received_at DateTime64(3, 'Asia/Shanghai'))"
		  . ' ENGINE = CnchMergeTree PARTITION BY toDate(`time`) ORDER BY (event, `time`, distinct_id)');
	return;
}

sub front_hits
{
	return $sandbox->front('GET', '/faults')->{faults}[-1]{hits};
}

sub last_error
{
	my ($name) = @_;
	return $node->safe_psql('postgres', "SELECT last_error FROM sw_status WHERE pipeline = '$name'");
}

# The time of a line of a log, in seconds.
sub epoch_of
{
	my ($time) = @_;
	return $node->safe_psql('postgres', "SELECT extract(epoch FROM timestamptz '$time')");
}

my $unchecked = 'SET sensorswave_export.check_on_save = off;';
foreach my $case (
	# Between the look and the writing: the writer is not to write.
	[ 'contested', '^SELECT comment FROM system.tables', 2, 0 ],
	# After the writing: the writer is to notice.
	[ 'overwritten', '^ALTER TABLE .* MODIFY COMMENT', 1, 1 ])
{
	my ($name, $place, $nth, $writes) = @$case;
	make_unowned($name);
	my $line = $sandbox->count_log('front');
	$sandbox->front('POST', '/faults', { match => "$place.*$name", fault => 'delay', ms => 0, times => 1 })
	  if $nth > 1;
	$sandbox->front('POST', '/faults', { match => "$place.*$name", fault => 'hang', times => 1,
		$writes ? (when => 'after') : () });
	$node->safe_psql('postgres', $unchecked . insert($name));
	wait_until("$name: the claim waits", \&front_hits, 10);
	put_comment($name, "sensorswave_export: $foreign");
	$sandbox->front('DELETE', '/faults');
	ok(wait_until("$name: it yields", sub { last_error($name) ne '' }, 20), "$name: the claim fails");
	is(last_error($name), qq{target table "$name" belongs to another pipeline}, "$name: to the other one");
	is(status_of($name), 'new', "$name: and the pipeline does not run");
	is(comment_of($name), "sensorswave_export: $foreign", "$name: the other's mark is there");
	is(scalar(grep { ($_->{query} // '') =~ /^ALTER .*MODIFY COMMENT.*\d $name'/ }
			$sandbox->log_lines('front', $line)), $writes, "$name: ours was written as often as it could be");
	put_comment($name, 'words');
	wait_running($node, $name);
	like(comment_of($name), qr/^words\nsensorswave_export: \d+\/\d+\/\d+ $name$/,
		"$name: when the other has gone it is ours");
	my @lines = grep { ($_->{query} // '') =~ /^(?:ALTER TABLE .*MODIFY|SELECT) comment .*$name/is }
	  $sandbox->log_lines('front', $line);
	my ($written) = grep { $lines[$_]{query} =~ /^ALTER .*\d $name'/s } reverse 0 .. $#lines;
	cmp_ok(epoch_of($lines[ $written + 1 ]{time}) - epoch_of($lines[$written]{time}), '>=', 0.9,
		"$name: others have a second to write before we look again");
}

# ---- the mark of a worker that died ----

make_unowned('orphan');
$sandbox->front('POST', '/faults', { match => '^ALTER TABLE .*orphan.* MODIFY COMMENT', fault => 'hang', when => 'after' });
$node->safe_psql('postgres', $unchecked . insert('orphan'));
wait_until('the claim hangs', \&front_hits);
like(comment_of('orphan'), qr/ orphan$/, 'a mark is written, which its worker does not know');
$node->safe_psql('postgres', "SELECT sw_stop('orphan')");
$sandbox->front('DELETE', '/faults');
$node->safe_psql('postgres',
	"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE backend_type = 'sensorswave_export worker'");
ok(wait_until('the mark is taken off', sub { comment_of('orphan') eq '' }, 10),
	'the worker dies, the pipeline is stopped: the mark is taken off');

# A successor that never gets as far as to put its own mark.
$node->safe_psql('postgres', insert('parent'));
wait_running($node, 'parent');
$sandbox->stop('front');
$node->safe_psql('postgres', $unchecked . "BEGIN; SELECT sw_stop('parent');"
	  . insert('child', target_table => 'parent') . 'COMMIT;');
ok($node->poll_query_until('postgres', 'SELECT holds_target FROM _sensorswave.pipeline_state'
		  . " JOIN _sensorswave.pipeline USING (pipeline_id) WHERE name = 'child'"),
	'a successor takes over the mark of its predecessor');
$node->safe_psql('postgres', "SELECT sw_stop('child')");
$sandbox->start('front');
ok(wait_until('the mark is taken off', sub { comment_of('parent') eq '' }, 10),
	'and when it is stopped, that is taken off');

# ---- the mark where a target was ----

$sandbox->query('CREATE DATABASE moved');
create_destination($node, $sandbox, name => 'mobile');
$node->safe_psql('postgres', insert('mover', destination => 'mobile') . insert('ender', destination => 'mobile'));
wait_running($node, $_) foreach qw(mover ender);
like(comment_of($_), qr/ $_$/, "$_ has marked its table") foreach qw(mover ender);
$sandbox->front('POST', '/faults', { match => 'hello', fault => 'exception', code => 202 });
$node->safe_psql('postgres', "SELECT sw_stop('ender')");
change_destination($node, 'mobile', database => 'moved');
$sandbox->front('DELETE', '/faults');
foreach my $name (qw(mover ender))
{
	ok(wait_until("the mark of $name goes", sub { comment_of($name) eq '' }, 10),
		"moved to another database, $name takes its mark off the table it had");
}
is(status_of('mover'), 'running', 'and goes on');
my $formers = 'SELECT count(*) FROM _sensorswave.former_target';
ok($node->poll_query_until('postgres', $formers, '0'), 'nothing of it is left to be done');

my $day = '2024-05-06';
is(run_backfill($node, 'mover', $day, $day), 'success', 'where it is now it makes its table');
like($sandbox->ask_front("SELECT comment FROM system.tables WHERE database = 'moved' AND name = 'mover'"),
	qr/ mover$/, 'and marks it');
$sandbox->front('POST', '/faults', { match => 'hello', fault => 'exception', code => 202 });
change_destination($node, 'mobile', database => 'sensorswave');
is($node->safe_psql('postgres', $formers), 1, 'while the warehouse is busy it is on record');
change_destination($node, 'mobile', database => 'moved');
$sandbox->front('DELETE', '/faults');
ok($node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM _sensorswave.former_target)"
		  . " AND holds_target FROM _sensorswave.pipeline_state JOIN _sensorswave.pipeline USING (pipeline_id)"
		  . " WHERE name = 'mover'"), 'moved back, it has what it had');
like($sandbox->ask_front("SELECT comment FROM system.tables WHERE database = 'moved' AND name = 'mover'"),
	qr/ mover$/, 'its mark stays');

# Another address of the same warehouse.
create_destination($node, $sandbox, name => 'alias');
$node->safe_psql('postgres', insert('aliased', destination => 'alias'));
wait_running($node, 'aliased');
$from = $sandbox->count_log('front');
change_destination($node, 'alias', port => $sandbox->env('BYTEHOUSE_REV54451_PORT'));
$sandbox->wait_for_line('front', $from,
	sub { ($_->{query} // '') =~ /^ALTER .*`aliased` MODIFY COMMENT ''/ });
ok(wait_until('the mark is there again', sub { comment_of('aliased') =~ / aliased$/ }, 10),
	'a table that has only got another address is marked again at once');

# A place that is gone for good: it is not waited for.
$sandbox->query('DROP DATABASE moved SYNC');
change_destination($node, 'mobile', database => 'sensorswave');
ok($node->poll_query_until('postgres', "$formers WHERE next_attempt_at = 'infinity'", '1'),
	'what cannot succeed is not tried again');
$node->safe_psql('postgres', "SELECT sw_stop('mover')");
my ($code, undef, $warning) = sql_as($node, "DELETE FROM sw_pipelines WHERE name = 'mover'");
is($code, 0, 'the pipeline can be deleted at once') or diag($warning);
like($warning, qr/WARNING:  target table "moved"\."mover" keeps the mark .*HINT:  Run at the warehouse: ALTER TABLE `moved`\.`mover` MODIFY COMMENT ''/s,
	'saying what stays, and what removes it');

# ---- a mark that may not be taken off ----

$sandbox->front('POST', '/users', { name => 'maker', password => 'maker-secret',
	grants => ['CREATE TABLE, INSERT ON sensorswave.*'] });
create_destination($node, $sandbox, name => 'maker', username => 'maker', password => 'maker-secret');
$node->safe_psql('postgres', insert($_, destination => 'maker')) foreach qw(kept freed);
wait_running($node, $_) foreach qw(kept freed);
$node->safe_psql('postgres', "SELECT sw_stop('$_')") foreach qw(kept freed);
foreach my $name (qw(kept freed))
{
	ok(wait_until("the release of $name fails", sub { last_error($name) ne '' }, 10),
		"without ALTER the mark of $name stays");
}
is($node->safe_psql('postgres', "SELECT last_error || ' // ' || last_hint FROM sw_status WHERE pipeline = 'kept'"),
	'could not alter the comment of the target table // Run at the warehouse as an administrator:'
	  . ' GRANT ALTER ON sensorswave.* TO `maker`', 'sw_status says why');
($code, undef, $warning) = sql_as($node, "DELETE FROM sw_pipelines WHERE name = 'kept'");
is($code, 0, 'its pipeline can be deleted at once') or diag($warning);
like($warning, qr/WARNING:  target table "sensorswave"\."kept" keeps the mark of its pipeline\nDETAIL:  .*its comment says: \d+\/\d+\/\d+ kept\.\nHINT:  Run at the warehouse: (ALTER TABLE `sensorswave`\.`kept` MODIFY COMMENT '') /,
	'saying what removes the mark');
like(comment_of('kept'), qr/ kept$/, 'which is there');
my ($remedy) = $warning =~ /(ALTER TABLE \S+ MODIFY COMMENT '')/;
$sandbox->ask_front($remedy // 'no remedy');
is(comment_of('kept'), '', 'and goes by that statement');
$sandbox->front('POST', '/users', { name => 'maker', password => 'maker-secret',
	grants => ['CREATE TABLE, INSERT, ALTER ON sensorswave.*'] });
$node->safe_psql('postgres', "SELECT sw_stop('freed')");
ok(wait_until('the mark is taken off', sub { comment_of('freed') eq '' }, 10),
	'given the right, another sw_stop takes the mark off');
($code, undef, $warning) = sql_as($node, "SELECT pg_sleep(0.5); DELETE FROM sw_pipelines WHERE name = 'freed'");
is("$code $warning", '0 ', 'and there is nothing to warn of');
$sandbox->reset_front;

# ---- users, and their view ----

$node->safe_psql('postgres', insert('people', data_source => 'users', source => 'people'));
wait_running($node, 'people');
my ($ddl) = grep { /^CREATE TABLE IF NOT EXISTS `sensorswave`\.`people`/ }
  map { $_->{query} // '' } $sandbox->log_lines('front');
like($ddl // '', qr/ENGINE = CnchMergeTree\(`updated_at`\).*ORDER BY \(?`ssid`\)?.*UNIQUE KEY \(?`ssid`\)?/s,
	'a users pipeline makes a table with a unique key and a version');
is($node->safe_psql('postgres', "SELECT sw_create_current_view('people')"),
	'people_current', 'a view of the newest rows is made');
is($node->safe_psql('postgres', "SELECT sw_create_current_view('people')"),
	'people_current', 'and made again');
$sandbox->ask_front("INSERT INTO sensorswave.people (ssid, login_id, anon_id, properties, created_at, updated_at)"
	  . " SELECT $_->[0], '$_->[1]', '', CAST('{}' AS JSONB), toDateTime64('2026-01-01 00:00:00', 3, 'Asia/Shanghai'),"
	  . " toDateTime64('$_->[2]', 3, 'Asia/Shanghai')")
  foreach ([ 1, 'old', '2026-01-01 00:00:00' ], [ 1, 'new', '2026-01-02 00:00:00' ],
	[ 2, 'only', '2026-01-01 00:00:00' ], [ 1, 'late', '2026-01-01 12:00:00' ]);
is($sandbox->ask_front('SELECT ssid, login_id FROM sensorswave.people_current ORDER BY ssid'),
	"1\tnew\n2\tonly", 'it shows the newest row of each');
is_refused('a view of the newest rows of events', "SELECT sw_create_current_view('least')",
	qr/ERROR:  42809: pipeline "least" does not upsert/);
is_refused('a view of no pipeline', "SELECT sw_create_current_view('nosuch')",
	qr/ERROR:  42704: pipeline "nosuch" does not exist/);
$node->safe_psql('postgres', insert('least_people', destination => 'least', data_source => 'users', source => 'people'));
wait_running($node, 'least_people');
is_refused('a view without the right to read', "SELECT sw_create_current_view('least_people')",
	qr/ERROR:  42501: a right is missing at the warehouse.*HINT:  Run at the warehouse as an administrator: GRANT SELECT ON sensorswave\.\* TO `sensorswave_least`/s);

# ---- what would be run ----

$from = $sandbox->count_log('front');
my $events = $node->safe_psql('postgres', "SELECT sw_explain_pipeline('later')");
my $users = $node->safe_psql('postgres', "SELECT sw_explain_pipeline('people')");
is($sandbox->count_log('front'), $from, 'sw_explain_pipeline contacts nobody');
like($events, qr/^CREATE TABLE IF NOT EXISTS `sensorswave`\.`later`.*^SELECT\b.*happened.*^INSERT OVERWRITE `sensorswave`\.`later` PARTITION .*CnchS3\('https:/sm,
	'it shows table, query and load');
like($users, qr/UNIQUE KEY.*people.*CnchS3/s, 'also of users');
foreach my $text ($events, $users)
{
	like($text, qr/'\*\*\*'/, 'the secret key is masked');
	unlike($text, qr/\Q$_\E/, 'no secret is in it')
	  foreach map { my $s = $sandbox->env($_); ($s, $s =~ s/([\\'])/\\$1/gr) }
	  qw(STORE_SECRET_KEY BYTEHOUSE_PASSWORD BYTEHOUSE_API_KEY);
}

# ---- rows as JSON ----

sub put
{
	my ($function, $json) = @_;
	return $node->safe_psql('postgres',
		"SET log_min_error_statement = panic; SELECT $function(" . quote_text($json) . '::jsonb)');
}
my $definition = '{"name": "put", "destination": "wh", "data_source": "events", "source": "happened", "target_table": "put"}';
is(put('sw_put_pipeline', $definition), 'created', 'sw_put_pipeline creates');
wait_running($node, 'put');
ok(table_exists('put'), 'and its table is made at once');
my $version = 'SELECT settings_version, updated_at FROM sw_pipelines WHERE name = \'put\'';
my $is = $node->safe_psql('postgres', $version);
$from = $sandbox->count_log('front');
is(put('sw_put_pipeline', $definition), 'unchanged', 'the same again changes nothing');
is($node->safe_psql('postgres', $version), $is, 'nothing at all');
is($sandbox->count_log('front'), $from, 'and contacts nobody');
is(put('sw_put_pipeline', '{"name": "put", "row_filter": "ssid > 0"}'), 'changed', 'another filter is a change');
is(put('sw_put_pipeline', '{"name": "put", "row_filter": "ssid > 0"}'), 'unchanged', 'once');
is($node->safe_psql('postgres', "SELECT settings_version FROM sw_pipelines WHERE name = 'put'"), 2, 'it counts');
is_refused('a change of the target', q{SELECT sw_put_pipeline('{"name": "put", "target_table": "x"}')},
	qr/target_table of a pipeline cannot be changed/);
$sandbox->stop('front');
is_refused('a new one while the warehouse is down', 'SELECT sw_put_pipeline(' . quote_text($definition =~ s/"put"/"down"/gr) . ')', qr/could not connect/);
is(put('sw_put_pipeline', $definition =~ s/\}/, "row_filter": "ssid > 0"}/r), 'unchanged',
	'one that is there does not need the warehouse');
# A destination that is put right is tried at once, whatever the back-off.
change_settings($node, 'sensorswave_export.retry_backoff' => '1h', 'sensorswave_export.retry_backoff_max' => '1h');
$node->safe_psql('postgres', 'SET sensorswave_export.check_on_save = off;' . insert('waiting'));
$node->poll_query_until('postgres',
	"SELECT consecutive_failures > 0 AND next_run_at > now() + interval '10 minutes' FROM sw_status WHERE pipeline = 'waiting'")
  or die 'no failure';
$sandbox->start('front');
usleep(1_000_000);
is(status_of('waiting'), 'new', 'a pipeline waits out its back-off');
is(put('sw_put_destination', '{"name": "wh", "stage_prefix": "sensorswave"}'), 'unchanged',
	'sw_put_destination knows a row that is the same');
is(put('sw_put_destination', '{"name": "wh", "stage_prefix": "another"}'), 'changed', 'and one that is not');
$begin = time();
wait_running($node, 'waiting');
cmp_ok(time() - $begin, '<', 5, 'a changed destination is tried at once');

# ---- dump and restore ----

is($node->safe_psql('postgres', 'SHOW sensorswave_export.check_on_save'), 'on', 'check_on_save is on');
wait_until('nothing runs', sub {
	$node->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_activity'
		  . " WHERE backend_type LIKE 'sensorswave_export%' AND datname IS NOT NULL") eq '0';
});
my $dump = $node->basedir . '/saving.dump';
$from = $sandbox->count_log('front');
my $from_store = $sandbox->count_log('store');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'pg_restore');
usleep(2_000_000);
is($node->safe_psql('restored', 'SELECT count(*) FROM sw_pipelines'),
	$node->safe_psql('postgres', 'SELECT count(*) FROM sw_pipelines'), 'all pipelines are there');
is($sandbox->count_log('front'), $from, 'neither contacts the warehouse');
is($sandbox->count_log('store'), $from_store, 'nor the store');
my $key = $node->safe_psql('restored', "SELECT key_columns, json_type, target_options FROM sw_pipelines WHERE name = 'people'");
is($key, '{ssid}|string|{}', 'keys and options are restored');

$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP:|PANIC: /, 'no process has crashed');
done_testing();
