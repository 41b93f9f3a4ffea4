/*-------------------------------------------------------------------------
 *
 * sw_ch_request.c
 *	  What a client says in the ClickHouse native protocol.
 *
 * The writing half of the connection machine of sw_ch_conn.h: each request
 * puts its bytes into the output and moves the state on.
 *
 * Source of truth: ClickHouse src/Client/Connection.cpp and
 * src/Interpreters/ClientInfo.cpp, and the same of ByConity, at revision
 * 54448.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "proto/sw_ch_conn.h"
#include "proto/sw_ch_exception.h"

void
sw_ch_conn_start(SwChConn *conn, const SwChLogin *login)
{
	SwBuffer   *out = &conn->output;

	Assert(conn->state == SW_CH_STATE_NEW);
	sw_buffer_append_varuint(out, SW_CH_CLIENT_HELLO);
	sw_buffer_append_cstring(out, SW_CH_CLIENT_NAME);
	sw_buffer_append_varuint(out, SW_CH_CLIENT_VERSION_MAJOR);
	sw_buffer_append_varuint(out, SW_CH_CLIENT_VERSION_MINOR);
	sw_buffer_append_varuint(out, SW_CH_REVISION);
	sw_buffer_append_cstring(out, login->database);
	sw_buffer_append_cstring(out, login->user);
	sw_buffer_append_cstring(out, login->password);
	conn->state = SW_CH_STATE_HELLO;
}

/* Who asks: a part of the Query packet. */
static void
sw_ch_conn_write_client_info(SwChConn *conn)
{
	SwBuffer   *out = &conn->output;

	sw_buffer_append_uint8(out, SW_CH_QUERY_KIND_INITIAL);
	sw_buffer_append_cstring(out, "");	/* initial user */
	sw_buffer_append_cstring(out, "");	/* initial query id */
	sw_buffer_append_cstring(out, "0.0.0.0:0"); /* must look like one */
	sw_buffer_append_uint8(out, SW_CH_INTERFACE_TCP);
	sw_buffer_append_cstring(out, "");	/* user of the system */
	sw_buffer_append_cstring(out, "");	/* host name of the client */
	sw_buffer_append_cstring(out, SW_CH_CLIENT_NAME);
	sw_buffer_append_varuint(out, SW_CH_CLIENT_VERSION_MAJOR);
	sw_buffer_append_varuint(out, SW_CH_CLIENT_VERSION_MINOR);
	sw_buffer_append_varuint(out, SW_CH_REVISION);
	if (conn->revision >= SW_CH_REV_QUOTA_KEY)
		sw_buffer_append_cstring(out, "");
	if (conn->revision >= SW_CH_REV_DISTRIBUTED_DEPTH)
		sw_buffer_append_varuint(out, 0);
	if (conn->revision >= SW_CH_REV_VERSION_PATCH)
		sw_buffer_append_varuint(out, SW_CH_CLIENT_VERSION_PATCH);
	if (conn->revision >= SW_CH_REV_OPENTELEMETRY)
		sw_buffer_append_uint8(out, 0);
}

/* A Data packet without columns: "no more tables follow the query". */
static void
sw_ch_conn_write_empty_block(SwChConn *conn)
{
	SwBuffer   *out = &conn->output;

	sw_buffer_append_varuint(out, SW_CH_CLIENT_DATA);
	sw_buffer_append_cstring(out, "");	/* name of the table */
	sw_buffer_append_varuint(out, SW_CH_BLOCK_INFO_OVERFLOWS);
	sw_buffer_append_uint8(out, 0);
	sw_buffer_append_varuint(out, SW_CH_BLOCK_INFO_BUCKET);
	sw_buffer_append_uint32(out, (uint32) -1);
	sw_buffer_append_varuint(out, SW_CH_BLOCK_INFO_END);
	sw_buffer_append_varuint(out, 0);	/* columns */
	sw_buffer_append_varuint(out, 0);	/* rows */
}

void
sw_ch_conn_query(SwChConn *conn, const SwChQuery *query)
{
	SwBuffer   *out = &conn->output;
	int			i;

	Assert(conn->state == SW_CH_STATE_READY);
	Assert(query->n_settings == 0 || sw_ch_conn_takes_settings(conn));

	sw_buffer_append_varuint(out, SW_CH_CLIENT_QUERY);
	sw_buffer_append_cstring(out, query->query_id);
	if (conn->revision >= SW_CH_REV_CLIENT_INFO)
		sw_ch_conn_write_client_info(conn);
	for (i = 0; i < query->n_settings; i++)
	{
		const SwChSetting *setting = &query->settings[i];

		sw_buffer_append_cstring(out, setting->name);
		sw_buffer_append_varuint(out, setting->is_required ? 1 : 0);
		sw_buffer_append_cstring(out, setting->value);
	}
	sw_buffer_append_cstring(out, "");	/* end of settings */
	if (conn->revision >= SW_CH_REV_INTERSERVER_SECRET)
		sw_buffer_append_cstring(out, "");
	sw_buffer_append_varuint(out, SW_CH_STAGE_COMPLETE);
	sw_buffer_append_varuint(out, SW_CH_COMPRESSION_OFF);
	sw_buffer_append_cstring(out, query->text);
	sw_ch_conn_write_empty_block(conn);

	memset(&conn->progress, 0, sizeof(conn->progress));
	memset(&conn->profile, 0, sizeof(conn->profile));
	sw_ch_exception_reset(&conn->exception);
	conn->state = SW_CH_STATE_QUERY;
}

void
sw_ch_conn_ping(SwChConn *conn)
{
	Assert(conn->state == SW_CH_STATE_READY);
	sw_buffer_append_varuint(&conn->output, SW_CH_CLIENT_PING);
	conn->state = SW_CH_STATE_PING;
}

void
sw_ch_conn_cancel(SwChConn *conn)
{
	Assert(conn->state == SW_CH_STATE_QUERY);
	sw_buffer_append_varuint(&conn->output, SW_CH_CLIENT_CANCEL);
}

bool
sw_ch_conn_takes_settings(const SwChConn *conn)
{
	return conn->revision >= SW_CH_REV_SETTINGS_AS_STRINGS;
}
