# funneld - `make` builds, `make demo` shows it, `make test` tries everything.
# What a target needs is installed by apt first (`make deps`), as root or through sudo.

VERSION := 0.1.0
SAN     ?=
comma   := ,
BUILD   := build/$(or $(subst $(comma),+,$(SAN)),plain)

CC       = gcc
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wconversion -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wformat=2 -Wwrite-strings -Wpointer-arith -Wcast-qual -Wimplicit-fallthrough $(if $(CI),-Werror)
HARDEN  := -fPIE -fno-common -fstack-protector-strong -fstack-clash-protection $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-format-truncation)
ours     = -std=gnu17 -Iinclude -I$(BUILD)/gen -D_GNU_SOURCE -DFUNNELD_VERSION='"$(VERSION)"' -MMD -MP -pthread \
           $(WARN) $(HARDEN) $(SANFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK     = $(CC) $(SANFLAGS) -pthread -pie -Wl,-z,relro,-z,now,-z,noexecstack -o $@ $(filter %.o %.a,$^) \
           -lmicrohttpd -lgnutls -lcurl -lcjson -lsqlite3 -lssl -lcrypto -linih -lm

objects  = $(patsubst %.c,$(BUILD)/%.o,$(1))
lib     := $(call objects,$(filter-out src/main.c,$(shell find src -name '*.c')))
support := $(call objects,$(filter-out tests/contract/test_%,$(wildcard tests/contract/*.c)))
tests   := $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c tests/contract/test_*.c))
threads := base http_answers http_holes http_limits http_tls http_admin deliverer_life transport

.PHONY: all deps demo run test test-sdk check bench clean programs unit
all: $(BUILD)/funneld ; @ln -sfn $(notdir $(BUILD))/funneld build/funneld
programs: all $(BUILD)/funneld-sandbox ; @ln -sfn $(notdir $(BUILD))/funneld-sandbox build/funneld-sandbox
unit: $(tests)

deps: ; @tests/check/deps.sh build test check sdk
$(BUILD)/.deps: tests/check/deps.sh
	@mkdir -p $(@D) && tests/check/deps.sh build && touch $@

$(BUILD)/funneld: $(BUILD)/src/main.o $(BUILD)/libfunneld.a ; $(LINK)
$(BUILD)/funneld-sandbox: $(call objects,$(wildcard tests/sandbox/*.c)) $(BUILD)/libfunneld.a ; $(LINK)
$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libfunneld.a ; @mkdir -p $(@D) && $(LINK)
$(BUILD)/libfunneld.a: $(lib) ; @rm -f $@ && ar qcs $@ $^
$(tests): $(BUILD)/%: $(BUILD)/tests/%.o $(support) $(BUILD)/libfunneld.a ; @mkdir -p $(@D) && $(LINK) -lcmocka
$(BUILD)/%.o: %.c Makefile | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(ours) $(if $(filter tests/%,$<),-Itests/unit -Itests/contract) -c -o $@ $<

# Migrations, embedded: {version, "name", "text"} for src/store/sqlite/migrate.c.
$(BUILD)/gen/migrations.inc: $(wildcard migrations/sqlite/*.sql)
	@mkdir -p $(@D) && for f in $^; do n=$$(basename $$f .sql); \
	  printf '{%d, "%s",\n' $$(echo $$n | sed 's/_.*//;s/^0*//') $$n; \
	  sed 's/\\/\\\\/g;s/"/\\"/g;s/^/"/;s/$$/\\n"/' $$f; echo '},'; done > $@
$(BUILD)/src/store/sqlite/migrate.o: $(BUILD)/gen/migrations.inc

demo: programs ; @tests/check/deps.sh demo && python3 tests/demo/demo.py --bin build/funneld --sandbox build/funneld-sandbox
run: programs ; @tests/check/run.sh build/funneld build/funneld-sandbox
test: ; @tests/check/test.sh "$(MAKE)" "$(threads)"
test-sdk: programs ; @tests/check/deps.sh sdk && tests/sdk/run.sh build/funneld build/funneld-sandbox
check: programs ; @tests/check/deps.sh check && tests/check/check.sh build/funneld
bench: programs $(BUILD)/bench/load $(BUILD)/bench/limits
	@tests/check/deps.sh demo && python3 tests/bench/bench.py --build $(BUILD)
clean: ; rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
