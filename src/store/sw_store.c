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
 * it is the first part of the path.
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

static const SwStoreOps *const sw_store_kinds[] = {
	&sw_store_tos_ops
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
	return store->ops->check_endpoints(store, err);
}

/* Host header of an endpoint, with the bucket in front where it goes there. */
static char *
sw_store_build_authority(const SwStore *store, const SwEndpoint *endpoint)
{
	StringInfoData out;

	initStringInfo(&out);
	if (!endpoint->is_ip)
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
	const SwStoreOps *ops;
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
	status = sw_store_check_options(store, err);
	if (status != SW_OK)
	{
		MemoryContextSwitchTo(old_cxt);
		MemoryContextDelete(own_cxt);
		return status;
	}

	store->attempt_cxt = AllocSetContextCreate(own_cxt, "SwStoreAttempt",
											   ALLOCSET_DEFAULT_SIZES);
	store->authority = sw_store_build_authority(store, &store->endpoint);
	store->peer = sw_store_build_peer(&store->endpoint);
	sw_redactor_add(&store->redactor, options->access_key);
	sw_redactor_add(&store->redactor, options->secret_key);

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
static SwStatus
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
		.method = "PUT",
		.verb = "put",
		.key = key,
		.body = body
	};

	SW_TRY(sw_store_check_key(key, err));
	return sw_store_perform(store, &request, err);
}

SwStatus
sw_store_delete(SwStore *store, const char *key, SwError *err)
{
	SwStoreRequest request = {
		.method = "DELETE",
		.verb = "delete",
		.key = key
	};

	SW_TRY(sw_store_check_key(key, err));
	return sw_store_perform(store, &request, err);
}

char *
sw_store_load_url(const SwStore *store, const char *key)
{
	const SwEndpoint *endpoint = &store->load_endpoint;
	const char *scheme = endpoint->is_tls ? "https" : "http";
	char	   *authority = sw_store_build_authority(store, endpoint);
	char	   *url;

	if (endpoint->is_ip)
		url = psprintf("%s://%s/%s/%s", scheme, authority,
					   store->options.bucket, key);
	else
		url = psprintf("%s://%s/%s", scheme, authority, key);
	pfree(authority);
	return url;
}
