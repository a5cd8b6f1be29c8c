# funneld - `make` builds, `make deps` installs what is missing, `make test` runs everything.

comma   := ,
SAN     ?=
BUILD   := build/$(or $(subst $(comma),+,$(SAN)),plain)
VERSION := 0.1.0

CC      ?= gcc
CFLAGS  ?= -O2 -g
PKGS    := libmicrohttpd gnutls libcurl libcjson sqlite3 openssl inih
ours     = -std=gnu17 -Iinclude -I$(BUILD)/gen -D_GNU_SOURCE -DFUNNELD_VERSION='"$(VERSION)"' -MMD -MP -pthread \
           -Wall -Wextra -Wconversion -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes \
           -Wvla -Wformat=2 -Wwrite-strings -Wpointer-arith -Wcast-qual -Wimplicit-fallthrough \
           -fPIE -fno-common -fstack-protector-strong $(HARDEN) $(SANFLAGS) $(WERROR)
LDHARD  := -pie -Wl,-z,relro,-z,now,-z,noexecstack
LIBS    := -lmicrohttpd -lgnutls -lcurl -lcjson -lsqlite3 -lssl -lcrypto -linih -lm
WERROR  := $(if $(CI),-Werror)
SANFLAGS := $(if $(SAN),-Wno-format-truncation -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
HARDEN  := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)

src     := $(shell find src -name '*.c')
lib_obj := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/main.c,$(src)))
unit    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(BUILD)/funneld
	@ln -sfn $(notdir $(BUILD))/funneld build/funneld

$(BUILD)/funneld: $(BUILD)/src/main.o $(BUILD)/libfunneld.a
	$(CC) $(SANFLAGS) -pthread $(LDHARD) -o $@ $^ $(LIBS)

$(BUILD)/libfunneld.a: $(lib_obj)
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ours) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libfunneld.a
	@mkdir -p $(@D)
	$(CC) $(ours) $(CPPFLAGS) $(CFLAGS) -Itests/unit -o $@ $< $(BUILD)/libfunneld.a $(LIBS) -lcmocka

# Migrations, embedded: {version, "name", "text"} lines for src/store/sqlite/migrate.c.
$(BUILD)/gen/migrations.inc: $(wildcard migrations/sqlite/*.sql)
	@mkdir -p $(@D)
	@for f in $^; do n=$$(basename $$f .sql); printf '{%d, "%s",\n' $$(echo $$n | sed 's/_.*//;s/^0*//') $$n; \
	  sed 's/\\/\\\\/g;s/"/\\"/g;s/^/"/;s/$$/\\n"/' $$f; echo '},'; done > $@
$(BUILD)/src/store/sqlite/migrate.o: $(BUILD)/gen/migrations.inc

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
