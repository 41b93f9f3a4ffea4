# Captures and the row versions between them (src/source), inside a server:
# every committed version is in one window and no other, whoever wrote it and
# however; the plans that a query may run by give the same; bounds hold.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SensorswaveModule;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{SW_TEST_LONG} ? 60 : 8;
my $n_writers = 8;

my $node = PostgreSQL::Test::Cluster->new('capture');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', <<'END');
fsync = off
timezone = 'UTC'
max_prepared_transactions = 20
autovacuum = off
max_connections = 40
END
$node->start;
create_module($node);

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

sub lines_are
{
	my ($sql, $expected, $what) = @_;
	is(join(' ', sort split /\n/, query($sql)), $expected, $what);
	return;
}

# A new table "t" of that definition, and its captures in "captures".
sub begin_story
{
	my ($columns) = @_;
	query(<<"END");
DROP TABLE IF EXISTS t, captures CASCADE;
CREATE TABLE t ($columns);
CREATE TABLE captures (n int, content bytea, captured_at timestamptz);
END
	return;
}

my $capture_sql = <<'END';
INSERT INTO captures
SELECT coalesce(last, 0) + 1, s.content, s.captured_at
FROM (SELECT max(n) AS last FROM captures) m
LEFT JOIN captures c ON c.n = m.last,
sw_test_capture('t', c.content, c.captured_at) s;
END

sub capture
{
	query($capture_sql);
	return;
}

# What the windows between those captures give: all, or from .. to.
sub windows
{
	my ($from, $to, @options) = @_;
	my $options = join ', ', map { "'$_'" } 'ask=rows', @options;
	return <<"END";
SELECT sw_test_window('t', array_agg(content ORDER BY n), array_agg(captured_at ORDER BY n), $options)
FROM captures WHERE n BETWEEN $from AND $to
END
}

# Windows one by one.
sub window_is
{
	my ($from, $expected, $what, @options) = @_;
	lines_are(windows($from, $from + 1, @options), $expected,
		"$what: window from $from");
	return;
}

sub session
{
	return $node->background_psql('postgres', on_error_stop => 1);
}

# ---- who writes, and how ----

begin_story('k int, c timestamptz DEFAULT now()');
query('INSERT INTO t VALUES (0)');
my $one = session();
my $two = session();
my $three = session();
$one->query_safe(q{BEGIN; INSERT INTO t VALUES (1); SAVEPOINT a; INSERT INTO t VALUES (2);
	SAVEPOINT b; INSERT INTO t VALUES (3); RELEASE b; SAVEPOINT d; INSERT INTO t VALUES (4); ROLLBACK TO d});
$two->query_safe(q{BEGIN; DO $$ BEGIN FOR i IN 10 .. 13 LOOP
	BEGIN INSERT INTO t VALUES (i); IF i = 12 THEN RAISE 'no'; END IF;
	EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$});
$three->query_safe('BEGIN; SELECT 1');
capture();
query('INSERT INTO t VALUES (20)');
capture();
$one->query_safe('COMMIT');
$three->query_safe('INSERT INTO t VALUES (30); COMMIT');
query('BEGIN; INSERT INTO t VALUES (31); ROLLBACK');
capture();
$two->query_safe('COMMIT');
query("BEGIN; INSERT INTO t VALUES (40); SAVEPOINT a; INSERT INTO t VALUES (41); $capture_sql INSERT INTO t VALUES (42); COMMIT");
capture();
lines_are('SELECT k FROM t', '0 1 10 11 13 2 20 3 30 40 41 42', 'what is there');
window_is(1, '20', 'in progress');
window_is(2, '1 2 3 30', 'savepoints, and a session that had no id');
window_is(3, '10 11 13', 'exception blocks');
window_is(4, '40 41 42', 'the transaction that made a capture');
lines_are(windows(1, 5), '1 10 11 13 2 20 3 30 40 41 42', 'several windows');
lines_are(windows(2, 4), '1 10 11 13 2 3 30', 'and some');
lines_are(windows(1, 5, 'slack_us=0'), '1 10 11 13 2 20 3 30 40 41 42', 'and with a bound');
query('VACUUM FREEZE t');
window_is(2, '1 2 3 30', 'frozen since');
query('VACUUM FULL t');
window_is(3, '10 11 13', 'moved by VACUUM FULL since');
lines_are("SELECT sw_test_window('t', ARRAY[NULL, content], ARRAY[now(), captured_at], 'ask=rows') FROM captures WHERE n = 2",
	'0 20', 'all versions up to a capture');

# ---- more subtransactions than a snapshot lists ----

sub subtransactions
{
	my ($first, $last) = @_;
	return "DO \$\$ BEGIN FOR i IN $first .. $last LOOP BEGIN INSERT INTO t VALUES (i);"
	  . ' EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$;';
}

begin_story('k int, c timestamptz DEFAULT now()');
capture();
$one->query_safe('BEGIN; ' . subtransactions(1, 300));
query('INSERT INTO t VALUES (1000)');
capture();
$one->query_safe(subtransactions(301, 400));
capture();
window_is(1, '1000', 'overflow');
window_is(2, '', 'overflow');
$two->query_safe('BEGIN; ' . subtransactions(2001, 2200));
query('INSERT INTO t VALUES (1001)');
$two->query_safe($capture_sql . 'COMMIT');
window_is(3, '1001', 'overflow of its own');
$one->query_safe('COMMIT');
capture();
is(query('SELECT count(*), sum(k::int), max(k::int) FROM (' . windows(4, 5) . ') AS q (k)'),
	'600|500300|2200', 'overflow: all of it, once');
is(query(q{SELECT count(*) FROM captures, sw_test_capture_show(content, captured_at) l WHERE n = 4 AND l LIKE 'pending%'}),
	3, 'ids in a row are kept as a run');
cmp_ok(query('SELECT max(length(content)) FROM captures'), '<', 200, 'and in few bytes');

# ---- bounds ----

sub bound_holds
{
	my ($n, $what) = @_;
	is(query("SELECT coalesce(sw_test_capture_bound(content, captured_at, 0) <= (SELECT max(c) FROM t) - interval '10 s', true) FROM captures WHERE n = $n"),
		't', "$what: bound of the window from $n");
	return;
}

begin_story('k int, c timestamptz DEFAULT now()');
capture();
is(query("SELECT captured_at - sw_test_capture_bound(content, captured_at, 0) < interval '12 s' FROM captures"),
	't', 'nothing else is active: the bound is close');
my $elsewhere = $node->background_psql('template1', on_error_stop => 1);
$elsewhere->query_safe('BEGIN; SELECT pg_current_xact_id()');
query('DELETE FROM captures');
capture();
is(query("SELECT captured_at - sw_test_capture_bound(content, captured_at, 0) < interval '12 s' FROM captures"),
	't', 'so it is with a transaction in another database');
$elsewhere->quit;
$one->query_safe('SET track_activities = off; BEGIN; SELECT now()');
sleep 0.1;
begin_story('k int, c timestamptz DEFAULT now()');
capture();
is(query(q{SELECT sw_test_capture_bound(content, captured_at, 0) = pg_postmaster_start_time() - interval '10 s' FROM captures}),
	't', 'a session that tells nothing of itself: the start of the server');
$one->query_safe('INSERT INTO t VALUES (1); COMMIT; RESET track_activities');
capture();
bound_holds(1, 'track_activities off');
window_is(1, '1', 'track_activities off', 'slack_us=0');

$one->query_safe('BEGIN; SELECT now()');
sleep 0.1;
begin_story('k int, c timestamptz DEFAULT now()');
capture();
$one->query_safe('INSERT INTO t VALUES (1)');
is(query(q{SELECT (SELECT min(xact_start) FROM pg_stat_activity WHERE backend_type = 'client backend')
	= sw_test_capture_bound(content, captured_at, 0) + interval '10 s' FROM captures}),
	't', 'else when it began');
for my $k (2 .. 4)
{
	sleep 0.2;
	capture();
	bound_holds($k - 1, 'long transaction');
}
$one->query_safe(q{PREPARE TRANSACTION 'long'});
# the same slot is at work again
$one->query_safe('BEGIN; SELECT 1');
capture();
$one->query_safe('COMMIT');
capture();
bound_holds(5, 'prepared long after');
bound_holds(6, 'prepared long after');
$_->quit foreach $one, $two, $three;
$node->restart;
query($capture_sql);
bound_holds(7, 'prepared, and the server started again');
$node->stop('immediate');
$node->start;
capture();
bound_holds(8, 'prepared, and the server died');
query(q{COMMIT PREPARED 'long'});
capture();
capture();
bound_holds(8, 'committed at last');
window_is(8, '1', 'prepared', 'slack_us=0');
window_is(9, '', 'prepared', 'slack_us=0');
is(query(q{SELECT captured_at - sw_test_capture_bound(content, captured_at, 0) < interval '12 s' FROM captures WHERE n = 9}),
	't', 'when it has ended, the bound is close again');
query(q{BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'early'});
$node->restart;
query('DELETE FROM captures');
capture();
is(query('SELECT sw_test_capture_bound(content, captured_at, 0) FROM captures'),
	'', 'prepared before the server started and the first capture: no bound');
query(q{COMMIT PREPARED 'early'});
capture();
window_is(1, '2', 'prepared before the first capture', 'slack_us=0');

# ---- what was left out comes with the sweep ----

begin_story('k int, c timestamptz DEFAULT now()');
capture();
my @now = ('time=now()');
query(q{INSERT INTO t VALUES (1, now()), (2, now() - interval '1 day'), (3, NULL), (4, now() + interval '1 day'), (5, '-infinity'), (6, 'infinity')});
capture();
query(q{INSERT INTO t VALUES (7, now()), (8, now() - interval '9 s'), (9, now() - interval '1 h')});
capture();
window_is(1, '1 3 4 6', 'incremental', @now, 'slack_us=0');
window_is(2, '7 8', 'incremental', @now, 'slack_us=0');
window_is(2, '7 8 9', 'a longer slack', @now, 'slack_us=7200000000');
lines_are(windows(1, 3, @now, 'slack_us=0', 'sweep=1'), '2 5 9', 'sweep');
lines_are(windows(1, 3, 'sweep=1'), '', 'sweep of windows without bounds');
foreach my $type ('timestamp', 'date', 'text')
{
	my %by = (date => '2 5 9', timestamp => '2 5 9', text => '2 5 9');
	my $cursor = $type eq 'date' ? "cursor=CASE WHEN k = 7 THEN c::date + 1 WHEN k = 8 THEN current_date + 1 WHEN k = 9 THEN c::date - 1 WHEN k = 1 THEN c::date + 1 ELSE c::date END"
	  : "cursor=c::$type";
	lines_are(windows(1, 3, @now, 'slack_us=0', 'sweep=1', $cursor), $by{$type}, "sweep by $type");
}

# ---- plans ----

sub plan_is
{
	my ($like, $expected, $what, $settings, @options) = @_;
	my $set = join ' ', map { "SET $_;" } @$settings;
	like(query("$set " . windows(1, 2, 'ask=explain', @options)), $like, "$what: the plan");
	is(join(' ', sort split /\n/, query("$set " . windows(1, 2, @options))),
		$expected, "$what: the rows");
	return;
}

begin_story('gone int, k int, c timestamptz DEFAULT now(), x int DEFAULT 0');
query('ALTER TABLE t DROP COLUMN gone; CREATE INDEX ON t (c); CREATE INDEX ON t (x)');
query(q{INSERT INTO t SELECT -i, now() - interval '1 h', i FROM generate_series(1, 2000) i});
capture();
query(q{INSERT INTO t SELECT i FROM generate_series(1, 4) i; UPDATE t SET x = -1 WHERE k IN (2, -7)});
query(q{UPDATE t SET c = now() WHERE k IN (3, -8)});
capture();
query('INSERT INTO t SELECT i FROM generate_series(100, 110) i; ANALYZE t');
my $day = query('SELECT current_date');
my $old_day = query(q{SELECT (c AT TIME ZONE 'UTC')::date FROM t WHERE k = -7});
my @bound = ('bound=' . query(q{SELECT (extract(epoch FROM now() - interval '1 min') * 1000000)::bigint - 946684800000000}));
my $new = "-8 1 2 3 4 day $day updated 3";
my $all_new = join ' ', sort { $a cmp $b } -7, -8, 1, 2, 3, 4, 'updated 4', map { "day $_" } keys %{ { $day => 1, $old_day => 1 } };
plan_is(qr/Seq Scan/, $all_new, 'sequential scan', []);
plan_is(qr/Bitmap Heap Scan/, $new, 'bitmap scan', ['enable_seqscan = off'], @bound);
plan_is(qr/Index Scan using t_c_idx/, $new, 'index scan', [], @bound, 'to=2000000000000000000');
plan_is(qr/Index Scan/, $all_new, 'an index of a filter', ['enable_seqscan = off', 'enable_bitmapscan = off'], 'filter=x >= -5');
my $leaf = query(q{SELECT 't'::regclass::oid});
plan_is(qr/Tid Range Scan/, $all_new, 'a range of places', [], "leaf=$leaf", 'end_block=1000');
query('CREATE INDEX c_and_k ON t (c, k)');
plan_is(qr/Index Scan using c_and_k/, $new, 'an index that has all columns is not read alone',
	[ 'enable_seqscan = off', 'enable_bitmapscan = off' ], @bound, 'filter=k > -100', 'to=2000000000000000000');
query('DROP INDEX c_and_k');
query(q{CREATE TABLE few AS SELECT k FROM t WHERE k % 2 = 0; ANALYZE few});
foreach my $join (
	[ qr/Hash.*Join/, [ 'enable_nestloop = off', 'enable_mergejoin = off' ] ],
	[ qr/Merge.*Join/, [ 'enable_nestloop = off', 'enable_hashjoin = off' ] ],
	[ qr/Nested Loop/, [ 'enable_hashjoin = off', 'enable_mergejoin = off' ] ])
{
	my ($like, $settings) = @$join;
	plan_is($like, "-8 2 4 day $day updated 2", 'a join above', $settings,
		'filter=k IN (SELECT k FROM few)', @bound);
}
plan_is(qr/SubPlan/, '1 3 ' . "day $day updated 1", 'a subplan', [],
	'filter=NOT k IN (SELECT k FROM few) ', @bound);
is(query(windows(1, 2, 'ask=probe', @bound)), '1', 'probe: there are rows');
is(query(windows(1, 2, 'ask=probe', 'filter=k = 105', @bound)), '0', 'probe: there are none');
is(query(windows(1, 2, 'ask=check', @bound)), '', 'check');
cmp_ok(query(windows(1, 2, 'ask=estimate', 'bound=2000000000000000000')), '<=', 10, 'estimate');
cmp_ok(query(windows(1, 2, 'ask=estimate')), '>=', 900, 'estimate of all');
is(query('SELECT sw_test_naive(true); ' . windows(1, 2, 'filter=k > 100')) =~ s/\s+/ /gr,
	' ' . join(' ', 101 .. 110), 'the naive cursor');

# ---- row security, and rights ----

query(<<'END');
CREATE ROLE reader;
GRANT SELECT ON t TO reader;
GRANT SELECT ON captures TO reader;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY even ON t TO reader USING (k % 2 = 0);
END
lines_are('SET ROLE reader; ' . windows(1, 2, @bound), "-8 2 4 day $day updated 2", 'row security');

# ---- partitions, children ----

sub story_of_parts
{
	my ($what, $is_partitioned) = @_;
	my ($parent, $leaves) = $is_partitioned
	  ? ('PARTITION BY RANGE (k)', q{
		CREATE TABLE p1 (c timestamptz DEFAULT now(), gone int, k int);
		ALTER TABLE p1 DROP COLUMN gone;
		ALTER TABLE t ATTACH PARTITION p1 FOR VALUES FROM (0) TO (100);
		CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (100) TO (200) PARTITION BY HASH (k);
		CREATE TABLE p20 PARTITION OF p2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE p21 PARTITION OF p2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		CREATE TABLE p3 PARTITION OF t DEFAULT;})
	  : ('', 'CREATE TABLE p1 () INHERITS (t); CREATE TABLE p2 () INHERITS (p1);');
	query(<<"END");
DROP TABLE IF EXISTS t, captures CASCADE;
CREATE TABLE t (k int, c timestamptz DEFAULT now()) $parent;
$leaves
CREATE INDEX ON t (c);
CREATE TABLE captures (n int, content bytea, captured_at timestamptz);
END
	my @into = $is_partitioned ? ('t') : ('t', 'p1', 'p2');
	my $fill = sub {
		my ($from, $to) = @_;
		my $i = 0;
		query(join '', map { "INSERT INTO $_ (k) SELECT i FROM generate_series($from, $to) i WHERE abs(i) % "
			  . scalar(@into) . ' = ' . ($i++) . ';' } @into);
	};
	$fill->(1, 2000);
	capture();
	$fill->(-50, 0);
	$fill->(2001, 2300);
	query('UPDATE t SET c = now() WHERE k IN (3, 150)');
	capture();
	$fill->(3000, 3100);
	query('ANALYZE t');
	my $whole = join ' ', sort split /\n/, query(windows(1, 2));
	is(query('SELECT count(*), sum(k::int) FROM (' . windows(1, 2) . q{) AS q (k) WHERE k ~ '^-?\d+$'}),
		'353|644028', "$what: the rows");
	my @parts = split /\n/, query(windows(1, 2, 'ask=50'));
	cmp_ok(scalar(@parts), '>=', 4, "$what: parts by blocks");
	my %keys;
	my $n_updated = 0;
	foreach my $part (@parts)
	{
		my @options = split / /, $part;
		my $plan = query(windows(1, 2, 'ask=explain', @options));
		my @scans = $plan =~ /Scan (?:using \S+ )?on (\S+)/g;
		is(scalar(@scans), 1, "$what: one leaf is read") or diag $plan;
		foreach my $line (split /\n/, query(windows(1, 2, @options)))
		{
			$keys{$line}++ if $line =~ /^-?\d+$/;
			$n_updated += $1 if $line =~ /^updated (\d+)/;
		}
	}
	is(scalar(keys %keys), 353, "$what: the parts give all of it");
	is(scalar(grep { $_ > 1 } values %keys), 0, "$what: and nothing twice");
	is($n_updated, 2, "$what: updates counted");
	query('GRANT SELECT ON t, captures TO reader; ALTER TABLE t ENABLE ROW LEVEL SECURITY;'
		  . ' CREATE POLICY even ON t TO reader USING (k % 2 = 0)');
	is(query('SET ROLE reader; SELECT count(*) FROM (' . windows(1, 2, split / /, $parts[0]) . q{) AS q (k) WHERE k ~ '[13579]$'}),
		0, "$what: a leaf is read by the rights and policies of the whole");
	cmp_ok(query('SET ROLE reader; SELECT count(*) FROM (' . windows(1, 2) . q{) AS q (k) WHERE k ~ '[02468]$'}),
		'>', 150, "$what: which let half of the rows pass");
	query('ALTER TABLE t DISABLE ROW LEVEL SECURITY; DROP POLICY even ON t');
	@parts = split /\n/, query(windows(1, 2, 'ask=100', 'slack_us=0'));
	cmp_ok(scalar(@parts), '>=', 4, "$what: parts by time");
	%keys = ();
	foreach my $part (@parts)
	{
		$keys{$_}++ foreach grep { /^-?\d+$/ }
		  split /\n/, query(windows(1, 2, 'slack_us=0', split(/ /, $part)));
	}
	is(scalar(keys %keys), 353, "$what: the slices give all of it");
	is(scalar(grep { $_ > 1 } values %keys), 0, "$what: and nothing twice");
	return;
}

story_of_parts('inheritance', 0);
story_of_parts('partitions', 1);

# ---- attached, rewritten ----

is(query(windows(1, 2, 'ask=holes')), '', 'no holes');
query(q{CREATE TABLE p4 (k int, c timestamptz); INSERT INTO p4 VALUES (5000, '2020-02-02 23:00'), (5001, '2020-02-03')});
capture();
query(q{INSERT INTO p4 VALUES (5002, '2020-02-04'); ALTER TABLE t DETACH PARTITION p3;
	ALTER TABLE t ATTACH PARTITION p4 FOR VALUES FROM (5000) TO (6000)});
capture();
window_is(3, '5002', 'attached');
is(query(windows(2, 3, 'ask=holes')), "attached p4\nday 2020-02-02\nday 2020-02-03", 'days of what is attached');
is(query(windows(2, 3, 'ask=holes', 'zone=Asia/Shanghai')), "attached p4\nday 2020-02-03", 'in its zone');
query(q{INSERT INTO t VALUES (5003, '2020-02-05')});
query('VACUUM FULL p4; CLUSTER p1 USING p1_c_idx');
is(query(windows(3, 4, 'ask=holes')), "replaced p1\nreplaced p4", 'VACUUM FULL, CLUSTER: no day');
capture();
window_is(4, '5003', 'VACUUM FULL, CLUSTER');
query(q{INSERT INTO t VALUES (5004, '2020-02-06')});
$one = session();
$one->query_safe('BEGIN; INSERT INTO t VALUES (101, now())');
query(q{ALTER TABLE p4 SET UNLOGGED; GRANT SELECT ON t TO reader});
$one->query_safe('COMMIT');
is(query(windows(4, 5, 'ask=holes')), join("\n", 'replaced p4', map { "day 2020-02-0$_" } 2 .. 6), 'days of what is rewritten');
window_is(4, '', 'rewritten since');
capture();
window_is(5, '101', 'rewritten');
$one->query_safe('BEGIN; SAVEPOINT a; ALTER TABLE t ALTER c TYPE timestamptz(3); RELEASE a; COMMIT; GRANT SELECT ON p4 TO reader');
query(q{INSERT INTO t VALUES (5005, '2020-02-07')});
capture();
window_is(6, '5005', 'all are rewritten');
window_is(5, '', 'all are rewritten since');
query('TRUNCATE t');
query(q{INSERT INTO t VALUES (5006, '2020-02-07')});
capture();
window_is(7, '5006', 'truncated');
$one->quit;

# Rewritten, so that the catalogs do not tell by whom; and where the first rows
# were, a new one lies.
sub rewrite_is_found
{
	my ($what, $before, @changes) = @_;
	begin_story(q{k int, c timestamptz DEFAULT '2020-02-02'});
	query("$before INSERT INTO t SELECT i FROM generate_series(1, 500) i");
	capture();
	capture();
	query($_) foreach @changes;
	my $writers = query(q{SELECT xmin FROM pg_class WHERE oid = 't'::regclass UNION SELECT xmin FROM pg_attribute WHERE attrelid = 't'::regclass});
	my $writer = query('SELECT min(xmin::text::bigint) FROM t');
	ok(!grep({ $_ == $writer } split /\n/, $writers), "$what: the catalogs do not tell");
	query(q{DELETE FROM t WHERE k <= 200});
	query('VACUUM t');
	query(q{INSERT INTO t (k, c) VALUES (1000, '2020-02-03')});
	is(query('SELECT k FROM t ORDER BY ctid LIMIT 1'), '1000', "$what: a new row is the first");
	is(query(windows(1, 2, 'ask=holes')), "replaced t\nday 2020-02-02", "$what: days");
	capture();
	window_is(2, '1000', $what);
	window_is(1, '', "$what: since");
	return;
}

rewrite_is_found('SET LOGGED, GRANT', 'ALTER TABLE t SET UNLOGGED;',
	'ALTER TABLE t SET LOGGED', 'GRANT SELECT ON t TO reader');
rewrite_is_found('a migration', '', 'ALTER TABLE t ADD u uuid NOT NULL DEFAULT gen_random_uuid()',
	'ALTER TABLE t ALTER u DROP DEFAULT, ALTER u DROP NOT NULL', 'ALTER TABLE t ADD CHECK (k > 0)');
rewrite_is_found('files are swapped', '', 'CREATE TABLE copied AS TABLE t', <<'END', 'DROP TABLE copied');
SET allow_system_table_mods = on;
UPDATE pg_class a SET relfilenode = b.relfilenode FROM pg_class b
WHERE (a.oid, b.oid) IN (('t'::regclass, 'copied'::regclass), ('copied'::regclass, 't'::regclass));
END
begin_story('k int, c timestamptz DEFAULT now()');
query('INSERT INTO t SELECT i FROM generate_series(1, 500) i; CREATE INDEX down ON t (k DESC)');
capture();
query('INSERT INTO t VALUES (1000); CLUSTER t USING down; GRANT SELECT ON t TO reader');
capture();
is(query('SELECT k FROM t ORDER BY ctid LIMIT 1'), '1000', 'CLUSTER puts the new row first');
window_is(1, '1000', 'CLUSTER');

# Attached with rows that cannot be exported.
query(<<'END');
DROP TABLE t, captures CASCADE;
CREATE TABLE t (k int, c timestamptz) PARTITION BY RANGE (k);
CREATE TABLE captures (n int, content bytea, captured_at timestamptz);
CREATE TABLE q1 PARTITION OF t FOR VALUES FROM (0) TO (10);
CREATE TABLE q2 (LIKE t);
INSERT INTO q2 VALUES (11, '2020-02-02'), (12, 'infinity'), (13, '2020-02-03'), (14, '-infinity');
END
capture();
capture();
query('ALTER TABLE t ATTACH PARTITION q2 FOR VALUES FROM (10) TO (20)');
my $bad_key = 'key=CASE WHEN k <> 11 THEN k::text END';
is(query(windows(1, 2, 'ask=holes', $bad_key)), "attached q2\nday 2020-02-02\nday 2020-02-03",
	'rows that cannot be exported do not hide days');
is(query(windows(1, 2, 'ask=holes', $bad_key, 'event=13')), "attached q2\nday 2020-02-03",
	'days of events that pass the filter');

# ---- facts ----

query(<<'END');
CREATE TABLE f (a timestamptz DEFAULT now(), b timestamp DEFAULT localtimestamp, d date DEFAULT current_date,
	e timestamptz DEFAULT clock_timestamp() - interval '1 s', x text, g timestamptz(3) DEFAULT statement_timestamp());
CREATE INDEX ON f (a); CREATE INDEX ON f (b) WHERE x > ''; CREATE INDEX ON f (x, d);
CREATE INDEX ON f ((x::jsonb)); CREATE INDEX ON f USING brin (g);
CREATE INDEX ON f ((CASE WHEN x = 'x' THEN a ELSE e END) DESC);
CREATE VIEW v AS SELECT * FROM f;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM f;
CREATE INDEX ON mv (a);
CREATE TABLE fp (a timestamptz) PARTITION BY LIST (a);
CREATE TABLE fp1 PARTITION OF fp DEFAULT;
CREATE INDEX ON fp1 (a);
CREATE UNLOGGED TABLE fu (a timestamptz);
END
my @facts = (
	[ 'f', 'a', 'versions index clock' ], [ 'f', 'b', 'versions - clock' ], [ 'f', 'd', 'versions - clock' ],
	[ 'f', 'e', 'versions - -' ], [ 'f', 'x', 'versions - -' ], [ 'f', 'g', 'versions - clock' ],
	[ 'f', q{CASE WHEN x = 'x' THEN a ELSE e END}, 'versions index -' ],
	[ 'v', 'a', '- - -' ], [ 'mv', 'a', '- index -' ], [ 'fp', 'a', 'versions index -' ], [ 'fu', 'a', 'versions - -' ]);
is(query("SELECT sw_test_relation('$_->[0]', " . '$q$' . $_->[1] . '$q$)'), $_->[2], "facts: $_->[0], $_->[1]") foreach @facts;
query('CREATE TABLE fp2 PARTITION OF fp FOR VALUES IN (now())');
is(query(q{SELECT sw_test_relation('fp', 'a')}), 'versions - -', 'facts: a partition without the index');
query(q{CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw;
	CREATE FOREIGN TABLE fp3 PARTITION OF fp FOR VALUES IN ('2020-01-01') SERVER s OPTIONS (filename '/dev/null')});
is(query(q{SELECT sw_test_relation('fp', 'a')}), '- - -', 'facts: a foreign partition');
like(query(q{SELECT sw_test_unversioned('fp')}), qr/^The rows of "fp3" have no versions/, 'which is named');
query('DELETE FROM captures');
query('ALTER TABLE fp DETACH PARTITION fp3');
my $capture_fp = $capture_sql =~ s/'t'/'fp'/r;
query($capture_fp);
query(q{INSERT INTO fp VALUES ('2020-01-03'), (NULL)});
query($capture_fp);
my $data = PostgreSQL::Test::Utils::tempdir() . '/fp3.csv';
append_to_file($data, "2020-01-01\n");
query(qq{ALTER FOREIGN TABLE fp3 OPTIONS (SET filename '$data'); ALTER TABLE fp ATTACH PARTITION fp3 FOR VALUES IN ('2020-01-01')});
is(query('SELECT count(*) FROM fp'), '3', 'a foreign partition has rows');
my @by_a = ('key=(a IS NULL)::text', 'cursor=a');
lines_are(windows(1, 2, @by_a) =~ s/'t'/'fp'/r, 'false true', 'a window that began before has those of tables');
lines_are(windows(1, 2, @by_a, 'slack_us=0', 'sweep=1') =~ s/'t'/'fp'/r, 'false', 'so has a sweep');
query('VACUUM FULL fp1');
lines_are(windows(1, 2, @by_a, 'ask=holes') =~ s/'t'/'fp'/r, 'replaced fp1', 'and changes of these are seen');
query('ALTER TABLE fp DETACH PARTITION fp3');
is(query(q{SELECT sw_test_relation('fp', 'a')}), 'versions - -', 'facts: it is detached');
is(query(q{SELECT sw_test_unversioned('fp')}), '', 'and none is named');
like(query(q{SELECT sw_test_unversioned('v')}), qr/^The rows of "v" have no versions/, 'a view is named');

# ---- gaps, damage ----

begin_story('k int, c timestamptz DEFAULT now()');
query('BEGIN; SAVEPOINT a; INSERT INTO t VALUES (1);' . $capture_sql . 'COMMIT');
capture();
is(query('SELECT sw_test_capture_gap(content) FROM captures WHERE n = 1'), '', 'no gap');
like(query(q{SELECT sw_test_capture_gap('\x01008080808080200000000000000000')}), qr/another history/,
	'ids that this server has not reached');
my $damages = query(<<'DAMAGE');
DO $$
DECLARE
	one record;
	broken bytea;
	n_read int := 0;
	n_refused int := 0;
BEGIN
	FOR one IN SELECT content, captured_at FROM captures, generate_series(1, 2000) LOOP
		broken := one.content;
		FOR i IN 0 .. (random() * 2)::int LOOP
			broken := set_byte(broken, (random() * (length(broken) - 1))::int, (random() * 255)::int);
		END LOOP;
		broken := substr(broken, 1, CASE WHEN random() < 0.3 THEN (random() * length(broken))::int ELSE length(broken) END);
		BEGIN
			PERFORM count(*) FROM sw_test_capture_show(broken, one.captured_at);
			PERFORM sw_test_capture_has(broken, '5'), sw_test_capture_gap(broken), sw_test_capture_bound(broken, one.captured_at, 0);
			n_read := n_read + 1;
		EXCEPTION WHEN data_corrupted OR feature_not_supported THEN
			n_refused := n_refused + 1;
		END;
	END LOOP;
	CREATE TEMP TABLE seen AS SELECT n_read, n_refused;
END
$$;
SELECT n_read + n_refused, n_refused > 500 FROM seen;
DAMAGE
is($damages, '4000|t', 'damaged captures are refused');

# ---- all at once ----

query('CREATE SEQUENCE s');
begin_story("k bigint DEFAULT nextval('s'), c timestamptz DEFAULT now()");
my %scripts = (
	plain => 'INSERT INTO t SELECT FROM generate_series(1, 3);',
	long => <<'SCRIPT',
BEGIN;
INSERT INTO t DEFAULT VALUES;
\sleep 300 ms
INSERT INTO t DEFAULT VALUES;
COMMIT;
SCRIPT
	late => <<'SCRIPT',
BEGIN;
SELECT now();
\sleep 700 ms
INSERT INTO t DEFAULT VALUES;
COMMIT;
SCRIPT
	saved => <<'SCRIPT',
BEGIN;
SAVEPOINT a;
INSERT INTO t DEFAULT VALUES;
SAVEPOINT b;
INSERT INTO t DEFAULT VALUES;
ROLLBACK TO b;
INSERT INTO t DEFAULT VALUES;
RELEASE a;
\sleep 20 ms
COMMIT;
SCRIPT
	caught => <<'SCRIPT',
DO $$ BEGIN
	FOR i IN 1 .. 90 LOOP
		BEGIN
			INSERT INTO t DEFAULT VALUES;
			IF i % 7 = 0 THEN RAISE 'no'; END IF;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	PERFORM pg_sleep(0.05);
END $$;
SCRIPT
	undone => <<'SCRIPT',
BEGIN;
INSERT INTO t DEFAULT VALUES;
\sleep 20 ms
ROLLBACK;
SCRIPT
	shifted => <<'SCRIPT');
INSERT INTO t VALUES (DEFAULT, now() - random() * interval '1 day'), (DEFAULT, NULL),
	(DEFAULT, now() + random() * interval '1 day');
SCRIPT
my @files;
while (my ($name, $script) = each %scripts)
{
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";
	append_to_file($file, $script);
	push @files, '-f', $file;
}
my $prepared = PostgreSQL::Test::Utils::tempdir() . '/prepared.sql';
append_to_file($prepared, <<'SCRIPT');
BEGIN;
SAVEPOINT a;
INSERT INTO t DEFAULT VALUES;
PREPARE TRANSACTION 'p';
\sleep 200 ms
COMMIT PREPARED 'p';
SCRIPT
capture();
my @pgbench = ('pgbench', '-n', '-T', $seconds, '-h', $node->host, '-p', $node->port);
my ($out, $err) = ('', '');
my @writers = map { IPC::Run::start([ @pgbench, @$_, 'postgres' ], '<', \undef, '>', \$out, '2>', \$err) }
  ([ '-c', $n_writers, '-j', 2, @files ], [ '-c', 1, '-f', $prepared ]);
my $ends = time() + $seconds + 1;
my $n_captures = 1;
my %given;
my $take = sub {
	my ($from, $to, @options) = @_;
	$given{$_}++ foreach grep { /^\d+$/ } split /\n/, query(windows($from, $to, 'slack_us=0', @options));
};
while (time() < $ends)
{
	capture();
	$n_captures++;
	# the one before: a window is the same whenever it is read
	$take->($n_captures - 2, $n_captures - 1) if $n_captures > 2;
}
foreach my $writer (@writers)
{
	$writer->finish or diag $err;
	is($writer->result(0), 0, 'writers did well');
}
capture();
$n_captures++;
$take->($n_captures - 2, $n_captures - 1);
$take->($n_captures - 1, $n_captures);
my $n_incremental = keys %given;
my $middle = int($n_captures / 2);
$take->(1, $middle, 'sweep=1');
$take->($middle, $n_captures, 'sweep=1');
my @truth = split /\n/, query('SELECT k FROM t');
note scalar(@truth) . " rows in $n_captures captures, " . (@truth - $n_incremental) . ' by sweep';
cmp_ok(scalar(@truth), '>', 1000, 'there are rows');
cmp_ok($n_incremental, '<', scalar(@truth), 'some of them come with the sweep');
is(scalar(grep { !$given{$_} } @truth), 0, 'none is lost');
is(scalar(grep { $given{$_} > 1 } @truth), 0, 'none is doubled');
is(scalar(keys %given), scalar(@truth), 'and none is there that is not');

# ---- ids come round ----

# So far that no table's rows get too old, and freeze them.
sub skip_to
{
	my ($xid) = @_;
	$node->stop;
	system_or_bail('pg_resetwal', '-x', $xid, $node->data_dir);
	append_to_file(sprintf('%s/pg_xact/%04X', $node->data_dir, $xid / 1048576), "\0" x 262144);
	$node->start;
	$node->command_ok([ 'vacuumdb', '--all', '--freeze', '--quiet' ], "frozen at $xid");
	return;
}

begin_story("k int, c timestamptz DEFAULT now() - interval '1 day'");
query(q{CREATE TABLE many (LIKE t); UPDATE pg_database SET datallowconn = true; SELECT pg_current_xact_id()});
query('INSERT INTO t VALUES (-1); INSERT INTO t VALUES (-2)');
my $old = query(q{SELECT max(xmin::text::bigint) FROM t});
skip_to($_) foreach 1_400_000_000, 2_800_000_000, 4_294_967_296 - 50;
my $long = session();
capture();
query('INSERT INTO t VALUES (1)');
$long->query_safe('BEGIN; INSERT INTO t VALUES (2)');
capture();
query(subtransactions(1000, 1100) =~ s/INTO t/INTO many/r);
query('INSERT INTO t VALUES (3)');
capture();
$long->query_safe('COMMIT');
query('INSERT INTO t VALUES (4)');
capture();
cmp_ok(query('SELECT min(xmin::text::bigint) FROM t WHERE k = 4'), '<', 1000, 'a new round');
window_is(1, '1', 'before it');
window_is(2, '3', 'over the end');
window_is(3, '2 4', 'a transaction over the end');
query('VACUUM FREEZE t');
window_is(1, '1', 'before it, frozen since');
window_is(3, '2 4', 'over the end, frozen since');
lines_are(windows(1, 4, 'sweep=1', 'slack_us=0'), '1 2 3 4', 'sweep over the end');
query(q{DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint < 4294967296 + } . ($old - 10) . q{ LOOP COMMIT; END LOOP; END $$});
capture();
query('INSERT INTO t SELECT 5 FROM generate_series(1, 500)');
query('VACUUM FREEZE t');
capture();
query(subtransactions(1, 20) =~ s/INTO t/INTO many/r);
query('INSERT INTO t VALUES (6), (7)');
query('VACUUM FREEZE t');
capture();
my ($from, $to) = split /\|/, query(q{SELECT string_agg(split_part(l, ' ', 3), '|' ORDER BY n) FROM captures, sw_test_capture_show(content, captured_at) l WHERE n >= 6 AND l ~ 'range'});
ok($from - 4_294_967_296 < $old && $to - 4_294_967_296 > $old, 'ids of rows of the last round are given again');
is(query('SELECT count(*) FROM (' . windows(5, 6) . ') q'), '500', 'the window before that');
window_is(6, '6 7', 'rows of the last round are not new');
$long->quit;

done_testing();
