# typedefs.awk: prints the names of the types that C sources define; the
# indenter needs them to tell a pointer from a product.

# The name in "(*name) (" or "(name) (".
function function_type(line)
{
	if (!match(line, /\(\*?[ \t]*[A-Za-z_][A-Za-z_0-9]*\)[ \t]*\(/))
		return ""
	line = substr(line, RSTART, RLENGTH)
	gsub(/[^A-Za-z_0-9]/, "", line)
	return line
}

{ sub(/[ \t]*(\/\*.*)?$/, "") }

/^}[ \t]*(pg_attribute[a-z_]*\(.*\)[ \t]*)?[A-Za-z_][A-Za-z_0-9]*;$/ {
	sub(/;$/, "")
	sub(/.*[ \t}]/, "")
	print
}

/^typedef / {
	name = function_type($0)
	if (name == "" && $0 !~ /;$/)
		next
	if (name == "")
	{
		sub(/\[.*\]/, "")
		sub(/[ \t]*\(.*$/, "")
		sub(/;$/, "")
		sub(/.*[ \t*]/, "")
		name = $0
	}
	print name
}
