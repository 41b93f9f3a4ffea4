/*-------------------------------------------------------------------------
 *
 * tenant_store.c
 *	  test/tenant-check: one Parquet file in the staging bucket.
 *
 *-------------------------------------------------------------------------
 */
#include "tenant.h"

#include <curl/curl.h>
#include <time.h>

#include "format/sw_writer.h"
#include "sign/sw_sign_v4.h"

#define REQUEST_S 60

static const SwColumnSpec columns[] = {
	{.name = "n",.type = SW_TYPE_INT64},
	{.name = "at",.type = SW_TYPE_INT64},
	{.name = "doc",.type = SW_TYPE_STRING}
};

static SwStatus
append(void *arg, const char *data, Size len, SwError *err)
{
	(void) err;
	appendBinaryStringInfo((StringInfo) arg, data, (int) len);
	return SW_OK;
}

static bool
write_file(StringInfo file, char **message)
{
	const SwWriterOps *ops = &sw_parquet_zstd_writer_ops;
	SwWriterOptions options = {
		.compression_level = 1,
		.group_bytes = 1024 * 1024,
		.created_by = "sensorswave_export tenant-check"
	};
	SwSink		sink = {append, file};
	SwWriter   *writer = ops->open(columns, lengthof(columns), &options, sink);
	SwBatch		batch;
	SwError		err;
	bool		succeeded;
	int			i;

	sw_batch_init(&batch, columns, lengthof(columns));
	for (i = 1; i <= TENANT_N_ROWS; i++)
	{
		char	   *doc = psprintf("{\"i\":%d,\"s\":\"text\"}", i);

		sw_column_append_int64(&batch.columns[0], i);
		/* noon of 2021-07-21 in Shanghai */
		sw_column_append_int64(&batch.columns[1], INT64CONST(1626840000000) + i);
		sw_column_append_bytes(&batch.columns[2], doc, strlen(doc));
		sw_batch_end_row(&batch);
	}
	succeeded = ops->write_batch(writer, &batch, &err) == SW_OK &&
		ops->finish(writer, &err) == SW_OK;
	if (!succeeded)
		*message = pstrdup(err.message);
	ops->destroy(writer);
	return succeeded;
}

typedef struct Source
{
	const StringInfoData *file;
	Size		n_read;
} Source;

static size_t
read_source(char *to, size_t size, size_t n, void *arg)
{
	Source	   *source = (Source *) arg;
	size_t		len = Min(size * n, (Size) source->file->len - source->n_read);

	memcpy(to, source->file->data + source->n_read, len);
	source->n_read += len;
	return len;
}

static size_t
keep_answer(char *bytes, size_t size, size_t n, void *arg)
{
	StringInfo	answer = (StringInfo) arg;

	if (answer->len < 4096)
		appendBinaryStringInfo(answer, bytes, (int) Min(size * n, 4096));
	return size * n;
}

/* One request; file = NULL: without a body. */
static bool
request(const Tenant *tenant, const char *method, const char *key,
		const StringInfoData *file, char **message)
{
	char	   *host = psprintf("%s.%s", tenant->bucket, tenant->endpoint);
	SwSignV4Request sign = {
		.scheme = &sw_sign_v4_tos,
		.method = method,
		.host = host,
		.path = psprintf("/%s", key),
		.payload_hash = SW_SIGN_UNSIGNED_PAYLOAD,
		.region = tenant->region,
		.access_key = tenant->access_key,
		.secret_key = tenant->secret_key
	};
	char		timestamp[SW_SIGN_TIME_SIZE];
	Source		source = {file, 0};
	SwSignV4Result signed_request;
	struct curl_slist *headers = NULL;
	StringInfoData answer;
	CURL	   *curl;
	CURLcode	code;
	SwError		err;
	long		status = 0;
	int			i;

	sw_sign_v4_format_time((int64) time(NULL), timestamp);
	sign.timestamp = timestamp;
	if (sw_sign_v4_request(&sign, &signed_request, &err) != SW_OK)
	{
		*message = tenant_safe(tenant, err.message);
		return false;
	}
	initStringInfo(&answer);
	curl = curl_easy_init();
	for (i = 0; i < signed_request.n_headers; i++)
		headers = curl_slist_append(headers,
									psprintf("%s: %s", signed_request.headers[i].name,
											 signed_request.headers[i].value));
	curl_easy_setopt(curl, CURLOPT_URL,
					 psprintf("https://%s%s", host, signed_request.path));
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) REQUEST_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	if (tenant->proxy[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_PROXY, tenant->proxy);
	if (tenant->root_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, tenant->root_file);
	if (file != NULL)
	{
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) file->len);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_source);
		curl_easy_setopt(curl, CURLOPT_READDATA, &source);
	}
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		*message = psprintf("the store cannot be reached: %s",
							curl_easy_strerror(code));
	else if (status / 100 != 2)
		*message = psprintf("the store answered %ld: %s", status,
							tenant_safe(tenant, answer.data));
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return code == CURLE_OK && status / 100 == 2;
}

bool
store_put(const Tenant *tenant, const char *key, char **message)
{
	StringInfoData file;

	initStringInfo(&file);
	return write_file(&file, message) &&
		request(tenant, "PUT", key, &file, message);
}

bool
store_delete(const Tenant *tenant, const char *key, char **message)
{
	return request(tenant, "DELETE", key, NULL, message);
}

/* tos-cn-beijing.volces.com becomes tos-s3-cn-beijing.volces.com. */
char *
store_load_url(const Tenant *tenant, const char *key)
{
	const char *endpoint = tenant->endpoint;
	bool		is_native = strncmp(endpoint, "tos-", 4) == 0 &&
	strncmp(endpoint, "tos-s3-", 7) != 0;

	return psprintf("https://%s.%s%s/%s", tenant->bucket,
					is_native ? "tos-s3-" : "",
					is_native ? endpoint + 4 : endpoint, key);
}
