# SensorswaveWriters: what writes to a source in every way that makes a cursor
# lose rows, and what compares a source with its target row for row.
#
# Sixteen sessions of pgbench run scripts drawn by a seed: plain statements,
# savepoints, exception blocks, rollbacks, prepared transactions, long ones,
# sessions that get their xid late, times set by the application, and more
# subtransactions than a snapshot lists.  Rows of events are never changed;
# those of users are, each time with a newer updated_at.
package SensorswaveWriters;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use File::Path qw(make_path);
use IPC::Run qw(start finish);
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  make_sources pretend_large start_writers finish_writers events_mapping users_mapping
  compare_events compare_users describe_differences
);

my $sources = <<'SQL';
CREATE TABLE SCHEMA.events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL,
	happened_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
	received_at timestamptz DEFAULT now()) WITH (autovacuum_enabled = off);
CREATE INDEX ON SCHEMA.events (received_at);
CREATE TABLE SCHEMA.users (
	id bigint PRIMARY KEY,
	n_changes int NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
	updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()))
	WITH (autovacuum_enabled = off);
CREATE INDEX ON SCHEMA.users (updated_at);
CREATE SEQUENCE SCHEMA.gids;

-- Events in exception blocks, every third of which fails.
CREATE FUNCTION SCHEMA.add_in_blocks(kind text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			INSERT INTO SCHEMA.events (kind) VALUES (kind);
			IF i % 3 = 0 THEN
				RAISE EXCEPTION 'the block fails';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			IF i % 6 = 0 THEN
				INSERT INTO SCHEMA.events (kind) VALUES (kind || ', after failing');
			END IF;
		END;
	END LOOP;
END $$;

-- A user is made or changed; the time of a change never goes back.
CREATE FUNCTION SCHEMA.put_user(user_id bigint) RETURNS void LANGUAGE sql AS $$
INSERT INTO SCHEMA.users AS u (id) VALUES (user_id)
ON CONFLICT (id) DO UPDATE SET n_changes = u.n_changes + 1,
	updated_at = greatest(date_trunc('milliseconds', now()), u.updated_at + interval '1 millisecond')
$$;
SQL

# Scripts of pgbench: name, whether it lasts, weight, text.  Users below 1,000 are changed by
# all in short transactions; those above belong to one client each, so that
# who holds a row's lock for long stops nobody.
my @scripts = (
	[ 'plain', 'quick', 20, <<'PGBENCH' ],
INSERT INTO SCHEMA.events (kind) VALUES ('plain');
\sleep 20 ms
PGBENCH
	[ 'several', 'quick', 10, <<'PGBENCH' ],
\set pause random(1, 400)
BEGIN;
INSERT INTO SCHEMA.events (kind) VALUES ('several');
\sleep :pause ms
INSERT INTO SCHEMA.events (kind) SELECT 'several' FROM generate_series(1, 5);
COMMIT;
PGBENCH
	[ 'savepoints', 'quick', 10, <<'PGBENCH' ],
\set pause random(1, 400)
BEGIN;
SAVEPOINT a;
INSERT INTO SCHEMA.events (kind) VALUES ('savepoint, released');
SAVEPOINT b;
INSERT INTO SCHEMA.events (kind) VALUES ('savepoint in savepoint');
RELEASE a;
\sleep :pause ms
SAVEPOINT c;
INSERT INTO SCHEMA.events (kind) VALUES ('savepoint, open at the end');
COMMIT;
PGBENCH
	[ 'rollback to', 'quick', 8, <<'PGBENCH' ],
\set pause random(1, 400)
BEGIN;
SAVEPOINT a;
INSERT INTO SCHEMA.events (kind) VALUES ('rolled back');
\sleep :pause ms
ROLLBACK TO a;
INSERT INTO SCHEMA.events (kind) VALUES ('after a rollback to');
SAVEPOINT b;
INSERT INTO SCHEMA.events (kind) VALUES ('rolled back');
ROLLBACK TO b;
COMMIT;
PGBENCH
	[ 'rollback', 'quick', 6, <<'PGBENCH' ],
\set pause random(1, 400)
BEGIN;
INSERT INTO SCHEMA.events (kind) VALUES ('rolled back');
SELECT SCHEMA.put_user((:client_id + :first) * 1000 + 5);
\sleep :pause ms
ROLLBACK;
PGBENCH
	[ 'exception blocks', 'quick', 8, <<'PGBENCH' ],
\set pause random(1, 600)
BEGIN;
SELECT SCHEMA.add_in_blocks('exception block', 12);
\sleep :pause ms
COMMIT;
PGBENCH
	[ 'overflow', 'slow', 2, <<'PGBENCH' ],
\set pause random(500, 2000)
BEGIN;
SELECT SCHEMA.add_in_blocks('one of many subtransactions', 120);
\sleep :pause ms
INSERT INTO SCHEMA.events (kind) VALUES ('after many subtransactions');
COMMIT;
PGBENCH
	[ 'prepared', 'slow', 6, <<'PGBENCH' ],
\set before random(1, 3000)
\set after random(1, 4000)
SELECT nextval('SCHEMA.gids') AS gid \gset
BEGIN;
INSERT INTO SCHEMA.events (kind) VALUES ('prepared');
SAVEPOINT a;
INSERT INTO SCHEMA.events (kind) VALUES ('prepared, in a savepoint');
RELEASE a;
SELECT SCHEMA.put_user((:client_id + :first) * 1000 + 1);
\sleep :before ms
PREPARE TRANSACTION 'SCHEMA-:gid';
\sleep :after ms
COMMIT PREPARED 'SCHEMA-:gid';
PGBENCH
	[ 'prepared, rolled back', 'slow', 2, <<'PGBENCH' ],
\set before random(1, 1000)
\set after random(1, 1000)
SELECT nextval('SCHEMA.gids') AS gid \gset
BEGIN;
INSERT INTO SCHEMA.events (kind) VALUES ('rolled back');
\sleep :before ms
PREPARE TRANSACTION 'SCHEMA-:gid';
\sleep :after ms
ROLLBACK PREPARED 'SCHEMA-:gid';
PGBENCH
	[ 'long', 'slow', 4, <<'PGBENCH' ],
\set pause random(2000, 7000)
BEGIN;
INSERT INTO SCHEMA.events (kind) VALUES ('begin of a long transaction');
SELECT SCHEMA.put_user((:client_id + :first) * 1000 + 2);
\sleep :pause ms
INSERT INTO SCHEMA.events (kind) VALUES ('end of a long transaction');
SELECT SCHEMA.put_user((:client_id + :first) * 1000 + 3);
COMMIT;
PGBENCH
	[ 'late', 'slow', 4, <<'PGBENCH' ],
\set pause random(2000, 14000)
BEGIN;
SELECT now();
\sleep :pause ms
INSERT INTO SCHEMA.events (kind) VALUES ('written late');
SELECT SCHEMA.put_user((:client_id + :first) * 1000 + 4);
COMMIT;
PGBENCH
	[ 'own times', 'quick', 10, <<'PGBENCH' ],
\set before random(1, 86400000)
\set after random(1, 86400000)
INSERT INTO SCHEMA.events (kind, received_at)
VALUES ('of yesterday', now() - :before * interval '1 millisecond'),
	('of tomorrow', now() + :after * interval '1 millisecond'),
	('of no time', NULL);
\sleep 100 ms
PGBENCH
	[ 'users', 'quick', 20, <<'PGBENCH' ],
\set one random(1, 300)
\set two random(301, 600)
SELECT SCHEMA.put_user(:one);
\sleep 20 ms
BEGIN;
SELECT SCHEMA.put_user(:one);
SAVEPOINT a;
SELECT SCHEMA.put_user(:two);
COMMIT;
\sleep 20 ms
PGBENCH
);

# The tables events and users in a schema of their own.
sub make_sources
{
	my ($node, $schema) = @_;
	$node->safe_psql('postgres', "CREATE SCHEMA $schema;" . $sources =~ s/\bSCHEMA\b/$schema/gr);
	return;
}

# Have the planner see millions of rows, until the tables have grown or the
# next VACUUM: windows are cut into a few chunks.
sub pretend_large
{
	my ($node, $schema) = @_;
	$node->safe_psql('postgres', <<"SQL");
UPDATE pg_class SET reltuples = 5e7, relpages = greatest(pg_relation_size(oid) / 8192, 1)
WHERE oid IN ('$schema.events'::regclass, '$schema.users'::regclass)
SQL
	return;
}

sub file_name
{
	my ($script) = @_;
	return $script =~ s/\W+/_/gr;
}

# Sixteen sessions that write for so many seconds, and then end what they are
# at; three of them are not seen in the statistics views.
sub start_writers
{
	my ($node, $schema, $seconds, $seed) = @_;
	my $directory = "$PostgreSQL::Test::Utils::tmp_check/writers_$schema";
	my %writers = (node => $node, schema => $schema);

	make_path($directory);
	foreach my $script (@scripts)
	{
		my ($name, $class, $weight, $text) = @$script;
		append_to_file("$directory/" . file_name($name), $text =~ s/\bSCHEMA\b/$schema/gr);
	}
	foreach my $group (
		[ 'quick', 8, 'on', qr/quick/ ],
		[ 'slow', 5, 'on', qr/slow/ ],
		[ 'unseen', 3, 'off', qr/./ ])
	{
		my ($name, $n_sessions, $tracked, $classes) = @$group;
		my $first = 1 + 10 * @{ $writers{runs} // [] };
		my @files = map { ('-f', "$directory/" . file_name($_->[0]) . "\@$_->[2]") }
		  grep { $_->[1] =~ $classes } @scripts;
		my %run = (name => $name, out => '');
		local $ENV{PGOPTIONS} = "-c track_activities=$tracked";

		$run{handle} = start(
			[
				'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', $n_sessions,
				'-T', $seconds, '-D', "first=$first", "--random-seed=$seed", @files, 'postgres'
			],
			'>', \$run{out}, '2>&1');
		push @{ $writers{runs} }, \%run;
	}
	return \%writers;
}

# Wait for their end; nothing is left open.
sub finish_writers
{
	my ($writers) = @_;
	my $node = $writers->{node};

	foreach my $run (@{ $writers->{runs} })
	{
		my $ended_well = finish($run->{handle});
		ok( $ended_well && $run->{out} =~ /number of failed transactions: 0 /,
			"$writers->{schema}: no writer that is $run->{name} has met an error")
		  or diag($run->{out});
	}
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'),
		0, "$writers->{schema}: no prepared transaction is left");
	return;
}

# What columns of a pipeline are made of.
sub events_mapping
{
	return <<'JSON';
{"time": "happened_at", "distinct_id": "id::text", "trace_id": "id::text",
 "ssid": "id", "anon_id": "''", "login_id": "''", "event": "kind",
 "properties": "'{}'::jsonb", "user_properties": "'{}'::jsonb", "received_at": "received_at"}
JSON
}

sub users_mapping
{
	return <<'JSON';
{"ssid": "id", "login_id": "id::text", "anon_id": "''",
 "properties": "jsonb_build_object('n', n_changes)", "created_at": "created_at", "updated_at": "updated_at"}
JSON
}

# ---- comparing ----

# Rows of both sides as texts: so many are lost (in the source alone), doubled
# (more than once in the target) and foreign (in the target alone).
sub compare_rows
{
	my ($node, $target, $source) = @_;
	my $differences = $node->safe_psql('postgres', <<"SQL");
CREATE TEMPORARY TABLE target (line text);
COPY target FROM stdin (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02');
${\ ($target eq '' ? '' : "$target\n") }\\.
CREATE TEMPORARY TABLE source AS $source;
SELECT (SELECT count(*) FROM source),
	(SELECT count(*) FROM (TABLE source EXCEPT TABLE target) x),
	(SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM target GROUP BY line) x),
	(SELECT count(*) FROM (TABLE target EXCEPT TABLE source) x),
	(SELECT string_agg(line, ', ' ORDER BY line) FROM (TABLE source EXCEPT TABLE target LIMIT 5) x),
	(SELECT string_agg(line, ', ' ORDER BY line)
	 FROM (SELECT line FROM target GROUP BY line HAVING count(*) > 1 LIMIT 5) x),
	(SELECT string_agg(line, ', ' ORDER BY line) FROM (TABLE target EXCEPT TABLE source LIMIT 5) x)
SQL
	my %result;
	@result{qw(rows lost doubled foreign lost_rows doubled_rows foreign_rows)} =
	  split /\|/, $differences, -1;
	return \%result;
}

# The source's events against a target table, value by value.
sub compare_events
{
	my ($node, $sandbox, $schema, $target) = @_;
	my $rows = $sandbox->query(
		'SELECT concat(toString(ssid), \';\', event, \';\', toString(toUnixTimestamp64Milli(time)), \';\','
		  . ' toString(toUnixTimestamp64Milli(received_at))) FROM sensorswave.'
		  . "`$target` FORMAT TSVRaw");

	return compare_rows($node, $rows, <<"SQL");
SELECT concat_ws(';', id, kind, floor(extract(epoch FROM happened_at) * 1000)::bigint,
	floor(coalesce(extract(epoch FROM received_at), 0) * 1000)::bigint) AS line
FROM $schema.events
SQL
}

# The same of users, of which the target's newest version counts.
sub compare_users
{
	my ($node, $sandbox, $schema, $target) = @_;
	my $rows = $sandbox->query(
		'SELECT concat(toString(ssid), \';\', toString(JSONExtractInt(toString(properties), \'n\')), \';\','
		  . ' toString(toUnixTimestamp64Milli(updated_at))) FROM sensorswave.'
		  . "`$target` FINAL FORMAT TSVRaw");

	return compare_rows($node, $rows, <<"SQL");
SELECT concat_ws(';', id, n_changes, floor(extract(epoch FROM updated_at) * 1000)::bigint) AS line
FROM $schema.users
SQL
}

# "0 lost, 0 doubled, 0 foreign"
sub describe_differences
{
	my ($differences) = @_;

	foreach (qw(lost doubled foreign))
	{
		diag("some that are $_: $differences->{\"${_}_rows\"}") if $differences->{$_} > 0;
	}
	return "$differences->{lost} lost, $differences->{doubled} doubled, $differences->{foreign} foreign";
}

1;
