/*-------------------------------------------------------------------------
 *
 * sw_socket.c
 *	  TCP connections.
 *
 * The file descriptor counts as an external one of fd.c and is adopted by
 * the caller's memory context, so that an error leaks neither.
 *
 * No call blocks: net/sw_http_lookup.h finds the host's addresses, and a socket
 * is told to connect and waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storage/fd.h"

#include "net/sw_http_lookup.h"
#include "net/sw_resource.h"
#include "net/sw_socket.h"

/* Notice a dead peer after 30 s of silence and 3 probes, 10 s apart. */
#define SW_SOCKET_KEEPALIVE_IDLE_S		30
#define SW_SOCKET_KEEPALIVE_INTERVAL_S	10
#define SW_SOCKET_KEEPALIVE_COUNT		3

typedef struct SwSocket
{
	SwStream	stream;
	SwResource *resource;		/* releases this socket */
} SwSocket;

static void
sw_socket_destroy(void *object)
{
	SwSocket   *sock = (SwSocket *) object;

	close(sock->stream.fd);
	sock->stream.fd = PGINVALID_SOCKET;
	ReleaseExternalFD();
}

static SwStatus
sw_socket_lost(SwError *err)
{
	int			save_errno = errno;

	sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
				 "lost the connection to the server");
	errno = save_errno;
	sw_error_set_detail(err, "The system says: %m.");
	sw_error_set_hint(err, "It may pass by itself. If it stays, find out what ends connections between here and the server.");
	return err->status;
}

/* Nothing moved: is it only too early? */
static bool
sw_socket_would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static SwStatus
sw_socket_read(SwStream *stream, void *bytes, Size len, Size *n_bytes,
			   SwError *err)
{
	ssize_t		n = recv(stream->fd, bytes, len, 0);

	*n_bytes = 0;
	if (n > 0)
		*n_bytes = (Size) n;
	else if (n == 0)
		return sw_error_set(err, SW_ERR_LOST, SW_RETRY_LATER,
							"the server closed the connection");
	else if (sw_socket_would_block())
		stream->want_read = true;
	else
		return sw_socket_lost(err);
	return SW_OK;
}

static SwStatus
sw_socket_write(SwStream *stream, const void *bytes, Size len, Size *n_bytes,
				SwError *err)
{
	ssize_t		n = send(stream->fd, bytes, len, MSG_NOSIGNAL);

	*n_bytes = 0;
	if (n >= 0)
		*n_bytes = (Size) n;
	else if (sw_socket_would_block())
		stream->want_write = true;
	else
		return sw_socket_lost(err);
	return SW_OK;
}

static void
sw_socket_close(SwStream *stream)
{
	sw_resource_release(((SwSocket *) stream)->resource);
}

static const SwStreamOps sw_socket_ops = {
	.read = sw_socket_read,
	.write = sw_socket_write,
	.close = sw_socket_close
};

/* Settings of a fresh socket; all of them must hold but keepalive. */
static bool
sw_socket_configure(pgsocket fd)
{
	int			on = 1;
	int			idle_s = SW_SOCKET_KEEPALIVE_IDLE_S;
	int			interval_s = SW_SOCKET_KEEPALIVE_INTERVAL_S;
	int			count = SW_SOCKET_KEEPALIVE_COUNT;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || !pg_set_noblock(fd) ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		return false;
	(void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s,
					  sizeof(idle_s));
#endif
#ifdef TCP_KEEPINTVL
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
					  sizeof(interval_s));
#endif
#ifdef TCP_KEEPCNT
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
#endif
	return true;
}

/* Connect an empty cell to one address; the reason is in errno on failure. */
static bool
sw_socket_connect(SwSocket *sock, const SwAddress *address,
				  int64 deadline_ms, SwWaitEvent event)
{
	int			error = 0;
	socklen_t	error_len = sizeof(error);

	if (!AcquireExternalFD())
		return false;
	sock->stream.fd = socket(address->family, address->socktype,
							 address->protocol);
	if (sock->stream.fd == PGINVALID_SOCKET)
	{
		ReleaseExternalFD();
		return false;
	}
	sock->resource->object = sock;

	if (!sw_socket_configure(sock->stream.fd))
		return false;
	if (connect(sock->stream.fd, (const struct sockaddr *) &address->storage,
				address->len) == 0)
		return true;
	if (errno != EINPROGRESS && errno != EINTR)
		return false;

	for (;;)
	{
		switch (sw_wait(sock->stream.fd, false, true, deadline_ms, event))
		{
			case SW_WAIT_FD:
				if (getsockopt(sock->stream.fd, SOL_SOCKET, SO_ERROR, &error,
							   &error_len) != 0)
					return false;
				errno = error;
				return error == 0;
			case SW_WAIT_LATCH:
				break;
			case SW_WAIT_DEADLINE:
				errno = ETIMEDOUT;
				return false;
		}
	}
}

/*
 * When to give up on an address, so that those after it get their share of
 * the time too.
 */
static int64
sw_socket_share(int n_left, int64 deadline_ms)
{
	int64		now_ms = sw_wait_now_ms();

	if (deadline_ms == SW_NO_DEADLINE || deadline_ms <= now_ms)
		return deadline_ms;
	return now_ms + (deadline_ms - now_ms) / n_left;
}

SwStatus
sw_socket_open(const char *host, int port, int64 deadline_ms,
			   SwWaitEvent event, MemoryContext cxt, SwStream **stream_out,
			   SwError *err)
{
	SwAddressList list;
	SwSocket   *sock;
	int			error = 0;

	sock = (SwSocket *) MemoryContextAllocZero(cxt, sizeof(SwSocket));
	sock->stream.ops = &sw_socket_ops;
	sock->stream.fd = PGINVALID_SOCKET;
	sock->resource = sw_resource_create(cxt, sw_socket_destroy);

	SW_TRY(sw_http_lookup(host, port, deadline_ms, event, &list, err));
	for (int i = 0; i < list.n_addresses; i++)
	{
		int64		share_ms = sw_socket_share(list.n_addresses - i,
											   deadline_ms);

		if (sw_socket_connect(sock, &list.addresses[i], share_ms, event))
		{
			*stream_out = &sock->stream;
			return SW_OK;
		}
		error = errno;
		sw_resource_release(sock->resource);
	}

	errno = error;
	if (error == EMFILE || error == ENFILE)
		return sw_error_set(err, SW_ERR_LIMIT, SW_RETRY_LATER,
							"could not open a socket: %m");
	sw_error_set(err, SW_ERR_CONNECT, SW_RETRY_LATER,
				 "could not connect to \"%s\" port %d: %m", host, port);
	sw_error_set_hint(err, "Check host and port, that the server runs, and that this machine may reach it (public access, firewall, allow list).");
	return err->status;
}
