/*-------------------------------------------------------------------------
 *
 * sw_lease_text.c
 *	  What is written in the object that says who loads into a target.
 *
 * Contract: sw_lease_text.h.  The bytes come from a store that others may
 * write to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_lease_text.h"

#define WORDS "sensorswave_export lease "

/* More digits than this do not fit into an int64. */
#define MAX_DIGITS 18

char *
sw_lease_text_write(const SwLeaseText *lease)
{
	return psprintf(WORDS INT64_FORMAT " %s %s\n", lease->number,
					lease->token, lease->holder);
}

/*
 * The field that begins at *at and ends before the given byte; its length, or
 * -1 where it has other bytes than those allowed, is empty or too long.
 */
static int
read_field(const char **at, const char *end, const char *allowed, char last,
		   int max_length)
{
	const char *field = *at;
	int			length = 0;

	while (field + length < end && field[length] != last)
	{
		if (length == max_length || field[length] == '\0' ||
			strchr(allowed, field[length]) == NULL)
			return -1;
		length++;
	}
	if (length == 0 || field + length == end)
		return -1;
	*at = field + length + 1;
	return length;
}

bool
sw_lease_text_read(const char *bytes, int n, SwLeaseText *lease)
{
	const char *at = bytes;
	const char *end = bytes + n;
	const char *field;
	int			length;
	int			i;

	if (n > SW_LEASE_MAX_TEXT || n < (int) strlen(WORDS) ||
		memcmp(bytes, WORDS, strlen(WORDS)) != 0)
		return false;
	at += strlen(WORDS);

	field = at;
	length = read_field(&at, end, "0123456789", ' ', MAX_DIGITS);
	if (length < 0)
		return false;
	lease->number = 0;
	for (i = 0; i < length; i++)
		lease->number = lease->number * 10 + (field[i] - '0');

	field = at;
	length = read_field(&at, end, "0123456789abcdef", ' ',
						SW_LEASE_TOKEN_LENGTH);
	if (length != SW_LEASE_TOKEN_LENGTH)
		return false;
	memcpy(lease->token, field, length);
	lease->token[length] = '\0';

	field = at;
	length = read_field(&at, end, "0123456789/", '\n', SW_LEASE_MAX_HOLDER);
	if (length < 0)
		return false;
	memcpy(lease->holder, field, length);
	lease->holder[length] = '\0';
	return at == end && lease->number > 0;
}
