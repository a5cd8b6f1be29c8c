/* config/conf.h - the configuration file, read line by line, bound to option tables.
 *
 * INI as in design 1.2. All problems are collected, none stops the reading. Everything lives in
 * the arena that the caller gives. One thread; the result is immutable.
 */
#ifndef FUNNELD_CONFIG_CONF_H
#define FUNNELD_CONFIG_CONF_H

#include "funneld/base/mem.h"
#include "funneld/base/rc.h"
#include "funneld/base/sbuf.h"
#include "funneld/config/option.h"

struct conf_problem {
    struct str file;
    int line;                /* 0: the file as a whole */
    struct str section, key; /* may be missing */
    struct str message, hint;
    struct conf_problem *next;
};

struct conf_problems {
    struct arena *arena;
    struct conf_problem *first, **last;
    size_t n;
};

void conf_problems_init(struct conf_problems *p, struct arena *a);

struct conf_entry {
    struct str key, value; /* value: environment and file: replaced, quotes taken off */
    struct str raw;        /* as written, for what is kept with past scores (no secrets there) */
    int line;              /* of the first line of the value */
    const int *lines;      /* of each line of the value; a continued value holds newlines */
    size_t n_lines;
    bool used;
    bool commented; /* a comment was cut off behind the value */
    bool broken;    /* it already has its problem: set, but not to be looked at */
};

struct conf_section {
    struct str file;
    struct str kind, name; /* "source", "hubspot" */
    struct str type;       /* value of `type`, missing where there is none */
    int line;
    struct conf_entry *entries;
    size_t n_entries;
};

struct conf {
    struct str file;
    struct conf_section *sections;
    size_t n_sections;
};

/* Adds to `problems` whatever is wrong with the file's own form. RC_INVALID when any was added;
 * RC_IO when the file cannot be read (also a problem). */
MUST_CHECK enum rc conf_read_file(const char *path, struct arena *a, struct conf *ret,
                                  struct conf_problems *problems);
/* The same from memory; `file` is the name shown. Used for past rule sets, tests and fuzzing. */
MUST_CHECK enum rc conf_read_text(struct str file, struct str text, struct arena *a,
                                  struct conf *ret, struct conf_problems *problems);

void conf_problem(struct conf_problems *p, const struct conf_section *section,
                  const struct conf_entry *entry, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* Finds the spec of each section; unknown kinds, types and keys are problems with the nearest
 * known name as the hint. */
const struct section_spec *conf_spec(const struct conf_section *s,
                                     const struct section_spec *const specs[], size_t n_specs,
                                     struct conf_problems *problems);

/* Fills `settings` (spec->size bytes, zeroed by the caller) from defaults and entries. */
void conf_bind(struct conf_section *s, const struct section_spec *spec, void *settings,
               struct arena *a, struct conf_problems *problems);
/* Only the defaults, for a section that the file does not have. */
void conf_defaults(const struct section_spec *spec, void *settings, struct arena *a);

/* The line of the file that holds the byte `offset` of the value, for carets under expressions. */
int conf_line_at(const struct conf_entry *e, size_t offset);

/* Appends an entry so that conf_read_text reads the same raw text again, however long it is. */
void conf_write_entry(struct sbuf *b, struct str key, struct str raw);

const struct conf_entry *conf_find(const struct conf_section *s, const char *key);
struct conf_section *conf_section_find(const struct conf *c, const char *kind, const char *name);

/* Whether two settings of this spec differ in an option flagged OPTION_RESTART; the key, or NULL.
 */
const char *conf_restart_needed(const struct section_spec *spec, const void *a, const void *b);

/* The commented reference of one kind of section, appended to b. */
void conf_reference(struct sbuf *b, const struct section_spec *spec, const char *example_name);

/* The nearest of `names` to `word` within a small edit distance, or NULL. */
const char *conf_nearest(struct str word, const char *const names[], size_t n);

#endif
