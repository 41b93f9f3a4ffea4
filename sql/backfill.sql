-- Requests for backfills and their windows.  Nothing is committed here.
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
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, system_timezone)
VALUES ('shanghai', 'wh', 'events', 'events', 'a', 'Asia/Shanghai'),
	('berlin', 'wh', 'events', 'events', 'b', 'Europe/Berlin'),
	('sao_paulo', 'wh', 'events', 'events', 'c', 'America/Sao_Paulo');

SET TimeZone = 'UTC';
SELECT sw_backfill('shanghai', '2026-04-01', '2026-04-03') > 0 AS queued;
SELECT sw_backfill('berlin', '2026-03-28', '2026-03-30') > 0 AS queued;
SELECT sw_backfill('sao_paulo', '2018-11-03', '2018-11-05') > 0 AS queued;
SELECT pipeline, from_date, to_date, status, windows_total, windows_done,
	rows_exported, started_at, finished_at, error FROM sw_backfills ORDER BY backfill_id;
SELECT pipeline, window_start, window_end, window_end - window_start AS length, w.status
FROM sw_backfill_windows w JOIN sw_backfills USING (backfill_id)
ORDER BY backfill_id, window_start;

-- Refusals.
SAVEPOINT s;
SELECT sw_wait_backfill(max(backfill_id)) FROM sw_backfills;
ROLLBACK TO s;
SELECT sw_wait_backfill(0);
ROLLBACK TO s;
DO $$
BEGIN
	PERFORM sw_backfill('shanghai', '2026-04-01', '2026-04-01');
EXCEPTION WHEN object_in_use THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
SELECT sw_backfill('nosuch', '2026-04-01', '2026-04-01');
ROLLBACK TO s;
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_backfill('shanghai', '2026-04-02', '2026-04-01');
ROLLBACK TO s;
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_backfill('shanghai', '1969-12-31', '2026-04-01');
ROLLBACK TO s;
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_backfill('shanghai', '-infinity', 'infinity');
ROLLBACK TO s;
SELECT sw_backfill(NULL, '2026-04-01', '2026-04-01') IS NULL AS strict;

-- Ten years are planned at once.
UPDATE _sensorswave.backfill SET status = 'success';
SELECT sw_backfill('shanghai', '2016-01-01', '2025-12-31') > 0 AS queued;
SELECT windows_total FROM sw_backfills ORDER BY backfill_id DESC LIMIT 1;

-- Work given away cannot be prepared.
PREPARE TRANSACTION 'x';
