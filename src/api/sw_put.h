/*-------------------------------------------------------------------------
 *
 * sw_put.h
 *	  Rows given as JSON: what sw_put_destination and sw_put_pipeline share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PUT_H
#define SW_PUT_H

#include "utils/jsonb.h"

#include "catalog/sw_field.h"

/* The text under "name"; throws when there is none. */
extern char *sw_put_get_name(Jsonb *definition);

/*
 * Lay a definition over a record: each key is a column, its value becomes
 * the member's, null clears it, what is absent stays.  Throws when the
 * definition is not an object, has a key that is no column, or a value that
 * does not fit the column's type.
 */
extern void sw_put_apply(Jsonb *definition, const SwField *fields,
						 int n_fields, void *record);

#endif							/* SW_PUT_H */
