/*-------------------------------------------------------------------------
 *
 * sw_read_nested.c
 *	  Readers of arrays, maps and tuples.
 *
 * Members are read by readers of their own, straight out of the value; an
 * array's members are walked, not made into a list.
 *
 * Contract: sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "port/sw_compat.h"
#include "source/sw_datum.h"

/* Make the readers of the column's members, all of one type or by row type. */
static void
sw_read_add_child(SwDatumReader *reader, int i, Oid server_type)
{
	const SwColumnSpec *spec = &reader->spec->children[i];

	sw_datum_init(&reader->children[i], reader->rows, spec, server_type,
				  spec->is_nullable || sw_type_is_container(spec->type) ?
				  SW_ON_NULL_NULL : SW_ON_NULL_ERROR, true);
}

static void
sw_read_make_children(SwDatumReader *reader)
{
	reader->children = palloc0(sizeof(SwDatumReader) * reader->spec->n_children);
}

static inline bool
sw_read_append_member(SwDatumReader *reader, Datum value, bool is_null,
					  SwColumn *column)
{
	return is_null ? sw_datum_append_null(reader, column) :
		reader->append(reader, value, column);
}

/* ---- arrays ---- */

/* How the members of an array lie in it. */
typedef struct ElementState
{
	Oid			type;
	int16		length;
	bool		by_value;
	char		alignment;
} ElementState;

/* Where one is in an array. */
typedef struct ArrayWalk
{
	const ElementState *element;
	char	   *at;
	bits8	   *nulls;			/* NULL: there are none */
	int			i;
} ArrayWalk;

static void
sw_read_look_up_element(ElementState *element, Oid type)
{
	element->type = type;
	get_typlenbyvalalign(type, &element->length, &element->by_value,
						 &element->alignment);
}

static void
sw_read_start_walk(ArrayWalk *walk, const ElementState *element,
				   ArrayType *array)
{
	if (ARR_ELEMTYPE(array) != element->type)
		elog(ERROR, "array has members of type %u instead of %u",
			 ARR_ELEMTYPE(array), element->type);
	walk->element = element;
	walk->at = ARR_DATA_PTR(array);
	walk->nulls = ARR_NULLBITMAP(array);
	walk->i = 0;
}

static inline Datum
sw_read_take_element(ArrayWalk *walk, bool *is_null)
{
	const ElementState *element = walk->element;
	Datum		value;
	int			i = walk->i++;

	*is_null = walk->nulls != NULL &&
		(walk->nulls[i / BITS_PER_BYTE] & (1 << (i % BITS_PER_BYTE))) == 0;
	if (*is_null)
		return (Datum) 0;
	value = fetch_att(walk->at, element->by_value, element->length);
	walk->at = att_addlength_pointer(walk->at, element->length, walk->at);
	walk->at = (char *) att_align_nominal(walk->at, element->alignment);
	return value;
}

static SwVerdict
sw_read_judge_dimensions(SwDatumReader *reader, const ArrayType *array)
{
	SwProblem	problem = {
		.sqlstate = ERRCODE_ARRAY_SUBSCRIPT_ERROR,
		.what = psprintf("an array of %d dimensions", ARR_NDIM(array)),
		.why = "The column holds arrays of one dimension.",
		.can_be_null = true,
		.has_nearest = true
	};

	return sw_problem_judge(reader, &problem);
}

static bool
sw_read_append_elements(SwDatumReader *reader, ArrayType *array, SwColumn *column)
{
	SwDatumReader *child = &reader->children[0];
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	ArrayWalk	walk;
	int			i;

	sw_read_start_walk(&walk, (const ElementState *) reader->state, array);
	for (i = 0; i < n; i++)
	{
		bool		is_null;
		Datum		value = sw_read_take_element(&walk, &is_null);

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!sw_read_append_member(child, value, is_null,
								   &column->children[0]))
			return false;
	}
	sw_column_end_container(column);
	return true;
}

static bool
sw_read_append_array(SwDatumReader *reader, Datum value, SwColumn *column)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	SwVerdict	verdict = SW_VERDICT_NEAREST;
	bool		is_whole;

	if (unlikely(ARR_NDIM(array) > 1))
		verdict = sw_read_judge_dimensions(reader, array);
	if (verdict == SW_VERDICT_NULL)
	{
		sw_column_append_null(column);
		is_whole = true;
	}
	else
		is_whole = verdict == SW_VERDICT_NEAREST &&
			sw_read_append_elements(reader, array, column);
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
	return is_whole;
}

void
sw_read_prepare_array(SwDatumReader *reader)
{
	ElementState *element = palloc(sizeof(ElementState));

	sw_read_look_up_element(element, get_element_type(reader->server_type));
	reader->state = element;
	reader->append = sw_read_append_array;
	sw_read_make_children(reader);
	sw_read_add_child(reader, 0, element->type);
}

bool
sw_read_append_array_text(SwDatumReader *reader, Datum value, SwColumn *column)
{
	text	   *json = DatumGetTextPP(DirectFunctionCall1(array_to_json, value));
	bool		is_whole;

	is_whole = sw_read_append_text(reader, VARDATA_ANY(json),
								   VARSIZE_ANY_EXHDR(json), column);
	pfree(json);
	return is_whole;
}

/* ---- maps ---- */

typedef struct MapState
{
	FmgrInfo	to_array;		/* hstore to text[]: key, value, key, ... */
	ElementState element;
} MapState;

static bool
sw_read_append_map(SwDatumReader *reader, Datum value, SwColumn *column)
{
	MapState   *state = (MapState *) reader->state;
	ArrayType  *array = DatumGetArrayTypeP(FunctionCall1(&state->to_array,
														 value));
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	ArrayWalk	walk;
	int			i;

	sw_read_start_walk(&walk, &state->element, array);
	for (i = 0; i < n; i++)
	{
		bool		is_null;
		Datum		member = sw_read_take_element(&walk, &is_null);

		if (!sw_read_append_member(&reader->children[i % 2], member, is_null,
								   &column->children[i % 2]))
			return false;
	}
	sw_column_end_container(column);
	pfree(array);
	return true;
}

/* hstore's own function, which lives beside the type. */
void
sw_read_prepare_map(SwDatumReader *reader)
{
	MapState   *state = palloc0(sizeof(MapState));
	HeapTuple	tuple;
	char	   *schema;
	Oid			function;

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(reader->server_type));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", reader->server_type);
	schema = get_namespace_name(((Form_pg_type) GETSTRUCT(tuple))->typnamespace);
	ReleaseSysCache(tuple);
	function = LookupFuncName(list_make2(makeString(schema),
										 makeString("hstore_to_array")),
							  1, &reader->server_type, false);
	if (getExtensionOfObject(ProcedureRelationId, function) !=
		get_extension_oid("hstore", false))
		elog(ERROR, "function hstore_to_array is not that of hstore");

	fmgr_info(function, &state->to_array);
	sw_read_look_up_element(&state->element, TEXTOID);
	reader->state = state;
	reader->append = sw_read_append_map;
	sw_read_make_children(reader);
	sw_read_add_child(reader, 0, TEXTOID);
	sw_read_add_child(reader, 1, TEXTOID);
}

/* ---- tuples ---- */

typedef struct TupleState
{
	TupleDesc	row_type;
	Datum	   *values;			/* one for each attribute, also dropped ones */
	bool	   *nulls;
} TupleState;

static bool
sw_read_append_tuple(SwDatumReader *reader, Datum value, SwColumn *column)
{
	TupleState *state = (TupleState *) reader->state;
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;
	int			child = 0;
	int			i;

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, state->row_type, state->values, state->nulls);
	for (i = 0; i < state->row_type->natts; i++)
	{
		if (TupleDescAttr(state->row_type, i)->attisdropped)
			continue;
		if (!sw_read_append_member(&reader->children[child], state->values[i],
								   state->nulls[i],
								   &column->children[child]))
			return false;
		child++;
	}
	sw_column_end_container(column);
	if ((Pointer) header != DatumGetPointer(value))
		pfree(header);
	return true;
}

void
sw_read_prepare_tuple(SwDatumReader *reader)
{
	const SwColumnSpec *spec = reader->spec;
	TupleState *state = palloc(sizeof(TupleState));
	TupleDesc	row_type;
	int			child = 0;
	int			i;

	row_type = lookup_rowtype_tupdesc_copy(reader->server_type, -1);
	state->row_type = row_type;
	state->values = palloc(sizeof(Datum) * row_type->natts);
	state->nulls = palloc(sizeof(bool) * row_type->natts);
	reader->state = state;
	reader->append = sw_read_append_tuple;
	sw_read_make_children(reader);
	for (i = 0; i < row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);

		if (attribute->attisdropped)
			continue;
		if (child >= spec->n_children ||
			strcmp(spec->children[child].name, NameStr(attribute->attname)) != 0)
			sw_datum_refuse_type(reader);
		sw_read_add_child(reader, child++, attribute->atttypid);
	}
	if (child < spec->n_children)
		sw_datum_refuse_type(reader);
}
