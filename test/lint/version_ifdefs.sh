#!/bin/sh
# version_ifdefs.sh: the differences between PostgreSQL versions are src/port's.
. "$(dirname "$0")/lib.sh"

code | grep -E '\<(PG_VERSION_NUM|PG_MAJORVERSION|PG_MAJORVERSION_NUM|PG_VERSION)\>' |
	grep -v '^src/port/' |
	said 'a version test belongs in src/port' | conclude
