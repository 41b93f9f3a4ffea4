/*-------------------------------------------------------------------------
 *
 * sw_clock.h
 *	  The time by which schedules go.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CLOCK_H
#define SW_CLOCK_H

#include "datatype/timestamp.h"

/*
 * Now.  Ticks and sweeps are due by this clock; back-offs and time-outs are
 * not, they go by the server's.
 *
 * A test may replace it: the rendezvous variable "sensorswave_export clock"
 * is then a function TimestampTz (*)(TimestampTz), which is given the
 * server's time.
 */
extern TimestampTz sw_clock_now(void);

#endif							/* SW_CLOCK_H */
