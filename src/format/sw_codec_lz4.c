/*-------------------------------------------------------------------------
 *
 * sw_codec_lz4.c
 *	  LZ4; the only file that names the library.
 *
 * Implements SwCodecOps (sw_codec.h).  Throws only when memory runs out.
 * There is one level.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include <lz4.h>
#include <lz4frame.h>

#include "format/sw_codec.h"

static const LZ4F_preferences_t sw_lz4_preferences = {
	.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}
};

static SwStatus
sw_lz4_compress(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
				SwError *err)
{
	char	   *place;
	int			bound;
	int			result;

	(void) codec;
	if (n > LZ4_MAX_INPUT_SIZE)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"could not compress a block: it is too large");
	bound = LZ4_compressBound((int) n);
	place = sw_buffer_reserve(out, bound);
	result = LZ4_compress_default(bytes, place, (int) n, bound);
	if (result <= 0)
		return sw_error_set(err, SW_ERR_BUG, SW_RETRY_NEVER,
							"could not compress a block");
	out->len += result;
	return SW_OK;
}

static SwStatus
sw_lz4_finish_step(size_t result, SwBuffer *out, SwError *err)
{
	if (LZ4F_isError(result))
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not compress a block: %s",
							LZ4F_getErrorName(result));
	out->len += result;
	return SW_OK;
}

/* Begin the frame unless that is done. */
static SwStatus
sw_lz4_begin(SwCodec *codec, SwBuffer *out, SwError *err)
{
	LZ4F_cctx  *context = codec->context;

	if (codec->in_stream)
		return SW_OK;
	if (context == NULL)
	{
		SW_TRY(sw_lz4_finish_step(LZ4F_createCompressionContext(&context,
																LZ4F_VERSION),
								  out, err));
		codec->context = context;
	}
	SW_TRY(sw_lz4_finish_step(LZ4F_compressBegin(context,
												 sw_buffer_reserve(out, LZ4F_HEADER_SIZE_MAX),
												 LZ4F_HEADER_SIZE_MAX,
												 &sw_lz4_preferences),
							  out, err));
	codec->in_stream = true;
	return SW_OK;
}

static SwStatus
sw_lz4_append(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
			  SwError *err)
{
	Size		bound = LZ4F_compressBound(n, &sw_lz4_preferences);
	char	   *place;

	SW_TRY(sw_lz4_begin(codec, out, err));
	place = sw_buffer_reserve(out, bound);
	return sw_lz4_finish_step(LZ4F_compressUpdate(codec->context, place, bound,
												  bytes, n, NULL), out, err);
}

static SwStatus
sw_lz4_end(SwCodec *codec, SwBuffer *out, SwError *err)
{
	Size		bound = LZ4F_compressBound(0, &sw_lz4_preferences);
	char	   *place;

	SW_TRY(sw_lz4_begin(codec, out, err));
	codec->in_stream = false;
	place = sw_buffer_reserve(out, bound);
	return sw_lz4_finish_step(LZ4F_compressEnd(codec->context, place, bound,
											   NULL), out, err);
}

static void
sw_lz4_destroy(SwCodec *codec)
{
	(void) LZ4F_freeCompressionContext(codec->context);
}

const SwCodecOps sw_codec_lz4 = {
	.name = "lz4",
	.parquet_code = 7,			/* LZ4_RAW */
	.compress = sw_lz4_compress,
	.append = sw_lz4_append,
	.end = sw_lz4_end,
	.destroy = sw_lz4_destroy,
};
