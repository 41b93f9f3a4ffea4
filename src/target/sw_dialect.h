/*-------------------------------------------------------------------------
 *
 * sw_dialect.h
 *	  What differs between kinds of warehouse: their SQL.
 *
 * A dialect writes statements and runs none.  Each write function appends
 * one statement to sql; names have been checked by then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DIALECT_H
#define SW_DIALECT_H

#include "lib/stringinfo.h"

#include "target/sw_target.h"

typedef struct SwDialect
{
	const char *kind;			/* as in SwTargetOptions */

	/*
	 * The user and the password to log in with, palloc'd or borrowed from
	 * options; SW_ERR_CONFIG when fields that this needs are missing.
	 */
	SwStatus	(*get_login) (const SwTargetOptions *options,
							  const char **user, const char **password,
							  SwError *err);

	/*
	 * Choose the virtual warehouse for the session.  attempt counts from 0;
	 * false: there is no other way to say it.
	 */
	bool		(*write_warehouse) (StringInfo sql,
									const SwTargetOptions *options,
									int attempt);

	/* A small table of no particular shape, and what loads do with one. */
	const char *probe_engine;
	void		(*write_read_back) (StringInfo sql,
									const SwTargetTable *table,
									const SwLoadSource *source);
	void		(*write_create_table) (StringInfo sql,
									   const SwTargetTable *table);
	void		(*write_overwrite_day) (StringInfo sql,
										const SwTargetTable *table,
										const char *day,
										const SwLoadSource *source);
	void		(*write_drop_day) (StringInfo sql, const SwTargetTable *table,
								   const char *day);
	void		(*write_count_day) (StringInfo sql,
									const SwTargetTable *table,
									const char *day);
} SwDialect;

extern const SwDialect sw_dialect_bytehouse;

#endif							/* SW_DIALECT_H */
