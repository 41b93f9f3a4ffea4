/*-------------------------------------------------------------------------
 *
 * fake_names.c
 *	  A name service for tests, put before the system's with LD_PRELOAD.
 *
 *	  *.silent.test		is never answered (for a minute, which no test waits)
 *	  several.test		has the addresses 127.0.0.2 and 127.0.0.1
 *	  one.test			has the address 127.0.0.1
 *
 * Every other name goes to the system, and so does the question whether one
 * is an address, which takes no name server.  The file that
 * SW_FAKE_NAMES_LOG names gets a line for each of ours that is looked up:
 *
 *	  <process> <thread> <signals it may get> <name>
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a name server is silent, after which the lookup fails. */
#define SILENT_SECONDS 60

typedef int (*Lookup) (const char *name, const char *service,
					   const struct addrinfo *hints, struct addrinfo **result);

static Lookup
find_system_lookup(void)
{
	void	   *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
	Lookup		lookup;

	memcpy(&lookup, &symbol, sizeof(lookup));
	return lookup;
}

static int
count_open_signals(void)
{
	sigset_t	blocked;
	int			n = 0;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	for (int i = 1; i < 32; i++)
		if (i != SIGKILL && i != SIGSTOP && !sigismember(&blocked, i))
			n++;
	return n;
}

static void
log_lookup(const char *name)
{
	const char *path = getenv("SW_FAKE_NAMES_LOG");
	char		line[400];
	int			n;
	int			fd;

	if (path == NULL)
		return;
	n = snprintf(line, sizeof(line), "%d %d %d %.300s\n", (int) getpid(),
				 (int) gettid(), count_open_signals(), name);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, n) != n)
		abort();
	close(fd);
}

static int
keep_silent(void)
{
	struct timespec rest = {SILENT_SECONDS, 0};

	while (nanosleep(&rest, &rest) != 0)
		;
	return EAI_AGAIN;
}

static int
find_several(Lookup lookup, const char *service, const struct addrinfo *hints,
			 struct addrinfo **result)
{
	struct addrinfo *last;
	int			rc = lookup("127.0.0.2", service, hints, result);

	if (rc != 0)
		return rc;
	for (last = *result; last->ai_next != NULL; last = last->ai_next)
		;
	return lookup("127.0.0.1", service, hints, &last->ai_next);
}

int
getaddrinfo(const char *name, const char *service,
			const struct addrinfo *hints, struct addrinfo **result)
{
	Lookup		lookup = find_system_lookup();
	const char *end = name != NULL ? strstr(name, ".test") : NULL;

	if (end == NULL || strcmp(end, ".test") != 0 ||
		(hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0))
		return lookup(name, service, hints, result);

	log_lookup(name);
	if (strstr(name, ".silent.") != NULL)
		return keep_silent();
	if (strcmp(name, "several.test") == 0)
		return find_several(lookup, service, hints, result);
	if (strcmp(name, "one.test") == 0)
		return lookup("127.0.0.1", service, hints, result);
	return EAI_NONAME;
}
