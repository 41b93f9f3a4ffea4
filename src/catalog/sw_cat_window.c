/*-------------------------------------------------------------------------
 *
 * sw_cat_window.c
 *	  Captures, windows and chunks of incremental sync in the catalog.
 *
 * A window is open from its capture on until all of its chunks are done; what
 * a worker that died has left is continued from these rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

/* ---- captures ---- */

int64
sw_cat_capture_insert(int64 pipeline_id, TimestampTz captured_at,
					  const struct varlena *content)
{
	SwSpi		spi;
	int64		capture_id;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_time(&spi, captured_at);
	sw_spi_arg(&spi, BYTEAOID, PointerGetDatum(content), false);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.capture"
				" (pipeline_id, captured_at, content) VALUES ($1, $2, $3)"
				" RETURNING capture_id");
	capture_id = sw_spi_get_int64(&spi, 0, "capture_id");
	sw_spi_end(&spi);
	return capture_id;
}

void
sw_cat_capture_insert_copy(int64 pipeline_id, int64 run_id,
						   TimestampTz captured_at,
						   const struct varlena *content)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_time(&spi, captured_at);
	sw_spi_arg(&spi, BYTEAOID, PointerGetDatum(content), false);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.capture"
				" (pipeline_id, copy_run_id, captured_at, content)"
				" VALUES ($1, $2, $3, $4)");
	sw_spi_end(&spi);
}

/* What windows had still to bring is in the copy. */
void
sw_cat_capture_restart(int64 pipeline_id, int64 run_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_exec(&spi, "SELECT FROM _sensorswave.capture"
				" WHERE pipeline_id = $1 AND copy_run_id = $2");
	if (spi.n_rows > 0)
	{
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_exec(&spi, "DELETE FROM _sensorswave.sync_window"
					" WHERE pipeline_id = $1");
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_arg_int64(&spi, run_id);
		sw_spi_exec(&spi, "DELETE FROM _sensorswave.capture"
					" WHERE pipeline_id = $1"
					" AND copy_run_id IS DISTINCT FROM $2");
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_exec(&spi, "UPDATE _sensorswave.capture SET copy_run_id = NULL"
					" WHERE pipeline_id = $1");
	}
	sw_spi_end(&spi);
}

static SwCaptureRecord *
read_capture(SwSpi *spi)
{
	SwCaptureRecord *capture = NULL;

	if (spi->n_rows > 0)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi->result_context);
		bool		isnull;

		capture = palloc(sizeof(SwCaptureRecord));
		capture->capture_id = sw_spi_get_int64(spi, 0, "capture_id");
		capture->captured_at = sw_spi_get_int64(spi, 0, "captured_at");
		capture->content =
			PG_DETOAST_DATUM_COPY(sw_spi_get(spi, 0, "content", &isnull));
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(spi);
	return capture;
}

SwCaptureRecord *
sw_cat_capture_last(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT capture_id, captured_at, content"
				" FROM _sensorswave.capture WHERE pipeline_id = $1"
				" AND copy_run_id IS NULL"
				" ORDER BY capture_id DESC LIMIT 1");
	return read_capture(&spi);
}

SwCaptureRecord *
sw_cat_capture_get(int64 capture_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, capture_id);
	sw_spi_exec(&spi, "SELECT capture_id, captured_at, content"
				" FROM _sensorswave.capture WHERE capture_id = $1");
	return read_capture(&spi);
}

/* ---- windows ---- */

void
sw_cat_window_open(SwSyncWindow *window)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window->pipeline_id);
	sw_spi_arg_text(&spi, window->kind);
	sw_spi_arg_text(&spi, window->strategy);
	sw_spi_arg_int64(&spi, window->from_capture);
	sw_spi_arg_int64(&spi, window->to_capture);
	sw_spi_arg_time(&spi, window->bound);
	sw_spi_arg_text(&spi, window->cursor_expression);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.sync_window"
				" (pipeline_id, kind, strategy, from_capture, to_capture,"
				" bound, cursor_expression)"
				" VALUES ($1, $2, $3, $4, $5, nullif($6, '-infinity'), $7)"
				" RETURNING window_id");
	window->window_id = sw_spi_get_int64(&spi, 0, "window_id");
	sw_spi_end(&spi);
}

#define SELECT_WINDOWS \
	"SELECT window_id, pipeline_id, kind, strategy, from_capture, to_capture," \
	" coalesce(bound, '-infinity') AS bound, cursor_expression, attempt, n_rows" \
	" FROM _sensorswave.sync_window"

static List *
read_windows(SwSpi *spi)
{
	List	   *windows = NIL;
	uint64		i;

	for (i = 0; i < spi->n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi->result_context);
		SwSyncWindow *window = palloc(sizeof(SwSyncWindow));

		window->window_id = sw_spi_get_int64(spi, i, "window_id");
		window->pipeline_id = sw_spi_get_int64(spi, i, "pipeline_id");
		window->kind = sw_spi_get_text(spi, i, "kind");
		window->strategy = sw_spi_get_text(spi, i, "strategy");
		window->from_capture = sw_spi_get_int64(spi, i, "from_capture");
		window->to_capture = sw_spi_get_int64(spi, i, "to_capture");
		window->bound = sw_spi_get_int64(spi, i, "bound");
		window->cursor_expression = sw_spi_get_text(spi, i, "cursor_expression");
		window->attempt = sw_spi_get_int32(spi, i, "attempt");
		window->n_rows = sw_spi_get_int64(spi, i, "n_rows");
		windows = lappend(windows, window);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(spi);
	return windows;
}

static SwSyncWindow *
read_window(SwSpi *spi)
{
	List	   *windows = read_windows(spi);

	return windows == NIL ? NULL : linitial(windows);
}

SwSyncWindow *
sw_cat_window_find_open(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, SELECT_WINDOWS " WHERE pipeline_id = $1 AND status = 'open'");
	return read_window(&spi);
}

#define IS_UNSWEPT \
	" pipeline_id = $1 AND kind = 'incremental' AND status = 'done'"

List *
sw_cat_window_list_unswept(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, SELECT_WINDOWS " WHERE" IS_UNSWEPT " ORDER BY window_id");
	return read_windows(&spi);
}

SwSyncWindow *
sw_cat_window_last_unswept(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, SELECT_WINDOWS " WHERE" IS_UNSWEPT
				" AND EXISTS (SELECT FROM _sensorswave.sync_window WHERE" IS_UNSWEPT
				" AND bound IS NOT NULL AND strategy = 'versions')"
				" ORDER BY window_id DESC LIMIT 1");
	return read_window(&spi);
}

void
sw_cat_window_finish(int64 window_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_window"
				" SET status = 'done', attempt = 0 WHERE window_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_window_record_failure(int64 window_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_window"
				" SET attempt = attempt + 1 WHERE window_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_window_set_cursor(SwSyncWindow *window, const char *expression)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window->window_id);
	sw_spi_arg_text(&spi, expression);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_window"
				" SET cursor_expression = $2 WHERE window_id = $1");
	window->cursor_expression =
		MemoryContextStrdup(spi.result_context, expression);
	sw_spi_end(&spi);
}

void
sw_cat_window_forget_done(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.sync_window"
				" WHERE pipeline_id = $1 AND status = 'done'");
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.capture c WHERE pipeline_id = $1"
				" AND copy_run_id IS NULL"
				" AND capture_id < (SELECT max(capture_id)"
				" FROM _sensorswave.capture WHERE pipeline_id = $1"
				" AND copy_run_id IS NULL)"
				" AND NOT EXISTS (SELECT FROM _sensorswave.sync_window w"
				" WHERE w.pipeline_id = $1"
				" AND c.capture_id IN (w.from_capture, w.to_capture))");
	sw_spi_end(&spi);
}

/* ---- chunks ---- */

void
sw_cat_chunk_insert(int64 window_id, const List *chunks)
{
	SwSpi		spi;
	ListCell   *cell;

	sw_spi_begin(&spi);
	foreach(cell, chunks)
	{
		SwChunk    *chunk = lfirst(cell);

		sw_spi_arg_int64(&spi, window_id);
		sw_spi_arg_int32(&spi, foreach_current_index(cell));
		sw_spi_arg(&spi, REGCLASSOID, ObjectIdGetDatum(chunk->leaf),
				   !OidIsValid(chunk->leaf));
		sw_spi_arg_int64(&spi, chunk->first_block);
		sw_spi_arg_int64(&spi, chunk->end_block);
		sw_spi_arg_time(&spi, chunk->cursor_from);
		sw_spi_arg_time(&spi, chunk->cursor_to);
		sw_spi_arg_bool(&spi, chunk->cursor_nulls);
		sw_spi_exec(&spi, "INSERT INTO _sensorswave.chunk"
					" (window_id, ordinal, leaf, first_block, end_block,"
					" cursor_from, cursor_to, cursor_nulls)"
					" VALUES ($1, $2, $3, $4, nullif($5, -1),"
					" nullif($6, '-infinity'), nullif($7, 'infinity'), $8)"
					" RETURNING chunk_id");
		chunk->chunk_id = sw_spi_get_int64(&spi, 0, "chunk_id");
		chunk->window_id = window_id;
	}
	sw_spi_end(&spi);
}

static SwChunk *
read_chunk(SwSpi *spi, uint64 i)
{
	SwChunk    *chunk = palloc0(sizeof(SwChunk));
	bool		isnull;

	chunk->chunk_id = sw_spi_get_int64(spi, i, "chunk_id");
	chunk->window_id = sw_spi_get_int64(spi, i, "window_id");
	chunk->leaf = DatumGetObjectId(sw_spi_get(spi, i, "leaf", &isnull));
	chunk->first_block = sw_spi_get_int64(spi, i, "first_block");
	chunk->end_block = sw_spi_get_int64(spi, i, "end_block");
	chunk->cursor_from = sw_spi_get_int64(spi, i, "cursor_from");
	chunk->cursor_to = sw_spi_get_int64(spi, i, "cursor_to");
	chunk->cursor_nulls = sw_spi_get_bool(spi, i, "cursor_nulls");
	chunk->status = sw_spi_get_text(spi, i, "status");
	chunk->run_id = sw_spi_get_int64(spi, i, "run_id");
	chunk->n_rows = sw_spi_get_int64(spi, i, "n_rows");
	chunk->first_day = sw_spi_get_text(spi, i, "first_day");
	chunk->last_day = sw_spi_get_text(spi, i, "last_day");
	chunk->stage_format = sw_spi_get_text(spi, i, "stage_format");
	chunk->stage_compression = sw_spi_get_text(spi, i, "stage_compression");
	chunk->load_query_id = sw_spi_get_text(spi, i, "load_query_id");
	chunk->target_rows_before = sw_spi_get_int64(spi, i, "target_rows_before");
	chunk->n_files_loaded = sw_spi_get_int32(spi, i, "n_files_loaded");
	return chunk;
}

List *
sw_cat_chunk_list(int64 window_id)
{
	List	   *chunks = NIL;
	SwSpi		spi;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, window_id);
	sw_spi_exec(&spi, "SELECT chunk_id, window_id, leaf::oid AS leaf,"
				" coalesce(first_block, 0) AS first_block,"
				" coalesce(end_block, -1) AS end_block,"
				" coalesce(cursor_from, '-infinity') AS cursor_from,"
				" coalesce(cursor_to, 'infinity') AS cursor_to, cursor_nulls,"
				" status, run_id, n_rows,"
				" to_char(first_day, 'YYYY-MM-DD') AS first_day,"
				" to_char(last_day, 'YYYY-MM-DD') AS last_day,"
				" stage_format, stage_compression, load_query_id,"
				" coalesce(target_rows_before, -1) AS target_rows_before,"
				" n_files_loaded"
				" FROM _sensorswave.chunk"
				" WHERE window_id = $1 AND status <> 'done' ORDER BY ordinal");
	for (i = 0; i < spi.n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);

		chunks = lappend(chunks, read_chunk(&spi, i));
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return chunks;
}

void
sw_cat_chunk_merge_leaf(const SwChunk *chunk)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, chunk->window_id);
	sw_spi_arg(&spi, REGCLASSOID, ObjectIdGetDatum(chunk->leaf), false);
	sw_spi_exec(&spi, "WITH planned AS (SELECT chunk_id,"
				" row_number() OVER (ORDER BY ordinal) AS n FROM _sensorswave.chunk"
				" WHERE window_id = $1 AND leaf = $2 AND status = 'planned'),"
				" kept AS (UPDATE _sensorswave.chunk c"
				" SET first_block = 0, end_block = NULL FROM planned p"
				" WHERE c.chunk_id = p.chunk_id AND p.n = 1),"
				" marked AS (INSERT INTO _sensorswave.marked_day (pipeline_id, day, reason)"
				" SELECT DISTINCT w.pipeline_id, c.first_day + n,"
				" 'a table was rewritten while it was read'"
				" FROM _sensorswave.chunk c JOIN _sensorswave.sync_window w USING (window_id),"
				" generate_series(0, c.last_day - c.first_day) n"
				" WHERE c.window_id = $1 AND c.leaf = $2 AND c.status <> 'planned'"
				" ON CONFLICT DO NOTHING)"
				" DELETE FROM _sensorswave.chunk c USING planned p"
				" WHERE c.chunk_id = p.chunk_id AND p.n > 1");
	sw_spi_end(&spi);
}

void
sw_cat_chunk_set_read(SwChunk *chunk, int64 run_id, int64 n_rows,
					  const SwChunkSpan *span, const char *timezone)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int64(&spi, n_rows);
	sw_spi_arg_time(&spi, span->time_min);
	sw_spi_arg_time(&spi, span->time_max);
	sw_spi_arg_time(&spi, span->cursor_min);
	sw_spi_arg_time(&spi, span->cursor_max);
	sw_spi_arg_text(&spi, timezone);
	sw_spi_exec(&spi, "UPDATE _sensorswave.chunk SET run_id = $2, n_rows = $3,"
				" first_day = (nullif($4, '-infinity') AT TIME ZONE $8)::date,"
				" last_day = (nullif($5, '-infinity') AT TIME ZONE $8)::date,"
				" cursor_min = nullif($6, '-infinity'),"
				" cursor_max = nullif($7, '-infinity')"
				" WHERE chunk_id = $1"
				" RETURNING to_char(first_day, 'YYYY-MM-DD') AS first_day,"
				" to_char(last_day, 'YYYY-MM-DD') AS last_day");
	chunk->run_id = run_id;
	chunk->n_rows = n_rows;
	chunk->first_day = sw_spi_get_text(&spi, 0, "first_day");
	chunk->last_day = sw_spi_get_text(&spi, 0, "last_day");
	sw_spi_end(&spi);
}

static void
set_status(SwSpi *spi, SwChunk *chunk, const char *status)
{
	sw_spi_arg_int64(spi, chunk->chunk_id);
	sw_spi_arg_text(spi, status);
	sw_spi_exec(spi, "UPDATE _sensorswave.chunk SET status = $2"
				" WHERE chunk_id = $1");
	chunk->status = MemoryContextStrdup(spi->result_context, status);
}

void
sw_cat_chunk_set_staged(SwChunk *chunk, const SwDestination *destination)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	set_status(&spi, chunk, "staged");
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_arg_text(&spi, destination->stage_format);
	sw_spi_arg_text(&spi, destination->stage_compression);
	sw_spi_exec(&spi, "UPDATE _sensorswave.chunk SET stage_format = $2,"
				" stage_compression = $3 WHERE chunk_id = $1");
	chunk->stage_format =
		MemoryContextStrdup(spi.result_context, destination->stage_format);
	chunk->stage_compression =
		MemoryContextStrdup(spi.result_context, destination->stage_compression);
	sw_spi_end(&spi);
}

void
sw_cat_chunk_set_loading(SwChunk *chunk, const char *query_id,
						 int64 target_rows_before, int32 n_files_loaded)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	set_status(&spi, chunk, "loading");
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_arg_text(&spi, query_id);
	sw_spi_arg_int64(&spi, target_rows_before);
	sw_spi_arg_int32(&spi, n_files_loaded);
	sw_spi_exec(&spi, "UPDATE _sensorswave.chunk SET load_query_id = $2,"
				" target_rows_before = nullif($3, -1), n_files_loaded = $4"
				" WHERE chunk_id = $1");
	chunk->load_query_id = MemoryContextStrdup(spi.result_context, query_id);
	chunk->target_rows_before = target_rows_before;
	chunk->n_files_loaded = n_files_loaded;
	sw_spi_end(&spi);
}

void
sw_cat_chunk_set_planned(SwChunk *chunk)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	set_status(&spi, chunk, "planned");
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.chunk SET run_id = NULL, n_rows = 0,"
				" load_query_id = NULL, target_rows_before = NULL,"
				" n_files_loaded = 0 WHERE chunk_id = $1");
	chunk->run_id = 0;
	chunk->n_rows = 0;
	chunk->load_query_id = NULL;
	chunk->target_rows_before = -1;
	chunk->n_files_loaded = 0;
	sw_spi_end(&spi);
}

bool
sw_cat_chunk_mark_days(const SwPipeline *pipeline, const SwChunk *chunk,
					   const char *reason)
{
	SwSpi		spi;
	bool		has_days;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline->pipeline_id);
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_arg_text(&spi, reason);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.marked_day (pipeline_id, day, reason)"
				" SELECT $1, first_day + n, $3 FROM _sensorswave.chunk,"
				" generate_series(0, last_day - first_day) n WHERE chunk_id = $2"
				" ON CONFLICT (pipeline_id, day) DO UPDATE SET reason = excluded.reason");
	has_days = spi.n_rows > 0;
	sw_spi_end(&spi);
	return has_days;
}

void
sw_cat_chunk_set_done(SwChunk *chunk)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	set_status(&spi, chunk, "done");
	sw_spi_arg_int64(&spi, chunk->window_id);
	sw_spi_arg_int64(&spi, chunk->n_rows);
	sw_spi_exec(&spi, "UPDATE _sensorswave.sync_window"
				" SET n_rows = n_rows + $2 WHERE window_id = $1");
	sw_spi_end(&spi);
}

/* ---- days that need a backfill ---- */

void
sw_cat_day_mark(int64 pipeline_id, const DateADT *days, int n_days,
				const char *reason)
{
	SwSpi		spi;
	int			i;

	sw_spi_begin(&spi);
	for (i = 0; i < n_days; i++)
	{
		sw_spi_arg_int64(&spi, pipeline_id);
		sw_spi_arg_date(&spi, days[i]);
		sw_spi_arg_text(&spi, reason);
		sw_spi_exec(&spi, "INSERT INTO _sensorswave.marked_day"
					" (pipeline_id, day, reason) VALUES ($1, $2, $3)"
					" ON CONFLICT DO NOTHING");
	}
	sw_spi_end(&spi);
}

void
sw_cat_day_unmark(int64 pipeline_id, const char *day)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_text(&spi, day);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.marked_day"
				" WHERE pipeline_id = $1 AND day = $2::date");
	sw_spi_end(&spi);
}
