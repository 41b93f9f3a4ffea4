/*-------------------------------------------------------------------------
 *
 * fuzz_exception.c
 *	  Fuzzer: what becomes of an exception with secrets in its texts.
 *
 *	   u8 flags | u8 secret | [ secret ] | text
 *
 * secret: one out of a list, or, beyond it, the SECRET_BYTES bytes that
 * follow.  flags: see FLAG_.  In the text a byte from PLANT on stands for
 * the secret in one of the forms below.
 *
 * Properties:
 *   - a packet is read as it was written, however wrong the text
 *   - texts for users are clean and not longer than asked for
 *   - no form of the secret is left in them, neither the one planted nor any
 *     other; nor the part of it before a cut
 *   - all memory but the result is given back
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "common/base64.h"
#include "lib/stringinfo.h"

#include "common/sw_bytes.h"
#include "net/sw_redact.h"
#include "proto/sw_ch_exception.h"
#include "target/sw_remote_error.h"

#define MAX_INPUT_BYTES		4096
#define MAX_PLANTED			16	/* secrets in one text */
#define SECRET_BYTES		12

#define FLAG_RAW			0x01	/* the text is a packet of its own */
#define FLAG_NESTED			0x02	/* the text is in a nested exception */
#define FLAG_SHORT			0x04	/* cut to what the third byte says */

#define PLANT				0x0E

typedef enum Form
{
	FORM_DOTS,					/* plain, cut by an ellipsis */
	FORM_CUT,					/* any form, and the text ends within it */
	FORM_PLAIN,
	FORM_BACKSLASH,
	FORM_DOUBLED,
	FORM_PERCENT,
	FORM_PERCENT_LOWER,
	FORM_PERCENT_TWICE,
	FORM_PERCENT_ALL,
	FORM_JSON,
	FORM_HEX,
	FORM_ENTITY_NAMED,
	FORM_ENTITY_NUMERIC,
	FORM_SQL_IN_JSON,
	FORM_BASE64,
	FORM_BASE64_URL,
	FORM_BASE64_PERCENT,
	FORM_MIXED,
	N_FORMS
} Form;

/* No blanks, '*' and '?': cleaning could make a secret of another text. */
static const char *const secrets[] = {
	"not-a-secret-api-key:with\"quotes",
	"not-a-secret'pass\\word",
	"not+a/secret'store\\key==",
	"50%25&amp;x%%41",
	"\\\\server\\u0041\\x41\\",
	"''two\"\"quotes``",
	"h\xC3\xA9llo\xF0\x9F\x98\x80&w\xE4\xBD\xA0rld",
	"AKLTnotasecretaccesskey",
	"tab\tnew\nline\001end",
	"<a href=\"%2F\">&lt;",
};

/* What secrets out of the input are made of. */
static const char alphabet[] =
"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678"
"\\\\\\'\"`%&;#+/=-_:<>xu25cd/tn";

/* The secret in a form, as it was planted. */
typedef struct Planted
{
	int			n;
	char	   *texts[MAX_PLANTED];
} Planted;

static bool
is_special(uint8 c)
{
	return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			 (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.');
}

static bool
is_quote(uint8 c)
{
	return c == '\'' || c == '"' || c == '`';
}

/* \uXXXX for the character at *at; moves past it. */
static void
write_unicode(StringInfo out, const char **at)
{
	const uint8 *c = (const uint8 *) *at;
	uint32		code = c[0];
	int			n = 1;

	if (code >= 0xF0)
		code = (code & 7) << 18 | (c[1] & 63) << 12 | (c[2] & 63) << 6 |
			(c[3] & 63), n = 4;
	else if (code >= 0xE0)
		code = (code & 15) << 12 | (c[1] & 63) << 6 | (c[2] & 63), n = 3;
	else if (code >= 0xC0)
		code = (code & 31) << 6 | (c[1] & 63), n = 2;
	if (code >= 0x10000)
		appendStringInfo(out, "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
						 0xDC00 + ((code - 0x10000) & 0x3FF));
	else
		appendStringInfo(out, "\\u%04X", code);
	*at += n;
}

static void
write_named_entity(StringInfo out, uint8 c)
{
	switch (c)
	{
		case '&':
			appendStringInfoString(out, "&amp;");
			break;
		case '<':
			appendStringInfoString(out, "&lt;");
			break;
		case '>':
			appendStringInfoString(out, "&gt;");
			break;
		case '"':
			appendStringInfoString(out, "&quot;");
			break;
		case '\'':
			appendStringInfoString(out, "&apos;");
			break;
		default:
			appendStringInfoChar(out, (char) c);
			break;
	}
}

/* One character in a form that goes character by character; moves past. */
static void
write_character(StringInfo out, const char **at, Form form)
{
	uint8		c = (uint8) **at;

	if (form == FORM_JSON && (c >= 0x80 || c < ' '))
	{
		write_unicode(out, at);
		return;
	}
	(*at)++;
	switch (form)
	{
		case FORM_BACKSLASH:
		case FORM_JSON:
			if (is_quote(c) || c == '\\' || (form == FORM_JSON && c == '/'))
				appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, (char) c);
			break;
		case FORM_DOUBLED:
			if (is_quote(c))
				appendStringInfoChar(out, (char) c);
			appendStringInfoChar(out, (char) c);
			break;
		case FORM_SQL_IN_JSON:
			if (c == '\'')
				appendStringInfoChar(out, '\'');
			if (c == '"' || c == '\\')
				appendStringInfoString(out, "\\\\\\");
			appendStringInfoChar(out, (char) c);
			break;
		case FORM_PERCENT:
		case FORM_PERCENT_LOWER:
		case FORM_PERCENT_TWICE:
		case FORM_PERCENT_ALL:
			if (form == FORM_PERCENT_ALL || is_special(c))
				appendStringInfo(out, form == FORM_PERCENT_LOWER ? "%%%02x" :
								 form == FORM_PERCENT_TWICE ? "%%25%02X" :
								 "%%%02X", c);
			else
				appendStringInfoChar(out, (char) c);
			break;
		case FORM_HEX:
			if (is_special(c))
				appendStringInfo(out, "\\x%02x", c);
			else
				appendStringInfoChar(out, (char) c);
			break;
		case FORM_ENTITY_NAMED:
			write_named_entity(out, c);
			break;
		case FORM_ENTITY_NUMERIC:
			if (is_special(c) && c < 0x80)
				appendStringInfo(out, (c & 1) ? "&#%d;" : "&#x%X;", c);
			else
				appendStringInfoChar(out, (char) c);
			break;
		default:
			appendStringInfoChar(out, (char) c);
			break;
	}
}

/* Base64 of some bytes, the secret, and some more. */
static void
write_base64(StringInfo out, const char *secret, Form form, uint32 *state)
{
	StringInfoData bytes;
	char	   *encoded;
	int			len;
	int			i;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, "u:", (int) (fuzz_next(state) % 3));
	appendStringInfoString(&bytes, secret);
	appendBinaryStringInfo(&bytes, "/\377", (int) (fuzz_next(state) % 3));
	encoded = palloc(pg_b64_enc_len(bytes.len) + 1);
	len = pg_b64_encode(bytes.data, bytes.len, encoded,
						pg_b64_enc_len(bytes.len) + 1);
	fuzz_check(len > 0);
	for (i = 0; i < len; i++)
	{
		char		c = encoded[i];

		if (form == FORM_BASE64_URL && (c == '+' || c == '/'))
			c = c == '+' ? '-' : '_';
		if (form == FORM_BASE64_PERCENT && is_special((uint8) c))
			appendStringInfo(out, "%%%02X", (uint8) c);
		else
			appendStringInfoChar(out, c);
	}
	pfree(encoded);
	pfree(bytes.data);
}

static void
write_form(StringInfo out, const char *secret, Form form, uint32 *state)
{
	static const Form mixture[] = {
		FORM_PLAIN, FORM_BACKSLASH, FORM_PERCENT, FORM_PERCENT_TWICE,
		FORM_PERCENT_ALL, FORM_JSON, FORM_HEX, FORM_ENTITY_NAMED,
		FORM_ENTITY_NUMERIC
	};
	const char *at = secret;

	if (form >= FORM_BASE64 && form <= FORM_BASE64_PERCENT)
	{
		write_base64(out, secret, form, state);
		return;
	}
	while (*at != '\0')
		write_character(out, &at, form != FORM_MIXED ? form :
						mixture[fuzz_next(state) % lengthof(mixture)]);
}

/* Base64 of the secret, without digits that depend on what is around it. */
static void
check_no_base64(const char *text, const char *secret)
{
	Size		len = strlen(secret);
	char		bytes[256];
	char		encoded[512];
	int			before;

	for (before = 0; before < 3; before++)
	{
		int			first = (before * 8 + 5) / 6;
		int			past = (int) (before + len) * 8 / 6;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes + before, secret, len);
		fuzz_check(pg_b64_encode(bytes, (int) len + 3, encoded,
								 sizeof(encoded)) > past);
		encoded[past] = '\0';
		fuzz_check(strstr(text, encoded + first) == NULL);
	}
}

/* A text for users: is it fit to be shown? */
static void
check_output(const char *text, Size max_bytes, const char *secret,
			 const Planted *planted)
{
	Form		form;
	int			i;

	fuzz_check(strlen(text) <= max_bytes);
	fuzz_check(fuzz_is_clean(text));
	for (i = 0; i < planted->n; i++)
		fuzz_check(strstr(text, planted->texts[i]) == NULL);
	for (form = FORM_PLAIN; form < FORM_BASE64; form++)
	{
		StringInfoData hidden;
		uint32		state = 0;

		initStringInfo(&hidden);
		write_form(&hidden, secret, form, &state);
		fuzz_check(strstr(text, hidden.data) == NULL);
		pfree(hidden.data);
	}
	check_no_base64(text, secret);
}

static void
write_exception(SwBuffer *out, int code, const StringInfo text, bool nested)
{
	sw_buffer_append_uint32(out, (uint32) code);
	sw_buffer_append_cstring(out, "DB::Exception");
	sw_buffer_append_string(out, text->data, text->len);
	sw_buffer_append_cstring(out, "0. main() in server.cpp:1");
	sw_buffer_append_uint8(out, nested ? 1 : 0);
}

/* Read the packet, whatever it holds, and say what users would see. */
static void
check_packet(const char *bytes, Size len, const char *secret,
			 const Planted *planted, bool must_read)
{
	SwRedactor	redactor = {0};
	SwChException exception = {0};
	SwReader	reader;
	SwError		err;

	sw_redactor_add(&redactor, secret);
	sw_reader_init(&reader, bytes, len);
	if (sw_ch_exception_read(&reader, &exception) != SW_READ_OK)
	{
		fuzz_check(!must_read && reader.position == 0);
		return;
	}
	fuzz_check(!must_read || reader.position == len);
	fuzz_check((exception.n_nested > 0) == (exception.nested_message != NULL));
	fuzz_check(sw_remote_error_set(&err, &exception, &redactor, "me") != SW_OK);
	check_output(err.message, sizeof(err.message) - 1, secret, planted);
	check_output(err.detail, sizeof(err.detail) - 1, secret, planted);
	check_output(err.hint, sizeof(err.hint) - 1, secret, planted);
	sw_ch_exception_reset(&exception);
}

/* The text of the input with its secrets planted. */
static void
write_text(StringInfo out, const uint8 *data, Size len, const char *secret,
		   bool is_known, Planted *planted)
{
	uint32		state = (uint32) len;
	Size		i;

	for (i = 0; i < len; i++)
	{
		Form		form = (Form) (data[i] - PLANT);
		StringInfoData one;

		if (data[i] < PLANT || form >= N_FORMS || planted->n == MAX_PLANTED)
		{
			appendStringInfoChar(out, (char) data[i]);
			continue;
		}
		/* A part of what came out of the input may be in any text. */
		if (form <= FORM_CUT && !is_known)
			continue;
		initStringInfo(&one);
		if (form == FORM_DOTS)
			appendBinaryStringInfo(&one, secret, (int) strlen(secret) - 3);
		else if (form == FORM_CUT)
		{
			write_form(&one, secret, (Form) (FORM_PLAIN + fuzz_next(&state) %
											 (N_FORMS - FORM_PLAIN)), &state);
			one.len = one.len * 3 / 4;
			one.data[one.len] = '\0';
		}
		else
			write_form(&one, secret, form, &state);
		appendBinaryStringInfo(out, one.data, one.len);
		/* libFuzzer can spell a part of a secret, which need not go. */
		if (form <= FORM_CUT && memmem(data, len, one.data, one.len) != NULL)
			pfree(one.data);
		else
			planted->texts[planted->n++] = one.data;
		if (form == FORM_CUT)
			break;
		if (form == FORM_DOTS)
			appendStringInfoString(out, "...");
	}
}

/* Take the secret out of the input; returns the bytes taken. */
static Size
read_secret(const uint8 *data, Size len, char *secret)
{
	Size		i;

	if (data[0] < lengthof(secrets))
	{
		strcpy(secret, secrets[data[0]]);
		return 1;
	}
	for (i = 0; i < SECRET_BYTES; i++)
		secret[i] = alphabet[(i + 1 < len ? data[i + 1] : i) %
							 (sizeof(alphabet) - 1)];
	secret[SECRET_BYTES] = '\0';
	return Min(len, SECRET_BYTES + 1);
}

static void
check_redacted(const StringInfo text, Size max_bytes, const char *secret,
			   const Planted *planted)
{
	SwRedactor	redactor = {0};
	Size		in_use = fuzz_memory_in_use();
	char	   *exact = fuzz_copy_exactly(text->data, text->len);
	char	   *got;

	sw_redactor_add(&redactor, secret);
	got = sw_redact(&redactor, exact, text->len, max_bytes);
	check_output(got, max_bytes, secret, planted);
	pfree(got);
	pfree(exact);
	fuzz_check(fuzz_memory_in_use() == in_use);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t len)
{
	char		secret[64];
	Planted		planted = {0};
	StringInfoData text;
	StringInfoData outer;
	SwBuffer	packet;
	char	   *exact;
	uint8		flags;
	Size		n;

	if (len < 4 || len > MAX_INPUT_BYTES)
		return 0;
	fuzz_memory_start();
	flags = data[0];
	n = 1 + read_secret(data + 1, len - 1, secret);
	data += n;
	len -= n;

	initStringInfo(&text);
	initStringInfo(&outer);
	sw_buffer_init(&packet);
	if ((flags & FLAG_RAW) != 0)
		sw_buffer_append_bytes(&packet, data, len);
	else
	{
		write_text(&text, data, len, secret,
				   n == 2, &planted);
		check_redacted(&text, (flags & FLAG_SHORT) && len > 0 ? data[0] :
					   MAX_INPUT_BYTES * 8, secret, &planted);
		appendStringInfoString(&outer, "while executing");
		if ((flags & FLAG_NESTED) != 0)
			write_exception(&packet, 1000, &outer, true);
		write_exception(&packet, (flags & 0x80) ? 497 : flags * 4, &text,
						false);
	}
	exact = fuzz_copy_exactly(packet.data, packet.len);
	check_packet(exact, packet.len, secret, &planted, !(flags & FLAG_RAW));

	pfree(exact);
	sw_buffer_free(&packet);
	pfree(outer.data);
	pfree(text.data);
	for (; planted.n > 0; planted.n--)
		pfree(planted.texts[planted.n - 1]);
	fuzz_check(fuzz_memory_in_use() == 0);
	return 0;
}
