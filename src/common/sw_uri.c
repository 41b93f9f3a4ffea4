/*-------------------------------------------------------------------------
 *
 * sw_uri.c
 *	  Endpoints as users write them, and strict percent-encoding.
 *
 * Pure: throws only when memory runs out.  Grammar and reserved characters
 * are those of RFC 3986, restricted to what an endpoint needs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_uri.h"

static bool
sw_uri_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
sw_uri_is_alnum(char c)
{
	return sw_uri_is_digit(c) || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z');
}

static SwStatus
sw_uri_refuse(SwError *err, const char *what)
{
	sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
				 "invalid endpoint: %s", what);
	sw_error_set_hint(err, "Write an endpoint as host, host:port or https://host:port.");
	return SW_ERR_CONFIG;
}

/* Four decimal numbers up to 255, with dots between them. */
static bool
sw_uri_is_ipv4(const char *host, Size n)
{
	int			n_parts = 0;
	Size		i = 0;

	while (i < n)
	{
		int			value = 0;
		int			n_digits = 0;

		while (i < n && sw_uri_is_digit(host[i]))
		{
			value = value * 10 + (host[i] - '0');
			if (++n_digits > 3)
				return false;
			i++;
		}
		if (n_digits == 0 || value > 255)
			return false;
		n_parts++;
		if (i == n)
			break;
		if (host[i] != '.' || i + 1 == n)
			return false;
		i++;
	}
	return n_parts == 4;
}

/* Labels of letters, digits, '-' and '_', none empty, one trailing dot. */
static bool
sw_uri_is_host_name(const char *host, Size n)
{
	Size		i;

	if (n == 0 || host[0] == '.')
		return false;
	for (i = 0; i < n; i++)
	{
		char		c = host[i];

		if (c == '.' && host[i - 1] == '.')
			return false;
		if (!sw_uri_is_alnum(c) && c != '.' && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* Hexadecimal digits, colons and dots; the resolver judges the rest. */
static bool
sw_uri_is_ipv6(const char *host, Size n)
{
	int			n_colons = 0;
	Size		i;

	for (i = 0; i < n; i++)
	{
		char		c = host[i];

		if (c == ':')
			n_colons++;
		else if (!sw_uri_is_digit(c) && c != '.' &&
				 !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return false;
	}
	return n_colons >= 2 && n_colons <= 7;
}

/* 1 to 5 digits, 1 .. 65535; 0 if it is not that. */
static int
sw_uri_parse_port(const char *text, Size n)
{
	int			port = 0;
	Size		i;

	if (n == 0 || n > 5)
		return 0;
	for (i = 0; i < n; i++)
	{
		if (!sw_uri_is_digit(text[i]))
			return 0;
		port = port * 10 + (text[i] - '0');
	}
	return port <= 65535 ? port : 0;
}

SwStatus
sw_uri_parse_endpoint(const char *text, SwEndpoint *endpoint, SwError *err)
{
	SwEndpoint	parsed;
	const char *host;
	const char *rest;
	Size		n;
	Size		i;

	memset(&parsed, 0, sizeof(parsed));
	parsed.is_tls = true;
	parsed.port = 443;

	host = text;
	if (pg_strncasecmp(text, "https://", 8) == 0)
		host += 8;
	else if (pg_strncasecmp(text, "http://", 7) == 0)
	{
		host += 7;
		parsed.is_tls = false;
		parsed.port = 80;
	}
	else if (strstr(text, "://") != NULL)
		return sw_uri_refuse(err, "the scheme is neither http nor https");

	if (*host == '[')
	{
		host++;
		rest = strchr(host, ']');
		if (rest == NULL)
			return sw_uri_refuse(err, "\"]\" is missing");
		n = rest - host;
		rest++;
		if (!sw_uri_is_ipv6(host, n))
			return sw_uri_refuse(err, "no IPv6 address between \"[\" and \"]\"");
		parsed.is_ip = true;
		parsed.is_ipv6 = true;
	}
	else
	{
		n = strcspn(host, ":/");
		rest = host + n;
		if (!sw_uri_is_host_name(host, n))
			return sw_uri_refuse(err, "the host name is empty or has characters that no host name has");
		parsed.is_ip = sw_uri_is_ipv4(host, n);
	}
	if (n >= SW_URI_HOST_SIZE)
		return sw_uri_refuse(err, "the host name is too long");
	for (i = 0; i < n; i++)
		parsed.host[i] = (char) pg_ascii_tolower((unsigned char) host[i]);

	if (*rest == ':')
	{
		n = strcspn(rest + 1, "/");
		parsed.port = sw_uri_parse_port(rest + 1, n);
		if (parsed.port == 0)
			return sw_uri_refuse(err, "the port is not a number between 1 and 65535");
		rest += 1 + n;
	}
	if (*rest == '/')
		rest++;
	if (*rest != '\0')
		return sw_uri_refuse(err, "there is something after the host and port");

	*endpoint = parsed;
	return SW_OK;
}

void
sw_uri_append_authority(StringInfo out, const SwEndpoint *endpoint)
{
	if (endpoint->is_ipv6)
		appendStringInfo(out, "[%s]", endpoint->host);
	else
		appendStringInfoString(out, endpoint->host);
	if (endpoint->port != (endpoint->is_tls ? 443 : 80))
		appendStringInfo(out, ":%d", endpoint->port);
}

void
sw_uri_append_encoded(StringInfo out, const char *bytes, Size n,
					  bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	Size		i;

	for (i = 0; i < n; i++)
	{
		char		c = bytes[i];

		if (sw_uri_is_alnum(c) || c == '-' || c == '.' || c == '_' ||
			c == '~' || (c == '/' && keep_slash))
			appendStringInfoChar(out, c);
		else
		{
			appendStringInfoChar(out, '%');
			appendStringInfoChar(out, digits[(unsigned char) c >> 4]);
			appendStringInfoChar(out, digits[(unsigned char) c & 0x0F]);
		}
	}
}
