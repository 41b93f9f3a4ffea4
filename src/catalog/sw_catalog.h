/*-------------------------------------------------------------------------
 *
 * sw_catalog.h
 *	  Our tables as plain structs, and the operations on them.
 *
 * src/catalog is the only floor that names our tables.  All functions need
 * an open transaction, throw on error, and palloc their results in the
 * current context.  Rights are the callers' business (sw_cat_may_use_role):
 * statements run as the bootstrap superuser.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CATALOG_H
#define SW_CATALOG_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/date.h"

/* ---- destinations (sw_cat_destination.c) ---- */

typedef struct SwDestination
{
	int64		destination_id;
	char	   *name;
	char	   *kind;
	char	   *host;
	int32		port;
	char	   *database;
	char	   *virtual_warehouse;
	char	   *auth_type;
	char	   *account_id;
	char	   *username;
	char	   *sslmode;
	char	   *sslrootcert;
	char	   *stage_kind;
	char	   *stage_endpoint;
	char	   *stage_region;
	char	   *stage_bucket;
	char	   *stage_prefix;
	char	   *stage_access_key;
	char	   *stage_format;
	char	   *stage_load_endpoint;
	bool		stage_path_style;
	struct varlena *usable_by;	/* name[] */
	Oid			owner;
	TimestampTz created_at;
	TimestampTz updated_at;

	/* sealed secrets (net/sw_secret.h), NULL = not set */
	struct varlena *password;
	struct varlena *api_key;
	struct varlena *stage_secret_key;
} SwDestination;

typedef enum SwSecretField
{
	SW_SECRET_PASSWORD,
	SW_SECRET_API_KEY,
	SW_SECRET_STAGE_SECRET_KEY
} SwSecretField;

/* NULL when there is none of that name. */
extern SwDestination *sw_cat_destination_find(const char *name);

/* The newest version, locked until the transaction ends. */
extern SwDestination *sw_cat_destination_lock(const char *name);
extern SwDestination *sw_cat_destination_get(int64 destination_id);

/* A fresh id: secrets are sealed to it before the row exists. */
extern int64 sw_cat_destination_next_id(void);
extern void sw_cat_destination_insert(SwDestination *destination);

/* Also makes due at once what has failed and waits to be tried again. */
extern void sw_cat_destination_update(SwDestination *destination);

/* Throws when a pipeline uses it. */
extern void sw_cat_destination_delete(const SwDestination *destination);

/* As bytes for another process (sw_field_pack), and back. */
extern void sw_cat_destination_pack(const SwDestination *destination,
									StringInfo bytes);
extern SwDestination *sw_cat_destination_unpack(StringInfo bytes);

/* Is role one that may use the destination: owner's member or usable_by? */
extern bool sw_cat_destination_is_usable(const SwDestination *destination,
										 Oid role);

/* Seal a secret into its member; plain NULL clears it. */
extern void sw_cat_destination_seal(SwDestination *destination,
									SwSecretField field, const char *plain);

extern bool sw_cat_destination_has_secret(const SwDestination *destination,
										  SwSecretField field);

/* The plain secret, palloc'd, or NULL; wipe it after use. */
extern char *sw_cat_destination_unseal(const SwDestination *destination,
									   SwSecretField field);

/* ---- pipelines (sw_cat_pipeline.c) ---- */

typedef struct SwPipeline
{
	int64		pipeline_id;
	char	   *name;
	int64		destination_id;
	char	   *destination;	/* its name */
	char	   *data_source;
	Oid			source;
	char	   *target_table;
	char	   *mode;
	struct varlena *key_columns;	/* text[], for upsert */
	char	   *json_type;
	struct varlena *target_options; /* jsonb object */
	struct varlena *columns;	/* jsonb object */
	char	   *event_filter;	/* include, exclude or NULL */
	struct varlena *event_names;	/* text[], with event_filter */
	char	   *row_filter;
	char	   *system_timezone;
	char	   *status;
	int32		settings_version;
	Oid			owner;
	TimestampTz created_at;
	TimestampTz updated_at;
} SwPipeline;

extern SwPipeline *sw_cat_pipeline_find(const char *name);

/* The newest version, locked until the transaction ends. */
extern SwPipeline *sw_cat_pipeline_lock(const char *name);
extern SwPipeline *sw_cat_pipeline_get(int64 pipeline_id);

/* Insert and fill in id, settings_version and times. */
extern void sw_cat_pipeline_insert(SwPipeline *pipeline);

/*
 * Throw when two pipelines that are not stopped have the same target: one of
 * the destination as it is now (not yet stored, perhaps), given the target
 * tables of its pipelines, and another.  pipeline_id is not compared with
 * itself; 0 for a new one.
 */
extern void sw_cat_pipeline_check_target(const SwDestination *destination,
										 int64 pipeline_id,
										 const char *target_table);

/* Pipelines (SwPipeline) of a destination that are not stopped. */
extern List *sw_cat_pipeline_list(int64 destination_id);
extern void sw_cat_pipeline_update(SwPipeline *pipeline);
extern void sw_cat_pipeline_pack(const SwPipeline *pipeline,
								 StringInfo bytes);
extern SwPipeline *sw_cat_pipeline_unpack(StringInfo bytes);
extern void sw_cat_pipeline_delete(const SwPipeline *pipeline);
extern void sw_cat_pipeline_set_status(int64 pipeline_id, const char *status);

/* Has it a run that has not ended?  Then it may still write. */
extern bool sw_cat_pipeline_is_writing(int64 pipeline_id);

/* Has it a backfill or a run that has not ended, or objects staged? */
extern bool sw_cat_pipeline_is_busy(int64 pipeline_id);

/* Creating the target failed: count, remember why, try again at that time. */
extern void sw_cat_pipeline_record_failure(int64 pipeline_id,
										   TimestampTz next_attempt_at,
										   const char *error,
										   const char *hint);
extern int32 sw_cat_pipeline_count_failures(int64 pipeline_id);

/*
 * The target exists: new becomes running.  is_marked: its comment says that
 * it is the pipeline's.
 */
extern void sw_cat_pipeline_record_created(int64 pipeline_id, bool is_marked);

/* The mark is gone. */
extern void sw_cat_pipeline_record_released(int64 pipeline_id);

/* Is it new, and due for an attempt to create its target? */
extern bool sw_cat_pipeline_is_creation_due(int64 pipeline_id);

/* Is it stopped, and due for an attempt to take its mark off the target? */
extern bool sw_cat_pipeline_is_release_due(int64 pipeline_id);

/* May the current user act as role (superuser, the role, a member)? */
extern bool sw_cat_may_use_role(Oid role);

/* ---- backfills (sw_cat_backfill.c) ---- */

typedef struct SwBackfill
{
	int64		backfill_id;
	int64		pipeline_id;
	bool		allow_shrink;
	char	   *status;
	int32		attempt;		/* failures of the current window so far */
} SwBackfill;

typedef struct SwWindow
{
	int64		backfill_id;
	char	   *day;			/* YYYY-MM-DD */
	TimestampTz window_start;
	TimestampTz window_end;
	int32		last_attempt;	/* of the run that tried it last; 0 = none */
} SwWindow;

/*
 * Queue a backfill with one window per calendar day in the zone.  Throws
 * when one is queued or running already.
 */
extern int64 sw_cat_backfill_insert(const SwPipeline *pipeline, DateADT from,
									DateADT to, bool allow_shrink);

/* The queued or running backfill of a pipeline that is due, or NULL. */
extern SwBackfill *sw_cat_backfill_find_due(int64 pipeline_id);

/* The first window not done yet, or NULL. */
extern SwWindow *sw_cat_backfill_next_window(int64 backfill_id);

/* A run has begun on the window. */
extern void sw_cat_backfill_begin_window(const SwWindow *window,
										 int64 run_id);
extern void sw_cat_backfill_finish_window(const SwWindow *window,
										  const char *status,
										  int64 n_rows);

/* A window failed; the same window is due again at that time. */
extern void sw_cat_backfill_postpone(int64 backfill_id,
									 TimestampTz next_attempt_at,
									 const char *error, const char *hint);
extern void sw_cat_backfill_finish(int64 backfill_id, const char *status,
								   const char *error, const char *hint);

typedef struct SwBackfillState
{
	char	   *status;
	Oid			owner;			/* of the pipeline */
	bool		is_own_transaction; /* made by the caller's transaction */
	bool		has_ended;
} SwBackfillState;

/* Looks with a snapshot of its own; NULL when there is none. */
extern SwBackfillState *sw_cat_backfill_look(int64 backfill_id);

/* ---- runs and staged objects (sw_cat_run.c) ---- */

extern int64 sw_cat_run_insert(const SwPipeline *pipeline, const char *kind,
							   TimestampTz range_start, TimestampTz range_end,
							   int32 attempt);

/* The files are in the store. */
extern void sw_cat_run_set_staged(int64 run_id, int32 n_files, int64 n_bytes);

/* The rows are at the target. */
extern void sw_cat_run_set_rows(int64 run_id, int64 n_rows);
extern void sw_cat_run_set_load(int64 run_id, const char *query_id);
extern void sw_cat_run_finish(int64 run_id, const char *status,
							  const char *sqlstate, const char *error,
							  const char *detail, const char *hint);
extern void sw_cat_run_log(int64 run_id, const char *level,
						   const char *fmt,...) pg_attribute_printf(3, 4);

/*
 * Close runs that claim to be running although nobody works on the pipeline
 * (the caller holds its lock); their windows are queued again.  The first
 * interruption of a window is free, later ones wait longer and longer, and
 * after max_interruptions the backfill fails: something in it kills workers.
 * Returns how many there were.
 */
extern int64 sw_cat_run_close_interrupted(int64 pipeline_id, int backoff_ms,
										  int backoff_max_ms,
										  int max_interruptions);

typedef struct SwStagedObject
{
	int64		object_id;
	int64		run_id;
	char	   *endpoint;		/* of the store it is in, */
	char	   *region;			/* which the destination may have left since */
	char	   *bucket;
	char	   *key;
} SwStagedObject;

/* destination says in which store. */
extern int64 sw_cat_object_insert(int64 run_id,
								  const SwDestination *destination,
								  const char *key, int64 n_rows,
								  int64 n_bytes);

/*
 * Objects of the pipeline that are left over and due to be deleted, except
 * those of a run that is running.
 */
extern List *sw_cat_object_list_due(int64 pipeline_id);

/* Those of one run. */
extern List *sw_cat_object_list_run(int64 run_id);
extern void sw_cat_object_set_deleted(int64 object_id);

/* Deleting failed; try again, later and later. */
extern void sw_cat_object_postpone(int64 object_id);

/* The same for all of a pipeline that are due. */
extern void sw_cat_object_postpone_due(int64 pipeline_id);

/* ---- stage tables at warehouses (sw_cat_stage.c) ---- */

typedef struct SwStageTable
{
	int64		run_id;
	char	   *host;			/* of the warehouse it is in, */
	int32		port;			/* which the destination may have left since */
	char	   *database;
	char	   *name;
} SwStageTable;

/* On record before it is made: the one of that run. */
extern void sw_cat_stage_insert(int64 run_id,
								const SwDestination *destination,
								const char *name);

/*
 * Those of a pipeline's runs that may still be there, SwStageTable; with
 * only_due, without those whose next attempt to be dropped lies ahead.
 */
extern List *sw_cat_stage_list(int64 pipeline_id, bool only_due);

/* The one of that run is gone. */
extern void sw_cat_stage_delete(int64 run_id);

/* Dropping those of a pipeline that are due failed; later and later. */
extern void sw_cat_stage_postpone_due(int64 pipeline_id);

/* ---- work (sw_cat_work.c) ---- */

typedef struct SwWork
{
	int64		pipeline_id;
	TimestampTz due_at;
} SwWork;

/* Is the extension installed in this database? */
extern bool sw_cat_is_installed(void);

/* Pipelines with something to do, by when it is due. */
extern List *sw_cat_work_list(void);

#endif							/* SW_CATALOG_H */
