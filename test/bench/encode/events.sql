-- A table of events of the shape of the data model, as an application would
-- keep them: properties of about 181 bytes as they travel (without blanks),
-- user_properties of about 110.  An event every 0.7 seconds, 20 of each user
-- within four hours: a thousand users at any time, six thousand a day.  What
-- an event has of its own (ids, numbers, a session) is random.
--
--	psql -v n=5000000 -f events.sql

SELECT setseed(0.5);
DROP TABLE IF EXISTS events;
CREATE UNLOGGED TABLE events (
	time timestamptz NOT NULL,
	distinct_id text NOT NULL,
	trace_id text NOT NULL,
	ssid bigint NOT NULL,
	anon_id text NOT NULL,
	login_id text,
	event text NOT NULL,
	properties jsonb NOT NULL,
	user_properties jsonb NOT NULL,
	received_at timestamptz NOT NULL
) WITH (autovacuum_enabled = false);

INSERT INTO events
SELECT timestamptz '2026-01-01' + i * interval '0.7 seconds',
	CASE WHEN u % 3 > 0 THEN 'user-' || u ELSE md5(u::text)::uuid::text END,
	md5('trace' || i)::uuid::text,
	1000000000 + u,
	md5(u::text)::uuid::text,
	CASE WHEN u % 3 > 0 THEN 'user-' || u END,
	(ARRAY['page_view', 'click', 'sign_up', 'purchase', 'search', 'add_to_cart', 'share', 'logout'])[1 + (random() * random() * 7)::int],
	jsonb_build_object(
		'url', '/shop/item/' || (random() * 10000)::int || '?ref=' || (ARRAY['mail', 'ad', '"home"', '首页'])[1 + i % 4],
		'session', left(md5('session' || u), 8),
		'price', (random() * 500)::numeric(8, 2),
		'count', (random() * 20)::int,
		'ms', (random() * 60000)::int,
		'first', i % 7 = 0,
		'referrer', null,
		'browser', jsonb_build_object('name', (ARRAY['Chrome', 'Safari', 'Firefox'])[1 + u % 3], 'version', 100 + u % 20),
		'tags', jsonb_build_array('a' || i % 10, 'b' || i % 7)),
	jsonb_build_object(
		'name', 'User ' || u,
		'city', (ARRAY['Shanghai', '北京', 'São Paulo', 'New York'])[1 + u % 4],
		'level', u % 50,
		'vip', u % 9 = 0,
		'plan', (ARRAY['free', 'basic', 'professional'])[1 + u % 3],
		'since', '2025-0' || 1 + u % 9,
		'score', round((u % 997)::numeric / 4, 2)),
	timestamptz '2026-01-01' + i * interval '0.7 seconds' + random() * interval '5 seconds'
FROM (SELECT i, i / 20 + (random() * 1000)::int AS u FROM generate_series(1, :n) AS i) AS numbers;
VACUUM (FREEZE, ANALYZE) events;
SELECT count(*) AS rows, pg_size_pretty(pg_table_size('events')) AS size,
	round(avg(length(replace(replace(properties::text, '": ', '":'), ', "', ',"'))), 1) AS properties,
	round(avg(length(replace(replace(user_properties::text, '": ', '":'), ', "', ',"'))), 1) AS user_properties
FROM events TABLESAMPLE SYSTEM (5);
