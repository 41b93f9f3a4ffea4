/*-------------------------------------------------------------------------
 *
 * sw_sql_adopt.c
 *	  SQL function sw_adopt, and the trigger that notices restored pipelines.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "sync/sw_adopt.h"
#include "sync/sw_board.h"

PG_FUNCTION_INFO_V1(sw_sql_adopt);
PG_FUNCTION_INFO_V1(sw_sql_wake_trigger);

Datum
sw_sql_adopt(PG_FUNCTION_ARGS)
{
	const char *name = PG_ARGISNULL(0) ? NULL :
	text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			n_adopted = sw_adopt_pipelines(name);

	sw_board_wake_at_commit();
	PG_RETURN_INT32(n_adopted);
}

/* Rows that a restored dump brings in come by no function of ours. */
Datum
sw_sql_wake_trigger(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by a trigger")));
	sw_board_wake_at_commit();
	PG_RETURN_POINTER(NULL);
}
