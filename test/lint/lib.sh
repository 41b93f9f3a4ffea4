# lib.sh: what the lints share.  Sourced by each with the tree as its argument.
#
# A lint is a script "name.sh [TREE]" that prints one line per violation,
# "file:line: what is wrong", and exits with 1 if there was one.  Lines that
# begin with "warning:" count for nothing.  test/lint/prove.sh plants
# violations of each.

lint=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$lint/../..}" || exit 2

# The C sources of the module, or those of the folders given.
sources() {
	find "${@:-src}" -name '*.[ch]' 2>/dev/null | sort
}

# The same as "file:line:code", comments and the content of literals removed.
code() {
	sources "$@" | xargs -r awk -f "$lint/strip.awk"
}

# As code, with literals kept.
text() {
	sources "$@" | xargs -r awk -v keep=1 -f "$lint/strip.awk"
}

# said MESSAGE: turn "file:line:..." lines into violations with that message.
said() {
	awk -v message="$1" '{ split($0, part, ":"); print part[1] ":" part[2] ": " message }'
}

# conclude: print the violations that come in; the lint's last command.
conclude() {
	awk '{ print } !/^warning:/ { bad = 1 } END { exit bad }'
}
