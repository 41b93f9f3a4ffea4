/*-------------------------------------------------------------------------
 *
 * common_uri.c
 *	  Endpoints and percent-encoding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_uri.h"
#include "unit.h"

/* expected: "tls ip ipv6 host port authority" or NULL for a refusal */
static void
check_endpoint(const char *text, const char *expected)
{
	SwEndpoint	endpoint;
	SwEndpoint	untouched;
	SwError		err;
	StringInfoData out;
	char	   *got;

	memset(&endpoint, 'x', sizeof(endpoint));
	untouched = endpoint;
	if (sw_uri_parse_endpoint(text, &endpoint, &err) != SW_OK)
	{
		if (memcmp(&endpoint, &untouched, sizeof(endpoint)) != 0)
			got = pstrdup("touched on error");
		else if (err.status != SW_ERR_CONFIG || err.hint[0] == '\0')
			got = pstrdup("wrong kind of error");
		else
			got = pstrdup("refused");
	}
	else
	{
		initStringInfo(&out);
		sw_uri_append_authority(&out, &endpoint);
		got = psprintf("%d %d %d %s %d %s", endpoint.is_tls, endpoint.is_ip,
					   endpoint.is_ipv6, endpoint.host, endpoint.port,
					   out.data);
	}
	unit_is_text(got, expected != NULL ? expected : "refused", text);
}

static void
check_encoding(const char *text, bool keep_slash, const char *expected)
{
	StringInfoData out;

	initStringInfo(&out);
	sw_uri_append_encoded(&out, text, strlen(text), keep_slash);
	unit_is_text(out.data, expected, expected);
}

int
main(void)
{
	SwEndpoint	endpoint;
	SwError		err;
	StringInfoData out;
	char		long_host[400];
	char		every[256];
	int			i;

	check_endpoint("tos-cn-beijing.volces.com",
				   "1 0 0 tos-cn-beijing.volces.com 443 tos-cn-beijing.volces.com");
	check_endpoint("https://TOS-cn-beijing.Volces.com/",
				   "1 0 0 tos-cn-beijing.volces.com 443 tos-cn-beijing.volces.com");
	check_endpoint("HTTP://store", "0 0 0 store 80 store");
	check_endpoint("http://store:80/", "0 0 0 store 80 store");
	check_endpoint("https://store:80", "1 0 0 store 80 store:80");
	check_endpoint("store:9000", "1 0 0 store 9000 store:9000");
	check_endpoint("store.:443", "1 0 0 store. 443 store.");
	check_endpoint("http://127.0.0.1:9000",
				   "0 1 0 127.0.0.1 9000 127.0.0.1:9000");
	check_endpoint("255.255.255.255", "1 1 0 255.255.255.255 443 255.255.255.255");
	check_endpoint("1.2.3", "1 0 0 1.2.3 443 1.2.3");
	check_endpoint("1.2.3.4.5", "1 0 0 1.2.3.4.5 443 1.2.3.4.5");
	check_endpoint("1.2.3.256", "1 0 0 1.2.3.256 443 1.2.3.256");
	check_endpoint("1.2.3.4.", "1 0 0 1.2.3.4. 443 1.2.3.4.");
	check_endpoint("http://[::1]:9000", "0 1 1 ::1 9000 [::1]:9000");
	check_endpoint("[FE80::1]", "1 1 1 fe80::1 443 [fe80::1]");
	check_endpoint("[::ffff:1.2.3.4]", "1 1 1 ::ffff:1.2.3.4 443 [::ffff:1.2.3.4]");

	check_endpoint("", NULL);
	check_endpoint("https://", NULL);
	check_endpoint("https:///x", NULL);
	check_endpoint(":443", NULL);
	check_endpoint("ftp://store", NULL);
	check_endpoint("https://http://store", NULL);
	check_endpoint("user@store", NULL);
	check_endpoint("https://user:word@store", NULL);
	check_endpoint("store/bucket", NULL);
	check_endpoint("store//", NULL);
	check_endpoint("store?x=1", NULL);
	check_endpoint("store#x", NULL);
	check_endpoint("store name", NULL);
	check_endpoint(" store", NULL);
	check_endpoint("store\n", NULL);
	check_endpoint("store\r\nX: y", NULL);
	check_endpoint("store..com", NULL);
	check_endpoint(".store", NULL);
	check_endpoint("sto\xC3\xA9re", NULL);
	check_endpoint("store:", NULL);
	check_endpoint("store:0", NULL);
	check_endpoint("store:65536", NULL);
	check_endpoint("store:99999999999", NULL);
	check_endpoint("store:+80", NULL);
	check_endpoint("store:80x", NULL);
	check_endpoint("store:80:80", NULL);
	check_endpoint("::1", NULL);
	check_endpoint("[::1", NULL);
	check_endpoint("[]", NULL);
	check_endpoint("[::1]x", NULL);
	check_endpoint("[store]", NULL);
	check_endpoint("[1:2:3:4:5:6:7:8:9]", NULL);

	memset(long_host, 'h', sizeof(long_host));
	long_host[255] = '\0';
	unit_is_int(sw_uri_parse_endpoint(long_host, &endpoint, &err), SW_OK,
				"a host of 255 bytes");
	long_host[255] = 'h';
	long_host[256] = '\0';
	unit_is_int(sw_uri_parse_endpoint(long_host, &endpoint, &err),
				SW_ERR_CONFIG, "a host of 256 bytes is refused");

	check_encoding("a/b c", true, "a/b%20c");
	check_encoding("a/b c", false, "a%2Fb%20c");
	check_encoding("~-._AZaz09", false, "~-._AZaz09");
	check_encoding("!'()*+%&=", true, "%21%27%28%29%2A%2B%25%26%3D");
	check_encoding("\xE5\xAF\xBC", true, "%E5%AF%BC");
	check_encoding("", true, "");

	for (i = 0; i < 256; i++)
		every[i] = (char) i;
	initStringInfo(&out);
	sw_uri_append_encoded(&out, every, 256, false);
	unit_is_int(out.len, 66 + 3 * (256 - 66),
				"66 of all 256 bytes stand for themselves");
	return unit_done();
}
