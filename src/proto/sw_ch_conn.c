/*-------------------------------------------------------------------------
 *
 * sw_ch_conn.c
 *	  One ClickHouse native connection as a machine without I/O.
 *
 * Packets without a block are read whole or not at all: their fields are
 * few, and strings are stepped over by length, so trying again costs
 * nothing.  Blocks are read as they come (sw_ch_block.c).  So the input
 * never holds more than one small packet and what was fed last.
 *
 * Source of truth: ClickHouse src/Server/TCPHandler.cpp and
 * src/Client/Connection.cpp, and the same of ByConity, at revision 54448.
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

/* First bytes of peers that speak something else, read as packet types. */
#define SW_CH_LOOKS_LIKE_TLS_ALERT	0x15
#define SW_CH_LOOKS_LIKE_HTTP		'H'

SwChConn *
sw_ch_conn_create(void)
{
	SwChConn   *conn = (SwChConn *) palloc0(sizeof(SwChConn));

	conn->state = SW_CH_STATE_NEW;
	conn->revision = SW_CH_REVISION;
	conn->server.name = pstrdup("");
	conn->server.display_name = pstrdup("");
	conn->server.timezone = pstrdup("");
	sw_ch_block_init(&conn->block);
	sw_buffer_init(&conn->input);
	sw_buffer_init(&conn->output);
	return conn;
}

void
sw_ch_conn_destroy(SwChConn *conn)
{
	explicit_bzero(conn->output.data, conn->output.allocated);
	sw_buffer_free(&conn->output);
	sw_buffer_free(&conn->input);
	sw_ch_block_reset(&conn->block);
	sw_ch_exception_reset(&conn->exception);
	pfree(conn->server.name);
	pfree(conn->server.display_name);
	pfree(conn->server.timezone);
	pfree(conn);
}

/* ---- bytes ---- */

const char *
sw_ch_conn_output(const SwChConn *conn, Size *len)
{
	*len = conn->output.len;
	return conn->output.data;
}

void
sw_ch_conn_output_done(SwChConn *conn, Size len)
{
	sw_buffer_consume(&conn->output, len);
	if (conn->output.len == 0)
		explicit_bzero(conn->output.data, conn->output.allocated);
}

void
sw_ch_conn_feed(SwChConn *conn, const void *bytes, Size len)
{
	sw_buffer_append_bytes(&conn->input, bytes, len);
}

/* ---- events ---- */

static SwReadResult
sw_ch_conn_read_text(SwReader *reader, char **text)
{
	const char *bytes;
	Size		len;
	SwReadResult result;

	result = sw_reader_read_string(reader, SW_CH_MAX_NAME_BYTES, &bytes, &len);
	if (result == SW_READ_OK)
	{
		pfree(*text);
		*text = pnstrdup(bytes, len);
	}
	return result;
}

static SwReadResult
sw_ch_conn_read_hello(SwChConn *conn, SwReader *reader)
{
	SwChServer *server = &conn->server;
	uint64		revision = SW_CH_REVISION;
	SwReadResult result;

	result = sw_ch_conn_read_text(reader, &server->name);
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(reader, &server->version_major);
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(reader, &server->version_minor);
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(reader, &server->revision);
	if (result == SW_READ_OK)
		revision = Min(server->revision, SW_CH_REVISION);
	if (result == SW_READ_OK && revision >= SW_CH_REV_SERVER_TIMEZONE)
		result = sw_ch_conn_read_text(reader, &server->timezone);
	if (result == SW_READ_OK && revision >= SW_CH_REV_DISPLAY_NAME)
		result = sw_ch_conn_read_text(reader, &server->display_name);
	if (result == SW_READ_OK && revision >= SW_CH_REV_VERSION_PATCH)
		result = sw_reader_read_varuint(reader, &server->version_patch);
	if (result == SW_READ_OK)
		conn->revision = revision;
	return result;
}

/* a + b, or the largest number there is. */
static uint64
sw_ch_conn_sum(uint64 a, uint64 b)
{
	return b > PG_UINT64_MAX - a ? PG_UINT64_MAX : a + b;
}

static SwReadResult
sw_ch_conn_read_progress(SwChConn *conn, SwReader *reader)
{
	SwChProgress *sum = &conn->progress;
	uint64		numbers[5] = {0};
	int			n_numbers;
	int			i;

	n_numbers = conn->revision >= SW_CH_REV_WRITTEN_ROWS ? 5 : 3;
	for (i = 0; i < n_numbers; i++)
	{
		SwReadResult result = sw_reader_read_varuint(reader, &numbers[i]);

		if (result != SW_READ_OK)
			return result;
	}
	sum->read_rows = sw_ch_conn_sum(sum->read_rows, numbers[0]);
	sum->read_bytes = sw_ch_conn_sum(sum->read_bytes, numbers[1]);
	sum->total_rows = sw_ch_conn_sum(sum->total_rows, numbers[2]);
	sum->written_rows = sw_ch_conn_sum(sum->written_rows, numbers[3]);
	sum->written_bytes = sw_ch_conn_sum(sum->written_bytes, numbers[4]);
	return SW_READ_OK;
}

static SwReadResult
sw_ch_conn_read_profile(SwChConn *conn, SwReader *reader)
{
	SwChProfile profile;
	uint8		applied_limit;
	uint8		calculated;
	SwReadResult result;

	result = sw_reader_read_varuint(reader, &profile.n_rows);
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(reader, &profile.n_blocks);
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(reader, &profile.n_bytes);
	if (result == SW_READ_OK)
		result = sw_reader_read_uint8(reader, &applied_limit);
	if (result == SW_READ_OK)
		result = sw_reader_read_varuint(reader, &profile.rows_before_limit);
	if (result == SW_READ_OK)
		result = sw_reader_read_uint8(reader, &calculated);
	if (result == SW_READ_OK)
		conn->profile = profile;
	return result;
}

/* Step over n strings. */
static SwReadResult
sw_ch_conn_skip_strings(SwReader *reader, int n)
{
	SwReadResult result = SW_READ_OK;
	const char *bytes;
	Size		len;

	while (n-- > 0 && result == SW_READ_OK)
		result = sw_reader_read_string(reader, SW_CH_MAX_NAME_BYTES,
									   &bytes, &len);
	return result;
}

/* A name and the start of a block; the rest follows in its own time. */
static SwReadResult
sw_ch_conn_begin_block(SwChConn *conn, SwReader *reader, SwChEvent event)
{
	SwReadResult result = sw_ch_conn_skip_strings(reader, 1);

	if (result == SW_READ_OK)
	{
		conn->in_block = true;
		conn->block_event = event;
	}
	return result;
}

/* May the server send a packet of this type now? */
static bool
sw_ch_conn_expects(const SwChConn *conn, uint64 type)
{
	switch (type)
	{
		case SW_CH_SERVER_HELLO:
			return conn->state == SW_CH_STATE_HELLO;
		case SW_CH_SERVER_PONG:
			return conn->state == SW_CH_STATE_PING;
		case SW_CH_SERVER_EXCEPTION:
			return conn->state == SW_CH_STATE_HELLO ||
				conn->state == SW_CH_STATE_PING ||
				conn->state == SW_CH_STATE_QUERY;
		case SW_CH_SERVER_PROGRESS:
			return conn->state == SW_CH_STATE_PING ||
				conn->state == SW_CH_STATE_QUERY;
		case SW_CH_SERVER_DATA:
		case SW_CH_SERVER_END_OF_STREAM:
		case SW_CH_SERVER_PROFILE_INFO:
		case SW_CH_SERVER_TOTALS:
		case SW_CH_SERVER_EXTREMES:
		case SW_CH_SERVER_LOG:
		case SW_CH_SERVER_TABLE_COLUMNS:
		case SW_CH_SERVER_QUERY_METADATA:
			return conn->state == SW_CH_STATE_QUERY;
		default:
			return false;
	}
}

static SwStatus
sw_ch_conn_refuse_type(const SwChConn *conn, uint64 type, SwError *err)
{
	if (conn->state != SW_CH_STATE_HELLO)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse sent an unexpected packet of type "
							UINT64_FORMAT, type);

	sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
				 "the server does not speak the ClickHouse native protocol");
	if (type == SW_CH_LOOKS_LIKE_TLS_ALERT)
		sw_error_set_hint(err, "This port expects TLS. Set sslmode to \"verify-full\".");
	else if (type == SW_CH_LOOKS_LIKE_HTTP)
		sw_error_set_hint(err, "This is an HTTP port. Use the port of the native protocol (19000 for ByteHouse).");
	else
		sw_error_set_hint(err, "Check host and port.");
	return err->status;
}

/*
 * Read one packet that is no block, or the start of one that is.  *event
 * stays NONE for the latter.
 */
static SwReadResult
sw_ch_conn_read_packet(SwChConn *conn, SwReader *reader, uint64 type,
					   SwChEvent *event)
{
	SwReadResult result = SW_READ_BAD;
	SwChEvent	read = SW_CH_EVENT_NONE;

	switch (type)
	{
		case SW_CH_SERVER_HELLO:
			read = SW_CH_EVENT_HELLO;
			result = sw_ch_conn_read_hello(conn, reader);
			break;
		case SW_CH_SERVER_DATA:
			result = sw_ch_conn_begin_block(conn, reader, SW_CH_EVENT_DATA);
			break;
		case SW_CH_SERVER_TOTALS:
			result = sw_ch_conn_begin_block(conn, reader, SW_CH_EVENT_TOTALS);
			break;
		case SW_CH_SERVER_EXTREMES:
			result = sw_ch_conn_begin_block(conn, reader,
											SW_CH_EVENT_EXTREMES);
			break;
		case SW_CH_SERVER_LOG:
			result = sw_ch_conn_begin_block(conn, reader, SW_CH_EVENT_LOG);
			break;
		case SW_CH_SERVER_EXCEPTION:
			read = SW_CH_EVENT_EXCEPTION;
			sw_ch_exception_reset(&conn->exception);
			result = sw_ch_exception_read(reader, &conn->exception);
			break;
		case SW_CH_SERVER_PROGRESS:
			read = SW_CH_EVENT_PROGRESS;
			result = sw_ch_conn_read_progress(conn, reader);
			break;
		case SW_CH_SERVER_PROFILE_INFO:
			read = SW_CH_EVENT_PROFILE_INFO;
			result = sw_ch_conn_read_profile(conn, reader);
			break;
		case SW_CH_SERVER_TABLE_COLUMNS:
			read = SW_CH_EVENT_TABLE_COLUMNS;
			result = sw_ch_conn_skip_strings(reader, 2);
			break;
		case SW_CH_SERVER_QUERY_METADATA:
			read = SW_CH_EVENT_QUERY_METADATA;
			result = sw_ch_conn_skip_strings(reader, 1);
			break;
		case SW_CH_SERVER_PONG:
			read = SW_CH_EVENT_PONG;
			result = SW_READ_OK;
			break;
		case SW_CH_SERVER_END_OF_STREAM:
			read = SW_CH_EVENT_END;
			result = SW_READ_OK;
			break;
		default:
			break;
	}
	if (result == SW_READ_OK)
		*event = read;
	return result;
}

/* What an event means for the state. */
static void
sw_ch_conn_advance(SwChConn *conn, SwChEvent event)
{
	switch (event)
	{
		case SW_CH_EVENT_HELLO:
		case SW_CH_EVENT_PONG:
		case SW_CH_EVENT_END:
			conn->state = SW_CH_STATE_READY;
			break;
		case SW_CH_EVENT_EXCEPTION:
			conn->state = conn->state == SW_CH_STATE_QUERY ?
				SW_CH_STATE_READY : SW_CH_STATE_CLOSED;
			break;
		default:
			break;
	}
}

/*
 * One step: a packet, a part of a block, or nothing for want of bytes.
 * *more is set when it is bytes that are missing.
 */
static SwStatus
sw_ch_conn_step(SwChConn *conn, SwReader *reader, SwChEvent *event,
				bool *more, SwError *err)
{
	SwReader	attempt = *reader;
	SwReadResult result;
	uint64		type;

	if (conn->in_block)
	{
		result = sw_ch_block_read(&conn->block, reader, err);
		if (result == SW_READ_BAD)
			return err->status;
		*more = result == SW_READ_MORE;
		if (result == SW_READ_OK)
		{
			conn->in_block = false;
			conn->block_delivered = true;
			*event = conn->block_event;
		}
		return SW_OK;
	}

	result = sw_reader_read_varuint(&attempt, &type);
	if (result == SW_READ_OK)
	{
		if (!sw_ch_conn_expects(conn, type))
			return sw_ch_conn_refuse_type(conn, type, err);
		result = sw_ch_conn_read_packet(conn, &attempt, type, event);
	}

	/* The same limit for a packet that is there and for one that is not. */
	if (result == SW_READ_BAD ||
		(result == SW_READ_MORE &&
		 sw_reader_remaining(reader) >= SW_CH_MAX_PACKET_BYTES) ||
		(result == SW_READ_OK &&
		 attempt.position - reader->position > SW_CH_MAX_PACKET_BYTES))
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the warehouse sent a packet that is invalid or too long");
	if (result == SW_READ_OK)
		*reader = attempt;
	*more = result == SW_READ_MORE;
	return SW_OK;
}

SwStatus
sw_ch_conn_next_event(SwChConn *conn, SwChEvent *event, SwError *err)
{
	SwReader	reader;
	SwStatus	status = SW_OK;
	bool		more = false;

	*event = SW_CH_EVENT_NONE;
	if (conn->has_failed)
		return sw_error_set(err, SW_ERR_PROTOCOL, SW_RETRY_NEVER,
							"the connection to the warehouse has failed before");
	if (conn->block_delivered)
	{
		sw_ch_block_reset(&conn->block);
		conn->block_delivered = false;
	}

	sw_reader_init(&reader, conn->input.data, conn->input.len);
	while (status == SW_OK && !more && *event == SW_CH_EVENT_NONE)
		status = sw_ch_conn_step(conn, &reader, event, &more, err);
	sw_buffer_consume(&conn->input, reader.position);

	if (status != SW_OK)
	{
		conn->state = SW_CH_STATE_CLOSED;
		conn->has_failed = true;
		*event = SW_CH_EVENT_NONE;
		return status;
	}
	sw_ch_conn_advance(conn, *event);
	return SW_OK;
}
