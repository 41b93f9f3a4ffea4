/*-------------------------------------------------------------------------
 *
 * sw_crc64_fold.h
 *	  The CRC-64 of many bytes by carry-less multiplication.  Between
 *	  sw_crc64.c and sw_crc64_fold.c only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CRC64_FOLD_H
#define SW_CRC64_FOLD_H

/* Fewer bytes than these are not worth it. */
#define SW_CRC64_FOLD_MIN	256

/* What is folded comes in multiples of these bytes. */
#define SW_CRC64_FOLD_STEP	128

/* Bytes that a long run is reduced to. */
#define SW_CRC64_FOLD_BYTES 16

/*
 * Reduce n bytes, at least SW_CRC64_FOLD_MIN and so many whole steps, that
 * follow the register value crc (not yet inverted at the end), to
 * SW_CRC64_FOLD_BYTES bytes with the same remainder from a register of 0.
 * false: this processor has no instruction for it, and nothing was done.
 */
extern bool sw_crc64_fold(uint64 crc, const uint8 *bytes, Size n,
						  uint8 *folded);

#endif							/* SW_CRC64_FOLD_H */
