/*-------------------------------------------------------------------------
 *
 * sw_span.h
 *	  Between which instants the rows of batches lie.
 *
 * By the column that windows and the target's days are about, and by the
 * cursor; where a query has none, that side stays empty.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SPAN_H
#define SW_SPAN_H

#include "catalog/sw_catalog.h"
#include "source/sw_query.h"

/* No rows: all members are DT_NOBEGIN. */
extern void sw_span_init(SwChunkSpan *span);

extern void sw_span_add(SwChunkSpan *span, const SwSourceQuery *query,
						const SwBatch *batch);

/*
 * In how many of the target's days the rows of a batch lie, or a few more: at
 * least 1.
 */
extern uint64 sw_span_count_days(const SwSourceQuery *query,
								 const SwBatch *batch);

#endif							/* SW_SPAN_H */
