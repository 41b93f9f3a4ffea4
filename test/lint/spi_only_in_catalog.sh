#!/bin/sh
# spi_only_in_catalog.sh: only src/catalog runs SQL of ours, so only it names
# our tables.  src/source/sw_read.c runs the pipeline's query on the user's
# tables through the same door, and touches none of ours.
. "$(dirname "$0")/lib.sh"

{
	code | grep -E '\<SPI_[A-Za-z]'
	text | grep -E '#[ 	]*include[ 	]*"executor/spi\.h"'
} | grep -vE '^src/(catalog/|source/sw_read\.c:)' |
	said 'SPI is for src/catalog and src/source/sw_read.c' | conclude
