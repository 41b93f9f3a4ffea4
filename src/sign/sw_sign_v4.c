/*-------------------------------------------------------------------------
 *
 * sw_sign_v4.c
 *	  Sign one HTTP request with an HMAC chain of the "version 4" family.
 *
 * Pure: throws only when memory runs out.  Hashes come straight from
 * OpenSSL's one-call functions: the server's own pg_hmac wants a current
 * resource owner, and no transaction is open when a store is spoken to.
 *
 * Source of truth: the signing process of AWS Signature Version 4 (header
 * form, single-chunk), and for TOS4 the requests of the official SDKs
 * (test/data/tos4-signing.json):
 *
 *	  canonical request = method LF path LF query LF (name ":" value LF)* LF
 *						  names LF payload hash
 *	  string to sign    = algorithm LF time LF scope LF hex(SHA256(canonical))
 *	  scope             = day "/" region "/" service "/" terminator
 *	  signing key       = HMAC chain over the four parts of the scope
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/stringinfo.h"

#include "common/sw_uri.h"
#include "sign/sw_sign_v4.h"

#define SW_SIGN_HASH_BYTES 32

const SwSignV4Scheme sw_sign_v4_tos = {
	.algorithm = "TOS4-HMAC-SHA256",
	.header_prefix = "x-tos-",
	.key_prefix = "",
	.service = "tos",
	.terminator = "request",
};

const SwSignV4Scheme sw_sign_v4_s3 = {
	.algorithm = "AWS4-HMAC-SHA256",
	.header_prefix = "x-amz-",
	.key_prefix = "AWS4",
	.service = "s3",
	.terminator = "aws4_request",
};

/* ---- small helpers ---- */

static SwStatus
sw_sign_hash_failed(SwError *err)
{
	return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
						"could not compute a SHA-256 hash");
}

static SwStatus
sw_sign_hmac(const uint8 *key, Size key_bytes, const char *text,
			 uint8 out[SW_SIGN_HASH_BYTES], SwError *err)
{
	unsigned int n = 0;

	if (HMAC(EVP_sha256(), key, (int) key_bytes,
			 (const unsigned char *) text, strlen(text), out, &n) == NULL ||
		n != SW_SIGN_HASH_BYTES)
		return sw_sign_hash_failed(err);
	return SW_OK;
}

static void
sw_sign_append_hex(StringInfo out, const uint8 hash[SW_SIGN_HASH_BYTES])
{
	int			i;

	for (i = 0; i < SW_SIGN_HASH_BYTES; i++)
		appendStringInfo(out, "%02x", hash[i]);
}

/* Printable ASCII or UTF-8, and nothing that ends a header. */
static bool
sw_sign_is_header_text(const char *text)
{
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c < 0x20 || c == 0x7F)
			return false;
	}
	return true;
}

/* No blanks and no separators either: parts of the scope and host. */
static bool
sw_sign_is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c <= 0x20 || c >= 0x7F || c == ',')
			return false;
	}
	return true;
}

static bool
sw_sign_is_timestamp(const char *text)
{
	static const char shape[] = "00000000T000000Z";
	int			i;

	for (i = 0; shape[i] != '\0'; i++)
	{
		if (shape[i] == '0' ? (text[i] < '0' || text[i] > '9') :
			text[i] != shape[i])
			return false;
	}
	return text[i] == '\0';
}

/* Lower-case copy. */
static char *
sw_sign_lower(const char *text)
{
	char	   *copy = pstrdup(text);
	char	   *c;

	for (c = copy; *c != '\0'; c++)
		*c = (char) pg_ascii_tolower((unsigned char) *c);
	return copy;
}

/*
 * Copy without blanks at the ends and with one blank for every run inside:
 * the form in which all verifiers agree on a header's value.
 */
static char *
sw_sign_squeeze(const char *value)
{
	char	   *copy = palloc(strlen(value) + 1);
	char	   *end = copy;

	for (; *value != '\0'; value++)
	{
		if (*value == ' ' && (end == copy || end[-1] == ' '))
			continue;
		*end++ = *value;
	}
	if (end > copy && end[-1] == ' ')
		end--;
	*end = '\0';
	return copy;
}

static int
sw_sign_compare_pairs(const void *a, const void *b)
{
	const SwSignPair *left = a;
	const SwSignPair *right = b;
	int			order = strcmp(left->name, right->name);

	return order != 0 ? order : strcmp(left->value, right->value);
}

static SwSignPair *
sw_sign_sort_pairs(const SwSignPair *pairs, int n)
{
	SwSignPair *sorted = palloc(sizeof(SwSignPair) * Max(n, 1));

	if (n > 0)
	{
		memcpy(sorted, pairs, sizeof(SwSignPair) * n);
		qsort(sorted, n, sizeof(SwSignPair), sw_sign_compare_pairs);
	}
	return sorted;
}

/* Is a header one of those that the signer makes itself? */
static bool
sw_sign_is_own_header(const SwSignV4Request *request, const char *name)
{
	static const char *const own[] = {"date", "content-sha256", "security-token"};
	const char *prefix = request->scheme->header_prefix;
	Size		n_prefix = strlen(prefix);
	int			i;

	if (pg_strcasecmp(name, "host") == 0 ||
		pg_strcasecmp(name, "authorization") == 0)
		return true;
	if (pg_strncasecmp(name, prefix, n_prefix) != 0)
		return false;
	for (i = 0; i < (int) lengthof(own); i++)
	{
		if (pg_strcasecmp(name + n_prefix, own[i]) == 0)
			return true;
	}
	return false;
}

/* A name that comes twice has no defined canonical form. */
static bool
sw_sign_is_repeated(const SwSignV4Request *request, int i)
{
	const char *name = request->headers[i].name;

	while (i-- > 0)
	{
		if (pg_strcasecmp(name, request->headers[i].name) == 0)
			return true;
	}
	return sw_sign_is_own_header(request, name);
}

/* ---- the steps ---- */

/* After this, nothing but a hash can fail. */
static SwStatus
sw_sign_check(const SwSignV4Request *request, SwError *err)
{
	const char *what = NULL;
	int			i;

	if (!sw_sign_is_token(request->access_key))
		what = "access key";
	else if (!sw_sign_is_token(request->region))
		what = "region";
	else if (!sw_sign_is_token(request->host))
		what = "host";
	else if (request->secret_key[0] == '\0')
		what = "secret key";
	else if (request->security_token != NULL &&
			 !sw_sign_is_header_text(request->security_token))
		what = "security token";
	if (what != NULL)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"cannot sign a request: the %s is empty or has characters that cannot be sent",
							what);

	for (i = 0; i < request->n_headers; i++)
	{
		if (!sw_sign_is_token(request->headers[i].name) ||
			strchr(request->headers[i].name, ':') != NULL ||
			!sw_sign_is_header_text(request->headers[i].value))
			return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
								"cannot sign a request: a header has characters that cannot be sent");
		if (sw_sign_is_repeated(request, i))
			return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
								"cannot sign a request: header \"%s\" is given twice",
								request->headers[i].name);
	}
	if (request->path[0] != '/' ||
		!sw_sign_is_header_text(request->payload_hash) ||
		!sw_sign_is_timestamp(request->timestamp))
		return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
							"cannot sign a request: path, payload hash or time is malformed");
	return SW_OK;
}

/* Sorted by raw name, as TOS wants it, then encoded. */
static char *
sw_sign_build_query(const SwSignV4Request *request)
{
	SwSignPair *sorted = sw_sign_sort_pairs(request->query, request->n_query);
	StringInfoData query;
	int			i;

	initStringInfo(&query);
	for (i = 0; i < request->n_query; i++)
	{
		if (i > 0)
			appendStringInfoChar(&query, '&');
		sw_uri_append_encoded(&query, sorted[i].name,
							  strlen(sorted[i].name), false);
		appendStringInfoChar(&query, '=');
		sw_uri_append_encoded(&query, sorted[i].value,
							  strlen(sorted[i].value), false);
	}
	pfree(sorted);
	return query.data;
}

/* All headers but authorization, for which a place is left at the end. */
static void
sw_sign_build_headers(const SwSignV4Request *request, SwSignV4Result *result)
{
	const char *prefix = request->scheme->header_prefix;
	SwSignPair *headers;
	int			n = 0;
	int			i;

	headers = palloc(sizeof(SwSignPair) * (request->n_headers + 5));
	headers[n].name = "host";
	headers[n++].value = pstrdup(request->host);
	headers[n].name = psprintf("%sdate", prefix);
	headers[n++].value = pstrdup(request->timestamp);
	headers[n].name = psprintf("%scontent-sha256", prefix);
	headers[n++].value = pstrdup(request->payload_hash);
	if (request->security_token != NULL)
	{
		headers[n].name = psprintf("%ssecurity-token", prefix);
		headers[n++].value = sw_sign_squeeze(request->security_token);
	}
	for (i = 0; i < request->n_headers; i++)
	{
		headers[n].name = sw_sign_lower(request->headers[i].name);
		headers[n++].value = sw_sign_squeeze(request->headers[i].value);
	}
	result->headers = headers;
	result->n_headers = n;
}

/* The canonical request, and the list of signed header names. */
static void
sw_sign_build_canonical(const SwSignV4Request *request,
						SwSignV4Result *result, StringInfo names)
{
	SwSignPair *sorted = sw_sign_sort_pairs(result->headers,
											result->n_headers);
	StringInfoData canonical;
	int			i;

	initStringInfo(&canonical);
	appendStringInfo(&canonical, "%s\n%s\n%s\n", request->method,
					 result->path, result->query);
	for (i = 0; i < result->n_headers; i++)
	{
		if (i > 0)
			appendStringInfoChar(names, ';');
		appendStringInfo(&canonical, "%s:%s\n", sorted[i].name,
						 sorted[i].value);
		appendStringInfoString(names, sorted[i].name);
	}
	appendStringInfo(&canonical, "\n%s\n%s", names->data,
					 request->payload_hash);
	pfree(sorted);
	result->canonical_request = canonical.data;
}

static SwStatus
sw_sign_build_string_to_sign(const SwSignV4Request *request,
							 const char *scope, SwSignV4Result *result,
							 SwError *err)
{
	StringInfoData text;
	uint8		hash[SW_SIGN_HASH_BYTES];
	unsigned int n = 0;

	if (EVP_Digest(result->canonical_request,
				   strlen(result->canonical_request), hash, &n,
				   EVP_sha256(), NULL) != 1 || n != SW_SIGN_HASH_BYTES)
		return sw_sign_hash_failed(err);

	initStringInfo(&text);
	appendStringInfo(&text, "%s\n%s\n%s\n", request->scheme->algorithm,
					 request->timestamp, scope);
	sw_sign_append_hex(&text, hash);
	result->string_to_sign = text.data;
	return SW_OK;
}

/* The HMAC chain and the signature; leaves no key material behind. */
static SwStatus
sw_sign_compute(const SwSignV4Request *request, const char *day,
				const char *string_to_sign,
				uint8 signature[SW_SIGN_HASH_BYTES], SwError *err)
{
	const SwSignV4Scheme *scheme = request->scheme;
	const char *parts[4];
	uint8		key[SW_SIGN_HASH_BYTES];
	uint8		next[SW_SIGN_HASH_BYTES];
	char	   *first_key;
	SwStatus	status;
	int			i;

	parts[0] = request->region;
	parts[1] = scheme->service;
	parts[2] = scheme->terminator;
	parts[3] = string_to_sign;

	first_key = psprintf("%s%s", scheme->key_prefix, request->secret_key);
	status = sw_sign_hmac((const uint8 *) first_key, strlen(first_key), day,
						  key, err);
	explicit_bzero(first_key, strlen(first_key));
	pfree(first_key);

	for (i = 0; i < 4 && status == SW_OK; i++)
	{
		status = sw_sign_hmac(key, sizeof(key), parts[i], next, err);
		memcpy(key, next, sizeof(key));
	}
	if (status == SW_OK)
		memcpy(signature, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(next, sizeof(next));
	return status;
}

SwStatus
sw_sign_v4_request(const SwSignV4Request *request, SwSignV4Result *result,
				   SwError *err)
{
	const SwSignV4Scheme *scheme = request->scheme;
	StringInfoData path;
	StringInfoData names;
	StringInfoData authorization;
	uint8		signature[SW_SIGN_HASH_BYTES];
	char		day[9];
	char	   *scope;

	SW_TRY(sw_sign_check(request, err));

	strlcpy(day, request->timestamp, sizeof(day));
	scope = psprintf("%s/%s/%s/%s", day, request->region, scheme->service,
					 scheme->terminator);

	initStringInfo(&path);
	sw_uri_append_encoded(&path, request->path, strlen(request->path), true);
	result->path = path.data;
	result->query = sw_sign_build_query(request);
	sw_sign_build_headers(request, result);

	initStringInfo(&names);
	sw_sign_build_canonical(request, result, &names);
	SW_TRY(sw_sign_build_string_to_sign(request, scope, result, err));
	SW_TRY(sw_sign_compute(request, day, result->string_to_sign, signature,
						   err));

	initStringInfo(&authorization);
	appendStringInfo(&authorization,
					 "%s Credential=%s/%s, SignedHeaders=%s, Signature=",
					 scheme->algorithm, request->access_key, scope,
					 names.data);
	sw_sign_append_hex(&authorization, signature);
	result->authorization = authorization.data;
	result->headers[result->n_headers].name = "authorization";
	result->headers[result->n_headers++].value = authorization.data;

	pfree(names.data);
	pfree(scope);
	return SW_OK;
}

void
sw_sign_v4_format_time(int64 epoch_seconds,
					   char timestamp[SW_SIGN_TIME_SIZE])
{
	int64		days = epoch_seconds / 86400;
	int			second = (int) (epoch_seconds % 86400);
	int			era;
	int			day_of_era;
	int			year_of_era;
	int			day_of_year;
	int			month;
	int			day;
	int			year;

	Assert(epoch_seconds >= 0 && epoch_seconds < INT64CONST(253402300800));

	/* Proleptic Gregorian, years counted from March: leap day comes last. */
	days += 719468;				/* from 0000-03-01 to 1970-01-01 */
	era = (int) (days / 146097);
	day_of_era = (int) (days % 146097);
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				   day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
								year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	day = day_of_year - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);

	snprintf(timestamp, SW_SIGN_TIME_SIZE, "%04d%02d%02dT%02d%02d%02dZ",
			 year % 10000, month, day,
			 second / 3600, second / 60 % 60, second % 60);
}
