/*-------------------------------------------------------------------------
 *
 * fuzz_reply.c
 *	  Fuzzer: the connection machine against bytes of a hostile server.
 *
 *	   u8 flags | u8 pieces | bytes of the server
 *
 * flags: the low three bits choose the server's revision out of a list; with
 * 0 the Hello is among the bytes.  The next four say of each fourth request
 * whether it is a ping or a query.  With the highest, the bytes may hold
 * runs: RUN, n, k and n + 1 bytes stand for 2^k times these bytes.
 *
 * Properties, for bytes fed as a whole, one by one, and in pieces:
 *   - the same events with the same content, and the same error
 *   - no more memory than a fixed sum and a small multiple of the bytes;
 *     all of it is given back
 *   - an event for a byte at most
 *   - after an error there are only errors, also when bytes follow
 *   - texts of an error are clean
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "common/sw_bytes.h"
#include "proto/sw_ch_conn.h"

#define MAX_INPUT_BYTES		65536
/* Seeds may go beyond the limit of a packet; many such inputs take long. */
#define MAX_SEED_BYTES		(5 * 1024 * 1024)
#define MAX_EXPANDED_BYTES	(16 * 1024)
/* One byte at a time is for what is short. */
#define MAX_SINGLE_BYTES	4096
#define RUN					0xFD

/* The columns of a block, with buffers; then copies while they grow. */
#define MEMORY_BASE			(5 * 1024 * 1024)
#define MEMORY_PER_BYTE		20

#define FLAG_REVISION		0x07
#define FLAG_PING_SHIFT		3
#define FLAG_RUNS			0x80

/* What came of a conversation. */
typedef struct Outcome
{
	uint64		sum;			/* of all events and their content */
	Size		n_events;
	bool		failed;
} Outcome;

static const uint64 revisions[] = {
	0, 54406, 54412, 54420, 54448, 54451, 54032, 1
};

static void
add_number(Outcome *outcome, uint64 number)
{
	outcome->sum = fuzz_hash(outcome->sum, &number, sizeof(number));
}

static void
add_text(Outcome *outcome, const char *text)
{
	outcome->sum = fuzz_hash(outcome->sum, text, strlen(text) + 1);
}

static void
add_column(Outcome *outcome, const SwChColumn *column, uint32 n_rows)
{
	uint32		row;

	add_text(outcome, column->name);
	add_text(outcome, column->type);
	add_number(outcome, column->kind);
	for (row = 0; row < n_rows; row++)
	{
		char	   *text = sw_ch_column_get_text(column, row);

		add_number(outcome, text != NULL);
		if (text == NULL)
			continue;
		add_text(outcome, text);
		pfree(text);
	}
}

static void
add_block(Outcome *outcome, const SwChBlock *block)
{
	uint32		i;

	add_number(outcome, block->n_columns);
	add_number(outcome, block->n_rows);
	for (i = 0; i < block->n_columns; i++)
		add_column(outcome, &block->columns[i], block->n_rows);
}

static void
add_exception(Outcome *outcome, const SwChException *exception)
{
	add_number(outcome, (uint64) exception->code);
	add_text(outcome, exception->name);
	add_text(outcome, exception->message);
	add_number(outcome, exception->n_nested);
	add_number(outcome, (uint64) exception->nested_code);
	if (exception->n_nested > 0)
		add_text(outcome, exception->nested_message);
}

static void
add_event(Outcome *outcome, const SwChConn *conn, SwChEvent event)
{
	outcome->n_events++;
	add_number(outcome, event);
	switch (event)
	{
		case SW_CH_EVENT_HELLO:
			add_text(outcome, conn->server.name);
			add_text(outcome, conn->server.display_name);
			add_text(outcome, conn->server.timezone);
			add_number(outcome, conn->server.version_patch);
			add_number(outcome, conn->revision);
			break;
		case SW_CH_EVENT_DATA:
		case SW_CH_EVENT_TOTALS:
		case SW_CH_EVENT_EXTREMES:
		case SW_CH_EVENT_LOG:
			add_block(outcome, &conn->block);
			break;
		case SW_CH_EVENT_PROGRESS:
			outcome->sum = fuzz_hash(outcome->sum, &conn->progress,
									 sizeof(conn->progress));
			break;
		case SW_CH_EVENT_PROFILE_INFO:
			outcome->sum = fuzz_hash(outcome->sum, &conn->profile,
									 sizeof(conn->profile));
			break;
		case SW_CH_EVENT_EXCEPTION:
			add_exception(outcome, &conn->exception);
			break;
		default:
			break;
	}
}

/* Nothing comes of a machine that has failed, whatever follows. */
static void
check_stays_failed(SwChConn *conn)
{
	static const char more[] = "\5\5\1\0\0\0\0\4";
	SwChEvent	event;
	SwError		err;
	Size		i;

	for (i = 0; i < sizeof(more); i++)
	{
		fuzz_check(sw_ch_conn_next_event(conn, &event, &err) != SW_OK);
		fuzz_check(event == SW_CH_EVENT_NONE);
		fuzz_check(conn->state == SW_CH_STATE_CLOSED);
		sw_ch_conn_feed(conn, more + i, 1);
	}
}

/* Ask on, as soon as the machine lets us. */
static void
request(SwChConn *conn, uint8 flags, int *n_requests)
{
	static const SwChSetting setting = {"max_threads", "1", false};
	SwChQuery	query = {"SELECT 1", "id", &setting, 1};
	Size		len;

	if (conn->state == SW_CH_STATE_READY)
	{
		if (!sw_ch_conn_takes_settings(conn))
			query.n_settings = 0;
		if (flags >> (FLAG_PING_SHIFT + *n_requests % 4) & 1)
			sw_ch_conn_ping(conn);
		else
			sw_ch_conn_query(conn, &query);
		(*n_requests)++;
	}
	sw_ch_conn_output(conn, &len);
	sw_ch_conn_output_done(conn, len);
}

/* All events there are; false = that was an error. */
static bool
take_events(SwChConn *conn, uint8 flags, int *n_requests, Outcome *outcome)
{
	SwChEvent	event;
	SwError		err;

	do
	{
		bool		was_closed = conn->state == SW_CH_STATE_CLOSED;

		if (sw_ch_conn_next_event(conn, &event, &err) != SW_OK)
		{
			fuzz_check(event == SW_CH_EVENT_NONE);
			fuzz_check(fuzz_is_clean(err.message));
			fuzz_check(fuzz_is_clean(err.detail));
			fuzz_check(fuzz_is_clean(err.hint));
			add_number(outcome, err.status);
			add_text(outcome, err.message);
			add_text(outcome, err.detail);
			if (conn->block.refused_type != NULL)
				add_text(outcome, conn->block.refused_type);
			check_stays_failed(conn);
			return false;
		}
		if (event == SW_CH_EVENT_NONE)
			return true;
		fuzz_check(!was_closed);
		add_event(outcome, conn, event);
		request(conn, flags, n_requests);
	} while (event != SW_CH_EVENT_NONE);
	return true;
}

/* The Hello that flags ask for. */
static void
write_hello(SwBuffer *out, uint64 revision)
{
	sw_buffer_append_varuint(out, SW_CH_SERVER_HELLO);
	sw_buffer_append_cstring(out, "ByteHouse");
	sw_buffer_append_varuint(out, 21);
	sw_buffer_append_varuint(out, 8);
	sw_buffer_append_varuint(out, revision);
	if (revision >= SW_CH_REV_SERVER_TIMEZONE)
		sw_buffer_append_cstring(out, "UTC");
	if (revision >= SW_CH_REV_DISPLAY_NAME)
		sw_buffer_append_cstring(out, "front");
	if (revision >= SW_CH_REV_VERSION_PATCH)
		sw_buffer_append_varuint(out, 1);
}

/* The bytes as a server would send them, with all runs. */
static void
write_server_bytes(SwBuffer *out, uint8 flags, const uint8 *data, Size len)
{
	Size		most = fuzz_is_replay ? MAX_SEED_BYTES : MAX_EXPANDED_BYTES;
	Size		i = 0;

	if ((flags & FLAG_REVISION) != 0)
		write_hello(out, revisions[flags & FLAG_REVISION]);
	while (i < len && out->len < most)
	{
		Size		n = 1;
		Size		n_times = 1;

		if ((flags & FLAG_RUNS) != 0 && data[i] == RUN && len - i > 3)
		{
			n_times = (Size) 1 << data[i + 2] % 23;
			n = (Size) data[i + 1] + 1;
			i += 3;
		}
		n = Min(n, len - i);
		for (; n_times > 0 && out->len < most; n_times--)
			sw_buffer_append_bytes(out, data + i, n);
		i += n;
	}
}

/* One conversation; piece_seed 0 = as a whole, 1 = byte by byte. */
static Outcome
converse(const SwBuffer *bytes, uint8 flags, uint32 piece_seed)
{
	SwChLogin	login = {"", "default", "pass"};
	Outcome		outcome = {0};
	SwChConn   *conn;
	int			n_requests = 0;
	Size		position = 0;
	uint32		state = piece_seed;
	Size		widest = bytes->len > MAX_SINGLE_BYTES ? 65536 : 32;

	fuzz_memory_start();
	conn = sw_ch_conn_create();
	sw_ch_conn_start(conn, &login);
	request(conn, flags, &n_requests);
	while (position < bytes->len && !outcome.failed)
	{
		Size		n_bytes = bytes->len - position;
		char	   *piece;

		if (piece_seed == 1)
			n_bytes = 1;
		else if (piece_seed > 1)
		{
			Size		wanted = 1 + fuzz_next(&state) % widest;

			n_bytes = Min(n_bytes, wanted);
		}
		piece = fuzz_copy_exactly(bytes->data + position, n_bytes);
		sw_ch_conn_feed(conn, piece, n_bytes);
		pfree(piece);
		position += n_bytes;
		outcome.failed = !take_events(conn, flags, &n_requests, &outcome);
	}
	fuzz_check(outcome.n_events <= bytes->len);
	sw_ch_conn_destroy(conn);
	fuzz_check(fuzz_memory_in_use() == 0);
	fuzz_check(fuzz_memory_peak() <=
			   MEMORY_BASE + MEMORY_PER_BYTE * bytes->len);
	return outcome;
}

static void
check_same(const Outcome *a, const Outcome *b)
{
	fuzz_check(a->n_events == b->n_events);
	fuzz_check(a->failed == b->failed);
	fuzz_check(a->sum == b->sum);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	SwBuffer	bytes;
	Outcome		whole;
	Outcome		other;

	if (len < 2 || len > MAX_INPUT_BYTES)
		return 0;
	sw_buffer_init(&bytes);
	write_server_bytes(&bytes, data[0], data + 2, len - 2);

	whole = converse(&bytes, data[0], 0);
	other = converse(&bytes, data[0], 2 + data[1]);
	check_same(&whole, &other);
	if (bytes.len <= MAX_SINGLE_BYTES)
	{
		other = converse(&bytes, data[0], 1);
		check_same(&whole, &other);
	}
	sw_buffer_free(&bytes);
	return 0;
}
