/* connectors/google_sheets.c - a row per delivery at the end of a Google sheet, in batches.
 *
 *     token -> header (written when row 1 is empty) -> look, when in doubt -> append the missing
 *
 * An append cannot be repeated blindly. Column "Delivery ID" tells what is there; Google may work
 * on a request for 180 s, hence the long `settle` before it is read.
 */
#include "google_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "funneld/base/clock.h"
#include "funneld/base/url.h"

enum { BATCH_MAX = 500, BODY_MAX = 8 * 1024 * 1024, URL_MAX = 8192 };

#define HEADER_FRESH_MS (5 * MINUTES_MS) /* people move columns */

static const struct option google_sheets_options[] = {
    {.key = "credentials",
     .type = OPTION_SECRET,
     .offset = offsetof(struct google_sheets, credentials),
     .flags = OPTION_REQUIRED,
     .example = "${GOOGLE_SHEETS_KEY}",
     .help =
         "the service-account JSON itself, or file:/path; share the sheet with its client_email"},
    {.key = "token_url",
     .type = OPTION_URL,
     .offset = offsetof(struct google_sheets, token_url),
     .fallback = "https://oauth2.googleapis.com/token",
     .help = "where access tokens come from"},
    {.key = "spreadsheet",
     .type = OPTION_TEXT,
     .offset = offsetof(struct google_sheets, spreadsheet),
     .flags = OPTION_REQUIRED,
     .example = "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
     .help = "id of the spreadsheet, from its address"},
    {.key = "range",
     .type = OPTION_TEXT,
     .offset = offsetof(struct google_sheets, range),
     .fallback = "Leads!A:H",
     .help = "tab and columns; must begin at column A"},
    {.key = "batch",
     .type = OPTION_INT,
     .offset = offsetof(struct google_sheets, batch),
     .fallback = "200",
     .min = 1,
     .max = BATCH_MAX,
     .help = "rows in one request at most"},
    CONNECTOR_OPTIONS(struct google_sheets, "https://sheets.googleapis.com", "60s", "1", "1/s",
                      "190s"),
};

static const struct section_spec google_sheets_spec = {
    .kind = "connector",
    .type = "google_sheets",
    .named = true,
    .options = google_sheets_options,
    .n_options = ARRAY_LEN(google_sheets_options),
    .size = sizeof(struct google_sheets),
    .help = "a row in a Google sheet",
};

static void google_sheets_check(const void *settings, const struct conf_section *section,
                                struct conf_problems *problems)
{
    const struct google_sheets *s = settings;
    struct str tab, cells;

    if (!sheet_range(s->range, problems->arena, &tab, &cells))
        conf_problem(problems, section, conf_find(section, "range"), "Leads!A:H",
                     "the range must name a tab and begin at column A");
    google_check_key(s, section, problems);
}

static int64_t google_sheets_batch(const void *settings)
{
    const struct google_sheets *s = settings;

    return s->batch;
}

static void google_sheets_session_free(void *session)
{
    google_token_drop(session);
}

/* The whole range is one segment of the path. `rest` is what follows it. */
static enum rc start(struct job *job, const char *method, struct str range, const char *rest,
                     struct http_request *ret, struct why *why)
{
    const struct google_sheets *s = job->settings;
    const struct google_session *g = job->session;
    struct sbuf url AUTO(sbuf_free) = SBUF(URL_MAX);

    sbuf_add(&url, s->common.url);
    sbuf_text(&url, "/v4/spreadsheets/");
    url_encode(&url, s->spreadsheet);
    sbuf_text(&url, "/values/");
    url_encode(&url, range);
    sbuf_text(&url, rest);
    *ret = (struct http_request){.method = method, .repeatable = true};
    request_bearer(ret, str_of(g->token), job->arena);
    return url_seal(&url, job->arena, &ret->url, why);
}

static enum rc build_header(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;

    return start(job, "GET", sheet_quoted(talk->tab, "1:1", job->arena),
                 "?majorDimension=ROWS&valueRenderOption=UNFORMATTED_VALUE", ret, why);
}

static enum rc build_write_header(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = start(job, "PUT", sheet_quoted(talk->tab, "A1:H1", job->arena),
                       "?valueInputOption=RAW", ret, why);

    if (rc)
        return rc;
    sheet_header_write(&b);
    return request_body(ret, &b, "application/json", job->arena, why);
}

static enum rc build_look(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;
    const struct google_session *g = job->session;
    struct str column = sheet_letters(g->position[SHEET_DELIVERY_ID], job->arena);
    struct str cells =
        arena_printf(job->arena, "%.*s%" PRId64 ":%.*s%" PRId64, STR_ARG(column), talk->look_row,
                     STR_ARG(column), talk->look_row + SHEET_LOOK_ROWS - 1);

    return start(job, "GET", sheet_quoted(talk->tab, cells.at, job->arena),
                 "?majorDimension=ROWS&valueRenderOption=UNFORMATTED_VALUE", ret, why);
}

static enum rc build_append(struct job *job, struct http_request *ret, struct why *why)
{
    const struct sheet_talk *talk = job->scratch;
    const struct google_session *g = job->session;
    struct sbuf b AUTO(sbuf_free) = SBUF(BODY_MAX);
    enum rc rc = start(job, "POST", sheet_quoted(talk->tab, talk->cells.at, job->arena),
                       ":append?valueInputOption=RAW&insertDataOption=INSERT_ROWS", ret, why);

    if (rc)
        return rc;
    ret->repeatable = false;
    json_open(&b, '{');
    json_kv_text(&b, "majorDimension", "ROWS");
    json_key(&b, "values");
    json_open(&b, '[');
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            sheet_row_write(&b, g->position, &job->parcels[i], job->arena);
    json_close(&b, ']');
    json_close(&b, '}');
    return request_body(ret, &b, "application/json", job->arena, why);
}

static enum rc begin(struct job *job, struct why *why)
{
    const struct google_sheets *s = job->settings;
    struct sheet_talk *talk = job->scratch = ARENA_NEW(job->arena, struct sheet_talk);

    talk->look_row = 1;
    if (!sheet_range(s->range, job->arena, &talk->tab, &talk->cells))
        return why_fail(RC_INVALID, why, "the range must name a tab and begin at column A");
    return RC_OK;
}

static enum sheet_step next_step(const struct job *job)
{
    const struct sheet_talk *talk = job->scratch;
    const struct google_session *g = job->session;

    if (!google_token_good(g, job->now_ms))
        return SHEET_STEP_TOKEN;
    if (talk->write_header)
        return SHEET_STEP_WRITE_HEADER;
    if (!g->header_read_at || job->now_ms - g->header_read_at > HEADER_FRESH_MS)
        return SHEET_STEP_HEADER;
    return job->look && !talk->looked ? SHEET_STEP_LOOK : SHEET_STEP_APPEND;
}

static enum rc google_sheets_build(struct job *job, struct http_request *ret, struct why *why)
{
    static enum rc (*const builders[])(struct job *, struct http_request *, struct why *) = {
        [SHEET_STEP_TOKEN] = google_token_build,
        [SHEET_STEP_HEADER] = build_header,
        [SHEET_STEP_WRITE_HEADER] = build_write_header,
        [SHEET_STEP_LOOK] = build_look,
        [SHEET_STEP_APPEND] = build_append,
    };
    enum rc rc = job->step == SHEET_STEP_START ? begin(job, why) : RC_OK;

    if (rc)
        return rc;
    job->step = next_step(job);
    return builders[job->step](job, ret, why);
}

const struct connector_type google_sheets_connector = {
    .name = "google_sheets",
    .spec = &google_sheets_spec,
    .session_size = sizeof(struct google_session),
    .session_free = google_sheets_session_free,
    .max_batch = BATCH_MAX,
    .batch_limit = google_sheets_batch,
    .routable = true,
    .check = google_sheets_check,
    .build = google_sheets_build,
    .judge = google_sheets_judge,
};
