/*-------------------------------------------------------------------------
 *
 * sw_destination.h
 *	  Destinations as a DBA writes them: defaults, checks, secrets.
 *
 * Contacts nobody.  All functions throw, run in the caller's transaction,
 * and check the caller's rights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_DESTINATION_H
#define SW_DESTINATION_H

#include "catalog/sw_catalog.h"

/* A destination with its secrets as they were typed. */
typedef struct SwDestinationEdit
{
	SwDestination row;			/* sealed secrets are not used */
	char	   *password;
	char	   *api_key;
	char	   *stage_secret_key;
} SwDestinationEdit;

/*
 * Both complete edit->row (defaults, times, owner).  seen is the row that an
 * edit started from; throws when somebody else has changed it since.  In edits, the typed
 * secrets NULL, '' and 'configured' keep what is there, 'none' clears it.
 */
extern void sw_destination_create(SwDestinationEdit *edit);
extern void sw_destination_alter(const SwDestination *seen,
								 SwDestinationEdit *edit);
extern void sw_destination_drop(const char *name);

/*
 * A destination that a role may use.  Throws when there is none; sees what
 * the caller's transaction has not committed yet.
 */
extern SwDestination *sw_destination_find_usable(const char *name, Oid role);

/* The same for one of the current user's own; NULL when there is none. */
extern SwDestination *sw_destination_find_own(const char *name);

/*
 * Make the destination (old is NULL), change it, or find that there is
 * nothing to change; "created", "changed" or "unchanged".
 */
extern const char *sw_destination_put(SwDestinationEdit *edit,
									  const SwDestination *old);

#endif							/* SW_DESTINATION_H */
