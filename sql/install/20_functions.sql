-- Functions. Their rights are checked inside: owners and members only.

CREATE FUNCTION sw_version() RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sw_sql_version';
COMMENT ON FUNCTION sw_version() IS 'version of the extension''s library';

CREATE FUNCTION sw_backfill(pipeline text, "from" date, "to" date,
							allow_shrink boolean DEFAULT false) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_backfill';
COMMENT ON FUNCTION sw_backfill(text, date, date, boolean) IS
	'reload the calendar days "from".."to" (both included); queued at commit, done by a worker; returns the backfill''s id';

CREATE FUNCTION sw_backfill(pipeline text, allow_shrink boolean DEFAULT false)
	RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_backfill_copy';
COMMENT ON FUNCTION sw_backfill(text, boolean) IS
	'copy all rows of a table or users pipeline; queued at commit, done by a worker; returns the backfill''s id';

CREATE FUNCTION sw_backfill_days(pipeline text, days integer,
								 allow_shrink boolean DEFAULT false) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_backfill_days';
COMMENT ON FUNCTION sw_backfill_days(text, integer, boolean) IS
	'reload the last so many complete days in the pipeline''s system time zone; queued at commit, done by a worker; returns the backfill''s id';

CREATE FUNCTION sw_wait_backfill(backfill_id bigint, timeout interval DEFAULT NULL)
	RETURNS text
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_wait_backfill';
COMMENT ON FUNCTION sw_wait_backfill(bigint, interval) IS
	'wait until a backfill has ended and return its final status; a time-out raises 57014';

CREATE PROCEDURE sw_run_backfill(pipeline text, "from" date, "to" date,
								 allow_shrink boolean DEFAULT false)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sw_sql_run_backfill';
COMMENT ON PROCEDURE sw_run_backfill(text, date, date, boolean) IS
	'sw_backfill, COMMIT and sw_wait_backfill in one statement; a failure raises the error of the run';

CREATE FUNCTION sw_sync(pipeline text) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_sync';
COMMENT ON FUNCTION sw_sync(text) IS
	'run a pipeline now: what was written up to the run''s begin is exported, and a sweep that is due is part of it; queued at commit, done by a worker; returns the run''s id, which callers before its begin share';

CREATE FUNCTION sw_wait(run_id bigint, timeout interval DEFAULT NULL)
	RETURNS text
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_wait';
COMMENT ON FUNCTION sw_wait(bigint, interval) IS
	'wait until a run has ended and return its final status; a time-out raises 57014';

CREATE PROCEDURE sw_run_sync(pipeline text)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sw_sql_run_sync';
COMMENT ON PROCEDURE sw_run_sync(text) IS
	'sw_sync, COMMIT and sw_wait in one statement; a failure raises the error of the run';

CREATE FUNCTION sw_test_connection(destination text, OUT step integer,
		OUT name text, OUT status text, OUT elapsed_ms numeric,
		OUT detail text, OUT hint text) RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_test_connection';
COMMENT ON FUNCTION sw_test_connection(text) IS
	'test a destination in seven steps, each a NOTICE as it ends and a row';

CREATE FUNCTION sw_explain_pipeline(pipeline text) RETURNS SETOF text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_explain_pipeline';
COMMENT ON FUNCTION sw_explain_pipeline(text) IS
	'what a pipeline runs: target DDL, window query, load statements, with secrets masked';

CREATE FUNCTION sw_create_current_view(pipeline text) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_create_current_view';
COMMENT ON FUNCTION sw_create_current_view(text) IS
	'make or replace the view <target>_current of the newest rows of an upsert target at the warehouse; its user needs CREATE TABLE (or CREATE VIEW), DROP TABLE (or DROP VIEW) and SELECT on the database; returns the name';

CREATE FUNCTION sw_put_destination(definition jsonb) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_put_destination';
COMMENT ON FUNCTION sw_put_destination(jsonb) IS
	'make or change the destination of that name; returns created, changed or unchanged';

CREATE FUNCTION sw_put_pipeline(definition jsonb) RETURNS text
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_put_pipeline';
COMMENT ON FUNCTION sw_put_pipeline(jsonb) IS
	'make or change the pipeline of that name; returns created, changed or unchanged';

CREATE FUNCTION sw_pause(pipeline text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_pause';
COMMENT ON FUNCTION sw_pause(text) IS
	'let a pipeline rest; a running window ends first, and nothing is lost';

CREATE FUNCTION sw_resume(pipeline text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_resume';
COMMENT ON FUNCTION sw_resume(text) IS
	'have a paused pipeline go on from where it was; a tick missed meanwhile is run at once, one of them';

CREATE FUNCTION sw_stop(pipeline text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_stop';
COMMENT ON FUNCTION sw_stop(text) IS
	'stop a pipeline for good; a running window ends first, its history stays';

CREATE FUNCTION sw_adopt(pipeline text DEFAULT NULL) RETURNS integer
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_adopt';
COMMENT ON FUNCTION sw_adopt(text) IS
	'take over a pipeline that another instance works on, or all such of this database: after a restore, a clone, a promotion, an upgrade; returns how many';

CREATE FUNCTION _sensorswave.wake_trigger() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'sw_sql_wake_trigger';
COMMENT ON FUNCTION _sensorswave.wake_trigger() IS
	'wake(), when a dump is restored';

CREATE FUNCTION _sensorswave.destination_trigger() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'sw_sql_destination_trigger';
COMMENT ON FUNCTION _sensorswave.destination_trigger() IS
	'INSERT, UPDATE and DELETE on sw_destinations';

CREATE FUNCTION _sensorswave.pipeline_trigger() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'sw_sql_pipeline_trigger';
COMMENT ON FUNCTION _sensorswave.pipeline_trigger() IS
	'INSERT, UPDATE and DELETE on sw_pipelines';

CREATE FUNCTION _sensorswave.wake() RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_wake';
COMMENT ON FUNCTION _sensorswave.wake() IS
	'have the background worker look at this database when the transaction commits';

REVOKE ALL ON FUNCTION sw_version() FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_backfill(text, date, date, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_backfill(text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_backfill_days(text, integer, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_wait_backfill(bigint, interval) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sw_run_backfill(text, date, date, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_sync(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_wait(bigint, interval) FROM PUBLIC;
REVOKE ALL ON PROCEDURE sw_run_sync(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_test_connection(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_explain_pipeline(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_create_current_view(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_put_destination(jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_put_pipeline(jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_pause(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_resume(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_stop(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_adopt(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.wake_trigger() FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.destination_trigger() FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.pipeline_trigger() FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.wake() FROM PUBLIC;
