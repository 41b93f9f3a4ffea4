/*-------------------------------------------------------------------------
 *
 * keeper.h
 *	  A sink that keeps everything, and fails at a chosen call.
 *
 *-------------------------------------------------------------------------
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "common/sw_bytes.h"
#include "format/sw_writer.h"

typedef struct Keeper
{
	int			n_calls;
	int			fails_at;		/* 0 = never */
	SwBuffer	bytes;
} Keeper;

static inline SwStatus
keep(void *arg, const char *data, Size len, SwError *err)
{
	Keeper	   *keeper = arg;

	keeper->n_calls++;
	if (keeper->n_calls == keeper->fails_at)
		return sw_error_set(err, SW_ERR_IO, SW_RETRY_LATER, "full");
	sw_buffer_append_bytes(&keeper->bytes, data, len);
	return SW_OK;
}

/* The sink of a keeper, which forgets what it had. */
static inline SwSink
keeper_sink(Keeper *keeper)
{
	SwSink		sink = {keep, keeper};

	sw_buffer_init(&keeper->bytes);
	keeper->n_calls = 0;
	return sink;
}

#endif							/* KEEPER_H */
