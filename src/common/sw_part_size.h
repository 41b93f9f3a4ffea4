/*-------------------------------------------------------------------------
 *
 * sw_part_size.h
 *	  How large the parts of a multipart upload are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_PART_SIZE_H
#define SW_PART_SIZE_H

/* What the stores allow; the last part of an object may be smaller. */
#define SW_PART_MIN_BYTES	(INT64CONST(5) << 20)
#define SW_PART_MAX_BYTES	(INT64CONST(5) << 30)
#define SW_PART_MAX_NUMBER	10000

/*
 * Bytes of part number (from 1) of an upload whose first parts have
 * first_bytes, which lies between the limits above: doubled after every
 * thousand parts.  So no file needs more than SW_PART_MAX_NUMBER of them (the
 * smallest first part leads to 4.8 TiB), and a file of up to a thousand has
 * parts of one size.
 */
extern int64 sw_part_size(int64 first_bytes, int number);

#endif							/* SW_PART_SIZE_H */
