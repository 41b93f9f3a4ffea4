/*-------------------------------------------------------------------------
 *
 * sw_column_type.c
 *	  What a column is in a staged file, in the warehouse's words.
 *
 * Pure: throws only when memory runs out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_column.h"

static const char *
sw_column_plain_file_type(SwType type)
{
	switch (type)
	{
		case SW_TYPE_STRING:
		case SW_TYPE_BYTES:
		case SW_TYPE_JSON:
		case SW_TYPE_ENUM:
			return "String";
		case SW_TYPE_BOOL:
			return "UInt8";
		case SW_TYPE_INT16:
			return "Int16";
		case SW_TYPE_INT32:
		case SW_TYPE_DATE:
			return "Int32";
		case SW_TYPE_INT64:
		case SW_TYPE_TIME_US:
		case SW_TYPE_TIMESTAMP_MS:
		case SW_TYPE_TIMESTAMP_US:
		case SW_TYPE_DATETIME_US:
			return "Int64";
		case SW_TYPE_UINT32:
			return "UInt32";
		case SW_TYPE_FLOAT32:
			return "Float32";
		case SW_TYPE_FLOAT64:
			return "Float64";
		case SW_TYPE_DECIMAL:
			return "Decimal";
		case SW_TYPE_UUID:
			return "FixedString(16)";
		case SW_TYPE_ARRAY:
			return "Array";
		case SW_TYPE_MAP:
			return "Map";
		case SW_TYPE_TUPLE:
			return "Tuple";
	}
	return "String";
}

/* A field's name in backquotes; a backquote or backslash is escaped. */
static void
sw_column_append_field_name(StringInfo text, const char *name)
{
	appendStringInfoChar(text, '`');
	for (; *name != '\0'; name++)
	{
		if (*name == '`' || *name == '\\')
			appendStringInfoChar(text, '\\');
		appendStringInfoChar(text, *name);
	}
	appendStringInfoString(text, "` ");
}

void
sw_column_append_file_type(StringInfo text, const SwColumnSpec *spec)
{
	int			i;

	if (spec->is_nullable)
		appendStringInfoString(text, "Nullable(");
	appendStringInfoString(text, sw_column_plain_file_type(spec->type));
	if (spec->type == SW_TYPE_DECIMAL)
		appendStringInfo(text, "(%d, %d)", spec->precision, spec->scale);
	if (sw_type_is_container(spec->type))
	{
		for (i = 0; i < spec->n_children; i++)
		{
			appendStringInfoString(text, i == 0 ? "(" : ", ");
			if (spec->type == SW_TYPE_TUPLE)
				sw_column_append_field_name(text, spec->children[i].name);
			sw_column_append_file_type(text, &spec->children[i]);
		}
		appendStringInfoChar(text, ')');
	}
	if (spec->is_nullable)
		appendStringInfoChar(text, ')');
}
