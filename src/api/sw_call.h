/*-------------------------------------------------------------------------
 *
 * sw_call.h
 *	  Procedures: what is common to those that commit before they wait.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CALL_H
#define SW_CALL_H

#include "fmgr.h"

/*
 * Throws unless the procedure was called where it may commit, with its first
 * n_required arguments not null.  request and wait are the functions that do
 * the same in two steps.
 */
extern void sw_call_check(FunctionCallInfo fcinfo, const char *procedure,
						  int n_required, const char *request,
						  const char *wait);

#endif							/* SW_CALL_H */
