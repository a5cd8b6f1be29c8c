/* tests/sandbox/sheets_tabs.c - the Google Sheets API: the tabs of the spreadsheet. */
#include "sheets_grid.h"

static void write_properties(struct sbuf *b, const struct tab *tab)
{
    json_key(b, "properties");
    json_open(b, '{');
    json_kv_int(b, "sheetId", tab->id);
    json_kv(b, "title", tab->title);
    json_kv_text(b, "sheetType", "GRID");
    json_key(b, "gridProperties");
    json_open(b, '{');
    json_kv_int(b, "rowCount", tab->n_rows);
    json_kv_int(b, "columnCount", GRID_COLUMNS);
    json_close(b, '}');
    json_close(b, '}');
}

void sheets_describe(struct answer *ret)
{
    struct sbuf *b = answer_json(ret, 200);
    struct tab *tabs;
    size_t n = grid_tabs(&tabs);

    sbuf_text(b, "{\"spreadsheetId\":\"" SHEETS_ID "\",\"properties\":{\"title\":\"Sandbox\"},");
    json_key(b, "sheets");
    json_open(b, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(b, '{');
        write_properties(b, &tabs[i]);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_close(b, '}');
}

/* What a person does with tabs. false: refused. */
static bool change_tab(const json *request, struct sbuf *b, struct answer *ret)
{
    struct str title = json_string(json_path(request, "addSheet.properties.title"));
    const json *renamed = json_path(request, "updateSheetProperties.properties");
    struct tab *tab = NULL;
    int64_t id = 0;

    if (title.len && !tab_find(title)) {
        tab = tab_add(title);
    } else if (json_int64(json_get(renamed, "sheetId"), &id)) {
        tab = tab_find_id(id);
        if (tab && str_is(json_string(json_path(request, "updateSheetProperties.fields")), "title"))
            tab_rename(tab, json_string(json_get(renamed, "title")));
    }
    if (!tab) {
        sheets_invalid(ret, "Invalid requests[0]: no such sheet, or a title that is taken");
        return false;
    }
    json_open(b, '{');
    if (title.len) {
        json_key(b, "addSheet");
        json_open(b, '{');
        write_properties(b, tab);
        json_close(b, '}');
    }
    json_close(b, '}');
    return true;
}

void sheets_change_tabs(const struct call *c, struct answer *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct sbuf replies AUTO(sbuf_free) = SBUF(1 << 16);

    if (json_parse(c->body, &doc, NULL) || !json_count(json_get(doc.root, "requests"))) {
        sheets_invalid(ret, "Invalid JSON payload received.");
        return;
    }
    json_open(&replies, '[');
    for (const json *r = json_first(json_get(doc.root, "requests")); r; r = json_next(r))
        if (!change_tab(r, &replies, ret))
            return;
    json_close(&replies, ']');
    struct sbuf *b = answer_json(ret, 200);
    json_open(b, '{');
    json_kv_text(b, "spreadsheetId", SHEETS_ID);
    json_key(b, "replies");
    json_raw(b, sbuf_str(&replies));
    json_close(b, '}');
}
