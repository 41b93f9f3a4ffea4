-- Tables. C code reads and writes them by column name, only in src/catalog.

CREATE SEQUENCE _sensorswave.destination_id_seq;
COMMENT ON SEQUENCE _sensorswave.destination_id_seq IS 'ids of destinations; part of what secrets are sealed to';
CREATE TABLE _sensorswave.destination (
	destination_id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('_sensorswave.destination_id_seq'::pg_catalog.regclass),
	name text NOT NULL UNIQUE CHECK (name <> ''),
	kind text NOT NULL CHECK (kind IN ('bytehouse', 'clickhouse')),
	host text NOT NULL,
	port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
	database text NOT NULL,
	virtual_warehouse text,
	auth_type text NOT NULL CHECK (auth_type IN ('password', 'iam')),
	account_id text,
	username text,
	password bytea,
	api_key bytea,
	sslmode text NOT NULL CHECK (sslmode IN ('verify-full', 'verify-ca', 'require', 'disable')),
	sslrootcert text,
	stage_kind text NOT NULL CHECK (stage_kind IN ('tos', 's3', 'none')),
	stage_endpoint text,
	stage_region text,
	stage_bucket text,
	stage_prefix text NOT NULL,
	stage_access_key text,
	stage_secret_key bytea,
	stage_format text NOT NULL CHECK (stage_format IN ('parquet', 'native')),
	stage_compression text NOT NULL CHECK (stage_compression IN ('zstd', 'lz4', 'snappy', 'none')),
	stage_load_endpoint text,
	stage_path_style boolean NOT NULL,
	usable_by name[] NOT NULL DEFAULT '{}',
	owner regrole NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE _sensorswave.destination IS
	'warehouses with their staging stores; secrets are sealed (AES-256-GCM, key outside the database)';

CREATE SEQUENCE _sensorswave.pipeline_id_seq;
COMMENT ON SEQUENCE _sensorswave.pipeline_id_seq IS 'ids of pipelines';
CREATE TABLE _sensorswave.pipeline (
	pipeline_id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('_sensorswave.pipeline_id_seq'::pg_catalog.regclass),
	name text NOT NULL UNIQUE CHECK (name <> ''),
	destination_id bigint NOT NULL REFERENCES _sensorswave.destination,
	data_source text NOT NULL CHECK (data_source IN ('events', 'users', 'table')),
	source regclass NOT NULL,
	target_table text NOT NULL CHECK (target_table <> ''),
	mode text NOT NULL CHECK (mode IN ('append', 'upsert')),
	key_columns text[],
	cursor_column text,
	time_column text,
	cursor_slack interval NOT NULL DEFAULT '1 hour' CHECK (cursor_slack >= '10 seconds'),
	sweep_every interval NOT NULL DEFAULT '1 day' CHECK (sweep_every >= '1 second'),
	schedule text NOT NULL DEFAULT 'every 1 hour',
	json_type text NOT NULL CHECK (json_type IN ('string', 'json')),
	target_options jsonb NOT NULL CHECK (jsonb_typeof(target_options) = 'object'),
	columns jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(columns) = 'object'),
	target_columns jsonb CHECK (jsonb_typeof(target_columns) = 'array'),
	event_filter text CHECK (event_filter IN ('include', 'exclude')),
	event_names text[],
	row_filter text,
	on_unrepresentable text NOT NULL DEFAULT 'error'
		CHECK (on_unrepresentable IN ('error', 'null', 'clamp', 'text', 'skip')),
	datetime_properties text[],
	array_properties text[],
	system_timezone text NOT NULL,
	status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'running', 'paused', 'stopped')),
	settings_version integer NOT NULL DEFAULT 1,
	owner regrole NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	CHECK ((event_filter IS NULL) = (event_names IS NULL)),
	CHECK ((data_source = 'table') = (target_columns IS NOT NULL))
);
CREATE INDEX ON _sensorswave.pipeline (destination_id);
COMMENT ON TABLE _sensorswave.pipeline IS
	'one source relation kept in step with one target table; target_columns: those of a table pipeline, with their types, as fixed when it was made';

-- What a pipeline is doing about its target table; not configuration, so it
-- is not dumped.
CREATE TABLE _sensorswave.pipeline_state (
	pipeline_id bigint PRIMARY KEY REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	holds_target boolean NOT NULL DEFAULT false,
	consecutive_failures integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL,
	last_error text,
	last_hint text
);
COMMENT ON TABLE _sensorswave.pipeline_state IS
	'attempts to create, mark and release the target table of a pipeline, and the last failure';

-- Where a pipeline's target was before its destination was moved: the
-- destination as it was, until the mark is taken off there.
CREATE TABLE _sensorswave.former_target (
	former_target_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	n_failures integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	LIKE _sensorswave.destination
);
CREATE INDEX ON _sensorswave.former_target (pipeline_id);
COMMENT ON TABLE _sensorswave.former_target IS
	'target tables that pipelines have left and that still bear their mark, with the destination as it was';

-- What a pipeline knows of its incremental sync.  Not dumped: a pipeline
-- without it comes from a dump.
CREATE TABLE _sensorswave.sync_state (
	pipeline_id bigint PRIMARY KEY REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	next_tick_at timestamptz NOT NULL,
	next_attempt_at timestamptz,
	next_sweep_at timestamptz NOT NULL,
	consecutive_failures integer NOT NULL DEFAULT 0,
	last_error text,
	last_hint text,
	last_success_at timestamptz,
	pause_reason text,
	system_identifier bigint NOT NULL,
	database_oid oid NOT NULL,
	host text NOT NULL,
	data_directory text NOT NULL,
	timeline bigint NOT NULL,
	lease_number bigint NOT NULL DEFAULT 0,
	lease_token text,
	lease_takeover text CHECK (lease_takeover IN ('automatic', 'asked')),
	lease_next_token text,
	lease_failures integer NOT NULL DEFAULT 0,
	lease_attempt_at timestamptz,
	CHECK ((lease_takeover IS NULL) = (lease_next_token IS NULL))
);
COMMENT ON TABLE _sensorswave.sync_state IS
	'when a pipeline is due (next_tick_at by its schedule, next_attempt_at after a failure), the instance it works on, and its lease in the staging store';

-- Pipelines that this instance may not work on: copies of another one's.
CREATE TABLE _sensorswave.fence (
	pipeline_id bigint PRIMARY KEY REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	reason text NOT NULL,
	status_before text NOT NULL,
	pause_reason_before text,
	closed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE _sensorswave.fence IS
	'pipelines that are paused because another instance works on them, or may; sw_adopt takes them over';

-- Dumped: whoever takes over a restored copy may replace that mark, and no
-- other.
CREATE TABLE _sensorswave.target_mark (
	pipeline_id bigint PRIMARY KEY REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	mark text NOT NULL
);
COMMENT ON TABLE _sensorswave.target_mark IS
	'the mark that a pipeline has put on its target table last';

CREATE TABLE _sensorswave.capture (
	capture_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	captured_at timestamptz NOT NULL,
	content bytea NOT NULL,
	copy_run_id bigint
);
CREATE INDEX ON _sensorswave.capture (pipeline_id, capture_id);
COMMENT ON TABLE _sensorswave.capture IS
	'moments between which windows of incremental sync lie: which transactions had ended by then, and which were active (packed by source/sw_capture.c); copy_run_id: up to that moment a full copy reads, sync goes on from it if the copy succeeds';

CREATE TABLE _sensorswave.sync_window (
	window_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	kind text NOT NULL CHECK (kind IN ('incremental', 'sweep')),
	strategy text NOT NULL CHECK (strategy IN ('versions', 'cursor')),
	from_capture bigint NOT NULL REFERENCES _sensorswave.capture,
	to_capture bigint NOT NULL REFERENCES _sensorswave.capture,
	bound timestamptz,
	cursor_expression text,
	status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done')),
	attempt integer NOT NULL DEFAULT 0,
	n_rows bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX sync_window_one_open ON _sensorswave.sync_window (pipeline_id)
	WHERE status = 'open';
CREATE INDEX ON _sensorswave.sync_window (pipeline_id, window_id);
COMMENT ON TABLE _sensorswave.sync_window IS
	'rows that became visible between two captures; bound: those with an older cursor are left to the sweep; cursor_expression: what the cursor was then';

CREATE TABLE _sensorswave.backfill (
	backfill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	from_date date,
	to_date date CHECK (to_date >= from_date),
	allow_shrink boolean NOT NULL,
	status text NOT NULL DEFAULT 'queued'
		CHECK (status IN ('queued', 'running', 'success', 'failed', 'cancelled')),
	attempt integer NOT NULL DEFAULT 0,
	interruptions integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_at timestamptz,
	finished_at timestamptz,
	error text,
	hint text,
	CHECK ((from_date IS NULL) = (to_date IS NULL))
);
-- One backfill at a time per pipeline, whoever asks.
CREATE UNIQUE INDEX backfill_one_active ON _sensorswave.backfill (pipeline_id)
	WHERE status IN ('queued', 'running');
CREATE INDEX ON _sensorswave.backfill (pipeline_id);
COMMENT ON TABLE _sensorswave.backfill IS
	'requests to reload calendar days of a pipeline, or without days, to copy all of it; attempt counts the failures of the current window, interruptions the deaths of its workers';

CREATE TABLE _sensorswave.run (
	run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	pipeline_id bigint NOT NULL REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	kind text NOT NULL CHECK (kind IN ('incremental', 'sweep', 'backfill', 'copy')),
	status text NOT NULL DEFAULT 'running'
		CHECK (status IN ('queued', 'running', 'success', 'failed', 'cancelled')),
	window_id bigint REFERENCES _sensorswave.sync_window ON DELETE SET NULL,
	range_start timestamptz,
	range_end timestamptz,
	rows_exported bigint NOT NULL DEFAULT 0,
	files integer NOT NULL DEFAULT 0,
	bytes_staged bigint NOT NULL DEFAULT 0,
	attempt integer NOT NULL DEFAULT 1,
	load_query_id text,
	load_rows bigint,
	started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	finished_at timestamptz,
	error text,
	detail text,
	hint text,
	sqlstate text,
	settings_version integer NOT NULL
);
CREATE INDEX ON _sensorswave.run (pipeline_id, run_id);
CREATE INDEX run_open ON _sensorswave.run (pipeline_id) WHERE status IN ('queued', 'running');
-- Who asks for a run while one is queued gets that one.
CREATE UNIQUE INDEX run_one_queued ON _sensorswave.run (pipeline_id) WHERE status = 'queued';
CREATE INDEX ON _sensorswave.run (window_id);
COMMENT ON TABLE _sensorswave.run IS
	'one row per attempt; queued when somebody asked for it, written as running before work starts, so a crash is what was never corrected';

CREATE TABLE _sensorswave.backfill_window (
	backfill_id bigint NOT NULL REFERENCES _sensorswave.backfill ON DELETE CASCADE,
	day date,
	window_start timestamptz,
	window_end timestamptz,
	status text NOT NULL DEFAULT 'queued'
		CHECK (status IN ('queued', 'running', 'success', 'failed', 'cancelled')),
	rows_exported bigint,
	run_id bigint REFERENCES _sensorswave.run ON DELETE SET NULL,
	CHECK ((day IS NULL) = (window_start IS NULL) AND (day IS NULL) = (window_end IS NULL))
);
-- A copy has one window, which is no day.
CREATE UNIQUE INDEX ON _sensorswave.backfill_window (backfill_id, day) NULLS NOT DISTINCT;
CREATE INDEX ON _sensorswave.backfill_window (run_id);
COMMENT ON TABLE _sensorswave.backfill_window IS
	'calendar days of a backfill as half-open ranges of instants in the pipeline''s system time zone; one without bounds for a full copy';

CREATE TABLE _sensorswave.marked_day (
	pipeline_id bigint NOT NULL REFERENCES _sensorswave.pipeline ON DELETE CASCADE,
	day date NOT NULL,
	reason text NOT NULL,
	marked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (pipeline_id, day)
);
COMMENT ON TABLE _sensorswave.marked_day IS
	'days of a target that only a backfill makes equal to the source again, and why';

CREATE TABLE _sensorswave.run_log (
	log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	run_id bigint NOT NULL REFERENCES _sensorswave.run ON DELETE CASCADE,
	logged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	level text NOT NULL CHECK (level IN ('debug', 'info', 'warning', 'error')),
	message text NOT NULL
);
CREATE INDEX ON _sensorswave.run_log (run_id, log_id);
COMMENT ON TABLE _sensorswave.run_log IS 'what happened during a run, line by line';

CREATE TABLE _sensorswave.chunk (
	chunk_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	window_id bigint NOT NULL REFERENCES _sensorswave.sync_window ON DELETE CASCADE,
	ordinal integer NOT NULL,
	leaf regclass,
	first_block bigint,
	end_block bigint,
	cursor_from timestamptz,
	cursor_to timestamptz,
	cursor_nulls boolean NOT NULL,
	status text NOT NULL DEFAULT 'planned'
		CHECK (status IN ('planned', 'staged', 'loading', 'done')),
	run_id bigint REFERENCES _sensorswave.run ON DELETE SET NULL,
	n_rows bigint NOT NULL DEFAULT 0,
	first_day date,
	last_day date,
	cursor_min timestamptz,
	cursor_max timestamptz,
	stage_format text,
	stage_compression text,
	load_query_id text,
	target_rows_before bigint,
	n_files_loaded integer NOT NULL DEFAULT 0,
	UNIQUE (window_id, ordinal)
);
CREATE INDEX ON _sensorswave.chunk (run_id);
COMMENT ON TABLE _sensorswave.chunk IS
	'parts of a window that are delivered one by one; staged: all its files are in the store and are loaded, never read again; loading: a load of that query id has begun, with that many rows in the target''s days before';

CREATE TABLE _sensorswave.staged_object (
	object_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	run_id bigint NOT NULL REFERENCES _sensorswave.run ON DELETE CASCADE,
	chunk_id bigint REFERENCES _sensorswave.chunk ON DELETE SET NULL,
	kind text NOT NULL,
	endpoint text NOT NULL,
	region text NOT NULL,
	bucket text NOT NULL,
	path_style boolean NOT NULL,
	object_key text NOT NULL UNIQUE,
	n_rows bigint NOT NULL DEFAULT 0,
	n_bytes bigint NOT NULL DEFAULT 0,
	upload_id text,
	is_staged boolean NOT NULL DEFAULT false,
	is_deleted boolean NOT NULL DEFAULT false,
	is_deleted_once boolean NOT NULL DEFAULT false,
	delete_attempts integer NOT NULL DEFAULT 0,
	delete_after timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON _sensorswave.staged_object (run_id);
CREATE INDEX ON _sensorswave.staged_object (chunk_id);
CREATE INDEX staged_object_left ON _sensorswave.staged_object (delete_after) WHERE NOT is_deleted;
COMMENT ON TABLE _sensorswave.staged_object IS
	'every object in the staging store, recorded before its first byte leaves and until it is deleted; is_staged: all of it is there; else upload_id is its multipart upload, if known, and its deletion is repeated once';

CREATE TABLE _sensorswave.stage_table (
	run_id bigint PRIMARY KEY REFERENCES _sensorswave.run ON DELETE CASCADE,
	host text NOT NULL,
	port integer NOT NULL,
	database text NOT NULL,
	table_name text NOT NULL,
	drop_attempts integer NOT NULL DEFAULT 0,
	drop_after timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE _sensorswave.stage_table IS
	'every table made at a warehouse to load a run through, recorded before it is made and until it is dropped';

-- Only the extension itself reads and writes: not even roles with rights on
-- all tables (pg_read_all_data, pg_write_all_data), since what is in a
-- pipeline is run.
ALTER TABLE _sensorswave.destination ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.pipeline ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.pipeline_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.former_target ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.sync_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.fence ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.target_mark ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.capture ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.sync_window ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.chunk ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.backfill ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.run ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.backfill_window ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.marked_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.run_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.staged_object ENABLE ROW LEVEL SECURITY;
ALTER TABLE _sensorswave.stage_table ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON ALL TABLES IN SCHEMA _sensorswave FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA _sensorswave FROM PUBLIC;

-- Configuration is dumped; history is not.
SELECT pg_catalog.pg_extension_config_dump('_sensorswave.destination', '');
SELECT pg_catalog.pg_extension_config_dump('_sensorswave.destination_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('_sensorswave.pipeline', '');
SELECT pg_catalog.pg_extension_config_dump('_sensorswave.pipeline_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('_sensorswave.target_mark', '');
