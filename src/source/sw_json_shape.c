/*-------------------------------------------------------------------------
 *
 * sw_json_shape.c
 *	  JSON documents brought within the limits of a target's JSON type.
 *
 * Few documents come here: the writers know when one may be beyond a limit.
 * Its text, valid JSON that the column got last, is walked once more and
 * written again with what changes.
 *
 * Where paths have to differ, what is seen of them is a hash in a table: of
 * the names from the nearest array, or the document, on.  Contract:
 * sw_json_writer.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "source/sw_json_writer.h"

/* An interrupt is seen after so many members at the latest. */
#define MEMBERS_PER_CHECK	1024

#define FIRST_PATHS			256

/*
 * A dot in a name as ClickHouse writes it where dots separate names, and
 * what else it takes for no two names to become one.
 */
#define SPELLED_DOT			"%2E"
#define SPELLED_PERCENT		"%25"

typedef enum ShapeResult
{
	SHAPE_DONE,
	SHAPE_HALT,					/* the judge stopped it */
	SHAPE_AGAIN					/* once more, with dots in names spelled out */
} ShapeResult;

/* Hashes, 0 being none; the table is half full at most. */
typedef struct PathSet
{
	uint64	   *slots;
	Size		n_slots;		/* a power of 2 */
	Size		n_used;
} PathSet;

typedef struct ShapeWalk
{
	SwJsonWriter *writer;
	const char *at;
	const char *end;
	const char *kept;			/* from here on to at it is to be copied */
	int			depth;			/* containers around at */
	bool		is_spelling;	/* dots in names are spelled out */
	uint32		n_asked;
	uint32		n_settled;		/* so many were asked by an earlier walk */
	uint64		n_scopes;		/* objects in arrays so far */
	PathSet		paths;
} ShapeWalk;

/* Where paths begin. */
typedef struct ShapeScope
{
	uint64		hash;			/* of the path so far */
	bool		is_inside;		/* there are names in it */
} ShapeScope;

/* Return early when a part is not done. */
#define TRY_SHAPE(expr) \
	do { \
		ShapeResult try_result_ = (expr); \
		if (try_result_ != SHAPE_DONE) \
			return try_result_; \
	} while (0)

static ShapeResult sw_json_shape_value(ShapeWalk *walk,
									   const ShapeScope *scope,
									   const SwJsonPlace *place);

/* ---- paths ---- */

/* Enter a hash; was it there? */
static bool
sw_json_find_path(PathSet *set, uint64 hash)
{
	Size		slot = (hash ^ hash >> 32) & (set->n_slots - 1);

	for (; set->slots[slot] != 0; slot = (slot + 1) & (set->n_slots - 1))
		if (set->slots[slot] == hash)
			return true;
	set->slots[slot] = hash;
	set->n_used++;
	return false;
}

static bool
sw_json_enter_path(PathSet *set, uint64 hash)
{
	if (set->n_used * 2 >= set->n_slots)
	{
		PathSet		old = *set;
		Size		i;

		set->n_slots = Max(old.n_slots * 2, FIRST_PATHS);
		set->n_used = 0;
		set->slots = MemoryContextAllocExtended(CurrentMemoryContext,
												set->n_slots * sizeof(uint64),
												MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		for (i = 0; i < old.n_slots; i++)
			if (old.slots[i] != 0)
				(void) sw_json_find_path(set, old.slots[i]);
		if (old.slots != NULL)
			pfree(old.slots);
	}
	return sw_json_find_path(set, hash == 0 ? 1 : hash);
}

/* Go past a character of a name; how it is spelled, NULL: as it is. */
static const char *
sw_json_spell_char(const char **at, const char *end)
{
	char		bytes[SW_JSON_CHAR_BYTES];

	if (sw_json_read_char(at, end, bytes) != 1)
		return NULL;
	return bytes[0] == '.' ? SPELLED_DOT :
		bytes[0] == '%' ? SPELLED_PERCENT : NULL;
}

static ShapeScope
sw_json_start_scope(ShapeWalk *walk)
{
	ShapeScope	scope = {SW_JSON_HASH_START, false};
	uint64		number = walk->n_scopes++;
	int			i;

	for (i = 0; i < 64; i += 8)
		scope.hash = SW_JSON_HASH_STEP(scope.hash, number >> i);
	return scope;
}

static ShapeScope
sw_json_extend_scope(const ShapeWalk *walk, const ShapeScope *outer,
					 const SwJsonPlace *place)
{
	ShapeScope	scope = *outer;
	const char *at = place->name;
	const char *end = at + place->n_name;

	if (scope.is_inside)
		scope.hash = SW_JSON_HASH_STEP(scope.hash, '.');
	scope.is_inside = true;
	if (!walk->is_spelling)
		scope.hash = sw_json_hash_name(scope.hash, at, place->n_name);
	else
		while (at < end)
		{
			const char *start = at;
			const char *spelled = sw_json_spell_char(&at, end);

			scope.hash = spelled == NULL ?
				sw_json_hash_name(scope.hash, start, at - start) :
				sw_json_hash_name(scope.hash, spelled, strlen(spelled));
		}
	return scope;
}

/* ---- parts of the text ---- */

static void
sw_json_shape_copy(ShapeWalk *walk, const char *end)
{
	sw_json_put_bytes(walk->writer, walk->kept, end - walk->kept);
	walk->kept = end;
}

static void
sw_json_shape_blanks(ShapeWalk *walk)
{
	while (walk->at < walk->end && (unsigned char) *walk->at <= ' ')
		walk->at++;
}

/* A comma behind a value, or the end of the container. */
static bool
sw_json_shape_goes_on(ShapeWalk *walk)
{
	sw_json_shape_blanks(walk);
	return *walk->at++ == ',';
}

static void
sw_json_shape_string(ShapeWalk *walk)
{
	for (walk->at++; *walk->at != '"'; walk->at++)
		if (*walk->at == '\\')
			walk->at++;
	walk->at++;
}

/* Go past a value, whatever it is. */
static void
sw_json_shape_skip(ShapeWalk *walk)
{
	int64		n_open = 0;

	do
	{
		switch (*walk->at)
		{
			case '"':
				sw_json_shape_string(walk);
				break;
			case '{':
			case '[':
				n_open++;
				walk->at++;
				break;
			case '}':
			case ']':
				n_open--;
				walk->at++;
				break;
			case ',':
			case ':':
			case ' ':
			case '\t':
			case '\n':
			case '\r':
				walk->at++;
				break;
			default:
				while (walk->at < walk->end && (unsigned char) *walk->at > ' ' &&
					   strchr(",]}", *walk->at) == NULL)
					walk->at++;
				break;
		}
	} while (n_open > 0);
}

/* ---- what is beyond a limit ---- */

/* What an earlier walk asked about is text, or there were no other one. */
static SwJsonVerdict
sw_json_shape_ask(ShapeWalk *walk, SwJsonReason reason,
				  const SwJsonPlace *place, const char *value, Size n_bytes)
{
	if (walk->n_asked++ < walk->n_settled)
		return SW_JSON_PUT_TEXT;
	return sw_json_ask(walk->writer, reason, place, value, n_bytes);
}

/* A container lies too deep. */
static ShapeResult
sw_json_shape_deep(ShapeWalk *walk, const SwJsonPlace *place)
{
	const char *start = walk->at;
	SwJsonVerdict verdict;

	sw_json_shape_skip(walk);
	sw_json_shape_copy(walk, start);
	verdict = sw_json_shape_ask(walk, SW_JSON_SHAPE, place, start,
								walk->at - start);
	if (verdict == SW_JSON_STOP)
		return SHAPE_HALT;
	if (verdict == SW_JSON_PUT_TEXT)
		sw_json_put_string(walk->writer, start, walk->at - start);
	else
		sw_json_put_bytes(walk->writer, "null", 4);
	walk->kept = walk->at;
	return SHAPE_DONE;
}

/* A value, at its start, has the path of one before. */
static ShapeResult
sw_json_shape_repeated(ShapeWalk *walk, const SwJsonPlace *place)
{
	const char *start = walk->at;
	SwJsonVerdict verdict;

	sw_json_shape_skip(walk);
	sw_json_shape_copy(walk, start);
	verdict = sw_json_shape_ask(walk, SW_JSON_PATH, place, start,
								walk->at - start);
	if (verdict == SW_JSON_STOP)
		return SHAPE_HALT;
	if (verdict == SW_JSON_PUT_TEXT && !walk->is_spelling)
		return SHAPE_AGAIN;
	sw_json_put_bytes(walk->writer, "null", 4);
	walk->kept = walk->at;
	return SHAPE_DONE;
}

/* How much of a name the target takes. */
static int
sw_json_shape_measure(const SwJsonPlace *place, int max_bytes)
{
	const char *at = place->name;
	const char *end = at + place->n_name;
	char		bytes[SW_JSON_CHAR_BYTES];
	int			n_bytes = 0;

	while (at < end)
	{
		const char *start = at;

		n_bytes += sw_json_read_char(&at, end, bytes);
		if (n_bytes > max_bytes)
			return (int) (start - place->name);
	}
	return place->n_name;
}

/* A name was read, which lies at place->name; its quote is written or kept. */
static ShapeResult
sw_json_shape_name(ShapeWalk *walk, const SwJsonPlace *place)
{
	SwJsonWriter *writer = walk->writer;
	const char *end = place->name + place->n_name;
	const char *at = place->name;
	int			max_bytes = writer->max_name_bytes;
	int			n_fitting = max_bytes == 0 ? place->n_name :
	sw_json_shape_measure(place, max_bytes);

	if (n_fitting < place->n_name || (place->n_name == 0 && max_bytes > 0))
	{
		if (sw_json_shape_ask(walk, SW_JSON_NAME, place, place->name - 1,
							  place->n_name + 2) == SW_JSON_STOP)
			return SHAPE_HALT;
		sw_json_shape_copy(walk, place->name + n_fitting);
		if (n_fitting == 0)
			sw_json_put_byte(writer, '_');
		walk->kept = end;
		writer->has_new_names = true;
		return SHAPE_DONE;
	}
	while (walk->is_spelling && at < end)
	{
		const char *start = at;
		const char *spelled = sw_json_spell_char(&at, end);

		if (spelled != NULL)
		{
			sw_json_shape_copy(walk, start);
			sw_json_put_bytes(writer, spelled, strlen(spelled));
			walk->kept = at;
		}
	}
	return SHAPE_DONE;
}

/* ---- the walk ---- */

static ShapeResult
sw_json_shape_members(ShapeWalk *walk, const ShapeScope *outer,
					  const SwJsonPlace *parent)
{
	bool		is_flat = walk->writer->limits->is_flat;
	SwJsonPlace place = {parent, NULL, 0, 0};
	uint32		n_members = 0;

	sw_json_shape_blanks(walk);
	if (*walk->at == '}')
	{
		walk->at++;
		return SHAPE_DONE;
	}
	do
	{
		ShapeScope	scope = *outer;

		if (++n_members % MEMBERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		sw_json_shape_blanks(walk);
		place.name = walk->at + 1;
		sw_json_shape_string(walk);
		place.n_name = (int) (walk->at - 1 - place.name);
		TRY_SHAPE(sw_json_shape_name(walk, &place));
		sw_json_shape_blanks(walk);
		walk->at++;				/* the colon */
		sw_json_shape_blanks(walk);
		if (is_flat)
			scope = sw_json_extend_scope(walk, outer, &place);
		if (is_flat && *walk->at != '{' && *walk->at != 'n' &&
			sw_json_enter_path(&walk->paths, scope.hash))
			TRY_SHAPE(sw_json_shape_repeated(walk, &place));
		else
			TRY_SHAPE(sw_json_shape_value(walk, &scope, &place));
	} while (sw_json_shape_goes_on(walk));
	return SHAPE_DONE;
}

static ShapeResult
sw_json_shape_elements(ShapeWalk *walk, const SwJsonPlace *parent)
{
	SwJsonPlace place = {parent, NULL, 0, 0};

	sw_json_shape_blanks(walk);
	if (*walk->at == ']')
	{
		walk->at++;
		return SHAPE_DONE;
	}
	for (;; place.index++)
	{
		ShapeScope	scope = sw_json_start_scope(walk);

		if (place.index % MEMBERS_PER_CHECK == MEMBERS_PER_CHECK - 1)
			CHECK_FOR_INTERRUPTS();
		sw_json_shape_blanks(walk);
		TRY_SHAPE(sw_json_shape_value(walk, &scope, &place));
		if (!sw_json_shape_goes_on(walk))
			return SHAPE_DONE;
	}
}

static ShapeResult
sw_json_shape_value(ShapeWalk *walk, const ShapeScope *scope,
					const SwJsonPlace *place)
{
	bool		is_object = *walk->at == '{';

	if (!is_object && *walk->at != '[')
	{
		sw_json_shape_skip(walk);
		return SHAPE_DONE;
	}
	if (walk->depth == walk->writer->limits->max_depth)
		return sw_json_shape_deep(walk, place);
	check_stack_depth();
	walk->depth++;
	walk->at++;
	TRY_SHAPE(is_object ? sw_json_shape_members(walk, scope, place) :
			  sw_json_shape_elements(walk, place));
	walk->depth--;
	return SHAPE_DONE;
}

/* From the start of the text on, with the dots in names spelled out or not. */
static ShapeResult
sw_json_shape_text(ShapeWalk *walk, const char *text, Size n_bytes,
				   bool is_wrapped, bool is_spelling)
{
	ShapeScope	scope;
	ShapeResult result;

	walk->at = text;
	walk->kept = text;
	walk->end = text + n_bytes;
	walk->depth = 0;
	walk->is_spelling = is_spelling;
	walk->n_asked = 0;
	walk->n_scopes = 0;
	memset(&walk->paths, 0, sizeof(walk->paths));
	sw_json_rewind(walk->writer, 0);
	if (is_wrapped)
		sw_json_put_bytes(walk->writer, "{\"value\":", 9);
	sw_json_shape_blanks(walk);
	scope = sw_json_start_scope(walk);
	result = sw_json_shape_value(walk, &scope, NULL);
	if (result == SHAPE_DONE)
	{
		sw_json_shape_copy(walk, walk->end);
		if (is_wrapped)
			sw_json_put_byte(walk->writer, '}');
	}
	if (walk->paths.slots != NULL)
		pfree(walk->paths.slots);
	return result;
}

SwJsonResult
sw_json_shape_document(SwJsonWriter *writer)
{
	ShapeWalk	walk = {.writer = writer};
	Size		n_bytes = sw_json_count(writer);
	char	   *text = MemoryContextAllocHuge(CurrentMemoryContext, n_bytes + 1);
	bool		is_wrapped = false;
	ShapeResult result;

	memcpy(text, sw_json_get_written(writer, 0), n_bytes);
	text[n_bytes] = '\0';
	walk.at = text;
	walk.end = text + n_bytes;
	sw_json_shape_blanks(&walk);
	if (writer->limits->is_flat && *walk.at != '{' && *walk.at != 'n')
	{
		SwJsonVerdict verdict = sw_json_ask(writer, SW_JSON_SHAPE, NULL,
											walk.at, walk.end - walk.at);

		if (verdict == SW_JSON_STOP || verdict == SW_JSON_PUT_NULL)
		{
			pfree(text);
			return verdict == SW_JSON_STOP ? SW_JSON_STOPPED :
				SW_JSON_IS_NULL;
		}
		is_wrapped = true;
	}
	result = sw_json_shape_text(&walk, text, n_bytes, is_wrapped, false);
	if (result == SHAPE_AGAIN)
	{
		walk.n_settled = walk.n_asked - 1;
		result = sw_json_shape_text(&walk, text, n_bytes, is_wrapped, true);
	}
	pfree(text);
	if (result == SHAPE_DONE && writer->has_new_names)
		sw_json_unify_names(writer);
	return result == SHAPE_DONE ? SW_JSON_APPENDED : SW_JSON_STOPPED;
}
