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

#include "catalog/sw_cat_fence.h"

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
	char	   *cursor_column;	/* of the target, or NULL */
	char	   *time_column;	/* of the target, or NULL */
	Interval   *cursor_slack;
	Interval   *sweep_every;
	char	   *schedule;		/* as sync/sw_schedule.h reads it */
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

/* Times of creation are those of net/sw_clock.h: schedules count from them. */
extern SwPipeline *sw_cat_pipeline_find(const char *name);

/* The newest version, locked until the transaction ends. */
extern SwPipeline *sw_cat_pipeline_lock(const char *name);

/* The same, but kept from changes only: others may do so, too. */
extern SwPipeline *sw_cat_pipeline_lock_shared(const char *name);
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

/* The id of one that has not ended, due or not; 0 = there is none. */
extern int64 sw_cat_backfill_find_active(int64 pipeline_id);

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

/* ---- captures, windows and chunks of incremental sync (sw_cat_window.c) ---- */

/* A moment that windows begin or end at; content is of source/sw_capture.h. */
typedef struct SwCaptureRecord
{
	int64		capture_id;
	TimestampTz captured_at;
	struct varlena *content;
} SwCaptureRecord;

extern int64 sw_cat_capture_insert(int64 pipeline_id, TimestampTz captured_at,
								   const struct varlena *content);

/*
 * One that a run of a full copy reads up to: sync goes on from it when the
 * copy has succeeded, and is on record as not being a window's until then.
 */
extern void sw_cat_capture_insert_copy(int64 pipeline_id, int64 run_id,
									   TimestampTz captured_at,
									   const struct varlena *content);
extern void sw_cat_capture_restart(int64 pipeline_id, int64 run_id);

/* The pipeline's last, which the next window begins at; NULL = none. */
extern SwCaptureRecord *sw_cat_capture_last(int64 pipeline_id);
extern SwCaptureRecord *sw_cat_capture_get(int64 capture_id);

typedef struct SwSyncWindow
{
	int64		window_id;
	int64		pipeline_id;
	char	   *kind;			/* incremental, sweep */
	char	   *strategy;		/* versions, cursor */
	int64		from_capture;
	int64		to_capture;
	TimestampTz bound;			/* DT_NOBEGIN = none */
	char	   *cursor_expression;	/* of which bound speaks, or NULL */
	int32		attempt;		/* failures so far */
	int64		n_rows;			/* delivered so far */
} SwSyncWindow;

/* Insert, and fill in its id.  Throws when one is open already. */
extern void sw_cat_window_open(SwSyncWindow *window);

/* The one that is open, or NULL. */
extern SwSyncWindow *sw_cat_window_find_open(int64 pipeline_id);

/* Incremental ones that are done and no sweep has passed yet, oldest first. */
extern List *sw_cat_window_list_unswept(int64 pipeline_id);

/*
 * The newest of those; NULL when none of them has left out anything, so that
 * there is nothing to sweep.  Does not read them all: there may be many.
 */
extern SwSyncWindow *sw_cat_window_last_unswept(int64 pipeline_id);

/* All its chunks are done. */
extern void sw_cat_window_finish(int64 window_id);

/* It has failed once more. */
extern void sw_cat_window_record_failure(int64 window_id);

/* What its cursor was cannot be used any more. */
extern void sw_cat_window_set_cursor(SwSyncWindow *window,
									 const char *expression);

/*
 * Forget windows that are done and captures before the last: nobody asks for
 * them any more.
 */
extern void sw_cat_window_forget_done(int64 pipeline_id);

/* A part of a window; all parts together are the window. */
typedef struct SwChunk
{
	int64		chunk_id;
	int64		window_id;
	Oid			leaf;			/* table whose rows it has; InvalidOid = all */
	int64		first_block;	/* and blocks of that, */
	int64		end_block;		/* -1 = to the end */
	TimestampTz cursor_from;	/* or rows by their cursor; DT_NOBEGIN */
	TimestampTz cursor_to;		/* first instant after, or DT_NOEND */
	bool		cursor_nulls;	/* those without one, too */
	char	   *status;			/* planned, staged, loading, done */
	int64		run_id;			/* that staged it, or 0 */
	int64		n_rows;
	char	   *first_day;		/* of the target's partitions that its rows */
	char	   *last_day;		/* are in; NULL where there are none */
	char	   *stage_format;	/* of its files */
	char	   *stage_compression;
	char	   *load_query_id;	/* of the load that was begun last */
	int64		target_rows_before; /* it, in those days; -1 = not known */
	int32		n_files_loaded; /* before it, where each has its own */
} SwChunk;

/* Insert a window's chunks, SwChunk, in that order. */
extern void sw_cat_chunk_insert(int64 window_id, const List *chunks);

/* Those that are not done, in their order. */
extern List *sw_cat_chunk_list(int64 window_id);

/*
 * The blocks of a leaf are others now: one chunk takes the place of those
 * that are planned for it.
 */
extern void sw_cat_chunk_merge_leaf(const SwChunk *chunk);

/*
 * Its rows have been read by the run: so many, between those instants of
 * their day column (DT_NOBEGIN where there is none) and their cursor.
 */
typedef struct SwChunkSpan
{
	TimestampTz time_min;
	TimestampTz time_max;
	TimestampTz cursor_min;
	TimestampTz cursor_max;
} SwChunkSpan;

extern void sw_cat_chunk_set_read(SwChunk *chunk, int64 run_id, int64 n_rows,
								  const SwChunkSpan *span,
								  const char *timezone);

/*
 * All its files are in the store, written as the destination says: from now
 * on it is loaded, not read again.
 */
extern void sw_cat_chunk_set_staged(SwChunk *chunk,
									const SwDestination *destination);

/*
 * A load of that id is about to begin: of all files, or of the one after those
 * that are loaded.
 */
extern void sw_cat_chunk_set_loading(SwChunk *chunk, const char *query_id,
									 int64 target_rows_before,
									 int32 n_files_loaded);

/* Its files are gone: it is read again. */
extern void sw_cat_chunk_set_planned(SwChunk *chunk);

/* Its days need a backfill, where the target has such: true. */
extern bool sw_cat_chunk_mark_days(const SwPipeline *pipeline,
								   const SwChunk *chunk, const char *reason);

/* The target has its rows. */
extern void sw_cat_chunk_set_done(SwChunk *chunk);

/* Only a backfill makes these days (DateADT) of the target right again. */
extern void sw_cat_day_mark(int64 pipeline_id, const DateADT *days, int n_days,
							const char *reason);

/* That has been done: YYYY-MM-DD. */
extern void sw_cat_day_unmark(int64 pipeline_id, const char *day);

/* ---- runs (sw_cat_run.c) ---- */

/* The range may be open: DT_NOBEGIN, DT_NOEND. */
extern int64 sw_cat_run_insert(const SwPipeline *pipeline, const char *kind,
							   TimestampTz range_start, TimestampTz range_end,
							   int32 attempt);

/* How many files the pipeline's last run with any had; 0 = there is none. */
extern int32 sw_cat_run_last_files(int64 pipeline_id);

/* The run is about that window, as its attempt. */
extern void sw_cat_run_set_window(int64 run_id, const SwSyncWindow *window);

/* That many more files are in the store. */
extern void sw_cat_run_add_staged(int64 run_id, int32 n_files, int64 n_bytes);

/*
 * Runs of the pipeline as it is defined now that have failed before they had a
 * window.
 */
extern int64 sw_cat_run_count_windowless(const SwPipeline *pipeline);

/* Its chunks tell which rows: how many, and their cursors. */
extern void sw_cat_run_sum_chunk(int64 run_id, const SwChunk *chunk);

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
	int64		n_rows;
	char	   *upload_id;		/* of its multipart upload, or NULL */
	bool		is_staged;		/* else its upload may be under way still */
	bool		is_deleted_once;
	int32		delete_attempts;	/* that failed */
} SwStagedObject;

/* Whose objects are spoken of: a run's, or those of a chunk that it reads. */
typedef struct SwObjectOwner
{
	int64		run_id;
	int64		chunk_id;		/* 0 = the run has no chunks */
} SwObjectOwner;

/*
 * Objects with these keys (char *) may come to be; destination says in which
 * store.
 */
extern void sw_cat_object_claim(const SwObjectOwner *owner,
								const SwDestination *destination,
								const List *keys);

/* There is a file for this key, claimed or not. */
extern void sw_cat_object_record(const SwObjectOwner *owner,
								 const SwDestination *destination,
								 const char *key, int64 n_rows,
								 int64 n_bytes);

/* There is none for what has been claimed beyond those on record. */
extern void sw_cat_object_unclaim(const SwObjectOwner *owner);

/* Its multipart upload has been created. */
extern void sw_cat_object_set_upload(int64 run_id, const char *key,
									 const char *upload_id);

/* All its objects are in the store, and no upload is under way. */
extern void sw_cat_object_set_staged(const SwObjectOwner *owner);

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
 * SQL, a condition on staged_object: it is not on its way to the target.
 * Such an object is nobody's to delete before its chunk is done.
 */
#define SW_CAT_OBJECT_IS_FREE \
	"NOT EXISTS (SELECT FROM _sensorswave.chunk c" \
	" JOIN _sensorswave.sync_window USING (window_id)" \
	" JOIN _sensorswave.pipeline p USING (pipeline_id)" \
	" WHERE p.status <> 'stopped'" \
	" AND c.chunk_id = staged_object.chunk_id" \
	" AND c.run_id = staged_object.run_id" \
	" AND c.status IN ('staged', 'loading'))"

/*
 * Objects of the pipeline that are left over and due to be deleted, except
 * those of a run that is running, and those of chunks that are yet to be
 * loaded.
 */
extern List *sw_cat_object_list_due(int64 pipeline_id);

/* Those of one run that are due, running or not; except the latter. */
extern List *sw_cat_object_list_run(int64 run_id);

/* The files of a chunk that is staged, by key. */
extern List *sw_cat_object_list_chunk(const SwChunk *chunk);

/*
 * They are gone.  A request to write an object that was not seen through may
 * still be served after that, so such an object is due once more, that much
 * later.
 */
extern void sw_cat_object_set_deleted(const List *objects,
									  int repeat_after_ms);

/* Deleting failed; try again, later and later. */
extern void sw_cat_object_postpone(const List *objects);

/* The same for all that sw_cat_object_list_due may list. */
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

/* ---- what somebody waits for (sw_cat_await.c) ---- */

/* A backfill or a run as somebody sees it who waits for its end. */
typedef struct SwAwaited
{
	char	   *status;
	Oid			owner;			/* of the pipeline */
	bool		is_own_transaction; /* asked for by the caller's transaction */
	bool		has_ended;
	char	   *sqlstate;		/* of why it failed; each may be NULL */
	char	   *error;
	char	   *detail;
	char	   *hint;
} SwAwaited;

/* Look with a snapshot of their own; NULL when there is none. */
extern SwAwaited *sw_cat_backfill_look(int64 backfill_id);
extern SwAwaited *sw_cat_run_look(int64 run_id);

/* Commit what a procedure has done so far, and go on in a new transaction. */
extern void sw_cat_commit_call(void);

/* ---- when incremental sync is due (sw_cat_sync.c) ---- */

typedef struct SwSyncState
{
	int64		pipeline_id;
	TimestampTz next_tick_at;	/* DT_NOEND = never, by its schedule */
	TimestampTz next_attempt_at;	/* after a failure, by the server's clock;
									 * DT_NOEND = it has not failed */
	TimestampTz next_sweep_at;
	int32		consecutive_failures;
	char	   *last_error;
	char	   *last_hint;
	TimestampTz last_success_at;	/* DT_NOBEGIN = never */
	char	   *pause_reason;	/* NULL unless paused */
} SwSyncState;

/*
 * A pipeline was made: its first tick, its first sweep one sweep_every from
 * now on, and who works on it.
 */
extern void sw_cat_sync_insert(const SwPipeline *pipeline,
							   TimestampTz next_tick_at, TimestampTz now,
							   const SwInstance *instance);

/* NULL: it comes from a dump, or another database. */
extern SwSyncState *sw_cat_sync_get(int64 pipeline_id);

/* Its schedule or sweep_every was edited; both take effect at once. */
extern void sw_cat_sync_set_tick(int64 pipeline_id, TimestampTz next_tick_at);
extern void sw_cat_sync_set_sweep(int64 pipeline_id, TimestampTz now);

/*
 * Is there something to do for incremental sync: a run asked for, an attempt
 * due again, a tick, a window that was left open, rows left out that a sweep
 * is due for?  Not while the pipeline is not running or has a backfill that
 * has not ended.  now is the clock that schedules go by.
 *
 * A run asked for is locked until the transaction ends, so that
 * sw_cat_sync_take_request finds it; one that somebody is about to ask for
 * again (and has not committed) is not due yet.
 */
extern bool sw_cat_sync_is_due(int64 pipeline_id, TimestampTz now);

/*
 * A run has succeeded.  The next tick is set unless the schedule has been
 * edited since the caller saw seen_tick_at (sync/sw_tick.h does all that).
 */
extern void sw_cat_sync_record_success(int64 pipeline_id,
									   TimestampTz seen_tick_at,
									   TimestampTz next_tick_at);

/* A sweep that began at that time is done: the next one sweep_every later. */
extern void sw_cat_sync_record_swept(int64 pipeline_id, TimestampTz swept_at);

/* A run has failed; no other, but one asked for, before that time. */
extern void sw_cat_sync_record_failure(int64 pipeline_id,
									   TimestampTz next_attempt_at,
									   const char *error, const char *hint);

/*
 * Ask for a run: a queued one, which all who ask before it begins share.
 * Returns its id.  The pipeline is locked, or locked shared.
 */
extern int64 sw_cat_sync_request(const SwPipeline *pipeline);

/*
 * The run asked for, which is running from now on, or 0.  One that somebody
 * is about to ask for again is left alone: what he has written has to be seen
 * by it.
 */
extern int64 sw_cat_sync_take_request(const SwPipeline *pipeline);

/* It will not be run, for that reason. */
extern void sw_cat_sync_cancel_request(int64 pipeline_id, const char *error,
									   const char *hint);

/* Pause it, or let it go on at once (reason is NULL). */
extern void sw_cat_sync_set_pause(int64 pipeline_id, const char *reason);

/* ---- work (sw_cat_work.c) ---- */

typedef struct SwWork
{
	int64		pipeline_id;
	TimestampTz due_at;			/* by the server's clock */
} SwWork;

/* Is the extension installed in this database? */
extern bool sw_cat_is_installed(void);

/*
 * Pipelines with something to do, by when it is due.  now is the clock that
 * schedules go by, real_now the server's; present is this instance.
 */
extern List *sw_cat_work_list(TimestampTz now, TimestampTz real_now,
							  const SwInstance *present);

#endif							/* SW_CATALOG_H */
