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
	bool		is_binary;
	bool		is_judging;		/* is_binary, and not just looking */
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
extern void sw_json_end(SwJsonWriter *writer);

/* Tell the judge. */
extern SwJsonVerdict sw_json_ask(SwJsonWriter *writer, SwJsonReason reason,
								 const SwJsonPlace *place,
								 const char *value, Size n_bytes);

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

/* Is the number an int64, or a double's shortest decimal text? */
extern bool sw_json_number_survives(const char *text, Size n_bytes);

#endif							/* SW_JSON_WRITER_H */
