/*-------------------------------------------------------------------------
 *
 * sw_codec.h
 *	  Compression of whole blocks, and of a stream.
 *
 * Codecs are single-threaded.  The same input and level give the same bytes
 * with the same version of a library.
 *
 * Libraries allocate their objects themselves, so whoever embeds a codec
 * must see to it that sw_codec_destroy runs on every path.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CODEC_H
#define SW_CODEC_H

#include "common/sw_bytes.h"
#include "common/sw_status.h"

struct SwCodecOps;

/* One compressor, reused for block after block. */
typedef struct SwCodec
{
	const struct SwCodecOps *ops;
	int			level;			/* where the codec has levels */
	void	   *context;		/* the library's object; NULL until needed */
	bool		in_stream;		/* appended to and not ended */
} SwCodec;

typedef struct SwCodecOps
{
	const char *name;			/* in stage_compression */
	int			parquet_code;	/* CompressionCodec of parquet.thrift */

	/*
	 * Append the compressed block, which says where it ends only if the
	 * codec's format does: what is read back is exactly this.
	 */
	SwStatus	(*compress) (SwCodec *codec, const char *bytes, Size n,
							 SwBuffer *out, SwError *err);

	/*
	 * A stream, made bit by bit: what gets finished on the way is appended to
	 * out, the rest by end.  The next append begins another.  NULL where
	 * there is no form for streams.
	 */
	SwStatus	(*append) (SwCodec *codec, const char *bytes, Size n,
						   SwBuffer *out, SwError *err);
	SwStatus	(*end) (SwCodec *codec, SwBuffer *out, SwError *err);

	/* Release context. */
	void		(*destroy) (SwCodec *codec);
} SwCodecOps;

/*
 * Blocks are frames, and what is appended to a stream becomes a frame with a
 * checksum: pieces should not be small.
 */
extern const SwCodecOps sw_codec_zstd;

/* Blocks are raw LZ4; a stream is one frame with a checksum. */
extern const SwCodecOps sw_codec_lz4;

/* Blocks only. */
extern const SwCodecOps sw_codec_snappy;

extern const SwCodecOps sw_codec_none;

/* Cheap; level is brought into what the codec has. */
static inline void
sw_codec_init(SwCodec *codec, const SwCodecOps *ops, int level)
{
	codec->ops = ops;
	codec->level = level;
	codec->context = NULL;
	codec->in_stream = false;
}

/* Release the library's object; safe to call twice. */
static inline void
sw_codec_destroy(SwCodec *codec)
{
	if (codec->context != NULL)
		codec->ops->destroy(codec);
	codec->context = NULL;
}

#endif							/* SW_CODEC_H */
