/*-------------------------------------------------------------------------
 *
 * module_store.c
 *	  sw_test_store: one call of store/, and what came of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "module.h"

PG_FUNCTION_INFO_V1(sw_test_store);

typedef struct Arguments
{
	int			n;
	const char **texts;
} Arguments;

/* A call: "ok" is told by its SwStatus, what it gave is appended. */
typedef SwStatus (*Call) (SwStore *store, const Arguments *arguments,
						  StringInfo answer, SwError *err);

static int
read_text(void *arg, int64 offset, char *buf, int len)
{
	const char *text = (const char *) arg;
	int			n = Min(len, (int) (strlen(text) - offset));

	memcpy(buf, text + offset, n);
	return n;
}

static SwStatus
call_put(SwStore *store, const Arguments *arguments, StringInfo answer,
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
call_delete(SwStore *store, const Arguments *arguments, StringInfo answer,
			SwError *err)
{
	(void) answer;
	return sw_store_delete(store, arguments->texts[0], err);
}

static SwStatus
call_delete_many(SwStore *store, const Arguments *arguments, StringInfo answer,
				 SwError *err)
{
	SwStatus   *statuses = palloc(sizeof(SwStatus) * arguments->n);
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
call_head(SwStore *store, const Arguments *arguments, StringInfo answer,
		  SwError *err)
{
	SwStoreObject object;

	SW_TRY(sw_store_head(store, arguments->texts[0], &object, err));
	append_object(answer, &object);
	return SW_OK;
}

static SwStatus
call_get(SwStore *store, const Arguments *arguments, StringInfo answer,
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
call_list(SwStore *store, const Arguments *arguments, StringInfo answer,
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
call_list_uploads(SwStore *store, const Arguments *arguments, StringInfo answer,
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
call_abort(SwStore *store, const Arguments *arguments, StringInfo answer,
		   SwError *err)
{
	(void) answer;
	return sw_store_abort_upload(store, arguments->texts[0],
								 arguments->texts[1], err);
}

static SwStatus
call_url(SwStore *store, const Arguments *arguments, StringInfo answer,
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
perform(const char *name, const ModuleOptions *options,
		const Arguments *arguments, StringInfo answer, SwError *err)
{
	SwStore    *store;
	SwStatus	status;

	SW_TRY(module_open_store(options, &store, err));
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
sw_test_store(PG_FUNCTION_ARGS)
{
	ModuleOptions options;
	Arguments	arguments;
	StringInfoData given;
	StringInfoData answer;
	SwError		err;

	module_get_options(fcinfo, 0, &options);
	arguments.texts = module_get_texts(fcinfo, 2, &arguments.n);
	initStringInfo(&given);
	initStringInfo(&answer);
	if (perform(module_get_text(fcinfo, 1), &options, &arguments, &given,
				&err) == SW_OK)
		appendStringInfoString(&answer, "ok");
	else
		module_append_error(&answer, &err);
	appendStringInfoString(&answer, given.data);
	PG_RETURN_TEXT_P(cstring_to_text(answer.data));
}
