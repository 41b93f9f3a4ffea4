/*-------------------------------------------------------------------------
 *
 * sw_point.c
 *	  Named points of a run at which a test may stop or end a worker.
 *
 * Contract: sw_point.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "net/sw_point.h"

typedef void (*PointHook) (const char *name);

void
sw_point(const char *name)
{
	static void **hook = NULL;

	if (hook == NULL)
		hook = find_rendezvous_variable("sensorswave_export point");
	if (*hook != NULL)
		((PointHook) *hook) (name);
}
