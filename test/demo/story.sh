# story.sh: what the demo does and shows, part by part.  Sourced by demo.

readonly n_events=800 upload_bytes_per_second=100000
readonly day=2021-07-21

world() {
	node "$sw_top/test/demo/world.mjs" "$@"
}

expect() {
	[ "$2" = "$3" ] || sw_die "$1: expected $2, found $3"
}

load_events() {
	heading "1. A table with $n_events real events"
	say "Public GitHub events of three hours of one day."
	gzip -dc "$sw_top/test/data/github-events.jsonl.gz" >"$base/events.jsonl"
	run_sql <<-SQL
		CREATE TABLE github_events (
		    id          text PRIMARY KEY,
		    type        text NOT NULL,
		    actor       jsonb,
		    payload     jsonb,
		    created_at  timestamptz NOT NULL
		);
		CREATE INDEX ON github_events (created_at);

		CREATE TEMP TABLE line (event jsonb);
		\\copy line from '$base/events.jsonl' (format csv, delimiter e'\\x01', quote e'\\x02')
		INSERT INTO github_events
		SELECT event->>'id', event->>'type', event->'actor', event->'payload',
		    (event->>'created_at')::timestamptz
		FROM line;

		SET TimeZone = 'UTC';
		SELECT count(*), min(created_at), max(created_at) FROM github_events;
	SQL
	expect "rows loaded" $n_events "$(ask "SELECT count(*) FROM github_events")"
}

define_destination() {
	heading "2. The destination is a row"
	say "Secrets come from the environment, so that they are in no history of psql." \
		"They are sealed before they are stored, and never read back."
	"define_$kind"
	say "" "Is it all that a pipeline needs? A worker tries, step by step:"
	run_sql <<-SQL
		SET client_min_messages = warning;  -- each step is a NOTICE, too
		SELECT step, name, status, elapsed_ms, detail
		FROM sw_test_connection('$kind');
	SQL
	expect "secrets that read back as configured" "configured configured" \
		"$(ask "SELECT password, stage_secret_key FROM sw_destinations")"
}

define_pipeline() {
	heading "3. The pipeline is a row"
	say "Each column of the events table gets an SQL expression over one source row."
	run_sql -x <<-SQL
		INSERT INTO sw_pipelines (name, destination, data_source, source, columns)
		VALUES ('github', '$kind', 'events', 'github_events', '{
		    "time":            "created_at",
		    "distinct_id":     "actor->>''id''",
		    "trace_id":        "id",
		    "ssid":            "(actor->>''id'')::bigint",
		    "anon_id":         "''''",
		    "login_id":        "actor->>''login''",
		    "event":           "type",
		    "properties":      "payload",
		    "user_properties": "actor",
		    "received_at":     "created_at"
		}')
		RETURNING name, destination, data_source, source, target_table, mode,
		    system_timezone, status, settings_version, owner, created_at;
	SQL
	wait_until_running
	say "" "The commit woke a background worker; it saw to it that the target table exists:"
	run_sql <<-'SQL'
		SELECT pipeline, status, reason, last_error FROM sw_status;
	SQL
	say "" "What the warehouse was sent (from its own log):"
	world statements "$started_at" "CREATE TABLE" | show
}

# The worker is fast; it gets ten seconds.
wait_until_running() {
	local looks
	for ((looks = 0; looks < 100; looks++)); do
		case $(ask "SELECT status, last_error IS NULL FROM sw_status") in
			"running t") return ;;
			"new t") sleep 0.1 ;;
			*) break ;;
		esac
	done
	sw_die "the target table was not created:" \
		"$(ask "SELECT concat_ws('. ', last_error, last_hint) FROM sw_status")"
}

backfill_one_day() {
	heading "4. A backfill of one day"
	say "The upload of 0.3 MB would be over before anybody can look, so the demo asks" \
		"its store to take only $((upload_bytes_per_second / 1000)) kB a second this time. Nothing else is slow."
	world slow $upload_bytes_per_second
	run_sql <<-SQL
		SELECT sw_backfill('github', '$day', '$day');
	SQL
	say "" "While a worker does it, sw_backfills, sw_backfill_windows and sw_runs say:" ""
	watch_backfill
	say "" "A day ends where the pipeline's system_timezone says; here is Shanghai's:"
	run_sql <<-'SQL'
		SET TimeZone = 'Asia/Shanghai';
		SELECT window_start, window_end, status, rows_exported, run_id
		FROM sw_backfill_windows;
	SQL
}

# One line a look, until the backfill has ended or a minute has passed.
watch_backfill() {
	local looks status=queued windows date window rows message
	local format='%6s  %-8s %-8s %-11s %-9s %6s  %s\n'
	printf "$format" "" backfill windows window "" rows "last line of the run's log"
	for ((looks = 0; looks < 120; looks++)); do
		ask "SELECT b.status, windows_done || '/' || windows_total,
				to_char(window_start AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'),
				w.status, b.rows_exported,
				coalesce((SELECT split_part(message, ',', 1) FROM sw_run_logs l
				 WHERE l.run_id = w.run_id ORDER BY logged_at DESC LIMIT 1), '')
			FROM sw_backfills b
				JOIN sw_backfill_windows w USING (backfill_id)
			WHERE backfill_id = 1" >"$base/look"
		read -r status windows date window rows message <"$base/look"
		printf "$format" "$((looks / 2)).$((looks % 2 * 5)) s" "$status" \
			"$windows" "$date" "$window" "$rows" "$message"
		case $status in
			queued | running) sleep 0.5 ;;
			success) return ;;
			*) break ;;
		esac
	done
	sw_die "the backfill is $status:" \
		"$(ask "SELECT concat_ws('. ', error, hint) FROM sw_backfills")"
}

show_run() {
	heading "5. The run is on record"
	say "One row for each attempt, and a log."
	run_sql -x <<-'SQL'
		SELECT * FROM sw_runs;
	SQL
	run_sql <<-'SQL'
		SELECT logged_at::time(3), level, message FROM sw_run_logs ORDER BY logged_at;
	SQL
	"show_load_$kind"
}

compare() {
	heading "6. The same question, asked twice"
	say "Rows per type of event, at the source and at the target."
	show <<-SQL
		SELECT type, count(*)               SELECT event, count()
		FROM github_events                  FROM $target
		GROUP BY type                       GROUP BY event
		ORDER BY 2 DESC, 1;                 ORDER BY 2 DESC, 1;
	SQL
	ask "SELECT type, count(*) FROM github_events
		GROUP BY type ORDER BY 2 DESC, type COLLATE \"C\"" >"$base/source"
	sandbox query "SELECT event || ' ' || toString(count())
		FROM $target
		GROUP BY event ORDER BY count() DESC, event" >"$base/target"
	printf '\n'
	paste -d ' ' "$base/source" "$base/target" | awk '
		function row(a, b, c, d) { printf "    %-29s %5s  %-29s %5s\n", a, b, c, d }
		BEGIN { row("PostgreSQL", "rows", "warehouse", "rows") }
		{ row($1, $2, $3, $4); source += $2; target += $4 }
		END { row("all", source, "all", target) }'
	cmp -s "$base/source" "$base/target" ||
		sw_die "the two answers differ: compare $base/source with $base/target"
	compare_values
}

# Every value of every row: the target's rows come back as COPY text.
compare_values() {
	local result
	sandbox query "SELECT * FROM $target FORMAT TabSeparated" \
		>"$base/rows.tsv"
	result=$(cluster psql -d demo -q -At -F ' ' -v ON_ERROR_STOP=1 -f - <<-SQL
		CREATE TEMP TABLE arrived (time timestamp, distinct_id text, trace_id text,
		    ssid bigint, anon_id text, login_id text, event text,
		    properties jsonb, user_properties jsonb, received_at timestamp);
		\\copy arrived from '$base/rows.tsv'
		SELECT count(*), count(*) FILTER (WHERE
		    (created_at AT TIME ZONE 'Asia/Shanghai', actor->>'id', id,
		     (actor->>'id')::bigint, '', actor->>'login', type, payload, actor,
		     created_at AT TIME ZONE 'Asia/Shanghai')
		    IS DISTINCT FROM
		    (time, distinct_id, trace_id, ssid, anon_id, login_id, event,
		     properties, user_properties, received_at))
		FROM github_events FULL JOIN arrived ON trace_id = id;
	SQL
	)
	expect "rows compared, rows that differ" "$n_events 0" "$result"
	say "" "And all values of all $n_events rows, JSON included, were compared: no difference."
}

repeat_backfill() {
	heading "7. Once more, with its neighbours"
	say "A day is replaced as a whole, so doing it again doubles nothing. The days before" \
		"and after have no rows; \"$day\" is in the middle."
	run_sql <<-'SQL'
		SELECT sw_backfill('github', '2021-07-20', '2021-07-22') AS backfill_id \gset
		SELECT sw_wait_backfill(:backfill_id, timeout => '1 minute');

		SET TimeZone = 'Asia/Shanghai';
		SELECT window_start, status, rows_exported, run_id FROM sw_backfill_windows
		WHERE backfill_id = :backfill_id;
	SQL
	expect "status of the second backfill" success \
		"$(ask "SELECT status FROM sw_backfills WHERE backfill_id = 2")"
	expect "rows at the warehouse, distinct trace ids" "$n_events $n_events" \
		"$(sandbox query "SELECT concat(toString(count()), ' ', toString(uniqExact(trace_id)))
			FROM $target")"
	say "" "The warehouse still has $n_events rows with $n_events different trace ids."
}

show_store() {
	local n_objects
	heading "8. Nothing is left in the bucket"
	say "What the store saw in this demo ($whose_requests):"
	world requests "$started_at" | show
	n_objects=$(world objects)
	expect "staged objects left in the bucket" 0 "$n_objects"
	say "" "It holds $n_objects objects now."
}

tell_where_to_go() {
	heading "Look around"
	cat <<-'TEXT'
		    test/demo/demo psql                      psql on this database
		    test/demo/demo warehouse "SELECT ..."    ask the warehouse's engine
		    test/demo/demo stop                      stop it all; the data stays
		    test/demo/demo remove                    stop it all and delete it

		make demo tells the story again, with a new database; make demo KIND=clickhouse
		and KIND=bytehouse choose the warehouse.
	TEXT
}

tell_story() {
	local started_at
	started_at=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
	load_events
	define_destination
	define_pipeline
	backfill_one_day
	show_run
	compare
	repeat_backfill
	show_store
	tell_where_to_go
}
