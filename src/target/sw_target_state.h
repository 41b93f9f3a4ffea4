/*-------------------------------------------------------------------------
 *
 * sw_target_state.h
 *	  What the files behind sw_target.h share.
 *
 * Private to this folder: sw_target.c opens and runs statements, the other
 * sw_target_*.c say which.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TARGET_STATE_H
#define SW_TARGET_STATE_H

#include "net/sw_redact.h"
#include "target/sw_dialect.h"
#include "target/sw_session.h"
#include "target/sw_target.h"

struct SwTarget
{
	MemoryContext cxt;			/* holds all of it */
	const SwDialect *dialect;
	const SwTargetOptions *options; /* the caller's */
	SwRedactor	redactor;
	SwSession  *session;		/* NULL: not connected */
	bool		has_warehouse;	/* one is wanted */
	int			warehouse_attempt;	/* how it is named */
	bool		warehouse_is_set;	/* the session has been told */
};

/* Settings of one statement, beside its time limit. */
#define SW_TARGET_MAX_SETTINGS	8

typedef struct SwTargetCall
{
	const char *sql;
	const char *query_id;		/* "" = the session makes one */
	const SwChSetting *settings;
	int			n_settings;
} SwTargetCall;

/* Is the server new enough for our tables?  SW_ERR_UNSUPPORTED. */
extern SwStatus sw_target_check_version(const SwTarget *target, SwError *err);

/*
 * Run a statement in the virtual warehouse.  An unknown outcome is taken for
 * one that a repeat cures; result may be NULL.
 */
extern SwStatus sw_target_exec(SwTarget *target, const SwTargetCall *call,
							   SwStatementResult *result, SwError *err);

/* The same for a mere text, which is freed. */
extern SwStatus sw_target_exec_text(SwTarget *target, StringInfo sql,
									SwStatementResult *result, SwError *err);

/*
 * The same for a statement that holds the keys of the store: they are kept
 * out of error texts.  An unknown outcome stays one.
 */
extern SwStatus sw_target_exec_load(SwTarget *target,
									const SwTargetCall *call,
									const SwLoadSource *source,
									SwStatementResult *result, SwError *err);

#endif							/* SW_TARGET_STATE_H */
