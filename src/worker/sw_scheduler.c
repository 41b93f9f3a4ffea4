/*-------------------------------------------------------------------------
 *
 * sw_scheduler.c
 *	  One per database, while something is due there: starts a worker for
 *	  each pipeline with work.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/sw_catalog.h"
#include "catalog/sw_settings.h"
#include "net/sw_clock.h"
#include "net/sw_wait.h"
#include "sync/sw_board.h"
#include "sync/sw_instance.h"
#include "sync/sw_tx.h"
#include "worker/sw_worker.h"

/* Work that is due within this is waited for here. */
#define LINGER_MS 2000

/*
 * A pipeline's worker is not started again before this.  Where it ended
 * without having done what was due, it failed in a way that it could not
 * record: the pause doubles each time, up to a minute.
 */
#define RELAUNCH_MS 500
#define LONGEST_RELAUNCH_MS (60 * 1000)

typedef struct Launch
{
	int64		pipeline_id;	/* key */
	TimestampTz launched_at;
	int			pause_ms;
} Launch;

static HTAB *
create_launches(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(Launch);
	return hash_create("sensorswave_export launches", 64, &control,
					   HASH_ELEM | HASH_BLOBS);
}

typedef enum Started
{
	STARTED,
	IS_BUSY,					/* it has a worker; that one's end wakes us */
	NO_ROOM,					/* max_workers are at work */
	NO_SLOT						/* the server has no process left */
} Started;

static Started
start_worker(int64 pipeline_id)
{
	static bool complained = false;
	BackgroundWorker worker;
	bool		is_busy;
	int			place = sw_board_claim_worker(pipeline_id, &is_busy);

	if (is_busy)
		return IS_BUSY;
	if (place < 0)
		return NO_ROOM;

	sw_worker_describe(&worker, "worker", "sw_run_worker_main");
	worker.bgw_main_arg = Int32GetDatum(place);
	memcpy(worker.bgw_extra, &MyDatabaseId, sizeof(Oid));
	if (RegisterDynamicBackgroundWorker(&worker, NULL))
	{
		complained = false;
		return STARTED;
	}
	sw_board_unclaim_worker(place);
	if (!complained)
	{
		complained = true;
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("sensorswave_export found no free background worker slot, will try again"),
				 errhint("Raise max_worker_processes.")));
	}
	return NO_SLOT;
}

/* When the work may be started, given when it was started last. */
static TimestampTz
may_start_at(const SwWork *work, Launch *launch)
{
	if (launch->launched_at == DT_NOBEGIN)
		return work->due_at;
	return Max(work->due_at,
			   TimestampTzPlusMilliseconds(launch->launched_at,
										   launch->pause_ms));
}

static void
note_launch(const SwWork *work, Launch *launch, TimestampTz now)
{
	bool		is_left_over = work->due_at < launch->launched_at;

	launch->pause_ms = is_left_over ?
		Min(launch->pause_ms * 2, LONGEST_RELAUNCH_MS) : RELAUNCH_MS;
	launch->launched_at = now;
}

/*
 * Start what is due, in the order in which it became due: without room for
 * one, those behind it wait, too.  Returns when to look again: SW_NEVER when
 * nothing is left to wait for.  *lacks_slot_out: the server had no process
 * left.
 */
static TimestampTz
start_due_work(List *works, HTAB *launches, bool *lacks_slot_out)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz look_again = SW_NEVER;
	bool		has_room = true;
	ListCell   *cell;

	*lacks_slot_out = false;
	foreach(cell, works)
	{
		SwWork	   *work = lfirst(cell);
		Launch	   *launch;
		TimestampTz due_at;
		bool		found;

		launch = hash_search(launches, &work->pipeline_id, HASH_ENTER, &found);
		if (!found)
		{
			launch->launched_at = DT_NOBEGIN;
			launch->pause_ms = RELAUNCH_MS;
		}
		due_at = may_start_at(work, launch);
		if (due_at > now)
		{
			look_again = Min(look_again, due_at);
			continue;
		}
		if (!has_room)
			continue;
		switch (start_worker(work->pipeline_id))
		{
			case STARTED:
				note_launch(work, launch, now);
				break;
			case IS_BUSY:
				break;
			case NO_SLOT:
				*lacks_slot_out = true;
				/* FALLTHROUGH */
			case NO_ROOM:
				has_room = false;
				look_again = Min(look_again,
								 TimestampTzPlusMilliseconds(now, sw_naptime_ms));
				break;
		}
	}
	return look_again;
}

/* The database's work, or false when the extension is not installed. */
static bool
read_work(List **works_out)
{
	bool		is_installed;

	sw_tx_begin("looking for work");
	is_installed = sw_cat_is_installed();
	if (is_installed)
		*works_out = sw_cat_work_list(sw_clock_now(), GetCurrentTimestamp(),
									  sw_instance_get());
	sw_tx_commit();
	return is_installed;
}

void
sw_scheduler_main(Datum arg)
{
	HTAB	   *launches;
	MemoryContext look;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	sw_worker_connect(DatumGetObjectId(arg));
	if (!sw_board_register_scheduler())
		proc_exit(0);
	launches = create_launches();
	look = AllocSetContextCreate(TopMemoryContext, "SwScheduler",
								 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(look);

	while (!ShutdownRequestPending)
	{
		List	   *works = NIL;
		TimestampTz look_again;
		TimestampTz now;
		bool		lacks_slot;

		MemoryContextReset(look);
		sw_settings_reload();
		(void) sw_board_take_notice();
		if (!read_work(&works))
		{
			if (sw_board_leave_for_good())
				proc_exit(0);
			continue;
		}
		look_again = start_due_work(works, launches, &lacks_slot);
		now = GetCurrentTimestamp();

		/* Schedulers of many databases could leave no process for a worker. */
		if (sw_board_count_workers() == 0 &&
			(lacks_slot ||
			 look_again > TimestampTzPlusMilliseconds(now, LINGER_MS)))
		{
			sw_board_leave(look_again);
			proc_exit(0);
		}
		(void) sw_wait(PGINVALID_SOCKET, false, false,
					   look_again == SW_NEVER ? SW_NO_DEADLINE :
					   sw_wait_deadline(TimestampDifferenceMilliseconds(now, look_again) + 1),
					   SW_WAIT_EVENT_MAIN);
	}
	proc_exit(0);
}
