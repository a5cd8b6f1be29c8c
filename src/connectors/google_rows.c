/* connectors/google_rows.c - a delivery as a row, found by the header's words, not by position.
 *
 * Values are written RAW: "=1+2" stays text, so nothing that a lead types is ever a formula and
 * no value needs a quote in front. (Who exports the sheet as CSV opens it as text.)
 */
#include "google_priv.h"

#include <inttypes.h>

#include "funneld/base/clock.h"

static const char *const headings[SHEET_COLUMNS] = {
    [SHEET_DELIVERY_ID] = "Delivery ID",
    [SHEET_TIME] = "Time",
    [SHEET_LEAD] = "Lead",
    [SHEET_EMAIL] = "Email",
    [SHEET_SCORE] = "Score",
    [SHEET_BAND] = "Band",
    [SHEET_REASONS] = "Reasons",
    [SHEET_CRM] = "CRM",
    [SHEET_LEAD_ID] = "Lead ID",
};

static struct str unquoted(struct str tab, struct arena *a)
{
    if (tab.len < 2 || tab.at[0] != '\'' || tab.at[tab.len - 1] != '\'')
        return arena_str(a, tab);

    char *out = arena_alloc(a, tab.len);
    size_t n = 0;

    for (size_t i = 1; i + 1 < tab.len; i++) {
        out[n++] = tab.at[i];
        if (tab.at[i] == '\'' && tab.at[i + 1] == '\'' && i + 2 < tab.len)
            i++;
    }
    return (struct str){out, n};
}

/* Rows always start at column A: there the header must be, and there an append must land. */
static bool cells_fit(struct str cells)
{
    if (!cells.len || cells.at[0] != 'A')
        return false;
    for (size_t i = 1; i < cells.len; i++) {
        char c = cells.at[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != ':')
            return false;
    }
    return cells.len == 1 || !(cells.at[1] >= 'A' && cells.at[1] <= 'Z');
}

bool sheet_range(struct str range, struct arena *a, struct str *ret_tab, struct str *ret_cells)
{
    size_t bang = range.len;

    for (size_t i = 0; i < range.len; i++)
        if (range.at[i] == '!')
            bang = i;
    *ret_tab = unquoted((struct str){range.at, bang}, a);
    *ret_cells = bang == range.len ? STR("A:H") : arena_str(a, str_from(range, bang + 1));
    if (bang == range.len && str_chr(range, ':'))
        return false; /* "A:H": of which tab? */
    return ret_tab->len && cells_fit(*ret_cells);
}

struct str sheet_quoted(struct str tab, const char *cells, struct arena *a)
{
    char *name = arena_alloc(a, tab.len * 2 + 1);
    size_t n = 0;

    for (size_t i = 0; i < tab.len; i++) {
        if (tab.at[i] == '\'')
            name[n++] = '\'';
        name[n++] = tab.at[i];
    }
    return arena_printf(a, "'%.*s'!%s", (int)n, name, cells);
}

struct str sheet_letters(int64_t position, struct arena *a)
{
    char text[16];
    size_t at = sizeof(text);

    for (int64_t n = position + 1; n > 0 && at > 0; n = (n - 1) / 26)
        text[--at] = (char)('A' + (n - 1) % 26);
    return arena_str(a, (struct str){text + at, sizeof(text) - at});
}

void sheet_header_write(struct sbuf *b, int n_columns)
{
    json_open(b, '{');
    json_kv_text(b, "majorDimension", "ROWS");
    json_key(b, "values");
    json_open(b, '[');
    json_open(b, '[');
    for (int c = 0; c < n_columns; c++)
        json_text(b, headings[c]);
    json_close(b, ']');
    json_close(b, ']');
    json_close(b, '}');
}

static void find_heading(struct str cell, int64_t at, int64_t position[SHEET_COLUMNS])
{
    for (size_t c = 0; c < SHEET_COLUMNS; c++)
        if (position[c] < 0 && str_ieq(str_trim(cell), str_of(headings[c])))
            position[c] = at;
}

const char *sheet_heading(enum sheet_column c)
{
    return headings[c];
}

/* Google takes a first column without a heading for no part of the table, and appends beside it. */
static enum rc check_first(const json *row, struct str tab, struct why *why)
{
    if (json_type(json_first(row)) != JSON_STRING || str_trim(json_string(json_first(row))).len)
        return RC_OK;
    return why_fail(RC_INVALID, why,
                    "the header of the tab %.*s must begin in A1: give column A a heading, or "
                    "delete the column",
                    STR_ARG(tab));
}

enum rc sheet_header_read(const json *row, int64_t ret_position[SHEET_COLUMNS],
                          enum sheet_column key, struct str tab, struct why *why)
{
    int64_t at = 0;
    bool empty = true;

    for (size_t c = 0; c < SHEET_COLUMNS; c++)
        ret_position[c] = -1;
    for (const json *cell = json_first(row); cell; cell = json_next(cell), at++) {
        struct str text = json_string(cell);

        empty = empty && json_type(cell) == JSON_STRING && !text.len;
        if (text.len)
            find_heading(text, at, ret_position);
    }
    if (empty)
        return RC_NONE;
    if (ret_position[key] < 0)
        return why_fail(RC_INVALID, why,
                        "row 1 of the tab %.*s has no column \"%s\": add it, or empty row 1 so "
                        "that the header is written",
                        STR_ARG(tab), headings[key]);
    return check_first(row, tab, why);
}

static void write_cell(struct sbuf *b, enum sheet_column c, const struct parcel *p,
                       size_t cell_units, struct arena *a)
{
    const struct delivery_facts *f = &p->d.facts;
    struct str email = lead_text(p->lead, "email");
    char when[TIME_TEXT];

    time_text(f->event_time, when);
    struct str texts[SHEET_COLUMNS] = {
        [SHEET_DELIVERY_ID] = p->public_id,
        [SHEET_TIME] = str_of(when),
        [SHEET_LEAD] = lead_name(p->lead, a),
        [SHEET_EMAIL] = email.len ? email : p->lead->email,
        [SHEET_BAND] = str_of(band_name(f->band)),
        [SHEET_REASONS] = f->reasons,
        [SHEET_CRM] = p->crm_url,
        [SHEET_LEAD_ID] = p->lead_public_id,
    };

    if (c == SHEET_SCORE)
        json_num(b, (double)f->score / 10);
    else
        json_str(b, texts[c].len ? text_units(texts[c], cell_units) : STR(""));
}

int64_t sheet_width(const int64_t position[SHEET_COLUMNS])
{
    int64_t last = 0;

    for (size_t c = 0; c < SHEET_COLUMNS; c++)
        if (position[c] > last)
            last = position[c];
    return last + 1;
}

void sheet_row_write(struct sbuf *b, const int64_t position[SHEET_COLUMNS], const struct parcel *p,
                     enum sheet_column left, size_t cell_units, struct arena *a)
{
    json_open(b, '[');
    for (int64_t at = 0; at < sheet_width(position); at++) {
        unsigned c = 0;

        while (c < SHEET_COLUMNS && position[c] != at)
            c++;
        if (c < SHEET_COLUMNS && c != left)
            write_cell(b, (enum sheet_column)c, p, cell_units, a);
        else
            json_null(b); /* of somebody else: left as it is */
    }
    json_close(b, ']');
}
