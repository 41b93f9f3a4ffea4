/*-------------------------------------------------------------------------
 *
 * sw_mapping.h
 *	  The mapping of a pipeline as its row has it: target column -> where its
 *	  values come from.
 *
 *	   "expression"							an SQL expression over one row
 *	   {"expr": ..., "type": ...}			the same, as that type at the
 *											warehouse; either may be absent
 *	   null									not exported
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_MAPPING_H
#define SW_MAPPING_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct SwMapping
{
	const char *column;			/* of the target */
	const char *expression;		/* NULL = the source's column of that name */
	const char *type;			/* of the warehouse, or NULL */
	bool		is_left_out;
} SwMapping;

/* Of a jsonb object, or NULL: SwMapping, palloc'd.  Throws. */
extern List *sw_mapping_parse(Jsonb *columns);

/* That of a column, or NULL. */
extern const SwMapping *sw_mapping_find(const List *mappings,
										const char *column);

#endif							/* SW_MAPPING_H */
