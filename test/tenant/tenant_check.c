/*-------------------------------------------------------------------------
 *
 * tenant_check.c
 *	  test/tenant-check: what only a real tenant can answer.
 *
 * One line an answer, "<point>. <question>: <answer>".  A refusal by the
 * warehouse is an answer; a connection that is lost is none, and makes the
 * exit code 1.  Everything made here has a name of its own and is removed at
 * the end, also after SIGINT and SIGTERM.
 *
 *-------------------------------------------------------------------------
 */
#include "tenant.h"

#include <curl/curl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <unistd.h>

#define DAY "2021-07-21"
#define OTHER_DAY "2021-07-22"
#define ZONE "Asia/Shanghai"

typedef struct Check
{
	const Tenant *tenant;
	Session		session;		/* of the user, with the warehouse set */
	char	   *user;			/* account::user */
	const char *warehouse;		/* in the way that works, once known */
	char	   *source;			/* CnchS3(...) with keys */
	char	   *key;
	char	   *events;			/* quoted names of the tables made here */
	char	   *versions;
	bool		has_begun;		/* there may be something to remove */
	int			n_unanswered;
} Check;

static volatile sig_atomic_t is_interrupted = 0;

static void
interrupt(int signo)
{
	(void) signo;
	is_interrupted = 1;
}

static void answer(Check *check, const char *point, bool is_answered,
				   const char *fmt,...) pg_attribute_printf(4, 5);

static void
answer(Check *check, const char *point, bool is_answered, const char *fmt,...)
{
	char		text[4096];
	va_list		args;
	char	   *c;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (c = text; *c != '\0'; c++)
		if ((unsigned char) *c < ' ')
			*c = ' ';
	printf("%s: %s\n", point, sw_redact(&check->tenant->redactor, text,
										strlen(text), sizeof(text)));
	fflush(stdout);
	check->n_unanswered += is_answered ? 0 : 1;
}

static char *
quote(const char *text, char with)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, with);
	for (; *text != '\0'; text++)
	{
		if (*text == with || *text == '\\')
			appendStringInfoChar(&out, '\\');
		appendStringInfoChar(&out, *text);
	}
	appendStringInfoChar(&out, with);
	return out.data;
}

/* What a statement came to: its rows, or why it failed. */
static const char *
outcome(const Session *session, bool succeeded)
{
	return pstrdup(succeeded ? session->rows.data : session->message.data);
}

/* ---- making and removing ---- */

static bool
use_warehouse(Session *session, const char *warehouse)
{
	return warehouse[0] == '\0' ||
		session_runf(session, "SET virtual_warehouse = %s", quote(warehouse, '\''));
}

static bool
prepare(Check *check)
{
	Session    *session = &check->session;
	char	   *message = NULL;

	if (!session_open(session, check->tenant, check->user,
					  check->tenant->password))
	{
		answer(check, "0. login", false, "%s", session->message.data);
		return false;
	}
	check->has_begun = true;
	if (!use_warehouse(session, check->warehouse) ||
		!session_runf(session, "CREATE TABLE %s (time DateTime64(3, '" ZONE "'), "
					  "n Int64, doc JSONB) ENGINE = CnchMergeTree "
					  "PARTITION BY toDate(time) ORDER BY n", check->events))
	{
		answer(check, "0. making a table", false, "%s", session->message.data);
		return false;
	}
	if (!store_put(check->tenant, check->key, &message))
	{
		answer(check, "0. staging a file", false, "%s", message);
		return false;
	}
	return true;
}

/* The session again, after a point that broke it. */
static void
log_in_again(Check *check)
{
	Session    *session = &check->session;

	session_close(session);
	if (!session_open(session, check->tenant, check->user,
					  check->tenant->password) ||
		!use_warehouse(session, check->warehouse))
		answer(check, "0. logging in again", false, "%s", session->message.data);
}

/* On a session of its own: that of the checks may be broken. */
static void
clean_up(Check *check)
{
	Session		session;
	char	   *message = NULL;
	const char *tables[] = {check->events, check->versions};
	int			i;

	if (session_open(&session, check->tenant, check->user,
					 check->tenant->password))
	{
		use_warehouse(&session, check->warehouse);
		for (i = 0; i < (int) lengthof(tables); i++)
			if (!session_runf(&session, "DROP TABLE IF EXISTS %s", tables[i]))
				answer(check, "cleaning up", false, "%s may be left: %s",
					   tables[i], session.message.data);
	}
	else
		answer(check, "cleaning up", false, "tables may be left: %s",
			   session.message.data);
	session_close(&session);
	if (!store_delete(check->tenant, check->key, &message))
		answer(check, "cleaning up", false, "object %s may be left: %s",
			   check->key, message);
}

/* ---- the points ---- */

static void
ask_server(Check *check)
{
	const SwChServer *server = &check->session.conn->server;

	answer(check, "1. server", true,
		   "%s " UINT64_FORMAT "." UINT64_FORMAT "." UINT64_FORMAT
		   ", revision " UINT64_FORMAT ", spoken at " UINT64_FORMAT
		   ", display name \"%s\", time zone %s",
		   server->name, server->version_major, server->version_minor,
		   server->version_patch, server->revision,
		   check->session.conn->revision, server->display_name,
		   server->timezone);
}

/* A warehouse by one way of naming it: where does which error come? */
static bool
ask_warehouse(Check *check, const char *point, const char *warehouse)
{
	Session		session;
	const char *where = "login";
	bool		works = session_open(&session, check->tenant, check->user,
									 check->tenant->password);

	if (works)
	{
		where = "SET";
		works = use_warehouse(&session, warehouse);
	}
	if (works)
	{
		where = "the first statement that needs workers";
		works = session_runf(&session, "INSERT INTO %s (time, n, doc) SELECT "
							 "toDateTime64('" OTHER_DAY " 12:00:00', 3, '" ZONE "'), "
							 "0, CAST('{}' AS JSONB) WHERE 0", check->events);
	}
	if (works)
		answer(check, point, true, "%s works", warehouse);
	else
		answer(check, point, session.code != 0, "%s fails at %s, %s", warehouse,
			   where, session.message.data);
	session_close(&session);
	return works;
}

static void
ask_warehouses(Check *check)
{
	const char *account = check->tenant->account;
	char	   *prefix = psprintf("vw-%s-", account);
	const char *given = check->tenant->warehouse;
	char	   *id;
	char	   *c;

	if (given[0] == '\0')
	{
		answer(check, "2. virtual warehouse", true, "not asked, SW_TENANT_WAREHOUSE is not set");
		return;
	}
	if (strncmp(given, prefix, strlen(prefix)) == 0)
	{
		id = pstrdup(given);
		given += strlen(prefix);
	}
	else
		id = psprintf("%s%s", prefix, given);
	for (c = id; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
	if (ask_warehouse(check, "2. virtual warehouse by name", given))
		check->warehouse = given;
	if (ask_warehouse(check, "2. virtual warehouse by id", id))
		check->warehouse = id;
	use_warehouse(&check->session, check->warehouse);
	(void) ask_warehouse(check, "2. unknown virtual warehouse",
						 psprintf("%sno-such-warehouse", prefix));
}

static void
ask_load_function(Check *check)
{
	Session    *session = &check->session;
	bool		succeeded;

	answer(check, "3. certificates of the port", true, "%s", session->chain.data);
	succeeded = session_runf(session, "SELECT count(), toString(sum(n)) FROM %s",
							 check->source);
	answer(check, "3. CnchS3 of a Parquet file at a virtual-host address, with keys",
		   succeeded || session->code != 0, "%s%s",
		   succeeded ? (strcmp(session->rows.data, "3;6;") == 0 ? "works, " : "WRONG ROWS, ") : "",
		   outcome(session, succeeded));
}

/* What an overwrite came to, and "<rows of the day>;<of the other day>;". */
static void
answer_overwrite(Check *check, const char *point, bool has_overwritten)
{
	Session    *session = &check->session;
	bool		is_answered = has_overwritten || session->code != 0;
	const char *what = has_overwritten ?
	psprintf("works, written_rows " UINT64_FORMAT, session->written_rows) :
	outcome(session, false);
	bool		succeeded;

	succeeded = session_runf(session, "SELECT countIf(toDate(time) = '" DAY "'), "
							 "countIf(toDate(time) = '" OTHER_DAY "') FROM %s",
							 check->events);
	answer(check, point, is_answered, "%s; rows of the day and of another: %s",
		   what, outcome(session, succeeded));
}

static bool
overwrite_day(Session *session, const Check *check, const char *condition)
{
	return session_runf(session, "INSERT OVERWRITE %s PARTITION ('" DAY "') (time, n, doc) "
						"SELECT fromUnixTimestamp64Milli(at, '" ZONE "'), n, "
						"CAST(doc AS JSONB) FROM %s%s", check->events,
						check->source, condition);
}

static void
ask_overwrite(Check *check)
{
	Session    *session = &check->session;
	bool		succeeded;

	succeeded = session_runf(session, "INSERT INTO %s (time, n, doc) SELECT "
							 "fromUnixTimestamp64Milli(at, '" ZONE "'), n, "
							 "CAST(doc AS JSONB) FROM %s", check->events,
							 check->source);
	answer(check, "6. written_rows of an INSERT SELECT of 3 rows from CnchS3",
		   succeeded || session->code != 0, "%s",
		   succeeded ? psprintf(UINT64_FORMAT, session->written_rows) :
		   session->message.data);
	succeeded = session_runf(session, "INSERT INTO %s (time, n, doc) SELECT "
							 "toDateTime64('" OTHER_DAY " 12:00:00', 3, '" ZONE "'), "
							 "9, CAST('{}' AS JSONB)", check->events);
	if (!succeeded)
		answer(check, "4. a row of another day", session->code != 0, "%s",
			   session->message.data);

	answer_overwrite(check, "4. INSERT OVERWRITE PARTITION from CnchS3",
					 overwrite_day(session, check, ""));
	answer_overwrite(check, "4. INSERT OVERWRITE PARTITION with an empty SELECT",
					 overwrite_day(session, check, " WHERE n < 0"));
}

static void
ask_overwrite_grants(Check *check)
{
	const Tenant *tenant = check->tenant;
	const char *point = "4. INSERT OVERWRITE by a user with INSERT, S3, CREATE TEMPORARY TABLE only";
	Session		session;
	char	   *user;
	bool		succeeded;

	if (tenant->insert_user[0] == '\0')
	{
		answer(check, point, true, "not asked, SW_TENANT_INSERT_USER is not set");
		return;
	}
	user = psprintf("%s::%s", tenant->account, tenant->insert_user);
	succeeded = session_open(&session, tenant, user, tenant->insert_password) &&
		use_warehouse(&session, check->warehouse) &&
		overwrite_day(&session, check, "");
	answer(check, point, succeeded || session.code != 0, "%s",
		   succeeded ? "works" : session.message.data);
	session_close(&session);
}

static void
ask_json(Check *check)
{
	static const char *const functions[] = {
		"jsonb_extract_string(CAST('{\"a\":\"x\"}' AS JSONB), '$.a')",
		"toString(jsonb_extract_int64(CAST('{\"a\":7}' AS JSONB), '$.a'))"
	};
	Session    *session = &check->session;
	bool		succeeded;
	int			i;

	succeeded = session_runf(session, "SELECT toString(CAST(c AS JSONB)) FROM "
							 "(SELECT '{broken' AS c)");
	answer(check, "5. CAST of invalid JSON to JSONB", succeeded || session->code != 0,
		   "%s%s", succeeded ? "gives " : "fails, ", outcome(session, succeeded));
	for (i = 0; i < (int) lengthof(functions); i++)
	{
		succeeded = session_runf(session, "SELECT %s", functions[i]);
		answer(check, "5. typed extraction", succeeded || session->code != 0,
			   "%s %s%s", functions[i], succeeded ? "gives " : "fails, ",
			   outcome(session, succeeded));
	}
}

static void
ask_version_column(Check *check)
{
	static const char *const rows[] = {"10:00:00.002', 3, '" ZONE "'), 'newer'",
	"10:00:00.001', 3, '" ZONE "'), 'older'"};
	Session    *session = &check->session;
	bool		succeeded;
	int			i;

	succeeded = session_runf(session, "CREATE TABLE %s (id Int64, updated_at "
							 "DateTime64(3, '" ZONE "'), c String) ENGINE = "
							 "CnchMergeTree(updated_at) ORDER BY id UNIQUE KEY id",
							 check->versions);
	for (i = 0; succeeded && i < (int) lengthof(rows); i++)
		succeeded = session_runf(session, "INSERT INTO %s (id, updated_at, c) "
								 "SELECT 1, toDateTime64('" DAY " %s",
								 check->versions, rows[i]);
	if (succeeded)
		succeeded = session_runf(session, "SELECT count(), max(c), min(c) FROM %s",
								 check->versions);
	answer(check, "7. a version column of type DateTime64", succeeded || session->code != 0,
		   "%s%s", !succeeded ? "fails, " :
		   strcmp(session->rows.data, "1;newer;newer;") == 0 ? "works, the newer of two rows stays: " :
		   "WRONG, ", outcome(session, succeeded));
}

static void
ask_key_settings(Check *check)
{
	const Tenant *tenant = check->tenant;
	SwChSetting settings[] = {
		{"s3_access_key_id", tenant->access_key, true},
		{"s3_access_key_secret", tenant->secret_key, true}
	};
	Session    *session = &check->session;
	char	   *sql = psprintf("SELECT count() FROM CnchS3(%s, '" TENANT_STRUCTURE "', 'Parquet', 'none')",
							   quote(store_load_url(tenant, check->key), '\''));
	bool		succeeded = session_run(session, sql, settings, lengthof(settings));

	answer(check, "8. the store's keys as settings of the query", succeeded || session->code != 0,
		   "%s%s", succeeded ? "works, rows: " : "fails, ", outcome(session, succeeded));
}

static void
ask_login(Check *check, const char *point, const char *user, const char *password)
{
	Session		session;
	bool		succeeded = session_open(&session, check->tenant, user, password);

	answer(check, point, succeeded || session.code != 0, "%s",
		   succeeded ? "works" : session.message.data);
	session_close(&session);
}

static void
ask_api_key(Check *check)
{
	const Tenant *tenant = check->tenant;

	ask_login(check, "9. a wrong API key", "bytehouse", "not-an-api-key");
	if (tenant->api_key[0] == '\0')
		answer(check, "9. API key", true, "not asked, SW_TENANT_API_KEY is not set");
	else
	{
		ask_login(check, "9. API key as user bytehouse", "bytehouse", tenant->api_key);
		ask_login(check, "9. API key as user <account>::bytehouse",
				  psprintf("%s::bytehouse", tenant->account), tenant->api_key);
		ask_login(check, "9. API key as user <account>::<user>", check->user,
				  tenant->api_key);
	}
	if (tenant->expired_api_key[0] == '\0')
		answer(check, "9. expired API key", true, "not asked, SW_TENANT_EXPIRED_API_KEY is not set");
	else
		ask_login(check, "9. expired API key", "bytehouse", tenant->expired_api_key);
}

/* Last: over all that was said in the session. */
static void
ask_packets(Check *check)
{
	answer(check, "1. packets of type 12, 13 and 14", true,
		   "%d of type 14; one of type 12 or 13 would have ended the session",
		   check->session.n_metadata);
}

/* ---- all of it ---- */

static const char *
setting(Tenant *tenant, const char *name, bool is_secret)
{
	const char *value = getenv(psprintf("SW_TENANT_%s", name));

	if (value == NULL)
		return "";
	if (is_secret)
		sw_redactor_add(&tenant->redactor, value);
	return value;
}

static void
read_settings(Tenant *tenant)
{
	memset(tenant, 0, sizeof(Tenant));
	tenant->host = setting(tenant, "HOST", false);
	tenant->port = setting(tenant, "PORT", false);
	tenant->account = setting(tenant, "ACCOUNT", false);
	tenant->user = setting(tenant, "USER", false);
	tenant->password = setting(tenant, "PASSWORD", true);
	tenant->api_key = setting(tenant, "API_KEY", true);
	tenant->expired_api_key = setting(tenant, "EXPIRED_API_KEY", true);
	tenant->insert_user = setting(tenant, "INSERT_USER", false);
	tenant->insert_password = setting(tenant, "INSERT_PASSWORD", true);
	tenant->warehouse = setting(tenant, "WAREHOUSE", false);
	tenant->database = setting(tenant, "DATABASE", false);
	tenant->root_file = setting(tenant, "CA_FILE", false);
	tenant->endpoint = setting(tenant, "STAGE_ENDPOINT", false);
	tenant->region = setting(tenant, "STAGE_REGION", false);
	tenant->bucket = setting(tenant, "STAGE_BUCKET", false);
	tenant->prefix = setting(tenant, "STAGE_PREFIX", false);
	tenant->access_key = setting(tenant, "STAGE_ACCESS_KEY", false);
	tenant->secret_key = setting(tenant, "STAGE_SECRET_KEY", true);
	tenant->proxy = setting(tenant, "PROXY", false);
}

int
main(void)
{
	static void (*const points[]) (Check *check) = {
		ask_server, ask_warehouses, ask_load_function, ask_overwrite,
		ask_overwrite_grants, ask_json, ask_version_column, ask_key_settings,
		ask_api_key, ask_packets
	};
	struct sigaction action = {.sa_handler = interrupt};
	uint64		random;
	Tenant		tenant;
	Check		check;
	int			i;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	read_settings(&tenant);
	if (RAND_bytes((unsigned char *) &random, sizeof(random)) != 1)
		return 1;

	memset(&check, 0, sizeof(check));
	check.tenant = &tenant;
	check.warehouse = tenant.warehouse;
	check.user = psprintf("%s::%s", tenant.account, tenant.user);
	check.key = psprintf("%s%s_tenant_check/%016llx.parquet", tenant.prefix,
						 tenant.prefix[0] == '\0' ? "" : "/",
						 (unsigned long long) random);
	check.events = psprintf("%s.`_sw_tenant_%016llx`", quote(tenant.database, '`'),
							(unsigned long long) random);
	check.versions = psprintf("%s.`_sw_tenant_%016llx_v`", quote(tenant.database, '`'),
							  (unsigned long long) random);
	check.source = psprintf("CnchS3(%s, '" TENANT_STRUCTURE "', 'Parquet', 'none', %s, %s)",
							quote(store_load_url(&tenant, check.key), '\''),
							quote(tenant.access_key, '\''),
							quote(tenant.secret_key, '\''));

	if (prepare(&check))
		for (i = 0; i < (int) lengthof(points) && !is_interrupted; i++)
		{
			points[i] (&check);
			/* Also after an unknown setting that must be known. */
			if (check.session.is_broken ||
				check.session.conn->state != SW_CH_STATE_READY)
				log_in_again(&check);
		}
	session_close(&check.session);
	if (check.has_begun)
		clean_up(&check);
	if (is_interrupted)
		fprintf(stderr, "tenant-check: interrupted\n");
	return check.n_unanswered > 0 || is_interrupted ? 1 : 0;
}
