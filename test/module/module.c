/*-------------------------------------------------------------------------
 *
 * module.c
 *	  Options and results of the functions of test/module.
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

void
module_read_options(FunctionCallInfo fcinfo, ModuleOptions *options)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *texts;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls,
					  &options->n);
	options->names = palloc(sizeof(char *) * options->n);
	options->values = palloc(sizeof(char *) * options->n);
	for (int i = 0; i < options->n; i++)
	{
		char	   *option = nulls[i] ? pstrdup("") : TextDatumGetCString(texts[i]);
		char	   *equals = strchr(option, '=');

		if (equals == NULL)
			elog(ERROR, "not an option: %s", option);
		*equals = '\0';
		options->names[i] = option;
		options->values[i] = equals + 1;
	}
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
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
	static const char *const retries[] = {"never", "later", "unknown"};

	module_say(fcinfo, "%s=%s", name, sw_status_name(err->status));
	module_say(fcinfo, "retry=%s", retries[err->retry]);
	module_say(fcinfo, "message=%s", err->message);
	module_say(fcinfo, "detail=%s", err->detail);
	module_say(fcinfo, "hint=%s", err->hint);
}
