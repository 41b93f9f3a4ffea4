/*-------------------------------------------------------------------------
 *
 * sw_ch_exception.h
 *	  The Exception packet of the ClickHouse native protocol.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CH_EXCEPTION_H
#define SW_CH_EXCEPTION_H

#include "proto/sw_ch_conn.h"

/*
 * Read the packet after its type, all of it or nothing.  *exception is set
 * on SW_READ_OK only; its texts are palloc'd.
 */
extern SwReadResult sw_ch_exception_read(SwReader *reader,
										 SwChException *exception);

/* Release its texts and make it empty. */
extern void sw_ch_exception_reset(SwChException *exception);

#endif							/* SW_CH_EXCEPTION_H */
