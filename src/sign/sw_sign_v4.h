/*-------------------------------------------------------------------------
 *
 * sw_sign_v4.h
 *	  Sign one HTTP request with an HMAC chain of the "version 4" family.
 *
 * AWS Signature Version 4 and TOS4 differ in a handful of words; SwSignV4Scheme
 * holds them.  Time and keys are arguments, so the same request always gives
 * the same signature.  Sign again for every repeat of a request: the peer
 * refuses old dates.
 *
 * What is signed is what must be sent: the result carries the encoded path,
 * the query and the headers in the form that was signed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SIGN_V4_H
#define SW_SIGN_V4_H

#include "common/sw_status.h"

/* "YYYYMMDDTHHMMSSZ" and its terminator */
#define SW_SIGN_TIME_SIZE 17

/* The payload hash of a body that is not hashed. */
#define SW_SIGN_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

typedef struct SwSignV4Scheme
{
	const char *algorithm;		/* first word of Authorization */
	const char *header_prefix;	/* of the date, hash and token headers */
	const char *key_prefix;		/* put before the secret key; may be "" */
	const char *service;		/* third part of the scope */
	const char *terminator;		/* last part of the scope */
} SwSignV4Scheme;

extern const SwSignV4Scheme sw_sign_v4_tos; /* TOS native API */
extern const SwSignV4Scheme sw_sign_v4_s3;	/* S3 API */

typedef struct SwSignPair
{
	const char *name;
	const char *value;
} SwSignPair;

/* All strings are NUL-terminated and borrowed for the call. */
typedef struct SwSignV4Request
{
	const SwSignV4Scheme *scheme;
	const char *method;			/* upper case */
	const char *host;			/* the Host header exactly as sent */
	const char *path;			/* raw bytes, not encoded, starts with '/' */
	const SwSignPair *query;	/* raw names and values; "" for valueless */
	int			n_query;
	const SwSignPair *headers;	/* further headers to send and sign */
	int			n_headers;
	const char *payload_hash;	/* hex SHA-256 or SW_SIGN_UNSIGNED_PAYLOAD */
	const char *region;
	const char *timestamp;		/* UTC, "YYYYMMDDTHHMMSSZ" */
	const char *access_key;
	const char *secret_key;
	const char *security_token; /* NULL = none */
} SwSignV4Request;

/* Everything is palloc'd in the current context. */
typedef struct SwSignV4Result
{
	char	   *path;			/* encoded: send this in the request line */
	char	   *query;			/* encoded, sorted, no '?'; "" if none */
	SwSignPair *headers;		/* all to send: host, date, hash, token,
								 * further ones, and last authorization */
	int			n_headers;
	char	   *authorization;	/* value of the last header */
	char	   *canonical_request;
	char	   *string_to_sign;
} SwSignV4Result;

/*
 * Sign.  SW_ERR_CONFIG if a key, the region, the host or a header holds
 * characters that cannot go into a header; *result is then undefined.  No
 * text of *result holds the secret key.
 */
extern SwStatus sw_sign_v4_request(const SwSignV4Request *request,
								   SwSignV4Result *result, SwError *err);

/*
 * Seconds since 1970-01-01 UTC, years 1970 to 9999, as the timestamp a
 * request wants.
 */
extern void sw_sign_v4_format_time(int64 epoch_seconds,
								   char timestamp[SW_SIGN_TIME_SIZE]);

#endif							/* SW_SIGN_V4_H */
