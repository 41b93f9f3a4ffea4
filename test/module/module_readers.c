/*-------------------------------------------------------------------------
 *
 * module_readers.c
 *	  sw_test_read and sw_test_read_memory: a relation through the type map
 *	  and the readers of source/, and what the columns hold afterwards.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common/sw_decimal.h"
#include "source/sw_identity.h"
#include "source/sw_query.h"
#include "source/sw_read.h"
#include "source/sw_type_map.h"

#include "module.h"

#define EPOCH_DAYS	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_US	((int64) EPOCH_DAYS * USECS_PER_DAY)

PG_FUNCTION_INFO_V1(sw_test_read);
PG_FUNCTION_INFO_V1(sw_test_read_memory);

typedef struct Reading
{
	SwSourceQuery query;
	ReturnSetInfo *result;		/* NULL: values are not shown */
	uint64		n_rows;
	int			n_batches;
	Size		most_bytes;		/* allocated by a batch */
} Reading;

static char *
print_by(PGFunction function, Datum value)
{
	return DatumGetCString(DirectFunctionCall1(function, value));
}

/* The integer's digits, by dividing its bytes, and the point. */
static void
show_decimal(StringInfo text, const SwColumnSpec *spec, const char *value,
			 int width)
{
	uint8		bytes[SW_DECIMAL_MAX_BYTES];
	char		digits[100];
	bool		is_negative = (value[width - 1] & 0x80) != 0;
	int			carry = is_negative ? 1 : 0;
	int			n;
	int			i;

	for (i = 0; i < width; i++)
	{
		carry += is_negative ? (uint8) ~value[i] : (uint8) value[i];
		bytes[i] = (uint8) carry;
		carry >>= 8;
	}
	for (n = 0; n < SW_DECIMAL_MAX_PRECISION + 1; n++)
	{
		int			remainder = 0;

		for (i = width - 1; i >= 0; i--)
		{
			remainder = remainder * 256 + bytes[i];
			bytes[i] = (uint8) (remainder / 10);
			remainder %= 10;
		}
		digits[n] = (char) ('0' + remainder);
	}
	while (n > spec->scale + 1 && digits[n - 1] == '0')
		n--;
	if (is_negative)
		appendStringInfoChar(text, '-');
	while (n > 0)
	{
		if (n == spec->scale)
			appendStringInfoChar(text, '.');
		appendStringInfoChar(text, digits[--n]);
	}
}

static void show(StringInfo text, const SwColumnSpec *spec,
				 const SwColumn *column, uint64 row);

static void
show_members(StringInfo text, const SwColumnSpec *spec,
			 const SwColumn *column, uint64 row)
{
	uint64		start = sw_column_get_start(column, row);
	uint64		i;

	appendStringInfoChar(text, '[');
	for (i = start; i < column->offsets[row]; i++)
	{
		if (i > start)
			appendStringInfoChar(text, ',');
		show(text, &spec->children[0], &column->children[0], i);
		if (spec->type == SW_TYPE_MAP)
		{
			appendStringInfoChar(text, ':');
			show(text, &spec->children[1], &column->children[1], i);
		}
	}
	appendStringInfoChar(text, ']');
}

static void
show_fields(StringInfo text, const SwColumnSpec *spec,
			const SwColumn *column, uint64 row)
{
	int			i;

	appendStringInfoChar(text, '(');
	for (i = 0; i < spec->n_children; i++)
	{
		appendStringInfo(text, "%s%s=", i > 0 ? "," : "",
						 spec->children[i].name);
		show(text, &spec->children[i], &column->children[i], row);
	}
	appendStringInfoChar(text, ')');
}

static void
show_bytes(StringInfo text, const SwColumn *column, uint64 row, bool as_hex)
{
	Size		n_bytes;
	const char *bytes = sw_column_get_bytes(column, row, &n_bytes);
	Size		i;

	if (!as_hex)
		appendBinaryStringInfo(text, bytes, (int) n_bytes);
	for (i = 0; as_hex && i < n_bytes; i++)
		appendStringInfo(text, "%02x", (unsigned char) bytes[i]);
}

/* As the server shows a value of the type it came from. */
static void
show(StringInfo text, const SwColumnSpec *spec, const SwColumn *column,
	 uint64 row)
{
	const char *fixed = column->width > 0 ?
	sw_column_get_fixed(column, row) : NULL;
	int16		number16;
	int32		number32;
	int64		number64;
	float		float32;
	double		float64;
	int			i;

	if (column->validity != NULL && column->validity[row] == 0)
	{
		appendStringInfoString(text, "null");
		return;
	}
	if (fixed != NULL)
	{
		memcpy(&number16, fixed, Min(column->width, sizeof(number16)));
		memcpy(&number32, fixed, Min(column->width, sizeof(number32)));
		memcpy(&number64, fixed, Min(column->width, sizeof(number64)));
		memcpy(&float32, fixed, Min(column->width, sizeof(float32)));
		memcpy(&float64, fixed, Min(column->width, sizeof(float64)));
	}
	switch (spec->type)
	{
		case SW_TYPE_STRING:
		case SW_TYPE_JSON:
			show_bytes(text, column, row, false);
			break;
		case SW_TYPE_BYTES:
			show_bytes(text, column, row, true);
			break;
		case SW_TYPE_BOOL:
			appendStringInfoString(text, *fixed == 0 ? "false" : "true");
			break;
		case SW_TYPE_INT16:
			appendStringInfo(text, "%d", number16);
			break;
		case SW_TYPE_INT32:
			appendStringInfo(text, "%d", number32);
			break;
		case SW_TYPE_INT64:
			appendStringInfo(text, INT64_FORMAT, number64);
			break;
		case SW_TYPE_UINT32:
			appendStringInfo(text, "%u", (uint32) number32);
			break;
		case SW_TYPE_FLOAT32:
			appendStringInfoString(text, print_by(float4out,
												  Float4GetDatum(float32)));
			break;
		case SW_TYPE_FLOAT64:
			appendStringInfoString(text, print_by(float8out,
												  Float8GetDatum(float64)));
			break;
		case SW_TYPE_DECIMAL:
			show_decimal(text, spec, fixed, column->width);
			break;
		case SW_TYPE_UUID:
			for (i = 0; i < 16; i++)
				appendStringInfo(text, "%s%02x",
								 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
								 (unsigned char) fixed[i]);
			break;
		case SW_TYPE_DATE:
			appendStringInfoString(text, print_by(date_out,
												  DateADTGetDatum(number32 - EPOCH_DAYS)));
			break;
		case SW_TYPE_TIME_US:
			appendStringInfoString(text, print_by(time_out,
												  TimeADTGetDatum(number64)));
			break;
		case SW_TYPE_TIMESTAMP_MS:
			appendStringInfoString(text, print_by(timestamptz_out,
												  TimestampTzGetDatum(number64 * 1000 - EPOCH_US)));
			break;
		case SW_TYPE_TIMESTAMP_US:
			appendStringInfoString(text, print_by(timestamptz_out,
												  TimestampTzGetDatum(number64 - EPOCH_US)));
			break;
		case SW_TYPE_DATETIME_US:
			appendStringInfoString(text, print_by(timestamp_out,
												  TimestampGetDatum(number64 - EPOCH_US)));
			break;
		case SW_TYPE_ENUM:
			show_bytes(text, &column->children[0],
					   sw_column_get_code_at(column, row), false);
			break;
		case SW_TYPE_ARRAY:
		case SW_TYPE_MAP:
			show_members(text, spec, column, row);
			break;
		case SW_TYPE_TUPLE:
			show_fields(text, spec, column, row);
			break;
	}
}

/* A row of the function's result. */
static void
tell(Reading *reading, int64 row, const char *name, const char *value)
{
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	values[0] = Int64GetDatum(row);
	values[1] = CStringGetTextDatum(name);
	values[2] = CStringGetTextDatum(value);
	tuplestore_putvalues(reading->result->setResult, reading->result->setDesc,
						 values, nulls);
}

static void
take_batch(void *arg, const SwBatch *batch)
{
	Reading    *reading = (Reading *) arg;
	uint64		row;
	int			i;

	if (!sw_batch_fits(batch, reading->query.specs, reading->query.n_columns))
		elog(ERROR, "columns are not equally long");
	reading->n_batches++;
	reading->most_bytes = Max(reading->most_bytes, sw_batch_allocated(batch));
	for (row = 0; row < batch->n_rows; row++)
	{
		reading->n_rows++;
		for (i = 0; i < batch->n_columns && reading->result != NULL; i++)
		{
			StringInfoData text;

			initStringInfo(&text);
			show(&text, &reading->query.specs[i], &batch->columns[i], row);
			tell(reading, (int64) reading->n_rows, reading->query.specs[i].name,
				 text.data);
			pfree(text.data);
		}
	}
}

static SwPolicy
parse_policy(const char *name)
{
	static const char *const names[] = {"error", "null", "clamp", "text", "skip"};
	int			i;

	for (i = 0; i < (int) lengthof(names); i++)
		if (strcmp(names[i], name) == 0)
			return (SwPolicy) i;
	elog(ERROR, "unknown policy \"%s\"", name);
	return SW_POLICY_ERROR;
}

/*
 * All columns of the relation; the first of them is the key, the last is
 * wished to be of that type.
 */
static void
make_query(Reading *reading, Oid relation, bool has_time, const char *target_type)
{
	Relation	source = relation_open(relation, AccessShareLock);
	TupleDesc	row_type = source->rd_att;
	SwColumnSpec *specs = palloc0(sizeof(SwColumnSpec) * row_type->natts);
	SwSourceColumn *columns = palloc0(sizeof(SwSourceColumn) * row_type->natts);
	int			n = 0;
	int			i;

	for (i = 0; i < row_type->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(row_type, i)->attname);
		SwTypeWish	wish = {.is_key = n == 0,.has_time = has_time};
		SwSourceType type;
		StringInfoData text;

		if (TupleDescAttr(row_type, i)->attisdropped)
			continue;
		if (i == row_type->natts - 1 && target_type[0] != '\0')
			wish.target_type = target_type;
		sw_type_map_resolve(relation, name, NULL, &type);
		sw_type_map_make_spec(&specs[n], pstrdup(name), &type, &wish);
		columns[n].is_raw = true;
		columns[n].is_key = n == 0;
		columns[n].on_null = sw_type_map_get_on_null(&specs[n]);
		initStringInfo(&text);
		sw_column_append_file_type(&text, &specs[n]);
		if (reading->result != NULL)
			tell(reading, 0, specs[n].name, text.data);
		n++;
	}
	relation_close(source, AccessShareLock);
	reading->query.relation = relation;
	reading->query.specs = specs;
	reading->query.columns = columns;
	reading->query.n_columns = n;
	reading->query.time_column = -1;
	reading->query.cursor_column = -1;
	reading->query.event_column = -1;
	reading->query.window_start = DT_NOBEGIN;
	reading->query.window_end = DT_NOEND;
}

static void
tell_report(Reading *reading, const SwReadReport *report, uint64 n_rows)
{
	int			i;

	if (n_rows != reading->n_rows)
		elog(ERROR, "the read tells another number of rows");
	for (i = 0; i < report->n_columns; i++)
	{
		const SwProblemCount *count = &report->columns[i];

		if (count->example != NULL)
			tell(reading, -1, reading->query.specs[i].name,
				 psprintf("%d null, %d clamped, %d as text, %d skipped of %d: %s",
						  (int) count->n_nulled, (int) count->n_clamped,
						  (int) count->n_as_text, (int) count->n_skipped,
						  (int) report->n_skipped, count->example));
	}
}

Datum
sw_test_read(PG_FUNCTION_ARGS)
{
	static const SwJsonLimits json_limits = {.max_depth = 1000};
	Oid			relation = PG_GETARG_OID(0);
	Reading		reading = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	SwReadReport report;
	SwReadOptions options = {
		.rows_per_batch = 1000,
		.bytes_per_batch = 100000,
		.report = &report
	};
	SwIdentity	identity;
	uint64		n_rows;

	InitMaterializedSRF(fcinfo, 0);
	sw_identity_enter(GetUserId(), relation,
					  module_get_text(fcinfo, 2), &identity);
	make_query(&reading, relation, PG_GETARG_BOOL(3),
			   module_get_text(fcinfo, 5));
	reading.query.policy = parse_policy(module_get_text(fcinfo, 1));
	reading.query.json_limits = PG_GETARG_BOOL(4) ? &json_limits : NULL;
	n_rows = sw_read_query(&reading.query, sw_query_build(&reading.query),
						   &options, take_batch, &reading);
	sw_identity_leave(&identity);
	tell_report(&reading, &report, n_rows);
	return (Datum) 0;
}

Datum
sw_test_read_memory(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	Reading		reading = {.result = NULL};
	SwReadOptions options = {
		.rows_per_batch = 65536,
		.bytes_per_batch = (Size) PG_GETARG_INT64(1)
	};
	SwIdentity	identity;

	sw_identity_enter(GetUserId(), relation, "UTC", &identity);
	make_query(&reading, relation, true, "");
	sw_read_query(&reading.query, sw_query_build(&reading.query), &options,
				  take_batch, &reading);
	sw_identity_leave(&identity);
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d %d %zu", (int) reading.n_rows,
											  reading.n_batches,
											  reading.most_bytes)));
}
