/*-------------------------------------------------------------------------
 *
 * sign_v4.c
 *	  Signatures: TOS4 against the official SDK's, AWS4 against those of the
 *	  AWS SDK and of the AWS documentation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "sign/sw_sign_v4.h"
#include "unit.h"

typedef struct SignCase
{
	const char *name;
	const char *method;
	const char *host;
	const char *path;
	const SwSignPair *query;
	int			n_query;
	const SwSignPair *headers;
	int			n_headers;
	const char *payload_hash;
	const char *region;
	const char *timestamp;
	const char *access_key;
	const char *secret_key;
	const char *security_token;
	const char *canonical_request;
	const char *string_to_sign;
	const char *authorization;
} SignCase;

static const SignCase tos4_cases[] = {
#include "tos4_vectors.h"
};

static const SignCase aws4_cases[] = {
#include "aws4_vectors.h"
};

static const char *
find_header(const SwSignV4Result *result, const char *name)
{
	int			i;

	for (i = 0; i < result->n_headers; i++)
	{
		if (strcmp(result->headers[i].name, name) == 0)
			return result->headers[i].value;
	}
	return "(none)";
}

static const char *
find_own_header(const SwSignV4Result *result, const SwSignV4Scheme *scheme,
				const char *name)
{
	char		full[64];

	snprintf(full, sizeof(full), "%s%s", scheme->header_prefix, name);
	return find_header(result, full);
}

static void
check_case(const SwSignV4Scheme *scheme, const SignCase *sign_case)
{
	const char *name = sign_case->name;
	SwSignV4Request request;
	SwSignV4Result result;
	SwError		err;

	memset(&request, 0, sizeof(request));
	request.scheme = scheme;
	request.method = sign_case->method;
	request.host = sign_case->host;
	request.path = sign_case->path;
	request.query = sign_case->query;
	request.n_query = sign_case->n_query;
	request.headers = sign_case->headers;
	request.n_headers = sign_case->n_headers;
	request.payload_hash = sign_case->payload_hash;
	request.region = sign_case->region;
	request.timestamp = sign_case->timestamp;
	request.access_key = sign_case->access_key;
	request.secret_key = sign_case->secret_key;
	request.security_token = sign_case->security_token;

	unit_is_int(sw_sign_v4_request(&request, &result, &err), SW_OK, name);
	/* the AWS SDK tells the outcome only */
	if (sign_case->canonical_request != NULL)
	{
		unit_is_text(result.canonical_request, sign_case->canonical_request,
					 name);
		unit_is_text(result.string_to_sign, sign_case->string_to_sign, name);
	}
	unit_is_text(result.authorization, sign_case->authorization, name);
	unit_is_int(result.n_headers, 4 + request.n_headers +
				(request.security_token != NULL ? 1 : 0), name);
	unit_is_text(find_header(&result, "host"), sign_case->host, name);
	unit_is_text(find_own_header(&result, scheme, "date"),
				 sign_case->timestamp, name);
	unit_is_text(find_own_header(&result, scheme, "content-sha256"),
				 sign_case->payload_hash, name);
	unit_is_text(find_header(&result, "authorization"),
				 sign_case->authorization, name);
	unit_is_text(find_own_header(&result, scheme, "security-token"),
				 request.security_token != NULL ? request.security_token :
				 "(none)", name);
}

/* ---- the examples of the AWS documentation, bucket "examplebucket" ---- */

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
fill_aws(SwSignV4Request *request)
{
	memset(request, 0, sizeof(*request));
	request->scheme = &sw_sign_v4_s3;
	request->method = "GET";
	request->host = "examplebucket.s3.amazonaws.com";
	request->path = "/";
	request->payload_hash = EMPTY_HASH;
	request->region = "us-east-1";
	request->timestamp = "20130524T000000Z";
	request->access_key = "AKIAIOSFODNN7EXAMPLE";
	request->secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
}

static void
check_signature(const SwSignV4Request *request, const char *signature,
				const char *name)
{
	SwSignV4Result result;
	SwError		err;
	const char *found = "(none)";

	if (sw_sign_v4_request(request, &result, &err) == SW_OK)
		found = strstr(result.authorization, "Signature=") + 10;
	unit_is_text(found, signature, name);
}

static void
check_aws(void)
{
	static const SwSignPair range[] = {{"Range", "bytes=0-9"}};
	static const SwSignPair put[] = {
		{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
		{"x-amz-storage-class", "REDUCED_REDUNDANCY"}
	};
	static const SwSignPair lifecycle[] = {{"lifecycle", ""}};
	static const SwSignPair list[] = {{"prefix", "J"}, {"max-keys", "2"}};
	SwSignV4Request request;

	fill_aws(&request);
	request.path = "/test.txt";
	request.headers = range;
	request.n_headers = 1;
	check_signature(&request,
					"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
					"AWS example: GET object");

	fill_aws(&request);
	request.method = "PUT";
	request.path = "/test$file.text";
	request.headers = put;
	request.n_headers = 2;
	request.payload_hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	check_signature(&request,
					"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
					"AWS example: PUT object");

	fill_aws(&request);
	request.query = lifecycle;
	request.n_query = 1;
	check_signature(&request,
					"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
					"AWS example: GET bucket lifecycle");

	fill_aws(&request);
	request.query = list;
	request.n_query = 2;
	check_signature(&request,
					"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
					"AWS example: list objects");
}

/* ---- refusals and times ---- */

static void
check_refusals(void)
{
	static const SwSignPair twice[] = {{"X-A", "1"}, {"x-a", "2"}};
	static const SwSignPair host[] = {{"Host", "elsewhere"}};
	static const SwSignPair date[] = {{"X-Amz-Date", "20130524T000000Z"}};
	static const SwSignPair colon[] = {{"x-a:", "1"}};
	static const SwSignPair split[] = {{"x-a", "1\r\nx-b: 2"}};
	static const SwSignPair blank[] = {{"x a", "1"}};
	SwSignV4Request request;
	SwSignV4Result result;
	SwError		err;

#define CHECK_REFUSED(change, expected, name) \
	do { \
		fill_aws(&request); \
		change; \
		unit_is_int(sw_sign_v4_request(&request, &result, &err), expected, \
					name); \
	} while (0)

	CHECK_REFUSED((request.headers = twice, request.n_headers = 2),
				  SW_ERR_BUG, "a header given twice");
	CHECK_REFUSED((request.headers = host, request.n_headers = 1),
				  SW_ERR_BUG, "a second host");
	CHECK_REFUSED((request.headers = date, request.n_headers = 1),
				  SW_ERR_BUG, "a second date");
	CHECK_REFUSED((request.headers = colon, request.n_headers = 1),
				  SW_ERR_CONFIG, "a header name with a colon");
	CHECK_REFUSED((request.headers = split, request.n_headers = 1),
				  SW_ERR_CONFIG, "a header with a line break");
	CHECK_REFUSED((request.headers = blank, request.n_headers = 1),
				  SW_ERR_CONFIG, "a header name with a blank");
	CHECK_REFUSED(request.access_key = "", SW_ERR_CONFIG, "no access key");
	CHECK_REFUSED(request.access_key = "AK\n", SW_ERR_CONFIG,
				  "an access key with a line break");
	CHECK_REFUSED(request.secret_key = "", SW_ERR_CONFIG, "no secret key");
	CHECK_REFUSED(request.region = "cn beijing", SW_ERR_CONFIG,
				  "a region with a blank");
	CHECK_REFUSED(request.host = "a\r\nb", SW_ERR_CONFIG,
				  "a host with a line break");
	CHECK_REFUSED(request.security_token = "a\r\nb", SW_ERR_CONFIG,
				  "a token with a line break");
	CHECK_REFUSED(request.path = "key", SW_ERR_BUG, "a path without slash");
	CHECK_REFUSED(request.timestamp = "20130524T000000", SW_ERR_BUG,
				  "a time cut short");
	CHECK_REFUSED(request.timestamp = "20130524T000000Zx", SW_ERR_BUG,
				  "a time too long");
	CHECK_REFUSED(request.timestamp = "2013-05-24 00:00", SW_ERR_BUG,
				  "a time of another form");
}

static void
check_time(int64 epoch_seconds, const char *expected)
{
	char		timestamp[SW_SIGN_TIME_SIZE];

	sw_sign_v4_format_time(epoch_seconds, timestamp);
	unit_is_text(timestamp, expected, expected);
}

/* Every day from 1970 to 2400 against a calendar that counts. */
static void
check_calendar(void)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64		days = 0;
	bool		good = true;
	int			year;
	int			month;
	int			day;

	for (year = 1970; year <= 2400; year++)
	{
		bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		for (month = 1; month <= 12; month++)
		{
			int			n = lengths[month - 1] + (month == 2 && leap ? 1 : 0);

			for (day = 1; day <= n; day++, days++)
			{
				char		timestamp[SW_SIGN_TIME_SIZE];
				char		expected[64];

				sw_sign_v4_format_time(days * 86400 + 86399, timestamp);
				snprintf(expected, sizeof(expected), "%04d%02d%02dT235959Z",
						 year, month, day);
				good = good && strcmp(timestamp, expected) == 0;
			}
		}
	}
	unit_ok(good, "every day from 1970 to 2400");
	unit_is_int(days, 157420, "days counted");
}

int
main(void)
{
	int			i;

	unit_is_int(lengthof(tos4_cases), 31, "all cases of the TOS SDK are here");
	for (i = 0; i < (int) lengthof(tos4_cases); i++)
		check_case(&sw_sign_v4_tos, &tos4_cases[i]);
	unit_is_int(lengthof(aws4_cases), 22, "all cases of the AWS SDK are here");
	for (i = 0; i < (int) lengthof(aws4_cases); i++)
		check_case(&sw_sign_v4_s3, &aws4_cases[i]);
	check_aws();
	check_refusals();
	check_time(0, "19700101T000000Z");
	check_time(1767323045, "20260102T030405Z");
	check_time(951782400, "20000229T000000Z");
	check_time(INT64CONST(253402300799), "99991231T235959Z");
	check_calendar();
	return unit_done();
}
