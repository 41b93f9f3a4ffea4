#!/bin/bash
# indent.sh: the C sources look as pg_bsd_indent leaves them.
#
#   indent.sh [TREE]               print what differs
#   indent.sh --apply [FILE...]    format all sources, or these
#
# The names of types are read from our sources and the server's headers;
# src/typedefs.list adds those of other libraries.
apply=
if [ "${1:-}" = --apply ]; then
	apply=yes
	shift
	for file in "$@"; do
		files="${files:-} $(realpath "$file")"
	done
	set --
fi
. "$(dirname "$0")/lib.sh"

c_files() {
	find src test -name node_modules -prune -o -name '*.[ch]' -print | sort
}

# "text" is a type of the server's, and a name that everybody uses.
list_types() {
	{
		cat src/typedefs.list
		{
			c_files
			find "$(${PG_CONFIG:-pg_config} --includedir-server)" -name '*.h'
		} | xargs awk -f "$lint/typedefs.awk"
	} | grep -E '^[A-Za-z_]' | grep -vx text | sort -u
}

# The indenter takes the star of a function's type for a declaration's.
indented() {
	pg_bsd_indent -bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 \
		-nfc1 -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4 \
		-U"$new/types" "$1" "$new/raw.c" >"$new/log" 2>&1 &&
		sed -E 's/^([A-Za-z_][^ 	]*)[ 	]+\*$/\1 */' "$new/raw.c" >"$new/file.c"
}

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
list_types >"$new/types"
for file in ${files:-$(c_files)}; do
	if ! indented "$file" || [ -s "$new/log" ]; then
		echo "$file:1: pg_bsd_indent fails: $(tr '\n' ' ' <"$new/log")"
	elif cmp -s "$file" "$new/file.c"; then
		continue
	elif [ -n "$apply" ]; then
		cat "$new/file.c" >"$file"
	else
		line=$(cmp "$file" "$new/file.c" | sed 's/.*line //')
		echo "$file:$line: is not formatted; make indent does it"
	fi
done | conclude
