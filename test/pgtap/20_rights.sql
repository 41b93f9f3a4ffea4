-- Who sees and may do what: roles against views and functions.  Nothing is
-- committed, so no worker contacts anybody.
\set ECHO none
\pset format unaligned
\pset tuples_only true
\set ON_ERROR_STOP true
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL sensorswave_export.check_on_save = off;	-- there is no such warehouse
SELECT plan(134);

-- ---- people ----

CREATE ROLE tap_owner;			-- has a pipeline
CREATE ROLE tap_member;			-- is a member of that role
CREATE ROLE tap_other;			-- has the same grants, and nothing of its own
CREATE ROLE tap_monitor;		-- watches
CREATE ROLE tap_nobody;			-- has no grants
GRANT tap_owner TO tap_member;
GRANT pg_monitor TO tap_monitor;
GRANT USAGE ON SCHEMA public TO tap_owner, tap_other, tap_monitor, tap_nobody;
GRANT SELECT, INSERT, UPDATE, DELETE ON sw_destinations, sw_pipelines
	TO tap_owner, tap_other, tap_monitor;
GRANT SELECT ON sw_runs, sw_run_logs, sw_backfills, sw_backfill_windows, sw_status
	TO tap_owner, tap_other, tap_monitor;
GRANT EXECUTE ON FUNCTION sw_version(), sw_backfill(text, date, date, boolean), sw_backfill(text, boolean),
	sw_wait_backfill(bigint, interval), sw_stop(text), sw_pause(text), sw_resume(text), sw_sync(text),
	sw_wait(bigint, interval), sw_backfill_days(text, integer, boolean)
	TO tap_owner, tap_other, tap_monitor;

-- Run a statement as a role: its first value, or how it failed.  What it did
-- is undone unless it is kept.
CREATE FUNCTION pg_temp.as_role(who name, statement text, is_kept boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		EXECUTE format('SET LOCAL ROLE %I', who);
		EXECUTE statement INTO result;
		IF NOT is_kept THEN
			RAISE EXCEPTION 'undo' USING ERRCODE = 'SW000';
		END IF;
		RESET ROLE;
	EXCEPTION
		WHEN SQLSTATE 'SW000' THEN NULL;
		WHEN OTHERS THEN result := SQLSTATE || ' ' || SQLERRM;
	END;
	RETURN result;
END $$;

-- ---- things ----

CREATE TABLE tap_events ("time" timestamptz NOT NULL, distinct_id text, trace_id text,
	ssid bigint, anon_id text, login_id text, event text, properties jsonb,
	user_properties jsonb, received_at timestamptz);
ALTER TABLE tap_events OWNER TO tap_owner;
INSERT INTO sw_destinations (name, kind, host, database, account_id, username, password,
	stage_endpoint, stage_region, stage_bucket, stage_access_key, stage_secret_key, usable_by)
VALUES
	('shared', 'bytehouse', 'wh.example.com', 'd', '1', 'u', 'tap-password',
		'tos-cn-beijing.volces.com', 'cn-beijing', 'bucket', 'AKLTtap', 'tap-secret', '{tap_owner}'),
	('closed', 'bytehouse', 'wh.example.com', 'd', '1', 'u', 'tap-password',
		'tos-cn-beijing.volces.com', 'cn-beijing', 'bucket', 'AKLTtap', 'tap-secret', '{}');
INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
VALUES ('of_superuser', 'closed', 'events', 'tap_events', 'tap_a');
SELECT is(pg_temp.as_role('tap_owner', $$
	INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
	VALUES ('of_owner', 'shared', 'events', 'tap_events', 'tap_b') RETURNING owner $$, true),
	'tap_owner'::text, 'a role that may use a destination makes a pipeline');
SELECT sw_backfill(name, '2026-01-01', '2026-01-02') AS ignored FROM sw_pipelines
WHERE name = 'of_superuser' \gset
SELECT pg_temp.as_role('tap_owner',
	$$ SELECT sw_backfill('of_owner', '2026-01-01', '2026-01-02') $$, true) AS owners_backfill \gset
INSERT INTO _sensorswave.run (pipeline_id, kind, settings_version)
SELECT pipeline_id, 'backfill', 1 FROM _sensorswave.pipeline;
INSERT INTO _sensorswave.run_log (run_id, level, message)
SELECT run_id, 'info', 'x' FROM _sensorswave.run;
SELECT matches(:'owners_backfill'::text, '^\d+$', 'and asks for a backfill of it');

-- ---- what each sees ----

SELECT is(pg_temp.as_role(who.name, format('SELECT count(*) FROM %I', m.view_name)),
	CASE who.name WHEN 'postgres' THEN m.superuser WHEN 'tap_owner' THEN m.owner
		WHEN 'tap_member' THEN m.owner WHEN 'tap_other' THEN m.other
		WHEN 'tap_monitor' THEN m.monitor END,
	format('%s sees its rows of %s', who.name, m.view_name))
FROM (VALUES
	('sw_destinations', '2', '1', '0', '0'),
	('sw_pipelines', '2', '1', '0', '0'),
	('sw_runs', '2', '1', '0', '2'),
	('sw_run_logs', '2', '1', '0', '2'),
	('sw_backfills', '2', '1', '0', '2'),
	('sw_backfill_windows', '4', '2', '0', '4'),
	('sw_status', '2', '1', '0', '2')) m (view_name, superuser, owner, other, monitor),
	(VALUES ('postgres'), ('tap_owner'), ('tap_member'), ('tap_other'), ('tap_monitor')) who (name)
ORDER BY m.view_name, who.name;

-- ---- nothing without a grant ----

SELECT is(pg_temp.as_role('tap_nobody', format('SELECT count(*) FROM %I', v.name)),
	format('42501 permission denied for view %s', v.name),
	format('%s needs a grant', v.name))
FROM unnest(ARRAY['sw_destinations', 'sw_pipelines', 'sw_runs', 'sw_run_logs', 'sw_backfills',
	'sw_backfill_windows', 'sw_status']) v (name);
SELECT is(pg_temp.as_role('tap_nobody', 'SELECT ' || f.name || f.arguments),
	format('42501 permission denied for function %s', f.name),
	format('%s needs a grant', f.name))
FROM (VALUES ('sw_version', '()'), ('sw_stop', '(''of_owner'')'), ('sw_wait_backfill', '(1)'),
	('sw_pause', '(''of_owner'')'), ('sw_resume', '(''of_owner'')'), ('sw_sync', '(''of_owner'')'),
	('sw_wait', '(1)'), ('sw_backfill_days', '(''of_owner'', 1)'),
	('sw_backfill', '(''of_owner'', ''2026-02-01'', ''2026-02-01'')')) f (name, arguments);
SELECT is(pg_temp.as_role(who.name, format('SELECT count(*) FROM _sensorswave.%I', t.name)),
	'42501 permission denied for schema _sensorswave',
	format('%s cannot read the table %s', who.name, t.name))
FROM unnest(ARRAY['destination', 'pipeline', 'run', 'staged_object', 'stage_table', 'former_target']) t (name),
	unnest(ARRAY['tap_owner', 'tap_other', 'tap_monitor', 'tap_nobody']) who (name);

-- ---- what each may do ----

SELECT is(pg_temp.as_role(who.name, $$ SELECT sw_stop('of_superuser') $$),
	'42501 must be owner of pipeline "of_superuser"',
	who.name || ' cannot stop the pipeline of another')
FROM unnest(ARRAY['tap_owner', 'tap_member', 'tap_other', 'tap_monitor']) who (name);
SELECT is(pg_temp.as_role(who.name, $$ SELECT sw_backfill('of_superuser', '2026-02-01', '2026-02-01') $$),
	'42501 must be owner of pipeline "of_superuser"',
	who.name || ' cannot ask for a backfill of it')
FROM unnest(ARRAY['tap_owner', 'tap_member', 'tap_other', 'tap_monitor']) who (name);
SELECT is(pg_temp.as_role(who.name, format('SELECT %s(''of_superuser'')', f.name)),
	'42501 must be owner of pipeline "of_superuser"',
	format('%s cannot call %s for it', who.name, f.name))
FROM unnest(ARRAY['sw_sync', 'sw_pause', 'sw_resume']) f (name),
	unnest(ARRAY['tap_owner', 'tap_member', 'tap_other', 'tap_monitor']) who (name);
SELECT is(pg_temp.as_role(who.name, $$ SELECT sw_pause('of_owner')::text $$), '',
	who.name || ' may pause it')
FROM unnest(ARRAY['postgres', 'tap_owner', 'tap_member']) who (name);
SELECT is(pg_temp.as_role(who.name, format('SELECT sw_wait_backfill(%s)', :'owners_backfill')),
	format('42704 backfill %s does not exist', :'owners_backfill'),
	who.name || ' cannot wait for a backfill it does not see')
FROM unnest(ARRAY['tap_other']) who (name);
SELECT matches(pg_temp.as_role(who.name, format('SELECT sw_wait_backfill(%s)', :'owners_backfill')),
	'^55000 backfill \d+ was asked for by this transaction$',
	who.name || ' may wait for it')
FROM unnest(ARRAY['postgres', 'tap_owner', 'tap_member']) who (name);
SELECT is(pg_temp.as_role(who.name, $$ SELECT sw_stop('of_owner')::text $$), '',
	who.name || ' may stop it')
FROM unnest(ARRAY['postgres', 'tap_owner', 'tap_member']) who (name);

SELECT is(pg_temp.as_role('tap_other', $$ UPDATE sw_pipelines SET row_filter = 'true' RETURNING name $$),
	NULL::text, 'an UPDATE meets no pipeline of others');
SELECT is(pg_temp.as_role('tap_owner', $$ UPDATE sw_pipelines SET row_filter = 'true' RETURNING name $$),
	'of_owner', 'but those of one''s own');
SELECT is(pg_temp.as_role('tap_other', $$ DELETE FROM sw_pipelines RETURNING name $$),
	NULL::text, 'a DELETE meets no pipeline of others');
SELECT is(pg_temp.as_role('tap_monitor', $$ DELETE FROM sw_pipelines RETURNING name $$),
	NULL::text, 'not those one may watch either');
SELECT is(pg_temp.as_role('tap_owner', $$
	INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
	VALUES ('x', 'closed', 'events', 'tap_events', 'tap_x') $$),
	'42501 permission denied for destination "closed"',
	'a destination that is not for the role cannot be used');
SELECT is(pg_temp.as_role('tap_other', $$
	INSERT INTO sw_pipelines (name, destination, data_source, source, target_table)
	VALUES ('x', 'shared', 'events', 'tap_events', 'tap_x') $$),
	'42501 permission denied for destination "shared"', 'by nobody else either');
SELECT is(pg_temp.as_role('tap_owner', $$
	INSERT INTO sw_pipelines (name, destination, data_source, source, target_table, owner)
	VALUES ('x', 'shared', 'events', 'tap_events', 'tap_x', 'postgres') $$),
	'42501 must be a member of role "postgres"',
	'a pipeline cannot be given to a role one is no member of');
SELECT is(pg_temp.as_role('tap_owner', $$
	UPDATE sw_pipelines SET owner = 'postgres' WHERE name = 'of_owner' $$),
	'42501 must be a member of role "postgres"',
	'a pipeline cannot be given away');
SELECT is(pg_temp.as_role(who.name, $$ INSERT INTO sw_destinations (name, kind) VALUES ('x', 'bytehouse') $$),
	'42501 permission denied to define a destination', who.name || ' cannot make a destination')
FROM unnest(ARRAY['tap_owner', 'tap_other', 'tap_monitor']) who (name);
SELECT is(pg_temp.as_role('tap_owner', $$ UPDATE sw_destinations SET host = 'h' $$),
	'42501 permission denied to define a destination', 'who may use one cannot change it');
SELECT is(pg_temp.as_role('tap_owner', $$ DELETE FROM sw_destinations $$),
	'42501 must be owner of destination "shared"', 'nor delete it');

-- ---- secrets and leaks ----

SELECT is(pg_temp.as_role(who.name,
	$$ SELECT concat_ws(' ', password, api_key, stage_secret_key) FROM sw_destinations WHERE name = 'shared' $$),
	'configured configured', who.name || ' sees that there are secrets')
FROM unnest(ARRAY['postgres', 'tap_owner', 'tap_member']) who (name);

-- A condition that tells whatever it is asked about.
CREATE TABLE tap_leaked (line text);
GRANT INSERT ON tap_leaked TO PUBLIC;
CREATE FUNCTION tap_leak(line text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	INSERT INTO public.tap_leaked VALUES (line);
	RETURN true;
END $$;
SELECT is(pg_temp.as_role('tap_other', format('SELECT count(*) FROM %I v WHERE tap_leak(v::text)', v.name), true),
	'0', v.name || ' shows nothing to others, whatever the condition')
FROM unnest(ARRAY['sw_destinations', 'sw_pipelines', 'sw_runs', 'sw_run_logs', 'sw_backfills',
	'sw_backfill_windows', 'sw_status']) v (name);
SELECT is_empty('SELECT * FROM tap_leaked', 'nor does it tell anything to the condition');
SELECT is(pg_temp.as_role('tap_owner', 'SELECT count(*) FROM sw_destinations v WHERE tap_leak(v::text)', true),
	'1', 'the condition does tell what one may see');
SELECT results_eq('SELECT count(*) FROM tap_leaked', ARRAY[1::bigint], 'which is one row');
SELECT is_empty($$ SELECT * FROM tap_leaked WHERE line LIKE '%tap-password%' OR line LIKE '%tap-secret%' $$,
	'without its secrets');

SELECT * FROM finish();
ROLLBACK;
