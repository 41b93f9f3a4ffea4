/*-------------------------------------------------------------------------
 *
 * sw_store.h
 *	  An object store: where files are staged for the warehouse to read.
 *
 * One ops table per kind of store (tos; s3 comes beside it).  All calls
 * wait through net/sw_wait.h, so they serve interrupts and may throw for
 * those; a peer's failure is returned as SwStatus.  Transient failures are
 * repeated inside a call (re-signed each time, with back-off) within
 * request_timeout_ms; what comes back as SW_RETRY_LATER survived that.
 *
 * No transaction should be open during these calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STORE_H
#define SW_STORE_H

#include "common/sw_status.h"

/* All strings must outlive the store; NULL = not set. */
typedef struct SwStoreOptions
{
	const char *kind;			/* "tos" */
	const char *endpoint;		/* host[:port], optional http:// or https:// */
	const char *region;
	const char *bucket;
	const char *access_key;
	const char *secret_key;
	const char *load_endpoint;	/* what the warehouse uses; NULL = derived */
	const char *proxy;			/* http proxy URL, or NULL/"" */
	const char *ca_file;		/* CA bundle, or NULL/"" for system roots */
	int			connect_timeout_ms;
	int			request_timeout_ms; /* without a byte moving, and for retries */
} SwStoreOptions;

typedef struct SwStore SwStore;

/*
 * A body that can be read more than once (a repeat starts over).  read
 * fills buf with up to len bytes from offset and returns how many, or -1
 * with errno set; it must not throw.
 */
typedef struct SwBody
{
	int64		n_bytes;
	int			(*read) (void *arg, int64 offset, char *buf, int len);
	void	   *arg;
} SwBody;

/*
 * Check the options and make a store in cxt; contacts nobody.  *store_out is
 * untouched on error.  Released with cxt or by sw_store_close.
 */
extern SwStatus sw_store_open(const SwStoreOptions *options, MemoryContext cxt,
							  SwStore **store_out, SwError *err);
extern void sw_store_close(SwStore *store);

/*
 * Put one object; verified by the store's checksum of what it received.
 * key has no leading slash, plain characters only [A-Za-z0-9_./=-].
 */
extern SwStatus sw_store_put(SwStore *store, const char *key,
							 const SwBody *body, SwError *err);

/* Delete one object; an absent one is fine. */
extern SwStatus sw_store_delete(SwStore *store, const char *key, SwError *err);

/*
 * The URL under which the warehouse reads the object, palloc'd: for tos the
 * virtual-host S3 form https://<bucket>.tos-s3-<region>.../<key>.
 */
extern char *sw_store_load_url(const SwStore *store, const char *key);

#endif							/* SW_STORE_H */
