/* connectors/google_judge.c - what the Sheets API's answers mean: the next step, or a verdict.
 *
 * Requests are atomic: 400, 401, 403, 404 and 429 wrote nothing. An append that ended in 5xx, or
 * in an answer that cannot be read, may have been written.
 */
#include "google_priv.h"

#include <assert.h>
#include <inttypes.h>

#include "funneld/base/clock.h"

#define QUOTA_PAUSE_MAX_S 64 /* the quota is back within a minute */

/* Trouble that passes. As long as nobody looked, a delivery in doubt stays in doubt. */
static enum verdict undecided(const struct job *job)
{
    const struct sheet_talk *talk = job->scratch;

    return job->look && !talk->looked ? VERDICT_AMBIGUOUS : VERDICT_RETRY;
}

static int64_t quota_pause_ms(const struct job *job)
{
    int64_t attempts = job->parcels[0].d.attempts;
    int64_t seconds =
        attempts < 6 ? INT64_C(1) << (attempts > 0 ? attempts : 0) : QUOTA_PAUSE_MAX_S;

    return seconds * SECONDS_MS;
}

static const struct sheet_error {
    int status;
    const char *text; /* in the message; NULL: any */
    const char *advice;
} sheet_errors[] = {
    {400, "Unable to parse range", "; the tab of `range` is missing or was renamed"},
    {400, "maximum of 50000 characters", "; a value is too long for a cell"},
    {400, "above the limit of 10000000 cells", "; the spreadsheet is full: begin a new one"},
    {400, NULL, ""},
    {403, NULL, "; enable the Sheets API and share the spreadsheet, as editor, with "},
    {404, NULL, "; check the connector's `spreadsheet`"},
};

static struct str client_email(const struct job *job)
{
    const struct google_sheets *s = job->settings;
    struct google_key key;
    enum rc rc = google_key_read(s->credentials, job->arena, &key, NULL);

    assert(rc == RC_OK); /* the configuration's check has read it */
    return key.client_email;
}

static enum judged judge_refusal(struct job *job, const struct http_response *r, const json *answer)
{
    struct google_session *g = job->session;
    struct str message = json_string(json_path(answer, "error.message"));

    for (size_t i = 0; i < ARRAY_LEN(sheet_errors); i++) {
        const struct sheet_error *e = &sheet_errors[i];

        if (e->status != r->status || (e->text && !str_find(message, str_of(e->text))))
            continue;
        g->header_read_at = 0; /* whoever mends the sheet may change its columns too */
        struct str whom = r->status == 403 ? client_email(job) : STR("");
        return judge_all(job, VERDICT_DEAD,
                         arena_printf(job->arena, "HTTP %d: %.*s%s%.*s", r->status,
                                      STR_ARG(str_cut(message, 200)), e->advice, STR_ARG(whom)));
    }
    return judge_unknown(job, http_reason(r, job->arena));
}

static enum judged judge_401(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;

    google_token_drop(job->session);
    if (talk->token_renewed)
        return judge_all(job, VERDICT_DEAD,
                         arena_printf(job->arena, "%.*s; a new access token is refused as well",
                                      STR_ARG(http_reason(r, job->arena))));
    talk->token_renewed = true;
    return JUDGED_CONTINUE;
}

static enum judged judge_failure(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool maybe_written = job->step == SHEET_STEP_APPEND && r->status != 408;

    if (r->status == 401)
        return judge_401(job, r);
    if (r->status == 429) {
        job_rest(job, r, quota_pause_ms(job));
        return judge_all(job, undecided(job), http_reason(r, job->arena));
    }
    if (r->status < 300 || status_is_temporary(r->status))
        return judge_all(job, maybe_written ? VERDICT_AMBIGUOUS : undecided(job),
                         http_reason(r, job->arena));
    if (r->status < 400)
        return judge_redirect(job, r);
    if (answer_object(r, &doc) && json_get(doc.root, "error"))
        return judge_refusal(job, r, doc.root);
    return judge_unknown(job, http_reason(r, job->arena));
}

static enum judged judge_header(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;
    struct google_session *g = job->session;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct why why = {{0}};

    if (r->status != 200 || !answer_object(r, &doc))
        return judge_failure(job, r);
    g->header_read_at = 0;
    switch (sheet_header_read(json_path(doc.root, "values.0"), g->position, talk->tab, &why)) {
    case RC_OK:
        g->header_read_at = job->now_ms;
        return JUDGED_CONTINUE;
    case RC_NONE:
        talk->write_header = true;
        return JUDGED_CONTINUE;
    default:
        return judge_all(job, VERDICT_DEAD, arena_printf(job->arena, "%s", why.text));
    }
}

static enum judged judge_write_header(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;
    struct google_session *g = job->session;

    if (r->status != 200)
        return judge_failure(job, r);
    for (int c = 0; c < SHEET_COLUMNS; c++)
        g->position[c] = c;
    g->header_read_at = job->now_ms;
    talk->write_header = false;
    return JUDGED_CONTINUE;
}

static struct str row_name(const struct job *job, int64_t row)
{
    const struct sheet_talk *talk = job->scratch;

    return arena_printf(job->arena, "%.*s!A%" PRId64, STR_ARG(talk->tab), row);
}

/* Marks the deliveries whose row is there; true when all are. */
static bool mark_found(struct job *job, const json *rows)
{
    const struct sheet_talk *talk = job->scratch;
    int64_t row = talk->look_row;

    for (const json *r = json_first(rows); r; r = json_next(r), row++)
        for (size_t i = 0; i < job->n; i++) {
            if (job->outcomes[i].verdict != VERDICT_NONE ||
                !str_eq(json_string(json_first(r)), job->parcels[i].public_id))
                continue;
            judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
            job->outcomes[i].remote_id = row_name(job, row);
        }
    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            return false;
    return true;
}

/* Google leaves trailing empty cells out, and refuses a range that begins below the last row. */
static enum judged judge_look(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool is_object = answer_object(r, &doc);

    if (is_object && r->status == 400 &&
        str_find(json_string(json_path(doc.root, "error.message")), STR("exceeds grid limits"))) {
        talk->looked = true;
        return JUDGED_CONTINUE;
    }
    if (r->status != 200 || !is_object)
        return judge_failure(job, r);

    const json *rows = json_get(doc.root, "values");
    if (mark_found(job, rows))
        return JUDGED_DONE;
    talk->look_row += SHEET_LOOK_ROWS;
    talk->looked = json_count(rows) == 0;
    return JUDGED_CONTINUE;
}

/* "'Leads'!A11:H12" -> column A, row 11 */
static bool first_cell(struct str range, struct str *ret_column, int64_t *ret_row)
{
    struct str cell = range;
    size_t letters = 0, digits = 0;

    for (size_t i = 0; i < range.len; i++)
        if (range.at[i] == '!')
            cell = str_from(range, i + 1);
    while (letters < cell.len && cell.at[letters] >= 'A' && cell.at[letters] <= 'Z')
        letters++;
    while (letters + digits < cell.len && cell.at[letters + digits] >= '0' &&
           cell.at[letters + digits] <= '9')
        digits++;
    *ret_column = (struct str){cell.at, letters};
    return letters && str_int64((struct str){cell.at + letters, digits}, ret_row);
}

static enum judged judge_append(struct job *job, const struct http_response *r)
{
    struct google_session *g = job->session;
    struct json_doc doc AUTO(json_doc_free) = {0};
    struct str range, column;
    int64_t row;

    if (r->status != 200 || !answer_object(r, &doc))
        return judge_failure(job, r);
    range = json_string(json_path(doc.root, "updates.updatedRange"));
    if (!range.len || !first_cell(range, &column, &row))
        return judge_all(job, VERDICT_AMBIGUOUS, STR("Google does not say where the rows are"));
    if (!str_is(column, "A")) {
        g->header_read_at = 0;
        return judge_all(job, VERDICT_DEAD,
                         arena_printf(job->arena,
                                      "the rows landed at %.*s, not in column A: the header must "
                                      "begin at A1 without gaps; mend the sheet, then retry",
                                      STR_ARG(range)));
    }
    for (size_t i = 0; i < job->n; i++) {
        if (job->outcomes[i].verdict != VERDICT_NONE)
            continue;
        job->outcomes[i].remote_id = row_name(job, row++);
        judge_one(job, i, VERDICT_DELIVERED, STR_NULL);
    }
    return JUDGED_DONE;
}

enum judged google_sheets_judge(struct job *job, const struct http_response *r)
{
    switch (job->step) {
    case SHEET_STEP_TOKEN:
        return google_token_judge(job, r, undecided(job));
    case SHEET_STEP_HEADER:
        return judge_header(job, r);
    case SHEET_STEP_WRITE_HEADER:
        return judge_write_header(job, r);
    case SHEET_STEP_LOOK:
        return judge_look(job, r);
    default:
        return judge_append(job, r);
    }
}
