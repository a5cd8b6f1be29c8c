/* pipeline/rescore.c - slices of leads, looked at again by the models in use. */
#include "funneld/pipeline/rescore.h"

#include "batch.h"
#include "funneld/pipeline/past.h"

struct looking {
    struct reader *reader;
    struct rescoring *s;
    struct arena arena; /* for one lead */
    int64_t now_ms;
    enum rc rc;
};

static bool same_chance(const struct chance *a, const struct chance *b)
{
    return a->known == b->known && a->tenths == b->tenths;
}

static void keep(struct rescoring *s, const struct lead *was, const struct lead *now)
{
    bool counted = !was->activity.at && now->activity.at;

    if (!counted && was->band == now->band && same_chance(&was->probability, &now->probability) &&
        same_chance(&was->churn, &now->churn))
        return;
    s->changed[s->n_changed++] = (struct lead_chances){
        .id = was->id,
        .last_event = was->last_event,
        .was = was->band,
        .probability = now->probability,
        .churn = now->churn,
        .band = now->band,
        .activity = counted ? arena_str(&s->arena, now->activity) : STR_NULL,
    };
}

void judge_lead(const struct models *m, const struct rules *r, const struct lead_view *v,
                struct lead *lead)
{
    models_judge(m, goals_among(&r->goals, v->lead), &r->scorecard, v, lead);
}

struct lead lead_by_now(const struct models *m, const struct rules *r, const struct lead_view *v)
{
    struct lead now = *v->lead;
    struct lead_view view = *v;
    struct verdict_score score;

    scorecard_evaluate(&r->scorecard, &now, v->rows, v->n_rows, v->at, NULL, &score);
    take_score(&now, &score);
    view.lead = &now;
    judge_lead(m, r, &view, &now);
    return now;
}

/* The models see what its firings are worth by now; its band by points is that of the last event.
 */
static enum rc judge(struct looking *l, struct lead *lead)
{
    const struct rules *rules = l->s->rules;
    struct lead now = *lead;
    struct ledger_row *rows = NULL;
    size_t n = 0;
    enum rc rc = read_ledger(l->reader, lead, INT64_MAX, &l->arena, &rows, &n);

    if (rc == RC_OK && !lead->activity.at)
        rc = count_history(l->reader, rules, lead, l->now_ms, &l->arena, &now.activity);
    if (rc != RC_OK)
        return rc == RC_INVALID ? RC_OK : rc; /* one that cannot be read holds up no other */
    const struct lead_view v = view_lead(&now, rows, n, l->now_ms, &l->arena);
    now = lead_by_now(l->s->models, rules, &v);
    now.band = judged_band(&rules->scorecard, &now, lead->score);
    keep(l->s, lead, &now);
    return RC_OK;
}

static void look(void *self, const struct lead *lead)
{
    struct looking *l = self;
    struct lead copy = *lead;

    l->s->before = lead->id;
    l->s->n_seen++;
    if (l->rc == RC_OK && lead->evaluated)
        l->rc = judge(l, &copy);
    arena_reset(&l->arena);
}

enum rc rescore_read(struct reader *r, struct rescoring *s, int64_t now_ms)
{
    const struct list_filter f = {
        .after = s->before, .limit = RESCORE_SLICE, .state = str_of(lead_state_name(LEAD_ACTIVE))};
    struct looking l = {.reader = r, .s = s, .now_ms = now_ms};

    arena_reset(&s->arena);
    s->n_changed = s->n_seen = 0;
    enum rc rc = read_leads(r, &f, look, &l);
    arena_free(&l.arena);
    s->done = s->n_seen < RESCORE_SLICE;
    return rc == RC_OK ? l.rc : rc;
}

static enum rc write_all(struct store *st, const struct rescoring *s, int64_t counts[BAND_COUNT])
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < s->n_changed && (rc == RC_OK || rc == RC_NONE); i++) {
        const struct lead_chances *c = &s->changed[i];

        rc = store_lead_chances(st, c);
        if (rc != RC_OK) /* RC_NONE: an event was faster, and has said it */
            continue;
        counts[c->was]--;
        counts[c->band]++;
    }
    return rc == RC_NONE ? RC_OK : rc;
}

enum rc rescore_write(struct store *st, const struct rescoring *s)
{
    int64_t counts[BAND_COUNT] = {0};
    enum rc rc = store_begin(st);

    if (rc != RC_OK)
        return rc;
    rc = write_all(st, s, counts);
    if (rc == RC_OK)
        rc = store_commit(st);
    else
        store_rollback(st);
    for (int b = 0; b < BAND_COUNT && rc == RC_OK; b++)
        if (counts[b])
            metric_add(metric(METRIC_LEADS, str_of(band_name((enum band)b)), STR_NULL), counts[b]);
    return rc;
}
