/*-------------------------------------------------------------------------
 *
 * sw_remote_error.h
 *	  What an exception of the warehouse means, and what to do about it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_REMOTE_ERROR_H
#define SW_REMOTE_ERROR_H

#include "common/sw_status.h"
#include "net/sw_redact.h"
#include "proto/sw_ch_conn.h"

/*
 * Fill *err from an exception and return its status.  The warehouse's own
 * words go into the detail, redacted and cut; grantee is the user whom a
 * missing right would be granted to, or NULL.
 */
extern SwStatus sw_remote_error_set(SwError *err,
									const SwChException *exception,
									const SwRedactor *redactor,
									const char *grantee);

/* Does the error say that there is no such virtual warehouse? */
extern bool sw_remote_error_is_warehouse(const SwError *err);

/* Does it say that the workers of the virtual warehouse are not up yet? */
extern bool sw_remote_error_is_starting(const SwError *err);

#endif							/* SW_REMOTE_ERROR_H */
