/*-------------------------------------------------------------------------
 *
 * sw_interval.h
 *	  Intervals given as arguments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_INTERVAL_H
#define SW_INTERVAL_H

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#define SW_MSECS_PER_DAY (24 * 60 * 60 * 1000.0)

/* Milliseconds of an interval; months count 30 days.  Throws if negative. */
static inline int64
sw_interval_to_ms(const Interval *interval)
{
	double		ms = interval->time / 1000.0 +
	interval->day * SW_MSECS_PER_DAY +
	interval->month * DAYS_PER_MONTH * SW_MSECS_PER_DAY;

	if (ms < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timeout must not be negative")));
	return ms > 1e15 ? (int64) 1e15 : (int64) ms;
}

/* Milliseconds of argument i, a time-out; -1 for a null, which means none. */
static inline int64
sw_interval_get_timeout(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? -1 : sw_interval_to_ms(PG_GETARG_INTERVAL_P(i));
}

#endif							/* SW_INTERVAL_H */
