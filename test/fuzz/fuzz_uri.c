/*-------------------------------------------------------------------------
 *
 * fuzz_uri.c
 *	  Fuzzer: endpoints as users write them, and percent-encoding.
 *
 * Properties:
 *   - what is accepted has a host in lower case and a port
 *   - an endpoint, written and parsed again, is the same
 *   - what is refused leaves the endpoint alone, and is not quoted
 *   - what is percent-encoded has safe characters only, and decodes to what
 *     it was
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "lib/stringinfo.h"

#include "common/sw_uri.h"

#define MAX_INPUT_BYTES 4096
/* Shorter ones may be in any sentence. */
#define MIN_QUOTE_BYTES 12

static const char safe[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%";

static void
check_accepted(const SwEndpoint *endpoint)
{
	StringInfoData text;
	SwEndpoint	again;
	SwError		err;
	const char *c;

	fuzz_check(endpoint->port >= 1 && endpoint->port <= 65535);
	fuzz_check(endpoint->host[0] != '\0');
	for (c = endpoint->host; *c != '\0'; c++)
		fuzz_check((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
				   *c == '.' || *c == '-' || *c == '_' ||
				   (*c == ':' && endpoint->is_ipv6));

	initStringInfo(&text);
	appendStringInfoString(&text, endpoint->is_tls ? "" : "HTTP://");
	sw_uri_append_authority(&text, endpoint);
	memset(&again, 0x5A, sizeof(again));
	fuzz_check(sw_uri_parse_endpoint(text.data, &again, &err) == SW_OK);
	fuzz_check(again.is_tls == endpoint->is_tls &&
			   again.is_ip == endpoint->is_ip &&
			   again.is_ipv6 == endpoint->is_ipv6 &&
			   again.port == endpoint->port &&
			   strcmp(again.host, endpoint->host) == 0);
	pfree(text.data);
}

static void
check_endpoint(const char *text)
{
	SwEndpoint	endpoint;
	SwEndpoint	untouched;
	SwError		err;

	memset(&endpoint, 0x5A, sizeof(endpoint));
	memset(&untouched, 0x5A, sizeof(untouched));
	if (sw_uri_parse_endpoint(text, &endpoint, &err) == SW_OK)
	{
		check_accepted(&endpoint);
		return;
	}
	fuzz_check(err.status == SW_ERR_CONFIG);
	fuzz_check(memcmp(&endpoint, &untouched, sizeof(endpoint)) == 0);
	fuzz_check(fuzz_is_clean(err.message) && fuzz_is_clean(err.hint));
	fuzz_check(strlen(text) < MIN_QUOTE_BYTES ||
			   (strstr(err.message, text) == NULL &&
				strstr(err.detail, text) == NULL &&
				strstr(err.hint, text) == NULL));
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	fuzz_check(found != NULL);
	return (int) (found - digits);
}

static void
check_encoding(const char *bytes, Size len, bool keep_slash)
{
	StringInfoData text;
	const char *c;
	Size		n = 0;

	initStringInfo(&text);
	sw_uri_append_encoded(&text, bytes, len, keep_slash);
	for (c = text.data; *c != '\0'; c++, n++)
	{
		fuzz_check(strchr(safe, *c) != NULL || (keep_slash && *c == '/'));
		fuzz_check(n < len);
		if (*c == '%')
		{
			fuzz_check((uint8) bytes[n] ==
					   hex_value(c[1]) * 16 + hex_value(c[2]));
			c += 2;
		}
		else
			fuzz_check(bytes[n] == *c);
	}
	fuzz_check(n == len);
	pfree(text.data);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	char	   *bytes;
	char	   *text;

	if (len > MAX_INPUT_BYTES)
		return 0;
	bytes = fuzz_copy_exactly(data, len);
	check_encoding(bytes, len, true);
	check_encoding(bytes, len, false);
	text = pnstrdup(bytes, len);
	check_endpoint(text);
	pfree(text);
	pfree(bytes);
	return 0;
}
