/*-------------------------------------------------------------------------
 *
 * encode.c
 *	  Functions for the bench: read a relation as a pipeline does and encode
 *	  it, without anywhere to put it; and the CPU time of this process.
 *
 * Linked with the module's own objects; see the Makefile beside it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/resource.h>

#include "access/relation.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "format/sw_writer.h"
#include "source/sw_identity.h"
#include "source/sw_read.h"
#include "source/sw_type_map.h"

/* As with the default worker_memory, see sync/sw_stage.c. */
#define ROWS_PER_BATCH 65536
#define BYTES_PER_BATCH (8 * 1024 * 1024)
#define BYTES_PER_GROUP (16 * 1024 * 1024)

PG_MODULE_MAGIC;

extern PGDLLEXPORT Datum bench_cpu(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bench_encode(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(bench_cpu);
PG_FUNCTION_INFO_V1(bench_encode);

typedef struct Encoding
{
	const SwWriterOps *ops;		/* NULL: the rows are dropped */
	SwWriter   *writer;
	uint64		n_rows;
	uint64		n_bytes;
} Encoding;

/* bench_cpu() returns double precision: seconds, of user and system. */
Datum
bench_cpu(PG_FUNCTION_ARGS)
{
	struct rusage usage;

	(void) fcinfo;
	getrusage(RUSAGE_SELF, &usage);
	PG_RETURN_FLOAT8(usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 +
					 usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6);
}

static SwStatus
drop_bytes(void *arg, const char *data, Size len, SwError *err)
{
	(void) data;
	(void) err;
	((Encoding *) arg)->n_bytes += len;
	return SW_OK;
}

static void
fail_on(SwStatus status, const SwError *err)
{
	if (status != SW_OK)
		elog(ERROR, "%s", err->message);
}

static void
take_batch(void *arg, const SwBatch *batch)
{
	Encoding   *encoding = arg;
	SwError		err;

	encoding->n_rows += batch->n_rows;
	if (encoding->ops != NULL)
		fail_on(encoding->ops->write_batch(encoding->writer, batch, &err), &err);
	else
		encoding->n_bytes += sw_batch_bytes(batch);
}

/* All columns of a relation, as they come. */
static void
make_query(Oid relid, SwSourceQuery *query)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	TupleDesc	row_type = RelationGetDescr(relation);
	SwColumnSpec *specs = palloc0(sizeof(SwColumnSpec) * row_type->natts);
	SwSourceColumn *columns = palloc0(sizeof(SwSourceColumn) * row_type->natts);
	SwTypeWish	wish = {.has_time = true};
	int			i;

	memset(query, 0, sizeof(*query));
	query->relation = relid;
	query->specs = specs;
	query->columns = columns;
	query->n_columns = row_type->natts;
	query->time_column = -1;
	query->cursor_column = -1;
	for (i = 0; i < row_type->natts; i++)
	{
		char	   *name = pstrdup(NameStr(TupleDescAttr(row_type, i)->attname));
		SwSourceType source;

		sw_type_map_resolve(relid, name, NULL, &source);
		sw_type_map_make_spec(&specs[i], name, &source, &wish);
		columns[i].is_raw = true;
		columns[i].on_null = sw_type_map_get_on_null(&specs[i]);
	}
	relation_close(relation, NoLock);
}

/* ---- scan only ---- */

typedef struct RowCounter
{
	DestReceiver pub;
	uint64		n_rows;
} RowCounter;

static bool
drop_row(TupleTableSlot *slot, DestReceiver *self)
{
	slot_getallattrs(slot);
	((RowCounter *) self)->n_rows++;
	return true;
}

static void
start_scan(DestReceiver *self, int operation, TupleDesc row_type)
{
	(void) self;
	(void) operation;
	(void) row_type;
}

static void
end_scan(DestReceiver *self)
{
	(void) self;
}

static uint64
scan(Oid relid)
{
	char	   *sql = psprintf("SELECT * FROM ONLY %s",
							   DatumGetCString(DirectFunctionCall1(regclassout,
																   ObjectIdGetDatum(relid))));
	RowCounter	counter = {{drop_row, start_scan, end_scan, end_scan, DestTuplestore}, 0};
	SPIExecuteOptions options = {.read_only = true,.dest = &counter.pub};

	SPI_connect();
	SPI_execute_extended(sql, &options);
	SPI_finish();
	return counter.n_rows;
}

/*
 * bench_encode(source regclass, format text, compression text, OUT rows
 * bigint, OUT bytes bigint): format "scan" reads rows and drops them, "build"
 * makes columns of them; others are those of sw_writer_find.
 */
Datum
bench_encode(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *format = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *compression = text_to_cstring(PG_GETARG_TEXT_PP(2));
	SwReadOptions options = {
		.rows_per_batch = ROWS_PER_BATCH,
		.bytes_per_batch = BYTES_PER_BATCH
	};
	SwWriterOptions writer_options = {
		.compression_level = 1,
		.group_bytes = BYTES_PER_GROUP,
		.created_by = "bench",
		.has_dictionaries = true
	};
	Encoding	encoding = {0};
	SwSink		sink = {drop_bytes, &encoding};
	SwSourceQuery query;
	SwIdentity	identity;
	SwError		err;
	TupleDesc	row_type;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "bench_encode returns rows and bytes");
	if (strcmp(format, "scan") == 0)
		encoding.n_rows = scan(relid);
	else
	{
		sw_identity_enter(GetUserId(), relid, "Asia/Shanghai", &identity);
		make_query(relid, &query);
		if (strcmp(format, "build") != 0)
		{
			encoding.ops = sw_writer_find(format, compression);
			if (encoding.ops == NULL)
				elog(ERROR, "there is no such writer");
			encoding.writer = encoding.ops->open(query.specs, query.n_columns,
												 &writer_options, sink);
		}
		sw_read_query(&query, sw_query_build(&query), &options, take_batch,
					  &encoding);
		if (encoding.ops != NULL)
		{
			fail_on(encoding.ops->finish(encoding.writer, &err), &err);
			encoding.ops->destroy(encoding.writer);
		}
		sw_identity_leave(&identity);
	}
	values[0] = Int64GetDatum((int64) encoding.n_rows);
	values[1] = Int64GetDatum((int64) encoding.n_bytes);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values,
											 nulls));
}
