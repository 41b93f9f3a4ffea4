/*-------------------------------------------------------------------------
 *
 * sw_test.h
 *	  The connection test: is this destination all that a pipeline needs?
 *
 *	   1 TCP connect		 host, port, TLS
 *	   2 authentication		 account, user, password or API key
 *	   3 virtual warehouse	 one that runs statements; skipped if none is set
 *	   4 database
 *	   5 create table		 make and drop a probe table
 *	   6 write to the store	 put a probe object
 *	   7 read from the store the warehouse reads it back; values are compared
 *
 * Done by a worker for a session that waits (sync/sw_job.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TEST_H
#define SW_TEST_H

#include "sync/sw_job.h"

#define SW_TEST_N_STEPS 7

/* The whole may take this long. */
#define SW_TEST_LIMIT_MS (3 * 60 * 1000)

/*
 * Run the steps and give a reply for each as it ends; after a failure the
 * rest is skipped.  Probes are removed whatever happens, also when the
 * session has left.  Does not throw for what a step finds.  No transaction
 * may be open.
 */
extern void sw_test_run(const SwDestination *destination,
						SwJobChannel *channel);

#endif							/* SW_TEST_H */
