/*-------------------------------------------------------------------------
 *
 * sw_sql_util.c
 *	  The version, and the call that CREATE EXTENSION ends with.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "catalog/sw_settings.h"
#include "common/sw_version.h"
#include "sync/sw_board.h"

PG_FUNCTION_INFO_V1(sw_sql_version);
PG_FUNCTION_INFO_V1(sw_sql_wake);

Datum
sw_sql_version(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_TEXT_P(cstring_to_text(SW_VERSION));
}

Datum
sw_sql_wake(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	sw_settings_warn_unless_preloaded();
	sw_board_wake_at_commit();
	PG_RETURN_VOID();
}
