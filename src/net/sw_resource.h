/*-------------------------------------------------------------------------
 *
 * sw_resource.h
 *	  Give a foreign object (CURL, SSL, ZSTD_CCtx, fd) to a memory context.
 *
 * The context frees the object when it is reset or deleted, so an error
 * that jumps over our code leaks nothing.  Callbacks run in reverse order
 * of adoption: adopt a socket before the TLS session on top of it.
 *
 * Usage: make the cell first (it may throw), then create the object, then
 * put it into the cell (cannot throw):
 *
 *	   SwResource *r = sw_resource_create(cxt, destroy_fn);
 *	   r->object = make_object();
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_RESOURCE_H
#define SW_RESOURCE_H

typedef void (*SwResourceDestroy) (void *object);

typedef struct SwResource
{
	void	   *object;			/* NULL: nothing to release */
	SwResourceDestroy destroy;	/* must not throw */
} SwResource;

/* An empty cell owned by cxt.  May throw (out of memory). */
extern SwResource *sw_resource_create(MemoryContext cxt,
									  SwResourceDestroy destroy);

/* Release now instead of with the context; safe to call twice. */
extern void sw_resource_release(SwResource *resource);

#endif							/* SW_RESOURCE_H */
