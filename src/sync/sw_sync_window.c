/*-------------------------------------------------------------------------
 *
 * sw_sync_window.c
 *	  Windows of incremental sync: which rows lie between two captures.
 *
 * Contract: sw_sync_window.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "net/sw_point.h"
#include "source/sw_capture.h"
#include "source/sw_chunk_plan.h"
#include "source/sw_hole.h"
#include "source/sw_identity.h"
#include "source/sw_leaf.h"
#include "source/sw_read.h"
#include "source/sw_relation.h"
#include "sync/sw_aim.h"
#include "sync/sw_sync_window.h"
#include "sync/sw_tx.h"

/* Rows of a chunk, as the planner sees them: a few seconds of reading. */
#define ROWS_PER_CHUNK 2e6

/* So often a sweep by a former expression of the cursor is tried. */
#define FORMER_ATTEMPTS 3

#define BY_VERSIONS "versions"
#define BY_CURSOR "cursor"
#define INCREMENTAL "incremental"
#define SWEEP "sweep"

static bool
is_sweep(const SwSyncWindow *window)
{
	return strcmp(window->kind, SWEEP) == 0;
}

static bool
has_versions(const SwSyncWindow *window)
{
	return strcmp(window->strategy, BY_VERSIONS) == 0;
}

static bool
is_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What the cursor is made of; NULL = there is none. */
static const char *
get_cursor_expression(const SwPlan *plan)
{
	int			i = plan->query.cursor_column;

	if (i < 0)
		return NULL;
	return plan->query.columns[i].expression != NULL ?
		plan->query.columns[i].expression :
		quote_identifier(plan->query.specs[i].name);
}

static int64
get_slack_us(const SwPipeline *pipeline)
{
	const Interval *slack = pipeline->cursor_slack;

	return slack->time + (slack->day + slack->month * (int64) DAYS_PER_MONTH) *
		USECS_PER_DAY;
}

/* Rows whose cursor lies below are left to the sweep. */
static TimestampTz
get_bound(const SwPlan *plan, const SwCapture *from)
{
	if (plan->query.cursor_column < 0)
		return DT_NOBEGIN;
	return sw_capture_get_bound(from, get_slack_us(plan->pipeline));
}

static int64
save_capture(const SwPipeline *pipeline, const SwCapture *capture)
{
	return sw_cat_capture_insert(pipeline->pipeline_id, capture->captured_at,
								 sw_capture_pack(capture));
}

/* ---- a window is opened ---- */

static List *
plan_chunks(const SwPlan *plan, TimestampTz now)
{
	const SwPipeline *pipeline = plan->pipeline;
	List	   *chunks = NIL;
	List	   *ranges;
	ListCell   *cell;
	SwIdentity	identity;

	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	(void) sw_plan_build_query(plan);
	ranges = sw_chunk_plan(&plan->query, now, ROWS_PER_CHUNK);
	sw_identity_leave(&identity);
	foreach(cell, ranges)
	{
		const SwSourceRange *range = lfirst(cell);
		SwChunk    *chunk = palloc0(sizeof(SwChunk));

		chunk->leaf = range->leaf;
		chunk->first_block = range->first_block;
		chunk->end_block = range->end_block;
		chunk->cursor_from = range->cursor_from;
		chunk->cursor_to = range->cursor_to;
		chunk->cursor_nulls = range->cursor_nulls;
		chunks = lappend(chunks, chunk);
	}
	return chunks;
}

/* The window is aimed at, and its captures are on record. */
static void
record_window(const SwRun *run, SwSyncWindow *window, TimestampTz now)
{
	sw_cat_window_open(window);
	sw_cat_chunk_insert(window->window_id, plan_chunks(run->plan, now));
	sw_cat_run_set_window(run->run_id, window);
}

static const char *
describe_bound(const SwSyncWindow *window)
{
	return window->bound == DT_NOBEGIN ? "the beginning" :
		timestamptz_to_str(window->bound);
}

/*
 * Without row versions, an append target can do with a cursor only: it gets
 * the rows from the bound on, or, where none is known, from the time of the
 * capture.
 */
static void
fall_back(const SwRun *run, const SwCapture *from, SwSyncWindow *window)
{
	const SwPipeline *pipeline = run->pipeline;
	bool		is_append = strcmp(pipeline->mode, "append") == 0;
	char	   *unversioned;

	if (is_append && window->cursor_expression == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("new rows of pipeline \"%s\" cannot be told from old ones",
						pipeline->name),
				 errdetail("The versions of the source's rows cannot be used, and the pipeline has no cursor_column."),
				 errhint("Empty the target and call sw_backfill, or make a pipeline with a cursor_column or with mode \"upsert\".")));
	unversioned = sw_relation_find_unversioned(pipeline->source);
	if (is_append && from->n_leaves > 0 && unversioned != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("source of pipeline \"%s\" has got a part without row versions",
						pipeline->name),
				 errdetail_internal("%s", unversioned),
				 errhint("Detach it, or make a pipeline for the others: rows would arrive more than once.")));
	if (window->cursor_expression != NULL && window->bound == DT_NOBEGIN)
		window->bound = from->captured_at - get_slack_us(pipeline);
}

/* How to find the rows; the run's log says so. */
static void
choose_strategy(const SwRun *run, const SwCapture *from, SwSyncWindow *window)
{
	const SwPipeline *pipeline = run->pipeline;
	const char *gap;

	window->strategy = BY_CURSOR;
	if (!sw_relation_has_versions(pipeline->source))
	{
		fall_back(run, from, window);
		sw_cat_run_log(run->run_id, "info",
					   "rows are found by their time cursor, from %s on, since the source has no row versions: some may arrive twice",
					   describe_bound(window));
		return;
	}
	gap = sw_capture_find_gap(from);
	if (gap == NULL)
	{
		window->strategy = BY_VERSIONS;
		sw_cat_run_log(run->run_id, "info",
					   "rows are found by their versions, with a cursor from %s on",
					   describe_bound(window));
		return;
	}
	fall_back(run, from, window);
	sw_cat_run_log(run->run_id, "warning",
				   "rows are found by their cursor this time, some may arrive twice, and those committed late need a backfill: %s",
				   gap);
	/* The windows before cannot be told apart any more either. */
	sw_cat_window_forget_done(pipeline->pipeline_id);
}

/* ---- tables that came from elsewhere, or were rewritten ---- */

/* Were there rows in a leaf by then? */
static bool
had_rows(const SwPlan *plan, Oid leaf, const SwCapture *by)
{
	const SwVersionWindow before = {.to = by,.bound = DT_NOBEGIN};
	const SwRowTest test = {.windows = &before,.n_windows = 1};
	const SwSourceRange range = {
		.leaf = leaf,
		.end_block = -1,
		.cursor_from = DT_NOBEGIN,
		.cursor_to = DT_NOEND
	};
	SwPlan		probe = *plan;

	probe.query.row_test = &test;
	probe.query.cursor_bound = DT_NOBEGIN;
	probe.query.range = &range;
	return sw_read_probe(&probe.query, sw_plan_build_query(&probe));
}

/*
 * Rows that were in a table before it was attached are in no window, and
 * those of one that was rewritten all look new (sw_aim.c).  Their days, where
 * the target has such; else one stands for all.
 */
static int
find_rows(const SwPlan *plan, const SwLeafChange *change,
		  const SwCapture *from, DateADT **days)
{
	const SwPipeline *pipeline = plan->pipeline;
	int			n_days;
	SwIdentity	identity;

	*days = NULL;
	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	if (plan->shape->is_partitioned)
		*days = sw_hole_list_days(&plan->query, change, from, &n_days);
	else
		n_days = change->is_attached &&
			had_rows(plan, change->relid, from) ? 1 : 0;
	sw_identity_leave(&identity);
	return n_days;
}

static void
report_change(const SwRun *run, const SwLeafChange *change,
			  const SwCapture *from)
{
	const char *what = change->is_attached ? "attached" : "rewritten";
	char	   *name = get_rel_name(change->relid);
	DateADT    *days;
	int			n_days;

	if (name == NULL)
		return;
	n_days = find_rows(run->plan, change, from, &days);
	if (n_days > 0 && days != NULL)
	{
		sw_cat_day_mark(run->pipeline->pipeline_id, days, n_days,
						psprintf("table \"%s\" was %s", name, what));
		sw_cat_run_log(run->run_id, "warning",
					   "table \"%s\" was %s: %d days need a backfill, see days_needing_backfill in sw_status",
					   name, what, n_days);
	}
	else if (!change->is_attached && days == NULL &&
			 strcmp(run->pipeline->mode, "append") == 0)
		sw_cat_run_log(run->run_id, "warning",
					   "table \"%s\" was rewritten: its rows may arrive once more",
					   name);
	else if (n_days > 0)
		sw_cat_run_log(run->run_id, "warning",
					   "table \"%s\" was attached: the rows that it had are missing at the target until all is copied (sw_backfill)",
					   name);
}

/* Under a snapshot that is younger than the lock on the tables. */
static void
report_changes(const SwRun *run, const SwCapture *from, const SwCapture *to)
{
	SwLeafChange *changes;
	uint32		n_changes;
	uint32		i;

	if (to->is_cut)
		sw_cat_run_log(run->run_id, "warning",
					   "a transaction with very many subtransactions is open: rows committed after it began arrive when it has ended");
	changes = sw_leaf_compare(from->leaves, from->n_leaves,
							  to->leaves, to->n_leaves, &n_changes);
	if (n_changes == 0)
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	for (i = 0; i < n_changes; i++)
		report_change(run, &changes[i], from);
	PopActiveSnapshot();
}

static SwSyncWindow *
open_incremental(const SwRun *run)
{
	const SwPipeline *pipeline = run->pipeline;
	SwCaptureRecord *last = sw_cat_capture_last(pipeline->pipeline_id);
	SwSyncWindow *window = palloc0(sizeof(SwSyncWindow));
	SwCapture  *from;
	SwCapture  *to;
	SwIdentity	identity;

	if (last == NULL)
		elog(ERROR, "pipeline \"%s\" has no capture to begin at",
			 pipeline->name);
	/* Is the source there, and its owner?  From now on it stays. */
	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	sw_identity_leave(&identity);
	from = sw_capture_unpack(last->content, last->captured_at);
	to = sw_capture_take(pipeline->source, from);
	window->pipeline_id = pipeline->pipeline_id;
	window->kind = INCREMENTAL;
	window->cursor_expression = (char *) get_cursor_expression(run->plan);
	window->bound = get_bound(run->plan, from);
	choose_strategy(run, from, window);
	if (has_versions(window))
		report_changes(run, from, to);
	window->from_capture = last->capture_id;
	window->to_capture = save_capture(pipeline, to);
	sw_aim_incremental(run->plan, window, from, to);
	record_window(run, window, to->captured_at);
	return window;
}

void
sw_sync_window_aim_at_now(SwPlan *plan, const SwCapture *from)
{
	const SwPipeline *pipeline = plan->pipeline;
	const SwSyncWindow window = {
		.kind = INCREMENTAL,
		.strategy = sw_relation_has_versions(pipeline->source) &&
		sw_capture_find_gap(from) == NULL ? BY_VERSIONS : BY_CURSOR,
		.bound = get_bound(plan, from)
	};

	sw_aim_incremental(plan, &window, from,
					   sw_capture_take(pipeline->source, from));
}

/* The last window that a sweep has something to look for in, or NULL. */
static SwSyncWindow *
find_sweepable(const SwPipeline *pipeline)
{
	if (!sw_relation_has_versions(pipeline->source))
		return NULL;
	return sw_cat_window_last_unswept(pipeline->pipeline_id);
}

static SwSyncWindow *
open_sweep(const SwRun *run)
{
	int64		pipeline_id = run->pipeline->pipeline_id;
	const List *windows = sw_cat_window_list_unswept(pipeline_id);
	const SwSyncWindow *first = linitial(windows);
	const SwSyncWindow *last = llast(windows);
	SwSyncWindow *window = palloc0(sizeof(SwSyncWindow));

	window->pipeline_id = pipeline_id;
	window->kind = SWEEP;
	window->strategy = BY_VERSIONS;
	window->cursor_expression = last->cursor_expression;
	window->from_capture = first->from_capture;
	window->to_capture = last->to_capture;
	window->bound = DT_NOBEGIN;
	sw_aim_window(run->plan, window);
	record_window(run, window, GetCurrentTimestamp());
	return window;
}

/*
 * The former expression may name a column that is gone: then it fails again
 * and again.
 */
static bool
has_given_up(const SwRun *run)
{
	return sw_cat_run_count_windowless(run->pipeline) >= FORMER_ATTEMPTS;
}

SwSyncWindow *
sw_sync_window_open(const SwRun *run)
{
	SwSyncWindow *window;
	SwSyncWindow *unswept;

	sw_tx_begin("opening a window");
	unswept = find_sweepable(run->pipeline);
	if (unswept != NULL &&
		is_same_text(unswept->cursor_expression,
					 get_cursor_expression(run->plan)))
		unswept = NULL;
	if (unswept != NULL && has_given_up(run))
	{
		sw_cat_run_log(run->run_id, "warning",
					   "the cursor's expression was changed, and the former one cannot be used any more: late rows of the time before need a backfill");
		sw_cat_window_forget_done(run->pipeline->pipeline_id);
		unswept = NULL;
	}
	if (unswept != NULL)
	{
		window = open_sweep(run);
		sw_cat_run_log(run->run_id, "info",
					   "the cursor's expression was changed: late rows of the time before are brought first");
	}
	else
		window = open_incremental(run);
	sw_tx_commit();
	sw_point("window.opened");
	return window;
}

void
sw_sync_window_mend(const SwRun *run, SwSyncWindow *window)
{
	const char *now = get_cursor_expression(run->plan);
	ListCell   *cell;

	if (is_sweep(window) || window->attempt < FORMER_ATTEMPTS ||
		now == NULL || is_same_text(now, window->cursor_expression))
		return;
	foreach(cell, sw_cat_chunk_list(window->window_id))
	{
		const SwChunk *chunk = lfirst(cell);

		if (strcmp(chunk->status, "planned") != 0 ||
			OidIsValid(chunk->leaf) ||
			chunk->cursor_from != DT_NOBEGIN || chunk->cursor_to != DT_NOEND)
			return;
	}
	sw_cat_window_set_cursor(window, now);
	sw_cat_run_log(run->run_id, "warning",
				   "the cursor's expression was changed, and the former one fails: the present one is used");
}

SwSyncWindow *
sw_sync_window_open_sweep(const SwRun *run)
{
	SwSyncWindow *window = NULL;

	sw_tx_begin("opening a sweep");
	if (find_sweepable(run->pipeline) != NULL)
		window = open_sweep(run);
	sw_tx_commit();
	sw_point("sweep.opened");
	return window;
}

/*
 * What no sweep will ask for is forgotten at once: windows of a source
 * without versions or without a cursor.
 */
void
sw_sync_window_finish(const SwRun *run, const SwSyncWindow *window)
{
	int64		pipeline_id = run->pipeline->pipeline_id;

	sw_tx_begin("recording a window");
	sw_cat_window_finish(window->window_id);
	if (is_sweep(window) || find_sweepable(run->pipeline) == NULL)
		sw_cat_window_forget_done(pipeline_id);
	sw_tx_commit();
	sw_point(is_sweep(window) ? "sweep.done" : "window.done");
}
