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
 * record: the pause counts from its end, and doubles each time, up to a minute.
 */
#define RELAUNCH_MS 500
#define LONGEST_RELAUNCH_MS (60 * 1000)

typedef struct Launch
{
	int64		pipeline_id;	/* key */
	TimestampTz launched_at;
	TimestampTz ended_at;		/* DT_NOBEGIN: nothing is known of an end */
	bool		is_at_work;		/* as far as has been noticed */
	int			pause_ms;
} Launch;

/*
 * Work and its place in the queue: who had a worker stands behind those that
 * waited meanwhile.
 */
typedef struct Waiting
{
	const SwWork *work;
	Launch	   *launch;
	TimestampTz since;
} Waiting;

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
start_worker(const Waiting *waiting)
{
	static bool complained = false;
	BackgroundWorker worker;
	bool		is_busy;
	int			place = sw_board_claim_worker(waiting->work->pipeline_id,
											  waiting->since, &is_busy);

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

/* Was it due already when a worker was started for it? */
static bool
is_left_over(const Waiting *waiting)
{
	return waiting->work->due_at < waiting->launch->launched_at;
}

/*
 * When the work may be started, given when it was started last.  A worker may
 * have waited in vain for long.
 */
static TimestampTz
may_start_at(const Waiting *waiting)
{
	const Launch *launch = waiting->launch;
	TimestampTz last = launch->launched_at;

	if (last == DT_NOBEGIN)
		return waiting->work->due_at;
	if (is_left_over(waiting))
		last = Max(last, launch->ended_at);
	return Max(waiting->work->due_at,
			   TimestampTzPlusMilliseconds(last, launch->pause_ms));
}

static void
note_launch(const Waiting *waiting, TimestampTz now)
{
	Launch	   *launch = waiting->launch;

	launch->pause_ms = is_left_over(waiting) ?
		Min(launch->pause_ms * 2, LONGEST_RELAUNCH_MS) : RELAUNCH_MS;
	launch->launched_at = now;
	launch->is_at_work = true;
}

static Launch *
find_launch(HTAB *launches, int64 pipeline_id, TimestampTz now)
{
	bool		found;
	Launch	   *launch = hash_search(launches, &pipeline_id, HASH_ENTER, &found);

	if (!found)
	{
		launch->launched_at = DT_NOBEGIN;
		launch->ended_at = DT_NOBEGIN;
		launch->is_at_work = false;
		launch->pause_ms = RELAUNCH_MS;
	}
	else if (launch->is_at_work && !sw_board_has_worker(pipeline_id))
	{
		launch->is_at_work = false;
		launch->ended_at = now;
	}
	return launch;
}

static int
compare_waiting(const ListCell *a, const ListCell *b)
{
	const Waiting *left = lfirst(a);
	const Waiting *right = lfirst(b);

	if (left->since != right->since)
		return left->since < right->since ? -1 : 1;
	return left->work->pipeline_id < right->work->pipeline_id ? -1 : 1;
}

/* Who waits longest comes first. */
static List *
line_up(const List *works, HTAB *launches, TimestampTz now)
{
	List	   *queue = NIL;
	ListCell   *cell;

	foreach(cell, works)
	{
		Waiting    *waiting = palloc(sizeof(Waiting));

		waiting->work = lfirst(cell);
		waiting->launch = find_launch(launches, waiting->work->pipeline_id, now);
		waiting->since = Max(waiting->work->due_at, waiting->launch->ended_at);
		queue = lappend(queue, waiting);
	}
	list_sort(queue, compare_waiting);
	return queue;
}

/*
 * Start what is due, whoever waits longest first: without room for one, those
 * behind it wait, too.  Returns when to look again: SW_NEVER when
 * nothing is left to wait for.  *lacks_slot_out: the server had no process
 * left.
 */
static TimestampTz
start_due_work(const List *works, HTAB *launches, bool *lacks_slot_out)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz look_again = SW_NEVER;
	bool		has_room = true;
	ListCell   *cell;

	*lacks_slot_out = false;
	foreach(cell, line_up(works, launches, now))
	{
		Waiting    *waiting = lfirst(cell);
		TimestampTz due_at = may_start_at(waiting);

		if (due_at > now)
		{
			look_again = Min(look_again, due_at);
			continue;
		}
		if (!has_room)
			continue;
		switch (start_worker(waiting))
		{
			case STARTED:
				note_launch(waiting, now);
				break;
			case IS_BUSY:
				break;
			case NO_SLOT:
				*lacks_slot_out = true;
				has_room = false;
				look_again = Min(look_again,
								 TimestampTzPlusMilliseconds(now, sw_naptime_ms));
				break;
			case NO_ROOM:
				/* So soon that this process does not leave its turn. */
				has_room = false;
				look_again = Min(look_again,
								 TimestampTzPlusMilliseconds(now, Min(sw_naptime_ms, LINGER_MS)));
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
