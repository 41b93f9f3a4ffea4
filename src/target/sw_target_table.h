/*-------------------------------------------------------------------------
 *
 * sw_target_table.h
 *	  What a target table and a load are: the words of the target floor.
 *
 * Plain data, filled by the caller; NULL and zero = not used.  All strings
 * must outlive the call that gets them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TARGET_TABLE_H
#define SW_TARGET_TABLE_H

#include "common/sw_status.h"
#include "format/sw_column.h"

/*
 * Where the warehouse is and who we are there.  The struct must outlive the
 * target, too.  The caller may change the time-outs at any time: each call
 * reads them anew.
 */
typedef struct SwTargetOptions
{
	const char *kind;			/* "bytehouse" or "clickhouse" */
	const char *host;
	int			port;
	const char *database;
	const char *virtual_warehouse;	/* NULL or "" = the user's default */
	const char *auth_type;		/* "password" or "iam" */
	const char *account_id;
	const char *username;
	const char *password;
	const char *api_key;
	const char *stage_secret_key;	/* goes with loads: not to be shown */
	const char *sslmode;		/* libpq's words */
	const char *sslrootcert;	/* NULL or "" = system roots */
	int			connect_timeout_ms; /* TCP + TLS + login */
	int			statement_timeout_ms;	/* whole statement */
} SwTargetOptions;

typedef struct SwTableSetting
{
	const char *name;
	const char *value;
} SwTableSetting;

/*
 * The user's wishes (target_options of a pipeline).  Used when the table is
 * made, and when an existing one is compared.  order_by, partition_by, ttl
 * and the cluster of bytehouse are SQL of the warehouse.
 */
typedef struct SwTableOptions
{
	const char *order_by;
	const char *partition_by;
	const char *ttl;
	const char *engine;			/* e.g. "ReplicatedMergeTree" */
	const SwTableSetting *settings;
	int			n_settings;
	const char *cluster;		/* clickhouse: ON CLUSTER name; bytehouse:
								 * CLUSTER BY expression */
	int			buckets;		/* bytehouse: of the cluster expression */
	const char *comment;		/* of the table */
	const char *const *column_comments; /* one each, NULL = none */
	bool		at_least_once;	/* appends may double rows: nothing is asked
								 * of the table to prevent it */
} SwTableOptions;

/* What a target table is made of; the dialect turns it into DDL. */
typedef struct SwTargetTable
{
	const char *database;
	const char *name;
	const SwColumnSpec *columns;
	int			n_columns;
	const char *timezone;		/* IANA name for TIMESTAMP_MS columns */
	const char *day_column;		/* partition by its calendar day */
	const char *const *order_by;	/* column names */
	int			n_order_by;

	/* Upsert tables: a row replaces the one of the same key ... */
	const char *const *key_columns;
	int			n_key_columns;
	const char *version_column; /* ... unless this one is lower */

	const char *json_type;		/* clickhouse: "string" (default) or "json";
								 * bytehouse: not used */
	const char *marker;			/* whose it is, for its comment */
	SwTableOptions options;
} SwTargetTable;

/* Where the staged files of a load are, and how the warehouse may read them. */
typedef struct SwLoadSource
{
	const char *url;			/* one object, or a glob over several */
	const char *format;			/* SwWriterOps.format_name */
	const char *access_key;
	const char *secret_key;
	const char *compression;	/* of the file as a whole; NULL = none of its
								 * own, or as its name says */
	uint64		n_rows;			/* in the files; 0 = not known */
	const char *token;			/* clickhouse appends: a repeat with the same
								 * token does not double the rows */
	const char *stage_table;	/* overwrites: sw_target_name_stage */
} SwLoadSource;

typedef struct SwLoadResult
{
	uint64		read_rows;		/* sums of the load's progress figures; */
	uint64		written_rows;	/* 0 where the warehouse does not tell */
	bool		stage_is_left;	/* the stage table may still be there */
	char	   *stage_problem;	/* why it could not be dropped; palloc'd, or
								 * NULL */
} SwLoadResult;

#endif							/* SW_TARGET_TABLE_H */
