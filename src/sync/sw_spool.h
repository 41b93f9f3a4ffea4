/*-------------------------------------------------------------------------
 *
 * sw_spool.h
 *	  A finished file on local disk, waiting to be uploaded.
 *
 * Rows are read inside a transaction and no transaction stays open while a
 * peer is waited for, so what was read is kept in between: in a temporary
 * file of the server's, which counts against its temp settings, survives
 * the end of the transaction, and is gone with the worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SPOOL_H
#define SW_SPOOL_H

#include "format/sw_writer.h"
#include "store/sw_store.h"

typedef struct SwSpool SwSpool;

/* An empty spool that belongs to context.  Throws. */
extern SwSpool *sw_spool_create(MemoryContext context);

/* Free the disk space now instead of with the context. */
extern void sw_spool_close(SwSpool *spool);
extern int64 sw_spool_bytes(const SwSpool *spool);

/* Where a writer puts its bytes. */
extern SwSink sw_spool_sink(SwSpool *spool);

/* What a store reads them from; the spool must stay open. */
extern SwBody sw_spool_body(SwSpool *spool);

#endif							/* SW_SPOOL_H */
