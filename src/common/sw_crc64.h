/*-------------------------------------------------------------------------
 *
 * sw_crc64.h
 *	  CRC-64/XZ (ECMA-182 polynomial, reflected): what the store reports of
 *	  an object it received.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CRC64_H
#define SW_CRC64_H

/*
 * The CRC of some bytes followed by n more, given the CRC of the former.
 * Start with 0, the CRC of nothing.
 */
extern uint64 sw_crc64_update(uint64 crc, const void *bytes, Size n);

#endif							/* SW_CRC64_H */
