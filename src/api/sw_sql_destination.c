/*-------------------------------------------------------------------------
 *
 * sw_sql_destination.c
 *	  INSERT, UPDATE and DELETE on the view sw_destinations;
 *	  sw_put_destination.
 *
 * What RETURNING shows is the row as stored, with secrets masked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "api/sw_put.h"
#include "api/sw_trigger.h"
#include "catalog/sw_field.h"
#include "sync/sw_board.h"
#include "sync/sw_destination.h"

PG_FUNCTION_INFO_V1(sw_sql_destination_trigger);
PG_FUNCTION_INFO_V1(sw_sql_put_destination);

#define ROW(column, type, sql_type) \
	{#column, type, sql_type, offsetof(SwDestinationEdit, row.column)}
#define SECRET(column) \
	{#column, SW_FIELD_TEXT, TEXTOID, offsetof(SwDestinationEdit, column)}

static const SwField fields[] = {
	ROW(name, SW_FIELD_TEXT, TEXTOID),
	ROW(kind, SW_FIELD_TEXT, TEXTOID),
	ROW(host, SW_FIELD_TEXT, TEXTOID),
	ROW(port, SW_FIELD_INT32, INT4OID),
	ROW(database, SW_FIELD_TEXT, TEXTOID),
	ROW(virtual_warehouse, SW_FIELD_TEXT, TEXTOID),
	ROW(auth_type, SW_FIELD_TEXT, TEXTOID),
	ROW(account_id, SW_FIELD_TEXT, TEXTOID),
	ROW(username, SW_FIELD_TEXT, TEXTOID),
	SECRET(password),
	SECRET(api_key),
	ROW(sslmode, SW_FIELD_TEXT, TEXTOID),
	ROW(sslrootcert, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_kind, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_endpoint, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_region, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_bucket, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_prefix, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_access_key, SW_FIELD_TEXT, TEXTOID),
	SECRET(stage_secret_key),
	ROW(stage_format, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_compression, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_load_endpoint, SW_FIELD_TEXT, TEXTOID),
	ROW(stage_path_style, SW_FIELD_BOOL, BOOLOID),
	ROW(usable_by, SW_FIELD_VARLENA, NAMEARRAYOID),
	ROW(owner, SW_FIELD_OID, REGROLEOID),
	ROW(created_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	ROW(updated_at, SW_FIELD_TIME, TIMESTAMPTZOID)
};

/*
 * An error of a statement that holds secrets does not put that statement
 * into the server's log.
 */
static void
hide_statement(void *arg)
{
	(void) arg;
	errhidestmt(true);
}

static void
mask_secrets(SwDestinationEdit *edit)
{
	edit->password = edit->row.password ? "configured" : NULL;
	edit->api_key = edit->row.api_key ? "configured" : NULL;
	edit->stage_secret_key = edit->row.stage_secret_key ? "configured" : NULL;
}

Datum
sw_sql_destination_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sw_trigger_data(fcinfo);
	TupleDesc	tupdesc = RelationGetDescr(trigger->tg_relation);
	SwDestinationEdit old = {0};
	SwDestinationEdit edit = {0};
	ErrorContextCallback callback;

	callback.callback = hide_statement;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		sw_field_read_row(fields, lengthof(fields), trigger->tg_trigtuple,
						  tupdesc, &edit);
		sw_destination_create(&edit);
	}
	else
	{
		sw_field_read_row(fields, lengthof(fields), trigger->tg_trigtuple,
						  tupdesc, &old);
		if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		{
			sw_destination_drop(old.row.name);
			error_context_stack = callback.previous;
			return PointerGetDatum(trigger->tg_trigtuple);
		}
		sw_field_read_row(fields, lengthof(fields), trigger->tg_newtuple,
						  tupdesc, &edit);
		sw_destination_alter(&old.row, &edit);
		sw_board_wake_at_commit();
	}
	error_context_stack = callback.previous;
	mask_secrets(&edit);
	return PointerGetDatum(sw_field_write_row(fields, lengthof(fields),
											  trigger->tg_trigtuple, tupdesc,
											  &edit));
}

Datum
sw_sql_put_destination(PG_FUNCTION_ARGS)
{
	Jsonb	   *definition = PG_GETARG_JSONB_P(0);
	SwDestinationEdit edit = {0};
	SwDestination *old;
	ErrorContextCallback callback;
	const char *result;

	callback.callback = hide_statement;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	old = sw_destination_find_own(sw_put_get_name(definition));
	if (old != NULL)
		edit.row = *old;
	sw_put_apply(definition, fields, lengthof(fields), &edit);
	result = sw_destination_put(&edit, old);
	error_context_stack = callback.previous;
	sw_board_wake_at_commit();
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
