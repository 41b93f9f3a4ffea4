/*-------------------------------------------------------------------------
 *
 * sw_spool.h
 *	  Bytes of one file on local disk, between its writer and the store.
 *
 * Rows are read inside a transaction and no peer is waited for in there, so
 * what the store has not taken yet is kept: in temporary files of the
 * server's, which count against its temp settings, survive the end of the
 * transaction, and are gone with the worker.  There are several of them per
 * spool, so that the disk space of what the store has confirmed is freed
 * while the rest is still being written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SPOOL_H
#define SW_SPOOL_H

#include "format/sw_writer.h"
#include "store/sw_upload.h"

typedef struct SwSpool SwSpool;

/* An empty spool that belongs to context.  Throws. */
extern SwSpool *sw_spool_create(MemoryContext context);

/* Free the disk space now instead of with the context. */
extern void sw_spool_close(SwSpool *spool);

/* Bytes written, released ones included. */
extern int64 sw_spool_bytes(const SwSpool *spool);

/* Where a writer puts its bytes.  May throw, beside returning errors. */
extern SwSink sw_spool_sink(SwSpool *spool);

/*
 * What an upload, or a put of all of it, reads them from; the spool must
 * stay open.
 */
extern SwUploadSource sw_spool_source(SwSpool *spool);
extern SwBody sw_spool_body(SwSpool *spool);

#endif							/* SW_SPOOL_H */
