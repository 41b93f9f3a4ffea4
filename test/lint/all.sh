#!/bin/sh
# all.sh: runs every lint on this tree, or on the one given; prints TAP.
here=$(cd "$(dirname "$0")" && pwd)
number=0
failed=0

for script in "$here"/*.sh; do
	name=$(basename "$script" .sh)
	case $name in
		all | lib | prove) continue ;;
	esac
	number=$((number + 1))
	if output=$("$script" "${1:-$here/../..}" 2>&1); then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failed=1
	fi
	[ -z "$output" ] || echo "$output" | sed 's/^/#   /'
done
echo "1..$number"
exit $failed
