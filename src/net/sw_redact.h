/*-------------------------------------------------------------------------
 *
 * sw_redact.h
 *	  Take known secrets out of a text that came from a peer.
 *
 * Peers echo what they were sent: a warehouse quotes the statement, a store
 * quotes the canonical request.  Every such text passes here before it is
 * raised, logged or stored.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_REDACT_H
#define SW_REDACT_H

#define SW_REDACT_MAX_SECRETS 8

/* The secrets of one connection.  Holds pointers only, owns nothing. */
typedef struct SwRedactor
{
	int			n_secrets;
	const char *secrets[SW_REDACT_MAX_SECRETS];
} SwRedactor;

/* NULL and very short (under 4 bytes) secrets are ignored. */
extern void sw_redactor_add(SwRedactor *redactor, const char *secret);

/*
 * Return a palloc'd copy of text with every occurrence of a secret, plain
 * or in the escaped forms peers use (backslash-escaped, percent-encoded,
 * JSON-escaped, doubled quotes, base64), replaced by "***", cut to at most
 * max_bytes at a character boundary, and with invalid UTF-8 and control
 * characters made harmless.
 */
extern char *sw_redact(const SwRedactor *redactor, const char *text,
					   Size len, Size max_bytes);

#endif							/* SW_REDACT_H */
