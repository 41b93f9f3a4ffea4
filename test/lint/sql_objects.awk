# sql_objects.awk: judges the objects that an install script makes.

# The name that follows, without quotes, schema or parentheses.
function name_of(s)
{
	sub(/^[ \t]*(IF NOT EXISTS )?/, "", s)
	sub(/[ \t(;].*$/, "", s)
	gsub(/"/, "", s)
	sub(/^.*\./, "", s)
	return s
}

# Does the line begin with the words?  If so, rest is what follows.
function begins(words)
{
	if (!match(line, "^" words "[ \t]+"))
		return 0
	rest = substr(line, RLENGTH + 1)
	return 1
}

{
	line = $0
	sub(/--.*$/, "", line)
	if (toupper(line) ~ /^[ \t]*GRANT .*TO[ \t]+PUBLIC/ ||
		(grant && toupper(line) ~ /TO[ \t]+PUBLIC/))
		print FILENAME ":" FNR ": grants to PUBLIC"
	if (line ~ /^[ \t]*GRANT /)
		grant = 1
	if (line ~ /;/)
		grant = 0
}

begins("CREATE( OR REPLACE)? (FUNCTION|PROCEDURE)") {
	routine[name_of(rest)] = FILENAME ":" FNR
}
begins("CREATE( OR REPLACE)?( UNLOGGED)? (TABLE|VIEW|TYPE|DOMAIN|SEQUENCE)") {
	relation[name_of(rest)] = FILENAME ":" FNR
}
begins("COMMENT ON (FUNCTION|PROCEDURE|ROUTINE)") { told_routine[name_of(rest)] = 1 }
begins("COMMENT ON (TABLE|VIEW|TYPE|DOMAIN|SEQUENCE)") { told_relation[name_of(rest)] = 1 }
begins("REVOKE (ALL|EXECUTE)( PRIVILEGES)? ON (FUNCTION|PROCEDURE|ROUTINE)") {
	revoked[name_of(rest)] = 1
}

END {
	for (name in routine)
	{
		if (!(name in told_routine))
			print routine[name] ": " name " has no COMMENT"
		if (!(name in revoked))
			print routine[name] ": EXECUTE on " name " is not revoked from PUBLIC"
	}
	for (name in relation)
		if (!(name in told_relation))
			print relation[name] ": " name " has no COMMENT"
}
