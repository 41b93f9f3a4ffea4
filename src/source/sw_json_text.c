/*-------------------------------------------------------------------------
 *
 * sw_json_text.c
 *	  JSON text, checked and changed by the rules on its way to a column.
 *
 * One pass over the text.  What no rule changes is copied in long pieces, as
 * it was written.  Grammar: RFC 8259.  Contract: sw_json.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "source/sw_json_writer.h"

/* An interrupt is seen after so many members at the latest. */
#define MEMBERS_PER_CHECK	1024

#define IS_HIGH_HALF(code)	((code) >= 0xD800 && (code) <= 0xDBFF)
#define IS_LOW_HALF(code)	((code) >= 0xDC00 && (code) <= 0xDFFF)

typedef enum TextResult
{
	TEXT_DONE,
	TEXT_INVALID,				/* it is no JSON; at is where it breaks */
	TEXT_HALT					/* the judge stopped it */
} TextResult;

typedef struct JsonText
{
	SwJsonWriter *writer;
	const char *at;
	const char *end;
	const char *kept;			/* from here on to at it is to be copied */
	bool		is_utf8;		/* server's encoding */
} JsonText;

/* Return early when what was read is not done. */
#define TRY_TEXT(expr) \
	do { \
		TextResult	try_result_ = (expr); \
		if (try_result_ != TEXT_DONE) \
			return try_result_; \
	} while (0)

static TextResult sw_json_pass_value(JsonText *text, const SwJsonRule *rule,
									 const SwJsonPlace *place);

/* Copy what is kept up to there. */
static void
sw_json_copy_kept(JsonText *text, const char *end)
{
	sw_json_put_bytes(text->writer, text->kept, end - text->kept);
	text->kept = end;
}

static inline bool
sw_json_is_digit(const JsonText *text)
{
	return text->at < text->end && *text->at >= '0' && *text->at <= '9';
}

static inline void
sw_json_pass_blanks(JsonText *text)
{
	while (text->at < text->end &&
		   (*text->at == ' ' || *text->at == '\n' || *text->at == '\t' ||
			*text->at == '\r'))
		text->at++;
}

static inline bool
sw_json_pass_byte(JsonText *text, char expected)
{
	if (text->at == text->end || *text->at != expected)
		return false;
	text->at++;
	return true;
}

/* ---- strings ---- */

static bool
sw_json_read_hex(const char **at, const char *end, uint32 *code)
{
	uint32		value = 0;
	int			i;

	if (end - *at < 4)
		return false;
	for (i = 0; i < 4; i++)
	{
		char		c = *(*at)++;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return false;
	}
	*code = value;
	return true;
}

bool
sw_json_read_escape(const char **at, const char *end, uint32 *code)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	const char *after;
	uint32		low;

	if (*at == end || **at == '\0')
		return false;
	if (**at != 'u')
	{
		name = strchr(names, *(*at)++);
		if (name == NULL)
			return false;
		*code = values[name - names];
		return true;
	}
	(*at)++;
	if (!sw_json_read_hex(at, end, code))
		return false;
	after = *at;
	if (IS_HIGH_HALF(*code) && end - after > 2 && after[0] == '\\' &&
		after[1] == 'u')
	{
		after += 2;
		if (sw_json_read_hex(&after, end, &low) && IS_LOW_HALF(low))
		{
			*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
			*at = after;
		}
	}
	return true;
}

static inline bool
sw_json_is_unfit(uint32 code)
{
	return code == 0 || IS_HIGH_HALF(code) || IS_LOW_HALF(code);
}

/*
 * The rest of a string, its first quote being read.  is_unfit: there is a
 * character in it that a binary target does not take.
 */
static bool
sw_json_pass_string(JsonText *text, bool *has_escapes, bool *is_unfit)
{
	const char *at = text->at;
	const char *end = text->end;
	uint32		code;

	*has_escapes = false;
	*is_unfit = false;
	for (;;)
	{
		while (end - at >= SW_JSON_WORD_BYTES)
		{
			uint64		word;

			memcpy(&word, at, SW_JSON_WORD_BYTES);
			if (sw_json_is_special(word))
				break;
			at += SW_JSON_WORD_BYTES;
		}
		while (at < end && *at != '"' && *at != '\\' &&
			   (unsigned char) *at >= ' ')
			at++;
		text->at = at;
		if (at == end || (unsigned char) *at < ' ')
			return false;
		if (*at++ == '"')
			break;
		*has_escapes = true;
		if (!sw_json_read_escape(&at, end, &code))
			return false;
		*is_unfit = *is_unfit || sw_json_is_unfit(code);
	}
	text->at = at;
	return true;
}

/*
 * Write a string, which is at .. end with its quotes, with something else in
 * place of the characters that are unfit.
 */
static void
sw_json_put_mended(SwJsonWriter *writer, const char *at, const char *end,
				   bool spell_out)
{
	const char *kept = at;

	while (at < end)
	{
		const char *escape = at;
		uint32		code;

		if (*at++ != '\\')
			continue;
		if (!sw_json_read_escape(&at, end, &code))
			elog(ERROR, "JSON string changed while it was read");
		if (!sw_json_is_unfit(code))
			continue;
		sw_json_put_bytes(writer, kept, escape - kept);
		sw_json_put_bytes(writer, spell_out ? "\\" : "\\ufffd",
						  spell_out ? 1 : 6);
		kept = spell_out ? escape : at;
	}
	sw_json_put_bytes(writer, kept, end - kept);
}

/* A string with unfit characters was read, from start on. */
static TextResult
sw_json_mend_string(JsonText *text, const char *start, bool is_name,
					const SwJsonPlace *place)
{
	SwJsonVerdict verdict;

	sw_json_copy_kept(text, start);
	verdict = sw_json_ask(text->writer, SW_JSON_CHARACTER, place, start,
						  text->at - start);
	if (verdict == SW_JSON_STOP)
		return TEXT_HALT;
	if (verdict == SW_JSON_PUT_NULL && !is_name)
		sw_json_put_bytes(text->writer, "null", 4);
	else
		sw_json_put_mended(text->writer, start, text->at,
						   verdict == SW_JSON_PUT_TEXT);
	text->kept = text->at;
	text->writer->has_new_names = text->writer->has_new_names || is_name;
	return TEXT_DONE;
}

/*
 * The bytes that a name means, in the current context.  What the server's
 * encoding has not, or has but is not UTF-8, becomes a byte that no name
 * has.
 */
static char *
sw_json_decode_name(const JsonText *text, const char *at, const char *end,
					int *n_name)
{
	char	   *name = palloc(end - at + SW_JSON_CHAR_BYTES);
	char	   *out = name;

	while (at < end)
	{
		uint32		code;

		if (*at != '\\')
		{
			*out++ = *at++;
			continue;
		}
		at++;
		if (!sw_json_read_escape(&at, end, &code))
			elog(ERROR, "JSON name changed while it was read");
		if (code < 0x80)
			*out++ = (char) code;
		else if (!text->is_utf8 || sw_json_is_unfit(code))
			*out++ = '\0';
		else
		{
			unicode_to_utf8(code, (unsigned char *) out);
			out += pg_utf_mblen((unsigned char *) out);
		}
	}
	*n_name = (int) (out - name);
	return name;
}

/* ---- numbers and words ---- */

static bool
sw_json_pass_digits(JsonText *text)
{
	if (!sw_json_is_digit(text))
		return false;
	while (sw_json_is_digit(text))
		text->at++;
	return true;
}

static bool
sw_json_pass_number(JsonText *text)
{
	(void) sw_json_pass_byte(text, '-');
	if (!sw_json_pass_byte(text, '0') && !sw_json_pass_digits(text))
		return false;
	if (sw_json_pass_byte(text, '.') && !sw_json_pass_digits(text))
		return false;
	if (sw_json_pass_byte(text, 'e') || sw_json_pass_byte(text, 'E'))
	{
		if (!sw_json_pass_byte(text, '-'))
			(void) sw_json_pass_byte(text, '+');
		return sw_json_pass_digits(text);
	}
	return true;
}

static bool
sw_json_pass_word(JsonText *text, const char *word)
{
	Size		n_bytes = strlen(word);

	if ((Size) (text->end - text->at) < n_bytes ||
		memcmp(text->at, word, n_bytes) != 0)
		return false;
	text->at += n_bytes;
	return true;
}

static TextResult
sw_json_judge_number(JsonText *text, const char *start,
					 const SwJsonPlace *place)
{
	Size		n_bytes = text->at - start;

	if (!text->writer->is_judging || sw_json_number_survives(start, n_bytes))
		return TEXT_DONE;
	sw_json_copy_kept(text, start);
	if (sw_json_put_number(text->writer, start, n_bytes, place) == SW_JSON_HALT)
		return TEXT_HALT;
	text->kept = text->at;
	return TEXT_DONE;
}

/* ---- what is declared ---- */

/*
 * A value that is declared to be a date-time: read past it, then look at
 * what it was.
 */
static TextResult
sw_json_pass_datetime(JsonText *text, const SwJsonRule *rule,
					  const SwJsonPlace *place)
{
	SwJsonWriter *writer = text->writer;
	bool		was_judging = writer->is_judging;
	const char *start = text->at;
	TextResult	result;
	SwJsonOutcome outcome;

	if (text->at < text->end && *text->at == '[')
		return sw_json_pass_value(text, rule, place);
	writer->is_judging = false;
	result = sw_json_pass_value(text, NULL, place);
	writer->is_judging = was_judging;
	TRY_TEXT(result);

	sw_json_copy_kept(text, start);
	outcome = sw_json_put_datetime(writer, start, text->at - start, place);
	if (outcome == SW_JSON_KEEP)
	{
		text->at = start;
		return sw_json_pass_value(text, rule, place);
	}
	text->kept = text->at;
	return outcome == SW_JSON_WRITTEN ? TEXT_DONE : TEXT_HALT;
}

static TextResult
sw_json_pass_declared(JsonText *text, const SwJsonRule *rule,
					  const SwJsonPlace *place)
{
	const char *start = text->at;

	if (rule->is_array && sw_json_pass_word(text, "null"))
	{
		sw_json_copy_kept(text, start);
		sw_json_put_bytes(text->writer, "[]", 2);
		text->kept = text->at;
		return TEXT_DONE;
	}
	if (rule->is_datetime)
		return sw_json_pass_datetime(text, rule, place);
	return sw_json_pass_value(text, rule, place);
}

/* ---- containers ---- */

/* A name, and the rule for its value. */
static TextResult
sw_json_pass_name(JsonText *text, const SwJsonRule *rule, SwJsonPlace *place,
				  const SwJsonRule **member_rule)
{
	const char *start = text->at;
	bool		has_escapes;
	bool		is_unfit;

	*member_rule = NULL;
	if (!sw_json_pass_byte(text, '"') ||
		!sw_json_pass_string(text, &has_escapes, &is_unfit))
		return TEXT_INVALID;
	place->name = start + 1;
	place->n_name = (int) (text->at - start) - 2;
	if (rule != NULL && rule->below.n_rules > 0)
	{
		if (unlikely(has_escapes))
			place->name = sw_json_decode_name(text, start + 1, text->at - 1,
											  &place->n_name);
		*member_rule = sw_json_rules_find(&rule->below, place->name,
										  place->n_name);
	}
	sw_json_look_at_name(text->writer, start + 1, (int) (text->at - start) - 2,
						 has_escapes);
	if (unlikely(is_unfit) && text->writer->is_judging)
		return sw_json_mend_string(text, start, true, place);
	return TEXT_DONE;
}

static TextResult
sw_json_pass_members(JsonText *text, const SwJsonRule *rule,
					 const SwJsonPlace *parent)
{
	SwJsonPlace place = {parent, NULL, 0, 0};
	uint32		n_members = 0;
	const SwJsonRule *member_rule;

	sw_json_pass_blanks(text);
	if (sw_json_pass_byte(text, '}'))
		return TEXT_DONE;
	do
	{
		if (++n_members % MEMBERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		sw_json_pass_blanks(text);
		TRY_TEXT(sw_json_pass_name(text, rule, &place, &member_rule));
		sw_json_pass_blanks(text);
		if (!sw_json_pass_byte(text, ':'))
			return TEXT_INVALID;
		sw_json_pass_blanks(text);
		if (likely(member_rule == NULL))
			TRY_TEXT(sw_json_pass_value(text, NULL, &place));
		else
			TRY_TEXT(sw_json_pass_declared(text, member_rule, &place));
		sw_json_pass_blanks(text);
	} while (sw_json_pass_byte(text, ','));
	return sw_json_pass_byte(text, '}') ? TEXT_DONE : TEXT_INVALID;
}

static TextResult
sw_json_pass_elements(JsonText *text, const SwJsonRule *rule,
					  const SwJsonPlace *parent)
{
	SwJsonPlace place = {parent, NULL, 0, 0};

	sw_json_pass_blanks(text);
	if (sw_json_pass_byte(text, ']'))
		return TEXT_DONE;
	for (;; place.index++)
	{
		if (place.index % MEMBERS_PER_CHECK == MEMBERS_PER_CHECK - 1)
			CHECK_FOR_INTERRUPTS();
		sw_json_pass_blanks(text);
		if (rule != NULL && rule->is_datetime)
			TRY_TEXT(sw_json_pass_datetime(text, rule, &place));
		else
			TRY_TEXT(sw_json_pass_value(text, rule, &place));
		sw_json_pass_blanks(text);
		if (!sw_json_pass_byte(text, ','))
			break;
	}
	return sw_json_pass_byte(text, ']') ? TEXT_DONE : TEXT_INVALID;
}

/* A value, of which only what is below it is declared. */
static TextResult
sw_json_pass_value(JsonText *text, const SwJsonRule *rule,
				   const SwJsonPlace *place)
{
	const char *start = text->at;
	bool		has_escapes;
	bool		is_unfit;

	if (text->at == text->end)
		return TEXT_INVALID;
	switch (*text->at)
	{
		case '{':
			check_stack_depth();
			text->at++;
			sw_json_go_deeper(text->writer);
			TRY_TEXT(sw_json_pass_members(text, rule, place));
			text->writer->depth--;
			return TEXT_DONE;
		case '[':
			check_stack_depth();
			text->at++;
			sw_json_go_deeper(text->writer);
			TRY_TEXT(sw_json_pass_elements(text, rule, place));
			text->writer->depth--;
			return TEXT_DONE;
		case '"':
			text->at++;
			if (!sw_json_pass_string(text, &has_escapes, &is_unfit))
				return TEXT_INVALID;
			if (unlikely(is_unfit) && text->writer->is_judging)
				return sw_json_mend_string(text, start, false, place);
			return TEXT_DONE;
		case 't':
			return sw_json_pass_word(text, "true") ? TEXT_DONE : TEXT_INVALID;
		case 'f':
			return sw_json_pass_word(text, "false") ? TEXT_DONE : TEXT_INVALID;
		case 'n':
			return sw_json_pass_word(text, "null") ? TEXT_DONE : TEXT_INVALID;
		default:
			if (!sw_json_pass_number(text))
				return TEXT_INVALID;
			return sw_json_judge_number(text, start, place);
	}
}

/* The text is no JSON. */
static SwJsonResult
sw_json_put_invalid(SwJsonWriter *writer, const char *bytes, Size n_bytes,
					const char *broken_at)
{
	switch (sw_json_ask(writer, SW_JSON_INVALID, NULL, broken_at,
						bytes + n_bytes - broken_at))
	{
		case SW_JSON_STOP:
			return SW_JSON_STOPPED;
		case SW_JSON_PUT_NULL:
		case SW_JSON_PUT_NEAREST:
			return SW_JSON_IS_NULL;
		case SW_JSON_PUT_TEXT:
			break;
	}
	sw_json_rewind(writer, 0);
	sw_json_put_string(writer, bytes, n_bytes);
	writer->is_odd = false;
	return sw_json_end(writer);
}

/* Is it JSON?  Nothing is written. */
static bool
sw_json_is_valid(JsonText text)
{
	bool		was_judging = text.writer->is_judging;
	TextResult	result;

	text.writer->is_judging = false;
	sw_json_pass_blanks(&text);
	result = sw_json_pass_value(&text, NULL, NULL);
	text.writer->is_judging = was_judging;
	text.writer->depth = 0;
	sw_json_pass_blanks(&text);
	return result == TEXT_DONE && text.at == text.end;
}

SwJsonResult
sw_json_append_text(SwJsonWriter *writer, const char *bytes, Size n_bytes,
					SwColumn *column)
{
	JsonText	text = {writer, bytes, bytes + n_bytes, bytes,
	GetDatabaseEncoding() == PG_UTF8};
	TextResult	result;
	char	   *unique = NULL;
	Size		n_left;

	sw_json_begin(writer, column);
	if (writer->limits != NULL)
		unique = sw_json_drop_duplicates(bytes, n_bytes, &n_left);
	if (unlikely(unique != NULL) && sw_json_is_valid(text))
	{
		text.at = unique;
		text.kept = unique;
		text.end = unique + n_left;
	}
	sw_json_pass_blanks(&text);
	result = sw_json_pass_value(&text, writer->has_rules ? &writer->root : NULL,
								NULL);
	if (result == TEXT_DONE)
	{
		sw_json_pass_blanks(&text);
		if (text.at != text.end)
			result = TEXT_INVALID;
	}
	if (result == TEXT_HALT)
		return SW_JSON_STOPPED;
	if (result == TEXT_INVALID)
		return sw_json_put_invalid(writer, bytes, n_bytes, text.at);
	sw_json_copy_kept(&text, text.end);
	if (unlikely(writer->has_new_names))
		sw_json_unify_names(writer);
	if (unlikely(unique != NULL))
		pfree(unique);
	return sw_json_end(writer);
}
