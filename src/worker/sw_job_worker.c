/*-------------------------------------------------------------------------
 *
 * sw_job_worker.c
 *	  Does one errand for a session that waits, and leaves.
 *
 * The session cancels it (SIGINT) when it does not wait any more; what the
 * errand has at a peer by then is tidied up first.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"

#include "sync/sw_check.h"
#include "sync/sw_job.h"
#include "sync/sw_test.h"
#include "worker/sw_worker.h"

void
sw_job_worker_main(Datum arg)
{
	SwJobChannel *channel;
	SwJobRequest *request;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGINT, StatementCancelHandler);
	BackgroundWorkerUnblockSignals();

	MemoryContextSwitchTo(AllocSetContextCreate(TopMemoryContext, "SwErrand",
												ALLOCSET_DEFAULT_SIZES));
	channel = sw_job_attach(arg);
	if (channel == NULL)
		proc_exit(0);
	sw_worker_connect(sw_job_database(channel));
	request = sw_job_take_request(channel);
	if (request == NULL)
		proc_exit(0);
	switch (request->kind)
	{
		case SW_JOB_TEST_CONNECTION:
			sw_test_run(request->destination, channel);
			break;
		case SW_JOB_CHECK_TARGET:
		case SW_JOB_CREATE_CURRENT_VIEW:
			sw_check_run(request, channel);
			break;
	}
	sw_job_finish(channel);
	proc_exit(0);
}
