/*-------------------------------------------------------------------------
 *
 * sw_stage.c
 *	  From rows of the source to objects in the staging store.
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
	SwWriterOptions options;
	SwWriter   *writer;			/* of the file being written, or NULL */
	SwResource *writer_owner;
	MemoryContext writer_context;
	SwStagedFile *file;
} Filling;

const SwWriterOps *
sw_stage_get_writer(const SwDestination *destination)
{
	const SwWriterOps *ops = sw_writer_find(destination->stage_format);

	if (ops == NULL)
		elog(ERROR, "unknown stage_format \"%s\"", destination->stage_format);
	return ops;
}

SwStage *
sw_stage_create(const SwDestination *destination, int64 pipeline_id,
				int64 run_id, MemoryContext context)
{
	MemoryContext saved = MemoryContextSwitchTo(context);
	SwStage    *stage = palloc0(sizeof(SwStage));
	uint64		random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	stage->context = context;
	stage->writer_ops = sw_stage_get_writer(destination);
	stage->key_prefix = psprintf("%s%s" INT64_FORMAT "/" INT64_FORMAT "-%016llx/",
								 destination->stage_prefix,
								 destination->stage_prefix[0] ? "/" : "",
								 pipeline_id, run_id,
								 (unsigned long long) random);
	MemoryContextSwitchTo(saved);
	return stage;
}

static void
begin_file(Filling *filling)
{
	SwStage    *stage = filling->stage;
	MemoryContext saved;

	saved = MemoryContextSwitchTo(stage->context);
	filling->file = palloc0(sizeof(SwStagedFile));
	filling->file->spool = sw_spool_create(stage->context);
	filling->file->key = psprintf("%spart-%05d.%s", stage->key_prefix,
								  list_length(stage->files),
								  stage->writer_ops->file_extension);

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
	MemoryContext saved;
	SwError		err;

	if (stage->writer_ops->finish(filling->writer, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_resource_release(filling->writer_owner);
	MemoryContextDelete(filling->writer_context);
	filling->writer = NULL;

	filling->file->n_bytes = sw_spool_bytes(filling->file->spool);
	stage->n_bytes += filling->file->n_bytes;
	saved = MemoryContextSwitchTo(stage->context);
	stage->files = lappend(stage->files, filling->file);
	MemoryContextSwitchTo(saved);
}

static void
flush_batch(void *arg, const SwBatch *batch)
{
	Filling    *filling = arg;
	SwStage    *stage = filling->stage;
	MemoryContext saved;
	SwError		err;

	if (filling->writer == NULL)
		begin_file(filling);
	saved = MemoryContextSwitchTo(filling->writer_context);
	if (stage->writer_ops->write_batch(filling->writer, batch, &err) != SW_OK)
		sw_report(ERROR, &err);
	MemoryContextSwitchTo(saved);
	filling->file->n_rows += batch->n_rows;
	stage->n_rows += batch->n_rows;

	if (stage->writer_ops->bytes_written(filling->writer) >=
		(uint64) sw_file_size_kb * 1024)
		end_file(filling);
}

void
sw_stage_read(SwStage *stage, const SwPlan *plan)
{
	const SwPipeline *pipeline = plan->pipeline;
	Size		memory = (Size) sw_worker_memory_kb * 1024;
	Size		file_bytes = (Size) sw_file_size_kb * 1024;
	SwReadOptions options = {
		ROWS_PER_BATCH,
		Min(memory / BATCH_SHARE, file_bytes)	/* a file ends between batches */
	};
	Filling		filling = {
		.stage = stage,
		.shape = plan->shape,
		.options = {
			.compression_level = 1,
			.group_bytes = memory / GROUP_SHARE,
			.created_by = "sensorswave_export " SW_VERSION
		}
	};
	SwIdentity	identity;

	sw_identity_enter(pipeline->owner, pipeline->source,
					  pipeline->system_timezone, &identity);
	sw_read_query(&plan->query, sw_query_build(&plan->query), &options,
				  flush_batch, &filling);
	sw_identity_leave(&identity);

	if (filling.writer != NULL)
		end_file(&filling);
}

void
sw_stage_upload(SwStage *stage, SwStore *store)
{
	ListCell   *cell;

	foreach(cell, stage->files)
	{
		SwStagedFile *file = lfirst(cell);
		SwBody		body = sw_spool_body(file->spool);
		SwError		err;

		if (sw_store_put(store, file->key, &body, &err) != SW_OK)
			sw_report(ERROR, &err);
		sw_spool_close(file->spool);
	}
}

char *
sw_stage_load_key(const SwStage *stage)
{
	if (list_length(stage->files) == 1)
		return ((SwStagedFile *) linitial(stage->files))->key;
	return psprintf("%spart-*.%s", stage->key_prefix,
					stage->writer_ops->file_extension);
}
