/*-------------------------------------------------------------------------
 *
 * module_schedule.c
 *	  sw_test_schedule: the ticks of a schedule.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "sync/sw_board.h"
#include "sync/sw_schedule.h"

#include "module.h"

PG_FUNCTION_INFO_V1(sw_test_schedule);

Datum
sw_test_schedule(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz created_at = PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz tick = PG_GETARG_TIMESTAMPTZ(2);
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(3);
	SwSchedule	schedule;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	sw_schedule_parse(module_get_text(fcinfo, 0), &schedule);
	while ((tick = sw_schedule_next(&schedule, created_at, tick)) < until)
	{
		Datum		value = TimestampTzGetDatum(tick);
		bool		is_null = false;

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(result->setResult, result->setDesc, &value,
							 &is_null);
	}
	return (Datum) 0;
}
