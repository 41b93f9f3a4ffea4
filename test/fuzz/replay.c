/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Runs one fuzzer over files instead of inputs of libFuzzer's making.
 *
 *	   replay_<name> FILE...
 *
 * Prints TAP, one result a file.  Each file has a process of its own and
 * ten seconds.  No files, no test: that fails.
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_A_FILE 10

static void
run_file(const char *path)
{
	struct stat status;
	FILE	   *file = fopen(path, "rb");
	char	   *bytes;
	size_t		len;

	if (file == NULL || fstat(fileno(file), &status) != 0)
	{
		fprintf(stderr, "could not open \"%s\": %m\n", path);
		exit(1);
	}
	bytes = malloc(status.st_size + 1);
	len = fread(bytes, 1, status.st_size, file);
	fclose(file);
	LLVMFuzzerTestOneInput((const uint8 *) bytes, len);
	free(bytes);
}

int
main(int argc, char **argv)
{
	int			n_failures = 0;
	int			i;

	fuzz_is_replay = true;
	for (i = 1; i < argc; i++)
	{
		int			status = -1;
		pid_t		child = fork();

		if (child == 0)
		{
			alarm(SECONDS_A_FILE);
			run_file(argv[i]);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		{
			n_failures++;
			printf("not ");
		}
		printf("ok %d - %s\n", i, argv[i]);
		fflush(stdout);
	}
	printf("1..%d\n", argc - 1);
	return n_failures > 0 || argc < 2 ? 1 : 0;
}
