/*-------------------------------------------------------------------------
 *
 * sw_clock.c
 *	  The time by which schedules go.
 *
 * Contract: sw_clock.h.  May be called anywhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "net/sw_clock.h"

typedef TimestampTz (*ClockHook) (TimestampTz real);

TimestampTz
sw_clock_now(void)
{
	static void **hook = NULL;

	if (hook == NULL)
		hook = find_rendezvous_variable("sensorswave_export clock");
	if (*hook != NULL)
		return ((ClockHook) *hook) (GetCurrentTimestamp());
	return GetCurrentTimestamp();
}
