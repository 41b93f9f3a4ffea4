/*-------------------------------------------------------------------------
 *
 * sw_lock.c
 *	  The lock that says that somebody works on a pipeline.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lock.h"

#include "sync/sw_lock.h"

/* Makes our lock tags different from all others on extensions. */
#define PIPELINE_LOCK_CLASS 0x5357

/*
 * The server itself releases locks of a process that ends inside a
 * transaction; those held between transactions are left to their owner.
 */
static void
release_at_exit(int code, Datum arg)
{
	(void) code;
	(void) arg;
	if (!IsTransactionState())
		LockReleaseAll(DEFAULT_LOCKMETHOD, true);
}

bool
sw_lock_hold(int64 pipeline_id)
{
	static bool is_registered = false;
	LOCKTAG		tag;

	if (!is_registered)
	{
		before_shmem_exit(release_at_exit, (Datum) 0);
		is_registered = true;
	}
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId,
					   (uint32) pipeline_id, PIPELINE_LOCK_CLASS);
	switch (LockAcquire(&tag, ExclusiveLock, true, true))
	{
		case LOCKACQUIRE_OK:
			return true;
		case LOCKACQUIRE_ALREADY_HELD:
		case LOCKACQUIRE_ALREADY_CLEAR:
			/* It counts how often; once is enough. */
			LockRelease(&tag, ExclusiveLock, true);
			return true;
		case LOCKACQUIRE_NOT_AVAIL:
			return false;
	}
	return false;
}
