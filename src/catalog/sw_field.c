/*-------------------------------------------------------------------------
 *
 * sw_field.c
 *	  Field tables: one description of a row for reading it from a tuple,
 *	  writing it into a tuple, and passing it to a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "catalog/sw_field.h"

static void
set_member(const SwField *field, void *record, Datum value, bool isnull)
{
	char	   *member = (char *) record + field->offset;

	switch (field->type)
	{
		case SW_FIELD_TEXT:
			*(char **) member = isnull ? NULL : TextDatumGetCString(value);
			break;
		case SW_FIELD_INT32:
			*(int32 *) member = isnull ? 0 : DatumGetInt32(value);
			break;
		case SW_FIELD_INT64:
			*(int64 *) member = isnull ? 0 : DatumGetInt64(value);
			break;
		case SW_FIELD_BOOL:
			*(bool *) member = isnull ? false : DatumGetBool(value);
			break;
		case SW_FIELD_OID:
			*(Oid *) member = isnull ? InvalidOid : DatumGetObjectId(value);
			break;
		case SW_FIELD_TIME:
			*(TimestampTz *) member = isnull ? 0 : DatumGetTimestampTz(value);
			break;
		case SW_FIELD_DATE:
			*(DateADT *) member = isnull ? 0 : DatumGetDateADT(value);
			break;
		case SW_FIELD_VARLENA:
			*(struct varlena **) member =
				isnull ? NULL : PG_DETOAST_DATUM_COPY(value);
			break;
	}
}

static Datum
get_member(const SwField *field, const void *record, bool *isnull)
{
	const char *member = (const char *) record + field->offset;

	*isnull = false;
	switch (field->type)
	{
		case SW_FIELD_TEXT:
			*isnull = *(char *const *) member == NULL;
			return *isnull ? (Datum) 0 :
				CStringGetTextDatum(*(char *const *) member);
		case SW_FIELD_INT32:
			return Int32GetDatum(*(const int32 *) member);
		case SW_FIELD_INT64:
			return Int64GetDatum(*(const int64 *) member);
		case SW_FIELD_BOOL:
			return BoolGetDatum(*(const bool *) member);
		case SW_FIELD_OID:
			*isnull = !OidIsValid(*(const Oid *) member);
			return ObjectIdGetDatum(*(const Oid *) member);
		case SW_FIELD_TIME:
			return TimestampTzGetDatum(*(const TimestampTz *) member);
		case SW_FIELD_DATE:
			return DateADTGetDatum(*(const DateADT *) member);
		case SW_FIELD_VARLENA:
			*isnull = *(struct varlena *const *) member == NULL;
			return PointerGetDatum(*(struct varlena *const *) member);
	}
	elog(ERROR, "unknown field type %d", (int) field->type);
	return (Datum) 0;
}

static int
column_number(TupleDesc tupdesc, const char *column)
{
	int			number = SPI_fnumber(tupdesc, column);

	if (number <= 0)
		elog(ERROR, "row has no column \"%s\"", column);
	return number;
}

void
sw_field_read_row(const SwField *fields, int n_fields, HeapTuple row,
				  TupleDesc tupdesc, void *record_out)
{
	int			i;

	for (i = 0; i < n_fields; i++)
	{
		bool		isnull;
		Datum		value = heap_getattr(row,
										 column_number(tupdesc, fields[i].column),
										 tupdesc, &isnull);

		set_member(&fields[i], record_out, value, isnull);
	}
}

HeapTuple
sw_field_write_row(const SwField *fields, int n_fields, HeapTuple row,
				   TupleDesc tupdesc, const void *record)
{
	Datum	   *values = palloc0(tupdesc->natts * sizeof(Datum));
	bool	   *nulls = palloc0(tupdesc->natts * sizeof(bool));
	bool	   *replace = palloc0(tupdesc->natts * sizeof(bool));
	int			i;

	for (i = 0; i < n_fields; i++)
	{
		int			number = column_number(tupdesc, fields[i].column) - 1;

		values[number] = get_member(&fields[i], record, &nulls[number]);
		replace[number] = true;
	}
	return heap_modify_tuple(row, tupdesc, values, nulls, replace);
}

void
sw_field_add_args(const SwField *fields, int n_fields, const void *record,
				  SwSpi *spi)
{
	int			i;

	for (i = 0; i < n_fields; i++)
	{
		bool		isnull;
		Datum		value = get_member(&fields[i], record, &isnull);

		sw_spi_arg(spi, fields[i].sql_type, value, isnull);
	}
}

void
sw_field_append_names(const SwField *fields, int n_fields, StringInfo buf)
{
	int			i;

	for (i = 0; i < n_fields; i++)
		appendStringInfo(buf, "%s%s", i ? ", " : "",
						 quote_identifier(fields[i].column));
}

void
sw_field_append_params(const SwField *fields, int n_fields, int first,
					   StringInfo buf)
{
	int			i;

	(void) fields;
	for (i = 0; i < n_fields; i++)
		appendStringInfo(buf, "%s$%d", i ? ", " : "", first + i);
}

void
sw_field_append_sets(const SwField *fields, int n_fields, int first,
					 StringInfo buf)
{
	int			i;

	for (i = 0; i < n_fields; i++)
		appendStringInfo(buf, "%s%s = $%d", i ? ", " : "",
						 quote_identifier(fields[i].column), first + i);
}
