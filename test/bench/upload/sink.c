/*-------------------------------------------------------------------------
 *
 * sink.c
 *	  An object store that keeps nothing: it counts bytes, takes their CRC-64
 *	  and answers what the clients of this bench want to hear.
 *
 *	sink PORT-FILE [MEGABYTES-PER-SECOND [REPLY-MS]]
 *
 * Listens on a loopback port of its own choice, writes it to PORT-FILE, runs
 * until killed.  One process, one thread, as many connections as come.  To be
 * like a store far away, it takes no more than so many bytes a second from a
 * connection, and answers after so many milliseconds.
 * Understands PUT of objects and parts, and the POSTs of multipart uploads,
 * of TOS and S3 alike; checks no signature.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/sw_crc64.h"

#define MAX_FD		1024
#define HEAD_BYTES	16384
#define BUFFER_BYTES (256 * 1024)

/* One connection: a request's head, then its body. */
typedef struct Peer
{
	char		head[HEAD_BYTES + 1];
	int			n_head;
	bool		in_body;
	int64		n_left;			/* of the body */
	uint64		crc64;			/* of the body so far */
	bool		is_asleep;		/* reads nothing until wake_ns */
	int64		wake_ns;
	char	   *reply;			/* to be sent then */
} Peer;

static int64 bytes_per_second;	/* of one connection; 0 = no limit */
static int64 reply_ns;
static int	epoll_fd;
static int	max_fd;

static Peer *peers[MAX_FD];
static char buffer[BUFFER_BYTES];

/* The CRC of a whole is what its parts, which come in any order, make it. */
static struct
{
	uint64		crc64;
	int64		n_bytes;
}			parts[10001];
static int	n_parts;

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
send_all(int fd, const char *text, int len)
{
	while (len > 0)
	{
		ssize_t		n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (int) n;
	}
}

static int64
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

static void
watch(int fd, bool is_watched)
{
	struct epoll_event event = {.events = is_watched ? EPOLLIN : 0,.data.fd = fd};

	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

static void
sleep_until(int fd, int64 wake_ns)
{
	Peer	   *peer = peers[fd];

	peer->wake_ns = peer->is_asleep ? Max(peer->wake_ns, wake_ns) : wake_ns;
	peer->is_asleep = true;
	watch(fd, false);
}

static void
answer(int fd, const char *extra, const char *body)
{
	char	   *reply = psprintf("HTTP/1.1 200 OK\r\nx-tos-request-id: sink\r\nx-amz-request-id: sink\r\n"
								 "ETag: \"sink\"\r\n%sContent-Length: %zu\r\n\r\n%s",
								 extra, strlen(body), body);

	if (reply_ns > 0)
	{
		peers[fd]->reply = reply;
		sleep_until(fd, now_ns() + reply_ns);
		return;
	}
	send_all(fd, reply, (int) strlen(reply));
	pfree(reply);
}

static const char *
find_header(const Peer *peer, const char *name)
{
	const char *found = strcasestr(peer->head, name);

	return found != NULL ? found + strlen(name) : NULL;
}

/* The CRC of all parts so far. */
static uint64
combine(void)
{
	uint64		crc64 = 0;

	for (int i = 1; i <= n_parts; i++)
		crc64 = sw_crc64_combine(crc64, parts[i].crc64, parts[i].n_bytes);
	return crc64;
}

static void
end_request(int fd, Peer *peer, int64 n_body)
{
	const char *part = strstr(peer->head, "partNumber=");
	bool		is_json = strstr(peer->head, "x-tos-date") != NULL;
	char		crc[80];
	uint64		crc64 = peer->crc64;

	if (strncmp(peer->head, "POST ", 5) == 0 &&
		strstr(peer->head, "uploads=") != NULL)
	{
		n_parts = 0;
		answer(fd, "", is_json ? "{\"Bucket\":\"b\",\"Key\":\"k\",\"UploadId\":\"u1\"}" :
			   "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
		return;
	}
	if (part != NULL)
	{
		int			number = (int) strtol(part + 11, NULL, 10);

		if (number < 1 || number > 10000)
			exit(1);
		parts[number].crc64 = crc64;
		parts[number].n_bytes = n_body;
		n_parts = Max(n_parts, number);
	}
	if (strncmp(peer->head, "POST ", 5) == 0)
	{
		snprintf(crc, sizeof(crc), "x-tos-hash-crc64ecma: " UINT64_FORMAT "\r\n",
				 combine());
		answer(fd, crc, is_json ? "{\"Bucket\":\"b\",\"Key\":\"k\",\"ETag\":\"\\\"sink\\\"\"}" :
			   "<CompleteMultipartUploadResult><ETag>\"sink\"</ETag></CompleteMultipartUploadResult>");
		return;
	}
	snprintf(crc, sizeof(crc), "x-tos-hash-crc64ecma: " UINT64_FORMAT "\r\n",
			 crc64);
	answer(fd, crc, "");
}

/* Take bytes of a head; returns how many were its own, -1 for nonsense. */
static int
take_head(int fd, Peer *peer, const char *bytes, int n)
{
	int			n_new = Min(n, HEAD_BYTES - peer->n_head);
	int			n_old = peer->n_head;
	const char *end;
	const char *length;

	memcpy(peer->head + n_old, bytes, n_new);
	peer->n_head += n_new;
	peer->head[peer->n_head] = '\0';
	end = strstr(peer->head, "\r\n\r\n");
	if (end == NULL)
		return peer->n_head == HEAD_BYTES ? -1 : n_new;

	n_new = (int) (end + 4 - peer->head) - n_old;
	peer->n_head = n_old + n_new;
	peer->head[peer->n_head] = '\0';
	length = find_header(peer, "\r\ncontent-length:");
	peer->n_left = length != NULL ? strtoll(length, NULL, 10) : 0;
	peer->crc64 = 0;
	peer->in_body = true;
	if (find_header(peer, "\r\nexpect:") != NULL)
		send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	return n_new;
}

static bool
take_bytes(int fd, Peer *peer, const char *bytes, int n)
{
	static int64 n_body;

	for (;;)
	{
		if (!peer->in_body)
		{
			int			n_taken;

			if (n == 0)
				return true;
			n_taken = take_head(fd, peer, bytes, n);
			if (n_taken < 0)
				return false;
			bytes += n_taken;
			n -= n_taken;
			if (!peer->in_body)
				return true;
		}
		else
		{
			int			n_taken = (int) Min((int64) n, peer->n_left);
			const char *length;

			peer->crc64 = sw_crc64_update(peer->crc64, bytes, n_taken);
			peer->n_left -= n_taken;
			bytes += n_taken;
			n -= n_taken;
			if (peer->n_left > 0)
				return true;
			length = find_header(peer, "\r\ncontent-length:");
			n_body = length != NULL ? strtoll(length, NULL, 10) : 0;
			end_request(fd, peer, n_body);
			peer->in_body = false;
			peer->n_head = 0;
		}
	}
}

static void
serve(int fd)
{
	ssize_t		n = recv(fd, buffer, sizeof(buffer), 0);

	if (n > 0 && bytes_per_second > 0)
		sleep_until(fd, now_ns() + n * INT64CONST(1000000000) / bytes_per_second);
	if (n > 0 && take_bytes(fd, peers[fd], buffer, (int) n))
		return;
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	pfree(peers[fd]);
	peers[fd] = NULL;
	close(fd);
}

/* Wake those whose time has come; when is it that of the next? */
static int
wake_peers(void)
{
	int64		next_ns = INT64_MAX;
	int64		now = now_ns();

	for (int fd = 0; fd <= max_fd; fd++)
	{
		Peer	   *peer = peers[fd];

		if (peer == NULL || !peer->is_asleep)
			continue;
		if (peer->wake_ns > now)
		{
			next_ns = Min(next_ns, peer->wake_ns);
			continue;
		}
		peer->is_asleep = false;
		if (peer->reply != NULL)
		{
			send_all(fd, peer->reply, (int) strlen(peer->reply));
			pfree(peer->reply);
			peer->reply = NULL;
		}
		watch(fd, true);
	}
	return next_ns == INT64_MAX ? -1 : (int) ((next_ns - now) / 1000000 + 1);
}

static void
welcome(int listener)
{
	struct epoll_event event = {.events = EPOLLIN};
	int			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int			on = 1;

	if (fd < 0 || fd >= MAX_FD)
		fail("accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	peers[fd] = palloc0(sizeof(Peer));
	max_fd = Max(max_fd, fd);
	event.data.fd = fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t	len = sizeof(address);
	struct epoll_event event = {.events = EPOLLIN};
	int			listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE	   *file;

	if (argc < 2)
		return 2;
	bytes_per_second = argc > 2 ? strtoll(argv[2], NULL, 10) * 1000000 : 0;
	reply_ns = argc > 3 ? strtoll(argv[3], NULL, 10) * 1000000 : 0;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 ||
		listen(listener, 64) != 0 ||
		getsockname(listener, (struct sockaddr *) &address, &len) != 0)
		fail("listen");
	event.data.fd = listener;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
	file = fopen(argv[1], "w");
	if (file == NULL)
		fail(argv[1]);
	fprintf(file, "%d\n", ntohs(address.sin_port));
	fclose(file);

	for (;;)
	{
		struct epoll_event events[16];
		int			n = epoll_wait(epoll_fd, events, 16, wake_peers());

		for (int i = 0; i < n; i++)
		{
			if (events[i].data.fd == listener)
				welcome(listener);
			else
				serve(events[i].data.fd);
		}
	}
}
