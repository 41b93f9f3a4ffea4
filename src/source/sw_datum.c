/*-------------------------------------------------------------------------
 *
 * sw_datum.c
 *	  Readers of values: who reads which type of the server.
 *
 * Contract: sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "source/sw_datum.h"
#include "source/sw_type_map.h"

static const SwDatumFamily *const family_tables[] = {
	sw_read_number_families,
	sw_read_time_families,
	sw_read_text_families,
	sw_read_json_families
};

static const SwDatumFamily *
sw_datum_find_family(SwType type, Oid server_type)
{
	const SwDatumFamily *family;
	int			i;

	for (i = 0; i < (int) lengthof(family_tables); i++)
		for (family = family_tables[i]; family->append != NULL; family++)
			if (family->type == type && family->server_type == server_type)
				return family;
	return NULL;
}

void
sw_datum_refuse_type(const SwDatumReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("cannot export values of type %s in column \"%s\"",
					format_type_be(reader->server_type), reader->spec->name),
			 errdetail("The target's column was made for values of another type."),
			 errhint("Give the source's column its type back, or write a conversion as the column's expression in \"columns\".")));
}

/* Types that are made by users, and all that are read as text. */
static void
sw_datum_prepare_other(SwDatumReader *reader)
{
	SwType		type = reader->spec->type;
	Oid			server_type = reader->server_type;

	if (type == SW_TYPE_ARRAY && OidIsValid(get_element_type(server_type)))
		sw_read_prepare_array(reader);
	else if (type == SW_TYPE_MAP && sw_type_map_is_hstore(server_type))
		sw_read_prepare_map(reader);
	else if (type == SW_TYPE_TUPLE &&
			 get_typtype(server_type) == TYPTYPE_COMPOSITE)
		sw_read_prepare_tuple(reader);
	else if (type == SW_TYPE_ENUM && type_is_enum(server_type))
		sw_read_prepare_enum(reader);
	else if (type == SW_TYPE_STRING &&
			 OidIsValid(get_element_type(server_type)))
		reader->append = sw_read_append_array_text;
	else if (type == SW_TYPE_STRING)
		sw_read_prepare_output(reader);
	else
		sw_datum_refuse_type(reader);
}

void
sw_datum_init(SwDatumReader *reader, SwValueReader *rows,
			  const SwColumnSpec *spec, Oid server_type, SwOnNull on_null,
			  bool is_member)
{
	const SwDatumFamily *family;

	check_stack_depth();
	reader->rows = rows;
	reader->spec = spec;
	reader->server_type = getBaseType(server_type);
	reader->on_null = on_null;
	reader->is_member = is_member;

	family = sw_datum_find_family(spec->type, reader->server_type);
	if (family == NULL)
	{
		sw_datum_prepare_other(reader);
		return;
	}
	reader->append = family->append;
	if (family->prepare != NULL)
		family->prepare(reader);
}

/* ---- nulls ---- */

static bool
sw_datum_judge_null(SwDatumReader *reader)
{
	SwProblem	problem = {
		.sqlstate = ERRCODE_NULL_VALUE_NOT_ALLOWED,
		.what = "a null"
	};

	return sw_problem_judge(reader, &problem) != SW_VERDICT_SKIP;
}

bool
sw_datum_append_null(SwDatumReader *reader, SwColumn *column)
{
	switch (reader->on_null)
	{
		case SW_ON_NULL_ERROR:
			return sw_datum_judge_null(reader);
		case SW_ON_NULL_EMPTY:
			if (column->type == SW_TYPE_JSON)
				sw_column_append_bytes(column, "{}", 2);
			else
				sw_column_append_bytes(column, "", 0);
			break;
		case SW_ON_NULL_EPOCH:
			sw_column_append_int64(column, 0);
			break;
		case SW_ON_NULL_NULL:
			sw_column_append_null(column);
			break;
	}
	return true;
}
