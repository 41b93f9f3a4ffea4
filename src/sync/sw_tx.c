/*-------------------------------------------------------------------------
 *
 * sw_tx.c
 *	  Transactions of a worker.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "pgstat.h"
#include "utils/backend_status.h"
#include "utils/snapmgr.h"

#include "sync/sw_tx.h"

void
sw_tx_begin(const char *activity)
{
	MemoryContext saved = CurrentMemoryContext;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, activity);
	MemoryContextSwitchTo(saved);
}

void
sw_tx_commit(void)
{
	MemoryContext saved = CurrentMemoryContext;

	if (synchronous_commit < SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
		ForceSyncCommit();
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
	MemoryContextSwitchTo(saved);
}
