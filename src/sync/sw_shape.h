/*-------------------------------------------------------------------------
 *
 * sw_shape.h
 *	  The data models: which columns a kind of pipeline delivers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SHAPE_H
#define SW_SHAPE_H

#include "catalog/sw_catalog.h"
#include "format/sw_column.h"
#include "source/sw_query.h"

typedef struct SwShape
{
	const char *data_source;	/* as in sw_pipelines */
	const char *default_target; /* NULL: named like the source */
	const char *mode;			/* NULL: the pipeline says */
	bool		is_of_source;	/* columns and key are made of the source's */
	const SwColumnSpec *columns;
	const SwOnNull *on_null;	/* one for each of columns */
	int			n_columns;
	int			time_column;	/* index: what windows are about; -1 = none */
	const char *cursor_column;	/* tells when a row came or was changed; NULL:
								 * the pipeline says */
	bool		is_partitioned; /* one partition a day of time_column */
	int			event_column;	/* index: the event filter; -1 = none */
	const char *const *key_columns; /* upsert: what makes rows the same */
	int			n_key_columns;
	const char *version_column; /* upsert: the greatest wins */
	const char *const *order_by;
	int			n_order_by;
} SwShape;

/* The model of a data source.  Throws when there is none of that name. */
extern const SwShape *sw_shape_get_model(const char *data_source);

/*
 * The shape of a pipeline, palloc'd where it is its own (is_of_source): then
 * columns and key are those of the pipeline's row.  Throws.
 */
extern const SwShape *sw_shape_get(const SwPipeline *pipeline);

#endif							/* SW_SHAPE_H */
