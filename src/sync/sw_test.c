/*-------------------------------------------------------------------------
 *
 * sw_test.c
 *	  The connection test: is this destination all that a pipeline needs?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "catalog/sw_settings.h"
#include "common/sw_version.h"
#include "net/sw_report.h"
#include "net/sw_resource.h"
#include "net/sw_wait.h"
#include "sync/sw_attempt.h"
#include "sync/sw_connect.h"
#include "sync/sw_stage.h"
#include "sync/sw_test.h"
#include "sync/sw_tidy.h"
#include "sync/sw_tx.h"

/* What a cut-off statement leaves for tidying up. */
#define TIDY_LIMIT_MS (10 * 1000)

typedef struct TestState
{
	const SwDestination *destination;
	MemoryContext context;
	MemoryContext target_context;	/* of the first session */
	SwConnect  *connect;
	SwTarget   *target;
	SwStore    *store;
	char	   *table;			/* name of the probe table, once tried */
	char	   *key;			/* key of the probe object, once tried */
	char	   *detail;			/* what the step has to say if it succeeds */
} TestState;

static void
throw_unless_ok(SwStatus status, const SwError *err)
{
	if (status != SW_OK)
		sw_report(ERROR, err);
}

/* A name that no other test has. */
static char *
make_probe_name(void)
{
	uint64		random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	return psprintf("_sw_probe_%016llx", (unsigned long long) random);
}

/* ---- the steps ---- */

static void
step_connect(void *arg)
{
	TestState  *state = arg;
	SwError		err;

	sw_tx_begin("reading a destination");
	state->connect = sw_connect_prepare(state->destination, state->context);
	sw_tx_commit();
	state->connect->target_options.statement_timeout_ms =
		Min(sw_statement_timeout_ms, SW_TEST_LIMIT_MS - TIDY_LIMIT_MS);
	state->connect->store_options.request_timeout_ms =
		Min(sw_request_timeout_ms, SW_TEST_LIMIT_MS / 6);
	state->target_context = AllocSetContextCreate(state->context, "SwTestSession",
												  ALLOCSET_SMALL_SIZES);
	throw_unless_ok(sw_target_create(&state->connect->target_options,
									 state->target_context, &state->target, &err),
					&err);
	throw_unless_ok(sw_target_connect(state->target, &err), &err);
	state->detail = psprintf("%s:%d", state->destination->host,
							 state->destination->port);
}

static void
step_login(void *arg)
{
	TestState  *state = arg;
	SwError		err;

	throw_unless_ok(sw_target_login(state->target, &err), &err);
	state->detail = sw_target_describe_server(state->target);
}

static void
step_warehouse(void *arg)
{
	TestState  *state = arg;
	SwError		err;

	throw_unless_ok(sw_target_use_warehouse(state->target, &err), &err);
	state->detail = pstrdup(state->destination->virtual_warehouse);
}

static void
step_database(void *arg)
{
	TestState  *state = arg;
	SwError		err;

	throw_unless_ok(sw_target_use_database(state->target, &err), &err);
	state->detail = pstrdup(state->destination->database);
}

static void
drop_probe_table(TestState *state)
{
	SwError		err;

	throw_unless_ok(sw_target_drop_probe(state->target, state->table, &err), &err);
	state->table = NULL;
}

static void
step_table(void *arg)
{
	TestState  *state = arg;
	char	   *name = make_probe_name();
	SwError		err;

	/* A missing right to drop shows while there is nothing to drop. */
	throw_unless_ok(sw_target_drop_probe(state->target, name, &err), &err);
	state->table = name;
	throw_unless_ok(sw_target_create_probe(state->target, name, &err), &err);
	drop_probe_table(state);
	state->detail = pstrdup("a probe table was made and dropped");
}

/* Values that a careless reader would damage. */
static const struct
{
	int64		n;
	int64		at_ms;
	const char *text;
	const char *note;			/* NULL = a null */
	const char *doc;
}			probe_rows[] =

{
	{
		1, INT64CONST(1626847200123), "plain", NULL, "{\"a\":1}"
	},
	{
		2, INT64CONST(-157766399999), "", "", "{}"
	},
	{
		3, INT64CONST(0), "\xe4\xbd\xa0\xe5\xa5\xbd \\ ' \" \t", "x",
		"{\"k\":\"\xe4\xbd\xa0\"}"
	}
};

static const SwColumnSpec probe_columns[] = {
	{.name = "n",.type = SW_TYPE_INT64},
	{.name = "at",.type = SW_TYPE_TIMESTAMP_MS},
	{.name = "text",.type = SW_TYPE_STRING},
	{.name = "note",.type = SW_TYPE_STRING,.is_nullable = true},
	{.name = "doc",.type = SW_TYPE_JSON}
};

#define N_PROBE_COLUMNS ((int) lengthof(probe_columns))
#define N_PROBE_ROWS ((int) lengthof(probe_rows))

static void
append_text(SwColumn *column, const char *text)
{
	if (text == NULL)
		sw_column_append_null(column);
	else
		sw_column_append_bytes(column, text, strlen(text));
}

static SwSpool *
write_probe(const SwWriterOps *ops, MemoryContext context)
{
	SwWriterOptions options = {
		.compression_level = 1,
		.group_bytes = 1024 * 1024,
		.created_by = "sensorswave_export " SW_VERSION
	};
	SwSpool    *spool = sw_spool_create(context);
	SwResource *owner = sw_resource_create(context, (SwResourceDestroy) ops->destroy);
	SwWriter   *writer;
	SwBatch		batch;
	SwError		err;
	int			i;

	sw_batch_init(&batch, probe_columns, N_PROBE_COLUMNS);
	for (i = 0; i < N_PROBE_ROWS; i++)
	{
		sw_column_append_int64(&batch.columns[0], probe_rows[i].n);
		sw_column_append_int64(&batch.columns[1], probe_rows[i].at_ms);
		append_text(&batch.columns[2], probe_rows[i].text);
		append_text(&batch.columns[3], probe_rows[i].note);
		append_text(&batch.columns[4], probe_rows[i].doc);
		sw_batch_end_row(&batch);
	}
	writer = ops->open(probe_columns, N_PROBE_COLUMNS, &options,
					   sw_spool_sink(spool));
	owner->object = writer;
	throw_unless_ok(ops->write_batch(writer, &batch, &err), &err);
	throw_unless_ok(ops->finish(writer, &err), &err);
	sw_resource_release(owner);
	return spool;
}

static void
step_write(void *arg)
{
	TestState  *state = arg;
	const SwDestination *d = state->destination;
	const SwWriterOps *ops = sw_stage_get_writer(d);
	SwSpool    *spool = write_probe(ops, state->context);
	SwBody		body = sw_spool_body(spool);
	SwError		err;

	state->store = sw_connect_store(state->connect, state->context);
	state->key = psprintf("%s%s_probe/%s.%s", d->stage_prefix,
						  d->stage_prefix[0] ? "/" : "", make_probe_name(),
						  ops->file_extension);
	throw_unless_ok(sw_store_put(state->store, state->key, &body, &err), &err);
	sw_spool_close(spool);
	state->detail = psprintf("%lld bytes in bucket %s", (long long) body.n_bytes,
							 d->stage_bucket);
}

static void
compare_value(const TestState *state, const SwLoadSource *source,
			  const char *found, const char *expected, int row, int column)
{
	if (found == NULL && expected == NULL)
		return;
	if (found == NULL || expected == NULL || strcmp(found, expected) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the warehouse reads staged files differently than they were written"),
				 errdetail("Row %d, column \"%s\": wrote %s, read back %s.", row + 1,
						   probe_columns[column].name,
						   expected ? expected : "NULL",
						   found ? sw_target_redact(state->target, source, found) : "NULL"),
				 errhint("Report this with the version of the warehouse; do not run pipelines with this stage_format.")));
}

static void
step_read(void *arg)
{
	TestState  *state = arg;
	const SwWriterOps *ops = sw_stage_get_writer(state->destination);
	SwLoadSource source = {
		.url = sw_store_load_url(state->store, state->key),
		.format = ops->format_name,
		.compression = ops->compression,
		.access_key = state->connect->store_options.access_key,
		.secret_key = state->connect->store_options.secret_key
	};
	char	  **values;
	int			n_rows;
	SwError		err;
	int			i;

	throw_unless_ok(sw_target_read_back(state->target, probe_columns,
										N_PROBE_COLUMNS, &source, &values,
										&n_rows, &err), &err);
	if (n_rows != N_PROBE_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the warehouse read %d rows of a staged file of %d",
						n_rows, N_PROBE_ROWS)));
	for (i = 0; i < N_PROBE_ROWS; i++)
	{
		char	  **row = values + i * N_PROBE_COLUMNS;

		compare_value(state, &source, row[0], psprintf("%lld", (long long) probe_rows[i].n), i, 0);
		compare_value(state, &source, row[1], psprintf("%lld", (long long) probe_rows[i].at_ms), i, 1);
		compare_value(state, &source, row[2], probe_rows[i].text, i, 2);
		compare_value(state, &source, row[3], probe_rows[i].note, i, 3);
		compare_value(state, &source, row[4], probe_rows[i].doc, i, 4);
	}
	state->detail = psprintf("%d rows read back unchanged", n_rows);
}

/* ---- tidying up ---- */

static void
remove_object(void *arg)
{
	TestState  *state = arg;
	SwError		err;

	/* Anew, with the limits that hold by now. */
	sw_store_close(state->store);
	state->store = sw_connect_store(state->connect, state->context);
	throw_unless_ok(sw_store_delete(state->store, state->key, &err), &err);
	state->key = NULL;
}

/* On a new session: a statement cut off leaves the old one unusable. */
static void
remove_table(void *arg)
{
	TestState  *state = arg;

	if (state->target_context != NULL)
		MemoryContextDelete(state->target_context);
	state->target_context = NULL;
	state->target = sw_connect_target(state->connect, state->context);
	drop_probe_table(state);
}

static void
tidy_up(TestState *state)
{
	sw_tidy_begin();
	if (state->connect != NULL)
	{
		state->connect->target_options.statement_timeout_ms = TIDY_LIMIT_MS;
		state->connect->target_options.connect_timeout_ms =
			Min(state->connect->target_options.connect_timeout_ms, TIDY_LIMIT_MS);
		state->connect->store_options.request_timeout_ms =
			Min(state->connect->store_options.request_timeout_ms, TIDY_LIMIT_MS);
	}
	if (state->table != NULL)
		sw_tidy_attempt(remove_table, state,
						psprintf("removing probe table %s of destination \"%s\"",
								 state->table, state->destination->name));
	if (state->key != NULL)
		sw_tidy_attempt(remove_object, state,
						psprintf("removing probe object %s of destination \"%s\"",
								 state->key, state->destination->name));
	sw_tidy_end();
}

/* ---- all of it ---- */

static const struct
{
	const char *name;
	void		(*run) (void *arg);
}			steps[SW_TEST_N_STEPS] =

{
	{
		"TCP connect", step_connect
	},
	{
		"authentication", step_login
	},
	{
		"virtual warehouse", step_warehouse
	},
	{
		"database", step_database
	},
	{
		"create table", step_table
	},
	{
		"write to the store", step_write
	},
	{
		"read from the store", step_read
	}
};

static void
run_step(TestState *state, int step, SwJobReply *reply)
{
	SwFailure	failure = {0};
	instr_time	start;
	instr_time	duration;

	state->detail = NULL;
	INSTR_TIME_SET_CURRENT(start);
	if (sw_attempt(steps[step].run, state, &failure))
	{
		reply->status = "ok";
		reply->detail = state->detail;
	}
	else
	{
		reply->status = "failed";
		reply->sqlstate = failure.sqlstate[0] ? pstrdup(failure.sqlstate) : NULL;
		reply->message = failure.message;
		reply->detail = failure.detail;
		reply->hint = failure.hint;
	}
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	reply->elapsed_us = (int64) INSTR_TIME_GET_MICROSEC(duration);
}

void
sw_test_run(const SwDestination *destination, SwJobChannel *channel)
{
	TestState	state = {.destination = destination};
	MemoryContext saved;
	bool		has_failed = false;
	int			i;

	sw_tidy_defer_termination();
	state.context = AllocSetContextCreate(CurrentMemoryContext, "SwTest",
										  ALLOCSET_DEFAULT_SIZES);
	saved = MemoryContextSwitchTo(state.context);
	for (i = 0; i < SW_TEST_N_STEPS; i++)
	{
		SwJobReply	reply = {.step = i + 1,.name = (char *) steps[i].name};

		if (has_failed)
			reply.status = "skipped";
		else if (steps[i].run == step_warehouse &&
				 destination->virtual_warehouse == NULL)
		{
			reply.status = "skipped";
			reply.detail = "no virtual warehouse is set: the user's default is used";
		}
		else
			run_step(&state, i, &reply);
		has_failed = has_failed || strcmp(reply.status, "failed") == 0;
		/* The probes go before the last word is said. */
		if (i == SW_TEST_N_STEPS - 1 || sw_tidy_is_terminated())
			tidy_up(&state);
		sw_job_reply(channel, &reply);
	}
	MemoryContextSwitchTo(saved);
	MemoryContextDelete(state.context);
}
