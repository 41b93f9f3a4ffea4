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

CREATE FUNCTION sw_wait_backfill(backfill_id bigint, timeout interval DEFAULT NULL)
	RETURNS text
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_wait_backfill';
COMMENT ON FUNCTION sw_wait_backfill(bigint, interval) IS
	'wait until a backfill has ended and return its final status; a time-out raises 57014';

CREATE FUNCTION sw_stop(pipeline text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sw_sql_stop';
COMMENT ON FUNCTION sw_stop(text) IS
	'stop a pipeline for good; a running window ends first, its history stays';

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
REVOKE ALL ON FUNCTION sw_wait_backfill(bigint, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION sw_stop(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.destination_trigger() FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.pipeline_trigger() FROM PUBLIC;
REVOKE ALL ON FUNCTION _sensorswave.wake() FROM PUBLIC;
