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

/*
 * The CRC of some bytes followed by n_second more, given the CRC of the
 * former and that of the latter.
 */
extern uint64 sw_crc64_combine(uint64 first, uint64 second, uint64 n_second);

/* sw_crc64_update without the processor's help, which it is tested by. */
extern uint64 sw_crc64_update_portable(uint64 crc, const void *bytes, Size n);

/* x to the power n modulo the polynomial, highest coefficient last. */
extern uint64 sw_crc64_power(uint64 n);

#endif							/* SW_CRC64_H */
