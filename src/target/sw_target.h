/*-------------------------------------------------------------------------
 *
 * sw_target.h
 *	  The warehouse: one session, in one dialect.
 *
 * One ops table per dialect (bytehouse; clickhouse comes beside it); the
 * protocol below is the same.  All calls wait through net/sw_wait.h, so
 * they serve interrupts and may throw for those; before such a throw
 * leaves, nothing needs to be undone: closing the socket cancels the
 * statement.  A peer's failure is returned as SwStatus, with the remedy in
 * the hint and no secret in any text.
 *
 * No transaction should be open during these calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TARGET_H
#define SW_TARGET_H

#include "common/sw_json_limits.h"
#include "target/sw_target_table.h"

typedef struct SwTarget SwTarget;

/*
 * What a kind of warehouse can hold: times of day, and documents in JSON
 * columns of that table, NULL where they are text.  kind as in
 * SwTargetOptions; false and NULL for one that does not exist.
 */
extern bool sw_target_has_time(const char *kind);
extern const SwJsonLimits *sw_target_get_json_limits(const char *kind,
													 const SwTargetTable *table);

/* Does it know a repeated load of that table by its token? */
extern bool sw_target_knows_repeats(const char *kind,
									const SwTargetTable *table);

/*
 * The steps of opening, one call each, in this order.
 *
 * sw_target_create contacts nobody; the target belongs to cxt and keeps a
 * pointer to options.  *target_out is untouched on error.
 *
 * sw_target_connect is TCP and TLS, sw_target_login the login; the connect
 * time-out covers both.  After a lost connection they may be called again.
 *
 * sw_target_use_warehouse chooses the virtual warehouse, by id or by name,
 * and has its workers answer a query; nothing where none is set.  A suspended
 * one may take minutes to wake, which is waited for within the statement
 * time-out, 3 minutes at most.
 */
extern SwStatus sw_target_create(const SwTargetOptions *options,
								 MemoryContext cxt, SwTarget **target_out,
								 SwError *err);
extern SwStatus sw_target_connect(SwTarget *target, SwError *err);
extern SwStatus sw_target_login(SwTarget *target, SwError *err);
extern SwStatus sw_target_use_warehouse(SwTarget *target, SwError *err);
extern SwStatus sw_target_use_database(SwTarget *target, SwError *err);

/* All of them.  *target_out is untouched on error. */
extern SwStatus sw_target_open(const SwTargetOptions *options,
							   MemoryContext cxt, SwTarget **target_out,
							   SwError *err);
extern void sw_target_close(SwTarget *target);

/*
 * What the server said of itself at login, palloc'd: "ByteHouse 21.8.7,
 * protocol revision 54448".
 */
extern char *sw_target_describe_server(const SwTarget *target);

/*
 * A text of the warehouse as it may be shown, palloc'd: cut, and without
 * secrets, to which the keys of source belong unless that is NULL.
 */
extern char *sw_target_redact(const SwTarget *target,
							  const SwLoadSource *source, const char *text);

/*
 * Make a small table in the database and do with it what later work needs
 * rights for; drop it, if it is there.
 */
extern SwStatus sw_target_create_probe(SwTarget *target, const char *name,
									   SwError *err);
extern SwStatus sw_target_drop_probe(SwTarget *target, const char *name,
									 SwError *err);

/*
 * Have the warehouse read a staged file, with the conversions of a load.
 * *values are palloc'd texts, row by row in the order of the first column,
 * n_columns a row: INT64 in decimal, TIMESTAMP_MS as epoch milliseconds
 * computed back from the converted value, STRING as it is, JSON as the
 * target shows it; NULL for a null.
 */
extern SwStatus sw_target_read_back(SwTarget *target,
									const SwColumnSpec *columns,
									int n_columns,
									const SwLoadSource *source,
									char ***values, int *n_rows,
									SwError *err);

/* ---- tables: sw_target_table.c ---- */

/*
 * Can a table be made as its definition says?  Names, keys and the user's
 * wishes are checked: SW_ERR_CONFIG or SW_ERR_UNSUPPORTED.  Contacts nobody;
 * kind as in SwTargetOptions.
 */
extern SwStatus sw_target_check_definition(const char *kind,
										   const SwTargetTable *table,
										   SwError *err);

/* CREATE TABLE IF NOT EXISTS in the dialect; never drops or alters. */
extern SwStatus sw_target_create_table(SwTarget *target,
									   const SwTargetTable *table,
									   SwError *err);

/*
 * Has the server, of a kind that can have one, a type for times of day, and
 * may this login use it?  ClickHouse has one since 25.6, by default since
 * 25.12.  Needs no right.
 */
extern SwStatus sw_target_ask_for_time(SwTarget *target, bool *has_time,
									   SwError *err);

/*
 * Is the table there (*exists_out), and if so, is it what the pipeline
 * needs?  SW_ERR_MISMATCH names every difference: columns (name, order,
 * type), engine, version, partition, sorting and unique key, and the setting
 * that makes appends repeatable, with the ALTER that helps.  Columns of
 * others are fine when they have a default.  Needs any one right on the
 * table.
 */
extern SwStatus sw_target_check_table(SwTarget *target,
									  const SwTargetTable *table,
									  bool *exists_out, SwError *err);

/*
 * The line in the table's comment that says which pipeline it belongs to;
 * what a person has written there is kept.  *marker is palloc'd, NULL = there
 * is none; writing NULL removes it.  SW_ERR_UNSUPPORTED where the warehouse
 * does not let us read or alter comments: go on without.
 *
 * The writer says which mark it expects there, and gets SW_ERR_MISMATCH when
 * it is another one.  A warehouse cannot compare and set: who writes between
 * this look and our ALTER is not seen.
 */
extern SwStatus sw_target_read_marker(SwTarget *target,
									  const SwTargetTable *table,
									  char **marker, SwError *err);
extern SwStatus sw_target_write_marker(SwTarget *target,
									   const SwTargetTable *table,
									   const char *expected,
									   const char *marker, SwError *err);

/* Make or replace the view <table>_current: the newest row of each key. */
extern SwStatus sw_target_create_current_view(SwTarget *target,
											  const SwTargetTable *table,
											  SwError *err);

/*
 * What readers should know of days that are replaced in this very table:
 * one palloc'd sentence, NULL = nothing.
 */
extern SwStatus sw_target_find_caveat(SwTarget *target,
									  const SwTargetTable *table,
									  char **caveat, SwError *err);

/*
 * The name of the stage table for an overwrite with that query id, palloc'd;
 * NULL: this kind of warehouse takes none.
 */
extern char *sw_target_name_stage(const char *kind, const char *query_id);

/*
 * Drop what an overwrite has left behind, by its exact name; of the table
 * only the database counts.  When this succeeds, an unfinished overwrite
 * through that stage can't change the target any more.
 */
extern SwStatus sw_target_drop_stage(SwTarget *target,
									 const SwTargetTable *table,
									 const char *stage, SwError *err);

/* ---- rows: sw_target_load.c ---- */

/*
 * Replace one calendar day ("YYYY-MM-DD") of the table by the rows of the
 * source, atomically: readers see the old or the new day, and a repeat
 * gives the same result after any outcome.  query_id is ours, so that the
 * statement can be found in the warehouse's logs.
 *
 * Where this takes a stage table (source->stage_table), that is left behind
 * when the connection breaks: result->stage_is_left, also on error.  Stages
 * of overwrites that broke must be dropped before the next one begins, or
 * they might take place after it.
 */
extern SwStatus sw_target_overwrite_day(SwTarget *target,
										const SwTargetTable *table,
										const char *day,
										const SwLoadSource *source,
										const char *query_id,
										SwLoadResult *result, SwError *err);

/*
 * Add the rows of the source, or for a table with a key, put them in place
 * of those with the same key.  Class SW_RETRY_UNKNOWN: rows may have been
 * added, and a repeat could double them; never so with a key, nor where
 * source->token lets the warehouse know a repeat.
 */
extern SwStatus sw_target_load(SwTarget *target, const SwTargetTable *table,
							   const SwLoadSource *source,
							   const char *query_id, SwLoadResult *result,
							   SwError *err);

/*
 * See to it that no load of ours of that id runs any more: end it, and wait
 * until it has ended.  After that what it has added is there, and no more
 * comes.
 */
extern SwStatus sw_target_end_load(SwTarget *target, const char *query_id,
								   SwError *err);

/* Remove one calendar day. */
extern SwStatus sw_target_drop_day(SwTarget *target,
								   const SwTargetTable *table,
								   const char *day, SwError *err);

/*
 * Rows of calendar days, the first to the last, or of the whole table with
 * NULL for both.  SW_ERR_DENIED when the user lacks SELECT, which ByteHouse
 * users may (SPEC 1.6).
 */
extern SwStatus sw_target_count_days(SwTarget *target,
									 const SwTargetTable *table,
									 const char *first_day,
									 const char *last_day, uint64 *n_rows,
									 SwError *err);

/* ---- what would be run: palloc'd texts; nobody is contacted ---- */

extern char *sw_target_write_ddl(const SwTarget *target,
								 const SwTargetTable *table);

/* The statement that empties the table's comment. */
extern char *sw_target_write_no_comment(const SwTargetTable *table);

/*
 * The statements of a load, or of an overwrite unless day is NULL, one a
 * line; keys of the source are shown as ***.
 */
extern char *sw_target_write_load(const SwTarget *target,
								  const SwTargetTable *table,
								  const char *day,
								  const SwLoadSource *source);

#endif							/* SW_TARGET_H */
