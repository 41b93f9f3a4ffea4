/*-------------------------------------------------------------------------
 *
 * sw_upload_md5.h
 *	  MD5s of the parts of an upload, several at once.  For sw_upload.c only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_UPLOAD_MD5_H
#define SW_UPLOAD_MD5_H

#include "sign/sw_md5_lanes.h"
#include "store/sw_upload.h"

/* MD5s of parts that are to leave next.  All zero = of none. */
typedef struct SwUploadMd5
{
	int			first_number;
	int			n_parts;
	uint8		md5s[SW_MD5_LANES][SW_MD5_BYTES];
} SwUploadMd5;

/*
 * The MD5 of part number, the first of n_parts of n_bytes each that lie side
 * by side from offset on.  Takes those of its neighbours as well if it does
 * not have it yet.  false: it would not be faster so, or the source cannot be
 * read; nothing is known then.
 */
extern bool sw_upload_md5_take(SwUploadMd5 *ahead,
							   const SwUploadSource *source, int number,
							   int64 offset, int64 n_bytes, int n_parts,
							   uint8 md5[SW_MD5_BYTES]);

#endif							/* SW_UPLOAD_MD5_H */
