-- Pipelines: defaults, mapping, checks, edits.  Nothing is committed here, so
-- no worker contacts anybody.
\pset null '(null)'
-- The warehouse of these tests does not exist.
SET sensorswave_export.check_on_save = off;
BEGIN;
INSERT INTO sw_destinations (name, kind, host, database, account_id, username,
	password, stage_endpoint, stage_region, stage_bucket, stage_access_key,
	stage_secret_key)
VALUES ('wh', 'bytehouse', 'wh.example.com', 'sensorswave', '2100000000',
	'exporter', 'p', 'tos-cn-beijing.volces.com', 'cn-beijing', 'sensorswave',
	'AKLTexample', 's');

CREATE TABLE events ("time" timestamptz NOT NULL, distinct_id text,
	trace_id text, ssid bigint, anon_id text, login_id text, event text,
	properties jsonb, user_properties jsonb, received_at timestamptz);
INSERT INTO sw_pipelines (name, destination, data_source, source)
VALUES ('p', 'wh', 'events', 'events')
RETURNING name, destination, data_source, source, target_table, mode, columns,
	system_timezone, status, settings_version, owner = current_user::regrole AS own;
SELECT pipeline, status, reason, consecutive_failures, last_error FROM sw_status;

-- Mapped columns.
CREATE TABLE raw (id bigint, kind text, at timestamp, doc jsonb);
SAVEPOINT s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('q', 'wh', 'events', 'raw', 'raw_events');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table,
	columns, event_filter, event_names, row_filter, system_timezone)
VALUES ('q', 'wh', 'events', 'raw', 'raw_events', '{"time": "at",
	"distinct_id": "id", "trace_id": {"expr": "id::text"}, "ssid": "id",
	"anon_id": "NULL", "login_id": "doc->>''login''", "event": "kind",
	"properties": "doc", "user_properties": "''{}''", "received_at": "at"}',
	'exclude', '{ping}', 'id > 0', 'Asia/Shanghai')
RETURNING name, columns->'trace_id' AS trace_id, event_filter, event_names,
	row_filter, system_timezone;

-- Edits.
UPDATE sw_pipelines SET row_filter = 'id > 10' WHERE name = 'q'
RETURNING row_filter, settings_version;
UPDATE sw_pipelines SET name = 'r' WHERE name = 'q' RETURNING name;
SAVEPOINT s;
UPDATE sw_pipelines SET target_table = 'x' WHERE name = 'r';
ROLLBACK TO s;
UPDATE sw_pipelines SET source = 'events' WHERE name = 'r';
ROLLBACK TO s;
UPDATE sw_pipelines SET system_timezone = 'UTC' WHERE name = 'r';
ROLLBACK TO s;
UPDATE sw_pipelines SET status = 'running' WHERE name = 'r';
ROLLBACK TO s;
UPDATE sw_pipelines SET name = 'p' WHERE name = 'r';
ROLLBACK TO s;

-- Mistakes, each refused when saved.
CREATE FUNCTION pg_temp.try(columns jsonb, row_filter text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	INSERT INTO sw_pipelines (name, destination, data_source, source,
		target_table, columns, row_filter)
	VALUES ('t', 'wh', 'events', 'events', 't', columns, row_filter);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;
SELECT pg_temp.try('[]');
SELECT pg_temp.try('{"nosuch": "1"}');
SELECT pg_temp.try('{"event": 1}');
SELECT pg_temp.try('{"event": {"type": "String"}}');
SELECT pg_temp.try('{"event": {"sql": "x"}}');
SELECT pg_temp.try('{"event": "nosuch"}');
SELECT pg_temp.try('{"event": "event) FROM events; DROP TABLE events; --"}');
SELECT pg_temp.try('{"event": "event, ssid"}');
SELECT pg_temp.try('{"ssid": "1.5::float8"}');
SELECT pg_temp.try('{}', 'nosuch > 1');
SELECT pg_temp.try('{}', 'ssid');
SELECT pg_temp.try('{}', 'true OR (SELECT count(*) FROM pg_authid) > 0');

-- Two pipelines may not share a target; names are unique.
SAVEPOINT s;
INSERT INTO sw_pipelines (name, destination, data_source, source)
VALUES ('again', 'wh', 'events', 'events');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('p', 'wh', 'events', 'events', 'other');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source)
VALUES ('x', 'nowhere', 'events', 'events');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source)
VALUES ('x', 'wh', 'users', 'events');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('x', 'wh', 'events', 'pg_class_oid_index', 'x');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, system_timezone)
VALUES ('x', 'wh', 'events', 'events', 'x', 'Mars/Olympus');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, event_filter)
VALUES ('x', 'wh', 'events', 'events', 'x', 'include');
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, mode)
VALUES ('x', 'wh', 'events', 'events', 'x', 'upsert');
ROLLBACK TO s;

-- Not by way of another destination either, or by an edit of it.
INSERT INTO sw_destinations (name, kind, host, database, account_id, username,
	password, stage_endpoint, stage_region, stage_bucket, stage_access_key,
	stage_secret_key)
VALUES ('other', 'bytehouse', 'WH.example.com', 'otherdb', '2100000000',
	'exporter', 'p', 'tos-cn-beijing.volces.com', 'cn-beijing', 'sensorswave',
	'AKLTexample', 's');
INSERT INTO sw_pipelines (name, destination, data_source, source, system_timezone)
VALUES ('same', 'other', 'events', 'events', 'europe/berlin')
RETURNING name, system_timezone;
SAVEPOINT s;
UPDATE sw_destinations SET database = 'sensorswave' WHERE name = 'other';
ROLLBACK TO s;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, system_timezone)
VALUES ('x', 'wh', 'events', 'events', 'x', 'localtime');
ROLLBACK TO s;

-- A destination in use stays; so does a pipeline that is not stopped.
DELETE FROM sw_destinations WHERE name = 'wh';
ROLLBACK TO s;
DELETE FROM sw_pipelines WHERE name = 'p';
ROLLBACK TO s;
SELECT sw_stop('p');
SELECT status FROM sw_pipelines WHERE name = 'p';
SELECT sw_backfill('p', '2021-07-21', '2021-07-21');
ROLLBACK TO s;
SELECT sw_stop('p');
DELETE FROM sw_pipelines WHERE name = 'p' RETURNING name;
SELECT count(*) FROM _sensorswave.pipeline_state;

-- Owners only, and only with rights on the source and the destination.
CREATE ROLE regress_sw_owner;
GRANT USAGE ON SCHEMA public TO regress_sw_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON sw_pipelines TO regress_sw_owner;
GRANT EXECUTE ON FUNCTION sw_backfill(text, date, date, boolean) TO regress_sw_owner;
SET ROLE regress_sw_owner;
SELECT count(*) FROM sw_pipelines;
SAVEPOINT u;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('mine', 'wh', 'events', 'events', 'mine');
ROLLBACK TO u;
SELECT sw_backfill('r', '2021-07-21', '2021-07-21');
ROLLBACK TO u;
RESET ROLE;
UPDATE sw_destinations SET usable_by = '{regress_sw_owner}';
SET ROLE regress_sw_owner;
SAVEPOINT u;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('mine', 'wh', 'events', 'events', 'mine');
ROLLBACK TO u;
RESET ROLE;
GRANT SELECT ON events TO regress_sw_owner;
SET ROLE regress_sw_owner;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('mine', 'wh', 'events', 'events', 'mine') RETURNING name, owner;
SELECT name FROM sw_pipelines;
RESET ROLE;
ROLLBACK;
