/* tests/sandbox/notion_values.h - the columns of the one data source, and values for them. */
#ifndef FUNNELD_TESTS_NOTION_VALUES_H
#define FUNNELD_TESTS_NOTION_VALUES_H

#include "sandbox.h"

enum { NOTION_COLUMNS_N = 9, NOTION_OPTIONS_MAX = 100 };

struct notion_column {
    const char *name, *id, *type;
    struct str options[NOTION_OPTIONS_MAX]; /* of select and status */
    size_t n_options;
};

extern struct notion_column notion_columns[NOTION_COLUMNS_N];
void notion_columns_reset(void);

/* By name or id; NULL: no such property. */
struct notion_column *notion_column_find(struct str key);
void notion_columns_write(struct sbuf *b); /* the `properties` of a data source */

/* NULL, or Notion's complaint. On success *ret is the value as pages show it, in `keep`. */
const char *notion_value_read(struct notion_column *c, const json *value, struct arena *scratch,
                              struct arena *keep, struct str *ret);
/* The text of a stored value: of title, rich_text, email, url, select, status, number. */
struct str notion_value_text(struct str stored, struct arena *a);

#endif
