/*-------------------------------------------------------------------------
 *
 * sw_point.h
 *	  Named points of a run at which a test may stop or end a worker.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_POINT_H
#define SW_POINT_H

/*
 * The process is at the point of that name.  Does nothing, unless a test has
 * put a function void (*)(const char *) into the rendezvous variable
 * "sensorswave_export point"; that may wait, throw, or end the process.  So
 * call it only where an interrupt could be served, too.
 */
extern void sw_point(const char *name);

#endif							/* SW_POINT_H */
