/* config/option.h - what a part can be told: one table per part.
 *
 * From the table come parsing, defaults, units, limits, the errors of `check`, the reference
 * config/funneld.conf. A part declares `static const struct option x_options[]` over its own
 * settings struct; config knows no part by name.
 */
#ifndef FUNNELD_CONFIG_OPTION_H
#define FUNNELD_CONFIG_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "funneld/base/str.h"

enum option_type {
    OPTION_TEXT,     /* struct str */
    OPTION_SECRET,   /* struct str; never printed */
    OPTION_URL,      /* struct str; http:// only to loopback; no trailing slash kept */
    OPTION_MAIL_URL, /* struct str; smtp:// or smtps://, host and port alone */
    OPTION_ADDRESS,  /* struct str; host:port */
    OPTION_INT,      /* int64_t */
    OPTION_DECIMAL,  /* int64_t in tenths: "2.5" is 25 */
    OPTION_DURATION, /* int64_t ms: 250ms 30s 5m 24h 14d; 0 without a unit */
    OPTION_SIZE,     /* int64_t bytes: 0 512 16KiB 1MiB 2GiB */
    OPTION_RATE,     /* double per second: 10/s 60/m 100/h */
    OPTION_CHOICE,   /* int64_t, index into choices */
    OPTION_BOOL,     /* bool: yes no true false on off */
    OPTION_LIST,     /* struct str_list; comma-separated, trimmed, no empty items */
    OPTION_MAP,      /* struct str_pairs; key ends in '.': every "key.NAME = value" */
    OPTION_SECRETS,  /* such a map; its values are never printed */
};

struct str_list {
    const struct str *items;
    size_t n;
};

struct str_pair {
    struct str name, value;
    int line; /* where it stands */
};

struct str_pairs {
    const struct str_pair *items;
    size_t n;
};

enum option_flag {
    OPTION_REQUIRED = 1 << 0,
    OPTION_RESTART = 1 << 1, /* a change takes effect at the next start, not on SIGHUP */
};

struct option {
    const char *key;
    enum option_type type;
    size_t offset;              /* into the part's settings */
    const char *fallback;       /* as it would be written in the file; NULL: zero, missing, empty */
    int64_t min, max;           /* in the unit of the field (texts: bytes, lists: items); both 0:
                                   unlimited; max 0 with min above 0: no upper limit */
    const char *const *choices; /* NULL-terminated, for OPTION_CHOICE */
    unsigned flags;
    const char *example; /* shown commented out in the reference where there is no fallback */
    const char *help;    /* one line for the reference file */
};

static inline bool option_is_map(const struct option *o)
{
    return o->type == OPTION_MAP || o->type == OPTION_SECRETS;
}
static inline bool option_is_secret(const struct option *o)
{
    return o->type == OPTION_SECRET || o->type == OPTION_SECRETS;
}

/* One kind of section: "[server]", or "[source NAME]" with `type = hubspot`. */
struct section_spec {
    const char *kind; /* "source" */
    const char *type; /* value of its `type` key; NULL where the kind has none */
    bool named;       /* [kind NAME] */
    const struct option *options;
    size_t n_options;
    size_t size; /* sizeof the settings struct */
    const char *help;
};

#endif
