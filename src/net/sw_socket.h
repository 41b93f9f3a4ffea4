/*-------------------------------------------------------------------------
 *
 * sw_socket.h
 *	  TCP connections.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SOCKET_H
#define SW_SOCKET_H

#include "net/sw_stream.h"

/*
 * Connect to host (a name or an address, IPv4 or IPv6), trying its addresses
 * until the deadline, which bounds the lookup of the name too.  Uses no
 * proxy.  The stream belongs to cxt.  *stream_out is
 * untouched on error: SW_ERR_CONNECT, or SW_ERR_LIMIT when this process may
 * open no more files.  May throw while it waits.
 */
extern SwStatus sw_socket_open(const char *host, int port, int64 deadline_ms,
							   SwWaitEvent event, MemoryContext cxt,
							   SwStream **stream_out, SwError *err);

#endif							/* SW_SOCKET_H */
