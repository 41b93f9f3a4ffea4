#!/bin/sh
# file_size.sh: a file has one subject.  Over 1200 lines fails, over 800 warns,
# and so does a C function over 120 lines.
. "$(dirname "$0")/lib.sh"

find src sql/install test -name node_modules -prune -o -type f \
	\( -name '*.[ch]' -o -name '*.sql' -o -name '*.mjs' -o -name '*.pl' \
	-o -name '*.pm' -o -name '*.sh' \) -print 2>/dev/null | sort | xargs -r awk '
	function judge()
	{
		if (lines > 1200)
			print file ":1: " lines " lines; the limit is 1200"
		else if (lines > 800)
			print "warning: " file ":1: " lines " lines"
	}
	FNR == 1 { judge(); file = FILENAME; start = 0 }
	{ lines = FNR }
	file ~ /\.c$/ && /^{/ { start = FNR }
	file ~ /\.c$/ && /^}/ && start {
		if (FNR - start > 120)
			print "warning: " file ":" start ": a function of " FNR - start " lines"
		start = 0
	}
	END { judge() }' | conclude
