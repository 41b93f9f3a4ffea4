/*-------------------------------------------------------------------------
 *
 * sw_sql_backfill.c
 *	  Backfills: sw_backfill and sw_wait_backfill.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "api/sw_interval.h"
#include "net/sw_wait.h"
#include "sync/sw_backfill.h"
#include "sync/sw_board.h"
#include "sync/sw_pipeline.h"

PG_FUNCTION_INFO_V1(sw_sql_backfill);
PG_FUNCTION_INFO_V1(sw_sql_backfill_copy);
PG_FUNCTION_INFO_V1(sw_sql_wait_backfill);

Datum
sw_sql_backfill(PG_FUNCTION_ARGS)
{
	int64		backfill_id;

	backfill_id =
		sw_pipeline_request_backfill(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									 PG_GETARG_DATEADT(1),
									 PG_GETARG_DATEADT(2), PG_GETARG_BOOL(3));
	sw_board_wake_at_commit();
	PG_RETURN_INT64(backfill_id);
}

Datum
sw_sql_backfill_copy(PG_FUNCTION_ARGS)
{
	int64		backfill_id;

	backfill_id =
		sw_pipeline_request_copy(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								 PG_GETARG_BOOL(1));
	sw_board_wake_at_commit();
	PG_RETURN_INT64(backfill_id);
}

Datum
sw_sql_wait_backfill(PG_FUNCTION_ARGS)
{
	int64		timeout_ms = -1;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(1))
		timeout_ms = sw_interval_to_ms(PG_GETARG_INTERVAL_P(1));
	PG_RETURN_TEXT_P(cstring_to_text(sw_backfill_wait(PG_GETARG_INT64(0),
													  timeout_ms)));
}
