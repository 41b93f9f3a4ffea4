/*-------------------------------------------------------------------------
 *
 * sw_stream.h
 *	  A connection that never blocks: plain or TLS, the same to callers.
 *
 * Read and write move what can be moved now.  When that is nothing they
 * note in the stream what has to become possible first; the caller then
 * waits with sw_stream_wait() and tries again:
 *
 *	   write what there is, read what there is;
 *	   if neither moved a byte: sw_stream_wait()
 *
 * A TLS stream may have to write in order to read and the other way round,
 * which this pattern covers.
 *
 * A stream belongs to the memory context it was opened in and is closed
 * with it, or earlier by sw_stream_close.  Read and write don't throw.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STREAM_H
#define SW_STREAM_H

#include "common/sw_status.h"
#include "net/sw_wait.h"

typedef struct SwStream SwStream;

typedef struct SwStreamOps
{
	SwStatus	(*read) (SwStream *stream, void *bytes, Size len,
						 Size *n_bytes, SwError *err);
	SwStatus	(*write) (SwStream *stream, const void *bytes, Size len,
						  Size *n_bytes, SwError *err);
	void		(*close) (SwStream *stream);
} SwStreamOps;

/* The head of every kind of stream. */
struct SwStream
{
	const SwStreamOps *ops;
	pgsocket	fd;				/* what to wait for */
	bool		want_read;		/* since the last sw_stream_wait */
	bool		want_write;
};

/*
 * *n_bytes = 0: nothing now.  SW_ERR_LOST: the connection broke, or the peer
 * closed it, which no peer of ours may do unasked.
 */
static inline SwStatus
sw_stream_read(SwStream *stream, void *bytes, Size len, Size *n_bytes,
			   SwError *err)
{
	return stream->ops->read(stream, bytes, len, n_bytes, err);
}

static inline SwStatus
sw_stream_write(SwStream *stream, const void *bytes, Size len, Size *n_bytes,
				SwError *err)
{
	return stream->ops->write(stream, bytes, len, n_bytes, err);
}

/* Wait for what the last reads and writes wanted.  May throw (sw_wait.h). */
static inline SwWaitResult
sw_stream_wait(SwStream *stream, int64 deadline_ms, SwWaitEvent event)
{
	bool		want_read = stream->want_read;
	bool		want_write = stream->want_write;

	stream->want_read = false;
	stream->want_write = false;
	return sw_wait(stream->fd, want_read, want_write, deadline_ms, event);
}

/* Close now; safe to call twice. */
static inline void
sw_stream_close(SwStream *stream)
{
	stream->ops->close(stream);
}

#endif							/* SW_STREAM_H */
