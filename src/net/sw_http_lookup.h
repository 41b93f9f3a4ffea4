/*-------------------------------------------------------------------------
 *
 * sw_http_lookup.h
 *	  The addresses of a host, without blocking.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_HTTP_LOOKUP_H
#define SW_HTTP_LOOKUP_H

#include <sys/socket.h>

#include "common/sw_status.h"
#include "net/sw_wait.h"

/* A host with more has the rest of them ignored. */
#define SW_HTTP_MAX_ADDRESSES 16

/* What socket() and connect() want to know. */
typedef struct SwAddress
{
	int			family;
	int			socktype;
	int			protocol;
	socklen_t	len;
	struct sockaddr_storage storage;
} SwAddress;

typedef struct SwAddressList
{
	int			n_addresses;	/* one or more */
	SwAddress	addresses[SW_HTTP_MAX_ADDRESSES];
} SwAddressList;

/*
 * Addresses for TCP of host, which is a name or an address, IPv4 or IPv6; in
 * the order to try them in.  SW_ERR_CONNECT: there is none, or the deadline
 * has passed.  Throws for interrupts, and when memory or file descriptors run
 * out.
 */
extern SwStatus sw_http_lookup(const char *host, int port, int64 deadline_ms,
							   SwWaitEvent event, SwAddressList *list,
							   SwError *err);

#endif							/* SW_HTTP_LOOKUP_H */
