/*-------------------------------------------------------------------------
 *
 * sw_store.h
 *	  An object store: where files are staged for the warehouse to read.
 *
 * One ops table per kind of store (tos, s3).  All calls
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
	const char *kind;			/* "tos", "s3" */
	const char *endpoint;		/* host[:port], optional http:// or https:// */
	const char *region;
	const char *bucket;
	const char *access_key;
	const char *secret_key;
	const char *security_token; /* of a temporary key; NULL = a permanent one */
	bool		is_path_style;	/* the bucket goes into the path; it always
								 * does where the endpoint is an IP address */
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
 * Delete many objects, absent ones too.  statuses, of n_keys, says of each
 * how it went; SW_OK if all are gone, else err names some that are not.
 */
extern SwStatus sw_store_delete_many(SwStore *store, const char *const *keys,
									 int n_keys, SwStatus *statuses,
									 SwError *err);

/* What a store knows about an object. */
typedef struct SwStoreObject
{
	char	   *key;
	int64		n_bytes;		/* -1 = not told */
	char	   *etag;			/* quotes included; "" = not told */
	bool		has_crc64;
	uint64		crc64;			/* CRC-64/XZ of all bytes */
} SwStoreObject;

/* Look at one object; SW_ERR_MISSING if there is none.  palloc'd. */
extern SwStatus sw_store_head(SwStore *store, const char *key,
							  SwStoreObject *object, SwError *err);

/*
 * Get up to n_bytes (1 .. SW_HTTP_MAX_BODY) from offset, palloc'd and with a
 * NUL behind them.  Fewer come where the object ends.
 */
extern SwStatus sw_store_get(SwStore *store, const char *key, int64 offset,
							 int n_bytes, char **bytes_out, int *n_out,
							 SwError *err);

/*
 * Objects whose keys begin with prefix, at most max_objects, in the order of
 * their keys; palloc'd.  *is_complete tells whether these are all.
 */
extern SwStatus sw_store_list(SwStore *store, const char *prefix,
							  int max_objects, SwStoreObject **objects_out,
							  int *n_out, bool *is_complete, SwError *err);

/*
 * Ids of the unfinished multipart uploads of exactly this key, palloc'd.
 * SW_ERR_DENIED where the key may not list them, which many may not.
 */
extern SwStatus sw_store_list_uploads(SwStore *store, const char *key,
									  char ***ids_out, int *n_out,
									  SwError *err);

/*
 * Abort a multipart upload; an unknown one is fine.  SW_ERR_DENIED where the
 * key may not, which leaves its parts to a lifecycle rule of the bucket.
 */
extern SwStatus sw_store_abort_upload(SwStore *store, const char *key,
									  const char *upload_id, SwError *err);

/*
 * The region that an endpoint's name tells, else a kind's default; NULL where
 * a kind has none.  palloc'd.
 */
extern char *sw_store_default_region(const char *kind, const char *endpoint);

/*
 * The URL under which the warehouse reads the object, palloc'd: for tos the
 * virtual-host S3 form https://<bucket>.tos-s3-<region>.../<key>, for s3 in
 * the style in which we write.
 */
extern char *sw_store_load_url(const SwStore *store, const char *key);

#endif							/* SW_STORE_H */
