# funneld - `make` builds, `make demo` shows it, `make test` tries everything.
#
#   all  demo  run  test  test-sdk  check  deps  clean     SAN=address,undefined or SAN=thread
#   bench (PARTS="intake latency ..." ROUNDS=5; PARTS=large LARGE=10000000; PARTS=model LEADS=1000000)  bench-peers
#   release  coverage  mutation (MUTANTS=300: a sample)
#   Campaigns, of which test runs a slice:  memory (each allocation fails once)  soak (SECONDS=28800)
#   fuzz  fuzz-merge  (FUZZ_SECONDS=600 for each fuzzer)  sim (SEEDS=1000 SEED=1)  power-cut (RUNS=100000)
#   outage (EVENTS=200000)  own-outage (RUNS=50 SEED=1)  losses (ANSWERS=10000)  crash (KILLS=1000 SEED=n)  overload (SECONDS=300)
#   disk-faults (each call to the disk fails once)  check-http (scanners)  check-time (comparing in constant time)
#
# What a target needs is installed by apt first, as root or through sudo. A sanitizer's build
# stands beside the plain one: build/plain, build/address+undefined, build/thread. V=1 shows commands,
# CI=1 makes every warning an error.

VERSION := 0.1.0
comma   := ,
BUILD   := build/$(or $(subst $(comma),+,$(SAN)),$(if $(COVERAGE),coverage),plain)
ifeq ($(MAKELEVEL)$(word 2,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

CC       = gcc
CFLAGS  ?= $(if $(COVERAGE),-O0,-O2) -g
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wformat=2 -Wwrite-strings -Wpointer-arith -Wcast-qual -Wimplicit-fallthrough $(if $(CI),-Werror)
HARDEN  := -fPIE -fno-common -fstack-protector-strong -fstack-clash-protection \
           $(if $(filter x86_64 i686,$(shell uname -m)),-fcf-protection) \
           $(if $(COVERAGE),--coverage -fprofile-update=atomic,$(if $(SAN),-fsanitize=$(SAN) \
           -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-format-truncation,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
ours     = -std=gnu17 -Iinclude -I$(BUILD)/gen $(if $(filter tests/%,$<),-Itests/unit -Itests/contract) \
           -D_GNU_SOURCE -DFUNNELD_VERSION='"$(VERSION)"' -MMD -MP -pthread $(WARN) $(HARDEN)
LINK     = $(at)mkdir -p $(@D) && $(CC) $(HARDEN) -pthread -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS) \
           -o $@ $(filter %.o,$^) $(filter %.a,$^) -lmicrohttpd -lgnutls -lcurl -lcjson -lsqlite3 -lssl -lcrypto -linih -lm
at      := $(if $(V),,@)

objects  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)))
lib     := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/main.c,$(shell find src -name '*.c')))
sources := $(wildcard tests/unit/test_*.c tests/contract/test_*.c tests/sim/test_*.c)
tests   := $(patsubst tests/%.c,$(BUILD)/%,$(sources))
threads := $(patsubst tests/%.c,$(BUILD)/%,$(shell grep -lE 'pthread\.h|http_world\.h' $(sources) /dev/null))
support := $(filter-out $(BUILD)/tests/contract/test_%,$(call objects,tests/contract/*.c))
simulation := $(filter-out $(BUILD)/tests/sim/test_%,$(call objects,tests/sim/*.c))
benches := $(addprefix $(BUILD)/bench/,load limits sink timing explain)
fuzzers := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all deps demo run test test-sdk check bench bench-peers clean programs unit unit-threads benches fuzzers
.PHONY: release coverage mutation soak memory fuzz fuzz-merge sim power-cut outage own-outage losses disk-faults crash overload check-http check-time
all: $(BUILD)/funneld ; @$(if $(SAN),:,ln -sfn plain/funneld build/funneld)
programs: all $(BUILD)/funneld-sandbox $(if $(SAN),,$(BUILD)/faults.so) ; @$(if $(SAN),:,ln -sfn plain/funneld-sandbox build/funneld-sandbox)
unit: $(tests) $(BUILD)/funneld-sim
unit-threads: $(threads)
fuzzers: $(fuzzers)
benches: $(benches)

needs   := need-build need-demo need-test need-check need-sdk need-fuzz need-http need-peers
.PHONY: $(needs)
deps: ; @tests/check/deps.sh build demo test check sdk fuzz http
$(needs): need-%: ; @tests/check/deps.sh $*
$(filter-out need-build,$(needs)): need-build
$(addsuffix .o,$(subst $(BUILD)/,$(BUILD)/tests/,$(tests))) $(support): | need-test
$(call objects,tests/fuzz/*.c): | need-fuzz

$(BUILD)/funneld: $(BUILD)/src/main.o $(BUILD)/libfunneld.a ; $(LINK)
$(BUILD)/funneld-sandbox: $(call objects,tests/sandbox/*.c) $(BUILD)/libfunneld.a ; $(LINK)
$(BUILD)/faults.so: tests/fault/faults.c | need-build
	$(at)mkdir -p $(@D) && $(CC) $(ours) -fPIC $(CFLAGS) -shared -o $@ $< -ldl
$(filter-out $(BUILD)/sim/%,$(tests)): $(BUILD)/%: $(BUILD)/tests/%.o $(support) $(BUILD)/libfunneld.a
	$(LINK) -lcmocka
$(filter $(BUILD)/sim/%,$(tests)): $(BUILD)/%: $(BUILD)/tests/%.o $(filter-out %/main.o,$(simulation)) \
  $(BUILD)/libfunneld.a ; $(LINK) -lcmocka
$(BUILD)/funneld-sim: $(simulation) $(BUILD)/libfunneld.a ; $(LINK)
$(BUILD)/bench/load: $(call objects,tests/bench/drive.c tests/bench/client.c)
$(BUILD)/bench/limits: $(call objects,tests/bench/limit_*.c)
$(benches): $(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/tests/bench/pool.o $(BUILD)/libfunneld.a ; $(LINK)
# Under SAN=fuzzer libFuzzer brings the main; any other build's replays a corpus.
$(fuzzers): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(if $(findstring fuzzer,$(SAN)),,$(BUILD)/tests/fuzz/replay.o) \
            $(BUILD)/libfunneld.a ; $(LINK) -lcmocka
$(BUILD)/libfunneld.a: $(lib) ; $(at)rm -f $@ && ar qcs $@ $^
$(BUILD)/%.o: %.c Makefile | need-build
	@mkdir -p $(@D) && echo "  cc $<"
	$(at)$(CC) $(ours) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Migrations, embedded: {version, "name", "text"} for src/store/sqlite/migrate.c.
$(BUILD)/gen/migrations.inc: $(wildcard migrations/sqlite/*.sql)
	@mkdir -p $(@D) && for f in $^; do n=$$(basename $$f .sql); \
	  printf '{%d, "%s",\n' $$(echo $$n | sed 's/_.*//;s/^0*//') $$n; \
	  sed 's/\\/\\\\/g;s/"/\\"/g;s/^/"/;s/$$/\\n"/' $$f; echo '},'; done > $@
$(BUILD)/src/store/sqlite/migrate.o $(BUILD)/tests/contract/test_sqlite_upgrade.o: $(BUILD)/gen/migrations.inc

program := --bin build/funneld --sandbox build/funneld-sandbox
demo: programs need-demo ; @python3 tests/demo/demo.py $(program)
run: programs need-demo ; @tests/check/run.sh build/funneld build/funneld-sandbox
sim: $(BUILD)/funneld-sim ; @$< --runs $(or $(SEEDS),1000) --seed $(or $(SEED),1)
power-cut: $(BUILD)/funneld-sim ; @$< --power-cut --runs $(or $(RUNS),100000) --seed $(or $(SEED),1)
losses: $(BUILD)/funneld-sim ; @$< --losses $(or $(ANSWERS),10000) --seed $(or $(SEED),1)
outage: $(BUILD)/funneld-sim ; @$< --outage $(or $(EVENTS),200000)
own-outage: $(BUILD)/funneld-sim ; @$< --own-outage $(or $(DEEDS),600) --runs $(or $(RUNS),50) --seed $(or $(SEED),1)
disk-faults: need-test unit ; @$(BUILD)/contract/test_store_faults
test: need-test need-check need-fuzz need-http ; @tests/check/test.sh $(MAKE)
test-sdk: programs need-sdk ; @tests/sdk/run.sh build/funneld build/funneld-sandbox
check: programs need-check ; @tests/check/check.sh build/funneld
coverage: need-test ; @tests/check/coverage.sh $(MAKE)
mutation: need-test ; @$(MAKE) -s SAN=address,undefined unit && python3 tests/check/mutate.py --mutants $(or $(MUTANTS),0)
release: need-build ; @tests/check/release.sh $(MAKE) $(VERSION)
soak: programs need-demo ; @python3 tests/e2e/soak.py --seconds $(or $(SECONDS),28800)
memory: programs need-demo ; @FUNNELD_ALLOCATIONS=1000000 python3 tests/e2e/run.py whatever_allocation
bench: programs need-demo $(benches)
	@python3 tests/bench/bench.py --build $(BUILD) --rounds $(or $(ROUNDS),5) $(if $(PARTS),--parts "$(PARTS)") \
	  $(if $(LARGE),--large $(LARGE)) $(if $(LEADS),--leads $(LEADS))
bench-peers: need-demo need-peers ; @$(MAKE) -s bench PARTS="$(or $(PARTS),intake peers)"
fuzz fuzz-merge: need-fuzz ; @tests/fuzz/fuzz.sh $@ $(MAKE)
crash: all need-test ; @python3 tests/e2e/campaign.py --bin build/funneld --kills $(or $(KILLS),1000) \
  $(if $(SEED),--seed $(SEED))
overload: all need-test $(BUILD)/bench/load
	@python3 tests/e2e/overload.py --bin build/funneld --load $(BUILD)/bench/load --seconds $(or $(SECONDS),300)
check-http: all need-demo need-http ; @python3 tests/check/scanners.py --bin build/funneld
check-time: $(BUILD)/bench/timing ; @$(BUILD)/bench/timing
clean: ; rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
