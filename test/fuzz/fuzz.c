/*-------------------------------------------------------------------------
 *
 * fuzz.c
 *	  What the fuzzers share.
 *
 * See fuzz.h.  Memory is counted by hooks of the address sanitizer, which
 * gcc and clang have both.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

/* Of the sanitizer's allocator_interface.h, which gcc does not install. */
extern int	__sanitizer_install_malloc_and_free_hooks(
													  void (*on_malloc) (const volatile void *, size_t),
													  void (*on_free) (const volatile void *));
extern size_t __sanitizer_get_allocated_size(const volatile void *pointer);
extern const char *__asan_default_options(void);

bool		fuzz_is_replay = false;

/* Of this thread: the fuzzer has one of its own, which watches the process. */
static __thread Size memory_in_use = 0;
static __thread Size memory_peak = 0;

/* A small quarantine, so that the limit on resident memory means something. */
const char *
__asan_default_options(void)
{
	return "detect_leaks=0:quarantine_size_mb=16:allocator_may_return_null=0";
}

void
fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

static void
count_malloc(const volatile void *pointer, size_t size)
{
	(void) pointer;
	memory_in_use += size;
	memory_peak = Max(memory_peak, memory_in_use);
}

static void
count_free(const volatile void *pointer)
{
	if (pointer != NULL)
		memory_in_use -= __sanitizer_get_allocated_size(pointer);
}

void
fuzz_memory_start(void)
{
	static bool is_counting = false;

	if (!is_counting)
		fuzz_check(__sanitizer_install_malloc_and_free_hooks(count_malloc,
															 count_free) > 0);
	is_counting = true;
	memory_in_use = 0;
	memory_peak = 0;
}

Size
fuzz_memory_in_use(void)
{
	return memory_in_use;
}

Size
fuzz_memory_peak(void)
{
	return memory_peak;
}

char *
fuzz_copy_exactly(const void *bytes, Size len)
{
	char	   *copy = palloc(len);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

bool
fuzz_is_utf8(const char *bytes, Size len)
{
	const uint8 *at = (const uint8 *) bytes;
	const uint8 *end = at + len;

	while (at < end)
	{
		uint32		code = *at++;
		uint32		least;
		int			n_more;

		if (code < 0x80)
			continue;
		if (code < 0xC2 || code > 0xF4)
			return false;
		n_more = code < 0xE0 ? 1 : code < 0xF0 ? 2 : 3;
		least = n_more == 1 ? 0x80 : n_more == 2 ? 0x800 : 0x10000;
		code &= 0x3F >> n_more;
		for (; n_more > 0; n_more--)
		{
			if (at == end || (*at & 0xC0) != 0x80)
				return false;
			code = code << 6 | (*at++ & 0x3F);
		}
		if (code < least || code > 0x10FFFF ||
			(code >= 0xD800 && code <= 0xDFFF))
			return false;
	}
	return true;
}

bool
fuzz_is_clean(const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
		if ((uint8) *c < ' ' || *c == 0x7F ||
			((uint8) *c == 0xC2 && (uint8) c[1] < 0xA0))
			return false;
	return fuzz_is_utf8(text, strlen(text));
}

uint32
fuzz_next(uint32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

uint64
fuzz_hash(uint64 sum, const void *bytes, Size len)
{
	const uint8 *at = bytes;
	uint64		word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word))
	{
		memcpy(&word, at, sizeof(word));
		sum = (sum ^ word) * UINT64CONST(0x100000001B3);
	}
	for (; len > 0; len--)
		sum = (sum ^ *at++) * UINT64CONST(0x100000001B3);
	return sum ^ sum >> 32;
}
