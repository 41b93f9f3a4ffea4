/*-------------------------------------------------------------------------
 *
 * sw_adopt.h
 *	  To take over pipelines of another instance.
 *
 * Contacts nobody: what is at the store and the warehouse is taken over by a
 * worker after commit (sync/sw_fence.h, sync/sw_marker.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_ADOPT_H
#define SW_ADOPT_H

/*
 * Take over the pipeline of that name, or with NULL all of the current
 * user's that this instance may not work on.  NOTICEs say what became of
 * each.  Returns how many there were; throws, also where the name is unknown
 * or somebody else's.  In a transaction.
 */
extern int	sw_adopt_pipelines(const char *name);

#endif							/* SW_ADOPT_H */
