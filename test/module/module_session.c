/*-------------------------------------------------------------------------
 *
 * module_session.c
 *	  sw_test_session: statements over one session of target/, as many as are
 *	  asked for, and what memory that takes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "target/sw_session.h"

#include "module.h"

#define CONNECT_TIMEOUT_MS		(10 * 1000)
#define STATEMENT_TIMEOUT_MS	(30 * 1000)

PG_FUNCTION_INFO_V1(sw_test_session);

/* Values with tabs and newlines in between, or the error. */
static void
run_statement(SwSession *session, const char *text, StringInfo answers)
{
	SwChSetting setting = {"max_execution_time", "30", false};
	SwStatement statement = {text, "", &setting, 1, STATEMENT_TIMEOUT_MS};
	SwStatementResult result;
	SwError		err;
	int			n_values;
	int			i;

	if (sw_session_exec(session, &statement, &result, &err) != SW_OK)
	{
		module_append_error(answers, &err);
		appendStringInfoChar(answers, '\n');
		return;
	}
	n_values = result.rows.n_rows * result.rows.n_columns;
	for (i = 0; i < n_values; i++)
		appendStringInfo(answers, "%s%c",
						 result.rows.values[i] == NULL ? "NULL" : result.rows.values[i],
						 (i + 1) % result.rows.n_columns == 0 ? '\n' : '\t');
}

Datum
sw_test_session(PG_FUNCTION_ARGS)
{
	SwRedactor	redactor = {0};
	SwSessionOptions options = {
		.host = module_get_text(fcinfo, 0),
		.port = PG_GETARG_INT32(1),
		.sslmode = module_get_text(fcinfo, 2),
		.sslrootcert = module_get_text(fcinfo, 3),
		.user = module_get_text(fcinfo, 4),
		.password = module_get_text(fcinfo, 5),
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.redactor = &redactor
	};
	int			n_rounds = PG_GETARG_INT32(7);
	MemoryContext round_cxt = AllocSetContextCreate(CurrentMemoryContext,
													"a round",
													ALLOCSET_DEFAULT_SIZES);
	StringInfoData answers;
	SwSession  *session;
	const char **statements;
	Datum		values[3] = {0};
	bool		nulls[3] = {false, true, true};
	TupleDesc	columns;
	SwStatus	status;
	SwError		err;
	int			n_statements;
	int			round;
	int			i;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sw_test_session returns a row");
	statements = module_get_texts(fcinfo, 6, &n_statements);
	sw_redactor_add(&redactor, options.password);
	initStringInfo(&answers);

	session = sw_session_create(&options, CurrentMemoryContext);
	status = sw_session_connect(session, &err);
	if (status == SW_OK)
		status = sw_session_login(session, &err);
	if (status != SW_OK)
		module_append_error(&answers, &err);
	for (round = 1; status == SW_OK && round <= n_rounds; round++)
	{
		MemoryContext old_cxt = MemoryContextSwitchTo(round_cxt);
		StringInfoData ignored;

		initStringInfo(&ignored);
		for (i = 0; i < n_statements; i++)
			run_statement(session, statements[i],
						  round == 1 ? &answers : &ignored);
		MemoryContextSwitchTo(old_cxt);
		MemoryContextReset(round_cxt);
		i = round == n_rounds ? 2 : 1;
		if (round == n_rounds / 10 || round == n_rounds)
		{
			values[i] = Int64GetDatum((int64)
									  MemoryContextMemAllocated(TopMemoryContext, true));
			nulls[i] = false;
		}
	}
	sw_session_close(session);

	values[0] = CStringGetTextDatum(answers.data);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns),
													  values, nulls)));
}
