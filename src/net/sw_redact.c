/*-------------------------------------------------------------------------
 *
 * sw_redact.c
 *	  Take known secrets out of a text that came from a peer.
 *
 * Called with every text of a peer before it is raised, logged or stored.
 * The result is palloc'd in the current context; throws only when memory
 * runs out.  Also compiles without the server (test/unit).
 *
 * A secret is looked for byte by byte, and each of its bytes may appear in
 * any of the forms peers use:
 *
 *	  plain					a'b
 *	  backslash				a\'b	a\x27b	a\u0027b	(and many backslashes)
 *	  doubled quote			a''b
 *	  percent				a%27b	a%2527b				(hex in either case)
 *	  entity				a&apos;b	a&#39;b	a&#x27;b
 *
 * so mixtures and nestings of them match as well.  Base64 (both alphabets)
 * is searched for apart, at the three ways a secret can lie in the encoded
 * stream.  The beginning of a secret counts too where the text was cut: at
 * its end, or before an ellipsis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "net/sw_redact.h"

#define SW_REDACT_MASK		"***"
#define SW_REDACT_MIN		4	/* shorter texts are not taken for a secret */
#define SW_REDACT_MIN_CUT	8	/* bytes of a secret before an ellipsis */
#define SW_REDACT_ALIGNMENTS 3
#define SW_REDACT_MAX_BACKSLASHES 16	/* before one character */

/* A secret as it looks inside base64, for one alignment. */
typedef struct SwRedactNeedle
{
	char	   *text;
	Size		len;
} SwRedactNeedle;

void
sw_redactor_add(SwRedactor *redactor, const char *secret)
{
	if (secret == NULL || strlen(secret) < SW_REDACT_MIN)
		return;
	Assert(redactor->n_secrets < SW_REDACT_MAX_SECRETS);
	if (redactor->n_secrets < SW_REDACT_MAX_SECRETS)
		redactor->secrets[redactor->n_secrets++] = secret;
}

static int
sw_redact_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Read n_digits hex digits; -1 when there are fewer. */
static int
sw_redact_read_hex(const char *text, const char *end, int n_digits)
{
	int			value = 0;

	if (end - text < n_digits)
		return -1;
	for (int i = 0; i < n_digits; i++)
	{
		int			digit = sw_redact_hex_value(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Is c the letter that stands for this control byte after a backslash? */
static bool
sw_redact_is_escape_letter(char c, unsigned char byte)
{
	switch (byte)
	{
		case '\0':
			return c == '0';
		case '\a':
			return c == 'a';
		case '\b':
			return c == 'b';
		case '\t':
			return c == 't';
		case '\n':
			return c == 'n';
		case '\v':
			return c == 'v';
		case '\f':
			return c == 'f';
		case '\r':
			return c == 'r';
		default:
			return false;
	}
}

/*
 * Does the text begin with \uXXXX (a pair of them above the BMP) for this
 * code point, the backslashes already being skipped?  Returns bytes taken.
 */
static Size
sw_redact_match_unicode_escape(const char *text, const char *end, pg_wchar code)
{
	int			unit;
	int			low;

	if (text >= end || *text != 'u')
		return 0;
	unit = sw_redact_read_hex(text + 1, end, 4);
	if (code < 0x10000)
		return unit >= 0 && (pg_wchar) unit == code ? 5 : 0;
	if (unit != (int) (0xD800 + ((code - 0x10000) >> 10)))
		return 0;
	if (end - text < 12 || text[5] != '\\' || text[6] != 'u')
		return 0;
	low = sw_redact_read_hex(text + 7, end, 4);
	return low == (int) (0xDC00 + ((code - 0x10000) & 0x3FF)) ? 11 : 0;
}

/* Entity for an ASCII byte, named or numeric.  Returns bytes taken. */
static Size
sw_redact_match_entity(const char *text, const char *end, unsigned char byte)
{
	static const struct
	{
		unsigned char byte;
		const char *name;
	}			named[] = {
		{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"},
		{'"', "&quot;"}, {'\'', "&apos;"}
	};
	char		numeric[3][10];

	if (text >= end || *text != '&')
		return 0;
	for (int i = 0; i < (int) lengthof(named); i++)
	{
		Size		len = strlen(named[i].name);

		if (named[i].byte == byte && (Size) (end - text) >= len &&
			memcmp(text, named[i].name, len) == 0)
			return len;
	}
	snprintf(numeric[0], sizeof(numeric[0]), "&#%d;", byte);
	snprintf(numeric[1], sizeof(numeric[1]), "&#x%x;", byte);
	snprintf(numeric[2], sizeof(numeric[2]), "&#x%02X;", byte);
	for (int i = 0; i < (int) lengthof(numeric); i++)
	{
		Size		len = strlen(numeric[i]);

		if ((Size) (end - text) >= len &&
			pg_strncasecmp(text, numeric[i], len) == 0)
			return len;
	}
	return 0;
}

/* %XX or %25XX for a byte.  Returns bytes taken. */
static Size
sw_redact_match_percent(const char *text, const char *end, unsigned char byte)
{
	if (text >= end || *text != '%')
		return 0;
	if (sw_redact_read_hex(text + 1, end, 2) == byte)
		return 3;
	if (sw_redact_read_hex(text + 1, end, 2) == '%' &&
		sw_redact_read_hex(text + 3, end, 2) == byte)
		return 5;
	return 0;
}

/* A byte as %XX or as an entity.  Returns bytes taken. */
static Size
sw_redact_match_encoded(const char *text, const char *end, unsigned char byte)
{
	Size		taken = sw_redact_match_percent(text, end, byte);

	return taken > 0 ? taken : sw_redact_match_entity(text, end, byte);
}

/*
 * One character of the secret, at secret_at, in any form at text.  Returns
 * the bytes of text taken, 0 for no match, and in *n_secret the bytes of the
 * secret that are covered.  The forms of '%' and '&' begin with these very
 * characters: is_encoded says which reading comes first.
 */
static Size
sw_redact_match_character(const unsigned char *secret_at, const char *text,
						  const char *end, bool is_encoded, Size *n_secret)
{
	const char *at = text;
	unsigned char byte = *secret_at;
	pg_wchar	code = byte;
	Size		taken;

	*n_secret = 1;
	if (byte == '\\')
	{
		if (at < end && *at == '\\')
		{
			/* \u005c and \x5c are spellings of a backslash, too */
			if (sw_redact_match_unicode_escape(at + 1, end, byte) > 0)
				return 6;
			if (end - at >= 4 && at[1] == 'x' && sw_redact_read_hex(at + 2, end, 2) == byte)
				return 4;
			return 1;
		}
		return sw_redact_match_encoded(at, end, byte);
	}

	while (at < end && *at == '\\' && at - text < SW_REDACT_MAX_BACKSLASHES)
		at++;
	if (at > text)
	{
		if (IS_HIGHBIT_SET(byte))
		{
			int			len = pg_utf_mblen(secret_at);

			if ((int) strnlen((const char *) secret_at, len) == len &&
				pg_utf8_islegal(secret_at, len))
			{
				code = utf8_to_unicode(secret_at);
				*n_secret = len;
			}
		}
		taken = sw_redact_match_unicode_escape(at, end, code);
		if (taken > 0)
			return at - text + taken;
		*n_secret = 1;
		if (at < end && *at == 'x' && sw_redact_read_hex(at + 1, end, 2) == byte)
			return at - text + 3;
		if (at < end && sw_redact_is_escape_letter(*at, byte))
			return at - text + 1;
	}

	if (at == end)
		return 0;
	taken = is_encoded ? sw_redact_match_encoded(at, end, byte) : 0;
	if (taken == 0 && ((unsigned char) *at == byte ||
					   (byte == ' ' && *at == '+')))
		taken = 1;
	if (taken == 0)
		taken = sw_redact_match_encoded(at, end, byte);
	return taken > 0 ? at - text + taken : 0;
}

static bool
sw_redact_is_cut_here(const char *at, const char *end)
{
	return (end - at >= 3 && memcmp(at, "...", 3) == 0) ||
		(end - at >= 3 && memcmp(at, "\xE2\x80\xA6", 3) == 0);
}

/* Does text begin with the secret?  Returns the bytes it takes, or 0. */
static Size
sw_redact_match_secret(const char *secret, const char *text, const char *end,
					   bool is_encoded)
{
	const unsigned char *s = (const unsigned char *) secret;
	const char *at = text;

	while (*s != '\0')
	{
		Size		n_secret;
		Size		taken = sw_redact_match_character(s, at, end, is_encoded,
													  &n_secret);

		if (taken == 0)
		{
			Size		n_matched = (const char *) s - secret;

			if (at >= end && n_matched >= SW_REDACT_MIN)
				return at - text;
			if (sw_redact_is_cut_here(at, end) && n_matched >= SW_REDACT_MIN_CUT)
				return at - text;
			return 0;
		}
		at += taken;
		/* doubled quotes, at the end of a run of them in the secret */
		if ((*s == '\'' || *s == '"' || *s == '`') && s[1] != '\0' &&
			s[1] != *s)
			while (at < end && (unsigned char) *at == *s)
				at++;
		s += n_secret;
	}
	return at - text;
}

/*
 * What base64 shows of secret when it begins at byte `alignment` of a group
 * of three, without the digits that depend on its neighbours.
 */
static void
sw_redact_make_base64_needle(const char *secret, int alignment, SwRedactNeedle *needle)
{
	static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	Size		len = strlen(secret);
	Size		first_bit = (Size) alignment * 8;
	Size		first = (first_bit + 5) / 6;
	Size		past = (first_bit + len * 8) / 6;

	needle->len = past - first;
	needle->text = palloc(needle->len + 1);
	for (Size i = first; i < past; i++)
	{
		int			digit = 0;

		for (int bit = 0; bit < 6; bit++)
		{
			Size		position = i * 6 + bit - first_bit;
			int			byte = (unsigned char) secret[position / 8];

			digit = digit * 2 + ((byte >> (7 - position % 8)) & 1);
		}
		needle->text[i - first] = digits[digit];
	}
	needle->text[needle->len] = '\0';
}

/* Either alphabet, slash and plus percent-encoded or escaped or not. */
static Size
sw_redact_match_needle(const SwRedactNeedle *needle, const char *text, const char *end)
{
	const char *at = text;

	for (Size i = 0; i < needle->len; i++)
	{
		unsigned char byte = needle->text[i];
		Size		n_secret;
		Size		taken = sw_redact_match_character(&byte, at, end, false,
													  &n_secret);

		if (taken == 0 && at < end &&
			((byte == '+' && *at == '-') || (byte == '/' && *at == '_')))
			taken = 1;
		if (taken == 0)
			return 0;
		at += taken;
	}
	return at - text;
}

/*
 * Append one character of text, made harmless, if it fits into max_bytes.
 * Returns the bytes taken from text, or 0 when it does not fit.
 */
static Size
sw_redact_append_character(StringInfo out, const char *text, const char *end,
						   Size max_bytes, bool keep_utf8)
{
	unsigned char byte = (unsigned char) *text;
	int			len = 1;
	char		replacement = '\0';

	if (byte == '\n' || byte == '\r' || byte == '\t')
		replacement = ' ';
	else if (byte < 0x20 || byte == 0x7F)
		replacement = '?';
	else if (IS_HIGHBIT_SET(byte))
	{
		len = pg_utf_mblen((const unsigned char *) text);
		if (len > end - text ||
			!pg_utf8_islegal((const unsigned char *) text, len))
		{
			len = 1;
			replacement = '?';
		}
		else if (!keep_utf8 ||
				 utf8_to_unicode((const unsigned char *) text) < 0xA0)
			replacement = '?';	/* C1 control characters are invisible, too */
	}

	if ((Size) out->len + (replacement ? 1 : len) > max_bytes)
		return 0;
	if (replacement)
		appendStringInfoChar(out, replacement);
	else
		appendBinaryStringInfo(out, text, len);
	return len;
}

char *
sw_redact(const SwRedactor *redactor, const char *text, Size len,
		  Size max_bytes)
{
	SwRedactNeedle needles[SW_REDACT_MAX_SECRETS * SW_REDACT_ALIGNMENTS];
	int			n_needles = 0;
	int			n_secrets = redactor != NULL ? redactor->n_secrets : 0;
	const char *at = text;
	const char *end = text + len;
	bool		keep_utf8 = true;
	StringInfoData out;

#ifndef FRONTEND
	/* a message must be valid in the encoding of the database */
	keep_utf8 = GetDatabaseEncoding() == PG_UTF8;
#endif

	for (int i = 0; i < n_secrets; i++)
		for (int k = 0; k < SW_REDACT_ALIGNMENTS; k++)
			sw_redact_make_base64_needle(redactor->secrets[i], k,
										 &needles[n_needles++]);

	initStringInfo(&out);
	while (at < end)
	{
		Size		taken = 0;

		for (int i = 0; i < n_secrets; i++)
		{
			const char *secret = redactor->secrets[i];

			taken = Max(taken, sw_redact_match_secret(secret, at, end, true));
			taken = Max(taken, sw_redact_match_secret(secret, at, end, false));
		}
		for (int i = 0; i < n_needles; i++)
			taken = Max(taken, sw_redact_match_needle(&needles[i], at, end));

		if (taken > 0)
		{
			if ((Size) out.len + strlen(SW_REDACT_MASK) > max_bytes)
				break;
			appendStringInfoString(&out, SW_REDACT_MASK);
		}
		else
		{
			taken = sw_redact_append_character(&out, at, end, max_bytes, keep_utf8);
			if (taken == 0)
				break;
		}
		at += taken;
	}

	for (int i = 0; i < n_needles; i++)
	{
		memset(needles[i].text, 0, needles[i].len);
		pfree(needles[i].text);
	}
	return out.data;
}
