/*-------------------------------------------------------------------------
 *
 * unit.h
 *	  The harness of the unit programs: checks that print TAP.
 *
 * A program makes its checks and ends with "return unit_done();".
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_H
#define UNIT_H

#include "postgres_fe.h"

/*
 * Options of the address sanitizer: palloc'd memory is given back by its
 * context, which a program has not, so leaks say nothing.
 */
extern const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static int	unit_n_checks = 0;
static int	unit_n_failures = 0;

static inline bool
unit_ok(bool passed, const char *name)
{
	unit_n_checks++;
	unit_n_failures += passed ? 0 : 1;
	printf("%sok %d - %s\n", passed ? "" : "not ", unit_n_checks, name);
	fflush(stdout);
	return passed;
}

static inline bool
unit_is_int(int64 got, int64 expected, const char *name)
{
	if (unit_ok(got == expected, name))
		return true;
	printf("# got %lld, expected %lld\n", (long long) got,
		   (long long) expected);
	return false;
}

static inline bool
unit_is_bytes(const void *got, Size n_got, const void *expected,
			  Size n_expected, const char *name)
{
	if (unit_ok(n_got == n_expected &&
				(n_got == 0 || memcmp(got, expected, n_got) == 0), name))
		return true;
	printf("# got %zu bytes, expected %zu\n", n_got, n_expected);
	return false;
}

static inline bool
unit_is_text(const char *got, const char *expected, const char *name)
{
	if (unit_ok(strcmp(got, expected) == 0, name))
		return true;
	printf("# got \"%s\"\n# expected \"%s\"\n", got, expected);
	return false;
}

static inline int
unit_done(void)
{
	printf("1..%d\n", unit_n_checks);
	return unit_n_failures == 0 ? 0 : 1;
}

#endif							/* UNIT_H */
