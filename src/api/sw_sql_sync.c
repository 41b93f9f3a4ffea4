/*-------------------------------------------------------------------------
 *
 * sw_sql_sync.c
 *	  Running a pipeline and its life: sw_sync, sw_wait, CALL sw_run_sync,
 *	  sw_pause, sw_resume, sw_stop.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "api/sw_call.h"
#include "api/sw_interval.h"
#include "sync/sw_await.h"
#include "sync/sw_board.h"
#include "sync/sw_lifecycle.h"
#include "sync/sw_request.h"

PG_FUNCTION_INFO_V1(sw_sql_sync);
PG_FUNCTION_INFO_V1(sw_sql_wait);
PG_FUNCTION_INFO_V1(sw_sql_run_sync);
PG_FUNCTION_INFO_V1(sw_sql_pause);
PG_FUNCTION_INFO_V1(sw_sql_resume);
PG_FUNCTION_INFO_V1(sw_sql_stop);

Datum
sw_sql_sync(PG_FUNCTION_ARGS)
{
	int64		run_id = sw_request_sync(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	sw_board_wake_at_commit();
	PG_RETURN_INT64(run_id);
}

Datum
sw_sql_wait(PG_FUNCTION_ARGS)
{
	SwAwaited  *awaited;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	awaited = sw_await(SW_AWAIT_RUN, PG_GETARG_INT64(0),
					   sw_interval_get_timeout(fcinfo, 1));
	PG_RETURN_TEXT_P(cstring_to_text(awaited->status));
}

Datum
sw_sql_run_sync(PG_FUNCTION_ARGS)
{
	int64		run_id;
	SwAwaited  *awaited;

	sw_call_check(fcinfo, "sw_run_sync", 1, "sw_sync", "sw_wait");
	run_id = sw_request_sync(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	sw_board_wake_at_commit();
	sw_cat_commit_call();
	awaited = sw_await(SW_AWAIT_RUN, run_id, -1);
	sw_await_raise(SW_AWAIT_RUN, run_id, awaited);
	PG_RETURN_NULL();
}

Datum
sw_sql_pause(PG_FUNCTION_ARGS)
{
	sw_lifecycle_pause(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

Datum
sw_sql_resume(PG_FUNCTION_ARGS)
{
	sw_lifecycle_resume(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	sw_board_wake_at_commit();
	PG_RETURN_VOID();
}

Datum
sw_sql_stop(PG_FUNCTION_ARGS)
{
	sw_lifecycle_stop(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	sw_board_wake_at_commit();
	PG_RETURN_VOID();
}
