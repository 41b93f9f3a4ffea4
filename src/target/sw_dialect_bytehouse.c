/*-------------------------------------------------------------------------
 *
 * sw_dialect_bytehouse.c
 *	  The SQL of ByteHouse Cloud (CDW).
 *
 * Pure text; called by sw_target.c.
 *
 * Names are always qualified, so that no statement depends on the current
 * database.  Time travels as Int64 milliseconds and JSON as String; the load
 * statement turns them into DateTime64 and JSONB, so no reader of files has
 * to agree with us about time zones, and none cuts the milliseconds.
 *
 * Source of truth: the vendor's manual on CnchMergeTree, INSERT OVERWRITE
 * and CnchS3, and the parser of ByConity.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "target/sw_dialect.h"
#include "target/sw_quote.h"

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

/* db.table */
static void
sw_bytehouse_append_table(StringInfo sql, const SwTargetTable *table)
{
	sw_quote_append_name(sql, table->database);
	appendStringInfoChar(sql, '.');
	sw_quote_append_name(sql, table->name);
}

/* JSONB can't be nullable: it holds {} instead. */
static void
sw_bytehouse_append_type(StringInfo sql, const SwColumnSpec *column,
						 const char *timezone)
{
	bool		is_nullable = column->is_nullable &&
	column->type != SW_TYPE_JSON;

	if (is_nullable)
		appendStringInfoString(sql, "Nullable(");
	switch (column->type)
	{
		case SW_TYPE_STRING:
			appendStringInfoString(sql, "String");
			break;
		case SW_TYPE_INT64:
			appendStringInfoString(sql, "Int64");
			break;
		case SW_TYPE_TIMESTAMP_MS:
			appendStringInfoString(sql, "DateTime64(3, ");
			sw_quote_append_text(sql, timezone);
			appendStringInfoChar(sql, ')');
			break;
		case SW_TYPE_JSON:
			appendStringInfoString(sql, "JSONB");
			break;
	}
	if (is_nullable)
		appendStringInfoChar(sql, ')');
}

/* The type of a column in the staged file. */
static const char *
sw_bytehouse_file_type(const SwColumnSpec *column)
{
	switch (column->type)
	{
		case SW_TYPE_INT64:
		case SW_TYPE_TIMESTAMP_MS:
			return column->is_nullable ? "Nullable(Int64)" : "Int64";
		default:
			return column->is_nullable ? "Nullable(String)" : "String";
	}
}

/* What makes the target's value of a column out of the file's. */
static void
sw_bytehouse_append_conversion(StringInfo sql, const SwColumnSpec *column,
							   const char *timezone)
{
	switch (column->type)
	{
		case SW_TYPE_TIMESTAMP_MS:
			appendStringInfoString(sql, "fromUnixTimestamp64Milli(");
			sw_quote_append_name(sql, column->name);
			appendStringInfoString(sql, ", ");
			sw_quote_append_text(sql, timezone);
			appendStringInfoChar(sql, ')');
			break;
		case SW_TYPE_JSON:
			appendStringInfoString(sql, "CAST(");
			if (column->is_nullable)
				appendStringInfoString(sql, "ifNull(");
			sw_quote_append_name(sql, column->name);
			if (column->is_nullable)
				appendStringInfoString(sql, ", '{}')");
			appendStringInfoString(sql, " AS JSONB)");
			break;
		default:
			sw_quote_append_name(sql, column->name);
			break;
	}
}

static void
sw_bytehouse_write_create_table(StringInfo sql, const SwTargetTable *table)
{
	int			i;

	appendStringInfoString(sql, "CREATE TABLE IF NOT EXISTS ");
	sw_bytehouse_append_table(sql, table);
	appendStringInfoString(sql, " (");
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_quote_append_name(sql, table->columns[i].name);
		appendStringInfoChar(sql, ' ');
		sw_bytehouse_append_type(sql, &table->columns[i], table->timezone);
	}
	appendStringInfoString(sql, ") ENGINE = CnchMergeTree");
	if (table->day_column != NULL)
	{
		appendStringInfoString(sql, " PARTITION BY toDate(");
		sw_quote_append_name(sql, table->day_column);
		appendStringInfoChar(sql, ')');
	}
	appendStringInfoString(sql, " ORDER BY (");
	for (i = 0; i < table->n_order_by; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_quote_append_name(sql, table->order_by[i]);
	}
	appendStringInfoChar(sql, ')');
}

/*
 * CnchS3 takes 2, 3, 4 or 6 arguments.  The files are compressed inside, so
 * its own compression is none.
 */
static void
sw_bytehouse_append_source(StringInfo sql, const SwTargetTable *table,
						   const SwLoadSource *source)
{
	StringInfoData structure;
	int			i;

	initStringInfo(&structure);
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(&structure, ", ");
		sw_quote_append_name(&structure, table->columns[i].name);
		appendStringInfo(&structure, " %s",
						 sw_bytehouse_file_type(&table->columns[i]));
	}

	appendStringInfoString(sql, "CnchS3(");
	sw_quote_append_text(sql, source->url);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, structure.data);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->format);
	appendStringInfoString(sql, ", 'none', ");
	sw_quote_append_text(sql, source->access_key);
	appendStringInfoString(sql, ", ");
	sw_quote_append_text(sql, source->secret_key);
	appendStringInfoChar(sql, ')');
	pfree(structure.data);
}

static void
sw_bytehouse_write_overwrite_day(StringInfo sql, const SwTargetTable *table,
								 const char *day, const SwLoadSource *source)
{
	int			i;

	appendStringInfoString(sql, "INSERT OVERWRITE ");
	sw_bytehouse_append_table(sql, table);
	appendStringInfoString(sql, " PARTITION (");
	sw_quote_append_text(sql, day);
	appendStringInfoString(sql, ") (");
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_quote_append_name(sql, table->columns[i].name);
	}
	appendStringInfoString(sql, ") SELECT ");
	for (i = 0; i < table->n_columns; i++)
	{
		if (i > 0)
			appendStringInfoString(sql, ", ");
		sw_bytehouse_append_conversion(sql, &table->columns[i],
									   table->timezone);
	}
	appendStringInfoString(sql, " FROM ");
	sw_bytehouse_append_source(sql, table, source);
}

static void
sw_bytehouse_write_drop_day(StringInfo sql, const SwTargetTable *table,
							const char *day)
{
	appendStringInfoString(sql, "ALTER TABLE ");
	sw_bytehouse_append_table(sql, table);
	appendStringInfoString(sql, " DROP PARTITION ");
	sw_quote_append_text(sql, day);
}

static void
sw_bytehouse_write_count_day(StringInfo sql, const SwTargetTable *table,
							 const char *day)
{
	appendStringInfoString(sql, "SELECT count() FROM ");
	sw_bytehouse_append_table(sql, table);
	appendStringInfoString(sql, " WHERE toDate(");
	sw_quote_append_name(sql, table->day_column);
	appendStringInfoString(sql, ") = ");
	sw_quote_append_text(sql, day);
}

/* The values as text that says exactly what they are. */
static void
sw_bytehouse_write_read_back(StringInfo sql, const SwTargetTable *table,
							 const SwLoadSource *source)
{
	int			i;

	appendStringInfoString(sql, "SELECT ");
	for (i = 0; i < table->n_columns; i++)
	{
		const SwColumnSpec *column = &table->columns[i];
		const char *function = "toString(";

		if (i > 0)
			appendStringInfoString(sql, ", ");
		if (column->type == SW_TYPE_TIMESTAMP_MS)
			function = "toString(toUnixTimestamp64Milli(";
		else if (column->type == SW_TYPE_STRING)
			function = "";
		appendStringInfoString(sql, function);
		sw_bytehouse_append_conversion(sql, column, table->timezone);
		for (; *function != '\0'; function++)
			if (*function == '(')
				appendStringInfoChar(sql, ')');
	}
	appendStringInfoString(sql, " FROM ");
	sw_bytehouse_append_source(sql, table, source);
	appendStringInfoString(sql, " ORDER BY ");
	sw_quote_append_name(sql, table->columns[0].name);
}

const SwDialect sw_dialect_bytehouse = {
	.kind = "bytehouse",
	.get_login = sw_bytehouse_get_login,
	.write_warehouse = sw_bytehouse_write_warehouse,
	.probe_engine = "CnchMergeTree",
	.write_read_back = sw_bytehouse_write_read_back,
	.write_create_table = sw_bytehouse_write_create_table,
	.write_overwrite_day = sw_bytehouse_write_overwrite_day,
	.write_drop_day = sw_bytehouse_write_drop_day,
	.write_count_day = sw_bytehouse_write_count_day
};
