#!/bin/sh
# regress_list.sh: REGRESS in the Makefile names each test in sql/ (those
# without a double dash) once, and each has its expected output.
. "$(dirname "$0")/lib.sh"

listed=$(awk '/^REGRESS[ \t]*=/ { on = 1; sub(/^[^=]*=/, "") }
	on { line = $0; more = sub(/\\$/, "", line); print line; on = more }' Makefile |
	tr -s ' \t' '\n' | grep .)
{
	for file in sql/*.sql; do
		name=$(basename "$file" .sql)
		case $name in
			\* | *--*) continue ;;
		esac
		[ "$(echo "$listed" | grep -cx "$name")" -eq 1 ] ||
			echo "$file:1: is not in REGRESS once"
		[ -e "expected/$name.out" ] ||
			echo "$file:1: expected/$name.out is missing"
	done
	for name in $listed; do
		[ -e "sql/$name.sql" ] ||
			echo "Makefile:1: REGRESS names $name; there is no sql/$name.sql"
	done
	for file in expected/*.out; do
		name=$(basename "$file" .out)
		[ "$name" = "*" ] || [ -e "sql/$name.sql" ] ||
			echo "$file:1: there is no sql/$name.sql"
	done
} | conclude
