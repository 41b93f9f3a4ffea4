/*-------------------------------------------------------------------------
 *
 * sw_value.h
 *	  From a row's Datums to the columns of a batch.
 *
 * No value is changed on the way but as the manual says: nulls follow
 * SwOnNull, fractions of a millisecond are cut (towards the past, so an
 * instant never moves into the next day), text becomes UTF-8.  What the
 * target cannot hold is an error that names the row and the column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_VALUE_H
#define SW_VALUE_H

#include "executor/tuptable.h"
#include "format/sw_column.h"
#include "lib/stringinfo.h"
#include "source/sw_query.h"

typedef struct SwValueReader SwValueReader;

/* Append one value that is not null. */
typedef void (*SwValueAppend) (SwValueReader *reader, Datum value,
							   SwColumn *column);

/* Who reads values of a server type into columns of a type. */
typedef struct SwValueFamily
{
	SwType		type;
	Oid			server_type;
	SwValueAppend append;
} SwValueFamily;

/* First and last millisecond a column may hold. */
typedef struct SwValueRange
{
	int64		first_ms;
	int64		last_ms;
} SwValueRange;

struct SwValueReader
{
	const SwSourceQuery *query;
	const SwValueFamily **families; /* one for each column */
	SwValueRange day_range;		/* of the time column */
	SwValueRange instant_range; /* of all other TIMESTAMP_MS columns */
	bool		is_utf8;		/* server encoding: no conversion needed */
	MemoryContext row_context;	/* reset for each row */
	StringInfoData json;		/* text of one JSON value, reused */
	TupleTableSlot *slot;		/* row being read, for error messages */
	uint64		n_rows;			/* rows read before this one */
	int			current_column; /* being read, or -1 */
};

/*
 * Prepare to read rows of query, in the session's TimeZone.  Memory is the
 * current context's; query must outlive the reader.  Throws.
 */
extern void sw_value_reader_init(SwValueReader *reader,
								 const SwSourceQuery *query);

/* The rows to come are of this type; once, before the first row.  Throws. */
extern void sw_value_reader_bind(SwValueReader *reader, TupleDesc row_type);

/* Append one row (the columns of query, in order) to batch.  Throws. */
extern void sw_value_append_row(SwValueReader *reader, TupleTableSlot *slot,
								SwBatch *batch);

/*
 * For an error context callback: add a line that names the column and the
 * row being read, if there is one.
 */
extern void sw_value_add_error_context(const SwValueReader *reader);

#endif							/* SW_VALUE_H */
