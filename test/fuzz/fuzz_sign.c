/*-------------------------------------------------------------------------
 *
 * fuzz_sign.c
 *	  Fuzzer: requests to be signed.
 *
 *	   u8 flags | text | NUL | text | NUL ...
 *
 * flags: which scheme, how many query parameters and headers.  The texts are,
 * in this order: host, path, region, access key, secret key, security token,
 * then names and values in turn; what is missing is "".
 *
 * Properties:
 *   - a request is signed or refused, never half of it
 *   - what is signed goes into one line of a header each, and names no
 *     header twice
 *   - path and query, decoded, are what was asked for
 *   - the same request gives the same signature, whatever the order of its
 *     parameters
 *   - another secret key gives another one
 *   - the secret key is in none of the texts
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "sign/sw_sign_v4.h"

#define MAX_INPUT_BYTES	4096
#define MAX_PAIRS		3

#define SECRET			"<a secret of thirty-two letters>"

#define FLAG_S3			0x01
#define FLAG_TOKEN		0x02
#define QUERY_SHIFT		2
#define HEADERS_SHIFT	4

/* Texts of the input, one after the other. */
typedef struct Texts
{
	char	   *at;
	char	   *end;
} Texts;

static char *
next_text(Texts *texts)
{
	char	   *text = texts->at;

	if (text >= texts->end)
		return texts->end;
	texts->at += strlen(text) + 1;
	return text;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Strictly: what is not unreserved must be escaped, in upper case. */
static char *
decode(const char *text, const char *plain)
{
	char	   *out = palloc(strlen(text) + 1);
	char	   *end = out;

	for (; *text != '\0'; text++)
	{
		if (*text == '%')
		{
			fuzz_check(hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0);
			*end++ = (char) (hex_digit(text[1]) * 16 + hex_digit(text[2]));
			text += 2;
		}
		else
		{
			fuzz_check(strchr(plain, *text) != NULL ||
					   isalnum((unsigned char) *text));
			*end++ = *text;
		}
	}
	*end = '\0';
	return out;
}

static void
check_headers(const SwSignV4Result *result)
{
	int			i;
	int			k;

	for (i = 0; i < result->n_headers; i++)
	{
		fuzz_check(result->headers[i].name[0] != '\0');
		fuzz_check(strpbrk(result->headers[i].name, "\r\n \t") == NULL);
		fuzz_check(strpbrk(result->headers[i].value, "\r\n") == NULL);
		for (k = 0; k < i; k++)
			fuzz_check(strcmp(result->headers[i].name,
							  result->headers[k].name) != 0);
	}
	fuzz_check(strcmp(result->headers[i - 1].name, "authorization") == 0);
	fuzz_check(strcmp(result->headers[i - 1].value,
					  result->authorization) == 0);
}

/* Each parameter is in the query, as often as it was asked for. */
static void
check_query(const SwSignV4Request *request, const SwSignV4Result *result)
{
	char	   *query = pstrdup(result->query);
	char	   *rest = query;
	char	   *pair;
	int			n = 0;

	while (request->n_query > 0 && (pair = strsep(&rest, "&")) != NULL)
	{
		char	   *equals = strchr(pair, '=');
		char	   *name;
		char	   *value;
		bool		is_found = false;
		int			i;

		fuzz_check(equals != NULL);
		*equals = '\0';
		name = decode(pair, "-._~");
		value = decode(equals + 1, "-._~");
		for (i = 0; i < request->n_query; i++)
			is_found = is_found ||
				(strcmp(name, request->query[i].name) == 0 &&
				 strcmp(value, request->query[i].value) == 0);
		fuzz_check(is_found);
		n++;
		pfree(name);
		pfree(value);
	}
	fuzz_check(n == request->n_query);
	pfree(query);
}

static void
reverse(const SwSignPair *pairs, int n, SwSignPair *out)
{
	int			i;

	for (i = 0; i < n; i++)
		out[i] = pairs[n - 1 - i];
}

/* All but the names of the first and the last header, which are constants. */
static void
free_result(SwSignV4Result *result)
{
	int			i;

	for (i = 0; i < result->n_headers; i++)
	{
		if (i > 0 && i < result->n_headers - 1)
			pfree((void *) result->headers[i].name);
		pfree((void *) result->headers[i].value);
	}
	pfree(result->headers);
	pfree(result->path);
	pfree(result->query);
	pfree(result->canonical_request);
	pfree(result->string_to_sign);
}

static void
check_signed(const SwSignV4Request *request, const SwSignV4Result *result)
{
	SwSignV4Request again = *request;
	SwSignV4Result other;
	SwSignPair	query[MAX_PAIRS];
	SwSignPair	headers[MAX_PAIRS];
	SwError		err;
	char	   *path = decode(result->path, "/-._~");

	fuzz_check(strcmp(path, request->path) == 0);
	pfree(path);
	check_headers(result);
	check_query(request, result);

	reverse(request->query, request->n_query, query);
	reverse(request->headers, request->n_headers, headers);
	again.query = query;
	again.headers = headers;
	fuzz_check(sw_sign_v4_request(&again, &other, &err) == SW_OK);
	fuzz_check(strcmp(other.authorization, result->authorization) == 0);
	fuzz_check(strcmp(other.query, result->query) == 0);
	free_result(&other);

	again.secret_key = psprintf("%s" SECRET, request->secret_key);
	fuzz_check(sw_sign_v4_request(&again, &other, &err) == SW_OK);
	fuzz_check(strcmp(other.authorization, result->authorization) != 0);
	fuzz_check(strstr(other.canonical_request, SECRET) == NULL);
	fuzz_check(strstr(other.string_to_sign, SECRET) == NULL);
	fuzz_check(strstr(other.authorization, SECRET) == NULL);
	free_result(&other);
	pfree((void *) again.secret_key);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	SwSignPair	query[MAX_PAIRS];
	SwSignPair	headers[MAX_PAIRS];
	SwSignV4Request request;
	SwSignV4Result result;
	SwError		err;
	Texts		texts;
	char	   *copy;
	int			i;

	/* libFuzzer learns what it is compared with */
	if (len < 2 || len > MAX_INPUT_BYTES ||
		memmem(data, len, SECRET, strlen(SECRET)) != NULL)
		return 0;
	copy = palloc(len);
	memcpy(copy, data + 1, len - 1);
	copy[len - 1] = '\0';
	texts.at = copy;
	texts.end = copy + len - 1;

	memset(&request, 0, sizeof(request));
	request.scheme = data[0] & FLAG_S3 ? &sw_sign_v4_s3 : &sw_sign_v4_tos;
	request.method = "PUT";
	request.timestamp = "20260102T030405Z";
	request.payload_hash = SW_SIGN_UNSIGNED_PAYLOAD;
	request.host = next_text(&texts);
	request.path = next_text(&texts);
	request.region = next_text(&texts);
	request.access_key = next_text(&texts);
	request.secret_key = next_text(&texts);
	if (data[0] & FLAG_TOKEN)
		request.security_token = next_text(&texts);
	request.query = query;
	request.n_query = data[0] >> QUERY_SHIFT & 3;
	request.headers = headers;
	request.n_headers = data[0] >> HEADERS_SHIFT & 3;
	for (i = 0; i < request.n_query; i++)
	{
		query[i].name = next_text(&texts);
		query[i].value = next_text(&texts);
	}
	for (i = 0; i < request.n_headers; i++)
	{
		headers[i].name = next_text(&texts);
		headers[i].value = next_text(&texts);
	}
	if (sw_sign_v4_request(&request, &result, &err) == SW_OK)
	{
		check_signed(&request, &result);
		free_result(&result);
	}
	else
		fuzz_check(fuzz_is_clean(err.message));
	pfree(copy);
	return 0;
}
