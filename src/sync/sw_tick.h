/*-------------------------------------------------------------------------
 *
 * sw_tick.h
 *	  The ticks of a pipeline: set when it is made, when its schedule is
 *	  edited, and when a run has succeeded.
 *
 * All functions need a transaction and throw.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TICK_H
#define SW_TICK_H

#include "catalog/sw_catalog.h"

/* The pipeline was made just now, on this instance. */
extern void sw_tick_begin(const SwPipeline *pipeline);

/* It was edited: what is new of schedule and sweep_every counts at once. */
extern void sw_tick_follow_edit(const SwPipeline *old, const SwPipeline *now);

/*
 * A run has succeeded whose last window was captured at that time, by the
 * clock of net/sw_clock.h: ticks up to then are done, those missed since are
 * one that is due.  Goes by the schedule as it is now.
 */
extern void sw_tick_record_success(int64 pipeline_id, TimestampTz captured_at);

#endif							/* SW_TICK_H */
