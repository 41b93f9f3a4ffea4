#!/bin/bash
# prove.sh: proves that each lint bites: on a copy of this tree it passes, and
# fails when a violation is planted, naming the planted file; prints TAP.
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
number=0
failed=0
proved=" "

result() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=1
	fi
}

run_lint() {
	"$here/$1.sh" "$tree" >"$tree/.output" 2>&1
}

# clean LINT: it passes on the tree as it is.
clean() {
	proved="$proved$1 "
	run_lint "$1"
	result $? "$1 passes on the tree"
	grep -v '^warning:' "$tree/.output" | sed 's/^/#   /'
}

# planted LINT FILE WHAT: it fails with FILE in its output; FILE is restored.
planted() {
	run_lint "$1"
	[ $? -eq 1 ] && grep -v '^warning:' "$tree/.output" | grep -qF "$2:"
	result $? "$1 catches $3"
	rm -rf "${tree:?}/$2"
	if [ -e "$tree/.kept" ]; then
		mv "$tree/.kept" "$tree/$2"
	fi
}

# plant LINT FILE: FILE is stdin, or gets it appended; then as planted.
plant() {
	mkdir -p "$tree/$(dirname "$2")"
	if [ -e "$tree/$2" ]; then
		cp -p "$tree/$2" "$tree/.kept"
	fi
	cat >>"$tree/$2"
	planted "$1" "$2" "$3"
}

cd "$here/../.." || exit 2
tar -cf - --exclude=node_modules $(ls -d src sql expected test .ci Makefile \
	README.md sensorswave_export.so 2>/dev/null) | tar -xf - -C "$tree"
mkdir -p "$tree/sql/install" "$tree/expected"

clean include_edges
plant include_edges src/common/sw_plant.c 'an upward include' <<<'#include "net/sw_wait.h"'
plant include_edges src/store/sw_plant.h 'a sibling' <<<'#include "target/sw_target.h"'
plant include_edges src/api/sw_plant.c 'a path without its folder' <<<'#include "sw_status.h"'
plant include_edges src/misc/sw_plant.c 'a folder on no floor' <<<'#include "common/sw_status.h"'
plant include_edges src/sync/sw_plant.c 'a hand-made declaration' <<<'extern int sw_plant(void);'

clean spi_only_in_catalog
plant spi_only_in_catalog src/sync/sw_plant.c 'a call' <<<'	SPI_execute(query, true, 0);'
plant spi_only_in_catalog src/api/sw_plant.c 'the header' <<<'#include "executor/spi.h"'

clean one_wait
plant one_wait src/net/sw_plant.c 'a poll' <<<'	poll(&fd, 1, 10);'
plant one_wait src/worker/sw_plant.c 'a latch' <<<'	(void) WaitLatch(MyLatch, WL_TIMEOUT, 10, 0);'
plant one_wait src/net/sw_http_engine.c 'an engine that waits' <<<'	n = epoll_wait(fd, events, 8, 10);'

clean banned_calls
plant banned_calls src/net/sw_plant.c 'sprintf' <<<'	sprintf(buffer, "%d", i);'
plant banned_calls src/net/sw_plant.c 'free' <<<'	free(p);'
plant banned_calls src/net/sw_plant.c 'a thread' <<<'	pthread_create(&id, NULL, run, NULL);'
plant banned_calls src/net/sw_plant.c 'a blocking transfer' <<<'	curl_easy_perform(easy);'

clean version_ifdefs
plant version_ifdefs src/net/sw_plant.c 'a version test' <<<'#if PG_VERSION_NUM >= 170000'

clean library_names
plant library_names src/store/sw_plant.c 'curl' <<<'	CURL *easy = curl_easy_init();'
plant library_names src/target/sw_plant.c 'TLS' <<<'	SSL_free(tls);'
plant library_names src/format/sw_plant.c 'zstd' <<<'#include <zstd.h>'
plant library_names src/sign/sw_plant.c 'EVP' <<<'	EVP_MD_CTX_new();'

clean pure_floors
idiom=$'#ifndef FRONTEND\n#include "postgres.h"\n#else\n#include "postgres_fe.h"\n#endif'
plant pure_floors src/proto/sw_plant.c 'an ereport' <<<"$idiom"$'\n\tereport(ERROR, (errcode(1)));'
plant pure_floors src/sign/sw_plant.c 'the clock' <<<"$idiom"$'\n\tnow = time(NULL);'
plant pure_floors src/common/sw_plant.c 'a memory context' <<<"$idiom"$'\n\told = MemoryContextSwitchTo(mine);'
plant pure_floors src/format/sw_plant.c 'a file that needs the server' <<<'#include "postgres.h"'

clean file_size
plant file_size src/net/sw_plant.c 'a long file' < <(seq 1201)

clean messages
plant messages src/sync/sw_plant.c 'an error without a code' <<<'	ereport(ERROR, (errmsg("it broke")));'
plant messages src/sync/sw_plant.c 'a capital' <<<'	ereport(LOG, (errmsg("It broke")));'
plant messages src/sync/sw_plant.c 'a full stop' <<<$'\tereport(LOG,\n\t\t\t(errmsg("it "\n\t\t\t\t\t"broke.")));'
plant messages src/sync/sw_plant.c 'a hint that is no sentence' <<<'	ereport(LOG, (errmsg("it broke"), errhint("try again")));'
plant messages src/store/sw_plant.c 'a status with a capital' <<<'	return sw_error_set(err, SW_ERR_IO, SW_RETRY_NEVER, "It broke");'

clean exported_symbols
if [ -e "$tree/sensorswave_export.so" ]; then
	mv "$tree/sensorswave_export.so" "$tree/.kept"
fi
echo 'void _PG_init(void) {} void Pg_magic_func(void) {} void wake(void) {}' |
	cc -shared -fPIC -x c -o "$tree/sensorswave_export.so" -
planted exported_symbols sensorswave_export.so 'a symbol too many'

clean header_comments
plant header_comments src/net/sw_plant.c 'a file without a box' <<<'#include "postgres.h"'
plant header_comments test/lib/plant.sh 'a script without a word' <<<$'#!/bin/sh\nset -e'

clean sql_objects
plant sql_objects sql/install/99_plant.sql 'a table without a comment' <<<'CREATE TABLE _sensorswave.plant (a int);'
plant sql_objects sql/install/99_plant.sql 'a grant to PUBLIC' <<<'GRANT SELECT ON sw_runs TO PUBLIC;'
plant sql_objects sql/install/99_plant.sql 'a function that is everybody'"'"'s' \
	<<<$'CREATE FUNCTION sw_plant() RETURNS int\nLANGUAGE sql AS $$SELECT 1$$;\nCOMMENT ON FUNCTION sw_plant() IS \'A plant.\';'

clean regress_list
plant regress_list sql/plant.sql 'a test that is not listed' <<<'SELECT 1;'
plant regress_list Makefile 'a listed test without a file' <<<'REGRESS = plant'

clean settings_documented
plant settings_documented src/catalog/sw_plant.c 'a setting README does not know' \
	<<<'	DefineCustomBoolVariable("sensorswave_export.plant",'

clean indent
plant indent src/net/sw_plant.c 'spaces' <<<$'int\nsw_plant(void)\n{\n    return 1;\n}'

for script in "$here"/*.sh; do
	name=$(basename "$script" .sh)
	case $name in
		all | lib | prove) continue ;;
	esac
	[[ $proved = *" $name "* ]]
	result $? "$name is proved"
done
echo "1..$number"
exit $failed
