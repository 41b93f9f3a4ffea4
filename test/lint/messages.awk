# messages.awk: judges the messages in "file:line:code" lines (strip.awk).

# The literal that begins at or, with skip, somewhere in s; "" if none.
function literal(s, skip,		out)
{
	out = ""
	if (skip)
	{
		if (!match(s, /"/))
			return ""
		s = substr(s, RSTART)
	}
	sub(/^[ \t]*(_\()?[ \t]*/, "", s)
	while (match(s, /^"([^"\\]|\\.)*"/))
	{
		out = out substr(s, 2, RLENGTH - 2)
		s = substr(s, RLENGTH + 1)
		sub(/^[ \t]*(INT64_FORMAT|UINT64_FORMAT|PRI[A-Za-z0-9]+)?[ \t]*/, "", s)
	}
	return out
}

function judge_message(m)
{
	if (m == "" || m == "%s")
		return
	if (m ~ /^[A-Z][a-z]/ && m !~ /^(ByteHouse|ClickHouse|PostgreSQL|Parquet|OpenSSL)/)
		print where ": message begins with a capital: " m
	if (m ~ /\.$/ && m !~ /\.\.\.$/)
		print where ": message ends with a full stop: " m
	if (m ~ /\\n/ || m ~ /(^| )(unable|illegal|bad) /)
		print where ": message says \"unable\", \"illegal\", \"bad\" or breaks the line: " m
}

function judge_sentence(m)
{
	if (m == "" || m == "%s")
		return
	if (m ~ /^[a-z]/)
		print where ": detail or hint begins with a small letter: " m
	if (m !~ /([.?!]|[.?!]\)|%s)$/)
		print where ": detail or hint does not end as a sentence: " m
}

# All calls in one statement.
function judge(s,		name, rest)
{
	if (s ~ /(^|[^a-z_])ereport\((ERROR|FATAL|PANIC)/ && s !~ /errcode|sqlstate/)
		print where ": an error without errcode"
	rest = s
	while (match(rest, /(errmsg|errmsg_internal|errmsg_plural|errdetail|errdetail_log|errdetail_plural|errhint|errhint_plural|sw_error_set|sw_error_set_detail|sw_error_set_hint)[ \t]*\(/))
	{
		name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		if (name ~ /detail|hint/)
			judge_sentence(literal(rest, name ~ /^sw_/))
		else
			judge_message(literal(rest, name ~ /^sw_/))
	}
}

match($0, /:[0-9]+:/) {
	place = substr($0, 1, RSTART + RLENGTH - 2)
	line = substr($0, RSTART + RLENGTH)
	if (statement == "" &&
		line !~ /(ereport|sw_error_set[a-z_]*|err(msg|detail|hint)[a-z_]*)[ \t]*\(/)
		next
	if (statement == "")
		where = place
	statement = statement " " line
	if (line ~ /[;}\\][ \t]*$/)
	{
		judge(statement)
		statement = ""
	}
}
