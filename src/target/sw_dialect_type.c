/*-------------------------------------------------------------------------
 *
 * sw_dialect_type.c
 *	  Types of the target's columns, and what makes their values out of those
 *	  of the staged files.
 *
 * Pure text; runs nothing.
 *
 * On the way, times are Int64 and dates Int32, JSON is text and a UUID its
 * 16 bytes (format/sw_column_type.c), so no reader of files has to agree
 * with us about any of them.  Members of containers are converted one by
 * one.
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

/* What expressions are made for. */
typedef struct TypeContext
{
	const SwDialect *dialect;
	const SwTargetTable *table;
	StringInfo	sql;
} TypeContext;

/*
 * A JSON type of the warehouse can't be null: it holds {} instead.  Inside
 * of containers JSON stays text.
 */
static bool
sw_dialect_is_json_type(const TypeContext *context, const SwColumnSpec *spec,
						bool is_member)
{
	return spec->type == SW_TYPE_JSON && !is_member &&
		!context->dialect->keeps_json_text(context->table);
}

/* ---- types ---- */

static void sw_dialect_append_node_type(const TypeContext *context,
										const SwColumnSpec *spec,
										bool is_member);

static void
sw_dialect_append_members(const TypeContext *context,
						  const SwColumnSpec *spec, bool with_names)
{
	int			i;

	for (i = 0; i < spec->n_children; i++)
	{
		if (i > 0)
			appendStringInfoString(context->sql, ", ");
		if (with_names)
		{
			sw_quote_append_name(context->sql, spec->children[i].name);
			appendStringInfoChar(context->sql, ' ');
		}
		sw_dialect_append_node_type(context, &spec->children[i], true);
	}
	appendStringInfoChar(context->sql, ')');
}

static void
sw_dialect_append_time_type(const TypeContext *context, int digits,
							const char *timezone)
{
	appendStringInfo(context->sql, "DateTime64(%d, ", digits);
	sw_quote_append_text(context->sql, timezone);
	appendStringInfoChar(context->sql, ')');
}

/* The type without its Nullable. */
static void
sw_dialect_append_plain_type(const TypeContext *context,
							 const SwColumnSpec *spec)
{
	StringInfo	sql = context->sql;

	switch (spec->type)
	{
		case SW_TYPE_STRING:
		case SW_TYPE_BYTES:
		case SW_TYPE_JSON:
		case SW_TYPE_ENUM:
			appendStringInfoString(sql, "String");
			break;
		case SW_TYPE_BOOL:
			appendStringInfoString(sql, context->dialect->bool_type);
			break;
		case SW_TYPE_INT16:
			appendStringInfoString(sql, "Int16");
			break;
		case SW_TYPE_INT32:
			appendStringInfoString(sql, "Int32");
			break;
		case SW_TYPE_INT64:
			appendStringInfoString(sql, "Int64");
			break;
		case SW_TYPE_UINT32:
			appendStringInfoString(sql, "UInt32");
			break;
		case SW_TYPE_FLOAT32:
			appendStringInfoString(sql, "Float32");
			break;
		case SW_TYPE_FLOAT64:
			appendStringInfoString(sql, "Float64");
			break;
		case SW_TYPE_DECIMAL:
			appendStringInfo(sql, "Decimal(%d, %d)", spec->precision,
							 spec->scale);
			break;
		case SW_TYPE_UUID:
			appendStringInfoString(sql, "UUID");
			break;
		case SW_TYPE_DATE:
			appendStringInfoString(sql, "Date32");
			break;
		case SW_TYPE_TIME_US:
			appendStringInfoString(sql, "Time64(6)");
			break;
		case SW_TYPE_TIMESTAMP_MS:
			sw_dialect_append_time_type(context, 3, context->table->timezone);
			break;
		case SW_TYPE_TIMESTAMP_US:
			sw_dialect_append_time_type(context, 6, context->table->timezone);
			break;
		case SW_TYPE_DATETIME_US:
			/* a wall clock: shown alike wherever the server is */
			sw_dialect_append_time_type(context, 6, "UTC");
			break;
		case SW_TYPE_ARRAY:
			appendStringInfoString(sql, "Array(");
			sw_dialect_append_members(context, spec, false);
			break;
		case SW_TYPE_MAP:
			appendStringInfoString(sql, "Map(");
			sw_dialect_append_members(context, spec, false);
			break;
		case SW_TYPE_TUPLE:
			appendStringInfoString(sql, "Tuple(");
			sw_dialect_append_members(context, spec, true);
			break;
	}
}

static void
sw_dialect_append_node_type(const TypeContext *context,
							const SwColumnSpec *spec, bool is_member)
{
	StringInfo	sql = context->sql;
	int			n_open = 0;

	if (spec->target_type != NULL)
	{
		appendStringInfoString(sql, spec->target_type);
		return;
	}
	if (sw_dialect_is_json_type(context, spec, is_member))
	{
		appendStringInfoString(sql, context->dialect->json_type);
		return;
	}
	if (spec->type == SW_TYPE_ENUM)
	{
		appendStringInfoString(sql, "LowCardinality(");
		n_open++;
	}
	if (spec->is_nullable)
	{
		appendStringInfoString(sql, "Nullable(");
		n_open++;
	}
	sw_dialect_append_plain_type(context, spec);
	while (n_open-- > 0)
		appendStringInfoChar(sql, ')');
}

void
sw_dialect_append_type(const SwDialect *dialect, StringInfo sql,
					   const SwTargetTable *table, const SwColumnSpec *column)
{
	TypeContext context = {dialect, table, sql};

	sw_dialect_append_node_type(&context, column, false);
}

/* ---- values ---- */

/* Is a value of the file not yet one of the target? */
static bool
sw_dialect_needs_conversion(const TypeContext *context,
							const SwColumnSpec *spec, bool is_member)
{
	int			i;

	if (spec->target_type != NULL)
		return true;
	switch (spec->type)
	{
		case SW_TYPE_JSON:
			return sw_dialect_is_json_type(context, spec, is_member);
		case SW_TYPE_BOOL:
			return strcmp(context->dialect->bool_type, "UInt8") != 0;
		case SW_TYPE_UUID:
		case SW_TYPE_DATE:
		case SW_TYPE_TIME_US:
		case SW_TYPE_TIMESTAMP_MS:
		case SW_TYPE_TIMESTAMP_US:
		case SW_TYPE_DATETIME_US:
		case SW_TYPE_ENUM:
			return true;
		default:
			break;
	}
	for (i = 0; i < spec->n_children; i++)
		if (sw_dialect_needs_conversion(context, &spec->children[i], true))
			return true;
	return false;
}

static void sw_dialect_append_conversion(const TypeContext *context,
										 const SwColumnSpec *spec,
										 const char *value, int depth);

/* arrayMap(v -> ..., value), mapApply((k, v) -> (..., ...), value) */
static void
sw_dialect_append_each(const TypeContext *context, const SwColumnSpec *spec,
					   const char *value, int depth)
{
	StringInfo	sql = context->sql;
	char		name[2][16];

	snprintf(name[0], sizeof(name[0]), "k%d", depth);
	snprintf(name[1], sizeof(name[1]), "v%d", depth);
	if (spec->type == SW_TYPE_ARRAY)
	{
		appendStringInfo(sql, "arrayMap(%s -> ", name[1]);
		sw_dialect_append_conversion(context, &spec->children[0], name[1],
									 depth + 1);
	}
	else
	{
		appendStringInfo(sql, "mapApply((%s, %s) -> (", name[0], name[1]);
		sw_dialect_append_conversion(context, &spec->children[0], name[0],
									 depth + 1);
		appendStringInfoString(sql, ", ");
		sw_dialect_append_conversion(context, &spec->children[1], name[1],
									 depth + 1);
		appendStringInfoChar(sql, ')');
	}
	appendStringInfo(sql, ", %s)", value);
}

/* tuple(..., ...) of the fields, by position */
static void
sw_dialect_append_fields(const TypeContext *context, const SwColumnSpec *spec,
						 const char *value, int depth)
{
	int			i;

	appendStringInfoString(context->sql, "tuple(");
	for (i = 0; i < spec->n_children; i++)
	{
		char	   *field = psprintf("tupleElement(%s, %d)", value, i + 1);

		if (i > 0)
			appendStringInfoString(context->sql, ", ");
		sw_dialect_append_conversion(context, &spec->children[i], field, depth);
		pfree(field);
	}
	appendStringInfoChar(context->sql, ')');
}

static void
sw_dialect_append_cast(const TypeContext *context, const SwColumnSpec *spec,
					   const char *value)
{
	appendStringInfo(context->sql, "CAST(%s AS ", value);
	sw_dialect_append_node_type(context, spec, true);
	appendStringInfoChar(context->sql, ')');
}

/* value is an expression; depth counts the lambdas around it. */
static void
sw_dialect_append_conversion(const TypeContext *context,
							 const SwColumnSpec *spec, const char *value,
							 int depth)
{
	StringInfo	sql = context->sql;
	SwColumnSpec plain;
	char	   *inner;

	if (spec->target_type != NULL)
	{
		/* Of the value as it would be without the user's wish. */
		plain = *spec;
		plain.target_type = NULL;
		appendStringInfoString(sql, "CAST(");
		sw_dialect_append_conversion(context, &plain, value, depth);
		appendStringInfo(sql, " AS %s)", spec->target_type);
		return;
	}
	if (!sw_dialect_needs_conversion(context, spec, true))
	{
		appendStringInfoString(sql, value);
		return;
	}
	switch (spec->type)
	{
		case SW_TYPE_TIMESTAMP_MS:
			appendStringInfo(sql, "fromUnixTimestamp64Milli(%s, ", value);
			sw_quote_append_text(sql, context->table->timezone);
			appendStringInfoChar(sql, ')');
			break;
		case SW_TYPE_TIMESTAMP_US:
		case SW_TYPE_DATETIME_US:
			appendStringInfo(sql, "fromUnixTimestamp64Micro(%s, ", value);
			sw_quote_append_text(sql, spec->type == SW_TYPE_DATETIME_US ?
								 "UTC" : context->table->timezone);
			appendStringInfoChar(sql, ')');
			break;
		case SW_TYPE_DATE:
			appendStringInfo(sql, "toDate32(%s)", value);
			break;
		case SW_TYPE_UUID:
			appendStringInfo(sql, "toUUID(UUIDNumToString(%s))", value);
			break;
		case SW_TYPE_TIME_US:
			inner = psprintf("toDecimal64(%s, 6) / 1000000", value);
			sw_dialect_append_cast(context, spec, inner);
			pfree(inner);
			break;
		case SW_TYPE_ARRAY:
		case SW_TYPE_MAP:
			sw_dialect_append_each(context, spec, value, depth);
			break;
		case SW_TYPE_TUPLE:
			sw_dialect_append_fields(context, spec, value, depth);
			break;
		default:
			sw_dialect_append_cast(context, spec, value);
			break;
	}
}

void
sw_dialect_append_value(const SwDialect *dialect, StringInfo sql,
						const SwTargetTable *table,
						const SwColumnSpec *column)
{
	TypeContext context = {dialect, table, sql};
	StringInfoData value;

	initStringInfo(&value);
	sw_quote_append_name(&value, column->name);
	if (column->target_type != NULL ||
		!sw_dialect_is_json_type(&context, column, false))
		sw_dialect_append_conversion(&context, column, value.data, 0);
	else
		appendStringInfo(sql, column->is_nullable ?
						 "CAST(ifNull(%s, '{}') AS %s)" : "CAST(%s AS %s)",
						 value.data, dialect->json_type);
	pfree(value.data);
}
