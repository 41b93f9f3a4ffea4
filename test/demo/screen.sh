# screen.sh: how the demo looks.  Sourced by demo.
#
# heading TEXT       a new part
# say TEXT...        lines of prose
# show               standard input, set off from our own words
# run_sql [OPTION...]  SQL from standard input: shown, then run by psql
# ask SQL            the result alone, unaligned, for the script itself

readonly columns=96

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' faint=$'\e[36m' plain=$'\e[0m'
else
	bold='' faint='' plain=''
fi

heading() {
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
	printf '%*s\n\n' ${#1} '' | tr ' ' '-'
}

say() {
	printf '%s\n' "$@"
}

show() {
	printf '\n'
	sed "s/^..*/    $faint&$plain/"
}

run_sql() {
	local sql
	sql=$(cat)
	show <<<"$sql"
	printf '\n'
	cluster psql -d demo -q -v ON_ERROR_STOP=1 -P pager=off -P format=wrapped \
		-P columns=$columns "$@" -f - <<<"$sql" | trim_blank_lines ||
		sw_die "psql could not do this"
}

# psql ends each result with a blank line; prose follows soon enough.
trim_blank_lines() {
	awk 'NF { for (; n > 0; n--) print ""; print; next } { n++ }'
}

ask() {
	cluster psql -d demo -At -F ' ' -v ON_ERROR_STOP=1 -c "$1" </dev/null
}
