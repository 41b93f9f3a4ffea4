/*-------------------------------------------------------------------------
 *
 * sw_json.h
 *	  JSON documents as text of a column, by the rules of a pipeline.
 *
 * A document comes out equal by value to what the server prints, without
 * blanks between its parts (json: as it was written).  The changes made on
 * the way are those that the pipeline declares:
 *
 *	  date-time properties	become 'YYYY-MM-DD HH:MM:SS.fff' in the pipeline's
 *							zone (common/sw_datetime.h says what is read);
 *							null stays null, the members of an array are
 *							read one by one
 *	  array properties		become [] where they are null
 *
 * A property is named by a path from the document's root: names with dots in
 * between, going through arrays; a key of the root may also be the whole
 * path, dots and all.
 *
 * What the target cannot hold, or what is no date-time, is told to a judge,
 * who throws or says what becomes of it.  A target whose JSON is binary
 * holds numbers that are an int64 or a double's shortest decimal text,
 * strings without the character U+0000 and without halves of surrogate
 * pairs, and documents within its limits; of members of one name it gets the
 * last, as the server's jsonb does.  One that keeps text holds all.
 *
 * Text is of the server's encoding, before and after.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JSON_H
#define SW_JSON_H

#include "pgtime.h"

#include "common/sw_json_limits.h"
#include "format/sw_column.h"

/* A longer text of one document is an error; so it is for the server. */
#define SW_JSON_MAX_BYTES	((Size) 0x3fffffff)

typedef enum SwJsonReason
{
	SW_JSON_NO_DATETIME,		/* cannot be read as a date-time */
	SW_JSON_DATETIME_RANGE,		/* a date-time out of years 1 to 9999 */
	SW_JSON_NUMBER,				/* neither int64 nor double */
	SW_JSON_CHARACTER,			/* U+0000, or half a surrogate pair */
	SW_JSON_INVALID,			/* the text is no JSON */
	SW_JSON_SHAPE,				/* too many containers around it; or it is the
								 * document, and no object */
	SW_JSON_NAME,				/* a name that is empty or too long */
	SW_JSON_PATH				/* another value has the same path */
} SwJsonReason;

/* The texts live as long as the call. */
typedef struct SwJsonProblem
{
	SwJsonReason reason;
	const char *path;			/* such as items[3].sold_at; "" = the document */
	const char *excerpt;		/* the value as JSON text, or how it begins;
								 * of what is no JSON, where it breaks */
} SwJsonProblem;

typedef enum SwJsonVerdict
{
	/* Give up the document: nothing is appended. */
	SW_JSON_STOP,

	/* null in its place; a document that is no JSON is SW_JSON_IS_NULL. */
	SW_JSON_PUT_NULL,

	/*
	 * The nearest value: the first or last millisecond of years 1 to 9999,
	 * the nearest double, U+FFFD for a character, a name cut to its limit or
	 * "_" for an empty one, {"value": ...} around a document.  Null where
	 * none is near.
	 */
	SW_JSON_PUT_NEAREST,

	/*
	 * As text: what is no date-time stays what it is, a number becomes a
	 * string of its digits, a character its escape spelled out, what is no
	 * JSON and what lies too deep a string; for paths to differ, dots in the
	 * document's names become %2E and percent signs %25.  Else PUT_NEAREST.
	 */
	SW_JSON_PUT_TEXT
} SwJsonVerdict;

/*
 * In the name of a member there is no null: PUT_NULL is PUT_NEAREST there.
 */
typedef SwJsonVerdict (*SwJsonJudge) (void *judge_arg,
									  const SwJsonProblem *problem);

typedef struct SwJsonSettings
{
	const char *const *datetime_paths;
	int			n_datetime_paths;
	const char *const *array_paths;
	int			n_array_paths;
	pg_tz	   *zone;			/* of the pipeline */
	const SwJsonLimits *limits; /* of the target's binary JSON; NULL: it keeps
								 * text.  Lives as long as the writer. */
	SwJsonJudge judge;
	void	   *judge_arg;
} SwJsonSettings;

typedef enum SwJsonResult
{
	SW_JSON_APPENDED,			/* one value more in the column */
	SW_JSON_IS_NULL,			/* nothing appended; the value is to be null */
	SW_JSON_STOPPED				/* nothing appended; the judge wants it so */
} SwJsonResult;

/* The rules, ready for use.  Lives in the context current at create. */
typedef struct SwJsonWriter SwJsonWriter;

/*
 * Strings of settings are copied.  Paths are taken as they are, those with
 * an empty name in them match nothing.
 */
extern SwJsonWriter *sw_json_writer_create(const SwJsonSettings *settings);

/*
 * Append a jsonb to a STRING or JSON column.  What it takes for itself
 * (a value that has to be fetched) is in the current context.  Throws, as
 * do the judge and an interrupt, and then nothing is appended.
 */
extern SwJsonResult sw_json_append_jsonb(SwJsonWriter *writer, Datum value,
										 SwColumn *column);

/*
 * Append a text: a json, or any text that is to be JSON.  It is checked as a
 * whole; blanks, order of members, and the spelling of what no rule changes,
 * stay; so do duplicates where the target keeps text.
 */
extern SwJsonResult sw_json_append_text(SwJsonWriter *writer,
										const char *text, Size n_bytes,
										SwColumn *column);

#endif							/* SW_JSON_H */
