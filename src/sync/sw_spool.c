/*-------------------------------------------------------------------------
 *
 * sw_spool.c
 *	  A finished file on local disk, waiting to be uploaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pgstat.h"
#include "storage/fd.h"
#include "utils/wait_event.h"

#include "net/sw_resource.h"
#include "sync/sw_spool.h"

struct SwSpool
{
	File		file;
	int64		n_bytes;
	SwResource *owner;
};

static void
close_file(void *object)
{
	FileClose(((SwSpool *) object)->file);
}

SwSpool *
sw_spool_create(MemoryContext context)
{
	SwSpool    *spool = MemoryContextAllocZero(context, sizeof(SwSpool));

	spool->owner = sw_resource_create(context, close_file);
	spool->file = OpenTemporaryFile(true);
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

static SwStatus
write_bytes(void *arg, const char *data, Size len, SwError *err)
{
	SwSpool    *spool = arg;

	while (len > 0)
	{
		int			chunk = (int) Min(len, 1024 * 1024);
		int			written = FileWrite(spool->file, (char *) data, chunk,
										spool->n_bytes,
										WAIT_EVENT_BUFFILE_WRITE);

		if (written != chunk)
		{
			/* A short write without an error is a full disk. */
			if (written >= 0)
				errno = ENOSPC;
			sw_error_set(err, SW_ERR_IO, SW_RETRY_LATER,
						 "could not write to a temporary file: %s",
						 strerror(errno));
			sw_error_set_hint(err, "Free some disk space where the database's temporary files lie: a window is kept there while it is read.");
			return SW_ERR_IO;
		}
		data += chunk;
		len -= chunk;
		spool->n_bytes += chunk;
	}
	return SW_OK;
}

static int
read_bytes(void *arg, int64 offset, char *buf, int len)
{
	SwSpool    *spool = arg;

	return FileRead(spool->file, buf, len, offset, WAIT_EVENT_BUFFILE_READ);
}

SwSink
sw_spool_sink(SwSpool *spool)
{
	SwSink		sink = {write_bytes, spool};

	return sink;
}

SwBody
sw_spool_body(SwSpool *spool)
{
	SwBody		body = {spool->n_bytes, read_bytes, spool};

	return body;
}
