/*-------------------------------------------------------------------------
 *
 * store_reply.c
 *	  Documents of an object store: as S3 and TOS write them, and broken.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "lib/stringinfo.h"

#include "store/sw_store_reply.h"
#include "unit.h"

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

/* Every field of a complaint, with bars between them. */
static void
check_complaint(const char *document, const char *expected, const char *name)
{
	SwStoreComplaint complaint;
	char	   *got;

	sw_store_read_complaint(document, strlen(document), &complaint);
	got = psprintf("%s|%s|%s|%s|%s|%s|%s", complaint.code, complaint.message,
				   complaint.request_id, complaint.error_number,
				   complaint.region, complaint.endpoint,
				   complaint.server_time);
	unit_is_text(got, expected, name);
	pfree(got);
}

static void
check_complaints(void)
{
	char	   *big = palloc(1024 * 1024 + 1);

	check_complaint("{\"Code\":\"NoSuchKey\",\"Message\":\"no\",\"RequestId\":\"1\",\"HostId\":\"h\",\"Resource\":\"/a/b\",\"EC\":\"0017-1\"}",
					"NoSuchKey|no|1|0017-1|||", "an error of TOS");
	check_complaint(XML "<Error><Code>SlowDown</Code><Message>a &lt;b&gt;</Message><RequestId>1</RequestId><HostId>x=</HostId></Error>",
					"SlowDown|a <b>|1||||", "an error of S3");
	check_complaint(XML "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3-eu-west-1.amazonaws.com</Endpoint><Bucket>b</Bucket></Error>",
					"PermanentRedirect|||||b.s3-eu-west-1.amazonaws.com|",
					"a redirect");
	check_complaint("<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
					"AuthorizationHeaderMalformed||||eu-west-1||",
					"another region");
	check_complaint("<Error><Code>RequestTimeTooSkewed</Code><RequestTime>20260101T000000Z</RequestTime><ServerTime>2026-01-02T00:00:00Z</ServerTime></Error>",
					"RequestTimeTooSkewed||||||2026-01-02T00:00:00Z",
					"another time");
	check_complaint("<Error><Code>A</Code><Code>B</Code><Deep><Code>C</Code></Deep></Error>",
					"A||||||", "the first field counts");
	check_complaint("<Error><Deep><Code>C</Code></Deep></Error>", "||||||",
					"a field of something else");
	check_complaint("<Error><Code>A</Code><Message>b", "A||||||",
					"a document cut short");
	check_complaint("{\"Code\":\"A\",\"Message\":\"b", "A||||||",
					"JSON cut short");
	check_complaint("<html><head><title>502</title></head><body><Code>A</Code></body></html>",
					"||||||", "a page of a proxy");
	check_complaint("<!DOCTYPE html><Error><Code>A</Code></Error>", "||||||",
					"a document type");
	check_complaint("", "||||||", "nothing");
	check_complaint("Service Unavailable", "||||||", "plain text");
	check_complaint("<ListBucketResult><Code>A</Code></ListBucketResult>",
					"||||||", "a list is no error");
	check_complaint("{\"Code\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
					"012345678901234567890123456789012345678901234567890123456789012||||||",
					"a code too long is cut");

	memset(big, 'x', 1024 * 1024);
	big[1024 * 1024] = '\0';
	check_complaint(big, "||||||", "1 MB of text");
	memcpy(big, "<Error><Code>A</Code>", strlen("<Error><Code>A</Code>"));
	check_complaint(big, "A||||||", "1 MB of XML");
	memcpy(big, "{\"Code\":\"A\",\"x\":\"12345", strlen("{\"Code\":\"A\",\"x\":\"12345"));
	check_complaint(big, "A||||||", "1 MB of JSON");
	pfree(big);
}

/* ---- lists ---- */

typedef SwStatus (*ReadPage) (const char *document, Size len,
							  SwStorePage *page, SwError *err);

static const char *
or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

/* A page as text; NULL expected: it is refused. */
static void
check_page(ReadPage read_page, const char *document, const char *expected,
		   const char *name)
{
	StringInfoData got;
	SwStorePage page;
	SwError		err;
	SwStatus	status;
	char	   *exact = palloc(Max(strlen(document), 1));

	memcpy(exact, document, strlen(document));
	status = read_page(exact, strlen(document), &page, &err);
	pfree(exact);
	if (status != SW_OK)
	{
		unit_ok(expected == NULL && status == SW_ERR_PROTOCOL &&
				err.retry == SW_RETRY_LATER, name);
		return;
	}
	initStringInfo(&got);
	appendStringInfo(&got, "%s %s/%s", page.is_truncated ? "more" : "all",
					 page.marker, page.upload_marker);
	for (int i = 0; i < page.n_entries; i++)
		appendStringInfo(&got, " [%s %s %s %s %s %lld]",
						 or_dash(page.entries[i].key),
						 or_dash(page.entries[i].upload_id),
						 or_dash(page.entries[i].etag),
						 or_dash(page.entries[i].code),
						 or_dash(page.entries[i].message),
						 (long long) page.entries[i].n_bytes);
	unit_is_text(got.data, expected != NULL ? expected : "refused", name);
	pfree(got.data);
}

static void
check_objects(void)
{
	check_page(sw_store_read_objects,
			   XML "<ListBucketResult" NAMESPACE "><Name>b</Name><Prefix>a/</Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>"
			   "<NextContinuationToken>1/+=</NextContinuationToken><Contents><Key>a/1</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;0a&quot;</ETag><Size>9</Size>"
			   "<Owner><ID>o</ID><Key>not this</Key></Owner></Contents><Contents><Key>a/2&amp;</Key><Size>0</Size></Contents><CommonPrefixes><Prefix>p</Prefix></CommonPrefixes></ListBucketResult>",
			   "more 1/+=/ [a/1 - \"0a\" - - 9] [a/2& - - - - 0]",
			   "a list of S3");
	check_page(sw_store_read_objects,
			   "{\"Name\":\"b\",\"IsTruncated\":true,\"NextContinuationToken\":\"t\",\"Contents\":[{\"Key\":\"a/1\",\"ETag\":\"\\\"0a\\\"\",\"Size\":9,\"HashCrc64Ecma\":\"1\"},{\"Size\":1,\"Key\":\"a/2\"}]}",
			   "more t/ [a/1 - \"0a\" - - 9] [a/2 - - - - 1]",
			   "a list of TOS");
	check_page(sw_store_read_objects, "{\"Name\":\"b\"}", "all /",
			   "an empty list of TOS");
	check_page(sw_store_read_objects, XML "<ListBucketResult/>", "all /",
			   "an empty list of S3");
	check_page(sw_store_read_objects, "{\"IsTruncated\":\"false\"}", "all /",
			   "not truncated");

	check_page(sw_store_read_objects, "", NULL, "nothing");
	check_page(sw_store_read_objects, "[]", NULL, "an array");
	check_page(sw_store_read_objects, "\"a\"", NULL, "a string");
	check_page(sw_store_read_objects, "<html></html>", NULL, "a page");
	check_page(sw_store_read_objects, "<Error><Code>A</Code></Error>", NULL,
			   "an error");
	check_page(sw_store_read_objects,
			   "<ListBucketResult><Contents><Key>a</Key></Contents>", NULL,
			   "a list cut short");
	check_page(sw_store_read_objects, "{\"Contents\":[{\"Key\":\"a\"}]", NULL,
			   "a list of TOS cut short");
	check_page(sw_store_read_objects,
			   "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
			   NULL, "an object without a key");
	check_page(sw_store_read_objects,
			   "<ListBucketResult><Contents><Key>a</Key><Key>b</Key></Contents></ListBucketResult>",
			   NULL, "an object with two keys");
	check_page(sw_store_read_objects,
			   "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
			   NULL, "a negative size");
	check_page(sw_store_read_objects,
			   "<ListBucketResult><Contents><Key>a</Key><Size>9223372036854775808</Size></Contents></ListBucketResult>",
			   NULL, "a size beyond all sizes");
	check_page(sw_store_read_objects,
			   "<ListBucketResult><Contents><Key>a</Key><Size></Size></Contents></ListBucketResult>",
			   NULL, "no size");
}

static void
check_uploads(void)
{
	check_page(sw_store_read_uploads,
			   XML "<ListMultipartUploadsResult" NAMESPACE "><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>u2</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
			   "<Upload><Key>a</Key><UploadId>u1</UploadId><Initiator><ID>i</ID></Initiator></Upload></ListMultipartUploadsResult>",
			   "more a/u2 [a u1 - - - -1]", "uploads of S3");
	check_page(sw_store_read_uploads,
			   "{\"Uploads\":[{\"Key\":\"a\",\"UploadId\":\"u1\"},{\"Key\":\"b\",\"UploadId\":\"u2\"}]}",
			   "all / [a u1 - - - -1] [b u2 - - - -1]", "uploads of TOS");
	check_page(sw_store_read_uploads,
			   "{\"Uploads\":[{\"Key\":\"a\"}]}", NULL, "an upload without id");
}

static void
check_deletions(void)
{
	check_page(sw_store_read_deletions,
			   XML "<DeleteResult" NAMESPACE "><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>",
			   "all / [b - - AccessDenied no -1]", "deletions of S3");
	check_page(sw_store_read_deletions,
			   "{\"Deleted\":[{\"Key\":\"a\"}],\"Error\":[{\"Code\":\"InternalError\",\"Message\":\"m\",\"Key\":\"b\"}]}",
			   "all / [b - - InternalError m -1]", "deletions of TOS");
	check_page(sw_store_read_deletions, "<DeleteResult/>", "all /",
			   "all are deleted");
	check_page(sw_store_read_deletions,
			   "<DeleteResult><Error><Code>A</Code></Error></DeleteResult>",
			   "all / [- - - A - -1]", "a failure of nobody knows what");
}

/* ---- single fields ---- */

static void
check_upload_id(const char *document, const char *expected)
{
	char		upload_id[SW_STORE_UPLOAD_ID_SIZE];
	SwError		err;
	SwStatus	status;

	status = sw_store_read_upload_id(document, strlen(document), upload_id,
									 &err);
	unit_is_text(status == SW_OK ? upload_id : "refused", expected, document);
}

static void
check_fields(void)
{
	StringInfoData long_id;
	char		etag[SW_STORE_ETAG_SIZE];
	SwError		err;

	check_upload_id(XML "<InitiateMultipartUploadResult" NAMESPACE "><Bucket>b</Bucket><Key>k</Key><UploadId>u&amp;</UploadId></InitiateMultipartUploadResult>",
					"u&");
	check_upload_id("{\"Bucket\":\"b\",\"UploadId\":\"u\"}", "u");
	check_upload_id("{\"UploadId\":\"\"}", "refused");
	check_upload_id("{\"UploadId\":\"a b\"}", "refused");
	check_upload_id("{\"UploadId\":\"a\xff\"}", "refused");
	check_upload_id("<InitiateMultipartUploadResult><UploadId>&#233;</UploadId></InitiateMultipartUploadResult>", "refused");
	check_upload_id("{}", "refused");
	check_upload_id("<Error><UploadId>u</UploadId></Error>", "refused");
	check_upload_id("<html>", "refused");

	initStringInfo(&long_id);
	appendStringInfoString(&long_id, "{\"UploadId\":\"");
	while (long_id.len < SW_STORE_UPLOAD_ID_SIZE + 20)
		appendStringInfoChar(&long_id, 'u');
	appendStringInfoString(&long_id, "\"}");
	check_upload_id(long_id.data, "refused");
	pfree(long_id.data);

	unit_ok(sw_store_read_completion("<CompleteMultipartUploadResult><ETag>\"a-2\"</ETag></CompleteMultipartUploadResult>",
									 83, etag, &err) == SW_OK &&
			strcmp(etag, "\"a-2\"") == 0, "an upload completed");
	unit_ok(sw_store_read_completion("<Error><Code>InternalError</Code></Error>",
									 41, etag, &err) == SW_ERR_PROTOCOL,
			"an upload that was not");
}

int
main(void)
{
	check_complaints();
	check_objects();
	check_uploads();
	check_deletions();
	check_fields();
	return unit_done();
}
