/*-------------------------------------------------------------------------
 *
 * sw_run_worker.c
 *	  One per pipeline with work: does it, and leaves.
 *
 * Termination (SIGTERM) is served wherever it waits or reads, and ends it at
 * once; what it leaves open is taken up by the next worker.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

#include "sync/sw_board.h"
#include "sync/sw_work.h"
#include "worker/sw_worker.h"

/*
 * A session that keeps a row or a table locked holds up its pipeline, but not
 * the place of a worker, which others wait for.
 */
#define LOCK_TIMEOUT "30s"

void
sw_run_worker_main(Datum arg)
{
	Oid			database;
	int64		pipeline_id;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGINT, StatementCancelHandler);
	BackgroundWorkerUnblockSignals();
	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	sw_worker_connect(database);
	SetConfigOption("lock_timeout", LOCK_TIMEOUT, PGC_SUSET, PGC_S_SESSION);

	pipeline_id = sw_board_occupy(DatumGetInt32(arg));
	SetConfigOption("application_name",
					psprintf("sensorswave_export pipeline " INT64_FORMAT, pipeline_id),
					PGC_USERSET, PGC_S_SESSION);
	sw_work_run(pipeline_id);
	proc_exit(0);
}
