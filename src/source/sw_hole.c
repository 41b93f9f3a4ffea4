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
	rows.row_test = &test;
	rows.range = &range;
	rows.cursor_bound = DT_NOBEGIN;
	return sw_read_list_days(&rows, sw_query_build(&rows), n_days);
}
