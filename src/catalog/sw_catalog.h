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
	char	   *stage_compression;
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

/* Would a table of the same name be the same table? */
extern bool sw_cat_destination_is_same_place(const SwDestination *a,
											 const SwDestination *b);

/*
 * It is about to be moved to another place: note, for each pipeline that may
 * have marked its target, that the table bears the mark where it is now.
 */
extern void sw_cat_destination_leave(int64 destination_id);

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
	struct varlena *target_columns; /* jsonb array (sync/sw_columns.h), for
									 * data source table */
	char	   *event_filter;	/* include, exclude or NULL */
	struct varlena *event_names;	/* text[], with event_filter */
	char	   *row_filter;
	char	   *on_unrepresentable;
	struct varlena *datetime_properties;	/* text[], or NULL */
	struct varlena *array_properties;	/* text[], or NULL */
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

/*
 * Is it gone, or stopped without a run that has not ended?  Then it writes no
 * more.  As seen by this transaction, at this moment.
 */
extern bool sw_cat_pipeline_is_over(int64 pipeline_id);

/*
 * Has it a backfill or a run that has not ended, or something at a peer that
 * can be expected to be removed soon: staged objects, marks?
 */
extern bool sw_cat_pipeline_is_busy(int64 pipeline_id);

/* May the current user act as role (superuser, the role, a member)? */
extern bool sw_cat_may_use_role(Oid role);

/* ---- their target tables (sw_cat_target.c) ---- */

/*
 * Creating or releasing the target failed: count, remember why, try again at
 * that time; DT_NOEND: when somebody has changed something.
 */
extern void sw_cat_target_record_failure(int64 pipeline_id,
										 TimestampTz next_attempt_at,
										 const char *error,
										 const char *hint);
extern int32 sw_cat_target_count_failures(int64 pipeline_id);

/* The target exists: new becomes running. */
extern void sw_cat_target_record_created(int64 pipeline_id);

/*
 * The target may bear the pipeline's mark from now on (true: that is new), or
 * does not any more.
 */
extern bool sw_cat_target_hold(int64 pipeline_id);
extern void sw_cat_target_let_go(int64 pipeline_id);
extern bool sw_cat_target_is_held(int64 pipeline_id);

/*
 * The pipeline gives up its target at the destination.  Is there another one
 * in this database that has the same target now?  Then that holds it, with
 * whatever mark is there (sw_cat_pipeline.c).
 */
extern bool sw_cat_target_bequeath(const SwDestination *destination,
								   const SwPipeline *pipeline);

/* Is it new, and due for an attempt to create its target? */
extern bool sw_cat_target_is_creation_due(int64 pipeline_id);

/* Is it stopped, and due for an attempt to take its mark off the target? */
extern bool sw_cat_target_is_release_due(int64 pipeline_id);

/* A place where the pipeline's target was, and may still bear its mark. */
typedef struct SwFormerTarget
{
	int64		former_target_id;
	int32		n_failures;
	SwDestination *destination; /* as it was */
} SwFormerTarget;

/* Those of a pipeline; or only those due for an attempt to take it off. */
extern List *sw_cat_target_list_former(int64 pipeline_id, bool only_due);
extern void sw_cat_target_postpone_former(int64 former_target_id,
										  TimestampTz next_attempt_at);
extern void sw_cat_target_forget_former(int64 former_target_id);

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
	char	   *day;			/* YYYY-MM-DD; NULL = all of it, a full copy */
	TimestampTz window_start;	/* DT_NOBEGIN and */
	TimestampTz window_end;		/* DT_NOEND then */
	int32		last_attempt;	/* of the run that tried it last; 0 = none */
} SwWindow;

/*
 * Queue a backfill with one window per calendar day in the zone.  Throws
 * when one is queued or running already.
 */
extern int64 sw_cat_backfill_insert(const SwPipeline *pipeline, DateADT from,
									DateADT to, bool allow_shrink);

/* The same for a full copy: one window without days. */
extern int64 sw_cat_backfill_insert_copy(const SwPipeline *pipeline,
										 bool allow_shrink);

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

/* ---- runs (sw_cat_run.c) ---- */

/* The range may be open: DT_NOBEGIN, DT_NOEND. */
extern int64 sw_cat_run_insert(const SwPipeline *pipeline, const char *kind,
							   TimestampTz range_start, TimestampTz range_end,
							   int32 attempt);

/* How many files the pipeline's last run with any had; 0 = there is none. */
extern int32 sw_cat_run_last_files(int64 pipeline_id);

/* The files are in the store. */
extern void sw_cat_run_set_staged(int64 run_id, int32 n_files, int64 n_bytes);

/* The rows are at the target. */
extern void sw_cat_run_set_rows(int64 run_id, int64 n_rows);

/* The rows are about to be loaded, as many as that. */
extern void sw_cat_run_set_load(int64 run_id, const char *query_id,
								int64 n_rows);

/* A load that was begun by a run that failed. */
typedef struct SwLoad
{
	int64		run_id;
	bool		is_of_backfill; /* of the same; else of one before it */
	char	   *query_id;
	int64		n_rows;			/* that the run's loads were to bring in all */
} SwLoad;

/*
 * The last such load for the pipeline of this full copy, unless a copy has
 * succeeded since; or NULL.
 */
extern SwLoad *sw_cat_run_last_load(int64 backfill_id);
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

/* ---- staged objects (sw_cat_object.c) ---- */

typedef struct SwStagedObject
{
	int64		object_id;
	int64		run_id;
	char	   *kind;			/* of the store it is in, */
	char	   *endpoint;		/* which the destination may have left since */
	char	   *region;
	char	   *bucket;
	bool		path_style;
	char	   *key;
	char	   *upload_id;		/* of its multipart upload, or NULL */
	bool		is_staged;		/* else its upload may be under way still */
	bool		is_deleted_once;
	int32		delete_attempts;	/* that failed */
} SwStagedObject;

/*
 * Objects with these keys (char *) may come to be; destination says in which
 * store.
 */
extern void sw_cat_object_claim(int64 run_id,
								const SwDestination *destination,
								const List *keys);

/* There is a file for this key, claimed or not. */
extern void sw_cat_object_record(int64 run_id,
								 const SwDestination *destination,
								 const char *key, int64 n_rows,
								 int64 n_bytes);

/* There is none for what the run has claimed beyond those on record. */
extern void sw_cat_object_unclaim(int64 run_id);

/* Its multipart upload has been created. */
extern void sw_cat_object_set_upload(int64 run_id, const char *key,
									 const char *upload_id);

/* All objects of the run are in the store, and no upload is under way. */
extern void sw_cat_object_set_staged(int64 run_id);

/*
 * Keep the objects of a run that ended its backfill, for diagnosis; those of
 * an attempt that is repeated are not.  Returns how many are kept.
 */
extern int64 sw_cat_object_keep(int64 run_id, int seconds);

/* Objects of the pipeline that are kept are due now. */
extern void sw_cat_object_expire(int64 pipeline_id);

/*
 * How many objects of the pipeline may still be in a store; the bucket and
 * what the keys begin with of one of them.
 */
extern int64 sw_cat_object_count_left(int64 pipeline_id, char **bucket,
									  char **folder);

/*
 * Objects of the pipeline that are left over and due to be deleted, except
 * those of a run that is running.
 */
extern List *sw_cat_object_list_due(int64 pipeline_id);

/* Those of one run that are due, running or not. */
extern List *sw_cat_object_list_run(int64 run_id);

/*
 * They are gone.  A request to write an object that was not seen through may
 * still be served after that, so such an object is due once more, that much
 * later.
 */
extern void sw_cat_object_set_deleted(const List *objects,
									  int repeat_after_ms);

/* Deleting failed; try again, later and later. */
extern void sw_cat_object_postpone(const List *objects);

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
