/*-------------------------------------------------------------------------
 *
 * sw_attempt.c
 *	  Do something that may throw, and get the error as a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"

#include "net/sw_report.h"
#include "sync/sw_attempt.h"

bool
sw_attempt(void (*work) (void *arg), void *arg, SwFailure *failure_out)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool succeeded = false;

	Assert(!IsTransactionState());
	PG_TRY();
	{
		work(arg);
		succeeded = true;
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		AbortOutOfAnyTransaction();
		MemoryContextSwitchTo(context);
		FlushErrorState();

		strlcpy(failure_out->sqlstate, unpack_sql_state(edata->sqlerrcode),
				sizeof(failure_out->sqlstate));
		failure_out->retry = sw_report_retry_class(edata->sqlerrcode);
		failure_out->message = edata->message;
		failure_out->detail = edata->detail;
		failure_out->hint = edata->hint;
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	return succeeded;
}

void
sw_attempt_log(const SwFailure *failure, const char *what)
{
	ereport(LOG,
			(errmsg("%s failed: %s", what, failure->message),
			 failure->detail ? errdetail_internal("%s", failure->detail) : 0,
			 failure->hint ? errhint("%s", failure->hint) : 0));
}
