/*-------------------------------------------------------------------------
 *
 * sw_lifecycle.h
 *	  Stopping a pipeline, pausing it, and letting it go on.
 *
 * Contract as in sync/sw_pipeline.h; each says what it has done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_LIFECYCLE_H
#define SW_LIFECYCLE_H

/* For good; a running window ends first.  Its history stays. */
extern void sw_lifecycle_stop(const char *name);

/* A running window ends first.  Nothing is lost. */
extern void sw_lifecycle_pause(const char *name);
extern void sw_lifecycle_resume(const char *name);

#endif							/* SW_LIFECYCLE_H */
