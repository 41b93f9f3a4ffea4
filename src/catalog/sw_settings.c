/*-------------------------------------------------------------------------
 *
 * sw_settings.c
 *	  The settings (GUCs) of the extension.
 *
 * Settings that need a restart can only be defined while the server starts;
 * without shared_preload_libraries they keep their defaults and everything
 * that depends on them is refused (sw_settings_require_preload).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "pgtime.h"
#include "postmaster/interrupt.h"
#include "utils/guc.h"

#include "catalog/sw_settings.h"

char	   *sw_system_timezone = NULL;
int			sw_max_workers = 4;
int			sw_worker_memory_kb = 64 * 1024;
int			sw_file_size_kb = 128 * 1024;
int			sw_parts_in_flight = 4;
int			sw_keep_failed_objects_s = 24 * 60 * 60;
int			sw_naptime_ms = 1000;
int			sw_connect_timeout_ms = 10 * 1000;
int			sw_request_timeout_ms = 5 * 60 * 1000;
int			sw_statement_timeout_ms = 60 * 60 * 1000;
int			sw_retry_backoff_ms = 5 * 1000;
int			sw_retry_backoff_max_ms = 15 * 60 * 1000;
int			sw_backfill_attempts = 5;
char	   *sw_key_file = NULL;
char	   *sw_ca_file = NULL;
char	   *sw_proxy = NULL;
bool		sw_check_on_save = true;
int			sw_failover = SW_FAILOVER_PAUSE;

static const struct config_enum_entry failover_words[] = {
	{"pause", SW_FAILOVER_PAUSE, false},
	{"adopt", SW_FAILOVER_ADOPT, false},
	{NULL, 0, false}
};

static bool is_preloaded = false;

const char *
sw_settings_canonical_timezone(const char *name)
{
	/* These mean something else on each machine, or nothing elsewhere. */
	static const char *const refused[] = {
		"localtime", "posixrules", "Factory", "posix/", "right/"
	};
	pg_tz	   *tz;
	const char *canonical;
	int			i;

	/* POSIX specifications ("XYZ-8") parse too; only names travel well. */
	if (name[0] == '\0' || strpbrk(name, " '\"\\`") != NULL ||
		(strpbrk(name, "0123456789,") != NULL &&
		 pg_strncasecmp(name, "Etc/", 4) != 0))
		return NULL;
	tz = pg_tzset(name);
	if (tz == NULL || !pg_tz_acceptable(tz))
		return NULL;
	canonical = pg_get_timezone_name(tz);
	for (i = 0; i < (int) lengthof(refused); i++)
		if (pg_strncasecmp(canonical, refused[i], strlen(refused[i])) == 0)
			return NULL;
	return canonical;
}

static bool
check_timezone(char **newval, void **extra, GucSource source)
{
	(void) extra;
	(void) source;
	if (sw_settings_canonical_timezone(*newval) != NULL)
		return true;
	GUC_check_errdetail("\"%s\" is not the name of a time zone.", *newval);
	GUC_check_errhint("See pg_timezone_names, e.g. \"Asia/Shanghai\".");
	return false;
}

static void
define_startup_settings(void)
{
	DefineCustomIntVariable("sensorswave_export.max_workers",
							"Processes that may run pipelines at a time, in the whole cluster.",
							"They are taken from max_worker_processes.",
							&sw_max_workers, 4, 1, 256,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("sensorswave_export.key_file",
							   "File with the keys that seal secrets.",
							   "Relative names are below the data directory; a place outside it and its backups is better.",
							   &sw_key_file, "sensorswave_export.key",
							   PGC_POSTMASTER, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
}

static void
define_time_settings(void)
{
	DefineCustomIntVariable("sensorswave_export.naptime",
							"How long an idle scheduler waits before it looks again.",
							NULL, &sw_naptime_ms, 1000, 10, 60 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.connect_timeout",
							"Time to connect to a warehouse or store, login included.",
							NULL, &sw_connect_timeout_ms, 10 * 1000, 100, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.request_timeout",
							"Time a store may take without a byte moving, and for repeats of one request.",
							NULL, &sw_request_timeout_ms, 5 * 60 * 1000, 100, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.statement_timeout",
							"Time a statement may take at the warehouse.",
							NULL, &sw_statement_timeout_ms, 60 * 60 * 1000, 1000, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.retry_backoff",
							"Pause before the first repeat of what failed; it doubles.",
							NULL, &sw_retry_backoff_ms, 5 * 1000, 10, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.retry_backoff_max",
							"Longest pause between repeats.",
							NULL, &sw_retry_backoff_max_ms, 15 * 60 * 1000, 10, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.backfill_attempts",
							"Attempts per window of a backfill before it fails for good.",
							NULL, &sw_backfill_attempts, 5, 1, 1000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
}

void
sw_settings_define(void)
{
	is_preloaded = process_shared_preload_libraries_in_progress;
	if (is_preloaded)
		define_startup_settings();
	define_time_settings();

	DefineCustomStringVariable("sensorswave_export.system_timezone",
							   "Zone of target time columns and backfill days of new pipelines.",
							   NULL, &sw_system_timezone, "UTC",
							   PGC_SIGHUP, 0, check_timezone, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.worker_memory",
							"Memory one worker may use for rows in flight.",
							NULL, &sw_worker_memory_kb, 64 * 1024, 8 * 1024, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.file_size",
							"Size at which a staged file is closed and the next one begun.",
							NULL, &sw_file_size_kb, 128 * 1024, 64, 4 * 1024 * 1024,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.parts_in_flight",
							"Parts of files that one worker uploads at the same time.",
							NULL, &sw_parts_in_flight, 4, 1, 64,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("sensorswave_export.keep_failed_objects",
							"How long the staged files of a run that failed for good are kept.",
							"0 deletes them at once.",
							&sw_keep_failed_objects_s, 24 * 60 * 60, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("sensorswave_export.ca_file",
							   "Certificates trusted for object stores; empty = the system's.",
							   NULL, &sw_ca_file, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("sensorswave_export.proxy",
							   "HTTP proxy for object stores; empty = none.",
							   NULL, &sw_proxy, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomEnumVariable("sensorswave_export.failover",
							 "What a promoted standby does with the pipelines: pause them, or adopt them.",
							 NULL, &sw_failover, SW_FAILOVER_PAUSE, failover_words,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("sensorswave_export.check_on_save",
							 "Look at the warehouse before a pipeline is saved.",
							 NULL, &sw_check_on_save, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("sensorswave_export");
}

static void
report_missing_preload(int elevel)
{
	ereport(elevel,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("sensorswave_export is not loaded at server start"),
			 errdetail("Its background workers do not run, and settings that need a restart are not in effect."),
			 errhint("Add sensorswave_export to shared_preload_libraries in postgresql.conf and restart the server.")));
}

void
sw_settings_require_preload(void)
{
	if (!is_preloaded)
		report_missing_preload(ERROR);
}

void
sw_settings_warn_unless_preloaded(void)
{
	if (!is_preloaded)
		report_missing_preload(WARNING);
}

void
sw_settings_reload(void)
{
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}
