/* connectors/google_sheets.c - rows in a Google sheet, in batches: one for each delivery at the end
 * (mode = append), or one for each lead, kept current (mode = upsert).
 *
 *     token -> header (written when row 1 is empty) -> look -> update what is there -> append
 *
 * An append cannot be repeated blindly. In doubt, column "Delivery ID" tells what is there; Google
 * may work on a request for 180 s, hence the long `settle` before it is read. A row for each lead
 * is found in column "Lead ID", read right before each write, because people sort and edit; so
 * there a look in doubt is nothing special.
 */
#include "google_priv.h"

#include "funneld/base/clock.h"

enum { BATCH_MAX = 500 };

#define HEADER_FRESH_MS (5 * MINUTES_MS) /* people move columns */

static const char range_rule[] = "the range must name a tab and begin at column A";

static const char *const modes[] = {[SHEET_APPENDS] = "append", [SHEET_UPSERTS] = "upsert", NULL};

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
    {.key = "range.",
     .type = OPTION_MAP,
     .offset = offsetof(struct google_sheets, ranges),
     .example = "Hot leads!A:H",
     .help = "another tab for the deliveries of one route: range.ROUTE = TAB!A:H"},
    {.key = "mode",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct google_sheets, mode),
     .choices = modes,
     .fallback = "append",
     .help = "append: a row for each delivery; upsert: a row for each lead, kept current, found by "
             "its Lead ID"},
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

/* Newer deliveries of a lead replace those that wait, whatever their routes: with tabs of their own
 * one of them would stay behind. */
static void check_ranges(const struct google_sheets *s, const struct conf_section *section,
                         struct conf_problems *problems)
{
    struct arena *a = problems->arena;
    struct str tab, cells;

    for (size_t i = 0; i < s->ranges.n; i++) {
        const struct str_pair *pair = &s->ranges.items[i];
        struct str key = arena_printf(a, "range.%.*s", STR_ARG(pair->name));
        const struct conf_entry *entry = conf_find(section, key.at);

        if (!sheet_range(pair->value, a, &tab, &cells))
            conf_problem(problems, section, entry, "Hot leads!A:H", "%s", range_rule);
        if (s->mode == SHEET_UPSERTS)
            conf_problem(problems, section, entry, "a connector for each tab",
                         "mode = upsert keeps a lead's row in one tab");
    }
}

static void google_sheets_check(const void *settings, const struct conf_section *section,
                                struct conf_problems *problems)
{
    const struct google_sheets *s = settings;
    struct str tab, cells;

    if (!sheet_range(s->range, problems->arena, &tab, &cells))
        conf_problem(problems, section, conf_find(section, "range"), "Leads!A:H", "%s", range_rule);
    check_ranges(s, section, problems);
    google_check_key(s, section, problems);
}

static const struct str_pairs *google_sheets_per_route(const void *settings)
{
    const struct google_sheets *s = settings;

    return &s->ranges;
}

struct str sheet_range_of(const struct google_sheets *s, struct str route)
{
    for (size_t i = 0; i < s->ranges.n; i++)
        if (str_eq(s->ranges.items[i].name, route))
            return s->ranges.items[i].value;
    return s->range;
}

static bool google_sheets_together(const void *settings, const struct parcel *first,
                                   const struct parcel *other)
{
    return str_eq(sheet_range_of(settings, first->d.route),
                  sheet_range_of(settings, other->d.route));
}

static bool google_sheets_upserts(const void *settings)
{
    const struct google_sheets *s = settings;

    return s->mode == SHEET_UPSERTS;
}

static int64_t google_sheets_batch(const void *settings)
{
    const struct google_sheets *s = settings;

    return s->batch;
}

static void google_sheets_session_free(void *session)
{
    struct google_session *g = session;

    google_token_drop(g);
    arena_free(&g->arena);
}

bool sheet_upserts(const struct job *job)
{
    return google_sheets_upserts(job->settings);
}

enum sheet_column sheet_key(const struct job *job)
{
    return sheet_upserts(job) ? SHEET_LEAD_ID : SHEET_DELIVERY_ID;
}

static struct sheet_tab *find_tab(const struct google_session *g, struct str range)
{
    struct sheet_tab *t = g->tabs;

    while (t && !str_eq(t->range, range))
        t = t->next;
    return t;
}

static struct sheet_tab *add_tab(struct google_session *g, struct str range)
{
    struct sheet_tab *t = ARENA_NEW(&g->arena, struct sheet_tab);

    *t = (struct sheet_tab){.next = g->tabs, .range = arena_str(&g->arena, range)};
    if (!sheet_range(t->range, &g->arena, &t->name, &t->cells))
        return NULL;
    return g->tabs = t;
}

/* Of the parcels: they all go to one tab. */
static struct str range_of_job(const struct job *job)
{
    return sheet_range_of(job->settings, job->n ? job->parcels[0].d.route : STR_NULL);
}

static enum rc begin(struct job *job, struct why *why)
{
    struct sheet_talk *talk = job->scratch = ARENA_NEW(job->arena, struct sheet_talk);
    struct str range = range_of_job(job);

    talk->tab = find_tab(job->session, range);
    if (!talk->tab)
        talk->tab = add_tab(job->session, range);
    if (!talk->tab)
        return why_fail(RC_INVALID, why, "%s", range_rule);
    talk->look_row = 1;
    talk->places = arena_array(job->arena, job->n, sizeof *talk->places);
    return RC_OK;
}

/* A row of the lead is there, and still to be written. */
static bool updates(const struct job *job)
{
    const struct sheet_talk *talk = job->scratch;

    for (size_t i = 0; i < job->n; i++)
        if (talk->places[i].row > 0 && job->outcomes[i].verdict == VERDICT_NONE)
            return true;
    return false;
}

/* talk: NULL before the job has begun. */
static enum sheet_step next_step(const struct job *job, const struct sheet_talk *talk)
{
    const struct sheet_tab *tab = talk ? talk->tab : find_tab(job->session, range_of_job(job));

    if (!google_token_good(job->session, job->now_ms))
        return SHEET_STEP_TOKEN;
    if (talk && talk->write_header)
        return SHEET_STEP_WRITE_HEADER;
    if (!tab || !tab->header_read_at || job->now_ms - tab->header_read_at > HEADER_FRESH_MS)
        return SHEET_STEP_HEADER;
    if ((job->look || sheet_upserts(job)) && !(talk && talk->looked))
        return SHEET_STEP_LOOK;
    return talk && updates(job) ? SHEET_STEP_UPDATE : SHEET_STEP_APPEND;
}

enum rc google_sheets_build(struct job *job, struct http_request *ret, struct why *why)
{
    static enum rc (*const builders[])(struct job *, struct http_request *, struct why *) = {
        [SHEET_STEP_TOKEN] = google_token_build,
        [SHEET_STEP_HEADER] = sheet_build_header,
        [SHEET_STEP_WRITE_HEADER] = sheet_build_write_header,
        [SHEET_STEP_LOOK] = sheet_build_look,
        [SHEET_STEP_UPDATE] = sheet_build_update,
        [SHEET_STEP_APPEND] = sheet_build_append,
    };
    enum rc rc = job->step == SHEET_STEP_START ? begin(job, why) : RC_OK;

    if (rc)
        return rc;
    job->step = next_step(job, job->scratch);
    return builders[job->step](job, ret, why);
}

/* The credentials are read once a session: this is asked often. */
static void name_quotas(const struct google_sheets *s, struct google_session *g)
{
    struct arena a = {0};
    struct google_key key;

    if (!g->reads && google_key_read(s->credentials, &a, &key, NULL) == RC_OK) {
        g->reads = quota_key(key.client_email, "sheets reads");
        g->writes = quota_key(key.client_email, "sheets writes");
    }
    arena_free(&a);
}

/* A minute's quota that is refilled each minute: no burst. Tokens count for neither. */
static size_t google_sheets_quotas(const struct job *job, struct quota ret[])
{
    const struct google_sheets *s = job->settings;
    struct google_session *g = job->session;
    enum sheet_step step = next_step(job, job->scratch);

    if (step == SHEET_STEP_TOKEN)
        return 0;
    name_quotas(s, g);
    bool reads = step == SHEET_STEP_HEADER || step == SHEET_STEP_LOOK;
    ret[0] = (struct quota){.key = reads ? g->reads : g->writes,
                            .per_second = s->common.rate > 1 ? s->common.rate : 1,
                            .burst = 1};
    return 1;
}

const struct connector_type google_sheets_connector = {
    .name = "google_sheets",
    .spec = &google_sheets_spec,
    .session_size = sizeof(struct google_session),
    .session_free = google_sheets_session_free,
    .max_batch = BATCH_MAX,
    .batch_limit = google_sheets_batch,
    .together = google_sheets_together,
    .upserts = google_sheets_upserts,
    .routable = true,
    .check = google_sheets_check,
    .per_route = google_sheets_per_route,
    .build = google_sheets_build,
    .quotas = google_sheets_quotas,
    .judge = google_sheets_judge,
    .probe_next = google_probe_next,
    .probe_take = google_probe_take,
};
