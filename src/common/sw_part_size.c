/*-------------------------------------------------------------------------
 *
 * sw_part_size.c
 *	  How large the parts of a multipart upload are.
 *
 * Pure; never throws.  The length of an object is not known when its first
 * part leaves, so the size depends on the number of the part alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_part_size.h"

#define SW_PART_CLASS_NUMBERS 1000

int64
sw_part_size(int64 first_bytes, int number)
{
	int			n_doublings = (number - 1) / SW_PART_CLASS_NUMBERS;

	Assert(number >= 1 && number <= SW_PART_MAX_NUMBER);
	Assert(first_bytes >= SW_PART_MIN_BYTES &&
		   first_bytes <= SW_PART_MAX_BYTES);
	return Min(first_bytes << n_doublings, SW_PART_MAX_BYTES);
}
