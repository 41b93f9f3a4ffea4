/*-------------------------------------------------------------------------
 *
 * sw_dialect_bytehouse.c
 *	  The SQL of ByteHouse Cloud (CDW).
 *
 * Pure text.
 *
 * Source of truth: the vendor's manual on CnchMergeTree, INSERT OVERWRITE
 * and CnchS3, the parser of ByConity, and its JSONB parser, which makes {} of
 * documents with more than 100 containers around each other or an empty
 * name, and keeps a name's length in one byte.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_dialect.h"
#include "target/sw_quote.h"
#include "target/sw_sqltext.h"

/* Who logs in with an API key. */
#define SW_BYTEHOUSE_IAM_USER		"bytehouse"
/* How ids of virtual warehouses begin. */
#define SW_BYTEHOUSE_WAREHOUSE_ID	"vw-"

static bool
sw_bytehouse_is_set(const char *field)
{
	return field != NULL && field[0] != '\0';
}

static SwStatus
sw_bytehouse_missing(const char *field, const char *auth_type, SwError *err)
{
	return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
						"%s must be set for authentication type \"%s\"",
						field, auth_type);
}

static SwStatus
sw_bytehouse_get_login(const SwTargetOptions *options, const char **user,
					   const char **password, SwError *err)
{
	const char *auth_type = options->auth_type;

	if (auth_type != NULL && strcmp(auth_type, "iam") == 0)
	{
		if (!sw_bytehouse_is_set(options->api_key))
			return sw_bytehouse_missing("api_key", auth_type, err);
		*user = SW_BYTEHOUSE_IAM_USER;
		*password = options->api_key;
		return SW_OK;
	}
	if (auth_type == NULL || strcmp(auth_type, "password") != 0)
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"invalid authentication type \"%s\"",
							auth_type == NULL ? "" : auth_type);

	if (!sw_bytehouse_is_set(options->username))
		return sw_bytehouse_missing("username", auth_type, err);

	/* A backquote would choose another tenant. */
	SW_TRY(sw_quote_check_name("user name", options->username, err));
	if (sw_bytehouse_is_set(options->account_id))
	{
		SW_TRY(sw_quote_check_name("account id", options->account_id, err));
		*user = psprintf("%s::%s", options->account_id, options->username);
	}
	else
		*user = options->username;
	*password = options->password == NULL ? "" : options->password;
	return SW_OK;
}

/*
 * First as the person wrote it; a name is then tried as the id that
 * ByteHouse makes of it.
 */
static bool
sw_bytehouse_write_warehouse(StringInfo sql, const SwTargetOptions *options,
							 int attempt)
{
	const char *warehouse = options->virtual_warehouse;
	char	   *id = NULL;
	char	   *c;

	if (attempt > 0)
	{
		if (attempt > 1 || !sw_bytehouse_is_set(options->account_id) ||
			strncmp(warehouse, SW_BYTEHOUSE_WAREHOUSE_ID,
					strlen(SW_BYTEHOUSE_WAREHOUSE_ID)) == 0)
			return false;
		id = psprintf(SW_BYTEHOUSE_WAREHOUSE_ID "%s-%s", options->account_id,
					  warehouse);
		for (c = id; *c != '\0'; c++)
			if (*c == '_')
				*c = '-';
	}
	appendStringInfoString(sql, "SET virtual_warehouse = ");
	sw_quote_append_text(sql, id == NULL ? warehouse : id);
	if (id != NULL)
		pfree(id);
	return true;
}

static bool
sw_bytehouse_keeps_json_text(const SwTargetTable *table)
{
	(void) table;
	return false;
}

/*
 * CnchS3 takes 2, 3, 4 or 6 arguments.  The compression is that of the file
 * as a whole.
 */
static void
sw_bytehouse_append_source(StringInfo sql, const SwLoadSource *source,
						   const char *structure)
{
	appendStringInfoString(sql, "CnchS3(");
	sw_quote_append_text(sql, source->url);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, structure);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->format);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->compression == NULL ? "none" :
						 source->compression);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->access_key);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->secret_key);
	appendStringInfoChar(sql, ')');
}

/*
 * A key is unique in its partition only, unless the table is told otherwise;
 * the setting for that must come from the user, who chose the partitions.
 */
static void
sw_bytehouse_append_unique_key(StringInfo sql, const SwTargetTable *table)
{
	if (table->options.cluster != NULL)
		appendStringInfo(sql, " CLUSTER BY %s INTO %d BUCKETS",
						 table->options.cluster, table->options.buckets);
	if (table->n_key_columns > 0)
	{
		appendStringInfoString(sql, " UNIQUE KEY (");
		sw_dialect_append_names(sql, table->key_columns,
								table->n_key_columns);
		appendStringInfoChar(sql, ')');
	}
}

static SwStatus
sw_bytehouse_check_options(const SwTargetTable *table, SwError *err)
{
	const SwTableOptions *options = &table->options;
	int			i;

	if ((options->cluster != NULL) != (options->buckets > 0))
		return sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
							"cluster and buckets must be given together");
	if (options->cluster != NULL)
		SW_TRY(sw_sqltext_check("cluster", options->cluster, err));
	if (options->partition_by == NULL || table->n_key_columns == 0)
		return SW_OK;
	for (i = 0; i < options->n_settings; i++)
		if (strcmp(options->settings[i].name,
				   "partition_level_unique_keys") == 0)
			return SW_OK;
	sw_error_set(err, SW_ERR_CONFIG, SW_RETRY_NEVER,
				 "the key of a partitioned table is unique in each partition only");
	sw_error_set_hint(err, "Add {\"settings\": {\"partition_level_unique_keys\": 0}} to make it unique in the table.");
	return err->status;
}

const SwDialect sw_dialect_bytehouse = {
	.kind = "bytehouse",
	.product = "ByteHouse",
	.append_engine = "CnchMergeTree",
	.upsert_engine = "CnchMergeTree",
	.bool_type = "UInt8",
	.json_type = "JSONB",
	.json_limits = {.max_depth = 100,.max_name_bytes = 255},
	.overwrites_at_once = true,
	.is_atomic = true,
	.get_login = sw_bytehouse_get_login,
	.write_warehouse = sw_bytehouse_write_warehouse,
	.keeps_json_text = sw_bytehouse_keeps_json_text,
	.append_source = sw_bytehouse_append_source,
	.append_unique_key = sw_bytehouse_append_unique_key,
	.check_options = sw_bytehouse_check_options
};
