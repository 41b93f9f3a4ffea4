/*-------------------------------------------------------------------------
 *
 * hooks.c
 *	  What a test can do to a server that has the extension.
 *
 * All of it is said by files in the data directory, which are looked at each
 * time:
 *
 *	  sw_test/points/<name>		what happens at the point of that name
 *								(net/sw_point.h), by its first word:
 *		wait		until the file is gone; interrupts are served
 *		error		an error of SQLSTATE 08006
 *		exit		the process exits with code 1
 *		kill		it kills itself with SIGKILL
 *								In each case <name>.reached is written first,
 *								with the process id in it; for all but "wait"
 *								the file is then removed, so that it happens
 *								once, unless its second word is "always".
 *	  sw_test/clock				the time (net/sw_clock.h): "@n" is that
 *								instant, in microseconds since 2000-01-01
 *								UTC; "n" is that much later than it is
 *	  sw_test/naive				every row version passes the row test
 *								(source/sw_row_test.h)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#define POLL_MS 10

PG_MODULE_MAGIC;

extern void _PG_init(void);

/* The first bytes of a file; false when there is none. */
static bool
read_file(const char *path, char *content, size_t size)
{
	int			fd = open(path, O_RDONLY);
	ssize_t		n;

	content[0] = '\0';
	if (fd < 0)
		return false;
	n = read(fd, content, size - 1);
	close(fd);
	content[Max(n, 0)] = '\0';
	return true;
}

/* As a whole: whoever sees the file can read all of it. */
static void
write_pid(const char *path)
{
	char		new[MAXPGPATH];
	char		content[32];
	int			fd;

	snprintf(new, sizeof(new), "%s.%d", path, MyProcPid);
	snprintf(content, sizeof(content), "%d\n", MyProcPid);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, content, strlen(content)) < 0 ||
		close(fd) != 0 || rename(new, path) != 0)
		elog(FATAL, "could not write \"%s\": %m", path);
}

static void
wait_while_present(const char *path)
{
	while (access(path, F_OK) == 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 POLL_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	/* A latch that was set for something else is not swallowed. */
	SetLatch(MyLatch);
}

static void
at_point(const char *name)
{
	char		path[MAXPGPATH];
	char		reached[MAXPGPATH];
	char		content[64];
	char		word[16] = "";
	char		second[16] = "";

	snprintf(path, sizeof(path), "%s/sw_test/points/%s", DataDir, name);
	if (!read_file(path, content, sizeof(content)))
		return;
	(void) sscanf(content, "%15s %15s", word, second);
	snprintf(reached, sizeof(reached), "%s.reached", path);
	if (strcmp(word, "wait") != 0 && strcmp(second, "always") != 0)
		(void) unlink(path);
	write_pid(reached);

	if (strcmp(word, "wait") == 0)
		wait_while_present(path);
	else if (strcmp(word, "kill") == 0)
		(void) kill(MyProcPid, SIGKILL);
	else if (strcmp(word, "exit") == 0)
		proc_exit(1);
	else if (strcmp(word, "error") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("a test had point \"%s\" fail", name)));
	else
		elog(FATAL, "\"%s\" is nothing that can happen at a point", word);
}

static TimestampTz
set_clock(TimestampTz real)
{
	char		path[MAXPGPATH];
	char		content[64];

	snprintf(path, sizeof(path), "%s/sw_test/clock", DataDir);
	if (!read_file(path, content, sizeof(content)) || content[0] == '\0')
		return real;
	if (content[0] == '@')
		return strtoi64(content + 1, NULL, 10);
	return real + strtoi64(content, NULL, 10);
}

/*
 * Is looked at through a pointer, so it has to be up to date whenever a run
 * begins to read: a point does that, and the clock, which is asked before.
 */
static bool is_naive = false;

static void
look_for_naive(void)
{
	char		path[MAXPGPATH];

	snprintf(path, sizeof(path), "%s/sw_test/naive", DataDir);
	is_naive = access(path, F_OK) == 0;
}

static void
point_hook(const char *name)
{
	look_for_naive();
	at_point(name);
}

static TimestampTz
clock_hook(TimestampTz real)
{
	look_for_naive();
	return set_clock(real);
}

void
_PG_init(void)
{
	*find_rendezvous_variable("sensorswave_export point") = (void *) point_hook;
	*find_rendezvous_variable("sensorswave_export clock") = (void *) clock_hook;
	*find_rendezvous_variable("sensorswave_export row test") = (void *) &is_naive;
}
