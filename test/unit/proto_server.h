/*-------------------------------------------------------------------------
 *
 * proto_server.h
 *	  What tests of the connection machine share: the bytes of a server, and
 *	  machines that have come so far.
 *
 * Server bytes are written here by hand from the protocol's description,
 * field by field, so that they do not come from the code under test.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PROTO_SERVER_H
#define PROTO_SERVER_H

#include "lib/stringinfo.h"

#include "proto/sw_ch_conn.h"
#include "unit.h"

/* ---- what a server writes ---- */

static inline void
put_byte(StringInfo bytes, int value)
{
	appendStringInfoCharMacro(bytes, (char) value);
}

static inline void
put_varuint(StringInfo bytes, uint64 value)
{
	for (; value >= 128; value /= 128)
		put_byte(bytes, (int) (value % 128) + 128);
	put_byte(bytes, (int) value);
}

static inline void
put_text(StringInfo bytes, const char *text)
{
	put_varuint(bytes, strlen(text));
	appendStringInfoString(bytes, text);
}

static inline void
put_integer(StringInfo bytes, uint64 value, int width)
{
	for (; width > 0; width--, value >>= 8)
		put_byte(bytes, (int) (value & 255));
}

static inline void
put_hello(StringInfo bytes, int revision)
{
	put_varuint(bytes, 0);
	put_text(bytes, "ByteHouse");
	put_varuint(bytes, 21);
	put_varuint(bytes, 8);
	put_varuint(bytes, revision);
	put_text(bytes, "Asia/Shanghai");
	put_text(bytes, "front-1");
	put_varuint(bytes, 300);
}

static inline void
put_progress(StringInfo bytes, int n_numbers, int first)
{
	int			i;

	put_varuint(bytes, 3);
	for (i = 0; i < n_numbers; i++)
		put_varuint(bytes, first + i);
}

static inline void
put_block_head(StringInfo bytes, int packet, int n_columns, int n_rows)
{
	put_varuint(bytes, packet);
	put_text(bytes, "");
	put_varuint(bytes, 1);
	put_byte(bytes, 0);
	put_varuint(bytes, 2);
	put_integer(bytes, PG_UINT64_MAX, 4);
	put_varuint(bytes, 0);
	put_varuint(bytes, n_columns);
	put_varuint(bytes, n_rows);
}

static inline void
put_exception(StringInfo bytes, int code, const char *message, bool nested)
{
	put_integer(bytes, code, 4);
	put_text(bytes, "DB::Exception");
	put_text(bytes, message);
	put_text(bytes, "0. somewhere in the server");
	put_byte(bytes, nested ? 1 : 0);
}

/* Every type that is read, with nulls, over two rows. */
static inline void
put_all_types(StringInfo bytes)
{
	put_block_head(bytes, 1, 17, 2);
	put_text(bytes, "s");
	put_text(bytes, "String");
	put_text(bytes, "one");
	put_text(bytes, "");
	put_text(bytes, "u8");
	put_text(bytes, "UInt8");
	put_integer(bytes, 0, 1);
	put_integer(bytes, 255, 1);
	put_text(bytes, "u16");
	put_text(bytes, "UInt16");
	put_integer(bytes, 1, 2);
	put_integer(bytes, 65535, 2);
	put_text(bytes, "u32");
	put_text(bytes, "UInt32");
	put_integer(bytes, 1, 4);
	put_integer(bytes, 4294967295U, 4);
	put_text(bytes, "u64");
	put_text(bytes, "UInt64");
	put_integer(bytes, 425, 8);
	put_integer(bytes, PG_UINT64_MAX, 8);
	put_text(bytes, "i8");
	put_text(bytes, "Int8");
	put_integer(bytes, PG_UINT64_MAX, 1);
	put_integer(bytes, 127, 1);
	put_text(bytes, "i16");
	put_text(bytes, "Int16");
	put_integer(bytes, (uint64) (int64) -300, 2);
	put_integer(bytes, 300, 2);
	put_text(bytes, "i32");
	put_text(bytes, "Int32");
	put_integer(bytes, PG_UINT64_MAX - 69999, 4);
	put_integer(bytes, 70000, 4);
	put_text(bytes, "i64");
	put_text(bytes, "Int64");
	put_integer(bytes, (uint64) PG_INT64_MIN, 8);
	put_integer(bytes, PG_INT64_MAX, 8);
	put_text(bytes, "f");
	put_text(bytes, "FixedString(3)");
	appendStringInfoString(bytes, "abcxyz");
	put_text(bytes, "n");
	put_text(bytes, "Nullable(String)");
	put_byte(bytes, 1);
	put_byte(bytes, 0);
	put_text(bytes, "");
	put_text(bytes, "here");
	put_text(bytes, "t");
	put_text(bytes, "DateTime('Asia/Shanghai')");
	put_integer(bytes, 1626796800, 4);
	put_integer(bytes, 0, 4);
	put_text(bytes, "m");
	put_text(bytes, "Nullable(DateTime64(3, 'Asia/Shanghai'))");
	put_byte(bytes, 0);
	put_byte(bytes, 1);
	put_integer(bytes, UINT64CONST(1626796800123), 8);
	put_integer(bytes, 0, 8);
	put_text(bytes, "f32");
	put_text(bytes, "Float32");
	put_integer(bytes, 0x3DCCCCCD, 4);
	put_integer(bytes, 0xFF800000, 4);
	put_text(bytes, "f64");
	put_text(bytes, "Nullable(Float64)");
	put_byte(bytes, 0);
	put_byte(bytes, 1);
	put_integer(bytes, UINT64CONST(0xC00921FB54442D18), 8);
	put_integer(bytes, 0, 8);
	put_text(bytes, "d");
	put_text(bytes, "Date");
	put_integer(bytes, 18828, 2);
	put_integer(bytes, 65535, 2);
	put_text(bytes, "d32");
	put_text(bytes, "Date32");
	put_integer(bytes, (uint64) (int64) -1827, 4);
	put_integer(bytes, 0, 4);
}

/* All that may come while a query runs, up to its end. */
static inline void
put_query_answer(StringInfo bytes)
{
	put_block_head(bytes, 1, 1, 0);
	put_text(bytes, "j");
	put_text(bytes, "JSONB");
	put_progress(bytes, 5, 10);
	put_all_types(bytes);
	put_varuint(bytes, 14);
	put_text(bytes, "query-id");
	put_varuint(bytes, 11);
	put_text(bytes, "t");
	put_text(bytes, "columns format version: 1");
	put_block_head(bytes, 10, 1, 1);
	put_text(bytes, "text");
	put_text(bytes, "String");
	put_text(bytes, "a line of the log");
	put_block_head(bytes, 7, 1, 1);
	put_text(bytes, "count()");
	put_text(bytes, "UInt64");
	put_integer(bytes, 800, 8);
	put_block_head(bytes, 8, 0, 0);
	put_varuint(bytes, 6);
	put_varuint(bytes, 2);
	put_varuint(bytes, 1);
	put_varuint(bytes, 99);
	put_byte(bytes, 1);
	put_varuint(bytes, 7);
	put_byte(bytes, 1);
	put_progress(bytes, 5, 100);
	put_block_head(bytes, 1, 0, 0);
	put_varuint(bytes, 5);
}

/* ---- a machine ---- */

/* Take the request, as if it had been sent. */
static inline void
drop_output(SwChConn *conn)
{
	Size		len;

	sw_ch_conn_output(conn, &len);
	sw_ch_conn_output_done(conn, len);
}

static inline SwChConn *
started_conn(void)
{
	SwChLogin	login = {"", "default", ""};
	SwChConn   *conn = sw_ch_conn_create();

	sw_ch_conn_start(conn, &login);
	drop_output(conn);
	return conn;
}

static inline void
start_query(SwChConn *conn)
{
	SwChQuery	query = {"SELECT 1", "id", NULL, 0};

	sw_ch_conn_query(conn, &query);
	drop_output(conn);
}

/* A machine that is logged in, at the server's revision. */
static inline SwChConn *
ready_conn(int revision)
{
	SwChConn   *conn = started_conn();
	StringInfoData bytes;
	SwChEvent	event;
	SwError		err;

	initStringInfo(&bytes);
	put_hello(&bytes, revision);
	sw_ch_conn_feed(conn, bytes.data, bytes.len);
	if (sw_ch_conn_next_event(conn, &event, &err) != SW_OK ||
		event != SW_CH_EVENT_HELLO)
		unit_ok(false, "log in");
	return conn;
}

#endif							/* PROTO_SERVER_H */
