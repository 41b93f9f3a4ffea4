#!/bin/sh
# messages.sh: messages are in PostgreSQL's style.  An error carries an
# errcode; a message begins small and has no full stop; detail and hint are
# sentences.
. "$(dirname "$0")/lib.sh"

text | awk -f "$lint/messages.awk" | conclude
