/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  What the fuzzers share.
 *
 * A fuzzer is a file fuzz_<name>.c with one function, which libFuzzer calls
 * with bytes of its own making and replay.c with those of a file.  A broken
 * property ends the process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "postgres_fe.h"

/* Does input hold the property?  Returns 0, or does not return. */
extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t len);

/* Do inputs come from files?  Then they may take their time. */
extern bool fuzz_is_replay;

/* End the process, saying what is wrong, unless it holds. */
#define fuzz_check(holds) \
	((holds) ? (void) 0 : fuzz_fail(#holds, __FILE__, __LINE__))

extern void fuzz_fail(const char *what, const char *file, int line)
			pg_attribute_noreturn();

/*
 * Count from here what is allocated: what is now in use, and the most there
 * has been.
 */
extern void fuzz_memory_start(void);
extern Size fuzz_memory_in_use(void);
extern Size fuzz_memory_peak(void);

/* A palloc'd copy with nothing behind it, so that reading on is seen. */
extern char *fuzz_copy_exactly(const void *bytes, Size len);

/* Valid UTF-8? */
extern bool fuzz_is_utf8(const char *bytes, Size len);

/* Valid UTF-8 without control characters?  Fit for a message, that is. */
extern bool fuzz_is_clean(const char *text);

/* The next number of a fixed series. */
extern uint32 fuzz_next(uint32 *state);

/* Fold bytes into a sum that starts as anything. */
extern uint64 fuzz_hash(uint64 sum, const void *bytes, Size len);

#endif							/* FUZZ_H */
