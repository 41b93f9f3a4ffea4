-- What people see: rows of the roles they are members of, no secrets.

CREATE VIEW sw_destinations WITH (security_barrier) AS
SELECT d.name, d.kind, d.host, d.port, d.database, d.virtual_warehouse,
	d.auth_type, d.account_id, d.username,
	CASE WHEN d.password IS NOT NULL THEN 'configured' END AS password,
	CASE WHEN d.api_key IS NOT NULL THEN 'configured' END AS api_key,
	d.sslmode, d.sslrootcert,
	d.stage_kind, d.stage_endpoint, d.stage_region, d.stage_bucket,
	d.stage_prefix, d.stage_access_key,
	CASE WHEN d.stage_secret_key IS NOT NULL THEN 'configured' END AS stage_secret_key,
	d.stage_format, d.stage_compression, d.stage_load_endpoint, d.stage_path_style,
	d.usable_by, d.owner, d.created_at, d.updated_at
FROM _sensorswave.destination d
WHERE pg_catalog.pg_has_role(d.owner::oid, 'MEMBER')
	OR EXISTS (SELECT FROM pg_catalog.pg_roles r
			   WHERE r.rolname = ANY (d.usable_by)
				   AND pg_catalog.pg_has_role(r.oid, 'MEMBER'));
COMMENT ON VIEW sw_destinations IS
	'warehouses with their staging stores; INSERT, UPDATE and DELETE here';
COMMENT ON COLUMN sw_destinations.name IS 'unique name, used by pipelines';
COMMENT ON COLUMN sw_destinations.kind IS 'bytehouse (ByteHouse Cloud) or clickhouse';
COMMENT ON COLUMN sw_destinations.host IS 'host of the warehouse''s native TCP endpoint';
COMMENT ON COLUMN sw_destinations.port IS 'native TCP port; default 19000 (bytehouse), 9440 (clickhouse)';
COMMENT ON COLUMN sw_destinations.database IS 'database of the target tables';
COMMENT ON COLUMN sw_destinations.virtual_warehouse IS
	'virtual warehouse that runs our statements (id preferred); NULL = the user''s default';
COMMENT ON COLUMN sw_destinations.auth_type IS 'password (default) or iam (API key)';
COMMENT ON COLUMN sw_destinations.account_id IS 'account the user belongs to';
COMMENT ON COLUMN sw_destinations.username IS 'database user, for auth_type password';
COMMENT ON COLUMN sw_destinations.password IS
	'write-only; reads back as configured; NULL, '''' or configured in an UPDATE keep it, none clears it';
COMMENT ON COLUMN sw_destinations.api_key IS 'write-only, for auth_type iam; same rules as password';
COMMENT ON COLUMN sw_destinations.sslmode IS 'verify-full (default), verify-ca, require or disable';
COMMENT ON COLUMN sw_destinations.sslrootcert IS
	'file of trusted certificates on the server; NULL = the system''s';
COMMENT ON COLUMN sw_destinations.stage_kind IS 'kind of staging store: tos (bytehouse), s3 (clickhouse)';
COMMENT ON COLUMN sw_destinations.stage_endpoint IS
	'native endpoint of the store, e.g. tos-cn-beijing.volces.com; may carry a scheme and a port';
COMMENT ON COLUMN sw_destinations.stage_region IS 'region id of the store';
COMMENT ON COLUMN sw_destinations.stage_bucket IS 'bucket for staged objects';
COMMENT ON COLUMN sw_destinations.stage_prefix IS 'prefix of all object keys; default sensorswave';
COMMENT ON COLUMN sw_destinations.stage_access_key IS 'access key id of the store';
COMMENT ON COLUMN sw_destinations.stage_secret_key IS
	'write-only secret key of the store; it travels in load statements, so use one that can only touch the prefix';
COMMENT ON COLUMN sw_destinations.stage_format IS 'format of staged files: parquet, or native (clickhouse; its default)';
COMMENT ON COLUMN sw_destinations.stage_compression IS 'compression of staged files: zstd (default), lz4 (clickhouse), snappy (parquet) or none';
COMMENT ON COLUMN sw_destinations.stage_load_endpoint IS
	'endpoint the warehouse reads from; NULL = derived from stage_endpoint';
COMMENT ON COLUMN sw_destinations.stage_path_style IS
	'true: the bucket is the first part of the path (s3); false (default): it stands in front of the host name, except of an IP address';
COMMENT ON COLUMN sw_destinations.usable_by IS
	'roles that may use this destination in their pipelines, beside the owner''s';
COMMENT ON COLUMN sw_destinations.owner IS 'role that owns this destination';
COMMENT ON COLUMN sw_destinations.created_at IS 'when the destination was made';
COMMENT ON COLUMN sw_destinations.updated_at IS 'when it was last changed';

CREATE VIEW sw_pipelines WITH (security_barrier) AS
SELECT p.name, d.name AS destination, p.data_source, p.source, p.target_table,
	p.mode, p.key_columns, p.cursor_column, p.time_column, p.cursor_slack,
	p.sweep_every, p.columns, p.event_filter, p.event_names, p.row_filter,
	p.json_type, p.on_unrepresentable, p.datetime_properties, p.array_properties,
	p.target_options, p.schedule, p.system_timezone, p.status,
	p.settings_version, p.owner, p.created_at, p.updated_at
FROM _sensorswave.pipeline p
	JOIN _sensorswave.destination d USING (destination_id)
WHERE pg_catalog.pg_has_role(p.owner::oid, 'MEMBER');
COMMENT ON VIEW sw_pipelines IS
	'one source relation to one target table each; INSERT, UPDATE and DELETE here';
COMMENT ON COLUMN sw_pipelines.name IS 'unique name, used in function calls';
COMMENT ON COLUMN sw_pipelines.destination IS 'name of the destination; fixed';
COMMENT ON COLUMN sw_pipelines.data_source IS 'events: append-only, one target partition a day; users: latest state by ssid; table: any relation, all its columns; fixed';
COMMENT ON COLUMN sw_pipelines.source IS 'table, partitioned table, view, materialized or foreign table read; fixed';
COMMENT ON COLUMN sw_pipelines.target_table IS 'table at the warehouse; default sensorswave_events, sensorswave_users, or the source''s name; fixed';
COMMENT ON COLUMN sw_pipelines.mode IS 'append (events) or upsert (users); a table: upsert where there is a key, else append; fixed';
COMMENT ON COLUMN sw_pipelines.key_columns IS 'upsert: columns by which a row replaces another; of a table its primary key, unless given; fixed';
COMMENT ON COLUMN sw_pipelines.cursor_column IS
	'target column that tells when a row came or was changed, by which sync reads; default received_at (events), updated_at (users); fixed';
COMMENT ON COLUMN sw_pipelines.time_column IS
	'target column that tells which day a row belongs to; default time (events), updated_at (users); fixed';
COMMENT ON COLUMN sw_pipelines.cursor_slack IS
	'how far below the oldest transaction that may bring rows a sync looks for them; default 1 hour, 10 seconds where the cursor''s default is the database''s clock';
COMMENT ON COLUMN sw_pipelines.sweep_every IS
	'how often a sweep brings the rows with an older cursor that syncs have left out; default 1 day; an edit counts at once';
COMMENT ON COLUMN sw_pipelines.json_type IS
	'type of JSON columns at a clickhouse target: string (default) or json; fixed';
COMMENT ON COLUMN sw_pipelines.on_unrepresentable IS
	'what becomes of a value that the target cannot hold: error (default), null, clamp, text or skip (the row)';
COMMENT ON COLUMN sw_pipelines.datetime_properties IS
	'properties of JSON columns, by name or dotted path, that become YYYY-MM-DD HH:MM:SS.fff in the system time zone';
COMMENT ON COLUMN sw_pipelines.array_properties IS
	'properties of JSON columns, by name or dotted path, that become [] where they are null';
COMMENT ON COLUMN sw_pipelines.target_options IS
	'order_by, partition_by, ttl, engine, settings, cluster, buckets, comments of the target table; used when it is made';
COMMENT ON COLUMN sw_pipelines.columns IS
	'target column -> SQL expression over one source row, or {"expr": ..., "type": ...}, or null = left out; absent = the source column of that name';
COMMENT ON COLUMN sw_pipelines.event_filter IS 'include or exclude the events in event_names';
COMMENT ON COLUMN sw_pipelines.event_names IS 'names for event_filter';
COMMENT ON COLUMN sw_pipelines.row_filter IS 'SQL condition over one source row; only rows that meet it are exported';
COMMENT ON COLUMN sw_pipelines.schedule IS
	'every N hours (default 1) or minutes, daily HH:MM Zone, or manual; an edit counts at once';
COMMENT ON COLUMN sw_pipelines.system_timezone IS
	'zone of the target''s time columns and of backfill days; default is the setting of that name; fixed';
COMMENT ON COLUMN sw_pipelines.status IS
	'new (target table not made yet), running, paused or stopped; read only';
COMMENT ON COLUMN sw_pipelines.settings_version IS 'counts edits; each run records the one it used';
COMMENT ON COLUMN sw_pipelines.owner IS 'role with whose rights the source is read';
COMMENT ON COLUMN sw_pipelines.created_at IS 'when the pipeline was made';
COMMENT ON COLUMN sw_pipelines.updated_at IS 'when it was last changed';

CREATE VIEW sw_runs WITH (security_barrier) AS
SELECT r.run_id, p.name AS pipeline, r.kind, r.status, r.range_start,
	r.range_end, r.rows_exported, r.files, r.bytes_staged, r.attempt,
	CASE WHEN r.status <> 'queued' THEN r.started_at END AS started_at,
	r.finished_at, r.error, r.hint, r.settings_version,
	r.detail, r.sqlstate, r.load_query_id,
	(SELECT count(*) FROM _sensorswave.staged_object o
		WHERE o.run_id = r.run_id AND NOT o.is_deleted AND NOT o.is_deleted_once) AS objects_left,
	(SELECT min(o.delete_after) FROM _sensorswave.staged_object o
		WHERE o.run_id = r.run_id AND NOT o.is_deleted AND NOT o.is_deleted_once) AS objects_deleted_after
FROM _sensorswave.run r
	JOIN _sensorswave.pipeline p USING (pipeline_id)
WHERE pg_catalog.pg_has_role(p.owner::oid, 'MEMBER')
	OR pg_catalog.pg_has_role('pg_monitor', 'MEMBER');
COMMENT ON VIEW sw_runs IS 'one row per attempt to move data';
COMMENT ON COLUMN sw_runs.run_id IS 'identifies the run';
COMMENT ON COLUMN sw_runs.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN sw_runs.kind IS 'incremental, sweep, backfill or copy';
COMMENT ON COLUMN sw_runs.status IS 'queued (somebody asked for it), running, success, failed or cancelled';
COMMENT ON COLUMN sw_runs.range_start IS 'first instant of the range exported';
COMMENT ON COLUMN sw_runs.range_end IS 'first instant after the range exported';
COMMENT ON COLUMN sw_runs.rows_exported IS 'rows delivered to the warehouse';
COMMENT ON COLUMN sw_runs.files IS 'files in the staging store';
COMMENT ON COLUMN sw_runs.bytes_staged IS 'bytes in the staging store';
COMMENT ON COLUMN sw_runs.attempt IS '1 for the first try; a retry is a new row with one more';
COMMENT ON COLUMN sw_runs.started_at IS 'when the run started';
COMMENT ON COLUMN sw_runs.finished_at IS 'when it ended';
COMMENT ON COLUMN sw_runs.error IS 'why it failed';
COMMENT ON COLUMN sw_runs.hint IS 'what to do about it';
COMMENT ON COLUMN sw_runs.settings_version IS 'settings_version of the pipeline that was used';
COMMENT ON COLUMN sw_runs.detail IS 'more about the error';
COMMENT ON COLUMN sw_runs.sqlstate IS 'SQLSTATE of the error';
COMMENT ON COLUMN sw_runs.load_query_id IS 'query id of the load statement at the warehouse';
COMMENT ON COLUMN sw_runs.objects_left IS 'objects of the run in the staging store that are not deleted yet';
COMMENT ON COLUMN sw_runs.objects_deleted_after IS 'when the deletion of those is due, or tried again';

CREATE VIEW sw_run_logs WITH (security_barrier) AS
SELECT l.run_id, l.logged_at, l.level, l.message
FROM _sensorswave.run_log l
	JOIN _sensorswave.run r USING (run_id)
	JOIN _sensorswave.pipeline p USING (pipeline_id)
WHERE pg_catalog.pg_has_role(p.owner::oid, 'MEMBER')
	OR pg_catalog.pg_has_role('pg_monitor', 'MEMBER');
COMMENT ON VIEW sw_run_logs IS 'what happened during runs, line by line';
COMMENT ON COLUMN sw_run_logs.run_id IS 'the run the line belongs to';
COMMENT ON COLUMN sw_run_logs.logged_at IS 'when it happened';
COMMENT ON COLUMN sw_run_logs.level IS 'debug, info, warning or error';
COMMENT ON COLUMN sw_run_logs.message IS 'what happened';

CREATE VIEW sw_backfills WITH (security_barrier) AS
SELECT b.backfill_id, p.name AS pipeline, b.from_date, b.to_date, b.status,
	w.windows_total, w.windows_done, w.rows_exported, b.requested_at,
	b.started_at, b.finished_at, b.error, b.hint, b.allow_shrink,
	CASE WHEN b.status = 'queued' OR b.status = 'running' AND b.attempt > 0
		THEN b.next_attempt_at END AS next_attempt_at
FROM _sensorswave.backfill b
	JOIN _sensorswave.pipeline p USING (pipeline_id)
	CROSS JOIN LATERAL (
		SELECT count(*) AS windows_total,
			count(*) FILTER (WHERE status = 'success') AS windows_done,
			coalesce(sum(rows_exported), 0)::bigint AS rows_exported
		FROM _sensorswave.backfill_window
		WHERE backfill_id = b.backfill_id) w
WHERE pg_catalog.pg_has_role(p.owner::oid, 'MEMBER')
	OR pg_catalog.pg_has_role('pg_monitor', 'MEMBER');
COMMENT ON VIEW sw_backfills IS 'reloads of calendar days, and full copies, with their progress';
COMMENT ON COLUMN sw_backfills.backfill_id IS 'identifies the backfill';
COMMENT ON COLUMN sw_backfills.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN sw_backfills.from_date IS 'first day, in the pipeline''s system time zone; NULL = a full copy';
COMMENT ON COLUMN sw_backfills.to_date IS 'last day';
COMMENT ON COLUMN sw_backfills.status IS 'queued, running, success, failed or cancelled';
COMMENT ON COLUMN sw_backfills.windows_total IS 'days to reload';
COMMENT ON COLUMN sw_backfills.windows_done IS 'days reloaded';
COMMENT ON COLUMN sw_backfills.rows_exported IS 'rows delivered so far';
COMMENT ON COLUMN sw_backfills.requested_at IS 'when it was asked for';
COMMENT ON COLUMN sw_backfills.started_at IS 'when work began';
COMMENT ON COLUMN sw_backfills.finished_at IS 'when it ended';
COMMENT ON COLUMN sw_backfills.error IS 'the last failure';
COMMENT ON COLUMN sw_backfills.hint IS 'what to do about it';
COMMENT ON COLUMN sw_backfills.allow_shrink IS 'may replace a day by far fewer rows';
COMMENT ON COLUMN sw_backfills.next_attempt_at IS 'when the next attempt is due, after a failure';

CREATE VIEW sw_backfill_windows WITH (security_barrier) AS
SELECT w.backfill_id, w.window_start, w.window_end, w.status, w.rows_exported,
	w.run_id
FROM _sensorswave.backfill_window w
	JOIN _sensorswave.backfill b USING (backfill_id)
	JOIN _sensorswave.pipeline p USING (pipeline_id)
WHERE pg_catalog.pg_has_role(p.owner::oid, 'MEMBER')
	OR pg_catalog.pg_has_role('pg_monitor', 'MEMBER');
COMMENT ON VIEW sw_backfill_windows IS 'the days of each backfill, in order; a full copy has one window without bounds';
COMMENT ON COLUMN sw_backfill_windows.backfill_id IS 'the backfill the window belongs to';
COMMENT ON COLUMN sw_backfill_windows.window_start IS 'first instant of the day';
COMMENT ON COLUMN sw_backfill_windows.window_end IS 'first instant after it';
COMMENT ON COLUMN sw_backfill_windows.status IS 'queued, running, success, failed or cancelled';
COMMENT ON COLUMN sw_backfill_windows.rows_exported IS 'rows delivered';
COMMENT ON COLUMN sw_backfill_windows.run_id IS 'the run that did it last';

CREATE VIEW sw_status WITH (security_barrier) AS
SELECT p.name AS pipeline, p.status,
	CASE
		WHEN p.status = 'stopped' THEN NULL
		WHEN f.pipeline_id IS NOT NULL THEN f.reason
		WHEN y.pipeline_id IS NULL THEN 'restored from a dump; sw_adopt takes the pipeline over'
		WHEN p.status = 'paused' THEN coalesce(y.pause_reason, 'paused')
		WHEN y.lease_takeover IS NOT NULL THEN 'the lease in the store is being taken over'
		WHEN p.status = 'new' AND s.last_error IS NOT NULL
			THEN 'the target table could not be created yet'
		WHEN p.status = 'new' THEN 'the target table is being created'
		WHEN b.status = 'running' AND b.next_attempt_at > clock_timestamp()
			THEN pg_catalog.format('backfill %s: retry at %s after: %s', b.backfill_id,
				to_char(b.next_attempt_at, 'YYYY-MM-DD HH24:MI:SSOF'), b.error)
		WHEN b.backfill_id IS NOT NULL AND r.run_id IS NULL
			THEN pg_catalog.format('backfill %s is waiting for a worker', b.backfill_id)
		WHEN b.backfill_id IS NOT NULL
			THEN pg_catalog.format('backfill %s is running', b.backfill_id)
		WHEN r.run_id IS NOT NULL
			THEN pg_catalog.format('run %s is under way', r.run_id)
		WHEN q.run_id IS NULL AND y.next_attempt_at > clock_timestamp()
			THEN pg_catalog.format('retry at %s after: %s',
				to_char(y.next_attempt_at, 'YYYY-MM-DD HH24:MI:SSOF'), y.last_error)
		WHEN coalesce(q.started_at, y.next_attempt_at, y.next_tick_at) <= clock_timestamp()
			THEN 'waiting for a worker'
		WHEN p.schedule = 'manual' THEN 'manual schedule'
		END AS reason,
	(SELECT array_agg(d.day ORDER BY d.day) FROM _sensorswave.marked_day d
		WHERE d.pipeline_id = p.pipeline_id) AS days_needing_backfill,
	coalesce(greatest(y.last_success_at, ok.finished_at), ok.finished_at) AS last_success_at,
	ok.rows_exported AS last_rows,
	CASE
		WHEN p.status = 'new' THEN s.next_attempt_at
		WHEN p.status = 'running' AND b.backfill_id IS NULL AND r.run_id IS NULL
			THEN nullif(coalesce(q.started_at, y.next_attempt_at, y.next_tick_at), 'infinity')
		END AS next_run_at,
	CASE WHEN p.status <> 'stopped'
		THEN greatest(extract(epoch FROM clock_timestamp() - c.captured_at), 0)::double precision
		END AS lag_seconds,
	coalesce(s.consecutive_failures, 0) + coalesce(y.consecutive_failures, 0) AS consecutive_failures,
	coalesce(y.last_error, s.last_error) AS last_error,
	CASE WHEN y.last_error IS NOT NULL THEN y.last_hint ELSE s.last_hint END AS last_hint
FROM _sensorswave.pipeline p
	LEFT JOIN _sensorswave.pipeline_state s USING (pipeline_id)
	LEFT JOIN _sensorswave.sync_state y USING (pipeline_id)
	LEFT JOIN _sensorswave.fence f USING (pipeline_id)
	LEFT JOIN _sensorswave.backfill b
		ON b.pipeline_id = p.pipeline_id AND b.status IN ('queued', 'running')
	LEFT JOIN LATERAL (
		SELECT max(n.run_id) AS run_id
		FROM _sensorswave.run n
		WHERE n.pipeline_id = p.pipeline_id AND n.status = 'running') r ON true
	LEFT JOIN _sensorswave.run q
		ON q.pipeline_id = p.pipeline_id AND q.status = 'queued'
	LEFT JOIN LATERAL (
		SELECT e.finished_at, e.rows_exported
		FROM _sensorswave.run e
		WHERE e.pipeline_id = p.pipeline_id AND e.status = 'success'
		ORDER BY e.run_id DESC LIMIT 1) ok ON true
	LEFT JOIN LATERAL (
		SELECT x.captured_at
		FROM _sensorswave.capture x
			LEFT JOIN _sensorswave.sync_window w
				ON w.pipeline_id = p.pipeline_id AND w.status = 'open'
		WHERE x.pipeline_id = p.pipeline_id
			AND (w.window_id IS NULL OR x.capture_id = w.from_capture)
		ORDER BY x.capture_id DESC LIMIT 1) c ON true
WHERE pg_catalog.pg_has_role(p.owner::oid, 'MEMBER')
	OR pg_catalog.pg_has_role('pg_monitor', 'MEMBER');
COMMENT ON VIEW sw_status IS 'how each pipeline is doing, and why';
COMMENT ON COLUMN sw_status.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN sw_status.status IS 'new, running, paused or stopped';
COMMENT ON COLUMN sw_status.reason IS 'why it is new, paused, waiting or not syncing; NULL: it waits for its next tick';
COMMENT ON COLUMN sw_status.days_needing_backfill IS 'days of the target that only a backfill makes equal to the source again';
COMMENT ON COLUMN sw_status.last_success_at IS 'end of the last run that succeeded';
COMMENT ON COLUMN sw_status.last_rows IS 'rows of that run';
COMMENT ON COLUMN sw_status.next_run_at IS 'when it is run, or tried again, next; NULL: while one is under way, or when asked to';
COMMENT ON COLUMN sw_status.lag_seconds IS 'age of the newest moment up to which sync has delivered everything';
COMMENT ON COLUMN sw_status.consecutive_failures IS 'failures since the last success';
COMMENT ON COLUMN sw_status.last_error IS 'the last failure';
COMMENT ON COLUMN sw_status.last_hint IS 'what to do about it';

REVOKE ALL ON sw_destinations, sw_pipelines, sw_runs, sw_run_logs,
	sw_backfills, sw_backfill_windows, sw_status FROM PUBLIC;

-- Monitoring sees what happens, but no destinations, expressions or filters.
GRANT SELECT ON sw_runs, sw_run_logs, sw_backfills, sw_backfill_windows,
	sw_status TO pg_monitor;
