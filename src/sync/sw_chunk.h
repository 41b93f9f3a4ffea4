/*-------------------------------------------------------------------------
 *
 * sw_chunk.h
 *	  The unit of delivery: part of a window, read, staged, loaded once.
 *
 * What is durable when, and what follows from it: README in this folder.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CHUNK_H
#define SW_CHUNK_H

#include "sync/sw_run.h"

/*
 * Bring a chunk from where it is, by its row, to done.  One whose files are
 * in the store is loaded from there and not read again; of a load that was
 * begun it is found out first what came of it.
 *
 * run is prepared, and its plan is aimed at the chunk.  Memory is that of
 * context, which the caller resets.  No transaction may be open.  Throws;
 * then the chunk stays where it is by its row.
 */
extern void sw_chunk_deliver(SwRun *run, SwChunk *chunk,
							 MemoryContext context);

#endif							/* SW_CHUNK_H */
