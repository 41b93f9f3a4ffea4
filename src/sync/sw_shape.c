/*-------------------------------------------------------------------------
 *
 * sw_shape.c
 *	  The data models: which columns a kind of pipeline delivers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/sw_type_map.h"
#include "sync/sw_columns.h"
#include "sync/sw_shape.h"
#include "sync/sw_texts.h"

static const SwColumnSpec events_columns[] = {
	{.name = "time",.type = SW_TYPE_TIMESTAMP_MS},
	{.name = "distinct_id",.type = SW_TYPE_STRING},
	{.name = "trace_id",.type = SW_TYPE_STRING},
	{.name = "ssid",.type = SW_TYPE_INT64},
	{.name = "anon_id",.type = SW_TYPE_STRING},
	{.name = "login_id",.type = SW_TYPE_STRING},
	{.name = "event",.type = SW_TYPE_STRING},
	{.name = "properties",.type = SW_TYPE_JSON},
	{.name = "user_properties",.type = SW_TYPE_JSON},
	{.name = "received_at",.type = SW_TYPE_TIMESTAMP_MS}
};

static const SwOnNull events_on_null[] = {
	SW_ON_NULL_ERROR,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_ERROR,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EPOCH
};

/* What people filter by, from coarse to fine. */
static const char *const events_order_by[] = {"event", "time", "distinct_id"};

static const SwColumnSpec users_columns[] = {
	{.name = "ssid",.type = SW_TYPE_INT64},
	{.name = "login_id",.type = SW_TYPE_STRING},
	{.name = "anon_id",.type = SW_TYPE_STRING},
	{.name = "properties",.type = SW_TYPE_JSON},
	{.name = "created_at",.type = SW_TYPE_TIMESTAMP_MS},
	{.name = "updated_at",.type = SW_TYPE_TIMESTAMP_MS}
};

static const SwOnNull users_on_null[] = {
	SW_ON_NULL_ERROR,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EMPTY,
	SW_ON_NULL_EPOCH,
	SW_ON_NULL_EPOCH
};

static const char *const users_key[] = {"ssid"};

static const SwShape shapes[] = {
	{
		.data_source = "events",
		.default_target = "sensorswave_events",
		.mode = "append",
		.columns = events_columns,
		.on_null = events_on_null,
		.n_columns = lengthof(events_columns),
		.time_column = 0,
		.cursor_column = "received_at",
		.is_partitioned = true,
		.event_column = 6,
		.order_by = events_order_by,
		.n_order_by = lengthof(events_order_by)
	},
	{
		.data_source = "users",
		.default_target = "sensorswave_users",
		.mode = "upsert",
		.columns = users_columns,
		.on_null = users_on_null,
		.n_columns = lengthof(users_columns),
		.time_column = 5,
		.cursor_column = "updated_at",
		.is_partitioned = false,
		.event_column = -1,
		.order_by = users_key,
		.n_order_by = lengthof(users_key),
		.key_columns = users_key,
		.n_key_columns = lengthof(users_key),
		.version_column = "updated_at"
	},
	{
		.data_source = "table",
		.is_of_source = true,
		.time_column = -1,
		.event_column = -1
	}
};

StaticAssertDecl(lengthof(users_columns) == lengthof(users_on_null),
				 "each column says what a null becomes");
StaticAssertDecl(lengthof(events_columns) == lengthof(events_on_null),
				 "each column says what a null becomes");

const SwShape *
sw_shape_get_model(const char *data_source)
{
	int			i;

	for (i = 0; i < (int) lengthof(shapes); i++)
		if (strcmp(shapes[i].data_source, data_source) == 0)
			return &shapes[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown data source \"%s\"", data_source),
			 errhint("Use \"events\", \"users\" or \"table\".")));
	return NULL;
}

const SwShape *
sw_shape_get(const SwPipeline *pipeline)
{
	const SwShape *model = sw_shape_get_model(pipeline->data_source);
	SwShape    *shape;
	SwOnNull   *on_null;
	int			i;

	if (!model->is_of_source)
		return model;
	shape = palloc(sizeof(SwShape));
	*shape = *model;
	shape->mode = pipeline->mode;
	shape->columns = sw_columns_unpack((Jsonb *) pipeline->target_columns,
									   &shape->n_columns);
	on_null = palloc(Max(shape->n_columns, 1) * sizeof(SwOnNull));
	for (i = 0; i < shape->n_columns; i++)
		on_null[i] = sw_type_map_get_on_null(&shape->columns[i]);
	shape->on_null = on_null;
	shape->key_columns = sw_texts_get(pipeline->key_columns, "key_columns",
									  &shape->n_key_columns);
	shape->order_by = shape->key_columns;
	shape->n_order_by = shape->n_key_columns;
	return shape;
}
