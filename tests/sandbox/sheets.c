/* tests/sandbox/sheets.c - the Google Sheets API: values of one spreadsheet with one tab. */
#include "sheets_grid.h"

#include <inttypes.h>

#define SPREADSHEET "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms"
#define PREFIX      "/v4/spreadsheets/"

static void refuse(struct answer *ret, int status, const char *word, const char *message)
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

static void invalid(struct answer *ret, const char *message)
{
    refuse(ret, 400, "INVALID_ARGUMENT", message);
    offence("sheets", "%s", message);
}

static bool range_of(const struct call *c, struct str range, struct area *ret_area,
                     struct answer *ret)
{
    if (!range_parse(range, c->arena, ret_area)) {
        invalid(ret, arena_printf(c->arena, "Unable to parse range: %.*s", STR_ARG(range)).at);
        return false;
    }
    if (ret_area->top >= grid_rows() || ret_area->left >= GRID_COLUMNS) {
        refuse(ret, 400, "INVALID_ARGUMENT",
               arena_printf(c->arena,
                            "Range (%.*s) exceeds grid limits. Max rows: %" PRId64
                            ", max columns: %d",
                            STR_ARG(range), grid_rows(), GRID_COLUMNS)
                   .at);
        return false;
    }
    if (ret_area->bottom >= grid_rows())
        ret_area->bottom = grid_rows() - 1;
    if (ret_area->right >= GRID_COLUMNS)
        ret_area->right = GRID_COLUMNS - 1;
    return true;
}

/* RAW only: with USER_ENTERED what a lead types would be parsed as if typed. */
static bool raw_only(struct str option, struct answer *ret)
{
    if (str_is(option, "RAW"))
        return true;
    invalid(ret, option.len ? "valueInputOption must be RAW for what leads typed"
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
        invalid(ret, "Invalid JSON payload received.");
        return NULL;
    }
    said = json_string(json_get(doc->root, "range"));
    if (said.at && !str_eq(said, range)) {
        invalid(ret, "Requested writing within another range than the body's");
        return NULL;
    }
    wrong = values_check(json_get(doc->root, "values"));
    if (wrong) {
        invalid(ret, wrong);
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
    return v->columns ? grid_cell(v->area.top + at, v->area.left + line)
                      : grid_cell(v->area.top + line, v->area.left + at);
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
    json_kv_text(b, "spreadsheetId", SPREADSHEET);
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

static void write_update(struct sbuf *b, const struct area *x, int64_t n, struct arena *a)
{
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SPREADSHEET);
    json_kv(b, "updatedRange", range_text(x, a));
    json_kv_int(b, "updatedRows", x->bottom - x->top + 1);
    json_kv_int(b, "updatedColumns", x->right - x->left + 1);
    json_kv_int(b, "updatedCells", n);
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
        invalid(ret, "Requested writing within range, but tried writing outside of it");
        return;
    }
    n = grid_write(values, x.top, x.left);
    x.bottom = x.top + (int64_t)json_count(values) - 1;
    x.right = x.left + widest(values) - 1;
    write_update(answer_json(ret, 200), &x, n, c->arena);
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
    at.top = found ? table.bottom + 1 : x.top;
    at.left = found ? table.left : x.left;
    if (insert && found)
        grid_insert(at.top, n);
    at.bottom = at.top + n - 1;
    at.right = at.left + widest(values) - 1;
    n = grid_write(values, at.top, at.left);
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SPREADSHEET);
    if (found)
        json_kv(b, "tableRange", range_text(&table, c->arena));
    json_key(b, "updates");
    write_update(b, &at, n, c->arena);
    json_close(b, '}');
}

static void batch_update(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const json *data;
    struct area x;
    struct sbuf *b;

    if (json_parse(c->body, &doc, NULL)) {
        invalid(ret, "Invalid JSON payload received.");
        return;
    }
    if (!raw_only(json_string(json_get(doc.root, "valueInputOption")), ret))
        return;
    data = json_get(doc.root, "data");
    for (const json *d = json_first(data); d; d = json_next(d)) { /* all or nothing */
        const char *wrong = values_check(json_get(d, "values"));

        if (wrong)
            invalid(ret, wrong);
        if (wrong || !range_of(c, json_string(json_get(d, "range")), &x, ret))
            return;
    }
    b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SPREADSHEET);
    json_key(b, "responses");
    json_open(b, '[');
    for (const json *d = json_first(data); d; d = json_next(d))
        if (range_parse(json_string(json_get(d, "range")), c->arena, &x)) {
            int64_t n = grid_write(json_get(d, "values"), x.top, x.left);

            x.bottom = x.top + (int64_t)json_count(json_get(d, "values")) - 1;
            x.right = x.left + widest(json_get(d, "values")) - 1;
            write_update(b, &x, n, c->arena);
        }
    json_close(b, ']');
    json_close(b, '}');
}

static void get_spreadsheet(struct answer *ret)
{
    struct sbuf *b = answer_json(ret, 200);

    sbuf_printf(b,
                "{\"spreadsheetId\":\"" SPREADSHEET "\",\"properties\":{\"title\":\"Sandbox\"},"
                "\"sheets\":[{\"properties\":{\"sheetId\":0,\"title\":\"" TAB
                "\",\"index\":0,\"sheetType\":\"GRID\",\"gridProperties\":{\"rowCount\":%" PRId64
                ",\"columnCount\":%d}}}]}",
                grid_rows(), GRID_COLUMNS);
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
        refuse(ret, 404, "NOT_FOUND", "the sandbox does not have this call");
}

static void sheets_handle(const struct call *c, struct answer *ret)
{
    struct str rest = str_from(c->path, sizeof(PREFIX) - 1);

    if (!google_access_token_good(c)) {
        answer_header(ret, "WWW-Authenticate",
                      STR("Bearer realm=\"https://accounts.google.com/\""));
        refuse(ret, 401, "UNAUTHENTICATED",
               "Request had invalid authentication credentials. Expected OAuth 2 access token.");
        offence("sheets", "no valid access token");
        return;
    }
    if (!str_starts(rest, STR(SPREADSHEET))) {
        refuse(ret, 404, "NOT_FOUND", "Requested entity was not found.");
        offence("sheets", "no such spreadsheet");
        return;
    }
    rest = str_from(rest, sizeof(SPREADSHEET) - 1);
    if (!rest.len)
        get_spreadsheet(ret);
    else if (str_is(rest, "/values:batchGet"))
        batch_get(c, ret);
    else if (str_is(rest, "/values:batchUpdate"))
        batch_update(c, ret);
    else if (str_starts(rest, STR("/values/")) && !str_chr(str_from(rest, 8), '/'))
        values_call(c, str_from(rest, 8), ret);
    else
        invalid(ret, "the range must be one segment of the path");
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
    refuse(ret, status, word, "The sandbox was told to fail.");
}

static void sheets_dump(struct sbuf *b)
{
    struct arena a = {0};
    struct view v = {.area = {0, 0, grid_rows() - 1, GRID_COLUMNS - 1}};
    int64_t lines = view_lines(&v);

    while (lines > 0 && view_length(&v, lines - 1) == 0)
        lines--;
    v.area.bottom = lines > 0 ? lines - 1 : 0;
    json_open(b, '{');
    json_key(b, TAB);
    write_range(b, &v, &a);
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
