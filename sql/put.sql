-- Rows as JSON for declarative tools, and what a pipeline would run.
-- The warehouse of these tests does not exist.
SET sensorswave_export.check_on_save = off;
SET TimeZone = 'UTC';
BEGIN;
SELECT sw_put_destination('{"name": "wh", "kind": "bytehouse",
	"host": "wh.example.com", "database": "sensorswave",
	"account_id": 2100000000, "username": "exporter", "password": "p",
	"stage_endpoint": "tos-cn-beijing.volces.com", "stage_region": "cn-beijing",
	"stage_bucket": "sensorswave", "stage_access_key": "AKLTexample",
	"stage_secret_key": "s", "usable_by": ["pg_monitor"]}');
SELECT name, port, account_id, password, usable_by FROM sw_destinations;
-- The same again, a secret that is the same, one that is not, part of it.
SELECT sw_put_destination('{"name": "wh", "host": "wh.example.com"}');
SELECT sw_put_destination('{"name": "wh", "password": "p"}');
SELECT sw_put_destination('{"name": "wh", "password": "q"}');
SELECT sw_put_destination('{"name": "wh", "port": 19001}');
SELECT name, port, host FROM sw_destinations;
SAVEPOINT s;
SELECT sw_put_destination('[]');
ROLLBACK TO s;
SELECT sw_put_destination('{"host": "x"}');
ROLLBACK TO s;
SELECT sw_put_destination('{"name": "wh", "hots": "x"}');
ROLLBACK TO s;
SELECT sw_put_destination('{"name": "wh", "port": [1]}');
ROLLBACK TO s;
SELECT sw_put_destination('{"name": "wh", "usable_by": [1]}');
ROLLBACK TO s;

CREATE TABLE people (ssid bigint, login_id text, anon_id text,
	properties jsonb, created_at timestamptz, updated_at timestamptz);
SELECT sw_put_pipeline('{"name": "people", "destination": "wh",
	"data_source": "users", "source": "people", "system_timezone": "Asia/Shanghai",
	"target_options": {"comments": {"": "who they are", "ssid": "number"}}}');
SELECT name, mode, key_columns, target_table, json_type, target_options FROM sw_pipelines;
SELECT sw_put_pipeline('{"name": "people", "destination": "wh"}');
SELECT sw_put_pipeline('{"name": "people", "row_filter": "ssid > 0"}');
SELECT sw_put_pipeline('{"name": "people", "row_filter": null}');
SELECT sw_put_pipeline('{"name": "people", "target_table": "others"}');
ROLLBACK TO s;

-- Wishes for the target table.
CREATE FUNCTION pg_temp.try(target_options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	INSERT INTO sw_pipelines (name, destination, data_source, source, target_options)
	VALUES ('t', 'wh', 'users', 'people', target_options);
	DELETE FROM _sensorswave.pipeline WHERE name = 't';
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN format('%s: %s | %s', SQLSTATE, SQLERRM, detail);
END $$;
CREATE TABLE people (ssid bigint, login_id text, anon_id text,
	properties jsonb, created_at timestamptz, updated_at timestamptz);
SELECT pg_temp.try('{"ttl": "created_at + INTERVAL 1 YEAR", "settings": {"a_setting": 1}}');
SELECT pg_temp.try('{"ttl": "created_at) SETTINGS x = (1"}');
SELECT pg_temp.try('{"order_by": "ssid; DROP TABLE t"}');
SELECT pg_temp.try('{"ttl": "toDateTime(updated_at) + INTERVAL 1 YEAR AS SELECT name AS login_id FROM system.users"}');
SELECT pg_temp.try('{"engine": "CnchMergeTree(updated_at) ORDER BY ssid"}');
SELECT pg_temp.try('{"ttl": 5}');
SELECT pg_temp.try('{"buckets": 0}');
SELECT pg_temp.try('{"comments": {"nosuch": "x"}}');
SELECT pg_temp.try('{"oder_by": "ssid"}');

-- What would be run: no secret in it.
SELECT sw_put_pipeline('{"name": "people", "destination": "wh",
	"data_source": "users", "source": "people", "row_filter": "ssid > 0"}');
SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(line, '''\d{4}-\d\d-\d\d [^'']*''', '''...'''),
	'\d+/\d+/\d+', '...'), '/\d+/RUN/', '/.../RUN/'), 'cost=.*width=\d+', '...') AS line
FROM sw_explain_pipeline('people') line;
SET LOCAL transaction_read_only = on;
SELECT count(*) > 0 AS works FROM sw_explain_pipeline('people');
SELECT sw_explain_pipeline('nosuch');
ROLLBACK;
