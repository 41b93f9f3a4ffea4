/*-------------------------------------------------------------------------
 *
 * sw_field.h
 *	  Field tables: one description of a row for reading it from a tuple,
 *	  writing it into a tuple, and passing it to a statement.
 *
 * A field table lists the columns of a row and where each lives in a plain C
 * struct.  Columns are found by name, so tables and views may gain columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_FIELD_H
#define SW_FIELD_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "lib/stringinfo.h"

#include "catalog/sw_spi.h"

/* What the struct member is, and how a null looks in it. */
typedef enum SwFieldType
{
	SW_FIELD_TEXT,				/* char *; NULL */
	SW_FIELD_INT32,				/* int32; 0 */
	SW_FIELD_INT64,				/* int64; 0 */
	SW_FIELD_BOOL,				/* bool; false */
	SW_FIELD_OID,				/* Oid (regclass, regrole); InvalidOid */
	SW_FIELD_TIME,				/* TimestampTz; 0 is a null only on read */
	SW_FIELD_DATE,				/* DateADT; as TIME */
	SW_FIELD_INTERVAL,			/* Interval *; NULL */
	SW_FIELD_VARLENA			/* struct varlena *, detoasted; NULL */
} SwFieldType;

typedef struct SwField
{
	const char *column;
	SwFieldType type;
	Oid			sql_type;		/* type of the column */
	size_t		offset;			/* of the member in the struct */
} SwField;

/* Set one member; a value that is not by value is copied. */
extern void sw_field_set(const SwField *field, void *record, Datum value,
						 bool isnull);

/* Fill the struct from a tuple; values are copied to the current context. */
extern void sw_field_read_row(const SwField *fields, int n_fields,
							  HeapTuple row, TupleDesc tupdesc,
							  void *record_out);

/* A copy of row with the listed columns replaced by the struct's values. */
extern HeapTuple sw_field_write_row(const SwField *fields, int n_fields,
									HeapTuple row, TupleDesc tupdesc,
									const void *record);

/* Add the struct's values as the next arguments of a statement. */
extern void sw_field_add_args(const SwField *fields, int n_fields,
							  const void *record, SwSpi *spi);

/* "a, b, c"; "$1, $2, $3" from first; "a = $1, b = $2" from first. */
extern void sw_field_append_names(const SwField *fields, int n_fields,
								  StringInfo buf);
extern void sw_field_append_params(const SwField *fields, int n_fields,
								   int first, StringInfo buf);
extern void sw_field_append_sets(const SwField *fields, int n_fields,
								 int first, StringInfo buf);

/*
 * The struct as bytes, and back, for another process of the same server.
 * unpack reads what pack appended, from *at on, and throws on anything that
 * cannot be that; values are palloc'd in the current context.
 */
extern void sw_field_pack(const SwField *fields, int n_fields,
						  const void *record, StringInfo bytes);
extern void sw_field_unpack(const SwField *fields, int n_fields,
							StringInfo bytes, void *record_out);

#endif							/* SW_FIELD_H */
