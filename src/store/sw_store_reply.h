/*-------------------------------------------------------------------------
 *
 * sw_store_reply.h
 *	  What the documents of an object store say: errors, lists, upload ids.
 *
 * A document is XML (S3) or JSON (TOS); the names in it are the same but for
 * a few.  It is hostile: nothing here trusts its form, its length or its
 * texts, and texts for users must still be redacted.
 *
 * Pure; compiled for fuzzers and unit tests too.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STORE_REPLY_H
#define SW_STORE_REPLY_H

#include "common/sw_status.h"

#define SW_STORE_ETAG_SIZE	80
#define SW_STORE_CODE_SIZE	64
#define SW_STORE_MARKER_SIZE 2048
#define SW_STORE_UPLOAD_ID_SIZE 1024

/* What a store says about its refusal; "" where it is silent. */
typedef struct SwStoreComplaint
{
	char		code[SW_STORE_CODE_SIZE];
	char		message[512];
	char		request_id[128];
	char		error_number[64];	/* finer than code: EC of TOS */
	char		region[64];		/* where the bucket is */
	char		endpoint[256];	/* what to talk to instead */
	char		server_time[64];
} SwStoreComplaint;

/* One line of a list. */
typedef struct SwStoreEntry
{
	char	   *key;			/* object or upload; of a failed deletion */
	char	   *upload_id;		/* uploads only, else NULL */
	char	   *etag;			/* objects only, else NULL */
	char	   *code;			/* failed deletions only, else NULL */
	char	   *message;		/* likewise */
	int64		n_bytes;		/* objects; -1 = not told */
} SwStoreEntry;

/* A page of a list: objects, uploads, or deletions that failed. */
typedef struct SwStorePage
{
	SwStoreEntry *entries;
	int			n_entries;
	bool		is_truncated;	/* there are more pages */
	char		marker[SW_STORE_MARKER_SIZE];	/* where the next one begins */
	char		upload_marker[SW_STORE_UPLOAD_ID_SIZE]; /* uploads: likewise */
} SwStorePage;

/* Read what there is of an error document; never fails. */
extern void sw_store_read_complaint(const char *document, Size len,
									SwStoreComplaint *complaint);

/*
 * Read a page of objects, of uploads, or what could not be deleted.
 * Everything is palloc'd in the current context, at most some multiple of
 * len.  SW_ERR_PROTOCOL if the document is not such a list, whole and sound.
 */
extern SwStatus sw_store_read_objects(const char *document, Size len,
									  SwStorePage *page, SwError *err);
extern SwStatus sw_store_read_uploads(const char *document, Size len,
									  SwStorePage *page, SwError *err);
extern SwStatus sw_store_read_deletions(const char *document, Size len,
										SwStorePage *page, SwError *err);

/* The id of an upload that was begun. */
extern SwStatus sw_store_read_upload_id(const char *document, Size len,
										char upload_id[SW_STORE_UPLOAD_ID_SIZE],
										SwError *err);

/* The ETag of an upload that was completed. */
extern SwStatus sw_store_read_completion(const char *document, Size len,
										 char etag[SW_STORE_ETAG_SIZE],
										 SwError *err);

#endif							/* SW_STORE_REPLY_H */
