/*-------------------------------------------------------------------------
 *
 * sw_destination.c
 *	  Destinations as a DBA writes them: defaults, checks, secrets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"

#include "catalog/sw_settings.h"
#include "net/sw_report.h"
#include "net/sw_secret.h"
#include "port/sw_compat.h"
#include "store/sw_store.h"
#include "sync/sw_connect.h"
#include "sync/sw_destination.h"

/* What a kind of warehouse uses unless it is told otherwise. */
typedef struct KindDefaults
{
	const char *kind;
	int			port;
	const char *stage_kind;
	const char *stage_format;
	const char *stage_formats;	/* all that work */
	const char *stage_compressions; /* of Parquet files */
	const char *stage_endpoint; /* as an example, for hints */
	bool		has_accounts;	/* logs in with an account id, or an API key */
} KindDefaults;

static const KindDefaults kinds[] = {
	{"bytehouse", 19000, "tos", "parquet", "parquet", "zstd, snappy, none", "tos-cn-beijing.volces.com", true},
	{"clickhouse", 9440, "s3", "native", "native, parquet",
	"zstd, lz4, snappy, none", "s3.eu-central-1.amazonaws.com", false}
};

static bool
is_blank(const char *text)
{
	return text == NULL || text[0] == '\0';
}

/* Blank and NULL are the same to a DBA; NULL is what is stored. */
static void
nullify(char **text)
{
	if (is_blank(*text))
		*text = NULL;
}

static void
set_default(char **text, const char *value)
{
	if (is_blank(*text))
		*text = pstrdup(value);
}

static void
require(const char *value, const char *column, const char *example)
{
	if (is_blank(value))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s of a destination is missing", column),
				 errhint("Set %s, e.g. '%s'.", column, example)));
}

/* It may be cleared on purpose, as the way out when the key file is lost. */
static void
require_secret(const struct varlena *sealed, const char *typed,
			   const char *column)
{
	if (sealed == NULL && (typed == NULL || strcmp(typed, "none") != 0))
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s of a destination is missing", column),
				 errhint("Set %s.", column)));
}

/* words are separated by ", ". */
static void
require_one_of(const char *value, const char *column, const char *words)
{
	size_t		len = strlen(value);
	const char *at;

	for (at = words; at != NULL; at = strchr(at, ' '))
	{
		at += (*at == ' ');
		if (len > 0 && strncmp(at, value, len) == 0 &&
			(at[len] == ',' || at[len] == '\0'))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%s\"", column, value),
			 strchr(words, ',') ? errhint("Use one of: %s.", words) :
			 errhint("Use \"%s\".", words)));
}

static const KindDefaults *
get_kind(const char *kind)
{
	int			i;

	require(kind, "kind", "bytehouse");
	for (i = 0; i < (int) lengthof(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return &kinds[i];
	require_one_of(kind, "kind", "bytehouse, clickhouse");
	return NULL;
}

/* Only superusers for now: a destination lets the server talk to a host. */
static void
check_may_define(void)
{
	sw_settings_require_preload();
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to define a destination"),
				 errdetail("A destination makes the server connect to a host."),
				 errhint("Ask a superuser to make it, and to list your role in usable_by.")));
}

static void
set_defaults(SwDestination *row)
{
	char	  **const optional[] = {
		&row->virtual_warehouse, &row->account_id, &row->username,
		&row->sslrootcert, &row->stage_endpoint, &row->stage_region,
		&row->stage_bucket, &row->stage_access_key, &row->stage_load_endpoint
	};
	const KindDefaults *kind = get_kind(row->kind);
	int			i;

	for (i = 0; i < (int) lengthof(optional); i++)
		nullify(optional[i]);
	if (row->port == 0)
		row->port = kind->port;
	set_default(&row->auth_type, "password");
	set_default(&row->sslmode, "verify-full");
	set_default(&row->stage_kind, kind->stage_kind);
	set_default(&row->stage_format, kind->stage_format);
	set_default(&row->stage_compression, "zstd");
	if (row->stage_endpoint != NULL && row->stage_region == NULL)
		row->stage_region = sw_store_default_region(row->stage_kind,
													row->stage_endpoint);
	if (row->stage_prefix == NULL)
		row->stage_prefix = pstrdup("sensorswave");
	if (row->usable_by == NULL)
		row->usable_by = (struct varlena *) construct_empty_array(NAMEOID);
	if (!OidIsValid(row->owner))
		row->owner = GetUserId();
}

/* Names that go into a login or between backquotes at the warehouse. */
static void
check_plain(const char *value, const char *column)
{
	const char *at;

	for (at = value; at && *at; at++)
		if ((unsigned char) *at < ' ' || *at == '`' || *at == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s contains a character that is not allowed", column),
					 errdetail("Control characters and backquotes are not.")));
}

static void
check_prefix(const char *prefix)
{
	size_t		len = strlen(prefix);

	if (len > 0 && (prefix[0] == '/' || prefix[len - 1] == '/' ||
					strstr(prefix, "//") != NULL || strstr(prefix, "..") != NULL ||
					len > 200 ||
					strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=-") != len))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("stage_prefix \"%s\" is not plain", prefix),
				 errhint("Use letters, digits and _ . = - with single slashes inside, at most 200 characters.")));
}

/* The store's own rules on endpoints and buckets; contacts nobody. */
static void
check_store(const SwDestination *row)
{
	SwStoreOptions options = {
		.kind = row->stage_kind,
		.endpoint = row->stage_endpoint,
		.region = row->stage_region,
		.bucket = row->stage_bucket,
		.access_key = row->stage_access_key,
		.secret_key = "not used",
		.load_endpoint = row->stage_load_endpoint,
		.is_path_style = row->stage_path_style,
		.proxy = sw_proxy,
		.ca_file = sw_ca_file,
		.connect_timeout_ms = sw_connect_timeout_ms,
		.request_timeout_ms = sw_request_timeout_ms
	};
	SwStore    *store;
	SwError		err;

	if (sw_store_open(&options, CurrentMemoryContext, &store, &err) != SW_OK)
		sw_report(ERROR, &err);
	sw_store_close(store);
}

static void
check_row(const SwDestination *row)
{
	const KindDefaults *kind = get_kind(row->kind);

	require(row->name, "name", "warehouse");
	require(row->host, "host", "tenant-2100000000-cn-beijing-public.bytehouse.volces.com");
	require(row->database, "database", "sensorswave");
	require_one_of(row->auth_type, "auth_type",
				   kind->has_accounts ? "password, iam" : "password");
	if (kind->has_accounts)
		require(row->account_id, "account_id", "2100000000");
	else if (row->account_id != NULL || row->virtual_warehouse != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s does not apply to kind \"%s\"",
						row->account_id ? "account_id" : "virtual_warehouse",
						row->kind),
				 errhint("Leave it NULL.")));
	if (strcmp(row->auth_type, "password") == 0)
		require(row->username, "username", "sensorswave_user");
	if (row->port < 1 || row->port > 65535)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("port %d is out of range", row->port),
				 errhint("The native protocol's port is %d by default.", kind->port)));
	require_one_of(row->sslmode, "sslmode",
				   "verify-full, verify-ca, require, disable");
	require_one_of(row->stage_kind, "stage_kind", kind->stage_kind);
	require_one_of(row->stage_format, "stage_format", kind->stage_formats);
	require_one_of(row->stage_compression, "stage_compression",
				   strcmp(row->stage_format, "native") == 0 ?
				   "zstd, lz4, none" : kind->stage_compressions);
	require(row->stage_endpoint, "stage_endpoint", kind->stage_endpoint);
	require(row->stage_region, "stage_region", "cn-beijing");
	require(row->stage_bucket, "stage_bucket", "sensorswave");
	require(row->stage_access_key, "stage_access_key", "AKLT...");

	check_plain(row->host, "host");
	check_plain(row->database, "database");
	check_plain(row->virtual_warehouse, "virtual_warehouse");
	check_plain(row->account_id, "account_id");
	check_plain(row->username, "username");
	check_plain(row->stage_endpoint, "stage_endpoint");
	check_plain(row->stage_region, "stage_region");
	check_plain(row->stage_bucket, "stage_bucket");
	check_plain(row->stage_access_key, "stage_access_key");
	check_plain(row->stage_load_endpoint, "stage_load_endpoint");
	check_prefix(row->stage_prefix);

	check_store(row);
	if (!sw_compat_may_set_role(GetUserId(), row->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be a member of role \"%s\"",
						GetUserNameFromId(row->owner, false))));
}

/* The sealed form of what was typed. */
static void
take_secret(SwDestination *row, SwSecretField field, char *typed)
{
	if (is_blank(typed) || strcmp(typed, "configured") == 0)
		return;
	if (strncmp(typed, "file:", 5) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("secrets in files are not supported yet")));
	if (strcmp(typed, "none") == 0)
		sw_cat_destination_seal(row, field, NULL);
	else
		sw_cat_destination_seal(row, field, typed);
}

static void
wipe_typed(char *typed)
{
	if (typed != NULL)
		explicit_bzero(typed, strlen(typed));
}

static void
take_secrets(SwDestinationEdit *edit)
{
	SwDestination *row = &edit->row;
	bool		has_password = strcmp(row->auth_type, "password") == 0;

	take_secret(row, SW_SECRET_PASSWORD, edit->password);
	take_secret(row, SW_SECRET_API_KEY, edit->api_key);
	take_secret(row, SW_SECRET_STAGE_SECRET_KEY, edit->stage_secret_key);

	/* The other mode's secret does not stay behind. */
	if (has_password)
	{
		row->api_key = NULL;
		require_secret(row->password, edit->password, "password");
	}
	else
	{
		row->password = NULL;
		require_secret(row->api_key, edit->api_key, "api_key");
	}
	require_secret(row->stage_secret_key, edit->stage_secret_key,
				   "stage_secret_key");
	wipe_typed(edit->password);
	wipe_typed(edit->api_key);
	wipe_typed(edit->stage_secret_key);
}

void
sw_destination_create(SwDestinationEdit *edit)
{
	SwDestination *row = &edit->row;

	check_may_define();
	set_defaults(row);
	check_row(row);
	if (sw_cat_destination_find(row->name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("destination \"%s\" already exists", row->name)));
	row->destination_id = sw_cat_destination_next_id();
	row->password = row->api_key = row->stage_secret_key = NULL;
	take_secrets(edit);
	sw_cat_destination_insert(row);
}

SwDestination *
sw_destination_find_own(const char *name)
{
	SwDestination *found = sw_cat_destination_lock(name);

	if (found != NULL && !sw_cat_may_use_role(found->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of destination \"%s\"", name)));
	return found;
}

static SwDestination *
get_own(const char *name)
{
	SwDestination *found = sw_destination_find_own(name);

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("destination \"%s\" does not exist", name)));
	return found;
}

/* Moved to another database, the pipelines may meet others there. */
static void
check_targets(const SwDestination *row)
{
	ListCell   *cell;

	foreach(cell, sw_cat_pipeline_list(row->destination_id))
	{
		const SwPipeline *pipeline = lfirst(cell);

		sw_cat_pipeline_check_target(row, pipeline->pipeline_id,
									 pipeline->target_table);
	}
}

void
sw_destination_alter(const SwDestination *seen, SwDestinationEdit *edit)
{
	SwDestination *row = &edit->row;
	SwDestination *old;

	check_may_define();
	old = get_own(seen->name);
	if (seen->updated_at != old->updated_at)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("destination \"%s\" was changed by somebody else just now",
						old->name),
				 errhint("Look at it, then try again.")));
	set_defaults(row);
	check_row(row);
	if (strcmp(row->kind, old->kind) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("kind of a destination cannot be changed"),
				 errhint("Make another destination.")));
	if (strcmp(row->name, old->name) != 0 &&
		sw_cat_destination_find(row->name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("destination \"%s\" already exists", row->name)));
	row->destination_id = old->destination_id;
	row->created_at = old->created_at;
	row->password = old->password;
	row->api_key = old->api_key;
	row->stage_secret_key = old->stage_secret_key;
	take_secrets(edit);
	if (!sw_cat_destination_is_same_place(old, row))
	{
		check_targets(row);
		sw_cat_destination_leave(row->destination_id);
	}
	sw_cat_destination_update(row);
}

SwDestination *
sw_destination_find_usable(const char *name, Oid role)
{
	SwDestination *found = sw_cat_destination_find(name);

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("destination \"%s\" does not exist", name),
				 errhint("See sw_destinations.")));
	if (!sw_cat_destination_is_usable(found, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for destination \"%s\"", name),
				 errhint("Ask its owner to list role \"%s\" in usable_by.",
						 GetUserNameFromId(role, false))));
	return found;
}

/* Would storing a typed secret change anything? */
static bool
is_new_secret(const SwDestination *old, SwSecretField field, const char *typed)
{
	char	   *plain;
	bool		is_new;

	if (is_blank(typed) || strcmp(typed, "configured") == 0)
		return false;
	if (strcmp(typed, "none") == 0)
		return sw_cat_destination_has_secret(old, field);
	plain = sw_cat_destination_unseal(old, field);
	is_new = plain == NULL || strcmp(plain, typed) != 0;
	sw_secret_wipe(plain);
	return is_new;
}

/* All but the secrets and the times. */
static bool
is_same_row(const SwDestination *a, const SwDestination *b)
{
	SwDestination copy = *b;
	StringInfoData first;
	StringInfoData second;

	copy.destination_id = a->destination_id;
	copy.created_at = a->created_at;
	copy.updated_at = a->updated_at;
	copy.password = a->password;
	copy.api_key = a->api_key;
	copy.stage_secret_key = a->stage_secret_key;
	initStringInfo(&first);
	initStringInfo(&second);
	sw_cat_destination_pack(a, &first);
	sw_cat_destination_pack(&copy, &second);
	return first.len == second.len &&
		memcmp(first.data, second.data, first.len) == 0;
}

const char *
sw_destination_put(SwDestinationEdit *edit, const SwDestination *old)
{
	SwDestination *row = &edit->row;

	/* Before anything is compared: the answer would tell a guessed secret. */
	check_may_define();
	if (old == NULL)
	{
		sw_destination_create(edit);
		return "created";
	}
	set_defaults(row);
	if (is_same_row(old, row) &&
		!is_new_secret(old, SW_SECRET_PASSWORD, edit->password) &&
		!is_new_secret(old, SW_SECRET_API_KEY, edit->api_key) &&
		!is_new_secret(old, SW_SECRET_STAGE_SECRET_KEY, edit->stage_secret_key))
		return "unchanged";
	sw_destination_alter(old, edit);
	return "changed";
}

void
sw_destination_drop(const char *name)
{
	sw_cat_destination_delete(get_own(name));
}
