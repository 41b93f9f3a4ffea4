/*-------------------------------------------------------------------------
 *
 * proto_live.c
 *	  The ClickHouse connection machine against a real server.
 *
 * Plain blocking sockets around the machine; the server is on 127.0.0.1,
 * port SW_CLICKHOUSE_TCP_PORT, user SW_CLICKHOUSE_USER (default "default"),
 * password SW_CLICKHOUSE_PASSWORD.  Without the port there is nothing to
 * test, and that is a failure.  No login is made to fail here: ClickHouse as
 * a library, which the sandbox runs, ends its process then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/sw_ch_conn.h"
#include "unit.h"

typedef struct Live
{
	int			fd;
	int			piece_len;		/* bytes of one feed */
	SwChConn   *conn;
	char		rows[1024];		/* values of the Data blocks, joined */
	int			n_blocks;		/* with rows */
	SwError		err;
} Live;

static int
open_socket(void)
{
	struct sockaddr_in address = {0};
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_INET;
	address.sin_port = htons((uint16) atoi(getenv("SW_CLICKHOUSE_TCP_PORT")));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 ||
		connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0)
	{
		printf("Bail out! cannot connect: %m\n");
		exit(1);
	}
	return fd;
}

static void
send_output(Live *live)
{
	Size		len;
	const char *out;

	while (out = sw_ch_conn_output(live->conn, &len), len > 0)
	{
		ssize_t		n = send(live->fd, out, len, 0);

		if (n <= 0)
		{
			printf("Bail out! cannot send: %m\n");
			exit(1);
		}
		sw_ch_conn_output_done(live->conn, (Size) n);
	}
}

static void
collect_rows(Live *live)
{
	const SwChBlock *block = &live->conn->block;
	uint32		row;
	uint32		i;

	for (row = 0; row < block->n_rows; row++)
		for (i = 0; i < block->n_columns; i++)
		{
			char	   *text = sw_ch_column_get_text(&block->columns[i], row);
			Size		len = strlen(live->rows);

			snprintf(live->rows + len, sizeof(live->rows) - len, "%s;",
					 text == NULL ? "NULL" : text);
		}
	live->n_blocks += block->n_rows > 0 ? 1 : 0;
}

/* Run until an event that ends a request; NONE = error or end of file. */
static SwChEvent
finish(Live *live)
{
	char		bytes[65536];

	send_output(live);
	live->rows[0] = '\0';
	live->n_blocks = 0;
	for (;;)
	{
		ssize_t		n = recv(live->fd, bytes, live->piece_len, 0);
		SwChEvent	event;

		if (n <= 0)
			return SW_CH_EVENT_NONE;
		sw_ch_conn_feed(live->conn, bytes, (Size) n);
		do
		{
			if (sw_ch_conn_next_event(live->conn, &event, &live->err) != SW_OK)
			{
				printf("# %s\n", live->err.message);
				return SW_CH_EVENT_NONE;
			}
			if (event == SW_CH_EVENT_DATA)
				collect_rows(live);
			if (event == SW_CH_EVENT_HELLO || event == SW_CH_EVENT_PONG ||
				event == SW_CH_EVENT_END || event == SW_CH_EVENT_EXCEPTION)
				return event;
		} while (event != SW_CH_EVENT_NONE);
	}
}

/* A failed check below may find no exception to look at. */
static const char *
message_of(const Live *live)
{
	const char *message = live->conn->exception.message;

	return message == NULL ? "" : message;
}

static SwChEvent
login(Live *live, const char *password, int piece_len)
{
	const char *user = getenv("SW_CLICKHOUSE_USER");
	SwChLogin	login = {"", user == NULL ? "default" : user, password};

	memset(live, 0, sizeof(Live));
	live->fd = open_socket();
	live->piece_len = piece_len;
	live->conn = sw_ch_conn_create();
	sw_ch_conn_start(live->conn, &login);
	return finish(live);
}

static void
logout(Live *live)
{
	close(live->fd);
	sw_ch_conn_destroy(live->conn);
}

static SwChEvent
run(Live *live, const char *sql, const SwChSetting *settings, int n_settings)
{
	SwChQuery	query = {sql, "", settings, n_settings};

	sw_ch_conn_query(live->conn, &query);
	return finish(live);
}

static const char *
password_of_server(void)
{
	const char *password = getenv("SW_CLICKHOUSE_PASSWORD");

	return password == NULL ? "" : password;
}

static void
test_server(int piece_len)
{
	const char *sql =
	"SELECT number, toString(number), toInt8(number - 1),"
	" if(number = 1, NULL, number) AS n,"
	" toDateTime64('2021-07-21 00:00:00.123', 3, 'Asia/Shanghai') AS t"
	" FROM system.numbers LIMIT 3";
	SwChSetting settings[] = {
		{"max_execution_time", "60", false},
		{"a_setting_nobody_knows", "1", false},
		{"a_setting_nobody_knows", "1", true}
	};
	Live		live;

	printf("# pieces of up to %d bytes\n", piece_len);
	unit_is_int(login(&live, password_of_server(), piece_len),
				SW_CH_EVENT_HELLO, "log in");
	unit_ok(live.conn->server.revision > 54448 &&
			live.conn->revision == 54448, "revision");
	printf("# %s %d.%d, revision %d, %s\n", live.conn->server.name,
		   (int) live.conn->server.version_major,
		   (int) live.conn->server.version_minor,
		   (int) live.conn->server.revision, live.conn->server.timezone);

	sw_ch_conn_ping(live.conn);
	unit_is_int(finish(&live), SW_CH_EVENT_PONG, "ping");

	unit_is_int(run(&live, sql, settings, 2), SW_CH_EVENT_END, "select");
	unit_is_text(live.rows,
				 "0;0;-1;0;1626796800123;1;1;0;NULL;1626796800123;"
				 "2;2;1;2;1626796800123;", "its values");
	unit_is_int(live.conn->progress.read_rows, 3, "its progress");

	unit_is_int(run(&live, "SELECT toString(getSetting('max_execution_time'))",
					settings, 1), SW_CH_EVENT_END, "a setting");
	unit_is_text(live.rows, "60;", "arrives");
	unit_is_int(run(&live, "SELECT nothing FROM nowhere", NULL, 0),
				SW_CH_EVENT_EXCEPTION, "a missing table");
	unit_is_int(live.conn->exception.code, 60, "is error 60");
	printf("# %s\n", message_of(&live));
	unit_ok(message_of(&live)[0] != '\0' &&
			strncmp(message_of(&live), "DB::", 4) != 0 &&
			strchr(message_of(&live), '\n') == NULL, "told in one line");

	unit_is_int(run(&live, "CREATE TEMPORARY TABLE t (a UInt64, s String)",
					NULL, 0), SW_CH_EVENT_END, "create");
	unit_is_int(run(&live, "INSERT INTO t SELECT number, 'x' FROM"
					" numbers(250000)", NULL, 0), SW_CH_EVENT_END, "insert");
	unit_is_int(live.conn->progress.written_rows, 250000, "written rows");
	unit_is_int(run(&live, "SELECT count(), max(s) FROM t WITH TOTALS", NULL,
					0), SW_CH_EVENT_END, "count with totals");
	unit_is_text(live.rows, "250000;x;", "the count");
	if (piece_len > 1)
	{
		unit_is_int(run(&live, "SELECT a, s FROM t SETTINGS extremes = 1,"
						" send_logs_level = 'trace'", NULL, 0),
					SW_CH_EVENT_END, "many rows, extremes and logs");
		unit_is_int(live.conn->profile.n_rows, 250000, "all of them");
		unit_ok(live.n_blocks > 1, "in several blocks");
	}

	{
		SwChQuery	query = {"SELECT count() FROM system.numbers", "", NULL, 0};

		sw_ch_conn_query(live.conn, &query);
		send_output(&live);
		usleep(200 * 1000);
		sw_ch_conn_cancel(live.conn);
		unit_ok(finish(&live) != SW_CH_EVENT_NONE, "cancel ends a query");
	}
	unit_is_int(run(&live, "SELECT 1", NULL, 0), SW_CH_EVENT_END,
				"and the connection is still good");

	/* The server stops in the middle of the packet and hangs up. */
	unit_is_int(run(&live, "SELECT 1", settings, 3), SW_CH_EVENT_EXCEPTION,
				"a required setting nobody knows");
	unit_is_int(live.conn->exception.code, 115, "is error 115");
	logout(&live);
}

int
main(void)
{
	if (getenv("SW_CLICKHOUSE_TCP_PORT") == NULL)
	{
		printf("Bail out! SW_CLICKHOUSE_TCP_PORT is not set\n");
		return 1;
	}
	test_server(65536);
	test_server(1);
	return unit_done();
}
