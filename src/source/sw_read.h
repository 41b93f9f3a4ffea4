/*-------------------------------------------------------------------------
 *
 * sw_read.h
 *	  Run a source query; its rows arrive as batches of columns.
 *
 * Rows go from the executor straight into the batch: no result set is kept,
 * so memory is bounded by one batch and its largest value.
 *
 * Called inside sw_identity_enter(), in a transaction with an active
 * snapshot: that snapshot decides which rows are seen.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_READ_H
#define SW_READ_H

#include "utils/date.h"

#include "format/sw_column.h"
#include "source/sw_problem.h"
#include "source/sw_query.h"

/*
 * What the policy did to values that the target cannot hold.  Filled by
 * sw_read_query, all of it; palloc'd in the context it was called in.
 */
typedef struct SwReadReport
{
	uint64		n_skipped;		/* rows left out; they are not in the count
								 * that sw_read_query returns */
	SwProblemCount *columns;	/* one for each column of the query */
	int			n_columns;
	uint64		n_updated;		/* with a row test: rows that an UPDATE made */
	DateADT    *updated_days;	/* days of time_column of these, in the
								 * session's zone, ascending, each once */
	int			n_updated_days;
} SwReadReport;

/* A batch is handed on when it reaches either. */
typedef struct SwReadOptions
{
	uint64		rows_per_batch;
	Size		bytes_per_batch;	/* of values, see sw_batch_bytes */
	SwReadReport *report;		/* where to tell that, or NULL */
} SwReadOptions;

/*
 * Takes a batch of at least one row; it is the reader's again afterwards.
 * Runs in the memory context that sw_read_query was called in, and may
 * throw.  It must not run SQL.
 */
typedef void (*SwReadFlush) (void *arg, const SwBatch *batch);

/*
 * Run sql, which sw_query_build made of query, and hand all its rows to
 * flush.  Returns how many it handed on.  Throws.
 */
extern uint64 sw_read_query(const SwSourceQuery *query, const char *sql,
							const SwReadOptions *options,
							SwReadFlush flush, void *arg);

/*
 * Do all that sw_read_query does but read rows: parse, plan, check rights
 * and result types.  Throws.  For the moment a pipeline is saved.
 */
extern void sw_read_check(const SwSourceQuery *query, const char *sql);

/* Would it give any row at all?  Throws. */
extern bool sw_read_probe(const SwSourceQuery *query, const char *sql);

/*
 * The days (of time_column, in the session's zone) that its rows lie on,
 * ascending, each once.
 */
extern DateADT *sw_read_list_days(const SwSourceQuery *query, const char *sql,
								  int *n_days);

/* Lines (char *) of the plan that it would be run by, as EXPLAIN shows it. */
extern List *sw_read_explain(const SwSourceQuery *query, const char *sql);

/* How many rows the planner expects. */
extern double sw_read_estimate(const SwSourceQuery *query, const char *sql);

#endif							/* SW_READ_H */
