/*-------------------------------------------------------------------------
 *
 * sw_read.c
 *	  Run a source query; its rows arrive as batches of columns.
 *
 * The one file outside src/catalog that uses SPI, and only to hand it a
 * DestReceiver of ours: the executor gives each row to it, and nothing
 * keeps the result.
 *
 * Batches are handed on from within the executor, in the memory context of
 * the caller of sw_read_query.  All memory of a read hangs below that
 * context and is freed before the return, or with it after an error.
 *
 * Contract: sw_read.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "storage/itemptr.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"

#include "source/sw_day_set.h"
#include "source/sw_read.h"
#include "source/sw_value.h"

/* Where the executor puts its rows. */
typedef struct SwReceiver
{
	DestReceiver pub;
	SwReadOptions options;
	SwReadFlush flush;
	void	   *flush_arg;
	MemoryContext caller_context;	/* flush runs in it */
	SwValueReader reader;
	SwBatch		batch;
	SwRowJudge *judge;
	uint64		n_updated;
	SwDaySet	updated_days;
} SwReceiver;

static void
sw_read_flush_batch(SwReceiver *receiver)
{
	MemoryContext old_context;
	Size		allowed;

	CHECK_FOR_INTERRUPTS();
	old_context = MemoryContextSwitchTo(receiver->caller_context);
	receiver->flush(receiver->flush_arg, &receiver->batch);
	MemoryContextSwitchTo(old_context);

	/* One huge value must not stay; that of usual ones is used again. */
	allowed = 2 * receiver->options.bytes_per_batch;
	sw_batch_reset(&receiver->batch,
				   sw_batch_allocated(&receiver->batch) <= allowed ? allowed :
				   allowed / receiver->batch.n_columns);
}

/* By the two columns that follow those of the query. */
static bool
sw_read_is_updated(SwReceiver *receiver, const TupleTableSlot *slot)
{
	const Datum *place = slot->tts_values + receiver->batch.n_columns;

	return sw_row_judge_take_updated(receiver->judge, DatumGetObjectId(place[0]),
									 (ItemPointer) DatumGetPointer(place[1]));
}

static void
sw_read_count_updated(SwReceiver *receiver, int time_column)
{
	receiver->n_updated++;
	if (time_column >= 0)
		sw_day_set_add(&receiver->updated_days,
					   &receiver->batch.columns[time_column],
					   receiver->batch.n_rows - 1);
}

static bool
sw_read_receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	SwReceiver *receiver = (SwReceiver *) self;
	const SwSourceQuery *query = receiver->reader.query;
	uint64		n_rows = receiver->batch.n_rows;

	sw_value_append_row(&receiver->reader, slot, &receiver->batch);
	if (query->row_test != NULL && sw_read_is_updated(receiver, slot) &&
		receiver->batch.n_rows > n_rows)
		sw_read_count_updated(receiver, query->time_column);
	if (receiver->batch.n_rows > 0 &&
		(receiver->batch.n_rows >= receiver->options.rows_per_batch ||
		 sw_batch_bytes(&receiver->batch) >= receiver->options.bytes_per_batch))
		sw_read_flush_batch(receiver);
	return true;
}

static void
sw_read_start_rows(DestReceiver *self, int operation, TupleDesc row_type)
{
	SwReceiver *receiver = (SwReceiver *) self;

	(void) operation;
	sw_value_reader_bind(&receiver->reader, row_type);
}

static void
sw_read_end_rows(DestReceiver *self)
{
	(void) self;
}

static void
sw_read_destroy_receiver(DestReceiver *self)
{
	(void) self;
}

static void
sw_read_report_position(void *arg)
{
	sw_value_add_error_context(&((const SwReceiver *) arg)->reader);
}

/* In the current context. */
static SwRowJudge *
sw_read_create_judge(const SwSourceQuery *query)
{
	return sw_row_judge_create(query->row_test, query->range != NULL ?
							   query->range->leaf : InvalidOid);
}

/* Between SPI_connect and SPI_finish. */
static void
sw_read_execute(SwRowJudge *judge, const char *sql, DestReceiver *dest)
{
	SPIExecuteOptions options;
	int			result;

	memset(&options, 0, sizeof(options));
	options.params = sw_row_judge_params(judge);
	options.read_only = dest != NULL;
	options.must_return_tuples = true;
	options.dest = dest;
	result = SPI_execute_extended(sql, &options);
	if (result != (dest != NULL ? SPI_OK_SELECT : SPI_OK_UTILITY))
		elog(ERROR, "source query failed: %s",
			 SPI_result_code_string(result));
}

static void
sw_read_connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

static void
sw_read_prepare_dest(DestReceiver *dest,
					 bool (*receive) (TupleTableSlot *, DestReceiver *),
					 void (*start) (DestReceiver *, int, TupleDesc))
{
	dest->receiveSlot = receive;
	dest->rStartup = start;
	dest->rShutdown = sw_read_end_rows;
	dest->rDestroy = sw_read_destroy_receiver;
	dest->mydest = DestTuplestore;
}

static void
sw_read_run_query(SwReceiver *receiver, const char *sql)
{
	ErrorContextCallback callback;

	sw_read_prepare_dest(&receiver->pub, sw_read_receive_row,
						 sw_read_start_rows);
	sw_read_connect();
	callback.callback = sw_read_report_position;
	callback.arg = receiver;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	sw_read_execute(receiver->judge, sql, &receiver->pub);
	error_context_stack = callback.previous;
	SPI_finish();
}

/* Memory of the report is the caller's. */
static void
sw_read_fill_report(const SwReceiver *receiver, SwReadReport *report)
{
	const SwValueReader *reader = &receiver->reader;
	int			i;

	report->n_skipped = reader->n_skipped;
	report->n_columns = reader->query->n_columns;
	report->columns = palloc(sizeof(SwProblemCount) * report->n_columns);
	for (i = 0; i < report->n_columns; i++)
	{
		report->columns[i] = reader->counts[i];
		if (reader->counts[i].example != NULL)
			report->columns[i].example = pstrdup(reader->counts[i].example);
	}
	report->n_updated = receiver->n_updated;
	report->updated_days = sw_day_set_copy(&receiver->updated_days,
										   &report->n_updated_days);
}

uint64
sw_read_query(const SwSourceQuery *query, const char *sql,
			  const SwReadOptions *options, SwReadFlush flush, void *arg)
{
	MemoryContext caller_context = CurrentMemoryContext;
	MemoryContext batch_context;
	SwReceiver	receiver;
	uint64		n_rows;

	memset(&receiver, 0, sizeof(receiver));
	receiver.options = *options;
	receiver.flush = flush;
	receiver.flush_arg = arg;
	receiver.caller_context = caller_context;

	batch_context = AllocSetContextCreate(caller_context, "SwBatch",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(batch_context);
	sw_value_reader_init(&receiver.reader, query);
	sw_batch_init(&receiver.batch, query->specs, query->n_columns);
	sw_day_set_init(&receiver.updated_days);
	receiver.judge = sw_read_create_judge(query);
	MemoryContextSwitchTo(caller_context);

	sw_read_run_query(&receiver, sql);
	if (receiver.batch.n_rows > 0)
		sw_read_flush_batch(&receiver);

	if (options->report != NULL)
		sw_read_fill_report(&receiver, options->report);
	n_rows = receiver.reader.n_rows - receiver.reader.n_skipped;
	MemoryContextDelete(batch_context);
	return n_rows;
}

static void
sw_read_refuse_rows(void *arg, const SwBatch *batch)
{
	(void) arg;
	(void) batch;
	elog(ERROR, "a query limited to no rows returned some");
}

void
sw_read_check(const SwSourceQuery *query, const char *sql)
{
	SwReadOptions options = {.rows_per_batch = 1,.bytes_per_batch = 1};

	(void) sw_read_query(query, psprintf("%s\nLIMIT 0", sql), &options,
						 sw_read_refuse_rows, NULL);
}

/* A day of the batches that went by. */
typedef struct SwDayList
{
	int			time_column;
	SwDaySet	set;
} SwDayList;

static void
sw_read_collect_days(void *arg, const SwBatch *batch)
{
	SwDayList  *list = arg;
	uint64		i;

	for (i = 0; i < batch->n_rows; i++)
		sw_day_set_add(&list->set, &batch->columns[list->time_column], i);
}

DateADT *
sw_read_list_days(const SwSourceQuery *query, const char *sql, int *n_days)
{
	SwReadOptions options = {
		.rows_per_batch = 1000,
		.bytes_per_batch = 1024 * 1024
	};
	SwDayList	list = {.time_column = query->time_column};

	if (query->time_column < 0)
		elog(ERROR, "rows have no days");
	sw_day_set_init(&list.set);
	(void) sw_read_query(query, sql, &options, sw_read_collect_days, &list);
	*n_days = list.set.n_days;
	return list.set.days;
}

/* Notes only that a row came. */
typedef struct SwProbe
{
	DestReceiver pub;
	bool		has_row;
} SwProbe;

static bool
sw_read_note_row(TupleTableSlot *slot, DestReceiver *self)
{
	(void) slot;
	((SwProbe *) self)->has_row = true;
	return true;
}

static void
sw_read_ignore_start(DestReceiver *self, int operation, TupleDesc row_type)
{
	(void) self;
	(void) operation;
	(void) row_type;
}

bool
sw_read_probe(const SwSourceQuery *query, const char *sql)
{
	SwProbe		probe = {.has_row = false};

	sw_read_prepare_dest(&probe.pub, sw_read_note_row, sw_read_ignore_start);
	sw_read_connect();
	sw_read_execute(sw_read_create_judge(query), psprintf("%s\nLIMIT 1", sql),
					&probe.pub);
	SPI_finish();
	return probe.has_row;
}

List *
sw_read_explain(const SwSourceQuery *query, const char *sql)
{
	MemoryContext caller_context = CurrentMemoryContext;
	List	   *lines = NIL;
	uint64		i;

	sw_read_connect();
	sw_read_execute(sw_read_create_judge(query), psprintf("EXPLAIN %s", sql),
					NULL);
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *line = SPI_getvalue(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1);
		MemoryContext spi_context = MemoryContextSwitchTo(caller_context);

		lines = lappend(lines, pstrdup(line));
		MemoryContextSwitchTo(spi_context);
	}
	SPI_finish();
	return lines;
}

double
sw_read_estimate(const SwSourceQuery *query, const char *sql)
{
	ParamListInfo params = sw_row_judge_params(sw_read_create_judge(query));
	RawStmt    *statement = linitial_node(RawStmt, pg_parse_query(sql));
	List	   *queries;
	PlannedStmt *plan;

	queries = pg_analyze_and_rewrite_withcb(statement, sql, params->parserSetup,
											params->parserSetupArg, NULL);
	plan = pg_plan_query(linitial_node(Query, queries), sql, 0, params);
	return plan->planTree->plan_rows;
}
