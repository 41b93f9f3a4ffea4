/*-------------------------------------------------------------------------
 *
 * sw_json_zone.c
 *	  From instants to a zone's wall clock and back, quickly.
 *
 * Contract: sw_json_zone.h.  Does not throw.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "source/sw_json_zone.h"

void
sw_zone_init(SwZone *zone, pg_tz *server_zone)
{
	memset(zone, 0, sizeof(*zone));
	zone->zone = server_zone;
}

/* Ask the server, and remember. */
static const SwZonePeriod *
sw_zone_ask(SwZone *zone, int64 utc_s)
{
	pg_time_t	instant = utc_s;
	pg_time_t	boundary = 0;
	long int	before = 0;
	long int	after = 0;
	int			is_dst;
	SwZonePeriod *period;
	int			found;
	int			i;

	found = pg_next_dst_boundary(&instant, &before, &is_dst, &boundary, &after,
								 &is_dst, zone->zone);
	if (found <= 0)
	{
		boundary = PG_INT64_MAX;
		after = before;
	}
	for (i = 0; i < zone->n_periods; i++)
	{
		period = &zone->periods[i];
		if (period->end_s == boundary)
		{
			period->first_s = utc_s;
			zone->last = i;
			return period;
		}
	}
	if (zone->n_periods < SW_ZONE_N_PERIODS)
		i = zone->n_periods++;
	else
	{
		i = zone->next_victim;
		zone->next_victim = (i + 1) % SW_ZONE_N_PERIODS;
	}
	period = &zone->periods[i];
	period->first_s = utc_s;
	period->end_s = boundary;
	period->offset_s = before;
	period->next_offset_s = after;
	zone->last = i;
	return period;
}

static const SwZonePeriod *
sw_zone_find(SwZone *zone, int64 utc_s)
{
	int			i;

	if (zone->n_periods > 0)
	{
		const SwZonePeriod *last = &zone->periods[zone->last];

		if (utc_s >= last->first_s && utc_s < last->end_s)
			return last;
	}
	for (i = 0; i < zone->n_periods; i++)
	{
		if (utc_s >= zone->periods[i].first_s &&
			utc_s < zone->periods[i].end_s)
		{
			zone->last = i;
			return &zone->periods[i];
		}
	}
	return sw_zone_ask(zone, utc_s);
}

/* Seconds, cut towards the past. */
static int64
sw_zone_cut(int64 ms)
{
	return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

int64
sw_zone_show(SwZone *zone, int64 utc_ms)
{
	return utc_ms + sw_zone_find(zone, sw_zone_cut(utc_ms))->offset_s * 1000;
}

int64
sw_zone_read(SwZone *zone, int64 local_ms)
{
	int64		local_s = sw_zone_cut(local_ms);
	const SwZonePeriod *period;
	int64		offset_s;

	/* No clock is off by more than a day, nor changes twice in two days. */
	period = sw_zone_find(zone, local_s - SECS_PER_DAY);
	offset_s = period->offset_s;
	if (local_s - period->offset_s >= period->end_s &&
		local_s - period->next_offset_s >= period->end_s)
		offset_s = period->next_offset_s;
	return local_ms - offset_s * 1000;
}
