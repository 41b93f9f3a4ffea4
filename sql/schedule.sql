-- When pipelines run: schedule, cursor, sweeps; runs that are asked for; pause
-- and resume.  Nothing is committed here, so no worker contacts anybody.
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
	properties jsonb, user_properties jsonb,
	received_at timestamptz DEFAULT clock_timestamp());
CREATE INDEX ON events (received_at);
CREATE TABLE people (ssid bigint, login_id text, anon_id text, properties jsonb,
	created_at timestamp, updated_at timestamp);
CREATE TABLE orders (id bigint PRIMARY KEY, changed date, note text);
CREATE INDEX ON orders (changed);
CREATE VIEW open_orders AS SELECT * FROM orders;

-- Defaults.
INSERT INTO sw_pipelines (name, destination, data_source, source)
VALUES ('e', 'wh', 'events', 'events'), ('u', 'wh', 'users', 'people'),
	('t', 'wh', 'table', 'orders')
RETURNING name, cursor_column, time_column, cursor_slack, sweep_every, schedule;
SELECT name, next_tick_at = created_at + interval '1 hour' AS tick,
	next_sweep_at = created_at + interval '1 day' AS sweep,
	(SELECT count(*) FROM _sensorswave.capture c WHERE c.pipeline_id = p.pipeline_id) AS captures
FROM _sensorswave.sync_state JOIN _sensorswave.pipeline p USING (pipeline_id)
ORDER BY name;

-- Given.
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table,
	cursor_column, time_column, cursor_slack, sweep_every, schedule)
VALUES ('o', 'wh', 'table', 'orders', 'o', 'changed', 'changed', '2 days', '1 second',
	'Daily  8:00 asia/shanghai')
RETURNING cursor_column, time_column, cursor_slack, sweep_every, schedule;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, schedule)
VALUES ('v', 'wh', 'table', 'open_orders', 'v', 'MANUAL') RETURNING schedule;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table,
	columns, schedule)
VALUES ('x', 'wh', 'users', 'people', 'x', '{"updated_at": "coalesce(updated_at, created_at)"}',
	'every 01 HOURS')
RETURNING schedule;
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, columns)
VALUES ('s', 'wh', 'users', 'people', 's', '{"updated_at": "updated_at::text"}')
RETURNING cursor_column, time_column;

-- Mistakes.
CREATE FUNCTION pg_temp.try(definition jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM sw_put_pipeline('{"name": "m", "destination": "wh", "data_source": "table",
		"source": "orders", "target_table": "m"}'::jsonb || definition);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN format('%s: %s | %s | %s', SQLSTATE, SQLERRM, detail, hint);
END $$;
SELECT pg_temp.try('{"schedule": "hourly"}');
SELECT pg_temp.try('{"schedule": "every 25 hours"}');
SELECT pg_temp.try('{"schedule": "daily 25:00 UTC"}');
SELECT pg_temp.try('{"schedule": "daily 08:00 Nowhere/Land"}');
SELECT pg_temp.try('{"cursor_column": "nosuch"}');
SELECT pg_temp.try('{"cursor_column": "note"}');
SELECT pg_temp.try('{"time_column": "id"}');
SELECT pg_temp.try('{"cursor_slack": "9.9 seconds"}');
SELECT pg_temp.try('{"cursor_slack": "11 years"}');
SELECT pg_temp.try('{"sweep_every": "0.5 seconds"}');
SELECT pg_temp.try('{"data_source": "events", "source": "events", "time_column": "received_at"}');

-- Edits: some are refused, the rest counts at once.
SAVEPOINT s;
UPDATE sw_pipelines SET cursor_column = 'id' WHERE name = 'o';
ROLLBACK TO s;
UPDATE sw_pipelines SET time_column = 'received_at' WHERE name = 'e';
ROLLBACK TO s;
UPDATE sw_pipelines SET columns = '{"updated_at": "login_id"}' WHERE name = 'u';
ROLLBACK TO s;
UPDATE sw_pipelines SET schedule = 'sometimes' WHERE name = 'e';
ROLLBACK TO s;
UPDATE sw_pipelines SET schedule = 'every 15 minutes', sweep_every = '10 seconds',
	cursor_slack = '1 minute' WHERE name = 'e'
RETURNING schedule, sweep_every, cursor_slack;
SELECT next_tick_at = created_at + interval '15 minutes' AS tick,
	next_sweep_at - clock_timestamp() BETWEEN '5 seconds' AND '10 seconds' AS sweep
FROM _sensorswave.sync_state JOIN _sensorswave.pipeline USING (pipeline_id)
WHERE name = 'e';
UPDATE sw_pipelines SET schedule = 'manual' WHERE name = 'e';
SELECT next_tick_at FROM _sensorswave.sync_state JOIN _sensorswave.pipeline USING (pipeline_id)
WHERE name = 'e';
SELECT sw_put_pipeline('{"name": "e", "schedule": " Manual"}');
SELECT sw_put_pipeline('{"name": "e", "schedule": "every 1 hour"}');

-- Runs that are asked for: one for all.
UPDATE _sensorswave.pipeline SET status = 'running' WHERE name IN ('e', 'u', 'o', 't');
UPDATE sw_pipelines SET schedule = 'manual' WHERE name = 't';
SELECT pipeline, reason, next_run_at IS NULL AS is_unknown FROM sw_status
WHERE pipeline IN ('e', 't') ORDER BY 1;
SAVEPOINT s;
SELECT sw_sync('e') AS run \gset
SELECT sw_sync('e') = :run AS is_shared;
SELECT pipeline, kind, status, started_at FROM sw_runs WHERE run_id = :run;
SELECT reason FROM sw_status WHERE pipeline = 'e';
\set VERBOSITY terse
SELECT sw_wait(:run);
ROLLBACK TO s;
\set VERBOSITY default
SELECT sw_wait(0);
ROLLBACK TO s;
SELECT sw_wait(NULL);
SELECT sw_sync(NULL);
SELECT sw_sync('nosuch');
ROLLBACK TO s;
CALL sw_run_sync('e');
ROLLBACK TO s;
CALL sw_run_backfill('e', '2026-01-01', '2026-01-02');
ROLLBACK TO s;

-- Pause: what was asked for is off.
SELECT sw_sync('e') AS run \gset
SELECT sw_pause('e');
SELECT status, error, hint FROM sw_runs WHERE run_id = :run;
SELECT status, regexp_replace(reason, 'by .*', 'by') AS reason, next_run_at
FROM sw_status WHERE pipeline = 'e';
SELECT sw_pause('e');
SAVEPOINT p;
\set VERBOSITY terse
SELECT sw_sync('e');
ROLLBACK TO p;
SELECT sw_backfill('e', '2026-01-01', '2026-01-01');
ROLLBACK TO p;
\set VERBOSITY default
UPDATE sw_pipelines SET row_filter = 'ssid > 0' WHERE name = 'e' RETURNING status;
SELECT sw_resume('e');
SELECT sw_resume('e');
UPDATE _sensorswave.pipeline SET status = 'running' WHERE name = 'e';
SELECT status, reason FROM sw_status WHERE pipeline = 'e';

-- Not during a backfill, and not for ever.
SELECT sw_backfill_days('e', 2) AS backfill \gset
SELECT to_date - from_date AS more, to_date = (clock_timestamp() AT TIME ZONE 'UTC')::date - 1 AS is_yesterday
FROM sw_backfills WHERE backfill_id = :backfill;
SAVEPOINT p;
\set VERBOSITY terse
SELECT sw_sync('e');
ROLLBACK TO p;
SELECT sw_backfill_days('e', 1);
ROLLBACK TO p;
SELECT sw_backfill_days('o', 1);
ROLLBACK TO p;
SELECT regexp_replace(reason, '\d+', 'N') AS reason, next_run_at FROM sw_status WHERE pipeline = 'e';
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_backfill_days('e', 0);
ROLLBACK TO p;
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_backfill_days('e', 2147483647);
ROLLBACK TO p;
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_sync('e') AS run \gset
SELECT sw_stop('e');
SELECT status, error FROM sw_runs WHERE run_id = :run;
SELECT status, reason, next_run_at FROM sw_status WHERE pipeline = 'e';
SAVEPOINT p;
SELECT sw_sync('e');
ROLLBACK TO p;
SELECT sw_pause('e');
ROLLBACK TO p;
SELECT sw_resume('e');
ROLLBACK TO p;

-- A pipeline out of a dump has no state.
DELETE FROM _sensorswave.sync_state;
SELECT sw_sync('u');
ROLLBACK TO p;
DELETE FROM _sensorswave.sync_state;
SELECT reason FROM sw_status WHERE pipeline = 'u';
ROLLBACK;
