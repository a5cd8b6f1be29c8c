/* tests/sim/service_sheets.c - Google: access tokens, and one tab with a header and rows. */
#include "services.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/base/crypto.h"

#define ACCESS_MS (3599 * SECONDS_MS)

static struct posts rows;
static bool has_header;

const struct posts *sheets_rows(void)
{
    return &rows;
}

void sheets_begin(void)
{
    rows.n = 0;
    has_header = false;
}

/* The assertion's claims stand between its dots, in base64url. */
static bool read_issued(struct str body, struct arena *a, int64_t *ret)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str part, claims;
    char *text;

    if (!str_split(&body, '.', &part) || !str_split(&body, '.', &part))
        return false;
    text = arena_alloc(a, part.len + 4);
    for (size_t i = 0; i < part.len; i++)
        text[i] = part.at[i] == '-' ? '+' : part.at[i] == '_' ? '/' : part.at[i];
    size_t len = part.len;
    while (len % 4)
        text[len++] = '=';
    if (!base64_decode(a, (struct str){text, len}, &claims) || json_parse(claims, &doc, NULL))
        return false;
    return json_int64(json_get(doc.root, "iat"), ret);
}

/* The token says when it was made, so that it can be too old. */
void google_token(struct exchange *x)
{
    int64_t issued;

    if (!read_issued(x->body, x->arena, &issued))
        answer_text(x, 400, "{\"error\":\"invalid_request\"}");
    else if (llabs(issued * SECONDS_MS - x->now) > 5 * MINUTES_MS)
        answer_text(x, 400,
                    "{\"error\":\"invalid_grant\",\"error_description\":\"Token must be a "
                    "short-lived token (60 minutes) and in a reasonable timeframe.\"}");
    else {
        x->status = 200;
        sbuf_printf(x->answer,
                    "{\"access_token\":\"ya29.%" PRId64 "\",\"expires_in\":3599,"
                    "\"token_type\":\"Bearer\"}",
                    x->now);
    }
}

static void append(struct exchange *x)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    size_t first = rows.n + 2;

    if (json_parse(x->body, &doc, NULL)) {
        answer_text(x, 400, "{\"error\":{\"code\":400,\"message\":\"Invalid JSON\"}}");
        return;
    }
    for (const json *r = json_first(json_get(doc.root, "values")); r; r = json_next(r))
        posts_add(&rows, json_string(json_first(r)), x);
    x->status = 200;
    sbuf_printf(x->answer, "{\"updates\":{\"updatedRange\":\"'Leads'!A%zu:H%zu\"}}", first,
                rows.n + 1);
}

/* Cells A`from` and below; the header is row 1. */
static void read_column(struct exchange *x, size_t from)
{
    x->status = 200;
    sbuf_text(x->answer, "{\"range\":\"Leads\",\"values\":[");
    for (size_t i = from; has_header && i <= rows.n + 1; i++)
        sbuf_printf(x->answer, "%s[\"%s\"]", i > from ? "," : "",
                    i == 1 ? "Delivery ID" : rows.items[i - 2].delivery);
    sbuf_text(x->answer, "]}");
}

void sheets_serve(struct exchange *x)
{
    const char *cells = str_find(x->path, STR("%21")) ? str_find(x->path, STR("%21")) + 3
                        : str_chr(x->path, '!')       ? str_chr(x->path, '!') + 1
                                                      : "";

    if (str_is(x->path, "/token")) {
        google_token(x);
    } else if (str_is(x->method, "POST")) {
        append(x);
    } else if (str_is(x->method, "PUT")) {
        has_header = true;
        answer_text(x, 200, "{\"updatedRange\":\"'Leads'!A1:H1\"}");
    } else if (cells[0] == '1') {
        answer_text(x, 200,
                    has_header ? "{\"values\":[[\"Delivery ID\",\"Time\",\"Lead\",\"Email\","
                                 "\"Score\",\"Band\",\"Reasons\",\"CRM\"]]}"
                               : "{\"range\":\"Leads!1:1\"}");
    } else {
        read_column(x, (size_t)strtoul(cells + 1, NULL, 10));
    }
}
