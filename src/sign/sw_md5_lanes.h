/*-------------------------------------------------------------------------
 *
 * sw_md5_lanes.h
 *	  The MD5s of several texts of the same length at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_MD5_LANES_H
#define SW_MD5_LANES_H

#include "sign/sw_md5.h"

#define SW_MD5_LANES		8
#define SW_MD5_BLOCK		64

/* A state of the caller's; holds no foreign object. */
typedef struct SwMd5Lanes
{
	uint32		state[4][SW_MD5_LANES];
	uint64		n_bytes;		/* of each text so far */
} SwMd5Lanes;

extern void sw_md5_lanes_init(SwMd5Lanes *lanes);

/*
 * The next n bytes of each text.  All calls but the last one bring a multiple
 * of SW_MD5_BLOCK.  Fewer texts than lanes: name one of them repeatedly.
 */
extern void sw_md5_lanes_add(SwMd5Lanes *lanes,
							 const uint8 *const texts[SW_MD5_LANES], Size n);

/* The last n bytes of each, n less than SW_MD5_BLOCK, and the results. */
extern void sw_md5_lanes_end(SwMd5Lanes *lanes,
							 const uint8 *const texts[SW_MD5_LANES], Size n,
							 uint8 md5s[SW_MD5_LANES][SW_MD5_BYTES]);

#endif							/* SW_MD5_LANES_H */
