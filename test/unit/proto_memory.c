/*-------------------------------------------------------------------------
 *
 * proto_memory.c
 *	  However many statements run over one connection, it takes no more
 *	  memory for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "lib/stringinfo.h"

#include "proto_server.h"
#include "unit.h"

/* Answers arrive in pieces of so many. */
#define PIECE_BYTES		100

/* Of the address sanitizer, which every unit program is linked with. */
extern size_t __sanitizer_get_current_allocated_bytes(void);

/* One statement: a large request, and its answer in pieces. */
static void
run_statement(SwChConn *conn, StringInfo answer, bool cancels)
{
	static char text[8 * 1024];
	SwChSetting setting = {"max_execution_time", "300", false};
	SwChQuery	query = {text, "id", &setting, 1};
	int			position;
	SwChEvent	event;
	SwError		err;

	memset(text, 'x', sizeof(text) - 1);
	sw_ch_conn_query(conn, &query);
	if (cancels)
		sw_ch_conn_cancel(conn);
	drop_output(conn);
	for (position = 0; position < answer->len; position += PIECE_BYTES)
	{
		sw_ch_conn_feed(conn, answer->data + position,
						Min(PIECE_BYTES, answer->len - position));
		do
		{
			if (sw_ch_conn_next_event(conn, &event, &err) != SW_OK)
			{
				unit_ok(false, err.message);
				return;
			}
		} while (event != SW_CH_EVENT_NONE);
	}
	if (conn->state != SW_CH_STATE_READY || conn->input.len != 0)
		unit_ok(false, "each statement ends");
}

/*
 * The first hundred fill its buffers; after that it keeps what it has.  What
 * is sent and answered repeats every 15 statements.
 */
static void
test_memory(void)
{
	SwChConn   *conn = ready_conn(54451);
	StringInfoData answers[3];
	Size		early = 0;
	Size		late;
	int			i;

	for (i = 0; i < (int) lengthof(answers); i++)
		initStringInfo(&answers[i]);
	put_query_answer(&answers[0]);
	put_progress(&answers[1], 5, 10);
	put_all_types(&answers[1]);
	put_varuint(&answers[1], 2);
	put_exception(&answers[1], 60, "DB::Exception: outer", true);
	put_exception(&answers[1], 499, "inner", false);
	put_progress(&answers[2], 5, 1);
	put_varuint(&answers[2], 5);

	for (i = 0; i < 75 * 15; i++)
	{
		run_statement(conn, &answers[i % 3], i % 5 == 0);
		if (i == 7 * 15 - 1)
			early = __sanitizer_get_current_allocated_bytes();
	}
	late = __sanitizer_get_current_allocated_bytes();
	unit_is_int(late, early, "1,020 more statements take no memory");
	unit_ok(early > 0, "which can be measured");
	sw_ch_conn_destroy(conn);
}

int
main(void)
{
	test_memory();
	return unit_done();
}
