/* connectors/slack_digest.c - many leads in one message: how many, and the best of them. */
#include "slack_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "funneld/lead/feedback.h"

enum {
    TOP = 10,
    LINE_POINTS = 250,
    REASONS_POINTS = 120,
    NAME_POINTS = 60,
    LABEL_POINTS = 30,
    SECTION_POINTS = 2900,
    URL_BYTES_MAX = 500,
};

/* One for each lead, the newest of what is to be told of it. */
struct choice {
    const struct parcel **items;
    size_t n;
    size_t bands[BAND_COUNT];
};

static int by_lead(const void *a, const void *b)
{
    const struct parcel *x = *(const struct parcel *const *)a;
    const struct parcel *y = *(const struct parcel *const *)b;

    if (x->d.lead != y->d.lead)
        return x->d.lead < y->d.lead ? -1 : 1;
    return x->d.id > y->d.id ? -1 : 1;
}

static int by_score(const void *a, const void *b)
{
    const struct parcel *x = *(const struct parcel *const *)a;
    const struct parcel *y = *(const struct parcel *const *)b;

    if (x->d.facts.score != y->d.facts.score)
        return x->d.facts.score > y->d.facts.score ? -1 : 1;
    return x->d.id < y->d.id ? -1 : 1;
}

static struct choice choose(const struct job *job)
{
    struct choice c = {.items = arena_array(job->arena, job->n + 1, sizeof *c.items)};
    size_t n = 0;

    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            c.items[n++] = &job->parcels[i];
    qsort(c.items, n, sizeof *c.items, by_lead);
    for (size_t i = 0; i < n; i++)
        if (!i || c.items[i]->d.lead != c.items[i - 1]->d.lead)
            c.items[c.n++] = c.items[i];
    for (size_t i = 0; i < c.n; i++)
        c.bands[c.items[i]->d.facts.band]++;
    qsort(c.items, c.n, sizeof *c.items, by_score);
    return c;
}

static struct str count_text(size_t n, struct arena *a)
{
    return arena_printf(a, "%zu", n);
}

static struct str name_of(const struct parcel *p, size_t max_points, struct arena *a)
{
    return slack_line(lead_name(p->lead, a), max_points, a);
}

/* "1. Ada Lovelace: 87.5 (+35 demo-request)", escaped */
static struct str line_of(const struct parcel *p, size_t nth, struct arena *a)
{
    struct str reasons = slack_line(p->d.facts.reasons, REASONS_POINTS, a);
    struct str score = score_text(p->d.facts.score, a);
    struct str line = arena_printf(
        a, "%zu. %.*s: %.*s%s%.*s%s", nth, STR_ARG(name_of(p, NAME_POINTS, a)), STR_ARG(score),
        reasons.len ? " (" : "", STR_ARG(reasons), reasons.len ? ")" : "");

    return slack_cut(line, LINE_POINTS);
}

static struct str list_of(const struct choice *c, enum language language, struct arena *a)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(64 * 1024);

    for (size_t i = 0; i < c->n && i < TOP; i++)
        sbuf_printf(&b, "%s%.*s", i ? "\n" : "", STR_ARG(line_of(c->items[i], i + 1, a)));
    if (c->n > TOP) {
        struct str more = PHRASE_WITH(language, PHRASE_DIGEST_MORE, a, count_text(c->n - TOP, a));

        sbuf_printf(&b, "\n%.*s", STR_ARG(more));
    }
    return arena_str(a, slack_cut(sbuf_str(&b), SECTION_POINTS));
}

static bool is_linked(const struct parcel *p)
{
    return p->crm_url.len && p->crm_url.len <= URL_BYTES_MAX;
}

static void links_block(struct sbuf *b, const struct choice *c, struct arena *a)
{
    bool open = false;

    for (size_t i = 0; i < c->n && i < TOP; i++) {
        const struct parcel *p = c->items[i];

        if (!is_linked(p))
            continue;
        if (!open)
            slack_actions_open(b, STR_NULL);
        open = true;
        slack_button(b, &(struct slack_button){
                            .action = arena_printf(a, BUTTON_CRM "_%zu", i + 1).at,
                            .text = arena_printf(a, "%zu. %.*s", i + 1,
                                                 STR_ARG(name_of(p, LABEL_POINTS, a))),
                            .url = p->crm_url,
                        });
    }
    if (open)
        slack_actions_close(b);
}

static void blocks(struct sbuf *b, const struct choice *c, struct str title, struct str bands,
                   struct str list, struct arena *a)
{
    json_key(b, "blocks");
    json_open(b, '[');
    slack_text_block(b, "header", "plain_text", title);
    slack_context(b, "plain_text", bands);
    slack_text_block(b, "section", "plain_text", list);
    links_block(b, c, a);
    json_close(b, ']');
}

static void metadata(struct sbuf *b, const struct job *job)
{
    int64_t *ids = arena_array(job->arena, job->n + 1, sizeof *ids);
    struct sbuf text AUTO(sbuf_free) = SBUF(SLACK_IDS_BYTES_MAX + 1);
    struct str rest = job->parcels[0].public_id, database = STR("");
    size_t n = 0;

    for (size_t i = 0; i < job->n; i++)
        if (job->outcomes[i].verdict == VERDICT_NONE)
            ids[n++] = job->parcels[i].d.id;
    slack_ids_write(&text, ids, n);
    (void)str_split(&rest, '-', &database);
    json_key(b, "metadata");
    json_open(b, '{');
    json_kv_text(b, "event_type", SLACK_DIGEST_TYPE);
    json_key(b, "event_payload");
    json_open(b, '{');
    json_kv(b, "database", database);
    json_kv(b, "deliveries", sbuf_str(&text));
    json_close(b, '}');
    json_close(b, '}');
}

void slack_digest_message(struct sbuf *b, const struct job *job, enum slack_form form)
{
    struct arena *a = job->arena;
    enum language language = job->parcels[0].language;
    struct choice c = choose(job);
    struct str title = PHRASE_WITH(language, PHRASE_DIGEST_TITLE, a, count_text(c.n, a));
    struct str bands =
        PHRASE_WITH(language, PHRASE_DIGEST_BANDS, a, count_text(c.bands[BAND_HOT], a),
                    count_text(c.bands[BAND_WARM], a), count_text(c.bands[BAND_COLD], a));
    struct str list = list_of(&c, language, a);

    json_kv(b, "text",
            form == SLACK_TEXT_ONLY
                ? arena_printf(a, "%.*s: %.*s\n%.*s", STR_ARG(title), STR_ARG(bands), STR_ARG(list))
                : arena_printf(a, "%.*s: %.*s", STR_ARG(title), STR_ARG(bands)));
    if (form == SLACK_WITH_BLOCKS)
        blocks(b, &c, title, bands, list, a);
    metadata(b, job);
}
