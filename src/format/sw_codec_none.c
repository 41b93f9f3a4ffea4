/*-------------------------------------------------------------------------
 *
 * sw_codec_none.c
 *	  No compression.
 *
 * Implements SwCodecOps (sw_codec.h).  Throws only when memory runs out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_codec.h"

static SwStatus
sw_none_append(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
			   SwError *err)
{
	(void) codec;
	(void) err;
	sw_buffer_append_bytes(out, bytes, n);
	return SW_OK;
}

static SwStatus
sw_none_end(SwCodec *codec, SwBuffer *out, SwError *err)
{
	(void) codec;
	(void) out;
	(void) err;
	return SW_OK;
}

const SwCodecOps sw_codec_none = {
	.name = "none",
	.parquet_code = 0,
	.compress = sw_none_append,
	.append = sw_none_append,
	.end = sw_none_end,
};
