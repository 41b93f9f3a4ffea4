/*-------------------------------------------------------------------------
 *
 * sw_shape.c
 *	  The data models: which columns a kind of pipeline delivers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "sync/sw_shape.h"

static const SwColumnSpec events_columns[] = {
	{"time", SW_TYPE_TIMESTAMP_MS, false},
	{"distinct_id", SW_TYPE_STRING, false},
	{"trace_id", SW_TYPE_STRING, false},
	{"ssid", SW_TYPE_INT64, false},
	{"anon_id", SW_TYPE_STRING, false},
	{"login_id", SW_TYPE_STRING, false},
	{"event", SW_TYPE_STRING, false},
	{"properties", SW_TYPE_JSON, false},
	{"user_properties", SW_TYPE_JSON, false},
	{"received_at", SW_TYPE_TIMESTAMP_MS, false}
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

static const SwShape shapes[] = {
	{
		.data_source = "events",
		.default_target = "sensorswave_events",
		.mode = "append",
		.columns = events_columns,
		.on_null = events_on_null,
		.n_columns = lengthof(events_columns),
		.time_column = 0,
		.event_column = 6,
		.order_by = events_order_by,
		.n_order_by = lengthof(events_order_by)
	}
};

StaticAssertDecl(lengthof(events_columns) == lengthof(events_on_null),
				 "each column says what a null becomes");

const SwShape *
sw_shape_get(const char *data_source)
{
	int			i;

	for (i = 0; i < (int) lengthof(shapes); i++)
		if (strcmp(shapes[i].data_source, data_source) == 0)
			return &shapes[i];

	if (strcmp(data_source, "users") == 0 || strcmp(data_source, "table") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("data source \"%s\" is not supported yet", data_source),
				 errhint("This version exports \"events\".")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown data source \"%s\"", data_source),
			 errhint("Use \"events\".")));
	return NULL;
}
