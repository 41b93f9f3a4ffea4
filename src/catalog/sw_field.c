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
#include "port/sw_compat.h"

void
sw_field_set(const SwField *field, void *record, Datum value, bool isnull)
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
		case SW_FIELD_INTERVAL:
			*(Interval **) member = NULL;
			if (!isnull)
			{
				Interval   *copy = palloc(sizeof(Interval));

				memcpy(copy, DatumGetIntervalP(value), sizeof(Interval));
				*(Interval **) member = copy;
			}
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
		case SW_FIELD_INTERVAL:
			*isnull = *(Interval *const *) member == NULL;
			return IntervalPGetDatum(*(Interval *const *) member);
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
		int			number = column_number(tupdesc, fields[i].column);
		Datum		value;

		/* A trigger of ours may have been put on any relation. */
		if (TupleDescAttr(tupdesc, number - 1)->atttypid != fields[i].sql_type)
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("column \"%s\" does not have the type that is expected",
							fields[i].column)));
		value = heap_getattr(row, number, tupdesc, &isnull);
		sw_field_set(&fields[i], record_out, value, isnull);
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

/* ---- as bytes ---- */

static void
pack_block(StringInfo bytes, const void *data, int len)
{
	appendBinaryStringInfo(bytes, (const char *) &len, sizeof(len));
	if (len > 0)
		appendBinaryStringInfo(bytes, data, len);
}

/* NULL for a block of length -1; a copy with a zero byte behind it else. */
static char *
unpack_block(StringInfo bytes, int *len_out)
{
	int			len;
	char	   *block;

	if (bytes->len - bytes->cursor < (int) sizeof(len))
		elog(ERROR, "packed row is too short");
	memcpy(&len, bytes->data + bytes->cursor, sizeof(len));
	bytes->cursor += sizeof(len);
	*len_out = len;
	if (len < 0)
		return NULL;
	if (bytes->len - bytes->cursor < len)
		elog(ERROR, "packed row is too short");
	block = palloc(len + 1);
	memcpy(block, bytes->data + bytes->cursor, len);
	block[len] = '\0';
	bytes->cursor += len;
	return block;
}

/* Size of a member that is not a pointer, 0 for one that is. */
static int
member_size(SwFieldType type)
{
	switch (type)
	{
		case SW_FIELD_TEXT:
		case SW_FIELD_INTERVAL:
		case SW_FIELD_VARLENA:
			return 0;
		case SW_FIELD_INT32:
			return sizeof(int32);
		case SW_FIELD_INT64:
			return sizeof(int64);
		case SW_FIELD_BOOL:
			return sizeof(bool);
		case SW_FIELD_OID:
			return sizeof(Oid);
		case SW_FIELD_TIME:
			return sizeof(TimestampTz);
		case SW_FIELD_DATE:
			return sizeof(DateADT);
	}
	elog(ERROR, "unknown field type %d", (int) type);
	return 0;
}

void
sw_field_pack(const SwField *fields, int n_fields, const void *record,
			  StringInfo bytes)
{
	int			i;

	for (i = 0; i < n_fields; i++)
	{
		const char *member = (const char *) record + fields[i].offset;
		int			size = member_size(fields[i].type);
		const void *pointer;

		if (size > 0)
		{
			pack_block(bytes, member, size);
			continue;
		}
		pointer = *(const void *const *) member;
		if (pointer == NULL)
			pack_block(bytes, NULL, -1);
		else if (fields[i].type == SW_FIELD_TEXT)
			pack_block(bytes, pointer, (int) strlen(pointer));
		else if (fields[i].type == SW_FIELD_INTERVAL)
			pack_block(bytes, pointer, sizeof(Interval));
		else
			pack_block(bytes, pointer, (int) VARSIZE(pointer));
	}
}

void
sw_field_unpack(const SwField *fields, int n_fields, StringInfo bytes,
				void *record_out)
{
	int			i;

	for (i = 0; i < n_fields; i++)
	{
		char	   *member = (char *) record_out + fields[i].offset;
		int			size = member_size(fields[i].type);
		int			len;
		char	   *block = unpack_block(bytes, &len);

		if (fields[i].type == SW_FIELD_INTERVAL && block != NULL &&
			len != sizeof(Interval))
			elog(ERROR, "packed row does not fit column \"%s\"",
				 fields[i].column);
		else if (size == 0)
			*(char **) member = block;
		else if (len == size)
			memcpy(member, block, size);
		else
			elog(ERROR, "packed row does not fit column \"%s\"",
				 fields[i].column);
	}
}
