/* connectors/google_failure.c - what the Sheets API's refusals and troubles mean.
 *
 * Requests are atomic: 400, 401, 403, 404 and 429 wrote nothing. An append that ended in 5xx, or
 * in an answer that cannot be read, may have been written; an update may be repeated.
 */
#include "google_priv.h"

#include "funneld/base/clock.h"

#define QUOTA_PAUSE_MAX_S 64                /* the quota is back within a minute */
#define EDGE_PAUSE_MS     (30 * SECONDS_MS) /* an answer that is not Google's */

enum sheet_class {
    SHEET_DEAD,   /* of the rows: these will never be taken */
    SHEET_BROKEN, /* of the sheet or the account: a person must mend it */
};

static const struct sheet_error {
    int status;
    const char *text; /* in the message; NULL: any */
    enum sheet_class class;
    const char *advice;
} sheet_errors[] = {
    {400, "Unable to parse range", SHEET_BROKEN,
     "; the tab of `range` is missing or was renamed: give it its name back, or change `range`"},
    {400, "maximum of 50000 characters", SHEET_DEAD, "; a value is too long for a cell"},
    {400, "above the limit of 10000000 cells", SHEET_BROKEN,
     "; the spreadsheet is full: delete unused rows and columns, or begin a new one"},
    {400, NULL, SHEET_DEAD, ""},
    {403, "protected", SHEET_BROKEN, "; the range is protected: let it be edited by "},
    {403, NULL, SHEET_BROKEN,
     "; enable the Sheets API and share the spreadsheet, as editor, with "},
    {404, NULL, SHEET_BROKEN, "; check the connector's `spreadsheet`"},
};

/* A request with no lead's words in it says the same for all. */
static bool is_of_rows(const struct job *job)
{
    return job->step == SHEET_STEP_APPEND || job->step == SHEET_STEP_UPDATE;
}

static int64_t quota_pause_ms(const struct job *job)
{
    int64_t attempts = job->parcels[0].d.attempts;
    int64_t seconds =
        attempts < 6 ? INT64_C(1) << (attempts > 0 ? attempts : 0) : QUOTA_PAUSE_MAX_S;

    return seconds * SECONDS_MS;
}

static const struct sheet_error *find_error(int status, struct str message)
{
    for (size_t i = 0; i < ARRAY_LEN(sheet_errors); i++) {
        const struct sheet_error *e = &sheet_errors[i];

        if (e->status == status && (!e->text || str_find(message, str_of(e->text))))
            return e;
    }
    return NULL;
}

/* Cells are cut by our count of characters, which need not be Google's: once more, much shorter. */
static bool shorten(struct job *job, const struct sheet_error *e)
{
    struct sheet_talk *talk = job->scratch;

    if (!is_of_rows(job) || talk->shortened || !e->text || !str_find(str_of(e->text), STR("50000")))
        return false;
    return talk->shortened = true;
}

static enum judged judge_refusal(struct job *job, const struct http_response *r, const json *answer)
{
    struct sheet_talk *talk = job->scratch;
    struct str message = json_string(json_path(answer, "error.message"));
    const struct sheet_error *e = find_error(r->status, message);

    if (!e)
        return judge_unknown(job, http_reason(r, job->arena));
    if (shorten(job, e))
        return judge_settled(job);
    talk->tab->header_read_at = 0; /* whoever mends the sheet may change its columns too */
    struct str whom = r->status == 403 ? google_account(job->settings, job->arena) : STR("");
    struct str reason = arena_printf(job->arena, "HTTP %d: %.*s%s%.*s", r->status,
                                     STR_ARG(str_cut(message, 200)), e->advice, STR_ARG(whom));
    if (e->class == SHEET_BROKEN || !is_of_rows(job))
        return judge_broken(job, reason);
    return judge_all(job, VERDICT_DEAD, reason);
}

static enum judged judge_401(struct job *job, const struct http_response *r)
{
    struct sheet_talk *talk = job->scratch;

    google_token_drop(job->session);
    if (talk->token_renewed)
        return judge_broken(job,
                            arena_printf(job->arena, "%.*s; a new access token is refused as well",
                                         STR_ARG(http_reason(r, job->arena))));
    talk->token_renewed = true;
    return judge_settled(job);
}

/* Google's refusals are JSON: something in front of it, a proxy perhaps, has other reasons. */
static enum judged judge_edge(struct job *job, const struct http_response *r)
{
    job_rest(job, r, EDGE_PAUSE_MS);
    return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
}

enum judged sheet_failure(struct job *job, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    bool maybe_written = job->step == SHEET_STEP_APPEND && r->status != 408;

    if (r->status == 401)
        return judge_401(job, r);
    if (r->status == 429) {
        job_rest(job, r, quota_pause_ms(job));
        return judge_all(job, VERDICT_RETRY, http_reason(r, job->arena));
    }
    if (r->status < 300 || status_is_temporary(r->status))
        return judge_all(job, maybe_written ? VERDICT_AMBIGUOUS : VERDICT_RETRY,
                         http_reason(r, job->arena));
    if (r->status < 400)
        return judge_broken(job, redirect_reason(r, job->arena));
    if (answer_object(r, &doc) && json_get(doc.root, "error"))
        return judge_refusal(job, r, doc.root);
    return judge_edge(job, r);
}
