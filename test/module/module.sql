-- The functions of test/module/*.c.

-- Options are texts "name=value"; so are results.

-- Several requests in one engine.  Options: proxy, ca_file, serial (one
-- after the other); then for each request get=<url> or put=<url>, and what is
-- about it: bytes, idle_ms, connect_ms, deadline_ms, max_body, cancel_ms.
CREATE FUNCTION sw_test_http(VARIADIC options text[]) RETURNS SETOF text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_http';

-- Uploads at one store.  Options: kind, endpoint, region, bucket, access_key,
-- secret_key, proxy, ca_file, connect_ms, idle_ms, key, file or bytes, uploads
-- (so many at once, their keys numbered), part_bytes, parts, step_bytes
-- (advance in such steps), pause_ms (after each), end_early, abort_at.
CREATE FUNCTION sw_test_upload(VARIADIC options text[]) RETURNS SETOF text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_upload';
