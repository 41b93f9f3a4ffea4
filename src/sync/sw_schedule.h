/*-------------------------------------------------------------------------
 *
 * sw_schedule.h
 *	  When a pipeline's ticks are.
 *
 *	   every N hours | minutes		1 minute to 24 hours; counted from the
 *									pipeline's creation, as time that passes:
 *									no calendar, no zone
 *	   daily HH:MM Zone				each day when clocks in that zone show it
 *	   manual						never
 *
 * Words are read without regard to case, spaces or plurals.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SCHEDULE_H
#define SW_SCHEDULE_H

#include "datatype/timestamp.h"
#include "pgtime.h"

typedef enum SwScheduleKind
{
	SW_SCHEDULE_EVERY,
	SW_SCHEDULE_DAILY,
	SW_SCHEDULE_MANUAL
} SwScheduleKind;

typedef struct SwSchedule
{
	SwScheduleKind kind;
	int64		period_us;		/* EVERY */
	int			hour;			/* DAILY */
	int			minute;
	pg_tz	   *zone;
	char	   *text;			/* as above, in one way of writing it */
} SwSchedule;

/*
 * Throws, naming the forms there are, when text is none of them.  Members are
 * palloc'd.
 */
extern void sw_schedule_parse(const char *text, SwSchedule *schedule_out);

/*
 * The first tick after that instant; SW_NEVER (sync/sw_board.h) when there is
 * none.
 *
 * A time of day that clocks skip is taken as if they had not been put forward
 * yet: where they go from 02:00 to 03:00, 02:30 is when they show 03:30.  Of
 * a time of day that they show twice, it is the first.
 */
extern TimestampTz sw_schedule_next(const SwSchedule *schedule,
									TimestampTz created_at,
									TimestampTz after);

/* Microseconds of an interval; months count 30 days. */
extern int64 sw_schedule_interval_us(const Interval *interval);

#endif							/* SW_SCHEDULE_H */
