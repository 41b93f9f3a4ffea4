/*-------------------------------------------------------------------------
 *
 * sw_day_set.c
 *	  The days that rows lie on, in the session's TimeZone.
 *
 * Contract: sw_day_set.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "source/sw_day_set.h"

#define UNIX_EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

void
sw_day_set_init(SwDaySet *set)
{
	memset(set, 0, sizeof(*set));
	set->context = CurrentMemoryContext;
}

static void
add_day(SwDaySet *set, DateADT day)
{
	int			low = 0;
	int			high = set->n_days;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (set->days[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < set->n_days && set->days[low] == day)
		return;
	if (set->n_days == set->n_allocated)
	{
		set->n_allocated = Max(16, set->n_allocated * 2);
		if (set->days == NULL)
			set->days = MemoryContextAlloc(set->context,
										   sizeof(DateADT) * set->n_allocated);
		else
			set->days = repalloc(set->days,
								 sizeof(DateADT) * set->n_allocated);
	}
	memmove(set->days + low + 1, set->days + low,
			sizeof(DateADT) * (set->n_days - low));
	set->days[low] = day;
	set->n_days++;
}

/* Of microseconds since the server's epoch; zone NULL: of a wall clock. */
static void
add_day_of(SwDaySet *set, int64 instant, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			seconds_west;

	if (timestamp2tm(instant, zone != NULL ? &seconds_west : NULL, &tm, &fsec,
					 NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	add_day(set, date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) -
			POSTGRES_EPOCH_JDATE);
}

void
sw_day_set_add(SwDaySet *set, const SwColumn *column, uint64 row)
{
	const int64 *values = (const int64 *) column->data;
	int64		epoch_us = UNIX_EPOCH_DAYS * USECS_PER_DAY;

	if (column->validity != NULL && !column->validity[row])
		return;
	switch (column->type)
	{
		case SW_TYPE_TIMESTAMP_MS:
			add_day_of(set, values[row] * 1000 - epoch_us, session_timezone);
			break;
		case SW_TYPE_TIMESTAMP_US:
			add_day_of(set, values[row] - epoch_us, session_timezone);
			break;
		case SW_TYPE_DATETIME_US:
			add_day_of(set, values[row] - epoch_us, NULL);
			break;
		case SW_TYPE_DATE:
			add_day(set, ((const int32 *) column->data)[row] - UNIX_EPOCH_DAYS);
			break;
		default:
			break;
	}
}

DateADT *
sw_day_set_copy(const SwDaySet *set, int *n_days)
{
	DateADT    *days;

	*n_days = set->n_days;
	if (set->n_days == 0)
		return NULL;
	days = palloc(sizeof(DateADT) * set->n_days);
	memcpy(days, set->days, sizeof(DateADT) * set->n_days);
	return days;
}
