/*-------------------------------------------------------------------------
 *
 * sw_store.c
 *	  An object store: where files are staged for the warehouse to read.
 *
 * Checks what users wrote, builds addresses, and sends the calls of
 * sw_store.h on their way.  What differs between kinds of stores is behind
 * SwStoreOps; a kind is one file and one line in the table below.
 *
 * Addresses: the bucket stands in front of the host, as the stores want it;
 * where the endpoint is an IP address, which cannot have anything in front,
 * or where the user says so, it is the first part of the path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common/sw_uri.h"
#include "net/sw_http.h"
#include "store/sw_store.h"
#include "store/sw_store_kind.h"

/* Well under what any store takes, prefix included. */
#define SW_STORE_MAX_KEY_BYTES 500

/* What S3 stores take that have one region only, or do not care. */
#define SW_S3_DEFAULT_REGION "us-east-1"

static const SwStoreOps *const sw_store_kinds[] = {
	&sw_store_tos_ops,
	&sw_store_s3_ops
};

static bool
sw_store_is_set(const char *option)
{
	return option != NULL && option[0] != '\0';
}

/* Options without which no kind of store works. */
static SwStatus
sw_store_check_required(const SwStoreOptions *options, SwError *err)
{
	const struct
	{
		const char *name;
		const char *value;
	}			required[] = {
		{"stage_endpoint", options->endpoint},
		{"stage_region", options->region},
		{"stage_bucket", options->bucket},
		{"stage_access_key", options->access_key},
		{"stage_secret_key", options->secret_key}
	};

	for (int i = 0; i < (int) lengthof(required); i++)
	{
		if (sw_store_is_set(required[i].value))
			continue;
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "%s is not set", required[i].name);
		sw_error_set_hint(err, "Set it in sw_destinations.");
		return SW_ERR_CONFIG;
	}
	if (sw_store_is_set(options->proxy) &&
		strstr(options->proxy, "://") != NULL &&
		pg_strncasecmp(options->proxy, "http://", 7) != 0)
	{
		sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
					 "unsupported kind of proxy");
		sw_error_set_hint(err, "Set sensorswave_export.proxy to http://host:port; https requests go through it by CONNECT.");
		return SW_ERR_CONFIG;
	}
	return SW_OK;
}

static SwStatus
sw_store_find_kind(const char *kind, const SwStoreOps **ops_out, SwError *err)
{
	for (int i = 0; i < (int) lengthof(sw_store_kinds); i++)
	{
		if (kind != NULL && strcmp(kind, sw_store_kinds[i]->kind) == 0)
		{
			*ops_out = sw_store_kinds[i];
			return SW_OK;
		}
	}
	return sw_error_set(err, SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
						"unsupported stage_kind \"%s\"",
						kind != NULL ? kind : "");
}

static SwStatus
sw_store_parse_endpoint(const char *name, const char *text,
						SwEndpoint *endpoint, SwError *err)
{
	SwStatus	status = sw_uri_parse_endpoint(text, endpoint, err);

	if (status != SW_OK)
		sw_error_set_detail(err, "This is about %s.", name);
	return status;
}

static SwStatus
sw_store_check_options(SwStore *store, SwError *err)
{
	const SwStoreOptions *options = &store->options;

	SW_TRY(sw_store_check_required(options, err));
	SW_TRY(sw_store_parse_endpoint("stage_endpoint", options->endpoint,
								   &store->endpoint, err));
	store->has_load_endpoint = sw_store_is_set(options->load_endpoint);
	if (store->has_load_endpoint)
		SW_TRY(sw_store_parse_endpoint("stage_load_endpoint",
									   options->load_endpoint,
									   &store->load_endpoint, err));
	else
		store->load_endpoint = store->endpoint;
	store->is_path_style = options->is_path_style || store->endpoint.is_ip;
	store->is_load_path_style = options->is_path_style ||
		store->load_endpoint.is_ip;
	return store->ops->check_endpoints(store, err);
}

/* Host header of an endpoint, with the bucket in front where it goes there. */
static char *
sw_store_build_authority(const SwStore *store, const SwEndpoint *endpoint,
						 bool is_path_style)
{
	StringInfoData out;

	initStringInfo(&out);
	if (!is_path_style)
		appendStringInfo(&out, "%s.", store->options.bucket);
	sw_uri_append_authority(&out, endpoint);
	return out.data;
}

/* The store as messages name it. */
static char *
sw_store_build_peer(const SwEndpoint *endpoint)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "object store \"");
	sw_uri_append_authority(&out, endpoint);
	appendStringInfoChar(&out, '"');
	return out.data;
}

SwStatus
sw_store_open(const SwStoreOptions *options, MemoryContext cxt,
			  SwStore **store_out, SwError *err)
{
	const SwStoreOps *ops = NULL;
	MemoryContext own_cxt;
	MemoryContext old_cxt;
	SwHttpOptions http_options;
	SwStore    *store;
	SwStatus	status;

	SW_TRY(sw_store_find_kind(options->kind, &ops, err));
	own_cxt = AllocSetContextCreate(cxt, "SwStore", ALLOCSET_DEFAULT_SIZES);
	old_cxt = MemoryContextSwitchTo(own_cxt);

	store = palloc0(sizeof(SwStore));
	store->cxt = own_cxt;
	store->ops = ops;
	store->options = *options;
	if (!sw_store_is_set(options->security_token))
		store->options.security_token = NULL;
	status = sw_store_check_options(store, err);
	if (status != SW_OK)
	{
		MemoryContextSwitchTo(old_cxt);
		MemoryContextDelete(own_cxt);
		return status;
	}

	store->authority = sw_store_build_authority(store, &store->endpoint,
												store->is_path_style);
	store->peer = sw_store_build_peer(&store->endpoint);
	sw_redactor_add(&store->redactor, options->access_key);
	sw_redactor_add(&store->redactor, options->secret_key);
	sw_redactor_add(&store->redactor, options->security_token);
	/* the HTTP library quotes a proxy that it cannot make out */
	if (sw_store_is_set(options->proxy) && strchr(options->proxy, '@') != NULL)
		sw_redactor_add(&store->redactor, options->proxy);

	http_options.proxy = options->proxy;
	http_options.ca_file = options->ca_file;
	http_options.wait_event = SW_WAIT_EVENT_STORE;
	store->engine = sw_http_engine_create(own_cxt, &http_options);

	MemoryContextSwitchTo(old_cxt);
	*store_out = store;
	return SW_OK;
}

void
sw_store_close(SwStore *store)
{
	MemoryContextDelete(store->cxt);
}

/*
 * Keys go into URLs, statements and other people's parsers, so only plain
 * characters are let through, and no part that a path parser would resolve.
 */
SwStatus
sw_store_check_key(const char *key, SwError *err)
{
	static const char plain[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=-";
	Size		len = strlen(key);
	const char *what = NULL;

	if (len == 0 || len > SW_STORE_MAX_KEY_BYTES)
		what = "its length is not between 1 and 500 bytes";
	else if (strspn(key, plain) != len)
		what = "it has characters other than A-Z, a-z, 0-9 and _./=-";
	else
	{
		for (const char *part = key; part != NULL && what == NULL;)
		{
			Size		n = strcspn(part, "/");

			if (n == 0 || (n == 1 && part[0] == '.') ||
				(n == 2 && part[0] == '.' && part[1] == '.'))
				what = "a part of it is empty, \".\" or \"..\"";
			part = part[n] == '/' ? part + n + 1 : NULL;
		}
	}
	if (what == NULL)
		return SW_OK;
	sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
				 "invalid name of a staged object: %s", what);
	sw_error_set_hint(err, "Check stage_prefix in sw_destinations.");
	return SW_ERR_CONFIG;
}

SwStatus
sw_store_put(SwStore *store, const char *key, const SwBody *body,
			 SwError *err)
{
	SwStoreRequest request = {
		.operation = SW_STORE_PUT,
		.key = key,
		.body = body
	};
	SwStoreResult result = {.cxt = NULL};

	SW_TRY(sw_store_check_key(key, err));
	return sw_store_perform(store, &request, &result, err);
}

SwStatus
sw_store_delete(SwStore *store, const char *key, SwError *err)
{
	SwStoreRequest request = {
		.operation = SW_STORE_DELETE,
		.key = key
	};
	SwStoreResult result = {.cxt = NULL};

	SW_TRY(sw_store_check_key(key, err));
	return sw_store_perform(store, &request, &result, err);
}

SwStatus
sw_store_head(SwStore *store, const char *key, SwStoreObject *object,
			  SwError *err)
{
	SwStoreRequest request = {
		.operation = SW_STORE_HEAD,
		.key = key
	};
	SwStoreResult result = {.cxt = NULL};

	SW_TRY(sw_store_check_key(key, err));
	SW_TRY(sw_store_perform(store, &request, &result, err));
	object->key = pstrdup(key);
	object->n_bytes = result.n_bytes;
	object->etag = pstrdup(result.etag);
	object->has_crc64 = result.has_crc64;
	object->crc64 = result.crc64;
	return SW_OK;
}

SwStatus
sw_store_get(SwStore *store, const char *key, int64 offset, int n_bytes,
			 char **bytes_out, int *n_out, SwError *err)
{
	SwStoreRequest request = {
		.operation = SW_STORE_GET,
		.key = key,
		.offset = offset,
		.n_bytes = n_bytes
	};
	SwStoreResult result = {.cxt = CurrentMemoryContext};

	Assert(offset >= 0 && n_bytes > 0 && n_bytes <= SW_HTTP_MAX_BODY);
	SW_TRY(sw_store_check_key(key, err));
	SW_TRY(sw_store_perform(store, &request, &result, err));
	*bytes_out = result.content;
	*n_out = (int) result.n_bytes;
	return SW_OK;
}

SwStatus
sw_store_abort_upload(SwStore *store, const char *key, const char *upload_id,
					  SwError *err)
{
	SwStoreRequest request = {
		.operation = SW_STORE_ABORT_UPLOAD,
		.key = key,
		.upload_id = upload_id
	};
	SwStoreResult result = {.cxt = NULL};

	SW_TRY(sw_store_check_key(key, err));
	return sw_store_perform(store, &request, &result, err);
}

char *
sw_store_default_region(const char *kind, const char *endpoint)
{
	static const char *const prefixes[] = {"tos-s3-", "s3.", "s3-"};
	SwEndpoint	parsed;
	SwError		err;

	if (strcmp(kind, sw_store_s3_ops.kind) != 0)
		return NULL;
	if (sw_uri_parse_endpoint(endpoint, &parsed, &err) == SW_OK)
	{
		for (int i = 0; i < (int) lengthof(prefixes); i++)
		{
			Size		n = strlen(prefixes[i]);
			const char *region = parsed.host + n;
			Size		n_region = strcspn(region, ".");

			/* <prefix><region>.<domain>.<top>, and regions have a dash */
			if (strncmp(parsed.host, prefixes[i], n) == 0 &&
				memchr(region, '-', n_region) != NULL &&
				strchr(region + n_region, '.') != NULL)
				return pnstrdup(region, n_region);
		}
	}
	return pstrdup(SW_S3_DEFAULT_REGION);
}

char *
sw_store_load_url(const SwStore *store, const char *key)
{
	const SwEndpoint *endpoint = &store->load_endpoint;
	const char *scheme = endpoint->is_tls ? "https" : "http";
	char	   *authority = sw_store_build_authority(store, endpoint,
													 store->is_load_path_style);
	char	   *url;

	if (store->is_load_path_style)
		url = psprintf("%s://%s/%s/%s", scheme, authority,
					   store->options.bucket, key);
	else
		url = psprintf("%s://%s/%s", scheme, authority, key);
	pfree(authority);
	return url;
}
