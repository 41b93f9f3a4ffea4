/*-------------------------------------------------------------------------
 *
 * sw_row_test.c
 *	  Which row versions a query gives: those that are new in a window.
 *
 * The condition names xmin, a column of the table, so the planner can neither
 * evaluate it once for all rows nor read an index alone, and puts it on the
 * scan of the table, whatever is joined or sorted above.  There the row at
 * hand is the scan's tuple, as it is in its buffer.
 *
 * Whether an UPDATE made a version is in its header, and no SQL tells.  It is
 * kept from the test until the row arrives: mostly that is the row that has
 * passed last; where the plan keeps rows back, a table of those that are on
 * their way tells, by where they lie.  Rows that a later condition has refused
 * stay in it, so its size has a limit.
 *
 * Contract: sw_row_test.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/execExpr.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/paths.h"
#include "parser/parse_node.h"
#include "storage/bufmgr.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "source/sw_relation.h"
#include "source/sw_row_test.h"

#define PARAM_IS_NEW 1
#define PARAM_BOUND 2
#define N_PARAMS 2

/* Rows on their way that are remembered: some 16 MB. */
#define ON_THEIR_WAY_MAX 262144

/* Where a row lies.  Compared as bytes. */
typedef struct RowPlace
{
	Oid			leaf;
	BlockNumber block;
	uint32		offset;
} RowPlace;

struct SwRowJudge
{
	const SwRowTest *test;
	Oid			leaf;
	ParamListInfo params;
	MemoryContext context;
	FullTransactionId next;		/* no visible row has this or a later xmin */
	bool		is_naive;		/* every version passes */
	TransactionId last_xmin;	/* last_window is its answer */
	int			last_window;
	RowPlace	last_place;		/* of the row that has passed last, */
	bool		last_is_updated;	/* made by an UPDATE, */
	bool		last_is_taken;	/* and has arrived */
	HTAB	   *on_their_way;	/* of RowPlace; or NULL */
	bool		has_forgotten;	/* some of them */
};

/* Index of the window that has it, or -1. */
static int
find_window(const SwRowTest *test, uint64 xid)
{
	int			low = 0;
	int			high = test->n_windows;

	/* the first whose end has it */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (sw_capture_has(test->windows[middle].to, xid))
			high = middle;
		else
			low = middle + 1;
	}
	if (low == test->n_windows ||
		(test->windows[low].from != NULL &&
		 sw_capture_has(test->windows[low].from, xid)))
		return -1;
	return low;
}

static bool
is_rewritten(const SwRowTest *test, Oid leaf, uint64 xid)
{
	int			i;

	for (i = 0; i < test->n_rewrites; i++)
		if (test->rewrites[i].relid == leaf && test->rewrites[i].xid == xid)
			return true;
	return false;
}

static bool
judge_version(SwRowJudge *judge, Oid leaf, TransactionId xmin)
{
	const SwRowTest *test = judge->test;
	uint64		xid;

	if (xmin != judge->last_xmin)
	{
		xid = sw_capture_widen(xmin, judge->next);
		judge->last_window = find_window(test, xid);
		judge->last_xmin = xmin;
	}
	if (judge->is_naive)
		return true;
	if (test->n_rewrites > 0)
	{
		xid = sw_capture_widen(xmin, judge->next);
		if (test->is_of_rewrites || is_rewritten(test, leaf, xid))
			return test->is_of_rewrites && is_rewritten(test, leaf, xid);
	}
	if (judge->last_window < 0 || test->is_of_rewrites)
		return false;
	return !test->is_sweep ||
		!TIMESTAMP_IS_NOBEGIN(test->windows[judge->last_window].bound);
}

static RowPlace
get_place(Oid leaf, const ItemPointerData * tid)
{
	RowPlace	place;

	place.leaf = leaf;
	place.block = ItemPointerGetBlockNumberNoCheck(tid);
	place.offset = ItemPointerGetOffsetNumberNoCheck(tid);
	return place;
}

/* The last row that has passed is not here yet, and another passes. */
static void
remember_last(SwRowJudge *judge)
{
	if (judge->on_their_way == NULL)
	{
		HASHCTL		control = {
			.keysize = sizeof(RowPlace),
			.entrysize = sizeof(RowPlace),
			.hcxt = judge->context
		};

		judge->on_their_way = hash_create("SwRowJudge rows", 1024, &control,
										  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	else if (hash_get_num_entries(judge->on_their_way) >= ON_THEIR_WAY_MAX)
	{
		hash_destroy(judge->on_their_way);
		judge->on_their_way = NULL;
		judge->has_forgotten = true;
		remember_last(judge);
		return;
	}
	(void) hash_search(judge->on_their_way, &judge->last_place, HASH_ENTER,
					   NULL);
}

static void
note_passed(SwRowJudge *judge, HeapTuple tuple, Oid leaf)
{
	if (judge->last_is_updated && !judge->last_is_taken)
		remember_last(judge);
	judge->last_place = get_place(leaf, &tuple->t_self);
	judge->last_is_updated = (tuple->t_data->t_infomask & HEAP_UPDATED) != 0;
	judge->last_is_taken = false;
}

bool
sw_row_judge_take_updated(SwRowJudge *judge, Oid leaf,
						  const ItemPointerData * place)
{
	RowPlace	arrived = get_place(leaf, place);
	bool		was_on_its_way = false;

	if (!judge->last_is_taken &&
		memcmp(&arrived, &judge->last_place, sizeof(RowPlace)) == 0)
	{
		judge->last_is_taken = true;
		return judge->last_is_updated;
	}
	if (judge->on_their_way != NULL)
		(void) hash_search(judge->on_their_way, &arrived, HASH_REMOVE,
						   &was_on_its_way);
	return was_on_its_way || judge->has_forgotten;
}

/*
 * Ids come round again after 2^32.  Only a frozen version can be so old; its
 * page tells, unless something else has happened there since.  An unlogged
 * page, or one that its transaction wrote without logging it, tells nothing.
 */
static bool
is_of_last_round(const SwRowJudge *judge, TupleTableSlot *slot,
				 HeapTuple tuple)
{
	const SwCapture *from;
	Buffer		buffer;
	XLogRecPtr	written;

	if (EpochFromFullTransactionId(judge->next) == 0 ||
		judge->last_window < 0 ||
		!HeapTupleHeaderXminFrozen(tuple->t_data) ||
		!TTS_IS_BUFFERTUPLE(slot))
		return false;
	from = judge->test->windows[judge->last_window].from;
	if (from == NULL)
		return false;
	buffer = ((BufferHeapTupleTableSlot *) slot)->buffer;
	if (!BufferIsValid(buffer))
		return false;
	written = BufferGetLSNAtomic(buffer);
	return !XLogRecPtrIsInvalid(written) && written < from->oldest_position;
}

/* The row at hand: the executor's callback for a parameter. */
static void
judge_row(ExprState *state, ExprEvalStep *step, ExprContext *econtext)
{
	SwRowJudge *judge = (SwRowJudge *) step->d.cparam.paramarg;
	const SwRowTest *test = judge->test;
	TupleTableSlot *slot = econtext->ecxt_scantuple;
	HeapTuple	tuple;
	bool		has_passed;

	(void) state;
	*step->resnull = false;
	if (step->d.cparam.paramid == PARAM_BOUND)
	{
		TimestampTz bound = judge->last_window < 0 ? DT_NOBEGIN :
		test->windows[judge->last_window].bound;

		*step->resvalue = TimestampTzGetDatum(bound);
		return;
	}
	if (slot == NULL || TTS_EMPTY(slot) ||
		!(TTS_IS_BUFFERTUPLE(slot) || TTS_IS_HEAPTUPLE(slot)) ||
		((HeapTupleTableSlot *) slot)->tuple == NULL)
		elog(ERROR, "row version is asked for where there is none");
	tuple = ((HeapTupleTableSlot *) slot)->tuple;
	has_passed = judge_version(judge, slot->tts_tableOid,
							   HeapTupleHeaderGetRawXmin(tuple->t_data)) &&
		!is_of_last_round(judge, slot, tuple);
	if (has_passed)
		note_passed(judge, tuple, slot->tts_tableOid);
	*step->resvalue = BoolGetDatum(has_passed);
}

static void
compile_param(ParamListInfo params, Param *param, ExprState *state,
			  Datum *value, bool *is_null)
{
	ExprEvalStep step = {0};

	step.opcode = EEOP_PARAM_CALLBACK;
	step.resvalue = value;
	step.resnull = is_null;
	step.d.cparam.paramfunc = judge_row;
	step.d.cparam.paramarg = params->paramCompileArg;
	step.d.cparam.paramid = param->paramid;
	step.d.cparam.paramtype = param->paramtype;
	ExprEvalPushStep(state, &step);
}

/* The planner asks for values to plan with: there are none. */
static ParamExternData *
fetch_param(ParamListInfo params, int number, bool is_speculative,
			ParamExternData *workspace)
{
	(void) params;
	if (!is_speculative)
		elog(ERROR, "parameter $%d has no value outside of a scan", number);
	memset(workspace, 0, sizeof(*workspace));
	workspace->isnull = true;
	workspace->ptype = InvalidOid;
	return workspace;
}

static Node *
resolve_param(ParseState *pstate, ParamRef *reference)
{
	const SwRowJudge *judge = pstate->p_ref_hook_state;
	Param	   *param;

	if (reference->number < 1 || reference->number > judge->params->numParams)
		return NULL;
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = reference->number;
	param->paramtype = reference->number == PARAM_BOUND ? TIMESTAMPTZOID :
		BOOLOID;
	param->paramtypmod = -1;
	param->paramcollid = InvalidOid;
	param->location = reference->location;
	return (Node *) param;
}

static void
set_up_parser(ParseState *pstate, void *arg)
{
	pstate->p_ref_hook_state = arg;
	pstate->p_paramref_hook = resolve_param;
}

/* ---- leaves ---- */

static set_rel_pathlist_hook_type next_pathlist_hook = NULL;

/*
 * One leaf was asked for, or rows are tested, and there they cannot be: a
 * foreign table, attached since the windows began.
 */
static bool
is_left_out(const SwRowJudge *judge, Oid leaf)
{
	if (OidIsValid(judge->leaf) && leaf != judge->leaf)
		return true;
	return judge->test != NULL && !sw_relation_is_versioned(leaf);
}

/*
 * Leaves that are not asked for are not scanned.  The planner prunes by the
 * bounds of partitions, and not by tableoid.  Whose plan it is shows by the
 * parameters: those of a judge are of no other query.
 */
static void
leave_out_leaf(PlannerInfo *root, RelOptInfo *rel, Index rti,
			   RangeTblEntry *rte)
{
	ParamListInfo params = root->glob->boundParams;

	if (next_pathlist_hook != NULL)
		next_pathlist_hook(root, rel, rti, rte);
	if (params == NULL || params->paramFetch != fetch_param ||
		root->parent_root != NULL)
		return;
	if (rel->reloptkind == RELOPT_OTHER_MEMBER_REL &&
		bms_is_member(1, rel->top_parent_relids) &&
		rte->rtekind == RTE_RELATION &&
		rte->relkind != RELKIND_PARTITIONED_TABLE &&
		is_left_out(params->paramFetchArg, rte->relid))
		mark_dummy_rel(rel);
}

static void
install_hook(void)
{
	static bool is_installed = false;

	if (is_installed)
		return;
	next_pathlist_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = leave_out_leaf;
	is_installed = true;
}

/* ---- the whole ---- */

static bool
is_naive_wanted(void)
{
	const bool *const *wanted = (const bool *const *)
	find_rendezvous_variable("sensorswave_export row test");

	return *wanted != NULL && **wanted;
}

SwRowJudge *
sw_row_judge_create(const SwRowTest *test, Oid leaf)
{
	SwRowJudge *judge = palloc0(sizeof(SwRowJudge));

	judge->test = test;
	judge->leaf = leaf;
	judge->context = CurrentMemoryContext;
	judge->next = ReadNextFullTransactionId();
	judge->is_naive = is_naive_wanted();
	judge->last_xmin = InvalidTransactionId;
	judge->last_window = -1;
	judge->last_is_taken = true;
	judge->params = makeParamList(test != NULL ? N_PARAMS : 0);
	judge->params->paramFetch = fetch_param;
	judge->params->paramFetchArg = judge;
	judge->params->paramCompile = compile_param;
	judge->params->paramCompileArg = judge;
	judge->params->parserSetup = set_up_parser;
	judge->params->parserSetupArg = judge;
	if (test != NULL || OidIsValid(leaf))
		install_hook();
	return judge;
}

ParamListInfo
sw_row_judge_params(SwRowJudge *judge)
{
	return judge->params;
}

void
sw_row_test_add_rewrites(SwRowTest *test, const SwLeafChange *changes,
						 uint32 n_changes)
{
	const SwCapture *last = test->windows[test->n_windows - 1].to;
	SwRewrite  *since;
	SwRewrite  *all;
	uint32		n_since;
	int			n = 0;
	int			i;

	since = sw_leaf_find_rewrites(changes, n_changes, last->xmin, &n_since);
	for (i = 0; i < test->n_windows; i++)
		n += test->windows[i].to->n_rewrites;
	all = palloc(sizeof(SwRewrite) * (n + n_since + 1));
	n = 0;
	for (i = 0; i < test->n_windows; i++)
	{
		const SwCapture *to = test->windows[i].to;

		if (to->n_rewrites > 0)
			memcpy(all + n, to->rewrites, sizeof(SwRewrite) * to->n_rewrites);
		n += to->n_rewrites;
	}
	memcpy(all + n, since, sizeof(SwRewrite) * n_since);
	test->rewrites = all;
	test->n_rewrites = n + n_since;
}
