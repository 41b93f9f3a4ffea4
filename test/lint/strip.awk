# strip.awk: prints C sources as "file:line:code", without comments.
#
#   awk [-v keep=1] -f strip.awk FILE...
#
# The content of string and character literals is dropped too, unless keep is
# set, so that a word found in the output is a word of the program.

FNR == 1 { comment = 0 }

{
	rest = $0
	out = ""
	while (rest != "")
	{
		if (comment)
		{
			end = index(rest, "*/")
			if (end == 0)
				break
			rest = substr(rest, end + 2)
			comment = 0
			out = out " "
			continue
		}
		if (!match(rest, /\/\*|\/\/|"|'/))
		{
			out = out rest
			break
		}
		token = substr(rest, RSTART, RLENGTH)
		out = out substr(rest, 1, RSTART - 1)
		rest = substr(rest, RSTART + RLENGTH)
		if (token == "/*")
			comment = 1
		else if (token == "//")
			break
		else
		{
			if (token == "\"")
				match(rest, /^([^"\\]|\\.)*"/)
			else
				match(rest, /^([^'\\]|\\.)*'/)
			if (RLENGTH < 0)
				RLENGTH = 0
			if (keep)
				out = out token substr(rest, 1, RLENGTH)
			else
				out = out token token
			rest = substr(rest, RLENGTH + 1)
		}
	}
	print FILENAME ":" FNR ":" out
}
