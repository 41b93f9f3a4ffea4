/*-------------------------------------------------------------------------
 *
 * sw_codec_zstd.c
 *	  Zstandard; the only file that names the library.
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

#include <zstd.h>

#include "format/sw_codec.h"

/* Levels above this one ask for hundreds of megabytes. */
#define SW_ZSTD_MAX_LEVEL 19

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
	/* Of streams; whole blocks name their level themselves. */
	(void) ZSTD_CCtx_setParameter(codec->context, ZSTD_c_compressionLevel,
								  codec->level);
	(void) ZSTD_CCtx_setParameter(codec->context, ZSTD_c_checksumFlag, 1);
	return SW_OK;
}

static SwStatus
sw_zstd_failed(size_t result, SwError *err)
{
	return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
						"could not compress a block: %s",
						ZSTD_getErrorName(result));
}

static SwStatus
sw_zstd_compress(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
				 SwError *err)
{
	Size		bound = ZSTD_compressBound(n);
	char	   *place;
	size_t		result;

	SW_TRY(sw_zstd_prepare(codec, err));
	if (ZSTD_isError(bound))
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"could not compress a block: it is too large");
	place = sw_buffer_reserve(out, bound);
	result = ZSTD_compressCCtx(codec->context, place, bound, bytes, n,
							   codec->level);
	if (ZSTD_isError(result))
		return sw_zstd_failed(result, err);
	out->len += result;
	return SW_OK;
}

/* Feed the stream until it has taken all, or with end has given all. */
static SwStatus
sw_zstd_feed(SwCodec *codec, const char *bytes, Size n,
			 ZSTD_EndDirective directive, SwBuffer *out, SwError *err)
{
	Size		room = ZSTD_CStreamOutSize();
	ZSTD_inBuffer input = {bytes, n, 0};
	size_t		rest;

	SW_TRY(sw_zstd_prepare(codec, err));
	do
	{
		ZSTD_outBuffer output = {sw_buffer_reserve(out, room), room, 0};

		rest = ZSTD_compressStream2(codec->context, &output, &input, directive);
		if (ZSTD_isError(rest))
			return sw_zstd_failed(rest, err);
		out->len += output.pos;
	} while (directive == ZSTD_e_end ? rest > 0 : input.pos < input.size);
	return SW_OK;
}

static SwStatus
sw_zstd_append(SwCodec *codec, const char *bytes, Size n, SwBuffer *out,
			   SwError *err)
{
	return sw_zstd_feed(codec, bytes, n, ZSTD_e_continue, out, err);
}

static SwStatus
sw_zstd_end(SwCodec *codec, SwBuffer *out, SwError *err)
{
	return sw_zstd_feed(codec, NULL, 0, ZSTD_e_end, out, err);
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
