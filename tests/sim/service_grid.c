/* tests/sim/service_grid.c - a tab of Google Sheets in which each lead has a row, kept current.
 *
 * Columns as funneld writes them into an empty tab: Delivery ID, ..., Score (the fifth), ..., Lead
 * ID (the ninth). An update leaves the cells as they are that it does not name. */
#include "services.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

enum { COLUMNS = 9, SCORE = 4, LEAD = 8 };

static struct page rows[PAGES];
static size_t n_rows;
static bool has_header;

const struct page *grid_rows(size_t *ret_n)
{
    *ret_n = n_rows;
    return rows;
}

void grid_begin(void)
{
    n_rows = 0;
    has_header = false;
}

static const json *cell(const json *row, int column)
{
    const json *c = json_first(row);

    while (c && column-- > 0)
        c = json_next(c);
    return c;
}

static void set_row(struct page *row, const json *cells)
{
    double score;
    struct str lead = json_string(cell(cells, LEAD));

    if (lead.len)
        (void)!snprintf(row->lead, sizeof row->lead, "%.*s", STR_ARG(lead));
    if (json_number(cell(cells, SCORE), &score))
        row->tenths = llround(score * 10);
}

static void append(struct exchange *x, const json *root)
{
    size_t first = n_rows + 2;

    for (const json *r = json_first(json_get(root, "values")); r; r = json_next(r)) {
        if (n_rows == PAGES)
            abort();
        rows[n_rows] = (struct page){.made_at = x->now, .excused = x->jumped};
        set_row(&rows[n_rows++], r);
    }
    x->status = 200;
    sbuf_printf(x->answer, "{\"updates\":{\"updatedRange\":\"'Leads'!A%zu:I%zu\"}}", first,
                n_rows + 1);
}

/* "'Leads'!A5:I5" */
static struct page *row_of(struct str range)
{
    const char *bang = str_chr(range, '!');
    size_t n = bang ? (size_t)strtoul(bang + 2, NULL, 10) : 0;

    return n >= 2 && n <= n_rows + 1 ? &rows[n - 2] : NULL;
}

static void update(struct exchange *x, const json *root)
{
    bool any = false;

    sbuf_text(x->answer, "{\"responses\":[");
    for (const json *d = json_first(json_get(root, "data")); d; d = json_next(d)) {
        struct page *row = row_of(json_string(json_get(d, "range")));

        if (!row) {
            sbuf_reset(x->answer);
            answer_text(x, 400,
                        "{\"error\":{\"code\":400,\"message\":\"Range exceeds grid limits\"}}");
            return;
        }
        set_row(row, json_first(json_get(d, "values")));
        sbuf_printf(
            x->answer,
            "%s{\"updatedData\":{\"values\":[[\"\",\"\",\"\",\"\",0,\"\",\"\",\"\",\"%s\"]]}}",
            any ? "," : "", row->lead);
        any = true;
    }
    x->status = 200;
    sbuf_text(x->answer, "]}");
}

/* Cells I`from` and below; the header is row 1. */
static void read_column(struct exchange *x, size_t from)
{
    x->status = 200;
    sbuf_text(x->answer, "{\"range\":\"Leads\",\"values\":[");
    for (size_t i = from; has_header && i <= n_rows + 1; i++)
        sbuf_printf(x->answer, "%s[\"%s\"]", i > from ? "," : "",
                    i == 1 ? "Lead ID" : rows[i - 2].lead);
    sbuf_text(x->answer, "]}");
}

void grid_serve(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const char *cells = str_find(x->path, STR("%21")) ? str_find(x->path, STR("%21")) + 3 : "";

    if (str_is(x->path, "/token"))
        google_token(x);
    else if (str_is(x->method, "PUT")) {
        has_header = true;
        answer_text(x, 200, "{\"updatedRange\":\"'Leads'!A1:I1\"}");
    } else if (str_is(x->method, "POST") && json_parse(x->body, &doc, NULL) == RC_OK) {
        (str_ends(x->path, STR(":append")) ? append : update)(x, doc.root);
    } else if (cells[0] == '1') {
        answer_text(x, 200,
                    has_header ? "{\"values\":[[\"Delivery ID\",\"Time\",\"Lead\",\"Email\","
                                 "\"Score\",\"Band\",\"Reasons\",\"CRM\",\"Lead ID\"]]}"
                               : "{\"range\":\"Leads!1:1\"}");
    } else {
        read_column(x, (size_t)strtoul(cells + 1, NULL, 10));
    }
}
