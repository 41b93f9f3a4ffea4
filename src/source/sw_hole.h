/*-------------------------------------------------------------------------
 *
 * sw_hole.h
 *	  Days that windows do not deliver properly, and a backfill has to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_HOLE_H
#define SW_HOLE_H

#include "source/sw_query.h"

/*
 * The days of time_column, in the session's zone, of rows that a change of a
 * leaf (sw_leaf.h) keeps from the windows that begin at "from" or later:
 *
 * - attached: those that had their xmin by then;
 * - file replaced: those that a rewrite may have given the xmin they have.
 *
 * from is the capture before the one that the change shows in, or the last
 * one there is.  Ascending, each once; none where the query has no
 * time_column.  The query's row test, range, bound and policy are not looked
 * at, and values of other columns are not read: a row that could not be
 * exported stops nothing here, and one without a day has none.
 *
 * Inside sw_identity_enter(), in a transaction whose snapshot is younger than
 * the change: a rewritten table looks empty to an older one.  Throws.
 */
extern DateADT *sw_hole_list_days(const SwSourceQuery *query,
								  const SwLeafChange *change,
								  const SwCapture *from, int *n_days);

#endif							/* SW_HOLE_H */
