#!/bin/sh
# sql_objects.sh: what the install script makes has a comment, and nothing is
# PUBLIC's: functions are, unless EXECUTE is revoked.
. "$(dirname "$0")/lib.sh"

find sql/install -name '*.sql' 2>/dev/null | sort |
	xargs -r awk -f "$lint/sql_objects.awk" | sort -t: -k1,1 -k2,2n | conclude
