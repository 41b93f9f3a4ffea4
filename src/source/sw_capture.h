/*-------------------------------------------------------------------------
 *
 * sw_capture.h
 *	  Moments between which row versions become visible.
 *
 * A capture says of every transaction id whether its transaction had ended by
 * then.  The row versions that are new in the window between two captures are
 * those whose xmin had ended by the later and not by the earlier one: a
 * question that stored data alone answer, whenever it is asked.
 *
 * Of captures of one pipeline, each made with the one before:
 * - what had ended by one has ended by all later ones;
 * - each transaction is in one of them sooner or later;
 * - what had ended by a capture is durable once the transaction that made the
 *   capture has committed with synchronous_commit of "local" or more.
 *
 * Transaction ids are of 64 bits here: the server's own, and its epoch.
 *
 * A capture also knows what was active and, for each, an instant before which
 * it had not begun: so no row version of the window that begins at the
 * capture took an earlier now() (sw_capture_get_bound).  That rests on no
 * statistics; where the status array knows more, the first capture of a
 * pipeline uses it.
 *
 * And it knows the tables that rows come from, to tell whether one came from
 * elsewhere or was rewritten (sw_leaf.h).
 *
 * All memory is palloc'd in the current context.  Everything throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CAPTURE_H
#define SW_CAPTURE_H

#include "access/transam.h"
#include "access/xlogdefs.h"
#include "datatype/timestamp.h"

#include "source/sw_leaf.h"

/* Transaction ids first .. end - 1. */
typedef struct SwXidRun
{
	uint64		first;
	uint64		end;
} SwXidRun;

/* A virtual transaction (port/sw_virtual_xid.h), or the rest of a cut. */
typedef struct SwActive
{
	int32		slot;
	uint32		number;
	TimestampTz since;			/* not begun before; DT_NOBEGIN: not known */
} SwActive;

typedef struct SwCapture
{
	TimestampTz captured_at;	/* by the server's clock, before all else */
	uint64		xmin;			/* all below had ended */
	uint64		xmax;			/* of these and later ones none counts as
								 * ended */
	SwXidRun   *pending;		/* in between, ascending: had not ended */
	uint32		n_pending;		/* runs */
	uint64		next;			/* not given to any transaction yet */
	XLogRecPtr	position;		/* of the log, before all of this */
	XLogRecPtr	oldest_position;	/* no row version of a transaction that
									 * does not count as ended was logged
									 * before; 0: not known */
	bool		is_cut;			/* xmax is lower than it might be: there was
								 * too much to look at; the next capture goes
								 * on there */
	SwActive   *actives;
	uint32		n_actives;
	SwLeaf	   *leaves;			/* ascending by relid; none of a relation
								 * without row versions */
	uint32		n_leaves;
	SwRewrite  *rewrites;		/* of its leaves, since the capture before */
	uint32		n_rewrites;
} SwCapture;

/*
 * What is now.  before: the pipeline's last capture, or NULL for its first;
 * one that sw_capture_find_gap complains of is not looked at.  The caller's own
 * transaction counts as not ended.  Takes an AccessShareLock on relation;
 * needs a transaction, and no right.
 */
extern SwCapture *sw_capture_take(Oid relation, const SwCapture *before);

/*
 * No transaction that is new in the window from this capture on took a now()
 * below this: DT_NOBEGIN = not known.  slack_us, taken off, is for clocks; at
 * least ten seconds are.
 */
extern TimestampTz sw_capture_get_bound(const SwCapture *from,
										int64 slack_us);

/* Had it ended by then? */
extern bool sw_capture_has(const SwCapture *capture, uint64 xid);

/*
 * NULL: windows from this capture on can trust row versions.  Else why not,
 * as a sentence: the ids belong to another history, or are too old.
 */
extern const char *sw_capture_find_gap(const SwCapture *from);

/* As bytea, without captured_at; and back.  Bytes that make no sense throw. */
extern struct varlena *sw_capture_pack(const SwCapture *capture);
extern SwCapture *sw_capture_unpack(const struct varlena *content,
									TimestampTz captured_at);

/* A row's xmin, or any id not younger than next, as 64 bits. */
static inline uint64
sw_capture_widen(TransactionId xid, FullTransactionId next)
{
	uint64		full = U64FromFullTransactionId(next);

	if (!TransactionIdIsNormal(xid))
		return xid;
	return full - (uint32) ((uint32) full - xid);
}

#endif							/* SW_CAPTURE_H */
