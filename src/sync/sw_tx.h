/*-------------------------------------------------------------------------
 *
 * sw_tx.h
 *	  Transactions of a worker.
 *
 * A worker's work is a chain of short transactions with network waits
 * between them; none is ever open while waiting for a peer.  Both functions
 * leave CurrentMemoryContext as it was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TX_H
#define SW_TX_H

/* Start a transaction; activity is what pg_stat_activity shows. */
extern void sw_tx_begin(const char *activity);

/*
 * Commit it.  The commit is durable before this returns, whatever the
 * database's synchronous_commit says: the ledger must not forget what a
 * peer has been told.
 */
extern void sw_tx_commit(void);

#endif							/* SW_TX_H */
