/*-------------------------------------------------------------------------
 *
 * sw_virtual_xid.h
 *	  Virtual transactions and who runs them, on every server version.
 *
 * A virtual transaction is a slot (of a process that is or was there) and a
 * number that the slot gives but once as long as the server runs.  One that
 * is prepared keeps both; after a restart of the server it has the slot -1
 * and its transaction id for a number.
 *
 * 17 renamed backend ids to process numbers, and moved them.  Include after
 * postgres.h; backend only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_VIRTUAL_XID_H
#define SW_VIRTUAL_XID_H

#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/backend_status.h"

static inline int
sw_virtual_xid_slot(const VirtualTransactionId *vxid)
{
#if PG_VERSION_NUM >= 170000
	return vxid->procNumber;
#else
	return vxid->backendId;
#endif
}

/* The one that this process runs. */
static inline VirtualTransactionId
sw_virtual_xid_own(void)
{
	VirtualTransactionId own;

	GET_VXID_FROM_PGPROC(own, *MyProc);
	return own;
}

/* The process that is in a slot now, or NULL. */
static inline PGPROC *
sw_virtual_xid_process(int slot)
{
#if PG_VERSION_NUM >= 170000
	return ProcNumberGetProc(slot);
#else
	return BackendIdGetProc(slot);
#endif
}

/* The number of what a process runs now; looked at without a lock. */
static inline LocalTransactionId
sw_virtual_xid_running(const PGPROC *process)
{
#if PG_VERSION_NUM >= 170000
	return *(volatile const LocalTransactionId *) &process->vxid.lxid;
#else
	return *(volatile const LocalTransactionId *) &process->lxid;
#endif
}

/* Entry i, from 1, of the copy of the server's status array. */
static inline const PgBackendStatus *
sw_virtual_xid_status(int i)
{
#if PG_VERSION_NUM >= 160000
	return &pgstat_get_local_beentry_by_index(i)->backendStatus;
#else
	return pgstat_fetch_stat_beentry(i);
#endif
}

#endif							/* SW_VIRTUAL_XID_H */
