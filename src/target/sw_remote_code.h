/*-------------------------------------------------------------------------
 *
 * sw_remote_code.h
 *	  What an exception of the warehouse is about, by its code and words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_REMOTE_CODE_H
#define SW_REMOTE_CODE_H

typedef enum SwRemoteCause
{
	SW_REMOTE_LOGIN,
	SW_REMOTE_ADDRESS,
	SW_REMOTE_RIGHT,
	SW_REMOTE_READ_ONLY,
	SW_REMOTE_DATABASE,
	SW_REMOTE_TABLE,
	SW_REMOTE_MISFIT,
	SW_REMOTE_VALUE,
	SW_REMOTE_TABLE_THERE,
	SW_REMOTE_KEY,
	SW_REMOTE_EDITION,
	SW_REMOTE_NEWER,
	SW_REMOTE_PROTOCOL,
	SW_REMOTE_WAREHOUSE,
	SW_REMOTE_WORKERS,
	SW_REMOTE_STORE_RIGHT,
	SW_REMOTE_STORE_BUCKET,
	SW_REMOTE_STORE_OBJECT,
	SW_REMOTE_STORE_KEY,
	SW_REMOTE_STORE_URL,
	SW_REMOTE_STORE_OTHER,
	SW_REMOTE_FILE,
	SW_REMOTE_TIME_LIMIT,
	SW_REMOTE_MEMORY,
	SW_REMOTE_DISK,
	SW_REMOTE_PARTS,
	SW_REMOTE_BUSY,
	SW_REMOTE_QUOTA,
	SW_REMOTE_CANCELLED,
	SW_REMOTE_NETWORK,
	SW_REMOTE_CONFLICT,
	SW_REMOTE_OUTCOME,
	SW_REMOTE_REFUSAL
} SwRemoteCause;

/* SW_REMOTE_REFUSAL where nothing more is known. */
extern SwRemoteCause sw_remote_find_cause(int code, const char *text);

#endif							/* SW_REMOTE_CODE_H */
