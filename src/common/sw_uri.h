/*-------------------------------------------------------------------------
 *
 * sw_uri.h
 *	  Endpoints as users write them, and strict percent-encoding.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_URI_H
#define SW_URI_H

#include "lib/stringinfo.h"

#include "common/sw_status.h"

/* RFC 1035: 253 characters and the terminator, rounded up. */
#define SW_URI_HOST_SIZE 256

/* Owns no memory. */
typedef struct SwEndpoint
{
	bool		is_tls;			/* https; what an absent scheme means */
	bool		is_ip;			/* host is an IPv4 or IPv6 address */
	bool		is_ipv6;		/* host was written in brackets */
	int			port;			/* as given, else 443 or 80 */
	char		host[SW_URI_HOST_SIZE]; /* lower case, no brackets */
} SwEndpoint;

/*
 * Parse [http://|https://]host[:port][/].  Anything else (user, path, query,
 * blanks, a port out of range) is SW_ERR_CONFIG.  The text may hold a user's
 * secret by mistake, so messages don't quote it.  *endpoint is untouched on
 * error.
 */
extern SwStatus sw_uri_parse_endpoint(const char *text, SwEndpoint *endpoint,
									  SwError *err);

/*
 * Append what a Host header says: the host, in brackets if IPv6, and the
 * port unless it is the scheme's default.
 */
extern void sw_uri_append_authority(StringInfo out,
									const SwEndpoint *endpoint);

/*
 * Append n bytes percent-encoded: all but [A-Za-z0-9-._~], and '/' where
 * keep_slash, become %XX with upper-case digits.
 */
extern void sw_uri_append_encoded(StringInfo out, const char *bytes, Size n,
								  bool keep_slash);

#endif							/* SW_URI_H */
