/*-------------------------------------------------------------------------
 *
 * sw_columns.h
 *	  The columns of a target as the catalog keeps them.
 *
 * A pipeline of data source `table` gets its target's columns from its source
 * when it is made.  From then on they are fixed, and known without a look at
 * the source: as a JSON array of objects
 *
 *	   {"name": ..., "type": "decimal", "nullable": true, "precision": 12,
 *		"scale": 2, "target_type": ..., "children": [...]}
 *
 * in which what is false, zero or absent is left out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_COLUMNS_H
#define SW_COLUMNS_H

#include "utils/jsonb.h"

#include "format/sw_column.h"

/* Both palloc their result, all of it.  unpack throws on other JSON. */
extern Jsonb *sw_columns_pack(const SwColumnSpec *specs, int n_specs);
extern SwColumnSpec *sw_columns_unpack(Jsonb *columns, int *n_specs_out);

/* What a column holds, as people are told: decimal(12, 2), array(string). */
extern char *sw_columns_describe(const SwColumnSpec *spec);

/*
 * Can values of a column made like `now` go into one made like `then`?  Both
 * hold the same; that only one of them may be null does not count.
 */
extern bool sw_columns_agree(const SwColumnSpec *then,
							 const SwColumnSpec *now);

/*
 * The same columns for a warehouse without a type for times of day: they are
 * text, but where the user wishes for another type.  NULL: there is no such
 * column.
 */
extern Jsonb *sw_columns_without_time(Jsonb *columns);

#endif							/* SW_COLUMNS_H */
