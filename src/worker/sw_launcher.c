/*-------------------------------------------------------------------------
 *
 * sw_launcher.c
 *	  One per cluster: starts a scheduler where something is due.
 *
 * Connected to no database.  It learns of databases in two ways: after a
 * start every one is probed once (its scheduler leaves at once if there is
 * nothing to do), later a transaction that gives work posts a notice.
 *
 * Must survive: a database dropped, renamed or made between notice and
 * start; no free worker slot; a scheduler that fails.  In each case the
 * notice stays up or comes back, and nothing is lost since the truth is in
 * the database's own rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "catalog/sw_settings.h"
#include "net/sw_wait.h"
#include "sync/sw_board.h"
#include "worker/sw_worker.h"

/* A failed launcher is started again after this. */
#define RESTART_SECONDS 5

/* The server's clock may be set, or have gone on while the machine slept. */
#define LONGEST_WAIT_MS (60 * 1000)

/* Without a free worker slot, or while a scheduler starts: look again. */
#define PUT_OFF_MS (10 * 1000)

/* Post a notice for every database that can be connected to. */
static void
probe_all_databases(void)
{
	Relation	relation;
	TableScanDesc scan;
	HeapTuple	tuple;
	TimestampTz now = GetCurrentTimestamp();

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (database->datallowconn && !database->datistemplate &&
			database->datconnlimit >= -1)	/* less: being dropped */
			sw_board_post(database->oid, now);
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
}

static bool
database_exists(Oid database)
{
	bool		exists;

	StartTransactionCommand();
	exists = SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
	CommitTransactionCommand();
	return exists;
}

static void
start_scheduler(Oid database)
{
	static bool complained = false;
	BackgroundWorker worker;
	TimestampTz until =
	TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PUT_OFF_MS);

	if (!database_exists(database))
	{
		sw_board_forget(database);
		return;
	}
	sw_worker_describe(&worker, "scheduler", "sw_scheduler_main");
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	sw_board_put_off(database, until);
	if (RegisterDynamicBackgroundWorker(&worker, NULL))
		complained = false;
	else if (!complained)
	{
		complained = true;
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("sensorswave_export found no free background worker slot, will try again"),
				 errhint("Raise max_worker_processes.")));
	}
}

void
sw_launcher_main(Datum arg)
{
	(void) arg;
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);

	sw_board_register_launcher();
	probe_all_databases();
	ereport(LOG, (errmsg("sensorswave_export launcher started")));

	while (!ShutdownRequestPending)
	{
		TimestampTz now = GetCurrentTimestamp();
		TimestampTz next_due;
		long		wait_ms = LONGEST_WAIT_MS;
		Oid			database = sw_board_next_database(now, &next_due);

		if (OidIsValid(database))
		{
			start_scheduler(database);
			continue;
		}
		if (next_due != SW_NEVER)
			wait_ms = Min(wait_ms,
						  TimestampDifferenceMilliseconds(now, next_due) + 1);
		(void) sw_wait(PGINVALID_SOCKET, false, false,
					   sw_wait_deadline(wait_ms), SW_WAIT_EVENT_MAIN);
		sw_settings_reload();
	}
	/* Code 1: started again unless the server itself is going down. */
	proc_exit(1);
}

void
sw_worker_connect(Oid database)
{
	static const char *const pins[][2] = {
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_deferrable", "off"},
		{"lock_timeout", "0"},
		{"statement_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"transaction_timeout", "0"}	/* from 17 on */
	};
	int			i;

	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	for (i = 0; i < (int) lengthof(pins); i++)
		if (GetConfigOption(pins[i][0], true, false) != NULL)
			SetConfigOption(pins[i][0], pins[i][1], PGC_SUSET, PGC_S_SESSION);
}

void
sw_worker_describe(BackgroundWorker *worker, const char *role,
				   const char *function)
{
	memset(worker, 0, sizeof(*worker));
	snprintf(worker->bgw_name, BGW_MAXLEN, "sensorswave_export %s", role);
	snprintf(worker->bgw_type, BGW_MAXLEN, "sensorswave_export %s", role);
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker->bgw_library_name, "sensorswave_export",
			sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, function,
			sizeof(worker->bgw_function_name));
	worker->bgw_notify_pid = MyProcPid;
}

void
sw_worker_register_launcher(void)
{
	BackgroundWorker worker;

	sw_worker_describe(&worker, "launcher", "sw_launcher_main");
	worker.bgw_restart_time = RESTART_SECONDS;
	worker.bgw_notify_pid = 0;
	RegisterBackgroundWorker(&worker);
}
