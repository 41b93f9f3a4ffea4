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
#include "tcop/dest.h"
#include "utils/memutils.h"

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

static bool
sw_read_receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	SwReceiver *receiver = (SwReceiver *) self;

	sw_value_append_row(&receiver->reader, slot, &receiver->batch);
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

static void
sw_read_run_query(SwReceiver *receiver, const char *sql)
{
	SPIExecuteOptions options;
	ErrorContextCallback callback;
	int			result;

	receiver->pub.receiveSlot = sw_read_receive_row;
	receiver->pub.rStartup = sw_read_start_rows;
	receiver->pub.rShutdown = sw_read_end_rows;
	receiver->pub.rDestroy = sw_read_destroy_receiver;
	receiver->pub.mydest = DestTuplestore;

	memset(&options, 0, sizeof(options));
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = &receiver->pub;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	callback.callback = sw_read_report_position;
	callback.arg = receiver;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	result = SPI_execute_extended(sql, &options);
	error_context_stack = callback.previous;
	if (result != SPI_OK_SELECT)
		elog(ERROR, "source query failed: %s",
			 SPI_result_code_string(result));
	SPI_finish();
}

/* Memory of the report is the caller's. */
static void
sw_read_fill_report(const SwValueReader *reader, SwReadReport *report)
{
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
	MemoryContextSwitchTo(caller_context);

	sw_read_run_query(&receiver, sql);
	if (receiver.batch.n_rows > 0)
		sw_read_flush_batch(&receiver);

	if (options->report != NULL)
		sw_read_fill_report(&receiver.reader, options->report);
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
