/*-------------------------------------------------------------------------
 *
 * sw_span.c
 *	  Between which instants the rows of batches lie.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "sync/sw_span.h"

#define UNIX_EPOCH_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* Days that a target's partitions can have, from 1970-01-01 on. */
#define N_DAYS 65536

void
sw_span_init(SwChunkSpan *span)
{
	span->time_min = DT_NOBEGIN;
	span->time_max = DT_NOBEGIN;
	span->cursor_min = DT_NOBEGIN;
	span->cursor_max = DT_NOBEGIN;
}

/* Microseconds of a unit of the column's values; 0 = they are no instants. */
static int64
get_unit(const SwColumn *column)
{
	switch (column->type)
	{
		case SW_TYPE_TIMESTAMP_MS:
			return 1000;
		case SW_TYPE_TIMESTAMP_US:
		case SW_TYPE_DATETIME_US:
			return 1;
		default:
			return 0;
	}
}

static const SwColumn *
get_column(const SwBatch *batch, int i)
{
	return i < 0 || get_unit(&batch->columns[i]) == 0 ? NULL :
		&batch->columns[i];
}

static void
add_column(const SwColumn *column, TimestampTz *min, TimestampTz *max)
{
	const int64 *values = (const int64 *) column->data;
	int64		unit = get_unit(column);
	uint64		i;

	for (i = 0; i < column->n_rows; i++)
	{
		TimestampTz instant;

		if (column->validity != NULL && !column->validity[i])
			continue;
		instant = values[i] * unit - UNIX_EPOCH_US;
		if (*min == DT_NOBEGIN || instant < *min)
			*min = instant;
		if (*max == DT_NOBEGIN || instant > *max)
			*max = instant;
	}
}

void
sw_span_add(SwChunkSpan *span, const SwSourceQuery *query,
			const SwBatch *batch)
{
	const SwColumn *times = get_column(batch, query->time_column);
	const SwColumn *cursors = get_column(batch, query->cursor_column);

	if (times != NULL)
		add_column(times, &span->time_min, &span->time_max);
	if (cursors != NULL)
		add_column(cursors, &span->cursor_min, &span->cursor_max);
}

/* Days in UTC: in a zone, n of them are at most n + 1. */
uint64
sw_span_count_days(const SwSourceQuery *query, const SwBatch *batch)
{
	const SwColumn *times = get_column(batch, query->time_column);
	uint8		seen[N_DAYS / 8] = {0};
	uint64		n_days = 1;
	uint64		i;

	if (times == NULL)
		return 1;
	for (i = 0; i < times->n_rows; i++)
	{
		int64		day = ((const int64 *) times->data)[i] * get_unit(times) /
		USECS_PER_DAY;
		uint8		bit = 1 << (day & 7);

		if (day < 0 || day >= N_DAYS || (seen[day / 8] & bit) != 0)
			continue;
		seen[day / 8] |= bit;
		n_days++;
	}
	return n_days;
}
