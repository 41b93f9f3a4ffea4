/*-------------------------------------------------------------------------
 *
 * sensorswave_export.c
 *	  What happens when the library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "catalog/sw_settings.h"
#include "port/sw_compat.h"
#include "sync/sw_board.h"
#include "worker/sw_worker.h"

PG_MODULE_MAGIC;

void
_PG_init(void)
{
	sw_settings_define();
	if (process_shared_preload_libraries_in_progress)
	{
		sw_board_request();
		/* pg_upgrade wants to be alone with the cluster. */
		if (!IsBinaryUpgrade)
			sw_worker_register_launcher();
	}
}
