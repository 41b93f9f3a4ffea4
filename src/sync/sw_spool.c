/*-------------------------------------------------------------------------
 *
 * sw_spool.c
 *	  Bytes of one file on local disk, between its writer and the store.
 *
 * A chain of temporary files of equal size: segment i holds the bytes from
 * i * SEGMENT_BYTES on.  Segments are opened as they are written to and
 * closed from the front.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pgstat.h"
#include "storage/fd.h"
#include "utils/wait_event.h"

#include "net/sw_resource.h"
#include "sync/sw_spool.h"

#define SEGMENT_BYTES	INT64CONST(16777216)
#define FIRST_SEGMENTS	8

struct SwSpool
{
	File	   *segments;
	int			n_segments;		/* opened so far */
	int			n_allocated;
	int			first;			/* those before it are closed */
	int64		n_bytes;
	SwResource *owner;
};

/* Close all segments up to the one numbered end. */
static void
close_segments(SwSpool *spool, int end)
{
	while (spool->first < Min(end, spool->n_segments))
		FileClose(spool->segments[spool->first++]);
}

static void
close_all(void *object)
{
	SwSpool    *spool = object;

	close_segments(spool, spool->n_segments);
}

SwSpool *
sw_spool_create(MemoryContext context)
{
	SwSpool    *spool = MemoryContextAllocZero(context, sizeof(SwSpool));

	spool->n_allocated = FIRST_SEGMENTS;
	spool->segments = MemoryContextAlloc(context,
										 sizeof(File) * FIRST_SEGMENTS);
	spool->owner = sw_resource_create(context, close_all);
	spool->owner->object = spool;
	return spool;
}

void
sw_spool_close(SwSpool *spool)
{
	sw_resource_release(spool->owner);
}

int64
sw_spool_bytes(const SwSpool *spool)
{
	return spool->n_bytes;
}

static void
add_segment(SwSpool *spool)
{
	if (spool->n_segments == spool->n_allocated)
	{
		spool->segments = repalloc(spool->segments,
								   sizeof(File) * spool->n_allocated * 2);
		spool->n_allocated *= 2;
	}
	spool->segments[spool->n_segments] = OpenTemporaryFile(true);
	spool->n_segments++;
}

static SwStatus
write_bytes(void *arg, const char *data, Size len, SwError *err)
{
	SwSpool    *spool = arg;

	while (len > 0)
	{
		int			segment = (int) (spool->n_bytes / SEGMENT_BYTES);
		int64		at = spool->n_bytes % SEGMENT_BYTES;
		int			chunk = (int) Min((int64) len, SEGMENT_BYTES - at);
		int			written;

		if (segment == spool->n_segments)
			add_segment(spool);
		written = FileWrite(spool->segments[segment], (char *) data, chunk,
							at, WAIT_EVENT_BUFFILE_WRITE);
		if (written != chunk)
		{
			/* A short write without an error is a full disk. */
			if (written >= 0)
				errno = ENOSPC;
			sw_error_set(err, SW_ERR_IO, SW_RETRY_LATER,
						 "could not write to a temporary file: %s",
						 strerror(errno));
			sw_error_set_hint(err, "Free some disk space where the database's temporary files lie: what the object store has not taken yet is kept there.");
			return SW_ERR_IO;
		}
		data += chunk;
		len -= chunk;
		spool->n_bytes += chunk;
	}
	return SW_OK;
}

/* Gives less than len at the end of a segment. */
static int
read_bytes(void *arg, int64 offset, char *buf, int len)
{
	SwSpool    *spool = arg;
	int			segment = (int) (offset / SEGMENT_BYTES);
	int64		at = offset % SEGMENT_BYTES;

	if (offset >= spool->n_bytes)
		return 0;
	if (segment < spool->first)
	{
		errno = ESTALE;
		return -1;
	}
	len = (int) Min((int64) len,
					Min(SEGMENT_BYTES - at, spool->n_bytes - offset));
	return FileRead(spool->segments[segment], buf, len, at,
					WAIT_EVENT_BUFFILE_READ);
}

static void
release_bytes(void *arg, int64 offset)
{
	close_segments(arg, (int) (offset / SEGMENT_BYTES));
}

SwSink
sw_spool_sink(SwSpool *spool)
{
	SwSink		sink = {write_bytes, spool};

	return sink;
}

SwUploadSource
sw_spool_source(SwSpool *spool)
{
	SwUploadSource source = {read_bytes, release_bytes, spool};

	return source;
}

SwBody
sw_spool_body(SwSpool *spool)
{
	SwBody		body = {spool->n_bytes, read_bytes, spool};

	return body;
}
