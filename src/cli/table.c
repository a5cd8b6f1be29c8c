/* cli/table.c - columns as wide as what stands in them. */
#include "table.h"

#include <string.h>

/* How many bytes the well-formed character at the front has; 0: it is none. */
static size_t character(struct str s)
{
    for (size_t n = 1; n <= 4 && n <= s.len; n++)
        if (str_is_utf8((struct str){s.at, n}))
            return n;
    return 0;
}

/* C0 and C1 controls; what overrides or isolates the direction of text (U+202A-E, U+2066-9). */
static bool is_harmless(struct str c)
{
    const unsigned char *b = (const unsigned char *)c.at;

    if (c.len == 1)
        return b[0] >= ' ' && b[0] != 0x7f;
    if (c.len == 2)
        return !(b[0] == 0xC2 && b[1] < 0xA0);
    if (c.len == 3 && b[0] == 0xE2)
        return !((b[1] == 0x80 && b[2] >= 0xAA && b[2] <= 0xAE) ||
                 (b[1] == 0x81 && b[2] >= 0xA6 && b[2] <= 0xA9));
    return true;
}

struct str printable(struct str text, struct arena *a)
{
    char *copy = arena_alloc(a, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len;) {
        size_t n = character(str_from(text, i));
        struct str c = {text.at + i, n ? n : 1};

        if (n && is_harmless(c)) {
            memcpy(copy + len, c.at, c.len);
            len += c.len;
        } else {
            copy[len++] = str_chr(STR("\t\r\n"), *c.at) ? ' ' : '?';
        }
        i += c.len;
    }
    return (struct str){copy, len};
}

/* Characters, not bytes; the text is well-formed. */
static size_t width(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.at[i] & 0xC0) != 0x80;
    return n;
}

static struct str shorten(struct str s, size_t max, struct arena *a)
{
    size_t end = 0, n = 0;

    if (!max || width(s) <= max)
        return s;
    while (n < max - 1) {
        end += character(str_from(s, end));
        n++;
    }
    return arena_printf(a, "%.*s…", (int)end, s.at);
}

void table_cell(struct text_table *t, struct str cell)
{
    const struct text_column *c = &t->columns[t->n_cells % t->n_columns];

    t->cells = arena_more(t->arena, t->cells, t->n_cells, &t->cap, sizeof *t->cells);
    t->cells[t->n_cells++] =
        cell.at ? shorten(printable(cell, t->arena), c->max, t->arena) : STR("-");
}

void table_int(struct text_table *t, int64_t value)
{
    table_cell(t, arena_printf(t->arena, "%lld", (long long)value));
}

void table_id(struct text_table *t, int64_t id)
{
    if (id)
        table_int(t, id);
    else
        table_cell(t, STR_NULL);
}

static void pad(struct sbuf *out, size_t n)
{
    while (n--)
        sbuf_char(out, ' ');
}

static void print_row(const struct text_table *t, const size_t widths[], const struct str cells[],
                      struct sbuf *out)
{
    size_t blanks = 0; /* owed: none stand at the end of a line */

    for (size_t i = 0; i < t->n_columns; i++) {
        size_t room = widths[i] - width(cells[i]);

        if (i)
            blanks += 2;
        if (t->columns[i].right)
            blanks += room;
        if (cells[i].len) {
            pad(out, blanks);
            sbuf_add(out, cells[i]);
            blanks = 0;
        }
        if (!t->columns[i].right)
            blanks += room;
    }
    sbuf_char(out, '\n');
}

void table_print(const struct text_table *t, struct sbuf *out)
{
    size_t *widths = arena_array(t->arena, t->n_columns, sizeof *widths);
    struct str *titles = arena_array(t->arena, t->n_columns, sizeof *titles);

    if (!t->n_cells || !t->n_columns)
        return;
    for (size_t i = 0; i < t->n_columns; i++) {
        titles[i] = str_of(t->columns[i].title);
        widths[i] = width(titles[i]);
    }
    for (size_t i = 0; i < t->n_cells; i++)
        if (width(t->cells[i]) > widths[i % t->n_columns])
            widths[i % t->n_columns] = width(t->cells[i]);
    print_row(t, widths, titles, out);
    for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
        print_row(t, widths, &t->cells[i], out);
}
