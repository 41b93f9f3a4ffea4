/*-------------------------------------------------------------------------
 *
 * sw_shape.h
 *	  The data models: which columns a kind of pipeline delivers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SHAPE_H
#define SW_SHAPE_H

#include "format/sw_column.h"
#include "source/sw_query.h"

typedef struct SwShape
{
	const char *data_source;	/* as in sw_pipelines */
	const char *default_target;
	const char *mode;
	const SwColumnSpec *columns;
	const SwOnNull *on_null;	/* one for each of columns */
	int			n_columns;
	int			time_column;	/* index: what windows are about */
	bool		is_partitioned; /* one partition a day of time_column */
	int			event_column;	/* index: the event filter; -1 = none */
	const char *const *key_columns; /* upsert: what makes rows the same */
	int			n_key_columns;
	const char *version_column; /* upsert: the greatest wins */
	const char *const *order_by;
	int			n_order_by;
} SwShape;

/* Throws when there is no such data source. */
extern const SwShape *sw_shape_get(const char *data_source);

#endif							/* SW_SHAPE_H */
