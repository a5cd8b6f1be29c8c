/* tests/sandbox/sheets_grid.c - one tab: cells, and ranges in A1 notation. */
#include "sheets_grid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct arena memory;
static struct str (*cells)[GRID_COLUMNS]; /* JSON of each; missing: empty */
static int64_t n_rows;

static void grow_to(int64_t rows)
{
    if (rows <= n_rows)
        return;
    cells = mem_grow(cells, (size_t)rows, sizeof(*cells));
    memset(cells + n_rows, 0, (size_t)(rows - n_rows) * sizeof(*cells));
    n_rows = rows;
}

void grid_reset(void)
{
    free(cells);
    cells = NULL;
    n_rows = 0;
    arena_free(&memory);
    memory = (struct arena){0};
    grow_to(GRID_ROWS);
}

int64_t grid_rows(void)
{
    return n_rows;
}

struct str grid_cell(int64_t row, int64_t column)
{
    if (row < 0 || row >= n_rows || column < 0 || column >= GRID_COLUMNS)
        return STR_NULL;
    return cells[row][column];
}

static bool is_empty(int64_t row, int64_t column)
{
    return !grid_cell(row, column).at;
}

/* "AB12" -> 27, 11; what is missing is -1 */
static bool corner(struct str text, int64_t *ret_row, int64_t *ret_column)
{
    size_t i = 0;
    int64_t column = 0, row = 0;

    while (i < text.len && text.at[i] >= 'A' && text.at[i] <= 'Z' && i < 3)
        column = column * 26 + (text.at[i++] - 'A' + 1);
    *ret_column = column - 1;
    *ret_row = -1;
    if (i == text.len)
        return column > 0;
    if (!str_int64(str_from(text, i), &row) || row < 1)
        return false;
    *ret_row = row - 1;
    return true;
}

static bool cells_parse(struct str text, struct area *ret)
{
    struct str rest = text, first, last;

    *ret = (struct area){0, 0, n_rows - 1, GRID_COLUMNS - 1};
    if (!str_split(&rest, ':', &first) || !corner(first, &ret->top, &ret->left))
        return false;
    last = rest.len ? rest : first;
    if (!corner(last, &ret->bottom, &ret->right))
        return false;
    if (ret->top < 0)
        ret->top = 0;
    if (ret->left < 0)
        ret->left = 0;
    if (ret->bottom < 0)
        ret->bottom = n_rows - 1;
    if (ret->right < 0)
        ret->right = GRID_COLUMNS - 1;
    return ret->bottom >= ret->top && ret->right >= ret->left;
}

static bool tab_known(struct str tab, struct arena *a)
{
    char *plain = arena_alloc(a, tab.len + 1);
    size_t n = 0;

    if (tab.len < 2 || tab.at[0] != '\'')
        return str_is(tab, TAB);
    for (size_t i = 1; i + 1 < tab.len; i++) {
        plain[n++] = tab.at[i];
        if (tab.at[i] == '\'' && tab.at[i + 1] == '\'')
            i++;
    }
    return tab.at[tab.len - 1] == '\'' && str_is((struct str){plain, n}, TAB);
}

bool range_parse(struct str range, struct arena *a, struct area *ret)
{
    size_t bang = range.len;

    for (size_t i = 0; i < range.len; i++)
        if (range.at[i] == '!')
            bang = i;
    if (bang == range.len && tab_known(range, a)) {
        *ret = (struct area){0, 0, n_rows - 1, GRID_COLUMNS - 1};
        return true;
    }
    if (bang == range.len)
        return cells_parse(range, ret);
    return tab_known((struct str){range.at, bang}, a) &&
           cells_parse(str_from(range, bang + 1), ret);
}

struct str range_text(const struct area *x, struct arena *a)
{
    char left = (char)('A' + x->left), right = (char)('A' + x->right);

    if (x->top == x->bottom && x->left == x->right)
        return arena_printf(a, TAB "!%c%" PRId64, left, x->top + 1);
    return arena_printf(a, TAB "!%c%" PRId64 ":%c%" PRId64, left, x->top + 1, right, x->bottom + 1);
}

static const char *cell_check(const json *cell)
{
    enum json_type type = json_type(cell);

    if (type == JSON_ARRAY || type == JSON_OBJECT)
        return "Invalid values: a cell must be a scalar";
    if (type == JSON_STRING && utf16_units(json_string(cell)) > CELL_UNITS_MAX)
        return "Your input contains more than the maximum of 50000 characters in a single cell.";
    return NULL;
}

const char *values_check(const json *values)
{
    if (json_type(values) != JSON_ARRAY)
        return "Invalid value at 'data.values'";
    for (const json *row = json_first(values); row; row = json_next(row)) {
        if (json_type(row) != JSON_ARRAY)
            return "Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue)";
        if (json_count(row) > GRID_COLUMNS)
            return "The values are wider than the sheet.";
        for (const json *cell = json_first(row); cell; cell = json_next(cell)) {
            const char *wrong = cell_check(cell);

            if (wrong)
                return wrong;
        }
    }
    return NULL;
}

int64_t grid_write(const json *values, int64_t top, int64_t left)
{
    int64_t written = 0, row = top;

    grow_to(top + (int64_t)json_count(values));
    for (const json *r = json_first(values); r; r = json_next(r), row++) {
        int64_t column = left;

        for (const json *c = json_first(r); c && column < GRID_COLUMNS;
             c = json_next(c), column++) {
            struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

            if (json_type(c) == JSON_NULL)
                continue;
            json_node(&b, c);
            cells[row][column] = str_is(sbuf_str(&b), "\"\"") /* empties the cell */
                                     ? STR_NULL
                                     : arena_str(&memory, sbuf_str(&b));
            written++;
        }
    }
    return written;
}

void grid_insert(int64_t before, int64_t rows)
{
    int64_t moved = n_rows - before;

    grow_to(n_rows + rows);
    if (moved > 0)
        memmove(cells + before + rows, cells + before, (size_t)moved * sizeof(*cells));
    memset(cells + before, 0, (size_t)rows * sizeof(*cells));
}

static bool row_empty(int64_t row, const struct area *x)
{
    for (int64_t c = x->left; c <= x->right; c++)
        if (!is_empty(row, c))
            return false;
    return true;
}

static bool column_empty(int64_t column, int64_t top, int64_t bottom)
{
    for (int64_t r = top; r <= bottom; r++)
        if (!is_empty(r, column))
            return false;
    return true;
}

/* The table is the last block of rows without a blank one between, as wide as its columns touch.
 * So a first column that is blank throughout is not part of it: rows then land further right. */
bool grid_table(const struct area *x, struct area *ret)
{
    struct area t = {.bottom = n_rows - 1, .left = x->left};

    while (t.bottom >= x->top && row_empty(t.bottom, x))
        t.bottom--;
    if (t.bottom < x->top)
        return false;
    t.top = t.bottom;
    while (t.top > 0 && !row_empty(t.top - 1, x))
        t.top--;
    while (column_empty(t.left, t.top, t.bottom))
        t.left++;
    t.right = t.left;
    while (t.right + 1 < GRID_COLUMNS && !column_empty(t.right + 1, t.top, t.bottom))
        t.right++;
    *ret = t;
    return true;
}
