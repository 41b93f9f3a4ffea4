/*-------------------------------------------------------------------------
 *
 * sw_row_test.h
 *	  Which row versions a query gives: those that are new in a window.
 *
 * The text of a query speaks of parameters, and the condition names xmin, so
 * the planner tests every row where it is read:
 *
 *	  CASE WHEN xmin = '0'::xid THEN true ELSE $1 END
 *
 * $1 is no constant: the executor asks this file about the row at hand
 * (EEOP_PARAM_CALLBACK).  So no function exists that somebody would need a
 * right for, and no list of ids is in the text.
 *
 * Parameters: $1 boolean: is this version in the windows?  $2 timestamptz: the
 * bound of the window that the version $1 was just asked about is in,
 * -infinity where it has none.
 *
 * Of a relation some of whose tables have row versions, and others not, only
 * the former are read: the latter were attached after the windows began.
 *
 * The ids of the bootstrap, and versions frozen before 9.4, are in no window
 * that begins at a capture.
 *
 * Every version passes where the rendezvous variable "sensorswave_export row
 * test" is a pointer to a bool that is true: a test's way to see what a window
 * of time alone would do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_ROW_TEST_H
#define SW_ROW_TEST_H

#include "nodes/params.h"
#include "storage/itemptr.h"

#include "source/sw_capture.h"

/* Versions that had ended by "to" and not by "from". */
typedef struct SwVersionWindow
{
	const SwCapture *from;		/* NULL: from the beginning */
	const SwCapture *to;
	TimestampTz bound;			/* rows whose cursor lies below were left to
								 * the sweep; DT_NOBEGIN: none */
} SwVersionWindow;

typedef struct SwRowTest
{
	const SwVersionWindow *windows; /* oldest first; none begins before the
									 * one before it ends */
	int			n_windows;
	bool		is_sweep;		/* of each window only what was left out; else
								 * the bounds are not looked at */
	const SwRewrite *rewrites;	/* left out; NULL for none */
	int			n_rewrites;
	bool		is_of_rewrites; /* only these, whatever the windows */
} SwRowTest;

/*
 * The rewrites that a test over these windows must leave out, once they are
 * held (sw_leaf_hold) with those changes: those that its captures tell of, and
 * those since.  Sets test->rewrites.  Not for upserts: a row too many does no
 * harm there, and one too few would stay away.
 */
extern void sw_row_test_add_rewrites(SwRowTest *test,
									 const SwLeafChange *changes,
									 uint32 n_changes);

/* ---- for sw_read.c ---- */

typedef struct SwRowJudge SwRowJudge;

/*
 * What a query is parsed, planned and run with.  test: or NULL, then it has no
 * parameters.  leaf: of the relation that the query's FROM begins with, all
 * other leaves are left out of the plan; or InvalidOid.
 *
 * Memory is the current context's; test must outlive it.  Needs the active
 * snapshot that the query is to be run with.
 */
extern SwRowJudge *sw_row_judge_create(const SwRowTest *test, Oid leaf);

/* Its parameters, for parser, planner and executor. */
extern ParamListInfo sw_row_judge_params(SwRowJudge *judge);

/*
 * Was the version at that place, which has passed the test, made by an UPDATE?
 * To be asked about each row that the query gives, once and in their order.
 * Where the plan keeps more rows back than there is memory for, the answer may
 * be true for one that was not.
 */
extern bool sw_row_judge_take_updated(SwRowJudge *judge, Oid leaf,
									  const ItemPointerData * place);

#endif							/* SW_ROW_TEST_H */
