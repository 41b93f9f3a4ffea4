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

#include "common/sw_status.h"
#include "format/sw_column.h"

/*
 * The struct and its strings must outlive the target; NULL = not set.  The
 * caller may change the time-outs at any time: each call reads them anew.
 */
typedef struct SwTargetOptions
{
	const char *kind;			/* "bytehouse" */
	const char *host;
	int			port;
	const char *database;
	const char *virtual_warehouse;	/* NULL or "" = the user's default */
	const char *auth_type;		/* "password" or "iam" */
	const char *account_id;
	const char *username;
	const char *password;
	const char *api_key;
	const char *sslmode;		/* libpq's words */
	const char *sslrootcert;	/* NULL or "" = system roots */
	int			connect_timeout_ms; /* TCP + TLS + login */
	int			statement_timeout_ms;	/* whole statement */
} SwTargetOptions;

typedef struct SwTarget SwTarget;

/* What a target table is made of; the dialect turns it into DDL. */
typedef struct SwTargetTable
{
	const char *database;
	const char *name;
	const SwColumnSpec *columns;
	int			n_columns;
	const char *timezone;		/* IANA name for TIMESTAMP_MS columns */
	const char *day_column;		/* partition by its calendar day; NULL = none */
	const char *const *order_by;	/* column names */
	int			n_order_by;
} SwTargetTable;

/* Where the staged files of a load are, and how the warehouse may read them. */
typedef struct SwLoadSource
{
	const char *url;			/* one object, or a glob over several */
	const char *format;			/* SwWriterOps.format_name */
	const char *access_key;
	const char *secret_key;
} SwLoadSource;

typedef struct SwLoadResult
{
	uint64		read_rows;		/* sums of the load's progress figures; */
	uint64		written_rows;	/* 0 where the warehouse does not tell */
} SwLoadResult;

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

/* CREATE TABLE IF NOT EXISTS in the dialect; never drops or alters. */
extern SwStatus sw_target_create_table(SwTarget *target,
									   const SwTargetTable *table,
									   SwError *err);

/* The statement sw_target_create_table sends, palloc'd. */
extern char *sw_target_ddl(const SwTarget *target, const SwTargetTable *table);

/*
 * Replace one calendar day ("YYYY-MM-DD") of the table by the rows of the
 * source, atomically: readers see the old or the new day, and a repeat
 * gives the same result.  query_id is ours, so that the statement can be
 * found in the warehouse's logs.
 */
extern SwStatus sw_target_overwrite_day(SwTarget *target,
										const SwTargetTable *table,
										const char *day,
										const SwLoadSource *source,
										const char *query_id,
										SwLoadResult *result, SwError *err);

/* Remove one calendar day. */
extern SwStatus sw_target_drop_day(SwTarget *target,
								   const SwTargetTable *table,
								   const char *day, SwError *err);

/*
 * Rows of one calendar day.  SW_ERR_DENIED when the user lacks SELECT,
 * which ByteHouse users may (SPEC 1.6).
 */
extern SwStatus sw_target_count_day(SwTarget *target,
									const SwTargetTable *table,
									const char *day, uint64 *n_rows,
									SwError *err);

#endif							/* SW_TARGET_H */
