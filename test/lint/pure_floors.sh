#!/bin/sh
# pure_floors.sh: src/common, format, proto and sign compile without a server
# and give the same output for the same input: no ereport, no clock, no
# random, no interrupts, no memory contexts, no files or sockets.
. "$(dirname "$0")/lib.sh"

pure="src/common src/format src/proto src/sign"
names='ereport|elog|errmsg|PG_TRY|CHECK_FOR_INTERRUPTS|MemoryContext[A-Za-z]*'
names="$names|CurrentMemoryContext|TopMemoryContext|AllocSetContextCreate"
names="$names|GetCurrentTimestamp|gettimeofday|clock_gettime|time|INSTR_TIME_[A-Z_]+"
names="$names|pg_strong_random|pg_prng_[a-z0-9_]+|open|close|read|write|socket"
names="$names|fopen|fprintf|printf|getenv|BasicOpenFile|OpenTransientFile"

{
	code $pure | grep -E "(^|[^A-Za-z0-9_.>])($names)[ 	]*\(" |
		said 'not for a pure floor'
	code $pure | grep -E '\<(CurrentMemoryContext|TopMemoryContext|MyLatch|MyProc)\>' |
		said 'not for a pure floor'
	for file in $(sources $pure | grep '\.c$'); do
		awk '/^#/ { print; if (++n == 5) exit }' "$file" | tr -d '\n' |
			grep -q '^#ifndef FRONTEND#include "postgres.h"#else#include "postgres_fe.h"#endif' ||
			echo "$file:1: does not begin with postgres.h or postgres_fe.h by FRONTEND"
	done
} | conclude
