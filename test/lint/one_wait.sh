#!/bin/sh
# one_wait.sh: only src/net/sw_wait.c waits, so that every wait serves
# interrupts.  The HTTP engine collects what is ready on its inner epoll fd
# with a time-out of 0, which does not wait: "epoll_wait(a, b, c, 0)" on one
# line is allowed there.
. "$(dirname "$0")/lib.sh"

calls='WaitLatch|WaitLatchOrSocket|WaitEventSetWait|poll|ppoll|select|pselect'
calls="$calls|epoll_wait|epoll_pwait|curl_multi_poll|curl_multi_wait|usleep"
calls="$calls|pg_usleep|sleep|nanosleep|clock_nanosleep|sem_wait|sigwait"
calls="$calls|ConditionVariableSleep|ConditionVariableTimedSleep"

code | grep -E "\<($calls)[ 	]*\(" |
	grep -v '^src/net/sw_wait\.c:' |
	grep -vE '^src/net/sw_http_engine\.c:.*\<epoll_wait\(.*, 0\)' |
	said 'waiting is for src/net/sw_wait.c' | conclude
