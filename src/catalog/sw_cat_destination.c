/*-------------------------------------------------------------------------
 *
 * sw_cat_destination.c
 *	  Destinations in the catalog, and their sealed secrets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_field.h"
#include "catalog/sw_settings.h"
#include "catalog/sw_spi.h"
#include "net/sw_secret.h"

#define FIELD(column, type, sql_type) \
	{#column, type, sql_type, offsetof(SwDestination, column)}

static const SwField fields[] = {
	FIELD(destination_id, SW_FIELD_INT64, INT8OID),
	FIELD(name, SW_FIELD_TEXT, TEXTOID),
	FIELD(kind, SW_FIELD_TEXT, TEXTOID),
	FIELD(host, SW_FIELD_TEXT, TEXTOID),
	FIELD(port, SW_FIELD_INT32, INT4OID),
	FIELD(database, SW_FIELD_TEXT, TEXTOID),
	FIELD(virtual_warehouse, SW_FIELD_TEXT, TEXTOID),
	FIELD(auth_type, SW_FIELD_TEXT, TEXTOID),
	FIELD(account_id, SW_FIELD_TEXT, TEXTOID),
	FIELD(username, SW_FIELD_TEXT, TEXTOID),
	FIELD(password, SW_FIELD_VARLENA, BYTEAOID),
	FIELD(api_key, SW_FIELD_VARLENA, BYTEAOID),
	FIELD(sslmode, SW_FIELD_TEXT, TEXTOID),
	FIELD(sslrootcert, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_kind, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_endpoint, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_region, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_bucket, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_prefix, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_access_key, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_secret_key, SW_FIELD_VARLENA, BYTEAOID),
	FIELD(stage_format, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_compression, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_load_endpoint, SW_FIELD_TEXT, TEXTOID),
	FIELD(stage_path_style, SW_FIELD_BOOL, BOOLOID),
	FIELD(usable_by, SW_FIELD_VARLENA, NAMEARRAYOID),
	FIELD(owner, SW_FIELD_OID, REGROLEOID),
	FIELD(created_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	FIELD(updated_at, SW_FIELD_TIME, TIMESTAMPTZOID)
};

static SwDestination *
read_destination(SwSpi *spi)
{
	SwDestination *destination = NULL;

	if (spi->n_rows > 0)
	{
		TupleDesc	tupdesc;
		HeapTuple	row = sw_spi_row(spi, 0, &tupdesc);
		MemoryContext saved = MemoryContextSwitchTo(spi->result_context);

		destination = palloc0(sizeof(SwDestination));
		sw_field_read_row(fields, lengthof(fields), row, tupdesc, destination);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(spi);
	return destination;
}

SwDestination *
sw_cat_destination_find(const char *name)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_text(&spi, name);
	sw_spi_exec(&spi, "SELECT * FROM _sensorswave.destination WHERE name = $1");
	return read_destination(&spi);
}

SwDestination *
sw_cat_destination_lock(const char *name)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_text(&spi, name);
	sw_spi_exec(&spi, "SELECT * FROM _sensorswave.destination WHERE name = $1"
				" FOR UPDATE");
	return read_destination(&spi);
}

SwDestination *
sw_cat_destination_get(int64 destination_id)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, destination_id);
	sw_spi_exec(&spi, "SELECT * FROM _sensorswave.destination WHERE destination_id = $1");
	return read_destination(&spi);
}

int64
sw_cat_destination_next_id(void)
{
	SwSpi		spi;
	int64		id;

	sw_spi_begin(&spi);
	sw_spi_exec(&spi, "SELECT nextval('_sensorswave.destination_id_seq') AS id");
	id = sw_spi_get_int64(&spi, 0, "id");
	sw_spi_end(&spi);
	return id;
}

void
sw_cat_destination_insert(SwDestination *destination)
{
	SwSpi		spi;
	StringInfoData sql;

	destination->created_at = destination->updated_at = GetCurrentTimestamp();
	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO _sensorswave.destination (");
	sw_field_append_names(fields, lengthof(fields), &sql);
	appendStringInfoString(&sql, ") VALUES (");
	sw_field_append_params(fields, lengthof(fields), 1, &sql);
	appendStringInfoString(&sql, ")");

	sw_spi_begin(&spi);
	sw_field_add_args(fields, lengthof(fields), destination, &spi);
	sw_spi_exec(&spi, sql.data);
	sw_spi_end(&spi);
}

void
sw_cat_destination_update(SwDestination *destination)
{
	SwSpi		spi;
	StringInfoData sql;

	destination->updated_at = GetCurrentTimestamp();
	initStringInfo(&sql);
	appendStringInfoString(&sql, "UPDATE _sensorswave.destination SET ");
	sw_field_append_sets(fields, lengthof(fields), 1, &sql);
	appendStringInfoString(&sql, " WHERE destination_id = $1");

	sw_spi_begin(&spi);
	sw_field_add_args(fields, lengthof(fields), destination, &spi);
	sw_spi_exec(&spi, sql.data);

	/* What failed with the old settings may work now. */
	sw_spi_arg_int64(&spi, destination->destination_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.pipeline_state"
				" SET next_attempt_at = clock_timestamp()"
				" FROM _sensorswave.pipeline p"
				" WHERE p.pipeline_id = pipeline_state.pipeline_id"
				" AND p.destination_id = $1 AND p.status IN ('new', 'stopped')");
	sw_spi_arg_int64(&spi, destination->destination_id);
	sw_spi_exec(&spi, "UPDATE _sensorswave.backfill b"
				" SET next_attempt_at = clock_timestamp()"
				" FROM _sensorswave.pipeline p"
				" WHERE p.pipeline_id = b.pipeline_id AND p.destination_id = $1"
				" AND b.status IN ('queued', 'running')"
				" AND b.next_attempt_at > clock_timestamp()");
	sw_spi_end(&spi);
}

bool
sw_cat_destination_is_same_place(const SwDestination *a,
								 const SwDestination *b)
{
	return pg_strcasecmp(a->host, b->host) == 0 && a->port == b->port &&
		(a->account_id == NULL || b->account_id == NULL ?
		 a->account_id == b->account_id :
		 strcmp(a->account_id, b->account_id) == 0) &&
		strcmp(a->database, b->database) == 0;
}

void
sw_cat_destination_leave(int64 destination_id)
{
	SwSpi		spi;
	StringInfoData names;

	initStringInfo(&names);
	sw_field_append_names(fields, lengthof(fields), &names);
	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, destination_id);
	sw_spi_exec(&spi, psprintf("WITH held AS (UPDATE _sensorswave.pipeline_state s"
							   " SET holds_target = false FROM _sensorswave.pipeline p"
							   " WHERE p.pipeline_id = s.pipeline_id"
							   " AND p.destination_id = $1 AND s.holds_target"
							   " RETURNING s.pipeline_id)"
							   " INSERT INTO _sensorswave.former_target (pipeline_id, %s)"
							   " SELECT held.pipeline_id, d.* FROM held CROSS JOIN"
							   " (SELECT %s FROM _sensorswave.destination"
							   " WHERE destination_id = $1) d",
							   names.data, names.data));
	sw_spi_end(&spi);
}

List *
sw_cat_target_list_former(int64 pipeline_id, bool only_due)
{
	SwSpi		spi;
	List	   *formers = NIL;
	uint64		i;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, pipeline_id);
	sw_spi_arg_bool(&spi, only_due);
	sw_spi_exec(&spi, "SELECT * FROM _sensorswave.former_target"
				" WHERE pipeline_id = $1"
				" AND (NOT $2 OR next_attempt_at <= clock_timestamp())"
				" ORDER BY former_target_id");
	for (i = 0; i < spi.n_rows; i++)
	{
		TupleDesc	tupdesc;
		HeapTuple	row = sw_spi_row(&spi, i, &tupdesc);
		MemoryContext saved = MemoryContextSwitchTo(spi.result_context);
		SwFormerTarget *former = palloc0(sizeof(SwFormerTarget));

		former->former_target_id = sw_spi_get_int64(&spi, i, "former_target_id");
		former->n_failures = sw_spi_get_int32(&spi, i, "n_failures");
		former->destination = palloc0(sizeof(SwDestination));
		sw_field_read_row(fields, lengthof(fields), row, tupdesc,
						  former->destination);
		formers = lappend(formers, former);
		MemoryContextSwitchTo(saved);
	}
	sw_spi_end(&spi);
	return formers;
}

void
sw_cat_destination_delete(const SwDestination *destination)
{
	SwSpi		spi;

	sw_spi_begin(&spi);
	sw_spi_arg_int64(&spi, destination->destination_id);
	sw_spi_exec(&spi, "SELECT name FROM _sensorswave.pipeline"
				" WHERE destination_id = $1 ORDER BY name LIMIT 1");
	if (spi.n_rows > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("destination \"%s\" is in use", destination->name),
				 errdetail("Pipeline \"%s\" exports to it.",
						   sw_spi_get_text(&spi, 0, "name")),
				 errhint("Delete its pipelines first.")));
	sw_spi_arg_int64(&spi, destination->destination_id);
	sw_spi_exec(&spi, "DELETE FROM _sensorswave.destination WHERE destination_id = $1");
	sw_spi_end(&spi);
}

void
sw_cat_destination_pack(const SwDestination *destination, StringInfo bytes)
{
	sw_field_pack(fields, lengthof(fields), destination, bytes);
}

SwDestination *
sw_cat_destination_unpack(StringInfo bytes)
{
	SwDestination *destination = palloc0(sizeof(SwDestination));

	sw_field_unpack(fields, lengthof(fields), bytes, destination);
	return destination;
}

bool
sw_cat_destination_is_usable(const SwDestination *destination, Oid role)
{
	Datum	   *names;
	int			n_names;
	int			i;

	if (has_privs_of_role(role, destination->owner))
		return true;
	if (destination->usable_by == NULL)
		return false;
	deconstruct_array((ArrayType *) destination->usable_by, NAMEOID,
					  NAMEDATALEN, false, TYPALIGN_CHAR, &names, NULL,
					  &n_names);
	for (i = 0; i < n_names; i++)
	{
		Oid			user = get_role_oid(NameStr(*DatumGetName(names[i])), true);

		if (OidIsValid(user) && has_privs_of_role(role, user))
			return true;
	}
	return false;
}

bool
sw_cat_may_use_role(Oid role)
{
	return has_privs_of_role(GetUserId(), role);
}

static struct varlena **
secret_member(SwDestination *destination, SwSecretField field)
{
	switch (field)
	{
		case SW_SECRET_PASSWORD:
			return &destination->password;
		case SW_SECRET_API_KEY:
			return &destination->api_key;
		case SW_SECRET_STAGE_SECRET_KEY:
			return &destination->stage_secret_key;
	}
	elog(ERROR, "unknown secret %d", (int) field);
	return NULL;
}

/* What a sealed secret is bound to: the row and the column it belongs to. */
static char *
secret_place(const SwDestination *destination, SwSecretField field)
{
	static const char *const columns[] = {"password", "api_key", "stage_secret_key"};

	return psprintf("destination/" INT64_FORMAT "/%s",
					destination->destination_id, columns[field]);
}

static bool
any_secret_exists(void)
{
	SwSpi		spi;
	bool		exists;

	sw_spi_begin(&spi);
	sw_spi_exec(&spi, "SELECT FROM _sensorswave.destination"
				" WHERE password IS NOT NULL OR api_key IS NOT NULL"
				" OR stage_secret_key IS NOT NULL LIMIT 1");
	exists = spi.n_rows > 0;
	sw_spi_end(&spi);
	return exists;
}

void
sw_cat_destination_seal(SwDestination *destination, SwSecretField field,
						const char *plain)
{
	struct varlena **member = secret_member(destination, field);

	if (plain == NULL)
		*member = NULL;
	else
		*member = (struct varlena *)
			sw_secret_seal(sw_key_file, !any_secret_exists(), plain,
						   secret_place(destination, field));
}

bool
sw_cat_destination_has_secret(const SwDestination *destination,
							  SwSecretField field)
{
	return *secret_member((SwDestination *) destination, field) != NULL;
}

char *
sw_cat_destination_unseal(const SwDestination *destination,
						  SwSecretField field)
{
	struct varlena *sealed = *secret_member((SwDestination *) destination, field);

	if (sealed == NULL)
		return NULL;
	return sw_secret_open(sw_key_file, (bytea *) sealed,
						  secret_place(destination, field));
}
