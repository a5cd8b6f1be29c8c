/* connectors/google_build.c - requests to the Sheets API. */
#include "google_priv.h"

#include <inttypes.h>

#include "funneld/base/url.h"

enum { URL_MAX = 8192, PAYLOAD_BYTES = 2 * 1000 * 1000 /* as Google recommends */ };

#define READ_AS_STORED "?majorDimension=ROWS&valueRenderOption=UNFORMATTED_VALUE"

/* `rest` is what follows the spreadsheet's address: the range is one segment of the path. */
static enum rc start(struct job *job, const char *method, struct str range, const char *rest,
                     struct http_request *ret, struct why *why)
{
    const struct google_sheets *s = job->settings;
    const struct google_session *g = job->session;
    struct sbuf url AUTO(sbuf_free) = SBUF(URL_MAX);

    sbuf_add(&url, s->common.url);
    sbuf_text(&url, "/v4/spreadsheets/");
    url_encode(&url, s->spreadsheet);
    sbuf_text(&url, range.at ? "/values/" : "/values");
    url_encode(&url, range);
    sbuf_text(&url, rest);
    *ret = (struct http_request){.method = method, .repeatable = true};
    request_bearer(ret, str_of(g->token), job->arena);
    return url_seal(&url, job->arena, &ret->url, why);
}

enum rc sheet_build_header(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;

    return start(job, "GET", sheet_quoted(talk->tab->name, "1:1", job->arena), READ_AS_STORED, ret,
                 why);
}

enum rc sheet_build_write_header(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;
    int n = sheet_upserts(job) ? SHEET_COLUMNS : SHEET_LEAD_ID;
    struct str cells =
        arena_printf(job->arena, "A1:%.*s1", STR_ARG(sheet_letters(n - 1, job->arena)));
    struct sbuf b AUTO(sbuf_free) = SBUF(SHEET_BODY_MAX);
    enum rc rc = start(job, "PUT", sheet_quoted(talk->tab->name, cells.at, job->arena),
                       "?valueInputOption=RAW", ret, why);

    if (rc)
        return rc;
    sheet_header_write(&b, n);
    return request_body(ret, &b, "application/json", job->arena, why);
}

enum rc sheet_build_look(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;
    struct str column = sheet_letters(talk->tab->position[sheet_key(job)], job->arena);
    struct str cells =
        arena_printf(job->arena, "%.*s%" PRId64 ":%.*s%" PRId64, STR_ARG(column), talk->look_row,
                     STR_ARG(column), talk->look_row + SHEET_LOOK_ROWS - 1);

    return start(job, "GET", sheet_quoted(talk->tab->name, cells.at, job->arena), READ_AS_STORED,
                 ret, why);
}

static size_t cell_units(const struct sheet_talk *talk)
{
    return talk->shortened ? SHEET_SHORT_UNITS : SHEET_CELL_UNITS;
}

/* The next parcel that goes with this request, marked; those behind a full one go with another. */
static bool next_row(const struct job *job, const struct sbuf *b, bool in_place, size_t *i)
{
    struct sheet_talk *talk = job->scratch;

    for (; *i < job->n; ++*i) {
        struct sheet_place *place = &talk->places[*i];

        place->sent = job->outcomes[*i].verdict == VERDICT_NONE && (place->row > 0) == in_place &&
                      b->len < PAYLOAD_BYTES;
        if (place->sent)
            return true;
    }
    return false;
}

static void write_in_place(struct sbuf *b, const struct job *job, size_t i)
{
    const struct sheet_talk *talk = job->scratch;
    const int64_t *position = talk->tab->position;
    int64_t row = talk->places[i].row;
    struct str last = sheet_letters(sheet_width(position) - 1, job->arena);
    struct str cells =
        arena_printf(job->arena, "A%" PRId64 ":%.*s%" PRId64, row, STR_ARG(last), row);

    json_open(b, '{');
    json_kv(b, "range", sheet_quoted(talk->tab->name, cells.at, job->arena));
    json_kv_text(b, "majorDimension", "ROWS");
    json_key(b, "values");
    json_open(b, '[');
    sheet_row_write(b, position, &job->parcels[i], SHEET_LEAD_ID, cell_units(talk), job->arena);
    json_close(b, ']');
    json_close(b, '}');
}

/* The key is left as it is, and comes back with the answer: so it is seen whether somebody sorted
 * the sheet after the look. */
enum rc sheet_build_update(struct job *job, struct http_request *ret, struct why *why)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(SHEET_BODY_MAX);
    enum rc rc = start(job, "POST", STR_NULL, ":batchUpdate", ret, why);

    if (rc)
        return rc;
    json_open(&b, '{');
    json_kv_text(&b, "valueInputOption", "RAW");
    json_key(&b, "includeValuesInResponse");
    json_bool(&b, true);
    json_kv_text(&b, "responseValueRenderOption", "UNFORMATTED_VALUE");
    json_key(&b, "data");
    json_open(&b, '[');
    for (size_t i = 0; next_row(job, &b, true, &i); i++)
        write_in_place(&b, job, i);
    json_close(&b, ']');
    json_close(&b, '}');
    return request_body(ret, &b, "application/json", job->arena, why);
}

enum rc sheet_build_append(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;
    struct sbuf b AUTO(sbuf_free) = SBUF(SHEET_BODY_MAX);
    enum rc rc = start(job, "POST", sheet_quoted(talk->tab->name, talk->tab->cells.at, job->arena),
                       ":append?valueInputOption=RAW&insertDataOption=INSERT_ROWS", ret, why);

    if (rc)
        return rc;
    ret->repeatable = false;
    json_open(&b, '{');
    json_kv_text(&b, "majorDimension", "ROWS");
    json_key(&b, "values");
    json_open(&b, '[');
    for (size_t i = 0; next_row(job, &b, false, &i); i++)
        sheet_row_write(&b, talk->tab->position, &job->parcels[i], SHEET_COLUMNS, cell_units(talk),
                        job->arena);
    json_close(&b, ']');
    json_close(&b, '}');
    return request_body(ret, &b, "application/json", job->arena, why);
}
