/* cli/table.h - aligned columns for people.
 *
 * What came from outside may hold anything: control characters, escape sequences and text that
 * turns the reading direction become '?' before they reach a terminal.
 */
#ifndef FUNNELD_CLI_TABLE_H
#define FUNNELD_CLI_TABLE_H

#include "funneld/base/mem.h"
#include "funneld/base/sbuf.h"

struct text_column {
    const char *title;
    size_t max; /* characters; longer cells end in an ellipsis; 0: as long as it is */
    bool right; /* aligned right, as numbers are */
};

struct text_table {
    const struct text_column *columns;
    size_t n_columns;
    struct arena *arena;
    struct str *cells;
    size_t n_cells, cap;
};

#define TABLE(arena_, columns_)                                                                    \
    {                                                                                              \
        .columns = (columns_), .n_columns = ARRAY_LEN(columns_), .arena = (arena_)                 \
    }

void table_cell(struct text_table *t, struct str cell); /* the next one; missing is shown as - */
void table_int(struct text_table *t, int64_t value);
void table_id(struct text_table *t, int64_t id);                /* 0 is shown as - */
void table_print(const struct text_table *t, struct sbuf *out); /* nothing when it has no cells */

/* Safe for a terminal, in one line. */
struct str printable(struct str text, struct arena *a);

#endif
