-- The SQL contract: names, types, arguments, comments, settings, and what the
-- extension gives to PUBLIC (nothing).  Each statement that prints is a check.
\set ECHO none
\pset format unaligned
\pset tuples_only true
\set ON_ERROR_STOP true
BEGIN;
SELECT plan(50);

-- Members of the extension.
CREATE TEMPORARY VIEW members AS
SELECT d.classid, d.objid
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND e.extname = 'sensorswave_export';

CREATE TEMPORARY VIEW relations AS
SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid IN (SELECT objid FROM members WHERE classid = 'pg_class'::regclass);

CREATE TEMPORARY VIEW functions AS
SELECT p.*, n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid IN (SELECT objid FROM members WHERE classid = 'pg_proc'::regclass);

CREATE FUNCTION pg_temp.columns_of(view_name text) RETURNS SETOF text
BEGIN ATOMIC
	SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
	FROM pg_attribute a
	WHERE a.attrelid = view_name::regclass AND a.attnum > 0 AND NOT a.attisdropped
	ORDER BY a.attnum;
END;

-- ---- what there is ----

SELECT has_extension('sensorswave_export', 'the extension is installed');
SELECT matches(sw_version(),
	(SELECT '^' || extversion || '\.\d+$' FROM pg_extension WHERE extname = 'sensorswave_export'),
	'library and script have the same version');
SELECT set_eq(
	$$ SELECT relname::text FROM relations WHERE relkind = 'v' $$,
	ARRAY['sw_destinations', 'sw_pipelines', 'sw_runs', 'sw_run_logs', 'sw_backfills',
		'sw_backfill_windows', 'sw_status'],
	'the views');
SELECT set_eq(
	$$ SELECT relname::text FROM relations WHERE relkind = 'r' $$,
	ARRAY['destination', 'pipeline', 'pipeline_state', 'backfill', 'backfill_window', 'run',
		'run_log', 'staged_object', 'stage_table', 'former_target', 'sync_state', 'capture',
		'sync_window', 'chunk', 'marked_day', 'fence', 'target_mark'],
	'the tables');
SELECT set_eq(
	$$ SELECT format('%s(%s) %s', proname, pg_get_function_arguments(oid),
			pg_get_function_result(oid))
		FROM functions WHERE nspname <> '_sensorswave' AND prokind = 'f' $$,
	ARRAY[
		'sw_version() text',
		'sw_backfill(pipeline text, "from" date, "to" date, allow_shrink boolean DEFAULT false) bigint',
		'sw_backfill(pipeline text, allow_shrink boolean DEFAULT false) bigint',
		'sw_backfill_days(pipeline text, days integer, allow_shrink boolean DEFAULT false) bigint',
		'sw_wait_backfill(backfill_id bigint, timeout interval DEFAULT NULL::interval) text',
		'sw_sync(pipeline text) bigint',
		'sw_wait(run_id bigint, timeout interval DEFAULT NULL::interval) text',
		'sw_test_connection(destination text, OUT step integer, OUT name text, OUT status text, OUT elapsed_ms numeric, OUT detail text, OUT hint text) SETOF record',
		'sw_explain_pipeline(pipeline text) SETOF text',
		'sw_create_current_view(pipeline text) text',
		'sw_put_destination(definition jsonb) text',
		'sw_put_pipeline(definition jsonb) text',
		'sw_pause(pipeline text) void',
		'sw_resume(pipeline text) void',
		'sw_stop(pipeline text) void',
		'sw_adopt(pipeline text DEFAULT NULL::text) integer'],
	'the functions, their arguments and results');
SELECT set_eq(
	$$ SELECT format('%s(%s)', proname, pg_get_function_arguments(oid))
		FROM functions WHERE prokind = 'p' $$,
	ARRAY[
		'sw_run_sync(IN pipeline text)',
		'sw_run_backfill(IN pipeline text, IN "from" date, IN "to" date, IN allow_shrink boolean DEFAULT false)'],
	'the procedures and their arguments');
SELECT is_empty(
	$$ SELECT relname FROM relations WHERE nspname <> '_sensorswave' AND relkind <> 'v' $$,
	'what is stored lies in a schema of its own');
SELECT is_empty(
	$$ SELECT relname FROM relations WHERE relkind = 'v' AND relname !~ '^sw_'
		UNION ALL
		SELECT proname FROM functions WHERE nspname <> '_sensorswave' AND proname !~ '^sw_' $$,
	'names outside of it begin with sw_');
SELECT is_empty(
	$$ SELECT oid::regprocedure FROM functions WHERE prosecdef $$,
	'no function runs with the rights of its owner');
SELECT is_empty(
	$$ SELECT oid::regprocedure FROM functions
		WHERE prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c') $$,
	'all are in C');

-- ---- columns ----

SELECT results_eq($$ SELECT pg_temp.columns_of('sw_destinations') $$, ARRAY[
	'name text', 'kind text', 'host text', 'port integer', 'database text',
	'virtual_warehouse text', 'auth_type text', 'account_id text', 'username text',
	'password text', 'api_key text', 'sslmode text', 'sslrootcert text', 'stage_kind text',
	'stage_endpoint text', 'stage_region text', 'stage_bucket text', 'stage_prefix text',
	'stage_access_key text', 'stage_secret_key text', 'stage_format text', 'stage_compression text',
	'stage_load_endpoint text', 'stage_path_style boolean', 'usable_by name[]', 'owner regrole',
	'created_at timestamp with time zone', 'updated_at timestamp with time zone'],
	'columns of sw_destinations');
SELECT results_eq($$ SELECT pg_temp.columns_of('sw_pipelines') $$, ARRAY[
	'name text', 'destination text', 'data_source text', 'source regclass',
	'target_table text', 'mode text', 'key_columns text[]', 'cursor_column text',
	'time_column text', 'cursor_slack interval', 'sweep_every interval', 'columns jsonb',
	'event_filter text', 'event_names text[]', 'row_filter text', 'json_type text',
	'on_unrepresentable text', 'datetime_properties text[]', 'array_properties text[]',
	'target_options jsonb', 'schedule text', 'system_timezone text', 'status text',
	'settings_version integer', 'owner regrole', 'created_at timestamp with time zone',
	'updated_at timestamp with time zone'],
	'columns of sw_pipelines');
SELECT results_eq($$ SELECT pg_temp.columns_of('sw_runs') $$, ARRAY[
	'run_id bigint', 'pipeline text', 'kind text', 'status text',
	'range_start timestamp with time zone', 'range_end timestamp with time zone',
	'rows_exported bigint', 'files integer', 'bytes_staged bigint', 'attempt integer',
	'started_at timestamp with time zone', 'finished_at timestamp with time zone',
	'error text', 'hint text', 'settings_version integer', 'detail text', 'sqlstate text',
	'load_query_id text', 'objects_left bigint',
	'objects_deleted_after timestamp with time zone'],
	'columns of sw_runs');
SELECT results_eq($$ SELECT pg_temp.columns_of('sw_run_logs') $$, ARRAY[
	'run_id bigint', 'logged_at timestamp with time zone', 'level text', 'message text'],
	'columns of sw_run_logs');
SELECT results_eq($$ SELECT pg_temp.columns_of('sw_backfills') $$, ARRAY[
	'backfill_id bigint', 'pipeline text', 'from_date date', 'to_date date', 'status text',
	'windows_total bigint', 'windows_done bigint', 'rows_exported bigint',
	'requested_at timestamp with time zone', 'started_at timestamp with time zone',
	'finished_at timestamp with time zone', 'error text', 'hint text',
	'allow_shrink boolean', 'next_attempt_at timestamp with time zone'],
	'columns of sw_backfills');
SELECT results_eq($$ SELECT pg_temp.columns_of('sw_backfill_windows') $$, ARRAY[
	'backfill_id bigint', 'window_start timestamp with time zone',
	'window_end timestamp with time zone', 'status text', 'rows_exported bigint',
	'run_id bigint'],
	'columns of sw_backfill_windows');
SELECT results_eq($$ SELECT pg_temp.columns_of('sw_status') $$, ARRAY[
	'pipeline text', 'status text', 'reason text', 'days_needing_backfill date[]',
	'last_success_at timestamp with time zone', 'last_rows bigint',
	'next_run_at timestamp with time zone', 'lag_seconds double precision',
	'consecutive_failures integer', 'last_error text', 'last_hint text'],
	'columns of sw_status');
SELECT set_eq(
	$$ SELECT attname::text FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relkind = 'r' AND a.atttypid = 'bytea'::regtype $$,
	ARRAY['password', 'api_key', 'stage_secret_key', 'content'],
	'secrets are stored as bytes, and captures are, and nothing else is');

-- ---- comments ----

SELECT isnt(obj_description('_sensorswave'::regnamespace, 'pg_namespace'), NULL,
	'the storage schema has a comment');
SELECT isnt(obj_description((SELECT oid FROM pg_extension WHERE extname = 'sensorswave_export'),
	'pg_extension'), NULL, 'the extension has a comment');
SELECT is_empty(
	$$ SELECT oid::regclass FROM relations
		WHERE relkind IN ('v', 'r') AND obj_description(oid, 'pg_class') IS NULL $$,
	'every view and table has a comment');
SELECT is_empty(
	$$ SELECT c.oid::regclass, a.attname FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relkind = 'v' AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL $$,
	'every column of a view has a comment');
SELECT is_empty(
	$$ SELECT oid::regprocedure FROM functions WHERE obj_description(oid, 'pg_proc') IS NULL $$,
	'every function has a comment');
SELECT is_empty(
	$$ SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
		AND tgrelid IN (SELECT oid FROM relations)
		AND obj_description(oid, 'pg_trigger') IS NULL $$,
	'every trigger has a comment');

-- ---- rights ----

SELECT is_empty(
	$$ SELECT c.oid::regclass, a.privilege_type
		FROM relations c, aclexplode(coalesce(c.relacl,
			acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
		WHERE a.grantee = 0 $$,
	'no relation is granted to PUBLIC');
SELECT is_empty(
	$$ SELECT c.oid::regclass, a.attname FROM relations c
		JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attacl IS NOT NULL $$,
	'nor any column');
SELECT is_empty(
	$$ SELECT f.oid::regprocedure
		FROM functions f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
		WHERE a.grantee = 0 $$,
	'nor any function');
SELECT is_empty(
	$$ SELECT a.privilege_type
		FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
		WHERE n.nspname = '_sensorswave' AND a.grantee = 0 $$,
	'nor the storage schema');
SELECT is_empty(
	$$ SELECT oid::regclass FROM relations
		WHERE relkind = 'v' AND NOT coalesce('security_barrier=true' = ANY (reloptions), false) $$,
	'every view is a security barrier');
SELECT set_eq(
	$$ SELECT tgrelid::regclass::text FROM pg_trigger
		WHERE tgrelid IN (SELECT oid FROM relations WHERE relkind = 'v') $$,
	ARRAY['sw_destinations', 'sw_pipelines'],
	'two views can be written');

-- ---- what a dump has ----

SELECT set_eq(
	$$ SELECT unnest(extconfig)::regclass::text FROM pg_extension
		WHERE extname = 'sensorswave_export' $$,
	ARRAY['_sensorswave.destination', '_sensorswave.destination_id_seq',
		'_sensorswave.pipeline', '_sensorswave.pipeline_id_seq', '_sensorswave.target_mark'],
	'configuration is dumped, history is not');

-- ---- settings ----

SELECT set_eq(
	$$ SELECT name || ' ' || context FROM pg_settings WHERE name LIKE 'sensorswave_export.%' $$,
	ARRAY[
		'sensorswave_export.system_timezone sighup', 'sensorswave_export.max_workers postmaster',
		'sensorswave_export.worker_memory sighup', 'sensorswave_export.file_size sighup',
		'sensorswave_export.parts_in_flight sighup',
		'sensorswave_export.keep_failed_objects sighup',
		'sensorswave_export.naptime sighup', 'sensorswave_export.connect_timeout sighup',
		'sensorswave_export.request_timeout sighup', 'sensorswave_export.statement_timeout sighup',
		'sensorswave_export.retry_backoff sighup', 'sensorswave_export.retry_backoff_max sighup',
		'sensorswave_export.backfill_attempts sighup', 'sensorswave_export.key_file postmaster',
		'sensorswave_export.ca_file sighup', 'sensorswave_export.proxy sighup',
		'sensorswave_export.failover sighup', 'sensorswave_export.check_on_save user'],
	'the settings and when they can be changed');
SELECT is(s.boot_val || coalesce(s.unit, ''), d.value, s.name || ' has its default')
FROM pg_settings s JOIN (VALUES
	('system_timezone', 'UTC'), ('max_workers', '4'), ('worker_memory', '65536kB'),
	('file_size', '131072kB'), ('parts_in_flight', '4'),
	('keep_failed_objects', '86400s'), ('naptime', '1000ms'), ('connect_timeout', '10000ms'),
	('request_timeout', '300000ms'), ('statement_timeout', '3600000ms'),
	('retry_backoff', '5000ms'), ('retry_backoff_max', '900000ms'),
	('backfill_attempts', '5'), ('key_file', 'sensorswave_export.key'),
	('ca_file', ''), ('proxy', ''), ('failover', 'pause'), ('check_on_save', 'on')) d (name, value)
	ON s.name = 'sensorswave_export.' || d.name
ORDER BY s.name;

SELECT * FROM finish();
ROLLBACK;
