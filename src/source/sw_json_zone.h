/*-------------------------------------------------------------------------
 *
 * sw_json_zone.h
 *	  From instants to a zone's wall clock and back, quickly.
 *
 * Remembers the periods between changes of the zone's clock that it met, so
 * that few questions go to the server's zone code.  Milliseconds since 1970,
 * of UTC or of the wall clock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JSON_ZONE_H
#define SW_JSON_ZONE_H

#include "pgtime.h"

/* A time of one offset: from first_s to before end_s, in seconds of UTC. */
typedef struct SwZonePeriod
{
	int64		first_s;
	int64		end_s;
	int64		offset_s;		/* east of UTC */
	int64		next_offset_s;	/* from end_s on */
} SwZonePeriod;

#define SW_ZONE_N_PERIODS 16

typedef struct SwZone
{
	pg_tz	   *zone;
	SwZonePeriod periods[SW_ZONE_N_PERIODS];
	int			n_periods;
	int			next_victim;	/* the one forgotten when all are in use */
	int			last;			/* the one used last */
} SwZone;

extern void sw_zone_init(SwZone *zone, pg_tz *server_zone);

/* What the wall clock shows at an instant. */
extern int64 sw_zone_show(SwZone *zone, int64 utc_ms);

/*
 * When the wall clock shows that time: the first time that it does, and for
 * a time that is left out, counted on from before the gap (so that it is
 * shown as the same time after the gap, as the server does).
 */
extern int64 sw_zone_read(SwZone *zone, int64 local_ms);

#endif							/* SW_JSON_ZONE_H */
