#!/bin/sh
# exported_symbols.sh: the built module exports what the server looks up, and
# nothing else (src/exports.map).
. "$(dirname "$0")/lib.sh"

module=sensorswave_export.so
{
	if [ ! -e "$module" ]; then
		echo "$module:1: is not built"
	else
		nm -D --defined-only "$module" | awk '{ print $NF }' >"${TMPDIR:-/tmp}/symbols.$$"
		grep -vE '^(_PG_init|Pg_magic_func|pg_finfo_.*|sw_sql_.*|sw_.*_main)$' \
			"${TMPDIR:-/tmp}/symbols.$$" | sed "s/.*/$module:1: exports &/"
		for needed in _PG_init Pg_magic_func; do
			grep -qx "$needed" "${TMPDIR:-/tmp}/symbols.$$" ||
				echo "$module:1: does not export $needed"
		done
		rm -f "${TMPDIR:-/tmp}/symbols.$$"
	fi
} | conclude
