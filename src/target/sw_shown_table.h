/*-------------------------------------------------------------------------
 *
 * sw_shown_table.h
 *	  A table as its warehouse shows it (SHOW CREATE TABLE), and what is
 *	  different from what a pipeline needs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SHOWN_TABLE_H
#define SW_SHOWN_TABLE_H

#include "target/sw_dialect.h"

typedef struct SwShownColumn
{
	char	   *name;
	char	   *type;			/* normalized (sw_sqltext.h) */
	bool		has_default;	/* a load need not bring it */
} SwShownColumn;

/* Keys and settings are normalized; "" = none. */
typedef struct SwShownTable
{
	int			n_columns;
	SwShownColumn *columns;
	const char *engine;			/* its name, "" = not a table */
	const char *version;		/* its arguments but for string literals */
	const char *partition_key;
	const char *order_key;
	const char *unique_key;
	const char *settings;
	const char *comment;		/* the value */
} SwShownTable;

/* Everything is palloc'd.  SW_ERR_PROTOCOL: ddl is not understood. */
extern SwStatus sw_shown_table_parse(const char *ddl, SwShownTable *shown,
									 SwError *err);

/*
 * Append every difference that matters, "; " between them; nothing when
 * pipelines can use the table.  Columns that the pipeline does not know are
 * fine when they have a default, whatever their place.
 */
extern void sw_shown_table_compare(const SwShownTable *shown,
								   const SwDialect *dialect,
								   const SwTargetTable *table,
								   StringInfo differences);

/*
 * Does the table lack the setting that makes appends repeatable, or is it
 * too low?  Its name, or NULL.
 */
extern const char *sw_shown_table_window(const SwShownTable *shown,
										 const SwDialect *dialect,
										 const SwTargetTable *table);

#endif							/* SW_SHOWN_TABLE_H */
