/*-------------------------------------------------------------------------
 *
 * tenant.h
 *	  test/tenant-check: questions to a real tenant, one by one.
 *
 * Blocking sockets around our own protocol machine, signer and Parquet
 * writer, so that what works here works in the extension.  All settings come
 * from the environment; every text that is printed is redacted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TENANT_H
#define TENANT_H

#include "postgres_fe.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "lib/stringinfo.h"

#include "net/sw_redact.h"
#include "proto/sw_ch_conn.h"

/* What the environment says; "" = not set. */
typedef struct Tenant
{
	const char *host;
	const char *port;
	const char *account;
	const char *user;
	const char *password;
	const char *api_key;
	const char *expired_api_key;
	const char *insert_user;	/* who has INSERT, S3, CREATE TEMPORARY TABLE
								 * only */
	const char *insert_password;
	const char *warehouse;
	const char *database;
	const char *root_file;		/* authorities of the warehouse and the store;
								 * "" = the system's */
	const char *endpoint;		/* native one of TOS, without https:// */
	const char *region;
	const char *bucket;
	const char *prefix;
	const char *access_key;
	const char *secret_key;
	const char *proxy;			/* of requests to the store */
	SwRedactor	redactor;
} Tenant;

typedef struct Session
{
	const Tenant *tenant;
	SSL_CTX    *context;
	BIO		   *bio;
	SwChConn   *conn;
	bool		is_broken;
	int			n_metadata;		/* packets of type 14 */
	int			code;			/* of the last exception, or 0 */
	uint64		written_rows;	/* of the last statement */
	StringInfoData rows;		/* of the last statement: values, each with a
								 * semicolon */
	StringInfoData message;		/* why it failed, redacted; "" = it did not */
	StringInfoData chain;		/* certificates of the server */
} Session;

/* ---- tenant_session.c ---- */

/*
 * Log in; user is the whole name.  false: message says why.  Close it in any
 * case.
 */
extern bool session_open(Session *session, const Tenant *tenant,
						 const char *user, const char *password);
extern void session_close(Session *session);

/* Run a statement; false: message says why not. */
extern bool session_run(Session *session, const char *sql,
						const SwChSetting *settings, int n_settings);
extern bool session_runf(Session *session, const char *fmt,...) pg_attribute_printf(2, 3);

/* The text, redacted, in memory of its own. */
extern char *tenant_safe(const Tenant *tenant, const char *text);

/* ---- tenant_store.c ---- */

#define TENANT_N_ROWS 3
#define TENANT_STRUCTURE "n Int64, at Int64, doc String"

/*
 * Put a Parquet file of TENANT_N_ROWS rows (n: 1, 2, ...; at: ms in the day
 * 2021-07-21 of Asia/Shanghai; doc: JSON).  false: *message says why not.
 */
extern bool store_put(const Tenant *tenant, const char *key, char **message);
extern bool store_delete(const Tenant *tenant, const char *key, char **message);

/* The URL that the warehouse reads it at. */
extern char *store_load_url(const Tenant *tenant, const char *key);

#endif							/* TENANT_H */
