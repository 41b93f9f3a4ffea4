/*-------------------------------------------------------------------------
 *
 * sw_report.h
 *	  The one bridge between SwError and ereport.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_REPORT_H
#define SW_REPORT_H

#include "common/sw_status.h"

/* SQLSTATE (as packed by MAKE_SQLSTATE) for a status and a retry class. */
extern int	sw_report_sqlstate(SwStatus status, SwRetry retry);

/*
 * What a repeat may hope for after an error with this SQLSTATE, ours or the
 * server's: connection (08), resources (53), operator intervention (57),
 * serialization (40), I/O (58) and our own "remote, transient" class (38R01)
 * are worth a repeat, a few members of them excepted (08004, 08P01, 53400,
 * 58P01); 08007 is an unknown outcome; all else needs a person.  Gives back
 * the class that sw_report_sqlstate was asked for.
 */
extern SwRetry sw_report_retry_class(int sqlstate);

/* ereport(elevel) the error with its SQLSTATE, detail and hint. */
extern void sw_report(int elevel, const SwError *err);

#endif							/* SW_REPORT_H */
