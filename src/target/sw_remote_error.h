/*-------------------------------------------------------------------------
 *
 * sw_remote_error.h
 *	  What an exception of the warehouse means, and what to do about it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_REMOTE_ERROR_H
#define SW_REMOTE_ERROR_H

#include "lib/stringinfo.h"

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

/*
 * Append the GRANT that helps, from "... grant INSERT(a, b) ON db.t ..." in
 * what the warehouse says; false if it has no such words.  Rights are asked
 * for as the manual lists them, on all of the database.
 */
extern bool sw_remote_write_grant(const char *text, const char *grantee,
								  StringInfo grant);

/* Does the error say that there is no such table? */
extern bool sw_remote_error_is_table(const SwError *err);

/* Does the error say that there is no such virtual warehouse? */
extern bool sw_remote_error_is_warehouse(const SwError *err);

/* The error of a server that is not of kind bytehouse. */
extern SwStatus sw_remote_error_set_edition(SwError *err);

/* Does it say that the workers of the virtual warehouse are not up yet? */
extern bool sw_remote_error_is_starting(const SwError *err);

#endif							/* SW_REMOTE_ERROR_H */
