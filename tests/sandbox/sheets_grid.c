/* tests/sandbox/sheets_grid.c - tabs of cells, and ranges in A1 notation. */
#include "sheets_grid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct arena memory;
static struct tab tabs[TABS_MAX];
static size_t n_tabs;
static int64_t last_id;

static void grow_to(struct tab *tab, int64_t rows)
{
    if (rows <= tab->n_rows)
        return;
    tab->cells = mem_grow(tab->cells, (size_t)rows, sizeof(*tab->cells));
    memset(tab->cells + tab->n_rows, 0, (size_t)(rows - tab->n_rows) * sizeof(*tab->cells));
    tab->n_rows = rows;
}

struct tab *tab_add(struct str title)
{
    if (n_tabs == TABS_MAX)
        return NULL;

    struct tab *tab = &tabs[n_tabs++];
    *tab = (struct tab){.id = last_id++, .title = arena_str(&memory, title)};
    grow_to(tab, GRID_ROWS);
    return tab;
}

void tab_rename(struct tab *tab, struct str title)
{
    tab->title = arena_str(&memory, title);
}

void grid_reset(void)
{
    for (size_t i = 0; i < n_tabs; i++)
        free(tabs[i].cells);
    n_tabs = 0;
    last_id = 0;
    arena_free(&memory);
    memory = (struct arena){0};
    (void)tab_add(STR("Leads"));
}

size_t grid_tabs(struct tab **ret)
{
    *ret = tabs;
    return n_tabs;
}

struct tab *tab_find(struct str title)
{
    for (size_t i = 0; i < n_tabs; i++)
        if (str_eq(tabs[i].title, title))
            return &tabs[i];
    return NULL;
}

struct tab *tab_find_id(int64_t id)
{
    for (size_t i = 0; i < n_tabs; i++)
        if (tabs[i].id == id)
            return &tabs[i];
    return NULL;
}

struct area tab_area(struct tab *tab)
{
    return (struct area){tab, 0, 0, tab->n_rows - 1, GRID_COLUMNS - 1};
}

struct str grid_cell(const struct tab *tab, int64_t row, int64_t column)
{
    if (row < 0 || row >= tab->n_rows || column < 0 || column >= GRID_COLUMNS)
        return STR_NULL;
    return tab->cells[row][column];
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
    const struct area all = *ret;

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
        ret->bottom = all.bottom;
    if (ret->right < 0)
        ret->right = all.right;
    return ret->bottom >= ret->top && ret->right >= ret->left;
}

static struct tab *tab_named(struct str name, struct arena *a)
{
    char *plain = arena_alloc(a, name.len + 1);
    size_t n = 0;

    if (name.len < 2 || name.at[0] != '\'')
        return tab_find(name);
    for (size_t i = 1; i + 1 < name.len; i++) {
        plain[n++] = name.at[i];
        if (name.at[i] == '\'' && name.at[i + 1] == '\'')
            i++;
    }
    return name.at[name.len - 1] == '\'' ? tab_find((struct str){plain, n}) : NULL;
}

bool range_parse(struct str range, struct arena *a, struct area *ret)
{
    size_t bang = range.len;

    for (size_t i = 0; i < range.len; i++)
        if (range.at[i] == '!')
            bang = i;

    bool named = bang < range.len || tab_named(range, a);
    struct tab *tab = named ? tab_named((struct str){range.at, bang}, a) : &tabs[0];
    if (!tab)
        return false;
    *ret = tab_area(tab);
    if (bang < range.len)
        return cells_parse(str_from(range, bang + 1), ret);
    return named || cells_parse(range, ret);
}

static bool is_plain(struct str title)
{
    for (size_t i = 0; i < title.len; i++)
        if (!(title.at[i] >= 'A' && title.at[i] <= 'Z') &&
            !(title.at[i] >= 'a' && title.at[i] <= 'z'))
            return false;
    return true;
}

struct str range_text(const struct area *x, struct arena *a)
{
    char left = (char)('A' + x->left), right = (char)('A' + x->right);
    const char *quote = is_plain(x->tab->title) ? "" : "'";
    struct str first = arena_printf(a, "%s%.*s%s!%c%" PRId64, quote, STR_ARG(x->tab->title), quote,
                                    left, x->top + 1);

    if (x->top == x->bottom && x->left == x->right)
        return first;
    return arena_printf(a, "%.*s:%c%" PRId64, STR_ARG(first), right, x->bottom + 1);
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

int64_t grid_write(const json *values, struct tab *tab, int64_t top, int64_t left)
{
    int64_t written = 0, row = top;

    grow_to(tab, top + (int64_t)json_count(values));
    for (const json *r = json_first(values); r; r = json_next(r), row++) {
        int64_t column = left;

        for (const json *c = json_first(r); c && column < GRID_COLUMNS;
             c = json_next(c), column++) {
            struct sbuf b AUTO(sbuf_free) = SBUF(1 << 20);

            if (json_type(c) == JSON_NULL)
                continue;
            json_node(&b, c);
            tab->cells[row][column] = str_is(sbuf_str(&b), "\"\"") /* empties the cell */
                                          ? STR_NULL
                                          : arena_str(&memory, sbuf_str(&b));
            written++;
        }
    }
    return written;
}

void grid_insert(struct tab *tab, int64_t before, int64_t rows)
{
    int64_t moved = tab->n_rows - before;

    grow_to(tab, tab->n_rows + rows);
    if (moved > 0)
        memmove(tab->cells + before + rows, tab->cells + before,
                (size_t)moved * sizeof(*tab->cells));
    memset(tab->cells + before, 0, (size_t)rows * sizeof(*tab->cells));
}

static bool row_empty(int64_t row, const struct area *x)
{
    for (int64_t c = x->left; c <= x->right; c++)
        if (grid_cell(x->tab, row, c).at)
            return false;
    return true;
}

static bool column_empty(const struct area *x, int64_t column)
{
    for (int64_t r = x->top; r <= x->bottom; r++)
        if (grid_cell(x->tab, r, column).at)
            return false;
    return true;
}

/* The table is the last block of rows without a blank one between, as wide as its columns touch.
 * So a first column that is blank throughout is not part of it: rows then land further right. */
bool grid_table(const struct area *x, struct area *ret)
{
    struct area t = {.tab = x->tab, .bottom = x->tab->n_rows - 1, .left = x->left};

    while (t.bottom >= x->top && row_empty(t.bottom, x))
        t.bottom--;
    if (t.bottom < x->top)
        return false;
    t.top = t.bottom;
    while (t.top > 0 && !row_empty(t.top - 1, x))
        t.top--;
    while (column_empty(&t, t.left))
        t.left++;
    t.right = t.left;
    while (t.right + 1 < GRID_COLUMNS && !column_empty(&t, t.right + 1))
        t.right++;
    *ret = t;
    return true;
}
