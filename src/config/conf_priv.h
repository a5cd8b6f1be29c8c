/* config/conf_priv.h - what the files of this folder share with each other. */
#ifndef FUNNELD_CONFIG_CONF_PRIV_H
#define FUNNELD_CONFIG_CONF_PRIV_H

#include "funneld/config/conf.h"

enum { CONF_FILE_MAX = 1024 * 1024, CONF_NAME_MAX = 64 };

/* "[connector sales-slack]"; the missing slice for what stands before the first section. */
struct str conf_label(const struct conf_section *s, struct arena *a);

bool conf_is_word(struct str s); /* letters, digits, _ . - and not empty */

/* An array in an arena with room for one more than n; n only ever grows by one. */
void *conf_room(struct arena *a, void *items, size_t n, size_t size);

/* A whole file of at most CONF_FILE_MAX bytes; why names the path and the system's reason. */
MUST_CHECK enum rc conf_slurp(const char *path, struct arena *a, struct str *ret, struct why *why);

/* Quotes off, ${ENV} replaced, file:/path read. *hint is set only where there is one. */
MUST_CHECK enum rc conf_expand(struct str raw, struct arena *a, struct str *ret, const char **hint,
                               struct why *why);

/* The text of one option into its field, at settings + offset. The why has no subject: `is not
 * a duration`. *hint is set only where there is one. Not for OPTION_MAP: several entries make one.
 */
MUST_CHECK enum rc value_parse(const struct option *o, struct str text, struct arena *a,
                               void *field, const char **hint, struct why *why);
bool value_same(enum option_type type, const void *a, const void *b);

/* "did you mean \"channel\"?", or else "known: a, b, c". */
const char *conf_suggest(struct str word, const char *const names[], size_t n, struct arena *a);

#endif
