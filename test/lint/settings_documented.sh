#!/bin/sh
# settings_documented.sh: each setting that the module defines is in README.md.
. "$(dirname "$0")/lib.sh"

{
	text | grep -E '\<DefineCustom[A-Za-z]+Variable\("sensorswave_export\.' |
		sed -E 's/^([^:]*:[0-9]+):.*"sensorswave_export\.([a-z_]+)".*/\1 \2/' |
		while read -r where name; do
			grep -qE "\`(sensorswave_export\.)?$name\`" README.md 2>/dev/null ||
				echo "$where: setting $name is not in README.md"
		done
} | conclude
