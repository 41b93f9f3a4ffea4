/*-------------------------------------------------------------------------
 *
 * launcher.c
 *		Runs a ClickHouse server out of the library of the npm package chdb.
 *
 * usage: launcher LIBRARY DATA_DIR CONFIG_FILE TCP_PORT HTTP_PORT
 *
 * The library holds the whole "clickhouse local" program, which can be told
 * to listen for the native protocol and for HTTP.  It does so for as long as
 * its one query runs, and that query reads a FIFO that nobody writes to: the
 * server's life is the life of the FIFO's writing end, held here.
 *
 * SIGTERM and SIGINT close the writing end; the query then ends by itself,
 * the server flushes and stops, and this program exits with 0.  If the server
 * does not end within STOP_GRACE_SECONDS, the program exits with 2; its data
 * survives that as it survives kill -9.  Exit code 1 means that the server
 * could not be started, or ended by itself; the reason is on stderr.
 *
 * No header is shipped with the library, so the few prototypes needed are
 * declared here.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_GRACE_SECONDS	20
#define MAX_ARGUMENT		4096

typedef void *(*QueryCmdline) (int argc, char **argv);
typedef const char *(*ResultError) (void *result);
typedef void (*SetSignalHandlers) (int enabled);

/* What the signal thread needs; written before it starts. */
typedef struct Watcher
{
	sigset_t	signals;
	char		fifo[MAX_ARGUMENT];
} Watcher;

static volatile sig_atomic_t stop_requested = 0;

static void
die(const char *what, const char *detail)
{
	fprintf(stderr, "launcher: %s: %s\n", what, detail);
	_exit(1);
}

/*
 * Thread: holds the FIFO's writing end until a signal asks to stop.
 */
static void *
watch_signals(void *argument)
{
	Watcher    *watcher = argument;
	int			writer;
	int			signal_number;

	/* Blocks until the server opens the FIFO for reading. */
	writer = open(watcher->fifo, O_WRONLY | O_CLOEXEC);
	if (writer < 0)
		die("could not open the FIFO", strerror(errno));

	(void) sigwait(&watcher->signals, &signal_number);
	stop_requested = 1;
	close(writer);

	sleep(STOP_GRACE_SECONDS);
	fprintf(stderr, "launcher: the server did not stop in time\n");
	_exit(2);
}

static void
make_directory(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		die("could not make a directory", path);
}

/*
 * Makes the system database one that is stored, so that system.query_log is
 * found again after a restart; by default it lives in memory, and the log's
 * leftover files then stand in the way of a new one.
 */
static void
store_system_database(const char *data_dir)
{
	char		path[MAX_ARGUMENT + 32];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/metadata", data_dir);
	make_directory(path);
	snprintf(path, sizeof(path), "%s/metadata/system", data_dir);
	make_directory(path);
	snprintf(path, sizeof(path), "%s/metadata/system.sql", data_dir);
	if (access(path, F_OK) == 0)
		return;
	file = fopen(path, "w");
	if (file == NULL)
		die("could not write", path);
	if (fputs("ATTACH DATABASE system ENGINE = Ordinary\n", file) == EOF ||
		fclose(file) != 0)
		die("could not write", path);
}

/*
 * Looks a symbol up; the library is useless without it.
 */
static void *
require_symbol(void *library, const char *name)
{
	void	   *symbol = dlsym(library, name);

	if (symbol == NULL)
		die("the library lacks a function", name);
	return symbol;
}

/*
 * The one query: start to listen, then read the FIFO until it is closed.
 */
static void
format_query(char *query, size_t size, const char *fifo)
{
	int			length;

	length = snprintf(query, size,
					  "SYSTEM START LISTEN TCP; "
					  "SYSTEM START LISTEN HTTP; "
					  "SELECT count() FROM file('%s', 'LineAsString', "
					  "'line String') SETTINGS "
					  "storage_file_read_method = 'read', "
					  "max_execution_time = 0 FORMAT Null", fifo);
	if (length < 0 || (size_t) length >= size)
		die("path too long", fifo);
}

static void
format_option(char *option, const char *name, const char *value)
{
	int			length;

	length = snprintf(option, MAX_ARGUMENT, "--%s=%s", name, value);
	if (length < 0 || length >= MAX_ARGUMENT)
		die("argument too long", name);
}

int
main(int argc, char **argv)
{
	static char options[4][MAX_ARGUMENT];
	static char query[2 * MAX_ARGUMENT];
	static Watcher watcher;
	char	   *server_argv[16];
	int			server_argc = 0;
	pthread_t	thread;
	void	   *library;
	void	   *result;
	const char *error;
	int			length;
	QueryCmdline query_cmdline;
	ResultError result_error;
	SetSignalHandlers set_signal_handlers;

	if (argc != 6)
	{
		fprintf(stderr, "usage: %s LIBRARY DATA_DIR CONFIG_FILE TCP_PORT "
				"HTTP_PORT\n", argv[0]);
		return 1;
	}

	length = snprintf(watcher.fifo, sizeof(watcher.fifo), "%s/life.fifo",
					  argv[2]);
	if (length < 0 || (size_t) length >= sizeof(watcher.fifo) ||
		strchr(watcher.fifo, '\'') != NULL ||
		strchr(watcher.fifo, '\\') != NULL)
		die("unsuitable path", argv[2]);
	if (unlink(watcher.fifo) != 0 && errno != ENOENT)
		die("could not remove the old FIFO", strerror(errno));
	if (mkfifo(watcher.fifo, 0600) != 0)
		die("could not make the FIFO", strerror(errno));

	store_system_database(argv[2]);

	/* Threads of the library inherit the mask; only our thread waits. */
	sigemptyset(&watcher.signals);
	sigaddset(&watcher.signals, SIGTERM);
	sigaddset(&watcher.signals, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &watcher.signals, NULL) != 0)
		die("could not block signals", "pthread_sigmask");
	signal(SIGPIPE, SIG_IGN);

	/* The server takes its time zone from here. */
	if (setenv("TZ", "UTC", 1) != 0)
		die("could not set the time zone", strerror(errno));

	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		die("could not load the library", dlerror());
	*(void **) &query_cmdline = require_symbol(library,
											   "chdb_query_cmdline");
	*(void **) &result_error = require_symbol(library, "chdb_result_error");
	*(void **) &set_signal_handlers =
		require_symbol(library, "chdb_set_signal_handlers_enabled");
	set_signal_handlers(0);

	if (pthread_create(&thread, NULL, watch_signals, &watcher) != 0)
		die("could not start a thread", "pthread_create");

	format_option(options[0], "path", argv[2]);
	format_option(options[1], "config-file", argv[3]);
	format_option(options[2], "tcp_port", argv[4]);
	format_option(options[3], "http_port", argv[5]);
	format_query(query, sizeof(query), watcher.fifo);

	server_argv[server_argc++] = "clickhouse";
	server_argv[server_argc++] = options[0];
	server_argv[server_argc++] = options[1];
	server_argv[server_argc++] = "--listen_host=127.0.0.1";
	server_argv[server_argc++] = options[2];
	server_argv[server_argc++] = options[3];
	server_argv[server_argc++] = "--query";
	server_argv[server_argc++] = query;
	server_argv[server_argc] = NULL;

	result = query_cmdline(server_argc, server_argv);
	error = result != NULL ? result_error(result) : "no result";
	if (!stop_requested)
		die("the server ended", error != NULL ? error : "no reason given");
	if (error != NULL)
		fprintf(stderr, "launcher: while stopping: %s\n", error);

	/* The library's destructors are not needed and not safe here. */
	fflush(NULL);
	_exit(0);
}
