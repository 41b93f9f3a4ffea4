# common.sh: what the scripts under test/ share.  Sourced by bash scripts.
#
# sw_top          the top of this tree
# sw_say, sw_die  a message for the person watching; the same, then exit 1
# sw_pg_config    pg_config, or what PG_CONFIG names
# sw_as_user      run a command as the account that servers run as
# sw_can_reach    whether that account can read in a folder

sw_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

sw_say() {
	echo "$(basename "$0"): $*" >&2
}

sw_die() {
	sw_say "$@"
	exit 1
}

sw_pg_config() {
	"${PG_CONFIG:-pg_config}" "$@"
}

# The account that servers and their tests run as.  PostgreSQL refuses to run
# as root, so root borrows another account; anybody else is that account.
sw_user() {
	if [ "$(id -u)" -ne 0 ]; then
		id -un
	elif id postgres >/dev/null 2>&1; then
		echo postgres
	else
		echo nobody
	fi
}

# sw_as_user COMMAND...: in the same environment, apart from HOME.
sw_as_user() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		HOME=${SW_TEST_HOME:-/nonexistent} setpriv --reuid="$(sw_user)" \
			--regid="$(id -g "$(sw_user)")" --init-groups -- "$@"
	fi
}

# sw_own PATH...: give what root made to that account.
sw_own() {
	if [ "$(id -u)" -eq 0 ]; then
		chown -R "$(sw_user):" "$@"
	fi
}

sw_can_reach() {
	(cd / && sw_as_user test -r "$1" -a -x "$1")
}
