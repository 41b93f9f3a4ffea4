/*-------------------------------------------------------------------------
 *
 * module.c
 *	  Arguments and results of the functions of test/module.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "module.h"

PG_MODULE_MAGIC;

static const char *const retries[] = {"never", "later", "unknown"};

char *
module_get_text(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

const char **
module_get_texts(FunctionCallInfo fcinfo, int i, int *n_texts)
{
	Datum	   *values;
	const char **texts;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false,
					  TYPALIGN_INT, &values, NULL, n_texts);
	texts = palloc(sizeof(char *) * *n_texts);
	for (int k = 0; k < *n_texts; k++)
		texts[k] = TextDatumGetCString(values[k]);
	return texts;
}

void
module_get_options(FunctionCallInfo fcinfo, int i, ModuleOptions *options)
{
	options->values = module_get_texts(fcinfo, i, &options->n);
	options->names = palloc(sizeof(char *) * options->n);
	for (int k = 0; k < options->n; k++)
	{
		const char *option = options->values[k];
		const char *equals = strchr(option, '=');

		if (equals == NULL)
			elog(ERROR, "not an option: %s", option);
		options->names[k] = pnstrdup(option, equals - option);
		options->values[k] = equals + 1;
	}
}

const char *
module_text(const ModuleOptions *options, const char *name, const char *preset)
{
	for (int i = options->n; i > 0; i--)
		if (strcmp(options->names[i - 1], name) == 0)
			return options->values[i - 1];
	return preset;
}

int64
module_number(const ModuleOptions *options, const char *name, int64 preset)
{
	const char *text = module_text(options, name, NULL);

	return text != NULL ? strtoi64(text, NULL, 10) : preset;
}

SwStatus
module_open_store(const ModuleOptions *options, SwStore **store, SwError *err)
{
	SwStoreOptions store_options = {
		.kind = module_text(options, "kind", "tos"),
		.endpoint = module_text(options, "endpoint", ""),
		.region = module_text(options, "region", "cn-beijing"),
		.bucket = module_text(options, "bucket", "sensorswave"),
		.access_key = module_text(options, "access_key", "key"),
		.secret_key = module_text(options, "secret_key", "secret"),
		.security_token = module_text(options, "security_token", NULL),
		.is_path_style = module_number(options, "path_style", 0) != 0,
		.load_endpoint = module_text(options, "load_endpoint", NULL),
		.proxy = module_text(options, "proxy", NULL),
		.ca_file = module_text(options, "ca_file", NULL),
		.connect_timeout_ms = (int) module_number(options, "connect_ms", 3000),
		.request_timeout_ms = (int) module_number(options, "idle_ms", 10000)
	};

	return sw_store_open(&store_options, CurrentMemoryContext, store, err);
}

void
module_say(FunctionCallInfo fcinfo, const char *fmt,...)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char		line[8192];
	Datum		value;
	bool		is_null = false;
	va_list		args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	value = CStringGetTextDatum(line);
	tuplestore_putvalues(result->setResult, result->setDesc, &value, &is_null);
}

void
module_say_error(FunctionCallInfo fcinfo, const char *name,
				 const SwError *err)
{
	module_say(fcinfo, "%s=%s", name, sw_status_name(err->status));
	module_say(fcinfo, "retry=%s", retries[err->retry]);
	module_say(fcinfo, "message=%s", err->message);
	module_say(fcinfo, "detail=%s", err->detail);
	module_say(fcinfo, "hint=%s", err->hint);
}

void
module_append_error(StringInfo text, const SwError *err)
{
	appendStringInfo(text, "%s %s: %s // %s // %s",
					 sw_status_name(err->status), retries[err->retry],
					 err->message, err->detail, err->hint);
}
