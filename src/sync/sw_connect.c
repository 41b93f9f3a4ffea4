/*-------------------------------------------------------------------------
 *
 * sw_connect.c
 *	  From a destination's row to an open store and an open warehouse.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/sw_settings.h"
#include "net/sw_report.h"
#include "net/sw_resource.h"
#include "net/sw_secret.h"
#include "sync/sw_connect.h"

static void
wipe(void *secret)
{
	sw_secret_wipe(secret);
}

static char *
unseal(const SwDestination *destination, SwSecretField field,
	   MemoryContext context)
{
	SwResource *owner = sw_resource_create(context, wipe);

	owner->object = sw_cat_destination_unseal(destination, field);
	return owner->object;
}

/* All but the secrets. */
SwConnect *
sw_connect_describe(const SwDestination *d, MemoryContext context)
{
	MemoryContext saved = MemoryContextSwitchTo(context);
	SwConnect  *connect = palloc0(sizeof(SwConnect));

	connect->context = context;
	connect->destination = d;

	connect->target_options.kind = d->kind;
	connect->target_options.host = d->host;
	connect->target_options.port = d->port;
	connect->target_options.database = d->database;
	connect->target_options.virtual_warehouse = d->virtual_warehouse;
	connect->target_options.auth_type = d->auth_type;
	connect->target_options.account_id = d->account_id;
	connect->target_options.username = d->username;
	connect->target_options.sslmode = d->sslmode;
	connect->target_options.sslrootcert = d->sslrootcert;
	connect->target_options.connect_timeout_ms = sw_connect_timeout_ms;
	connect->target_options.statement_timeout_ms = sw_statement_timeout_ms;

	connect->store_options.kind = d->stage_kind;
	connect->store_options.endpoint = d->stage_endpoint;
	connect->store_options.region = d->stage_region;
	connect->store_options.bucket = d->stage_bucket;
	connect->store_options.access_key = d->stage_access_key;
	connect->store_options.secret_key = "***";
	connect->store_options.load_endpoint = d->stage_load_endpoint;
	connect->store_options.is_path_style = d->stage_path_style;
	connect->store_options.proxy = pstrdup(sw_proxy);
	connect->store_options.ca_file = pstrdup(sw_ca_file);
	connect->store_options.connect_timeout_ms = sw_connect_timeout_ms;
	connect->store_options.request_timeout_ms = sw_request_timeout_ms;
	MemoryContextSwitchTo(saved);
	return connect;
}

SwConnect *
sw_connect_prepare(const SwDestination *d, MemoryContext context)
{
	MemoryContext saved = MemoryContextSwitchTo(context);
	SwConnect  *connect = sw_connect_describe(d, context);

	connect->target_options.password = unseal(d, SW_SECRET_PASSWORD, context);
	connect->target_options.api_key = unseal(d, SW_SECRET_API_KEY, context);
	connect->store_options.secret_key =
		unseal(d, SW_SECRET_STAGE_SECRET_KEY, context);
	connect->target_options.stage_secret_key =
		connect->store_options.secret_key;
	MemoryContextSwitchTo(saved);
	return connect;
}

SwConnect *
sw_connect_load(int64 destination_id, MemoryContext context)
{
	MemoryContext saved = MemoryContextSwitchTo(context);
	SwDestination *destination = sw_cat_destination_get(destination_id);

	MemoryContextSwitchTo(saved);
	if (destination == NULL)
		elog(ERROR, "destination " INT64_FORMAT " does not exist",
			 destination_id);
	return sw_connect_prepare(destination, context);
}

void
sw_connect_check_right(const SwConnect *connect, const SwPipeline *pipeline)
{
	const SwDestination *destination = connect->destination;

	if (!sw_cat_destination_is_usable(destination, pipeline->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the owner of pipeline \"%s\" may no longer use destination \"%s\"",
						pipeline->name, destination->name),
				 errhint("List the owner in usable_by of the destination, or give the pipeline another owner.")));
}

SwStore *
sw_connect_store(const SwConnect *connect, MemoryContext context)
{
	SwStore    *store;
	SwError		err;

	if (sw_store_open(&connect->store_options, context, &store, &err) != SW_OK)
		sw_report(ERROR, &err);
	return store;
}

SwTarget *
sw_connect_target(const SwConnect *connect, MemoryContext context)
{
	SwTarget   *target;
	SwError		err;

	if (sw_target_open(&connect->target_options, context, &target, &err) != SW_OK)
		sw_report(ERROR, &err);
	return target;
}

static bool
is_at(const SwStagedObject *object, const SwStoreOptions *options)
{
	return strcmp(object->kind, options->kind) == 0 &&
		strcmp(object->endpoint, options->endpoint) == 0 &&
		strcmp(object->region, options->region) == 0 &&
		strcmp(object->bucket, options->bucket) == 0 &&
		object->path_style == options->is_path_style;
}

SwStore *
sw_connect_store_at(const SwConnect *connect, const SwStagedObject *object,
					MemoryContext context)
{
	SwStoreOptions *options;
	SwStore    *store;
	SwError		err;

	if (is_at(object, &connect->store_options))
		return sw_connect_store(connect, context);
	options = MemoryContextAlloc(context, sizeof(SwStoreOptions));
	*options = connect->store_options;
	options->kind = object->kind;
	options->endpoint = object->endpoint;
	options->region = object->region;
	options->bucket = object->bucket;
	options->is_path_style = object->path_style;
	options->load_endpoint = NULL;
	if (sw_store_open(options, context, &store, &err) != SW_OK)
		sw_report(ERROR, &err);
	return store;
}
