/*-------------------------------------------------------------------------
 *
 * sw_ch_conn.h
 *	  One ClickHouse native connection as a machine without I/O.
 *
 * Bytes of the server go in, events come out; requests go in, bytes for the
 * server come out.  The machine neither waits nor reads nor writes, so the
 * same code runs under a backend's latch, in a test and in a fuzzer.
 *
 *	   sw_ch_conn_start(conn, &login);		-- Hello is in the output
 *	   loop:
 *		   write some of sw_ch_conn_output(), sw_ch_conn_output_done()
 *		   read some, sw_ch_conn_feed()
 *		   while sw_ch_conn_next_event() gives an event: use it
 *
 * Events do not depend on how the bytes were cut into pieces.  After an
 * error the machine is of no more use: close the connection.
 *
 * Memory is palloc'd in the context current at each call; use one context
 * for the life of the machine.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CH_CONN_H
#define SW_CH_CONN_H

#include "common/sw_bytes.h"
#include "common/sw_status.h"
#include "proto/sw_ch_block.h"
#include "proto/sw_ch_packet.h"

typedef enum SwChEvent
{
	SW_CH_EVENT_NONE,			/* feed more bytes */
	SW_CH_EVENT_HELLO,			/* logged in: conn->server */
	SW_CH_EVENT_DATA,			/* conn->block */
	SW_CH_EVENT_TOTALS,			/* conn->block */
	SW_CH_EVENT_EXTREMES,		/* conn->block */
	SW_CH_EVENT_LOG,			/* conn->block */
	SW_CH_EVENT_PROGRESS,		/* conn->progress, summed up */
	SW_CH_EVENT_PROFILE_INFO,	/* conn->profile */
	SW_CH_EVENT_TABLE_COLUMNS,	/* nothing we use */
	SW_CH_EVENT_QUERY_METADATA, /* nothing we use */
	SW_CH_EVENT_PONG,
	SW_CH_EVENT_EXCEPTION,		/* conn->exception; the request has ended */
	SW_CH_EVENT_END				/* the query has ended well */
} SwChEvent;

typedef enum SwChState
{
	SW_CH_STATE_NEW,			/* -> HELLO */
	SW_CH_STATE_HELLO,			/* Hello sent -> READY, CLOSED */
	SW_CH_STATE_READY,			/* -> QUERY, PING */
	SW_CH_STATE_QUERY,			/* a query runs -> READY, CLOSED */
	SW_CH_STATE_PING,			/* Ping sent -> READY, CLOSED */
	SW_CH_STATE_CLOSED			/* refused, or out of step: of no more use */
} SwChState;

typedef struct SwChLogin
{
	const char *database;		/* "" = the user's default */
	const char *user;			/* not empty */
	const char *password;		/* "" = none */
} SwChLogin;

typedef struct SwChSetting
{
	const char *name;
	const char *value;
	bool		is_required;	/* the server must know it; otherwise it may
								 * pass over it */
} SwChSetting;

typedef struct SwChQuery
{
	const char *text;
	const char *query_id;		/* "" = the server makes one */
	const SwChSetting *settings;	/* must be none where
									 * sw_ch_conn_takes_settings is false */
	int			n_settings;
} SwChQuery;

/* What the server said of itself; strings are "" where it did not. */
typedef struct SwChServer
{
	char	   *name;
	char	   *display_name;
	char	   *timezone;
	uint64		version_major;
	uint64		version_minor;
	uint64		version_patch;
	uint64		revision;		/* as announced by the server */
} SwChServer;

/* Sums over the Progress packets of the current query. */
typedef struct SwChProgress
{
	uint64		read_rows;
	uint64		read_bytes;
	uint64		total_rows;
	uint64		written_rows;	/* 0 below SW_CH_REV_WRITTEN_ROWS */
	uint64		written_bytes;
} SwChProgress;

typedef struct SwChProfile
{
	uint64		n_rows;
	uint64		n_blocks;
	uint64		n_bytes;
	uint64		rows_before_limit;
} SwChProfile;

/*
 * An exception of the server.  Texts may quote the statement and hold its
 * secrets: redact before showing them to anybody.
 */
typedef struct SwChException
{
	int32		code;			/* of the outermost */
	char	   *name;			/* e.g. "DB::Exception" */
	char	   *message;		/* its first line, without the leading name */
	int			n_nested;
	int32		nested_code;	/* of the innermost, when n_nested > 0 */
	char	   *nested_message; /* the same of the innermost, or NULL */
} SwChException;

/* Fields are for reading; everything but the reader part is stable. */
typedef struct SwChConn
{
	SwChState	state;
	uint64		revision;		/* min(ours, the server's), after HELLO */
	SwChServer	server;
	SwChProgress progress;
	SwChProfile profile;
	SwChException exception;
	SwChBlock	block;			/* until the next call of next_event */

	/* of the machine only */
	SwBuffer	input;			/* fed, not yet consumed */
	SwBuffer	output;			/* not yet taken */
	bool		in_block;		/* a block is half read */
	SwChEvent	block_event;	/* what it will be */
	bool		block_delivered;	/* reset it at the next call */
	bool		has_failed;		/* nothing but errors from here on */
} SwChConn;

extern SwChConn *sw_ch_conn_create(void);
extern void sw_ch_conn_destroy(SwChConn *conn);

/* ---- requests: they put bytes into the output ---- */

/* Once, in state NEW. */
extern void sw_ch_conn_start(SwChConn *conn, const SwChLogin *login);

/* In state READY.  Sums and the exception start afresh. */
extern void sw_ch_conn_query(SwChConn *conn, const SwChQuery *query);
extern void sw_ch_conn_ping(SwChConn *conn);

/*
 * In state QUERY, at any time.  The query ends as it would, only sooner:
 * go on until END or EXCEPTION.
 */
extern void sw_ch_conn_cancel(SwChConn *conn);

/*
 * Do settings travel with a query?  Else they are statements of their own
 * (SET name = 'value').  After HELLO.
 */
extern bool sw_ch_conn_takes_settings(const SwChConn *conn);

/* ---- bytes ---- */

/* Bytes to write, *len = 0: none.  Valid until the next request. */
extern const char *sw_ch_conn_output(const SwChConn *conn, Size *len);

/* The first len of them are written; the memory is wiped after the last. */
extern void sw_ch_conn_output_done(SwChConn *conn, Size len);

/* Bytes that were read.  Take the events out before feeding more. */
extern void sw_ch_conn_feed(SwChConn *conn, const void *bytes, Size len);

/*
 * The next event, SW_CH_EVENT_NONE when more bytes are needed.  Errors:
 * SW_ERR_PROTOCOL; the machine is closed then, and each further call is an
 * error, too.
 */
extern SwStatus sw_ch_conn_next_event(SwChConn *conn, SwChEvent *event,
									  SwError *err);

#endif							/* SW_CH_CONN_H */
