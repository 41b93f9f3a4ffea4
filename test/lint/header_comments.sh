#!/bin/sh
# header_comments.sh: each file says at its top what it is and what it is for:
# C files in a box with their name and a purpose, scripts in a comment.
. "$(dirname "$0")/lib.sh"

{
	for file in $(sources src test/unit); do
		name=$(basename "$file")
		head -n 1 "$file" | grep -q '^/\*-----' &&
			sed -n '2,4p' "$file" | grep -qF " * $name" &&
			sed -n '4,6p' "$file" | grep -qE '^ \*	  [A-Z]' ||
			echo "$file:1: no box with the name and the purpose"
	done
	for file in $(find test .ci -name node_modules -prune -o -name build -prune \
		-o -type f -print | sort); do
		case $file in
			*.sh | *.awk | *.mjs | *.pl | *.pm) ;;
			*) head -c 2 "$file" | grep -q '#!' || continue ;;
		esac
		sed -n '1,3p' "$file" | grep -qE '^(#|//|/\*| \*) *[A-Za-z]' ||
			echo "$file:1: no comment at the top"
	done
} | conclude
