/*-------------------------------------------------------------------------
 *
 * sw_backoff.h
 *	  How long to wait before trying again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_BACKOFF_H
#define SW_BACKOFF_H

/*
 * Milliseconds to wait after failed attempt number `attempt` (the first is
 * 1).  The ceiling doubles from base_ms with each attempt up to max_ms; the
 * result lies between half the ceiling and the ceiling, chosen by 32 random
 * bits, so that many workers don't come back at the same moment.
 */
extern int	sw_backoff_delay_ms(int attempt, int base_ms, int max_ms,
								uint32 random_bits);

#endif							/* SW_BACKOFF_H */
