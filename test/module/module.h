/*-------------------------------------------------------------------------
 *
 * module.h
 *	  Arguments and results of the functions of test/module.
 *
 * All memory is the caller's current context; what cannot be read is an
 * error of the statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MODULE_H
#define MODULE_H

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"

#include "common/sw_status.h"
#include "store/sw_store.h"

/* Texts "name=value". */
typedef struct ModuleOptions
{
	int			n;
	const char **names;
	const char **values;
} ModuleOptions;

/* Argument i, a text; NULL for a null. */
extern char *module_get_text(FunctionCallInfo fcinfo, int i);

/* Argument i, an array of texts without nulls. */
extern const char **module_get_texts(FunctionCallInfo fcinfo, int i,
									 int *n_texts);
extern void module_get_options(FunctionCallInfo fcinfo, int i,
							   ModuleOptions *options);

/* The last option of that name, or the default. */
extern const char *module_text(const ModuleOptions *options, const char *name,
							   const char *preset);
extern int64 module_number(const ModuleOptions *options, const char *name,
						   int64 preset);

/* Open the store that the options tell of (module.sql names them). */
extern SwStatus module_open_store(const ModuleOptions *options,
								  SwStore **store, SwError *err);

/* Add a line to the result of a function that returns rows of one text. */
extern void module_say(FunctionCallInfo fcinfo, const char *fmt,...)
			pg_attribute_printf(2, 3);
extern void module_say_error(FunctionCallInfo fcinfo, const char *name,
							 const SwError *err);

/* An error in one line: "status retry: message // detail // hint". */
extern void module_append_error(StringInfo text, const SwError *err);

#endif							/* MODULE_H */
