/* tests/sandbox/sheets_grid.h - tabs of cells, and ranges in A1 notation. */
#ifndef FUNNELD_TESTS_SHEETS_GRID_H
#define FUNNELD_TESTS_SHEETS_GRID_H

#include "sandbox.h"

enum { GRID_COLUMNS = 26, GRID_ROWS = 1000, CELL_UNITS_MAX = 50000, TABS_MAX = 8 };

#define SHEETS_ID "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms"

struct tab {
    int64_t id; /* stays when the tab gets another title */
    struct str title;
    struct str (*cells)[GRID_COLUMNS]; /* JSON of each; missing: empty */
    int64_t n_rows;
};

struct area { /* from 0, both ends included */
    struct tab *tab;
    int64_t top, left, bottom, right;
};

void grid_reset(void); /* one tab: Leads */
size_t grid_tabs(struct tab **ret);
struct tab *tab_find(struct str title);
struct tab *tab_find_id(int64_t id);
struct tab *tab_add(struct str title); /* NULL: there are too many */
void tab_rename(struct tab *tab, struct str title);
struct str grid_cell(const struct tab *tab, int64_t row, int64_t column); /* missing: empty */
struct area tab_area(struct tab *tab);                                    /* all of it */

/* "Tab!A1:B2", "'Tab'!A:H", "Tab!1:1", "Tab"; missing rows or columns mean all of them. */
bool range_parse(struct str range, struct arena *a, struct area *ret);
struct str range_text(const struct area *area, struct arena *a); /* Leads!A1:B2, 'Hot ones'!A1 */

/* NULL, or what Google says of values that it does not take. */
const char *values_check(const json *values);
/* Writes rows there; null leaves a cell as it is. Grows the grid. The number of cells written. */
int64_t grid_write(const json *values, struct tab *tab, int64_t top, int64_t left);
void grid_insert(struct tab *tab, int64_t before, int64_t rows);

/* Answers (sheets.c, sheets_tabs.c) */
void sheets_refuse(struct answer *ret, int status, const char *word, const char *message);
void sheets_invalid(struct answer *ret, const char *message); /* and an offence */
void sheets_describe(struct answer *ret);
void sheets_change_tabs(const struct call *c, struct answer *ret);

/* The last row and first column of the table in or around the area; false: there is none. */
bool grid_table(const struct area *area, struct area *ret);

#endif
