/*-------------------------------------------------------------------------
 *
 * sw_settings.h
 *	  The settings (GUCs) of the extension, read by the floors above.
 *
 * Floors below get what they need as arguments.  Units are in the names.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SETTINGS_H
#define SW_SETTINGS_H

typedef enum SwFailover
{
	SW_FAILOVER_PAUSE,
	SW_FAILOVER_ADOPT
} SwFailover;

extern char *sw_system_timezone;
extern int	sw_max_workers;
extern int	sw_worker_memory_kb;
extern int	sw_file_size_kb;
extern int	sw_parts_in_flight;
extern int	sw_keep_failed_objects_s;
extern int	sw_naptime_ms;
extern int	sw_connect_timeout_ms;
extern int	sw_request_timeout_ms;
extern int	sw_statement_timeout_ms;
extern int	sw_retry_backoff_ms;
extern int	sw_retry_backoff_max_ms;
extern int	sw_backfill_attempts;
extern char *sw_key_file;
extern char *sw_ca_file;
extern char *sw_proxy;
extern bool sw_check_on_save;
extern int	sw_failover;		/* SwFailover */

/* Define them; called once from _PG_init. */
extern void sw_settings_define(void);

/*
 * Throw, with the line to put into postgresql.conf, unless the library came
 * in through shared_preload_libraries: only then do workers run and the
 * settings that need a restart have their configured values.
 */
extern void sw_settings_require_preload(void);

/* The same as a warning, for CREATE EXTENSION. */
extern void sw_settings_warn_unless_preloaded(void);

/* Read the configuration again if SIGHUP said so; for worker loops. */
extern void sw_settings_reload(void);

/*
 * The name of a time zone as the time zone database spells it, or NULL when
 * name is not one that means the same at the warehouse.
 */
extern const char *sw_settings_canonical_timezone(const char *name);

#endif							/* SW_SETTINGS_H */
