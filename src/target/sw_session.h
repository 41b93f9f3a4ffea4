/*-------------------------------------------------------------------------
 *
 * sw_session.h
 *	  One connection to the warehouse: statements, one after another.
 *
 * The protocol machine of proto/ over a stream of net/, with deadlines.
 * Knows nothing of dialects.
 *
 * All calls but close may throw while they wait (net/sw_wait.h); the
 * connection is then of no more use and goes with its memory context, which
 * also ends the statement at the warehouse.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SESSION_H
#define SW_SESSION_H

#include "common/sw_status.h"
#include "net/sw_redact.h"
#include "proto/sw_ch_conn.h"

/* All strings must outlive the session. */
typedef struct SwSessionOptions
{
	const char *host;
	int			port;
	const char *sslmode;
	const char *sslrootcert;
	const char *user;
	const char *password;
	const char *grantee;		/* who needs a right that is missing, or NULL */
	int			connect_timeout_ms; /* TCP + TLS + login */
	const SwRedactor *redactor; /* for the texts of the peer */
} SwSessionOptions;

typedef struct SwStatement
{
	const char *text;
	const char *query_id;		/* "" = the session makes one */
	const SwChSetting *settings;
	int			n_settings;
	int			timeout_ms;		/* for all of it; negative = none */
} SwStatement;

/* Result rows of one statement as text. */
typedef struct SwRows
{
	int			n_columns;
	int			n_rows;
	uint64		n_bytes;		/* of all values */
	char	  **values;			/* row by row; NULL = null */
} SwRows;

/* What a statement gave; palloc'd in the context of the caller of exec. */
typedef struct SwStatementResult
{
	SwChProgress progress;
	SwRows		rows;
} SwStatementResult;

typedef struct SwSession SwSession;

/*
 * A session that has not contacted anybody; options are copied.  It belongs
 * to cxt.
 */
extern SwSession *sw_session_create(const SwSessionOptions *options,
									MemoryContext cxt);

/*
 * The two steps of opening it: TCP and TLS; then the login.  The connect
 * timeout covers both and begins with the first.  After an error: close.
 */
extern SwStatus sw_session_connect(SwSession *session, SwError *err);
extern SwStatus sw_session_login(SwSession *session, SwError *err);

/* Close the connection and free everything; not after a throw. */
extern void sw_session_close(SwSession *session);

/* What the server said of itself at login, and the revision spoken. */
extern const SwChServer *sw_session_server(const SwSession *session);
extern uint64 sw_session_revision(const SwSession *session);

/* Can it still run statements? */
extern bool sw_session_is_usable(const SwSession *session);

/*
 * Run a statement to its end.  An exception of the server leaves the session
 * usable.  Any other error closes the connection, and where a repeat could
 * help, its retry class is SW_RETRY_UNKNOWN: the statement may have been run.
 * On a time-out the statement is cancelled; when the server ends it then, the
 * session stays usable, and when it ends with an exception, the class is
 * SW_RETRY_LATER.
 */
extern SwStatus sw_session_exec(SwSession *session,
								const SwStatement *statement,
								SwStatementResult *result, SwError *err);

#endif							/* SW_SESSION_H */
