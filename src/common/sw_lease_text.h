/*-------------------------------------------------------------------------
 *
 * sw_lease_text.h
 *	  What is written in the object that says who loads into a target.
 *
 * One line: the words "sensorswave_export lease", then number, token and
 * holder, with one space between, and a line feed.  Instances of all versions
 * read each other's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_LEASE_TEXT_H
#define SW_LEASE_TEXT_H

/* 32 hexadecimal digits, lower case, made new when an instance takes over */
#define SW_LEASE_TOKEN_LENGTH 32

/* <system identifier>/<database oid>, for people: digits and one slash */
#define SW_LEASE_MAX_HOLDER 31

/* Longer ones are not ours. */
#define SW_LEASE_MAX_TEXT 1024

typedef struct SwLeaseText
{
	int64		number;			/* counts loads, from 1 on */
	char		token[SW_LEASE_TOKEN_LENGTH + 1];
	char		holder[SW_LEASE_MAX_HOLDER + 1];
} SwLeaseText;

/* As text, palloc'd; the members must fit. */
extern char *sw_lease_text_write(const SwLeaseText *lease);

/* False where these n bytes are anything else than such a text. */
extern bool sw_lease_text_read(const char *bytes, int n, SwLeaseText *lease);

#endif							/* SW_LEASE_TEXT_H */
