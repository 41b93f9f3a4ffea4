/*-------------------------------------------------------------------------
 *
 * sw_stage.c
 *	  From rows of the source to objects in the staging store.
 *
 * One writer at a time fills the spool of one file; the store is served
 * after each batch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog/sw_settings.h"
#include "common/sw_version.h"
#include "net/sw_report.h"
#include "net/sw_resource.h"
#include "source/sw_identity.h"
#include "source/sw_read.h"
#include "sync/sw_span.h"
#include "sync/sw_stage.h"

/*
 * A batch may fill this share of worker_memory: the row group it goes into
 * and the compressed pages of that group take the rest.
 */
#define BATCH_SHARE 8
#define GROUP_SHARE 4
#define ROWS_PER_BATCH 65536

typedef struct Filling
{
	SwStage    *stage;
	const SwShape *shape;
	const SwSourceQuery *query;
	SwWriterOptions options;
	SwWriter   *writer;			/* of the file being written, or NULL */
	SwResource *writer_owner;
	MemoryContext writer_context;
	SwStagedFile *file;
} Filling;

const SwWriterOps *
sw_stage_get_writer(const SwDestination *destination)
{
	const SwWriterOps *ops = sw_writer_find(destination->stage_format,
											destination->stage_compression);

	if (ops == NULL)
		elog(ERROR, "unknown stage_format \"%s\" with stage_compression \"%s\"",
			 destination->stage_format, destination->stage_compression);
	return ops;
}

SwStage *
sw_stage_create(const SwDestination *destination, SwStore *store,
				int64 pipeline_id, int64 run_id, MemoryContext context)
{
	MemoryContext saved = MemoryContextSwitchTo(context);
	SwStage    *stage = palloc0(sizeof(SwStage));
	uint64		random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	stage->context = context;
	stage->store = store;
	sw_span_init(&stage->span);
	stage->writer_ops = sw_stage_get_writer(destination);
	/* of ByteHouse it is not known whether it casts them */
	stage->has_dictionaries = strcmp(destination->kind, "clickhouse") == 0;
	stage->key_prefix = psprintf("%s%s" INT64_FORMAT "/" INT64_FORMAT "-%016llx/",
								 destination->stage_prefix,
								 destination->stage_prefix[0] ? "/" : "",
								 pipeline_id, run_id,
								 (unsigned long long) random);
	MemoryContextSwitchTo(saved);
	return stage;
}

static char *
make_key(const SwStage *stage, int number)
{
	return psprintf("%spart-%05d.%s", stage->key_prefix, number,
					stage->writer_ops->file_extension);
}

List *
sw_stage_claim(SwStage *stage, int n)
{
	List	   *keys = NIL;

	for (stage->n_claimed = 0; stage->n_claimed < n; stage->n_claimed++)
		keys = lappend(keys, make_key(stage, stage->n_claimed));
	return keys;
}

/* ---- uploads ---- */

/* Its key must be on record. */
static SwStatus
begin_upload(SwStage *stage, SwStagedFile *file, SwError *err)
{
	SwUploadSource source = sw_spool_source(file->spool);
	SwUploadOptions options = {.parts_in_flight = sw_parts_in_flight};

	return sw_upload_begin(stage->store, file->key, &source, &options,
						   stage->context, &file->upload, err);
}

/* Send what the store takes at this moment; fails when no repeat cures it. */
static SwStatus
advance_uploads(SwStage *stage, SwError *err)
{
	ListCell   *cell;

	foreach(cell, stage->files)
	{
		SwStagedFile *file = lfirst(cell);

		if (file->upload == NULL || sw_upload_is_done(file->upload))
			continue;
		SW_TRY(sw_upload_advance(file->upload, sw_spool_bytes(file->spool),
								 err));
		if (sw_upload_is_done(file->upload))
			sw_spool_close(file->spool);
	}
	return SW_OK;
}

/* ---- files ---- */

static void
begin_file(Filling *filling)
{
	SwStage    *stage = filling->stage;
	MemoryContext saved;
	SwError		err;

	saved = MemoryContextSwitchTo(stage->context);
	filling->file = palloc0(sizeof(SwStagedFile));
	filling->file->spool = sw_spool_create(stage->context);
	filling->file->key = make_key(stage, list_length(stage->files));
	stage->files = lappend(stage->files, filling->file);
	if (list_length(stage->files) <= stage->n_claimed &&
		begin_upload(stage, filling->file, &err) != SW_OK)
		sw_report(ERROR, &err);

	filling->writer_context = AllocSetContextCreate(stage->context, "SwWriter",
													ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(filling->writer_context);
	filling->writer_owner =
		sw_resource_create(filling->writer_context,
						   (SwResourceDestroy) stage->writer_ops->destroy);
	filling->writer = stage->writer_ops->open(filling->shape->columns,
											  filling->shape->n_columns,
											  &filling->options,
											  sw_spool_sink(filling->file->spool));
	filling->writer_owner->object = filling->writer;
	MemoryContextSwitchTo(saved);
}

static void
end_file(Filling *filling)
{
	SwStage    *stage = filling->stage;
	SwStagedFile *file = filling->file;
	SwError		err;

	if (stage->writer_ops->finish(filling->writer, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_resource_release(filling->writer_owner);
	MemoryContextDelete(filling->writer_context);
	filling->writer = NULL;

	file->n_bytes = sw_spool_bytes(file->spool);
	stage->n_bytes += file->n_bytes;
	if (file->upload != NULL)
		sw_upload_set_end(file->upload, file->n_bytes);
}

static void
flush_batch(void *arg, const SwBatch *batch)
{
	Filling    *filling = arg;
	SwStage    *stage = filling->stage;
	SwStagedFile *file;
	MemoryContext saved;
	SwError		err;

	if (filling->writer == NULL)
		begin_file(filling);
	file = filling->file;
	sw_span_add(&stage->span, filling->query, batch);
	saved = MemoryContextSwitchTo(filling->writer_context);
	if (stage->writer_ops->write_batch(filling->writer, batch, &err) != SW_OK)
		sw_report(ERROR, &err);
	MemoryContextSwitchTo(saved);
	file->n_rows += batch->n_rows;
	stage->n_rows += batch->n_rows;
	if (stage->max_parts > 0)
		file->n_parts += sw_span_count_days(filling->query, batch);

	if (stage->writer_ops->bytes_written(filling->writer) >=
		(uint64) sw_file_size_kb * 1024 ||
		(stage->max_parts > 0 && file->n_parts >= stage->max_parts))
		end_file(filling);
	if (advance_uploads(stage, &err) != SW_OK)
		sw_report(ERROR, &err);
}

void
sw_stage_read(SwStage *stage, const SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	Size		memory = (Size) sw_worker_memory_kb * 1024;
	Size		file_bytes = (Size) sw_file_size_kb * 1024;
	SwReadOptions options = {
		.rows_per_batch = ROWS_PER_BATCH,
		/* a file ends between batches */
		.bytes_per_batch = Min(memory / BATCH_SHARE, file_bytes),
		.report = &stage->report
	};
	Filling		filling = {
		.stage = stage,
		.shape = plan->shape,
		.query = &plan->query,
		.options = {
			.compression_level = 1,
			.group_bytes = memory / GROUP_SHARE,
			.created_by = "sensorswave_export " SW_VERSION,
			.has_dictionaries = stage->has_dictionaries
		}
	};
	SwIdentity	identity;

	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	sw_read_query(&plan->query, sw_plan_build_query(plan), &options,
				  flush_batch, &filling);
	sw_identity_leave(&identity);

	if (filling.writer != NULL)
		end_file(&filling);
}

/* Begin what has waited for its key to be on record. */
static SwStatus
begin_rest(SwStage *stage, SwError *err)
{
	ListCell   *cell;

	foreach(cell, stage->files)
	{
		SwStagedFile *file = lfirst(cell);

		if (file->upload != NULL || file->is_in_store)
			continue;
		SW_TRY(begin_upload(stage, file, err));
		sw_upload_set_end(file->upload, file->n_bytes);
	}
	return SW_OK;
}

static SwStatus
finish_upload(SwStagedFile *file, SwError *err)
{
	SwUploadResult result;

	SW_TRY(sw_upload_finish(file->upload, file->n_bytes, &result, err));
	sw_upload_destroy(file->upload);
	file->upload = NULL;
	sw_spool_close(file->spool);
	file->is_in_store = true;
	return SW_OK;
}

bool
sw_stage_upload(SwStage *stage, SwStatus *status_out, SwError *err)
{
	ListCell   *cell;

	*status_out = begin_rest(stage, err);
	if (*status_out == SW_OK)
		*status_out = advance_uploads(stage, err);
	if (*status_out != SW_OK)
		return true;
	foreach(cell, stage->files)
	{
		SwStagedFile *file = lfirst(cell);

		if (file->is_in_store)
			continue;
		*status_out = finish_upload(file, err);
		return true;
	}
	return false;
}

const char *
sw_stage_next_upload(SwStage *stage, const char **upload_id_out)
{
	ListCell   *cell;

	foreach(cell, stage->files)
	{
		SwStagedFile *file = lfirst(cell);

		if (file->upload == NULL || file->is_upload_told)
			continue;
		*upload_id_out = sw_upload_id(file->upload);
		if (*upload_id_out == NULL)
			continue;
		file->is_upload_told = true;
		return file->key;
	}
	return NULL;
}

void
sw_stage_retell_uploads(SwStage *stage)
{
	ListCell   *cell;

	foreach(cell, stage->files)
		((SwStagedFile *) lfirst(cell))->is_upload_told = false;
}

char *
sw_stage_load_key(const SwStage *stage)
{
	if (list_length(stage->files) == 1)
		return ((SwStagedFile *) linitial(stage->files))->key;
	return psprintf("%spart-*.%s", stage->key_prefix,
					stage->writer_ops->file_extension);
}
