/*-------------------------------------------------------------------------
 *
 * sw_connect.h
 *	  From a destination's row to an open store and an open warehouse.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CONNECT_H
#define SW_CONNECT_H

#include "catalog/sw_catalog.h"
#include "store/sw_store.h"
#include "target/sw_target.h"

typedef struct SwConnect
{
	MemoryContext context;
	const SwDestination *destination;
	SwTargetOptions target_options;
	SwStoreOptions store_options;
} SwConnect;

/*
 * Read a destination and open its secrets, in a transaction.  Everything
 * belongs to context; the plain secrets are wiped when it goes.  Throws.
 */
extern SwConnect *sw_connect_load(int64 destination_id, MemoryContext context);

/* For texts: without secrets, so no key is needed and nobody contacted. */
extern SwConnect *sw_connect_describe(const SwDestination *destination,
									  MemoryContext context);

/* The same for a destination at hand, which must outlive context. */
extern SwConnect *sw_connect_prepare(const SwDestination *destination,
									 MemoryContext context);

/*
 * Throw unless the pipeline's owner may still use the destination.  In a
 * transaction.
 */
extern void sw_connect_check_right(const SwConnect *connect,
								   const SwPipeline *pipeline);

/*
 * The store, in context: contacts nobody yet.  The warehouse, logged in.
 * Both throw.
 */
extern SwStore *sw_connect_store(const SwConnect *connect,
								 MemoryContext context);

/*
 * The store that an object, which outlives it, was put into: the destination
 * may use another bucket, or find it otherwise, by now.  The access keys are
 * those of now.
 */
extern SwStore *sw_connect_store_at(const SwConnect *connect,
									const SwStagedObject *object,
									MemoryContext context);

extern SwTarget *sw_connect_target(const SwConnect *connect,
								   MemoryContext context);

#endif							/* SW_CONNECT_H */
