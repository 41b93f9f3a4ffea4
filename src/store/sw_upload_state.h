/*-------------------------------------------------------------------------
 *
 * sw_upload_state.h
 *	  An upload on its way: what sw_upload.c and sw_upload_step.c share.
 *	  Nobody else includes this.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_UPLOAD_STATE_H
#define SW_UPLOAD_STATE_H

#include "net/sw_resource.h"
#include "store/sw_store_kind.h"
#include "store/sw_upload.h"
#include "store/sw_upload_md5.h"

typedef enum SwUploadPhase
{
	SW_UPLOAD_BEGIN,			/* nothing sent */
	SW_UPLOAD_PUT,				/* it is one object of one part */
	SW_UPLOAD_CREATE,			/* asking for an upload id */
	SW_UPLOAD_PARTS,			/* parts are on their way, or to come */
	SW_UPLOAD_COMPLETE,			/* putting them together */
	SW_UPLOAD_RESOLVE,			/* looking whether that was done */
	SW_UPLOAD_DONE,
	SW_UPLOAD_FAILED			/* for good; failure says why */
} SwUploadPhase;

/* One operation and its attempts. */
typedef struct SwUploadTask
{
	SwUpload   *upload;
	bool		is_used;
	int64		offset;			/* of its body in the source */
	SwBody		body;
	SwStoreRequest request;
	SwStoreRetry retry;
	SwStoreCall *call;			/* the attempt on its way, or NULL */
} SwUploadTask;

struct SwUpload
{
	MemoryContext cxt;			/* owns the upload, the struct too */
	SwResource *owner;			/* in the caller's context; deletes cxt */
	SwStore    *store;
	char	   *key;
	SwUploadSource source;
	int64		part_bytes;
	int			parts_in_flight;

	SwUploadPhase phase;
	SwError		failure;
	bool		is_patient;		/* more bytes to come: never give up */
	char	   *id;				/* of the multipart upload, or NULL */
	bool		may_have_strays;	/* uploads whose ids were lost */

	int64		n_available;
	int64		n_bytes;		/* -1 = not known yet */
	int64		n_begun;		/* bytes of the parts so far */
	int			n_parts;		/* begun */
	int			n_confirmed;	/* of these, without a gap */
	int64		n_released;		/* bytes of these */
	SwStorePart *parts;			/* number 0 = not confirmed */
	uint64	   *part_crcs;
	int			max_parts;		/* room for these */
	uint64		crc64;			/* of the confirmed parts; of all when done */
	SwUploadMd5 ahead;			/* of parts not begun, where they are wanted */

	SwUploadTask *tasks;		/* parts_in_flight of them */
};

/* ---- sw_upload_step.c ---- */

/*
 * Do what can be done without waiting.  true: something moved, and there may
 * be more to do.
 */
extern bool sw_upload_step(SwUpload *upload);

/* Break off what is on its way. */
extern void sw_upload_cancel_tasks(SwUpload *upload);

/* It is over, for good. */
extern void sw_upload_fail(SwUpload *upload, const SwError *err);

#endif							/* SW_UPLOAD_STATE_H */
