-- The extension's objects, as API.md promises them.
SET client_min_messages = warning;
CREATE EXTENSION sensorswave_export;
RESET client_min_messages;

SELECT sw_version();

-- The views and their columns.
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'v' AND c.relname LIKE 'sw\_%' AND a.attnum > 0
ORDER BY c.relname, a.attnum;

-- The functions.
SELECT p.oid::regprocedure AS function, p.prorettype::regtype AS returns, p.proretset
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'sensorswave_export'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- The settings.
SELECT name, boot_val, unit, context FROM pg_settings
WHERE name LIKE 'sensorswave\_export.%' ORDER BY name;

-- Wrong settings are refused.
ALTER SYSTEM SET sensorswave_export.system_timezone = 'Mars/Olympus';
ALTER SYSTEM SET sensorswave_export.max_workers = 0;
SET sensorswave_export.no_such_setting = 1;

-- Dropping and making it again leaves nothing behind.
DROP EXTENSION sensorswave_export;
SELECT count(*) FROM pg_namespace WHERE nspname = '_sensorswave';
CREATE SCHEMA elsewhere;
CREATE EXTENSION sensorswave_export SCHEMA elsewhere;
SELECT elsewhere.sw_version();
SELECT count(*) FROM elsewhere.sw_destinations;
DROP EXTENSION sensorswave_export;
DROP SCHEMA elsewhere;
CREATE EXTENSION sensorswave_export;
