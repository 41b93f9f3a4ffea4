/*-------------------------------------------------------------------------
 *
 * sw_resource.c
 *	  Give a foreign object (CURL, SSL, ZSTD_CCtx, fd) to a memory context.
 *
 * A reset callback cannot be taken back, so the cell stays with its context
 * when it is released early: empty, it does nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/palloc.h"

#include "net/sw_resource.h"

/* The cell and the callback that points to it live and die together. */
typedef struct SwResourceCell
{
	SwResource	resource;
	MemoryContextCallback callback;
} SwResourceCell;

static void
sw_resource_on_reset(void *arg)
{
	sw_resource_release((SwResource *) arg);
}

SwResource *
sw_resource_create(MemoryContext cxt, SwResourceDestroy destroy)
{
	SwResourceCell *cell;

	cell = (SwResourceCell *) MemoryContextAllocZero(cxt,
													 sizeof(SwResourceCell));
	cell->resource.destroy = destroy;
	cell->callback.func = sw_resource_on_reset;
	cell->callback.arg = &cell->resource;
	MemoryContextRegisterResetCallback(cxt, &cell->callback);
	return &cell->resource;
}

void
sw_resource_release(SwResource *resource)
{
	void	   *object = resource->object;

	/* Emptied first: whatever happens below, it happens once. */
	resource->object = NULL;
	if (object != NULL)
		resource->destroy(object);
}
