/*-------------------------------------------------------------------------
 *
 * sw_sql_pipeline.c
 *	  INSERT, UPDATE and DELETE on the view sw_pipelines; sw_put_pipeline.
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
#include "sync/sw_pipeline.h"

PG_FUNCTION_INFO_V1(sw_sql_pipeline_trigger);
PG_FUNCTION_INFO_V1(sw_sql_put_pipeline);

#define ROW(column, type, sql_type) \
	{#column, type, sql_type, offsetof(SwPipeline, column)}

static const SwField fields[] = {
	ROW(name, SW_FIELD_TEXT, TEXTOID),
	ROW(destination, SW_FIELD_TEXT, TEXTOID),
	ROW(data_source, SW_FIELD_TEXT, TEXTOID),
	ROW(source, SW_FIELD_OID, REGCLASSOID),
	ROW(target_table, SW_FIELD_TEXT, TEXTOID),
	ROW(mode, SW_FIELD_TEXT, TEXTOID),
	ROW(key_columns, SW_FIELD_VARLENA, TEXTARRAYOID),
	ROW(cursor_column, SW_FIELD_TEXT, TEXTOID),
	ROW(time_column, SW_FIELD_TEXT, TEXTOID),
	ROW(cursor_slack, SW_FIELD_INTERVAL, INTERVALOID),
	ROW(sweep_every, SW_FIELD_INTERVAL, INTERVALOID),
	ROW(schedule, SW_FIELD_TEXT, TEXTOID),
	ROW(json_type, SW_FIELD_TEXT, TEXTOID),
	ROW(target_options, SW_FIELD_VARLENA, JSONBOID),
	ROW(columns, SW_FIELD_VARLENA, JSONBOID),
	ROW(event_filter, SW_FIELD_TEXT, TEXTOID),
	ROW(event_names, SW_FIELD_VARLENA, TEXTARRAYOID),
	ROW(row_filter, SW_FIELD_TEXT, TEXTOID),
	ROW(on_unrepresentable, SW_FIELD_TEXT, TEXTOID),
	ROW(datetime_properties, SW_FIELD_VARLENA, TEXTARRAYOID),
	ROW(array_properties, SW_FIELD_VARLENA, TEXTARRAYOID),
	ROW(system_timezone, SW_FIELD_TEXT, TEXTOID),
	ROW(status, SW_FIELD_TEXT, TEXTOID),
	ROW(settings_version, SW_FIELD_INT32, INT4OID),
	ROW(owner, SW_FIELD_OID, REGROLEOID),
	ROW(created_at, SW_FIELD_TIME, TIMESTAMPTZOID),
	ROW(updated_at, SW_FIELD_TIME, TIMESTAMPTZOID)
};

Datum
sw_sql_pipeline_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = sw_trigger_data(fcinfo);
	TupleDesc	tupdesc = RelationGetDescr(trigger->tg_relation);
	SwPipeline	old = {0};
	SwPipeline	row = {0};

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		sw_field_read_row(fields, lengthof(fields), trigger->tg_trigtuple,
						  tupdesc, &row);
		sw_pipeline_create(&row);
		sw_board_wake_at_commit();
	}
	else
	{
		sw_field_read_row(fields, lengthof(fields), trigger->tg_trigtuple,
						  tupdesc, &old);
		if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		{
			sw_pipeline_drop(old.name);
			return PointerGetDatum(trigger->tg_trigtuple);
		}
		sw_field_read_row(fields, lengthof(fields), trigger->tg_newtuple,
						  tupdesc, &row);
		sw_pipeline_alter(&old, &row);
		sw_board_wake_at_commit();
	}
	return PointerGetDatum(sw_field_write_row(fields, lengthof(fields),
											  trigger->tg_trigtuple, tupdesc,
											  &row));
}

Datum
sw_sql_put_pipeline(PG_FUNCTION_ARGS)
{
	Jsonb	   *definition = PG_GETARG_JSONB_P(0);
	SwPipeline	row = {0};
	SwPipeline *old = sw_pipeline_find_own(sw_put_get_name(definition));
	const char *result;

	if (old != NULL)
		row = *old;
	sw_put_apply(definition, fields, lengthof(fields), &row);
	result = sw_pipeline_put(&row, old);
	sw_board_wake_at_commit();
	PG_RETURN_TEXT_P(cstring_to_text(result));
}
