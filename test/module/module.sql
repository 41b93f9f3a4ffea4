-- The functions of test/module/*.c.

-- Options are texts "name=value".  Where a function returns lines, so are
-- they.

-- Several requests in one engine.  Options: proxy, ca_file, serial (one
-- after the other); then for each request get=<url> or put=<url>, and what is
-- about it: bytes, idle_ms, connect_ms, deadline_ms, max_body, cancel_ms.
CREATE OR REPLACE FUNCTION sw_test_http(VARIADIC options text[])
RETURNS SETOF text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_http';

-- Options of a store: kind, endpoint, region, bucket, access_key, secret_key,
-- security_token, path_style, load_endpoint, proxy, ca_file, connect_ms,
-- idle_ms.

-- One call of a store; the calls are those of module_store.c.  "ok" and what
-- the call gave, or how it failed:
--
--	<status> <retry>: <message> // <detail> // <hint>
CREATE OR REPLACE FUNCTION sw_test_store(options text[], call text,
	VARIADIC arguments text[])
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_store';

-- Uploads at one store.  Options: those of a store, and key, file or bytes,
-- uploads (so many at once, their keys numbered), part_bytes, parts,
-- step_bytes (advance in such steps), pause_ms (after each), end_early,
-- abort_at.
CREATE OR REPLACE FUNCTION sw_test_upload(VARIADIC options text[])
RETURNS SETOF text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_upload';

-- Statements over one session with a warehouse, so many times.  answers: of
-- the first time, values with tabs and newlines in between, an error as of a
-- store.  bytes: all memory of this backend after a tenth of the times, and
-- after all of them.
CREATE OR REPLACE FUNCTION sw_test_session(host text, port int, sslmode text,
	sslrootcert text, username text, password text, statements text[],
	rounds int,
	OUT answers text, OUT bytes_early bigint, OUT bytes_late bigint)
LANGUAGE c AS '@MODULE@', 'sw_test_session';

-- A document through the JSON writer: its text, then the problems that it
-- asks about, one a line.  verdict, what it is answered: null, clamp, text,
-- stop.
CREATE OR REPLACE FUNCTION sw_test_json(document jsonb, datetimes text[],
	arrays text[], zone text, is_binary bool, verdict text,
	limits int[] DEFAULT '{100000, 0, 0}')
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_json';

-- The same, of a document in its text form.
CREATE OR REPLACE FUNCTION sw_test_json_text(document text, datetimes text[],
	arrays text[], zone text, is_binary bool, verdict text,
	limits int[] DEFAULT '{100000, 0, 0}')
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_json_text';

-- What the JSON writer takes a wall clock time for: milliseconds of UTC.
CREATE OR REPLACE FUNCTION sw_test_json_zone(zone text, local_ms bigint)
RETURNS bigint
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_json_zone';

-- Nanoseconds of CPU time for a document, by the JSON writer or (not is_ours)
-- by the server's.
CREATE OR REPLACE FUNCTION sw_test_json_speed(documents jsonb[],
	datetimes text[], is_ours bool, is_binary bool, rounds int)
RETURNS float8
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_json_speed';

-- A relation through the type map and the readers.  n: 0 = the column's type
-- in a file; from 1 on its value in that row; -1 = what the policy did to it.
CREATE OR REPLACE FUNCTION sw_test_read(relation regclass,
	policy text DEFAULT 'error', zone text DEFAULT 'Asia/Shanghai',
	has_time bool DEFAULT true, is_binary_json bool DEFAULT false,
	target_type text DEFAULT '')
RETURNS TABLE (n bigint, name text, value text)
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_read';

-- The same without a look at the values: "<rows> <batches> <bytes>", the most
-- bytes that a batch held allocated.
CREATE OR REPLACE FUNCTION sw_test_read_memory(relation regclass,
	bytes_per_batch bigint)
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_read_memory';

-- The ticks of a schedule after one instant and before another.
CREATE OR REPLACE FUNCTION sw_test_schedule(schedule text,
	created_at timestamptz, after timestamptz, until timestamptz)
RETURNS SETOF timestamptz
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_schedule';

-- What is now: a capture as bytes, made after another one of that moment, or
-- as a pipeline's first.
CREATE OR REPLACE FUNCTION sw_test_capture(relation regclass,
	previous bytea DEFAULT NULL, previous_at timestamptz DEFAULT NULL,
	OUT content bytea, OUT captured_at timestamptz)
LANGUAGE c AS '@MODULE@', 'sw_test_capture';

-- Had it ended by then?
CREATE OR REPLACE FUNCTION sw_test_capture_has(content bytea, id xid8)
RETURNS bool
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_capture_has';

-- Its members, one a line.
CREATE OR REPLACE FUNCTION sw_test_capture_show(content bytea,
	captured_at timestamptz)
RETURNS SETOF text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_capture_show';

-- The bound of the window that begins at it; NULL = none.
CREATE OR REPLACE FUNCTION sw_test_capture_bound(content bytea,
	captured_at timestamptz, slack_us bigint)
RETURNS timestamptz
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_capture_bound';

-- Why windows from it on cannot trust versions; NULL = they can.
CREATE OR REPLACE FUNCTION sw_test_capture_gap(content bytea)
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_capture_gap';

-- Rows of the windows between captures; the first of them may be null: from
-- the beginning.  Options: key, cursor and time, expressions of a text and of
-- instants; slack_us of the windows' bounds (without it there are none); sweep;
-- filter; event (the only key to give); is_of_rewrites; bound (the cursor's, microseconds; without it that of
-- the last window); leaf, first_block, end_block, from, to, nulls, of a range;
-- zone; ask: rows, probe, check, explain, days, estimate, holes (since the last
-- capture), or a number: chunks of so many rows.
CREATE OR REPLACE FUNCTION sw_test_window(relation regclass, contents bytea[],
	ats timestamptz[], VARIADIC options text[])
RETURNS SETOF text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_window';

-- What a relation is good for, with that cursor: versions, index, clock.
CREATE OR REPLACE FUNCTION sw_test_relation(relation regclass, cursor_text text)
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_relation';

-- Why rows of a relation have no versions; NULL = they have.
CREATE OR REPLACE FUNCTION sw_test_unversioned(relation regclass)
RETURNS text
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_unversioned';

-- Every version passes, in this session.
CREATE OR REPLACE FUNCTION sw_test_naive(is_naive bool)
RETURNS void
LANGUAGE c STRICT AS '@MODULE@', 'sw_test_naive';
