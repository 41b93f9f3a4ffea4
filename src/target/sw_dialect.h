/*-------------------------------------------------------------------------
 *
 * sw_dialect.h
 *	  What differs between kinds of warehouse: their SQL.
 *
 * A dialect writes statements and runs none.  The ops table holds what only
 * the dialect knows; the sw_dialect_write_* functions make statements of it.
 * Each appends one statement to sql; names have been checked by then.
 *
 * Names are always qualified, so that no statement depends on the current
 * database.  Time travels as Int64 milliseconds and JSON as String; the load
 * statement turns them into DateTime64 and the target's JSON type, so no
 * reader of files has to agree with us about time zones, and none cuts the
 * milliseconds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DIALECT_H
#define SW_DIALECT_H

#include "lib/stringinfo.h"

#include "common/sw_json_limits.h"
#include "target/sw_target_table.h"

typedef struct SwDialect
{
	const char *kind;			/* as in SwTargetOptions */
	const char *product;		/* what servers of it are called */
	uint64		min_version;	/* the oldest major version that will do */
	const char *append_engine;	/* tables that rows are added to */
	const char *upsert_engine;	/* tables with a key */
	const char *json_type;		/* what JSON columns are where they are not
								 * text */
	SwJsonLimits json_limits;	/* of that type */
	const char *bool_type;		/* what booleans are */
	bool		has_time;		/* is there a type for times of day? */
	bool		overwrites_at_once; /* one statement replaces a day; else it
									 * takes a stage table */
	bool		is_atomic;		/* a load shows all of its rows or none */
	bool		replaces_queries;	/* a statement can end the one that runs
									 * under its id, which takes no right;
									 * else it is killed */
	const char *window_setting; /* table setting that makes repeated loads
								 * with a token harmless, or NULL */

	/*
	 * The user and the password to log in with, palloc'd or borrowed from
	 * options; SW_ERR_CONFIG when fields that this needs are missing.
	 */
	SwStatus	(*get_login) (const SwTargetOptions *options,
							  const char **user, const char **password,
							  SwError *err);

	/*
	 * Choose the virtual warehouse for the session.  attempt counts from 0;
	 * false: there is no other way to say it.  NULL: there are none.
	 */
	bool		(*write_warehouse) (StringInfo sql,
									const SwTargetOptions *options,
									int attempt);

	/* Is JSON kept as text, which may be null? */
	bool		(*keeps_json_text) (const SwTargetTable *table);

	/* The table function that reads the staged files. */
	void		(*append_source) (StringInfo sql, const SwLoadSource *source,
								  const char *structure);

	/* CLUSTER BY and UNIQUE KEY; NULL: there is no such thing. */
	void		(*append_unique_key) (StringInfo sql,
									  const SwTargetTable *table);

	/* Wishes that only this kind refuses. */
	SwStatus	(*check_options) (const SwTargetTable *table, SwError *err);
} SwDialect;

extern const SwDialect sw_dialect_bytehouse;
extern const SwDialect sw_dialect_clickhouse;

/* NULL: there is none of that kind. */
extern const SwDialect *sw_dialect_find(const char *kind);

/*
 * Can the table be made, by what its definition says?  Checks every name and
 * every wish of the user: SW_ERR_CONFIG or SW_ERR_UNSUPPORTED.
 */
extern SwStatus sw_dialect_check_table(const SwDialect *dialect,
									   const SwTargetTable *table,
									   SwError *err);

/* ---- parts, for comparing what is there with what should be ---- */

extern void sw_dialect_append_type(const SwDialect *dialect, StringInfo sql,
								   const SwTargetTable *table,
								   const SwColumnSpec *column);

/* The expression that makes the column's value out of the staged file's. */
extern void sw_dialect_append_value(const SwDialect *dialect, StringInfo sql,
									const SwTargetTable *table,
									const SwColumnSpec *column);

/* Both without brackets; empty = none. */
extern void sw_dialect_append_partition(StringInfo sql,
										const SwTargetTable *table);
extern void sw_dialect_append_order(StringInfo sql,
									const SwTargetTable *table);
extern void sw_dialect_append_names(StringInfo sql, const char *const *names,
									int n_names);
extern void sw_dialect_append_columns(StringInfo sql,
									  const SwTargetTable *table);
extern void sw_dialect_append_table(StringInfo sql,
									const SwTargetTable *table,
									const char *name);

/*
 * Does the dialect ask for the setting that makes appends repeatable?  The
 * name of it for this table, or NULL.
 */
extern const char *sw_dialect_window_setting(const SwDialect *dialect,
											 const SwTargetTable *table);
#define SW_DIALECT_WINDOW	10000

/* ---- statements about tables ---- */

/* IF NOT EXISTS. */
extern void sw_dialect_write_create(const SwDialect *dialect, StringInfo sql,
									const SwTargetTable *table);

/* A table like the target, for one day's rows on their way to it. */
extern void sw_dialect_write_create_stage(const SwDialect *dialect,
										  StringInfo sql,
										  const SwTargetTable *table,
										  const char *stage);

/*
 * Waits until nothing works with the table any more: a statement that was to
 * put its rows into the target has done so, or never will.
 */
extern void sw_dialect_write_drop_stage(StringInfo sql,
										const SwTargetTable *table,
										const char *stage);
extern void sw_dialect_write_comment(StringInfo sql,
									 const SwTargetTable *table,
									 const char *comment);

/* A view of the newest row of each key, named <table>_current. */
extern void sw_dialect_write_current_view(const SwDialect *dialect,
										  StringInfo sql,
										  const SwTargetTable *table);

/* ---- statements about rows ---- */

/* Add the rows of the source to the table of that name. */
extern void sw_dialect_write_load(const SwDialect *dialect, StringInfo sql,
								  const SwTargetTable *table,
								  const char *name,
								  const SwLoadSource *source);

/* Replace a day at once; where the dialect can. */
extern void sw_dialect_write_overwrite(const SwDialect *dialect,
									   StringInfo sql,
									   const SwTargetTable *table,
									   const char *day,
									   const SwLoadSource *source);

/* Merge the stage's parts into one; put the day in its place. */
extern void sw_dialect_write_merge(StringInfo sql, const SwTargetTable *table,
								   const char *stage, const char *day);
extern void sw_dialect_write_replace(StringInfo sql,
									 const SwTargetTable *table,
									 const char *stage, const char *day);
extern void sw_dialect_write_drop_day(StringInfo sql,
									  const SwTargetTable *table,
									  const char *day);

/*
 * Rows of the table of that name; of some days unless they are NULL.  The
 * second column of the answer: in how many parts they lie, where with_parts.
 */
extern void sw_dialect_write_count(const SwDialect *dialect, StringInfo sql,
								   const SwTargetTable *table,
								   const char *name, const char *first_day,
								   const char *last_day, bool with_parts);

/* The values of the staged files as text, after the conversions of a load. */
extern void sw_dialect_write_read_back(const SwDialect *dialect,
									   StringInfo sql,
									   const SwTargetTable *table,
									   const SwLoadSource *source);

#endif							/* SW_DIALECT_H */
