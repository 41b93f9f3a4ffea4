/*-------------------------------------------------------------------------
 *
 * sw_options.h
 *	  Wishes for the table at the warehouse: target_options of a pipeline.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_OPTIONS_H
#define SW_OPTIONS_H

#include "utils/jsonb.h"

#include "sync/sw_shape.h"
#include "target/sw_target_table.h"

/*
 * Fill *options from the JSON object.  Keys: order_by, partition_by, ttl,
 * engine, cluster (text); buckets (number); settings (object of scalars);
 * comments (object: column -> text; the table's own under ""); at_least_once
 * (boolean).  Throws for anything else.  What the texts say is checked where
 * they are used.  Memory is the current context's.
 */
extern void sw_options_parse(Jsonb *json, const SwShape *shape,
							 SwTableOptions *options);

#endif							/* SW_OPTIONS_H */
