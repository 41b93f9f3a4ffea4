/*-------------------------------------------------------------------------
 *
 * sw_ch_type.h
 *	  Type names of the ClickHouse native protocol.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CH_TYPE_H
#define SW_CH_TYPE_H

#include "proto/sw_ch_block.h"

/*
 * Find kind, width and nullability from column->type.  A type whose values
 * we can't read gives SW_CH_KIND_UNKNOWN.
 */
extern void sw_ch_type_resolve(SwChColumn *column);

#endif							/* SW_CH_TYPE_H */
