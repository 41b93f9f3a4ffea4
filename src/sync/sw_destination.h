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

#endif							/* SW_DESTINATION_H */
