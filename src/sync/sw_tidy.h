/*-------------------------------------------------------------------------
 *
 * sw_tidy.h
 *	  An errand that is told to end removes what it has at a peer first.
 *
 * For workers that make something at a peer which nobody else would remove:
 *
 *	   sw_tidy_defer_termination();
 *	   ... work, in pieces under sw_attempt; between two of them
 *		   sw_tidy_is_terminated() tells that no more should be begun
 *	   sw_tidy_begin();
 *	   sw_tidy_attempt(...);
 *	   sw_tidy_end();
 *
 * SIGTERM cancels the work, as SIGINT does.  Tidying itself is not cancelled,
 * but of a process that was told to terminate it is cut off after some
 * seconds: a shutdown must end also if the peer hangs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TIDY_H
#define SW_TIDY_H

/* From now on SIGTERM cancels; ends the process if it was there before. */
extern void sw_tidy_defer_termination(void);
extern bool sw_tidy_is_terminated(void);

/* From now on it does not matter whether anybody waits. */
extern void sw_tidy_begin(void);

/* Attempt a piece of tidying; a failure goes to the log: "what failed: ...". */
extern void sw_tidy_attempt(void (*work) (void *arg), void *arg,
							const char *what);

/* Does not return in a process that was told to terminate. */
extern void sw_tidy_end(void);

#endif							/* SW_TIDY_H */
