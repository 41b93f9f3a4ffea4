# kinds.sh: what the demo's story has of its own for each kind of destination.
# Sourced by demo.
#
#   introduce_KIND  what plays the warehouse; sets target and whose_requests
#   define_KIND     the destination's row
#   show_load_KIND  the statements that replaced a day

introduce_bytehouse() {
	target=sensorswave.sensorswave_events
	whose_requests="TOS requests are ours, S3 requests the warehouse's"
	say "" "The warehouse is played by a real ClickHouse behind a front that speaks ByteHouse" \
		"Cloud's protocol and dialect; TOS by a store that has the vendor's own SDK judge" \
		"each signature. For the extension they are a tenant like any other: only a proxy" \
		"and a certificate authority are set, so that it finds and trusts them."
}

define_bytehouse() {
	run_sql -x <<-'SQL'
		CREATE EXTENSION sensorswave_export;

		\getenv host       SW_BYTEHOUSE_HOST
		\getenv port       SW_BYTEHOUSE_PORT
		\getenv account    SW_BYTEHOUSE_ACCOUNT
		\getenv user       SW_BYTEHOUSE_USER
		\getenv password   SW_BYTEHOUSE_PASSWORD
		\getenv warehouse  SW_BYTEHOUSE_WAREHOUSE
		\getenv ca         demo_ca_file
		\getenv access_key SW_STORE_ACCESS_KEY
		\getenv secret_key SW_STORE_SECRET_KEY

		INSERT INTO sw_destinations (name, kind, host, port, database,
		    virtual_warehouse, account_id, username, password, sslrootcert,
		    stage_endpoint, stage_region, stage_bucket,
		    stage_access_key, stage_secret_key)
		VALUES ('bytehouse', 'bytehouse', :'host', :'port', 'sensorswave',
		    :'warehouse', :'account', :'user', :'password', :'ca',
		    'tos-cn-beijing.volces.com', 'cn-beijing', 'sensorswave',
		    :'access_key', :'secret_key')
		RETURNING *;
	SQL
}

show_load_bytehouse() {
	say "" "The statement that replaced the day, with the staging key masked by the demo" \
		"(the warehouse's own log has it in full; README.md says what to do about that):"
	world statements "$started_at" "INSERT OVERWRITE" | show
}

# A database of its own: tables made for ByteHouse are not made like ours.
introduce_clickhouse() {
	target=analytics.sensorswave_events
	whose_requests="PUT and DELETE are ours, HEAD and GET the warehouse's"
	sandbox query "CREATE DATABASE IF NOT EXISTS analytics" >>"$log"
	say "" "The warehouse is a real ClickHouse; S3 is played by a store that has an independent" \
		"implementation judge each signature. It is found by its address, so it is spoken to" \
		"in path style."
}

define_clickhouse() {
	demo_store=http://127.0.0.1:$SW_STORE_PORT
	export demo_store
	run_sql -x <<-'SQL'
		CREATE EXTENSION sensorswave_export;

		\getenv port       SW_CLICKHOUSE_TLS_PORT
		\getenv user       SW_CLICKHOUSE_USER
		\getenv password   SW_CLICKHOUSE_PASSWORD
		\getenv ca         demo_ca_file
		\getenv store      demo_store
		\getenv access_key SW_STORE_ACCESS_KEY
		\getenv secret_key SW_STORE_SECRET_KEY

		INSERT INTO sw_destinations (name, kind, host, port, database,
		    username, password, sslrootcert,
		    stage_endpoint, stage_region, stage_bucket,
		    stage_access_key, stage_secret_key)
		VALUES ('clickhouse', 'clickhouse', '127.0.0.1', :'port', 'analytics',
		    :'user', :'password', :'ca',
		    :'store', 'cn-beijing', 'sensorswave',
		    :'access_key', :'secret_key')
		RETURNING *;
	SQL
}

show_load_clickhouse() {
	local beginning
	say "" "The statements that replaced the day, with the staging key masked by the demo (the" \
		"warehouse's own log has it in full; README.md says what to do about that). Only the" \
		"one before the last changes the target, and at one stroke:"
	for beginning in "CREATE TABLE \`analytics\`.\`_sw_stage" "INSERT INTO \`analytics\`.\`_sw_stage" \
		"SELECT count(), uniqExact" "ALTER TABLE \`analytics\`.\`sensorswave_events\` REPLACE" \
		"DROP TABLE IF EXISTS \`analytics\`.\`_sw_stage"; do
		world statements "$started_at" "$beginning" | show
	done
}
