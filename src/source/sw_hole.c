/*-------------------------------------------------------------------------
 *
 * sw_hole.c
 *	  Days that windows do not deliver properly, and a backfill has to.
 *
 * Contract: sw_hole.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "source/sw_hole.h"
#include "source/sw_read.h"

/*
 * Of the columns only the day is read: values that cannot be exported are not
 * to be exported here, and a row without a day never is.  The event filter
 * speaks of its column, which stands behind what is read.
 */
static void
read_time_only(SwSourceQuery *query, SwColumnSpec *specs,
			   SwSourceColumn *columns)
{
	specs[0] = query->specs[query->time_column];
	columns[0] = query->columns[query->time_column];
	if (query->event_filter != SW_EVENT_FILTER_NONE)
	{
		specs[1] = query->specs[query->event_column];
		columns[1] = query->columns[query->event_column];
		query->event_column = 1;
	}
	query->specs = specs;
	query->columns = columns;
	query->n_columns = 1;
	query->time_column = 0;
	query->cursor_column = -1;
	query->policy = SW_POLICY_SKIP;
}

DateADT *
sw_hole_list_days(const SwSourceQuery *query, const SwLeafChange *change,
				  const SwCapture *from, int *n_days)
{
	SwVersionWindow window = {.to = from,.bound = DT_NOBEGIN};
	SwRowTest	test = {.windows = &window,.n_windows = 1};
	SwSourceRange range = {
		.leaf = change->relid,
		.end_block = -1,
		.cursor_from = DT_NOBEGIN,
		.cursor_to = DT_NOEND
	};
	SwSourceQuery rows = *query;
	SwColumnSpec specs[2];
	SwSourceColumn columns[2];
	uint32		n_rewrites;

	*n_days = 0;
	if (query->time_column < 0)
		return NULL;
	if (!change->is_attached)
	{
		test.is_of_rewrites = true;
		test.rewrites = sw_leaf_find_rewrites(change, 1, from->xmin,
											  &n_rewrites);
		test.n_rewrites = (int) n_rewrites;
	}
	read_time_only(&rows, specs, columns);
	rows.row_test = &test;
	rows.range = &range;
	rows.cursor_bound = DT_NOBEGIN;
	return sw_read_list_days(&rows, sw_query_build(&rows), n_days);
}
