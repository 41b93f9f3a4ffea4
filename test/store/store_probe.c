/*-------------------------------------------------------------------------
 *
 * store_probe.c
 *	  A function for tests: one call of store/, and what came of it.
 *
 *	  store_probe(options text[], call text, arguments text[]) returns text
 *
 * options are names and values of SwStoreOptions in turn.  The answer is
 * "ok" and what the call gave, or how it failed:
 *
 *	  <status> <retry>: <message> // <detail> // <hint>
 *
 * Linked with the module's own objects; see the Makefile beside it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "store/sw_store.h"

#define CONNECT_TIMEOUT_MS	5000
#define REQUEST_TIMEOUT_MS	4000

#define MAX_ARGUMENTS		1000

PG_MODULE_MAGIC;

extern PGDLLEXPORT Datum store_probe(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(store_probe);

typedef struct Texts
{
	int			n;
	const char *texts[MAX_ARGUMENTS];
} Texts;

/* A call: "ok" is told by its SwStatus, what it gave is appended. */
typedef SwStatus (*Call) (SwStore *store, const Texts *arguments,
						  StringInfo answer, SwError *err);

static void
read_texts(ArrayType *array, Texts *texts)
{
	Datum	   *elements;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &texts->n);
	if (texts->n > MAX_ARGUMENTS)
		elog(ERROR, "too many arguments");
	for (int i = 0; i < texts->n; i++)
		texts->texts[i] = nulls[i] ? NULL : TextDatumGetCString(elements[i]);
}

static void
read_options(const Texts *texts, SwStoreOptions *options)
{
	const struct
	{
		const char *name;
		const char **value;
	}			known[] = {
		{"kind", &options->kind},
		{"endpoint", &options->endpoint},
		{"region", &options->region},
		{"bucket", &options->bucket},
		{"access_key", &options->access_key},
		{"secret_key", &options->secret_key},
		{"security_token", &options->security_token},
		{"load_endpoint", &options->load_endpoint},
		{"proxy", &options->proxy},
		{"ca_file", &options->ca_file}
	};

	options->connect_timeout_ms = CONNECT_TIMEOUT_MS;
	options->request_timeout_ms = REQUEST_TIMEOUT_MS;
	for (int i = 0; i + 1 < texts->n; i += 2)
	{
		if (strcmp(texts->texts[i], "path_style") == 0)
			options->is_path_style = true;
		if (strcmp(texts->texts[i], "request_timeout_ms") == 0)
			options->request_timeout_ms = atoi(texts->texts[i + 1]);
		for (int k = 0; k < (int) lengthof(known); k++)
			if (strcmp(texts->texts[i], known[k].name) == 0)
				*known[k].value = texts->texts[i + 1];
	}
}

static int
read_text(void *arg, int64 offset, char *buf, int len)
{
	const char *text = (const char *) arg;
	int			n = Min(len, (int) (strlen(text) - offset));

	memcpy(buf, text + offset, n);
	return n;
}

static SwStatus
call_put(SwStore *store, const Texts *arguments, StringInfo answer,
		 SwError *err)
{
	SwBody		body = {
		.n_bytes = strlen(arguments->texts[1]),
		.read = read_text,
		.arg = unconstify(char *, arguments->texts[1])
	};

	(void) answer;
	return sw_store_put(store, arguments->texts[0], &body, err);
}

static SwStatus
call_delete(SwStore *store, const Texts *arguments, StringInfo answer,
			SwError *err)
{
	(void) answer;
	return sw_store_delete(store, arguments->texts[0], err);
}

static SwStatus
call_delete_many(SwStore *store, const Texts *arguments, StringInfo answer,
				 SwError *err)
{
	SwStatus	statuses[MAX_ARGUMENTS];
	SwStatus	status;

	status = sw_store_delete_many(store, arguments->texts, arguments->n,
								  statuses, err);
	for (int i = 0; i < arguments->n; i++)
		if (statuses[i] != SW_OK)
			appendStringInfo(answer, " [%s %s]", arguments->texts[i],
							 sw_status_name(statuses[i]));
	return status;
}

static void
append_object(StringInfo answer, const SwStoreObject *object)
{
	appendStringInfo(answer, " %s " INT64_FORMAT " %s", object->key,
					 object->n_bytes, object->etag);
	if (object->has_crc64)
		appendStringInfo(answer, " " UINT64_FORMAT, object->crc64);
}

static SwStatus
call_head(SwStore *store, const Texts *arguments, StringInfo answer,
		  SwError *err)
{
	SwStoreObject object;

	SW_TRY(sw_store_head(store, arguments->texts[0], &object, err));
	append_object(answer, &object);
	return SW_OK;
}

static SwStatus
call_get(SwStore *store, const Texts *arguments, StringInfo answer,
		 SwError *err)
{
	char	   *bytes;
	int			n;

	SW_TRY(sw_store_get(store, arguments->texts[0],
						atoi(arguments->texts[1]), atoi(arguments->texts[2]),
						&bytes, &n, err));
	appendStringInfo(answer, " %d %s", n, bytes);
	return SW_OK;
}

static SwStatus
call_list(SwStore *store, const Texts *arguments, StringInfo answer,
		  SwError *err)
{
	SwStoreObject *objects;
	bool		is_complete;
	int			n;

	SW_TRY(sw_store_list(store, arguments->texts[0],
						 atoi(arguments->texts[1]), &objects, &n, &is_complete,
						 err));
	appendStringInfo(answer, " %s %d", is_complete ? "all" : "some", n);
	for (int i = 0; i < n; i++)
		append_object(answer, &objects[i]);
	return SW_OK;
}

static SwStatus
call_list_uploads(SwStore *store, const Texts *arguments, StringInfo answer,
				  SwError *err)
{
	char	  **ids;
	int			n;

	SW_TRY(sw_store_list_uploads(store, arguments->texts[0], &ids, &n, err));
	for (int i = 0; i < n; i++)
		appendStringInfo(answer, " %s", ids[i]);
	return SW_OK;
}

static SwStatus
call_abort(SwStore *store, const Texts *arguments, StringInfo answer,
		   SwError *err)
{
	(void) answer;
	return sw_store_abort_upload(store, arguments->texts[0],
								 arguments->texts[1], err);
}

static SwStatus
call_url(SwStore *store, const Texts *arguments, StringInfo answer,
		 SwError *err)
{
	(void) err;
	appendStringInfo(answer, " %s",
					 sw_store_load_url(store, arguments->texts[0]));
	return SW_OK;
}

static const struct
{
	const char *name;
	Call		call;
	int			n_arguments;
}			calls[] = {
	{"put", call_put, 2},
	{"delete", call_delete, 1},
	{"delete_many", call_delete_many, 0},
	{"head", call_head, 1},
	{"get", call_get, 3},
	{"list", call_list, 2},
	{"list_uploads", call_list_uploads, 1},
	{"abort", call_abort, 2},
	{"url", call_url, 1}
};

static SwStatus
perform(const char *name, const SwStoreOptions *options,
		const Texts *arguments, StringInfo answer, SwError *err)
{
	SwStore    *store;
	SwStatus	status;

	SW_TRY(sw_store_open(options, CurrentMemoryContext, &store, err));
	for (int i = 0; i < (int) lengthof(calls); i++)
	{
		if (strcmp(calls[i].name, name) != 0)
			continue;
		if (arguments->n < calls[i].n_arguments)
			elog(ERROR, "%s takes %d arguments", name, calls[i].n_arguments);
		status = calls[i].call(store, arguments, answer, err);
		sw_store_close(store);
		return status;
	}
	elog(ERROR, "there is no call \"%s\"", name);
}

Datum
store_probe(PG_FUNCTION_ARGS)
{
	static const char *const retries[] = {"never", "later", "unknown"};
	Texts	   *texts = palloc0(sizeof(Texts));
	Texts	   *arguments = palloc0(sizeof(Texts));
	SwStoreOptions options = {.kind = NULL};
	StringInfoData answer;
	StringInfoData line;
	SwError		err;

	read_texts(PG_GETARG_ARRAYTYPE_P(0), texts);
	read_texts(PG_GETARG_ARRAYTYPE_P(2), arguments);
	read_options(texts, &options);
	initStringInfo(&answer);
	initStringInfo(&line);
	if (perform(text_to_cstring(PG_GETARG_TEXT_PP(1)), &options, arguments,
				&answer, &err) == SW_OK)
		appendStringInfo(&line, "ok%s", answer.data);
	else
		appendStringInfo(&line, "%s %s: %s // %s // %s%s",
						 sw_status_name(err.status), retries[err.retry],
						 err.message, err.detail, err.hint, answer.data);
	PG_RETURN_TEXT_P(cstring_to_text(line.data));
}
