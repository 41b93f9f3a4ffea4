#!/bin/sh
# banned_calls.sh: calls that overflow, that hide errors, that keep hidden
# state, that block, that start threads or programs, or that bypass memory
# contexts.
. "$(dirname "$0")/lib.sh"

calls='strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof'
calls="$calls|gmtime|localtime|ctime|asctime|setlocale|setenv|putenv"
calls="$calls|system|popen|fork|vfork|exec[lv]p?e?|exit|signal"
calls="$calls|malloc|free|calloc|realloc|strdup|strndup|asprintf|alloca"
calls="$calls|pthread_[a-z_]+|curl_easy_perform|rand|random|srand"

code | grep -E "(^|[^A-Za-z0-9_.>])($calls)[ 	]*\(" |
	said 'a call the house does without (test/lint/banned_calls.sh)' | conclude
