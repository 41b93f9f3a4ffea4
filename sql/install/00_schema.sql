-- sensorswave_export 1.0, made of the parts in sql/install; edit those.
\echo Use "CREATE EXTENSION sensorswave_export" to load this file. \quit

-- Storage lives in a schema of its own; people use the views and functions.
CREATE SCHEMA _sensorswave;
REVOKE ALL ON SCHEMA _sensorswave FROM PUBLIC;
COMMENT ON SCHEMA _sensorswave IS
	'storage of the extension sensorswave_export; use the sw_ views and functions instead';
