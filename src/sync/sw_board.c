/*-------------------------------------------------------------------------
 *
 * sw_board.c
 *	  The notice board in shared memory: which databases have something due,
 *	  and which workers are at work.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "catalog/sw_settings.h"
#include "sync/sw_board.h"

/* Databases with the extension in one cluster. */
#define MAX_DATABASES 512

/* A claimed place whose worker never came is free again after this. */
#define CLAIM_TIMEOUT_MS (60 * 1000)

/* A scheduler that failed is started again after this. */
#define RESTART_DELAY_MS (10 * 1000)

/* A scheduler that waits for a place comes again within this. */
#define WAIT_TIMEOUT_MS (10 * 1000)

typedef struct BoardDatabase
{
	Oid			database;		/* InvalidOid: free entry */
	TimestampTz due_at;
	TimestampTz not_before;		/* no scheduler is started before */
	int			scheduler_pid;	/* 0: none */
	TimestampTz waits_since;	/* without a place; SW_NEVER: it does not */
	TimestampTz waited_at;		/* when it said so last */
} BoardDatabase;

typedef struct BoardWorker
{
	Oid			database;		/* InvalidOid: free place */
	int64		pipeline_id;
	int			pid;			/* 0: claimed, not there yet */
	TimestampTz claimed_at;
} BoardWorker;

typedef struct Board
{
	int			launcher_pid;
	int			n_workers;
	BoardDatabase databases[MAX_DATABASES];
	BoardWorker workers[FLEXIBLE_ARRAY_MEMBER];
} Board;

static Board *board = NULL;
static LWLock *board_lock = NULL;
static int	occupied_place = -1;
static bool wake_pending = false;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static Size
board_size(void)
{
	return add_size(offsetof(Board, workers),
					mul_size(sw_max_workers, sizeof(BoardWorker)));
}

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(board_size());
	RequestNamedLWLockTranche("SensorswaveExportBoard", 1);
}

static void
start_up(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	board = ShmemInitStruct("sensorswave_export board", board_size(), &found);
	if (!found)
	{
		memset(board, 0, board_size());
		board->n_workers = sw_max_workers;
	}
	board_lock = &GetNamedLWLockTranche("SensorswaveExportBoard")->lock;
	LWLockRelease(AddinShmemInitLock);
}

void
sw_board_request(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_up;
}

/*
 * Set the latch of a process; false when there is no such process (any
 * more).  A latch set for nothing does no harm.
 */
static bool
wake_process(int pid)
{
	PGPROC	   *proc = pid ? BackendPidGetProc(pid) : NULL;

	if (proc == NULL)
		return false;
	SetLatch(&proc->procLatch);
	return true;
}

static bool
is_alive(int pid)
{
	return pid != 0 && BackendPidGetProc(pid) != NULL;
}

/* Entry of a database, made when asked for; NULL when there is none. */
static BoardDatabase *
find_database(Oid database, bool create)
{
	BoardDatabase *free_entry = NULL;
	int			i;

	for (i = 0; i < MAX_DATABASES; i++)
	{
		BoardDatabase *entry = &board->databases[i];

		if (entry->database == database)
			return entry;
		if (!OidIsValid(entry->database) && free_entry == NULL)
			free_entry = entry;
	}
	if (!create || free_entry == NULL)
		return NULL;
	free_entry->database = database;
	free_entry->due_at = SW_NEVER;
	free_entry->not_before = DT_NOBEGIN;
	free_entry->scheduler_pid = 0;
	free_entry->waits_since = SW_NEVER;
	return free_entry;
}

/* ---- anybody ---- */

void
sw_board_post(Oid database, TimestampTz due_at)
{
	BoardDatabase *entry;
	int			scheduler_pid = 0;
	int			launcher_pid = 0;

	if (board == NULL)
		return;
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(database, true);
	if (entry != NULL)
	{
		if (due_at < entry->due_at)
			entry->due_at = due_at;
		scheduler_pid = entry->scheduler_pid;
		launcher_pid = board->launcher_pid;
	}
	LWLockRelease(board_lock);

	if (entry == NULL)
		ereport(LOG,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sensorswave_export serves at most %d databases",
						MAX_DATABASES)));
	else if (!wake_process(scheduler_pid))
		wake_process(launcher_pid);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	(void) arg;
	if (!wake_pending)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			wake_pending = false;
			sw_board_post(MyDatabaseId, GetCurrentTimestamp());
			break;
		case XACT_EVENT_ABORT:
			wake_pending = false;
			break;
		case XACT_EVENT_PRE_PREPARE:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot PREPARE a transaction that has given work to sensorswave_export"),
					 errhint("Use COMMIT instead.")));
			break;
		default:
			break;
	}
}

void
sw_board_wake_at_commit(void)
{
	static bool is_registered = false;

	if (board == NULL)
		return;
	if (!is_registered)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		is_registered = true;
	}
	wake_pending = true;
}

/* ---- launcher ---- */

void
sw_board_register_launcher(void)
{
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	board->launcher_pid = MyProcPid;
	LWLockRelease(board_lock);
}

Oid
sw_board_next_database(TimestampTz now, TimestampTz *next_due_out)
{
	Oid			result = InvalidOid;
	int			i;

	*next_due_out = SW_NEVER;
	LWLockAcquire(board_lock, LW_SHARED);
	for (i = 0; i < MAX_DATABASES; i++)
	{
		BoardDatabase *entry = &board->databases[i];
		TimestampTz start_at = Max(entry->due_at, entry->not_before);

		if (!OidIsValid(entry->database) || entry->due_at == SW_NEVER ||
			is_alive(entry->scheduler_pid))
			continue;
		if (start_at <= now)
		{
			result = entry->database;
			break;
		}
		*next_due_out = Min(*next_due_out, start_at);
	}
	LWLockRelease(board_lock);
	return result;
}

void
sw_board_put_off(Oid database, TimestampTz until)
{
	BoardDatabase *entry;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(database, false);
	if (entry != NULL)
		entry->not_before = until;
	LWLockRelease(board_lock);
}

void
sw_board_forget(Oid database)
{
	BoardDatabase *entry;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(database, false);
	if (entry != NULL)
		entry->database = InvalidOid;
	LWLockRelease(board_lock);
}

/* ---- scheduler ---- */

/* A scheduler that did not take its leave is started again, a bit later. */
static void
at_scheduler_exit(int code, Datum arg)
{
	BoardDatabase *entry;
	int			launcher_pid;

	(void) code;
	(void) arg;
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(MyDatabaseId, false);
	if (entry != NULL && entry->scheduler_pid == MyProcPid)
	{
		TimestampTz later =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RESTART_DELAY_MS);

		entry->scheduler_pid = 0;
		entry->due_at = Min(entry->due_at, later);
	}
	launcher_pid = board->launcher_pid;
	LWLockRelease(board_lock);
	wake_process(launcher_pid);
}

bool
sw_board_register_scheduler(void)
{
	BoardDatabase *entry;
	bool		is_first;

	before_shmem_exit(at_scheduler_exit, (Datum) 0);
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(MyDatabaseId, true);
	is_first = entry != NULL && !is_alive(entry->scheduler_pid);
	if (is_first)
	{
		entry->scheduler_pid = MyProcPid;
		entry->not_before = DT_NOBEGIN;
		entry->waits_since = SW_NEVER;
	}
	LWLockRelease(board_lock);
	if (entry == NULL)
		ereport(FATAL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sensorswave_export serves at most %d databases",
						MAX_DATABASES)));
	return is_first;
}

bool
sw_board_take_notice(void)
{
	BoardDatabase *entry;
	bool		was_up = false;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(MyDatabaseId, false);
	if (entry != NULL)
	{
		was_up = entry->due_at <= GetCurrentTimestamp();
		entry->due_at = SW_NEVER;
	}
	LWLockRelease(board_lock);
	return was_up;
}

void
sw_board_leave(TimestampTz next_due)
{
	BoardDatabase *entry;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(MyDatabaseId, false);
	if (entry != NULL)
	{
		/* Somebody may have posted since the last look: keep the earlier. */
		entry->due_at = Min(entry->due_at, next_due);
		entry->scheduler_pid = 0;
	}
	LWLockRelease(board_lock);
}

bool
sw_board_leave_for_good(void)
{
	BoardDatabase *entry;
	bool		may_leave = true;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	entry = find_database(MyDatabaseId, false);
	if (entry != NULL)
	{
		may_leave = entry->due_at == SW_NEVER;
		if (may_leave)
			entry->database = InvalidOid;
	}
	LWLockRelease(board_lock);
	return may_leave;
}

/* Is the place free, or held by nobody that lives? */
static bool
is_place_free(const BoardWorker *worker, TimestampTz now)
{
	if (!OidIsValid(worker->database))
		return true;
	if (worker->pid != 0)
		return !is_alive(worker->pid);
	return TimestampDifferenceExceeds(worker->claimed_at, now,
									  CLAIM_TIMEOUT_MS);
}

/* Does its scheduler wait for a place, as far as one can tell? */
static bool
is_waiting(const BoardDatabase *entry, TimestampTz now)
{
	return OidIsValid(entry->database) && entry->waits_since != SW_NEVER &&
		!TimestampDifferenceExceeds(entry->waited_at, now, WAIT_TIMEOUT_MS) &&
		is_alive(entry->scheduler_pid);
}

/* Other databases that wait with something that is due longer. */
static int
count_waiting_before(TimestampTz due_at, TimestampTz now)
{
	int			count = 0;
	int			i;

	for (i = 0; i < MAX_DATABASES; i++)
	{
		const BoardDatabase *entry = &board->databases[i];

		if (entry->database != MyDatabaseId && entry->waits_since < due_at &&
			is_waiting(entry, now))
			count++;
	}
	return count;
}

static void
note_waiting(TimestampTz since, TimestampTz now)
{
	BoardDatabase *entry = find_database(MyDatabaseId, false);

	if (entry != NULL)
	{
		entry->waits_since = since;
		entry->waited_at = now;
	}
}

int
sw_board_claim_worker(int64 pipeline_id, TimestampTz due_at, bool *is_busy_out)
{
	TimestampTz now = GetCurrentTimestamp();
	int			place = -1;
	int			n_free = 0;
	int			i;

	*is_busy_out = false;
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	for (i = 0; i < board->n_workers; i++)
	{
		BoardWorker *worker = &board->workers[i];

		if (is_place_free(worker, now))
		{
			worker->database = InvalidOid;
			n_free++;
			if (place < 0)
				place = i;
		}
		else if (worker->database == MyDatabaseId &&
				 worker->pipeline_id == pipeline_id)
			*is_busy_out = true;
	}
	if (*is_busy_out || n_free <= count_waiting_before(due_at, now))
		place = -1;
	if (!*is_busy_out)
		note_waiting(place < 0 ? due_at : SW_NEVER, now);
	if (place >= 0)
	{
		board->workers[place].database = MyDatabaseId;
		board->workers[place].pipeline_id = pipeline_id;
		board->workers[place].pid = 0;
		board->workers[place].claimed_at = now;
	}
	LWLockRelease(board_lock);
	return place;
}

void
sw_board_unclaim_worker(int place)
{
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	if (board->workers[place].pid == 0)
		board->workers[place].database = InvalidOid;
	LWLockRelease(board_lock);
}

/* Workers of this database; of one pipeline, unless that is 0. */
static int
count_workers(int64 pipeline_id)
{
	TimestampTz now = GetCurrentTimestamp();
	int			count = 0;
	int			i;

	LWLockAcquire(board_lock, LW_SHARED);
	for (i = 0; i < board->n_workers; i++)
	{
		const BoardWorker *worker = &board->workers[i];

		if (worker->database == MyDatabaseId &&
			(pipeline_id == 0 || worker->pipeline_id == pipeline_id) &&
			!is_place_free(worker, now))
			count++;
	}
	LWLockRelease(board_lock);
	return count;
}

bool
sw_board_has_worker(int64 pipeline_id)
{
	return count_workers(pipeline_id) > 0;
}

int
sw_board_count_workers(void)
{
	return count_workers(0);
}

/* ---- worker ---- */

/* The scheduler that waits longest for a place; 0 = none does. */
static int
find_waiting(void)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz since = SW_NEVER;
	int			pid = 0;
	int			i;

	for (i = 0; i < MAX_DATABASES; i++)
	{
		const BoardDatabase *entry = &board->databases[i];

		if (entry->waits_since < since && is_waiting(entry, now))
		{
			since = entry->waits_since;
			pid = entry->scheduler_pid;
		}
	}
	return pid;
}

/*
 * Give the place up, and have the scheduler look at what is left to do, and
 * the one that waits for a place.
 */
static void
at_worker_exit(int code, Datum arg)
{
	Oid			database;
	int			waiting_pid;

	(void) code;
	(void) arg;
	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	database = board->workers[occupied_place].database;
	board->workers[occupied_place].database = InvalidOid;
	board->workers[occupied_place].pid = 0;
	waiting_pid = find_waiting();
	LWLockRelease(board_lock);
	if (OidIsValid(database))
		sw_board_post(database, GetCurrentTimestamp());
	wake_process(waiting_pid);
}

int64
sw_board_occupy(int place)
{
	int64		pipeline_id = 0;
	bool		is_ours = false;

	LWLockAcquire(board_lock, LW_EXCLUSIVE);
	if (place >= 0 && place < board->n_workers)
	{
		BoardWorker *worker = &board->workers[place];

		is_ours = worker->database == MyDatabaseId && worker->pid == 0;
		if (is_ours)
		{
			worker->pid = MyProcPid;
			pipeline_id = worker->pipeline_id;
		}
	}
	LWLockRelease(board_lock);
	if (!is_ours)
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("worker came too late for its place %d", place)));
	occupied_place = place;
	before_shmem_exit(at_worker_exit, (Datum) 0);
	return pipeline_id;
}
