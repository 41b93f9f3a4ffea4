/*-------------------------------------------------------------------------
 *
 * sw_trigger.h
 *	  How the triggers on our views are called.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_TRIGGER_H
#define SW_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"

/* The trigger's data; throws unless called as INSTEAD OF ... FOR EACH ROW. */
static inline TriggerData *
sw_trigger_data(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_INSTEAD(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function must be called by an INSTEAD OF trigger for each row")));
	return trigger;
}

#endif							/* SW_TRIGGER_H */
