# sensorswave_export: build, install and test.
#
#   make                build the module and its SQL script
#   make install        put both where PG_CONFIG says (needs its owner's rights)
#   make installcheck   pg_regress against a running server that has them
#   make demo           a tour on a private server and a local warehouse;
#                       KIND=clickhouse: the same with a destination of that kind
#   make test           every kind of check once; sets up what it needs itself
#   make test-long      the same with full counts
#   make unitcheck      unit tests of the pure floors, no server involved
#   make fuzz           each fuzzer for five minutes; for the night
#   make bench          measurements, see test/bench/README.md
#   make lint           the rules of the house, and the proof that each bites
#   make indent         format the C sources
#   make clean
#
# Options: PG_CONFIG=path; WERROR=1 (strict warnings, for developers and CI);
# with_llvm=yes (also make bitcode, as the server was configured).

EXTENSION = sensorswave_export
MODULE_big = sensorswave_export

# One folder per floor, the lowest first.
FLOORS = port common format proto sign net catalog source store target sync \
	worker api
SOURCES = $(wildcard src/*.c $(FLOORS:%=src/%/*.c))
OBJS = $(SOURCES:.c=.o)
DEPENDENCIES = $(SOURCES:.c=.d)

# The SQL script of the version under work is made of parts; the scripts of
# released versions and the steps between versions are kept as they are.
SQL_PARTS = $(sort $(wildcard sql/install/*.sql))
DATA_built = sql/$(EXTENSION)--1.0.sql
DATA = $(filter-out $(DATA_built),$(wildcard sql/$(EXTENSION)--*.sql))
DOCS := $(wildcard README.md doc/*.md)

# pg_regress tests in their order; test/lint/regress_list.sh compares this
# list with the files.
REGRESS = install destination pipeline schedule backfill put

PG_CPPFLAGS = -Isrc -MMD -MP
SHLIB_LINK = -lcurl -lssl -lcrypto -lzstd -llz4 -Wl,--version-script=src/exports.map
EXTRA_CLEAN = $(wildcard src/*.d src/*/*.d) build results regression.diffs \
	regression.out

ifneq ($(origin with_llvm),command line)
override with_llvm := no
endif

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

ifdef WERROR
# The server's own headers are not ours to judge.
PG_CPPFLAGS += -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -Wall -Wextra -Werror -Wshadow=local -Wmissing-prototypes \
	-Wstrict-prototypes
endif

# A fresh machine has no PostgreSQL yet; demo and test install it.
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install installcheck clean:
	@echo "PostgreSQL's build files are missing ($(PG_CONFIG) --pgxs);" \
		"\"test/lib/setup build\" installs them" >&2; exit 1
endif

# What is done for every value of every export.
$(patsubst %.c,%.o,$(wildcard src/format/*.c src/source/sw_json*.c \
	src/source/sw_read*.c src/source/sw_value.c)): CFLAGS += -O3 -fno-semantic-interposition

$(MODULE_big)$(DLSUFFIX): src/exports.map

$(DATA_built): $(SQL_PARTS) sql/install Makefile
	@echo "making $@ of $(words $(SQL_PARTS)) parts"
	@cat $(SQL_PARTS) </dev/null >$@.new
	@mv $@.new $@

demo:
	@test/demo/demo tell $(KIND)

test:
	test/run

test-long:
	test/run --long

unitcheck:
	$(MAKE) -C test/unit check

fuzz:
	$(MAKE) -C test/fuzz check SECONDS=300

bench:
	test/bench/upload/run
	test/bench/encode/run

lint:
	test/lint/all.sh
	test/lint/prove.sh

indent:
	test/lint/indent.sh --apply

.PHONY: demo test test-long unitcheck fuzz bench lint indent

-include $(wildcard $(DEPENDENCIES))
