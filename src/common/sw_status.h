/*-------------------------------------------------------------------------
 *
 * sw_status.h
 *	  Outcome of an operation, and the error that goes with a bad one.
 *
 * Everything below the floor of src/sync reports failure as a value: a
 * function returns SwStatus and fills the caller's SwError.  Nothing here
 * throws, so a caller can look at an error, retry, or ask the peer what
 * happened.  net/sw_report.h is the one bridge that turns an SwError into
 * an ereport().
 *
 * An SwError lives on the caller's stack, owns no memory, and is only
 * meaningful after a function returned something other than SW_OK.  Its
 * texts are already free of secrets (net/sw_redact.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_STATUS_H
#define SW_STATUS_H

typedef enum SwStatus
{
	SW_OK = 0,
	SW_ERR_CONNECT,				/* the peer could not be reached */
	SW_ERR_TLS,					/* the TLS handshake failed */
	SW_ERR_LOST,				/* an established connection broke */
	SW_ERR_TIMEOUT,				/* a deadline passed */
	SW_ERR_PROTOCOL,			/* the peer's bytes make no sense */
	SW_ERR_AUTH,				/* the peer refuses who we are */
	SW_ERR_DENIED,				/* the peer knows us; a right is missing */
	SW_ERR_MISSING,				/* bucket, database, object, ... not there */
	SW_ERR_REMOTE,				/* the warehouse refused a statement */
	SW_ERR_STORE,				/* the object store refused a request */
	SW_ERR_CONFIG,				/* our own settings cannot work */
	SW_ERR_UNSUPPORTED,			/* valid, but not something we can do */
	SW_ERR_RANGE,				/* a value the target cannot hold */
	SW_ERR_DATA,				/* a value that is not valid */
	SW_ERR_LIMIT,				/* one of our own limits was hit */
	SW_ERR_IO,					/* local disk */
	SW_ERR_MISMATCH,			/* a check after the fact failed */
	SW_ERR_BUG					/* cannot happen */
} SwStatus;

/* What a repeat of the same operation may hope for. */
typedef enum SwRetry
{
	SW_RETRY_NEVER = 0,			/* a repeat cannot cure it; a person must act */
	SW_RETRY_LATER,				/* nothing happened; a repeat may succeed */
	SW_RETRY_UNKNOWN			/* it may have happened; ask before repeating */
} SwRetry;

typedef struct SwError
{
	SwStatus	status;
	SwRetry		retry;
	int			remote_code;	/* warehouse error code or HTTP status, or 0 */
	char		message[512];	/* primary text: lower case, no full stop */
	char		detail[1024];	/* sentences, or "" */
	char		hint[1024];		/* sentences that say what to do, or "" */
} SwError;

/*
 * Return early when expr is not SW_OK.  The only macro of ours that changes
 * control flow.
 */
#define SW_TRY(expr) \
	do { \
		SwStatus	sw_try_status_ = (expr); \
		if (sw_try_status_ != SW_OK) \
			return sw_try_status_; \
	} while (0)

/*
 * Fill *err (all fields; detail and hint become "") and return status, so
 * that "return sw_error_set(err, ...)" reads well.  Texts too long are cut
 * at a character boundary.  err may not be NULL.
 */
extern SwStatus sw_error_set(SwError *err, SwStatus status, SwRetry retry,
							 const char *fmt,...) pg_attribute_printf(4, 5);

/* Replace the detail or the hint of an error already set. */
extern void sw_error_set_detail(SwError *err, const char *fmt,...) pg_attribute_printf(2, 3);
extern void sw_error_set_hint(SwError *err, const char *fmt,...) pg_attribute_printf(2, 3);

/* A stable lower-case word for logs and tests, e.g. "connect". */
extern const char *sw_status_name(SwStatus status);

#endif							/* SW_STATUS_H */
