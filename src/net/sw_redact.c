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
 * so mixtures and nestings of them match as well.  Where a text can be read
 * in several ways ("%2525" is a '%' encoded twice, or "%25" encoded once) all
 * of them are followed at once.  Base64 (both alphabets) is searched for
 * apart, at the three ways a secret can lie in the encoded stream.  The
 * beginning of a secret counts too where the text was cut: at its end, also
 * within an escape, or before an ellipsis.
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
#define SW_REDACT_MAX_FORMS 8	/* readings of one character */
#define SW_REDACT_MAX_PLACES 32 /* ways to have come as far as this */
#define SW_REDACT_MAX_UTF8 4	/* bytes of a secret that one \u covers */
#define SW_REDACT_MAX_ESCAPE 11 /* bytes of an escape that is cut */

/* One reading of the next character of a secret. */
typedef struct SwRedactForm
{
	Size		n_text;			/* bytes of the text it takes */
	Size		n_secret;		/* bytes of the secret it covers */
} SwRedactForm;

/* Where in the text a number of bytes of the secret may end. */
typedef struct SwRedactPlaces
{
	int			n;
	const char *at[SW_REDACT_MAX_PLACES];
} SwRedactPlaces;

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
	if (end - text < 11 || text[5] != '\\' || text[6] != 'u')
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

static void
sw_redact_add_form(SwRedactForm *forms, int *n_forms, Size n_text,
				   Size n_secret)
{
	if (n_text == 0)
		return;
	Assert(*n_forms < SW_REDACT_MAX_FORMS);
	forms[*n_forms].n_text = n_text;
	forms[*n_forms].n_secret = n_secret;
	(*n_forms)++;
}

/* Readings of a byte without backslashes. */
static void
sw_redact_list_encoded(unsigned char byte, const char *text, const char *at,
					   const char *end, SwRedactForm *forms, int *n_forms)
{
	Size		skipped = at - text;
	Size		entity;

	if (at >= end)
		return;
	if ((unsigned char) *at == byte || (byte == ' ' && *at == '+'))
		sw_redact_add_form(forms, n_forms, skipped + 1, 1);
	if (*at == '%' && sw_redact_read_hex(at + 1, end, 2) == byte)
		sw_redact_add_form(forms, n_forms, skipped + 3, 1);
	if (*at == '%' && sw_redact_read_hex(at + 1, end, 2) == '%' &&
		sw_redact_read_hex(at + 3, end, 2) == byte)
		sw_redact_add_form(forms, n_forms, skipped + 5, 1);
	entity = sw_redact_match_entity(at, end, byte);
	if (entity > 0)
		sw_redact_add_form(forms, n_forms, skipped + entity, 1);
}

/*
 * All readings of the text as the character of the secret at secret_at.
 * Returns their number.
 */
static int
sw_redact_list_forms(const unsigned char *secret_at, const char *text,
					 const char *end,
					 SwRedactForm forms[SW_REDACT_MAX_FORMS])
{
	const char *at = text;
	unsigned char byte = *secret_at;
	pg_wchar	code = byte;
	Size		n_secret = 1;
	Size		n_escaped;
	int			n_forms = 0;

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
				n_secret = len;
			}
		}
		n_escaped = sw_redact_match_unicode_escape(at, end, code);
		if (n_escaped > 0)
			sw_redact_add_form(forms, &n_forms, at - text + n_escaped,
							   n_secret);
		if (at < end && *at == 'x' && sw_redact_read_hex(at + 1, end, 2) == byte)
			sw_redact_add_form(forms, &n_forms, at - text + 3, 1);
		if (at < end && sw_redact_is_escape_letter(*at, byte))
			sw_redact_add_form(forms, &n_forms, at - text + 1, 1);
	}

	sw_redact_list_encoded(byte, text, at, end, forms, &n_forms);
	/* Of many backslashes one is enough; the next character skips the rest. */
	if (byte == '\\' && at > text)
		sw_redact_add_form(forms, &n_forms, 1, 1);
	return n_forms;
}

static bool
sw_redact_is_cut_here(const char *at, const char *end)
{
	return (end - at >= 3 && memcmp(at, "...", 3) == 0) ||
		(end - at >= 3 && memcmp(at, "\xE2\x80\xA6", 3) == 0);
}

/* An escape that the end of the text may have cut. */
static bool
sw_redact_is_cut_escape(const char *at, const char *end)
{
	return at < end && (*at == '\\' || *at == '%' || *at == '&') &&
		end - at <= SW_REDACT_MAX_ESCAPE;
}

static void
sw_redact_add_place(SwRedactPlaces *places, const char *at)
{
	for (int i = 0; i < places->n; i++)
		if (places->at[i] == at)
			return;
	if (places->n < SW_REDACT_MAX_PLACES)
		places->at[places->n++] = at;
}

/* The bytes up to where the text is cut, n_matched of the secret being read. */
static Size
sw_redact_match_cut(const char *text, const char *at, const char *end,
					Size n_matched)
{
	if (n_matched >= SW_REDACT_MIN && at >= end)
		return at - text;
	if (n_matched >= SW_REDACT_MIN && sw_redact_is_cut_escape(at, end))
		return end - text;
	if (n_matched >= SW_REDACT_MIN_CUT && sw_redact_is_cut_here(at, end))
		return at - text;
	return 0;
}

/* Does text begin with the secret?  Returns the bytes it takes, or 0. */
static Size
sw_redact_match_secret(const char *secret, const char *text, const char *end)
{
	/* places[i % n]: after i bytes of the secret */
	SwRedactPlaces places[SW_REDACT_MAX_UTF8 + 1];
	const unsigned char *s = (const unsigned char *) secret;
	Size		len = strlen(secret);
	Size		longest = 0;
	Size		longest_cut = 0;
	int			n_places = 1;

	for (int k = 0; k < (int) lengthof(places); k++)
		places[k].n = 0;
	sw_redact_add_place(&places[0], text);
	for (Size i = 0; i < len && n_places > 0; i++)
	{
		SwRedactPlaces *here = &places[i % lengthof(places)];
		bool		may_double;

		/* quotes may be doubled, at the end of a run in the secret */
		may_double = i > 0 && s[i - 1] != s[i] &&
			(s[i - 1] == '\'' || s[i - 1] == '"' || s[i - 1] == '`');

		for (int k = 0; k < here->n; k++)
		{
			SwRedactForm forms[SW_REDACT_MAX_FORMS];
			int			n_forms;
			Size		n_cut;

			n_forms = may_double ?
				sw_redact_list_forms(&s[i - 1], here->at[k], end, forms) : 0;
			for (int f = 0; f < n_forms; f++)
				sw_redact_add_place(here, here->at[k] + forms[f].n_text);

			n_forms = sw_redact_list_forms(&s[i], here->at[k], end, forms);
			for (int f = 0; f < n_forms; f++)
				sw_redact_add_place(&places[(i + forms[f].n_secret) %
											lengthof(places)],
									here->at[k] + forms[f].n_text);
			n_cut = sw_redact_match_cut(text, here->at[k], end, i);
			longest_cut = Max(longest_cut, n_cut);
		}
		here->n = 0;
		n_places = 0;
		for (int k = 0; k < (int) lengthof(places); k++)
			n_places += places[k].n;
	}
	for (int k = 0; k < places[len % lengthof(places)].n; k++)
		longest = Max(longest,
					  (Size) (places[len % lengthof(places)].at[k] - text));
	return longest > 0 ? longest : longest_cut;
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
		SwRedactForm forms[SW_REDACT_MAX_FORMS];

		if (sw_redact_list_forms(&byte, at, end, forms) > 0)
			at += forms[0].n_text;
		else if (at < end && ((byte == '+' && *at == '-') ||
							  (byte == '/' && *at == '_')))
			at++;
		else
			return i < SW_REDACT_MIN_CUT ? 0 :
				sw_redact_match_cut(text, at, end, i);
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
			Size		n_bytes = sw_redact_match_secret(redactor->secrets[i],
														 at, end);

			taken = Max(taken, n_bytes);
		}
		for (int i = 0; i < n_needles; i++)
		{
			Size		n_bytes = sw_redact_match_needle(&needles[i], at, end);

			taken = Max(taken, n_bytes);
		}

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
