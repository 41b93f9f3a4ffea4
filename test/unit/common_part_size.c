/*-------------------------------------------------------------------------
 *
 * common_part_size.c
 *	  Parts stay within what stores allow, and any file fits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include "common/sw_part_size.h"
#include "unit.h"

/* Bytes in all parts there may be; -1 if one of them is out of bounds. */
static int64
add_parts(int64 first_bytes)
{
	int64		total = 0;
	int64		previous = first_bytes;

	for (int number = 1; number <= SW_PART_MAX_NUMBER; number++)
	{
		int64		n_bytes = sw_part_size(first_bytes, number);

		if (n_bytes < SW_PART_MIN_BYTES || n_bytes > SW_PART_MAX_BYTES ||
			n_bytes < previous)
			return -1;
		previous = n_bytes;
		total += n_bytes;
	}
	return total;
}

int
main(void)
{
	const int64 mib = 1024 * 1024;

	unit_is_int(sw_part_size(8 * mib, 1), 8 * mib, "the first part");
	unit_is_int(sw_part_size(8 * mib, 1000), 8 * mib,
				"is like all of the first thousand");
	unit_is_int(sw_part_size(8 * mib, 1001), 16 * mib, "then twice as large");
	unit_is_int(sw_part_size(8 * mib, 2001), 32 * mib, "and again");
	unit_is_int(sw_part_size(8 * mib, 10000), 4096 * mib, "to the last");
	unit_is_int(sw_part_size(SW_PART_MAX_BYTES, 9000), SW_PART_MAX_BYTES,
				"never larger than stores allow");

	/* 48.8 TiB is the largest object of TOS, 5 TiB that of S3 */
	unit_is_int(add_parts(5 * mib), INT64CONST(5 * 1000 * 1023) * mib,
				"the smallest parts make 4.9 TiB");
	unit_is_int(add_parts(8 * mib), INT64CONST(8 * 1000 * 1023) * mib,
				"parts of 8 MiB make 7.8 TiB");
	unit_ok(add_parts(64 * mib) > (INT64CONST(20) << 40),
			"larger ones are bounded, not too few");
	unit_is_int(add_parts(SW_PART_MAX_BYTES), SW_PART_MAX_BYTES * 10000,
				"the largest parts make the largest object");
	return unit_done();
}
