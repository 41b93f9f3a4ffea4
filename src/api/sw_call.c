/*-------------------------------------------------------------------------
 *
 * sw_call.c
 *	  Procedures: what is common to those that commit before they wait.
 *
 * Contract: sw_call.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"

#include "api/sw_call.h"

void
sw_call_check(FunctionCallInfo fcinfo, const char *procedure, int n_required,
			  const char *request, const char *wait)
{
	int			i;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("CALL %s cannot run inside a transaction block", procedure),
				 errdetail("It commits its request before it waits."),
				 errhint("COMMIT first; or use %s, COMMIT, then %s.", request,
						 wait)));
	for (i = 0; i < n_required; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of %s must not be null", i + 1,
							procedure)));
}
