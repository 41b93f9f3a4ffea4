/*-------------------------------------------------------------------------
 *
 * common_lease_text.c
 *	  The lease's text: there and back, and what is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_lease_text.h"
#include "unit.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define GOOD "sensorswave_export lease 7 " TOKEN " 7234567890123456789/16384\n"

/* Read from memory of exactly that size, so that one byte more is noticed. */
static bool
reads(const char *bytes, int n, SwLeaseText *lease)
{
	char	   *copy = malloc(n > 0 ? n : 1);
	bool		result;

	memcpy(copy, bytes, n);
	result = sw_lease_text_read(copy, n, lease);
	free(copy);
	return result;
}

static void
check_refusals(void)
{
	static const char *const refused[] = {
		"",
		"sensorswave_export lease ",
		"sensorswave_export lease 7",
		"sensorswave_export lease 7 ",
		"sensorswave_export lease 7 " TOKEN,
		"sensorswave_export lease 7 " TOKEN " 1/1",
		"sensorswave_export lease 7 " TOKEN " \n",
		"sensorswave_export lease 7 " TOKEN " 1/1\n\n",
		"sensorswave_export lease 7 " TOKEN " 1/1 \n",
		"sensorswave_export lease 7 " TOKEN " 1/1\r\n",
		"sensorswave_export lease 0 " TOKEN " 1/1\n",
		"sensorswave_export lease -1 " TOKEN " 1/1\n",
		"sensorswave_export lease 1000000000000000000 " TOKEN " 1/1\n",
		"sensorswave_export lease 7 " TOKEN "0 1/1\n",
		"sensorswave_export lease 7 0123456789ABCDEF0123456789ABCDEF 1/1\n",
		"sensorswave_export lease 7 012345 1/1\n",
		"sensorswave_export lease 7 " TOKEN " 1234567890/1234567890/1234567890/1\n",
		"sensorswave_export lease 7 " TOKEN " \033[2J\n",
		" " GOOD,
		"Sensorswave_export lease 7 " TOKEN " 1/1\n"
	};
	SwLeaseText lease;
	bool		none = true;
	int			i;

	for (i = 0; i < (int) lengthof(refused); i++)
		if (reads(refused[i], (int) strlen(refused[i]), &lease))
		{
			printf("# read: %s\n", refused[i]);
			none = false;
		}
	unit_ok(none, "other texts are refused");
}

/* Every beginning of it, and it with any one byte changed to a NUL. */
static void
check_damage(void)
{
	SwLeaseText lease;
	bool		none = true;
	int			n = (int) strlen(GOOD);
	int			i;

	for (i = 0; i < n; i++)
	{
		char		damaged[] = GOOD;

		none = none && !reads(GOOD, i, &lease);
		damaged[i] = '\0';
		none = none && !reads(damaged, n, &lease);
	}
	unit_ok(none, "nor is a damaged one read");
}

int
main(void)
{
	SwLeaseText lease = {.number = 999999999999999999};
	SwLeaseText again;
	char		long_text[SW_LEASE_MAX_TEXT + 1];
	char	   *text;

	strcpy(lease.token, TOKEN);
	strcpy(lease.holder, "18446744073709551615/4294967295");
	text = sw_lease_text_write(&lease);
	unit_ok(reads(text, (int) strlen(text), &again) &&
			again.number == lease.number &&
			strcmp(again.token, lease.token) == 0 &&
			strcmp(again.holder, lease.holder) == 0,
			"the largest lease there and back");
	unit_ok(reads(GOOD, (int) strlen(GOOD), &again) && again.number == 7 &&
			strcmp(again.holder, "7234567890123456789/16384") == 0,
			"a usual one");
	memset(long_text, '\n', sizeof(long_text));
	memcpy(long_text, GOOD, strlen(GOOD));
	unit_ok(!reads(long_text, sizeof(long_text), &again), "one too long");
	check_refusals();
	check_damage();
	return unit_done();
}
