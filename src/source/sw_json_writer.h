/*-------------------------------------------------------------------------
 *
 * sw_json_writer.h
 *	  What the parts that write JSON share; private to sw_json_*.c.
 *
 * The text of a document is written right behind the values of its column,
 * and becomes a value of it at the end, if all goes well.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_JSON_WRITER_H
#define SW_JSON_WRITER_H

#include "source/sw_json.h"
#include "source/sw_json_rule.h"
#include "source/sw_json_zone.h"

struct SwJsonWriter
{
	char	   *at;				/* where the next byte goes */
	char	   *end;			/* of the room there is */
	SwColumn   *column;			/* of the document being written */
	SwJsonRule	root;			/* declared below the document */
	bool		has_rules;
	const SwJsonLimits *limits; /* NULL: the target keeps text */
	int			max_name_bytes; /* in the server's encoding; 0: any */
	int			depth;			/* containers around where one is */
	bool		is_judging;		/* there are limits, and one is not just
								 * looking */
	bool		is_odd;			/* the document may be beyond the limits */
	bool		has_new_names;	/* names are not what they were */
	SwZone		zone;
	SwJsonJudge judge;
	void	   *judge_arg;
};

/*
 * Where in the document one is: a container and its current member.  Lives
 * on the stack of who walks.
 */
typedef struct SwJsonPlace
{
	const struct SwJsonPlace *parent;	/* NULL: the document is the container */
	const char *name;			/* of the member; NULL in an array */
	int			n_name;
	uint32		index;			/* of the element */
} SwJsonPlace;

/* ---- sw_json_writer.c ---- */

/* Make room for n bytes, in the column; throws when it is too much. */
extern void sw_json_grow(SwJsonWriter *writer, Size n_bytes);

static inline void
sw_json_reserve(SwJsonWriter *writer, Size n_bytes)
{
	if (unlikely(n_bytes > (Size) (writer->end - writer->at)))
		sw_json_grow(writer, n_bytes);
}

static inline void
sw_json_put_byte(SwJsonWriter *writer, char byte)
{
	sw_json_reserve(writer, 1);
	*writer->at++ = byte;
}

static inline void
sw_json_put_bytes(SwJsonWriter *writer, const char *bytes, Size n_bytes)
{
	sw_json_reserve(writer, n_bytes);
	memcpy(writer->at, bytes, n_bytes);
	writer->at += n_bytes;
}

/* A string with its quotes, the bytes being what it means. */
extern void sw_json_put_string(SwJsonWriter *writer, const char *bytes,
							   Size n_bytes);

/* Eight bytes of a string; EACH: the same one in all of them. */
#define SW_JSON_WORD_BYTES	((int) sizeof(uint64))
#define SW_JSON_EACH(byte)	(UINT64CONST(0x0101010101010101) * (byte))

/* Is there a quote, a backslash or a control character in it? */
static inline bool
sw_json_is_special(uint64 word)
{
	uint64		quote = word ^ SW_JSON_EACH('"');
	uint64		backslash = word ^ SW_JSON_EACH('\\');

	/* a byte's high bit is set by the subtraction if it was less */
	return ((((quote - SW_JSON_EACH(1)) & ~quote) |
			 ((backslash - SW_JSON_EACH(1)) & ~backslash) |
			 ((word - SW_JSON_EACH(' ')) & ~word)) & SW_JSON_EACH(0x80)) != 0;
}

/* Bytes written since sw_json_begin; and back to how many there were. */
extern Size sw_json_count(const SwJsonWriter *writer);
extern void sw_json_rewind(SwJsonWriter *writer, Size n_bytes);

/* What was written from there on; valid until more is. */
extern const char *sw_json_get_written(const SwJsonWriter *writer, Size from);

extern void sw_json_begin(SwJsonWriter *writer, SwColumn *column);

/* Append what was written, brought within the target's limits. */
extern SwJsonResult sw_json_end(SwJsonWriter *writer);

/* A container begins; one ends with writer->depth--. */
static inline void
sw_json_go_deeper(SwJsonWriter *writer)
{
	writer->depth++;
	if (writer->limits != NULL && writer->depth > writer->limits->max_depth)
		writer->is_odd = true;
}

/* A name is written, as bytes of JSON text or as those that it means. */
static inline void
sw_json_look_at_name(SwJsonWriter *writer, const char *name, int n_name,
					 bool has_escapes)
{
	if (likely(!writer->is_judging))
		return;
	if (has_escapes || (n_name == 0 && writer->max_name_bytes > 0) ||
		(n_name > writer->max_name_bytes && writer->max_name_bytes > 0) ||
		(writer->limits->is_flat && memchr(name, '.', n_name) != NULL))
		writer->is_odd = true;
}

/* Tell the judge. */
extern SwJsonVerdict sw_json_ask(SwJsonWriter *writer, SwJsonReason reason,
								 const SwJsonPlace *place,
								 const char *value, Size n_bytes);

/* ---- names in JSON text ---- */

/* Longest form of a character in UTF-8. */
#define SW_JSON_CHAR_BYTES	4

/*
 * The character that an escape means, at being behind its backslash; false
 * if it is none.  A half of a surrogate pair is a character where the other
 * half is missing.
 */
extern bool sw_json_read_escape(const char **at, const char *end,
								uint32 *code);

/*
 * Go past a character of a name of valid JSON; into bytes, what it means: in
 * UTF-8 if it was escaped.  Returns how many bytes those are.
 */
extern int	sw_json_read_char(const char **at, const char *end, char *bytes);

/* Continue a hash with what a name means; begin with SW_JSON_HASH_START. */
#define SW_JSON_HASH_START	UINT64CONST(0xcbf29ce484222325)
#define SW_JSON_HASH_STEP(hash, byte) \
	(((hash) ^ (unsigned char) (byte)) * UINT64CONST(0x100000001b3))
extern uint64 sw_json_hash_name(uint64 hash, const char *name, Size n_name);

/* ---- sw_json_shape.c ---- */

/* Bring the document that was written within the target's limits. */
extern SwJsonResult sw_json_shape_document(SwJsonWriter *writer);

/* ---- sw_json_unique.c ---- */

/*
 * JSON text with only the last of an object's members of one name, palloc'd;
 * NULL if there are no others.  Of what is no JSON the result is of no use.
 */
extern char *sw_json_drop_duplicates(const char *bytes, Size n_bytes,
									 Size *n_left);

/* The same with the document that was written, whose names have changed. */
extern void sw_json_unify_names(SwJsonWriter *writer);

/* ---- sw_json_value.c ---- */

/* What became of a value. */
typedef enum SwJsonOutcome
{
	SW_JSON_KEEP,				/* it is to be written as it is */
	SW_JSON_WRITTEN,			/* something has been written in its place */
	SW_JSON_HALT				/* the judge stopped it */
} SwJsonOutcome;

/*
 * Write the date-time that a value means; the value is JSON text, which may
 * be what was written last.
 */
extern SwJsonOutcome sw_json_put_datetime(SwJsonWriter *writer,
										  const char *value, Size n_bytes,
										  const SwJsonPlace *place);

/* The same for the bytes of a string, if they mean one within the years. */
extern bool sw_json_try_datetime(SwJsonWriter *writer, const char *bytes,
								 Size n_bytes);

/*
 * Judge a number for a binary target, and write what comes instead.  The
 * text is a valid number of JSON, which may be what was written last.
 */
extern SwJsonOutcome sw_json_put_number(SwJsonWriter *writer,
										const char *text, Size n_bytes,
										const SwJsonPlace *place);

/*
 * Is the number an int64, or a double's shortest decimal text with a point
 * or an exponent?  If not, sw_json_put_number writes it.
 */
extern bool sw_json_number_survives(const char *text, Size n_bytes);

#endif							/* SW_JSON_WRITER_H */
