/* connectors/google_probe.c - is the account good, is the spreadsheet shared with it, has it the
 * tabs and their columns?
 *
 * The questions are those that a job begins with, an access token and row 1 of a tab; what is
 * refused is judged as there. Nothing is written, so whether rows may be shows the first one.
 */
#include "google_priv.h"

#include <assert.h>

/* For deliveries of the route at p->at, or of any other where there is none. */
static struct str route(const struct probe *p)
{
    return p->at < p->routes.n ? p->routes.items[p->at] : STR_NULL;
}

static const struct sheet_tab *tab(const struct probe *p)
{
    const struct sheet_talk *talk = p->job.scratch;

    return talk->tab;
}

static bool is_known(const struct probe *p, struct str range)
{
    const struct google_session *g = p->job.session;

    for (const struct sheet_tab *t = g->tabs; t; t = t->next)
        if (str_eq(t->range, range))
            return true;
    return false;
}

/* false: all tabs were asked for. */
static bool begin_tab(struct probe *p)
{
    size_t n = p->routes.n ? p->routes.n : 1;

    while (p->at < n && is_known(p, sheet_range_of(p->job.settings, route(p))))
        p->at++;
    p->parcel.d.route = route(p);
    p->outcome = (struct outcome){.verdict = VERDICT_NONE};
    p->job.step = SHEET_STEP_START;
    return p->at < n;
}

static struct str spreadsheet(const struct probe *p)
{
    const struct google_sheets *s = p->job.settings;

    return arena_printf(p->arena, "spreadsheet %.*s", STR_ARG(s->spreadsheet));
}

static void find_unasked(struct probe *p)
{
    probe_find(p, FINDING_NOT_ASKED, STR("writing"),
               STR("nothing is written: the spreadsheet must be shared with the "
                   "account as editor"));
}

enum stage { NEXT_TAB, ASKING };

enum rc google_probe_next(struct probe *p, struct http_request *ret, struct why *why)
{
    if (p->stage == NEXT_TAB && !begin_tab(p)) {
        find_unasked(p);
        return RC_NONE;
    }
    p->stage = ASKING;
    p->about = STR("credentials");
    enum rc rc = google_sheets_build(&p->job, ret, why);
    assert(rc || p->job.step == SHEET_STEP_TOKEN || p->job.step == SHEET_STEP_HEADER);
    if (!rc && p->job.step == SHEET_STEP_HEADER)
        p->about = arena_printf(p->arena, "tab %.*s", STR_ARG(tab(p)->name));
    return rc;
}

static void take_token(struct probe *p)
{
    const struct sheet_talk *talk = p->job.scratch;

    if (talk->token_renewed) /* it has been found before */
        return;
    probe_find(
        p, FINDING_WORKS, p->about,
        arena_printf(p->arena, "of %.*s", STR_ARG(google_account(p->job.settings, p->arena))));
}

static void find_column(struct probe *p, enum sheet_column c, bool there, const struct why *why)
{
    bool is_key = c == sheet_key(&p->job);
    struct str what =
        arena_printf(p->arena, "column %s of tab %.*s", sheet_heading(c), STR_ARG(tab(p)->name));

    if (there)
        probe_find(p, FINDING_WORKS, what, STR_NULL);
    else if (is_key)
        probe_find(p, FINDING_FAILS, what, arena_str(p->arena, str_of(why->text)));
    else if (c != SHEET_LEAD_ID)
        probe_find(p, FINDING_NOT_USED, what,
                   STR("no heading in row 1 is called so; add one if you want it"));
}

static void take_header(struct probe *p, const json *row)
{
    int64_t position[SHEET_COLUMNS];
    struct why why = {{0}};
    enum sheet_column key = sheet_key(&p->job);
    enum rc rc = sheet_header_read(row, position, key, tab(p)->name, &why);

    if (rc == RC_NONE) {
        probe_find(p, FINDING_WORKS, p->about,
                   STR("row 1 is empty: the header is written together with the first row"));
        return;
    }
    if (rc != RC_OK && position[key] >= 0)
        probe_find(p, FINDING_FAILS, p->about, arena_str(p->arena, str_of(why.text)));
    else
        probe_find(p, FINDING_WORKS, p->about, STR_NULL);
    for (int c = 0; c < SHEET_COLUMNS; c++)
        find_column(p, (enum sheet_column)c, position[c] >= 0, &why);
}

/* HTTP 400 is of the one tab: the spreadsheet is there, and its other tabs may be well. */
static void take_refusal(struct probe *p, const struct http_response *r)
{
    bool of_tab = p->job.step == SHEET_STEP_HEADER && r->status == 400;

    if (p->job.step == SHEET_STEP_HEADER && !of_tab)
        p->about = spreadsheet(p);
    (void)google_sheets_judge(&p->job, r);
    if (!probe_refused(p) || !of_tab)
        return;
    p->over = p->job.broken = false;
    p->at++;
    p->stage = NEXT_TAB;
}

void google_probe_take(struct probe *p, const struct http_response *r)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    const struct google_session *g = p->job.session;

    if (p->job.step == SHEET_STEP_TOKEN) {
        take_refusal(p, r);
        if (google_token_good(g, p->job.now_ms))
            take_token(p);
    } else if (r->status == 200 && answer_object(r, &doc)) {
        if (!json_get(doc.root, "range")) { /* which Google says of an empty row, too */
            probe_odd(p, r);
            return;
        }
        take_header(p, json_path(doc.root, "values.0"));
        p->at++;
        p->stage = NEXT_TAB;
    } else {
        take_refusal(p, r);
    }
}
