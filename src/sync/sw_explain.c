/*-------------------------------------------------------------------------
 *
 * sw_explain.c
 *	  What a pipeline would run, as text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "net/sw_report.h"
#include "source/sw_identity.h"
#include "source/sw_read.h"
#include "sync/sw_connect.h"
#include "sync/sw_explain.h"
#include "sync/sw_pipeline.h"
#include "sync/sw_plan.h"
#include "sync/sw_stage.h"
#include "sync/sw_sync_window.h"

static List *
append_lines(List *lines, const char *heading, const char *text)
{
	char	   *copy = pstrdup(text);
	char	   *line;

	if (lines != NIL)
		lines = lappend(lines, "");
	lines = lappend(lines, psprintf("-- %s", heading));
	while ((line = strsep(&copy, "\n")) != NULL)
		lines = lappend(lines, line);
	return lines;
}

/* The query that reads a window, as its reader would run it. */
static char *
window_query(const SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	SwPlan		window = *plan;
	SwIdentity	identity;
	char	   *sql;

	window.query.window_end = GetCurrentTimestamp();
	window.query.window_start = window.query.window_end - USECS_PER_DAY;
	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	sql = sw_plan_build_query(&window);
	sw_identity_leave(&identity);
	return sql;
}

/*
 * The query that a sync would run now, and the server's plan for it: does an
 * index serve?
 */
static List *
append_sync(List *lines, const SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	SwCaptureRecord *last = sw_cat_capture_last(pipeline->pipeline_id);
	SwPlan		sync = *plan;
	SwCapture  *from;
	StringInfoData text;
	SwIdentity	identity;
	char	   *sql;
	ListCell   *cell;

	if (last == NULL)
		return lines;
	from = sw_capture_unpack(last->content, last->captured_at);
	sw_sync_window_aim_at_now(&sync, from);
	initStringInfo(&text);
	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	sql = sw_plan_build_query(&sync);
	foreach(cell, sw_read_explain(&sync.query, sql))
		appendStringInfo(&text, "%s%s", text.len > 0 ? "\n" : "",
						 (char *) lfirst(cell));
	sw_identity_leave(&identity);
	lines = append_lines(lines, sync.query.row_test == NULL ?
						 "rows of a sync now" :
						 "rows of a sync now; $1: is the row's version new in its window?",
						 sql);
	return append_lines(lines, "how the server would find them", text.data);
}

/* Where the files of a run would be, with what varies named. */
static char *
sample_url(const SwConnect *connect, int64 pipeline_id)
{
	const SwDestination *d = connect->destination;
	SwStore    *store = sw_connect_store(connect, CurrentMemoryContext);
	char	   *url;

	url = sw_store_load_url(store,
							psprintf("%s%s" INT64_FORMAT "/RUN/part-00000.%s",
									 d->stage_prefix, d->stage_prefix[0] ? "/" : "",
									 pipeline_id,
									 sw_stage_get_writer(d)->file_extension));
	sw_store_close(store);
	return url;
}

List *
sw_explain_pipeline(const char *name)
{
	SwPipeline *pipeline = sw_pipeline_look_up(name);
	SwDestination *destination = sw_cat_destination_get(pipeline->destination_id);
	SwConnect  *connect = sw_connect_describe(destination, CurrentMemoryContext);
	SwPlan	   *plan = sw_plan_create(pipeline);
	const SwWriterOps *ops = sw_stage_get_writer(destination);
	SwLoadSource source = {
		.format = ops->format_name,
		.compression = ops->compression,
		.access_key = destination->stage_access_key,
		.secret_key = connect->store_options.secret_key,
		.stage_table = sw_target_name_stage(destination->kind, "RUN")
	};
	SwTarget   *target;
	List	   *lines;
	SwError		err;

	sw_plan_aim(plan, destination);
	if (sw_target_create(&connect->target_options, CurrentMemoryContext,
						 &target, &err) != SW_OK)
		sw_report(ERROR, &err);
	lines = append_lines(NIL, "target table",
						 sw_target_write_ddl(target, &plan->table));
	lines = append_lines(lines, plan->query.time_column < 0 ?
						 "rows of a full copy" :
						 "rows of a window, here of the last 24 hours",
						 window_query(plan));
	lines = append_sync(lines, plan);
	source.url = sample_url(connect, pipeline->pipeline_id);
	lines = append_lines(lines, plan->query.time_column < 0 ?
						 "load of a full copy" : "load of a window",
						 sw_target_write_load(target, &plan->table,
											  plan->shape->is_partitioned ?
											  "YYYY-MM-DD" : NULL, &source));
	sw_target_close(target);
	return lines;
}
