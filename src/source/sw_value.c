/*-------------------------------------------------------------------------
 *
 * sw_value.c
 *	  From a row's Datums to the columns of a batch.
 *
 * Each column has a reader that was chosen when the type of the rows was
 * known.  What a row needs for itself (detoasted values, converted text)
 * lives in row_context and is gone with the row.
 *
 * Contract: sw_value.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "source/sw_datum.h"
#include "source/sw_value.h"

static void
sw_value_check_on_null(const SwColumnSpec *spec, SwOnNull on_null)
{
	bool		is_right = true;

	if (on_null == SW_ON_NULL_EMPTY)
		is_right = spec->type == SW_TYPE_STRING || spec->type == SW_TYPE_JSON;
	else if (on_null == SW_ON_NULL_EPOCH)
		is_right = spec->type == SW_TYPE_TIMESTAMP_MS;
	else if (on_null == SW_ON_NULL_NULL)
		is_right = spec->is_nullable || sw_type_is_container(spec->type);
	if (!is_right)
		elog(ERROR, "column \"%s\" cannot replace nulls that way",
			 spec->name);
}

void
sw_value_reader_init(SwValueReader *reader, const SwSourceQuery *query)
{
	int			i;

	memset(reader, 0, sizeof(*reader));
	reader->query = query;
	reader->current_column = -1;
	reader->is_utf8 = GetDatabaseEncoding() == PG_UTF8;
	reader->context = CurrentMemoryContext;
	reader->row_context = AllocSetContextCreate(CurrentMemoryContext, "SwRow",
												ALLOCSET_DEFAULT_SIZES);
	reader->readers = palloc0(sizeof(SwDatumReader) * query->n_columns);
	reader->counts = palloc0(sizeof(SwProblemCount) * query->n_columns);
	for (i = 0; i < query->n_columns; i++)
		sw_value_check_on_null(&query->specs[i], query->columns[i].on_null);
}

void
sw_value_reader_bind(SwValueReader *reader, TupleDesc row_type)
{
	const SwSourceQuery *query = reader->query;
	MemoryContext old_context = MemoryContextSwitchTo(reader->context);
	int			n_expected = query->n_columns + (query->row_test != NULL ? 2 : 0);
	int			i;

	if (row_type->natts != n_expected)
		elog(ERROR, "source query returns %d columns instead of %d",
			 row_type->natts, n_expected);
	for (i = 0; i < query->n_columns; i++)
	{
		SwDatumReader *column = &reader->readers[i];

		column->is_day = i == query->time_column;
		sw_datum_init(column, reader, &query->specs[i],
					  TupleDescAttr(row_type, i)->atttypid,
					  query->columns[i].on_null, false);
	}
	MemoryContextSwitchTo(old_context);
}

void
sw_value_append_row(SwValueReader *reader, TupleTableSlot *slot,
					SwBatch *batch)
{
	MemoryContext old_context;
	bool		is_whole = true;
	int			i;

	slot_getallattrs(slot);
	reader->slot = slot;
	old_context = MemoryContextSwitchTo(reader->row_context);
	for (i = 0; i < batch->n_columns && is_whole; i++)
	{
		SwDatumReader *column = &reader->readers[i];

		reader->current_column = i;
		if (unlikely(slot->tts_isnull[i]))
			is_whole = sw_datum_append_null(column, &batch->columns[i]);
		else
			is_whole = column->append(column, slot->tts_values[i],
									  &batch->columns[i]);
	}
	if (likely(is_whole))
		sw_batch_end_row(batch);
	else
	{
		sw_batch_abandon_row(batch);
		reader->n_skipped++;
	}
	reader->current_column = -1;
	reader->slot = NULL;
	reader->n_rows++;
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(reader->row_context);
}

void
sw_value_add_error_context(const SwValueReader *reader)
{
	if (reader->slot != NULL)
		errcontext("column \"%s\" of %s",
				   reader->query->specs[reader->current_column].name,
				   sw_problem_describe_row(reader));
}
