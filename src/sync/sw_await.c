/*-------------------------------------------------------------------------
 *
 * sw_await.c
 *	  Waiting for a backfill or a run that a worker does.
 *
 * Contract: sw_await.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "net/sw_wait.h"
#include "sync/sw_await.h"

/* Looks become rarer: what takes long may be noticed a bit later. */
#define FIRST_PAUSE_MS 20
#define LONGEST_PAUSE_MS 1000

typedef struct Kind
{
	const char *name;
	const char *view;
	SwAwaited  *(*look) (int64 id);
} Kind;

static const Kind kinds[] = {
	[SW_AWAIT_BACKFILL] = {"backfill", "sw_backfills", sw_cat_backfill_look},
	[SW_AWAIT_RUN] = {"run", "sw_runs", sw_cat_run_look}
};

static void
check_visible(const Kind *kind, int64 id, const SwAwaited *awaited)
{
	if (awaited == NULL || !sw_cat_may_use_role(awaited->owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("%s " INT64_FORMAT " does not exist", kind->name, id),
				 errhint("See %s.", kind->view)));
	if (awaited->is_own_transaction)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s " INT64_FORMAT " was asked for by this transaction",
						kind->name, id),
				 errdetail("Work begins when the transaction has committed."),
				 errhint("COMMIT first, then wait.")));
}

SwAwaited *
sw_await(SwAwaitKind kind, int64 id, int64 timeout_ms)
{
	const Kind *what = &kinds[kind];
	int64		deadline = sw_wait_deadline(timeout_ms);
	int64		pause_ms = FIRST_PAUSE_MS;
	MemoryContext look;

	look = AllocSetContextCreate(CurrentMemoryContext, "SwLook",
								 ALLOCSET_SMALL_SIZES);
	for (;;)
	{
		SwAwaited  *awaited;
		int64		now = sw_wait_now_ms();
		MemoryContext saved = MemoryContextSwitchTo(look);

		awaited = what->look(id);
		check_visible(what, id, awaited);
		MemoryContextSwitchTo(saved);
		if (awaited->has_ended)
			return awaited;
		MemoryContextReset(look);
		if (now >= deadline)
			ereport(ERROR,
					(errcode(ERRCODE_QUERY_CANCELED),
					 errmsg("%s " INT64_FORMAT " has not ended in time",
							what->name, id),
					 errdetail("It goes on in the background."),
					 errhint("Wait again, or look at %s.", what->view)));
		(void) sw_wait(PGINVALID_SOCKET, false, false,
					   Min(deadline, now + pause_ms), SW_WAIT_EVENT_RUN);
		pause_ms = Min(pause_ms * 2, LONGEST_PAUSE_MS);
	}
}

void
sw_await_raise(SwAwaitKind kind, int64 id, const SwAwaited *awaited)
{
	const char *code = awaited->sqlstate;
	int			sqlstate = ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;

	if (strcmp(awaited->status, "success") == 0)
		return;
	if (strcmp(awaited->status, "cancelled") == 0)
		sqlstate = ERRCODE_QUERY_CANCELED;
	else if (code != NULL && strlen(code) == 5)
		sqlstate = MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
	ereport(ERROR,
			(errcode(sqlstate),
			 awaited->error != NULL ? errmsg_internal("%s", awaited->error) :
			 errmsg("%s " INT64_FORMAT " was cancelled", kinds[kind].name, id),
			 awaited->detail != NULL ?
			 errdetail_internal("%s", awaited->detail) : 0,
			 awaited->hint != NULL ? errhint("%s", awaited->hint) : 0,
			 errcontext("%s " INT64_FORMAT, kinds[kind].name, id)));
}
