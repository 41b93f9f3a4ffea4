/*-------------------------------------------------------------------------
 *
 * sw_read_text.c
 *	  Readers of texts, bytes, UUIDs and enums, and of the text of all types
 *	  that no other function reads.
 *
 * Text of the server's encoding becomes UTF-8.  A database of encoding
 * SQL_ASCII may hold any bytes, so there they are checked.
 *
 * The settings that a text depends on are pinned (sw_identity.c).
 *
 * Contract: sw_datum.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "port/sw_compat.h"
#include "source/sw_datum.h"

/* ---- encodings ---- */

/* With the replacement character, or \xNN, for each byte that is wrong. */
static char *
sw_read_repair_utf8(const char *bytes, Size n_bytes, bool as_text,
					Size *n_repaired)
{
	/* No byte becomes more than four. */
	char	   *result = palloc_extended(n_bytes * 4 + 1, MCXT_ALLOC_HUGE);
	char	   *to = result;
	const char *end = bytes + n_bytes;

	while (bytes < end)
	{
		int			n = pg_encoding_verifymbchar(PG_UTF8, bytes,
												 (int) Min(end - bytes, 4));

		if (n > 0)
		{
			memcpy(to, bytes, n);
			to += n;
			bytes += n;
			continue;
		}
		if (as_text)
			to += snprintf(to, 5, "\\x%02X", (unsigned char) *bytes);
		else
		{
			memcpy(to, "\xEF\xBF\xBD", 3);
			to += 3;
		}
		bytes++;
	}
	*n_repaired = to - result;
	return result;
}

static bool
sw_read_judge_utf8(SwDatumReader *reader, const char *bytes, Size n_bytes,
				   SwColumn *column)
{
	SwProblem	problem = {
		.sqlstate = ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
		.what = "text that is not valid UTF-8",
		.why = "The database's encoding is SQL_ASCII, so its text is exported as it is.",
		.can_be_null = sw_problem_can_be_null(reader),
		.has_nearest = true,
		.has_text = true
	};
	SwVerdict	verdict = sw_problem_judge(reader, &problem);
	char	   *repaired;

	if (verdict == SW_VERDICT_SKIP)
		return false;
	if (verdict == SW_VERDICT_NULL)
		return sw_datum_append_null(reader, column);
	repaired = sw_read_repair_utf8(bytes, n_bytes,
								   verdict == SW_VERDICT_TEXT, &n_bytes);
	sw_column_append_bytes(column, repaired, n_bytes);
	pfree(repaired);
	return true;
}

bool
sw_read_append_text(SwDatumReader *reader, const char *bytes, Size n_bytes,
					SwColumn *column)
{
	char	   *converted;

	if (likely(reader->rows->is_utf8))
	{
		sw_column_append_bytes(column, bytes, n_bytes);
		return true;
	}
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		if (!pg_verify_mbstr(PG_UTF8, bytes, (int) n_bytes, true))
			return sw_read_judge_utf8(reader, bytes, n_bytes, column);
		sw_column_append_bytes(column, bytes, n_bytes);
		return true;
	}
	converted = pg_server_to_any(bytes, (int) n_bytes, PG_UTF8);
	if (converted == bytes)
		sw_column_append_bytes(column, bytes, n_bytes);
	else
	{
		sw_column_append_bytes(column, converted, strlen(converted));
		pfree(converted);
	}
	return true;
}

/* ---- texts ---- */

static bool
sw_read_append_varlena_text(SwDatumReader *reader, Datum value, SwColumn *column)
{
	struct varlena *stored = (struct varlena *) DatumGetPointer(value);
	struct varlena *plain;
	bool		is_whole;

	if (likely(reader->rows->is_utf8 &&
			   (VARATT_IS_4B_U(stored) ||
				(VARATT_IS_1B(stored) && !VARATT_IS_1B_E(stored)))))
	{
		sw_column_append_bytes(column, VARDATA_ANY(stored),
							   VARSIZE_ANY_EXHDR(stored));
		return true;
	}
	plain = pg_detoast_datum_packed(stored);
	is_whole = sw_read_append_text(reader, VARDATA_ANY(plain),
								   VARSIZE_ANY_EXHDR(plain), column);
	if (plain != stored)
		pfree(plain);
	return is_whole;
}

static bool
sw_read_append_name(SwDatumReader *reader, Datum value, SwColumn *column)
{
	const char *name = NameStr(*DatumGetName(value));

	return sw_read_append_text(reader, name, strlen(name), column);
}

/* The type "char": one byte, of which those above 127 are no characters. */
static bool
sw_read_append_char(SwDatumReader *reader, Datum value, SwColumn *column)
{
	unsigned char byte = (unsigned char) DatumGetChar(value);
	char		text[8];

	(void) reader;
	if (IS_HIGHBIT_SET(byte))
		snprintf(text, sizeof(text), "\\%03o", byte);
	else
		snprintf(text, sizeof(text), "%c", byte);
	sw_column_append_bytes(column, text, strlen(text));
	return true;
}

static bool
sw_read_append_bytes(SwDatumReader *reader, Datum value, SwColumn *column)
{
	struct varlena *stored = (struct varlena *) DatumGetPointer(value);
	struct varlena *plain = pg_detoast_datum_packed(stored);

	(void) reader;
	sw_column_append_bytes(column, VARDATA_ANY(plain),
						   VARSIZE_ANY_EXHDR(plain));
	if (plain != stored)
		pfree(plain);
	return true;
}

static bool
sw_read_append_uuid(SwDatumReader *reader, Datum value, SwColumn *column)
{
	(void) reader;
	sw_column_append_fixed(column, DatumGetUUIDP(value)->data, UUID_LEN);
	return true;
}

/* ---- what the type's own function prints ---- */

bool
sw_read_append_output(SwDatumReader *reader, Datum value, SwColumn *column)
{
	char	   *text = OutputFunctionCall((FmgrInfo *) reader->state, value);
	bool		is_whole;

	is_whole = sw_read_append_text(reader, text, strlen(text), column);
	pfree(text);
	return is_whole;
}

void
sw_read_prepare_output(SwDatumReader *reader)
{
	FmgrInfo   *output = palloc(sizeof(FmgrInfo));
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(reader->server_type, &function, &is_varlena);
	fmgr_info(function, output);
	reader->state = output;
	reader->append = sw_read_append_output;
}

/* ---- enums ---- */

/* A label of the server's, and its code in the column. */
typedef struct EnumCode
{
	Oid			label;			/* hash key */
	uint32		code;
} EnumCode;

typedef struct EnumState
{
	HTAB	   *codes;
	Oid			last_label;
	uint32		last_code;
} EnumState;

/* A label that was not met before. */
static uint32
sw_read_add_label(SwDatumReader *reader, Oid label, SwColumn *column)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(label));
	const char *text;
	char	   *converted;
	uint32		code;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", label)));
	text = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel);
	converted = reader->rows->is_utf8 ? (char *) text :
		pg_server_to_any(text, strlen(text), PG_UTF8);
	if (!pg_verify_mbstr(PG_UTF8, converted, strlen(converted), true))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("cannot export a label of type %s that is not valid UTF-8",
						format_type_be(reader->server_type)),
				 errhint("Rename the label with ALTER TYPE ... RENAME VALUE.")));
	code = sw_column_get_code(column, converted, strlen(converted));
	ReleaseSysCache(tuple);
	return code;
}

bool
sw_read_append_enum(SwDatumReader *reader, Datum value, SwColumn *column)
{
	EnumState  *state = (EnumState *) reader->state;
	Oid			label = DatumGetObjectId(value);
	EnumCode   *entry;
	bool		is_known;

	if (label != state->last_label)
	{
		entry = hash_search(state->codes, &label, HASH_FIND, &is_known);
		if (!is_known)
		{
			uint32		code = sw_read_add_label(reader, label, column);

			entry = hash_search(state->codes, &label, HASH_ENTER, NULL);
			entry->code = code;
		}
		state->last_label = label;
		state->last_code = entry->code;
	}
	sw_column_append_code(column, state->last_code);
	return true;
}

void
sw_read_prepare_enum(SwDatumReader *reader)
{
	EnumState  *state = palloc0(sizeof(EnumState));
	HASHCTL		control = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(EnumCode),
		.hcxt = CurrentMemoryContext
	};

	state->codes = hash_create("SwEnumCodes", 64, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	reader->state = state;
	reader->append = sw_read_append_enum;
}

const SwDatumFamily sw_read_text_families[] = {
	{SW_TYPE_STRING, TEXTOID, sw_read_append_varlena_text, NULL},
	{SW_TYPE_STRING, VARCHAROID, sw_read_append_varlena_text, NULL},
	{SW_TYPE_STRING, BPCHAROID, sw_read_append_varlena_text, NULL},
	{SW_TYPE_STRING, NAMEOID, sw_read_append_name, NULL},
	{SW_TYPE_STRING, CHAROID, sw_read_append_char, NULL},
	{SW_TYPE_BYTES, BYTEAOID, sw_read_append_bytes, NULL},
	{SW_TYPE_UUID, UUIDOID, sw_read_append_uuid, NULL},
	{0}
};
