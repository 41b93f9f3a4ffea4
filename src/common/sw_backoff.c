/*-------------------------------------------------------------------------
 *
 * sw_backoff.c
 *	  How long to wait before trying again: exponential, with jitter.
 *
 * Pure; never throws.  The random bits are an argument.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_backoff.h"

int
sw_backoff_delay_ms(int attempt, int base_ms, int max_ms, uint32 random_bits)
{
	int64		ceiling = base_ms;
	int64		half;
	int			i;

	Assert(base_ms >= 0 && max_ms >= 0);

	for (i = 1; i < attempt && ceiling > 0 && ceiling < max_ms; i++)
		ceiling *= 2;
	ceiling = Min(ceiling, max_ms);

	half = ceiling / 2;
	return (int) (half + (((ceiling - half + 1) * random_bits) >> 32));
}
