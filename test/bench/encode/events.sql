-- A table of events as an application would keep them: properties of about
-- 181 bytes and user_properties of about 110, as text.
--
--	psql -v n=5000000 -f events.sql

SELECT setseed(0.5);
DROP TABLE IF EXISTS events;
CREATE UNLOGGED TABLE events (
	id bigint NOT NULL,
	trace_id uuid NOT NULL,
	distinct_id text NOT NULL,
	user_id bigint,
	event text NOT NULL,
	happened_at timestamptz NOT NULL,
	received_at timestamptz NOT NULL,
	amount numeric(12, 2),
	properties jsonb NOT NULL,
	user_properties jsonb NOT NULL
) WITH (autovacuum_enabled = false);

INSERT INTO events
SELECT i,
	md5(i::text)::uuid,
	md5((i % 100000)::text),
	CASE WHEN i % 3 > 0 THEN 1000000 + i % 100000 END,
	(ARRAY['page_view', 'click', 'sign_up', 'purchase', 'search', 'add_to_cart', 'share', 'logout'])[1 + (random() * random() * 8)::int % 8],
	timestamptz '2026-01-01' + i * interval '0.7 seconds',
	timestamptz '2026-01-01' + i * interval '0.7 seconds' + random() * interval '5 seconds',
	CASE WHEN i % 5 = 0 THEN (random() * 100000)::numeric(12, 2) END,
	jsonb_build_object(
		'url', '/shop/item/' || (random() * 100000)::int || '?ref=' || (ARRAY['mail', 'ad', '"home"', '首页'])[1 + i % 4],
		'item', jsonb_build_object('sku', 'SKU-' || (random() * 10000)::int, 'price', (random() * 500)::numeric(8, 2)),
		'count', (random() * 20)::int,
		'duration_ms', (random() * 60000)::int,
		'is_first', i % 7 = 0,
		'browser', (ARRAY['Chrome', 'Safari', 'Firefox'])[1 + i % 3],
		'tags', jsonb_build_array('a' || i % 10, 'b' || i % 7)),
	jsonb_build_object(
		'name', 'User ' || i % 100000,
		'city', (ARRAY['Shanghai', '北京', 'São Paulo', 'New York'])[1 + i % 4],
		'level', i % 50,
		'vip', i % 9 = 0,
		'plan', (ARRAY['free', 'basic', 'pro'])[1 + i % 3],
		'signup', '2025-0' || 1 + i % 9 || '-11',
		'score', (random() * 1000)::numeric(7, 3))
FROM generate_series(1, :n) AS i;
VACUUM (FREEZE, ANALYZE) events;
SELECT count(*) AS rows, pg_size_pretty(pg_table_size('events')) AS size,
	round(avg(length(properties::text)), 1) AS properties,
	round(avg(length(user_properties::text)), 1) AS user_properties
FROM events TABLESAMPLE SYSTEM (5);
