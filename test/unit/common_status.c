/*-------------------------------------------------------------------------
 *
 * common_status.c
 *	  SwError: fields, cutting of long texts, names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_status.h"
#include "unit.h"

static SwStatus
fail_with_try(SwError *err)
{
	SW_TRY(SW_OK);
	SW_TRY(sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER, "n is %d", 7));
	return SW_OK;
}

/* A message of n_ascii letters followed by characters of width bytes. */
static void
check_cut(int n_ascii, const char *character, const char *name)
{
	char		text[2048];
	SwError		err;
	Size		width = strlen(character);
	Size		expected = n_ascii;
	Size		n = n_ascii;

	memset(text, 'a', n_ascii);
	while (n + width < sizeof(text))
	{
		memcpy(text + n, character, width);
		n += width;
	}
	text[n] = '\0';
	while (expected + width < sizeof(err.message))
		expected += width;

	sw_error_set(&err, SW_ERR_BUG, SW_RETRY_NEVER, "%s", text);
	unit_is_bytes(err.message, strlen(err.message), text, expected, name);
}

int
main(void)
{
	SwError		err;
	int			status;
	bool		distinct = true;

	memset(&err, 'x', sizeof(err));
	unit_is_int(fail_with_try(&err), SW_ERR_LIMIT, "SW_TRY returns the status");
	unit_is_int(err.status, SW_ERR_LIMIT, "status");
	unit_is_int(err.retry, SW_RETRY_LATER, "retry");
	unit_is_int(err.remote_code, 0, "remote code is zero");
	unit_is_text(err.message, "n is 7", "message");
	unit_is_text(err.detail, "", "detail is empty");
	unit_is_text(err.hint, "", "hint is empty");
	sw_error_set_detail(&err, "Part %s.", "one");
	sw_error_set_hint(&err, "Try %s.", "two");
	unit_is_text(err.detail, "Part one.", "detail");
	unit_is_text(err.hint, "Try two.", "hint");

	check_cut(0, "b", "long ASCII is cut");
	check_cut(0, "\xC3\xA9", "two-byte characters stay whole");
	check_cut(1, "\xC3\xA9", "two-byte characters stay whole, shifted");
	check_cut(0, "\xE5\xAF\xBC", "three-byte characters stay whole");
	check_cut(1, "\xE5\xAF\xBC", "three-byte characters, shifted by 1");
	check_cut(2, "\xE5\xAF\xBC", "three-byte characters, shifted by 2");
	check_cut(0, "\xF0\x9F\x90\x98", "four-byte characters stay whole");
	check_cut(1, "\xF0\x9F\x90\x98", "four-byte characters, shifted by 1");
	check_cut(2, "\xF0\x9F\x90\x98", "four-byte characters, shifted by 2");
	check_cut(3, "\xF0\x9F\x90\x98", "four-byte characters, shifted by 3");
	check_cut(511, "\xF0\x9F\x90\x98", "nothing but ASCII fits");

	for (status = SW_OK; status < SW_ERR_BUG; status++)
	{
		if (strcmp(sw_status_name(status), sw_status_name(status + 1)) == 0 ||
			strcmp(sw_status_name(status), "unknown") == 0)
			distinct = false;
	}
	unit_ok(distinct, "each status has a name of its own");
	unit_is_text(sw_status_name(SW_ERR_BUG), "bug", "the last one is bug");
	return unit_done();
}
