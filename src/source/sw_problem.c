/*-------------------------------------------------------------------------
 *
 * sw_problem.c
 *	  Values that the target cannot hold: the policy, its counts, and
 *	  messages that name a row.
 *
 * Contract: sw_problem.h, sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "port/sw_compat.h"
#include "source/sw_datum.h"

/* Columns named to find a row by, and how much of each value is shown. */
#define MAX_ROW_CLUES	3
#define MAX_CLUE_BYTES	64

/* ---- naming a row ---- */

static void
sw_problem_append_bytes(StringInfo clue, const char *bytes, int n_bytes)
{
	appendStringInfo(clue, "\"%.*s%s\"",
					 pg_mbcliplen(bytes, n_bytes, MAX_CLUE_BYTES), bytes,
					 n_bytes > MAX_CLUE_BYTES ? "..." : "");
}

static void
sw_problem_append_uuid(StringInfo clue, const pg_uuid_t *uuid)
{
	int			i;

	for (i = 0; i < UUID_LEN; i++)
		appendStringInfo(clue, "%s%02x",
						 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
						 uuid->data[i]);
}

/*
 * Append a value that is short and takes no function of a user to print;
 * nothing that would have to be fetched: this also runs while an error is on
 * its way.
 */
static void
sw_problem_append_value(StringInfo clue, Oid server_type, Datum value)
{
	struct varlena *text;

	switch (server_type)
	{
		case INT2OID:
			appendStringInfo(clue, "%d", DatumGetInt16(value));
			break;
		case INT4OID:
			appendStringInfo(clue, "%d", DatumGetInt32(value));
			break;
		case INT8OID:
			appendStringInfo(clue, INT64_FORMAT, DatumGetInt64(value));
			break;
		case OIDOID:
			appendStringInfo(clue, "%u", DatumGetObjectId(value));
			break;
		case TIMESTAMPTZOID:
			appendStringInfo(clue, "\"%s\"",
							 timestamptz_to_str(DatumGetTimestampTz(value)));
			break;
		case UUIDOID:
			sw_problem_append_uuid(clue, DatumGetUUIDP(value));
			break;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			text = (struct varlena *) DatumGetPointer(value);
			if (!VARATT_IS_EXTERNAL(text) && !VARATT_IS_COMPRESSED(text))
				sw_problem_append_bytes(clue, VARDATA_ANY(text),
										VARSIZE_ANY_EXHDR(text));
			break;
		default:
			break;
	}
}

/* Add a column to what the row is found by, if it can be shown. */
static int
sw_problem_append_clue(StringInfo clues, const SwValueReader *rows, int i)
{
	const SwDatumReader *reader = &rows->readers[i];
	int			n_before = clues->len;
	int			n_named;

	if (i == rows->current_column || rows->slot->tts_isnull[i])
		return 0;
	appendStringInfo(clues, "%s%s ", clues->len > 0 ? ", " : "",
					 reader->spec->name);
	n_named = clues->len;
	sw_problem_append_value(clues, reader->server_type,
							rows->slot->tts_values[i]);
	if (clues->len > n_named)
		return 1;
	clues->len = n_before;
	clues->data[n_before] = '\0';
	return 0;
}

char *
sw_problem_describe_row(const SwValueReader *rows)
{
	const SwSourceQuery *query = rows->query;
	StringInfoData clues;
	int			n_clues = 0;
	bool		has_key;
	int			i;

	/* The columns of its key, or whatever comes first. */
	initStringInfo(&clues);
	for (i = 0; i < query->n_columns; i++)
		if (query->columns[i].is_key)
			n_clues += sw_problem_append_clue(&clues, rows, i);
	has_key = n_clues > 0;
	for (i = 0; i < query->n_columns && !has_key; i++)
		if (n_clues < MAX_ROW_CLUES &&
			query->specs[i].type != SW_TYPE_TIMESTAMP_MS)
			n_clues += sw_problem_append_clue(&clues, rows, i);
	return psprintf("row " UINT64_FORMAT " of the read%s%s",
					rows->n_rows + 1, clues.len > 0 ? ", with " : "",
					clues.data);
}

/* ---- judging ---- */

static const char *
sw_problem_get_column(const SwValueReader *rows)
{
	return rows->query->specs[rows->current_column].name;
}

static void
sw_problem_report(SwValueReader *rows, const SwProblem *problem)
{
	char	   *row = sw_problem_describe_row(rows);

	/* The context need not say it again. */
	rows->slot = NULL;
	ereport(ERROR,
			(errcode(problem->sqlstate),
			 errmsg("cannot export %s in column \"%s\"", problem->what,
					sw_problem_get_column(rows)),
			 errdetail("It is %s.%s%s", row, problem->why != NULL ? " " : "",
					   problem->why != NULL ? problem->why : ""),
			 errhint("Correct the row, map the column to an expression that has no such values, leave such rows out with row_filter, or choose what becomes of them with on_unrepresentable.")));
}

static void
sw_problem_keep_example(SwValueReader *rows, SwProblemCount *count,
						const SwProblem *problem)
{
	if (count->example == NULL)
		count->example =
			MemoryContextStrdup(rows->context,
								psprintf("%s, in %s", problem->what,
										 sw_problem_describe_row(rows)));
}

bool
sw_problem_can_be_null(const SwDatumReader *reader)
{
	return !reader->is_day && (reader->is_member ?
							   reader->spec->is_nullable ||
							   sw_type_is_container(reader->spec->type) :
							   reader->on_null != SW_ON_NULL_ERROR);
}

SwVerdict
sw_problem_judge(SwDatumReader *reader, const SwProblem *problem)
{
	SwValueReader *rows = reader->rows;
	SwProblemCount *count = &rows->counts[rows->current_column];
	SwPolicy	policy = rows->query->policy;

	if (policy == SW_POLICY_CLAMP && !problem->has_nearest)
		policy = SW_POLICY_NULL;
	if ((policy == SW_POLICY_NULL && !problem->can_be_null) ||
		(policy == SW_POLICY_TEXT && !problem->has_text))
		policy = SW_POLICY_ERROR;

	if (policy != SW_POLICY_ERROR)
		sw_problem_keep_example(rows, count, problem);
	switch (policy)
	{
		case SW_POLICY_ERROR:
			break;
		case SW_POLICY_NULL:
			count->n_nulled++;
			return SW_VERDICT_NULL;
		case SW_POLICY_CLAMP:
			count->n_clamped++;
			return SW_VERDICT_NEAREST;
		case SW_POLICY_TEXT:
			count->n_as_text++;
			return SW_VERDICT_TEXT;
		case SW_POLICY_SKIP:
			count->n_skipped++;
			return SW_VERDICT_SKIP;
	}
	sw_problem_report(rows, problem);
	return SW_VERDICT_SKIP;
}
