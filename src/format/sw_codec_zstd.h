/*-------------------------------------------------------------------------
 *
 * sw_codec_zstd.h
 *	  Zstandard compression of whole blocks, and of a stream.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CODEC_ZSTD_H
#define SW_CODEC_ZSTD_H

#include "common/sw_bytes.h"
#include "common/sw_status.h"

/* One compressor, reused for block after block. */
typedef struct SwZstdCodec
{
	int			level;
	void	   *context;		/* the library's object; NULL until needed */
} SwZstdCodec;

/* Cheap; level is brought into 1 .. 19. */
extern void sw_zstd_init(SwZstdCodec *codec, int level);

/* Release the library's object; safe to call twice. */
extern void sw_zstd_destroy(SwZstdCodec *codec);

/*
 * Append one frame that holds the n bytes to out.  The same input and level
 * give the same bytes with the same version of the library.
 */
extern SwStatus sw_zstd_compress(SwZstdCodec *codec, const char *bytes,
								 Size n, SwBuffer *out, SwError *err);

/*
 * One frame with a checksum, made bit by bit: what gets finished on the way
 * is appended to out, the rest by sw_zstd_end.  The next append begins
 * another frame.  The same calls give the same bytes.
 */
extern SwStatus sw_zstd_append(SwZstdCodec *codec, const char *bytes, Size n,
							   SwBuffer *out, SwError *err);
extern SwStatus sw_zstd_end(SwZstdCodec *codec, SwBuffer *out, SwError *err);

#endif							/* SW_CODEC_ZSTD_H */
