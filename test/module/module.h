/*-------------------------------------------------------------------------
 *
 * module.h
 *	  Options and results of the functions of test/module, as texts
 *	  "name=value".
 *
 *-------------------------------------------------------------------------
 */
#ifndef MODULE_H
#define MODULE_H

#include "fmgr.h"
#include "funcapi.h"

#include "common/sw_status.h"

typedef struct ModuleOptions
{
	int			n;
	char	  **names;
	char	  **values;
} ModuleOptions;

/* The first argument of a function. */
extern void module_read_options(FunctionCallInfo fcinfo,
								ModuleOptions *options);

/* The last option of that name, or the default. */
extern const char *module_text(const ModuleOptions *options, const char *name,
							   const char *preset);
extern int64 module_number(const ModuleOptions *options, const char *name,
						   int64 preset);

/* Add a line to the function's result. */
extern void module_say(FunctionCallInfo fcinfo, const char *fmt,...)
			pg_attribute_printf(2, 3);
extern void module_say_error(FunctionCallInfo fcinfo, const char *name,
							 const SwError *err);

#endif							/* MODULE_H */
