/*-------------------------------------------------------------------------
 *
 * sw_read_number.c
 *	  Readers of booleans, integers, floats and decimals.
 *
 * Contract: sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "common/sw_decimal.h"
#include "source/sw_datum.h"
#include "source/sw_numeric.h"
#include "source/sw_type_wish.h"

static bool
sw_read_append_bool(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_bool(column, DatumGetBool(value));
	return true;
}

static bool
sw_read_append_int16(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_int16(column, DatumGetInt16(value));
	return true;
}

/* Also of types that are unsigned: the bits are the same. */
static bool
sw_read_append_int32(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_int32(column, DatumGetInt32(value));
	return true;
}

static bool
sw_read_append_int64(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_int64(column, DatumGetInt64(value));
	return true;
}

static bool
sw_read_append_float32(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_float32(column, DatumGetFloat4(value));
	return true;
}

static bool
sw_read_append_float64(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_float64(column, DatumGetFloat8(value));
	return true;
}

/* ---- integers for a type that the user wishes for ---- */

typedef struct IntegerRange
{
	int64		first;
	int64		last;
} IntegerRange;

static int64
sw_read_get_integer(const SwDatumReader *reader, Datum value)
{
	switch (reader->spec->type)
	{
		case SW_TYPE_INT16:
			return DatumGetInt16(value);
		case SW_TYPE_INT32:
			return DatumGetInt32(value);
		case SW_TYPE_UINT32:
			return DatumGetUInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

static bool
sw_read_append_within(SwDatumReader *reader, Datum value, SwColumn *column)
{
	const IntegerRange *range = (const IntegerRange *) reader->state;
	int64		number = sw_read_get_integer(reader, value);
	SwProblem	problem = {
		.sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
		.can_be_null = sw_problem_can_be_null(reader),
		.has_nearest = true
	};

	if (number < range->first || number > range->last)
	{
		problem.what = psprintf("number " INT64_FORMAT, number);
		problem.why = psprintf("The column's type is %s.",
							   reader->spec->target_type);
		switch (sw_problem_judge(reader, &problem))
		{
			case SW_VERDICT_NULL:
				return sw_datum_append_null(reader, column);
			case SW_VERDICT_NEAREST:
				number = number < range->first ? range->first : range->last;
				break;
			default:
				return false;
		}
	}
	if (column->width == sizeof(int16))
		sw_column_append_int16(column, (int16) number);
	else if (column->width == sizeof(int32))
		sw_column_append_int32(column, (int32) number);
	else
		sw_column_append_int64(column, number);
	return true;
}

/* The load's cast would wrap around what the wished type does not hold. */
static void
sw_read_prepare_integer(SwDatumReader *reader)
{
	const char *type = reader->spec->target_type;
	IntegerRange range;

	if (type == NULL ||
		!sw_type_wish_get_range(type, &range.first, &range.last))
		return;
	reader->state = memcpy(palloc(sizeof(range)), &range, sizeof(range));
	reader->append = sw_read_append_within;
}

/* A text that is a number. */
static bool
sw_read_parse_int64(SwDatumReader *reader, Datum value, SwColumn *column)
{
	char	   *string = TextDatumGetCString(value);

	return sw_read_append_int64(reader,
								DirectFunctionCall1(int8in,
													CStringGetDatum(string)),
								column);
}

/* ---- decimals ---- */

/* Room for a numeric whose header has one byte. */
typedef union PackedNumeric
{
	struct varlena varlena;
	char		bytes[VARATT_SHORT_MAX + VARHDRSZ];
	int32		alignment;
} PackedNumeric;

/* As sw_numeric_look wants it; most need no memory. */
static struct varlena *
sw_read_unpack_numeric(Datum value, PackedNumeric *room)
{
	struct varlena *numeric = (struct varlena *) DatumGetPointer(value);
	Size		n_bytes;

	if (likely(VARATT_IS_SHORT(numeric) && !VARATT_IS_EXTERNAL(numeric)))
	{
		n_bytes = VARSIZE_SHORT(numeric) - VARHDRSZ_SHORT;
		SET_VARSIZE(&room->varlena, n_bytes + VARHDRSZ);
		memcpy(VARDATA(&room->varlena), VARDATA_SHORT(numeric), n_bytes);
		return &room->varlena;
	}
	return pg_detoast_datum(numeric);
}

static bool
sw_read_judge_decimal(SwDatumReader *reader, Numeric value, const char *why,
					  bool is_negative, bool has_nearest, SwColumn *column)
{
	const SwColumnSpec *spec = reader->spec;
	SwProblem	problem = {
		.sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
		.what = psprintf("number %s",
						 DatumGetCString(DirectFunctionCall1(numeric_out,
															 NumericGetDatum(value)))),
		.why = why,
		.can_be_null = sw_problem_can_be_null(reader),
		.has_nearest = has_nearest
	};
	uint8		bytes[SW_DECIMAL_MAX_BYTES];

	switch (sw_problem_judge(reader, &problem))
	{
		case SW_VERDICT_NULL:
			return sw_datum_append_null(reader, column);
		case SW_VERDICT_NEAREST:
			sw_decimal_make_largest(is_negative, spec->precision,
									column->width, bytes);
			sw_column_append_fixed(column, bytes, column->width);
			return true;
		default:
			return false;
	}
}

static bool
sw_read_append_decimal(SwDatumReader *reader, Datum value, SwColumn *column)
{
	const SwColumnSpec *spec = reader->spec;
	PackedNumeric room;
	struct varlena *numeric = sw_read_unpack_numeric(value, &room);
	SwNumericView view;
	uint8		bytes[SW_DECIMAL_MAX_BYTES];

	if (!sw_numeric_look(numeric, &view))
		return sw_read_judge_decimal(reader, (Numeric) numeric,
									 "The column holds finite numbers.",
									 DatumGetBool(DirectFunctionCall2(numeric_lt,
																	  NumericGetDatum((Numeric) numeric),
																	  NumericGetDatum(int64_to_numeric(0)))),
									 !numeric_is_nan((Numeric) numeric), column);
	switch (sw_decimal_make(view.digits, view.n_digits, view.weight,
							view.is_negative, spec->precision, spec->scale,
							column->width, bytes))
	{
		case SW_DECIMAL_EXACT:
			break;
		case SW_DECIMAL_TOO_WIDE:
			return sw_read_judge_decimal(reader, (Numeric) numeric,
										 psprintf("The column holds numbers of %d digits, %d of them behind the point.",
												  spec->precision, spec->scale),
										 view.is_negative, true, column);
		case SW_DECIMAL_TOO_FINE:
			return sw_read_judge_decimal(reader, (Numeric) numeric,
										 psprintf("The column holds numbers of %d digits, %d of them behind the point.",
												  spec->precision, spec->scale),
										 view.is_negative, false, column);
	}
	sw_column_append_fixed(column, bytes, column->width);
	return true;
}

/* ---- decimals for a type of floats that the user wishes for ---- */

/*
 * The nearest of the column's floats; false: as decimal text, that is not
 * the number.
 */
static bool
sw_read_get_nearest_float(const SwDatumReader *reader, Numeric value,
						  double *nearest)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(value)));
	char		shortest[DOUBLE_SHORTEST_DECIMAL_LEN];
	Datum		again;

	if (reader->spec->type == SW_TYPE_FLOAT32)
	{
		*nearest = strtof(text, NULL);
		if (isinf(*nearest) && !numeric_is_inf(value))
			*nearest = *nearest < 0 ? -FLT_MAX : FLT_MAX;
		float_to_shortest_decimal_buf((float) *nearest, shortest);
	}
	else
	{
		*nearest = strtod(text, NULL);
		if (isinf(*nearest) && !numeric_is_inf(value))
			*nearest = *nearest < 0 ? -DBL_MAX : DBL_MAX;
		double_to_shortest_decimal_buf(*nearest, shortest);
	}
	again = DirectFunctionCall3(numeric_in, CStringGetDatum(shortest),
								ObjectIdGetDatum(InvalidOid),
								Int32GetDatum(-1));
	return DatumGetBool(DirectFunctionCall2(numeric_eq, again,
											NumericGetDatum(value)));
}

static bool
sw_read_append_as_float(SwDatumReader *reader, Datum value, SwColumn *column)
{
	Numeric		number = DatumGetNumeric(value);
	SwProblem	problem = {
		.sqlstate = ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
		.why = "The column's type rounds it.",
		.can_be_null = sw_problem_can_be_null(reader),
		.has_nearest = true
	};
	double		nearest;

	if (!sw_read_get_nearest_float(reader, number, &nearest))
	{
		problem.what = psprintf("number %s",
								DatumGetCString(DirectFunctionCall1(numeric_out,
																	NumericGetDatum(number))));
		switch (sw_problem_judge(reader, &problem))
		{
			case SW_VERDICT_NULL:
				return sw_datum_append_null(reader, column);
			case SW_VERDICT_NEAREST:
				break;
			default:
				return false;
		}
	}
	if (column->type == SW_TYPE_FLOAT32)
		sw_column_append_float32(column, (float) nearest);
	else
		sw_column_append_float64(column, nearest);
	return true;
}

const SwDatumFamily sw_read_number_families[] = {
	{SW_TYPE_BOOL, BOOLOID, sw_read_append_bool, NULL},
	{SW_TYPE_INT16, INT2OID, sw_read_append_int16, sw_read_prepare_integer},
	{SW_TYPE_INT32, INT4OID, sw_read_append_int32, sw_read_prepare_integer},
	{SW_TYPE_INT64, INT8OID, sw_read_append_int64, sw_read_prepare_integer},
	{SW_TYPE_INT64, TEXTOID, sw_read_parse_int64, NULL},
	{SW_TYPE_UINT32, OIDOID, sw_read_append_int32, sw_read_prepare_integer},
	{SW_TYPE_UINT32, XIDOID, sw_read_append_int32, sw_read_prepare_integer},
	{SW_TYPE_UINT32, CIDOID, sw_read_append_int32, sw_read_prepare_integer},
	{SW_TYPE_FLOAT32, FLOAT4OID, sw_read_append_float32, NULL},
	{SW_TYPE_FLOAT64, FLOAT8OID, sw_read_append_float64, NULL},
	{SW_TYPE_FLOAT32, NUMERICOID, sw_read_append_as_float, NULL},
	{SW_TYPE_FLOAT64, NUMERICOID, sw_read_append_as_float, NULL},
	{SW_TYPE_DECIMAL, NUMERICOID, sw_read_append_decimal, NULL},
	{0}
};
