/*-------------------------------------------------------------------------
 *
 * sw_value.h
 *	  From a row's Datums to the columns of a batch.
 *
 * No value is changed on the way but as the manual says: nulls follow
 * SwOnNull, the columns of data models lose fractions of a millisecond (cut
 * towards the past, so an instant never moves into the next day), JSON
 * follows the pipeline's rules (sw_json.h), text becomes UTF-8.  What the
 * target cannot hold follows the policy (sw_problem.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_VALUE_H
#define SW_VALUE_H

#include "executor/tuptable.h"

#include "format/sw_column.h"
#include "source/sw_problem.h"
#include "source/sw_query.h"

typedef struct SwDatumReader SwDatumReader;

typedef struct SwValueReader
{
	const SwSourceQuery *query;
	SwDatumReader *readers;		/* one for each column */
	MemoryContext context;		/* of all this */
	MemoryContext row_context;	/* reset for each row */
	bool		is_utf8;		/* server encoding: no conversion needed */
	TupleTableSlot *slot;		/* row being read, for error messages */
	uint64		n_rows;			/* rows read before this one */
	int			current_column; /* being read, or -1 */
	uint64		n_skipped;		/* rows left out */
	SwProblemCount *counts;		/* one for each column */
} SwValueReader;

/*
 * Prepare to read rows of query, in the session's TimeZone.  Memory is the
 * current context's; query must outlive the reader.  Throws.
 */
extern void sw_value_reader_init(SwValueReader *reader,
								 const SwSourceQuery *query);

/* The rows to come are of this type; once, before the first row.  Throws. */
extern void sw_value_reader_bind(SwValueReader *reader, TupleDesc row_type);

/*
 * Append one row (the columns of query, in order; what follows them is not
 * looked at) to batch, unless it is to be left out.  Throws.
 */
extern void sw_value_append_row(SwValueReader *reader, TupleTableSlot *slot,
								SwBatch *batch);

/*
 * For an error context callback: add a line that names the column and the
 * row being read, if there is one.
 */
extern void sw_value_add_error_context(const SwValueReader *reader);

#endif							/* SW_VALUE_H */
