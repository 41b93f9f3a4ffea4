/*-------------------------------------------------------------------------
 *
 * sw_upload.h
 *	  Upload of one object whose bytes come into being while it goes on.
 *
 * The bytes lie with the caller, who can read any of them again until they
 * are released.  An object that fits into one part is a plain put; a larger
 * one is a multipart upload with several parts on their way at once.  Each
 * part is verified by the store's checksum and repeated when it fails, and
 * the whole is verified at the end.
 *
 *	  upload = sw_upload_begin(...)
 *	  sw_upload_advance(...)		as often as there is something new; may be
 *									never
 *	  sw_upload_set_end(...)		when the last byte is there; optional
 *	  sw_upload_finish(...)			or sw_upload_abort(...)
 *
 * Several uploads may be under way at one store.  An upload belongs to its
 * memory context and to its store: it ends with whichever goes first, and
 * what it has on its way is broken off.  That sends no abort to the store;
 * whoever keeps (key, upload id) does so later by sw_store_abort_upload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_UPLOAD_H
#define SW_UPLOAD_H

#include "store/sw_store.h"

typedef struct SwUpload SwUpload;

/*
 * Where the bytes are.  read fills buf with up to len bytes from offset and
 * returns how many (at least one within the bytes announced), or -1 with
 * errno set.  release, which may be NULL, says that the bytes before offset
 * are confirmed by the store and will not be read again.  Neither may throw.
 */
typedef struct SwUploadSource
{
	int			(*read) (void *arg, int64 offset, char *buf, int len);
	void		(*release) (void *arg, int64 offset);
	void	   *arg;
} SwUploadSource;

/* 0 = the default */
typedef struct SwUploadOptions
{
	int64		part_bytes;		/* of the first parts; default 8 MiB, at least
								 * 5 MiB */
	int			parts_in_flight;	/* of all the store's uploads together;
									 * default 4 */
} SwUploadOptions;

typedef struct SwUploadResult
{
	int64		n_bytes;
	int			n_parts;		/* 0 = it was a plain put */
	uint64		crc64;			/* CRC-64/XZ of all bytes */
} SwUploadResult;

/* Contacts nobody.  key and source are copied. */
extern SwStatus sw_upload_begin(SwStore *store, const char *key,
								const SwUploadSource *source,
								const SwUploadOptions *options,
								MemoryContext cxt, SwUpload **upload_out,
								SwError *err);

/*
 * The bytes [0, n_available) can be read now.  Sends what can be sent at
 * this moment and takes in what has arrived, never waits.  What fails and
 * may be repeated is repeated by a later call; an error returned here is for
 * good, and sw_upload_finish would return it too.
 */
extern SwStatus sw_upload_advance(SwUpload *upload, int64 n_available,
								  SwError *err);

/*
 * The object has n_bytes, all of them readable now.  From here on
 * sw_upload_advance sends the rest as well, so that sw_upload_finish may
 * find nothing left to do.
 */
extern void sw_upload_set_end(SwUpload *upload, int64 n_bytes);

/*
 * The object has n_bytes: send the rest and see it through.  Waits, serves
 * interrupts (throws for those only), repeats what failed.  SW_OK: the object
 * is there under its key, whole and verified.  Else the caller aborts; an
 * err->retry of SW_RETRY_LATER means that a new upload may succeed.
 */
extern SwStatus sw_upload_finish(SwUpload *upload, int64 n_bytes,
								 SwUploadResult *result, SwError *err);

/* Is there nothing left to do for sw_upload_finish? */
extern bool sw_upload_is_done(const SwUpload *upload);

/*
 * Of the multipart upload at the store: NULL until it has been created, and
 * again when there is none any more (completed, aborted).
 */
extern const char *sw_upload_id(const SwUpload *upload);

/*
 * Break off what is on its way and abort the multipart upload, if there is
 * one.  Waits as sw_upload_finish does.  SW_OK also where the store has
 * forgotten the upload; SW_ERR_DENIED where the key may not abort, which
 * leaves the parts to a lifecycle rule of the bucket.
 */
extern SwStatus sw_upload_abort(SwUpload *upload, SwError *err);

/* Free it without a word to the store; safe after any of the above. */
extern void sw_upload_destroy(SwUpload *upload);

#endif							/* SW_UPLOAD_H */
