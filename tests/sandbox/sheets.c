/* tests/sandbox/sheets.c - the Google Sheets API: values of one spreadsheet, and its tabs. */
#include "sheets_grid.h"

#include <inttypes.h>

#define PREFIX "/v4/spreadsheets/"

void sheets_refuse(struct answer *ret, int status, const char *word, const char *message)
{
    struct sbuf *b = answer_json(ret, status);

    json_open(b, '{');
    json_key(b, "error");
    json_open(b, '{');
    json_kv_int(b, "code", status);
    json_kv_text(b, "message", message);
    json_kv_text(b, "status", word);
    json_close(b, '}');
    json_close(b, '}');
}

void sheets_invalid(struct answer *ret, const char *message)
{
    sheets_refuse(ret, 400, "INVALID_ARGUMENT", message);
    offence("sheets", "%s", message);
}

static bool range_of(const struct call *c, struct str range, struct area *ret_area,
                     struct answer *ret)
{
    if (!range_parse(range, c->arena, ret_area)) {
        sheets_invalid(ret,
                       arena_printf(c->arena, "Unable to parse range: %.*s", STR_ARG(range)).at);
        return false;
    }
    int64_t rows = ret_area->tab->n_rows;
    if (ret_area->top >= rows || ret_area->left >= GRID_COLUMNS) {
        sheets_refuse(ret, 400, "INVALID_ARGUMENT",
                      arena_printf(c->arena,
                                   "Range (%.*s) exceeds grid limits. Max rows: %" PRId64
                                   ", max columns: %d",
                                   STR_ARG(range), rows, GRID_COLUMNS)
                          .at);
        return false;
    }
    if (ret_area->bottom >= rows)
        ret_area->bottom = rows - 1;
    if (ret_area->right >= GRID_COLUMNS)
        ret_area->right = GRID_COLUMNS - 1;
    return true;
}

/* RAW only: with USER_ENTERED what a lead types would be parsed as if typed. */
static bool raw_only(struct str option, struct answer *ret)
{
    if (str_is(option, "RAW"))
        return true;
    sheets_invalid(ret, option.len ? "valueInputOption must be RAW for what leads typed"
                                   : "'valueInputOption' is required but not specified");
    return false;
}

/* Parses the body and its values; the body must not name another range than the URL. */
static const json *read_values(const struct call *c, struct str range, struct json_doc *doc,
                               struct answer *ret)
{
    const char *wrong;
    struct str said;

    if (json_parse(c->body, doc, NULL) || json_type(doc->root) != JSON_OBJECT) {
        sheets_invalid(ret, "Invalid JSON payload received.");
        return NULL;
    }
    said = json_string(json_get(doc->root, "range"));
    if (said.at && !str_eq(said, range)) {
        sheets_invalid(ret, "Requested writing within another range than the body's");
        return NULL;
    }
    wrong = values_check(json_get(doc->root, "values"));
    if (wrong) {
        sheets_invalid(ret, wrong);
        return NULL;
    }
    return json_get(doc->root, "values");
}

/* The lines of an area along its major dimension; trailing empty cells and lines are left out. */
struct view {
    struct area area;
    bool columns;
};

static struct str view_cell(const struct view *v, int64_t line, int64_t at)
{
    return v->columns ? grid_cell(v->area.tab, v->area.top + at, v->area.left + line)
                      : grid_cell(v->area.tab, v->area.top + line, v->area.left + at);
}

static int64_t view_lines(const struct view *v)
{
    return v->columns ? v->area.right - v->area.left + 1 : v->area.bottom - v->area.top + 1;
}

static int64_t view_length(const struct view *v, int64_t line)
{
    int64_t n = v->columns ? v->area.bottom - v->area.top + 1 : v->area.right - v->area.left + 1;

    while (n > 0 && !view_cell(v, line, n - 1).at)
        n--;
    return n;
}

static void write_range(struct sbuf *b, const struct view *v, struct arena *a)
{
    int64_t lines = view_lines(v);

    while (lines > 0 && view_length(v, lines - 1) == 0)
        lines--;
    json_open(b, '{');
    json_kv(b, "range", range_text(&v->area, a));
    json_kv_text(b, "majorDimension", v->columns ? "COLUMNS" : "ROWS");
    if (lines) {
        json_key(b, "values");
        json_open(b, '[');
        for (int64_t l = 0; l < lines; l++) {
            int64_t n = view_length(v, l);

            json_open(b, '[');
            for (int64_t i = 0; i < n; i++) {
                struct str cell = view_cell(v, l, i);

                json_raw(b, cell.at ? cell : STR("\"\""));
            }
            json_close(b, ']');
        }
        json_close(b, ']');
    }
    json_close(b, '}');
}

static void get_values(const struct call *c, struct str range, struct answer *ret)
{
    struct view v = {.columns = str_is(call_query(c, "majorDimension"), "COLUMNS")};

    if (range_of(c, range, &v.area, ret))
        write_range(answer_json(ret, 200), &v, c->arena);
}

static void batch_get(const struct call *c, struct answer *ret)
{
    struct sbuf *b = answer_json(ret, 200);

    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SHEETS_ID);
    json_key(b, "valueRanges");
    json_open(b, '[');
    for (size_t i = 0; i < c->n_query; i++) {
        struct view v = {.columns = str_is(call_query(c, "majorDimension"), "COLUMNS")};

        if (!str_is(c->query[i].name, "ranges"))
            continue;
        if (!range_of(c, c->query[i].value, &v.area, ret))
            return;
        write_range(b, &v, c->arena);
    }
    json_close(b, ']');
    json_close(b, '}');
}

/* shown: the cells of this area as they are now; NULL: that was not asked for. */
static void write_update(struct sbuf *b, const struct area *x, int64_t n, const struct area *shown,
                         struct arena *a)
{
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SHEETS_ID);
    json_kv(b, "updatedRange", range_text(x, a));
    json_kv_int(b, "updatedRows", x->bottom - x->top + 1);
    json_kv_int(b, "updatedColumns", x->right - x->left + 1);
    json_kv_int(b, "updatedCells", n);
    if (shown) {
        json_key(b, "updatedData");
        write_range(b, &(struct view){.area = *shown}, a);
    }
    json_close(b, '}');
}

static int64_t widest(const json *values)
{
    int64_t most = 1;

    for (const json *r = json_first(values); r; r = json_next(r))
        if ((int64_t)json_count(r) > most)
            most = (int64_t)json_count(r);
    return most;
}

static void put_values(const struct call *c, struct str range, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const json *values;
    struct area x;
    int64_t n;

    if (!raw_only(call_query(c, "valueInputOption"), ret) || !range_of(c, range, &x, ret))
        return;
    values = read_values(c, range, &doc, ret);
    if (!values)
        return;
    if ((int64_t)json_count(values) > x.bottom - x.top + 1 ||
        widest(values) > x.right - x.left + 1) {
        sheets_invalid(ret, "Requested writing within range, but tried writing outside of it");
        return;
    }
    n = grid_write(values, x.tab, x.top, x.left);
    x.bottom = x.top + (int64_t)json_count(values) - 1;
    x.right = x.left + widest(values) - 1;
    write_update(answer_json(ret, 200), &x, n, NULL, c->arena);
}

static void append_values(const struct call *c, struct str range, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool insert = str_is(call_query(c, "insertDataOption"), "INSERT_ROWS"), found;
    const json *values;
    struct area x, table, at;
    struct sbuf *b;
    int64_t n;

    if (!raw_only(call_query(c, "valueInputOption"), ret) || !range_of(c, range, &x, ret))
        return;
    values = read_values(c, range, &doc, ret);
    if (!values)
        return;
    if (!insert)
        offence("sheets", "append without INSERT_ROWS overwrites what is below");
    n = (int64_t)json_count(values);
    found = grid_table(&x, &table);
    at.tab = x.tab;
    at.top = found ? table.bottom + 1 : x.top;
    at.left = found ? table.left : x.left;
    if (insert && found)
        grid_insert(at.tab, at.top, n);
    at.bottom = at.top + n - 1;
    at.right = at.left + widest(values) - 1;
    n = grid_write(values, at.tab, at.top, at.left);
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SHEETS_ID);
    if (found)
        json_kv(b, "tableRange", range_text(&table, c->arena));
    json_key(b, "updates");
    write_update(b, &at, n, NULL, c->arena);
    json_close(b, '}');
}

static void update_range(struct sbuf *b, const json *d, bool show, struct arena *a)
{
    struct area x, written;

    if (!range_parse(json_string(json_get(d, "range")), a, &x))
        return;
    int64_t n = grid_write(json_get(d, "values"), x.tab, x.top, x.left);

    written = x;
    written.bottom = x.top + (int64_t)json_count(json_get(d, "values")) - 1;
    written.right = x.left + widest(json_get(d, "values")) - 1;
    write_update(b, &written, n, show ? &x : NULL, a);
}

static bool known_keys(const json *object, const char *const keys[], size_t n, struct arena *a,
                       struct answer *ret)
{
    for (const json *m = json_first(object); m; m = json_next(m)) {
        bool known = false;

        for (size_t i = 0; i < n; i++)
            known |= str_is(json_name(m), keys[i]);
        if (known)
            continue;
        sheets_invalid(ret, arena_printf(a,
                                         "Invalid JSON payload received. Unknown name \"%.*s\": "
                                         "Cannot find field.",
                                         STR_ARG(json_name(m)))
                                .at);
        return false;
    }
    return true;
}

static bool data_fits(const struct call *c, const json *d, struct answer *ret)
{
    static const char *const keys[] = {"range", "majorDimension", "values"};
    const char *wrong = values_check(json_get(d, "values"));
    struct area x;

    if (!known_keys(d, keys, ARRAY_LEN(keys), c->arena, ret))
        return false;
    if (wrong)
        sheets_invalid(ret, wrong);
    if (wrong || !range_of(c, json_string(json_get(d, "range")), &x, ret))
        return false;
    if ((int64_t)json_count(json_get(d, "values")) <= x.bottom - x.top + 1 &&
        widest(json_get(d, "values")) <= x.right - x.left + 1)
        return true;
    sheets_invalid(ret, "Requested writing within range, but tried writing outside of it");
    return false;
}

static void batch_update(const struct call *c, struct answer *ret)
{
    static const char *const keys[] = {"valueInputOption", "data", "includeValuesInResponse",
                                       "responseValueRenderOption", "responseDateTimeRenderOption"};
    struct json_doc doc AUTO(json_doc_free) = {0};
    const json *data;
    struct sbuf *b;

    if (json_parse(c->body, &doc, NULL)) {
        sheets_invalid(ret, "Invalid JSON payload received.");
        return;
    }
    if (!raw_only(json_string(json_get(doc.root, "valueInputOption")), ret) ||
        !known_keys(doc.root, keys, ARRAY_LEN(keys), c->arena, ret))
        return;
    data = json_get(doc.root, "data");
    for (const json *d = json_first(data); d; d = json_next(d)) /* all or nothing */
        if (!data_fits(c, d, ret))
            return;
    bool show = json_true(json_get(doc.root, "includeValuesInResponse"));
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SHEETS_ID);
    json_key(b, "responses");
    json_open(b, '[');
    for (const json *d = json_first(data); d; d = json_next(d))
        update_range(b, d, show, c->arena);
    json_close(b, ']');
    json_close(b, '}');
}

static void values_call(const struct call *c, struct str rest, struct answer *ret)
{
    struct str range = rest;
    bool append = str_ends(rest, STR(":append"));

    if (append)
        range.len -= sizeof(":append") - 1;
    range = percent_decode(range, false, c->arena);
    if (append && str_is(c->method, "POST"))
        append_values(c, range, ret);
    else if (str_is(c->method, "GET"))
        get_values(c, range, ret);
    else if (str_is(c->method, "PUT"))
        put_values(c, range, ret);
    else
        sheets_refuse(ret, 404, "NOT_FOUND", "the sandbox does not have this call");
}

static void sheets_handle(const struct call *c, struct answer *ret)
{
    struct str rest = str_from(c->path, sizeof(PREFIX) - 1);

    if (!google_access_token_good(c)) {
        answer_header(ret, "WWW-Authenticate",
                      STR("Bearer realm=\"https://accounts.google.com/\""));
        sheets_refuse(
            ret, 401, "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token.");
        offence("sheets", "no valid access token");
        return;
    }
    if (!str_starts(rest, STR(SHEETS_ID))) {
        sheets_refuse(ret, 404, "NOT_FOUND", "Requested entity was not found.");
        offence("sheets", "no such spreadsheet");
        return;
    }
    rest = str_from(rest, sizeof(SHEETS_ID) - 1);
    if (!rest.len)
        sheets_describe(ret);
    else if (str_is(rest, ":batchUpdate") && str_is(c->method, "POST"))
        sheets_change_tabs(c, ret);
    else if (str_is(rest, "/values:batchGet"))
        batch_get(c, ret);
    else if (str_is(rest, "/values:batchUpdate") && str_is(c->method, "POST"))
        batch_update(c, ret);
    else if (str_starts(rest, STR("/values/")) && !str_chr(str_from(rest, 8), '/'))
        values_call(c, str_from(rest, 8), ret);
    else
        sheets_invalid(ret, "the range must be one segment of the path");
}

static bool sheets_owns(struct str path)
{
    return str_starts(path, STR(PREFIX));
}

static const struct status_word {
    int status;
    const char *word;
} status_words[] = {
    {400, "INVALID_ARGUMENT"},   {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"},
    {404, "NOT_FOUND"},          {500, "INTERNAL"},        {503, "UNAVAILABLE"},
    {429, "RESOURCE_EXHAUSTED"},
};

static void sheets_fail(int status, struct answer *ret)
{
    const char *word = "UNKNOWN";

    for (size_t i = 0; i < ARRAY_LEN(status_words); i++)
        if (status_words[i].status == status)
            word = status_words[i].word;
    sheets_refuse(ret, status, word, "The sandbox was told to fail.");
}

static void dump_tab(struct sbuf *b, struct tab *tab, struct arena *a)
{
    struct view v = {.area = tab_area(tab)};
    int64_t lines = view_lines(&v);

    while (lines > 0 && view_length(&v, lines - 1) == 0)
        lines--;
    v.area.bottom = lines > 0 ? lines - 1 : 0;
    json_key_str(b, tab->title);
    write_range(b, &v, a);
}

static void sheets_dump(struct sbuf *b)
{
    struct arena a = {0};
    struct tab *tabs;
    size_t n = grid_tabs(&tabs);

    json_open(b, '{');
    for (size_t i = 0; i < n; i++)
        dump_tab(b, &tabs[i], &a);
    json_close(b, '}');
    arena_free(&a);
}

const struct service sheets_service = {
    .name = "sheets",
    .owns = sheets_owns,
    .handle = sheets_handle,
    .fail = sheets_fail,
    .dump = sheets_dump,
    .reset = grid_reset,
};
