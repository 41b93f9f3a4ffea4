/*-------------------------------------------------------------------------
 *
 * sw_capture.c
 *	  Moments between which row versions become visible.
 *
 * The order of steps is what makes a capture right:
 *
 * 1. the time, and how long the log is;
 * 2. what is active in this database.  A transaction that is not seen here
 *	  took its now() after 1, or so shortly before that the slack covers it, or
 *	  has ended;
 * 3. the leaves.  What had replaced a leaf's file had ended before 4;
 * 4. a snapshot, and from it what had not ended.
 *
 * An id in progress is in the snapshot, as a transaction's or as a
 * subtransaction's; where there are more subtransactions than the snapshot
 * lists, each id is looked up.  That begins where the capture before ended: of
 * the ids below, only those that were pending then can still be.  It stops
 * after a number of ids (is_cut); the next capture goes on there.
 *
 * The caller's own ids are in no snapshot of its own; they are added, or looked
 * up like the others.
 *
 * Contract: sw_capture.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "port/sw_virtual_xid.h"
#include "source/sw_capture.h"

/* Ids that one capture looks up one by one. */
#define LOOKUPS_MAX UINT64CONST(0x1000000)

/* From this age on, ids are not trusted. */
#define AGE_MAX (UINT64CONST(1) << 30)

/* Clocks are never trusted to less. */
#define SLACK_MIN_US (10 * USECS_PER_SEC)

/* Not a slot: transactions that a cut capture has not looked at. */
#define SLOT_OF_CUT (-2)

/* Not a slot: prepared, and the server has started since. */
#define SLOT_OF_RECOVERED (-1)

static const SwActive *
find_active(const SwCapture *capture, int32 slot, uint32 number)
{
	uint32		i;

	for (i = 0; i < capture->n_actives; i++)
		if (capture->actives[i].slot == slot &&
			capture->actives[i].number == number)
			return &capture->actives[i];
	return NULL;
}

/* Everything that was not seen by that capture began after this. */
static TimestampTz
get_oldest_since(const SwCapture *capture)
{
	TimestampTz oldest = capture->captured_at;
	uint32		i;

	for (i = 0; i < capture->n_actives; i++)
		oldest = Min(oldest, capture->actives[i].since);
	return oldest;
}

/*
 * When what runs in a slot began, or before: by a copy of the status array
 * that is older than the list of what is active.  The entry is of this
 * transaction, or of an earlier one of the same process.
 */
static TimestampTz
look_up_start(const VirtualTransactionId *vxid)
{
	PGPROC	   *process = sw_virtual_xid_process(sw_virtual_xid_slot(vxid));
	int			n_entries = pgstat_fetch_stat_numbackends();
	int			pid;
	int			i;

	if (process == NULL)
		return PgStartTime;
	pid = process->pid;
	/* a prepared one is not what runs in its slot */
	if (sw_virtual_xid_running(process) != vxid->localTransactionId)
		return PgStartTime;
	for (i = 1; i <= n_entries; i++)
	{
		const PgBackendStatus *entry = sw_virtual_xid_status(i);

		if (entry != NULL && entry->st_procpid == pid &&
			entry->st_xact_start_timestamp != 0)
			return entry->st_xact_start_timestamp;
	}
	return PgStartTime;
}

static TimestampTz
find_since(const VirtualTransactionId *vxid, const SwCapture *before)
{
	const SwActive *known;
	int			slot = sw_virtual_xid_slot(vxid);

	if (before != NULL)
	{
		known = find_active(before, slot, vxid->localTransactionId);
		if (known != NULL)
			return known->since;
		/* It may have been active before the server started again. */
		if (slot == SLOT_OF_RECOVERED)
			return get_oldest_since(before);
		return before->captured_at;
	}
	if (slot == SLOT_OF_RECOVERED)
		return DT_NOBEGIN;
	if (VirtualTransactionIdEquals(*vxid, sw_virtual_xid_own()))
		return GetCurrentTransactionStartTimestamp();
	return look_up_start(vxid);
}

static void
add_active(SwCapture *capture, int32 slot, uint32 number, TimestampTz since)
{
	SwActive   *active;

	/* While one is being prepared, it is there twice. */
	if (find_active(capture, slot, number) != NULL)
		return;
	active = &capture->actives[capture->n_actives++];
	active->slot = slot;
	active->number = number;
	active->since = Min(since, capture->captured_at);
}

static void
list_actives(SwCapture *capture, const SwCapture *before)
{
	VirtualTransactionId own = sw_virtual_xid_own();
	VirtualTransactionId *vxids;
	int			n_vxids;
	int			i;

	if (before == NULL)
	{
		/* before the list: see look_up_start */
		pgstat_clear_backend_activity_snapshot();
		(void) pgstat_fetch_stat_numbackends();
	}
	/* A VACUUM, which may take hours, adds no row; nor do other databases. */
	vxids = GetCurrentVirtualXIDs(InvalidTransactionId, false, false,
								  PROC_IN_VACUUM, &n_vxids);
	/* and our own, and a cut */
	capture->actives = palloc(sizeof(SwActive) * (n_vxids + 2));
	add_active(capture, sw_virtual_xid_slot(&own), own.localTransactionId,
			   find_since(&own, before));
	for (i = 0; i < n_vxids; i++)
		add_active(capture, sw_virtual_xid_slot(&vxids[i]),
				   vxids[i].localTransactionId,
				   find_since(&vxids[i], before));
}

static void
list_leaves(SwCapture *capture, Oid relation, const SwCapture *before)
{
	SwLeafChange *changes;
	uint32		n_changes;

	LockRelationOid(relation, AccessShareLock);
	capture->leaves = sw_leaf_list(relation, &capture->n_leaves);
	if (before == NULL)
		return;
	changes = sw_leaf_compare(before->leaves, before->n_leaves,
							  capture->leaves, capture->n_leaves, &n_changes);
	capture->rewrites = sw_leaf_find_rewrites(changes, n_changes, before->xmin,
											  &capture->n_rewrites);
}

/* In ascending order. */
static void
add_pending(SwCapture *capture, uint64 xid)
{
	uint32		n = capture->n_pending;

	if (n > 0 && xid < capture->pending[n - 1].end)
		return;
	if (n > 0 && xid == capture->pending[n - 1].end)
	{
		capture->pending[n - 1].end++;
		return;
	}
	/* room is made by powers of two */
	if (n == 0)
		capture->pending = palloc(sizeof(SwXidRun) * 4);
	else if (n >= 4 && (n & (n - 1)) == 0)
		capture->pending = repalloc_huge(capture->pending,
										 sizeof(SwXidRun) * n * 2);
	capture->pending[n].first = xid;
	capture->pending[n].end = xid + 1;
	capture->n_pending++;
}

/*
 * Whose parent a new subtransaction is gets known after its id: for a moment
 * the snapshot takes it for ended.  The log of what has ended does not, and
 * when it does, the parent is known; so this is the order to ask in.
 */
static bool
is_pending(TransactionId xid, Snapshot snapshot)
{
	return !(TransactionIdDidCommit(xid) || TransactionIdDidAbort(xid)) ||
		XidInMVCCSnapshot(xid, snapshot);
}

static void
look_up(SwCapture *capture, Snapshot snapshot, uint64 first, uint64 end)
{
	uint64		xid;

	for (xid = first; xid < end; xid++)
	{
		if ((xid & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (TransactionIdIsNormal((TransactionId) xid) &&
			is_pending((TransactionId) xid, snapshot))
			add_pending(capture, xid);
	}
}

/* Where the snapshot does not list them all. */
static void
look_up_pending(SwCapture *capture, Snapshot snapshot,
				const SwCapture *before)
{
	uint64		first = capture->xmin;
	uint32		i;

	if (before != NULL)
	{
		for (i = 0; i < before->n_pending; i++)
			look_up(capture, snapshot,
					Max(before->pending[i].first, capture->xmin),
					before->pending[i].end);
		first = Max(first, before->xmax);
	}
	if (capture->xmax > first && capture->xmax - first > LOOKUPS_MAX)
	{
		capture->xmax = first + LOOKUPS_MAX;
		capture->is_cut = true;
	}
	look_up(capture, snapshot, first, capture->xmax);
}

static int
compare_xids(const void *a, const void *b)
{
	uint64		one = *(const uint64 *) a;
	uint64		other = *(const uint64 *) b;

	return one < other ? -1 : one > other;
}

static void
list_pending(SwCapture *capture, Snapshot snapshot, FullTransactionId next)
{
	uint32		n_own = MyProc->subxidStatus.count;
	uint64	   *xids = palloc(sizeof(uint64) *
							  (snapshot->xcnt + snapshot->subxcnt + n_own + 1));
	uint32		n = 0;
	uint32		k;
	int32		i;

	for (k = 0; k < snapshot->xcnt; k++)
		xids[n++] = sw_capture_widen(snapshot->xip[k], next);
	for (i = 0; i < snapshot->subxcnt; i++)
		xids[n++] = sw_capture_widen(snapshot->subxip[i], next);
	for (k = 0; k < n_own; k++)
		xids[n++] = sw_capture_widen(MyProc->subxids.xids[k], next);
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		xids[n++] = sw_capture_widen(GetTopTransactionIdIfAny(), next);
	qsort(xids, n, sizeof(uint64), compare_xids);
	for (k = 0; k < n; k++)
		if (xids[k] < capture->xmax)
			add_pending(capture, xids[k]);
	pfree(xids);
}

/* From where on the log has what did not count as ended. */
static XLogRecPtr
find_oldest_position(const SwCapture *capture, const SwCapture *before)
{
	if (capture->xmin >= capture->next)
		return capture->position;
	if (before == NULL)
		return InvalidXLogRecPtr;
	return capture->xmin >= before->next && !capture->is_cut ?
		before->position : before->oldest_position;
}

static void
list_transactions(SwCapture *capture, const SwCapture *before)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	FullTransactionId next = ReadNextFullTransactionId();

	capture->next = U64FromFullTransactionId(next);
	capture->xmin = sw_capture_widen(snapshot->xmin, next);
	capture->xmax = sw_capture_widen(snapshot->xmax, next);
	if (before != NULL)
		capture->xmax = Max(capture->xmax, before->xmax);
	if (snapshot->suboverflowed || snapshot->takenDuringRecovery ||
		MyProc->subxidStatus.overflowed)
		look_up_pending(capture, snapshot, before);
	else
		list_pending(capture, snapshot, next);
	UnregisterSnapshot(snapshot);
	if (capture->is_cut)
		add_active(capture, SLOT_OF_CUT, 0,
				   before != NULL ? get_oldest_since(before) : DT_NOBEGIN);
	capture->oldest_position = find_oldest_position(capture, before);
}

SwCapture *
sw_capture_take(Oid relation, const SwCapture *before)
{
	SwCapture  *capture = palloc0(sizeof(SwCapture));

	if (before != NULL && sw_capture_find_gap(before) != NULL)
		before = NULL;
	capture->captured_at = GetCurrentTimestamp();
	if (!RecoveryInProgress())
		capture->position = GetXLogInsertRecPtr();
	list_actives(capture, before);
	list_leaves(capture, relation, before);
	list_transactions(capture, before);
	return capture;
}

TimestampTz
sw_capture_get_bound(const SwCapture *from, int64 slack_us)
{
	TimestampTz oldest = get_oldest_since(from);

	slack_us = Max(slack_us, SLACK_MIN_US);
	if (TIMESTAMP_IS_NOBEGIN(oldest) || oldest < MIN_TIMESTAMP + slack_us)
		return DT_NOBEGIN;
	return oldest - slack_us;
}

bool
sw_capture_has(const SwCapture *capture, uint64 xid)
{
	uint32		low = 0;
	uint32		high = capture->n_pending;

	if (xid < capture->xmin)
		return true;
	if (xid >= capture->xmax)
		return false;
	/* the first run that does not end below it */
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (capture->pending[middle].end <= xid)
			low = middle + 1;
		else
			high = middle;
	}
	return low == capture->n_pending || xid < capture->pending[low].first;
}

const char *
sw_capture_find_gap(const SwCapture *from)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());

	if (next < from->xmax)
		return psprintf("The next transaction id is %llu, and %llu was reached before: the database has another history.",
						(unsigned long long) next,
						(unsigned long long) from->xmax);
	if (next - from->xmin > AGE_MAX)
		return psprintf("%llu transaction ids were used since.",
						(unsigned long long) (next - from->xmin));
	return NULL;
}
