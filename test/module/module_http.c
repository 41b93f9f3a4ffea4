/*-------------------------------------------------------------------------
 *
 * module_http.c
 *	  sw_test_http: several requests in one engine.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "net/sw_http.h"

#include "module.h"

PG_FUNCTION_INFO_V1(sw_test_http);

#define MAX_REQUESTS 64

typedef struct Job
{
	SwHttpRequest request;
	SwHttpBody	body;
	int64		cancel_ms;		/* after the beginning; -1 = not */
	SwHttpTransfer *transfer;
} Job;

static const char *const wanted[] = {"x-test"};

static int
read_letters(void *arg, int64 offset, char *buf, int len)
{
	(void) arg;
	for (int i = 0; i < len; i++)
		buf[i] = (char) ('a' + (offset + i) % 26);
	return len;
}

static int
read_jobs(const ModuleOptions *options, Job *jobs)
{
	int			n = 0;

	for (int i = 0; i < options->n; i++)
	{
		const char *name = options->names[i];
		const char *value = options->values[i];
		Job		   *job = n > 0 ? &jobs[n - 1] : NULL;

		if (strcmp(name, "get") == 0 || strcmp(name, "put") == 0)
		{
			if (n == MAX_REQUESTS)
				elog(ERROR, "too many requests");
			job = &jobs[n++];
			job->request.method = name[0] == 'g' ? "GET" : "PUT";
			job->request.url = value;
			job->request.peer = "peer";
			job->request.wanted_headers = wanted;
			job->request.n_wanted_headers = 1;
			job->request.connect_timeout_ms = 3000;
			job->request.idle_timeout_ms = 3000;
			job->request.deadline_ms = SW_NO_DEADLINE;
			job->cancel_ms = -1;
		}
		else if (job == NULL)
			continue;
		else if (strcmp(name, "bytes") == 0)
		{
			job->body.n_bytes = strtoi64(value, NULL, 10);
			job->body.read = read_letters;
			job->request.body = &job->body;
		}
		else if (strcmp(name, "idle_ms") == 0)
			job->request.idle_timeout_ms = (int) strtoi64(value, NULL, 10);
		else if (strcmp(name, "connect_ms") == 0)
			job->request.connect_timeout_ms = (int) strtoi64(value, NULL, 10);
		else if (strcmp(name, "deadline_ms") == 0)
			job->request.deadline_ms =
				sw_wait_deadline(strtoi64(value, NULL, 10));
		else if (strcmp(name, "max_body") == 0)
			job->request.max_body_bytes = (Size) strtoi64(value, NULL, 10);
		else if (strcmp(name, "cancel_ms") == 0)
			job->cancel_ms = strtoi64(value, NULL, 10);
		else
			elog(ERROR, "unknown option of a request: %s", name);
	}
	return n;
}

/* When the next one is to be cancelled. */
static int64
cancel_due(Job *jobs, int n_jobs, int64 started_ms)
{
	int64		due_ms = SW_NO_DEADLINE;

	for (int i = 0; i < n_jobs; i++)
	{
		Job		   *job = &jobs[i];

		if (job->transfer == NULL || job->cancel_ms < 0 ||
			sw_http_is_done(job->transfer))
			continue;
		if (sw_wait_now_ms() >= started_ms + job->cancel_ms)
		{
			sw_http_release(job->transfer);
			job->transfer = NULL;
		}
		else
			due_ms = Min(due_ms, started_ms + job->cancel_ms);
	}
	return due_ms;
}

static void
say_outcome(FunctionCallInfo fcinfo, int number, Job *job)
{
	SwHttpResponse response;
	SwError		err;

	module_say(fcinfo, "request=%d", number);
	if (job->transfer == NULL)
	{
		module_say(fcinfo, "cancelled=yes");
		return;
	}
	if (sw_http_end(job->transfer, &response, &err) != SW_OK)
		module_say_error(fcinfo, "failed", &err);
	else
	{
		module_say(fcinfo, "status=%d", response.status);
		module_say(fcinfo, "body=%s", response.n_body <= 200 ?
				   response.body : "long");
		module_say(fcinfo, "n_body=%zu%s", response.n_body,
				   response.is_body_cut ? " cut" : "");
		module_say(fcinfo, "x-test=%s", response.headers[0] != NULL ?
				   response.headers[0] : "");
	}
	module_say(fcinfo, "sent=%lld", (long long) response.n_sent);
	sw_http_release(job->transfer);
}

Datum
sw_test_http(PG_FUNCTION_ARGS)
{
	ModuleOptions options;
	SwHttpOptions http = {.wait_event = SW_WAIT_EVENT_STORE};
	SwHttpEngine *engine;
	Job		   *jobs = palloc0(sizeof(Job) * MAX_REQUESTS);
	int			n_jobs;
	int64		started_ms;
	bool		is_serial;
	SwError		err;

	module_get_options(fcinfo, 0, &options);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	http.proxy = module_text(&options, "proxy", NULL);
	http.ca_file = module_text(&options, "ca_file", NULL);
	engine = sw_http_engine_create(CurrentMemoryContext, &http);
	n_jobs = read_jobs(&options, jobs);
	is_serial = module_number(&options, "serial", 0) != 0;

	started_ms = sw_wait_now_ms();
	for (int i = 0; i < n_jobs; i++)
	{
		if (sw_http_begin(engine, &jobs[i].request, &jobs[i].transfer,
						  &err) != SW_OK)
			elog(ERROR, "%s", err.message);
		while (is_serial && !sw_http_is_done(jobs[i].transfer))
			sw_http_wait(engine, SW_NO_DEADLINE);
	}
	while (sw_http_count_active(engine) > 0)
	{
		int64		due_ms = cancel_due(jobs, n_jobs, started_ms);

		if (sw_http_count_active(engine) > 0)
			sw_http_wait(engine, due_ms);
	}
	for (int i = 0; i < n_jobs; i++)
		say_outcome(fcinfo, i + 1, &jobs[i]);
	module_say(fcinfo, "ms=%lld", (long long) (sw_wait_now_ms() - started_ms));
	sw_http_engine_destroy(engine);
	return (Datum) 0;
}
