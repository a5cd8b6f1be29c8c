/* tests/sandbox/sheets_grid.h - one tab: cells, and ranges in A1 notation. */
#ifndef FUNNELD_TESTS_SHEETS_GRID_H
#define FUNNELD_TESTS_SHEETS_GRID_H

#include "sandbox.h"

enum { GRID_COLUMNS = 26, GRID_ROWS = 1000, CELL_UNITS_MAX = 50000 };

#define TAB "Leads"

struct area { /* from 0, both ends included */
    int64_t top, left, bottom, right;
};

void grid_reset(void);
int64_t grid_rows(void);
struct str grid_cell(int64_t row, int64_t column); /* its JSON; missing: empty */

/* "Tab!A1:B2", "'Tab'!A:H", "Tab!1:1", "Tab"; missing rows or columns mean all of them. */
bool range_parse(struct str range, struct arena *a, struct area *ret);
struct str range_text(const struct area *area, struct arena *a); /* Leads!A1:B2 */

/* NULL, or what Google says of values that it does not take. */
const char *values_check(const json *values);
/* Writes rows there; null leaves a cell as it is. Grows the grid. The number of cells written. */
int64_t grid_write(const json *values, int64_t top, int64_t left);
void grid_insert(int64_t before, int64_t rows);

/* The last row and first column of the table in or around the area; false: there is none. */
bool grid_table(const struct area *area, struct area *ret);

#endif
