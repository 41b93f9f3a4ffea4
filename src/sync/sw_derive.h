/*-------------------------------------------------------------------------
 *
 * sw_derive.h
 *	  Pipelines of data source `table`: what the source makes of the target.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DERIVE_H
#define SW_DERIVE_H

#include "catalog/sw_catalog.h"
#include "source/sw_query.h"

/*
 * Complete the row of a pipeline that is to be made for a destination of that
 * kind: mode and key_columns where they are not given, and target_columns,
 * which are fixed from then on.  Throws.  Needs a transaction with an active
 * snapshot.
 */
extern void sw_derive_target(SwPipeline *row, const char *kind);

/*
 * Throw unless the values that the query reads still are what the target's
 * columns were made for: the source's columns may have changed since, and so
 * may the expressions.  Inside sw_identity_enter().
 */
extern void sw_derive_check(const SwSourceQuery *query);

#endif							/* SW_DERIVE_H */
