/*-------------------------------------------------------------------------
 *
 * sw_explain.h
 *	  What a pipeline would run, as text.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_EXPLAIN_H
#define SW_EXPLAIN_H

#include "nodes/pg_list.h"

/*
 * Lines (char *): the DDL of the target, the query of the window of one day,
 * the statements that load it.  Secrets are shown as ***.  Contacts nobody.
 * Throws when the pipeline is not the current user's, and for what is wrong
 * with it by now.  Needs a transaction with an active snapshot.
 */
extern List *sw_explain_pipeline(const char *name);

#endif							/* SW_EXPLAIN_H */
