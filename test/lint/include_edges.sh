#!/bin/sh
# include_edges.sh: a file includes files of its own folder and of lower floors
# only.  Siblings on one floor do not see each other.  No .c file declares
# another file's function by hand.
. "$(dirname "$0")/lib.sh"

{
	text | awk '
	function floor(folder)
	{
		return index(floors, " " folder "=") ? \
			substr(floors, index(floors, " " folder "=") + length(folder) + 2, 1) : -1
	}
	function folder_of(path)
	{
		sub(/^src\//, "", path)
		return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "top"
	}
	BEGIN {
		floors = " port=0 common=1 format=2 proto=2 sign=2 net=3" \
			" catalog=4 source=4 store=4 target=4 sync=5 api=6 worker=6 top=7 "
	}
	match($0, /:[0-9]+:[ \t]*#[ \t]*include[ \t]*"/) {
		file = substr($0, 1, RSTART - 1)
		where = substr($0, 1, RSTART + match(substr($0, RSTART + 1), /:/) - 1)
		split($0, quoted, "\"")
		own = folder_of(file)
		if (floor(own) < 0)
			print where ": folder \"" own "\" is on no floor"
		if (quoted[2] !~ /(^|\/)sw_[^\/]*$/)
			next
		other = quoted[2] ~ /\// ? substr(quoted[2], 1, index(quoted[2], "/") - 1) : ""
		if (floor(other) < 0)
			print where ": \"" quoted[2] "\" is not written as folder/file"
		else if (other != own && floor(other) >= floor(own))
			print where ": " own " (floor " floor(own) ") includes " other \
				" (floor " floor(other) ")"
	}'
	code | grep -E '^[^:]*\.c:[0-9]+:extern\>' |
		said 'a declaration belongs in a header'
} | conclude
