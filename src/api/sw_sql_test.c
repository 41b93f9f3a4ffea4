/*-------------------------------------------------------------------------
 *
 * sw_sql_test.c
 *	  The connection test: sw_test_connection.
 *
 * Each step is a NOTICE as it ends, for the person who waits, and a row of
 * the result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "catalog/sw_settings.h"
#include "net/sw_wait.h"
#include "sync/sw_destination.h"
#include "sync/sw_job.h"
#include "sync/sw_test.h"

PG_FUNCTION_INFO_V1(sw_sql_test_connection);

#define N_COLUMNS 6

/* Milliseconds with three decimals. */
static Datum
elapsed_ms(int64 elapsed_us)
{
	char	   *digits = psprintf("%lld.%03d", (long long) (elapsed_us / 1000),
								  (int) (elapsed_us % 1000));

	return DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* What a step has to say: the error and its detail, or what was found. */
static char *
describe(const SwJobReply *reply)
{
	if (reply->message == NULL)
		return reply->detail;
	if (reply->detail == NULL)
		return reply->message;
	return psprintf("%s: %s", reply->message, reply->detail);
}

static void
tell(const SwJobReply *reply, const char *detail)
{
	ereport(NOTICE,
			(errmsg("%d %s: %s (%lld ms)", reply->step, reply->name,
					reply->status, (long long) (reply->elapsed_us / 1000)),
			 detail ? errdetail_internal("%s", detail) : 0,
			 reply->hint ? errhint("%s", reply->hint) : 0));
}

static void
put_row(ReturnSetInfo *result, const SwJobReply *reply, const char *detail)
{
	Datum		values[N_COLUMNS] = {0};
	bool		nulls[N_COLUMNS] = {0};

	values[0] = Int32GetDatum(reply->step);
	values[1] = CStringGetTextDatum(reply->name);
	values[2] = CStringGetTextDatum(reply->status);
	values[3] = elapsed_ms(reply->elapsed_us);
	nulls[4] = detail == NULL;
	if (detail != NULL)
		values[4] = CStringGetTextDatum(detail);
	nulls[5] = reply->hint == NULL;
	if (reply->hint != NULL)
		values[5] = CStringGetTextDatum(reply->hint);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
sw_sql_test_connection(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		deadline = sw_wait_deadline(SW_TEST_LIMIT_MS);
	SwJobRequest request = {SW_JOB_TEST_CONNECTION, NULL, NULL};
	SwJob	   *job;
	SwJobReply *reply;
	bool		was_lost = false;

	sw_settings_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	request.destination =
		sw_destination_find_usable(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								   GetUserId());
	job = sw_job_start(&request);
	while ((reply = sw_job_receive(job, deadline, &was_lost)) != NULL)
	{
		char	   *detail = describe(reply);

		tell(reply, detail);
		put_row(result, reply, detail);
	}
	if (was_lost)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the worker that tests the connection has ended"),
				 errhint("See the server's log, then try again.")));
	sw_job_end(job);
	return (Datum) 0;
}
