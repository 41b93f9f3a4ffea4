-- Destinations: defaults, masking, checks, edits.
\pset null '(null)'
BEGIN;
INSERT INTO sw_destinations (name, kind, host, database, account_id, username,
	password, stage_endpoint, stage_region, stage_bucket, stage_access_key,
	stage_secret_key)
VALUES ('wh', 'bytehouse', 'wh.example.com', 'sensorswave', '2100000000',
	'exporter', 'p4ss''w\ord', 'tos-cn-beijing.volces.com', 'cn-beijing',
	'sensorswave', 'AKLTexample', 's3cr3t')
RETURNING name, port, auth_type, password, api_key, sslmode, stage_kind,
	stage_prefix, stage_secret_key, stage_format, owner = current_user::regrole AS own;
SELECT name, kind, host, port, database, virtual_warehouse, password, api_key,
	stage_secret_key, usable_by FROM sw_destinations;

-- Sealed at rest: the plain text is not in the table, and no two seals are alike.
SELECT position('p4ss'::bytea IN password) AS plain_password,
	position('s3cr3t'::bytea IN stage_secret_key) AS plain_key,
	length(password) > 40 AS sealed
FROM _sensorswave.destination;

-- Blank secrets keep the old ones, others replace them.
SELECT password AS old_password, stage_secret_key AS old_key
FROM _sensorswave.destination \gset
UPDATE sw_destinations SET host = 'wh2.example.com', password = '',
	stage_secret_key = NULL RETURNING host, password, stage_secret_key;
UPDATE sw_destinations SET password = 'configured';
SELECT password = :'old_password' AS kept, stage_secret_key = :'old_key' AS key_kept
FROM _sensorswave.destination;
UPDATE sw_destinations SET password = 'another';
SELECT password <> :'old_password' AS replaced FROM _sensorswave.destination;

-- Switching the authentication drops the other mode's secret.
UPDATE sw_destinations SET auth_type = 'iam', api_key = 'k3y'
RETURNING auth_type, password, api_key;

-- Mistakes.
SAVEPOINT s;
INSERT INTO sw_destinations (name) VALUES ('x');
ROLLBACK TO s;
INSERT INTO sw_destinations (name, kind) VALUES ('x', 'oracle');
ROLLBACK TO s;
INSERT INTO sw_destinations (name, kind) VALUES ('x', 'clickhouse');
ROLLBACK TO s;
INSERT INTO sw_destinations (name, kind, host, database) VALUES ('x', 'bytehouse', 'h', 'd');
ROLLBACK TO s;
UPDATE sw_destinations SET sslmode = 'prefer';
ROLLBACK TO s;
UPDATE sw_destinations SET sslmode = 'verify';
ROLLBACK TO s;
UPDATE sw_destinations SET port = 70000;
ROLLBACK TO s;
UPDATE sw_destinations SET stage_compression = 'lz4';
ROLLBACK TO s;
UPDATE sw_destinations SET stage_prefix = '/a';
ROLLBACK TO s;
UPDATE sw_destinations SET stage_prefix = 'a/../b';
ROLLBACK TO s;
UPDATE sw_destinations SET stage_bucket = 'Bad_Bucket';
ROLLBACK TO s;
UPDATE sw_destinations SET stage_endpoint = 'tos-s3-cn-beijing.volces.com';
ROLLBACK TO s;
UPDATE sw_destinations SET database = 'a`b';
ROLLBACK TO s;
UPDATE sw_destinations SET api_key = 'none';
ROLLBACK TO s;
INSERT INTO sw_destinations (name, kind, host, database, account_id, username,
	password, stage_endpoint, stage_region, stage_bucket, stage_access_key,
	stage_secret_key)
VALUES ('wh', 'bytehouse', 'h', 'd', '1', 'u', 'p', 'tos-cn-beijing.volces.com',
	'cn-beijing', 'bucket', 'a', 's');
ROLLBACK TO s;

-- Only superusers make destinations; others see those they may use.
CREATE ROLE regress_sw_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON sw_destinations TO regress_sw_user;
SET ROLE regress_sw_user;
SELECT count(*) FROM sw_destinations;
SAVEPOINT u;
INSERT INTO sw_destinations (name, kind) VALUES ('mine', 'bytehouse');
ROLLBACK TO u;
RESET ROLE;
UPDATE sw_destinations SET usable_by = '{regress_sw_user}';
SET ROLE regress_sw_user;
SELECT name, api_key FROM sw_destinations;
SAVEPOINT u;
UPDATE sw_destinations SET host = 'evil.example.com';
ROLLBACK TO u;
DELETE FROM sw_destinations;
ROLLBACK TO u;
SELECT password FROM _sensorswave.destination;
ROLLBACK TO u;
RESET ROLE;
-- ... not even with rights on all tables.
GRANT pg_read_all_data, pg_write_all_data TO regress_sw_user;
SET ROLE regress_sw_user;
SELECT count(*) FROM _sensorswave.destination;
UPDATE _sensorswave.destination SET host = 'evil.example.com' RETURNING host;
RESET ROLE;

DELETE FROM sw_destinations RETURNING name;
SELECT count(*) FROM sw_destinations;
ROLLBACK;
