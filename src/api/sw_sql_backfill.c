/*-------------------------------------------------------------------------
 *
 * sw_sql_backfill.c
 *	  Backfills: sw_backfill, sw_backfill_days, sw_wait_backfill and
 *	  CALL sw_run_backfill.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "api/sw_call.h"
#include "api/sw_interval.h"
#include "sync/sw_await.h"
#include "sync/sw_board.h"
#include "sync/sw_request.h"

PG_FUNCTION_INFO_V1(sw_sql_backfill);
PG_FUNCTION_INFO_V1(sw_sql_backfill_copy);
PG_FUNCTION_INFO_V1(sw_sql_backfill_days);
PG_FUNCTION_INFO_V1(sw_sql_wait_backfill);
PG_FUNCTION_INFO_V1(sw_sql_run_backfill);

Datum
sw_sql_backfill(PG_FUNCTION_ARGS)
{
	int64		backfill_id;

	backfill_id =
		sw_request_backfill(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							PG_GETARG_DATEADT(1), PG_GETARG_DATEADT(2),
							PG_GETARG_BOOL(3));
	sw_board_wake_at_commit();
	PG_RETURN_INT64(backfill_id);
}

Datum
sw_sql_backfill_copy(PG_FUNCTION_ARGS)
{
	int64		backfill_id;

	backfill_id =
		sw_request_copy(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_BOOL(1));
	sw_board_wake_at_commit();
	PG_RETURN_INT64(backfill_id);
}

Datum
sw_sql_backfill_days(PG_FUNCTION_ARGS)
{
	int64		backfill_id;

	backfill_id =
		sw_request_backfill_days(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								 PG_GETARG_INT32(1), PG_GETARG_BOOL(2));
	sw_board_wake_at_commit();
	PG_RETURN_INT64(backfill_id);
}

Datum
sw_sql_wait_backfill(PG_FUNCTION_ARGS)
{
	SwAwaited  *awaited;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	awaited = sw_await(SW_AWAIT_BACKFILL, PG_GETARG_INT64(0),
					   sw_interval_get_timeout(fcinfo, 1));
	PG_RETURN_TEXT_P(cstring_to_text(awaited->status));
}

Datum
sw_sql_run_backfill(PG_FUNCTION_ARGS)
{
	int64		backfill_id;
	SwAwaited  *awaited;

	sw_call_check(fcinfo, "sw_run_backfill", 3, "sw_backfill", "sw_wait_backfill");
	backfill_id =
		sw_request_backfill(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							PG_GETARG_DATEADT(1), PG_GETARG_DATEADT(2),
							!PG_ARGISNULL(3) && PG_GETARG_BOOL(3));
	sw_board_wake_at_commit();
	sw_cat_commit_call();
	awaited = sw_await(SW_AWAIT_BACKFILL, backfill_id, -1);
	sw_await_raise(SW_AWAIT_BACKFILL, backfill_id, awaited);
	PG_RETURN_NULL();
}
