/*-------------------------------------------------------------------------
 *
 * sw_day_set.h
 *	  The days that rows lie on, in the session's TimeZone.
 *
 * Memory is that of the context that was current at init.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DAY_SET_H
#define SW_DAY_SET_H

#include "utils/date.h"

#include "format/sw_column.h"

typedef struct SwDaySet
{
	DateADT    *days;			/* ascending, each once */
	int			n_days;
	int			n_allocated;
	MemoryContext context;
} SwDaySet;

extern void sw_day_set_init(SwDaySet *set);

/*
 * Add the day of a row of a column of instants, wall clock times or days; of a
 * null, or of a column of another type, nothing.
 */
extern void sw_day_set_add(SwDaySet *set, const SwColumn *column, uint64 row);

/* The days, in the current context; NULL for none. */
extern DateADT *sw_day_set_copy(const SwDaySet *set, int *n_days);

#endif							/* SW_DAY_SET_H */
