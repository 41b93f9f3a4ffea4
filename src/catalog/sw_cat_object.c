/*-------------------------------------------------------------------------
 *
 * sw_cat_object.c
 *	  Staged objects in the catalog.
 *
 * An object is written before its first byte leaves and stays until its
 * deletion is confirmed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_spi.h"

static void
add_array(SwSpi *spi, Datum *values, int n_values, Oid array_type,
		  Oid type, int16 length, bool by_value, char align)
{
	ArrayType  *array = construct_array(values, n_values, type, length,
										by_value, align);

	sw_spi_arg(spi, array_type, PointerGetDatum(array), false);
}

static void
add_owner(SwSpi *spi, const SwObjectOwner *owner)
{
	sw_spi_arg_int64(spi, owner->run_id);
	sw_spi_arg(spi, INT8OID, Int64GetDatum(owner->chunk_id),
			   owner->chunk_id == 0);
}

static void
add_place(SwSpi *spi, const SwObjectOwner *owner,
		  const SwDestination *destination)
{
	add_owner(spi, owner);
	sw_spi_arg_text(spi, destination->stage_kind);
	sw_spi_arg_text(spi, destination->stage_endpoint);
	sw_spi_arg_text(spi, destination->stage_region);
	sw_spi_arg_text(spi, destination->stage_bucket);
	sw_spi_arg_bool(spi, destination->stage_path_style);
}

void
sw_cat_object_claim(const SwObjectOwner *owner,
					const SwDestination *destination, const List *keys)
{
	Datum	   *values = palloc(sizeof(Datum) * list_length(keys));
	int			n_values = 0;
	SwSpi		spi;
	ListCell   *cell;

	foreach(cell, keys)
		values[n_values++] = CStringGetTextDatum(lfirst(cell));
	sw_spi_begin(&spi);
	add_place(&spi, owner, destination);
	add_array(&spi, values, n_values, TEXTARRAYOID, TEXTOID, -1, false,
			  TYPALIGN_INT);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.staged_object"
				" (run_id, chunk_id, kind, endpoint, region, bucket, path_style, object_key)"
				" SELECT $1, $2, $3, $4, $5, $6, $7, unnest($8)");
	sw_spi_end(&spi);
}

void
sw_cat_object_record(const SwObjectOwner *owner,
					 const SwDestination *destination, const char *key,
					 int64 n_rows, int64 n_bytes)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	add_place(&spi, owner, destination);
	sw_spi_arg_text(&spi, key);
	sw_spi_arg_int64(&spi, n_rows);
	sw_spi_arg_int64(&spi, n_bytes);
	sw_spi_exec(&spi, "INSERT INTO _sensorswave.staged_object"
				" (run_id, chunk_id, kind, endpoint, region, bucket, path_style, object_key, n_rows, n_bytes)"
				" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
				" ON CONFLICT (object_key) DO UPDATE"
				" SET n_rows = excluded.n_rows, n_bytes = excluded.n_bytes");
	sw_spi_end(&spi);
}

void
sw_cat_object_unclaim(const SwObjectOwner *owner)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	add_owner(&spi, owner);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.staged_object"
				" WHERE run_id = $1 AND chunk_id IS NOT DISTINCT FROM $2"
				" AND n_bytes = 0");
	sw_spi_end(&spi);
}

void
sw_cat_object_set_upload(int64 run_id, const char *key,
						 const char *upload_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_text(&spi, key);
	sw_spi_arg_text(&spi, upload_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.staged_object SET upload_id = $3"
				" WHERE run_id = $1 AND object_key = $2");
	sw_spi_end(&spi);
}

void
sw_cat_object_set_staged(const SwObjectOwner *owner)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	add_owner(&spi, owner);
	sw_spi_exec(&spi, "UPDATE _sensorswave.staged_object"
				" SET is_staged = true, upload_id = NULL"
				" WHERE run_id = $1 AND chunk_id IS NOT DISTINCT FROM $2");
	sw_spi_end(&spi);
}

int64
sw_cat_object_keep(int64 run_id, int seconds)
{
	SwSpi		spi;
	int64		n_kept;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_arg_int32(&spi, seconds);
	sw_spi_exec(&spi, "UPDATE _sensorswave.staged_object"
				" SET delete_after = clock_timestamp() + $2 * interval '1 second'"
				" WHERE run_id = $1 AND is_staged AND NOT is_deleted"
				" AND EXISTS (SELECT FROM _sensorswave.backfill_window w"
				" JOIN _sensorswave.backfill USING (backfill_id)"
				" JOIN _sensorswave.pipeline p USING (pipeline_id)"
				" WHERE w.run_id = $1 AND w.status = 'failed'"
				" AND p.status <> 'stopped')");
	n_kept = (int64) spi.n_rows;
	sw_spi_end(&spi);
	return n_kept;
}

#define SELECT_OBJECTS \
	"SELECT object_id, run_id, kind, endpoint, region, bucket, path_style," \
	" object_key, n_rows, upload_id, is_staged, is_deleted_once, delete_attempts" \
	" FROM _sensorswave.staged_object"

static List *
read_objects(SwSpi *spi)
{
	List	   *objects = NIL;
	uint64		i;

	for (i = 0; i < spi->n_rows; i++)
	{
		MemoryContext saved = MemoryContextSwitchTo(spi->result_context);
		SwStagedObject *object = palloc0(sizeof(SwStagedObject));

		object->object_id = sw_spi_get_int64(spi, i, "object_id");
		object->run_id = sw_spi_get_int64(spi, i, "run_id");
		object->kind = sw_spi_get_text(spi, i, "kind");
		object->endpoint = sw_spi_get_text(spi, i, "endpoint");
		object->region = sw_spi_get_text(spi, i, "region");
		object->bucket = sw_spi_get_text(spi, i, "bucket");
		object->path_style = sw_spi_get_bool(spi, i, "path_style");
		object->key = sw_spi_get_text(spi, i, "object_key");
		object->n_rows = sw_spi_get_int64(spi, i, "n_rows");
		object->upload_id = sw_spi_get_text(spi, i, "upload_id");
		object->is_staged = sw_spi_get_bool(spi, i, "is_staged");
		object->is_deleted_once = sw_spi_get_bool(spi, i, "is_deleted_once");
		object->delete_attempts = sw_spi_get_int32(spi, i, "delete_attempts");
		objects = lappend(objects, object);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(spi);
	return objects;
}

List *
sw_cat_object_list_due(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, SELECT_OBJECTS
				" JOIN (SELECT run_id, pipeline_id, status FROM _sensorswave.run) r"
				" USING (run_id)"
				" WHERE pipeline_id = $1 AND NOT is_deleted"
				" AND r.status <> 'running' AND delete_after <= clock_timestamp()"
				" AND " SW_CAT_OBJECT_IS_FREE " ORDER BY object_id");
	return read_objects(&spi);
}

List *
sw_cat_object_list_run(int64 run_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, run_id);
	sw_spi_exec(&spi, SELECT_OBJECTS
				" WHERE run_id = $1 AND NOT is_deleted"
				" AND delete_after <= clock_timestamp()"
				" AND " SW_CAT_OBJECT_IS_FREE " ORDER BY object_id");
	return read_objects(&spi);
}

List *
sw_cat_object_list_chunk(const SwChunk *chunk)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, chunk->run_id);
	sw_spi_arg_int64(&spi, chunk->chunk_id);
	sw_spi_exec(&spi, SELECT_OBJECTS
				" WHERE run_id = $1 AND chunk_id = $2 AND NOT is_deleted"
				" ORDER BY object_key");
	return read_objects(&spi);
}

static void
add_object_ids(SwSpi *spi, const List *objects)
{
	Datum	   *values = palloc(sizeof(Datum) * list_length(objects));
	int			n_values = 0;
	ListCell   *cell;

	foreach(cell, objects)
		values[n_values++] =
		Int64GetDatum(((const SwStagedObject *) lfirst(cell))->object_id);
	add_array(spi, values, n_values, INT8ARRAYOID, INT8OID, 8,
			  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

void
sw_cat_object_set_deleted(const List *objects, int repeat_after_ms)
{
	SwSpi		spi;

	if (objects == NIL)
		return;
	sw_spi_begin(&spi);
	add_object_ids(&spi, objects);
	sw_spi_arg_int32(&spi, repeat_after_ms);
	sw_spi_exec(&spi, "UPDATE _sensorswave.staged_object"
				" SET is_deleted = is_staged OR is_deleted_once,"
				" is_deleted_once = NOT is_staged, delete_attempts = 0,"
				" delete_after = clock_timestamp() + $2 * interval '1 millisecond'"
				" WHERE object_id = ANY ($1)");
	sw_spi_end(&spi);
}

#define POSTPONE_OBJECTS \
	"UPDATE _sensorswave.staged_object" \
	" SET delete_attempts = delete_attempts + 1," \
	" delete_after = clock_timestamp() + least(interval '1 day'," \
	" interval '30 seconds' * 2 ^ least(delete_attempts, 12))"

void
sw_cat_object_postpone(const List *objects)
{
	SwSpi		spi;

	if (objects == NIL)
		return;
	sw_spi_begin(&spi);
	add_object_ids(&spi, objects);
	sw_spi_exec(&spi, POSTPONE_OBJECTS " WHERE object_id = ANY ($1)");
	sw_spi_end(&spi);
}

void
sw_cat_object_postpone_due(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, POSTPONE_OBJECTS " FROM _sensorswave.run r"
				" WHERE r.run_id = staged_object.run_id AND r.pipeline_id = $1"
				" AND NOT is_deleted AND delete_after <= clock_timestamp()"
				" AND " SW_CAT_OBJECT_IS_FREE);
	sw_spi_end(&spi);
}

void
sw_cat_object_expire(int64 pipeline_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.staged_object o"
				" SET delete_after = clock_timestamp() FROM _sensorswave.run r"
				" WHERE r.run_id = o.run_id AND r.pipeline_id = $1"
				" AND o.is_staged AND NOT o.is_deleted AND o.delete_attempts = 0"
				" AND o.delete_after > clock_timestamp()");
	sw_spi_end(&spi);
}

int64
sw_cat_object_count_left(int64 pipeline_id, char **bucket, char **folder)
{
	SwSpi		spi;
	int64		n_left;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_exec(&spi, "SELECT count(*) AS n, min(bucket) AS bucket,"
				" min(substring(object_key from '^(.*/)[^/]+/[^/]+$')) AS folder"
				" FROM _sensorswave.staged_object JOIN _sensorswave.run USING (run_id)"
				" WHERE pipeline_id = $1 AND NOT is_deleted AND NOT is_deleted_once");
	n_left = sw_spi_get_int64(&spi, 0, "n");
	*bucket = sw_spi_get_text(&spi, 0, "bucket");
	*folder = sw_spi_get_text(&spi, 0, "folder");
	sw_spi_end(&spi);
	return n_left;
}
