/*-------------------------------------------------------------------------
 *
 * sw_backfill.c
 *	  Waiting for a backfill that a worker does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/sw_catalog.h"
#include "net/sw_wait.h"
#include "sync/sw_backfill.h"
#include "utils/memutils.h"

/* Looks become rarer: what takes long may be noticed a bit later. */
#define FIRST_PAUSE_MS 20
#define LONGEST_PAUSE_MS 1000

static void
check_visible(int64 backfill_id, const SwBackfillState *state)
{
	if (state == NULL || !sw_cat_may_use_role(state->owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("backfill " INT64_FORMAT " does not exist", backfill_id),
				 errhint("See sw_backfills.")));
	if (state->is_own_transaction)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("backfill " INT64_FORMAT " was asked for by this transaction",
						backfill_id),
				 errdetail("Work begins when the transaction has committed."),
				 errhint("COMMIT first, then wait.")));
}

char *
sw_backfill_wait(int64 backfill_id, int64 timeout_ms)
{
	int64		deadline = sw_wait_deadline(timeout_ms);
	int64		pause_ms = FIRST_PAUSE_MS;
	MemoryContext look;
	MemoryContext saved;

	look = AllocSetContextCreate(CurrentMemoryContext, "SwLook",
								 ALLOCSET_SMALL_SIZES);
	for (;;)
	{
		SwBackfillState *state;
		int64		now = sw_wait_now_ms();

		saved = MemoryContextSwitchTo(look);
		state = sw_cat_backfill_look(backfill_id);
		check_visible(backfill_id, state);
		MemoryContextSwitchTo(saved);
		if (state->has_ended)
			return pstrdup(state->status);
		MemoryContextReset(look);
		if (now >= deadline)
			ereport(ERROR,
					(errcode(ERRCODE_QUERY_CANCELED),
					 errmsg("backfill " INT64_FORMAT " has not ended in time",
							backfill_id),
					 errdetail("It goes on in the background."),
					 errhint("Wait again, or look at sw_backfills.")));
		(void) sw_wait(PGINVALID_SOCKET, false, false,
					   Min(deadline, now + pause_ms), SW_WAIT_EVENT_RUN);
		pause_ms = Min(pause_ms * 2, LONGEST_PAUSE_MS);
	}
}
