/*-------------------------------------------------------------------------
 *
 * sw_aim.c
 *	  Have a plan's query read a window of incremental sync, or a part of it.
 *
 * Contract: sw_aim.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "source/sw_leaf.h"
#include "source/sw_row_test.h"
#include "sync/sw_aim.h"

static bool
has_versions(const SwSyncWindow *window)
{
	return strcmp(window->strategy, "versions") == 0;
}

static SwCapture *
load_capture(int64 capture_id)
{
	const SwCaptureRecord *record = sw_cat_capture_get(capture_id);

	if (record == NULL)
		elog(ERROR, "capture " INT64_FORMAT " does not exist", capture_id);
	return sw_capture_unpack(record->content, record->captured_at);
}

/* All of them, at first. */
static void
clear_aim(SwPlan *plan)
{
	plan->row_test = NULL;
	plan->capture = NULL;
	plan->query.row_test = NULL;
	plan->query.cursor_bound = DT_NOBEGIN;
	plan->query.cursor_expression = NULL;
	plan->query.range = NULL;
}

static void
set_test(SwPlan *plan, SwRowTest *test)
{
	plan->row_test = test;
	plan->query.row_test = test;
	plan->capture = test->windows[test->n_windows - 1].to;
}

void
sw_aim_incremental(SwPlan *plan, const SwSyncWindow *window,
				   const SwCapture *from, const SwCapture *to)
{
	SwRowTest  *test;
	SwVersionWindow *versions;

	clear_aim(plan);
	plan->query.cursor_bound = window->bound;
	plan->query.cursor_expression = window->cursor_expression;
	if (!has_versions(window))
		return;
	versions = palloc0(sizeof(SwVersionWindow));
	versions->from = from;
	versions->to = to;
	versions->bound = window->bound;
	test = palloc0(sizeof(SwRowTest));
	test->windows = versions;
	test->n_windows = 1;
	set_test(plan, test);
}

void
sw_aim_copy(SwPlan *plan, const SwCapture *to)
{
	const SwSyncWindow window = {
		.kind = "incremental",
		.strategy = "versions",
		.bound = DT_NOBEGIN
	};

	sw_aim_incremental(plan, &window, NULL, to);
}

/* What each of the windows since the last sweep has left. */
static void
aim_sweep(SwPlan *plan, const SwSyncWindow *window)
{
	List	   *windows = sw_cat_window_list_unswept(window->pipeline_id);
	SwRowTest  *test = palloc0(sizeof(SwRowTest));
	SwVersionWindow *versions = palloc0(list_length(windows) *
										sizeof(SwVersionWindow));
	const SwSyncWindow *last = NULL;
	ListCell   *cell;

	foreach(cell, windows)
	{
		const SwSyncWindow *one = lfirst(cell);
		SwVersionWindow *version = &versions[test->n_windows];

		if (!has_versions(one))
			continue;
		version->from = last != NULL && last->to_capture == one->from_capture ?
			version[-1].to : load_capture(one->from_capture);
		version->to = load_capture(one->to_capture);
		version->bound = one->bound;
		test->n_windows++;
		last = one;
	}
	if (test->n_windows == 0)
		elog(ERROR, "window " INT64_FORMAT " has nothing to sweep",
			 window->window_id);
	test->windows = versions;
	test->is_sweep = true;
	clear_aim(plan);
	set_test(plan, test);
	plan->query.cursor_expression = window->cursor_expression;
}

void
sw_aim_window(SwPlan *plan, const SwSyncWindow *window)
{
	if (strcmp(window->kind, "sweep") == 0)
		aim_sweep(plan, window);
	else
		sw_aim_incremental(plan, window, load_capture(window->from_capture),
						   load_capture(window->to_capture));
}

void
sw_aim_chunk(SwPlan *plan, const SwChunk *chunk)
{
	plan->range.leaf = chunk->leaf;
	plan->range.first_block = chunk->first_block;
	plan->range.end_block = chunk->end_block;
	plan->range.cursor_from = chunk->cursor_from;
	plan->range.cursor_to = chunk->cursor_to;
	plan->range.cursor_nulls = chunk->cursor_nulls;
	plan->query.range = &plan->range;
}

/*
 * Rows of a table that was rewritten all look new.  They are left out where
 * they would be doubled and where their days can be marked, for among them may
 * be new ones.
 */
bool
sw_aim_hold(SwPlan *plan, const SwChunk *chunk)
{
	bool		has_blocks = chunk->first_block > 0 || chunk->end_block >= 0;
	SwLeafChange *changes;
	uint32		n_changes;
	uint32		i;

	if (plan->row_test == NULL)
		return true;
	changes = sw_leaf_hold(plan->pipeline->source, plan->capture->leaves,
						   plan->capture->n_leaves, &n_changes);
	for (i = 0; i < n_changes; i++)
		if (has_blocks && changes[i].relid == chunk->leaf)
			return false;
	if (plan->shape->is_partitioned)
		sw_row_test_add_rewrites(plan->row_test, changes, n_changes);
	return true;
}

void
sw_aim_lock(const SwPlan *plan)
{
	uint32		n_changes;

	(void) sw_leaf_hold(plan->pipeline->source, NULL, 0, &n_changes);
}
