/*-------------------------------------------------------------------------
 *
 * sw_codec_zstd.c
 *	  Zstandard compression of whole blocks.
 *
 * The only file that names the library.  Single-threaded.  The library
 * allocates its context itself, so whoever embeds a codec must see to it
 * that sw_zstd_destroy runs on every path.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include <zstd.h>

#include "format/sw_codec_zstd.h"

/* Levels above this one ask for hundreds of megabytes. */
#define SW_ZSTD_MAX_LEVEL 19

void
sw_zstd_init(SwZstdCodec *codec, int level)
{
	codec->level = Max(1, Min(level, SW_ZSTD_MAX_LEVEL));
	codec->context = NULL;
}

void
sw_zstd_destroy(SwZstdCodec *codec)
{
	ZSTD_freeCCtx(codec->context);
	codec->context = NULL;
}

SwStatus
sw_zstd_compress(SwZstdCodec *codec, const char *bytes, Size n,
				 SwBuffer *out, SwError *err)
{
	Size		bound = ZSTD_compressBound(n);
	char	   *place;
	size_t		result;

	if (codec->context == NULL)
		codec->context = ZSTD_createCCtx();
	if (codec->context == NULL)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not compress a block: out of memory");

	if (ZSTD_isError(bound))
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_NEVER,
							"could not compress a block: it is too large");
	place = sw_buffer_reserve(out, bound);
	result = ZSTD_compressCCtx(codec->context, place, bound, bytes, n,
							   codec->level);
	if (ZSTD_isError(result))
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not compress a block: %s",
							ZSTD_getErrorName(result));
	out->len += result;
	return SW_OK;
}
